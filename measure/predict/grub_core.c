/* SPDX-License-Identifier: BSD-3-Clause */
/* grub_core.c - reads the list of objects in GRUB's EFI image. */
#include "measure/predict/grub_core.h"

#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"

#define MAGIC 0x676d696du /* "mimg" */

enum object { OBJ_CONFIG = 2, OBJ_PREFIX = 3 };

/* One object; its size counts its header. */
static void
object(struct rd *r, struct grub_core *c)
{
	uint32_t type = rd_le32(r), size = rd_le32(r);
	const char *text;
	size_t n;

	if (size < 8) {
		rd_fail(r, VT_E_FORMAT);
		return;
	}
	n = size - 8;
	if ((text = (const char *)rd_span(r, n)) == NULL)
		return;
	if (type == OBJ_CONFIG) {
		c->config = text;
		c->config_len = strnlen(text, n);
	} else if (type == OBJ_PREFIX) {
		c->prefix = text;
		c->prefix_len = strnlen(text, n);
	}
}

int
gcore_open(const struct pe *pe, struct grub_core *ret)
{
	const struct pe_section *s = pe_find(pe, "mods");
	struct grub_core c = { 0 };
	uint64_t off, size;
	struct rd r;

	if (s == NULL)
		return VT_E_NOTFOUND;
	rd_init(&r, pe->buf + s->raw, s->rawsize);
	if (rd_le32(&r) != MAGIC)
		return VT_E_NOTFOUND;
	(void)rd_le32(&r);
	off = rd_le64(&r);
	size = rd_le64(&r);
	if (rd_err(&r) != VT_OK || off > size || size > s->rawsize)
		return VT_E_FORMAT;
	c.mods = pe->buf + s->raw + off;
	c.mods_len = (size_t)(size - off);
	rd_init(&r, c.mods, c.mods_len);
	while (r.left > 0 && rd_err(&r) == VT_OK)
		object(&r, &c);
	if (rd_err(&r) != VT_OK)
		return rd_err(&r);
	*ret = c;
	return VT_OK;
}

int
gcore_release(const struct grub_core *core, enum grub_release *ret)
{
	/* The version is a string of its own: "2.06-13+deb12u1". */
	static const struct {
		char text[5];
		enum grub_release release;
	} known[] = { { "\0"
			"2.06",
			  GRUB_2_06 },
		{ "\0"
		  "2.12",
		    GRUB_2_12 } };
	size_t i;

	for (i = 0; i < VT_NELEM(known); i++)
		if (memmem(core->mods, core->mods_len, known[i].text,
			sizeof(known[i].text)) != NULL) {
			*ret = known[i].release;
			return VT_OK;
		}
	return VT_E_UNSUPPORTED;
}

bool
gcore_has_fw_path(const struct grub_core *core)
{
	static const char word[] = "\0"
				   "fw_path";

	return memmem(core->mods, core->mods_len, word, sizeof(word)) != NULL;
}
