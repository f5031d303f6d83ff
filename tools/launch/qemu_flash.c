/* SPDX-License-Identifier: BSD-3-Clause */
/* qemu_flash.c - finds the firmware's flash: -drive if=pflash, and the nodes of
 * -blockdev that -machine pflash0= and pflash1= name. */
#include "tools/launch/qemu_flash.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "tools/launch/qemu_opts.h"

/* Unit 0 holds the code.  A guest that may write it can replace its firmware:
 * the record says so. */
static void
flash_found(struct lq_ctx *c, unsigned int unit, bool writable)
{
	struct lq_file *f = &c->p->files[c->p->nfiles - 1];

	f->writable = writable;
	f->role = !writable || unit == 0 ? LR_FIRMWARE : LR_VARS;
	c->flash0 |= unit == 0;
}

/* --- -drive --------------------------------------------------------------- */

/* Flash of another format could name further files, and so could other keys;
 * QEMU knows several words for on and off. */
static const char *
odd_flash_key(const char *v)
{
	static const char *const may[] = { "if", "file", "format", "unit",
		"index", "id", "readonly", "read-only", "cache", "snapshot" };
	struct qo_part part;
	size_t pos = 0, i;

	while (qo_next(v, &pos, NULL, &part)) {
		for (i = 0; i < VT_NELEM(may); i++)
			if (qo_key_is(&part, may[i]))
				break;
		if (i == VT_NELEM(may) || part.flag)
			return "flash has a key that is unknown here, or a key "
			       "without =VALUE";
	}
	return NULL;
}

/* Is it read-only?  -1: said in a way that is not understood. */
static int
read_only(struct lq_ctx *c, int arg)
{
	bool has_a = lq_has(c, arg, "readonly");
	bool has_b = lq_has(c, arg, "read-only");
	char s[8];

	if (!has_a && !has_b)
		return 0;
	if ((has_a && has_b) ||
	    !lq_get(c, arg, has_a ? "readonly" : "read-only", s, sizeof(s)))
		return -1;
	return strcmp(s, "on") == 0 ? 1 : strcmp(s, "off") == 0 ? 0 : -1;
}

static bool
unit_of(struct lq_ctx *c, int arg, unsigned int *ret)
{
	const char *key = lq_has(c, arg, "unit") ? "unit" : "index";
	char s[8];

	if (!lq_has(c, arg, key)) {
		*ret = c->next_unit;
		return *ret < 2;
	}
	if (!lq_get(c, arg, key, s, sizeof(s)))
		return false;
	*ret = strcmp(s, "1") == 0;
	return *ret == 1 || strcmp(s, "0") == 0;
}

/* "nbd:...", "json:..." are not names of files. */
static bool
is_protocol(const char *path)
{
	return path[strcspn(path, ":/")] == ':';
}

int
lq_on_drive(struct lq_ctx *c, int arg)
{
	const char *v = c->argv[arg], *odd;
	char s[16];
	unsigned int unit;
	int ro, rc;

	if (!lq_get(c, arg, "if", s, sizeof(s)) || strcmp(s, "pflash") != 0)
		return VT_OK;
	if ((odd = odd_flash_key(v)) != NULL)
		return lq_refuse(c, arg, odd);
	if ((ro = read_only(c, arg)) == -1)
		return lq_refuse(c, arg, "write readonly=on or readonly=off");
	if (!unit_of(c, arg, &unit))
		return lq_refuse(c, arg, "write unit=0 or unit=1");
	if ((rc = lq_add_file(c, LR_FIRMWARE, arg, "file")) != VT_OK)
		return rc;
	if (is_protocol(c->p->files[c->p->nfiles - 1].path))
		return lq_refuse(c, arg, "write ./NAME if it is a file");
	if (!lq_get(c, arg, "format", s, sizeof(s)) || strcmp(s, "raw") != 0)
		return check_on("launch-raw")
			   ? lq_refuse(
				 c, arg, "add format=raw: QEMU would guess it")
			   : VT_OK;
	c->next_unit = unit + 1;
	flash_found(c, unit, ro == 0);
	return VT_OK;
}

/* --- -machine ------------------------------------------------------------- */

