/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * boot_input.h - a file that says how a guest booted, or how it should: an
 * event log of any form, a prediction, evidence, a policy.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_MEASURE_BOOT_INPUT_H
#define TOOLS_MEASURE_BOOT_INPUT_H

#include "base/err.h"
#include "measure/appraise/policy.h"
#include "measure/log/replay.h"

struct boot_input {
	struct replay *boot;   /* or NULL */
	struct policy *policy; /* or NULL */
};

/* One of both is set.  VT_E_*, logged with the file's name. */
int boot_input_read(const char *path, struct boot_input *ret) VT_CHECK;
void boot_input_done(struct boot_input *in);

/* The guest's TCG log in a file: the file itself, or that of evidence.  *ret:
 * free().  VT_E_*, logged. */
int boot_input_log(const char *path, uint8_t **ret, size_t *ret_len) VT_CHECK;

#endif
