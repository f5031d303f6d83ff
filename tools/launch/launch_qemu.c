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

/* --- option values: key=value,key=value --- */

/*
 * Find key in value; *at and *len are the raw range of its value, out the
 * text without escapes.  VT_E_NOTFOUND, VT_E_RANGE.
 */
static int
find_key(const char *value, const char *key, size_t *at, size_t *len, char *out,
    size_t cap)
{
	size_t i = 0, start, n, klen = strlen(key);

	for (;;) {
		start = i;
		n = 0;
		while (value[i] != '\0') {
			if (value[i] == ',' && value[i + 1] != ',')
				break;
			i += value[i] == ',' ? 2 : 1;
		}
		if (strncmp(value + start, key, klen) == 0 &&
		    value[start + klen] == '=')
			break;
		if (value[i] == '\0')
			return VT_E_NOTFOUND;
		i++;
	}
	*at = start + klen + 1;
	*len = i - *at;
	for (i = *at; i < *at + *len; i++) {
		if (n + 1 >= cap)
			return VT_E_RANGE;
		out[n++] = value[i];
		i += value[i] == ','; /* ",," */
	}
	out[n] = '\0';
	return VT_OK;
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

/* --- what is found --- */

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
	(void)snprintf(c->text, LQ_TEXT_MAX,
	    "%s is given twice; which one counts is not for us to guess", what);
	return VT_E_EXISTS;
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

/* --- one handler per option --- */

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

/* -pflash FILE is writable for the guest. */
static int
on_pflash(struct lq_ctx *c, int arg)
{
	int rc = add_whole(c, LR_VARS, arg);

	c->firmware = true;
	if (rc == VT_OK)
		c->p->files[c->p->nfiles - 1].writable = true;
	return rc;
}

static int
on_drive(struct lq_ctx *c, int arg)
{
	const char *v = c->argv[arg];
	bool ro;
	int rc;

	if (!has_value(v, "if", "pflash"))
		return VT_OK;
	ro = has_value(v, "readonly", "on") || has_value(v, "read-only", "on");
	rc = add_keyed(c, ro ? LR_FIRMWARE : LR_VARS, arg, "file");
	c->firmware = true;
	if (rc == VT_OK)
		c->p->files[c->p->nfiles - 1].writable = !ro;
	return rc;
}

/* -device loader puts a file into memory; a TPM of its own is a mistake. */
static int
on_device(struct lq_ctx *c, int arg)
{
	const char *v = c->argv[arg];

	if (strncmp(v, "loader,", 7) == 0 && has_key(v, "file"))
		return add_keyed(c, LR_OTHER, arg, "file");
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
		   : VT_OK;
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
on_unreadable(struct lq_ctx *c, int arg)
{
	(void)snprintf(c->text, LQ_TEXT_MAX,
	    "%s %.100s may load what is not measured; write it out on the "
	    "command line",
	    c->argv[arg - 1], c->argv[arg]);
	return VT_E_UNSUPPORTED;
}

static int
on_value(struct lq_ctx *c, int arg)
{
	(void)c;
	(void)arg;
	return VT_OK;
}

/* Options with a value; on_value: of no interest, but the next word is
 * not an option. */
static const struct {
	const char *name;
	int (*handle)(struct lq_ctx *c, int arg);
} options[] = {
	{ "kernel", on_kernel },
	{ "initrd", on_initrd },
	{ "append", on_append },
	{ "dtb", on_dtb },
	{ "bios", on_bios },
	{ "pflash", on_pflash },
	{ "drive", on_drive },
	{ "device", on_device },
	{ "fw_cfg", on_fw_cfg },
	{ "option-rom", on_option_rom },
	{ "machine", on_machine },
	{ "M", on_machine },
	{ "cpu", on_cpu },
	{ "m", on_memory },
	{ "smp", on_smp },
	{ "name", on_name },
	{ "tpmdev", on_tpmdev },
	{ "readconfig", on_unreadable },
	{ "loadvm", on_unreadable },
	{ "incoming", on_unreadable },
	{ "chardev", on_value },
	{ "serial", on_value },
	{ "monitor", on_value },
	{ "display", on_value },
	{ "netdev", on_value },
	{ "blockdev", on_value },
	{ "object", on_value },
	{ "accel", on_value },
	{ "global", on_value },
};

int
lq_parse(int argc, char *const *argv, struct lq_plan *ret, char *text)
{
	struct lq_ctx c = { .p = ret, .argv = argv, .text = text };
	const char *name;
	bool kernel = false;
	size_t i;
	int a, rc;

	memset(ret, 0, sizeof(*ret));
	if (argc < 1) {
		(void)snprintf(text, LQ_TEXT_MAX, "no QEMU command line");
		return VT_E_FORMAT;
	}
	for (a = 1; a < argc; a++) {
		if (argv[a][0] != '-')
			continue;
		name = argv[a] + (argv[a][1] == '-' ? 2 : 1);
		for (i = 0; i < VT_NELEM(options); i++)
			if (strcmp(options[i].name, name) == 0)
				break;
		if (i == VT_NELEM(options))
			continue;
		if (++a == argc) {
			(void)snprintf(
			    text, LQ_TEXT_MAX, "%s has no value", argv[a - 1]);
			return VT_E_FORMAT;
		}
		if ((rc = options[i].handle(&c, a)) != VT_OK)
			return rc;
	}
	for (i = 0; i < ret->nfiles; i++)
		kernel |= ret->files[i].role == LR_KERNEL;
	/* With firmware of its own the guest measures its kernel itself. */
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
