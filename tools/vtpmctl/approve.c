/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl host approve, revoke, bind: states of the host are signed here, by a
 * key that the manager never sees.
 */
#include <sys/utsname.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/crypto.h"
#include "base/util.h"
#include "tools/vtpmctl/host.h"
#include "vtpm_manager/host/host_approvals.h"

/* Without --select: those of these that something was measured into. */
#define DEFAULT_PCRS 0x000e43ffu /* 0-9, 14, 17-19 */

struct opts {
	const char *pcrs, *key, *select, *label, *import, *out, *state;
	uint64_t epoch, sequence;
	bool current, sign_only, retry, force, none;
};

enum {
	O_CURRENT = 256,
	O_PCRS,
	O_KEY,
	O_SELECT,
	O_LABEL,
	O_IMPORT,
	O_STATE,
	O_EPOCH,
	O_SEQUENCE,
	O_SIGN_ONLY,
	O_RETRY,
	O_FORCE,
	O_NONE
};

static const struct option longs[] = {
	{ "current", no_argument, NULL, O_CURRENT },
	{ "pcrs", required_argument, NULL, O_PCRS },
	{ "key", required_argument, NULL, O_KEY },
	{ "select", required_argument, NULL, O_SELECT },
	{ "label", required_argument, NULL, O_LABEL },
	{ "import", required_argument, NULL, O_IMPORT },
	{ "state", required_argument, NULL, O_STATE },
	{ "epoch", required_argument, NULL, O_EPOCH },
	{ "sequence", required_argument, NULL, O_SEQUENCE },
	{ "sign-only", no_argument, NULL, O_SIGN_ONLY },
	{ "retry", no_argument, NULL, O_RETRY },
	{ "force", no_argument, NULL, O_FORCE },
	{ "none", no_argument, NULL, O_NONE },
	{ NULL, 0, NULL, 0 },
};

static bool
get_number(const char *text, uint64_t *ret)
{
	char *end;

	*ret = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *ret != 0;
}

static bool
set_flag(struct opts *o, int c)
{
	o->current |= c == O_CURRENT;
	o->sign_only |= c == O_SIGN_ONLY;
	o->retry |= c == O_RETRY;
	o->force |= c == O_FORCE;
	o->none |= c == O_NONE;
	return c == O_CURRENT || c == O_SIGN_ONLY || c == O_RETRY ||
	       c == O_FORCE || c == O_NONE;
}

static bool
set_option(struct opts *o, int c, const char *arg)
{
	const struct {
		int c;
		const char **to;
	} texts[] = {
		{ O_PCRS, &o->pcrs },
		{ O_KEY, &o->key },
		{ O_SELECT, &o->select },
		{ O_LABEL, &o->label },
		{ O_IMPORT, &o->import },
		{ O_STATE, &o->state },
		{ 'o', &o->out },
	};
	size_t i;

	for (i = 0; i < VT_NELEM(texts); i++)
		if (texts[i].c == c) {
			*texts[i].to = arg;
			return true;
		}
	if (c == O_EPOCH)
		return get_number(arg, &o->epoch);
	if (c == O_SEQUENCE)
		return get_number(arg, &o->sequence);
	return set_flag(o, c);
}

