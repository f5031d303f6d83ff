/* SPDX-License-Identifier: BSD-3-Clause */
/* cmd_approve.c - vtpm-seal approve. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "tools/common/file.h"
#include "tools/common/json.h"
#include "tools/seal/cmd_common.h"
#include "tools/seal/commands.h"
#include "tools/seal/state_input.h"
#include "tools/seal/systemd_json.h"

#define EPOCH_NONE UINT64_MAX

struct args {
	const char *tcti, *key, *authority, *ref, *label;
	const char *pcrs, *log, *approvals, *systemd;
	uint64_t epoch;
	uint32_t index, keep;
	bool next_epoch, sign, json;
	struct sel_arg select;
};

struct work {
	const struct args *a;
	uint8_t *pem; /* the private key; NULL: a request is made */
	size_t pem_len;
	struct seal_key key;
	struct pcr_set pcrs;
};

/* --- keys and signatures ----------------------------------------------------
 */

static int
read_key(struct work *w)
{
	const struct args *a = w->a;
	int rc;

	if (a->key == NULL)
		return seal_read_key(a->authority, &w->key);
	if ((rc = seal_read_key(a->key, &w->key)) != VT_OK)
		return rc;
	return tool_read(a->key, SEAL_PEM_MAX, &w->pem, &w->pem_len);
}

static int
sign(const struct work *w, const uint8_t *msg, size_t len, uint8_t *sig,
    size_t *ret_len)
{
	struct seal_key k;
	int rc;

	rc = seal_key_sign(w->pem, w->pem_len, msg, len, &k, sig, ret_len);
	if (rc == VT_E_FORMAT)
		log_err("%s: not a private key in PEM without a passphrase",
		    w->a->key);
	else if (rc != VT_OK)
		log_err("%s: cannot sign: %s", w->a->key, vt_strerror(rc));
	return rc;
}

static int
sign_approval(const struct work *w, struct approved *one)
{
	uint8_t msg[AP_MSG_MAX];
	size_t len = 0;
	int rc;

	if ((rc = approved_message(one, msg, &len)) != VT_OK)
		return rc;
	return sign(w, msg, len, one->sig, &one->sig_len);
}

/* --- the state --------------------------------------------------------------
 */

static bool
from_tpm(const struct args *a)
{
	return a->pcrs == NULL && a->log == NULL;
}

static int
read_state(struct work *w, struct esys *e)
{
	const struct args *a = w->a;
	const struct pcr_sel *sel = &a->select.sel;
	char why[WHY_MAX];
	int rc;

	if (a->pcrs != NULL)
		rc = state_from_file(a->pcrs, sel, &w->pcrs);
	else if (a->log != NULL)
		rc = state_from_log(a->log, sel, &w->pcrs);
	else
		rc = seal_read_pcrs(e, sel, &w->pcrs);
	if (rc != VT_OK)
		return rc;
	rc = seal_check_pcrs(sel, &w->pcrs, why, sizeof(why));
	if (rc != VT_OK)
		log_err("refused: %s", why);
	return rc;
}

static int
read_epoch(const struct work *w, struct esys *e, uint64_t *ret)
{
	const struct args *a = w->a;
	uint64_t epoch = 0;
	int rc;

	if (a->epoch != EPOCH_NONE) {
		*ret = a->epoch;
		return VT_OK;
	}
	if ((rc = seal_epoch_read(e, a->index, &epoch)) != VT_OK) {
		if (rc == VT_E_NOTFOUND)
			log_err("there is no epoch counter 0x%08x: it comes "
				"with the first vtpm-seal seal --authority, "
				"or name the epoch, --epoch",
			    a->index);
		else
			seal_say_epoch(e, a->index, rc);
		return rc;
	}
	*ret = epoch + (a->next_epoch ? 1 : 0);
	return VT_OK;
}

/* --- our approvals ----------------------------------------------------------
 */

static void
say(const struct approved *one, const char *what)
{
	char sel[256];

	pcr_sel_format(&one->sel, sel, sizeof(sel));
	log_info("%s: '%s' (%s) for %s, up to epoch %llu", what, one->label,
	    sel, one->ref, (unsigned long long)one->epoch);
}

static int
save(const struct args *a, const struct approvals *appr)
{
	return tool_json_save(a->approvals, approvals_json(appr), 0644);
}

/* What the TPM here shows, of the PCRs that the approvals are about; false:
 * there is no TPM to ask. */
