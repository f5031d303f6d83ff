/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_approvals.c - approvals of sealed secrets, and systemd's: one form,
 * read and written the same; which of them fits a boot, and why none does.
 *
 * Vectors: tests/vectors/seal (make.sh), made by vtpm-seal on stock swtpm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "tools/common/json.h"
#include "tools/seal/approvals.h"
#include "tools/seal/systemd_json.h"

#define DIR "tests/vectors/seal/"

static struct {
	uint8_t *blob, *appr, *sd, *pem;
	size_t blob_len, appr_len, sd_len, pem_len;
	struct seal_blob b;
} v;

static int
setup(void **state)
{
	(void)state;
	if (read_file(DIR "authority.blob", SB_FILE_MAX, &v.blob,
		&v.blob_len) != VT_OK ||
	    read_file(DIR "approvals.json", AP_FILE_MAX, &v.appr,
		&v.appr_len) != VT_OK ||
	    read_file(DIR "signature.json", SD_FILE_MAX, &v.sd, &v.sd_len) !=
		VT_OK ||
	    read_file(DIR "authority.pem", SEAL_PEM_MAX, &v.pem, &v.pem_len) !=
		VT_OK)
		return -1;
	return seal_blob_get(v.blob, v.blob_len, &v.b) == VT_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	free(v.blob);
	free(v.appr);
	free(v.sd);
	free(v.pem);
	return 0;
}

static void
load(struct approvals *a)
{
	char err[AP_ERR_MAX];

	assert_int_equal(approvals_get(v.appr, v.appr_len, a, err), VT_OK);
}

static void
sign(struct approved *one)
{
	uint8_t msg[AP_MSG_MAX];
	struct seal_key k;
	size_t len = 0;

	assert_int_equal(approved_message(one, msg, &len), VT_OK);
	assert_int_equal(seal_key_sign(v.pem, v.pem_len, msg, len, &k, one->sig,
			     &one->sig_len),
	    VT_OK);
}

/* --- the file ---------------------------------------------------------------
 */

static void
a_file_is_read_and_written_the_same(void **state)
{
	struct approvals a;
	char *text, *was;
	json_error_t je;
	json_t *o, *p;

	(void)state;
	load(&a);
	assert_int_equal(a.n, 2);
	assert_string_equal(a.list[0].label, "one");
	assert_int_equal(a.list[1].epoch, a.list[0].epoch + 1);
	assert_int_equal(a.list[1].sel.banks[0].mask, 1 << 4);
	o = approvals_json(&a);
	p = json_loadb((char *)v.appr, v.appr_len, 0, &je);
	text = json_dumps(o, 0);
	was = json_dumps(p, 0);
	assert_string_equal(text, was);
	free(text);
	free(was);
	json_decref(o);
	json_decref(p);
	approvals_free(&a);
}

/* What a LUKS token has beside the approvals stays. */
static void
other_members_are_kept(void **state)
{
	static const char text[] =
	    "{\"type\":\"vtpm-seal\",\"keyslots\":[\"1\"],\"format\":"
	    "\"vtpm-seal-approvals\",\"version\":1,\"blob\":\"aGVsbG8=\","
	    "\"approvals\":[]}";
	char err[AP_ERR_MAX];
	struct approvals a, have;
	uint8_t *blob = NULL;
	size_t len = 0;
	json_t *o;

	(void)state;
	load(&have);
	assert_int_equal(
	    approvals_get((const uint8_t *)text, sizeof(text) - 1, &a, err),
	    VT_OK);
	assert_int_equal(approvals_add(&a, &have.list[0], 0, NULL), VT_OK);
	assert_int_equal(approvals_blob(&a, &blob, &len), VT_OK);
	assert_int_equal(len, 5);
	assert_memory_equal(blob, "hello", 5);
	o = approvals_json(&a);
	assert_string_equal(
	    json_string_value(json_object_get(o, "type")), "vtpm-seal");
	assert_int_equal(json_array_size(json_object_get(o, "keyslots")), 1);
	assert_int_equal(json_array_size(json_object_get(o, "approvals")), 1);
	assert_int_equal(approvals_blob(&have, &blob, &len), VT_E_NOTFOUND);
	json_decref(o);
	free(blob);
	approvals_free(&a);
	approvals_free(&have);
}

