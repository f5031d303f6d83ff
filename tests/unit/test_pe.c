/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "measure/predict/pe.h"
#include "measure/predict/uki.h"
#include "tests/unit/pe_fixture.h"
#include "tests/unit/vector.h"

static const struct pef_section two[] = { { ".text", "code", 0 },
	{ ".data", "data", 0 } };
static const struct pef_section uki[] = { { ".text", "stub", 0 },
	{ ".sdmagic", "#### LoaderInfo: systemd-stub 252.39 ####", 0 },
	{ ".osrel", "ID=x\n", 0 }, { ".cmdline", "root=/dev/vda", 0 },
	{ ".initrd", "initrd", 9 }, { ".linux", "kernel", 0 },
	{ ".sbat", "sbat,1", 0 }, { ".pcrsig", "{}", 0 } };

static uint8_t image[16384];

static void
digest_is(
    const uint8_t *buf, size_t len, const struct iov_part *parts, size_t n)
{
	uint8_t *copy = exact_copy(buf, len);
	uint8_t want[DIGEST_MAX];
	struct tpm_digest got;
	struct pe pe;

	assert_int_equal(pe_open(copy, len, &pe), VT_OK);
	assert_int_equal(pe_authenticode(&pe, ALG_SHA256, &got), VT_OK);
	assert_int_equal(digest_parts(ALG_SHA256, parts, n, want), VT_OK);
	assert_int_equal(got.len, 32);
	assert_memory_equal(got.val, want, 32);
	free(copy);
}

/* "Calculating the PE Image Hash": all but the checksum, the entry of the
 * certificate table and the certificates. */
static void
the_digest_leaves_out_what_signing_changes(void **state)
{
	struct iov_part parts[4];
	size_t len;

	(void)state;
	memset(image, 0, sizeof(image));
	len = pef_make(image, two, 2);
	parts[0] = (struct iov_part){ image, PEF_CHECKSUM };
	parts[1] = (struct iov_part){ image + PEF_CHECKSUM + 4,
		PEF_CERTDIR - PEF_CHECKSUM - 4 };
	parts[2] =
	    (struct iov_part){ image + PEF_CERTDIR + 8, len - PEF_CERTDIR - 8 };
	digest_is(image, len, parts, 3);
	/* what is behind the sections counts, */
	memcpy(image + len, "tail", 4);
	parts[2].len += 4;
	digest_is(image, len + 4, parts, 3);
	/* but for a certificate table */
	pef_put32(image + PEF_CERTDIR, (uint32_t)len + 4);
	pef_put32(image + PEF_CERTDIR + 4, 8);
	memset(image + len + 4, 'c', 8);
	digest_is(image, len + 12, parts, 3);
}

static void
sections_are_hashed_in_the_order_of_the_file(void **state)
{
	struct iov_part parts[3];
	uint8_t swap[40];
	uint8_t *h = image + 64 + 24 + 240;
	size_t len;

	(void)state;
	memset(image, 0, sizeof(image));
	len = pef_make(image, two, 2);
	memcpy(swap, h, 40);
	memcpy(h, h + 40, 40);
	memcpy(h + 40, swap, 40);
	parts[0] = (struct iov_part){ image, PEF_CHECKSUM };
	parts[1] = (struct iov_part){ image + PEF_CHECKSUM + 4,
		PEF_CERTDIR - PEF_CHECKSUM - 4 };
	parts[2] =
	    (struct iov_part){ image + PEF_CERTDIR + 8, len - PEF_CERTDIR - 8 };
	digest_is(image, len, parts, 3);
}

static void
every_prefix_is_refused_or_read(void **state)
{
	struct tpm_digest d;
	size_t len, n;
	struct pe pe;
	int rc;

	(void)state;
	memset(image, 0, sizeof(image));
	len = pef_make(image, uki, VT_NELEM(uki));
	for (n = 0; n < len; n++) {
		uint8_t *copy = exact_copy(image, n);

		rc = pe_open(copy, n, &pe);
		assert_true(rc == VT_E_TRUNC || rc == VT_E_FORMAT);
		free(copy);
	}
	assert_int_equal(pe_open(image, len, &pe), VT_OK);
	assert_int_equal(pe_authenticode(&pe, ALG_SHA384, &d), VT_OK);
	assert_int_equal(pe_authenticode(&pe, 0x7777, &d), VT_E_UNSUPPORTED);
}

static void
bad_fields_are_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*what;
		size_t		 off;
		uint8_t		 val;
		int		 want;
	} cases[] = {
		{ "magic",		0,		'X',	VT_E_FORMAT },
		{ "header's offset",	62,		1,	VT_E_TRUNC },
		{ "PE magic",		64,		'X',	VT_E_FORMAT },
		{ "many sections",	64 + 7,		1,	VT_E_RANGE },
		{ "optional size",	64 + 20,	8,	VT_E_FORMAT },
		{ "optional magic",	64 + 25,	3,	VT_E_FORMAT },
		{ "header size",	64 + 24 + 63,	1,	VT_E_FORMAT },
		{ "header size 0",	64 + 24 + 61,	0,	VT_E_FORMAT },
		{ "directories",	64 + 24 + 108,	17,	VT_E_FORMAT },
		{ "section's size",	64 + 24 + 240 + 18, 1,	VT_E_TRUNC },
		{ "section's offset",	64 + 24 + 240 + 22, 1,	VT_E_TRUNC },
	};
	/* clang-format on */
	struct pe pe;
	size_t i, len;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		memset(image, 0, sizeof(image));
		len = pef_make(image, two, 2);
		image[cases[i].off] = cases[i].val;
		assert_int_equal(pe_open(image, len, &pe), cases[i].want);
	}
}

