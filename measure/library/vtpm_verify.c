/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpm_verify.c - the library libvtpm-verify: what others may call.
 *
 * A host is made ready upon the first judgement after it, its roots or its
 * states were set, since struct deep_host borrows all of them.
 */
#include "measure/library/vtpm_verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "base/version.h"
#include "measure/appraise/policy.h"
#include "measure/evidence/boot_memory.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/deep_host.h"
#include "measure/evidence/report.h"
#include "measure/evidence/stock_quote.h"
#include "measure/evidence/verify.h"
#include "measure/evidence/verify_deep.h"
#include "measure/host/tenant_config.h"

#define ERROR_MAX 400

struct vtpm_verifier {
	struct policy *policy;
	uint8_t *ca;
	size_t ca_len;
	struct host_identity *id;
	struct host_states *states;
	struct host_roots *roots;
	struct deep_host *host; /* of id, states, roots and now; or NULL */
	struct boot_memory *boots;
	size_t memory; /* bytes; 0: no boots are remembered */
	time_t now;
	char error[ERROR_MAX];
};

struct vtpm_report {
	struct report *r;
	char uuid[UUID_STRLEN + 1];
	char *json;              /* or NULL: not asked for yet */
	char line[EXPLAIN_LINE]; /* of a difference */
};

static int VT_PRINTF(3, 4)
    fail(struct vtpm_verifier *v, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(v->error, sizeof(v->error), fmt, ap);
	va_end(ap);
	return rc;
}

/* An error of a parser whose reason is in text. */
static int
input(struct vtpm_verifier *v, int rc, const char *text)
{
	if (rc == VT_E_NOMEM)
		return fail(v, VTPM_E_NOMEM, "out of memory");
	return fail(v, VTPM_E_INPUT, "%s", text);
}

const char *
vtpm_verify_version(void)
{
	return VT_VERSION;
}

/* --- what the caller trusts ----------------------------------------------- */

struct vtpm_verifier *
vtpm_verifier_new(void)
{
	return calloc(1, sizeof(struct vtpm_verifier));
}

static void
drop_host(struct vtpm_verifier *v)
{
	deep_host_free(v->host);
	v->host = NULL;
}

static void
drop_boots(struct vtpm_verifier *v)
{
	boot_memory_free(v->boots);
	v->boots = NULL;
}

void
vtpm_verifier_free(struct vtpm_verifier *v)
{
	if (v == NULL)
		return;
	drop_boots(v);
	drop_host(v);
	policy_free(v->policy);
	host_identity_free(v->id);
	host_roots_free(v->roots);
	free(v->states);
	free(v->ca);
	free(v);
}

const char *
vtpm_verifier_error(const struct vtpm_verifier *v)
{
	return v != NULL ? v->error : "out of memory";
}

/* Begin a call: true if its input is there; an empty one is the parser's to
 * refuse. */
static bool
begin(struct vtpm_verifier *v, const void *p, size_t len)
{
	if (v == NULL)
		return false;
	v->error[0] = '\0';
	if (p != NULL || len == 0)
		return true;
	(void)fail(v, VTPM_E_ARGUMENT, "no input was given");
	return false;
}

int
vtpm_verifier_set_policy(struct vtpm_verifier *v, const void *json, size_t len)
{
	char err[POLICY_ERR_MAX];
	struct policy *p = NULL;
	int rc;

	if (!begin(v, json, len))
		return VTPM_E_ARGUMENT;
	if ((rc = policy_parse(json, len, &p, err)) != VT_OK)
		return input(v, rc, err);
	drop_boots(v); /* it borrows the old policy */
	policy_free(v->policy);
	v->policy = p;
	return 0;
}

int
vtpm_verifier_set_ca(struct vtpm_verifier *v, const void *ca, size_t len)
{
	uint8_t *copy;

	if (!begin(v, ca, len))
		return VTPM_E_ARGUMENT;
	if (len == 0 || len > X509_CA_MAX)
		return fail(v, VTPM_E_INPUT, "the CA is empty or too long");
	if ((copy = malloc(len)) == NULL)
		return fail(v, VTPM_E_NOMEM, "out of memory");
	memcpy(copy, ca, len);
	free(v->ca);
	v->ca = copy;
	v->ca_len = len;
	return 0;
}

int
vtpm_verifier_set_host(struct vtpm_verifier *v, const void *json, size_t len)
{
	char err[HOST_IDENTITY_ERR_MAX];
	struct host_identity *id = NULL;
	int rc;

	if (!begin(v, json, len))
		return VTPM_E_ARGUMENT;
	rc = host_identity_parse(json, len, HOST_IDENTITY_RECORD, &id, err);
	if (rc != VT_OK)
		return input(v, rc, err);
	drop_host(v);
	host_identity_free(v->id);
	v->id = id;
	return 0;
}

