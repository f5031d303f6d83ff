/* SPDX-License-Identifier: BSD-3-Clause */
/* test_launch_qemu.c - what a QEMU command line loads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "tools/launch/launch_qemu.h"

#define ARGS_MAX 24

/* One string, words apart by spaces; '_' stands for a space in a word. */
static int
parse(const char *line, struct lq_plan *p, char *text, char **ret_argv)
{
	static char copy[1024];
	char *argv[ARGS_MAX], *save = NULL, *w;
	int argc = 0, rc;

	assert_true(strlen(line) < sizeof(copy));
	strcpy(copy, line);
	for (w = strtok_r(copy, " ", &save); w != NULL && argc < ARGS_MAX;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	rc = lq_parse(argc, argv, p, text);
	if (ret_argv != NULL)
		memcpy(ret_argv, argv, sizeof(argv));
	return rc;
}

static void
files_are_found_with_their_roles(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*line;
		unsigned int	 n;
		uint8_t		 role;
		const char	*path;
		bool		 writable;
		enum launch_mode mode;
	} cases[] = {
		{ "q -kernel /k", 1, LR_KERNEL, "/k", false, LAUNCH_M_DIRECT },
		{ "q --kernel /k", 1, LR_KERNEL, "/k", false, LAUNCH_M_DIRECT },
		{ "q -initrd /i", 1, LR_INITRD, "/i", false, LAUNCH_M_FIRMWARE },
		{ "q -dtb /d", 1, LR_DEVICE_TREE, "/d", false, LAUNCH_M_FIRMWARE },
		{ "q -bios /b", 1, LR_FIRMWARE, "/b", false, LAUNCH_M_FIRMWARE },
		{ "q -drive if=pflash,format=raw,file=/c,readonly=on", 1, LR_FIRMWARE, "/c", false, LAUNCH_M_FIRMWARE },
		{ "q -drive if=pflash,format=raw,file=/v", 1, LR_VARS, "/v", true, LAUNCH_M_FIRMWARE },
		{ "q -drive file=/v,,x,if=pflash,format=raw,unit=1", 1, LR_VARS, "/v,x", true, LAUNCH_M_FIRMWARE },
		{ "q -drive if=virtio,file=/disk", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q -drive file=/disk,if=pflashy", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q -device loader,file=/l,addr=0", 1, LR_OTHER, "/l", false, LAUNCH_M_FIRMWARE },
		{ "q -fw_cfg name=opt/x,file=/w", 1, LR_OTHER, "/w", false, LAUNCH_M_FIRMWARE },
		{ "q -device e1000,romfile= -nodefaults -S", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q -global e1000.mac_table=off -qmp unix:/q", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q -object rng-random,id=r,filename=/dev/urandom", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q -append -kernel -m 64", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q disk.img", 0, 0, "", false, LAUNCH_M_FIRMWARE },
	};
	/* clang-format on */
	static struct lq_plan p;
	char text[LQ_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].line);
		assert_int_equal(parse(cases[i].line, &p, text, NULL), VT_OK);
		assert_int_equal(p.nfiles, cases[i].n);
		assert_int_equal(p.mode, cases[i].mode);
		if (cases[i].n == 0)
			continue;
		assert_int_equal(p.files[0].role, cases[i].role);
		assert_string_equal(p.files[0].path, cases[i].path);
		assert_int_equal(p.files[0].writable, cases[i].writable);
	}
}

static void
a_kernel_behind_firmware_is_measured_by_that(void **state)
{
	static struct lq_plan p;
	char text[LQ_TEXT_MAX];

	(void)state;
	assert_int_equal(
	    parse(
		"q -kernel /k -drive if=pflash,format=raw,readonly=on,file=/c",
		&p, text, NULL),
	    VT_OK);
	assert_int_equal(p.mode, LAUNCH_M_FIRMWARE);
	assert_int_equal(p.nfiles, 2);
}

