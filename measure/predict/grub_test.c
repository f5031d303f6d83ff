/* SPDX-License-Identifier: BSD-3-Clause */
/* grub_test.c - evaluates test and [. */
#include "measure/predict/grub_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

struct test {
	struct grub_run *g;
	int n, at;
	char **v;
	unsigned int depth;
};

static bool either(struct test *t);

static const char *
peek(const struct test *t, int ahead)
{
	return t->at + ahead < t->n ? t->v[t->at + ahead] : "";
}

static bool
is_file_test(struct test *t, const char *op, const char *name, bool *ret)
{
	enum grub_found kind;
	uint8_t *buf = NULL;
	size_t len = 0;

	if (op[0] != '-' || op[1] == '\0' || op[2] != '\0' ||
	    strchr("defs", op[1]) == NULL)
		return false;
	kind = gr_kind(t->g, name);
	*ret = op[1] == 'd'   ? kind == GF_FOLDER
	       : op[1] == 'e' ? kind != GF_NONE
			      : kind == GF_FILE;
	if (op[1] == 's' && *ret) { /* -s opens it, so it is measured */
		*ret = gr_file(t->g, name, &buf, &len) == VT_OK && len > 0;
		free(buf);
	}
	return true;
}

/* a OP b: VT_OK and *ret, VT_E_NOTFOUND: no such operator. */
static int
compare(const char *a, const char *op, const char *b, bool *ret)
{
	static const char *const texts[] = { "=", "==", "!=", "<", "<=", ">",
		">=" };
	static const char *const numbers[] = { "-eq", "-eq", "-ne", "-lt",
		"-le", "-gt", "-ge" };
	long c = 0;
	size_t i;

	for (i = 0; i < VT_NELEM(texts); i++)
		if (strcmp(op, texts[i]) == 0) {
			c = strcmp(a, b);
			break;
		} else if (strcmp(op, numbers[i]) == 0) {
			long x = strtol(a, NULL, 0), y = strtol(b, NULL, 0);

			c = x < y ? -1 : x > y;
			break;
		}
	if (i == VT_NELEM(texts))
		return VT_E_NOTFOUND;
	*ret = i < 2    ? c == 0
	       : i == 2 ? c != 0
	       : i == 3 ? c < 0
	       : i == 4 ? c <= 0
	       : i == 5 ? c > 0
			: c >= 0;
	return VT_OK;
}

static bool
primary(struct test *t)
{
	bool r = false;

	if (t->at >= t->n)
		return false;
	if (t->n - t->at >= 3 &&
	    compare(peek(t, 0), peek(t, 1), peek(t, 2), &r) == VT_OK) {
		t->at += 3;
		return r;
	}
	if (t->n - t->at >= 3 && peek(t, 1)[0] == '-' &&
	    (strstr(peek(t, 1), "-pgt") == peek(t, 1) ||
		strstr(peek(t, 1), "-plt") == peek(t, 1) ||
		strcmp(peek(t, 1), "-nt") == 0 ||
		strcmp(peek(t, 1), "-ot") == 0)) {
		gr_stop(t->g, "test %s is not followed here", peek(t, 1));
		return false;
	}
	if (strcmp(peek(t, 0), "!") == 0) {
		t->at++;
		return t->depth++ < GS_MAX_DEPTH ? !primary(t) : false;
	}
	if (strcmp(peek(t, 0), "(") == 0) {
		t->at++;
		r = t->depth++ < GS_MAX_DEPTH && either(t);
		t->at += strcmp(peek(t, 0), ")") == 0;
		return r;
	}
	if (t->n - t->at >= 2 && is_file_test(t, peek(t, 0), peek(t, 1), &r)) {
		t->at += 2;
		return r;
	}
	if (t->n - t->at >= 2 &&
	    (strcmp(peek(t, 0), "-n") == 0 || strcmp(peek(t, 0), "-z") == 0)) {
		r = (peek(t, 1)[0] != '\0') == (peek(t, 0)[1] == 'n');
		t->at += 2;
		return r;
	}
	return t->v[t->at++][0] != '\0';
}

static bool
both(struct test *t)
{
	bool r = primary(t), x;

	while (strcmp(peek(t, 0), "-a") == 0) {
		t->at++;
		x = primary(t);
		r = r && x;
	}
	return r;
}

static bool
either(struct test *t)
{
	bool r = both(t), x;

	while (strcmp(peek(t, 0), "-o") == 0) {
		t->at++;
		x = both(t);
		r = r || x;
	}
	return r;
}

int
gt_run(struct grub_run *g, int argc, char **argv)
{
	struct test t = { .g = g, .n = argc - 1, .v = argv + 1 };
	bool r;

	if (strcmp(argv[0], "[") == 0) {
		if (t.n < 1 || strcmp(argv[argc - 1], "]") != 0) {
			gr_stop(g, "[ without ]");
			return 1;
		}
		t.n--;
	}
	r = either(&t);
	if (t.at < t.n)
		gr_stop(g, "test: \"%s\" is not followed here", t.v[t.at]);
	return r ? 0 : 1;
}