static bool
running(struct esys *e, const struct approvals *appr, struct pcr_set *now)
{
	struct pcr_sel sel;

	approvals_sel(appr, &sel);
	return e->ctx != NULL && seal_read_known_pcrs(e, &sel, now) == VT_OK;
}

static int
add(const struct work *w, struct esys *e, const struct approved *one)
{
	const struct args *a = w->a;
	struct approvals appr;
	struct pcr_set now;
	int rc;

	if ((rc = seal_read_approvals(a->approvals, true, &appr)) != VT_OK)
		return rc;
	rc = approvals_add(
	    &appr, one, a->keep, running(e, &appr, &now) ? &now : NULL);
	if (rc != VT_OK)
		log_err("%s: %s", a->approvals,
		    rc == VT_E_RANGE ? "it is full: drop old ones, --keep"
				     : vt_strerror(rc));
	else
		rc = save(a, &appr);
	approvals_free(&appr);
	if (rc != VT_OK)
		return rc;
	say(one, one->sig_len > 0 ? "approved" : "to be signed");
	return a->json ? tool_json_save(NULL, approved_json(one), 0644) : rc;
}

static int
approve(struct work *w, struct esys *e)
{
	const struct args *a = w->a;
	struct approved one = { 0 };
	int rc;

	if ((rc = read_epoch(w, e, &one.epoch)) != VT_OK)
		return rc;
	one.epoch_index = a->index;
	one.made_s = wall_ms() / 1000;
	one.sel = a->select.sel;
	one.pcrs = w->pcrs;
	memcpy(one.ref, a->ref, strlen(a->ref) + 1);
	memcpy(one.label, a->label, strlen(a->label) + 1);
	memcpy(one.print, w->key.print, sizeof(one.print));
	if (w->pem != NULL && (rc = sign_approval(w, &one)) != VT_OK)
		return rc;
	return add(w, e, &one);
}

static bool
to_sign(const struct work *w, const struct approved *one)
{
	return one->sig_len == 0 &&
	       memcmp(one->print, w->key.print, sizeof(one->print)) == 0 &&
	       (w->a->ref == NULL || strcmp(w->a->ref, one->ref) == 0);
}

/* What a requester on another machine must not get signed. */
static int
check_request(const struct work *w, const struct approved *one)
{
	char why[WHY_MAX];
	int rc;

	rc = seal_check_pcrs(&one->sel, &one->pcrs, why, sizeof(why));
	if (rc == VT_OK && one->epoch > w->a->epoch) {
		rc = VT_E_POLICY;
		(void)snprintf(why, sizeof(why),
		    "it is for epoch %llu, and you sign up to %llu, --epoch",
		    (unsigned long long)one->epoch,
		    (unsigned long long)w->a->epoch);
	}
	if (rc != VT_OK)
		log_err("refused: request '%s': %s", one->label, why);
	return rc;
}

/* In their order, and only then --keep: the first that is signed must not push
 * out a newer one that is not, yet. */
static int
sign_all(struct work *w, struct approvals *appr, size_t *n)
{
	size_t i;
	int rc;

	for (i = 0; i < appr->n; i++) {
		struct approved *one = &appr->list[i];

		if (!to_sign(w, one))
			continue;
		if ((rc = check_request(w, one)) != VT_OK ||
		    (rc = sign_approval(w, one)) != VT_OK)
			return rc;
		say(one, "approved");
		(*n)++;
	}
	approvals_thin(appr, w->key.print, w->a->ref, w->a->keep);
	return VT_OK;
}

/* Sign what others asked for: each request that is for this key. */
static int
sign_requests(struct work *w)
{
	const struct args *a = w->a;
	struct approvals appr;
	size_t n = 0;
	int rc;

	if ((rc = seal_read_approvals(a->approvals, false, &appr)) != VT_OK)
		return rc;
	rc = sign_all(w, &appr, &n);
	if (rc == VT_OK && n == 0) {
		log_err(
		    "%s: no request that this key could sign", a->approvals);
		rc = VT_E_NOTFOUND;
	}
	if (rc == VT_OK)
		rc = save(a, &appr);
	approvals_free(&appr);
	return rc;
}

/* --- systemd's --------------------------------------------------------------
 */

