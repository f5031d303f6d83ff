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
parse_with(const char *site, const char *line, struct lq_plan *p, char *text,
    char **ret_argv)
{
	static char copy[2048];
	char *argv[ARGS_MAX], *save = NULL, *w;
	int argc = 0, rc;

	assert_true(strlen(line) < sizeof(copy));
	strcpy(copy, line);
	for (w = strtok_r(copy, " ", &save); w != NULL && argc < ARGS_MAX;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	rc = lq_parse(argc, argv, site, p, text);
	if (ret_argv != NULL)
		memcpy(ret_argv, argv, sizeof(argv));
	return rc;
}

/* The plan of the last parse, whose memory goes at the next. */
static int
parse(const char *line, struct lq_plan *p, char *text, char **ret_argv)
{
	lq_done(p);
	return parse_with(NULL, line, p, text, ret_argv);
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
		{ "q -drive if=pflash,format=raw,file=/v", 1, LR_FIRMWARE, "/v", true, LAUNCH_M_FIRMWARE },
		{ "q -drive file=/v,,x,if=pflash,format=raw,unit=1", 1, LR_VARS, "/v,x", true, LAUNCH_M_FIRMWARE },
		{ "q -drive if=virtio,file=/disk", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q -drive file=/disk,if=pflashy", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q -device loader,file=/l,addr=0", 1, LR_OTHER, "/l", false, LAUNCH_M_FIRMWARE },
		{ "q -fw_cfg name=opt/x,file=/w", 1, LR_OTHER, "/w", false, LAUNCH_M_FIRMWARE },
		{ "q -device e1000,romfile= -nodefaults -S", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q -global e1000.mac_table=off -qmp unix:/q", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q -object rng-random,id=r,filename=/dev/urandom", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q -append -kernel -m 64", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q -device e1000,romfile=/r", 1, LR_OTHER, "/r", false, LAUNCH_M_FIRMWARE },
		{ "q -device driver=loader,file=/l", 1, LR_OTHER, "/l", false, LAUNCH_M_FIRMWARE },
		{ "q -device {\"driver\":\"loader\",\"file\":\"/l\"}", 1, LR_OTHER, "/l", false, LAUNCH_M_FIRMWARE },
		{ "q -device {\"driver\":\"e1000\",\"romfile\":\"/r\"}", 1, LR_OTHER, "/r", false, LAUNCH_M_FIRMWARE },
		{ "q -option-rom /o,bootindex=1", 1, LR_OTHER, "/o", false, LAUNCH_M_FIRMWARE },
		{ "q -fw_cfg opt/x,file=/w", 1, LR_OTHER, "/w", false, LAUNCH_M_FIRMWARE },
		{ "q -fw_cfg opt/x,string=/w", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q -acpitable sig=X,file=/a", 1, LR_OTHER, "/a", false, LAUNCH_M_FIRMWARE },
		{ "q -smbios file=/a", 1, LR_OTHER, "/a", false, LAUNCH_M_FIRMWARE },
		{ "q -smbios type=11,value=a,value=b,path=/a", 1, LR_OTHER, "/a", false, LAUNCH_M_FIRMWARE },
		{ "q -boot c,splash=/s", 1, LR_OTHER, "/s", false, LAUNCH_M_FIRMWARE },
		{ "q -drive if=pflash,format=raw,unit=1,file=/v", 1, LR_VARS, "/v", true, LAUNCH_M_FIRMWARE },
		{ "q -global driver=cfi.pflash01,property=secure,value=on", 0, 0, "", false, LAUNCH_M_FIRMWARE },
		{ "q -machine pc,pflash0=f -blockdev {\"driver\":\"file\",\"filename\":\"/c\",\"node-name\":\"s\"} -blockdev {\"node-name\":\"f\",\"read-only\":true,\"driver\":\"raw\",\"file\":\"s\"}", 1, LR_FIRMWARE, "/c", false, LAUNCH_M_FIRMWARE },
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

/* clang-format off */
static const struct {
	const char	*line;
	int		 want;
	const char	*word;
} refusals[] = {
	{ "q -kernel /a -kernel /b", VT_E_EXISTS, "twice" },
	{ "q -initrd /a -initrd /b", VT_E_EXISTS, "twice" },
	{ "q -append a -append b", VT_E_EXISTS, "twice" },
	{ "q -bios /a -bios /b", VT_E_EXISTS, "twice" },
	{ "q -kernel", VT_E_FORMAT, "no value" },
	{ "q -M q35,kernel=/k", VT_E_UNSUPPORTED, "-kernel" },
	{ "q -machine q35,initrd=/k", VT_E_UNSUPPORTED, "-initrd" },
	{ "q -machine firmware=/k", VT_E_UNSUPPORTED, "-bios" },
	{ "q -machine q35,pflash0=x", VT_E_UNSUPPORTED, "of -blockdev" },
	{ "q -M q35 -machine pc", VT_E_EXISTS, "twice" },
	{ "q -readconfig /f", VT_E_UNSUPPORTED, "-readconfig" },
	{ "q -incoming tcp:x", VT_E_UNSUPPORTED, "-incoming" },
	{ "q -loadvm s", VT_E_UNSUPPORTED, "-loadvm" },
	{ "q -drive if=pflash", VT_E_FORMAT, "no usable file" },
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
	{ "q -device {\"driver\":\"guest-loader\",\"kernel\":\"/k\"}", VT_E_UNSUPPORTED, "cannot be measured" },
	{ "q -device {\"driver\":\"e1000\",\"driver\":\"loader\"}", VT_E_FORMAT, "twice" },
	{ "q -device {'driver':'e1000'}", VT_E_FORMAT, "no JSON" },
	{ "q -device e1000,driver=loader,file=/l", VT_E_EXISTS, "twice" },
	{ "q -device frobnicator", VT_E_UNSUPPORTED, "device frobnicator" },
	/* QEMU: a key "", then "file" */
	{ "q -drive if=pflash,format=raw,readonly,,file=/evil", VT_E_FORMAT, "empty" },
	{ "q -drive if=pflash,format=raw,file=/f,readonly", VT_E_UNSUPPORTED, "=VALUE" },
	{ "q -drive if=pflash,format=raw,file=/f,readonly=yes", VT_E_UNSUPPORTED, "readonly=on" },
	{ "q -drive if=pflash,format=raw,file=/f,unit=0x0", VT_E_UNSUPPORTED, "unit=0" },
	{ "q -drive if=pflash,format=raw,file=nbd:localhost:1", VT_E_UNSUPPORTED, "./NAME" },
	{ "q -device loader,addr=0,data=1", VT_E_UNSUPPORTED, "use file=" },
	{ "q -device guest-loader,kernel=/k", VT_E_UNSUPPORTED, "cannot be measured" },
	{ "q -global e1000.romfile=/evil", VT_E_UNSUPPORTED, "cannot be measured" },
	{ "q -global driver=e1000,property=romfile,value=/e", VT_E_UNSUPPORTED, "cannot be measured" },
	{ "q -global driver=cfi.pflash01,property=drive,value=x", VT_E_UNSUPPORTED, "cannot be measured" },
	{ "q -global fw_cfg.x=y", VT_E_UNSUPPORTED, "global fw_cfg.x" },
	{ "q -global frobnicate", VT_E_UNSUPPORTED, "DRIVER.PROPERTY" },
	{ "q -fw_cfg name=opt/x,gen_id=g", VT_E_UNSUPPORTED, "file=" },
	{ "q -fw_cfg name=opt/x,gen_id=longer-than-others", VT_E_UNSUPPORTED, "file=" },
	/* QEMU: file=off */
	{ "q -fw_cfg name=opt/x,file=/a,nofile", VT_E_EXISTS, "twice" },
	{ "q -device loader,file=/a,nofile", VT_E_EXISTS, "twice" },
	{ "q -smbios file=/a,nofile", VT_E_EXISTS, "twice" },
	{ "q -acpitable file=/a,nofile", VT_E_EXISTS, "twice" },
	{ "q -device e1000,noromfile", VT_E_FORMAT, "no usable file" },
	{ "q -device loader,no", VT_E_FORMAT, "empty" },
	/* QEMU: a name that begins with C0 80, not an empty one */
	{ "q -device {\"driver\":\"e1000\",\"romfile\":\"\\u0000/evil\"}", VT_E_FORMAT, "no JSON" },
	{ "q -icount shift=3,rr=replay,rrfile=/r,rrsnapshot=s", VT_E_UNSUPPORTED, "recorded run" },
	{ "q -drive if=pflash,format=raw,unit=00000001,file=/f", VT_E_UNSUPPORTED, "unit=0" },
	{ "q -drive if=pflash,format=raw,file=/f,readonly=yes-indeed", VT_E_UNSUPPORTED, "readonly=on" },
	{ "q -add-fd fd=3,set=1", VT_E_UNSUPPORTED, "descriptor" },
	{ "q -chroot /x", VT_E_UNSUPPORTED, "not found there" },
	{ "q -mem-path /x", VT_E_UNSUPPORTED, "content" },
	{ "q -preconfig", VT_E_UNSUPPORTED, "option preconfig" },
	{ "q -vga frobnicate", VT_E_UNSUPPORTED, "std" },
	{ "q -smbios file=/a,path=/b", VT_E_UNSUPPORTED, "each file" },
	{ "q -name \x01 -serial \x02", VT_E_FORMAT, "control" },
	{ "q -object memory-backend-file,mem-path=/m", VT_E_UNSUPPORTED, "object memory-backend-file" },
	{ "q -acpitable file=/a:/b", VT_E_UNSUPPORTED, "-acpitable" },
	{ "q -acpitable data=/a", VT_E_UNSUPPORTED, "file=" },
	{ "q -gdb tcp::1", VT_E_UNSUPPORTED, "-gdb" },
	{ "q -s", VT_E_UNSUPPORTED, "-s" },
	{ "q -pflash /f", VT_E_UNSUPPORTED, "if=pflash,format=raw" },
	{ "q -drive if=pflash,file=/q", VT_E_UNSUPPORTED, "format=raw" },
	{ "q -drive if=pflash,format=qcow2,file=/q", VT_E_UNSUPPORTED, "format=raw" },
	{ "q -drive if=pflash,format=raw,file=/f,backing.file=/e", VT_E_UNSUPPORTED, "unknown" },
};
/* clang-format on */

static void
what_cannot_be_measured_is_refused(void **state)
{
	static struct lq_plan p;
	char text[LQ_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(refusals); i++) {
		print_message("  %s\n", refusals[i].line);
		text[0] = '\0';
		assert_int_equal(
		    parse(refusals[i].line, &p, text, NULL), refusals[i].want);
		assert_non_null(strstr(text, refusals[i].word));
	}
	lq_done(&p);
	assert_int_equal(lq_parse(0, NULL, NULL, &p, text), VT_E_FORMAT);
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
what_is_recorded_is_all_but_paths_and_names(void **state)
{
	static struct lq_plan p;
	char text[LQ_TEXT_MAX];

	(void)state;
	assert_int_equal(parse("q -M q35 -name x -S -kernel /k -append -quiet "
			       "-qmp unix:/q -pidfile /p disk -drive "
			       "if=pflash,format=raw,file=/a,,b,unit=1 -device "
			       "{\"driver\":\"e1000\",\"romfile\":\"/r\"} "
			       "--device ide-hd",
			     &p, text, NULL),
	    VT_OK);
	assert_string_equal(p.config,
	    "M=q35\nkernel=\nappend=\nqmp=unix:/q\ndisk=disk\n"
	    "drive=if=pflash,format=raw,file=,unit=1\n"
	    "device={\"driver\":\"e1000\",\"romfile\":\"\"}\n"
	    "device.2=ide-hd\n");
	lq_done(&p);
}

static void
a_sites_list_allows_what_is_refused(void **state)
{
	/* clang-format off */
	static const struct { const char *site, *line, *config; } cases[] = {
		{ "option s\n", "q -s", "s=\n" },
		{ "# a word\noption-value frob", "q -frob -kernel", "frob=-kernel\n" },
		{ "device frob\n", "q -device frob,x=y", "device=frob,x=y\n" },
		{ "object memory-backend-file\n", "q -object memory-backend-file,id=m", "object=memory-backend-file,id=m\n" },
		{ "global frob.x\n", "q -global frob.x=1", "global=frob.x=1\n" },
	};
	/* clang-format on */
	static struct lq_plan p;
	char text[LQ_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].line);
		assert_int_equal(
		    parse(cases[i].line, &p, text, NULL), VT_E_UNSUPPORTED);
		assert_non_null(strstr(text, LQ_SITE_FILE));
		lq_done(&p);
		assert_int_equal(
		    parse_with(cases[i].site, cases[i].line, &p, text, NULL),
		    VT_OK);
		assert_string_equal(p.config, cases[i].config);
		lq_done(&p);
	}
}

static bool
loads(const struct lq_plan *p, const char *name, const char *driver)
{
	unsigned int i;

	for (i = 0; i < p->nroms; i++)
		if (strcmp(p->roms[i].name, name) == 0 &&
		    strcmp(driver, p->roms[i].driver != NULL ? p->roms[i].driver
							     : "") == 0)
			return true;
	return false;
}

/* As QEMU 7.2 does: tests/integration/launch_roms.sh asks it. */
static void
roms_that_no_option_names_are_found(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*line, *bios, *rom, *driver;
		unsigned int	 n;
	} cases[] = {
		{ "q", "bios-256k.bin", "efi-e1000.rom", "e1000", 3 },
		{ "q -M q35", "bios-256k.bin", "vgabios-stdvga.bin", "VGA", 3 },
		{ "q -M q35 -nodefaults", "bios-256k.bin", "kvmvapic.bin", "", 1 },
		{ "q -M microvm", "bios-microvm.bin", NULL, NULL, 0 },
		{ "q -M isapc", "bios.bin", "vgabios-cirrus.bin", "", 2 },
		{ "q -vga std -M isapc", "bios.bin", "vgabios.bin", "", 2 },
		{ "q -M pc-i440fx-2.1 -net none", "bios-256k.bin", "vgabios-cirrus.bin", "cirrus-vga", 2 },
		{ "q -M pc-q35-2.11", "bios-256k.bin", "efi-e1000.rom", "e1000", 3 },
		{ "q -M pc-i440fx-1.7 -nodefaults", "bios.bin", "kvmvapic.bin", "", 1 },
		{ "q -nodefaults -bios /b -device virtio-net-pci", NULL, "efi-virtio.rom", "virtio-net-pci", 2 },
		{ "q -nodefaults -device {\"driver\":\"virtio-vga\"}", "bios-256k.bin", "vgabios-virtio.bin", "virtio-vga", 2 },
		{ "q -nic user,model=virtio -vga none", "bios-256k.bin", "efi-virtio.rom", "virtio-net-pci", 2 },
		{ "q -net none -vga qxl", "bios-256k.bin", "vgabios-qxl.bin", "qxl-vga", 2 },
		{ "q -nodefaults -kernel /k", "bios-256k.bin", "linuxboot_dma.bin", "", 4 },
		{ "q -M pc-q35-2.4 -nodefaults -kernel /k", "bios-256k.bin", "linuxboot.bin", "", 4 },
	};
	/* clang-format on */
	static struct lq_plan p;
	char text[LQ_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].line);
		assert_int_equal(parse(cases[i].line, &p, text, NULL), VT_OK);
		assert_int_equal(p.nroms, cases[i].n);
		if (cases[i].rom != NULL)
			assert_true(loads(&p, cases[i].rom, cases[i].driver));
		if (cases[i].bios == NULL)
			assert_null(p.bios);
		else
			assert_string_equal(p.bios, cases[i].bios);
	}
	lq_done(&p);
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
	assert_int_equal(lq_parse(n - 2, argv, NULL, &p, text), VT_OK);
	lq_done(&p);
	assert_int_equal(lq_parse(n, argv, NULL, &p, text), VT_E_RANGE);
	lq_done(&p);
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
		cmocka_unit_test(what_is_recorded_is_all_but_paths_and_names),
		cmocka_unit_test(a_sites_list_allows_what_is_refused),
		cmocka_unit_test(roms_that_no_option_names_are_found),
		cmocka_unit_test(more_files_than_fit_are_refused),
		cmocka_unit_test(commas_are_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
