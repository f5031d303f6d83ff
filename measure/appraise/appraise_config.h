/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * appraise_config.h - describe how two configurations of a guest differ.
 *
 * Layer:  measure; pure.
 */
#ifndef MEASURE_APPRAISE_APPRAISE_CONFIG_H
#define MEASURE_APPRAISE_APPRAISE_CONFIG_H

#include <stddef.h>

/* What differs between two configuration texts, lines "member=value", in
 * words; at most cap bytes, always ended.  "": nothing that can be named. */
void ap_config_words(const char *now, const char *want, char *out, size_t cap);
/* What that probably is; constant. */
const char *ap_config_cause(const char *words);

#endif