int
vtpm_verifier_set_host_states(
    struct vtpm_verifier *v, const void *json, size_t len)
{
	char err[HOST_STATE_ERR_MAX];
	struct host_states *st = NULL;
	int rc;

	if (!begin(v, json, len))
		return VTPM_E_ARGUMENT;
	if ((rc = host_states_parse(json, len, &st, err)) != VT_OK)
		return input(v, rc, err);
	drop_host(v);
	free(v->states);
	v->states = st;
	return 0;
}

int
vtpm_verifier_add_roots(struct vtpm_verifier *v, const void *certs, size_t len)
{
	struct host_roots *roots;

	if (!begin(v, certs, len))
		return VTPM_E_ARGUMENT;
	roots = v->roots;
	if (roots == NULL && host_roots_new(&roots) != VT_OK)
		return fail(v, VTPM_E_NOMEM, "out of memory");
	if (host_roots_add(roots, certs, len) != VT_OK) {
		if (roots != v->roots)
			host_roots_free(roots);
		return fail(v, VTPM_E_INPUT,
		    "the roots hold something that is not a CA certificate");
	}
	drop_host(v);
	v->roots = roots;
	return 0;
}

int
vtpm_verifier_set_time(struct vtpm_verifier *v, int64_t seconds)
{
	if (!begin(v, NULL, 0))
		return VTPM_E_ARGUMENT;
	if (seconds < 0)
		return fail(v, VTPM_E_ARGUMENT, "a time before 1970");
	drop_host(v);
	v->now = (time_t)seconds;
	return 0;
}

int
vtpm_verifier_set_memory(struct vtpm_verifier *v, size_t bytes)
{
	if (!begin(v, NULL, 0))
		return VTPM_E_ARGUMENT;
	drop_boots(v);
	v->memory = bytes;
	return 0;
}

/* --- judging -------------------------------------------------------------- */

static int
ready_host(struct vtpm_verifier *v)
{
	if (v->id == NULL || v->host != NULL)
		return 0;
	if (deep_host_new(v->id, v->roots, v->states, v->now, &v->host) !=
	    VT_OK)
		return fail(v, VTPM_E_NOMEM, "out of memory");
	return 0;
}

static int
ready(struct vtpm_verifier *v, const struct vtpm_expect *x)
{
	if (v->policy == NULL)
		return fail(v, VTPM_E_ARGUMENT, "no policy was set");
	if (x == NULL || x->size != sizeof(*x))
		return fail(v, VTPM_E_ARGUMENT,
		    "vtpm_expect.size is not that of this library");
	if (x->nonce == NULL || x->nonce_len < BUNDLE_NONCE_MIN ||
	    x->nonce_len > BUNDLE_NONCE_MAX)
		return fail(
		    v, VTPM_E_ARGUMENT, "the nonce has not 8 to 64 bytes");
	if (v->id == NULL &&
	    (v->states != NULL || v->roots != NULL || x->channel_key != NULL))
		return fail(v, VTPM_E_ARGUMENT,
		    "host states, roots and a channel key need a host");
	if (v->memory != 0 && v->boots == NULL &&
	    boot_memory_new(v->policy, v->memory, &v->boots) != VT_OK)
		return fail(v, VTPM_E_NOMEM, "out of memory");
	return ready_host(v);
}

/* The clock of an earlier quote by the AK of ev. */
static int
get_previous(struct vtpm_verifier *v, const struct bundle *ev,
    const struct vtpm_expect *x, struct quote_attest *ret)
{
	const struct bundle_blob *a, *b = &ev->part[BUNDLE_AK_PUBLIC], *q;
	char err[BUNDLE_ERR_MAX];
	struct bundle *old = NULL;
	int rc;

	rc = bundle_parse(x->previous, x->previous_len, &old, err);
	if (rc == VT_E_NOMEM)
		return input(v, rc, err);
	if (rc != VT_OK)
		return fail(v, VTPM_E_INPUT, "previous %s", err);
	a = &old->part[BUNDLE_AK_PUBLIC];
	q = &old->part[BUNDLE_QUOTE];
	rc = 0;
	if (a->len != b->len || memcmp(a->p, b->p, a->len) != 0)
		rc = fail(
		    v, VTPM_E_INPUT, "previous evidence: made by another AK");
	else if (quote_attest_get(q->p, q->len, ret) != VT_OK)
		rc =
		    fail(v, VTPM_E_INPUT, "previous evidence: it has no quote");
	bundle_free(old);
	return rc;
}

