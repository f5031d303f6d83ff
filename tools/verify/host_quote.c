/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_quote.c - vtpm-verify host-quote: a quote of the host's TPM by a
 * group's AK, up to the manufacturer's root.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "measure/host/tenant_config.h"
#include "tools/common/file.h"
#include "tools/verify/commands.h"
#include "tools/verify/input.h"
#include "tools/verify/verdict.h"

struct args {
	const char *quote, *host, *states, *roots;
	bool json, have_group;
	uint32_t group;
	uint64_t sequence;
	struct opt_bytes nonce;
};

static int
set_group(void *dst, const struct opt *o, const char *arg)
{
	struct args *a = dst;

	(void)o;
	a->have_group = true;
	return dec_u32(arg, &a->group);
}

static int
read_quote(const char *path, struct group_quote *ret)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = tool_read(path, GROUP_QUOTE_MAX, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = group_quote_get(buf, len, ret)) != VT_OK)
		log_err("%s: not a host quote: %s", path, vt_strerror(rc));
	free(buf);
	return rc;
}

/* What the command line demands beyond the quote itself. */
static void
check_wanted(
    const struct args *a, const struct group_quote *q, struct report *rep)
{
	struct report_check *c = &rep->checks[rep->n];

	if (rep->verdict == AP_REFUSED || rep->n >= REPORT_MAX_CHECKS)
		return;
	if (a->have_group && q->group != a->group)
		(void)snprintf(c->words, sizeof(c->words),
		    "the quote is for group %u", q->group);
	else if (q->sequence < a->sequence)
		(void)snprintf(c->words, sizeof(c->words),
		    "the group's configuration on that host is too old: "
		    "sequence %llu",
		    (unsigned long long)q->sequence);
	else
		return;
	c->id = "group";
	c->outcome = REPORT_FAIL;
	rep->n++;
	rep->verdict = AP_REFUSED;
}

static int
host_quote(void *ctx, void *args, int argc, char **argv)
{
	struct report *rep = calloc(1, sizeof(*rep));
	const struct args *a = args;
	struct input_host host = { 0 };
	struct group_quote q;
	int ex = VX_UNDECIDED;

	(void)ctx;
	(void)argc;
	(void)argv;
	if (rep == NULL)
		log_err("out of memory");
	else if (read_quote(a->quote, &q) == VT_OK &&
		 input_host(&host, a->host, a->states, a->roots) == VT_OK) {
		verify_deep_quote(host.deep, &q, a->nonce.b, a->nonce.len, rep);
		check_wanted(a, &q, rep);
		ex = verdict_print(rep, a->json);
	}
	report_free(rep);
	input_host_done(&host);
	return ex;
}

static const struct opt opts[] = {
	{ OPT_TEXT("quote", 0, "FILE", struct args, quote,
	      "the quote, from vtpmctl group quote"),
	    .needed = true },
	{ OPT_HEX("nonce", "HEX", struct args, nonce, GROUP_NONCE_MIN,
	      GROUP_NONCE_MAX, "the nonce that the host was given"),
	    .needed = true },
	{ OPT_TEXT("host", 0, "FILE", struct args, host,
	      "the host's record, from vtpm-verify enrol"),
	    .needed = true },
	{ OPT_TEXT("host-states", 0, "FILE", struct args, states,
	    "states that the host may be in; without it nothing is "
	    "accepted") },
	{ OPT_TEXT("roots", 0, "PATH", struct args, roots,
	    "certificates of TPM manufacturers, a file or a folder; check the "
	    "host's EK certificate again") },
	{ OPT_CALL("group", "N", set_group, "the number of a group",
	    "accept only a quote for this group (default: any group of the "
	    "host)") },
	{ OPT_U64("min-sequence", "N", struct args, sequence, 0, UINT64_MAX,
	    "accept only a group configuration with this sequence number or a "
	    "later one (default 0)") },
	{ OPT_FLAG("json", 0, struct args, json,
	    "print the verdict and every check as JSON") },
	OPT_END,
};

const struct opt_command verify_host_quote = {
	.name = "vtpm-verify host-quote",
	.about = "Judge a quote of a host's TPM, from vtpmctl group quote; no "
		 "guest is involved.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.run = host_quote,
	.more = "Exit status: 0 accepted, 1 refused, 2 cannot decide, or wrong "
		"usage.\n",
};
