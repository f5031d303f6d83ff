/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_quote.c - a quote is accepted only if every step holds.
 *
 * Vectors: tests/vectors/evidence, signed by stock swtpm 0.7.1 (libtpms
 * 0.9.2) with an ECDSA, an RSASSA and an RSAPSS key.  The wrong quotes are
 * made by fakequote.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "measure/cert/x509.h"
#include "measure/evidence/bundle.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/quote.h"
#include "measure/tpm/quote_verify.h"
#include "measure/tpm/step.h"
#include "measure/tpm/tpm_public.h"
#include "tests/unit/fakequote.h"

static int
verify(const struct fq *f, struct quote_report *rep)
{
	struct quote_want w = { .ak_pub = f->ak_pub,
		.ak_pub_len = f->ak_pub_len,
		.extra_len = SHA256_LEN,
		.ek_name = f->ek_name,
		.pcrs = &f->pcrs };
	static uint8_t extra[SHA256_LEN];
	static struct pcr_sel sel;

	memset(extra, 0x5a, sizeof(extra));
	w.extra = extra;
	assert_int_equal(pcr_sel_parse("sha256:0,1,7", &sel), VT_OK);
	w.sel = &sel;
	return quote_verify(
	    &w, f->attest, f->attest_len, f->sig, f->sig_len, rep);
}

/* The quote as it is now fails in exactly this step. */
static void
fails_in(const struct fq *f, enum quote_step step)
{
	struct quote_report rep;
	int s;

	assert_int_equal(verify(f, &rep), VT_E_AUTH);
	assert_string_equal(quote_step_id(rep.failed), quote_step_id(step));
	assert_non_null(rep.why);
	for (s = 0; s < QS_N; s++)
		assert_int_equal(rep.outcome[s], s < (int)step ? STEP_PASS
						 : s == (int)step
						     ? STEP_FAIL
						     : STEP_NOT_REACHED);
}

static void
good_quote_passes_every_step(void **state)
{
	struct quote_report rep;
	struct fq f;
	int s;

	(void)state;
	fq_init(&f);
	fq_make(&f);
	assert_int_equal(verify(&f, &rep), VT_OK);
	assert_int_equal(rep.failed, QS_N);
	for (s = 0; s < QS_N; s++) {
		assert_int_equal(rep.outcome[s], STEP_PASS);
		assert_string_not_equal(
		    quote_step_words((enum quote_step)s), "?");
	}
	assert_int_equal(rep.attest.reset_count, 5);
	assert_int_equal(rep.attest.clock, 1000);
	fq_done(&f);
}

static void
weak_or_foreign_ak_is_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*what;
		uint32_t	 clear, set;
		enum quote_step	 step;
	} cases[] = {
		{ "unrestricted: would sign a forged quote",
		    TO_RESTRICTED, 0, QS_AK_ATTRS },
		{ "may leave its TPM",	TO_FIXED_TPM, 0, QS_AK_ATTRS },
		{ "may leave its parent", TO_FIXED_PARENT, 0, QS_AK_ATTRS },
		{ "made outside",	TO_SENSITIVE_ORIGIN, 0, QS_AK_ATTRS },
		{ "does not sign",	TO_SIGN, 0, QS_AK_ATTRS },
		{ "also decrypts",	0, TO_DECRYPT, QS_AK_ATTRS },
	};
	/* clang-format on */
	struct fq f;
	size_t i;

	(void)state;
	fq_init(&f);
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		f.attrs = (FQ_AK_ATTRS & ~cases[i].clear) | cases[i].set;
		fq_make(&f);
		fails_in(&f, cases[i].step);
	}
	f.attrs = FQ_AK_ATTRS;
	f.name_alg = ALG_SHA1;
	fq_make(&f);
	fails_in(&f, QS_AK_PUBLIC);
	f.name_alg = ALG_SHA256;
	f.scheme = TA_NULL;
	fq_make(&f);
	fails_in(&f, QS_SCHEME);
	fq_done(&f);
}

