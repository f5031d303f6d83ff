/* SPDX-License-Identifier: BSD-3-Clause */
/* show.c - vtpm-verify show: evidence or an event log as text. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/util.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/deep_leaf.h"
#include "measure/log/eventlog.h"
#include "measure/log/journal.h"
#include "measure/log/journal_codec.h"
#include "measure/log/launch_record.h"
#include "measure/log/trail.h"
#include "measure/log/trail_describe.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/quote.h"
#include "tools/common/file.h"
#include "tools/common/log_file.h"
#include "tools/verify/commands.h"
#include "tools/verify/input.h"
#include "tools/verify/replay.h"
#include "tools/verify/show_json.h"
#include "tools/verify/verdict.h"

#define WORDS_MAX 512

struct args {
	bool json;
};

/* Text from a log, safe on a terminal. */
static void
print_text(const char *s)
{
	for (; *s != '\0'; s++)
		(void)putchar(*s >= 0x20 && *s < 0x7f ? *s : '?');
}

static void
print_trail(const struct trail *t)
{
	char hex[2 * DIGEST_MAX + 1], words[WORDS_MAX];
	uint32_t i;

	for (i = 0; i < t->n; i++) {
		const struct trail_event *ev = &t->ev[i];

		hex_encode(ev->val, t->len, hex);
		trail_describe(t, ev, words, sizeof(words));
		(void)printf("PCR %-2u %3u  %.16s..  ", ev->pcr, ev->pos, hex);
		print_text(words);
		if (t->has_journal && ev->record < 0)
			(void)printf("  [not in the journal]");
		else if (t->has_log && ev->log < 0)
			(void)printf("  [%s, not in a log]",
			    journal_kind_name(ev->kind));
		(void)putchar('\n');
	}
	if (t->chained != 0)
		(void)printf("(PCRs of mask %#x: not every digest is "
			     "recorded)\n",
		    t->chained);
}

static int
show_events(const struct trail_in *in)
{
	char err[TRAIL_ERR_MAX];
	struct trail *t = NULL;
	int rc;

	if ((rc = trail_make(in, &t, err)) != VT_OK) {
		log_err("cannot replay: %s", err);
		return rc;
	}
	(void)printf("%s events, in order:\n", digest_name(in->alg));
	print_trail(t);
	trail_free(t);
	return VT_OK;
}

static int
show_log(const char *path)
{
	struct replay *r = NULL;
	int rc;

	if ((rc = tool_read_log(path, &r)) != VT_OK)
		return rc;
	(void)printf("%s log, in order:\n", r->form);
	replay_print_events(r);
	replay_free(r);
	return VT_OK;
}

static void
show_pcrs(const struct pcr_set *set)
{
	char hex[2 * DIGEST_MAX + 1];
	uint32_t b, i;

	for (b = 0; b < set->nbanks; b++)
		for (i = 0; i < PCR_COUNT; i++) {
			if ((set->banks[b].valid >> i & 1) == 0)
				continue;
			hex_encode(
			    set->banks[b].val[i], set->banks[b].len, hex);
			(void)printf("%s PCR %-2u %s\n",
			    digest_name(set->banks[b].alg), i, hex);
		}
}

static void
show_info(const struct bundle_blob *b)
{
	char uuid[UUID_STRLEN + 1];
	struct bundle_info v;

	if (b->p == NULL || bundle_info_get(b->p, b->len, &v) != VT_OK)
		return;
	uuid_format(v.uuid, uuid);
	(void)printf("vTPM %s, group %u, generation %llu, %u power cycles%s%s"
		     "%s%s%s, ",
	    uuid, v.group, (unsigned long long)v.generation, v.power_cycles,
	    (v.flags & BUNDLE_F_CAPPED) != 0 ? ", worker restarted" : "",
	    (v.flags & BUNDLE_F_RESTORED) != 0 ? ", restored" : "",
	    (v.flags & BUNDLE_F_LAUNCHED) != 0 ? ", launch measured" : "",
	    (v.flags & BUNDLE_F_SOFT_ROOT) != 0 ? ", software root" : "",
	    (v.flags & BUNDLE_F_UNSEEN) != 0 ? ", last reset unseen" : "");
	print_text(v.build);
	(void)putchar('\n');
}

static void
show_deep(const struct bundle_blob *b)
{
	char uuid[UUID_STRLEN + 1], sel[128] = "?";
	struct deep_answer a;
	struct quote_attest q;

	if (b->p == NULL)
		return;
	if (deep_answer_get(b->p, b->len, &a) != VT_OK) {
		(void)printf("deep quote: not well-formed\n");
		return;
	}
	if (quote_attest_get(a.attest, a.attest_len, &q) == VT_OK)
		pcr_sel_format(&q.sel, sel, sizeof(sel));
	uuid_format(a.leaf.uuid, uuid);
	(void)printf("deep quote: leaf %llu of %llu, vTPM %s, group %u, "
		     "generation %llu, host PCRs %s%s%s%s%s\n",
	    (unsigned long long)a.index + 1, (unsigned long long)a.count, uuid,
	    a.leaf.group, (unsigned long long)a.leaf.generation, sel,
	    (a.leaf.flags & DEEP_F_RESTORED) != 0 ? ", restored" : "",
	    (a.leaf.flags & DEEP_F_CAPPED) != 0 ? ", capped" : "",
	    (a.leaf.flags & DEEP_F_RECOVERED) != 0 ? ", recovered" : "",
	    (a.leaf.flags & DEEP_F_SOFT_ROOT) != 0 ? ", software root" : "");
}

