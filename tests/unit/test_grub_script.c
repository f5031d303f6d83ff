/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "measure/predict/grub_run.h"
#include "tests/unit/pe_fixture.h"
#include "tests/unit/vector.h"

static const uint16_t sha256 = ALG_SHA256;

/* --- a disk of texts ---------------------------------------------------------
 */

struct file {
	const char *path, *text;
};

/* Its text is an EFI image. */
static uint8_t image[4096];
static size_t image_len;

struct disk {
	const struct file *files; /* ends with a NULL path */
};

static const struct file *
find_file(const struct disk *d, const char *path)
{
	const struct file *f;

	for (f = d->files; f->path != NULL; f++)
		if (strcmp(f->path, path) == 0)
			return f;
	return NULL;
}

static enum grub_found
disk_kind(void *ctx, const char *dev, const char *path)
{
	if (strcmp(dev, "hd0") != 0)
		return GF_UNKNOWN;
	return find_file(ctx, path) != NULL ? GF_FILE : GF_NONE;
}

static int
disk_read(void *ctx, const char *dev, const char *path, uint8_t **ret,
    size_t *ret_len)
{
	const struct file *f = find_file(ctx, path);

	if (strcmp(dev, "hd0") != 0)
		return VT_E_UNSUPPORTED;
	if (f == NULL)
		return VT_E_NOTFOUND;
	*ret_len = f->text == (char *)image ? image_len : strlen(f->text);
	*ret = exact_copy((const uint8_t *)f->text, *ret_len);
	return VT_OK;
}

static int
disk_find(
    void *ctx, const char *by, const char *value, char ret_dev[GR_DEV_MAX])
{
	bool there = strcmp(by, "file") == 0 ? find_file(ctx, value) != NULL
					     : strcmp(value, "1234-5678") == 0;

	(void)stpcpy(ret_dev, "hd0");
	return there ? VT_OK : VT_E_NOTFOUND;
}

static struct prediction *
run(const struct file *files, const struct grub_options *opts, bool *booted)
{
	static const struct grub_options none;
	struct disk d = { files };
	struct grub_host host = { .ctx = &d,
		.kind = disk_kind,
		.read = disk_read,
		.find = disk_find };
	struct grub_start start = {
		.boot = "hd0", .dev = "hd0", .prefix = "/EFI/BOOT"
	};
	struct prediction *p;

	assert_int_equal(pred_new(&sha256, 1, &p), VT_OK);
	assert_int_equal(
	    grub_predict(p, &host, &start, opts != NULL ? opts : &none, booted),
	    VT_OK);
	return p;
}

/* The strings of the events of a PCR, one a line. */
static char *
strings(const struct prediction *p, uint32_t pcr)
{
	char *text = calloc(1, 65536), *at = text;
	const uint8_t *buf;
	struct el_event ev;
	struct el_log *log;
	size_t len;

	assert_non_null(text);
	assert_int_equal(el_writer_bytes(p->log, &buf, &len), VT_OK);
	assert_int_equal(el_open(buf, len, &log), VT_OK);
	while (el_next(log, &ev) == 1)
		if (ev.pcr == pcr) {
			memcpy(at, ev.data, ev.datalen - 1);
			at += ev.datalen - 1;
			*at++ = '\n';
		}
	el_close(log);
	return text;
}

/* --- what a real boot measured
 * ------------------------------------------------ */

/* tests/vectors/predict/NAME.cfg was booted by OVMF and GRUB 2.06 of Debian
 * 12; NAME.eventlog is what its firmware logged. */
