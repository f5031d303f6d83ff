/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl host: the host's own TPM, what it releases the master key for.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "tools/vtpmctl/host.h"

/* --- shared --------------------------------------------------------------- */

json_t *
vctl_host_ask(struct vctl *v)
{
	return vctl_json(v, "HostStatus", NULL);
}

int
vctl_host_read(const char *path, size_t max, uint8_t **ret, size_t *ret_len)
{
	int rc = read_file(path, max, ret, ret_len);

	if (rc != VT_OK)
		(void)vctl_fail("%s: %s", path, vt_strerror(rc));
	return rc;
}

json_t *
vctl_host_load(const char *path, const char *format)
{
	const char *f = NULL;
	uint8_t *buf = NULL;
	int version = 0;
	size_t len = 0;
	json_error_t je;
	json_t *o;

	if (vctl_host_read(path, HOST_JSON_MAX, &buf, &len) != VT_OK)
		return NULL;
	o = json_loadb((char *)buf, len, JSON_REJECT_DUPLICATES, &je);
	free(buf);
	if (o == NULL) {
		(void)vctl_fail("%s: %s", path, je.text);
		return NULL;
	}
	if (json_unpack(o, "{s:s, s:i}", "format", &f, "version", &version) !=
		0 ||
	    strcmp(f, format) != 0 || version != 1) {
		(void)vctl_fail(
		    "%s: this is not a %s file of version 1", path, format);
		json_decref(o);
		return NULL;
	}
	return o;
}

int
vctl_host_save(const char *path, json_t *o, unsigned int mode)
{
	char *text;
	int rc;

	if (path == NULL)
		return vctl_print_json(o);
	text = o != NULL ? json_dumps(o, JSON_INDENT(1)) : NULL;
	json_decref(o);
	if (text == NULL)
		return vctl_fail("out of memory");
	rc = write_file_atomic(path, text, strlen(text), mode);
	free(text);
	return rc == VT_OK ? EXIT_OK
			   : vctl_fail("%s: %s", path, vt_strerror(rc));
}

