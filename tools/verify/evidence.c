/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evidence.c - vtpm-verify -e: every check in words, and a verdict.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "measure/evidence/verify.h"
#include "tools/verify/cmd.h"

struct job {
	const char *evidence, *policy_path, *ca_path, *previous;
	const char *host_path, *states_path, *roots_path;
	bool json;
	bool have_uuid, have_firmware, have_channel;
	uint8_t channel[SHA256_LEN];
	uint64_t firmware;
	uint8_t uuid[UUID_LEN], nonce[BUNDLE_NONCE_MAX];
	size_t nonce_len;
	struct bundle *ev;
	struct policy *policy;
	uint8_t *ca;
	size_t ca_len;
	struct quote_attest last;
	struct host_identity *hostid;
	struct host_roots *roots;
	struct host_states *states;
	struct deep_host *host;
	struct report *rep;
};

enum {
	O_NONCE = 256,
	O_POLICY,
	O_CA,
	O_UUID,
	O_PREVIOUS,
	O_FIRMWARE,
	O_JSON,
	O_HOST,
	O_STATES,
	O_ROOTS,
	O_CHANNEL
};

static const struct option options[] = {
	{ "evidence", required_argument, NULL, 'e' },
	{ "nonce", required_argument, NULL, O_NONCE },
	{ "policy", required_argument, NULL, O_POLICY },
	{ "ca", required_argument, NULL, O_CA },
	{ "uuid", required_argument, NULL, O_UUID },
	{ "previous", required_argument, NULL, O_PREVIOUS },
	{ "firmware", required_argument, NULL, O_FIRMWARE },
	{ "host", required_argument, NULL, O_HOST },
	{ "host-states", required_argument, NULL, O_STATES },
	{ "roots", required_argument, NULL, O_ROOTS },
	{ "channel-key", required_argument, NULL, O_CHANNEL },
	{ "json", no_argument, NULL, O_JSON },
	{ NULL, 0, NULL, 0 },
};

/* 16 hex digits, as `show` prints them. */
static bool
set_firmware(struct job *j, const char *arg)
{
	uint8_t raw[8];
	size_t len = 0;

	j->have_firmware =
	    hex_decode(arg, raw, sizeof(raw), &len) == VT_OK && len == 8;
	if (j->have_firmware)
		j->firmware = be64_get(raw);
	else
		log_err("--firmware: 16 hex digits, as vtpm-verify show "
			"tells them");
	return j->have_firmware;
}

static bool
set_channel(struct job *j, const char *arg)
{
	size_t len = 0;

	j->have_channel =
	    hex_decode(arg, j->channel, sizeof(j->channel), &len) == VT_OK &&
	    len == sizeof(j->channel);
	if (!j->have_channel)
		log_err("--channel-key: SHA-256 of the key, in hex");
	return j->have_channel;
}

/* What a deep quote is held against. */
static bool
set_deep_option(struct job *j, int c, const char *arg)
{
	switch (c) {
	case O_HOST:
		j->host_path = arg;
		return true;
	case O_STATES:
		j->states_path = arg;
		return true;
	case O_ROOTS:
		j->roots_path = arg;
		return true;
	case O_CHANNEL:
		return set_channel(j, arg);
	default:
		return false;
	}
}

static bool
set_option(struct job *j, int c, const char *arg)
{
	switch (c) {
	case 'e':
		j->evidence = arg;
		return true;
	case O_NONCE:
		if (hex_decode(arg, j->nonce, sizeof(j->nonce),
			&j->nonce_len) == VT_OK &&
		    j->nonce_len >= BUNDLE_NONCE_MIN)
			return true;
		log_err("--nonce: 8 to 64 bytes in hex");
		return false;
	case O_POLICY:
		j->policy_path = arg;
		return true;
	case O_CA:
		j->ca_path = arg;
		return true;
	case O_UUID:
		j->have_uuid = uuid_parse(arg, j->uuid) == VT_OK;
		if (!j->have_uuid)
			log_err("--uuid: not a UUID");
		return j->have_uuid;
	case O_PREVIOUS:
		j->previous = arg;
		return true;
	case O_FIRMWARE:
		return set_firmware(j, arg);
	case O_JSON:
		j->json = true;
		return true;
	default:
		return set_deep_option(j, c, arg);
	}
}

/* The clock of an earlier quote by the same AK. */
static int
read_previous(struct job *j)
{
	const struct bundle_blob *a, *b = &j->ev->part[BUNDLE_AK_PUBLIC], *q;
	struct bundle *old = NULL;
	int rc;

	if ((rc = verify_read_evidence(j->previous, &old)) != VT_OK)
		return rc;
	a = &old->part[BUNDLE_AK_PUBLIC];
	q = &old->part[BUNDLE_QUOTE];
	if (a->len != b->len || memcmp(a->p, b->p, a->len) != 0) {
		log_err("%s: made by another AK", j->previous);
		rc = VT_E_FORMAT;
	} else if ((rc = quote_attest_get(q->p, q->len, &j->last)) != VT_OK) {
		log_err("%s: no quote in it", j->previous);
	}
	bundle_free(old);
	return rc;
}