static void
same_commands(const char *name, const struct file *more)
{
	struct file files[8] = { { "/EFI/BOOT/grub.cfg", NULL } };
	char path[128];
	struct prediction *p;
	struct el_log *a, *b;
	struct el_event x, y = { 0 };
	uint8_t *cfg, *log;
	const uint8_t *buf;
	size_t len, log_len, i, n = 0;
	bool booted = false;

	for (i = 0; more[i].path != NULL; i++)
		files[i + 1] = more[i];
	(void)snprintf(
	    path, sizeof(path), "tests/vectors/predict/%s.cfg", name);
	assert_int_equal(read_file(path, 65536, &cfg, &len), VT_OK);
	files[0].text = (char *)cfg;
	(void)snprintf(
	    path, sizeof(path), "tests/vectors/predict/%s.eventlog", name);
	assert_int_equal(read_file(path, EL_MAX_LOG, &log, &log_len), VT_OK);
	p = run(files, NULL, &booted);
	assert_true(booted);
	assert_int_equal(p->unknown, 0);
	assert_int_equal(el_writer_bytes(p->log, &buf, &len), VT_OK);
	assert_int_equal(el_open(buf, len, &a), VT_OK);
	assert_int_equal(el_open(log, log_len, &b), VT_OK);
	while (el_next(a, &x) == 1) {
		if (x.pcr != 8)
			continue;
		do
			assert_int_equal(el_next(b, &y), 1);
		while (y.pcr != 8);
		assert_int_equal(x.datalen, y.datalen);
		assert_memory_equal(x.data, y.data, x.datalen);
		assert_memory_equal(el_event_digest(&x, sha256)->val,
		    el_event_digest(&y, sha256)->val, 32);
		n++;
	}
	while (el_next(b, &y) == 1)
		assert_int_not_equal(y.pcr, 8);
	assert_true(n > 5);
	el_close(a);
	el_close(b);
	free(cfg);
	free(log);
	pred_free(p);
}

static void
commands_of_the_lab_boot_are_those_of_its_log(void **state)
{
	static const struct file more[] = { { "/vmlinuz", "kernel" },
		{ "/initrd.gz", "initrd" }, { NULL, NULL } };

	(void)state;
	same_commands("lab", more);
}

/* --- the language
 * -------------------------------------------------------------- */

/* Variables, conditionals, loops, functions, quoting, submenus. */
static void
commands_of_a_large_configuration_are_those_of_its_log(void **state)
{
	static const struct file more[] = { { "/vmlinuz", "kernel" },
		{ "/initrd.gz", "initrd" }, { NULL, NULL } };

	(void)state;
	same_commands("language", more);
}

/* want: commands divided by |, NULL: the script is refused. */
static void
measures(const struct file *files, const char *want)
{
	char text[512], *got, *at;
	struct prediction *p;
	bool booted;

	p = run(files, NULL, &booted);
	got = strings(p, 8);
	if (want == NULL) {
		assert_string_equal(got, "");
		assert_non_null(strstr(p->why[8], "grub.cfg: line"));
	} else {
		at = stpcpy(text, "grub_cmd: ");
		for (; *want != '\0'; want++)
			if (*want == '|')
				at = stpcpy(at, "\ngrub_cmd: ");
			else
				*at++ = *want;
		(void)stpcpy(at, "\n");
		/* behind it may be the kernel's command line */
		got[strlen(text)] = '\0';
		assert_string_equal(got, text);
	}
	free(got);
	pred_free(p);
}

