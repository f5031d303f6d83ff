/* SPDX-License-Identifier: BSD-3-Clause */
/* test_launch_xen.c - what xl makes of a configuration, and what is measured
 * of it.  The vectors are xl's own words (tests/vectors/README). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "tools/launch/launch_xen.h"

#define VECTORS "tests/vectors/xl/"
#define UUID "12345678-1234-4123-8123-123456789abc"

static char *
vector(const char *name, size_t *ret_len)
{
	char path[128];
	uint8_t *p;

	(void)snprintf(path, sizeof(path), VECTORS "%s.json", name);
	assert_int_equal(read_file(path, LX_JSON_MAX, &p, ret_len), VT_OK);
	return (char *)p;
}

static void
parse_vector(const char *name, struct lx_plan *p)
{
	char text[LX_TEXT_MAX] = "";
	size_t len;
	char *json = vector(name, &len);

	if (lx_parse(json, len, p, text) != VT_OK)
		fail_msg("%s: %s", name, text);
	free(json);
}

static void
xl_words_give_files_and_mode(void **state)
{
	static struct lx_plan p;
	char uuid[UUID_STRLEN + 1];

	(void)state;
	parse_vector("pv", &p);
	assert_string_equal(p.name, "web");
	assert_string_equal(p.type, "pv");
	assert_int_equal(p.mode, LAUNCH_M_DIRECT);
	assert_string_equal(p.cmdline, "root=/dev/xvda1 console=hvc0 quiet");
	assert_int_equal(p.nfiles, 2);
	assert_int_equal(p.files[0].role, LR_KERNEL);
	assert_string_equal(p.files[0].path, "/guest/vmlinuz");
	assert_int_equal(p.files[1].role, LR_INITRD);
	assert_string_equal(p.files[1].path, "/guest/initrd.gz");
	assert_true(p.has_vtpm);
	uuid_format(p.vtpm, uuid);
	assert_string_equal(uuid, UUID);
	assert_string_equal(p.backend, "0");
	assert_int_equal(p.actions[LX_POWEROFF], LX_DESTROY);
	assert_int_equal(p.actions[LX_REBOOT], LX_RESTART);
	assert_int_equal(p.actions[LX_CRASH], LX_DESTROY);
	lx_done(&p);

	parse_vector("pvh", &p);
	assert_int_equal(p.mode, LAUNCH_M_DIRECT);
	assert_int_equal(p.nfiles, 1);
	assert_string_equal(p.cmdline, "root=/dev/xvda1 a=\"b c\"");
	assert_int_equal(p.actions[LX_POWEROFF], LX_PRESERVE);
	assert_int_equal(p.actions[LX_CRASH], LX_COREDUMP_RESTART);
	assert_int_equal(p.actions[LX_WATCHDOG], LX_RESTART);
	lx_done(&p);

	parse_vector("hvm", &p);
	assert_int_equal(p.mode, LAUNCH_M_FIRMWARE);
	assert_null(p.cmdline);
	assert_string_equal(p.bios, "ovmf");
	assert_string_equal(p.backend, "vtpmmgr");
	assert_int_equal(p.nfiles, 3);
	assert_string_equal(
	    lx_find(&p, "bios_path_override")->path, "/x/OVMF.fd");
	assert_string_equal(
	    lx_find(&p, "firmware_override")->path, "/x/hvmloader");
	assert_string_equal(lx_find(&p, "acpi_firmware")->path, "/x/acpi");
	assert_null(lx_find(&p, "kernel"));
	lx_done(&p);
}

/* A domain of type pv with this in b_info and this beside it. */
static int
parse(const char *type, const char *b_info, const char *more, struct lx_plan *p,
    char *text)
{
	char json[4096];
	int n, rc;

	n = snprintf(json, sizeof(json),
	    "{\"c_info\":{\"type\":\"%s\",\"name\":\"g\",\"uuid\":\"" UUID
	    "\"},\"b_info\":{%s}%s}",
	    type, b_info, more);
	assert_true(n > 0 && (size_t)n < sizeof(json));
	text[0] = '\0';
	rc = lx_parse(json, (size_t)n, p, text);
	if (rc != VT_OK)
		assert_true(text[0] != '\0');
	return rc;
}