static int
systemd_read(const char *path, struct sd_sigs *ret)
{
	char err[SD_ERR_MAX];
	uint8_t *p = NULL;
	size_t n = 0;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (access(path, F_OK) != 0)
		return VT_OK; /* a new file */
	if ((rc = tool_read(path, SD_FILE_MAX, &p, &n)) != VT_OK)
		return rc;
	if ((rc = sd_sigs_get(p, n, ret, err)) != VT_OK)
		log_err("%s: %s", path, err[0] != '\0' ? err : vt_strerror(rc));
	free(p);
	return rc;
}

/* systemd's policies are of one bank each. */
static int
systemd_bank(const struct work *w, uint32_t k, struct sd_sigs *s)
{
	struct pcr_sel sel = { .n = 1, .banks[0] = w->a->select.sel.banks[k] };
	struct sd_sig one = { .alg = sel.banks[0].alg,
		.mask = sel.banks[0].mask };
	char text[256];
	int rc;

	memcpy(one.print, w->key.print, sizeof(one.print));
	if ((rc = seal_policy_digest(&sel, &w->pcrs, one.pol)) != VT_OK ||
	    (rc = sign(w, one.pol, sizeof(one.pol), one.sig, &one.sig_len)) !=
		VT_OK)
		return rc;
	if ((rc = sd_sigs_add(s, &one, w->a->keep)) != VT_OK) {
		log_err("%s: %s", w->a->systemd,
		    rc == VT_E_RANGE ? "it is full: drop old ones, --keep"
				     : vt_strerror(rc));
		return rc;
	}
	pcr_sel_format(&sel, text, sizeof(text));
	log_info("approved for systemd: %s", text);
	return VT_OK;
}

static int
approve_systemd(const struct work *w)
{
	struct sd_sigs s;
	uint32_t k;
	int rc;

	if ((rc = systemd_read(w->a->systemd, &s)) != VT_OK)
		return rc;
	for (k = 0; k < w->a->select.sel.n && rc == VT_OK; k++)
		rc = systemd_bank(w, k, &s);
	if (rc == VT_OK)
		rc = tool_json_save(w->a->systemd, sd_sigs_json(&s), 0644);
	sd_sigs_free(&s);
	return rc;
}

/* --- the command ------------------------------------------------------------
 */

static bool
needs_tpm(const struct args *a)
{
	return from_tpm(a) || (a->systemd == NULL && a->epoch == EPOCH_NONE);
}

static int
approve_state(struct work *w)
{
	const struct args *a = w->a;
	struct esys e = { 0 };
	int rc = VT_OK;

	if (needs_tpm(a))
		rc = seal_open_tpm(&e, a->tcti, NULL);
	if (rc == VT_OK && (rc = read_state(w, &e)) == VT_OK)
		rc = a->systemd != NULL ? approve_systemd(w) : approve(w, &e);
	if (needs_tpm(a))
		esys_close(&e);
	return rc;
}

static int
check_label(const char *label)
{
	size_t i;

	for (i = 0; label[i] != '\0'; i++)
		if (label[i] < ' ' || label[i] > '~' || i == AP_LABEL_MAX)
			return opt_bad(&approve_cmd,
			    "a label has at most %d printable characters",
			    AP_LABEL_MAX);
	return OPT_GO;
}

static int
check_what(const struct args *a)
{
	if ((a->approvals != NULL) == (a->systemd != NULL))
		return opt_bad(
		    &approve_cmd, "give --approvals FILE, or --systemd FILE");
	if (a->systemd != NULL && (a->key == NULL || a->ref != NULL || a->sign))
		return opt_bad(
		    &approve_cmd, "--systemd goes with --key, without --ref");
	if (a->systemd == NULL && a->ref == NULL && !a->sign)
		return opt_bad(&approve_cmd, "--ref UUID:ROLE is needed");
	if (a->ref != NULL && seal_ref_check(a->ref) != VT_OK)
		return opt_bad(&approve_cmd,
		    "'%s' is not UUID:ROLE, a UUID in lower case and a role",
		    a->ref);
	return check_label(a->label);
}

