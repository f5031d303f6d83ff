/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * qemu_flash.h - the firmware's flash on QEMU's command line.
 *
 * Layer:  tools; pure, no I/O.
 */
#ifndef TOOLS_LAUNCH_QEMU_FLASH_H
#define TOOLS_LAUNCH_QEMU_FLASH_H

#include "tools/launch/qemu_parse.h"

/* The option whose value is argv[arg].  Errors as lq_parse(). */
int lq_on_drive(struct lq_ctx *c, int arg) VT_CHECK;
int lq_on_machine(struct lq_ctx *c, int arg) VT_CHECK;
/* Behind the last option: the nodes that -machine pflashN= names. */
int lq_find_flash(struct lq_ctx *c) VT_CHECK;

#endif
