/* SPDX-License-Identifier: BSD-3-Clause */
/* launch_qemu.c - reads a QEMU command line. */
#include "tools/launch/launch_qemu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

struct lq_ctx {
	struct lq_plan *p;
	char *const *argv;
	char *text;
	bool firmware;
};

/* --- option values: key=value,key=value ----------------------------------- */

/* The next part of value from *at on: its raw range, and the length of its key
 * (0: it has none).  false: there is no more. */
static bool
next_part(
    const char *value, size_t *at, size_t *start, size_t *len, size_t *key_len)
{
	size_t i = *at, eq;

	if (value[i] == '\0')
		return false;
	*start = i;
	while (value[i] != '\0') {
		if (value[i] == ',' && value[i + 1] != ',')
			break;
		i += value[i] == ',' ? 2 : 1;
	}
	*len = i - *start;
	eq = strcspn(value + *start, "=");
	*key_len = eq < *len ? eq : 0;
	*at = value[i] == ',' ? i + 1 : i;
	return true;
}

/*
 * Find key in value; *at and *len are the raw range of its value, out the
 * text without escapes.  VT_E_NOTFOUND, VT_E_RANGE.
 */
static int
find_key(const char *value, const char *key, size_t *at, size_t *len, char *out,
    size_t cap)
{
	size_t next = 0, start, n = 0, key_len, i;

	do {
		if (!next_part(value, &next, &start, len, &key_len))
			return VT_E_NOTFOUND;
	} while (key_len != strlen(key) ||
		 strncmp(value + start, key, key_len) != 0);
	*at = start + key_len + 1;
	*len -= key_len + 1;
	for (i = *at; i < *at + *len; i++) {
		if (n + 1 >= cap)
			return VT_E_RANGE;
		out[n++] = value[i];
		i += value[i] == ','; /* ",," */
	}
	out[n] = '\0';
	return VT_OK;
}

/* QEMU takes the last of two equal keys, find_key() the first. */
static bool
has_key_twice(const char *value)
{
	size_t at = 0, start, len, key_len, at2, start2, key_len2;

	while (next_part(value, &at, &start, &len, &key_len))
		for (at2 = at;
		     next_part(value, &at2, &start2, &len, &key_len2);)
			if (key_len > 0 && key_len == key_len2 &&
			    strncmp(value + start, value + start2, key_len) ==
				0)
				return true;
	return false;
}

static bool
has_value(const char *value, const char *key, const char *want)
{
	char got[64];
	size_t at, len;

	return find_key(value, key, &at, &len, got, sizeof(got)) == VT_OK &&
	       strcmp(got, want) == 0;
}

static bool
has_key(const char *value, const char *key)
{
	char got[4096];
	size_t at, len;

	return find_key(value, key, &at, &len, got, sizeof(got)) !=
	       VT_E_NOTFOUND;
}

/* --- what is found -------------------------------------------------------- */

static struct lq_file *
add_file(struct lq_ctx *c, uint8_t role, int arg)
{
	struct lq_file *f;

	if (c->p->nfiles == LQ_FILES_MAX) {
		(void)snprintf(c->text, LQ_TEXT_MAX,
		    "more than %d files are loaded", LQ_FILES_MAX);
		return NULL;
	}
	f = &c->p->files[c->p->nfiles++];
	memset(f, 0, sizeof(*f));
	f->role = role;
	f->arg = arg;
	return f;
}

static int
add_whole(struct lq_ctx *c, uint8_t role, int arg)
{
	const char *v = c->argv[arg];
	struct lq_file *f = add_file(c, role, arg);

	if (f == NULL)
		return VT_E_RANGE;
	f->len = strlen(v);
	if (f->len >= sizeof(f->path)) {
		(void)snprintf(c->text, LQ_TEXT_MAX, "a path is too long");
		return VT_E_RANGE;
	}
	memcpy(f->path, v, f->len + 1);
	return VT_OK;
}