/* Takes over r. */
static int
wrap(struct vtpm_verifier *v, struct report *r, struct vtpm_report **ret)
{
	struct vtpm_report *out = calloc(1, sizeof(*out));

	if (out == NULL) {
		report_free(r);
		return fail(v, VTPM_E_NOMEM, "out of memory");
	}
	out->r = r;
	if (r->have_instance)
		uuid_format(r->instance.uuid, out->uuid);
	*ret = out;
	return 0;
}

static int
judge(struct vtpm_verifier *v, const struct bundle *ev,
    const struct vtpm_expect *x, struct vtpm_report **ret)
{
	struct quote_attest last;
	struct verify_want w = {
		.nonce = x->nonce,
		.nonce_len = x->nonce_len,
		.policy = v->policy,
		.ca = v->ca,
		.ca_len = v->ca_len,
		.uuid = x->uuid,
		.now = v->now,
		.firmware = x->firmware,
		.host = v->host,
		.boots = v->boots,
		.channel_key = x->channel_key,
	};
	struct report *r = NULL;
	int rc;

	if (x->previous != NULL) {
		if ((rc = get_previous(v, ev, x, &last)) != 0)
			return rc;
		w.last = &last;
	}
	if ((rc = verify_bundle(ev, &w, &r)) != VT_OK)
		return fail(v,
		    rc == VT_E_NOMEM ? VTPM_E_NOMEM : VTPM_E_INTERNAL, "%s",
		    vt_strerror(rc));
	return wrap(v, r, ret);
}

int
vtpm_verifier_judge(struct vtpm_verifier *v, const void *evidence, size_t len,
    const struct vtpm_expect *expect, struct vtpm_report **ret)
{
	char err[BUNDLE_ERR_MAX];
	struct bundle *ev = NULL;
	int rc;

	if (!begin(v, evidence, len) || ret == NULL)
		return VTPM_E_ARGUMENT;
	if ((rc = ready(v, expect)) != 0)
		return rc;
	if ((rc = bundle_parse(evidence, len, &ev, err)) != VT_OK)
		return input(v, rc, err);
	rc = judge(v, ev, expect, ret);
	bundle_free(ev);
	return rc;
}

/* What the caller asked for beyond the quote itself. */
static void
check_expected(const struct vtpm_expect_host *x, const struct tenant_quote *q,
    struct report *r)
{
	if (r->verdict == AP_REFUSED)
		return;
	if (x->group != NULL && q->group != *x->group)
		report_say(r, "group", REPORT_FAIL, "the quote is for group %u",
		    q->group);
	else if (q->sequence < x->min_sequence)
		report_say(r, "group", REPORT_FAIL,
		    "the group's configuration on that host is too old: "
		    "sequence %llu",
		    (unsigned long long)q->sequence);
	r->verdict = report_verdict(r);
}

int
vtpm_verifier_judge_host(struct vtpm_verifier *v, const void *quote, size_t len,
    const struct vtpm_expect_host *x, struct vtpm_report **ret)
{
	struct tenant_quote q;
	struct report *r;
	int rc;

	if (!begin(v, quote, len) || ret == NULL)
		return VTPM_E_ARGUMENT;
	if (v->id == NULL)
		return fail(v, VTPM_E_ARGUMENT, "no host was set");
	if (x == NULL || x->size != sizeof(*x))
		return fail(v, VTPM_E_ARGUMENT,
		    "vtpm_expect_host.size is not that of this library");
	if (x->nonce == NULL || x->nonce_len < TENANT_NONCE_MIN ||
	    x->nonce_len > TENANT_NONCE_MAX)
		return fail(
		    v, VTPM_E_ARGUMENT, "the nonce has not 8 to 64 bytes");
	if ((rc = tenant_quote_get(quote, len, &q)) != VT_OK)
		return fail(v, VTPM_E_INPUT, "not a host quote: it %s",
		    vt_input_error(rc, len));
	if ((rc = ready_host(v)) != 0)
		return rc;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return fail(v, VTPM_E_NOMEM, "out of memory");
	verify_deep_quote(v->host, &q, x->nonce, x->nonce_len, r);
	check_expected(x, &q, r);
	return wrap(v, r, ret);
}

int
vtpm_verifier_judge_quote(struct vtpm_verifier *v, const struct vtpm_quote *q,
    struct vtpm_report **ret)
{
	struct stock_quote in;
	struct report *r;

