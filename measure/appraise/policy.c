/* SPDX-License-Identifier: BSD-3-Clause */
/* policy.c - parse a policy, strictly. */
#include "measure/appraise/policy.h"

#include <jansson.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/util.h"
#include "measure/log/launch_record.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"

#define FORMAT_NAME "vtpm-policy 1"

/* The first complaint stays; every later one is its consequence. */
struct ctx {
	int rc;
	char *err; /* POLICY_ERR_MAX bytes */
};

static void VT_PRINTF(3, 4) fail(struct ctx *c, int rc, const char *fmt, ...)
{
	va_list ap;

	if (c->rc != VT_OK)
		return;
	c->rc = rc;
	va_start(ap, fmt);
	(void)vsnprintf(c->err, POLICY_ERR_MAX, fmt, ap);
	va_end(ap);
}

/* --- small pieces --------------------------------------------------------- */

/* An unknown key could be one that forbids something. */
static void
check_keys(
    struct ctx *c, const char *where, json_t *obj, const char *const *known)
{
	const char *key;
	void *it;
	size_t i;

	if (!json_is_object(obj)) {
		fail(c, VT_E_FORMAT, "%s is not an object", where);
		return;
	}
	for (it = json_object_iter(obj); it != NULL;
	     it = json_object_iter_next(obj, it)) {
		key = json_object_iter_key(it);
		for (i = 0; known[i] != NULL; i++)
			if (strcmp(known[i], key) == 0)
				break;
		if (known[i] == NULL)
			fail(c, VT_E_FORMAT, "%s: unknown key \"%s\"", where,
			    key);
	}
}

static bool
get_bool(struct ctx *c, const char *where, json_t *obj, const char *key)
{
	json_t *v = json_object_get(obj, key);

	if (v != NULL && !json_is_boolean(v))
		fail(c, VT_E_FORMAT, "%s: \"%s\" is not true or false", where,
		    key);
	return json_is_true(v);
}

/* Text that must not be blank; *ret is NULL if the key is absent. */
static void
get_reason(
    struct ctx *c, const char *where, json_t *obj, const char *key, char **ret)
{
	json_t *v = json_object_get(obj, key);
	const char *s = json_string_value(v);

	if (v == NULL)
		return;
	if (s == NULL || strspn(s, " \t\n") == strlen(s)) {
		fail(c, VT_E_POLICY, "%s: \"%s\" needs a reason", where, key);
		return;
	}
	if (strlen(s) > POLICY_MAX_TEXT)
		fail(c, VT_E_RANGE, "%s: \"%s\" is too long", where, key);
	else if ((*ret = strdup(s)) == NULL)
		fail(c, VT_E_NOMEM, "out of memory");
}

static void
get_hex(struct ctx *c, const char *where, const char *text, uint8_t *out,
    size_t want)
{
	uint8_t buf[DIGEST_MAX];
	size_t len = 0;

	if (text == NULL || hex_decode(text, buf, sizeof(buf), &len) != VT_OK ||
	    len != want) {
		fail(c, VT_E_FORMAT, "%s: \"%.80s\" is not %zu hex digits",
		    where, text != NULL ? text : "(no text)", 2 * want);
		return;
	}
	memcpy(out, buf, len);
}

/* "HEX" or {"digest": "HEX", "what": "..."}; step: with its two keys, too. */
static void
get_digest(struct ctx *c, const char *where, json_t *v, size_t len, bool step,
    struct pol_digest *ret)
{
	static const char *const keys[] = { "digest", "what", NULL };
	static const char *const step_keys[] = { "digest", "what", "optional",
		"repeat", NULL };
	const char *what = "";

	if (json_is_string(v)) {
		get_hex(c, where, json_string_value(v), ret->val, len);
	} else {
		check_keys(c, where, v, step ? step_keys : keys);
		get_hex(c, where,
		    json_string_value(json_object_get(v, "digest")), ret->val,
		    len);
		if (json_object_get(v, "what") != NULL &&
		    (what = json_string_value(json_object_get(v, "what"))) ==
			NULL)
			fail(c, VT_E_FORMAT, "%s: \"what\" is not text", where);
	}
	if (what == NULL || strlen(what) > POLICY_MAX_TEXT) {
		fail(c, VT_E_RANGE, "%s: \"what\" is too long", where);
		what = "";
	}
	if ((ret->what = strdup(what)) == NULL)
		fail(c, VT_E_NOMEM, "out of memory");
}