static void
every_prefix_is_refused(void **state)
{
	char err[AP_ERR_MAX], serr[SD_ERR_MAX];
	struct approvals a;
	struct sd_sigs s;
	uint8_t *p;
	size_t n;

	(void)state;
	while (v.appr[v.appr_len - 1] == '\n')
		v.appr_len--;
	while (v.sd[v.sd_len - 1] == '\n')
		v.sd_len--;
	for (n = 0; n < v.appr_len; n++) {
		p = malloc(n > 0 ? n : 1);
		assert_non_null(p);
		memcpy(p, v.appr, n);
		assert_int_not_equal(approvals_get(p, n, &a, err), VT_OK);
		assert_true(strlen(err) > 0);
		free(p);
	}
	for (n = 0; n < v.sd_len; n++) {
		p = malloc(n > 0 ? n : 1);
		assert_non_null(p);
		memcpy(p, v.sd, n);
		assert_int_not_equal(sd_sigs_get(p, n, &s, serr), VT_OK);
		assert_true(strlen(serr) > 0);
		free(p);
	}
}

/* A member replaced by a JSON value, in the first approval. */
static void
wrong_members_are_refused_and_named(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*key, *json;
	} cases[] = {
		{ "label",	"3" },
		{ "label",	"\"\\u0007\"" },
		{ "label",	"\"0123456789012345678901234567890123456789"
				"012345678901234567890123\"" },
		{ "ref",	"\"root\"" },
		{ "made",	"-1" },
		{ "epoch",	"-1" },
		{ "epoch",	"1.5" },
		{ "epoch_index", "25226241" },
		{ "epoch_index", "\"0x180ec01\"" },
		{ "pcrs",	"{}" },
		{ "pcrs",	"{\"sha256\":{}}" },
		{ "pcrs",	"{\"sha256\":{\"4\":\"00\"}}" },
		{ "pcrs",	"{\"sha257\":{}}" },
		{ "pkfp",	"\"00\"" },
		{ "pol",	"\"00\"" },
		{ "sig",	"\"\"" },
		{ "sig",	"7" },
	};
	/* clang-format on */
	char err[AP_ERR_MAX], want[32];
	struct approvals a;
	json_error_t je;
	json_t *root;
	char *text;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		root = json_loadb((char *)v.appr, v.appr_len, 0, &je);
		assert_int_equal(
		    json_object_set_new(
			json_array_get(json_object_get(root, "approvals"), 0),
			cases[i].key,
			json_loads(cases[i].json, JSON_DECODE_ANY, &je)),
		    0);
		text = json_dumps(root, 0);
		print_message("  %s %s\n", cases[i].key, cases[i].json);
		rc = approvals_get((uint8_t *)text, strlen(text), &a, err);
		assert_int_not_equal(rc, VT_OK);
		(void)snprintf(want, sizeof(want), "\"%s\"", cases[i].key);
		assert_non_null(strstr(err, want));
		free(text);
		json_decref(root);
	}
}

/* Another state with this label. */
static void
add(struct approvals *a, struct approved *one, const char *label, uint32_t keep,
    const struct pcr_set *now)
{
	one->pcrs.banks[1].val[4][0]++;
	(void)snprintf(one->label, sizeof(one->label), "%s", label);
	assert_int_equal(approvals_add(a, one, keep, now), VT_OK);
}

static void
only_the_newest_are_kept(void **state)
{
	struct approvals a;
	struct approved one;

	(void)state;
	load(&a);
	one = a.list[0];
	(void)snprintf(one.label, sizeof(one.label), "again");
	assert_int_equal(approvals_add(&a, &one, 0, NULL), VT_OK);
	assert_int_equal(a.n, 2); /* the same state: in its place */
	assert_string_equal(a.list[1].label, "again");
	add(&a, &one, "three", 0, NULL);
	assert_int_equal(a.n, 3);
	add(&a, &one, "four", 2, NULL);
	assert_int_equal(a.n, 2);
	assert_string_equal(a.list[0].label, "three");
	/* of the same label: the state was made anew, and counts once */
	add(&a, &one, "four", 2, NULL);
	assert_int_equal(a.n, 2);
	assert_string_equal(a.list[0].label, "three");
	assert_string_equal(a.list[1].label, "four");
	/* another ref's and another key's are not counted */
	one.ref[37] = 'R';
	add(&a, &one, "four", 1, NULL);
	one.print[0] ^= 1;
	add(&a, &one, "four", 1, NULL);
	assert_int_equal(a.n, 4);
	approvals_free(&a);
}

