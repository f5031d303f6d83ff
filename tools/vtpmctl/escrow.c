/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl host escrow, recover: the master key in shares for operators, one
 * share opened by its operator, the store brought back by some of them.
 */
#include <sys/stat.h>

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/util.h"
#include "measure/host/escrow.h"
#include "tools/vtpmctl/host.h"

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
		return vctl_fail("the manager's answer cannot be read");
	for (i = 1; sd_bus_message_read(reply, "s", &text) > 0; i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/share-%u-of-%u.pem", dir, i, n);
		rc = write_file_atomic(path, text, strlen(text), 0600);
		if (rc != VT_OK)
			return vctl_fail("%s: %s", path, vt_strerror(rc));
		(void)printf("%s\n", path);
	}
	return i == n + 1 ? EXIT_OK
			  : vctl_fail("%u shares are missing", n + 1 - i);
}

static int
append_keys(sd_bus_message *m, char **files, unsigned int n)
{
	unsigned int i;
	uint8_t *pem;
	size_t len;
	int r;

	if ((r = sd_bus_message_open_container(m, 'a', "s")) < 0)
		return r;
	for (i = 0; i < n; i++) {
		if (vctl_host_read(files[i], ESCROW_PEM_MAX, &pem, &len) !=
		    VT_OK)
			return -1;
		/* read_file() ends it with a NUL */
		r = sd_bus_message_append(m, "s", (const char *)pem);
		free(pem);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(m);
}

int
vctl_host_escrow(struct vctl *v, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "threshold", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	sd_bus_message *m, *reply;
	const char *out = NULL;
	unsigned int n;
	uint32_t need = 0;
	int c, ex;

	while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
		if (c == 't')
			need = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'o')
			out = optarg;
		else
			return vctl_usage(v, "wrong option");
	}
	n = (unsigned int)(argc - optind);
	if (need == 0 || out == NULL || n == 0)
		return vctl_usage(
		    v, "escrow needs --threshold M, keys, -o FOLDER");
	if ((m = vctl_new_call(v, "HostEscrow")) == NULL)
		return EXIT_REFUSED;
	if (sd_bus_message_append(m, "u", need) < 0 ||
	    append_keys(m, argv + optind, n) < 0) {
		sd_bus_message_unref(m);
		return vctl_fail("the keys cannot be sent");
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return EXIT_REFUSED;
	ex = save_shares(reply, out, n);
	sd_bus_message_unref(reply);
	return ex;
}

/* --- recover -------------------------------------------------------------- */

/* An operator's part; no manager is needed. */
static int
open_share(const char *share, const char *keyfile, const char *out)
{
	uint8_t *cms = NULL, *pem = NULL, buf[ESCROW_SHARE_MAX];
	size_t cms_len = 0, len = 0;
	struct escrow_share s;
	struct wr w;
	int rc;

	if (vctl_host_read(share, ESCROW_PEM_MAX, &cms, &cms_len) != VT_OK)
		return EXIT_REFUSED;
	if (vctl_host_read(keyfile, ESCROW_PEM_MAX, &pem, &len) != VT_OK) {
		free(cms);
		return EXIT_REFUSED;
	}
	rc = escrow_open(cms, cms_len, pem, len, &s);
	OPENSSL_cleanse(pem, len);
	free(pem);
	free(cms);
	if (rc != VT_OK)
		return vctl_fail("%s: %s", share,
		    rc == VT_E_AUTH
			? "this share is not for this key, or was changed"
		    : rc == VT_E_FORMAT
			? "share and key must be PEM, the key without a "
			  "passphrase"
			: vt_strerror(rc));
	wr_init(&w, buf, sizeof(buf));
	escrow_put(&w, &s);
	if ((rc = wr_err(&w)) == VT_OK)
		rc = write_file_atomic(out, buf, w.len, 0600);
	OPENSSL_cleanse(buf, sizeof(buf));
	if (rc != VT_OK)
		return vctl_fail("%s: %s", out, vt_strerror(rc));
	(void)printf("share %u of %s, %u of %u are needed; opened to %s: it "
		     "is a secret now\n",
	    s.x, s.host, s.m, s.n, out);
	OPENSSL_cleanse(&s, sizeof(s));
	return EXIT_OK;
}

static int
append_shares(sd_bus_message *m, char **files, int n)
{
	uint8_t *p;
	size_t len;
	int i, r;

	if ((r = sd_bus_message_open_container(m, 'a', "ay")) < 0)
		return r;
	for (i = 0; i < n; i++) {
		if (vctl_host_read(files[i], ESCROW_PEM_MAX, &p, &len) != VT_OK)
			return -1;
		r = sd_bus_message_append_array(m, 'y', p, len);
		OPENSSL_cleanse(p, len);
		free(p);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(m);
}

static int
recover(struct vctl *v, char **files, int n)
{
	sd_bus_message *m = vctl_new_call(v, "HostRecover"), *reply;
	const char *text = "done";

	if (m == NULL)
		return EXIT_REFUSED;
	(void)sd_bus_message_sensitive(m);
	if (append_shares(m, files, n) < 0) {
		sd_bus_message_unref(m);
		return vctl_fail("the shares cannot be sent");
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

int
vctl_host_recover(struct vctl *v, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "share", required_argument, NULL, 's' },
		{ "key", required_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 },
	};
	const char *share = NULL, *key = NULL, *out = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
		if (c == 's')
			share = optarg;
		else if (c == 'k')
			key = optarg;
		else if (c == 'o')
			out = optarg;
		else
			return vctl_usage(v, "wrong option");
	}
	if (share != NULL && key != NULL && out != NULL && optind == argc)
		return open_share(share, key, out);
	if (share == NULL && key == NULL && out == NULL && optind < argc)
		return recover(v, argv + optind, argc - optind);
	return vctl_usage(v, "recover needs --share FILE --key KEY -o OPENED, "
			     "or OPENED...");
}