static int
add_keyed(struct lq_ctx *c, uint8_t role, int arg, const char *key)
{
	struct lq_file *f = add_file(c, role, arg);

	if (f == NULL)
		return VT_E_RANGE;
	if (find_key(c->argv[arg], key, &f->at, &f->len, f->path,
		sizeof(f->path)) == VT_OK)
		return VT_OK;
	(void)snprintf(
	    c->text, LQ_TEXT_MAX, "no file in '%.200s'", c->argv[arg]);
	return VT_E_FORMAT;
}

static int
twice(struct lq_ctx *c, const char *what)
{
	(void)snprintf(
	    c->text, LQ_TEXT_MAX, "%s is given twice: give it once", what);
	return VT_E_EXISTS;
}

/* Refused, with what to do instead. */
static int
refuse(struct lq_ctx *c, int arg, const char *why)
{
	(void)snprintf(c->text, LQ_TEXT_MAX, "%s %.100s: %s", c->argv[arg - 1],
	    c->argv[arg], why);
	return VT_E_UNSUPPORTED;
}

static int
once(struct lq_ctx *c, uint8_t role, int arg)
{
	unsigned int i;

	for (i = 0; i < c->p->nfiles; i++)
		if (c->p->files[i].role == role)
			return twice(c, c->argv[arg - 1]);
	return add_whole(c, role, arg);
}

/* --- one handler per option ------------------------------------------------
 */

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
	if (c->p->append != NULL)
		return twice(c, "-append");
	c->p->append = c->argv[arg];
	return VT_OK;
}

static int
on_bios(struct lq_ctx *c, int arg)
{
	c->firmware = true;
	return once(c, LR_FIRMWARE, arg);
}

static int
on_pflash(struct lq_ctx *c, int arg)
{
	return refuse(c, arg,
	    "use -drive if=pflash,format=raw,file=: QEMU would guess "
	    "the file's format");
}

/* Flash of another format could name further files, and so could other keys. */
static int
on_drive(struct lq_ctx *c, int arg)
{
	static const char *const may[] = { "if", "file", "format", "unit",
		"index", "id", "readonly", "read-only", "cache", "snapshot" };
	size_t at = 0, start, len, key_len, i;
	const char *v = c->argv[arg];
	bool ro;
	int rc;

	if (!has_value(v, "if", "pflash"))
		return VT_OK;
	while (next_part(v, &at, &start, &len, &key_len)) {
		for (i = 0; i < VT_NELEM(may); i++)
			if (strlen(may[i]) == key_len &&
			    strncmp(may[i], v + start, key_len) == 0)
				break;
		if (i == VT_NELEM(may))
			return refuse(c, arg,
			    "flash has a key that is "
			    "unknown here");
	}
	ro = has_value(v, "readonly", "on") || has_value(v, "read-only", "on");
	if ((rc = add_keyed(c, ro ? LR_FIRMWARE : LR_VARS, arg, "file")) !=
	    VT_OK)
		return rc;
	c->firmware = true;
	c->p->files[c->p->nfiles - 1].writable = !ro;
	return has_value(v, "format", "raw")
		   ? VT_OK
		   : refuse(c, arg, "add format=raw: QEMU would guess it");
}

/* A ROM of a device runs in the guest; an empty one is none. */
static bool
names_rom(const char *value)
{
	return has_key(value, "romfile") && !has_value(value, "romfile", "");
}

/* -device loader puts a file into memory; a second TPM is a mistake. */
static int
on_device(struct lq_ctx *c, int arg)
{
	const char *v = c->argv[arg];
	size_t n = strcspn(v, ",");

	if (v[0] == '{' || memchr(v, '=', n) != NULL)
		return refuse(c, arg, "write the device as DRIVER,KEY=VALUE");
	if (names_rom(v))
		return refuse(c, arg,
		    "its ROM cannot be measured; use -option-rom, and "
		    "romfile= to have none");
	if (strncmp(v, "guest-loader", n) == 0 && n == 12)
		return refuse(c, arg, "what it loads cannot be measured");
	if (strncmp(v, "loader", n) == 0 && n == 6)
		return has_key(v, "file") ? add_keyed(c, LR_OTHER, arg, "file")
					  : refuse(c, arg,
						"data= cannot be measured; "
						"use file=");
	if (strncmp(v, "tpm-", 4) == 0) {
		(void)snprintf(c->text, LQ_TEXT_MAX,
		    "'-device %.100s' is there already; leave the TPM to "
		    "vtpmctl",
		    v);
		return VT_E_EXISTS;
	}
	return VT_OK;
}

