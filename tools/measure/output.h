/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * output.h - a prediction for people and for other programs.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_MEASURE_OUTPUT_H
#define TOOLS_MEASURE_OUTPUT_H

#include <stdbool.h>

#include "base/err.h"
#include "measure/predict/prediction.h"

/* Print one line a PCR; events: each event, too. */
void output_table(
    const struct prediction *p, const struct replay *r, bool events);
/* The same as JSON: "vtpm-prediction" of doc/FORMATS.md. */
int output_json(const struct prediction *p, const struct replay *r) VT_CHECK;
/* Values as tpm2_quote --pcr writes them. */
int output_pcrs(const char *path, const struct replay *r) VT_CHECK;
/* The events as a TCG binary log. */
int output_log(const char *path, const struct prediction *p) VT_CHECK;
/* The events as CEL-JSON. */
int output_cel(const char *path, const struct replay *r) VT_CHECK;

#endif
