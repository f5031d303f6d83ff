/* SPDX-License-Identifier: BSD-3-Clause */
/* config.c - the table of settings, and its reader. */
#include "vtpm_manager/core/config.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/util.h"

#define FILE_MAX 65536

enum kind { K_TEXT, K_NUM, K_BOOL, K_LOCALITIES, K_ANCHOR, K_PCRS };

/* clang-format off */
#define TEXT(k)		  { #k, K_TEXT, offsetof(struct config, k), \
			    0, sizeof(((struct config *)0)->k) }
#define NUM(k, min, max)  { #k, K_NUM, offsetof(struct config, k), min, max }
#define BOOL(k)		  { #k, K_BOOL, offsetof(struct config, k), 0, 0 }
#define LOCS(k)		  { #k, K_LOCALITIES, offsetof(struct config, k), 0, 0 }

static const struct key {
	const char	*name;
	enum kind	 kind;
	size_t		 off;
	uint64_t	 min, max; /* K_TEXT: max is the size of the array */
} keys[] = {
	TEXT(state),
	TEXT(run),
	TEXT(root),
	TEXT(zygote),
	TEXT(hwtpm),
	TEXT(host),
	TEXT(approval_key),
	TEXT(escrow),
	BOOL(recover),
	NUM(pool, 0, 256),
	NUM(ak_cert_days, 1, 3650),
	NUM(ak_cert_s, 0, 315360000),
	NUM(pool_max, 0, 256),
	NUM(pool_delay_ms, 0, 600000),
	NUM(worker_uid_base, 1000, 0xe0000000),
	TEXT(worker_cgroup),
	BOOL(user_mode),
	NUM(reserve_mb, 1, 65536),
	{ "anchor", K_ANCHOR, offsetof(struct config, anchor), 0,
	    sizeof(((struct config *)0)->anchor) },
	NUM(anchor_interval, 1, 86400),
	NUM(crash_limit, 1, 1000),
	NUM(crash_window_s, 1, 86400),
	NUM(backoff_ms, 1, 60000),
	NUM(request_timeout_ms, 100, 600000),
	NUM(deep_batch_max, 1, 4096),
	NUM(deep_wait_ms, 100, 600000),
	{ "deep_pcrs", K_PCRS, offsetof(struct config, deep_pcrs), 0, 0 },
	LOCS(local_localities),
	LOCS(swtpm_localities),
	LOCS(xen_localities),
	TEXT(xen),
	BOOL(xen_require_vtpm),
	BOOL(xen_require_launch),
	BOOL(bus),
	NUM(control_idle_s, 1, 86400),
	BOOL(metrics),
	TEXT(metrics_group),
	TEXT(control_group),
	TEXT(socket_group),
	TEXT(guest_owner),
	TEXT(admin_users),
	TEXT(admin_groups),
	TEXT(operator_users),
	TEXT(operator_groups),
	TEXT(reader_users),
	TEXT(reader_groups),
};
#undef TEXT
#undef NUM
#undef BOOL
#undef LOCS
/* clang-format on */

void
config_defaults(struct config *c)
{
	memset(c, 0, sizeof(*c));
	(void)snprintf(c->state, sizeof(c->state), "/var/lib/vtpm");
	(void)snprintf(c->run, sizeof(c->run), "/run/vtpm");
	(void)snprintf(c->root, sizeof(c->root), "soft");
	c->pool = 4;
	c->pool_max = 32;
	c->pool_delay_ms = 500;
	c->ak_cert_days = 30;
	c->worker_uid_base = 0x70000000;
	c->reserve_mb = 16;
	memcpy(c->anchor, "interval", sizeof("interval"));
	c->anchor_interval = 10;
	c->crash_limit = 5;
	c->crash_window_s = 60;
	c->backoff_ms = 100;
	c->request_timeout_ms = 30000;
	c->deep_batch_max = 4096;
	c->deep_wait_ms = 30000;
	c->control_idle_s = 600;
	c->metrics = true;
	c->local_localities = 1;
	c->swtpm_localities = 1;
	c->xen_localities = 1;
	memcpy(c->xen, "auto", sizeof("auto"));
}

static int
set_text(char *dst, size_t cap, const char *value, char *text)
{
	if (strlen(value) >= cap) {
		(void)snprintf(text, CFG_TEXT_MAX,
		    "is too long, at most %zu characters", cap - 1);
		return VT_E_RANGE;
	}
	memcpy(dst, value, strlen(value) + 1);
	return VT_OK;
}

static int
set_num(uint32_t *dst, const struct key *k, const char *value, char *text)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(value, &end, 0);
	if (!isdigit((unsigned char)value[0]) || *end != '\0') {
		(void)snprintf(
		    text, CFG_TEXT_MAX, "'%.64s' is not a number", value);
		return VT_E_FORMAT;
	}
	if (errno != 0 || v < k->min || v > k->max) {
		(void)snprintf(text, CFG_TEXT_MAX,
		    "'%.64s' is not in %llu..%llu", value,
		    (unsigned long long)k->min, (unsigned long long)k->max);
		return VT_E_RANGE;
	}
	*dst = (uint32_t)v;
	return VT_OK;
}