/* Updates that nobody booted yet push out no state that may still boot. */
static void
the_running_boot_stays_approved(void **state)
{
	struct approvals a;
	struct approved one;
	struct pcr_set now;

	(void)state;
	load(&a);
	a.n = 1;
	one = a.list[0];
	now = one.pcrs;
	add(&a, &one, "next", 1, &now);
	add(&a, &one, "over next", 1, &now);
	add(&a, &one, "one", 1, &now);
	assert_int_equal(a.n, 2);
	assert_memory_equal(&a.list[0].pcrs, &now, sizeof(now));
	add(&a, &one, "last", 1, NULL);
	assert_int_equal(a.n, 1);
	/* a request pushes out no approval, nor replaces one */
	one.sig_len = 0;
	add(&a, &one, "asked", 1, NULL);
	add(&a, &one, "asked again", 1, NULL);
	assert_int_equal(a.n, 2);
	assert_true(a.list[0].sig_len > 0);
	one = a.list[0];
	one.sig_len = 0;
	assert_int_equal(approvals_add(&a, &one, 1, NULL), VT_OK);
	assert_int_equal(a.n, 2);
	assert_true(a.list[0].sig_len > 0);
	approvals_free(&a);
}

static void
thinning_leaves_the_newest(void **state)
{
	static const char add_of[] = "ABCBDD";
	static const char *const want[] = { "otABCBDD", "D", "BD", "CBD",
		"ACBD", "tACBD", "otACBD", "otACBD" };
	struct approvals a;
	struct approved one;
	char label[2] = "";
	uint32_t keep;
	size_t i;

	(void)state;
	for (keep = 0; keep < VT_NELEM(want); keep++) {
		load(&a); /* "one" and "two" */
		one = a.list[0];
		for (i = 0; i < strlen(add_of); i++) {
			label[0] = add_of[i];
			add(&a, &one, label, 0, NULL);
		}
		approvals_thin(&a, one.print, "another", keep);
		assert_int_equal(a.n, strlen(want[0]));
		one.print[0] ^= 1;
		approvals_thin(&a, one.print, one.ref, keep);
		assert_int_equal(a.n, strlen(want[0]));
		one.print[0] ^= 1;
		approvals_thin(&a, one.print, keep % 2 ? one.ref : NULL, keep);
		assert_int_equal(a.n, strlen(want[keep]));
		for (i = 0; i < a.n; i++)
			assert_int_equal(a.list[i].label[0], want[keep][i]);
		assert_memory_equal(
		    &a.list[a.n - 1].pcrs, &one.pcrs, sizeof(one.pcrs));
		approvals_free(&a);
	}
}

static void
a_full_file_says_so(void **state)
{
	struct approvals a;
	struct approved one;
	int i, rc = VT_OK;

	(void)state;
	load(&a);
	one = a.list[0];
	for (i = 0; i < AP_MAX && rc == VT_OK; i++) {
		one.epoch++;
		rc = approvals_add(&a, &one, 0, NULL);
	}
	assert_int_equal(rc, VT_E_RANGE);
	assert_int_equal(a.n, AP_MAX);
	assert_int_equal(approvals_add(&a, &one, 2, NULL), VT_OK);
	approvals_free(&a);
}

/* --- the choice -------------------------------------------------------------
 */

static const struct approved *
choose(const struct approvals *a, uint64_t epoch, const struct pcr_set *now,
    const char *why)
{
	const struct approved *got = NULL;
	char text[512] = "";
	int rc;

	rc = approvals_choose(a, &v.b, epoch, now, &got, text, sizeof(text));
	if (why == NULL) {
		assert_int_equal(rc, VT_OK);
		return got;
	}
	assert_int_equal(rc, VT_E_POLICY);
	assert_non_null(strstr(text, why));
	return NULL;
}

static void
the_approval_that_fits_is_chosen(void **state)
{
	struct approvals a;
	struct pcr_set now;
	uint64_t e;

	(void)state;
	load(&a);
	e = a.list[0].epoch;
	now = a.list[0].pcrs;
	/* both fit; the one that lives longer */
	assert_ptr_equal(choose(&a, e, &now, NULL), &a.list[1]);
	assert_ptr_equal(choose(&a, e + 1, &now, NULL), &a.list[1]);
	now.banks[1].val[4][0] ^= 1;
	(void)choose(&a, e, &now, "nearest is 'two': sha256 PCR 4 (");
	now = a.list[0].pcrs;
	now.banks[1].val[8][0] ^= 1; /* only the second does not look at 8 */
	assert_ptr_equal(choose(&a, e, &now, NULL), &a.list[1]);
	approvals_free(&a);
}