/* Each section by name and contents, in the stub's order, not the file's. */
static void
pcr_11_is_of_sections_and_phases(void **state)
{
	static const uint16_t alg = ALG_SHA256;
	static const struct iov_part want[] = { { ".linux", 7 },
		{ "kernel", 6 }, { ".osrel", 7 }, { "ID=x\n", 5 },
		{ ".cmdline", 9 }, { "root=/dev/vda", 13 }, { ".initrd", 8 },
		{ "initrd\0\0\0", 9 }, { "enter-initrd", 12 },
		{ "leave-initrd", 12 } };
	uint8_t pcr[DIGEST_MAX] = { 0 }, d[DIGEST_MAX];
	char err[REPLAY_ERR_MAX];
	struct prediction *p;
	struct replay *r;
	struct pe pe;
	size_t len, i;

	(void)state;
	memset(image, 0, sizeof(image));
	len = pef_make(image, uki, VT_NELEM(uki));
	assert_int_equal(pe_open(image, len, &pe), VT_OK);
	assert_true(uki_is(&pe));
	assert_int_equal(uki_stub_version(&pe), 252);
	assert_int_equal(pred_new(&alg, 1, &p), VT_OK);
	uki_measure(p, &pe);
	assert_int_equal(uki_phases(p, "enter-initrd:leave-initrd"), VT_OK);
	assert_int_equal(uki_phases(p, "a::b"), VT_E_FORMAT);
	assert_int_equal(pred_result(p, &r, err), VT_OK);
	for (i = 0; i < VT_NELEM(want); i++) {
		assert_int_equal(
		    digest_buf(alg, want[i].p, want[i].len, d), VT_OK);
		assert_int_equal(digest_extend(alg, pcr, d), VT_OK);
	}
	/* "a" was added before the empty word was seen */
	assert_int_equal(digest_buf(alg, "a", 1, d), VT_OK);
	assert_int_equal(digest_extend(alg, pcr, d), VT_OK);
	assert_memory_equal(pcr_get(&r->pcrs, alg, 11), pcr, 32);
	replay_free(r);
	pred_free(p);
}

/* Nothing of a stub that is not known, or of a section whose effect hangs on
 * the machine, is guessed. */
static void
an_unknown_stub_has_reasons_and_no_values(void **state)
{
	/* clang-format off */
	static const struct {
		const char *magic, *section, *second;
		uint32_t unknown;
	} cases[] = {
		{ "LoaderInfo: systemd-stub 252.39 #", ".sbat", ".uname", 0 },
		{ "LoaderInfo: systemd-stub 255 #", ".sbat", ".uname", 0 },
		{ "LoaderInfo: systemd-stub 252.39 #", ".pcrsig", ".sbat", 0x200 },
		{ "LoaderInfo: systemd-stub 252.39 #", ".sbat", ".pcrpkey", 0x200 },
		{ "LoaderInfo: systemd-stub 255 #", ".ucode", ".sbat", 0x200 },
		{ "LoaderInfo: systemd-stub 257 #", ".sbat", ".uname", 0x200 },
		{ "LoaderInfo: systemd-stub 257 #", ".dtbauto", ".sbat", 0xa00 },
		{ "LoaderInfo: systemd-stub 257 #", ".profile", ".sbat", 0x200 },
		{ "LoaderInfo: systemd-stub 257 #", ".profile", ".profile", 0xa00 },
		{ "LoaderInfo: systemd-stub 251 #", ".sbat", ".uname", 0xa10 },
		{ "LoaderInfo: systemd-stub 258 #", ".sbat", ".uname", 0xa10 },
		{ "no version", ".sbat", ".uname", 0xa10 },
	};
	/* clang-format on */
	static const uint16_t alg = ALG_SHA256;
	struct prediction *p;
	struct pe pe;
	size_t i, len;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		const struct pef_section s[] = { { ".sdmagic", cases[i].magic,
						     0 },
			{ ".osrel", "ID=x\n", 0 }, { ".linux", "kernel", 0 },
			{ cases[i].section, "x", 0 },
			{ cases[i].second, "y", 0 } };

		print_message("  %s %s\n", cases[i].magic, cases[i].section);
		memset(image, 0, sizeof(image));
		len = pef_make(image, s, VT_NELEM(s));
		assert_int_equal(pe_open(image, len, &pe), VT_OK);
		assert_int_equal(pred_new(&alg, 1, &p), VT_OK);
		uki_measure(p, &pe);
		assert_int_equal(p->unknown, cases[i].unknown);
		pred_free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_digest_leaves_out_what_signing_changes),
		cmocka_unit_test(sections_are_hashed_in_the_order_of_the_file),
		cmocka_unit_test(every_prefix_is_refused_or_read),
		cmocka_unit_test(bad_fields_are_refused),
		cmocka_unit_test(pcr_11_is_of_sections_and_phases),
		cmocka_unit_test(an_unknown_stub_has_reasons_and_no_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