static int
read_policy(struct job *j)
{
	char err[POLICY_ERR_MAX];
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = verify_read(j->policy_path, POLICY_MAX_LEN, &buf, &len)) !=
	    VT_OK)
		return rc;
	if ((rc = policy_parse(buf, len, &j->policy, err)) != VT_OK)
		log_err("%s: %s", j->policy_path, err);
	free(buf);
	return rc;
}

static int
read_host(struct job *j)
{
	int rc;

	if (j->host_path == NULL) {
		if (j->states_path == NULL && j->roots_path == NULL &&
		    !j->have_channel)
			return VT_OK;
		log_err("--host-states, --roots and --channel-key go with "
			"--host");
		return VT_E_FORMAT;
	}
	if ((rc = verify_read_hostid(
		 j->host_path, HOST_IDENTITY_RECORD, &j->hostid)) != VT_OK ||
	    (j->roots_path != NULL &&
		(rc = verify_read_roots(j->roots_path, &j->roots)) != VT_OK) ||
	    (j->states_path != NULL &&
		(rc = verify_read_states(j->states_path, &j->states)) != VT_OK))
		return rc;
	return deep_host_new(j->hostid, j->roots, j->states, 0, &j->host);
}

static int
read_inputs(struct job *j)
{
	int rc;

	if ((rc = verify_read_evidence(j->evidence, &j->ev)) != VT_OK ||
	    (rc = read_policy(j)) != VT_OK)
		return rc;
	if (j->ca_path != NULL && (rc = verify_read(j->ca_path, X509_CA_MAX,
				       &j->ca, &j->ca_len)) != VT_OK)
		return rc;
	if ((rc = read_host(j)) != VT_OK)
		return rc;
	return j->previous != NULL ? read_previous(j) : VT_OK;
}

static void
print_report(const struct report *r)
{
	static const char *const marks[] = { [REPORT_PASS] = "ok  ",
		[REPORT_NOTE] = "note",
		[REPORT_CANNOT] = "??  ",
		[REPORT_FAIL] = "FAIL" };
	const struct report_check *first = NULL;
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		const struct report_check *c = &r->checks[i];

		(void)printf(
		    "%s  %-16s %s\n", marks[c->outcome], c->id, c->words);
		if (c->outcome >= REPORT_CANNOT &&
		    (first == NULL || c->outcome > first->outcome))
			first = c;
	}
	switch (r->verdict) {
	case AP_ACCEPTED:
		(void)printf("ACCEPTED on a %s\n", cert_ext_root_name(r->root));
		break;
	case AP_REFUSED:
		(void)printf(
		    "REFUSED: %s\n", first != NULL ? first->words : "");
		break;
	default:
		(void)printf("COULD NOT DECIDE: %s\n",
		    first != NULL ? first->words : "");
	}
}

int
verify_report(const struct report *r, bool json)
{
	char *text;

	if (json) {
		if ((text = report_json(r)) == NULL ||
		    verify_write(NULL, text) != VT_OK) {
			free(text);
			return VX_UNDECIDED;
		}
		free(text);
	} else {
		print_report(r);
	}
	switch (r->verdict) {
	case AP_ACCEPTED:
		return VX_ACCEPTED;
	case AP_REFUSED:
		return VX_REFUSED;
	default:
		return VX_UNDECIDED;
	}
}

static int
judge(struct job *j)
{
	struct verify_want w = { .nonce = j->nonce, .nonce_len = j->nonce_len };
	int rc;

	w.policy = j->policy;
	w.ca = j->ca;
	w.ca_len = j->ca_len;
	w.uuid = j->have_uuid ? j->uuid : NULL;
	w.last = j->previous != NULL ? &j->last : NULL;
	w.firmware = j->have_firmware ? &j->firmware : NULL;
	w.host = j->host;
	w.channel_key = j->have_channel ? j->channel : NULL;
	if ((rc = verify_bundle(j->ev, &w, &j->rep)) != VT_OK) {
		log_err("cannot judge: %s", vt_strerror(rc));
		return VX_UNDECIDED;
	}
	return verify_report(j->rep, j->json);
}

int
verify_cmd_evidence(int argc, char **argv)
{
	struct job j = { 0 };
	int c, ex = VX_UNDECIDED;

	while ((c = getopt_long(argc, argv, "e:", options, NULL)) != -1)
		if (!set_option(&j, c, optarg))
			return VX_UNDECIDED;
	if (optind != argc || j.evidence == NULL || j.nonce_len == 0 ||
	    j.policy_path == NULL) {
		log_err("-e, --nonce and --policy are needed; vtpm-verify "
			"--help says more");
		return VX_UNDECIDED;
	}
	if (read_inputs(&j) == VT_OK)
		ex = judge(&j);
	report_free(j.rep);
	deep_host_free(j.host);
	free(j.states);
	host_roots_free(j.roots);
	host_identity_free(j.hostid);
	policy_free(j.policy);
	bundle_free(j.ev);
	free(j.ca);
	return ex;
}
