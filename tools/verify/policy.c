/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy.c - vtpm-verify policy: a policy from a reference boot.
 */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "measure/appraise/policy_gen.h"
#include "measure/log/eventlog.h"
#include "measure/log/journal_codec.h"
#include "tools/verify/cmd.h"

#define MAX_NEEDS 16

static const char usage[] =
    "usage: vtpm-verify policy --from EVIDENCE -o FILE [options]\n"
    "       vtpm-verify policy --log FILE [--journal FILE] -o FILE ...\n"
    "Makes a policy that accepts this reference boot and no other.\n"
    "  --from FILE           evidence of the reference boot\n"
    "  --log FILE            its event log\n"
    "  --journal FILE        its extend journal\n"
    "  --kernel FILE, --initrd FILE, --grub-cfg FILE\n"
    "                        must have been measured (PCR 9); may be given\n"
    "                        more than once\n"
    "  --cmdline STR         must have been measured (PCR 8)\n"
    "  --name TEXT           the policy's name\n"
    "  --bank ALG            sha256 (default), sha384 or sha512\n"
    "  --values LIST         fix these PCRs by their value, like 0,7\n"
    "  --allow-software-root accept evidence that no physical TPM backs\n"
    "  --allow-restored REASON  accept a vTPM running from a snapshot\n"
    "  --no-initrd REASON    the boot measures no initrd, and why it is fine\n"
    "  -o, --out FILE        the policy (default: standard output)\n"
    "Exit: 0 made, 1 refused, 2 could not read something.\n";

struct job {
	const char *from, *log, *journal_path, *out;
	const char *restored; /* why that is fine */
	struct policy_gen gen;
	struct policy_need needs[MAX_NEEDS];
	uint8_t *files[MAX_NEEDS]; /* owned data of needs; NULL: borrowed */
	size_t nneeds;
	struct bundle *ev;
	uint8_t *log_buf, *journal_buf;
	struct journal *journal;
};

enum {
	O_FROM = 256,
	O_LOG,
	O_JOURNAL,
	O_KERNEL,
	O_INITRD,
	O_GRUB_CFG,
	O_CMDLINE,
	O_NAME,
	O_BANK,
	O_VALUES,
	O_SOFT,
	O_RESTORED,
	O_NO_INITRD
};

