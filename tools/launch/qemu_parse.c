/* SPDX-License-Identifier: BSD-3-Clause */
/* qemu_parse.c - what the readers of QEMU's options share. */
#include "tools/launch/qemu_parse.h"

#include <stdio.h>
#include <string.h>

#include "tools/launch/qemu_opts.h"

bool
lq_site_has(const struct lq_ctx *c, const char *kind, const char *name)
{
	const char *s = c->site;
	size_t nk = strlen(kind), nn = strlen(name), n;

	for (; s != NULL && *s != '\0'; s += n + (s[n] == '\n' ? 1 : 0)) {
		n = strcspn(s, "\n");
		if (n == nk + 1 + nn && strncmp(s, kind, nk) == 0 &&
		    s[nk] == ' ' && strncmp(s + nk + 1, name, nn) == 0)
			return true;
	}
	return false;
}

int
lq_refuse(struct lq_ctx *c, int arg, const char *why)
{
	LQ_SAY(c, "%s %.150s: %s", c->argv[arg - 1], c->argv[arg], why);
	return VT_E_UNSUPPORTED;
}

const char *
lq_implied(const struct lq_ctx *c, int arg)
{
	return c->opts[arg] != NULL ? c->opts[arg]->implied : NULL;
}

bool
lq_has(const struct lq_ctx *c, int arg, const char *key)
{
	struct qo_part part;

	return c->p->json[arg] != NULL
		   ? json_object_get(c->p->json[arg], key) != NULL
		   : qo_find(c->argv[arg], lq_implied(c, arg), key, &part);
}

bool
lq_get(const struct lq_ctx *c, int arg, const char *key, char *out, size_t cap)
{
	const json_t *j = c->p->json[arg];
	const char *s = json_string_value(json_object_get(j, key));
	struct qo_part part;

	if (j != NULL)
		return s != NULL && strlen(s) < cap &&
		       snprintf(out, cap, "%s", s) >= 0;
	return qo_find(c->argv[arg], lq_implied(c, arg), key, &part) &&
	       qo_value(c->argv[arg], &part, out, cap) == VT_OK;
}

static int
path_of(struct lq_ctx *c, struct lq_file *f)
{
	const char *v = c->argv[f->arg], *s;
	struct qo_part part;

	if (f->json != NULL) {
		s = json_string_value(json_object_get(f->json, f->key));
		f->len = s != NULL ? strlen(s) : sizeof(f->path);
	} else if (f->key != NULL) {
		if (!qo_find(v, lq_implied(c, f->arg), f->key, &part) ||
		    part.flag)
			return VT_E_FORMAT;
		f->at = part.at;
		f->len = part.len;
		return qo_value(v, &part, f->path, sizeof(f->path));
	} else {
		f->len = strlen(s = v);
	}
	if (f->len >= sizeof(f->path))
		return VT_E_RANGE;
	memcpy(f->path, s, f->len + 1);
	return VT_OK;
}

int
lq_add_file(struct lq_ctx *c, uint8_t role, int arg, const char *key)
{
	struct lq_file *f;
	int rc;

	if (c->p->nfiles == LQ_FILES_MAX) {
		LQ_SAY(c, "more than %d files are loaded", LQ_FILES_MAX);
		return VT_E_RANGE;
	}
	f = &c->p->files[c->p->nfiles++];
	memset(f, 0, sizeof(*f));
	f->role = role;
	f->arg = arg;
	f->key = key;
	f->json = c->p->json[arg];
	rc = path_of(c, f);
	if (rc == VT_OK && f->path[0] == '\0')
		rc = VT_E_FORMAT;
	if (rc != VT_OK)
		LQ_SAY(c, "no usable file in '%.200s'", c->argv[arg]);
	return rc;
}