static int
on_fw_cfg(struct lq_ctx *c, int arg)
{
	return has_key(c->argv[arg], "file")
		   ? add_keyed(c, LR_OTHER, arg, "file")
		   : refuse(c, arg, "only file= can be measured");
}

static int
on_option_rom(struct lq_ctx *c, int arg)
{
	return has_key(c->argv[arg], "romfile")
		   ? add_keyed(c, LR_OTHER, arg, "romfile")
		   : add_whole(c, LR_OTHER, arg);
}

/* Options are merged by QEMU in their order: so they are here. */
static int
append_text(struct lq_ctx *c, char *dst, size_t cap, const char *v)
{
	size_t n = strlen(dst);
	int m = snprintf(dst + n, cap - n, "%s%s", n > 0 ? "," : "", v);

	if (m >= 0 && (size_t)m < cap - n)
		return VT_OK;
	(void)snprintf(c->text, LQ_TEXT_MAX, "'%.100s' is too long", v);
	return VT_E_RANGE;
}

static int
on_machine(struct lq_ctx *c, int arg)
{
	static const char *const loads[] = { "kernel", "initrd", "append",
		"dtb", "firmware", "pflash0", "pflash1", "dumpdtb" };
	const char *v = c->argv[arg];
	size_t i;

	for (i = 0; i < VT_NELEM(loads); i++)
		if (has_key(v, loads[i])) {
			(void)snprintf(c->text, LQ_TEXT_MAX,
			    "-machine %s=... cannot be measured; use -%s",
			    loads[i],
			    strncmp(loads[i], "pflash", 6) == 0
				? "drive if=pflash"
			    : strcmp(loads[i], "firmware") == 0 ? "bios"
								: loads[i]);
			return VT_E_UNSUPPORTED;
		}
	return append_text(c, c->p->machine, sizeof(c->p->machine), v);
}

static int
on_cpu(struct lq_ctx *c, int arg)
{
	return append_text(c, c->p->cpu, sizeof(c->p->cpu), c->argv[arg]);
}

static int
on_memory(struct lq_ctx *c, int arg)
{
	return append_text(c, c->p->memory, sizeof(c->p->memory), c->argv[arg]);
}

static int
on_smp(struct lq_ctx *c, int arg)
{
	return append_text(c, c->p->smp, sizeof(c->p->smp), c->argv[arg]);
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
	(void)snprintf(c->text, LQ_TEXT_MAX,
	    "'-tpmdev %.100s' is there already; leave the TPM to vtpmctl",
	    c->argv[arg]);
	return VT_E_EXISTS;
}

static int
on_refused(struct lq_ctx *c, int arg)
{
	return refuse(c, arg,
	    "may load or change what is not measured; write out what you need "
	    "as other options");
}

/* A property of every device of a kind, but none that names a file. */
static int
on_global(struct lq_ctx *c, int arg)
{
	static const char *const files[] = { "romfile", "file", "data",
		"kernel", "initrd", "bootargs" };
	const char *v = c->argv[arg], *dot = strchr(v, '.');
	size_t n = dot != NULL ? strcspn(dot + 1, "=") : 0, i;

	if (dot == NULL || dot[1 + n] != '=' ||
	    memchr(v, '=', (size_t)(dot - v)))
		return refuse(c, arg, "write it as DRIVER.PROPERTY=VALUE");
	for (i = 0; i < VT_NELEM(files); i++)
		if (strlen(files[i]) == n && strncmp(dot + 1, files[i], n) == 0)
			return refuse(c, arg, "this cannot be measured");
	return VT_OK;
}

