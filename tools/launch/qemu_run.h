/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * qemu_run.h - QEMU's program, its environment, and its folders of firmware.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_LAUNCH_QEMU_RUN_H
#define TOOLS_LAUNCH_QEMU_RUN_H

#include <limits.h>

#include "base/err.h"

#define QR_FOLDERS_MAX 8

struct qr_folders {
	unsigned int n;
	char path[QR_FOLDERS_MAX][PATH_MAX];
};

/* The program that exec would find by name, into path[PATH_MAX].
 * VT_E_NOTFOUND. */
int qr_find_program(const char *name, char *path) VT_CHECK;
/* Open it, to be measured and then executed.  -1 and errno; ENOEXEC: it is a
 * script, so that what is measured would not be what runs. */
int qr_open_program(const char *path);
/*
 * What QEMU may see of this process' environment; a static list.  QEMU and the
 * libraries under it load code that variables name (QEMU_MODULE_DIR,
 * LD_PRELOAD).
 */
char **qr_environment(void);
/* QEMU's own folders, by `-L help` of the program fd.  VT_E_SYS, VT_E_FORMAT.
 */
int qr_folders(int fd, char *name, struct qr_folders *ret) VT_CHECK;
/* The file that QEMU would take for name, into path[PATH_MAX].
 * VT_E_NOTFOUND. */
int qr_find(const struct qr_folders *f, const char *name, char *path) VT_CHECK;
/* QEMU looks for each ROM in the current folder first.  VT_E_DENIED: others can
 * write to it; VT_E_EXISTS: *ret_name is there. */
int qr_check_folder(const char **ret_name) VT_CHECK;

#endif
