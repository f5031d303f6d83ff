/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "measure/predict/direct_boot.h"
#include "measure/predict/firmware.h"
#include "measure/predict/gpt.h"
#include "measure/predict/grub_core.h"
#include "measure/tpm/pcr_file.h"
#include "tests/unit/pe_fixture.h"
#include "tests/unit/vector.h"

static const uint16_t sha256 = ALG_SHA256;

static struct prediction *
new_prediction(void)
{
	struct prediction *p;

	assert_int_equal(pred_new(&sha256, 1, &p), VT_OK);
	return p;
}

static struct replay *
result(const struct prediction *p)
{
	char err[REPLAY_ERR_MAX];
	struct replay *r;

	assert_int_equal(pred_result(p, &r, err), VT_OK);
	return r;
}

static void
pcr_is(const struct replay *r, uint32_t pcr, const char *want)
{
	char hex[2 * DIGEST_MAX + 1];
	const uint8_t *val = pcr_get(&r->pcrs, sha256, pcr);

	assert_non_null(val);
	hex_encode(val, 32, hex);
	assert_string_equal(hex, want);
}

/* --- firmware ----------------------------------------------------------------
 */

/* Values of a real boot: OVMF 2022.11, no key, a disk without GPT. */
static void
plain_firmware_has_the_values_of_a_real_boot(void **state)
{
	struct prediction *p = new_prediction();
	char err[FW_ERR_MAX];
	struct replay *r;

	(void)state;
	assert_int_equal(fw_start(p, NULL, 0, NULL, err), VT_OK);
	fw_exit_boot_services(p);
	r = result(p);
	pcr_is(r, 2,
	    "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969");
	pcr_is(r, 5,
	    "a5ceb755d043f32431d63e39f5161464620a3437280494b5850dc1b47cc074e0");
	pcr_is(r, 7,
	    "65caf8dd1e0ea7a6347b635d2b379c93b9a1351edc2afc3ecda700e534eb3068");
	assert_int_equal(p->unknown, 0x403); /* and IMA */
	assert_null(pcr_get(&r->pcrs, sha256, 0));
	assert_null(pcr_get(&r->pcrs, sha256, 1));
	replay_free(r);
	pred_free(p);
}

/* OVMF 2025.02, built without Secure Boot. */
static void
firmware_without_secure_boot_has_the_values_of_a_real_boot(void **state)
{
	struct prediction *p = new_prediction();
	char err[FW_ERR_MAX];
	struct replay *r;

	(void)state;
	p->no_secure_boot = true;
	assert_int_equal(fw_start(p, NULL, 0, NULL, err), VT_OK);
	r = result(p);
	pcr_is(r, 7,
	    "b5710bf57d25623e4019027da116821fa99f5c81e9e38b87671cc574f9281439");
	replay_free(r);
	pred_free(p);
}

static void
a_reference_log_teaches_the_firmware_and_nothing_behind_it(void **state)
{
	struct prediction *p = new_prediction();
	struct bytes log = vector_log();
	struct pcr_set want;
	char err[FW_ERR_MAX];
	struct replay *r;
	uint32_t i;

	(void)state;
	vector_pcrs(&want);
	assert_int_equal(fw_start(p, log.p, log.len, NULL, err), VT_OK);
	r = result(p);
	for (i = 0; i < 8; i++)
		if (i != 4 && i != 5) /* loader and disk follow */
			assert_memory_equal(pcr_get(&r->pcrs, sha256, i),
			    pcr_get(&want, sha256, i), 32);
	for (i = 8; i < 16; i++)
		assert_true(pcr_is_extreme(pcr_get(&r->pcrs, sha256, i), 32));
	assert_int_equal(p->unknown, 0);
	assert_int_equal(p->learnt, 0xff);
	replay_free(r);
	pred_free(p);
	free(log.p);
}

/* PCR 7 with variables given, learnt from a log or not. */
static void
pcr7_with(const struct bytes *log, const char *name, const char *value,
    uint8_t out[32])
{
	const struct fw_variables vars = {
		.v = { { name, (const uint8_t *)value, strlen(value) } },
		.n = 1,
	};
	struct prediction *p = new_prediction();
	char err[FW_ERR_MAX];
	struct replay *r;

	assert_true(fw_variable_known(name));
	assert_int_equal(fw_start(p, log != NULL ? log->p : NULL,
			     log != NULL ? log->len : 0, &vars, err),
	    VT_OK);
	r = result(p);
	memcpy(out, pcr_get(&r->pcrs, sha256, 7), 32);
	replay_free(r);
	pred_free(p);
}