static void
what_cannot_be_measured_is_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*line;
		int		 want;
		const char	*word;
	} cases[] = {
		{ "q -kernel /a -kernel /b", VT_E_EXISTS, "twice" },
		{ "q -initrd /a -initrd /b", VT_E_EXISTS, "twice" },
		{ "q -append a -append b", VT_E_EXISTS, "twice" },
		{ "q -bios /a -bios /b", VT_E_EXISTS, "twice" },
		{ "q -kernel", VT_E_FORMAT, "no value" },
		{ "q -M q35,kernel=/k", VT_E_UNSUPPORTED, "-kernel" },
		{ "q -machine q35,initrd=/k", VT_E_UNSUPPORTED, "-initrd" },
		{ "q -machine firmware=/k", VT_E_UNSUPPORTED, "-bios" },
		{ "q -machine q35,pflash0=x", VT_E_UNSUPPORTED, "pflash" },
		{ "q -readconfig /f", VT_E_UNSUPPORTED, "-readconfig" },
		{ "q -incoming tcp:x", VT_E_UNSUPPORTED, "-incoming" },
		{ "q -loadvm s", VT_E_UNSUPPORTED, "-loadvm" },
		{ "q -drive if=pflash", VT_E_FORMAT, "no file" },
		{ "q -tpmdev emulator,id=x", VT_E_EXISTS, "leave the TPM" },
		{ "q -device tpm-crb,tpmdev=x", VT_E_EXISTS, "leave the TPM" },
		/* QEMU takes the last of two keys */
		{ "q -drive if=none,file=/d,if=pflash", VT_E_EXISTS, "twice" },
		{ "q -drive if=pflash,format=raw,file=/good,file=/evil", VT_E_EXISTS, "twice" },
		{ "q -device loader,file=/a,file=/b", VT_E_EXISTS, "twice" },
		{ "q -machine q35,accel=tcg,accel=kvm", VT_E_EXISTS, "twice" },
		/* an unknown option could take the next word as its value */
		{ "q -frobnicate -kernel /k", VT_E_UNSUPPORTED, "-frobnicate" },
		{ "q -pidfile -kernel x -kernel", VT_E_FORMAT, "no value" },
		{ "q -set drive.fw.file=/evil", VT_E_UNSUPPORTED, "-set" },
		{ "q -L /evil", VT_E_UNSUPPORTED, "-L" },
		{ "q -device e1000,romfile=/evil", VT_E_UNSUPPORTED, "ROM" },
		{ "q -device {\"driver\":\"e1000\"}", VT_E_UNSUPPORTED, "DRIVER,KEY" },
		{ "q -device driver=loader,file=/l", VT_E_UNSUPPORTED, "DRIVER,KEY" },
		{ "q -device loader,addr=0,data=1", VT_E_UNSUPPORTED, "use file=" },
		{ "q -device guest-loader,kernel=/k", VT_E_UNSUPPORTED, "cannot be measured" },
		{ "q -global e1000.romfile=/evil", VT_E_UNSUPPORTED, "cannot be measured" },
		{ "q -global driver=e1000,property=romfile,value=/e", VT_E_UNSUPPORTED, "DRIVER.PROPERTY" },
		{ "q -fw_cfg name=opt/x,string=/w", VT_E_UNSUPPORTED, "file=" },
		{ "q -object memory-backend-file,mem-path=/m", VT_E_UNSUPPORTED, "not known" },
		{ "q -acpitable file=/a", VT_E_UNSUPPORTED, "-acpitable" },
		{ "q -smbios file=/a", VT_E_UNSUPPORTED, "-smbios" },
		{ "q -gdb tcp::1", VT_E_UNSUPPORTED, "-gdb" },
		{ "q -s", VT_E_UNSUPPORTED, "-s" },
		{ "q -pflash /f", VT_E_UNSUPPORTED, "if=pflash,format=raw" },
		{ "q -drive if=pflash,file=/q", VT_E_UNSUPPORTED, "format=raw" },
		{ "q -drive if=pflash,format=qcow2,file=/q", VT_E_UNSUPPORTED, "format=raw" },
		{ "q -drive if=pflash,format=raw,file=/f,backing.file=/e", VT_E_UNSUPPORTED, "unknown" },
	};
	/* clang-format on */
	static struct lq_plan p;
	char text[LQ_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].line);
		text[0] = '\0';
		assert_int_equal(
		    parse(cases[i].line, &p, text, NULL), cases[i].want);
		assert_non_null(strstr(text, cases[i].word));
	}
	assert_int_equal(lq_parse(0, NULL, &p, text), VT_E_FORMAT);
}

