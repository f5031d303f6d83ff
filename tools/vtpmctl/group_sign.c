/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * group_sign.c - vtpmctl group sign and quote: what a tenant signs, and what
 * the host's TPM signs for the tenant.  `sign` needs no manager: it runs on
 * the tenant's machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json_hex.h"
#include "base/options.h"
#include "base/util.h"
#include "measure/host/tenant_config.h"
#include "measure/tpm/pcr_selection.h"
#include "tools/common/file.h"
#include "tools/common/json.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

#define KEY_FILE_MAX 65536

struct args {
	const char *key, *out;
	struct opt_bytes nonce;
	uint32_t number;
	uint64_t sequence;
	struct tenant_config c;
};

/* --- quote ---------------------------------------------------------------- */

static int
print_quote(const struct tenant_quote *q)
{
	return vctl_print_json(json_pack("{s:I,s:I,s:o,s:o,s:o,s:o}", "group",
	    (json_int_t)q->group, "sequence", (json_int_t)q->sequence, "nonce",
	    json_hex(q->nonce, q->nonce_len), "quote",
	    json_hex(q->attest, q->attest_len), "signature",
	    json_hex(q->sig, q->sig_len), "ak_certificate",
	    json_hex(q->ak_cert, q->ak_cert_len)));
}

static int
save_quote(struct vctl *v, const char *out, const uint8_t *p, size_t len)
{
	struct tenant_quote q;

	if (tenant_quote_get(p, len, &q) != VT_OK)
		return vctl_fail("the manager's answer is not a quote");
	if ((out != NULL || !v->json) && tool_write(out, p, len, 0644) != VT_OK)
		return EXIT_REFUSED;
	if (v->json)
		return print_quote(&q);
	if (out != NULL)
		log_info("%s: quote by the host's TPM for group %u, sequence "
			 "%llu",
		    out, q.group, (unsigned long long)q.sequence);
	return EXIT_OK;
}

static int
quote(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	struct vctl *v = ctx;
	sd_bus_message *m, *reply;
	const void *p;
	size_t len;
	int rc, r;

	(void)argc;
	if (a->out == NULL && !v->json && isatty(STDOUT_FILENO))
		return opt_bad(&vctl_group_quote,
		    "-o FILE is missing: a quote is not text for a terminal");
	if ((m = vctl_new_call(v, "GroupQuote")) == NULL)
		return EXIT_REFUSED;
	r = sd_bus_message_append(m, "s", argv[0]);
	if (r >= 0)
		r = sd_bus_message_append_array(
		    m, 'y', a->nonce.b, a->nonce.len);
	if ((reply = vctl_call(v, m, r)) == NULL)
		return EXIT_REFUSED;
	rc = vctl_take_bytes(reply, &p, &len) ? save_quote(v, a->out, p, len)
					      : EXIT_REFUSED;
	sd_bus_message_unref(reply);
	return rc;
}

/* --- sign ----------------------------------------------------------------- */

static bool
add_word(char *list, size_t width, uint32_t max, uint32_t *n, const char *word)
{
	if (*n >= max || strlen(word) >= width)
		return false;
	memcpy(list + (*n)++ * width, word, strlen(word) + 1);
	return true;
}

static int
add_admin(void *dst, const struct opt *o, const char *arg)
{
	struct tenant_config *c = &((struct args *)dst)->c;

	(void)o;
	return add_word(c->admins[0], sizeof(c->admins[0]), TENANT_ADMINS_MAX,
		   &c->nadmins, arg)
		   ? VT_OK
		   : VT_E_RANGE;
}

static int
add_policy(void *dst, const struct opt *o, const char *arg)
{
	struct tenant_config *c = &((struct args *)dst)->c;

	(void)o;
	return add_word(c->policies[0], sizeof(c->policies[0]),
		   TENANT_POLICIES_MAX, &c->npolicies, arg)
		   ? VT_OK
		   : VT_E_RANGE;
}

static int
set_pcrs(void *dst, const struct opt *o, const char *arg)
{
	struct args *a = dst;
	struct pcr_sel sel;

	(void)o;
	if (pcr_sel_parse(arg, &sel) != VT_OK || sel.n != 1)
		return VT_E_FORMAT;
	a->c.bank = sel.banks[0].alg;
	a->c.pcrs = sel.banks[0].mask;
	return VT_OK;
}

