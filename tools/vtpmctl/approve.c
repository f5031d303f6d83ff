/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * approve.c - vtpmctl host approve, revoke, bind: states of the host, signed
 * here by a key that the manager never sees.
 */
#include <sys/utsname.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/crypto.h"
#include "base/options.h"
#include "base/util.h"
#include "measure/host/approval.h"
#include "tools/common/file.h"
#include "tools/common/json.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"
#include "vtpm_manager/host/host_approvals.h"

#define KEY_FILE_MAX 16384
#define PCRS_FILE_MAX (256u * 1024)

/* Without --select: those of these that something was measured into. */
#define DEFAULT_PCRS 0x000e43ffu /* 0-9, 14, 17-19 */

struct args {
	const char *pcrs, *key, *select, *label, *import, *out, *state;
	uint64_t epoch, sequence;
	bool current, sign_only, retry, force, none;
};

/* --- a state, from JSON --------------------------------------------------- */

static const char *
default_bank(const json_t *pcrs)
{
	static const char *const banks[] = { "sha256", "sha384", "sha512" };
	size_t i;

	for (i = 0; i < VT_NELEM(banks); i++)
		if (json_object_get(pcrs, banks[i]) != NULL)
			return banks[i];
	return NULL;
}

static int
choose_pcrs(const struct args *o, const json_t *pcrs, uint16_t *ret_alg,
    uint32_t *ret_mask)
{
	const char *bank;
	struct pcr_sel sel;

	if (o->select == NULL) {
		if ((bank = default_bank(pcrs)) == NULL)
			return vctl_fail(
			    "the host's TPM has no bank but SHA-1: "
			    "enable SHA-256 in the firmware");
		*ret_alg = digest_alg(bank);
		*ret_mask = DEFAULT_PCRS;
		return EXIT_OK;
	}
	if (pcr_sel_parse(o->select, &sel) != VT_OK || sel.n != 1)
		return vctl_fail("'%s' is not a selection of one bank, as "
				 "sha256:0,2,4,7",
		    o->select);
	*ret_alg = sel.banks[0].alg;
	*ret_mask = sel.banks[0].mask;
	return EXIT_OK;
}

static int
take_pcr(struct approval *a, uint16_t alg, uint32_t pcr, const json_t *bank,
    bool wanted)
{
	uint8_t val[DIGEST_MAX];

	if (!tool_json_get_pcr(bank, alg, pcr, val))
		return wanted ? vctl_fail("PCR %u (%s) has no value", pcr,
				    digest_name(alg))
			      : EXIT_OK;
	/* A PCR chosen by hand that is all 00 or FF is refused later. */
	if (!wanted && pcr_is_extreme(val, digest_len(alg)))
		return EXIT_OK;
	return pcr_put(&a->pcrs, alg, pcr, val) == VT_OK
		   ? EXIT_OK
		   : vctl_fail("PCR %u is out of range", pcr);
}

static int
fill_pcrs(const struct args *o, const json_t *pcrs, struct approval *a)
{
	const json_t *bank;
	uint32_t mask = 0, i;
	uint16_t alg = 0;
	int ex;

	if ((ex = choose_pcrs(o, pcrs, &alg, &mask)) != EXIT_OK)
		return ex;
	bank = json_object_get(pcrs, digest_name(alg));
	if (bank == NULL || pcr_set_init(&a->pcrs, &alg, 1) != VT_OK)
		return vctl_fail(
		    "the host has no PCRs of bank %s", digest_name(alg));
	for (i = 0; i < PCR_COUNT; i++)
		if ((mask >> i & 1) != 0 && (ex = take_pcr(a, alg, i, bank,
						 o->select != NULL)) != EXIT_OK)
			return ex;
	return EXIT_OK;
}

static void
make_label(const struct args *o, struct approval *a)
{
	struct utsname u;

	if (o->label != NULL)
		(void)snprintf(a->label, sizeof(a->label), "%s", o->label);
	else if (o->pcrs == NULL && uname(&u) == 0)
		(void)snprintf(a->label, sizeof(a->label), "%.20s %.40s",
		    u.sysname, u.release);
	else
		(void)snprintf(a->label, sizeof(a->label), "state of %.50s",
		    o->pcrs != NULL ? o->pcrs : "the host");
}

