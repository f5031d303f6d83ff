/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcti_path.h - the file behind a TCTI's configuration.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_TCTI_PATH_H
#define VTPM_MANAGER_HWTPM_TCTI_PATH_H

#include <stddef.h>

/* The device of "device" or "device:PATH", borrowed; NULL: another TCTI. */
const char *tcti_device(const char *conf);
/* That, or the socket of "local=" or "path="; "" if conf names no file. */
void tcti_path(const char *conf, char *out, size_t cap);

#endif