static int
parse(struct vctl *v, int argc, char **argv, struct opts *o)
{
	int c;

	memset(o, 0, sizeof(*o));
	while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1)
		if (!set_option(o, c, optarg))
			return vctl_usage(v, "wrong option or value");
	return optind == argc ? EXIT_OK
			      : vctl_usage(v, "'%s' is too much", argv[optind]);
}

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
choose_pcrs(const struct opts *o, const json_t *pcrs, uint16_t *ret_alg,
    uint32_t *ret_mask)
{
	const char *bank;
	struct pcr_sel sel;

	if (o->select == NULL) {
		if ((bank = default_bank(pcrs)) == NULL)
			return vctl_fail("there is no bank but SHA-1: enable "
					 "SHA-256 in the firmware");
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
	char key[4];
	size_t n = 0;
	const char *hex;

	(void)snprintf(key, sizeof(key), "%u", (unsigned)pcr);
	hex = json_string_value(json_object_get(bank, key));
	if (hex == NULL || hex_decode(hex, val, sizeof(val), &n) != VT_OK ||
	    n != digest_len(alg))
		return wanted ? vctl_fail("there is no value of PCR %s (%s)",
				    key, digest_name(alg))
			      : EXIT_OK;
	/* What was chosen by hand and is all 00 or FF is refused later. */
	if (!wanted && pcr_is_extreme(val, n))
		return EXIT_OK;
	return pcr_put(&a->pcrs, alg, pcr, val) == VT_OK
		   ? EXIT_OK
		   : vctl_fail("PCR %s cannot be taken", key);
}

static int
fill_pcrs(const struct opts *o, const json_t *pcrs, struct approval *a)
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
make_label(const struct opts *o, struct approval *a)
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
fill(const struct opts *o, const json_t *about, const json_t *state,
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
sign(const struct opts *o, struct approval *a, uint8_t *out, size_t cap,
    size_t *ret_len)
{
	struct pcr_sel sel = { .n = 1 };
	char text[256];
	uint8_t *pem = NULL;
	size_t len = 0;
	struct wr w;
	int rc;

	if (vctl_host_read(o->key, HOST_KEY_FILE_MAX, &pem, &len) != VT_OK)
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
	(void)fprintf(stderr,
	    "signed: '%s', %s, sequence %" PRIu64 ", epoch %" PRIu64 "\n",
	    a->label, text, a->sequence, a->epoch);
	return EXIT_OK;
}

/* A verifier may take approvals for its list of host states: it will not know
 * the host again by one over other PCRs than those that are quoted. */
static void
note_selection(const struct approval *a, const json_t *about)
{
	const char *text =
	    json_string_value(json_object_get(about, "deep_pcrs"));
	struct pcr_sel sel;

	if (text == NULL || pcr_sel_parse(text, &sel) != VT_OK || sel.n != 1 ||
	    (sel.banks[0].alg == a->pcrs.banks[0].alg &&
		sel.banks[0].mask == a->pcrs.banks[0].valid))
		return;
	(void)fprintf(stderr,
	    "note: the host's deep quotes cover other PCRs (%s): for "
	    "verifiers, approve with --select %s, set deep_pcrs in "
	    "vtpm-managerd.conf(5), or make their list with `vtpm-verify "
	    "host-states --pcrs`\n",
	    text, text);
}

/* Sign what the options say; about: NULL, the manager is asked. */
static int
make(struct vctl *v, struct opts *o, json_t *about, uint8_t *out, size_t cap,
    size_t *ret_len)
{
	json_t *file = NULL, *asked = NULL;
	struct approval a;
	int ex = EXIT_REFUSED;

	if (o->pcrs != NULL &&
	    (file = vctl_host_load(o->pcrs, "vtpm-host-pcrs")) == NULL)
		return EXIT_REFUSED;
	if (about == NULL && !(o->sign_only && file != NULL)) {
		if ((asked = vctl_host_ask(v)) == NULL)
			goto out;
		about = asked;
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
put_into_folder(const struct opts *o, const uint8_t *raw, size_t len)
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
	(void)printf("'%s' (sequence %" PRIu64 ") is there for the next start "
		     "of the manager, which verifies it\n",
	    a.label, a.sequence);
	return EXIT_OK;
}

static int
import(struct vctl *v, const struct opts *o)
{
	struct vctl_bytes arg;
	uint8_t *raw = NULL;
	size_t len = 0;
	int ex;

	if (vctl_host_read(o->import, APPROVAL_MAX_LEN, &raw, &len) != VT_OK)
		return EXIT_REFUSED;
	arg.p = raw;
	arg.len = len;
	if (len == 0)
		ex = vctl_fail("%s is empty", o->import);
	else if (o->state != NULL)
		ex = put_into_folder(o, raw, len);
	else
		ex = vctl_host_change(v, "HostApprove", &arg, 1);
	free(raw);
	return ex;
}

int
vctl_host_approve(struct vctl *v, int argc, char **argv)
{
	uint8_t raw[APPROVAL_MAX_LEN];
	struct vctl_bytes arg = { raw, 0 };
	struct opts o;
	int ex, rc;

	if ((ex = parse(v, argc, argv, &o)) != EXIT_OK)
		return ex;
	if (o.retry)
		return vctl_host_change(v, "HostApprove", &arg, 1);
	if (o.import != NULL)
		return o.current || o.pcrs != NULL || o.key != NULL
			   ? vctl_usage(v, "--import stands alone")
			   : import(v, &o);
	if (o.current == (o.pcrs != NULL) || o.key == NULL ||
	    o.sign_only != (o.out != NULL))
		return vctl_usage(v, "--current or --pcrs FILE, and --key; "
				     "--sign-only goes with -o");
	ex = make(v, &o, NULL, raw, sizeof(raw), &arg.len);
	if (ex != EXIT_OK)
		return ex;
	if (!o.sign_only)
		return vctl_host_change(v, "HostApprove", &arg, 1);
	if ((rc = write_file_atomic(o.out, raw, arg.len, 0644)) != VT_OK)
		return vctl_fail("%s: %s", o.out, vt_strerror(rc));
	return EXIT_OK;
}

/* --- revoke --------------------------------------------------------------- */

static int
raise_epoch(struct vctl *v, uint64_t epoch, bool force)
{
	sd_bus_message *m = vctl_new_call(v, "HostRevoke"), *reply;
	const char *text = "done";
	int r;

	if (m == NULL)
		return EXIT_REFUSED;
	if ((r = sd_bus_message_append(m, "tb", epoch, (int)force)) < 0) {
		sd_bus_message_unref(m);
		return vctl_fail("%s", strerror(-r));
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return EXIT_REFUSED;
	(void)sd_bus_message_read(reply, "s", &text);
	if (v->json)
		(void)vctl_print_json(json_pack("{s:s}", "result", text));
	else
		(void)printf("%s\n", text);
	sd_bus_message_unref(reply);
	return EXIT_OK;
}

/* The present state is approved for the new epoch before the old one ends:
 * at no instant is there none. */
int
vctl_host_revoke(struct vctl *v, int argc, char **argv)
{
	uint8_t raw[APPROVAL_MAX_LEN];
	struct vctl_bytes arg = { raw, 0 };
	uint64_t epoch;
	struct opts o;
	json_t *about;
	int ex;

	if ((ex = parse(v, argc, argv, &o)) != EXIT_OK)
		return ex;
	if (o.current || o.pcrs != NULL || o.import != NULL || o.sign_only ||
	    o.none)
		return vctl_usage(v, "wrong option");
	if ((about = vctl_host_ask(v)) == NULL)
		return EXIT_REFUSED;
	epoch = vctl_num(about, "epoch");
	if (o.key != NULL) {
		o.epoch = epoch + 1;
		ex = make(v, &o, about, raw, sizeof(raw), &arg.len);
		if (ex == EXIT_OK)
			ex = vctl_host_change(v, "HostApprove", &arg, 1);
	}
	json_decref(about);
	return ex == EXIT_OK ? raise_epoch(v, epoch, o.force) : ex;
}

/* --- bind ----------------------------------------------------------------- */

static int
bind_none(struct vctl *v)
{
	const struct vctl_bytes args[] = { { NULL, 0 }, { NULL, 0 } };

	return vctl_host_change(v, "HostBind", args, 2);
}

static int
bind_key(struct vctl *v, struct opts *o, json_t *about)
{
	uint8_t raw[APPROVAL_MAX_LEN], key[APPROVAL_KEY_LEN];
	struct vctl_bytes args[] = { { key, sizeof(key) }, { raw, 0 } };
	uint8_t *p = NULL;
	size_t len = 0;
	int ex, rc;

	if (vctl_host_read(o->key, HOST_KEY_FILE_MAX, &p, &len) != VT_OK)
		return EXIT_REFUSED;
	rc = approval_key_read(p, len, key);
	OPENSSL_cleanse(p, len);
	free(p);
	if (rc != VT_OK)
		return vctl_fail("%s: this is not a P-256 key in PEM", o->key);
	if (o->import == NULL) {
		o->sequence = o->sequence != 0 ? o->sequence : 1;
		ex = make(v, o, about, raw, sizeof(raw), &args[1].len);
		return ex == EXIT_OK ? vctl_host_change(v, "HostBind", args, 2)
				     : ex;
	}
	if (vctl_host_read(o->import, APPROVAL_MAX_LEN, &p, &len) != VT_OK)
		return EXIT_REFUSED;
	args[1].p = p;
	args[1].len = len;
	ex = vctl_host_change(v, "HostBind", args, 2);
	free(p);
	return ex;
}

int
vctl_host_bind(struct vctl *v, int argc, char **argv)
{
	struct opts o;
	json_t *about;
	int ex;

	if ((ex = parse(v, argc, argv, &o)) != EXIT_OK)
		return ex;
	if (o.none == (o.key != NULL))
		return vctl_usage(v, "--key KEY.pem, or --none");
	if (o.none)
		return bind_none(v);
	if ((about = vctl_host_ask(v)) == NULL)
		return EXIT_REFUSED;
	if (json_object_get(about, "epoch_name") == NULL) {
		/* An old store: this gives it its counters. */
		json_decref(about);
		if ((ex = bind_none(v)) != EXIT_OK ||
		    (about = vctl_host_ask(v)) == NULL)
			return EXIT_REFUSED;
	}
	ex = bind_key(v, &o, about);
	json_decref(about);
	return ex;
}