/* about: epoch, its counter's Name, the next sequence; state: PCRs. */
static int
fill(const struct args *o, const json_t *about, const json_t *state,
    struct approval *a)
{
	const char *name =
	    json_string_value(json_object_get(about, "epoch_name"));
	char text[256];
	size_t n = 0;
	int ex;

	memset(a, 0, sizeof(*a));
	if (json_object_get(state, "pcrs") == NULL)
		return vctl_fail("the host's PCRs are not known: %s",
		    vctl_text(state, "tpm_error"));
	if (name == NULL ||
	    hex_decode(name, a->epoch_name, sizeof(a->epoch_name), &n) !=
		VT_OK ||
	    n != sizeof(a->epoch_name))
		return vctl_fail("the host's epoch counter is not known: this "
				 "store has none yet, or the file does not "
				 "name it");
	a->epoch = o->epoch != 0 ? o->epoch : vctl_num(about, "epoch");
	a->sequence =
	    o->sequence != 0 ? o->sequence : vctl_num(about, "next_sequence");
	a->made_s = wall_ms() / 1000;
	if (a->epoch == 0 || a->sequence == 0)
		return vctl_fail("the host's epoch is not known (its TPM does "
				 "not answer?): give --epoch and --sequence");
	make_label(o, a);
	if ((ex = fill_pcrs(o, json_object_get(state, "pcrs"), a)) != EXIT_OK)
		return ex;
	if (approval_check(a, text, sizeof(text)) != VT_OK)
		return vctl_fail("refused: %s", text);
	return EXIT_OK;
}

static int
sign(const struct args *o, struct approval *a, uint8_t *out, size_t cap,
    size_t *ret_len)
{
	struct pcr_sel sel = { .n = 1 };
	char text[256];
	uint8_t *pem = NULL;
	size_t len = 0;
	struct wr w;
	int rc;

	if (tool_read(o->key, KEY_FILE_MAX, &pem, &len) != VT_OK)
		return EXIT_REFUSED;
	rc = approval_sign(a, pem, len);
	OPENSSL_cleanse(pem, len);
	free(pem);
	if (rc != VT_OK)
		return vctl_fail("%s: %s", o->key,
		    rc == VT_E_UNSUPPORTED
			? "the approval key must be ECDSA on P-256"
		    : rc == VT_E_FORMAT ? "this is not a private key in PEM "
					  "(without a passphrase)"
					: vt_strerror(rc));
	wr_init(&w, out, cap);
	approval_put(&w, a);
	if ((rc = wr_err(&w)) != VT_OK)
		return vctl_fail("the approval: %s", vt_strerror(rc));
	*ret_len = w.len;
	sel.banks[0].alg = a->pcrs.banks[0].alg;
	sel.banks[0].mask = a->pcrs.banks[0].valid;
	pcr_sel_format(&sel, text, sizeof(text));
	log_info("signed: '%s', %s, sequence %" PRIu64 ", epoch %" PRIu64,
	    a->label, text, a->sequence, a->epoch);
	return EXIT_OK;
}

/* A verifier may use approvals as its list of host states; one over other
 * PCRs than those that a setting names for deep quotes never matches. */
static void
note_selection(const struct approval *a, const json_t *about)
{
	const char *text =
	    json_string_value(json_object_get(about, "deep_pcrs"));
	struct pcr_sel sel;

	if (!json_is_true(json_object_get(about, "deep_pcrs_set")) ||
	    text == NULL || pcr_sel_parse(text, &sel) != VT_OK || sel.n != 1 ||
	    (sel.banks[0].alg == a->pcrs.banks[0].alg &&
		sel.banks[0].mask == a->pcrs.banks[0].valid))
		return;
	log_warn("note: the host's deep quotes cover other PCRs (%s): for "
		 "verifiers, "
		 "approve with --select %s, take deep_pcrs out of "
		 "vtpm-managerd.conf(5), or make their list with `vtpm-verify "
		 "host-states --pcrs`",
	    text, text);
}

