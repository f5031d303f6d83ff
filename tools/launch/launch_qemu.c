/* SPDX-License-Identifier: BSD-3-Clause */
/* launch_qemu.c - reads a QEMU command line: the options, and what is recorded
 * of them. */
#include "tools/launch/launch_qemu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tools/launch/qemu_device.h"
#include "tools/launch/qemu_flash.h"
#include "tools/launch/qemu_opts.h"
#include "tools/launch/qemu_parse.h"

/* --- handlers of the simple options --------------------------------------- */

static int
once(struct lq_ctx *c, uint8_t role, int arg)
{
	unsigned int i;

	for (i = 0; i < c->p->nfiles; i++)
		if (c->p->files[i].role == role) {
			LQ_SAY(c, "%s is given twice: give it once",
			    c->argv[arg - 1]);
			return VT_E_EXISTS;
		}
	return lq_add_file(c, role, arg, NULL);
}

static int
on_kernel(struct lq_ctx *c, int arg)
{
	return once(c, LR_KERNEL, arg);
}

static int
on_initrd(struct lq_ctx *c, int arg)
{
	return once(c, LR_INITRD, arg);
}

static int
on_dtb(struct lq_ctx *c, int arg)
{
	return once(c, LR_DEVICE_TREE, arg);
}

static int
on_append(struct lq_ctx *c, int arg)
{
	if (c->p->append != NULL) {
		LQ_SAY(c, "-append is given twice: give it once");
		return VT_E_EXISTS;
	}
	c->p->append = c->argv[arg];
	return VT_OK;
}

static int
on_bios(struct lq_ctx *c, int arg)
{
	int rc = once(c, LR_FIRMWARE, arg);

	c->bios = true;
	if (rc == VT_OK)
		c->p->files[c->p->nfiles - 1].search = true;
	return rc;
}

/* The file that key names, if it is there. */
static int
file_of(struct lq_ctx *c, int arg, const char *key, bool search)
{
	int rc;

	if (!lq_has(c, arg, key))
		return VT_OK;
	if ((rc = lq_add_file(c, LR_OTHER, arg, key)) == VT_OK)
		c->p->files[c->p->nfiles - 1].search = search;
	return rc;
}

static int
on_fw_cfg(struct lq_ctx *c, int arg)
{
	if (lq_has(c, arg, "gen_id"))
		return lq_refuse(c, arg, "only file= and string= are measured");
	return file_of(c, arg, "file", false);
}

static int
on_option_rom(struct lq_ctx *c, int arg)
{
	return file_of(c, arg, "romfile", true);
}

/* The picture that firmware shows. */
static int
on_boot(struct lq_ctx *c, int arg)
{
	return file_of(c, arg, "splash", true);
}

/* QEMU takes "file=A:B" for two files. */
static int
on_acpitable(struct lq_ctx *c, int arg)
{
	char path[4096];

	if (lq_has(c, arg, "data"))
		return lq_refuse(c, arg, "use file=");
	if (lq_get(c, arg, "file", path, sizeof(path)) &&
	    strchr(path, ':') != NULL)
		return lq_refuse(c, arg, "give one file to each -acpitable");
	return file_of(c, arg, "file", false);
}

static int
on_smbios(struct lq_ctx *c, int arg)
{
	if (!lq_has(c, arg, "file"))
		return file_of(c, arg, "path", false);
	if (lq_has(c, arg, "path"))
		return lq_refuse(c, arg, "give each file its own -smbios");
	return file_of(c, arg, "file", false);
}

/* A replay begins at a saved state (rrsnapshot=). */
static int
on_icount(struct lq_ctx *c, int arg)
{
	return lq_has(c, arg, "rr")
		   ? lq_refuse(c, arg, "a recorded run is not measured")
		   : VT_OK;
}

static int
on_name(struct lq_ctx *c, int arg)
{
	c->p->guest = c->argv[arg];
	return VT_OK;
}

static int
on_tpmdev(struct lq_ctx *c, int arg)
{
	LQ_SAY(c, "'-tpmdev %.100s' is there already; leave the TPM to vtpmctl",
	    c->argv[arg]);
	return VT_E_EXISTS;
}

/* --- the table ------------------------------------------------------------ */

#define MONITOR "a way into the machine: its presence is recorded"

/*
 * Every option that may be there; others are refused.
 */
