/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_stock_quote.c - a quote as tpm2_quote writes it is accepted; forged
 * ones are refused, each at the check that is for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "measure/evidence/stock_quote.h"
#include "measure/tpm/pcr_file.h"
#include "tests/unit/fakequote.h"
#include "tests/unit/vector.h"

/* A fake TPM, and the files that tpm2_quote would write of it. */
struct stock {
	struct fq f;
	uint8_t pcrs[2048], nonce[64];
	size_t pcrs_len, nonce_len;
	bool no_ek, values;
};

/* As tpm2-tools 5 does: pcr_fwrite_serialized(). */
static void
put_pcrs(struct stock *s)
{
	static const uint8_t zeros[64];
	struct wr w;
	uint32_t b, i, k = 0;

	wr_init(&w, s->pcrs, sizeof(s->pcrs));
	if (!s->values) {
		wr_le32(&w, s->f.sel.n);
		for (b = 0; b < 16; b++) {
			bool used = b < s->f.sel.n;

			wr_le16(&w, used ? s->f.sel.banks[b].alg : 0);
			wr_u8(&w, used ? 3 : 0);
			wr_le32(&w, used ? s->f.sel.banks[b].mask : 0);
			wr_u8(&w, 0);
		}
		wr_le32(&w, 1); /* lists */
		for (b = 0; b < s->f.sel.n; b++)
			k += (uint32_t)__builtin_popcount(
			    s->f.sel.banks[b].mask);
		wr_le32(&w, k);
	}
	for (b = 0, k = 0; b < s->f.sel.n; b++)
		for (i = 0; i < PCR_COUNT; i++) {
			const uint8_t *v =
			    pcr_get(&s->f.pcrs, s->f.sel.banks[b].alg, i);
			size_t len = digest_len(s->f.sel.banks[b].alg);

			if ((s->f.sel.banks[b].mask >> i & 1) == 0)
				continue;
			if (!s->values)
				wr_le16(&w, (uint16_t)len);
			wr_bytes(&w, v, len);
			if (!s->values)
				wr_bytes(&w, zeros, 64 - len);
			k++;
		}
	for (; !s->values && k < 8; k++) {
		wr_le16(&w, 0);
		wr_bytes(&w, zeros, 64);
	}
	assert_int_equal(wr_err(&w), VT_OK);
	s->pcrs_len = w.len;
}

static void
stock_init(struct stock *s)
{
	memset(s, 0, sizeof(*s));
	fq_init(&s->f);
	s->nonce_len = sizeof(s->f.extra);
	memcpy(s->nonce, s->f.extra, s->nonce_len);
	fq_make(&s->f);
	put_pcrs(s);
}

static void
judge(const struct stock *s, struct report *rep)
{
	struct stock_quote in = {
		.ak = { s->f.ak_pub, s->f.ak_pub_len },
		.quote = { s->f.attest, s->f.attest_len },
		.sig = { s->f.sig, s->f.sig_len },
		.pcrs = { s->pcrs, s->pcrs_len },
		.nonce = { s->nonce, s->nonce_len },
		.ek = { s->f.ek_pub, s->f.ek_pub_len },
	};

	if (s->no_ek)
		in.ek.p = NULL;
	memset(rep, 0, sizeof(*rep));
	stock_quote_verify(&in, rep);
}

static void
remake(struct stock *s)
{
	fq_make(&s->f);
	put_pcrs(s);
}

static void
a_quote_of_tpm2_quote_is_accepted(void **state)
{
	static struct report rep;
	struct stock s;

	(void)state;
	stock_init(&s);
	judge(&s, &rep);
	assert_int_equal(rep.verdict, AP_ACCEPTED);
	s.values = true;
	remake(&s);
	judge(&s, &rep);
	assert_int_equal(rep.verdict, AP_ACCEPTED);
	s.no_ek = true;
	s.f.extra_len = s.nonce_len = 8; /* a short nonce is tpm2_quote's */
	remake(&s);
	judge(&s, &rep);
	assert_int_equal(rep.verdict, AP_ACCEPTED);
	fq_done(&s.f);
}

