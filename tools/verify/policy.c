/* SPDX-License-Identifier: BSD-3-Clause */
/* policy.c - vtpm-verify policy: a policy from a reference boot. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "measure/appraise/policy_draft.h"
#include "measure/appraise/policy_gen.h"
#include "measure/cert/x509.h"
#include "measure/log/eventlog.h"
#include "measure/log/journal_codec.h"
#include "measure/tpm/quote_verify.h"
#include "tools/common/file.h"
#include "tools/common/pcr_list.h"
#include "tools/verify/commands.h"
#include "tools/verify/input.h"
#include "tools/verify/verdict.h"

#define MAX_NEEDS 16
#define MAX_FROM 32
#define NEED_FILE_MAX (512u * 1024 * 1024) /* a kernel or an initrd */

/* What must have been measured. */
static const struct kind {
	const char *option, *what;
	uint32_t pcr;
	bool file;
} kinds[] = {
	{ "kernel", "kernel", 9, true },
	{ "initrd", "initrd", 9, true },
	{ "grub-cfg", "grub.cfg", 9, true },
	{ "cmdline", "cmdline", 8, false },
};

struct args {
	const char *from[MAX_FROM];
	size_t nfrom;
	const char *log, *journal, *out;
	const char *restored; /* why that is fine */
	const char *name, *no_initrd;
	bool soft;
	uint16_t alg;
	uint32_t values_mask;
	struct {
		const struct kind *kind;
		const char *arg;
	} needs[MAX_NEEDS];
	size_t nneeds;
};

struct job {
	struct policy_gen gen;
	struct policy_need needs[MAX_NEEDS];
	uint8_t *files[MAX_NEEDS]; /* owned data of needs; NULL: borrowed */
	struct bundle *ev;
	uint8_t *log_buf, *journal_buf;
	struct journal *journal;
};

/* --- options -------------------------------------------------------------- */

static int
add_need(void *dst, const struct opt *o, const char *arg)
{
	struct args *a = dst;
	size_t i;

	for (i = 0; i < VT_NELEM(kinds); i++)
		if (strcmp(kinds[i].option, o->name) == 0)
			break;
	if (i == VT_NELEM(kinds) || a->nneeds == MAX_NEEDS)
		return VT_E_RANGE;
	a->needs[a->nneeds].kind = &kinds[i];
	a->needs[a->nneeds++].arg = arg;
	return VT_OK;
}

static int
add_from(void *dst, const struct opt *o, const char *arg)
{
	struct args *a = dst;

	(void)o;
	if (a->nfrom == MAX_FROM)
		return VT_E_RANGE;
	a->from[a->nfrom++] = arg;
	return VT_OK;
}

static int
set_values(void *dst, const struct opt *o, const char *arg)
{
	(void)o;
	return tool_pcr_list(arg, &((struct args *)dst)->values_mask);
}

static int
set_bank(void *dst, const struct opt *o, const char *arg)
{
	uint16_t alg = digest_alg(arg);

	(void)o;
	if (alg == 0 || alg == ALG_SHA1)
		return VT_E_FORMAT;
	((struct args *)dst)->alg = alg;
	return VT_OK;
}

static int
read_needs(const struct args *a, struct job *j)
{
	struct policy_need *n;
	size_t i;

	for (i = 0; i < a->nneeds; i++) {
		n = &j->needs[i];
		n->pcr = a->needs[i].kind->pcr;
		n->what = a->needs[i].kind->what;
		n->initrd = strcmp(n->what, "initrd") == 0;
		n->data = a->needs[i].arg;
		n->len = strlen(a->needs[i].arg);
		if (!a->needs[i].kind->file)
			continue;
		if (tool_read(a->needs[i].arg, NEED_FILE_MAX, &j->files[i],
			&n->len) != VT_OK)
			return VT_E_NOTFOUND;
		n->data = j->files[i];
	}
	j->gen.needs = j->needs;
	j->gen.nneeds = a->nneeds;
	return VT_OK;
}

/* --- the reference boot --------------------------------------------------- */

/*
 * The values of a reference must at least be those that its own quote
 * signs.  Whether its AK is to be trusted is for the user to know: it is
 * their machine, and often has no certificates yet.
 */