	if (!begin(v, NULL, 0) || ret == NULL)
		return VTPM_E_ARGUMENT;
	if (q == NULL || q->size != sizeof(*q))
		return fail(v, VTPM_E_ARGUMENT,
		    "vtpm_quote.size is not that of this library");
	if (q->nonce == NULL || q->nonce_len < BUNDLE_NONCE_MIN ||
	    q->nonce_len > BUNDLE_NONCE_MAX)
		return fail(
		    v, VTPM_E_ARGUMENT, "the nonce has not 8 to 64 bytes");
	if (q->ak == NULL || q->quote == NULL || q->signature == NULL ||
	    q->pcrs == NULL)
		return fail(v, VTPM_E_ARGUMENT,
		    "AK, quote, signature and PCR values are needed");
	in.ak = (struct stock_part){ q->ak, q->ak_len };
	in.quote = (struct stock_part){ q->quote, q->quote_len };
	in.sig = (struct stock_part){ q->signature, q->signature_len };
	in.pcrs = (struct stock_part){ q->pcrs, q->pcrs_len };
	in.nonce = (struct stock_part){ q->nonce, q->nonce_len };
	in.ek = (struct stock_part){ q->ek, q->ek_len };
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return fail(v, VTPM_E_NOMEM, "out of memory");
	stock_quote_verify(&in, r);
	return wrap(v, r, ret);
}

/* --- the report ----------------------------------------------------------- */

_Static_assert((int)VTPM_ACCEPTED == (int)AP_ACCEPTED &&
		   (int)VTPM_REFUSED == (int)AP_REFUSED &&
		   (int)VTPM_UNDECIDED == (int)AP_UNDECIDED,
    "verdicts");
_Static_assert((int)VTPM_PASS == (int)REPORT_PASS &&
		   (int)VTPM_NOTE == (int)REPORT_NOTE &&
		   (int)VTPM_CANNOT == (int)REPORT_CANNOT &&
		   (int)VTPM_FAIL == (int)REPORT_FAIL,
    "outcomes");

void
vtpm_report_free(struct vtpm_report *r)
{
	if (r == NULL)
		return;
	report_free(r->r);
	free(r->json);
	free(r);
}

enum vtpm_verdict
vtpm_report_verdict(const struct vtpm_report *r)
{
	return (enum vtpm_verdict)r->r->verdict;
}

const char *
vtpm_report_reason(const struct vtpm_report *r)
{
	const struct report_check *c, *worst = NULL;
	uint32_t i;

	for (i = 0; i < r->r->n; i++) {
		c = &r->r->checks[i];
		if (c->outcome >= REPORT_CANNOT &&
		    (worst == NULL || c->outcome > worst->outcome))
			worst = c;
	}
	return worst != NULL ? worst->words : "";
}

const char *
vtpm_report_uuid(const struct vtpm_report *r)
{
	return r->uuid[0] != '\0' ? r->uuid : NULL;
}

const char *
vtpm_report_root(const struct vtpm_report *r)
{
	return cert_ext_root_name(r->r->root);
}

size_t
vtpm_report_count(const struct vtpm_report *r)
{
	return r->r->n;
}

int
vtpm_report_check(const struct vtpm_report *r, size_t i, struct vtpm_check *ret)
{
	if (i >= r->r->n)
		return VTPM_E_ARGUMENT;
	ret->id = r->r->checks[i].id;
	ret->outcome = (enum vtpm_outcome)r->r->checks[i].outcome;
	ret->text = r->r->checks[i].words;
	return 0;
}

size_t
vtpm_report_differences(const struct vtpm_report *r)
{
	return r->r->appraisal != NULL ? r->r->appraisal->ndiffs : 0;
}

size_t
vtpm_report_more_differences(const struct vtpm_report *r)
{
	return r->r->appraisal != NULL ? r->r->appraisal->more_diffs : 0;
}

int
vtpm_report_difference(
    struct vtpm_report *r, size_t i, struct vtpm_difference *ret)
{
	struct explain e;

	if (i >= vtpm_report_differences(r))
		return VTPM_E_ARGUMENT;
	e = ap_diff_explain(&r->r->appraisal->diffs[i]);
	explain_headline(&e, 1, r->line, sizeof(r->line));
	ret->pcr = e.pcr;
	ret->event = e.pos;
	ret->expected = e.was;
	ret->came = e.now;
	ret->text = r->line;
	return 0;
}

const char *
vtpm_report_json(struct vtpm_report *r)
{
	if (r->json == NULL)
		r->json = report_json(r->r);
	return r->json;
}