/* Sign what the options say; about: NULL, the manager is asked. */
static int
make(struct vctl *v, struct args *o, json_t *about, uint8_t *out, size_t cap,
    size_t *ret_len)
{
	json_t *file = NULL, *asked = NULL;
	struct approval a;
	int ex = EXIT_REFUSED;

	if (o->pcrs != NULL && (file = tool_json_load(o->pcrs, PCRS_FILE_MAX,
				    "vtpm-host-pcrs")) == NULL)
		return EXIT_REFUSED;
	if (about == NULL && !(o->sign_only && file != NULL)) {
		if ((asked = vctl_json(v, "HostStatus", NULL)) == NULL)
			goto out;
		about = asked;
	}
	if (asked != NULL &&
	    strcmp(vctl_text(asked, "root"), "software") == 0) {
		ex = vctl_fail_as(EXIT_REFUSED,
		    "this host has a software root, which has no states of "
		    "the host to approve: nothing is measured into it; start "
		    "the manager with --root device:/dev/tpmrm0 and a new "
		    "store to bind to states of the host");
		goto out;
	}
	if (about == NULL)
		about = file;
	ex = fill(o, about, file != NULL ? file : about, &a);
	if (ex == EXIT_OK)
		ex = sign(o, &a, out, cap, ret_len);
	if (ex == EXIT_OK)
		note_selection(&a, about);
out:
	json_decref(file);
	json_decref(asked);
	return ex;
}

/* --- approve -------------------------------------------------------------- */

/* Beside a manager that does not run. */
static int
put_into_folder(const struct args *o, const uint8_t *raw, size_t len)
{
	struct approval a;
	char text[256];
	int rc;

	if (approval_get(raw, len, &a) != VT_OK)
		return vctl_fail("%s is not an approval", o->import);
	if (approval_check(&a, text, sizeof(text)) != VT_OK)
		return vctl_fail("%s: refused: %s", o->import, text);
	if ((rc = approvals_write(o->state, a.sequence, raw, len)) != VT_OK)
		return vctl_fail(
		    "%s/" APPROVALS_FOLDER ": %s", o->state, vt_strerror(rc));
	(void)printf("'%s' (sequence %" PRIu64 "): the manager verifies and "
		     "uses it at its next start\n",
	    a.label, a.sequence);
	return EXIT_OK;
}

static int
import(struct vctl *v, const struct args *o)
{
	struct vctl_bytes arg;
	uint8_t *raw = NULL;
	size_t len = 0;
	int ex;

	if (tool_read(o->import, APPROVAL_MAX_LEN, &raw, &len) != VT_OK)
		return EXIT_REFUSED;
	arg.p = raw;
	arg.len = len;
	if (len == 0)
		ex = vctl_fail("%s is empty", o->import);
	else if (o->state != NULL)
		ex = put_into_folder(o, raw, len);
	else
		ex = vctl_say_bytes(v, "HostApprove", &arg, 1);
	free(raw);
	return ex;
}

static int
approve_cmd(void *ctx, void *args, int argc, char **argv)
{
	uint8_t raw[APPROVAL_MAX_LEN];
	struct vctl_bytes arg = { raw, 0 };
	struct args *o = args;
	int ex;

	(void)argc;
	(void)argv;
	if (o->retry)
		return vctl_say_bytes(ctx, "HostApprove", &arg, 1);
	if (o->import != NULL)
		return o->current || o->pcrs != NULL || o->key != NULL
			   ? opt_bad(&vctl_host_approve,
				 "--import takes neither --current, --pcrs nor "
				 "--key")
			   : import(ctx, o);
	if (o->current == (o->pcrs != NULL) || o->key == NULL)
		return opt_bad(&vctl_host_approve,
		    "give --key and one of --current and --pcrs FILE");
	if (o->sign_only != (o->out != NULL))
		return opt_bad(
		    &vctl_host_approve, "--sign-only and -o FILE go together");
	ex = make(ctx, o, NULL, raw, sizeof(raw), &arg.len);
	if (ex != EXIT_OK)
		return ex;
	if (!o->sign_only)
		return vctl_say_bytes(ctx, "HostApprove", &arg, 1);
	return tool_write(o->out, raw, arg.len, 0644) == VT_OK ? EXIT_OK
							       : EXIT_REFUSED;
}

/* --- revoke --------------------------------------------------------------- */

static int
raise_epoch(struct vctl *v, uint64_t epoch, bool force)
{
	sd_bus_message *m = vctl_new_call(v, "HostRevoke");

	if (m == NULL)
		return EXIT_REFUSED;
	return vctl_say(
	    v, m, sd_bus_message_append(m, "tb", epoch, (int)force));
}

/* The present state is approved for the new epoch before the old one ends: at
 * no instant is none approved. */