static int
set_bool(bool *dst, const char *value, char *text)
{
	if (strcmp(value, "yes") == 0)
		*dst = true;
	else if (strcmp(value, "no") == 0)
		*dst = false;
	else {
		(void)snprintf(
		    text, CFG_TEXT_MAX, "'%.64s' is neither yes nor no", value);
		return VT_E_FORMAT;
	}
	return VT_OK;
}

static int
set_anchor(char *dst, size_t cap, const char *value, char *text)
{
	static const char *const words[] = { "strict", "interval", "off" };
	size_t i;

	for (i = 0; i < VT_NELEM(words); i++)
		if (strcmp(words[i], value) == 0)
			return set_text(dst, cap, value, text);
	(void)snprintf(text, CFG_TEXT_MAX,
	    "'%.64s' is none of strict, interval, off", value);
	return VT_E_FORMAT;
}

/* "0,1,2" to a bit each; 4 belongs to the host's own D-RTM sequence. */
static int
set_localities(uint8_t *dst, const char *value, char *text)
{
	const char *p = value;
	uint8_t bits = 0;

	for (;;) {
		p += strspn(p, " ");
		if (*p < '0' || *p > '3')
			break;
		bits |= (uint8_t)(1u << (*p++ - '0'));
		p += strspn(p, " ");
		if (*p == '\0') {
			*dst = bits;
			return VT_OK;
		}
		if (*p++ != ',')
			break;
	}
	(void)snprintf(text, CFG_TEXT_MAX,
	    "'%.64s' is not a list of localities out of 0,1,2,3", value);
	return VT_E_FORMAT;
}

/* What an approval or a group's configuration may select, too. */
static int
set_pcrs(struct pcr_sel *dst, const char *value, char *text)
{
	struct pcr_sel sel = { .n = 0 };

	if (strcmp(value, "approved") == 0) {
		*dst = sel;
		return VT_OK;
	}
	if (pcr_sel_parse(value, &sel) != VT_OK || sel.n != 1 ||
	    sel.banks[0].mask == 0) {
		(void)snprintf(text, CFG_TEXT_MAX,
		    "'%.64s' is neither `approved' nor PCRs of one bank, as "
		    "sha256:0-7",
		    value);
		return VT_E_FORMAT;
	}
	if (sel.banks[0].alg == ALG_SHA1) {
		(void)snprintf(text, CFG_TEXT_MAX,
		    "SHA-1 proves nothing: use sha256 or better");
		return VT_E_POLICY;
	}
	*dst = sel;
	return VT_OK;
}

int
config_set(struct config *c, const char *key, const char *value, char *text)
{
	char why[CFG_TEXT_MAX] = "";
	const struct key *k = NULL;
	size_t i;
	void *dst;
	int rc = VT_E_NOTFOUND;

	for (i = 0; i < VT_NELEM(keys); i++)
		if (strcmp(keys[i].name, key) == 0)
			k = &keys[i];
	if (k == NULL) {
		(void)snprintf(
		    text, CFG_TEXT_MAX, "there is no key '%.64s'", key);
		return VT_E_NOTFOUND;
	}
	dst = (char *)c + k->off;
	switch (k->kind) {
	case K_TEXT:
		rc = set_text(dst, (size_t)k->max, value, why);
		break;
	case K_NUM:
		rc = set_num(dst, k, value, why);
		break;
	case K_BOOL:
		rc = set_bool(dst, value, why);
		break;
	case K_ANCHOR:
		rc = set_anchor(dst, (size_t)k->max, value, why);
		break;
	case K_LOCALITIES:
		rc = set_localities(dst, value, why);
		break;
	case K_PCRS:
		rc = set_pcrs(dst, value, why);
		break;
	}
	if (rc != VT_OK)
		(void)snprintf(text, CFG_TEXT_MAX, "%s: %.400s", k->name, why);
	return rc;
}

