/* SPDX-License-Identifier: BSD-3-Clause */
/* approvals.c - the file of approved states, and the choice among them. */
#include "tools/seal/approvals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json_hex.h"
#include "base/utf8.h"
#include "base/util.h"
#include "tools/common/json.h"

/* --- PCR values -------------------------------------------------------------
 */

void
approved_sel_sort(struct pcr_sel *sel)
{
	struct pcr_sel out = { 0 };
	uint32_t i, k;

	for (;;) {
		for (i = 0, k = sel->n; i < sel->n; i++)
			if (sel->banks[i].mask != 0 &&
			    (k == sel->n ||
				sel->banks[i].alg < sel->banks[k].alg))
				k = i;
		if (k == sel->n)
			break;
		if (out.n > 0 && out.banks[out.n - 1].alg == sel->banks[k].alg)
			out.banks[out.n - 1].mask |= sel->banks[k].mask;
		else
			out.banks[out.n++] = sel->banks[k];
		sel->banks[k].mask = 0;
	}
	*sel = out;
}

/* One bank's values: every member is a PCR. */
static int
get_bank(
    const json_t *bank, uint16_t alg, uint32_t *ret_mask, struct pcr_set *set)
{
	uint8_t val[DIGEST_MAX];
	uint32_t i, mask = 0, n = 0;
	int rc;

	for (i = 0; i < PCR_COUNT; i++) {
		if (!tool_json_get_pcr(bank, alg, i, val))
			continue;
		if ((rc = pcr_put(set, alg, i, val)) != VT_OK)
			return rc;
		mask |= 1u << i;
		n++;
	}
	if (n == 0 || n != json_object_size(bank))
		return VT_E_FORMAT;
	*ret_mask = mask;
	return VT_OK;
}

int
approved_pcrs_get(const json_t *o, struct pcr_sel *ret_sel, struct pcr_set *ret)
{
	static const uint16_t algs[] = { ALG_SHA1, ALG_SHA256, ALG_SHA384,
		ALG_SHA512 };
	struct pcr_sel sel = { 0 };
	struct pcr_set set;
	const json_t *bank;
	size_t i;
	int rc;

	if ((rc = pcr_set_init(&set, algs, VT_NELEM(algs))) != VT_OK)
		return rc;
	for (i = 0; i < VT_NELEM(algs); i++) {
		bank = json_object_get(o, digest_name(algs[i]));
		if (bank == NULL)
			continue;
		sel.banks[sel.n].alg = algs[i];
		rc = get_bank(bank, algs[i], &sel.banks[sel.n].mask, &set);
		if (rc != VT_OK)
			return rc;
		sel.n++;
	}
	if (sel.n == 0)
		return VT_E_FORMAT;
	if (sel.n != json_object_size(o))
		return VT_E_UNSUPPORTED;
	*ret_sel = sel;
	*ret = set;
	return VT_OK;
}

static json_t *
put_bank(const struct pcr_set *set, uint16_t alg, uint32_t mask)
{
	json_t *bank = json_object();
	const uint8_t *val;
	char key[4];
	uint32_t i;

	for (i = 0; i < PCR_COUNT; i++) {
		if ((mask >> i & 1) == 0 ||
		    (val = pcr_get(set, alg, i)) == NULL)
			continue;
		(void)snprintf(key, sizeof(key), "%u", i);
		(void)json_object_set_new(
		    bank, key, json_hex(val, digest_len(alg)));
	}
	return bank;
}

static json_t *
put_pcrs(const struct pcr_sel *sel, const struct pcr_set *set)
{
	json_t *o = json_object();
	uint32_t i;

	for (i = 0; i < sel->n; i++)
		(void)json_object_set_new(o, digest_name(sel->banks[i].alg),
		    put_bank(set, sel->banks[i].alg, sel->banks[i].mask));
	return o;
}

/* --- what is signed ---------------------------------------------------------
 */

int
approved_policy(const struct approved *one, uint8_t out[SHA256_LEN])
{
	return seal_policy_state(
	    &one->sel, &one->pcrs, one->epoch_index, one->epoch, out);
}

