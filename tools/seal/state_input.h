/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * state_input.h - the PCR values of a state that is to be approved: from a
 * file, from an event log, or from the TPM as it is.
 *
 * Layer:  tools.
 * Trust:  an approval is worth what its source is worth: a file of values is
 *         believed as it is.
 */
#ifndef TOOLS_SEAL_STATE_INPUT_H
#define TOOLS_SEAL_STATE_INPUT_H

#include "base/err.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"

/* Values of all of sel, from a file of pcr_file.h's forms (values alone are
 * those of sel) or JSON with "pcrs".  Every failure is logged. */
int state_from_file(
    const char *path, const struct pcr_sel *sel, struct pcr_set *ret) VT_CHECK;
/* The same, from any event log that vtpm-verify replay reads. */
int state_from_log(
    const char *path, const struct pcr_sel *sel, struct pcr_set *ret) VT_CHECK;

#endif