static void
show_launch(const struct bundle_blob *b)
{
	struct launch_record *rec = NULL;
	char hex[2 * DIGEST_MAX + 1];
	uint32_t i;

	if (b->p == NULL || launch_decode(b->p, b->len, &rec) != VT_OK)
		return;
	(void)printf("launch of '");
	print_text(rec->name);
	(void)printf("' (%s boot), measured by the host:\n",
	    rec->mode == LAUNCH_M_DIRECT ? "direct" : "firmware");
	for (i = 0; i < rec->nitems; i++) {
		const struct launch_item *it = &rec->items[i];

		hex[0] = '\0';
		if (it->ndigests > 0)
			hex_encode(it->digests[0].val, it->digests[0].len, hex);
		(void)printf("  %-12s %.16s%s ", launch_role_name(it->role),
		    hex, it->ndigests > 0 ? ".." : "(no digest)");
		print_text(it->text);
		(void)putchar('\n');
	}
	launch_free(rec);
}

static int
show_evidence(const char *path)
{
	const struct bundle_blob *b;
	struct trail_in in = { 0 };
	struct journal *journal = NULL;
	struct quote_attest q;
	struct bundle *ev = NULL;
	int rc;

	if ((rc = input_evidence(path, &ev)) != VT_OK)
		return rc;
	b = ev->part;
	(void)printf("(not verified: shown as it is)\n");
	show_info(&b[BUNDLE_INFO]);
	if (quote_attest_get(b[BUNDLE_QUOTE].p, b[BUNDLE_QUOTE].len, &q) ==
	    VT_OK)
		(void)printf("quote: clock %llu ms, resets %u, restarts %u, "
			     "firmware %016llx\n",
		    (unsigned long long)q.clock, q.reset_count, q.restart_count,
		    (unsigned long long)q.firmware);
	show_pcrs(&ev->pcrs);
	show_launch(&b[BUNDLE_LAUNCH]);
	show_deep(&b[BUNDLE_DEEP]);
	if (b[BUNDLE_JOURNAL].p != NULL &&
	    journal_decode(
		b[BUNDLE_JOURNAL].p, b[BUNDLE_JOURNAL].len, &journal) == VT_OK)
		(void)printf("journal: power cycle %u, %u records%s%s%s\n",
		    journal_power_cycles(journal), journal_count(journal),
		    (journal_flags(journal) & JF_CAPPED) != 0 ? ", capped" : "",
		    (journal_flags(journal) & JF_RESTORED) != 0 ? ", restored"
								: "",
		    (journal_flags(journal) & JF_LATE) != 0 ? ", late" : "");
	in.alg = ev->pcrs.banks[0].alg;
	in.logs[0].p = b[BUNDLE_HOST_LOG].p;
	in.logs[0].len = b[BUNDLE_HOST_LOG].len;
	in.logs[1].p = b[BUNDLE_LOG].p;
	in.logs[1].len = b[BUNDLE_LOG].len;
	in.journal = journal;
	if (in.logs[0].p != NULL || in.logs[1].p != NULL || journal != NULL)
		rc = show_events(&in);
	journal_free(journal);
	bundle_free(ev);
	return rc;
}

/* Evidence is a JSON object of that format; a log may be JSON, too. */
static bool
is_evidence(const uint8_t *buf, size_t len)
{
	json_t *root = json_loadb((const char *)buf, len, 0, NULL);
	bool is = cel_is_json(buf, len) &&
		  (root == NULL || json_object_get(root, "format") != NULL);

	json_decref(root);
	return is;
}

static int
show(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	struct replay *r = NULL;
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	(void)ctx;
	(void)argc;
	rc = tool_read(argv[0], REPLAY_MAX_LOG, &buf, &len);
	if (rc == VT_OK && is_evidence(buf, len))
		rc = a->json ? show_json(argv[0]) : show_evidence(argv[0]);
	else if (rc == VT_OK && a->json) {
		if ((rc = tool_read_log(argv[0], &r)) == VT_OK)
			rc = replay_print_json("vtpm-replay", r);
	} else if (rc == VT_OK)
		rc = show_log(argv[0]);
	if (rc != VT_OK && a->json &&
	    replay_print_json("vtpm-show", NULL) != VT_OK)
		log_err("cannot print the error");
	replay_free(r);
	free(buf);
	return rc == VT_OK ? VX_ACCEPTED : VX_UNDECIDED;
}

static const struct opt opts[] = {
	{ OPT_FLAG("json", 0, struct args, json, "print it as JSON") },
	OPT_END,
};

const struct opt_command verify_show = {
	.name = "vtpm-verify show",
	.about = "Describe evidence or an event log as text; nothing is "
		 "verified.\n",
	.operands = "EVIDENCE|LOG",
	.opts = opts,
	.size = sizeof(struct args),
	.nmin = 1,
	.nmax = 1,
	.run = show,
};