static int
revoke_cmd(void *ctx, void *args, int argc, char **argv)
{
	uint8_t raw[APPROVAL_MAX_LEN];
	struct vctl_bytes arg = { raw, 0 };
	struct args *o = args;
	int ex = EXIT_OK;
	uint64_t epoch;
	json_t *about;

	(void)argc;
	(void)argv;
	if ((about = vctl_json(ctx, "HostStatus", NULL)) == NULL)
		return EXIT_REFUSED;
	epoch = vctl_num(about, "epoch");
	if (o->key != NULL) {
		o->epoch = epoch + 1;
		ex = make(ctx, o, about, raw, sizeof(raw), &arg.len);
		if (ex == EXIT_OK)
			ex = vctl_say_bytes(ctx, "HostApprove", &arg, 1);
	}
	json_decref(about);
	return ex == EXIT_OK ? raise_epoch(ctx, epoch, o->force) : ex;
}

/* --- bind ----------------------------------------------------------------- */

static int
bind_none(struct vctl *v)
{
	const struct vctl_bytes args[] = { { NULL, 0 }, { NULL, 0 } };

	return vctl_say_bytes(v, "HostBind", args, 2);
}

static int
bind_key(struct vctl *v, struct args *o, json_t *about)
{
	uint8_t raw[APPROVAL_MAX_LEN], key[APPROVAL_KEY_LEN];
	struct vctl_bytes args[] = { { key, sizeof(key) }, { raw, 0 } };
	uint8_t *p = NULL;
	size_t len = 0;
	int ex, rc;

	if (tool_read(o->key, KEY_FILE_MAX, &p, &len) != VT_OK)
		return EXIT_REFUSED;
	rc = approval_key_read(p, len, key);
	OPENSSL_cleanse(p, len);
	free(p);
	if (rc != VT_OK)
		return vctl_fail("%s: not a P-256 key in PEM", o->key);
	if (o->import == NULL) {
		o->sequence = o->sequence != 0 ? o->sequence : 1;
		ex = make(v, o, about, raw, sizeof(raw), &args[1].len);
		return ex == EXIT_OK ? vctl_say_bytes(v, "HostBind", args, 2)
				     : ex;
	}
	if (tool_read(o->import, APPROVAL_MAX_LEN, &p, &len) != VT_OK)
		return EXIT_REFUSED;
	args[1].p = p;
	args[1].len = len;
	ex = vctl_say_bytes(v, "HostBind", args, 2);
	free(p);
	return ex;
}

static int
bind_cmd(void *ctx, void *args, int argc, char **argv)
{
	struct args *o = args;
	json_t *about;
	int ex;

	(void)argc;
	(void)argv;
	if (o->none == (o->key != NULL))
		return opt_bad(
		    &vctl_host_bind, "give one of --key KEY.pem and --none");
	if (o->none)
		return bind_none(ctx);
	if ((about = vctl_json(ctx, "HostStatus", NULL)) == NULL)
		return EXIT_REFUSED;
	if (json_object_get(about, "epoch_name") == NULL) {
		/* An old store: this gives it its counters. */
		json_decref(about);
		if ((ex = bind_none(ctx)) != EXIT_OK ||
		    (about = vctl_json(ctx, "HostStatus", NULL)) == NULL)
			return EXIT_REFUSED;
	}
	ex = bind_key(ctx, o, about);
	json_decref(about);
	return ex;
}

/* --- tables --------------------------------------------------------------- */

#define SELECT                                                                \
	{                                                                     \
		OPT_TEXT("select", 0, "SEL", struct args, select,             \
		    "PCRs of one bank, as sha256:0,2,4,7 (default: those of " \
		    "PCRs 0-9, "                                              \
		    "14 and 17-19 that something was measured into)")         \
	}
#define LABEL                                                             \
	{                                                                 \
		OPT_TEXT("label", 0, "TEXT", struct args, label,          \
		    "name of the state (default: this system's name and " \
		    "kernel "                                             \
		    "release)")                                           \
	}
#define NUMBER(n, m, h)                                           \
	{                                                         \
		OPT_U64(n, "N", struct args, m, 1, UINT64_MAX, h) \
	}

