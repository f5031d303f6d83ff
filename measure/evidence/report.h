/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * report.h - the report of a verification: every check with its outcome.
 *
 * Layer:  measure; no I/O, no logging.  JSON by jansson.
 * Spec:   doc/FORMATS.md, "Evidence", checks.
 */
#ifndef MEASURE_EVIDENCE_REPORT_H
#define MEASURE_EVIDENCE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/appraise/appraise.h"
#include "measure/cert/cert_extension.h"
#include "measure/cert/x509.h"
#include "measure/tpm/quote_verify.h"

#define REPORT_WORDS_MAX 320

enum report_outcome {
	REPORT_PASS,
	REPORT_NOTE,   /* worth knowing */
	REPORT_CANNOT, /* undecided, unless something fails */
	REPORT_FAIL,   /* refuses */
};

struct report_check {
	const char *id; /* static; stable, for scripts */
	enum report_outcome outcome;
	char words[REPORT_WORDS_MAX];
};

#define REPORT_MAX_CHECKS 96

struct report {
	enum ap_verdict verdict;
	uint32_t n;
	struct report_check checks[REPORT_MAX_CHECKS];
	/* What the evidence says, meaningful for verdict AP_ACCEPTED, and for
	 * others as far as the checks go. */
	bool have_instance;
	struct cert_ext_instance instance; /* from the AK certificate */
	uint8_t root;                      /* enum cert_ext_root; 0 unknown */
	bool worker_restarted;
	bool restored;
	struct quote_report quote;
	struct x509_report certs;
	struct ap_report *appraisal; /* or NULL: not got that far */
};

/* Add a check to the report; id is static.  A full report keeps the worst
 * outcome in its last place. */
void report_say(struct report *rep, const char *id, enum report_outcome o,
    const char *fmt, ...) VT_PRINTF(4, 5);
/* Of all that was said. */
enum ap_verdict report_verdict(const struct report *rep);

void report_free(struct report *r); /* NULL is a no-op */
/* The report as JSON text; heap, free().  NULL: no memory. */
char *report_json(const struct report *r);

const char *report_outcome_name(
    enum report_outcome o); /* "pass", "fail", ... */

#endif