static void
scheme_comes_from_the_ak_not_from_the_message(void **state)
{
	struct fq f;

	(void)state;
	fq_init(&f);
	f.sig_hash = ALG_SHA1;
	fq_make(&f);
	fails_in(&f, QS_SCHEME);
	f.sig_hash = ALG_SHA512;
	fq_make(&f);
	fails_in(&f, QS_SCHEME);
	f.sig_hash = ALG_SHA256;
	f.hash = ALG_SHA1; /* the AK itself signs with SHA-1 */
	fq_make(&f);
	fails_in(&f, QS_SCHEME);
	f.hash = ALG_SHA256;
	f.sig_alg = TA_RSASSA;
	fq_make(&f);
	fails_in(&f, QS_SCHEME);
	fq_done(&f);
}

static void
signature_of_another_key_is_refused(void **state)
{
	EVP_PKEY *other = EVP_EC_gen("P-256");
	struct fq f;

	(void)state;
	assert_non_null(other);
	fq_init(&f);
	f.signer = other;
	fq_make(&f);
	fails_in(&f, QS_SIGNATURE);
	EVP_PKEY_free(other);
	fq_done(&f);
}

static void
every_bit_of_attest_and_signature_counts(void **state)
{
	struct quote_report rep;
	struct fq f;
	size_t i;

	(void)state;
	fq_init(&f);
	fq_make(&f);
	for (i = 0; i < f.attest_len; i++) {
		f.attest[i] ^= 1u << (i % 8);
		assert_int_equal(verify(&f, &rep), VT_E_AUTH);
		assert_int_equal(rep.failed, QS_SIGNATURE);
		f.attest[i] ^= 1u << (i % 8);
	}
	for (i = 0; i < f.sig_len; i++) {
		f.sig[i] ^= 1u << (i % 8);
		assert_int_equal(verify(&f, &rep), VT_E_AUTH);
		f.sig[i] ^= 1u << (i % 8);
	}
	assert_int_equal(verify(&f, &rep), VT_OK);
	fq_done(&f);
}

static void
signature_numbers_out_of_range_are_refused(void **state)
{
	/* n of P-256 (FIPS 186-4, D.1.2.3). */
	static const char order[] = "ffffffff00000000ffffffffffffffff"
				    "bce6faada7179e84f3b9cac2fc632551";
	uint8_t n[32], r[32];
	size_t len;
	struct fq f;

	(void)state;
	assert_int_equal(hex_decode(order, n, sizeof(n), &len), VT_OK);
	fq_init(&f);
	fq_make(&f);
	memcpy(r, f.sig + 6, 32);
	memset(f.sig + 6, 0, 32);
	fails_in(&f, QS_SIGNATURE);
	memcpy(f.sig + 6, n, 32);
	fails_in(&f, QS_SIGNATURE);
	memcpy(f.sig + 6, r, 32);
	memset(f.sig + 40, 0, 32);
	fails_in(&f, QS_SIGNATURE);
	memcpy(f.sig + 40, n, 32);
	fails_in(&f, QS_SIGNATURE);
	fq_done(&f);
}

/* All of these carry a good signature: CVE-2024-29038 was the first. */
static void
what_is_signed_must_be_a_tpm_quote(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*what;
		uint32_t	 magic;
		uint16_t	 type;
		uint8_t		 safe;
		size_t		 trailing;
	} cases[] = {
		{ "magic not the TPM's", 0x11223344, 0x8018, 1, 0 },
		{ "a certify, no quote", 0xff544347, 0x8017, 1, 0 },
		{ "a creation, no quote", 0xff544347, 0x801a, 1, 0 },
		{ "bytes left over",	 0xff544347, 0x8018, 1, 1 },
		{ "safe is 2",		 0xff544347, 0x8018, 2, 0 },
	};
	/* clang-format on */
	struct fq f;
	size_t i;

	(void)state;
	fq_init(&f);
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		f.magic = cases[i].magic;
		f.type = cases[i].type;
		f.safe = cases[i].safe;
		f.trailing = cases[i].trailing;
		fq_make(&f);
		fails_in(&f, QS_ATTEST);
	}
	fq_done(&f);
}