static const struct option options[] = {
	{ "from", required_argument, NULL, O_FROM },
	{ "log", required_argument, NULL, O_LOG },
	{ "journal", required_argument, NULL, O_JOURNAL },
	{ "kernel", required_argument, NULL, O_KERNEL },
	{ "initrd", required_argument, NULL, O_INITRD },
	{ "grub-cfg", required_argument, NULL, O_GRUB_CFG },
	{ "cmdline", required_argument, NULL, O_CMDLINE },
	{ "name", required_argument, NULL, O_NAME },
	{ "bank", required_argument, NULL, O_BANK },
	{ "values", required_argument, NULL, O_VALUES },
	{ "allow-software-root", no_argument, NULL, O_SOFT },
	{ "allow-restored", required_argument, NULL, O_RESTORED },
	{ "no-initrd", required_argument, NULL, O_NO_INITRD },
	{ "out", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* --- arguments ---------------------------------------------------------------
 */

static bool
add_need(struct job *j, int c, const char *arg)
{
	struct policy_need *n = &j->needs[j->nneeds];
	size_t len = 0;

	if (j->nneeds == MAX_NEEDS) {
		log_err("too many files");
		return false;
	}
	memset(n, 0, sizeof(*n));
	n->pcr = 9;
	n->initrd = c == O_INITRD;
	n->what = c == O_KERNEL ? "kernel" : n->initrd ? "initrd" : "grub.cfg";
	if (c == O_CMDLINE) {
		n->what = "cmdline";
		n->pcr = 8;
		n->data = arg;
		n->len = strlen(arg);
	} else {
		if (verify_read(arg, VC_FILE_MAX, &j->files[j->nneeds], &len) !=
		    VT_OK)
			return false;
		n->data = j->files[j->nneeds];
		n->len = len;
	}
	j->nneeds++;
	return true;
}

static bool
set_values(struct job *j, const char *arg)
{
	struct pcr_sel sel;
	char text[128];

	(void)snprintf(text, sizeof(text), "sha256:%s", arg);
	if (pcr_sel_parse(text, &sel) != VT_OK || sel.n != 1) {
		log_err("--values: PCR numbers, like 0,7");
		return false;
	}
	j->gen.values_mask = sel.banks[0].mask;
	return true;
}

static bool
set_bank(struct job *j, const char *arg)
{
	j->gen.alg = digest_alg(arg);
	if (j->gen.alg != 0 && j->gen.alg != ALG_SHA1)
		return true;
	log_err("--bank: sha256, sha384 or sha512%s",
	    j->gen.alg == ALG_SHA1 ? " (SHA-1 is broken)" : "");
	return false;
}

static bool
set_option(struct job *j, int c, const char *arg)
{
	switch (c) {
	case O_FROM:
		j->from = arg;
		return true;
	case O_LOG:
		j->log = arg;
		return true;
	case O_JOURNAL:
		j->journal_path = arg;
		return true;
	case O_KERNEL:
	case O_INITRD:
	case O_GRUB_CFG:
	case O_CMDLINE:
		return add_need(j, c, arg);
	case O_NAME:
		j->gen.name = arg;
		return true;
	case O_BANK:
		return set_bank(j, arg);
	case O_VALUES:
		return set_values(j, arg);
	case O_SOFT:
		j->gen.allow_software_root = true;
		return true;
	case O_RESTORED:
		j->restored = arg;
		return true;
	case O_NO_INITRD:
		j->gen.no_initrd_reason = arg;
		return true;
	case 'o':
		j->out = arg;
		return true;
	default:
		return false;
	}
}

/* --- the reference boot
 * -------------------------------------------------------- */

/*
 * The values of a reference must at least be those that its own quote
 * signs.  Whether its AK is to be trusted is for the user to know: it is
 * his machine, and often has no certificates yet.
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
		log_err("the extend journal is not well-formed: %s",
		    vt_strerror(rc));
	j->gen.journal = j->journal;
	return rc;
}

static int
read_reference(struct job *j)
{
	const struct bundle_blob *b;
	int rc;

	if ((rc = verify_read_evidence(j->from, &j->ev)) != VT_OK ||
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
read_loose(struct job *j)
{
	size_t len = 0;
	int rc;

	if (j->log != NULL) {
		rc = verify_read(j->log, EL_MAX_LOG, &j->log_buf, &len);
		if (rc != VT_OK)
			return rc;
		j->gen.logs[1].p = j->log_buf;
		j->gen.logs[1].len = len;
	}
	if (j->journal_path == NULL)
		return VT_OK;
	rc = verify_read(
	    j->journal_path, JOURNAL_MAX_LEN, &j->journal_buf, &len);
	return rc == VT_OK ? decode_journal(j, j->journal_buf, len) : rc;
}

/* --- the result
 * ---------------------------------------------------------------- */

/* Add what the user allows, read the result back as the verifier will. */
static char *
finish(const struct job *j, const char *json)
{
	json_t *root = json_loads(json, 0, NULL), *allow;
	char err[POLICY_ERR_MAX], *text = NULL;
	struct policy *p = NULL;

	allow = json_object_get(root, "allow");
	if (allow == NULL && j->restored != NULL) {
		allow = json_object();
		(void)json_object_set_new(root, "allow", allow);
	}
	if (j->restored == NULL || json_object_set_new(allow, "restored",
				       json_string(j->restored)) == 0)
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

static int
make(struct job *j)
{
	char err[POLICY_ERR_MAX], *json = NULL, *text;
	int rc, ex = VX_UNDECIDED;

	rc = j->from != NULL ? read_reference(j) : read_loose(j);
	if (rc == VT_E_AUTH)
		return VX_REFUSED;
	if (rc != VT_OK)
		return VX_UNDECIDED;
	j->gen.needs = j->needs;
	j->gen.nneeds = j->nneeds;
	if ((rc = policy_generate(&j->gen, &json, err)) != VT_OK) {
		log_err("no policy made: %s", err);
		return rc == VT_E_POLICY || rc == VT_E_NOTFOUND ? VX_REFUSED
								: VX_UNDECIDED;
	}
	if ((text = finish(j, json)) != NULL &&
	    verify_write(j->out, text) == VT_OK)
		ex = VX_ACCEPTED;
	free(text);
	free(json);
	return ex;
}

int
verify_cmd_policy(int argc, char **argv)
{
	struct job j = { .gen = { .name = "reference boot" } };
	int c, ex = VX_UNDECIDED;
	size_t i;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		if (c == 'h') {
			(void)fputs(usage, stdout);
			ex = VX_ACCEPTED;
			goto out;
		}
		if (!set_option(&j, c, optarg))
			goto out;
	}
	if (optind != argc ||
	    (j.from == NULL) == (j.log == NULL && j.journal_path == NULL)) {
		(void)fputs(usage, stderr);
		goto out;
	}
	ex = make(&j);
out:
	for (i = 0; i < MAX_NEEDS; i++)
		free(j.files[i]);
	journal_free(j.journal);
	bundle_free(j.ev);
	free(j.log_buf);
	free(j.journal_buf);
	return ex;
}