static void
a_script_measures_what_grub_measures(void **state)
{
	/* clang-format off */
	static const struct {
		const char *script, *want; /* without "grub_cmd: " */
	} cases[] = {
		{ "set foo=a b", "set foo=a b" },
		{ "set foo='a b'\necho $foo \"$foo\" x", "set foo=a b|echo a b a b x" },
		{ "echo '' \"\" $none \"$none\" x", "echo    x" },
		{ "echo a\\ b 'c d' \"e\\\"f\\$g\"", "echo a b c d e\"f$g" },
		{ "echo one \\\ntwo", "echo one two" },
		{ "echo a\\\nb", "echo ab" },
		{ "echo a # c\n#d\n\t# e 'f\necho g", "echo a|echo g" },
		{ "echo a#b", "echo a#b" },
		/* a quote in a comment's first word makes it a word */
		{ "\t#don't x\necho y' z", "#dont x\necho y z" },
		{ "\t#don't", NULL },
		{ "echo \\x41b '\\x41'", "echo \\x41b \\x41" },
		{ "if [ x$a = x ]; then echo t; else echo f; fi", "[ x = x ]|echo t" },
		{ "a=1\nif [ $a = 2 ]; then echo 2; elif [ $a = 1 ]; then echo 1; fi", "a=1|[ 1 = 2 ]|[ 1 = 1 ]|echo 1" },
		{ "if ! true; then echo a; fi\nif ! false\nthen\necho b\nfi", "! true|! false|echo b" },
		{ "for i in 1 '2 3'; do echo $i; done", "echo 1|echo 2 3" },
		{ "for i in 1 2 3; do if [ $i = 2 ]; then continue; fi; echo $i; done", "[ 1 = 2 ]|echo 1|[ 2 = 2 ]|continue|[ 3 = 2 ]|echo 3" },
		{ "i=x; while [ $i != xxx ]; do set i=x$i; done", "i=x|[ x != xxx ]|set i=xx|[ xx != xxx ]|set i=xxx|[ xxx != xxx ]" },
		{ "until true; do echo no; done", "true" },
		{ "function f {\necho $1 $# \"$@\"\n}\nf a 'b c'", "f a b c|echo a 2 a b c" },
		{ "function f { return 1; }\nif f; then echo y; else echo n; fi", "f|return 1|echo n" },
		{ "function f { shift; echo $1; }\nf a b", "f a b|shift|echo b" },
		{ "source /more.cfg\necho $?", "source /more.cfg|set more=1|echo 0" },
		{ "configfile /more.cfg\necho ${more}x", "configfile /more.cfg|set more=1|echo x" },
		{ "set a=1; export a; configfile /show.cfg", "set a=1|export a|configfile /show.cfg|echo 1 (hd0)/show.cfg (hd0)" },
		{ "search --no-floppy --fs-uuid --set=dev 1234-5678\necho $dev", "search --no-floppy --fs-uuid --set=dev 1234-5678|echo hd0" },
		{ "if [ -f /more.cfg -a ! -e /none ]; then echo y; fi", "[ -f /more.cfg -a ! -e /none ]|echo y" },
		{ "if [ -z \"$a\" -o 2 -gt 10 ]; then echo y; fi", "[ -z  -o 2 -gt 10 ]|echo y" },
		{ "[ 2 -gt 10 ]\necho $?\n[ 2 > 10 ]", NULL }, /* > is no word */
		{ "echo if then fi", "echo if then fi" },
		{ "echo $\"text $prefix\"", "echo text (hd0)/EFI/BOOT" },
		{ "echo ${grub_platform}-$grub_cpu", "echo efi-x86_64" },
		{ "linux /k a='b c' d\\\"e", "linux /k a=b c d\"e" },
	};
	/* clang-format on */
	struct file files[] = { { "/EFI/BOOT/grub.cfg", NULL },
		{ "/more.cfg", "set more=1\n" }, { "/k", "kernel" },
		{ "/show.cfg", "echo $a $config_file ($root)\n" },
		{ NULL, NULL } };
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].script);
		files[0].text = cases[i].script;
		measures(files, cases[i].want);
	}
}

static void
the_kernel_sees_its_command_line_quoted(void **state)
{
	static const struct file files[] = { { "/EFI/BOOT/grub.cfg",
						 "linux /k a='b c' d\\\"e\n"
						 "boot" },
		{ "/k", "kernel" }, { NULL, NULL } };
	struct prediction *p;
	bool booted = false;
	char *got;

	(void)state;
	p = run(files, NULL, &booted);
	assert_true(booted);
	got = strings(p, 8);
	assert_string_equal(got, "grub_cmd: linux /k a=b c d\"e\n"
				 "kernel_cmdline: /k \"a=b c\" d\\\"e\n"
				 "grub_cmd: boot\n");
	free(got);
	got = strings(p, 9);
	assert_string_equal(got, "(hd0)/EFI/BOOT/grub.cfg\n/k\n");
	free(got);
	pred_free(p);
}

static void
multiboot_leaves_the_name_out_of_the_command_line(void **state)
{
	static const struct file files[] = { { "/EFI/BOOT/grub.cfg",
						 "multiboot2 /x a b\n"
						 "module2 /k c\nmodule2 /i\n"
						 "boot" },
		{ "/x", "xen" }, { "/k", "kernel" }, { "/i", "" },
		{ NULL, NULL } };
	struct prediction *p;
	bool booted = false;
	char *got;

	(void)state;
	p = run(files, NULL, &booted);
	assert_true(booted);
	got = strings(p, 8);
	assert_string_equal(got, "grub_cmd: multiboot2 /x a b\n"
				 "kernel_cmdline: a b\n"
				 "grub_cmd: module2 /k c\n"
				 "module_cmdline: c\n"
				 "grub_cmd: module2 /i\nmodule_cmdline: \n"
				 "grub_cmd: boot\n");
	free(got);
	pred_free(p);
}

/* --- the menu
 * -------------------------------------------------------------------- */