/* aHash of PolicyAuthorize is SHA-256 of this. */
int
approved_message(
    const struct approved *one, uint8_t out[AP_MSG_MAX], size_t *ret_len)
{
	size_t n = strlen(one->ref);
	int rc = approved_policy(one, out);

	if (rc != VT_OK)
		return rc;
	memcpy(out + SHA256_LEN, one->ref, n);
	*ret_len = SHA256_LEN + n;
	return VT_OK;
}

/* --- the file ---------------------------------------------------------------
 */

/* Text of at most cap - 1 printable bytes. */
static int
get_text(const json_t *o, const char *key, char *out, size_t cap)
{
	const json_t *v = json_object_get(o, key);
	const char *text = json_string_value(v);
	size_t i, n = json_string_length(v);

	if (text == NULL)
		return VT_E_FORMAT;
	if (n >= cap)
		return VT_E_RANGE;
	for (i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			return VT_E_FORMAT;
	memcpy(out, text, n + 1);
	return VT_OK;
}

static int
get_number(const json_t *o, const char *key, uint64_t *ret)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return VT_E_FORMAT;
	*ret = (uint64_t)json_integer_value(v);
	return VT_OK;
}

static int
get_sig(const json_t *o, struct approved *one)
{
	uint8_t *sig = NULL;
	size_t n = 0;
	int rc;

	if (json_object_get(o, "sig") == NULL)
		return VT_OK;
	if ((rc = tool_json_get_b64(o, "sig", &sig, &n)) != VT_OK)
		return rc;
	rc = n == 0 || n > sizeof(one->sig) ? VT_E_RANGE : VT_OK;
	if (rc == VT_OK) {
		memcpy(one->sig, sig, n);
		one->sig_len = n;
	}
	free(sig);
	return rc;
}

static int
get_index(const json_t *o, uint32_t *ret)
{
	char text[11], again[11];

	if (get_text(o, "epoch_index", text, sizeof(text)) != VT_OK)
		return VT_E_FORMAT;
	*ret = (uint32_t)strtoul(text, NULL, 16);
	(void)snprintf(again, sizeof(again), "0x%08x", *ret);
	return strcmp(text, again) == 0 ? VT_OK : VT_E_FORMAT;
}

/* *ret_what names the member that is wrong. */
static int
get_one(const json_t *o, struct approved *ret, const char **ret_what)
{
	uint8_t said[SHA256_LEN], is[SHA256_LEN];
	int rc;

	memset(ret, 0, sizeof(*ret));
#define GET(what, call)                     \
	do {                                \
		*ret_what = (what);         \
		if ((rc = (call)) != VT_OK) \
			return rc;          \
	} while (0)
	GET("label", get_text(o, "label", ret->label, sizeof(ret->label)));
	GET("ref", get_text(o, "ref", ret->ref, sizeof(ret->ref)));
	GET("ref", seal_ref_check(ret->ref));
	GET("made", get_number(o, "made", &ret->made_s));
	GET("epoch", get_number(o, "epoch", &ret->epoch));
	GET("epoch_index", get_index(o, &ret->epoch_index));
	GET("pcrs", approved_pcrs_get(
			json_object_get(o, "pcrs"), &ret->sel, &ret->pcrs));
	GET("pkfp", json_hex_get(o, "pkfp", ret->print, SHA256_LEN));
	GET("pol", json_hex_get(o, "pol", said, SHA256_LEN));
	GET("pol", approved_policy(ret, is));
	GET("pol", memcmp(is, said, sizeof(is)) == 0 ? VT_OK : VT_E_CORRUPT);
	GET("sig", get_sig(o, ret));
#undef GET
	return VT_OK;
}

static int
get_list(const json_t *list, struct approvals *a, char err[AP_ERR_MAX])
{
	const char *what = "";
	size_t i;
	int rc;

	for (i = 0; i < json_array_size(list); i++) {
		rc = get_one(json_array_get(list, i), &a->list[i], &what);
		if (rc != VT_OK) {
			(void)snprintf(err, AP_ERR_MAX,
			    "approval %zu: \"%s\" is %s", i + 1, what,
			    rc == VT_E_CORRUPT
				? "not the policy of its PCRs and epoch"
				: "missing or wrong");
			return rc;
		}
	}
	a->n = i;
	return VT_OK;
}