static int
check_reference(const struct bundle *ev)
{
	const struct bundle_blob *b = ev->part;
	uint8_t extra[SHA256_LEN], d[DIGEST_MAX];
	struct quote_want w = { .extra = extra, .extra_len = sizeof(extra) };
	struct quote_report rep;
	struct pcr_sel sel;
	struct tpm_pub pub;

	bundle_selection(ev, &sel);
	w.sel = &sel;
	w.pcrs = &ev->pcrs;
	if (bundle_qualify(ev, extra) != VT_OK ||
	    tpm_pub_unwrap(b[BUNDLE_AK_PUBLIC].p, b[BUNDLE_AK_PUBLIC].len,
		&w.ak_pub, &w.ak_pub_len) != VT_OK)
		return VT_E_FORMAT;
	if (b[BUNDLE_EK_CERT].p != NULL &&
	    x509_ek_name(b[BUNDLE_EK_CERT].p, b[BUNDLE_EK_CERT].len,
		&w.ek_name) != VT_OK)
		w.ek_name.len = 0;
	if (quote_verify(&w, b[BUNDLE_QUOTE].p, b[BUNDLE_QUOTE].len,
		b[BUNDLE_SIGNATURE].p, b[BUNDLE_SIGNATURE].len, &rep) == VT_OK)
		return VT_OK;
	if (rep.failed != QS_SIGNER) {
		log_err("the reference's quote is not good: %s", rep.why);
		return VT_E_AUTH;
	}
	log_warn(
	    "the reference comes from an AK of unknown origin: %s", rep.why);
	if (!pcr_sel_equal(&sel, &rep.attest.sel) ||
	    tpm_pub_get(w.ak_pub, w.ak_pub_len, &pub) != VT_OK ||
	    pcr_digest(&ev->pcrs, &sel, pub.hash, d) != VT_OK ||
	    rep.attest.digest_len != digest_len(pub.hash) ||
	    !mem_equal(d, rep.attest.digest, rep.attest.digest_len)) {
		log_err("the reference's PCR values are not those it signs");
		return VT_E_AUTH;
	}
	return VT_OK;
}

static int
decode_journal(struct job *j, const uint8_t *p, size_t len)
{
	int rc = journal_decode(p, len, &j->journal);

	if (rc != VT_OK)
		log_err("the extend journal %s", vt_input_error(rc, len));
	j->gen.journal = j->journal;
	return rc;
}

static int
read_reference(const char *path, struct job *j)
{
	const struct bundle_blob *b;
	int rc;

	if ((rc = input_evidence(path, &j->ev)) != VT_OK ||
	    (rc = check_reference(j->ev)) != VT_OK)
		return rc;
	b = j->ev->part;
	j->gen.logs[0].p = b[BUNDLE_HOST_LOG].p;
	j->gen.logs[0].len = b[BUNDLE_HOST_LOG].len;
	j->gen.logs[1].p = b[BUNDLE_LOG].p;
	j->gen.logs[1].len = b[BUNDLE_LOG].len;
	j->gen.record = b[BUNDLE_LAUNCH].p;
	j->gen.record_len = b[BUNDLE_LAUNCH].len;
	j->gen.pcrs = &j->ev->pcrs;
	if (b[BUNDLE_JOURNAL].p == NULL)
		return VT_OK;
	return decode_journal(j, b[BUNDLE_JOURNAL].p, b[BUNDLE_JOURNAL].len);
}

static int
read_loose(const struct args *a, struct job *j)
{
	size_t len = 0;
	int rc;

	if (a->log != NULL) {
		rc = tool_read(a->log, EL_MAX_LOG, &j->log_buf, &len);
		if (rc != VT_OK)
			return rc;
		j->gen.logs[1].p = j->log_buf;
		j->gen.logs[1].len = len;
	}
	if (a->journal == NULL)
		return VT_OK;
	rc = tool_read(a->journal, JOURNAL_MAX_LEN, &j->journal_buf, &len);
	return rc == VT_OK ? decode_journal(j, j->journal_buf, len) : rc;
}

/* --- the result ----------------------------------------------------------- */

/* Add what the user allows, read the result back as the verifier will. */
static char *
finish(const struct args *a, const char *json)
{
	json_t *root = json_loads(json, 0, NULL), *allow;
	char err[POLICY_ERR_MAX], *text = NULL;
	struct policy *p = NULL;

	allow = json_object_get(root, "allow");
	if (allow == NULL && a->restored != NULL) {
		allow = json_object();
		(void)json_object_set_new(root, "allow", allow);
	}
	if (a->restored == NULL || json_object_set_new(allow, "restored",
				       json_string(a->restored)) == 0)
		text = json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	if (text == NULL) {
		log_err("out of memory, or a reason that is not UTF-8");
		return NULL;
	}
	if (policy_parse(text, strlen(text), &p, err) != VT_OK) {
		log_err("the policy made would not load: %s", err);
		free(text);
		return NULL;
	}
	policy_free(p);
	return text;
}

static void
set_gen(const struct args *a, struct policy_gen *g)
{
	g->name = a->name;
	g->alg = a->alg;
	g->values_mask = a->values_mask;
	g->allow_software_root = a->soft;
	g->no_initrd_reason = a->no_initrd;
}

/* Read every boot; what must be measured is so in each. */
static int
read_boots(
    const struct args *a, size_t n, struct job *jobs, struct policy_boot *boots)
{
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		set_gen(a, &jobs[i].gen);
		jobs[i].gen.needs = jobs[0].gen.needs;
		jobs[i].gen.nneeds = jobs[0].gen.nneeds;
		rc = a->nfrom > 0 ? read_reference(a->from[i], &jobs[i])
				  : read_loose(a, &jobs[i]);
		if (rc != VT_OK)
			return rc == VT_E_AUTH ? VX_REFUSED : VX_UNDECIDED;
		boots[i] = (struct policy_boot){ a->from[i], jobs[i].gen };
	}
	return VX_ACCEPTED;
}

