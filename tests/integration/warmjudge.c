/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * warmjudge.c - vtpm-verify with a good memory, for agree.py:
 *   warmjudge GOOD EVIDENCE NONCE HOST STATES ROOTS POLICY
 *
 * Judges GOOD twice, and then EVIDENCE with all that is remembered of it.
 * Prints EVIDENCE's checks; exits as vtpm-verify does, with 3 if GOOD is not
 * accepted or its boot is not found again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "measure/evidence/boot_memory.h"
#include "measure/evidence/deep_host.h"
#include "measure/evidence/verify.h"
#include "tools/common/file.h"
#include "tools/verify/input.h"
#include "tools/verify/verdict.h"

#define NOT_GOOD 3

/* As vtpm-verify prints them. */
static void
print_checks(const struct report *r)
{
	static const char *const marks[] = { "ok  ", "note", "??  ", "FAIL" };
	uint32_t i;

	for (i = 0; i < r->n; i++)
		(void)printf("%s  %-16s %s\n", marks[r->checks[i].outcome],
		    r->checks[i].id, r->checks[i].words);
}

static int
judge(const struct bundle *ev, const struct verify_want *w, bool tell)
{
	struct report *r = NULL;
	int ex;

	if (verify_bundle(ev, w, &r) != VT_OK)
		return VX_UNDECIDED;
	if (tell)
		print_checks(r);
	ex = (int)r->verdict;
	report_free(r);
	return ex;
}

static int
all(char **argv, struct verify_want *w)
{
	struct bundle *good = NULL, *ev = NULL;
	int ex = NOT_GOOD;

	if (input_evidence(argv[1], &good) == VT_OK &&
	    judge(good, w, false) == VX_ACCEPTED &&
	    judge(good, w, false) == VX_ACCEPTED &&
	    boot_memory_count(w->boots) == 1 && boot_memory_hits(w->boots) == 1)
		ex = input_evidence(argv[2], &ev) == VT_OK ? judge(ev, w, true)
							   : VX_UNDECIDED;
	bundle_free(good);
	bundle_free(ev);
	return ex;
}

int
main(int argc, char **argv)
{
	struct host_identity *id = NULL;
	struct host_roots *roots = NULL;
	struct host_states *states = NULL;
	struct deep_host *host = NULL;
	struct policy *policy = NULL;
	struct boot_memory *boots = NULL;
	uint8_t nonce[BUNDLE_NONCE_MAX], *text = NULL, *list = NULL;
	char err[POLICY_ERR_MAX];
	size_t nonce_len = 0, len = 0, list_len = 0;
	int ex = NOT_GOOD;

	if (argc != 8 ||
	    hex_decode(argv[3], nonce, sizeof(nonce), &nonce_len) != VT_OK)
		return NOT_GOOD;
	if (input_host_identity(argv[4], HOST_IDENTITY_RECORD, &id) == VT_OK &&
	    input_roots(argv[6], &roots) == VT_OK &&
	    tool_read(argv[5], HOST_STATE_MAX_LEN, &list, &list_len) == VT_OK &&
	    host_states_parse(list, list_len, &states, err) == VT_OK &&
	    deep_host_new(id, roots, states, 0, &host) == VT_OK &&
	    tool_read(argv[7], POLICY_MAX_LEN, &text, &len) == VT_OK &&
	    policy_parse(text, len, &policy, err) == VT_OK &&
	    boot_memory_new(policy, 1 << 20, &boots) == VT_OK) {
		struct verify_want w = { .nonce = nonce,
			.nonce_len = nonce_len,
			.policy = policy,
			.host = host,
			.boots = boots };

		ex = all(argv, &w);
	}
	boot_memory_free(boots);
	deep_host_free(host);
	free(states);
	host_roots_free(roots);
	host_identity_free(id);
	free(list);
	policy_free(policy);
	free(text);
	return ex;
}
