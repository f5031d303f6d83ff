/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * qemu_device.h - devices on QEMU's command line, and what QEMU loads by
 * itself.
 *
 * Layer:  tools; pure, no I/O.
 */
#ifndef TOOLS_LAUNCH_QEMU_DEVICE_H
#define TOOLS_LAUNCH_QEMU_DEVICE_H

#include "tools/launch/qemu_parse.h"

/* The option whose value is argv[arg].  Errors as lq_parse(). */
int lq_on_device(struct lq_ctx *c, int arg) VT_CHECK;
int lq_on_global(struct lq_ctx *c, int arg) VT_CHECK;
int lq_on_object(struct lq_ctx *c, int arg) VT_CHECK;
int lq_on_nic(struct lq_ctx *c, int arg) VT_CHECK;
int lq_on_vga(struct lq_ctx *c, int arg) VT_CHECK;
/* Behind the last option: the default firmware and the ROMs. */
int lq_find_roms(struct lq_ctx *c) VT_CHECK;

#endif