/* Memory without content, and what a guest needs beside it. */
static int
on_object(struct lq_ctx *c, int arg)
{
	static const char *const may[] = { "memory-backend-ram",
		"memory-backend-memfd", "rng-random", "rng-builtin", "iothread",
		"secret", "throttle-group", "tls-creds-x509", "tls-creds-psk" };
	const char *v = c->argv[arg];
	size_t n = strcspn(v, ","), i;

	for (i = 0; i < VT_NELEM(may); i++)
		if (strlen(may[i]) == n && strncmp(v, may[i], n) == 0)
			return VT_OK;
	return refuse(c, arg, "this kind of object is not known to be safe");
}

enum { NO_VALUE, VALUE, KEYS }; /* KEYS: no key may be there twice */

/*
 * Every option that may be there; others are refused.  handle NULL: it loads
 * nothing before the guest runs.  Monitors (qmp, monitor, mon, chardev) are the
 * operator's own way into the machine.
 */
/* clang-format off */
static const struct {
	const char *name;
	int value;
	int (*handle)(struct lq_ctx *c, int arg);
} options[] = {
	/* Measured, or part of the recorded configuration. */
	{ "kernel",	VALUE,	on_kernel },
	{ "initrd",	VALUE,	on_initrd },
	{ "append",	VALUE,	on_append },
	{ "dtb",	VALUE,	on_dtb },
	{ "bios",	VALUE,	on_bios },
	{ "pflash",	VALUE,	on_pflash },
	{ "drive",	KEYS,	on_drive },
	{ "device",	KEYS,	on_device },
	{ "fw_cfg",	KEYS,	on_fw_cfg },
	{ "option-rom",	KEYS,	on_option_rom },
	{ "machine",	KEYS,	on_machine },
	{ "M",		KEYS,	on_machine },
	{ "cpu",	KEYS,	on_cpu },
	{ "m",		KEYS,	on_memory },
	{ "smp",	KEYS,	on_smp },
	{ "name",	VALUE,	on_name },
	/* Checked. */
	{ "tpmdev",	VALUE,	on_tpmdev },
	{ "global",	VALUE,	on_global },
	{ "object",	KEYS,	on_object },
	/* Refused with a reason; so is what is not in this table. */
	{ "readconfig",	VALUE,	on_refused },
	{ "loadvm",	VALUE,	on_refused },
	{ "incoming",	VALUE,	on_refused },
	{ "set",	VALUE,	on_refused },
	{ "L",		VALUE,	on_refused },
	{ "acpitable",	VALUE,	on_refused },
	{ "smbios",	VALUE,	on_refused },
	{ "gdb",	VALUE,	on_refused },
	{ "plugin",	VALUE,	on_refused },
	/* Passed. */
	{ "accel",	KEYS,	NULL },
	{ "action",	KEYS,	NULL },
	{ "audiodev",	KEYS,	NULL },
	{ "blockdev",	VALUE,	NULL },
	{ "boot",	KEYS,	NULL },
	{ "cdrom",	VALUE,	NULL },
	{ "chardev",	KEYS,	NULL },
	{ "compat",	KEYS,	NULL },
	{ "D",		VALUE,	NULL },
	{ "d",		VALUE,	NULL },
	{ "daemonize",	NO_VALUE, NULL },
	{ "display",	VALUE,	NULL },
	{ "enable-kvm",	NO_VALUE, NULL },
	{ "fsdev",	KEYS,	NULL },
	{ "hda",	VALUE,	NULL },
	{ "hdb",	VALUE,	NULL },
	{ "hdc",	VALUE,	NULL },
	{ "hdd",	VALUE,	NULL },
	{ "icount",	VALUE,	NULL },
	{ "k",		VALUE,	NULL },
	{ "mon",	VALUE,	NULL },
	{ "monitor",	VALUE,	NULL },
	{ "msg",	VALUE,	NULL },
	{ "net",	VALUE,	NULL },
	{ "netdev",	VALUE,	NULL },
	{ "nic",	VALUE,	NULL },
	{ "no-acpi",	NO_VALUE, NULL },
	{ "no-hpet",	NO_VALUE, NULL },
	{ "no-reboot",	NO_VALUE, NULL },
	{ "no-shutdown", NO_VALUE, NULL },
	{ "no-user-config", NO_VALUE, NULL },
	{ "nodefaults",	NO_VALUE, NULL },
	{ "nographic",	NO_VALUE, NULL },
	{ "numa",	VALUE,	NULL },
	{ "overcommit",	KEYS,	NULL },
	{ "parallel",	VALUE,	NULL },
	{ "pidfile",	VALUE,	NULL },
	{ "qmp",	VALUE,	NULL },
	{ "qmp-pretty",	VALUE,	NULL },
	{ "rtc",	KEYS,	NULL },
	{ "runas",	VALUE,	NULL },
	{ "S",		NO_VALUE, NULL },
	{ "sandbox",	KEYS,	NULL },
	{ "serial",	VALUE,	NULL },
	{ "snapshot",	NO_VALUE, NULL },
	{ "spice",	VALUE,	NULL },
	{ "usb",	NO_VALUE, NULL },
	{ "uuid",	VALUE,	NULL },
	{ "vga",	VALUE,	NULL },
	{ "virtfs",	KEYS,	NULL },
	{ "vnc",	VALUE,	NULL },
	{ "watchdog-action", VALUE, NULL },
};
/* clang-format on */