static void *
get_array(struct ctx *c, const char *where, json_t *v, size_t max, size_t size,
    uint32_t *ret_n)
{
	size_t n = json_array_size(v);
	void *p;

	*ret_n = 0;
	if (!json_is_array(v)) {
		fail(c, VT_E_FORMAT, "%s is not a list", where);
		return NULL;
	}
	if (n == 0) {
		fail(c, VT_E_POLICY,
		    "%s is an empty reference: it would accept nothing or "
		    "everything, so list what is allowed",
		    where);
		return NULL;
	}
	if (n > max) {
		fail(c, VT_E_RANGE, "%s has more than %zu entries", where, max);
		return NULL;
	}
	if ((p = calloc(n, size)) == NULL)
		fail(c, VT_E_NOMEM, "out of memory");
	else
		*ret_n = (uint32_t)n;
	return p;
}

static struct pol_digest *
get_digests(
    struct ctx *c, const char *where, json_t *v, size_t len, uint32_t *ret_n)
{
	struct pol_digest *d;
	uint32_t i;

	d = get_array(c, where, v, POLICY_MAX_ALTS, sizeof(*d), ret_n);
	for (i = 0; d != NULL && i < *ret_n; i++)
		get_digest(c, where, json_array_get(v, i), len, false, &d[i]);
	return d;
}

static void
free_digests(struct pol_digest *d, uint32_t n)
{
	uint32_t i;

	for (i = 0; d != NULL && i < n; i++)
		free(d[i].what);
	free(d);
}

/* --- rules of one PCR ----------------------------------------------------- */

static void
get_step(struct ctx *c, const char *where, json_t *v, size_t len,
    struct pol_step *ret)
{
	static const char *const keys[] = { "any", "optional", "repeat", NULL };
	json_t *any = json_object_get(v, "any");

	ret->optional = get_bool(c, where, v, "optional");
	ret->repeat = get_bool(c, where, v, "repeat");
	if (any != NULL) {
		check_keys(c, where, v, keys);
		ret->alts = get_digests(c, where, any, len, &ret->nalts);
		return;
	}
	if ((ret->alts = calloc(1, sizeof(*ret->alts))) == NULL) {
		fail(c, VT_E_NOMEM, "out of memory");
		return;
	}
	ret->nalts = 1;
	get_digest(c, where, v, len, true, &ret->alts[0]);
}

static void
get_unknown(struct ctx *c, const char *where, json_t *v, struct pol_pcr *ret)
{
	static const char *const keys[] = { "after", "anywhere", NULL };
	const char *s = json_string_value(v);

	if (v == NULL || (s != NULL && strcmp(s, "refuse") == 0))
		return;
	if (!json_is_object(v) || json_object_size(v) != 1) {
		fail(c, VT_E_FORMAT,
		    "%s: \"unknown\" is \"refuse\", {\"after\": REASON} or "
		    "{\"anywhere\": REASON}",
		    where);
		return;
	}
	check_keys(c, where, v, keys);
	get_reason(c, where, v, "after", &ret->reason);
	if (ret->reason != NULL) {
		ret->unknown = POL_U_AFTER;
		return;
	}
	get_reason(c, where, v, "anywhere", &ret->reason);
	ret->unknown = POL_U_ALLOW;
}

static void
get_events(struct ctx *c, const char *where, json_t *v, size_t len,
    struct pol_pcr *ret)
{
	bool all_optional = true;
	char place[96];
	uint32_t i;

	ret->kind = POL_EVENTS;
	ret->steps = get_array(
	    c, where, v, POLICY_MAX_STEPS, sizeof(*ret->steps), &ret->nsteps);
	for (i = 0; i < ret->nsteps; i++) {
		(void)snprintf(
		    place, sizeof(place), "%s event %u", where, i + 1);
		get_step(c, place, json_array_get(v, i), len, &ret->steps[i]);
		all_optional = all_optional && ret->steps[i].optional;
	}
	if (all_optional)
		fail(c, VT_E_POLICY,
		    "%s: every event is optional, so it would accept a boot "
		    "that measures nothing",
		    where);
}