static int
sign(void *ctx, void *args, int argc, char **argv)
{
	uint8_t buf[TENANT_CONFIG_MAX], *pem = NULL;
	struct args *a = args;
	char text[128];
	size_t len = 0;
	struct wr w;
	int rc;

	(void)ctx;
	(void)argc;
	(void)argv;
	a->c.group = a->number;
	a->c.sequence = a->sequence;
	a->c.made_s = (uint64_t)time(NULL);
	if (tenant_config_check(&a->c, text, sizeof(text)) != VT_OK)
		return vctl_fail("this configuration is not valid: %s", text);
	if (tool_read(a->key, KEY_FILE_MAX, &pem, &len) != VT_OK)
		return EXIT_REFUSED;
	rc = tenant_config_sign(&a->c, (char *)pem, len);
	explicit_bzero(pem, len);
	free(pem);
	if (rc != VT_OK)
		return vctl_fail("%s: %s", a->key,
		    rc == VT_E_UNSUPPORTED || rc == VT_E_FORMAT
			? "not a private ECDSA key on P-256 in PEM"
			: vt_strerror(rc));
	wr_init(&w, buf, sizeof(buf));
	tenant_config_put(&w, &a->c);
	if ((rc = wr_err(&w)) != VT_OK)
		return vctl_fail("the configuration: %s", vt_strerror(rc));
	return tool_write(a->out, buf, w.len, 0644) == VT_OK ? EXIT_OK
							     : EXIT_REFUSED;
}

/* --- tables --------------------------------------------------------------- */

static const struct opt quote_opts[] = {
	{ OPT_HEX("nonce", "HEX", struct args, nonce, TENANT_NONCE_MIN,
	      TENANT_NONCE_MAX, "the verifier's nonce, 8 to 64 bytes"),
	    .needed = true },
	{ OPT_TEXT("out", 'o', "FILE", struct args, out,
	    "write the quote to FILE (default: standard output, if that is "
	    "not a terminal)") },
	OPT_END,
};

const struct opt_command vctl_group_quote = {
	.name = "vtpmctl group quote",
	.about = "Have the host's TPM quote with the group's attestation key; "
		 "vtpm-verify host-quote judges the result.\n",
	.operands = "NAME",
	.nmin = 1,
	.nmax = 1,
	.opts = quote_opts,
	.size = sizeof(struct args),
	.run = quote,
	.more = "Example:\n"
		"  vtpmctl group quote acme --nonce $(vtpm-verify nonce) -o "
		"acme.quote\n",
};

static const struct opt sign_opts[] = {
	{ OPT_TEXT("key", 0, "PEM", struct args, key,
	      "the group's private approval key"),
	    .needed = true },
	{ OPT_U32("number", "N", struct args, number, 0, UINT32_MAX,
	      "number of the group"),
	    .needed = true },
	{ OPT_U64("sequence", "N", struct args, sequence, 0, UINT64_MAX,
	      "sequence number, above that of the configuration before"),
	    .needed = true },
	{ OPT_CALL("pcrs", "LIST", set_pcrs, "PCRs of one bank, as sha256:0-7",
	      "PCRs of the host in the group's deep quotes: one bank, as "
	      "sha256:0-7"),
	    .needed = true },
	{ OPT_CALL("admin", "USER", add_admin, "one of at most 32 user names",
	    "user name or uid that administers the group; may be repeated") },
	{ OPT_CALL("policy", "NAME", add_policy,
	    "one of at most 16 policy names",
	    "launch the group's guests under this policy only; may be "
	    "repeated (default: any policy)") },
	{ OPT_TEXT("out", 'o', "FILE", struct args, out,
	      "write the configuration to FILE"),
	    .needed = true },
	OPT_END,
};

const struct opt_command vctl_group_sign = {
	.name = "vtpmctl group sign",
	.about = "Sign a group's configuration, on the tenant's machine; no "
		 "manager is needed.\n"
		 "The host takes it with vtpmctl group update --config.\n",
	.opts = sign_opts,
	.size = sizeof(struct args),
	.run = sign,
};