static void
refusals_say_what_is_wrong(void **state)
{
	struct approvals a, none;
	struct pcr_set now;
	uint64_t e;

	(void)state;
	load(&a);
	e = a.list[0].epoch;
	now = a.list[0].pcrs;
	(void)choose(&a, e + 2, &now, "'two' of this boot was revoked");
	now.banks[1].val[4][0] ^= 1;
	(void)choose(&a, e + 2, &now, "'two' was revoked: it is for epoch");
	now = a.list[0].pcrs;
	a.list[0].sig[5] ^= 1;
	a.list[1].sig[5] ^= 1;
	(void)choose(&a, e, &now, "forged");
	a.list[0].sig_len = 0;
	a.n = 1;
	(void)choose(&a, e, &now, "request that nobody has signed");
	sign(&a.list[0]);
	assert_ptr_equal(choose(&a, e, &now, NULL), &a.list[0]);
	a.list[0].epoch_index++;
	sign(&a.list[0]);
	(void)choose(&a, e, &now, "is for the epoch counter 0x0180ec02");
	a.list[0].epoch_index--;
	a.list[0].ref[37] = 'R';
	sign(&a.list[0]);
	(void)choose(&a, e, &now, ":Root");
	a.list[0].print[0] ^= 1;
	(void)choose(&a, e, &now, "by other keys");
	assert_int_equal(approvals_new(&none), VT_OK);
	(void)choose(&none, e, &now, "there are no approvals");
	approvals_free(&none);
	approvals_free(&a);
}

/* Not one bit of what is signed can change. */
static void
each_signed_bit_counts(void **state)
{
	struct approvals a;
	struct pcr_set now;
	uint64_t e;
	size_t i;

	(void)state;
	load(&a);
	a.n = 1;
	e = a.list[0].epoch;
	now = a.list[0].pcrs;
	assert_ptr_equal(choose(&a, e, &now, NULL), &a.list[0]);
	a.list[0].epoch++;
	(void)choose(&a, e, &now, "forged");
	a.list[0].epoch--;
	a.list[0].sel.banks[0].mask &= ~(1u << 8);
	(void)choose(&a, e, &now, "forged");
	a.list[0].sel.banks[0].mask |= 1u << 8;
	for (i = 0; i < a.list[0].sig_len; i += 7) {
		a.list[0].sig[i] ^= 1;
		(void)choose(&a, e, &now, "forged");
		a.list[0].sig[i] ^= 1;
	}
	approvals_free(&a);
}

static void
banks_are_sorted_and_joined(void **state)
{
	struct pcr_sel sel;
	char text[128];

	(void)state;
	assert_int_equal(pcr_sel_parse("sha384:1+sha256:7", &sel), VT_OK);
	sel.banks[sel.n].alg = ALG_SHA256;
	sel.banks[sel.n++].mask = 1;
	approved_sel_sort(&sel);
	pcr_sel_format(&sel, text, sizeof(text));
	assert_string_equal(text, "sha256:0,7+sha384:1");
}

/* --- systemd's --------------------------------------------------------------
 */

static void
systemd_signatures_verify(void **state)
{
	char err[SD_ERR_MAX];
	struct sd_sig one;
	struct sd_sigs s;

	(void)state;
	assert_int_equal(sd_sigs_get(v.sd, v.sd_len, &s, err), VT_OK);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.list[0].alg, ALG_SHA256);
	assert_int_equal(s.list[0].mask, 1 << 4 | 1 << 7);
	assert_memory_equal(s.list[0].print, v.b.authority.print, SHA256_LEN);
	assert_int_equal(seal_key_verify(&v.b.authority, s.list[0].pol,
			     SHA256_LEN, s.list[0].sig, s.list[0].sig_len),
	    VT_OK);
	one = s.list[0];
	assert_int_equal(sd_sigs_add(&s, &one, 0), VT_OK);
	assert_int_equal(s.n, 1);
	one.pol[0] ^= 1;
	assert_int_equal(sd_sigs_add(&s, &one, 0), VT_OK);
	assert_int_equal(s.n, 2);
	one.pol[0] ^= 2;
	assert_int_equal(sd_sigs_add(&s, &one, 2), VT_OK);
	assert_int_equal(s.n, 2);
	one.alg = ALG_SHA384; /* another bank is counted for itself */
	assert_int_equal(sd_sigs_add(&s, &one, 1), VT_OK);
	assert_int_equal(s.n, 3);
	one.mask ^= 1; /* so are other PCRs, and another key */
	assert_int_equal(sd_sigs_add(&s, &one, 1), VT_OK);
	assert_int_equal(s.n, 4);
	one.print[0] ^= 1;
	assert_int_equal(sd_sigs_add(&s, &one, 1), VT_OK);
	assert_int_equal(s.n, 5);
	sd_sigs_free(&s);
}

