/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpm_verify.h - judge the evidence of a guest with a virtual TPM.
 *
 * A verifier holds what the caller trusts: a policy that says which boots are
 * accepted, the CA of a vTPM manager or the record of a host, and the states
 * that the host may be in.  It judges any number of bundles of evidence, each
 * for a nonce that the caller gave out, and returns a report of each.
 *
 *	struct vtpm_verifier *v = vtpm_verifier_new();
 *	struct vtpm_expect x = { .size = sizeof(x) };
 *	struct vtpm_report *r;
 *
 *	if (v == NULL || vtpm_verifier_set_policy(v, policy, policy_len) ||
 *	    vtpm_verifier_set_ca(v, ca, ca_len))
 *		errx(1, "%s", vtpm_verifier_error(v));
 *	x.nonce = nonce;
 *	x.nonce_len = nonce_len;
 *	if (vtpm_verifier_judge(v, json, json_len, &x, &r))
 *		errx(1, "%s", vtpm_verifier_error(v));
 *	if (vtpm_report_verdict(r) == VTPM_ACCEPTED)
 *		...
 *	vtpm_report_free(r);
 *	vtpm_verifier_free(v);
 *
 * Results    0, or a negative VTPM_E_*.  After a failure
 *            vtpm_verifier_error() says what is wrong with which input.  A
 *            failure of vtpm_verifier_judge() is not an acceptance.
 * Ownership  Every input is copied or used up before the call returns.  What
 *            a function returns as const is borrowed from the object that it
 *            was asked of, until that object changes or is freed.
 * Threads    There is no global state.  One verifier serves one thread at a
 *            time; several verifiers serve several threads.  A report is
 *            independent of its verifier and may be freed after it.
 * I/O        None: no file is read, nothing is logged.
 *
 * Link with `pkg-config --libs vtpm-verify`.  See vtpm-verify(3).
 */
#ifndef VTPM_VERIFY_H
#define VTPM_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	VTPM_E_NOMEM = -1,    /* out of memory */
	VTPM_E_INPUT = -2,    /* an input is not what it should be */
	VTPM_E_ARGUMENT = -3, /* the call itself is wrong */
	VTPM_E_INTERNAL = -4, /* the cryptographic library failed */
};

enum vtpm_verdict {
	VTPM_ACCEPTED = 0,
	VTPM_REFUSED = 1,
	VTPM_UNDECIDED = 2, /* something is missing; do not trust the guest */
};

enum vtpm_outcome {
	VTPM_PASS = 0,
	VTPM_NOTE = 1,   /* worth knowing, decides nothing */
	VTPM_CANNOT = 2, /* undecided, unless another check fails */
	VTPM_FAIL = 3,   /* refuses */
};

struct vtpm_verifier; /* opaque */
struct vtpm_report;   /* opaque */

/* What the evidence must be.  Set size; leave the rest zero if unused. */
struct vtpm_expect {
	size_t size; /* sizeof(struct vtpm_expect) */
	/* The nonce that the guest was given, 8 to 64 bytes: required. */
	const void *nonce;
	size_t nonce_len;
	/* The UUID (16 bytes) of the vTPM that it must be.  NULL: any vTPM of
	 * the CA; then look at vtpm_report_uuid(), or a guest may relay the
	 * evidence of another one. */
	const uint8_t *uuid;
	/* SHA-256 (32 bytes) of the key at the other end of the channel, which
	 * the deep quote must name; needs a host.  NULL: not checked. */
	const uint8_t *channel_key;
	/* The firmwareVersion that the vTPM must have.  NULL: any. */
	const uint64_t *firmware;
	/* Earlier accepted evidence (JSON) of the same vTPM, whose counters
	 * may not have run backwards.  NULL: none. */
	const void *previous;
	size_t previous_len;
};

/* What a quote of a host by the AK of a group must be. */
struct vtpm_expect_host {
	size_t size; /* sizeof(struct vtpm_expect_host) */
	/* The nonce that the quote was asked for with, 8 to 64 bytes:
	 * required. */
	const void *nonce;
	size_t nonce_len;
	const uint32_t *group; /* it must be for this group; NULL: any */
	uint64_t min_sequence; /* of the group's configuration, or newer */
};

/* A quote that tpm2_quote or other software made, and what it must be. */
struct vtpm_quote {
	size_t size; /* sizeof(struct vtpm_quote) */
	/* The nonce that the TPM was given, 8 to 64 bytes: required. */
	const void *nonce;
	size_t nonce_len;
	/* The AK: TPM2B_PUBLIC or TPMT_PUBLIC.  The caller trusts it, unless
	 * an EK is given. */
	const void *ak;
	size_t ak_len;
	const void *quote; /* TPMS_ATTEST */
	size_t quote_len;
	const void *signature; /* TPMT_SIGNATURE */
	size_t signature_len;
	const void *pcrs; /* as tpm2_quote --pcr writes them */
	size_t pcrs_len;
	/* The EK that the AK must be a child of: certificate (DER),
	 * TPM2B_PUBLIC or TPMT_PUBLIC.  NULL: any. */
	const void *ek;
	size_t ek_len;
};

