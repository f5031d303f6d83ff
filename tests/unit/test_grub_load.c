/* SPDX-License-Identifier: BSD-3-Clause */
/* GRUB 2.12: kernels that are started as EFI applications, $fw_path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "measure/predict/grub_run.h"
#include "measure/predict/pe.h"
#include "tests/unit/pe_fixture.h"
#include "tests/unit/vector.h"

static const uint16_t sha256 = ALG_SHA256;

struct file {
	const char *path;
	const void *data;
	size_t len;
};

/* Ends with a NULL path. */
static enum grub_found
disk_kind(void *ctx, const char *dev, const char *path)
{
	const struct file *f = ctx;

	(void)dev;
	while (f->path != NULL && strcmp(f->path, path) != 0)
		f++;
	return f->path != NULL ? GF_FILE : GF_NONE;
}

static int
disk_read(void *ctx, const char *dev, const char *path, uint8_t **ret,
    size_t *ret_len)
{
	const struct file *f = ctx;

	(void)dev;
	while (f->path != NULL && strcmp(f->path, path) != 0)
		f++;
	if (f->path == NULL)
		return VT_E_NOTFOUND;
	*ret_len = f->len;
	*ret = exact_copy(f->data, f->len);
	return VT_OK;
}

static int
disk_find(
    void *ctx, const char *by, const char *value, char ret_dev[GR_DEV_MAX])
{
	(void)ctx, (void)by, (void)value, (void)ret_dev;
	return VT_E_NOTFOUND;
}

static struct prediction *
run(struct file *files, const char *fw_path, bool *booted)
{
	static const struct grub_options none;
	struct grub_host host = { .ctx = files,
		.kind = disk_kind,
		.read = disk_read,
		.find = disk_find };
	struct grub_start start = { .boot = "hd0",
		.dev = "hd0",
		.prefix = "/grub",
		.release = GRUB_2_12,
		.fw_path = fw_path };
	struct prediction *p;

	assert_int_equal(pred_new(&sha256, 1, &p), VT_OK);
	assert_int_equal(grub_predict(p, &host, &start, &none, booted), VT_OK);
	return p;
}

/* A kernel whose stub has that major version; 0: as before Linux 5.8. */
static uint8_t kernel[4096];
static size_t
make_kernel(uint8_t version)
{
	static const struct pef_section text = { ".text", "code", 0 };
	size_t len;

	memset(kernel, 0, sizeof(kernel));
	len = pef_make(kernel, &text, 1);
	kernel[64 + 24 + 44] = version;
	return len;
}

static void
digest_of(const void *data, size_t len, uint8_t out[DIGEST_MAX])
{
	assert_int_equal(digest_buf(sha256, data, len, out), VT_OK);
}

/* The digests of the events of a PCR are those of want[n], in order. */
static void
events_are(const struct prediction *p, uint32_t pcr,
    const struct tpm_digest *want, size_t n)
{
	const uint8_t *buf;
	struct el_event ev;
	struct el_log *log;
	size_t len, i = 0;

	assert_int_equal(el_writer_bytes(p->log, &buf, &len), VT_OK);
	assert_int_equal(el_open(buf, len, &log), VT_OK);
	while (el_next(log, &ev) == 1) {
		if (ev.pcr != pcr)
			continue;
		assert_true(i < n);
		assert_memory_equal(
		    el_event_digest(&ev, sha256)->val, want[i].val, 32);
		i++;
	}
	assert_int_equal(i, n);
	el_close(log);
}

static const char lab[] = "set timeout=0\n"
			  "menuentry a {\n"
			  "linux /vmlinuz x=1\n"
			  "initrd /one /two\n"
			  "}\n";

static void
a_kernel_with_a_stub_is_an_application_and_its_stub_measures(void **state)
{
	static const uint8_t both[] = { 'o', 'n', 'e', 'i', 't', 0, 0, 0, 't',
		'w', 'o' };
	static const char options[] = "BOOT_IMAGE=/vmlinuz x=1";
	size_t len = make_kernel(1), i;
	struct file files[] = { { "/grub/grub.cfg", lab, sizeof(lab) - 1 },
		{ "/vmlinuz", kernel, len }, { "/one", "oneit", 5 },
		{ "/two", "two", 3 }, { NULL, NULL, 0 } };
	uint8_t wide[2 * (sizeof(options) - 1)] = { 0 };
	struct tpm_digest want[6] = { 0 }, application[1] = { 0 };
	struct prediction *p;
	bool booted = false;
	struct pe pe;

	(void)state;
	for (i = 0; i < sizeof(options) - 1; i++)
		wide[2 * i] = (uint8_t)options[i];
	p = run(files, NULL, &booted);
	assert_true(booted);
	assert_int_equal(p->unknown, 0);
	assert_int_equal(pe_open(kernel, len, &pe), VT_OK);
	assert_int_equal(pe_authenticode(&pe, sha256, &application[0]), VT_OK);
	events_are(p, 4, application, 1);
	for (i = 0; i < 4; i++)
		digest_of(files[i].data, files[i].len, want[i].val);
	digest_of(wide, sizeof(wide), want[4].val);
	digest_of(both, sizeof(both), want[5].val);
	events_are(p, 9, want, 6);
	pred_free(p);
}