static const char menu[] = "set timeout=0\nset default=\"$want\"\n"
			   "menuentry 'One' --id=first { linux /k 1; }\n"
			   "menuentry \"It's \\\"two\\\"\" --class x --id b {\n"
			   "\tlinux /k 2 # c\n}\n"
			   "submenu 'More>s' { menuentry 'Three' {\n"
			   "linux /k $1\n}\n}\n";

static void
the_default_names_the_entry(void **state)
{
	/* clang-format off */
	static const struct {
		const char *want, *line; /* the last string of PCR 8 */
	} cases[] = {
		{ "0", "kernel_cmdline: /k 1\n" },
		{ "1", "kernel_cmdline: /k 2\n" },
		{ "first", "kernel_cmdline: /k 1\n" },
		{ "b", "kernel_cmdline: /k 2\n" },
		{ "It's \"two\"", "kernel_cmdline: /k 2\n" },
		{ "More>>s>Three", "kernel_cmdline: /k Three\n" },
		{ "2>0", "kernel_cmdline: /k Three\n" },
	};
	/* clang-format on */
	struct grub_options opts = { 0 };
	struct file files[] = { { "/EFI/BOOT/grub.cfg", menu },
		{ "/k", "kernel" }, { NULL, NULL } };
	struct prediction *p;
	bool booted;
	char *got;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].want);
		booted = false;
		opts.entry = cases[i].want;
		p = run(files, &opts, &booted);
		assert_int_equal(p->unknown, 0);
		assert_true(booted);
		got = strings(p, 8);
		assert_true(strlen(got) > strlen(cases[i].line));
		assert_string_equal(
		    got + strlen(got) - strlen(cases[i].line), cases[i].line);
		free(got);
		pred_free(p);
	}
}

/* GRUB falls back to the first entry for its own default; the operator's
 * choice is never replaced. */
static void
an_entry_that_is_not_there_is_the_first_only_by_default(void **state)
{
	static const char *const none[] = { "nothing of that name", "9",
		"More>>s>Four" };
	struct grub_options opts = { 0 };
	char script[4096];
	struct file files[] = { { "/EFI/BOOT/grub.cfg", script },
		{ "/k", "kernel" }, { NULL, NULL } };
	struct prediction *p;
	bool booted;
	char *got;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(none); i++) {
		(void)snprintf(
		    script, sizeof(script), "set want='%s'\n%s", none[i], menu);
		opts.entry = NULL;
		booted = false;
		p = run(files, &opts, &booted);
		assert_true(booted);
		got = strings(p, 8);
		assert_non_null(strstr(got, "kernel_cmdline: /k "));
		free(got);
		pred_free(p);
		opts.entry = none[i];
		booted = false;
		p = run(files, &opts, &booted);
		assert_false(booted);
		assert_int_equal(p->unknown, 0x7b30);
		assert_non_null(strstr(p->why[8], "has no entry"));
		pred_free(p);
	}
}

static void
an_entry_is_measured_with_its_source(void **state)
{
	struct grub_options opts = { .entry = "b" };
	struct file files[] = { { "/EFI/BOOT/grub.cfg", menu },
		{ "/k", "kernel" }, { NULL, NULL } };
	struct prediction *p;
	bool booted;
	char *got;

	(void)state;
	p = run(files, &opts, &booted);
	got = strings(p, 8);
	assert_non_null(strstr(got, "grub_cmd: menuentry It's \"two\" --class "
				    "x --id b {\n\tlinux /k 2 # c\n}\n"));
	assert_non_null(strstr(got, "grub_cmd: setparams It's \"two\"\n"));
	free(got);
	pred_free(p);
}

/* --- what nobody knows ahead
 * ---------------------------------------------------- */