static int
machine_key(struct lq_ctx *c, int arg, const struct qo_part *part)
{
	static const char *const loads[] = { "kernel", "initrd", "append",
		"dtb", "firmware", "dumpdtb" };
	char key[32];
	size_t i;

	for (i = 0; i < VT_NELEM(loads); i++)
		if (qo_key_is(part, loads[i])) {
			LQ_SAY(c, "-machine %s=... cannot be measured; use -%s",
			    loads[i],
			    strcmp(loads[i], "firmware") == 0 ? "bios"
							      : loads[i]);
			return VT_E_UNSUPPORTED;
		}
	if (part->key_len >= sizeof(key))
		return lq_refuse(c, arg, "a key is too long");
	(void)snprintf(key, sizeof(key), "%.*s", (int)part->key_len, part->key);
	if (json_object_get(c->machine, key) != NULL) {
		LQ_SAY(c, "-machine %s= is given twice: give it once", key);
		return VT_E_EXISTS;
	}
	return json_object_set_new(c->machine, key, json_true()) == 0
		   ? VT_OK
		   : VT_E_NOMEM;
}

int
lq_on_machine(struct lq_ctx *c, int arg)
{
	const char *v = c->argv[arg];
	struct qo_part part;
	size_t pos = 0;
	int rc;

	while (qo_next(v, &pos, "type", &part)) {
		if ((rc = machine_key(c, arg, &part)) != VT_OK)
			return rc;
		if (qo_key_is(&part, "type"))
			rc = qo_value(
			    v, &part, c->p->machine, sizeof(c->p->machine));
		else if (qo_key_is(&part, "pflash0"))
			rc = qo_value(
			    v, &part, c->pflash[0], sizeof(c->pflash[0]));
		else if (qo_key_is(&part, "pflash1"))
			rc = qo_value(
			    v, &part, c->pflash[1], sizeof(c->pflash[1]));
		if (rc != VT_OK)
			return lq_refuse(c, arg, "a value is too long");
	}
	return VT_OK;
}

/* --- -blockdev ------------------------------------------------------------ */

/* The -blockdev of that name; 0: there is none. */
static int
node_of(struct lq_ctx *c, const char *name)
{
	char s[128];
	int a;

	for (a = 1; a < c->argc; a++)
		if (c->opts[a] != NULL && a > 1 &&
		    c->opts[a - 1] == c->opts[a] &&
		    strcmp(c->opts[a]->name, "blockdev") == 0 &&
		    lq_get(c, a, "node-name", s, sizeof(s)) &&
		    strcmp(s, name) == 0)
			return a;
	return 0;
}

/* Only these keys, and in JSON, which is what management software writes. */
static bool
node_is(struct lq_ctx *c, int arg, const char *driver)
{
	static const char *const may[] = { "driver", "node-name", "read-only",
		"auto-read-only", "discard", "filename", "file", "cache",
		"detect-zeroes", "locking", "aio" };
	const char *key;
	json_t *v;
	char s[16];
	size_t i;

	if (c->p->json[arg] == NULL ||
	    !lq_get(c, arg, "driver", s, sizeof(s)) || strcmp(s, driver) != 0)
		return false;
	json_object_foreach(c->p->json[arg], key, v)
	{
		for (i = 0; i < VT_NELEM(may); i++)
			if (strcmp(key, may[i]) == 0)
				break;
		if (i == VT_NELEM(may))
			return false;
	}
	return true;
}

#define NODES                                                                  \
	"must be a node {\"driver\":\"raw\",\"file\":NODE} of -blockdev over " \
	"a node {\"driver\":\"file\",\"filename\":PATH}"

static int
find_node(struct lq_ctx *c, unsigned int unit)
{
	char file[128];
	int top = node_of(c, c->pflash[unit]), low;
	json_t *ro;
	int rc;

	if (top == 0 || !node_is(c, top, "raw") ||
	    !lq_get(c, top, "file", file, sizeof(file)) ||
	    (low = node_of(c, file)) == 0 || !node_is(c, low, "file")) {
		LQ_SAY(c, "-machine pflash%u=%.100s: " NODES, unit,
		    c->pflash[unit]);
		return VT_E_UNSUPPORTED;
	}
	if ((rc = lq_add_file(c, LR_FIRMWARE, low, "filename")) != VT_OK)
		return rc;
	ro = json_object_get(c->p->json[top], "read-only");
	flash_found(c, unit, !json_is_true(ro));
	return VT_OK;
}

int
lq_find_flash(struct lq_ctx *c)
{
	unsigned int i;
	int rc = VT_OK;

	for (i = 0; i < 2 && rc == VT_OK; i++)
		if (c->pflash[i][0] != '\0')
			rc = find_node(c, i);
	return rc;
}
