/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy_merge.c - the union of two policies, PCR by PCR.  Lists of events are
 * aligned by their longest common subsequence.
 */
#include "measure/appraise/policy_merge.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int VT_PRINTF(3, 4) bad(char *err, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err, POLICY_ERR_MAX, fmt, ap);
	va_end(ap);
	return rc;
}

/* --- digests ----------------------------------------------------------------
 */

/* The hex of a digest, which is text or an object. */
static const char *
hex_of(const json_t *d)
{
	const char *s = json_string_value(d);

	return s != NULL ? s : json_string_value(json_object_get(d, "digest"));
}

static bool
has_digest(const json_t *list, const json_t *d)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (strcmp(hex_of(json_array_get(list, i)), hex_of(d)) == 0)
			return true;
	return false;
}

/* Add to list what it does not have; list may be NULL if from is, too. */
static void
add_digests(json_t *list, const json_t *from)
{
	size_t i;

	for (i = 0; i < json_array_size(from); i++)
		if (!has_digest(list, json_array_get(from, i)))
			(void)json_array_append(list, json_array_get(from, i));
}

/* --- lists of events --------------------------------------------------------
 */

/* The alternatives of a step, as a new list. */
static json_t *
alternatives(const json_t *step)
{
	const json_t *any = json_object_get(step, "any");
	json_t *list = json_array(), *d;
	const char *what;

	if (any != NULL) {
		add_digests(list, any);
		return list;
	}
	d = json_pack("{s:s}", "digest", hex_of(step));
	what = json_string_value(json_object_get(step, "what"));
	if (what != NULL)
		(void)json_object_set_new(d, "what", json_string(what));
	(void)json_array_append_new(list, d);
	return list;
}

static bool
same_step(const json_t *a, const json_t *b)
{
	json_t *x = alternatives(a), *y = alternatives(b);
	bool same = false;
	size_t i;

	for (i = 0; i < json_array_size(y) && !same; i++)
		same = has_digest(x, json_array_get(y, i));
	json_decref(x);
	json_decref(y);
	return same;
}

/* A step that takes what a takes or b (NULL: nothing) takes. */
static json_t *
join(const json_t *a, const json_t *b)
{
	bool optional = b == NULL ||
			json_is_true(json_object_get(a, "optional")) ||
			json_is_true(json_object_get(b, "optional"));
	json_t *list = alternatives(a), *more, *step;

	if (b != NULL) {
		more = alternatives(b);
		add_digests(list, more);
		json_decref(more);
	}
	if (json_array_size(list) == 1)
		step = json_deep_copy(json_array_get(list, 0));
	else
		step = json_pack("{s:O}", "any", list);
	if (optional)
		(void)json_object_set_new(step, "optional", json_true());
	json_decref(list);
	return step;
}

/* len[i][j]: the longest common subsequence of a from i on and b from j on. */
struct align {
	const json_t *a, *b;
	size_t na, nb;
	uint16_t *len;
};

static uint16_t *
cell(const struct align *al, size_t i, size_t j)
{
	return &al->len[i * (al->nb + 1) + j];
}

static bool
fill(struct align *al)
{
	size_t i, j;

	al->len = calloc((al->na + 1) * (al->nb + 1), sizeof(*al->len));
	if (al->len == NULL)
		return false;
	for (i = al->na; i-- > 0;)
		for (j = al->nb; j-- > 0;) {
			uint16_t down = *cell(al, i + 1, j);
			uint16_t right = *cell(al, i, j + 1);

			*cell(al, i, j) = down > right ? down : right;
			if (same_step(json_array_get(al->a, i),
				json_array_get(al->b, j)))
				*cell(al, i, j) =
				    (uint16_t)(*cell(al, i + 1, j + 1) + 1);
		}
	return true;
}

/* Steps of a and b between two that they share: pairs, then what is left. */
static void
put_gap(const struct align *al, json_t *out, size_t i, size_t iend, size_t j,
    size_t jend)
{
	for (; i < iend && j < jend; i++, j++)
		(void)json_array_append_new(out,
		    join(json_array_get(al->a, i), json_array_get(al->b, j)));
	for (; i < iend; i++)
		(void)json_array_append_new(
		    out, join(json_array_get(al->a, i), NULL));
	for (; j < jend; j++)
		(void)json_array_append_new(
		    out, join(json_array_get(al->b, j), NULL));
}