static void
what_cannot_be_known_has_no_value_and_a_reason(void **state)
{
	/* clang-format off */
	static const struct {
		const char *script, *why;
	} cases[] = {
		{ "menuentry a { linux /k; }", "a person chooses" },
		{ "set timeout=-1\nmenuentry a { linux /k; }", "a person chooses" },
		{ "load_env\nlinux /k\nboot", "grubenv may change" },
		{ "read x\nlinux /k\nboot", "cannot be known ahead" },
		{ "linux /none\nboot", "cannot read /none" },
		{ "echo nothing else", "waits for commands" },
		{ "some_module_command\nlinux /k\nboot", "is not one that is followed" },
		{ "if true; then echo a", "\"fi\" is missing" },
		{ "echo 'a", "line 1" },
		{ "a | b", "line 1" },
		{ "menuentry a\n{ linux /k; }", "line 2" },
		{ "echo $", "line 1" },
		{ "function f { f; }\nf", "too deeply" },
		{ "while true; do true; done", "commands" },
		{ "set timeout=0\nmenuentry a { echo; }", "starts nothing" },
		{ "search --fs-uuid --set=root 9999-9999", "finds no fs-uuid" },
		{ "chainloader /none\nboot", "GRUB cannot load /none" },
		{ "if insmod none; then linux /k; fi\nboot", "hangs on the machine" },
		{ "if ! terminal_output gfxterm; then true; fi\nlinux /k\nboot", "hangs on the machine" },
		{ "while sleep -i 1; do false; done\nlinux /k\nboot", "hangs on the machine" },
		{ "function f { serial; return; }\nif f; then linux /k; fi\nboot", "hangs on the machine" },
		{ "play 480 440 1\necho $?\nlinux /k\nboot", "hangs on the machine" },
		{ "serial\nfor x in a $?; do true; done\nlinux /k\nboot", "hangs on the machine" },
		{ "load_env --skip-sig\nlinux /k\nboot", "--skip-sig is not followed" },
		{ "a='1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0'\n"
		  "for b in $a; do for c in $a; do for d in $a; do for e in $a; do\n"
		  "for f in $none; do true; done; done; done; done; done", "steps" },
		{ "if [ -e (hd1)/x ]; then linux /k; fi\nboot", "whether (hd1)/x is there" },
		{ "if [ -e (hd0)+1 ]; then linux /k; fi\nboot", "not a path" },
		{ "source (hd1)/x\nlinux /k\nboot", "(hd1)/x cannot be read" },
		{ "loadfont (hd1)/x\nlinux /k\nboot", "(hd1)/x cannot be read" },
		{ "set root=hd0,1\nsource /x\nset root=hd0\nlinux /k\nboot", "/x cannot be read" },
	};
	/* clang-format on */
	struct file files[] = { { "/EFI/BOOT/grub.cfg", NULL },
		{ "/k", "kernel" }, { "/EFI/BOOT/grubenv", "a=b\n" },
		{ NULL, NULL } };
	char err[REPLAY_ERR_MAX];
	struct prediction *p;
	struct replay *r;
	bool booted;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].script);
		booted = false;
		files[0].text = cases[i].script;
		p = run(files, NULL, &booted);
		assert_false(booted);
		assert_int_equal(p->unknown, 0x7b30);
		assert_non_null(strstr(p->why[8], cases[i].why));
		assert_int_equal(pred_result(p, &r, err), VT_OK);
		assert_null(pcr_get(&r->pcrs, sha256, 8));
		assert_null(pcr_get(&r->pcrs, sha256, 9));
		assert_non_null(pcr_get(&r->pcrs, sha256, 7));
		replay_free(r);
		pred_free(p);
	}
}

/* Trees of all scripts are kept; a loop over a large one ends. */
static void
scripts_are_bounded_together(void **state)
{
	char *big = calloc(1, GS_MAX_SCRIPT + 1);
	const struct file files[] = { { "/EFI/BOOT/grub.cfg",
					  "while true; do source /big; done" },
		{ "/big", big }, { NULL, NULL } };
	struct prediction *p;
	bool booted = false;

	(void)state;
	assert_non_null(big);
	memset(big, '\n', GS_MAX_SCRIPT);
	p = run(files, NULL, &booted);
	assert_false(booted);
	assert_non_null(strstr(p->why[8], "/big: "));
	pred_free(p);
	free(big);
}

/* A program that GRUB loads measures, and loads more, by itself. */
static void
a_program_that_grub_starts_leaves_nothing_behind_it_known(void **state)
{
	static const struct pef_section text = { ".text", "code", 0 };
	struct file files[] = { { "/EFI/BOOT/grub.cfg",
				    "chainloader /next\nboot" },
		{ "/next", (char *)image }, { NULL, NULL } };
	struct prediction *p;
	bool booted = false;

	(void)state;
	image_len = pef_make(image, &text, 1);
	p = run(files, NULL, &booted);
	assert_true(booted);
	assert_int_equal(p->unknown, 0x7b30);
	assert_non_null(strstr(p->why[11], "/next, which GRUB starts"));
	pred_free(p);
}