struct vtpm_check {
	const char *id; /* stable, for programs: "nonce", "ek-chain" */
	enum vtpm_outcome outcome;
	const char *text; /* printable ASCII, for people */
};

/* Where a boot differs from the policy.  Texts are printable ASCII. */
struct vtpm_difference {
	unsigned int pcr, event; /* its PCR, its place there from 1 */
	const char *expected;    /* NULL: no event was expected there */
	const char *came;        /* NULL: none came */
	const char *text;        /* one line, with the likely cause */
};

/* The version of the library: "0.1". */
const char *vtpm_verify_version(void);

/* NULL: out of memory. */
struct vtpm_verifier *vtpm_verifier_new(void);
void vtpm_verifier_free(struct vtpm_verifier *v); /* NULL is a no-op */
/* Why the last call with v failed; "" if it did not.  v NULL: "out of
 * memory". */
const char *vtpm_verifier_error(const struct vtpm_verifier *v);

/* The policy (JSON, vtpm-policy(5)): required.  Every vtpm_verifier_set_*()
 * replaces what was set before; after a failure the old one stays. */
int vtpm_verifier_set_policy(
    struct vtpm_verifier *v, const void *json, size_t len);
/* The certificate of the CA that issued the vTPMs' certificates, PEM or DER.
 * Without it, the CA of the host is taken. */
int vtpm_verifier_set_ca(struct vtpm_verifier *v, const void *ca, size_t len);
/* The record of a host (JSON, from vtpm-verify enrol): the evidence must then
 * have a deep quote of this host. */
int vtpm_verifier_set_host(
    struct vtpm_verifier *v, const void *json, size_t len);
/* The states that the host may be in (JSON, from vtpm-verify host-states). */
int vtpm_verifier_set_host_states(
    struct vtpm_verifier *v, const void *json, size_t len);
/* Add certificates (PEM, many, or one DER) of TPM manufacturers: the EK
 * certificate of the host is then checked again with every record. */
int vtpm_verifier_add_roots(
    struct vtpm_verifier *v, const void *certs, size_t len);
/* Judge as of this time (seconds since 1970); 0: the system's clock. */
int vtpm_verifier_set_time(struct vtpm_verifier *v, int64_t seconds);
/* Remember accepted boots in at most this many bytes (20 kB each); 0: none,
 * the default.  What is remembered changes no report. */
int vtpm_verifier_set_memory(struct vtpm_verifier *v, size_t bytes);

/*
 * Judge a bundle of evidence (JSON, from vtpm-attest).  A refusal is not a
 * failure: it is in *ret, with every check that was made.  *ret is set on
 * success only; vtpm_report_free() frees it.
 */
int vtpm_verifier_judge(struct vtpm_verifier *v, const void *evidence,
    size_t len, const struct vtpm_expect *expect, struct vtpm_report **ret);

/* Judge a quote of the host that vtpm_verifier_set_host() named (bytes, from
 * vtpmctl group quote); needs neither policy nor CA. */
int vtpm_verifier_judge_host(struct vtpm_verifier *v, const void *quote,
    size_t len, const struct vtpm_expect_host *expect,
    struct vtpm_report **ret);

/* Judge a quote without evidence around it, by the rules that evidence is held
 * to; needs neither policy nor CA.  No boot is judged. */
int vtpm_verifier_judge_quote(struct vtpm_verifier *v,
    const struct vtpm_quote *quote, struct vtpm_report **ret);

void vtpm_report_free(struct vtpm_report *r); /* NULL is a no-op */
enum vtpm_verdict vtpm_report_verdict(const struct vtpm_report *r);
/* The text of the check that decides a verdict other than accepted; "". */
const char *vtpm_report_reason(const struct vtpm_report *r);
/* The vTPM that the certificates name, as text; NULL: none was proven. */
const char *vtpm_report_uuid(const struct vtpm_report *r);
/* "hardware root", "software root" or "unknown root". */
const char *vtpm_report_root(const struct vtpm_report *r);
size_t vtpm_report_count(const struct vtpm_report *r);
/* Check i < vtpm_report_count().  VTPM_E_ARGUMENT. */
int vtpm_report_check(
    const struct vtpm_report *r, size_t i, struct vtpm_check *ret);
/* How many differences the report lists, in the order of the boot; 0 for an
 * accepted boot, and for one that cannot be replayed. */
size_t vtpm_report_differences(const struct vtpm_report *r);
/* How many more there are that the report does not list. */
size_t vtpm_report_more_differences(const struct vtpm_report *r);
/* Difference i < vtpm_report_differences(); *ret is borrowed until the next
 * call or the report's end.  VTPM_E_ARGUMENT. */
int vtpm_report_difference(
    struct vtpm_report *r, size_t i, struct vtpm_difference *ret);
/* The whole report as a JSON object.  NULL: out of memory. */
const char *vtpm_report_json(struct vtpm_report *r);

#ifdef __cplusplus
}
#endif
#endif
