/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * commands.h - the commands of vtpmctl, one file each; they run
 * with a struct vctl (bus.h) as their context.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VTPMCTL_COMMANDS_H
#define TOOLS_VTPMCTL_COMMANDS_H

#include "base/options.h"

/* In vtpmctl's table. */
extern const struct opt_command vctl_create;
extern const struct opt_command vctl_start;
extern const struct opt_command vctl_stop;
extern const struct opt_command vctl_reset;
extern const struct opt_command vctl_set_banks;
extern const struct opt_command vctl_destroy;
extern const struct opt_command vctl_recover;
extern const struct opt_command vctl_list;
extern const struct opt_command vctl_show;
extern const struct opt_command vctl_log;
extern const struct opt_command vctl_audit;
extern const struct opt_command vctl_status;
extern const struct opt_command vctl_top;
extern const struct opt_command vctl_events;
extern const struct opt_command vctl_doctor;
extern const struct opt_command vctl_health;
extern const struct opt_command vctl_launch;
extern const struct opt_command vctl_group;
extern const struct opt_command vctl_host;
extern const struct opt_command vctl_xen;

/* In the table of `vtpmctl launch`. */
extern const struct opt_command vctl_launch_xen;
extern const struct opt_command vctl_launch_record;

/* In the table of `vtpmctl group`. */
extern const struct opt_command vctl_group_quote;
extern const struct opt_command vctl_group_sign;

/* In the table of `vtpmctl host`. */
extern const struct opt_command vctl_host_approve;
extern const struct opt_command vctl_host_revoke;
extern const struct opt_command vctl_host_bind;
extern const struct opt_command vctl_host_enrol;
extern const struct opt_command vctl_host_escrow;
extern const struct opt_command vctl_host_recover;

#endif