int
approvals_new(struct approvals *ret)
{
	struct approvals a = { 0 };

	a.root = json_pack(
	    "{s:s, s:i, s:[]}", "format", AP_FORMAT, "version", 1, "approvals");
	a.list = calloc(AP_MAX + 1, sizeof(*a.list)); /* one comes */
	if (a.root == NULL || a.list == NULL) {
		approvals_free(&a);
		return VT_E_NOMEM;
	}
	*ret = a;
	return VT_OK;
}

static int
check_head(const json_t *root, char err[AP_ERR_MAX])
{
	const char *f = json_string_value(json_object_get(root, "format"));
	const json_t *list = json_object_get(root, "approvals");

	if (f == NULL || strcmp(f, AP_FORMAT) != 0 ||
	    json_integer_value(json_object_get(root, "version")) != 1 ||
	    !json_is_array(list)) {
		(void)snprintf(
		    err, AP_ERR_MAX, "not a " AP_FORMAT " file of version 1");
		return VT_E_FORMAT;
	}
	if (json_array_size(list) > AP_MAX) {
		(void)snprintf(
		    err, AP_ERR_MAX, "more than %d approvals", AP_MAX);
		return VT_E_RANGE;
	}
	return VT_OK;
}

int
approvals_get(
    const uint8_t *buf, size_t len, struct approvals *ret, char err[AP_ERR_MAX])
{
	struct approvals a;
	json_error_t je;
	json_t *root;
	int rc;

	err[0] = '\0';
	root = json_loadb((const char *)buf, len, JSON_REJECT_DUPLICATES, &je);
	if (root == NULL) {
		text_clean(je.text);
		(void)snprintf(err, AP_ERR_MAX, "not JSON: %.*s", 150, je.text);
		return VT_E_FORMAT;
	}
	if ((rc = check_head(root, err)) != VT_OK ||
	    (rc = approvals_new(&a)) != VT_OK) {
		json_decref(root);
		return rc;
	}
	json_decref(a.root);
	a.root = root;
	rc = get_list(json_object_get(root, "approvals"), &a, err);
	if (rc != VT_OK)
		approvals_free(&a);
	else
		*ret = a;
	return rc;
}

void
approvals_free(struct approvals *a)
{
	json_decref(a->root);
	free(a->list);
	memset(a, 0, sizeof(*a));
}

int
approvals_blob(const struct approvals *a, uint8_t **ret, size_t *ret_len)
{
	if (json_object_get(a->root, "blob") == NULL)
		return VT_E_NOTFOUND;
	return tool_json_get_b64(a->root, "blob", ret, ret_len);
}

json_t *
approved_json(const struct approved *one)
{
	uint8_t pol[SHA256_LEN];
	char index[11];
	json_t *o;

	if (approved_policy(one, pol) != VT_OK)
		return NULL;
	(void)snprintf(index, sizeof(index), "0x%08x", one->epoch_index);
	o = json_pack("{s:s, s:s, s:I, s:I, s:s, s:o, s:o, s:o}", "label",
	    one->label, "ref", one->ref, "made", (json_int_t)one->made_s,
	    "epoch", (json_int_t)one->epoch, "epoch_index", index, "pcrs",
	    put_pcrs(&one->sel, &one->pcrs), "pkfp",
	    json_hex(one->print, sizeof(one->print)), "pol",
	    json_hex(pol, sizeof(pol)));
	if (o != NULL && one->sig_len > 0)
		(void)json_object_set_new(
		    o, "sig", tool_json_b64(one->sig, one->sig_len));
	return o;
}

json_t *
approvals_json(const struct approvals *a)
{
	json_t *root = json_copy(a->root), *list = json_array();
	size_t i;

	for (i = 0; i < a->n; i++)
		if (json_array_append_new(list, approved_json(&a->list[i])) !=
		    0)
			break;
	if (root == NULL || i < a->n ||
	    json_object_set_new(root, "approvals", list) != 0) {
		json_decref(root);
		return NULL;
	}
	return root;
}

static bool
same_owner(const struct approved *a, const struct approved *b)
{
	return strcmp(a->ref, b->ref) == 0 &&
	       memcmp(a->print, b->print, sizeof(a->print)) == 0;
}