/* In the recorded boot PK, KEK, db and dbx are absent. */
static void
a_variable_has_the_value_that_is_given(void **state)
{
	static const char *const names[] = { "PK", "KEK", "db", "dbx" };
	const struct fw_variables sbat = {
		.v = { { "SbatLevel", (const uint8_t *)"x", 1 } }, .n = 1
	};
	struct bytes log = vector_log();
	uint8_t learnt[32], plain[32], seen[4][32];
	struct prediction *p;
	char err[FW_ERR_MAX];
	struct pcr_set want;
	size_t i, k;

	(void)state;
	vector_pcrs(&want);
	for (i = 0; i < VT_NELEM(names); i++) {
		pcr7_with(&log, names[i], "", learnt);
		assert_memory_equal(learnt, pcr_get(&want, sha256, 7), 32);
		pcr7_with(&log, names[i], "value", learnt);
		pcr7_with(NULL, names[i], "value", plain);
		assert_memory_equal(learnt, plain, 32);
		memcpy(seen[i], plain, 32);
		for (k = 0; k < i; k++)
			assert_memory_not_equal(seen[k], plain, 32);
	}
	/* What is not measured there cannot be given. */
	p = new_prediction();
	assert_int_equal(fw_start(p, log.p, log.len, &sbat, err), VT_E_STATE);
	pred_free(p);
	p = new_prediction();
	assert_int_equal(fw_start(p, NULL, 0, &sbat, err), VT_E_STATE);
	pred_free(p);
	assert_false(fw_variable_known("SecureBoot"));
	free(log.p);
}

static void
a_log_that_teaches_nothing_is_refused(void **state)
{
	static const uint16_t sha1 = ALG_SHA1;
	struct bytes log = vector_log();
	struct el_writer *w;
	struct prediction *p;
	char err[FW_ERR_MAX];
	const uint8_t *buf;
	size_t len;

	(void)state;
	p = new_prediction();
	assert_int_equal(fw_start(p, log.p, 0, NULL, err), VT_E_TRUNC);
	assert_int_equal(fw_start(p, log.p, 500, NULL, err), VT_E_TRUNC);
	pred_free(p);
	p = new_prediction();
	assert_int_equal(el_writer_new(&sha1, 1, false, &w), VT_OK);
	el_add_data(w, 0, EV_SEPARATOR, "\0\0\0\0", 4);
	assert_int_equal(el_writer_bytes(w, &buf, &len), VT_OK);
	assert_int_equal(fw_start(p, buf, len, NULL, err), VT_E_UNSUPPORTED);
	el_writer_free(w);
	assert_int_equal(el_writer_new(&sha256, 1, false, &w), VT_OK);
	el_add_data(w, 0, EV_SEPARATOR, "\0\0\0\0", 4);
	assert_int_equal(el_writer_bytes(w, &buf, &len), VT_OK);
	assert_int_equal(fw_start(p, buf, len, NULL, err), VT_E_NOTFOUND);
	assert_string_equal(err, "no program was booted in it");
	el_writer_free(w);
	pred_free(p);
	free(log.p);
}

/* With Secure Boot PCR 7 names the signer of what is started. */
static void
the_signer_of_another_program_is_not_known(void **state)
{
	static const struct pef_section text = { ".text", "code", 0 };
	static uint8_t image[4096];
	struct tpm_digest d;
	char err[FW_ERR_MAX];
	struct prediction *p;
	struct el_writer *w;
	const uint8_t *buf;
	size_t len, i;
	struct pe pe;

	(void)state;
	len = pef_make(image, &text, 1);
	assert_int_equal(pe_open(image, len, &pe), VT_OK);
	for (i = 0; i < 8; i++) { /* bits: signed, another, loaded before */
		assert_int_equal(pe_authenticode(&pe, sha256, &d), VT_OK);
		d.val[31] ^= (uint8_t)(i >> 1 & 1);
		assert_int_equal(el_writer_new(&sha256, 1, false, &w), VT_OK);
		el_add_data(w, 7,
		    (i & 1) != 0 ? EV_EFI_VARIABLE_AUTHORITY : EV_SEPARATOR,
		    "cert", 4);
		el_add_digests(
		    w, 4, EV_EFI_BOOT_SERVICES_APPLICATION, &d, 1, "app", 3);
		assert_int_equal(el_writer_bytes(w, &buf, &len), VT_OK);
		p = new_prediction();
		if ((i & 4) != 0)
			assert_int_equal(fw_application(p, &pe, "/a"), VT_OK);
		assert_int_equal(fw_start(p, buf, len, NULL, err), VT_OK);
		if ((i & 4) == 0)
			assert_int_equal(fw_application(p, &pe, "/a"), VT_OK);
		assert_int_equal(p->unknown, (i & 3) == 3 ? 0x80 : 0);
		el_writer_free(w);
		pred_free(p);
	}
}

