/* SPDX-License-Identifier: BSD-3-Clause */
/* commands.h - the commands of vtpm-seal, one file each. */
#ifndef TOOLS_SEAL_COMMANDS_H
#define TOOLS_SEAL_COMMANDS_H

#include "base/options.h"

extern const struct opt_command seal_cmd, unseal_cmd, approve_cmd, revoke_cmd,
    show_cmd;

#endif