/* The good file with its first signature's member as in the case: nothing else
 * can be why it is refused. */
static int
sd_with(const char *member, const char *value)
{
	char err[SD_ERR_MAX] = "";
	struct sd_sigs s;
	json_error_t je;
	json_t *root, *one;
	char *text;
	int rc;

	root = json_loadb((char *)v.sd, v.sd_len, 0, &je);
	one = json_array_get(json_object_get(root, "sha256"), 0);
	assert_non_null(one);
	if (value == NULL)
		assert_int_equal(json_object_del(one, member), 0);
	else
		assert_int_equal(json_object_set_new(one, member,
				     json_loads(value, JSON_DECODE_ANY, &je)),
		    0);
	text = json_dumps(root, 0);
	rc = sd_sigs_get((uint8_t *)text, strlen(text), &s, err);
	assert_true((rc == VT_OK) == (err[0] == '\0'));
	if (rc == VT_OK)
		sd_sigs_free(&s);
	free(text);
	json_decref(root);
	return rc;
}

#define X32 "a1a2a3a4a5a6a7a8a1a2a3a4a5a6a7a8a1a2a3a4a5a6a7a8a1a2a3a4a5a6a7"

static void
wrong_systemd_members_are_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char *member, *value;
		int want;
	} cases[] = {
		{ "pcrs", "[0, 23]", VT_OK },
		{ "pcrs", NULL, VT_E_FORMAT },
		{ "pcrs", "[]", VT_E_FORMAT },
		{ "pcrs", "4", VT_E_FORMAT },
		{ "pcrs", "[\"4\"]", VT_E_FORMAT },
		{ "pcrs", "[24]", VT_E_RANGE },
		{ "pcrs", "[-1]", VT_E_RANGE },
		{ "pcrs", "[4294967300]", VT_E_RANGE },
		{ "pcrs", "[4, 4]", VT_E_RANGE },
		{ "pkfp", "\"" X32 "a8\"", VT_OK },
		{ "pkfp", NULL, VT_E_FORMAT },
		{ "pkfp", "7", VT_E_FORMAT },
		{ "pkfp", "\"" X32 "\"", VT_E_FORMAT },
		{ "pkfp", "\"" X32 "a8a9\"", VT_E_FORMAT },
		{ "pkfp", "\"" X32 "zz\"", VT_E_FORMAT },
		{ "pol", "\"" X32 "A8\"", VT_OK },
		{ "pol", NULL, VT_E_FORMAT },
		{ "pol", "\"" X32 "\"", VT_E_FORMAT },
		{ "pol", "\"" X32 "a8a9\"", VT_E_FORMAT },
		{ "sig", "\"AAAA\"", VT_OK },
		{ "sig", NULL, VT_E_FORMAT },
		{ "sig", "\"\"", VT_E_FORMAT },
		{ "sig", "\"A*==\"", VT_E_FORMAT },
		{ "sig", "7", VT_E_FORMAT },
	};
	/* clang-format on */
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s %s\n", cases[i].member,
		    cases[i].value != NULL ? cases[i].value : "missing");
		assert_int_equal(
		    sd_with(cases[i].member, cases[i].value), cases[i].want);
	}
}