static void
only_the_last_kernel_and_initrd_are_started(void **state)
{
	static const char cfg[] = "linux /vmlinuz first\ninitrd /one\n"
				  "linux /vmlinuz\ninitrd /two\ninitrd /one\n"
				  "boot\n";
	static const char options[] = "BOOT_IMAGE=/vmlinuz";
	size_t len = make_kernel(1), i;
	struct file files[] = { { "/grub/grub.cfg", cfg, sizeof(cfg) - 1 },
		{ "/vmlinuz", kernel, len }, { "/one", "one", 3 },
		{ "/two", "two", 3 }, { NULL, NULL, 0 } };
	static const size_t order[] = { 0, 1, 2, 1, 3, 2 };
	uint8_t wide[2 * (sizeof(options) - 1)] = { 0 };
	struct tpm_digest want[8] = { 0 };
	struct prediction *p;
	bool booted = false;

	(void)state;
	for (i = 0; i < sizeof(options) - 1; i++)
		wide[2 * i] = (uint8_t)options[i];
	p = run(files, NULL, &booted);
	assert_true(booted);
	for (i = 0; i < 6; i++)
		digest_of(
		    files[order[i]].data, files[order[i]].len, want[i].val);
	digest_of(wide, sizeof(wide), want[6].val);
	digest_of("one", 3, want[7].val);
	events_are(p, 9, want, 8);
	pred_free(p);
}

static void
what_grub_2_12_starts_otherwise_is_not_known(void **state)
{
	static const struct {
		const char *cfg;
		uint8_t version;
		uint32_t unknown;
		const char *why;
	} cases[] = {
		{ "linux /vmlinuz\nboot", 0, 0x300,
		    "/vmlinuz has no EFI stub that GRUB 2.12 starts" },
		{ "linux /one\nboot", 1, 0x300,
		    "/one has no EFI stub that GRUB 2.12 starts" },
		{ "linuxefi /vmlinuz\nboot", 1, 0x300,
		    "GRUB 2.12 has no command \"linuxefi\"" },
		{ "linux /vmlinuz\ninitrdefi /one\nboot", 1, 0x300,
		    "GRUB 2.12 has no command \"initrdefi\"" },
		{ "linux /vmlinuz\ninitrd newc:a:/one\nboot", 1, 0x200,
		    "GRUB puts /one into an archive, which the kernel "
		    "measures" },
		{ "linux /vmlinuz \xc3\xa4\nboot", 1, 0x300,
		    "what /vmlinuz measures is not known: " },
	};
	struct prediction *p;
	bool booted;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		struct file files[] = { { "/grub/grub.cfg", cases[i].cfg,
					    strlen(cases[i].cfg) },
			{ "/vmlinuz", kernel, make_kernel(cases[i].version) },
			{ "/one", "one", 3 }, { NULL, NULL, 0 } };

		print_message("  %s\n", cases[i].cfg);
		booted = false;
		p = run(files, NULL, &booted);
		assert_int_equal(p->unknown & 0x300, cases[i].unknown);
		assert_memory_equal(
		    p->why[9], cases[i].why, strlen(cases[i].why));
		pred_free(p);
	}
}

/* Every prefix of a kernel is one that GRUB starts, or is refused. */
static void
every_prefix_of_a_kernel_is_followed_or_refused(void **state)
{
	static const char cfg[] = "linux /vmlinuz\nboot";
	size_t len = make_kernel(1), n;

	(void)state;
	for (n = 0; n < len; n++) {
		struct file files[] = { { "/grub/grub.cfg", cfg,
					    sizeof(cfg) - 1 },
			{ "/vmlinuz", kernel, n }, { NULL, NULL, 0 } };
		struct prediction *p;
		bool booted = false;

		p = run(files, NULL, &booted);
		assert_true((p->unknown & 0x10) != 0 || booted);
		pred_free(p);
	}
}

static void
grub_cfg_beside_the_image_comes_first_and_is_opened_twice(void **state)
{
	static const char here[] = "set timeout=0\nmenuentry a {\n"
				   "chainloader /x.efi\n}\n";
	static const char there[] = "halt";
	size_t len = make_kernel(1), from;
	struct file files[] = { { "/esp/grub.cfg", here, sizeof(here) - 1 },
		{ "/grub/grub.cfg", there, sizeof(there) - 1 },
		{ "/x.efi", kernel, len }, { NULL, NULL, 0 } };
	struct tpm_digest want[3] = { 0 };
	struct prediction *p;
	bool booted = false;

	(void)state;
	/* beside the image; where the prefix is; where the prefix is, once */
	for (from = 0; from < 3; from++) {
		files[0].path = from == 0 ? "/esp/grub.cfg" : "/none";
		files[1].data = from == 0 ? there : here;
		files[1].len = from == 0 ? sizeof(there) - 1 : sizeof(here) - 1;
		p = run(files, from < 2 ? "(hd0)/esp" : NULL, &booted);
		assert_true(booted);
		digest_of(here, sizeof(here) - 1, want[0].val);
		want[1] = want[0];
		digest_of(kernel, len, want[from < 2 ? 2 : 1].val);
		events_are(p, 9, want, from < 2 ? 3 : 2);
		pred_free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_kernel_with_a_stub_is_an_application_and_its_stub_measures),
		cmocka_unit_test(only_the_last_kernel_and_initrd_are_started),
		cmocka_unit_test(what_grub_2_12_starts_otherwise_is_not_known),
		cmocka_unit_test(
		    every_prefix_of_a_kernel_is_followed_or_refused),
		cmocka_unit_test(
		    grub_cfg_beside_the_image_comes_first_and_is_opened_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