int
vctl_host_change(struct vctl *v, const char *method,
    const struct vctl_bytes *args, size_t nargs)
{
	sd_bus_message *m = vctl_new_call(v, method), *reply;
	const char *text = "";
	size_t i;
	int r = 0;

	if (m == NULL)
		return EXIT_REFUSED;
	for (i = 0; i < nargs && r >= 0; i++)
		r = sd_bus_message_append_array(m, 'y', args[i].p, args[i].len);
	if (r < 0) {
		sd_bus_message_unref(m);
		return vctl_fail("%s", strerror(-r));
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return EXIT_REFUSED;
	if (sd_bus_message_read(reply, "s", &text) < 0)
		text = "done";
	if (v->json)
		(void)vctl_print_json(json_pack("{s:s}", "result", text));
	else
		(void)printf("%s\n", text);
	sd_bus_message_unref(reply);
	return EXIT_OK;
}

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
	bool alive = json_is_true(json_object_get(a, "alive"));
	const json_t *fits = json_object_get(a, "fits");

	(void)printf("  %4llu  epoch %llu  %s  %-12s '%s', PCRs",
	    (unsigned long long)vctl_num(a, "sequence"),
	    (unsigned long long)vctl_num(a, "epoch"),
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

	if (json_is_true(json_object_get(o, "sealed")))
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
		(void)printf("%-10s not known now\n", "Counters");
	else
		(void)printf("%-10s epoch %llu, anchor %llu\n", "Counters",
		    (unsigned long long)vctl_num(o, "epoch"),
		    (unsigned long long)vctl_num(o, "anchor"));
	(void)printf("%-10s %s in deep quotes (deep_pcrs)\n", "Quoted",
	    vctl_text(o, "deep_pcrs"));
	(void)printf("Approvals  %zu, next sequence %llu\n",
	    json_array_size(list),
	    (unsigned long long)vctl_num(o, "next_sequence"));
	for (i = 0; i < json_array_size(list); i++)
		print_approval(json_array_get(list, i));
	if (json_object_get(o, "pcrs") != NULL)
		(void)printf("PCRs that something was measured into\n");
	print_pcrs(json_object_get(o, "pcrs"));
}

static int
host_status(struct vctl *v, int argc, char **argv)
{
	json_t *o;

	(void)argv;
	if (argc != 1)
		return vctl_usage(v, "status takes no argument");
	if ((o = vctl_host_ask(v)) == NULL)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(o);
	print_status(o);
	json_decref(o);
	return EXIT_OK;
}

/* For a signer on another machine, and to be edited for the next boot. */
static int
host_pcrs(struct vctl *v, int argc, char **argv)
{
	static const char *const keys[] = { "host", "epoch", "epoch_name",
		"next_sequence", "deep_pcrs", "pcrs" };
	const char *out = NULL;
	json_t *o, *f, *val;
	size_t i;
	int c;

	while ((c = getopt(argc, argv, "o:")) != -1) {
		if (c != 'o')
			return vctl_usage(v, "wrong option");
		out = optarg;
	}
	if (optind != argc)
		return vctl_usage(v, "pcrs takes -o FILE");
	if ((o = vctl_host_ask(v)) == NULL)
		return EXIT_REFUSED;
	if (json_object_get(o, "pcrs") == NULL) {
		c = vctl_fail("the host's TPM gives no PCRs: %s",
		    vctl_text(o, "tpm_error"));
		json_decref(o);
		return c;
	}
	f = json_pack("{s:s,s:i}", "format", "vtpm-host-pcrs", "version", 1);
	for (i = 0; i < VT_NELEM(keys); i++)
		if ((val = json_object_get(o, keys[i])) != NULL)
			(void)json_object_set(f, keys[i], val);
	json_decref(o);
	return vctl_host_save(out, f, 0644);
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
host_keygen(struct vctl *v, int argc, char **argv)
{
	const char *out = NULL;
	char pub[4096];
	EVP_PKEY *key;
	int c, n, rc;

	while ((c = getopt(argc, argv, "o:")) != -1) {
		if (c != 'o')
			return vctl_usage(v, "wrong option");
		out = optarg;
	}
	if (optind != argc || out == NULL)
		return vctl_usage(v, "keygen needs -o KEY.pem");
	if (access(out, F_OK) == 0)
		return vctl_fail(
		    "%s is there already: it is not replaced", out);
	n = snprintf(pub, sizeof(pub), "%s.pub", out);
	if (n < 0 || (size_t)n >= sizeof(pub))
		return vctl_fail("the name is too long");
	if ((key = EVP_EC_gen("P-256")) == NULL)
		return vctl_fail("no key could be made");
	rc = write_key(out, key, true);
	if (rc == VT_OK)
		rc = write_key(pub, key, false);
	EVP_PKEY_free(key);
	if (rc != VT_OK)
		return vctl_fail("%s: %s", out, vt_strerror(rc));
	(void)printf("%s: the approval key; keep it off this host\n"
		     "%s: its public part, for `vtpmctl host bind` or "
		     "approval_key in vtpm-managerd.conf(5)\n",
	    out, pub);
	return EXIT_OK;
}

/* --- the table ------------------------------------------------------------ */

static const struct vctl_sub subs[] = {
	{ "status", "",
	    "what the master key is bound to, counters, approvals, PCRs",
	    host_status },
	{ "pcrs", "[-o FILE]",
	    "the host's PCRs, to approve a state elsewhere, for a verifier",
	    host_pcrs },
	{ "keygen", "-o KEY.pem",
	    "an approval key and KEY.pem.pub; keep the key off the host",
	    host_keygen },
	{ "approve",
	    "--current|--pcrs FILE --key KEY.pem [--select SEL]\n"
	    "               [--label TEXT] [--epoch N] [--sequence N] "
	    "[--sign-only -o FILE]\n"
	    "           approve --import FILE [--state DIR] | --retry",
	    "sign a state of the host (SEL: as sha256:0-7), or take one that "
	    "was signed",
	    vctl_host_approve },
	{ "revoke", "[--key KEY.pem [--select SEL] [--label TEXT]] [--force]",
	    "end all approvals of this epoch; --key approves the present "
	    "state first",
	    vctl_host_revoke },
	{ "bind",
	    "--key KEY.pem [--select SEL] [--label TEXT]\n"
	    "           bind --key PUB.pem --import APPROVAL | --none",
	    "have the TPM give the master key in approved states only, or in "
	    "any",
	    vctl_host_bind },
	{ "enrol", "-o IDENTITY | --challenge FILE -o RESPONSE",
	    "who this host is, and the answer to `vtpm-verify enrol "
	    "challenge`",
	    vctl_host_enrol },
	{ "escrow", "--threshold M PEM... -o FOLDER",
	    "the master key in shares for operators, M of which recover the "
	    "store",
	    vctl_host_escrow },
	{ "recover",
	    "--share FILE --key KEY.pem -o OPENED\n"
	    "           recover OPENED...",
	    "open one's share; take the store to another TPM with enough of "
	    "them",
	    vctl_host_recover },
	{ NULL, NULL, NULL, NULL },
};

int
vctl_host(struct vctl *v, int argc, char **argv)
{
	return vctl_run_sub(v, subs, argc, argv);
}