/* Its bytes, SEAL_SIG_MAX and one more. */
static void
a_systemd_signature_is_bounded(void **state)
{
	uint8_t sig[SEAL_SIG_MAX + 1];
	json_t *b64;
	char *text;

	(void)state;
	memset(sig, 7, sizeof(sig));
	b64 = tool_json_b64(sig, SEAL_SIG_MAX);
	text = json_dumps(b64, JSON_ENCODE_ANY);
	assert_int_equal(sd_with("sig", text), VT_OK);
	free(text);
	json_decref(b64);
	b64 = tool_json_b64(sig, sizeof(sig));
	text = json_dumps(b64, JSON_ENCODE_ANY);
	assert_int_equal(sd_with("sig", text), VT_E_RANGE);
	free(text);
	json_decref(b64);
}

static void
wrong_systemd_files_are_refused(void **state)
{
	static const char *const bad[] = { "", "[]", "{\"sha256\":{}}",
		"{\"md5\":[]}", "{\"sha256\":[{}]}",
		"{\"sha256\":[],\"sha256\":[]}" };
	char err[SD_ERR_MAX];
	struct sd_sigs s;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(bad); i++) {
		assert_int_not_equal(sd_sigs_get((const uint8_t *)bad[i],
					 strlen(bad[i]), &s, err),
		    VT_OK);
		assert_true(strlen(err) > 0);
	}
	assert_int_equal(sd_sigs_get((const uint8_t *)"{}", 2, &s, err), VT_OK);
	sd_sigs_free(&s);
}

static void
every_prefix_of_a_systemd_file_is_refused(void **state)
{
	size_t len, n = v.sd_len;
	char err[SD_ERR_MAX];
	struct sd_sigs s;
	uint8_t *copy;

	(void)state;
	while (n > 0 && v.sd[n - 1] != '}')
		n--; /* newlines behind it */
	for (len = 0; len < n; len++) {
		copy = malloc(len > 0 ? len : 1);
		assert_non_null(copy);
		memcpy(copy, v.sd, len);
		assert_int_equal(sd_sigs_get(copy, len, &s, err), VT_E_FORMAT);
		free(copy);
	}
}

/* Of one bank and of several together. */
static void
a_systemd_file_holds_so_many(void **state)
{
	struct sd_sigs s, t;
	char err[SD_ERR_MAX];
	struct sd_sig one;
	json_t *root;
	char *text;
	int i;

	(void)state;
	assert_int_equal(sd_sigs_get(v.sd, v.sd_len, &s, err), VT_OK);
	one = s.list[0];
	s.n = 0;
	for (i = 0; i < SD_MAX; i++) {
		be32_put(one.pol, (uint32_t)i);
		one.alg = i % 2 ? ALG_SHA256 : ALG_SHA384;
		assert_int_equal(sd_sigs_add(&s, &one, 0), VT_OK);
	}
	be32_put(one.pol, SD_MAX);
	assert_int_equal(sd_sigs_add(&s, &one, 0), VT_E_RANGE);
	root = sd_sigs_json(&s);
	text = json_dumps(root, 0);
	assert_int_equal(
	    sd_sigs_get((uint8_t *)text, strlen(text), &t, err), VT_OK);
	assert_int_equal(t.n, SD_MAX);
	sd_sigs_free(&t);
	free(text);
	json_array_append(json_object_get(root, "sha256"),
	    json_array_get(json_object_get(root, "sha256"), 0));
	text = json_dumps(root, 0);
	assert_int_equal(
	    sd_sigs_get((uint8_t *)text, strlen(text), &t, err), VT_E_RANGE);
	free(text);
	json_decref(root);
	sd_sigs_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_and_written_the_same),
		cmocka_unit_test(other_members_are_kept),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(wrong_members_are_refused_and_named),
		cmocka_unit_test(only_the_newest_are_kept),
		cmocka_unit_test(the_running_boot_stays_approved),
		cmocka_unit_test(thinning_leaves_the_newest),
		cmocka_unit_test(a_full_file_says_so),
		cmocka_unit_test(the_approval_that_fits_is_chosen),
		cmocka_unit_test(refusals_say_what_is_wrong),
		cmocka_unit_test(each_signed_bit_counts),
		cmocka_unit_test(banks_are_sorted_and_joined),
		cmocka_unit_test(systemd_signatures_verify),
		cmocka_unit_test(wrong_systemd_members_are_refused),
		cmocka_unit_test(a_systemd_signature_is_bounded),
		cmocka_unit_test(wrong_systemd_files_are_refused),
		cmocka_unit_test(every_prefix_of_a_systemd_file_is_refused),
		cmocka_unit_test(a_systemd_file_holds_so_many),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
