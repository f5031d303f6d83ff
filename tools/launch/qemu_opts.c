/* SPDX-License-Identifier: BSD-3-Clause */
/* qemu_opts.c - splits an option's value as QEMU does. */
#include "tools/launch/qemu_opts.h"

#include <string.h>

/* The length of the value at s: to the first comma that has no second. */
static size_t
value_len(const char *s)
{
	size_t i = 0;

	while (s[i] != '\0') {
		if (s[i] == ',' && s[i + 1] != ',')
			break;
		i += s[i] == ',' ? 2 : 1;
	}
	return i;
}

bool
qo_next(const char *text, size_t *pos, const char *implied, struct qo_part *ret)
{
	const char *s = text + *pos;
	size_t n = strcspn(s, "=,");

	if (*s == '\0')
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->key = s;
	ret->key_len = n;
	ret->at = *pos;
	if (s[n] == '=') {
		ret->at += n + 1;
	} else if (*pos == 0 && implied != NULL) {
		ret->key = implied;
		ret->key_len = strlen(implied);
	} else {
		ret->flag = true;
		ret->len = n;
		if (n >= 2 && strncmp(s, "no", 2) == 0) { /* KEY=off */
			ret->key += 2;
			ret->key_len -= 2;
		}
		*pos += n + (s[n] == ',' ? 1 : 0);
		return true;
	}
	ret->len = value_len(text + ret->at);
	*pos = ret->at + ret->len;
	if (text[*pos] == ',')
		(*pos)++;
	return true;
}

bool
qo_key_is(const struct qo_part *p, const char *key)
{
	return strlen(key) == p->key_len &&
	       memcmp(p->key, key, p->key_len) == 0;
}

bool
qo_find(
    const char *text, const char *implied, const char *key, struct qo_part *ret)
{
	size_t pos = 0;

	while (qo_next(text, &pos, implied, ret))
		if (qo_key_is(ret, key))
			return true;
	return false;
}

bool
qo_twice(const char *text, const char *implied, const char *list)
{
	size_t pos = 0, pos2;
	struct qo_part a, b;

	while (qo_next(text, &pos, implied, &a)) {
		if (list != NULL && qo_key_is(&a, list))
			continue;
		for (pos2 = pos; qo_next(text, &pos2, NULL, &b);)
			if (a.key_len == b.key_len &&
			    memcmp(a.key, b.key, a.key_len) == 0)
				return true;
	}
	return false;
}

int
qo_value(const char *text, const struct qo_part *p, char *out, size_t cap)
{
	size_t i, n = 0;

	for (i = p->at; i < p->at + p->len; i++) {
		if (n + 1 >= cap)
			return VT_E_RANGE;
		out[n++] = text[i];
		i += text[i] == ',' ? 1 : 0; /* ",," */
	}
	out[n] = '\0';
	return VT_OK;
}
