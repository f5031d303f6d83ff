/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host.c - vtpmctl host: the host's own TPM, and the states of the host in
 * which it releases the manager's master key.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/options.h"
#include "base/util.h"
#include "tools/common/json.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

struct args {
	const char *out;
};

/* --- status --------------------------------------------------------------- */

static void
print_pcrs(const json_t *pcrs)
{
	const char *bank, *pcr, *hex;
	json_t *vals, *val;

	json_object_foreach((json_t *)(uintptr_t)pcrs, bank, vals)
	{
		if (strcmp(bank, "sha1") == 0)
			continue;
		json_object_foreach(vals, pcr, val)
		{
			hex = json_string_value(val);
			if (hex != NULL && strspn(hex, "0") != strlen(hex) &&
			    strspn(hex, "f") != strlen(hex))
				(void)printf(
				    "  %s %2s  %.32s..\n", bank, pcr, hex);
		}
	}
}

static void
print_approval(const json_t *a)
{
	char when[32];
	bool alive = vctl_is(a, "alive");
	const json_t *fits = json_object_get(a, "fits");

	(void)printf("  %4llu  epoch %llu  %s  %-12s '%s', PCRs",
	    vctl_num(a, "sequence"), vctl_num(a, "epoch"),
	    vctl_time(vctl_num(a, "made") * 1000, when),
	    !alive                ? "dead"
	    : json_is_true(fits)  ? "FITS NOW"
	    : json_is_false(fits) ? "does not fit"
				  : "alive",
	    vctl_text(a, "label"));
	{
		const char *pcr;
		json_t *val;
		int n = 0;

		json_object_foreach(json_object_get(a, "pcrs"), pcr, val)
		{
			(void)val;
			(void)printf("%s%s", n++ == 0 ? " " : ",", pcr);
		}
	}
	(void)printf(" (%s)\n", vctl_text(a, "bank"));
	if (json_object_get(a, "differs") != NULL)
		(void)printf("        %s\n", vctl_text(a, "differs"));
}

static void
print_status(const json_t *o)
{
	const json_t *list = json_object_get(o, "approvals");
	size_t i;

	if (vctl_is(o, "sealed"))
		(void)printf("%-10s %s\n", "SEALED", vctl_text(o, "why"));
	(void)printf("%-10s %s, TPM over %s\n", "Root", vctl_text(o, "root"),
	    vctl_text(o, "tcti"));
	if (json_object_get(o, "tpm_error") != NULL)
		(void)printf("%-10s %s\n", "TPM", vctl_text(o, "tpm_error"));
	if (json_object_get(o, "approval_key") != NULL)
		(void)printf("%-10s released in states signed by the key "
			     "SHA-256 %.32s..\n",
		    "Master key", vctl_text(o, "approval_key_sha256"));
	else
		(void)printf("%-10s bound to this TPM, to no state of the "
			     "host (vtpmctl host bind)\n",
		    "Master key");
	if (json_object_get(o, "tpm_error") != NULL)
		(void)printf(
		    "%-10s unknown: the TPM does not answer\n", "Counters");
	else
		(void)printf("%-10s epoch %llu, anchor %llu\n", "Counters",
		    vctl_num(o, "epoch"), vctl_num(o, "anchor"));
	(void)printf("%-10s %s in deep quotes (deep_pcrs)\n", "Quoted",
	    vctl_text(o, "deep_pcrs"));
	(void)printf("Approvals  %zu, next sequence %llu\n",
	    json_array_size(list), vctl_num(o, "next_sequence"));
	for (i = 0; i < json_array_size(list); i++)
		print_approval(json_array_get(list, i));
	if (json_object_get(o, "pcrs") != NULL)
		(void)printf("PCRs that something was measured into\n");
	print_pcrs(json_object_get(o, "pcrs"));
}

static int
status(void *ctx, void *args, int argc, char **argv)
{
	struct vctl *v = ctx;
	json_t *o;

	(void)args;
	(void)argc;
	(void)argv;
	if ((o = vctl_json(v, "HostStatus", NULL)) == NULL)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(o);
	print_status(o);
	json_decref(o);
	return EXIT_OK;
}

/* --- pcrs ----------------------------------------------------------------- */