static const struct opt approve_opts[] = {
	{ OPT_FLAG("current", 0, struct args, current,
	    "approve the host's present state") },
	{ OPT_TEXT("pcrs", 0, "FILE", struct args, pcrs,
	    "approve the state in FILE, from vtpmctl host pcrs") },
	{ OPT_TEXT("key", 0, "KEY.pem", struct args, key,
	    "sign with this private key, ECDSA on P-256 without a "
	    "passphrase") },
	SELECT,
	LABEL,
	NUMBER("epoch", epoch,
	    "approve for this epoch (default: the host's present one)"),
	NUMBER("sequence", sequence,
	    "sequence number, above all earlier ones (default: the next one)"),
	{ OPT_FLAG("sign-only", 0, struct args, sign_only,
	    "sign only, and write the approval to -o FILE; with --pcrs no "
	    "manager is needed") },
	{ OPT_TEXT(
	    "out", 'o', "FILE", struct args, out, "the file for --sign-only") },
	{ OPT_TEXT("import", 0, "FILE", struct args, import,
	    "hand an approval that was signed elsewhere to the manager") },
	{ OPT_TEXT("state", 0, "DIR", struct args, state,
	    "with --import: the manager is down; store the approval in its "
	    "state folder DIR for the next start") },
	{ OPT_FLAG("retry", 0, struct args, retry,
	    "have a sealed manager read its folder of approvals again") },
	OPT_END,
};

const struct opt_command vctl_host_approve = {
	.name = "vtpmctl host approve",
	.about =
	    "Sign a state of the host in which its TPM releases the master "
	    "key, or import a signed one.\n",
	.usage = "--current --key KEY.pem [--select SEL] [--label TEXT] "
		 "[--epoch N] [--sequence N] [--sign-only -o FILE]\n"
		 "--pcrs FILE --key KEY.pem [--select SEL] [--label TEXT] "
		 "[--epoch N] [--sequence N] [--sign-only -o FILE]\n"
		 "--import FILE [--state DIR]\n"
		 "--retry\n",
	.opts = approve_opts,
	.size = sizeof(struct args),
	.run = approve_cmd,
	.more = "Example, after an update that takes effect at the next "
		"boot:\n"
		"  vtpmctl host pcrs -o next.json    # then edit the values\n"
		"  vtpmctl host approve --pcrs next.json --key approver.pem\n",
};

static const struct opt revoke_opts[] = {
	{ OPT_TEXT("key", 0, "KEY.pem", struct args, key,
	    "first approve the present state for the new epoch, with this "
	    "key") },
	SELECT,
	LABEL,
	NUMBER("sequence", sequence,
	    "sequence number of that approval (default: the next one)"),
	{ OPT_FLAG("force", 0, struct args, force,
	    "revoke even if the next start then finds no approval that "
	    "matches") },
	OPT_END,
};

const struct opt_command vctl_host_revoke = {
	.name = "vtpmctl host revoke",
	.about = "Revoke all approvals: raise the epoch counter in the host's "
		 "TPM.\n",
	.usage = "[--key KEY.pem] [--select SEL] [--label TEXT] [--sequence N] "
		 "[--force]\n",
	.opts = revoke_opts,
	.size = sizeof(struct args),
	.run = revoke_cmd,
};

static const struct opt bind_opts[] = {
	{ OPT_TEXT("key", 0, "KEY.pem", struct args, key,
	    "bind to this approval key; with --import its public half is "
	    "enough") },
	{ OPT_TEXT("pcrs", 0, "FILE", struct args, pcrs,
	    "approve the state in FILE, from vtpmctl host pcrs (default: the "
	    "present one)") },
	SELECT,
	LABEL,
	NUMBER("epoch", epoch,
	    "approve for this epoch (default: the host's present one)"),
	NUMBER("sequence", sequence,
	    "sequence number of the first approval (default 1)"),
	{ OPT_TEXT("import", 0, "FILE", struct args, import,
	    "use this approval, signed elsewhere, and sign none") },
	{ OPT_FLAG("none", 0, struct args, none,
	    "release the master key in any state of the host") },
	OPT_END,
};

const struct opt_command vctl_host_bind = {
	.name = "vtpmctl host bind",
	.about = "Bind an existing store's master key to approved states of "
		 "the host, and approve the present one; or unbind it.\n"
		 "Nothing changes unless the TPM then releases the key.\n",
	.usage = "--key KEY.pem [--pcrs FILE] [--select SEL] [--label TEXT] "
		 "[--epoch N] [--sequence N]\n"
		 "--key PUB.pem --import FILE\n"
		 "--none\n",
	.opts = bind_opts,
	.size = sizeof(struct args),
	.run = bind_cmd,
};