static int
check_args(struct args *a)
{
	char why[WHY_MAX];

	if ((a->key != NULL) == (a->authority != NULL))
		return opt_bad(&approve_cmd,
		    "give --key to sign, or --authority to make a request");
	if (a->sign && (a->key == NULL || !from_tpm(a)))
		return opt_bad(&approve_cmd,
		    "--sign goes with --key, and has no state of its own");
	if (a->sign && a->epoch == EPOCH_NONE)
		return opt_bad(&approve_cmd,
		    "--sign needs --epoch: a request for a later one would "
		    "outlive what is revoked");
	if (a->pcrs != NULL && a->log != NULL)
		return opt_bad(
		    &approve_cmd, "--pcrs and --log exclude another");
	if (a->next_epoch && a->epoch != EPOCH_NONE)
		return opt_bad(
		    &approve_cmd, "--epoch and --next-epoch exclude another");
	if (a->index == 0)
		a->index = SEAL_EPOCH_INDEX;
	if (!a->select.given &&
	    pcr_sel_parse(DEFAULT_PCRS, &a->select.sel) != VT_OK)
		return SX_FAILED;
	if (seal_check_sel(&a->select.sel, why, sizeof(why)) != VT_OK) {
		log_err("refused: %s", why);
		return SX_REFUSED;
	}
	approved_sel_sort(&a->select.sel);
	return check_what(a);
}

static int
run(void *ctx, void *args, int argc, char **argv)
{
	struct args *a = args;
	struct work w = { .a = a };
	int rc;

	(void)ctx;
	(void)argc;
	(void)argv;
	if ((rc = check_args(a)) != OPT_GO)
		return rc;
	if ((rc = read_key(&w)) == VT_OK)
		rc = a->sign ? sign_requests(&w) : approve_state(&w);
	mem_wipe_free(w.pem, w.pem_len);
	return seal_exit(rc);
}

static const struct opt opts[] = {
	OPT_TCTI(struct args),
	{ OPT_TEXT("key", 0, "KEY.pem", struct args, key,
	    "sign with this private key") },
	{ OPT_TEXT("authority", 0, "KEY.pub", struct args, authority,
	    "make a request that the holder of this key can sign elsewhere") },
	{ OPT_FLAG("sign", 0, struct args, sign,
	    "sign the requests in the file of approvals, up to --epoch") },
	{ OPT_TEXT("ref", 0, "UUID:ROLE", struct args, ref,
	    "the secrets that the approval is for, as they were sealed") },
	{ OPT_TEXT("approvals", 'a', "FILE", struct args, approvals,
	    "add the approval to FILE, which may be a LUKS token") },
	{ OPT_TEXT("systemd", 0, "FILE", struct args, systemd,
	    "add a signature to systemd's tpm2-pcr-signature.json instead") },
	{ OPT_TEXT("pcrs", 0, "FILE", struct args, pcrs,
	    "PCR values: of tpm2_quote --pcr or tpm2_pcrread -o, or JSON of "
	    "vtpm-measure predict or vtpm-verify replay") },
	{ OPT_TEXT("log", 0, "FILE", struct args, log,
	    "PCR values that this event log gives") },
	OPT_SELECT("select", struct args, select,
	    "PCRs to approve (default " DEFAULT_PCRS ")"),
	{ OPT_U64("epoch", "N", struct args, epoch, 0, INT64_MAX,
	    "approve up to this epoch (default: the one of the TPM here)") },
	{ OPT_FLAG("next-epoch", 0, struct args, next_epoch,
	    "approve so that the next vtpm-seal revoke leaves it valid") },
	OPT_EPOCH_INDEX(
	    struct args, "NV counter of the epoch (default 0x0180ec01)"),
	{ OPT_TEXT("label", 0, "TEXT", struct args, label,
	    "what the state is, for people: \"kernel 6.1.0-28\"") },
	{ OPT_U32("keep", "N", struct args, keep, 1, AP_MAX,
	    "keep only the newest N of this key and ref, and the running "
	    "boot's; "
	    "one of the same label is replaced") },
	{ OPT_FLAG(
	    "json", 0, struct args, json, "print the approval as JSON, too") },
	OPT_END,
};

static const struct args defaults = { .epoch = EPOCH_NONE, .label = "" };

const struct opt_command approve_cmd = {
	.name = "vtpm-seal approve",
	.about = "Approve a state before it is booted: its PCR values from a "
		 "file or an event log, or without either from the TPM as it "
		 "is.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.defaults = &defaults,
	.run = run,
	.more =
	    "Examples:\n"
	    "  vtpm-measure predict --disk guest.qcow2 --learn boot.log --json "
	    ">next.json\n"
	    "  vtpm-seal approve --key boot.pem --ref \"$uuid:root\" "
	    "--pcrs next.json \\\n"
	    "    -a approvals.json --label \"kernel 6.1.0-28\" --keep "
	    "2\n"
	    "  vtpm-seal approve --key boot.pem --select sha256:11 \\\n"
	    "    --systemd /etc/systemd/tpm2-pcr-signature.json\n",
};
