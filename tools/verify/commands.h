/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * commands.h - the commands of vtpm-verify, one file each.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VERIFY_COMMANDS_H
#define TOOLS_VERIFY_COMMANDS_H

#include "base/options.h"

/* vtpm-verify itself is `-e EVIDENCE`; its table has all others. */
extern const struct opt_command verify_program;
extern const struct opt_command verify_policy;
extern const struct opt_command verify_show;
extern const struct opt_command verify_replay;
extern const struct opt_command verify_quote;
extern const struct opt_command verify_enrol;
extern const struct opt_command verify_host_states;
extern const struct opt_command verify_host_quote;
extern const struct opt_command verify_nonce;

#endif