static int
failed(int rc, const char *err)
{
	log_err("no policy made: %s", err);
	return rc == VT_E_POLICY || rc == VT_E_NOTFOUND ? VX_REFUSED
							: VX_UNDECIDED;
}

static int
make(const struct args *a, struct job *jobs)
{
	size_t n = a->nfrom > 0 ? a->nfrom : 1;
	struct policy_boot boots[MAX_FROM];
	char err[POLICY_DRAFT_ERR], *json, *text;
	json_t *all = NULL;
	int ex, rc;

	if ((ex = read_boots(a, n, jobs, boots)) != VX_ACCEPTED)
		return ex;
	if ((rc = policy_draft(boots, n, &all, err)) != VT_OK)
		return failed(rc, err);
	json = json_dumps(all, JSON_INDENT(1));
	json_decref(all);
	text = json != NULL ? finish(a, json) : NULL;
	free(json);
	if (text == NULL)
		return VX_UNDECIDED;
	if ((rc = policy_draft_holds(boots, n, text, err)) != VT_OK)
		ex = failed(rc, err);
	else if (tool_write_line(a->out, text, 0644) != VT_OK)
		ex = VX_UNDECIDED;
	free(text);
	return ex;
}

static void
job_done(struct job *j)
{
	size_t i;

	for (i = 0; i < MAX_NEEDS; i++)
		free(j->files[i]);
	journal_free(j->journal);
	bundle_free(j->ev);
	free(j->log_buf);
	free(j->journal_buf);
}

static int
policy(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	int ex = VX_UNDECIDED;
	struct job *jobs;
	size_t i;

	(void)ctx;
	(void)argc;
	(void)argv;
	if ((a->nfrom == 0) == (a->log == NULL && a->journal == NULL))
		return opt_bad(&verify_policy,
		    "give either --from, or --log and --journal");
	if ((jobs = calloc(MAX_FROM, sizeof(*jobs))) == NULL) {
		log_err("out of memory");
		return VX_UNDECIDED;
	}
	if (read_needs(a, &jobs[0]) == VT_OK)
		ex = make(a, jobs);
	for (i = 0; i < MAX_FROM; i++)
		job_done(&jobs[i]);
	free(jobs);
	return ex;
}

#define NEED(n, a, h)                                            \
	{                                                        \
		OPT_CALL(n, a, add_need, "one of at most 16", h) \
	}

static const struct opt opts[] = {
	{ OPT_CALL("from", "EVIDENCE", add_from, "one of at most 32",
	    "evidence of a reference boot; may be repeated: the policy accepts "
	    "each of them, and mixtures") },
	{ OPT_TEXT("log", 0, "FILE", struct args, log,
	    "event log of a reference boot without a quote") },
	{ OPT_TEXT("journal", 0, "FILE", struct args, journal,
	    "extend journal of a reference boot without a quote") },
	NEED("kernel", "FILE",
	    "must have been measured into PCR 9, or no policy is made; may be "
	    "repeated"),
	NEED("initrd", "FILE",
	    "must have been measured into PCR 9; may be repeated"),
	NEED("grub-cfg", "FILE",
	    "must have been measured into PCR 9; may be repeated"),
	NEED("cmdline", "STR",
	    "must have been measured into PCR 8, behind the kernel's name; may "
	    "be repeated"),
	{ OPT_TEXT("name", 0, "TEXT", struct args, name,
	    "the policy's name, shown in verdicts (default \"reference "
	    "boot\")") },
	{ OPT_CALL("bank", "ALG", set_bank,
	    "sha256, sha384 or sha512 (SHA-1 is broken)",
	    "PCR bank: sha256 (default), sha384 or sha512") },
	{ OPT_CALL("values", "LIST", set_values,
	    "a list of PCR numbers, as 0,7",
	    "fix these PCRs by value instead of by events, as 0,7") },
	{ OPT_FLAG("allow-software-root", 0, struct args, soft,
	    "accept evidence that no physical TPM backs") },
	{ OPT_TEXT("allow-restored", 0, "REASON", struct args, restored,
	    "accept a vTPM that runs from a snapshot, and say why") },
	{ OPT_TEXT("no-initrd", 0, "REASON", struct args, no_initrd,
	    "the boot measures no initrd; say why that is acceptable") },
	{ OPT_TEXT("out", 'o', "FILE", struct args, out,
	    "write the policy to FILE (default: standard output)") },
	OPT_END,
};

const struct opt_command verify_policy = {
	.name = "vtpm-verify policy",
	.about = "Make a policy that accepts reference boots and no other.\n"
		 "See vtpm-policy(5) for what to edit in it.\n",
	.usage = "--from EVIDENCE ... [options] [-o FILE]\n"
		 "[--log FILE] [--journal FILE] [options] [-o FILE]\n",
	.opts = opts,
	.size = sizeof(struct args),
	.defaults = &(const struct args){ .name = "reference boot" },
	.run = policy,
	.more = "Exit status: 0 made, 1 refused, 2 failed, or wrong usage.\n"
		"Example:\n"
		"  vtpm-verify policy --from reference.json --kernel vmlinuz "
		"-o policy.json\n",
};