static void
the_path_alone_is_replaced(void **state)
{
	static struct lq_plan p;
	char text[LQ_TEXT_MAX], *argv[ARGS_MAX], *s;

	(void)state;
	assert_int_equal(
	    parse("q -drive if=pflash,format=raw,file=/a,,b,readonly=on "
		  "-kernel /k",
		&p, text, argv),
	    VT_OK);
	s = lq_replace(argv[p.files[0].arg], &p.files[0], "/proc/self/fd/7");
	assert_string_equal(
	    s, "if=pflash,format=raw,file=/proc/self/fd/7,readonly=on");
	free(s);
	s = lq_replace(argv[p.files[1].arg], &p.files[1], "/x");
	assert_string_equal(s, "/x");
	free(s);
}

static void
the_same_machine_has_the_same_text(void **state)
{
	static struct lq_plan p, q;
	char text[LQ_TEXT_MAX], a[1024], b[1024];

	(void)state;
	assert_int_equal(
	    parse("q -M q35 -cpu max -m 64 -smp 2 -name x", &p, text, NULL),
	    VT_OK);
	assert_int_equal(lq_config_text(&p, a, sizeof(a)), VT_OK);
	assert_string_equal(a, "machine=q35 cpu=max m=64 smp=2");
	assert_int_equal(
	    parse("q -smp 2 -m 64 -machine q35 -cpu max", &q, text, NULL),
	    VT_OK);
	assert_int_equal(lq_config_text(&q, b, sizeof(b)), VT_OK);
	assert_string_equal(a, b);
	assert_int_equal(parse("q -m 64 -m slots=2", &q, text, NULL), VT_OK);
	assert_string_equal(q.memory, "64,slots=2");
	assert_int_equal(lq_config_text(&p, a, 10), VT_E_RANGE);
}

static void
more_files_than_fit_are_refused(void **state)
{
	static struct lq_plan p;
	char text[LQ_TEXT_MAX];
	static char opt[] = "-fw_cfg", val[] = "name=a,file=/b", q[] = "q";
	char *argv[1 + 2 * (LQ_FILES_MAX + 1)];
	int n = 0, i;

	(void)state;
	argv[n++] = q;
	for (i = 0; i <= LQ_FILES_MAX; i++) {
		argv[n++] = opt;
		argv[n++] = val;
	}
	assert_int_equal(lq_parse(n - 2, argv, &p, text), VT_OK);
	assert_int_equal(lq_parse(n, argv, &p, text), VT_E_RANGE);
}

static void
commas_are_doubled(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(lq_escape("a,b", out, sizeof(out)), VT_OK);
	assert_string_equal(out, "a,,b");
	assert_int_equal(lq_escape(",,,,", out, sizeof(out)), VT_E_RANGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_found_with_their_roles),
		cmocka_unit_test(a_kernel_behind_firmware_is_measured_by_that),
		cmocka_unit_test(what_cannot_be_measured_is_refused),
		cmocka_unit_test(the_path_alone_is_replaced),
		cmocka_unit_test(the_same_machine_has_the_same_text),
		cmocka_unit_test(more_files_than_fit_are_refused),
		cmocka_unit_test(commas_are_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