static void
get_values(struct ctx *c, const char *where, json_t *v, size_t len,
    struct pol_pcr *ret)
{
	uint32_t i;

	ret->kind = POL_VALUES;
	ret->values = get_digests(c, where, v, len, &ret->nvalues);
	for (i = 0; i < ret->nvalues; i++)
		if (pcr_is_extreme(ret->values[i].val, len))
			fail(c, VT_E_POLICY,
			    "%s: a value of all 00 or all FF is a PCR that was "
			    "never extended: leave the PCR out instead",
			    where);
}

static void
get_pcr(struct ctx *c, const char *where, json_t *v, size_t len,
    struct pol_pcr *ret)
{
	static const char *const keys[] = { "values", "events", "unknown",
		"ignore", "launch", NULL };
	json_t *values = json_object_get(v, "values");
	json_t *events = json_object_get(v, "events");
	int rules;

	check_keys(c, where, v, keys);
	rules = (values != NULL) + (events != NULL) +
		(json_object_get(v, "ignore") != NULL) +
		(json_object_get(v, "launch") != NULL);
	if (rules != 1) {
		fail(c, VT_E_FORMAT,
		    "%s: give one of \"values\", \"events\", \"ignore\", "
		    "\"launch\"",
		    where);
		return;
	}
	if (events != NULL) {
		get_unknown(c, where, json_object_get(v, "unknown"), ret);
		get_events(c, where, events, len, ret);
		return;
	}
	if (json_object_get(v, "unknown") != NULL)
		fail(c, VT_E_FORMAT, "%s: \"unknown\" goes with \"events\"",
		    where);
	if (values != NULL) {
		get_values(c, where, values, len, ret);
	} else if (get_bool(c, where, v, "launch")) {
		ret->kind = POL_LAUNCH;
	} else {
		get_reason(c, where, v, "ignore", &ret->reason);
		ret->kind = POL_IGNORE;
		if (ret->reason == NULL)
			fail(c, VT_E_FORMAT, "%s: \"launch\" can only be true",
			    where);
	}
}

/* --- banks ---------------------------------------------------------------- */

static int
pcr_number(const char *key)
{
	size_t len = strlen(key);

	if (len == 1 && key[0] >= '0' && key[0] <= '9')
		return key[0] - '0';
	if (len == 2 && (key[0] == '1' || key[0] == '2') && key[1] >= '0' &&
	    key[1] <= '9' && 10 * (key[0] - '0') + key[1] - '0' < PCR_COUNT)
		return 10 * (key[0] - '0') + key[1] - '0';
	return -1;
}

static void
get_bank(struct ctx *c, const char *name, json_t *v, struct pol_bank *ret)
{
	uint32_t judged = 0;
	const char *key;
	char where[64];
	json_t *value;
	void *it;
	int n;

	ret->alg = digest_alg(name);
	ret->len = (uint16_t)digest_len(ret->alg);
	if (ret->len == 0 || !json_is_object(v)) {
		fail(c, VT_E_FORMAT, "banks: \"%s\" is not a bank", name);
		return;
	}
	for (it = json_object_iter(v); it != NULL;
	     it = json_object_iter_next(v, it)) {
		key = json_object_iter_key(it);
		value = json_object_iter_value(it);
		if ((n = pcr_number(key)) < 0) {
			fail(c, VT_E_FORMAT, "bank %s: \"%s\" is not a PCR",
			    name, key);
			return;
		}
		(void)snprintf(where, sizeof(where), "%s PCR %d", name, n);
		get_pcr(c, where, value, ret->len, &ret->pcrs[n]);
		if (ret->pcrs[n].kind == POL_LAUNCH && n != PCR_DRTM)
			fail(c, VT_E_FORMAT,
			    "%s: \"launch\" is for PCR 17 only", where);
		judged += ret->pcrs[n].kind == POL_VALUES ||
			  ret->pcrs[n].kind == POL_EVENTS;
	}
	if (judged == 0)
		fail(c, VT_E_POLICY,
		    "bank %s judges no PCR, so it would accept every boot: "
		    "give \"values\" or \"events\" for at least one",
		    name);
}

