/* SPDX-License-Identifier: BSD-3-Clause */
/* test_host_approvals.c - the folder of approvals: which files count. */

#include <sys/stat.h>

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/util.h"
#include "vtpm_manager/host/host_approvals.h"

static char dir[64];
static char pem[2][4096];
static uint8_t key[2][APPROVAL_KEY_LEN];
static uint8_t name[APPROVAL_NAME_LEN] = { 0x00, 0x0b, 1 };

static int
setup(void **state)
{
	EVP_PKEY *k;
	BIO *bio;
	int i, n;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/vt-approvals.XXXXXX");
	assert_non_null(mkdtemp(dir));
	for (i = 0; i < 2; i++) {
		k = EVP_EC_gen("P-256");
		bio = BIO_new(BIO_s_mem());
		assert_int_equal(
		    PEM_write_bio_PrivateKey(bio, k, NULL, NULL, 0, NULL, NULL),
		    1);
		n = BIO_read(bio, pem[i], sizeof(pem[i]) - 1);
		assert_true(n > 0);
		assert_int_equal(
		    approval_key_read(pem[i], (size_t)n, key[i]), VT_OK);
		BIO_free(bio);
		EVP_PKEY_free(k);
	}
	return 0;
}

static int
teardown(void **state)
{
	char path[512];
	struct dirent *de;
	DIR *d;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/" APPROVALS_FOLDER, dir);
	if ((d = opendir(path)) != NULL) {
		while ((de = readdir(d)) != NULL)
			(void)unlinkat(dirfd(d), de->d_name, 0);
		(void)closedir(d);
		(void)rmdir(path);
	}
	return rmdir(dir);
}

/* A good approval by key k, but for what `change` does before it is signed. */
static size_t
make(uint8_t *out, size_t cap, int k, uint64_t seq,
    void (*change)(struct approval *a))
{
	struct approval a = { .label = "x", .sequence = seq, .epoch = 3 };
	const uint16_t alg = ALG_SHA256;
	uint8_t val[SHA256_LEN] = { 1 };
	struct wr w;

	memcpy(a.epoch_name, name, sizeof(name));
	assert_int_equal(pcr_set_init(&a.pcrs, &alg, 1), VT_OK);
	assert_int_equal(pcr_put(&a.pcrs, alg, 4, val), VT_OK);
	if (change != NULL)
		change(&a);
	assert_int_equal(approval_sign(&a, pem[k], strlen(pem[k])), VT_OK);
	wr_init(&w, out, cap);
	approval_put(&w, &a);
	assert_int_equal(wr_err(&w), VT_OK);
	return w.len;
}

static void
other_group(struct approval *a)
{
	a->group = 7;
}

static void
other_tpm(struct approval *a)
{
	a->epoch_name[9] ^= 1;
}

static void
all_zero(struct approval *a)
{
	memset(a->pcrs.banks[0].val[4], 0, DIGEST_MAX);
}

static void
no_folder_is_no_approval(void **state)
{
	struct approvals ap;

	(void)state;
	assert_int_equal(approvals_read(dir, key[0], name, &ap), VT_OK);
	assert_int_equal(ap.n, 0);
	assert_int_equal(ap.others, 0);
}

static void
they_come_in_order_and_the_newest_stay(void **state)
{
	enum { FILES = 40 };
	uint8_t buf[APPROVAL_MAX_LEN];
	struct wblob list[HW_APPROVALS_MAX];
	struct approvals ap;
	uint32_t n = 0, i;
	size_t len;

	(void)state;
	for (i = 1; i <= FILES; i++) {
		len = make(buf, sizeof(buf), 0, i, NULL);
		assert_int_equal(approvals_write(dir, i, buf, len), VT_OK);
	}
	assert_int_equal(approvals_read(dir, key[0], name, &ap), VT_OK);
	assert_int_equal(ap.n, HW_APPROVALS_MAX);
	for (i = 0; i < ap.n; i++)
		assert_int_equal(
		    ap.one[i].a.sequence, FILES - HW_APPROVALS_MAX + 1 + i);
	approvals_list(&ap, &n, list);
	assert_int_equal(n, ap.n);
	assert_ptr_equal(list[2].p, ap.one[2].raw);
	/* By the other key's eyes there is none. */
	assert_int_equal(approvals_read(dir, key[1], name, &ap), VT_OK);
	assert_int_equal(ap.n, 0);
	assert_int_equal(ap.others, FILES);
	for (i = 1; i <= FILES; i++)
		approvals_remove(dir, i);
	assert_int_equal(approvals_read(dir, key[0], name, &ap), VT_OK);
	assert_int_equal(ap.n + ap.others, 0);
}

static void
what_is_not_for_this_host_is_refused(void **state)
{
	static const struct {
		int k;
		void (*change)(struct approval *a);
		int want;
		const char *words;
	} cases[] = {
		{ 0, NULL, VT_OK, "" },
		{ 1, NULL, VT_E_AUTH, "not signed by" },
		{ 0, other_group, VT_E_POLICY, "group 7" },
		{ 0, other_tpm, VT_E_POLICY, "another TPM" },
		{ 0, all_zero, VT_E_POLICY, "all 00" },
	};
	uint8_t buf[APPROVAL_MAX_LEN];
	struct approval a;
	struct approvals ap;
	char text[256];
	size_t i, len;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		len = make(buf, sizeof(buf), cases[i].k, 1, cases[i].change);
		text[0] = '\0';
		assert_int_equal(approvals_check(buf, len, key[0], name, &a,
				     text, sizeof(text)),
		    cases[i].want);
		assert_non_null(strstr(text, cases[i].words));
		assert_int_equal(approvals_write(dir, 1, buf, len), VT_OK);
		assert_int_equal(approvals_read(dir, key[0], name, &ap), VT_OK);
		assert_int_equal(ap.n, i == 0 ? 1 : 0);
		assert_int_equal(ap.others, i == 0 ? 0 : 1);
	}
	approvals_remove(dir, 1);
}

/* Cut anywhere, or with any byte changed: passed over, nothing else harmed. */
static void
a_damaged_file_is_passed_over(void **state)
{
	uint8_t buf[APPROVAL_MAX_LEN];
	struct approvals ap;
	struct approval a;
	char text[256];
	size_t len = make(buf, sizeof(buf), 0, 2, NULL), i;

	(void)state;
	assert_int_equal(approvals_write(dir, 2, buf, len), VT_OK);
	for (i = 0; i < len; i++) {
		uint8_t *copy = malloc(i > 0 ? i : 1);

		assert_non_null(copy);
		memcpy(copy, buf, i);
		assert_int_not_equal(approvals_check(copy, i, key[0], name, &a,
					 text, sizeof(text)),
		    VT_OK);
		free(copy);
	}
	for (i = 0; i < len; i += 7) {
		buf[i] ^= 0x10;
		assert_int_not_equal(approvals_check(buf, len, key[0], name, &a,
					 text, sizeof(text)),
		    VT_OK);
		buf[i] ^= 0x10;
	}
	assert_int_equal(approvals_write(dir, 3, buf, len / 2), VT_OK);
	assert_int_equal(approvals_read(dir, key[0], name, &ap), VT_OK);
	assert_int_equal(ap.n, 1);
	assert_int_equal(ap.others, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_folder_is_no_approval),
		cmocka_unit_test(they_come_in_order_and_the_newest_stay),
		cmocka_unit_test(what_is_not_for_this_host_is_refused),
		cmocka_unit_test(a_damaged_file_is_passed_over),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