/* --- GPT
 * ---------------------------------------------------------------------- */

static void
make_gpt(uint8_t head[GPT_HEAD])
{
	uint8_t *h = head + GPT_BLOCK, *e = head + 2 * GPT_BLOCK;

	memset(head, 0, GPT_HEAD);
	memcpy(h, "EFI PART", 8);
	h[72] = 2;   /* block of the entries */
	h[80] = 128; /* entries */
	h[84] = 128; /* bytes of one */
	memcpy(e,
	    "\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\x00\xa0\xc9\x3e\xc9\x3b",
	    16);
	e[32] = 34;
	e[40] = 99;
	e += 2 * 128;
	e[0] = 1;
	e[32] = 100;
	e[40] = 100;
}

static void
used_partitions_are_measured(void **state)
{
	uint8_t head[GPT_HEAD], want[DIGEST_MAX], pcr[DIGEST_MAX] = { 0 };
	static const uint8_t two[8] = { 2 };
	struct iov_part parts[] = { { head + GPT_BLOCK, 92 }, { two, 8 },
		{ head + 2 * GPT_BLOCK, 128 },
		{ head + 2 * GPT_BLOCK + 256, 128 } };
	struct prediction *p = new_prediction();
	struct replay *r;
	struct gpt g;

	(void)state;
	make_gpt(head);
	assert_int_equal(gpt_open(head, sizeof(head), &g), VT_OK);
	assert_int_equal(g.n, 2);
	assert_int_equal(g.parts[0].number, 1);
	assert_true(g.parts[0].esp);
	assert_int_equal(g.parts[0].first, 34 * 512);
	assert_int_equal(g.parts[0].len, 66 * 512);
	assert_int_equal(g.parts[1].number, 3);
	assert_false(g.parts[1].esp);
	gpt_measure(p, &g);
	r = result(p);
	assert_int_equal(digest_parts(sha256, parts, 4, want), VT_OK);
	assert_int_equal(digest_extend(sha256, pcr, want), VT_OK);
	assert_memory_equal(pcr_get(&r->pcrs, sha256, 5), pcr, 32);
	replay_free(r);
	pred_free(p);
}

static void
a_bad_table_is_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*what;
		size_t		 off;
		uint8_t		 val;
		int		 want;
	} cases[] = {
		{ "magic",		512,		'X',	VT_E_NOTFOUND },
		{ "entries at 1",	512 + 72,	1,	VT_E_FORMAT },
		{ "entries far off",	512 + 79,	0xff,	VT_E_TRUNC },
		{ "many entries",	512 + 81,	1,	VT_E_RANGE },
		{ "entry's size",	512 + 84,	64,	VT_E_FORMAT },
		{ "end before start",	1024 + 40,	1,	VT_E_FORMAT },
		{ "end far off",	1024 + 47,	0xff,	VT_E_FORMAT },
	};
	/* clang-format on */
	uint8_t head[GPT_HEAD];
	struct gpt g;
	size_t i, n;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		make_gpt(head);
		head[cases[i].off] = cases[i].val;
		assert_int_equal(
		    gpt_open(head, sizeof(head), &g), cases[i].want);
	}
	make_gpt(head);
	for (n = 0; n < sizeof(head); n += 7) {
		uint8_t *copy = exact_copy(head, n);
		int rc = gpt_open(copy, n, &g);

		assert_true(rc == VT_E_NOTFOUND || rc == VT_E_TRUNC);
		free(copy);
	}
}

/* Checksums that sfdisk of util-linux 2.38 wrote. */
static void
a_table_is_sound_with_the_checksums_of_another_program(void **state)
{
	static const uint8_t header[92] = { 0x45, 0x46, 0x49, 0x20, 0x50, 0x41,
		0x52, 0x54, 0x00, 0x00, 0x01, 0x00, 0x5c, 0x00, 0x00, 0x00,
		0xb6, 0x6a, 0x4f, 0x36, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x1f, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x22, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0xde, 0x1f, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44,
		0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x02, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x80, 0x00,
		0x00, 0x00, 0x9e, 0xd1, 0x1c, 0x1e };
	uint8_t head[GPT_HEAD] = { 0 }, type[] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f,
		0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9,
		0x3b, 0x66, 0x66, 0x66, 0x66, 0x77, 0x77, 0x88, 0x88, 0x99,
		0x99, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0x00, 0x08, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x0f };
	static const size_t changed[] = { 512 + 24, 512 + 16, 512 + 88,
		1024 + 50, 1024 + 127 * 128 + 20 };
	struct gpt g;
	size_t i;

	(void)state;
	memcpy(head + GPT_BLOCK, header, sizeof(header));
	memcpy(head + 2 * GPT_BLOCK, type, sizeof(type));
	assert_int_equal(gpt_open(head, sizeof(head), &g), VT_OK);
	assert_true(gpt_is_sound(&g));
	for (i = 0; i < VT_NELEM(changed); i++) {
		head[changed[i]] ^= 1;
		assert_int_equal(gpt_open(head, sizeof(head), &g), VT_OK);
		assert_false(gpt_is_sound(&g));
		head[changed[i]] ^= 1;
	}
}