static void
get_banks(struct ctx *c, json_t *v, struct policy *p)
{
	const char *key;
	json_t *value;
	void *it;
	size_t n = json_object_size(v);

	if (!json_is_object(v) || n == 0) {
		fail(c, VT_E_POLICY,
		    "\"banks\" is missing or empty: the policy has no "
		    "reference to hold a boot against");
		return;
	}
	if (n > PCR_MAX_BANKS) {
		fail(c, VT_E_RANGE, "more than %d banks", PCR_MAX_BANKS);
		return;
	}
	if ((p->banks = calloc(n, sizeof(*p->banks))) == NULL) {
		fail(c, VT_E_NOMEM, "out of memory");
		return;
	}
	for (it = json_object_iter(v); it != NULL;
	     it = json_object_iter_next(v, it)) {
		key = json_object_iter_key(it);
		value = json_object_iter_value(it);
		get_bank(c, key, value, &p->banks[p->nbanks++]);
		if (p->banks[p->nbanks - 1].alg == ALG_SHA1 &&
		    p->sha1_reason == NULL)
			fail(c, VT_E_POLICY,
			    "bank sha1 is refused: SHA-1 collides; use "
			    "sha256, or for a TPM 1.2 guest give the reason "
			    "in allow.sha1");
	}
}

/* --- launch --------------------------------------------------------------- */

static void
get_role(struct ctx *c, const char *name, json_t *v, struct pol_role *ret)
{
	char where[64];
	const char *alg;
	json_t *list;
	void *it;
	int role = launch_role_parse(name);

	if (role == 0 || json_object_size(v) != 1) {
		fail(c, VT_E_FORMAT,
		    "launch.files: \"%.32s\" is not a role with one bank's "
		    "list of digests",
		    name);
		return;
	}
	ret->role = (uint8_t)role;
	for (it = json_object_iter(v); it != NULL;
	     it = json_object_iter_next(v, it)) {
		alg = json_object_iter_key(it);
		list = json_object_iter_value(it);
		ret->alg = digest_alg(alg);
		if (ret->alg == 0 || ret->alg == ALG_SHA1) {
			fail(c, VT_E_POLICY,
			    "launch.files: \"%.32s\" is not an accepted hash",
			    alg);
			return;
		}
		(void)snprintf(
		    where, sizeof(where), "launch.files.%s.%s", name, alg);
		ret->alts = get_digests(
		    c, where, list, digest_len(ret->alg), &ret->nalts);
	}
}

static void
get_launch(struct ctx *c, json_t *v, struct policy *p)
{
	static const char *const keys[] = { "configs", "files", NULL };
	json_t *configs = json_object_get(v, "configs");
	json_t *files = json_object_get(v, "files");
	void *it;

	if (v == NULL)
		return;
	check_keys(c, "launch", v, keys);
	if (configs != NULL)
		p->configs = get_digests(
		    c, "launch.configs", configs, SHA256_LEN, &p->nconfigs);
	p->need_launch = true;
	if (files == NULL)
		return;
	if (!json_is_object(files) || json_object_size(files) == 0) {
		fail(c, VT_E_FORMAT, "launch.files is not an object");
		return;
	}
	p->roles = calloc(json_object_size(files), sizeof(*p->roles));
	if (p->roles == NULL) {
		fail(c, VT_E_NOMEM, "out of memory");
		return;
	}
	for (it = json_object_iter(files); it != NULL;
	     it = json_object_iter_next(files, it))
		get_role(c, json_object_iter_key(it),
		    json_object_iter_value(it), &p->roles[p->nroles++]);
}

/* --- whole ---------------------------------------------------------------- */

static void
get_allow(struct ctx *c, json_t *v, struct policy *p)
{
	static const char *const keys[] = { "sha1", "restored", "no-log",
		"unmeasured-initrd", NULL };

	if (v == NULL)
		return;
	check_keys(c, "allow", v, keys);
	get_reason(c, "allow", v, "sha1", &p->sha1_reason);
	get_reason(c, "allow", v, "restored", &p->restored_reason);
	get_reason(c, "allow", v, "no-log", &p->no_log_reason);
	get_reason(c, "allow", v, "unmeasured-initrd", &p->no_initrd_reason);
}