static void
what_cannot_be_measured_is_refused_in_words(void **state)
{
#define K "\"kernel\":\"/k\""
	/* clang-format off */
	static const struct {
		const char *type, *b_info, *more;
		int rc;
		const char *words;
	} cases[] = {
		{ "pv", "", "", VT_E_FORMAT, "no kernel=" },
		{ "pvh", "\"ramdisk\":\"/i\"", "", VT_E_FORMAT, "no kernel=" },
		{ "pv", "\"kernel\":\"\"", "", VT_E_FORMAT, "no kernel=" },
		{ "pv", "\"kernel\":\"vmlinuz\"", "", VT_E_UNSUPPORTED, "kernel=: write the whole path" },
		{ "pv", "\"kernel\":7", "", VT_E_UNSUPPORTED, "whole path" },
		{ "pv", K ",\"bootloader\":\"pygrub\"", "", VT_E_UNSUPPORTED, "bootloader=" },
		{ "pv", "\"bootloader\":\"/usr/lib/xen/bin/pygrub\"", "", VT_E_UNSUPPORTED, "bootloader=" },
		{ "hvm", K ",\"extra\":[\"-a\"]", "", VT_E_UNSUPPORTED, "device_model_args=" },
		{ "hvm", K ",\"extra_hvm\":[\"-kernel\",\"x\"]", "", VT_E_UNSUPPORTED, "device_model_args_hvm=" },
		{ "pv", K ",\"extra_pv\":[\"x\"]", "", VT_E_UNSUPPORTED, "device_model_args_pv=" },
		{ "hvm", K ",\"device_model_stubdomain\":\"True\"", "", VT_E_UNSUPPORTED, "stub" },
		{ "hvm", K ",\"stubdomain_kernel\":\"/s\"", "", VT_E_UNSUPPORTED, "stub" },
		{ "hvm", K ",\"device_model_version\":\"qemu_xen_traditional\"", "", VT_E_UNSUPPORTED, "qemu-xen" },
		{ "pvh", K ",\"type.pvh\":{\"pvshim\":\"True\"}", "", VT_E_UNSUPPORTED, "shim" },
		{ "pv", K ",\"new_loader\":\"/boot/x\"", "", VT_E_UNSUPPORTED, "\"new_loader\" names /boot/x" },
		{ "pv", K ",\"deep\":{\"list\":[{\"image\":\"/y\"}]}", "", VT_E_UNSUPPORTED, "\"image\" names /y" },
		{ "pv", K, ",\"roms\":[\"/rom\"]", VT_E_UNSUPPORTED, "\"roms\" names /rom" },
		{ "arm", K, "", VT_E_UNSUPPORTED, "type arm" },
		{ "pv", K, ",\"on_reboot\":\"rename_restart\"", VT_E_UNSUPPORTED, "on_reboot=" },
		{ "pv", K, ",\"on_crash\":\"whatever\"", VT_E_UNSUPPORTED, "on_crash=" },
		{ "pv", K, ",\"vtpms\":[{\"devid\":0}]", VT_E_FORMAT, "no uuid=" },
		{ "pv", K, ",\"vtpms\":[{\"uuid\":\"123\"}]", VT_E_FORMAT, "no uuid=" },
		{ "pv", K, ",\"vtpms\":[{\"uuid\":\"" UUID "\"},{\"uuid\":\"" UUID "\"}]", VT_E_UNSUPPORTED, "2 vTPMs" },
		{ "pv", K, ",\"vtpms\":{}", VT_E_FORMAT, "not a list" },
		{ "pv", K ",\"kernel\":\"/other\"", "", VT_E_FORMAT, "not a domain configuration" },
		{ "pv", K, "} {", VT_E_FORMAT, "not a domain configuration" },
		{ "pv", K ",\"cmdline\":\"a\\u0000b\"", "", VT_E_FORMAT, "not a domain configuration" },
	};
	/* clang-format on */
#undef K
	static struct lx_plan p;
	char text[LX_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s %s %s\n", cases[i].type, cases[i].b_info,
		    cases[i].more);
		assert_int_equal(parse(cases[i].type, cases[i].b_info,
				     cases[i].more, &p, text),
		    cases[i].rc);
		if (strstr(text, cases[i].words) == NULL)
			fail_msg("'%s' is not in '%s'", cases[i].words, text);
		lx_done(&p);
	}
}

static void
hostile_names_are_refused(void **state)
{
	/* clang-format off */
	static const char *const cases[] = {
		"{\"c_info\":{\"type\":\"pv\",\"name\":\"a\\nb\",\"uuid\":\"" UUID "\"},\"b_info\":{\"kernel\":\"/k\"}}",
		"{\"c_info\":{\"type\":\"pv\",\"name\":\"\",\"uuid\":\"" UUID "\"},\"b_info\":{\"kernel\":\"/k\"}}",
		"{\"c_info\":{\"type\":\"pv\",\"name\":\"a\",\"uuid\":\"\\\"; kernel=\\\"/x\"},\"b_info\":{\"kernel\":\"/k\"}}",
		"{\"c_info\":{\"type\":\"pv\",\"name\":\"a\"},\"b_info\":{\"kernel\":\"/k\"}}",
		"{\"c_info\":7,\"b_info\":{\"kernel\":\"/k\"}}",
		"{\"c_info\":{},\"b_info\":[]}",
		"{\"b_info\":{\"kernel\":\"/k\"}}",
		"[]", "7", "", "{", "null",
	};
	/* clang-format on */
	static struct lx_plan p;
	char text[LX_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		assert_int_not_equal(
		    lx_parse(cases[i], strlen(cases[i]), &p, text), VT_OK);
		lx_done(&p);
	}
}