/* --- a kernel without a boot loader
 * --------------------------------------------- */

static void
the_kernel_is_measured_as_qemu_changes_it(void **state)
{
	static const uint8_t want[] = { 0x00, 0xd0, 0xfc, 0x1f };
	uint8_t k[0x400] = { 0 };

	(void)state;
	assert_int_equal(direct_patch(k, 0x2ff, 512 << 20, 0), VT_E_FORMAT);
	assert_int_equal(direct_patch(k, sizeof(k), 512 << 20, 0), VT_E_FORMAT);
	memcpy(k + 0x202, "HdrS", 4);
	k[0x207] = 2;
	k[0x206] = 15;
	memset(k + 0x22c, 0xff, 3);
	k[0x22f] = 0x7f;
	assert_int_equal(direct_patch(k, sizeof(k), 512 << 20, 0), VT_OK);
	assert_int_equal(k[0x210], 0xb0);
	assert_int_equal(k[0x211], 0x80);
	assert_int_equal(k[0x224] | k[0x225] << 8, 0xfe00);
	assert_int_equal(k[0x22a], 2);
	assert_int_equal(k[0x218] | k[0x21c], 0);
	assert_int_equal(
	    direct_patch(k, sizeof(k), 512 << 20, 0xa000000000), VT_E_RANGE);
	/* 0x20000000 - 0x28000 - 1 - 0xafff, down to a page */
	assert_int_equal(direct_patch(k, sizeof(k), 512 << 20, 0xafff), VT_OK);
	assert_memory_equal(k + 0x218, want, 4);
	assert_int_equal(k[0x21c] | k[0x21d] << 8, 0xafff);
}

static void
load_options_are_utf_16(bool nul)
{
	static const uint8_t wide[] = { 'a', 0, ' ', 0, 'b', 0, 0, 0 };
	struct prediction *p = new_prediction();
	uint8_t pcr[DIGEST_MAX] = { 0 }, d[DIGEST_MAX];
	struct replay *r;

	assert_int_equal(
	    stub_measure(p, "a \xc3\xa4", true, NULL, 0), VT_E_FORMAT);
	assert_int_equal(
	    stub_measure(p, "a b", nul, (const uint8_t *)"initrd", 6), VT_OK);
	assert_int_equal(
	    digest_buf(sha256, wide, sizeof(wide) - (nul ? 0 : 2), d), VT_OK);
	assert_int_equal(digest_extend(sha256, pcr, d), VT_OK);
	assert_int_equal(digest_buf(sha256, "initrd", 6, d), VT_OK);
	assert_int_equal(digest_extend(sha256, pcr, d), VT_OK);
	r = result(p);
	assert_memory_equal(pcr_get(&r->pcrs, sha256, 9), pcr, 32);
	replay_free(r);
	pred_free(p);
}

static void
load_options_are_utf_16_with_or_without_their_nul(void **state)
{
	(void)state;
	load_options_are_utf_16(true);
	load_options_are_utf_16(false);
}

/* --- GRUB's image
 * ------------------------------------------------------------------ */

#define MODS_AT (PEF_HEADERS)
#define MODS_LEN 104

/* A module of 16 bytes, a configuration, a prefix. */
static size_t
make_core(uint8_t image[4096])
{
	static const struct pef_section mods = { "mods", "x", 0 };
	uint8_t *m = image + MODS_AT;
	size_t len;

	memset(image, 0, 4096);
	len = pef_make(image, &mods, 1);
	memcpy(m, "mimg", 4);
	m[8] = 24;
	m[16] = MODS_LEN;
	m += 24;
	m[4] = 24;
	m += 24;
	m[0] = 2;
	m[4] = 32;
	memcpy(m + 8, "search.file /x root", 19);
	m += 32;
	m[0] = 3;
	m[4] = 24;
	memcpy(m + 8, "/EFI/BOOT", 9);
	return len;
}