static void
get_require(struct ctx *c, json_t *v, struct policy *p)
{
	static const char *const keys[] = { "log", "journal", "launch", NULL };

	if (v == NULL)
		return;
	check_keys(c, "require", v, keys);
	p->need_log = get_bool(c, "require", v, "log");
	p->need_journal = get_bool(c, "require", v, "journal");
	p->need_launch |= get_bool(c, "require", v, "launch");
}

static void
get_initrd(struct ctx *c, json_t *v, struct policy *p)
{
	if (v != NULL && p->no_initrd_reason != NULL)
		fail(c, VT_E_FORMAT,
		    "\"initrd\" and allow.unmeasured-initrd contradict each "
		    "other");
	else if (v != NULL && p->nbanks > 0)
		p->initrds =
		    get_digests(c, "initrd", v, p->banks[0].len, &p->ninitrds);
	else if (v == NULL && p->no_initrd_reason == NULL)
		fail(c, VT_E_POLICY,
		    "the policy does not say which initrd may boot: list its "
		    "digests in \"initrd\", or give the reason why none is "
		    "measured in allow.unmeasured-initrd");
}

static void
get_policy(struct ctx *c, json_t *v, struct policy *p)
{
	static const char *const keys[] = { "format", "name", "require",
		"allow", "initrd", "launch", "banks", "allow_software_root",
		NULL };
	const char *s = json_string_value(json_object_get(v, "format"));
	json_t *name;

	if (s == NULL || strcmp(s, FORMAT_NAME) != 0) {
		fail(c, VT_E_FORMAT, "\"format\" is not \"%s\"", FORMAT_NAME);
		return;
	}
	check_keys(c, "policy", v, keys);
	name = json_object_get(v, "name");
	s = json_string_value(name);
	if (name != NULL && s == NULL)
		fail(c, VT_E_FORMAT, "\"name\" is not text");
	if ((p->name = strdup(s != NULL ? s : "")) == NULL)
		fail(c, VT_E_NOMEM, "out of memory");
	get_allow(c, json_object_get(v, "allow"), p);
	get_require(c, json_object_get(v, "require"), p);
	get_launch(c, json_object_get(v, "launch"), p);
	p->allow_software_root =
	    get_bool(c, "policy", v, "allow_software_root");
	if (c->rc == VT_OK)
		get_banks(c, json_object_get(v, "banks"), p);
	if (c->rc == VT_OK)
		get_initrd(c, json_object_get(v, "initrd"), p);
}

int
policy_parse(
    const void *json, size_t len, struct policy **ret, char err[POLICY_ERR_MAX])
{
	struct ctx c = { .rc = VT_OK, .err = err };
	json_error_t je;
	struct policy *p;
	json_t *root;

	err[0] = '\0';
	if (len > POLICY_MAX_LEN) {
		fail(&c, VT_E_RANGE, "the policy is too long");
		return c.rc;
	}
	root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &je);
	if (root == NULL) {
		fail(&c, VT_E_FORMAT, "line %d: %s", je.line, je.text);
		return c.rc;
	}
	if ((p = calloc(1, sizeof(*p))) == NULL)
		fail(&c, VT_E_NOMEM, "out of memory");
	else
		get_policy(&c, root, p);
	json_decref(root);
	if (c.rc != VT_OK) {
		policy_free(p);
		return c.rc;
	}
	*ret = p;
	return VT_OK;
}

static void
free_pcr(struct pol_pcr *pcr)
{
	uint32_t i;

	free_digests(pcr->values, pcr->nvalues);
	for (i = 0; i < pcr->nsteps; i++)
		free_digests(pcr->steps[i].alts, pcr->steps[i].nalts);
	free(pcr->steps);
	free(pcr->reason);
}

void
policy_free(struct policy *p)
{
	uint32_t i, n;

	if (p == NULL)
		return;
	for (i = 0; i < p->nbanks; i++)
		for (n = 0; n < PCR_COUNT; n++)
			free_pcr(&p->banks[i].pcrs[n]);
	for (i = 0; i < p->nroles; i++)
		free_digests(p->roles[i].alts, p->roles[i].nalts);
	free_digests(p->initrds, p->ninitrds);
	free(p->banks);
	free(p->roles);
	free_digests(p->configs, p->nconfigs);
	free(p->name);
	free(p->sha1_reason);
	free(p->no_initrd_reason);
	free(p->no_log_reason);
	free(p->restored_reason);
	free(p);
}