static void
drop(struct approvals *a, size_t i)
{
	a->n--;
	memmove(&a->list[i], &a->list[i + 1], (a->n - i) * sizeof(*a->list));
}

/* Of one state: its policy is the same. */
static bool
same_state(const struct approved *a, const struct approved *b)
{
	uint8_t one[SHA256_LEN], two[SHA256_LEN];

	return approved_policy(a, one) == VT_OK &&
	       approved_policy(b, two) == VT_OK &&
	       memcmp(one, two, sizeof(one)) == 0;
}

/* A new approval of the same label: the state was made anew since. */
static bool
same_label(const struct approved *a, const struct approved *b)
{
	return a->label[0] != '\0' && strcmp(a->label, b->label) == 0;
}

static bool
is_running(const struct approved *one, const struct pcr_set *now)
{
	char words[8];

	return now != NULL && seal_differs(&one->sel, &one->pcrs, now, words,
				  sizeof(words)) == 0;
}

/* Nobody needs to be asked for it. */
static bool
is_approved(const struct approvals *a, const struct approved *one)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (a->list[i].sig_len > 0 && same_owner(&a->list[i], one) &&
		    same_state(&a->list[i], one))
			return true;
	return false;
}

/* Drop what list[at] replaces before it, and what is over keep.  Returns where
 * it stands then. */
static size_t
thin(struct approvals *a, size_t at, uint32_t keep, const struct pcr_set *now)
{
	const struct approved new = a->list[at];
	uint32_t mine = 1;
	size_t i;

	for (i = at; i-- > 0;) { /* the newest is the last */
		const struct approved *is = &a->list[i];
		bool stays = is->sig_len > 0 && new.sig_len == 0;

		if (!same_owner(is, &new))
			continue;
		if (same_state(is, &new) ||
		    (keep != 0 && !stays && !is_running(is, now) &&
			(same_label(is, &new) || mine >= keep))) {
			drop(a, i);
			at--;
		} else {
			mine++;
		}
	}
	return at;
}

int
approvals_add(struct approvals *a, const struct approved *one, uint32_t keep,
    const struct pcr_set *now)
{
	if (one->sig_len == 0 && is_approved(a, one))
		return VT_OK;
	a->list[a->n++] = *one;
	if (thin(a, a->n - 1, keep, now) == AP_MAX) {
		a->n--;
		return VT_E_RANGE;
	}
	return VT_OK;
}

void
approvals_thin(struct approvals *a, const uint8_t print[SHA256_LEN],
    const char *ref, uint32_t keep)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (memcmp(a->list[i].print, print, SHA256_LEN) == 0 &&
		    (ref == NULL || strcmp(a->list[i].ref, ref) == 0))
			i = thin(a, i, keep, NULL);
}

/* --- which one fits ---------------------------------------------------------
 */

void
approvals_sel(const struct approvals *a, struct pcr_sel *ret)
{
	struct pcr_sel sel = { 0 };
	uint32_t i, k;
	size_t n;

	for (n = 0; n < a->n; n++)
		for (i = 0; i < a->list[n].sel.n; i++) {
			for (k = 0; k < sel.n; k++)
				if (sel.banks[k].alg ==
				    a->list[n].sel.banks[i].alg)
					break;
			if (k == PCR_MAX_BANKS)
				continue; /* there are no more algorithms */
			if (k == sel.n)
				sel.banks[sel.n++].alg =
				    a->list[n].sel.banks[i].alg;
			sel.banks[k].mask |= a->list[n].sel.banks[i].mask;
		}
	approved_sel_sort(&sel);
	*ret = sel;
}

/* What an approval is for this secret and boot, the better the higher. */
enum fit {
	FIT_KEY, /* another authority's */
	FIT_REF,
	FIT_REQUEST, /* not signed */
	FIT_COUNTER, /* of another epoch counter */
	FIT_FORGED,
	FIT_DEAD,    /* revoked, and of another state anyway */
	FIT_DIFFERS, /* the boot is in another state */
	FIT_REVOKED, /* it would fit, but for the epoch */
	FIT_GOOD,
};

struct judgement {
	enum fit fit;
	uint32_t differ; /* PCRs */
	char words[512]; /* which */
};

