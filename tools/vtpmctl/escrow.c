/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * escrow.c - vtpmctl host escrow and recover: the master key in shares for
 * operators, one share opened by its operator, the store recovered from some.
 */
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/options.h"
#include "base/util.h"
#include "measure/host/escrow.h"
#include "tools/common/file.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

struct args {
	uint32_t threshold;
	const char *share, *key, *out;
};

/* An array, each element made of one file.  type: "s" or "ay".  Files may be
 * secret. */
static int
append_files(sd_bus_message *m, const char *type, char **files, int n)
{
	uint8_t *p;
	size_t len;
	int i, r = sd_bus_message_open_container(m, 'a', type);

	for (i = 0; r >= 0 && i < n; i++) {
		if (tool_read(files[i], ESCROW_PEM_MAX, &p, &len) != VT_OK)
			return VCTL_SAID;
		r = type[0] == 's'
			? sd_bus_message_append(m, "s", (const char *)p)
			: sd_bus_message_append_array(m, 'y', p, len);
		OPENSSL_cleanse(p, len);
		free(p);
	}
	return r >= 0 ? sd_bus_message_close_container(m) : r;
}

/* --- escrow --------------------------------------------------------------- */

static int
save_shares(sd_bus_message *reply, const char *dir, unsigned int n)
{
	char path[PATH_MAX];
	const char *text;
	unsigned int i;
	int rc;

	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return vctl_fail("%s: %s", dir, strerror(errno));
	if (sd_bus_message_enter_container(reply, 'a', "s") < 0)
		return vctl_fail("the manager sent no shares");
	for (i = 1; sd_bus_message_read(reply, "s", &text) > 0; i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/share-%u-of-%u.pem", dir, i, n);
		rc = write_file_atomic(path, text, strlen(text), 0600);
		if (rc != VT_OK)
			return vctl_fail("%s: %s", path, vt_strerror(rc));
		(void)printf("%s\n", path);
	}
	return i == n + 1
		   ? EXIT_OK
		   : vctl_fail("the manager sent %u shares too few", n + 1 - i);
}

static int
escrow(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	sd_bus_message *m, *reply;
	int r, rc;

	if ((m = vctl_new_call(ctx, "HostEscrow")) == NULL)
		return EXIT_REFUSED;
	r = sd_bus_message_append(m, "u", a->threshold);
	if (r >= 0)
		r = append_files(m, "s", argv, argc);
	if ((reply = vctl_call(ctx, m, r)) == NULL)
		return EXIT_REFUSED;
	rc = save_shares(reply, a->out, (unsigned int)argc);
	sd_bus_message_unref(reply);
	return rc;
}

/* --- recover -------------------------------------------------------------- */

static int
decrypt_share(const struct args *a, struct escrow_share *ret)
{
	uint8_t *cms = NULL, *pem = NULL;
	size_t cms_len = 0, len = 0;
	int rc;

	if (tool_read(a->share, ESCROW_PEM_MAX, &cms, &cms_len) != VT_OK)
		return EXIT_REFUSED;
	if (tool_read(a->key, ESCROW_PEM_MAX, &pem, &len) != VT_OK) {
		free(cms);
		return EXIT_REFUSED;
	}
	rc = escrow_open(cms, cms_len, pem, len, ret);
	OPENSSL_cleanse(pem, len);
	free(pem);
	free(cms);
	if (rc == VT_OK)
		return EXIT_OK;
	return vctl_fail("%s: %s", a->share,
	    rc == VT_E_AUTH ? "not made for this key, or changed since"
	    : rc == VT_E_FORMAT
		? "share and key must be PEM, the key without a passphrase"
		: vt_strerror(rc));
}

/* An operator's part; no manager is needed. */
static int
open_share(const struct args *a)
{
	uint8_t buf[ESCROW_SHARE_MAX];
	struct escrow_share s;
	struct wr w;
	int rc;

	if (decrypt_share(a, &s) != EXIT_OK)
		return EXIT_REFUSED;
	wr_init(&w, buf, sizeof(buf));
	escrow_put(&w, &s);
	if ((rc = wr_err(&w)) == VT_OK)
		rc = write_file_atomic(a->out, buf, w.len, 0600);
	OPENSSL_cleanse(buf, sizeof(buf));
	if (rc == VT_OK)
		(void)printf("share %u of %s, %u of %u are needed; opened to "
			     "%s, which is secret\n",
		    s.x, s.host, s.m, s.n, a->out);
	OPENSSL_cleanse(&s, sizeof(s));
	return rc == VT_OK ? EXIT_OK
			   : vctl_fail("%s: %s", a->out, vt_strerror(rc));
}

static int
recover(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	sd_bus_message *m;

	if (a->share != NULL && a->key != NULL && a->out != NULL && argc == 0)
		return open_share(a);
	if (a->share != NULL || a->key != NULL || a->out != NULL || argc == 0)
		return opt_bad(&vctl_host_recover,
		    "give --share FILE --key KEY.pem -o OPENED, or OPENED "
		    "files");
	if ((m = vctl_new_call(ctx, "HostRecover")) == NULL)
		return EXIT_REFUSED;
	(void)sd_bus_message_sensitive(m);
	return vctl_say(ctx, m, append_files(m, "ay", argv, argc));
}

/* --- tables --------------------------------------------------------------- */

static const struct opt escrow_opts[] = {
	{ OPT_U32("threshold", "M", struct args, threshold, 1, UINT32_MAX,
	      "how many shares recover the store"),
	    .needed = true },
	{ OPT_TEXT("out", 'o', "FOLDER", struct args, out,
	      "write the shares into FOLDER, which is made if need be"),
	    .needed = true },
	OPT_END,
};

const struct opt_command vctl_host_escrow = {
	.name = "vtpmctl host escrow",
	.about =
	    "Split the master key into shares, one for each operator, any M of "
	    "which recover the store.\n"
	    "PEM is an operator's public key or certificate: RSA of 2048 bits "
	    "or more, or EC.\n",
	.operands = "PEM...",
	.nmin = 1,
	.nmax = OPT_ANY,
	.opts = escrow_opts,
	.size = sizeof(struct args),
	.run = escrow,
	.more = "Example:\n"
		"  vtpmctl host escrow --threshold 2 -o shares anna.pem "
		"ben.pem cleo.pem\n",
};

static const struct opt recover_opts[] = {
	{ OPT_TEXT("share", 0, "FILE", struct args, share,
	    "open this share; no manager is needed") },
	{ OPT_TEXT("key", 0, "KEY.pem", struct args, key,
	    "with the operator's private key, which has no passphrase") },
	{ OPT_TEXT("out", 'o', "OPENED", struct args, out,
	    "write the opened share, a secret, to OPENED") },
	OPT_END,
};

const struct opt_command vctl_host_recover = {
	.name = "vtpmctl host recover",
	.about =
	    "Open an operator's share, or move the store to another TPM with "
	    "enough opened shares.\n"
	    "The manager of the new TPM must run with --recover; see "
	    "vtpm-managerd(8).\n",
	.usage = "--share FILE --key KEY.pem -o OPENED\nOPENED...\n",
	.operands = "OPENED",
	.nmax = OPT_ANY,
	.opts = recover_opts,
	.size = sizeof(struct args),
	.run = recover,
};