static void
replayed_or_shortened_nonce_is_refused(void **state)
{
	struct fq f;

	(void)state;
	fq_init(&f);
	f.extra[31] ^= 1;
	fq_make(&f);
	fails_in(&f, QS_EXTRA);
	f.extra[31] ^= 1;
	f.extra_len = 31;
	fq_make(&f);
	fails_in(&f, QS_EXTRA);
	f.extra_len = 0;
	fq_make(&f);
	fails_in(&f, QS_EXTRA);
	fq_done(&f);
}

static void
ak_that_is_not_the_eks_child_is_refused(void **state)
{
	struct tpm_name good;
	struct fq f;

	(void)state;
	fq_init(&f);
	f.primary_ak = true;
	fq_make(&f);
	fails_in(&f, QS_SIGNER);
	f.primary_ak = false;
	fq_make(&f);
	good = f.ek_name;
	f.ek_name.b[10] ^= 1; /* another TPM's EK */
	fails_in(&f, QS_SIGNER);
	f.ek_name = good;
	f.ek_name.len = 0; /* no EK known at all */
	fails_in(&f, QS_SIGNER);
	fq_done(&f);
}

/* CVE-2024-29039 and CVE-2022-0317: the selection was not looked at. */
static void
other_selection_is_refused(void **state)
{
	static const uint16_t algs[] = { ALG_SHA1, ALG_SHA256 };
	uint8_t val[SHA256_LEN] = { 1 };
	struct pcr_set good;
	struct fq f;
	uint32_t i;

	(void)state;
	fq_init(&f);
	good = f.pcrs;
	assert_int_equal(pcr_sel_parse("sha256:0,1", &f.sel), VT_OK);
	fq_make(&f);
	fails_in(&f, QS_SELECTION);
	f.sel.n = 0;
	fq_make(&f);
	fails_in(&f, QS_SELECTION);
	assert_int_equal(pcr_set_init(&f.pcrs, algs, 2), VT_OK);
	for (i = 0; i < 8; i++) {
		assert_int_equal(pcr_put(&f.pcrs, ALG_SHA1, i, val), VT_OK);
		assert_int_equal(
		    pcr_put(&f.pcrs, ALG_SHA256, i, good.banks[0].val[i]),
		    VT_OK);
	}
	assert_int_equal(
	    pcr_sel_parse("sha1:0,1,7+sha256:0,1,7", &f.sel), VT_OK);
	fq_make(&f);
	fails_in(&f, QS_SELECTION);
	fq_done(&f);
}

/* Asked for by a careless caller: still refused. */
static void
sha1_bank_or_empty_selection_is_refused_even_if_asked_for(void **state)
{
	static const uint16_t alg = ALG_SHA1;
	static const char *const texts[] = { "sha1:0", "", "sha256:0" };
	struct quote_report rep;
	uint8_t val[20] = { 1 };
	struct quote_want w;
	struct fq f;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(texts); i++) {
		fq_init(&f);
		assert_int_equal(pcr_set_init(&f.pcrs, &alg, 1), VT_OK);
		assert_int_equal(pcr_put(&f.pcrs, ALG_SHA1, 0, val), VT_OK);
		f.sel.n = 0;
		if (texts[i][0] != '\0')
			assert_int_equal(
			    pcr_sel_parse(texts[i], &f.sel), VT_OK);
		if (i == 2) /* a bank, but none of its PCRs */
			f.sel.banks[0].mask = 0;
		fq_make(&f);
		memset(&w, 0, sizeof(w));
		w.ak_pub = f.ak_pub;
		w.ak_pub_len = f.ak_pub_len;
		w.extra = f.extra;
		w.extra_len = f.extra_len;
		w.ek_name = f.ek_name;
		w.sel = &f.sel;
		w.pcrs = &f.pcrs;
		assert_int_equal(quote_verify(&w, f.attest, f.attest_len, f.sig,
				     f.sig_len, &rep),
		    VT_E_AUTH);
		assert_int_equal(rep.failed, QS_SELECTION);
		fq_done(&f);
	}
}