/* clang-format off */
static const struct lq_option options[] = {
	{ "kernel",	LQ_VALUE, LQ_MEASURED, on_kernel, NULL, "" },
	{ "initrd",	LQ_VALUE, LQ_MEASURED, on_initrd, NULL, "" },
	{ "append",	LQ_VALUE, LQ_MEASURED, on_append, NULL, "the text" },
	{ "dtb",	LQ_VALUE, LQ_MEASURED, on_dtb, NULL, "" },
	{ "bios",	LQ_VALUE, LQ_MEASURED, on_bios, NULL, "without it, QEMU's own firmware" },
	{ "drive",	LQ_KEYS,  LQ_MEASURED, lq_on_drive, NULL, "if=pflash is measured; other drives are recorded" },
	{ "blockdev",	LQ_JSON,  LQ_MEASURED, NULL, "driver", "flash, which -machine names, is measured; others are recorded" },
	{ "device",	LQ_JSON,  LQ_MEASURED, lq_on_device, "driver", "ROMs and what loader loads are measured; the rest is recorded" },
	{ "fw_cfg",	LQ_KEYS,  LQ_MEASURED, on_fw_cfg, "name", "file= is measured, string= recorded" },
	{ "option-rom",	LQ_KEYS,  LQ_MEASURED, on_option_rom, "romfile", "" },
	{ "acpitable",	LQ_KEYS,  LQ_MEASURED, on_acpitable, NULL, "file= with one file" },
	{ "smbios",	LQ_KEYS,  LQ_MEASURED, on_smbios, NULL, "file= and path= are measured; the rest is recorded" },
	{ "boot",	LQ_KEYS,  LQ_MEASURED, on_boot, "order", "splash= is measured; the rest is recorded" },

	{ "machine",	LQ_KEYS,  LQ_RECORDED, lq_on_machine, "type", "" },
	{ "M",		LQ_KEYS,  LQ_RECORDED, lq_on_machine, "type", "" },
	{ "global",	LQ_VALUE, LQ_RECORDED, lq_on_global, NULL, "of known drivers; none that names a file" },
	{ "object",	LQ_JSON,  LQ_RECORDED, lq_on_object, "qom-type", "of known kinds" },
	{ "netdev",	LQ_JSON,  LQ_RECORDED, lq_on_nic, "type", "" },
	{ "nic",	LQ_KEYS,  LQ_RECORDED, lq_on_nic, "type", "the card's ROM is measured" },
	{ "net",	LQ_KEYS,  LQ_RECORDED, lq_on_nic, "type", "the card's ROM is measured" },
	{ "vga",	LQ_VALUE, LQ_RECORDED, lq_on_vga, NULL, "the card's ROM is measured" },
	{ "accel",	LQ_KEYS,  LQ_RECORDED, NULL, "accel", "" },
	{ "action",	LQ_KEYS,  LQ_RECORDED, NULL, NULL, "" },
	{ "audio",	LQ_KEYS,  LQ_RECORDED, NULL, "driver", "" },
	{ "audiodev",	LQ_JSON,  LQ_RECORDED, NULL, "driver", "" },
	{ "cdrom",	LQ_VALUE, LQ_RECORDED, NULL, NULL, "" },
	{ "chardev",	LQ_KEYS,  LQ_RECORDED, NULL, "backend", "" },
	{ "compat",	LQ_JSON,  LQ_RECORDED, NULL, NULL, "" },
	{ "cpu",	LQ_KEYS,  LQ_RECORDED, NULL, "type", "" },
	{ "debugcon",	LQ_VALUE, LQ_RECORDED, NULL, NULL, "" },
	{ "display",	LQ_JSON,  LQ_RECORDED, NULL, "type", "" },
	{ "echr",	LQ_VALUE, LQ_RECORDED, NULL, NULL, "" },
	{ "enable-kvm",	LQ_NONE,  LQ_RECORDED, NULL, NULL, "" },
	{ "fda",	LQ_VALUE, LQ_RECORDED, NULL, NULL, "" },
	{ "fdb",	LQ_VALUE, LQ_RECORDED, NULL, NULL, "" },
	{ "fsdev",	LQ_KEYS,  LQ_RECORDED, NULL, "fsdriver", "" },
	{ "full-screen", LQ_NONE, LQ_RECORDED, NULL, NULL, "" },
	{ "hda",	LQ_VALUE, LQ_RECORDED, NULL, NULL, "" },
	{ "hdb",	LQ_VALUE, LQ_RECORDED, NULL, NULL, "" },
	{ "hdc",	LQ_VALUE, LQ_RECORDED, NULL, NULL, "" },
	{ "hdd",	LQ_VALUE, LQ_RECORDED, NULL, NULL, "" },
	{ "icount",	LQ_KEYS,  LQ_RECORDED, on_icount, "shift", "without rr=: a recorded run is not measured" },
	{ "iscsi",	LQ_KEYS,  LQ_RECORDED, NULL, NULL, "" },
	{ "k",		LQ_VALUE, LQ_RECORDED, NULL, NULL, "" },
	{ "m",		LQ_KEYS,  LQ_RECORDED, NULL, "size", "" },
	{ "mem-prealloc", LQ_NONE, LQ_RECORDED, NULL, NULL, "" },
	{ "mon",	LQ_KEYS,  LQ_RECORDED, NULL, "chardev", MONITOR },
	{ "monitor",	LQ_VALUE, LQ_RECORDED, NULL, NULL, MONITOR },
	{ "no-acpi",	LQ_NONE,  LQ_RECORDED, NULL, NULL, "" },
	{ "no-fd-bootchk", LQ_NONE, LQ_RECORDED, NULL, NULL, "" },
	{ "no-hpet",	LQ_NONE,  LQ_RECORDED, NULL, NULL, "" },
	{ "no-reboot",	LQ_NONE,  LQ_RECORDED, NULL, NULL, "" },
	{ "no-shutdown", LQ_NONE, LQ_RECORDED, NULL, NULL, "" },
	{ "nodefaults",	LQ_NONE,  LQ_RECORDED, NULL, NULL, "" },
	{ "nographic",	LQ_NONE,  LQ_RECORDED, NULL, NULL, "" },
	{ "numa",	LQ_KEYS,  LQ_RECORDED, NULL, "type", "" },
	{ "only-migratable", LQ_NONE, LQ_RECORDED, NULL, NULL, "" },
	{ "overcommit",	LQ_KEYS,  LQ_RECORDED, NULL, NULL, "" },
	{ "parallel",	LQ_VALUE, LQ_RECORDED, NULL, NULL, "" },
	{ "qmp",	LQ_VALUE, LQ_RECORDED, NULL, NULL, MONITOR },
	{ "qmp-pretty",	LQ_VALUE, LQ_RECORDED, NULL, NULL, MONITOR },
	{ "rtc",	LQ_KEYS,  LQ_RECORDED, NULL, NULL, "" },
	{ "sandbox",	LQ_KEYS,  LQ_RECORDED, NULL, "enable", "" },
	{ "seed",	LQ_VALUE, LQ_RECORDED, NULL, NULL, "" },
	{ "serial",	LQ_VALUE, LQ_RECORDED, NULL, NULL, "may be a monitor" },
	{ "singlestep",	LQ_NONE,  LQ_RECORDED, NULL, NULL, "" },
	{ "smp",	LQ_KEYS,  LQ_RECORDED, NULL, "cpus", "" },
	{ "snapshot",	LQ_NONE,  LQ_RECORDED, NULL, NULL, "" },
	{ "spice",	LQ_KEYS,  LQ_RECORDED, NULL, NULL, "" },
	{ "usb",	LQ_NONE,  LQ_RECORDED, NULL, NULL, "" },
	{ "virtfs",	LQ_KEYS,  LQ_RECORDED, NULL, "fsdriver", "" },
	{ "vnc",	LQ_KEYS,  LQ_RECORDED, NULL, "vnc", "" },
	{ "watchdog-action", LQ_VALUE, LQ_RECORDED, NULL, NULL, "" },
	{ "win2k-hack",	LQ_NONE,  LQ_RECORDED, NULL, NULL, "" },

	{ "D",		LQ_VALUE, LQ_PASSED, NULL, NULL, "" },
	{ "d",		LQ_VALUE, LQ_PASSED, NULL, NULL, "" },
	{ "daemonize",	LQ_NONE,  LQ_PASSED, NULL, NULL, "" },
	{ "dfilter",	LQ_VALUE, LQ_PASSED, NULL, NULL, "" },
	{ "msg",	LQ_KEYS,  LQ_PASSED, NULL, NULL, "" },
	{ "name",	LQ_VALUE, LQ_PASSED, on_name, "guest", "the record has the vTPM's name" },
	{ "no-user-config", LQ_NONE, LQ_PASSED, NULL, NULL, "always added" },
	{ "pidfile",	LQ_VALUE, LQ_PASSED, NULL, NULL, "" },
	{ "runas",	LQ_VALUE, LQ_PASSED, NULL, NULL, "" },
	{ "S",		LQ_NONE,  LQ_PASSED, NULL, NULL, "" },
	{ "uuid",	LQ_VALUE, LQ_PASSED, NULL, NULL, "the record has the vTPM's uuid" },

	{ "add-fd",	LQ_VALUE, LQ_REFUSED, NULL, NULL, "what a descriptor leads to is not measured" },
	{ "chroot",	LQ_VALUE, LQ_REFUSED, NULL, NULL, "the measured files are not found there" },
	{ "gdb",	LQ_VALUE, LQ_REFUSED, NULL, NULL, "a debugger changes what was measured" },
	{ "s",		LQ_NONE,  LQ_REFUSED, NULL, NULL, "a debugger changes what was measured" },
	{ "incoming",	LQ_VALUE, LQ_REFUSED, NULL, NULL, "a state from elsewhere is not measured" },
	{ "L",		LQ_VALUE, LQ_REFUSED, NULL, NULL, "QEMU's own folders are measured; name another firmware by -bios" },
	{ "loadvm",	LQ_VALUE, LQ_REFUSED, NULL, NULL, "a saved state is not measured" },
	{ "mem-path",	LQ_VALUE, LQ_REFUSED, NULL, NULL, "memory with content is not measured; use -object memory-backend-memfd" },
	{ "pflash",	LQ_VALUE, LQ_REFUSED, NULL, NULL, "use -drive if=pflash,format=raw,file=: QEMU would guess the file's format" },
	{ "plugin",	LQ_VALUE, LQ_REFUSED, NULL, NULL, "code in QEMU is not measured" },
	{ "preconfig",	LQ_NONE,  LQ_REFUSED, NULL, NULL, "a machine that changes before it is made is not measured" },
	{ "readconfig",	LQ_VALUE, LQ_REFUSED, NULL, NULL, "options in a file are not measured: write them out" },
	{ "set",	LQ_VALUE, LQ_REFUSED, NULL, NULL, "write the value into the option itself" },
	{ "tpmdev",	LQ_VALUE, LQ_REFUSED, on_tpmdev, NULL, "leave the TPM to vtpmctl" },
	{ "writeconfig", LQ_VALUE, LQ_REFUSED, NULL, NULL, "start the machine without it" },
};
/* clang-format on */