static void
what_may_be_read_leaves_pcr_8_its_value(void **state)
{
	static const char *const scripts[] = { "ls /EFI\nlinux /k\nboot",
		"ls -l (hd0)/\nlinux /k\nboot" };
	static const char *const harmless[] = { "ls\nlinux /k\nboot",
		"ls -l (hd0)\nlinux /k\nboot",
		"terminal_output console\nserial\nlinux /k\nboot",
		"if serial; true; then linux /k; fi\nboot" };
	struct file files[] = { { "/EFI/BOOT/grub.cfg", NULL },
		{ "/k", "kernel" }, { NULL, NULL } };
	struct prediction *p;
	bool booted;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(scripts); i++) {
		files[0].text = scripts[i];
		booted = false;
		p = run(files, NULL, &booted);
		assert_true(booted);
		assert_int_equal(p->unknown, 0x200);
		pred_free(p);
	}
	for (i = 0; i < VT_NELEM(harmless); i++) {
		files[0].text = harmless[i];
		booted = false;
		p = run(files, NULL, &booted);
		assert_true(booted);
		assert_int_equal(p->unknown, 0);
		pred_free(p);
	}
}

static void
a_grubenv_that_stays_is_read_and_measured(void **state)
{
	static const struct file files[] = { { "/EFI/BOOT/grub.cfg",
						 "load_env\nlinux /k $a\n"
						 "boot" },
		{ "/k", "kernel" },
		{ "/EFI/BOOT/grubenv", "# GRUB Environment Block\na=b c\n###" },
		{ NULL, NULL } };
	struct grub_options opts = { .fixed_grubenv = true };
	struct prediction *p;
	bool booted = false;
	char *got;

	(void)state;
	p = run(files, &opts, &booted);
	assert_true(booted);
	assert_int_equal(p->unknown, 0);
	got = strings(p, 8);
	assert_non_null(strstr(got, "kernel_cmdline: /k b c\n"));
	free(got);
	got = strings(p, 9);
	assert_non_null(strstr(got, "(hd0)/EFI/BOOT/grubenv\n"));
	free(got);
	pred_free(p);
}

static void
a_stop_point_ends_before_its_command(void **state)
{
	struct grub_options opts = { .entry = "0", .until = "linux" };
	struct file files[] = { { "/EFI/BOOT/grub.cfg", menu },
		{ "/k", "kernel" }, { NULL, NULL } };
	struct prediction *p;
	bool booted = false;
	char *got;

	(void)state;
	p = run(files, &opts, &booted);
	assert_false(booted);
	assert_int_equal(p->unknown, 0);
	got = strings(p, 8);
	assert_null(strstr(got, "grub_cmd: linux"));
	assert_non_null(strstr(got, "grub_cmd: setparams One\n"));
	free(got);
	pred_free(p);
}

static void
every_prefix_is_parsed_or_refused(void **state)
{
	char err[GS_ERR_MAX];
	struct gs_cmd *cmds;
	uint8_t *copy;
	size_t n;
	int rc;

	(void)state;
	for (n = 0; n < sizeof(menu); n++) {
		copy = exact_copy((const uint8_t *)menu, n);
		cmds = NULL;
		rc = gs_parse((char *)copy, n, true, &cmds, err);
		assert_true(rc == VT_OK || rc == VT_E_FORMAT);
		assert_true(rc == VT_OK || err[0] != '\0');
		gs_free(cmds);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_of_the_lab_boot_are_those_of_its_log),
		cmocka_unit_test(
		    commands_of_a_large_configuration_are_those_of_its_log),
		cmocka_unit_test(a_script_measures_what_grub_measures),
		cmocka_unit_test(the_kernel_sees_its_command_line_quoted),
		cmocka_unit_test(
		    multiboot_leaves_the_name_out_of_the_command_line),
		cmocka_unit_test(the_default_names_the_entry),
		cmocka_unit_test(
		    an_entry_that_is_not_there_is_the_first_only_by_default),
		cmocka_unit_test(an_entry_is_measured_with_its_source),
		cmocka_unit_test(
		    what_cannot_be_known_has_no_value_and_a_reason),
		cmocka_unit_test(scripts_are_bounded_together),
		cmocka_unit_test(
		    a_program_that_grub_starts_leaves_nothing_behind_it_known),
		cmocka_unit_test(what_may_be_read_leaves_pcr_8_its_value),
		cmocka_unit_test(a_grubenv_that_stays_is_read_and_measured),
		cmocka_unit_test(a_stop_point_ends_before_its_command),
		cmocka_unit_test(every_prefix_is_parsed_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