/* --- thirty forgeries ------------------------------------------------------
 */

#define FORGE(name, ...)                  \
	static void name(struct stock *s) \
	{                                 \
		__VA_ARGS__;              \
	}
FORGE(wrong_magic, s->f.magic = 0x11223344; remake(s))
FORGE(zero_magic, s->f.magic = 0; remake(s))
FORGE(certify, s->f.type = 0x8017; remake(s))
FORGE(creation, s->f.type = 0x801a; remake(s))
FORGE(time_attest, s->f.type = 0x8019; remake(s))
FORGE(trailing, s->f.trailing = 1; remake(s))
FORGE(cut_quote, s->f.attest_len--)
FORGE(no_quote, s->f.attest_len = 0)
FORGE(bit_in_quote, s->f.attest[40] ^= 1)
FORGE(bit_in_sig, s->f.sig[10] ^= 1)
FORGE(cut_sig, s->f.sig_len--)
FORGE(no_sig, s->f.sig_len = 0)
FORGE(other_key, s->f.signer = s->f.ek; remake(s))
FORGE(other_hash, s->f.sig_hash = ALG_SHA384; remake(s))
FORGE(sha1_sig, s->f.sig_hash = ALG_SHA1; remake(s))
FORGE(other_scheme, s->f.sig_alg = 0x001a; remake(s))
FORGE(sha1_ak, s->f.hash = s->f.sig_hash = ALG_SHA1; remake(s))
FORGE(no_scheme, s->f.scheme = TA_NULL; remake(s))
FORGE(unrestricted, s->f.attrs &= ~(uint32_t)TO_RESTRICTED; remake(s))
FORGE(decrypts, s->f.attrs |= TO_DECRYPT; remake(s))
FORGE(movable, s->f.attrs &= ~(uint32_t)TO_FIXED_TPM; remake(s))
FORGE(imported, s->f.attrs &= ~(uint32_t)TO_SENSITIVE_ORIGIN; remake(s))
FORGE(weak_name, s->f.name_alg = ALG_SHA1; remake(s))
FORGE(cut_ak, s->f.ak_pub_len--)
FORGE(other_nonce, s->nonce[31] ^= 1)
FORGE(shorter_nonce, s->nonce_len = 31)
FORGE(no_nonce, s->f.extra_len = 0; remake(s); s->nonce_len = 0)
FORGE(other_parent, s->f.primary_ak = true; remake(s))
FORGE(digest_by_other_hash, s->f.digest_hash = ALG_SHA384; remake(s))
FORGE(other_value, s->pcrs[145] ^= 1)
FORGE(other_selection, s->pcrs[4 + 3] ^= 4)
FORGE(cut_values, s->pcrs_len--)
FORGE(no_values, s->pcrs_len = 0)

static void
empty_selection(struct stock *s)
{
	s->f.sel.n = 0;
	remake(s);
}

static void
bank_without_pcrs(struct stock *s)
{
	s->f.sel.banks[0].mask = 0;
	remake(s);
}

static void
sha1_bank(struct stock *s)
{
	static const uint16_t alg = ALG_SHA1;
	uint8_t val[SHA1_LEN] = { 1 };

	assert_int_equal(pcr_set_init(&s->f.pcrs, &alg, 1), VT_OK);
	assert_int_equal(pcr_put(&s->f.pcrs, alg, 0, val), VT_OK);
	assert_int_equal(pcr_sel_parse("sha1:0", &s->f.sel), VT_OK);
	remake(s);
}

/* The file shows another PCR than was quoted, with a value that fits. */
static void
swapped_pcrs(struct stock *s)
{
	struct pcr_sel quoted = s->f.sel;

	assert_int_equal(pcr_sel_parse("sha256:0,1", &s->f.sel), VT_OK);
	put_pcrs(s);
	s->f.sel = quoted;
}