const char *
lq_option(size_t i, enum lq_class *ret_class, const char **ret_why)
{
	if (i >= VT_NELEM(options))
		return NULL;
	*ret_class = options[i].cls;
	*ret_why = options[i].why;
	return options[i].name;
}

const char *
lq_class_name(enum lq_class c)
{
	static const char *const names[] = { "measured", "recorded", "passed",
		"refused" };

	return names[c];
}

/* --- one option ----------------------------------------------------------- */

static const struct lq_option *
option_of(const char *name)
{
	size_t i;

	for (i = 0; i < VT_NELEM(options); i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

/* An option that only the site's list allows: it is recorded. */
static const struct lq_option *
of_site(const struct lq_ctx *c, const char *name)
{
	static const struct lq_option word = {
		.name = "", .value = LQ_NONE, .cls = LQ_RECORDED
	};
	static const struct lq_option value = {
		.name = "", .value = LQ_VALUE, .cls = LQ_RECORDED
	};

	return lq_site_has(c, "option-value", name) ||
		       !check_on("launch-option")
		   ? &value
	       : lq_site_has(c, "option", name) ? &word
						: NULL;
}

static int
refuse_option(struct lq_ctx *c, const char *word, const char *why)
{
	const char *name = word + (word[1] == '-' ? 2 : 1);

	LQ_SAY(c,
	    "%.100s: %s. A line 'option %.100s', or 'option-value %.100s' if a "
	    "value follows it, in %s allows it: the launch record then has it",
	    word, why, name, name, LQ_SITE_FILE);
	return VT_E_UNSUPPORTED;
}

/* A JSON value is given to QEMU as it was understood here, printed anew. */
static int
check_value(struct lq_ctx *c, int arg, const struct lq_option *o)
{
	const char *v = c->argv[arg];
	struct qo_part part;
	size_t pos = 0;

	if (o->value == LQ_JSON && v[0] == '{') {
		c->p->json[arg] = json_loads(v, JSON_REJECT_DUPLICATES, NULL);
		if (c->p->json[arg] != NULL)
			return VT_OK;
		LQ_SAY(c, "-%s %.150s: no JSON object, or a key is given twice",
		    o->name, v);
		return VT_E_FORMAT;
	}
	if (o->value < LQ_KEYS)
		return VT_OK;
	if (qo_twice(v, o->implied,
		strcmp(o->name, "smbios") == 0 ? "value" : NULL) &&
	    check_on("launch-twice")) {
		LQ_SAY(c, "-%s %.200s: a key is given twice: give it once",
		    o->name, v);
		return VT_E_EXISTS;
	}
	while (qo_next(v, &pos, o->implied, &part))
		if (part.key_len == 0) {
			LQ_SAY(c, "-%s %.200s: a key is empty", o->name, v);
			return VT_E_FORMAT;
		}
	return VT_OK;
}

static void
note_word(struct lq_ctx *c, const char *name)
{
	c->nodefaults |= strcmp(name, "nodefaults") == 0;
}

/* The option at argv[*a], and its value.  *a: the last word that it takes. */
static int
take_option(struct lq_ctx *c, int *a)
{
	const char *word = c->argv[*a];
	const char *name = word + (word[1] == '-' ? 2 : 1);
	const struct lq_option *o = option_of(name), *site = of_site(c, name);
	int rc;

	if (o == NULL || o->cls == LQ_REFUSED) {
		if (o != NULL && o->handle != NULL && *a + 1 < c->argc)
			return o->handle(c, *a + 1);
		if (site == NULL)
			return refuse_option(c, word,
			    o != NULL
				? o->why
				: "unknown here, and may load what is not "
				  "measured");
		o = site;
	}
	c->opts[*a] = o;
	note_word(c, name);
	if (o->value == LQ_NONE)
		return VT_OK;
	if (++*a == c->argc) {
		LQ_SAY(c, "%.100s has no value", word);
		return VT_E_FORMAT;
	}
	c->opts[*a] = o;
	if ((rc = check_value(c, *a, o)) != VT_OK)
		return rc;
	return o->handle != NULL ? o->handle(c, *a) : VT_OK;
}

/* --- what is recorded ----------------------------------------------------- */

/* The value without the paths of files, which have items of their own. */
static char *
recorded_value(const struct lq_ctx *c, int arg)
{
	char *v = c->p->json[arg] != NULL
		      ? json_dumps(c->p->json[arg], JSON_COMPACT)
		      : strdup(c->argv[arg]),
	     *cut;
	json_t *j;
	size_t i;

	for (i = c->p->nfiles; i-- > 0 && v != NULL;) {
		const struct lq_file *f = &c->p->files[i];

		if (f->arg != arg)
			continue;
		if (f->json == NULL) {
			cut = lq_replace(v, f, "");
		} else {
			j = json_deep_copy(f->json);
			(void)json_object_set_new(j, f->key, json_string(""));
			cut = json_dumps(j, JSON_COMPACT);
			json_decref(j);
		}
		free(v);
		v = cut;
	}
	return v;
}

/* How often the word at argv[at] was there before as an option. */
static unsigned int
earlier(const struct lq_ctx *c, int at, const char *name)
{
	const char *word;
	unsigned int n = 0;
	int a;

	for (a = 1; a < at; a++) {
		if (c->opts[a] == NULL) {
			n += strcmp(name, "disk") == 0;
			continue;
		}
		word = c->argv[a];
		n += strcmp(word + strspn(word, "-"), name) == 0;
		a += c->opts[a]->value != LQ_NONE;
	}
	return n;
}

/* "OPTION=VALUE"; "OPTION.2=VALUE" if it is there for the second time. */
static int
record_line(struct lq_ctx *c, FILE *out, int at, const char *value)
{
	const char *word = c->argv[at], *name = "disk";
	unsigned int n;
	size_t i;

	for (i = 0; value[i] != '\0'; i++)
		if ((unsigned char)value[i] < ' ') {
			LQ_SAY(c, "a control character in '%.100s'", value);
			return VT_E_FORMAT;
		}
	if (c->opts[at] != NULL)
		name = word + strspn(word, "-");
	if ((n = earlier(c, at, name)) > 0)
		(void)fprintf(out, "%s.%u=%s\n", name, n + 1, value);
	else
		(void)fprintf(out, "%s=%s\n", name, value);
	return VT_OK;
}

/* The option at argv[*a] with its value; a disk has none. */
static int
record_option(struct lq_ctx *c, FILE *out, int *a)
{
	const struct lq_option *o = c->opts[*a];
	int at = *a, rc;
	char *v;

	if (o == NULL)
		return record_line(c, out, at, c->argv[at]);
	if (o->value != LQ_NONE)
		(*a)++;
	if (o->cls == LQ_PASSED)
		return VT_OK;
	if (o->value == LQ_NONE || o->handle == on_append)
		return record_line(c, out, at, "");
	if ((v = recorded_value(c, *a)) == NULL)
		return VT_E_NOMEM;
	rc = record_line(c, out, at, v);
	free(v);
	return rc;
}

/* A line for each option, in their order: it decides, too, where devices are
 * in the machine. */
static int
record(struct lq_ctx *c)
{
	size_t len = 0;
	FILE *out = open_memstream(&c->p->config, &len);
	int a, rc = VT_OK;

	if (out == NULL)
		return VT_E_NOMEM;
	for (a = 1; a < c->argc && rc == VT_OK; a++)
		rc = record_option(c, out, &a);
	return fclose(out) == 0 ? rc : VT_E_NOMEM;
}

/* -------------------------------------------------------------------------- */

static int
parse(struct lq_ctx *c)
{
	bool kernel = false;
	unsigned int i;
	int a, rc;

	for (a = 1; a < c->argc; a++) {
		if (c->argv[a][0] != '-')
			continue; /* a disk */
		if ((rc = take_option(c, &a)) != VT_OK)
			return rc;
	}
	if ((rc = lq_find_flash(c)) != VT_OK)
		return rc;
	/* These machines take no firmware from flash. */
	c->firmware =
	    c->bios || (c->flash0 && strcmp(c->p->machine, "isapc") != 0 &&
			   strcmp(c->p->machine, "microvm") != 0);
	for (i = 0; i < c->p->nfiles; i++)
		kernel |= c->p->files[i].role == LR_KERNEL;
	/* A guest with its own firmware measures its kernel itself. */
	c->p->mode =
	    kernel && !c->firmware ? LAUNCH_M_DIRECT : LAUNCH_M_FIRMWARE;
	if ((rc = lq_find_roms(c)) != VT_OK)
		return rc;
	return record(c);
}

int
lq_parse(int argc, char *const *argv, const char *site, struct lq_plan *ret,
    char *text)
{
	struct lq_ctx c = {
		.p = ret, .argc = argc, .argv = argv, .site = site, .text = text
	};
	int rc = VT_E_NOMEM;

	memset(ret, 0, sizeof(*ret));
	(void)snprintf(text, LQ_TEXT_MAX, "out of memory");
	if (argc < 1) {
		LQ_SAY(&c, "no QEMU command line");
		return VT_E_FORMAT;
	}
	ret->argc = argc;
	ret->json = calloc((size_t)argc, sizeof(json_t *));
	c.opts = calloc((size_t)argc, sizeof(struct lq_option *));
	c.machine = json_object();
	if (ret->json != NULL && c.opts != NULL && c.machine != NULL)
		rc = parse(&c);
	json_decref(c.machine);
	free(c.opts);
	return rc;
}

void
lq_done(struct lq_plan *p)
{
	int i;

	for (i = 0; p->json != NULL && i < p->argc; i++)
		json_decref(p->json[i]);
	free(p->json);
	free(p->config);
	p->json = NULL;
	p->config = NULL;
}

int
lq_escape(const char *in, char *out, size_t cap)
{
	size_t n = 0;

	for (; *in != '\0'; in++) {
		if (n + 2 >= cap)
			return VT_E_RANGE;
		out[n++] = *in;
		if (*in == ',')
			out[n++] = ',';
	}
	out[n] = '\0';
	return VT_OK;
}

char *
lq_replace(const char *arg, const struct lq_file *f, const char *path)
{
	size_t cap = strlen(arg) + strlen(path) + 1;
	char *out;

	if (f->json != NULL)
		return json_object_set_new(
			   f->json, f->key, json_string(path)) == 0
			   ? json_dumps(f->json, JSON_COMPACT)
			   : NULL;
	if ((out = malloc(cap)) != NULL)
		(void)snprintf(out, cap, "%.*s%s%s", (int)f->at, arg, path,
		    arg + f->at + f->len);
	return out;
}