/* The option at argv[*a], and its value.  *a: the last word that it takes. */
static int
take_option(struct lq_ctx *c, int argc, int *a)
{
	const char *word = c->argv[*a];
	const char *name = word + (word[1] == '-' ? 2 : 1);
	size_t i;

	for (i = 0; i < VT_NELEM(options); i++)
		if (strcmp(options[i].name, name) == 0)
			break;
	if (i == VT_NELEM(options)) {
		(void)snprintf(c->text, LQ_TEXT_MAX,
		    "%.100s is unknown here, and may load what is not measured",
		    word);
		return VT_E_UNSUPPORTED;
	}
	if (options[i].value == NO_VALUE)
		return VT_OK;
	if (++*a == argc) {
		(void)snprintf(
		    c->text, LQ_TEXT_MAX, "%.100s has no value", word);
		return VT_E_FORMAT;
	}
	if (options[i].value == KEYS && has_key_twice(c->argv[*a])) {
		(void)snprintf(c->text, LQ_TEXT_MAX,
		    "%s %.200s: a key is given twice: give it once", word,
		    c->argv[*a]);
		return VT_E_EXISTS;
	}
	return options[i].handle != NULL ? options[i].handle(c, *a) : VT_OK;
}

int
lq_parse(int argc, char *const *argv, struct lq_plan *ret, char *text)
{
	struct lq_ctx c = { .p = ret, .argv = argv, .text = text };
	bool kernel = false;
	unsigned int i;
	int a, rc;

	memset(ret, 0, sizeof(*ret));
	if (argc < 1) {
		(void)snprintf(text, LQ_TEXT_MAX, "no QEMU command line");
		return VT_E_FORMAT;
	}
	for (a = 1; a < argc; a++) {
		if (argv[a][0] != '-')
			continue; /* a disk */
		if ((rc = take_option(&c, argc, &a)) != VT_OK)
			return rc;
	}
	for (i = 0; i < ret->nfiles; i++)
		kernel |= ret->files[i].role == LR_KERNEL;
	/* A guest with its own firmware measures its kernel itself. */
	ret->mode = kernel && !c.firmware ? LAUNCH_M_DIRECT : LAUNCH_M_FIRMWARE;
	return VT_OK;
}

int
lq_config_text(const struct lq_plan *p, char *out, size_t cap)
{
	int n = snprintf(out, cap, "machine=%s cpu=%s m=%s smp=%s", p->machine,
	    p->cpu, p->memory, p->smp);

	return n >= 0 && (size_t)n < cap ? VT_OK : VT_E_RANGE;
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
	char *out = malloc(cap);

	if (out != NULL)
		(void)snprintf(out, cap, "%.*s%s%s", (int)f->at, arg, path,
		    arg + f->at + f->len);
	return out;
}
