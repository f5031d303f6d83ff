/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * appraise.h - judge a boot by a policy, and say what is wrong with it.
 *
 * Layer:  measure; no I/O, no logging.
 * Trust:  pcrs must be values that a verified quote covers; the caller has
 *         checked that.  Log, journal and launch record are hostile until
 *         they replay to those values.  Decisions rest on digests and
 *         positions, never on an event's type or words.
 */
#ifndef MEASURE_APPRAISE_APPRAISE_H
#define MEASURE_APPRAISE_APPRAISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/appraise/policy.h"
#include "measure/log/explain.h"
#include "measure/tpm/pcr.h"

enum ap_verdict { AP_ACCEPTED = 0, AP_REFUSED = 1, AP_UNDECIDED = 2 };

enum ap_severity {
	AP_NOTE = 0, /* worth knowing */
	AP_FAIL,     /* refuses */
	AP_CANNOT,   /* evidence is missing: undecided unless something fails */
};

/* Stable names, ap_code_name(): scripts may rely on them. */
enum ap_code {
	AP_C_OK = 0,
	AP_C_PCR_MISSING,     /* the quote does not cover a PCR of the policy */
	AP_C_PCR_EXTREME,     /* all 00 or all FF: never extended */
	AP_C_PCR_UNMENTIONED, /* extended, but the policy does not name it */
	AP_C_VALUE_DIFFERS,
	AP_C_LOG_MISSING,
	AP_C_LOG_BAD,    /* cannot be parsed */
	AP_C_LOG_LIES,   /* an event's data do not fit its digest */
	AP_C_LOG_REPLAY, /* log or journal does not give the quoted value */
	AP_C_JOURNAL_MISSING,
	AP_C_LOG_VS_JOURNAL,
	AP_C_CHAINED,       /* the single digests of a PCR are not there */
	AP_C_EVENT_UNKNOWN, /* not what the reference has there */
	AP_C_EVENT_MISSING, /* the reference has one more */
	AP_C_INITRD,        /* not measured, or not an allowed one */
	AP_C_CAPPED,        /* worker restarted */
	AP_C_RESTORED,
	AP_C_UNSEEN, /* the host did not see the last reset */
	AP_C_LATE,   /* vTPM attached after the guest had started */
	AP_C_LAUNCH_MISSING,
	AP_C_LAUNCH_DIFFERS,
	AP_C_PCR_RESET, /* a judged PCR was reset after the start */
	AP_C_NCODES
};

struct ap_finding {
	enum ap_code code;
	enum ap_severity severity;
	uint16_t alg;      /* bank; 0: none */
	int32_t pcr;       /* -1: not about one PCR */
	int32_t index;     /* position in that PCR, from 1; 0: none */
	uint32_t place;    /* in the boot, from 1; 0: not of one place */
	const char *cause; /* likely, constant; NULL: the words say it */
	char *words;
};

#define AP_MAX_DIFFS 256 /* listed of one boot */

/* One place where the boot differs from the policy. */
struct ap_diff {
	uint32_t place; /* in the boot, from 1 */
	uint32_t pcr, pos;
	uint32_t others; /* that the policy allows there, beside was */
	char *was, *now; /* texts; NULL: no event was expected, or none came */
	enum explain_text text;
};

/* One event of the trail, as judged. */
struct ap_event {
	uint32_t pcr, pos;
	bool known; /* the policy lists it here */
	char *words;
	char hex[2 * DIGEST_MAX + 1];
};

struct ap_report {
	enum ap_verdict verdict;
	uint32_t n;
	struct ap_finding *findings; /* what refuses comes first */
	uint32_t nevents;
	struct ap_event *events;     /* of the policy's first bank */
	uint32_t ndiffs, more_diffs; /* listed, and not listed */
	struct ap_diff *diffs;       /* of one bank, in order of the boot */
	uint16_t diffs_alg;
	uint32_t shared; /* owners beside the first */
};

struct ap_in {
	const struct policy *policy;
	const struct pcr_set *pcrs; /* covered by a verified quote */
	struct {
		const uint8_t *p; /* NULL: absent */
		size_t len;
	} logs[2];              /* host-made, guest's */
	const uint8_t *journal; /* encoded; NULL: absent */
	size_t journal_len;
	const uint8_t *record; /* launch record; NULL: absent */
	size_t record_len;
};

/* *ret is owned by the caller; a refusal is not an error.  VT_E_NOMEM,
 * VT_E_CRYPTO. */
int appraise(const struct ap_in *in, struct ap_report **ret) VT_CHECK;

/* Refers to d. */
struct explain ap_diff_explain(const struct ap_diff *d);
#endif
