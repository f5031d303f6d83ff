/* SPDX-License-Identifier: BSD-3-Clause */
/* cmd_show.c - vtpm-seal show: what is in a blob, or in a file of approvals;
 * no TPM is needed. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_hex.h"
#include "base/log.h"
#include "base/util.h"
#include "tools/common/file.h"
#include "tools/common/json.h"
#include "tools/seal/cmd_common.h"
#include "tools/seal/commands.h"
#include "tools/seal/systemd_json.h"

struct args {
	const char *authority;
	bool json;
};

/* A file, and the key that its signatures are checked by. */
struct work {
	const struct args *a;
	const char *path;
	uint8_t *buf;
	size_t len;
	bool have_key;
	struct seal_key key;
};

static void
print_pcrs(const struct pcr_sel *sel, const struct pcr_set *pcrs)
{
	char hex[2 * DIGEST_MAX + 1];
	const uint8_t *val;
	uint32_t k, i;

	for (k = 0; k < sel->n; k++)
		for (i = 0; i < PCR_COUNT; i++) {
			if ((sel->banks[k].mask >> i & 1) == 0)
				continue;
			val = pcr_get(pcrs, sel->banks[k].alg, i);
			if (val == NULL)
				continue;
			hex_encode(val, digest_len(sel->banks[k].alg), hex);
			(void)printf("%s PCR %-2u %s\n",
			    digest_name(sel->banks[k].alg), i, hex);
		}
}

/* --- a blob -----------------------------------------------------------------
 */

static void
print_hex(const char *what, const uint8_t *p, size_t len, const char *more)
{
	char hex[2 * (2 + DIGEST_MAX) + 1];

	hex_encode(p, len, hex);
	(void)printf("%s %s%s\n", what, hex, more);
}

static void
print_blob(const struct seal_blob *b)
{
	char sel[256];

	if ((b->flags & SB_AUTHORITY) != 0) {
		(void)printf("sealed to the states approved for %s\n", b->ref);
		print_hex("authority", b->authority.print, SHA256_LEN, "");
		(void)printf("epoch counter 0x%08x\n", b->epoch_index);
	} else {
		pcr_sel_format(&b->sel, sel, sizeof(sel));
		(void)printf("sealed to %s\n", sel);
	}
	if ((b->flags & SB_PASSPHRASE) != 0)
		(void)printf("recovery by passphrase\n");
	if ((b->flags & SB_RECOVERY_KEY) != 0)
		print_hex("recovery by key", b->recovery.print, SHA256_LEN, "");
	print_hex("storage key", b->srk_name.b, b->srk_name.len,
	    b->srk_handle == 0 ? " (standard primary key)" : "");
	if ((b->flags & SB_AUTHORITY) == 0)
		print_pcrs(&b->sel, &b->pcrs);
}

static json_t *
json_pcrs(const struct pcr_sel *sel, const struct pcr_set *pcrs)
{
	struct approved one = { .sel = *sel, .pcrs = *pcrs };
	json_t *o = approved_json(&one), *p;

	p = json_incref(json_object_get(o, "pcrs"));
	json_decref(o);
	return p;
}

static json_t *
json_blob(const struct seal_blob *b)
{
	json_t *o;
	char index[11];

	o = json_pack("{s:s, s:i, s:o, s:b, s:b}", "format", "vtpm-seal-blob",
	    "version", 1, "storage_key",
	    json_hex(b->srk_name.b, b->srk_name.len), "recovery_passphrase",
	    (b->flags & SB_PASSPHRASE) != 0, "bulk", (b->flags & SB_BULK) != 0);
	if ((b->flags & SB_AUTHORITY) != 0) {
		(void)snprintf(index, sizeof(index), "0x%08x", b->epoch_index);
		(void)json_object_set_new(
		    o, "authority", json_hex(b->authority.print, SHA256_LEN));
		(void)json_object_set_new(o, "ref", json_string(b->ref));
		(void)json_object_set_new(o, "epoch_index", json_string(index));
	} else {
		(void)json_object_set_new(
		    o, "pcrs", json_pcrs(&b->sel, &b->pcrs));
	}
	if ((b->flags & SB_RECOVERY_KEY) != 0)
		(void)json_object_set_new(
		    o, "recovery_key", json_hex(b->recovery.print, SHA256_LEN));
	return o;
}

static int
show_blob(const struct work *w)
{
	struct seal_blob b;
	int rc;

	if ((rc = seal_blob_get(w->buf, w->len, &b)) != VT_OK) {
		log_err("not a sealed blob, or damaged: %s", vt_strerror(rc));
		return SX_FAILED;
	}
	if (w->a->json)
		return seal_exit(tool_json_save(NULL, json_blob(&b), 0644));
	print_blob(&b);
	return SX_DONE;
}

/* --- approvals --------------------------------------------------------------
 */