/* Each prefix is an exact heap copy. */
static void
every_proper_prefix_is_refused(void **state)
{
	static struct lx_plan p;
	char text[LX_TEXT_MAX], *copy;
	size_t len, n;
	char *json = vector("hvm", &len);

	(void)state;
	while (len > 0 && json[len - 1] != '}')
		len--;
	for (n = 0; n < len; n++) {
		copy = malloc(n > 0 ? n : 1);
		assert_non_null(copy);
		memcpy(copy, json, n);
		assert_int_not_equal(lx_parse(copy, n, &p, text), VT_OK);
		lx_done(&p);
		free(copy);
	}
	free(json);
}

static char *
config_of(const char *type, const char *b_info, const char *more)
{
	static struct lx_plan p;
	char text[LX_TEXT_MAX], *out;

	assert_int_equal(parse(type, b_info, more, &p, text), VT_OK);
	assert_int_equal(lx_config_text(&p, &out), VT_OK);
	lx_done(&p);
	return out;
}

static void
configuration_is_the_machine_and_nothing_else(void **state)
{
	static struct lx_plan p;
	char *a, *b;

	(void)state;
	/* Order does not count, nor where the files lie. */
	a = config_of("pv",
	    "\"kernel\":\"/k\",\"cmdline\":\"x\",\"max_memkb\":5,"
	    "\"max_vcpus\":2",
	    "");
	b = config_of("pv",
	    "\"max_vcpus\":2,\"max_memkb\":5,\"kernel\":\"/elsewhere\","
	    "\"cmdline\":\"y\"",
	    "");
	assert_string_equal(a, b);
	assert_string_equal(a,
	    "b_info.max_memkb=5\nb_info.max_vcpus=2\nc_info.name=g\n"
	    "c_info.type=pv\n");
	free(a);
	free(b);
	/* One line cannot be made to look like two. */
	a = config_of(
	    "pv", "\"kernel\":\"/k\"", ",\"x\":\"1\\nb_info.max_memkb=9\"");
	assert_null(strstr(a, "\nb_info.max_memkb=9"));
	assert_non_null(strstr(a, "x=\"1\\nb_info.max_memkb=9\"\n"));
	free(a);

	parse_vector("hvm", &p);
	assert_int_equal(lx_config_text(&p, &a), VT_OK);
	lx_done(&p);
	assert_null(strstr(a, "secret"));
	assert_null(strstr(a, "ms_vm_genid"));
	assert_null(strstr(a, "OVMF.fd"));
	assert_null(strstr(a, "87654321"));
	assert_non_null(strstr(a, "\ndisks.1.pdev_path=/cd.iso\n"));
	assert_non_null(strstr(a, "\nnics.0.mac=00:16:3e:11:22:33\n"));
	assert_non_null(strstr(a, "\nvtpms.0.uuid=" UUID "\n"));
	assert_non_null(strstr(a, "b_info.max_memkb=524288\n"));
	free(a);
}

static void
each_change_of_the_machine_shows(void **state)
{
	/* clang-format off */
	static const struct { const char *b_info, *more; } cases[] = {
		{ "\"kernel\":\"/k\",\"max_memkb\":6", "" },
		{ "\"kernel\":\"/k\",\"max_memkb\":5,\"max_vcpus\":3", "" },
		{ "\"kernel\":\"/k\",\"max_memkb\":5", ",\"disks\":[{\"vdev\":\"xvda\",\"pdev_path\":\"/d\"}]" },
		{ "\"kernel\":\"/k\",\"max_memkb\":5", ",\"pcidevs\":[{\"bus\":1}]" },
		{ "\"kernel\":\"/k\",\"max_memkb\":5,\"nested_hvm\":\"True\"", "" },
		{ "\"kernel\":\"/k\",\"max_memkb\":5", ",\"on_crash\":\"restart\"" },
	};
	/* clang-format on */
	char *a, *b;
	size_t i;

	(void)state;
	a = config_of("pv", "\"kernel\":\"/k\",\"max_memkb\":5", "");
	for (i = 0; i < VT_NELEM(cases); i++) {
		b = config_of("pv", cases[i].b_info, cases[i].more);
		assert_string_not_equal(a, b);
		free(b);
	}
	b = config_of("pvh", "\"kernel\":\"/k\",\"max_memkb\":5", "");
	assert_string_not_equal(a, b);
	free(a);
	free(b);
}

