/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deepgen.c - good bundles and attacks as files, for two verifiers:
 *   deepgen FOLDER
 * makes FOLDER/CASE/ with evidence.json, host.json, states.json, roots.pem,
 * policy.json and `case`, one line: stopping check or "-", its
 * name in reports, nonce, uuid, words.
 * And FOLDER/enrol/ with an identity to enrol.
 */
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/deepcases.h"

static const char *folder;

static void
save(const char *dir, const char *name, const char *text)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s/%s", folder, dir, name);
	if (write_file_atomic(path, text, strlen(text), 0644) != VT_OK) {
		(void)fprintf(stderr, "cannot write %s\n", path);
		exit(1);
	}
}

static void
make_dir(const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void)mkdir(path, 0755);
}

/* Takes over text. */
static void
save_free(const char *dir, const char *name, int rc, char *text)
{
	assert_int_equal(rc, VT_OK);
	save(dir, name, text);
	free(text);
}

static void
save_roots(const char *dir, const struct dbundle *d)
{
	const unsigned char *p = d->maker_cert.der;
	X509 *x = d2i_X509(NULL, &p, (long)d->maker_cert.len);
	BIO *bio = BIO_new(BIO_s_mem());
	char pem[4096];
	int n;

	assert_int_equal(PEM_write_bio_X509(bio, x), 1);
	n = BIO_read(bio, pem, sizeof(pem) - 1);
	assert_true(n > 0);
	pem[n] = '\0';
	save(dir, "roots.pem", pem);
	BIO_free(bio);
	X509_free(x);
}

static void
save_case(const struct dbundle *d, const struct dcase *c)
{
	char *text = NULL, line[256], nonce[33], uuid[UUID_STRLEN + 1];
	int rc;

	make_dir(c->name);
	rc = bundle_format(d->g.ev, &text);
	save_free(c->name, "evidence.json", rc, text);
	rc = host_identity_format(d->id, HOST_IDENTITY_RECORD, &text);
	save_free(c->name, "host.json", rc, text);
	rc = host_states_format(&d->st, &text);
	save_free(c->name, "states.json", rc, text);
	save(c->name, "policy.json", d->g.policy_json);
	save_roots(c->name, d);
	hex_encode(d->nonce, sizeof(d->nonce), nonce);
	uuid_format(d->want_uuid, uuid);
	(void)snprintf(line, sizeof(line), "%s %s %s %s %s\n",
	    c->stops != NULL ? c->stops : "-", dcase_shown(c), nonce, uuid,
	    c->words);
	save(c->name, "case", line);
}

int
main(int argc, char **argv)
{
	struct dbundle *d = malloc(sizeof(*d));
	char *text = NULL;
	size_t i;
	int rc;

	if (argc != 2 || d == NULL)
		return 2;
	folder = argv[1];
	(void)mkdir(folder, 0755);
	for (i = 0; i < VT_NELEM(dcases); i++) {
		db_init(d, dcases[i].tweak);
		save_case(d, &dcases[i]);
		db_done(d);
	}
	db_init(d, NULL);
	make_dir("enrol");
	rc = host_identity_format(d->id, HOST_IDENTITY_IDENTITY, &text);
	save_free("enrol", "identity.json", rc, text);
	save_roots("enrol", d);
	db_done(d);
	free(d);
	return 0;
}
