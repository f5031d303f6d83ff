/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rom_folder.h - RUN/rom: the names of ROMs that QEMU loads by itself, as links
 * to descriptors.
 *
 * Layer:  vtpm_manager/core; no logging.
 * QEMU has no option that names these ROMs, only a folder to look for them
 * (-L).  The launcher opens what it measured at the descriptors, and QEMU,
 * which inherits them, gets that by these links.
 */
#ifndef VTPM_MANAGER_CORE_ROM_FOLDER_H
#define VTPM_MANAGER_CORE_ROM_FOLDER_H

#include <stddef.h>

#include "base/err.h"

#define ROM_FOLDER_FD 200 /* of name 0; the others follow */

/* Name i, or NULL. */
const char *rom_folder_name(size_t i);
/* Make DIR/rom with its links; what differs is replaced.  VT_E_SYS. */
int rom_folder_make(const char *dir) VT_CHECK;
/* Are the links there?  VT_E_NOTFOUND. */
int rom_folder_check(const char *dir) VT_CHECK;

#endif