/* Cut comment and white space at both ends, in place. */
static char *
trim(char *s)
{
	char *p, *end;

	for (p = s; *p != '\0'; p++)
		if (*p == '#' && (p == s || isspace((unsigned char)p[-1]))) {
			*p = '\0';
			break;
		}
	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

static int
parse_line(struct config *c, char *line, char *text)
{
	char *eq;

	line = trim(line);
	if (line[0] == '\0')
		return VT_OK;
	if ((eq = strchr(line, '=')) == NULL || eq == line) {
		(void)snprintf(text, CFG_TEXT_MAX,
		    "'%.64s' is not of the form key = value", line);
		return VT_E_FORMAT;
	}
	*eq = '\0';
	return config_set(c, trim(line), trim(eq + 1), text);
}

int
config_parse(
    struct config *c, const char *name, const char *buf, size_t len, char *text)
{
	char line[1024], why[CFG_TEXT_MAX] = "";
	unsigned int no = 1;
	const char *nl;
	size_t n;
	int rc;

	for (; len > 0; no++) {
		nl = memchr(buf, '\n', len);
		n = nl != NULL ? (size_t)(nl - buf) : len;
		if (n >= sizeof(line) || memchr(buf, '\0', n) != NULL) {
			(void)snprintf(why, sizeof(why),
			    n >= sizeof(line) ? "line is too long"
					      : "line has a NUL in it");
			rc = VT_E_FORMAT;
		} else {
			memcpy(line, buf, n);
			line[n] = '\0';
			rc = parse_line(c, line, why);
		}
		if (rc != VT_OK) {
			(void)snprintf(text, CFG_TEXT_MAX, "%.100s:%u: %.380s",
			    name, no, why);
			return rc;
		}
		n += nl != NULL;
		buf += n;
		len -= n;
	}
	return VT_OK;
}

int
config_read(struct config *c, const char *path, char *text)
{
	uint8_t *buf;
	size_t len;
	int rc;

	if ((rc = read_file(path, FILE_MAX, &buf, &len)) != VT_OK) {
		(void)snprintf(
		    text, CFG_TEXT_MAX, "%.300s: %s", path, vt_strerror(rc));
		return rc;
	}
	rc = config_parse(c, path, (const char *)buf, len, text);
	free(buf);
	return rc;
}

const char *
config_key(size_t i)
{
	return i < VT_NELEM(keys) ? keys[i].name : NULL;
}

/* Separated by commas, as config_list_has() reads them. */
static bool
one_missing(const char *list, bool group, char name[CFG_LIST_MAX])
{
	size_t n;

	for (;; list += n) {
		list += strspn(list, ", \t");
		if ((n = strcspn(list, ", \t")) == 0)
			return false;
		memcpy(name, list, n);
		name[n] = '\0';
		if (group ? getgrnam(name) == NULL : getpwnam(name) == NULL)
			return true;
	}
}

int
config_check_groups(const struct config *c, char *text)
{
	const struct {
		const char *key, *name;
	} groups[] = {
		{ "control_group", c->control_group },
		{ "socket_group", c->socket_group },
		{ "metrics_group", c->metrics_group },
	};
	size_t i;

	for (i = 0; i < VT_NELEM(groups); i++)
		if (groups[i].name[0] != '\0' &&
		    getgrnam(groups[i].name) == NULL) {
			(void)snprintf(text, CFG_TEXT_MAX,
			    "%s: there is no group '%.64s': make it "
			    "(groupadd(8)), or name another one in "
			    "vtpm-managerd.conf(5)",
			    groups[i].key, groups[i].name);
			return VT_E_NOTFOUND;
		}
	return VT_OK;
}

int
config_check(const struct config *c, char *text)
{
	const struct {
		const char *key, *names;
		bool group;
	} lists[] = {
		{ "admin_groups", c->admin_groups, true },
		{ "operator_groups", c->operator_groups, true },
		{ "reader_groups", c->reader_groups, true },
		{ "guest_owner", c->guest_owner, false },
		{ "admin_users", c->admin_users, false },
		{ "operator_users", c->operator_users, false },
		{ "reader_users", c->reader_users, false },
	};
	const struct {
		const char *key, *path;
		int mode;
	} files[] = {
		{ "zygote", c->zygote, X_OK },
		{ "hwtpm", c->hwtpm, X_OK },
		{ "approval_key", c->approval_key, R_OK },
	};
	char name[CFG_LIST_MAX];
	size_t i;

	if (config_check_groups(c, text) != VT_OK)
		return VT_E_NOTFOUND;
	for (i = 0; i < VT_NELEM(lists); i++)
		if (one_missing(lists[i].names, lists[i].group, name)) {
			(void)snprintf(text, CFG_TEXT_MAX,
			    "%s: there is no %s '%.64s'", lists[i].key,
			    lists[i].group ? "group" : "user", name);
			return VT_E_NOTFOUND;
		}
	for (i = 0; i < VT_NELEM(files); i++)
		if (files[i].path[0] != '\0' &&
		    access(files[i].path, files[i].mode) == -1) {
			(void)snprintf(text, CFG_TEXT_MAX, "%s: %.300s: %s",
			    files[i].key, files[i].path, strerror(errno));
			return VT_E_NOTFOUND;
		}
	return VT_OK;
}

bool
config_list_has(const char *list, const char *word)
{
	size_t n = strlen(word), m;

	while (*list != '\0') {
		list += strspn(list, ", \t");
		m = strcspn(list, ", \t");
		if (m == n && m > 0 && memcmp(list, word, n) == 0)
			return true;
		list += m;
	}
	return false;
}

void
config_host_name(const struct config *c, char *out, size_t cap)
{
	(void)snprintf(out, cap, "%s", c->host);
	if (out[0] == '\0' && gethostname(out, cap - 1) == -1)
		(void)snprintf(out, cap, "localhost");
	out[cap - 1] = '\0';
}