static void
pcr_values_not_signed_are_refused(void **state)
{
	struct fq f;

	(void)state;
	fq_init(&f);
	fq_make(&f);
	f.pcrs.banks[0].val[7][0] ^= 1;
	fails_in(&f, QS_PCR_DIGEST);
	f.pcrs.banks[0].val[7][0] ^= 1;
	f.pcrs.banks[0].valid &= ~(1u << 7);
	fails_in(&f, QS_PCR_DIGEST);
	f.pcrs.banks[0].valid |= 1u << 7;
	/* The digest is made with the AK's hash, not with the bank's. */
	f.hash = f.sig_hash = ALG_SHA384;
	fq_make(&f);
	assert_int_equal(verify(&f, &(struct quote_report){ 0 }), VT_OK);
	f.digest_hash = ALG_SHA256;
	fq_make(&f);
	fails_in(&f, QS_PCR_DIGEST);
	fq_done(&f);
}

static void
clock_may_not_run_backwards(void **state)
{
	/* clang-format off */
	static const struct {
		uint64_t	clock;
		uint32_t	resets, restarts;
		bool		safe;
		int		want;
		bool		rebooted;
	} cases[] = { /* earlier quote; this one is 1000, 5, 2, safe */
		{ 1000, 5, 2, true,	VT_OK, false },
		{  900, 5, 2, true,	VT_OK, false },
		{ 1001, 5, 2, true,	VT_E_AUTH, false },
		{ 1001, 5, 2, false,	VT_OK, false },
		{  900, 5, 3, true,	VT_E_AUTH, false },
		{  900, 6, 0, true,	VT_E_AUTH, false },
		{  900, 5, 1, true,	VT_OK, true },
		{  900, 4, 9, true,	VT_OK, true },
	};
	/* clang-format on */
	struct quote_attest last;
	struct quote_report rep;
	struct quote_want w = { 0 };
	struct fq f;
	size_t i;

	(void)state;
	fq_init(&f);
	fq_make(&f);
	w.ak_pub = f.ak_pub;
	w.ak_pub_len = f.ak_pub_len;
	w.extra = f.extra;
	w.extra_len = f.extra_len;
	w.ek_name = f.ek_name;
	w.sel = &f.sel;
	w.pcrs = &f.pcrs;
	w.last = &last;
	assert_int_equal(
	    quote_attest_get(f.attest, f.attest_len, &last), VT_OK);
	for (i = 0; i < VT_NELEM(cases); i++) {
		last.clock = cases[i].clock;
		last.reset_count = cases[i].resets;
		last.restart_count = cases[i].restarts;
		last.safe = cases[i].safe;
		assert_int_equal(quote_verify(&w, f.attest, f.attest_len, f.sig,
				     f.sig_len, &rep),
		    cases[i].want);
		if (cases[i].want == VT_OK)
			assert_int_equal(rep.rebooted, cases[i].rebooted);
		else
			assert_int_equal(rep.failed, QS_CLOCK);
	}
	fq_done(&f);
}