static void
prefix_and_configuration_are_found_in_grubs_image(void **state)
{
	static const struct {
		size_t off;
		uint8_t val;
		int want;
	} cases[] = { { 0, 'X', VT_E_NOTFOUND }, { 8, 0xff, VT_E_FORMAT },
		{ 18, 1, VT_E_FORMAT }, { 28, 4, VT_E_FORMAT },
		{ 28, 0xff, VT_E_TRUNC }, { 16, MODS_LEN - 4, VT_E_TRUNC } };
	uint8_t image[4096];
	enum grub_release release = GRUB_2_06;
	struct grub_core c;
	struct pe pe;
	size_t len, i;

	(void)state;
	len = make_core(image);
	assert_int_equal(pe_open(image, len, &pe), VT_OK);
	assert_int_equal(gcore_open(&pe, &c), VT_OK);
	assert_int_equal(gcore_release(&c, &release), VT_E_UNSUPPORTED);
	memcpy(image + MODS_AT + 36, "2.06", 4);
	assert_int_equal(gcore_release(&c, &release), VT_OK);
	assert_int_equal(release, GRUB_2_06);
	memcpy(image + MODS_AT + 36, "2.12", 4);
	assert_int_equal(gcore_release(&c, &release), VT_OK);
	assert_int_equal(release, GRUB_2_12);
	image[MODS_AT + 35] = '1'; /* within another string it is no version */
	assert_int_equal(gcore_release(&c, &release), VT_E_UNSUPPORTED);
	assert_false(gcore_has_fw_path(&c));
	memcpy(image + MODS_AT + 35, "\0fw_path", 9);
	assert_true(gcore_has_fw_path(&c));
	assert_int_equal(c.prefix_len, 9);
	assert_memory_equal(c.prefix, "/EFI/BOOT", 9);
	assert_int_equal(c.config_len, 19);
	assert_memory_equal(c.config, "search.file /x root", 19);
	for (i = 0; i < VT_NELEM(cases); i++) {
		len = make_core(image);
		image[MODS_AT + cases[i].off] = cases[i].val;
		assert_int_equal(pe_open(image, len, &pe), VT_OK);
		assert_int_equal(gcore_open(&pe, &c), cases[i].want);
	}
}

/* --- the file of values
 * -------------------------------------------------------------- */

static void
values_are_read_back_as_they_were_written(void **state)
{
	static const uint16_t both[] = { ALG_SHA256, ALG_SHA384 };
	uint8_t buf[PCR_FILE_MAX], val[DIGEST_MAX];
	struct pcr_sel quoted = { 0 }, sel;
	struct pcr_set set, back;
	struct wr w;
	uint32_t i;

	(void)state;
	assert_int_equal(pcr_set_init(&set, both, 2), VT_OK);
	for (i = 0; i < 20; i++) {
		memset(val, (int)i + 1, sizeof(val));
		if (i != 7)
			assert_int_equal(
			    pcr_put(&set, ALG_SHA256, i, val), VT_OK);
		if (i == 3)
			assert_int_equal(
			    pcr_put(&set, ALG_SHA384, i, val), VT_OK);
	}
	wr_init(&w, buf, sizeof(buf));
	pcr_file_put(&w, &set);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(w.len, 132 + 4 + 3 * (4 + 8 * 66));
	assert_int_equal(pcr_file_get(buf, w.len, &quoted, &sel, &back), VT_OK);
	assert_int_equal(sel.n, 2);
	assert_int_equal(sel.banks[0].mask, 0xfff7f);
	assert_int_equal(sel.banks[1].mask, 8);
	assert_memory_equal(&set, &back, sizeof(set));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_firmware_has_the_values_of_a_real_boot),
		cmocka_unit_test(
		    firmware_without_secure_boot_has_the_values_of_a_real_boot),
		cmocka_unit_test(
		    a_reference_log_teaches_the_firmware_and_nothing_behind_it),
		cmocka_unit_test(a_variable_has_the_value_that_is_given),
		cmocka_unit_test(a_log_that_teaches_nothing_is_refused),
		cmocka_unit_test(the_signer_of_another_program_is_not_known),
		cmocka_unit_test(used_partitions_are_measured),
		cmocka_unit_test(a_bad_table_is_refused),
		cmocka_unit_test(
		    a_table_is_sound_with_the_checksums_of_another_program),
		cmocka_unit_test(the_kernel_is_measured_as_qemu_changes_it),
		cmocka_unit_test(
		    load_options_are_utf_16_with_or_without_their_nul),
		cmocka_unit_test(
		    prefix_and_configuration_are_found_in_grubs_image),
		cmocka_unit_test(values_are_read_back_as_they_were_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