static void
forged_quotes_are_refused(void **state)
{
	static const struct {
		const char *what;
		void (*forge)(struct stock *s);
		const char *check; /* the one that fails */
	} cases[] = {
		{ "magic of no TPM", wrong_magic, "attest" },
		{ "no magic", zero_magic, "attest" },
		{ "TPM2_Certify", certify, "attest" },
		{ "TPM2_CertifyCreation", creation, "attest" },
		{ "TPM2_GetTime", time_attest, "attest" },
		{ "bytes left over", trailing, "attest" },
		{ "a quote cut short", cut_quote, "signature" },
		{ "no quote", no_quote, "signature" },
		{ "a bit of the quote", bit_in_quote, "signature" },
		{ "a bit of the signature", bit_in_sig, "signature" },
		{ "a signature cut short", cut_sig, "scheme" },
		{ "no signature", no_sig, "scheme" },
		{ "another key", other_key, "signature" },
		{ "another hash than the AK's", other_hash, "scheme" },
		{ "a SHA-1 signature", sha1_sig, "scheme" },
		{ "another scheme than the AK's", other_scheme, "scheme" },
		{ "an AK with SHA-1", sha1_ak, "scheme" },
		{ "an AK without scheme", no_scheme, "scheme" },
		{ "an unrestricted AK", unrestricted, "ak-attributes" },
		{ "an AK that decrypts", decrypts, "ak-attributes" },
		{ "an AK that can move", movable, "ak-attributes" },
		{ "an imported AK", imported, "ak-attributes" },
		{ "an AK named by SHA-1", weak_name, "ak-public" },
		{ "an AK cut short", cut_ak, "ak-public" },
		{ "another nonce", other_nonce, "freshness" },
		{ "the beginning of the nonce", shorter_nonce, "freshness" },
		{ "no nonce", no_nonce, "freshness" },
		{ "an AK under another parent", other_parent, "signer" },
		{ "a digest by another hash", digest_by_other_hash,
		    "pcr-digest" },
		{ "another value", other_value, "pcr-digest" },
		{ "another PCR in the file", other_selection, "pcrs" },
		{ "fewer PCRs in the file", swapped_pcrs, "selection" },
		{ "values cut short", cut_values, "pcrs" },
		{ "no values", no_values, "pcrs" },
		{ "an empty selection", empty_selection, "selection" },
		{ "a bank without PCRs", bank_without_pcrs, "selection" },
		{ "a SHA-1 bank", sha1_bank, "selection" },
	};
	static struct report rep;
	struct stock s;
	size_t i;
	uint32_t k;
	bool seen;

	(void)state;
	assert_true(VT_NELEM(cases) >= 30);
	for (i = 0; i < VT_NELEM(cases); i++) {
		stock_init(&s);
		cases[i].forge(&s);
		judge(&s, &rep);
		print_message("  %s\n", cases[i].what);
		assert_int_equal(rep.verdict, AP_REFUSED);
		for (k = 0, seen = false; k < rep.n; k++) {
			if (rep.checks[k].outcome != REPORT_FAIL)
				continue;
			print_message("      %s: %s\n", rep.checks[k].id,
			    rep.checks[k].words);
			seen |= strcmp(rep.checks[k].id, cases[i].check) == 0;
		}
		assert_true(seen);
		fq_done(&s.f);
	}
}

static void
every_prefix_of_a_file_of_values_is_refused(void **state)
{
	struct pcr_sel sel;
	struct pcr_set set;
	struct stock s;
	uint8_t *copy;
	size_t n;

	(void)state;
	stock_init(&s);
	for (n = 0; n < s.pcrs_len; n++) {
		if (n == 3 * SHA256_LEN)
			continue; /* as long as three plain values */
		copy = exact_copy(s.pcrs, n);
		assert_true(
		    pcr_file_get(copy, n, &s.f.sel, &sel, &set) != VT_OK);
		free(copy);
	}
	assert_int_equal(
	    pcr_file_get(s.pcrs, s.pcrs_len, &s.f.sel, &sel, &set), VT_OK);
	fq_done(&s.f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quote_of_tpm2_quote_is_accepted),
		cmocka_unit_test(forged_quotes_are_refused),
		cmocka_unit_test(every_prefix_of_a_file_of_values_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