static void
other_firmware_than_expected_is_refused(void **state)
{
	struct quote_want w = { 0 };
	uint64_t firmware = 0x2026;
	struct quote_report rep;
	struct fq f;

	(void)state;
	fq_init(&f);
	fq_make(&f);
	w.ak_pub = f.ak_pub;
	w.ak_pub_len = f.ak_pub_len;
	w.extra = f.extra;
	w.extra_len = f.extra_len;
	w.ek_name = f.ek_name;
	w.sel = &f.sel;
	w.pcrs = &f.pcrs;
	w.firmware = &firmware;
	assert_int_equal(
	    quote_verify(&w, f.attest, f.attest_len, f.sig, f.sig_len, &rep),
	    VT_OK);
	firmware++;
	assert_int_equal(
	    quote_verify(&w, f.attest, f.attest_len, f.sig, f.sig_len, &rep),
	    VT_E_AUTH);
	assert_int_equal(rep.failed, QS_FIRMWARE);
	fq_done(&f);
}

static uint8_t *
exact(const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, p, len);
	return copy;
}

/* Each prefix is an exact heap copy, so ASan sees one byte too many. */
static void
every_proper_prefix_is_truncated(void **state)
{
	struct quote_attest a;
	struct tpm_sig s;
	struct tpm_pub p;
	uint8_t *copy;
	struct fq f;
	size_t len;

	(void)state;
	fq_init(&f);
	fq_make(&f);
	for (len = 0; len < f.attest_len; len++) {
		copy = exact(f.attest, len);
		assert_int_equal(quote_attest_get(copy, len, &a), VT_E_TRUNC);
		free(copy);
	}
	for (len = 0; len < f.sig_len; len++) {
		copy = exact(f.sig, len);
		assert_int_not_equal(quote_sig_get(copy, len, &s), VT_OK);
		free(copy);
	}
	for (len = 0; len < f.ak_pub_len; len++) {
		copy = exact(f.ak_pub, len);
		assert_int_not_equal(tpm_pub_get(copy, len, &p), VT_OK);
		free(copy);
	}
	f.ak_pub[f.ak_pub_len] = 0;
	assert_int_equal(
	    tpm_pub_get(f.ak_pub, f.ak_pub_len + 1, &p), VT_E_FORMAT);
	f.sig[f.sig_len] = 0;
	assert_int_equal(quote_sig_get(f.sig, f.sig_len + 1, &s), VT_E_FORMAT);
	fq_done(&f);
}

static void
keys_that_are_none_give_no_openssl_key(void **state)
{
	struct quote_report rep;
	EVP_PKEY *key = NULL;
	struct tpm_pub p;
	uint8_t mod[128];
	struct fq f;

	(void)state;
	fq_init(&f);
	fq_make(&f);
	f.ak_pub[f.ak_pub_len - 1] ^= 1; /* not on the curve */
	assert_int_equal(verify(&f, &rep), VT_E_AUTH);
	assert_int_equal(rep.failed, QS_AK_PUBLIC);

	memset(&p, 0, sizeof(p));
	memset(mod, 0xff, sizeof(mod));
	p.type = TA_RSA;
	p.bits = 1024; /* too short */
	p.exponent = 65537;
	p.x = mod;
	p.x_len = sizeof(mod);
	assert_int_equal(tpm_pub_to_evp(&p, &key), VT_E_RANGE);
	assert_null(key);
	fq_done(&f);
}

/* --- what a real TPM signed
 * ---------------------------------------------------- */

static struct bundle *
vector(const char *name)
{
	struct bundle *ev = NULL;
	char path[128], err[BUNDLE_ERR_MAX];
	uint8_t *buf;
	size_t len;

	(void)snprintf(
	    path, sizeof(path), "tests/vectors/evidence/%s.json", name);
	assert_int_equal(read_file(path, BUNDLE_MAX_LEN, &buf, &len), VT_OK);
	assert_int_equal(bundle_parse(buf, len, &ev, err), VT_OK);
	free(buf);
	return ev;
}

static int
verify_vector(const struct bundle *ev, const struct bundle_blob *ek_cert,
    struct quote_report *rep)
{
	const struct bundle_blob *b = ev->part;
	struct quote_want w = { .pcrs = &ev->pcrs };
	uint8_t extra[SHA256_LEN];
	struct pcr_sel sel;