static void
judge(const struct approved *one, const struct seal_blob *b, uint64_t epoch,
    const struct pcr_set *now, struct judgement *j)
{
	uint8_t msg[AP_MSG_MAX];
	size_t len = 0;

	memset(j, 0, sizeof(*j));
	if (memcmp(one->print, b->authority.print, sizeof(one->print)) != 0)
		j->fit = FIT_KEY;
	else if (strcmp(one->ref, b->ref) != 0)
		j->fit = FIT_REF;
	else if (one->sig_len == 0)
		j->fit = FIT_REQUEST;
	else if (one->epoch_index != b->epoch_index)
		j->fit = FIT_COUNTER;
	else if (approved_message(one, msg, &len) != VT_OK ||
		 seal_key_verify(
		     &b->authority, msg, len, one->sig, one->sig_len) != VT_OK)
		j->fit = FIT_FORGED;
	else if ((j->differ = seal_differs(&one->sel, &one->pcrs, now, j->words,
		      sizeof(j->words))) == 0)
		j->fit = one->epoch >= epoch ? FIT_GOOD : FIT_REVOKED;
	else
		j->fit = one->epoch >= epoch ? FIT_DIFFERS : FIT_DEAD;
}

static void
explain(const struct approved *one, const struct judgement *j,
    const struct seal_blob *b, uint64_t epoch, char *why, size_t cap)
{
	static const char how[] = "approve it with vtpm-seal approve";

	switch (j->fit) {
	case FIT_KEY:
		(void)snprintf(why, cap,
		    "no state is approved for %s: the approvals are by other "
		    "keys than the secret's authority; %s",
		    b->ref, how);
		return;
	case FIT_REF:
		(void)snprintf(why, cap,
		    "no state is approved for %s: approval '%s' is for %s; %s",
		    b->ref, one->label, one->ref, how);
		return;
	case FIT_REQUEST:
		(void)snprintf(why, cap,
		    "approval '%s' is a request that nobody has signed; sign "
		    "it with vtpm-seal approve --sign",
		    one->label);
		return;
	case FIT_COUNTER:
		(void)snprintf(why, cap,
		    "approval '%s' is for the epoch counter 0x%08x, the "
		    "secret's is 0x%08x",
		    one->label, one->epoch_index, b->epoch_index);
		return;
	case FIT_FORGED:
		(void)snprintf(why, cap,
		    "the signature of approval '%s' is not the authority's: "
		    "forged, or damaged",
		    one->label);
		return;
	case FIT_DEAD:
	case FIT_REVOKED:
		(void)snprintf(why, cap,
		    "approval '%s'%s was revoked: it is for epoch %llu, and "
		    "the epoch is %llu now",
		    one->label, j->fit == FIT_REVOKED ? " of this boot" : "",
		    (unsigned long long)one->epoch, (unsigned long long)epoch);
		return;
	default:
		(void)snprintf(why, cap,
		    "this boot is in no approved state; nearest is '%s': %s "
		    "%s not as approved",
		    one->label, j->words, j->differ == 1 ? "is" : "are");
		return;
	}
}

/* Does a say more than b does? */
static bool
better(const struct judgement *a, const struct approved *one,
    const struct judgement *b, const struct approved *other)
{
	if (a->fit != b->fit)
		return a->fit > b->fit;
	if (a->differ != b->differ)
		return a->differ < b->differ;
	return one->epoch >= other->epoch; /* the later of equals */
}

int
approvals_choose(const struct approvals *a, const struct seal_blob *b,
    uint64_t epoch, const struct pcr_set *now, const struct approved **ret,
    char *why, size_t cap)
{
	const struct approved *best = NULL;
	struct judgement j, top;
	size_t i;

	for (i = 0; i < a->n; i++) {
		judge(&a->list[i], b, epoch, now, &j);
		if (best == NULL || better(&j, &a->list[i], &top, best)) {
			best = &a->list[i];
			top = j;
		}
	}
	if (best == NULL) {
		(void)snprintf(why, cap,
		    "no state is approved for %s: there are no approvals; "
		    "approve it with vtpm-seal approve",
		    b->ref);
		return VT_E_POLICY;
	}
	if (top.fit != FIT_GOOD) {
		explain(best, &top, b, epoch, why, cap);
		return VT_E_POLICY;
	}
	*ret = best;
	return VT_OK;
}
