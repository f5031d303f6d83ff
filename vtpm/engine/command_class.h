/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * command_class.h - TPM commands by what they are for, to count them.
 *
 * Layer:  vtpm; pure.
 * Spec:   TPM 2.0 Library r164, Part 2, 6.5.2; TPM Main 1.2 r116, Part 2, 17.
 */
#ifndef VTPM_ENGINE_COMMAND_CLASS_H
#define VTPM_ENGINE_COMMAND_CLASS_H

#include <stdbool.h>
#include <stdint.h>

#include "vtpm/proto/worker_msg.h"

enum wclass command_class(bool tpm2, uint32_t code);

#endif