	assert_int_equal(bundle_qualify(ev, extra), VT_OK);
	assert_int_equal(tpm_pub_unwrap(b[BUNDLE_AK_PUBLIC].p,
			     b[BUNDLE_AK_PUBLIC].len, &w.ak_pub, &w.ak_pub_len),
	    VT_OK);
	assert_int_equal(
	    x509_ek_name(ek_cert->p, ek_cert->len, &w.ek_name), VT_OK);
	bundle_selection(ev, &sel);
	w.sel = &sel;
	w.extra = extra;
	w.extra_len = sizeof(extra);
	return quote_verify(&w, b[BUNDLE_QUOTE].p, b[BUNDLE_QUOTE].len,
	    b[BUNDLE_SIGNATURE].p, b[BUNDLE_SIGNATURE].len, rep);
}

static void
quotes_of_a_real_tpm_verify(void **state)
{
	static const char *const names[] = { "ecc", "rsa", "pss" };
	struct quote_report rep;
	struct bundle *ev;
	size_t i, k;

	(void)state;
	for (i = 0; i < VT_NELEM(names); i++) {
		print_message("  %s\n", names[i]);
		ev = vector(names[i]);
		assert_int_equal(
		    verify_vector(ev, &ev->part[BUNDLE_EK_CERT], &rep), VT_OK);
		for (k = 0; k < ev->part[BUNDLE_SIGNATURE].len; k++) {
			ev->part[BUNDLE_SIGNATURE].p[k] ^= 0x10;
			assert_int_equal(
			    verify_vector(ev, &ev->part[BUNDLE_EK_CERT], &rep),
			    VT_E_AUTH);
			ev->part[BUNDLE_SIGNATURE].p[k] ^= 0x10;
		}
		bundle_free(ev);
	}
}

static void
real_quotes_mixed_up_are_refused(void **state)
{
	struct bundle *a = vector("ecc"), *b = vector("rsa");
	struct quote_report rep;
	struct bundle_blob tmp;

	(void)state;
	assert_int_equal(
	    verify_vector(a, &b->part[BUNDLE_EK_CERT], &rep), VT_E_AUTH);
	assert_int_equal(rep.failed, QS_SIGNER);
	tmp = a->part[BUNDLE_AK_PUBLIC];
	a->part[BUNDLE_AK_PUBLIC] = b->part[BUNDLE_AK_PUBLIC];
	assert_int_equal(
	    verify_vector(a, &a->part[BUNDLE_EK_CERT], &rep), VT_E_AUTH);
	assert_int_equal(rep.failed, QS_SCHEME);
	a->part[BUNDLE_AK_PUBLIC] = tmp;
	bundle_free(a);
	bundle_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_quote_passes_every_step),
		cmocka_unit_test(weak_or_foreign_ak_is_refused),
		cmocka_unit_test(scheme_comes_from_the_ak_not_from_the_message),
		cmocka_unit_test(signature_of_another_key_is_refused),
		cmocka_unit_test(every_bit_of_attest_and_signature_counts),
		cmocka_unit_test(signature_numbers_out_of_range_are_refused),
		cmocka_unit_test(what_is_signed_must_be_a_tpm_quote),
		cmocka_unit_test(replayed_or_shortened_nonce_is_refused),
		cmocka_unit_test(ak_that_is_not_the_eks_child_is_refused),
		cmocka_unit_test(other_selection_is_refused),
		cmocka_unit_test(
		    sha1_bank_or_empty_selection_is_refused_even_if_asked_for),
		cmocka_unit_test(pcr_values_not_signed_are_refused),
		cmocka_unit_test(clock_may_not_run_backwards),
		cmocka_unit_test(other_firmware_than_expected_is_refused),
		cmocka_unit_test(every_proper_prefix_is_truncated),
		cmocka_unit_test(keys_that_are_none_give_no_openssl_key),
		cmocka_unit_test(quotes_of_a_real_tpm_verify),
		cmocka_unit_test(real_quotes_mixed_up_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