/* In words; *bad is set if the key did not sign it. */
static const char *
signature(const struct work *w, const uint8_t print[SHA256_LEN],
    const uint8_t *msg, size_t len, const uint8_t *sig, size_t n, bool *bad)
{
	if (n == 0)
		return "not signed: a request";
	if (!w->have_key)
		return "signature not checked: no --authority";
	if (memcmp(print, w->key.print, SHA256_LEN) != 0)
		return "by another key";
	if (seal_key_verify(&w->key, msg, len, sig, n) == VT_OK)
		return "signed by the authority";
	*bad = true;
	return "FORGED: not the authority's signature";
}

static bool
print_approval(const struct work *w, const struct approved *one)
{
	uint8_t msg[AP_MSG_MAX];
	const char *words = "";
	bool bad = false;
	size_t len = 0;

	if (approved_message(one, msg, &len) == VT_OK)
		words = signature(
		    w, one->print, msg, len, one->sig, one->sig_len, &bad);
	if (w->a->json)
		return bad;
	(void)printf("approval '%s' for %s, up to epoch %llu of 0x%08x\n",
	    one->label, one->ref, (unsigned long long)one->epoch,
	    one->epoch_index);
	print_hex("key", one->print, SHA256_LEN, "");
	(void)printf("%s\n", words);
	print_pcrs(&one->sel, &one->pcrs);
	return bad;
}

/* A file with "approvals" in it; a blob beside them is shown first. */
static int
show_approvals(struct work *w)
{
	struct approvals appr;
	char err[AP_ERR_MAX];
	struct seal_blob b;
	uint8_t *blob = NULL;
	bool bad = false;
	size_t i, n = 0;
	int rc;

	if ((rc = approvals_get(w->buf, w->len, &appr, err)) != VT_OK) {
		log_err(
		    "%s: %s", w->path, err[0] != '\0' ? err : vt_strerror(rc));
		return SX_FAILED;
	}
	if (!w->a->json && approvals_blob(&appr, &blob, &n) == VT_OK &&
	    seal_blob_get(blob, n, &b) == VT_OK)
		print_blob(&b);
	free(blob);
	for (i = 0; i < appr.n; i++)
		bad |= print_approval(w, &appr.list[i]);
	if (w->a->json)
		rc = tool_json_save(NULL, approvals_json(&appr), 0644);
	approvals_free(&appr);
	if (rc != VT_OK)
		return SX_FAILED;
	return bad ? SX_REFUSED : SX_DONE;
}

static int
show_systemd(const struct work *w)
{
	char err[SD_ERR_MAX], text[256];
	struct sd_sigs s;
	bool bad = false;
	int rc = VT_OK;
	size_t i;

	if (sd_sigs_get(w->buf, w->len, &s, err) != VT_OK) {
		log_err("%s: neither approvals nor systemd's signatures: %s",
		    w->path, err);
		return SX_FAILED;
	}
	for (i = 0; i < s.n; i++) {
		const struct sd_sig *one = &s.list[i];
		struct pcr_sel sel = { .n = 1,
			.banks[0] = { one->alg, one->mask } };
		const char *words = signature(w, one->print, one->pol,
		    sizeof(one->pol), one->sig, one->sig_len, &bad);

		if (w->a->json)
			continue;
		pcr_sel_format(&sel, text, sizeof(text));
		(void)printf("systemd's signature for %s\n", text);
		print_hex("key", one->print, SHA256_LEN, "");
		print_hex("policy", one->pol, SHA256_LEN, "");
		(void)printf("%s\n", words);
	}
	if (w->a->json)
		rc = tool_json_save(NULL, sd_sigs_json(&s), 0644);
	sd_sigs_free(&s);
	if (rc != VT_OK)
		return SX_FAILED;
	return bad ? SX_REFUSED : SX_DONE;
}

static bool
is_approvals(const struct work *w)
{
	json_error_t je;
	json_t *root = json_loadb((char *)w->buf, w->len, 0, &je);
	bool yes = json_object_get(root, "approvals") != NULL;

	json_decref(root);
	return yes;
}

static int
run(void *ctx, void *args, int argc, char **argv)
{
	struct work w = { .a = args, .path = argv[0] };
	int code;

	(void)ctx;
	(void)argc;
	if (w.a->authority != NULL) {
		if (seal_read_key(w.a->authority, &w.key) != VT_OK)
			return SX_FAILED;
		w.have_key = true;
	}
	if (seal_read_in(w.path, SB_FILE_MAX, &w.buf, &w.len) != VT_OK)
		return SX_FAILED;
	if (w.len == 0 || w.buf[0] != '{')
		code = show_blob(&w);
	else if (is_approvals(&w))
		code = show_approvals(&w);
	else
		code = show_systemd(&w);
	free(w.buf);
	return code;
}

static const struct opt opts[] = {
	{ OPT_TEXT("authority", 0, "KEY.pub", struct args, authority,
	    "check the signatures of approvals by this key") },
	{ OPT_FLAG("json", 0, struct args, json, "print JSON") },
	OPT_END,
};

const struct opt_command show_cmd = {
	.name = "vtpm-seal show",
	.about = "Show what a blob is sealed to, or what a file of approvals "
		 "approves, ours or systemd's; no TPM is needed.\n",
	.operands = "FILE",
	.nmin = 1,
	.nmax = 1,
	.opts = opts,
	.size = sizeof(struct args),
	.run = run,
};
