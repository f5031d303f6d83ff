/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy.h - which boots a verifier accepts: a JSON file, and how to make it.
 *
 * Layer:  measure; no I/O, no logging.  JSON by jansson.
 * Spec:   vtpm-policy(5) and doc/FORMATS.md.
 * Trust:  a policy is the verifier's own, but it is checked strictly: an
 *         unknown key, an empty reference, or a policy that would accept
 *         every boot does not load.
 */
#ifndef MEASURE_APPRAISE_POLICY_H
#define MEASURE_APPRAISE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "measure/tpm/pcr_selection.h"

#define POLICY_MAX_LEN (1024 * 1024) /* bytes of JSON */
#define POLICY_MAX_STEPS 1024        /* events in one PCR's list */
#define POLICY_MAX_ALTS 64           /* alternatives of one step, values */
#define POLICY_MAX_TEXT 4096         /* a description */
#define POLICY_ERR_MAX 320           /* bytes of an error text */

struct pol_digest {
	uint8_t val[DIGEST_MAX];
	char *what; /* a description; never NULL */
};

/* One place in a PCR's list of events. */
struct pol_step {
	struct pol_digest *alts;
	uint32_t nalts;
	bool optional; /* may be absent */
	bool repeat;   /* may come several times in a row */
};

enum pol_kind {
	POL_NONE = 0, /* not mentioned: must never have been extended */
	POL_VALUES,   /* final value is one of these */
	POL_EVENTS,   /* events as listed */
	POL_IGNORE,   /* ignored; the reason is in the policy */
	POL_LAUNCH,   /* the launch record and nothing else (PCR 17) */
};

enum pol_unknown {
	POL_U_REFUSE = 0, /* the default */
	POL_U_AFTER,      /* allowed after the last listed event */
	POL_U_ALLOW,      /* allowed anywhere between listed events */
};

struct pol_pcr {
	enum pol_kind kind;
	struct pol_digest *values; /* POL_VALUES */
	uint32_t nvalues;
	struct pol_step *steps; /* POL_EVENTS */
	uint32_t nsteps;
	enum pol_unknown unknown;
	char *reason; /* POL_IGNORE, or unknown events allowed; or NULL */
};

struct pol_bank {
	uint16_t alg;
	uint16_t len;
	struct pol_pcr pcrs[PCR_COUNT];
};

/* Digests that a launch record must (one of them) have for a role. */
struct pol_role {
	uint8_t role; /* enum launch_role */
	uint16_t alg;
	struct pol_digest *alts;
	uint32_t nalts;
};

struct policy {
	char *name; /* never NULL */
	uint32_t nbanks;
	struct pol_bank *banks;
	char *no_log_reason;      /* NULL: a log or the journal must be there */
	bool need_log;            /* the guest's event log must be there */
	bool need_journal;        /* the extend journal must be there */
	bool need_launch;         /* PCR 17 must prove a launch record */
	char *restored_reason;    /* NULL: no state from a snapshot */
	bool allow_software_root; /* JSON key of the same name; default false:
				     judged by bundle.c, law 8 */
	char *sha1_reason;        /* NULL: no SHA-1 bank */
	char *no_initrd_reason;   /* NULL: the initrd must be measured */
	struct pol_digest *initrds; /* in PCR 9, in banks[0]; one must be */
	uint32_t ninitrds;
	struct pol_digest *configs; /* launch: allowed configurations' SHA-256;
				       what: their text, or "" */
	uint32_t nconfigs;
	struct pol_role *roles;
	uint32_t nroles;
};

/*
 * Parse and check.  *ret is owned by the caller.  VT_E_RANGE, VT_E_FORMAT
 * (not JSON or not this format), VT_E_POLICY (a policy that DESIGN 7
 * refuses), VT_E_NOMEM; err then says what and where.
 */
int policy_parse(const void *json, size_t len, struct policy **ret,
    char err[POLICY_ERR_MAX]) VT_CHECK;
void policy_free(struct policy *p); /* NULL is a no-op */

#endif