static void
overrides_name_every_file(void **state)
{
	static const char *const paths[] = { "/proc/self/fd/5",
		"/proc/self/fd/6" };
	static struct lx_plan p;
	char out[512];
	size_t n;

	(void)state;
	parse_vector("pv", &p);
	assert_int_equal(lx_overrides(&p, paths, out, sizeof(out)), VT_OK);
	assert_non_null(strstr(out, "\nkernel = \"/proc/self/fd/5\"\n"));
	assert_non_null(strstr(out, "\nramdisk = \"/proc/self/fd/6\"\n"));
	assert_non_null(strstr(out, "\nuuid = \""));
	for (n = strlen(out); n > 0; n--)
		assert_int_equal(lx_overrides(&p, paths, out, n), VT_E_RANGE);
	lx_done(&p);
}

/* What xl says of the second configuration: json with the copies' paths. */
static char *
with_paths(const char *name, const char *kernel, const char *more)
{
	size_t len;
	char *json = vector(name, &len), *out = NULL;
	json_t *j = json_loadb(json, len, 0, NULL);
	json_t *b = json_object_get(j, "b_info");

	(void)json_object_set_new(b, "kernel", json_string(kernel));
	(void)json_object_set_new(b, "ramdisk", json_string("/fd/6"));
	if (more != NULL)
		(void)json_object_set_new(b, more, json_string("x"));
	out = json_dumps(j, 0);
	json_decref(j);
	free(json);
	return out;
}

static void
xl_must_load_just_what_was_measured(void **state)
{
	static const char *const paths[] = { "/fd/5", "/fd/6" };
	/* clang-format off */
	static const struct {
		const char *kernel, *more;
		int rc;
	} cases[] = {
		{ "/fd/5", NULL, VT_OK },
		{ "/guest/vmlinuz", NULL, VT_E_DENIED },
		{ "/fd/6", NULL, VT_E_DENIED },
		{ "/fd/5", "cmdline", VT_E_DENIED },
		{ "/fd/5", "device_tree", VT_E_DENIED },
		{ "/fd/5", "something_new", VT_E_DENIED },
	};
	/* clang-format on */
	static struct lx_plan p;
	char text[LX_TEXT_MAX], *json;
	size_t i;

	(void)state;
	parse_vector("pv", &p);
	for (i = 0; i < VT_NELEM(cases); i++) {
		json = with_paths("pv", cases[i].kernel, cases[i].more);
		assert_int_equal(
		    lx_same(&p, paths, json, strlen(json), text), cases[i].rc);
		free(json);
	}
	assert_int_equal(lx_same(&p, paths, "{", 1, text), VT_E_FORMAT);
	assert_int_equal(lx_same(&p, paths, "{}", 2, text), VT_E_DENIED);
	lx_done(&p);
}

static void
defaults_can_be_added_and_ends_have_words(void **state)
{
	static struct lx_plan p;
	char text[LX_TEXT_MAX];
	int i;

	(void)state;
	assert_int_equal(parse("hvm", "\"type.hvm\":{}", "", &p, text), VT_OK);
	assert_int_equal(p.nfiles, 0);
	assert_string_equal(p.bios, "seabios");
	assert_int_equal(
	    lx_add_file(&p, LR_FIRMWARE, "firmware_override", "firmware", "/h"),
	    VT_OK);
	assert_string_equal(lx_find(&p, "firmware_override")->path, "/h");
	assert_int_equal(
	    lx_add_file(&p, LR_FIRMWARE, "nonsense", "x", "/h"), VT_E_RANGE);
	lx_done(&p);
	for (i = 0; i < LX_NREASONS; i++)
		assert_int_equal(
		    lx_reason_parse(lx_reason_name((enum lx_reason)i)), i);
	assert_int_equal(lx_reason_parse("suspend"), -1);
	assert_int_equal(lx_reason_parse(""), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xl_words_give_files_and_mode),
		cmocka_unit_test(what_cannot_be_measured_is_refused_in_words),
		cmocka_unit_test(hostile_names_are_refused),
		cmocka_unit_test(every_proper_prefix_is_refused),
		cmocka_unit_test(configuration_is_the_machine_and_nothing_else),
		cmocka_unit_test(each_change_of_the_machine_shows),
		cmocka_unit_test(overrides_name_every_file),
		cmocka_unit_test(xl_must_load_just_what_was_measured),
		cmocka_unit_test(defaults_can_be_added_and_ends_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