static json_t *
merge_events(const json_t *a, const json_t *b)
{
	struct align al = { .a = a,
		.b = b,
		.na = json_array_size(a),
		.nb = json_array_size(b) };
	size_t i = 0, j = 0, from_i = 0, from_j = 0;
	json_t *out = json_array();

	if (!fill(&al)) {
		json_decref(out);
		return NULL;
	}
	while (i < al.na && j < al.nb) {
		if (same_step(json_array_get(a, i), json_array_get(b, j))) {
			put_gap(&al, out, from_i, i, from_j, j);
			put_gap(&al, out, i, i + 1, j, j + 1);
			from_i = ++i;
			from_j = ++j;
		} else if (*cell(&al, i + 1, j) >= *cell(&al, i, j + 1)) {
			i++;
		} else {
			j++;
		}
	}
	put_gap(&al, out, from_i, al.na, from_j, al.nb);
	free(al.len);
	return out;
}

/* --- rules ------------------------------------------------------------------
 */

static int
merge_rule(const char *pcr, json_t *a, const json_t *b, char *err)
{
	static const char *const kinds[] = { "values", "events", "ignore",
		"launch" };
	const json_t *x, *y;
	json_t *list;
	size_t k;

	for (k = 0; k < 4; k++) {
		x = json_object_get(a, kinds[k]);
		y = json_object_get(b, kinds[k]);
		if ((x == NULL) != (y == NULL))
			return bad(err, VT_E_POLICY,
			    "PCR %s: the boots have different rules for it "
			    "(one extends it or quotes it, another does not); "
			    "make a policy of each, or fix it with --values",
			    pcr);
		if (x == NULL || k >= 2)
			continue;
		if (k == 0) {
			add_digests(json_object_get(a, "values"), y);
			continue;
		}
		if ((list = merge_events(x, y)) == NULL)
			return bad(err, VT_E_NOMEM, "out of memory");
		(void)json_object_set_new(a, "events", list);
	}
	return VT_OK;
}

static int
merge_bank(const char *name, json_t *a, const json_t *b, char *err)
{
	const char *pcr;
	char key[4];
	int n, rc;

	if (a == NULL || b == NULL)
		return bad(err, VT_E_POLICY,
		    "the boots have no bank in common: one of them lacks %s",
		    name);
	for (n = 0; n < 24; n++) {
		(void)snprintf(key, sizeof(key), "%d", n);
		pcr = key;
		if (json_object_get(a, pcr) == NULL &&
		    json_object_get(b, pcr) == NULL)
			continue;
		if (json_object_get(a, pcr) == NULL ||
		    json_object_get(b, pcr) == NULL)
			return bad(err, VT_E_POLICY,
			    "PCR %s is extended in one of the boots only: make "
			    "a policy of each",
			    pcr);
		rc = merge_rule(
		    pcr, json_object_get(a, pcr), json_object_get(b, pcr), err);
		if (rc != VT_OK)
			return rc;
	}
	return VT_OK;
}

/* --- the rest of a policy ---------------------------------------------------
 */

/* Required is what all boots have. */
static void
merge_require(json_t *a, const json_t *b)
{
	const char *key;
	json_t *v;

	json_object_foreach(a, key, v)
	{
		if (json_is_true(v) && !json_is_true(json_object_get(b, key)))
			(void)json_object_set_new(a, key, json_false());
	}
}

static int
merge_launch(json_t *a, const json_t *b, char *err)
{
	json_t *x = json_object_get(a, "launch");
	const json_t *y = json_object_get(b, "launch");

	if ((x == NULL) != (y == NULL))
		return bad(err, VT_E_POLICY,
		    "the host measured the launch of some of the boots only: "
		    "make a policy of each");
	if (x != NULL)
		add_digests(json_object_get(x, "configs"),
		    json_object_get(y, "configs"));
	return VT_OK;
}

static int
merge_initrd(json_t *a, const json_t *b, char *err)
{
	json_t *x = json_object_get(a, "initrd");
	const json_t *y = json_object_get(b, "initrd");

	if ((x == NULL) != (y == NULL))
		return bad(err, VT_E_POLICY,
		    "only some of the boots measure an initrd: make a policy "
		    "of each");
	if (x != NULL)
		add_digests(x, y);
	return VT_OK;
}

int
policy_merge(json_t *a, const json_t *b, char err[POLICY_ERR_MAX])
{
	json_t *banks = json_object_get(a, "banks"), *bank;
	const char *name;
	int rc;

	err[0] = '\0';
	merge_require(
	    json_object_get(a, "require"), json_object_get(b, "require"));
	if ((rc = merge_launch(a, b, err)) != VT_OK ||
	    (rc = merge_initrd(a, b, err)) != VT_OK)
		return rc;
	json_object_foreach(banks, name, bank)
	{
		rc = merge_bank(name, bank,
		    json_object_get(json_object_get(b, "banks"), name), err);
		if (rc != VT_OK)
			return rc;
	}
	return VT_OK;
}