static int
pcrs(void *ctx, void *args, int argc, char **argv)
{
	static const char *const keys[] = { "host", "epoch", "epoch_name",
		"next_sequence", "deep_pcrs", "deep_pcrs_set", "pcrs" };
	const struct args *a = args;
	json_t *o, *f, *val;
	size_t i;
	int rc;

	(void)argc;
	(void)argv;
	if ((o = vctl_json(ctx, "HostStatus", NULL)) == NULL)
		return EXIT_REFUSED;
	if (json_object_get(o, "pcrs") == NULL) {
		rc = vctl_fail("the host's TPM gives no PCRs: %s",
		    vctl_text(o, "tpm_error"));
		json_decref(o);
		return rc;
	}
	f = json_pack("{s:s,s:i}", "format", "vtpm-host-pcrs", "version", 1);
	for (i = 0; i < VT_NELEM(keys); i++)
		if ((val = json_object_get(o, keys[i])) != NULL)
			(void)json_object_set(f, keys[i], val);
	json_decref(o);
	return tool_json_save(a->out, f, 0644) == VT_OK ? EXIT_OK
							: EXIT_REFUSED;
}

/* --- keygen --------------------------------------------------------------- */

static int
write_key(const char *path, EVP_PKEY *key, bool secret)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *p;
	long n;
	int rc = VT_E_CRYPTO;

	if (bio == NULL)
		return VT_E_NOMEM;
	if ((secret ? PEM_write_bio_PrivateKey(
			  bio, key, NULL, NULL, 0, NULL, NULL)
		    : PEM_write_bio_PUBKEY(bio, key)) == 1 &&
	    (n = BIO_get_mem_data(bio, &p)) > 0)
		rc =
		    write_file_atomic(path, p, (size_t)n, secret ? 0600 : 0644);
	BIO_free(bio);
	return rc;
}

static int
keygen(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	char pub[4096];
	EVP_PKEY *key;
	int n, rc;

	(void)ctx;
	(void)argc;
	(void)argv;
	if (access(a->out, F_OK) == 0)
		return vctl_fail("%s exists, and is not overwritten", a->out);
	n = snprintf(pub, sizeof(pub), "%s.pub", a->out);
	if (n < 0 || (size_t)n >= sizeof(pub))
		return vctl_fail("the file's name is too long");
	if ((key = EVP_EC_gen("P-256")) == NULL)
		return vctl_fail("cannot generate a key");
	rc = write_key(a->out, key, true);
	if (rc == VT_OK)
		rc = write_key(pub, key, false);
	EVP_PKEY_free(key);
	if (rc != VT_OK)
		return vctl_fail("%s: %s", a->out, vt_strerror(rc));
	(void)printf("%s: the approval key; keep it off this host\n"
		     "%s: its public half, for `vtpmctl host bind` or "
		     "approval_key in vtpm-managerd.conf(5)\n",
	    a->out, pub);
	return EXIT_OK;
}

/* --- tables --------------------------------------------------------------- */

static const struct opt pcrs_opts[] = {
	{ OPT_TEXT("out", 'o', "FILE", struct args, out,
	    "write to FILE (default: standard output)") },
	OPT_END,
};

static const struct opt keygen_opts[] = {
	{ OPT_TEXT("out", 'o', "KEY.pem", struct args, out,
	      "the private key; the public one goes to KEY.pem.pub"),
	    .needed = true },
	OPT_END,
};

static const struct opt_command status_cmd = {
	.name = "vtpmctl host status",
	.about = "Show the root, what the master key is bound to, counters, "
		 "PCRs and every approval.\n",
	.run = status,
};

static const struct opt_command pcrs_cmd = {
	.name = "vtpmctl host pcrs",
	.about = "Save the host's PCRs, to approve its state on another "
		 "machine, or for vtpm-verify host-states.\n",
	.opts = pcrs_opts,
	.size = sizeof(struct args),
	.run = pcrs,
};

static const struct opt_command keygen_cmd = {
	.name = "vtpmctl host keygen",
	.about = "Generate an approval key, ECDSA on P-256; no manager is "
		 "needed.\n"
		 "Keep the private key off the host.\n",
	.opts = keygen_opts,
	.size = sizeof(struct args),
	.run = keygen,
};

static const struct opt_command *const commands[] = { &status_cmd, &pcrs_cmd,
	&keygen_cmd, &vctl_host_approve, &vctl_host_revoke, &vctl_host_bind,
	&vctl_host_enrol, &vctl_host_escrow, &vctl_host_recover, NULL };

const struct opt_command vctl_host = {
	.name = "vtpmctl host",
	.about = "Manage the host's own TPM: approved states, enrolment and "
		 "escrow.\n",
	.commands = commands,
};
