/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "measure/appraise/policy.h"
#include "measure/appraise/policy_gen.h"
#include "measure/appraise/policy_merge.h"
#include "measure/log/journal.h"
#include "measure/log/launch_record.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "tests/unit/vector.h"

#define D1 \
	"\"1111111111111111111111111111111111111111111111111111111111111111\""
#define D2 \
	"\"2222222222222222222222222222222222222222222222222222222222222222\""
#define D0 \
	"\"0000000000000000000000000000000000000000000000000000000000000000\""
#define S1 "\"1111111111111111111111111111111111111111\""
#define HEAD "{\"format\": \"vtpm-policy 1\", \"initrd\": [" D1 "], "
#define BANK(rules) "\"banks\": {\"sha256\": {" rules "}}}"
#define OK_PCR "\"4\": {\"events\": [" D1 "]}"

static int
parse(const char *json, struct policy **ret)
{
	uint8_t *copy = exact_copy((const uint8_t *)json, strlen(json));
	char err[POLICY_ERR_MAX];
	int rc;

	rc = policy_parse(copy, strlen(json), ret, err);
	if (rc != VT_OK) {
		assert_true(strlen(err) > 0); /* always a reason */
		print_message("  %s\n", err);
	}
	free(copy);
	return rc;
}

static void
every_field_is_taken(void **state)
{
	static const char json[] =
	    "{\"format\": \"vtpm-policy 1\", \"name\": \"web\","
	    "\"require\": {\"log\": true, \"journal\": false},"
	    "\"allow\": {\"restored\": \"migration\"},"
	    "\"allow_software_root\": true,"
	    "\"initrd\": [{\"digest\": " D2 ", \"what\": \"new initrd\"}],"
	    "\"launch\": {\"configs\": [" D1 "],"
	    "  \"files\": {\"kernel\": {\"sha256\": [" D1 "," D2 "]}}},"
	    "\"banks\": {\"sha256\": {"
	    "  \"0\": {\"values\": [" D1 ", {\"digest\": " D2 "}]},"
	    "  \"8\": {\"events\": ["
	    "      {\"digest\": " D1 ", \"what\": \"a\", \"optional\": true},"
	    "      {\"any\": [" D1 "," D2 "], \"repeat\": true}],"
	    "    \"unknown\": {\"after\": \"users may extend\"}},"
	    "  \"10\": {\"ignore\": \"IMA\"},"
	    "  \"17\": {\"launch\": true}}}}";
	const struct pol_pcr *r;
	struct policy *p;

	(void)state;
	assert_int_equal(parse(json, &p), VT_OK);
	assert_string_equal(p->name, "web");
	assert_true(p->need_log);
	assert_false(p->need_journal);
	assert_true(p->need_launch);
	assert_true(p->allow_software_root);
	assert_string_equal(p->restored_reason, "migration");
	assert_null(p->sha1_reason);
	assert_int_equal(p->ninitrds, 1);
	assert_string_equal(p->initrds[0].what, "new initrd");
	assert_int_equal(p->nconfigs, 1);
	assert_int_equal(p->configs[0].val[31], 0x11);
	assert_int_equal(p->nroles, 1);
	assert_int_equal(p->roles[0].role, LR_KERNEL);
	assert_int_equal(p->roles[0].nalts, 2);
	assert_int_equal(p->nbanks, 1);
	r = p->banks[0].pcrs;
	assert_int_equal(r[0].kind, POL_VALUES);
	assert_int_equal(r[0].nvalues, 2);
	assert_int_equal(r[8].kind, POL_EVENTS);
	assert_int_equal(r[8].nsteps, 2);
	assert_true(r[8].steps[0].optional);
	assert_int_equal(r[8].steps[1].nalts, 2);
	assert_true(r[8].steps[1].repeat);
	assert_int_equal(r[8].unknown, POL_U_AFTER);
	assert_int_equal(r[10].kind, POL_IGNORE);
	assert_string_equal(r[10].reason, "IMA");
	assert_int_equal(r[17].kind, POL_LAUNCH);
	assert_int_equal(r[1].kind, POL_NONE);
	policy_free(p);
	policy_free(NULL);
}

/* DESIGN 7, "Refused by default", as far as a file can be judged alone. */
static void
a_policy_that_would_accept_anything_is_refused(void **state)
{
	static const struct {
		const char *what, *json;
	} cases[] = {
		{ "no banks", "{\"format\": \"vtpm-policy 1\","
			      " \"initrd\": [" D1 "]}" },
		{ "empty banks", HEAD "\"banks\": {}}" },
		{ "empty bank", HEAD BANK("") },
		{ "all ignored", HEAD BANK("\"4\": {\"ignore\": \"x\"}") },
		{ "launch only", HEAD BANK("\"17\": {\"launch\": true}") },
		{ "empty values", HEAD BANK("\"4\": {\"values\": []}") },
		{ "empty events", HEAD BANK("\"4\": {\"events\": []}") },
		{ "empty alternatives",
		    HEAD BANK("\"4\": {\"events\": [{\"any\": []}]}") },
		{ "all optional", HEAD BANK("\"4\": {\"events\": [{\"digest\":"
					    " " D1 ", \"optional\": true}]}") },
		{ "value of all 00",
		    HEAD BANK("\"4\": {\"values\": [" D0 "]}") },
		{ "reason missing", HEAD BANK("\"4\": {\"ignore\": \"\"}") },
		{ "reason blank", HEAD BANK("\"4\": {\"ignore\": \"  \"}") },
		{ "unknown without reason",
		    HEAD BANK("\"4\": {\"events\": [" D1 "], \"unknown\":"
			      " {\"anywhere\": \"\"}}") },
		{ "no word on the initrd", "{\"format\": \"vtpm-policy 1\","
					   " " BANK(OK_PCR) },
		{ "empty initrd", "{\"format\": \"vtpm-policy 1\","
				  " \"initrd\": [], " BANK(OK_PCR) },
		{ "SHA-1 bank", HEAD "\"banks\": {\"sha1\": {\"4\":"
				     " {\"values\": [" S1 "]}}}}" },
		{ "SHA-1 file", HEAD "\"launch\": {\"files\": {\"kernel\":"
				     " {\"sha1\": [" S1 "]}}}, " BANK(OK_PCR) },
	};
	struct policy *p = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("%s:\n", cases[i].what);
		assert_int_equal(parse(cases[i].json, &p), VT_E_POLICY);
	}
	assert_null(p);
}

static void
sha1_needs_a_reason_and_then_loads(void **state)
{
	static const char json[] =
	    "{\"format\": \"vtpm-policy 1\","
	    " \"allow\": {\"sha1\": \"TPM 1.2 guest\","
	    " \"unmeasured-initrd\": \"none used\"},"
	    " \"banks\": {\"sha1\": {\"4\": {\"values\": [" S1 "]}}}}";
	struct policy *p;

	(void)state;
	assert_int_equal(parse(json, &p), VT_OK);
	assert_int_equal(p->banks[0].len, 20);
	assert_string_equal(p->no_initrd_reason, "none used");
	policy_free(p);
}

static const struct {
	const char *what, *json;
	int want;
} bad_formats[] = {
	{ "empty", "", VT_E_FORMAT },
	{ "a list", "[]", VT_E_FORMAT },
	{ "no format", "{" BANK(OK_PCR), VT_E_FORMAT },
	{ "other format", "{\"format\": \"vtpm-policy 2\", " BANK(OK_PCR),
	    VT_E_FORMAT },
	{ "unknown key", HEAD "\"x\": 1, " BANK(OK_PCR), VT_E_FORMAT },
	{ "key twice", HEAD "\"name\": \"a\", \"name\": \"b\"," BANK(OK_PCR),
	    VT_E_FORMAT },
	{ "trailing bytes", HEAD BANK(OK_PCR) "x", VT_E_FORMAT },
	{ "unknown bank", HEAD "\"banks\": {\"md5\": {" OK_PCR "}}}",
	    VT_E_FORMAT },
	{ "PCR 24", HEAD BANK("\"24\": {\"events\": [" D1 "]}"), VT_E_FORMAT },
	{ "PCR 04", HEAD BANK("\"04\": {\"events\": [" D1 "]}"), VT_E_FORMAT },
	{ "PCR x", HEAD BANK("\"x\": {\"events\": [" D1 "]}"), VT_E_FORMAT },
	{ "no rule", HEAD BANK("\"4\": {}"), VT_E_FORMAT },
	{ "two rules",
	    HEAD BANK("\"4\": {\"events\": [" D1 "], \"values\": [" D1 "]}"),
	    VT_E_FORMAT },
	{ "unknown rule key",
	    HEAD BANK("\"4\": {\"events\": [" D1 "], \"x\": 1}"), VT_E_FORMAT },
	{ "digest too short", HEAD BANK("\"4\": {\"values\": [\"11\"]}"),
	    VT_E_FORMAT },
	{ "digest of another bank", HEAD BANK("\"4\": {\"values\": [" S1 "]}"),
	    VT_E_FORMAT },
	{ "digest no text", HEAD BANK("\"4\": {\"values\": [1]}"),
	    VT_E_FORMAT },
	{ "unknown word",
	    HEAD BANK("\"4\": {\"events\": [" D1 "], \"unknown\":"
		      " \"allow\"}"),
	    VT_E_FORMAT },
	{ "unknown with values",
	    HEAD BANK("\"4\": {\"values\": [" D1 "], \"unknown\":"
		      " \"refuse\"}"),
	    VT_E_FORMAT },
	{ "launch elsewhere", HEAD BANK(OK_PCR ", \"18\": {\"launch\": true}"),
	    VT_E_FORMAT },
	{ "launch false", HEAD BANK(OK_PCR ", \"17\": {\"launch\": false}"),
	    VT_E_FORMAT },
	{ "unknown role",
	    HEAD "\"launch\": {\"files\": {\"x\": {\"sha256\": [" D1
		 "]}}}, " BANK(OK_PCR),
	    VT_E_FORMAT },
	{ "require no bool", HEAD "\"require\": {\"log\": 1}, " BANK(OK_PCR),
	    VT_E_FORMAT },
	{ "name no text", HEAD "\"name\": 3, " BANK(OK_PCR), VT_E_FORMAT },
	{ "name null", HEAD "\"name\": null, " BANK(OK_PCR), VT_E_FORMAT },
	{ "optional value",
	    HEAD BANK("\"4\": {\"values\": [{\"digest\": " D1
		      ", \"optional\": true}]}"),
	    VT_E_FORMAT },
	{ "repeated alternative",
	    HEAD BANK("\"4\": {\"events\": [{\"any\": [{\"digest\":"
		      " " D1 ", \"repeat\": true}]}]}"),
	    VT_E_FORMAT },
	{ "initrd both ways",
	    HEAD "\"allow\": {\"unmeasured-initrd\": \"x\"}, " BANK(OK_PCR),
	    VT_E_FORMAT },
};

static void
what_is_not_the_format_is_refused(void **state)
{
	struct policy *p = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(bad_formats); i++) {
		print_message("%s:\n", bad_formats[i].what);
		assert_int_equal(
		    parse(bad_formats[i].json, &p), bad_formats[i].want);
	}
	assert_null(p);
}

static void
every_prefix_is_refused(void **state)
{
	static const char json[] = HEAD BANK(OK_PCR);
	char err[POLICY_ERR_MAX];
	struct policy *p = NULL;
	uint8_t *copy;
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(json) - 1; len++) {
		copy = exact_copy((const uint8_t *)json, len);
		assert_int_equal(policy_parse(copy, len, &p, err), VT_E_FORMAT);
		free(copy);
	}
	assert_null(p);
	assert_int_equal(parse(json, &p), VT_OK);
	policy_free(p);
}

/* --- made from a boot ----------------------------------------------------- */

static int
generate(struct policy_gen *g, char **ret)
{
	char err[POLICY_ERR_MAX];
	int rc = policy_generate(g, ret, err);

	if (rc != VT_OK)
		print_message("  %s\n", err);
	return rc;
}

static void
a_policy_made_from_a_boot_names_every_event(void **state)
{
	struct bytes b = vector_log();
	struct policy_gen g = { .name = "reference" };
	struct policy *p;
	char *json;

	(void)state;
	g.logs[1].p = b.p;
	g.logs[1].len = b.len;
	assert_int_equal(generate(&g, &json), VT_OK);
	assert_non_null(strstr(json,
	    "GRUB command \\\"linuxefi /vmlinuz console=ttyS0 panic=-1 "
	    "quiet\\\""));
	assert_int_equal(parse(json, &p), VT_OK);
	assert_true(p->need_log);
	assert_false(p->need_journal);
	assert_int_equal(p->ninitrds, 1);
	assert_string_equal(p->initrds[0].what, "file \"/initrd.gz\"");
	assert_int_equal(p->banks[0].pcrs[8].nsteps, 5);
	assert_int_equal(p->banks[0].pcrs[9].nsteps, 4);
	assert_int_equal(p->banks[0].pcrs[10].kind, POL_IGNORE);
	policy_free(p);
	free(json);
	free(b.p);
}

/* The reference boot with one byte of a digest and its GRUB text changed. */
static char *
policy_of_boot(const struct bytes *b)
{
	struct policy_gen g = { .name = "merge" };
	char *json = NULL;

	g.logs[1].p = b->p;
	g.logs[1].len = b->len;
	assert_int_equal(generate(&g, &json), VT_OK);
	return json;
}

static void
change_event(struct bytes *b, const char *text, const char *now)
{
	uint8_t was[SHA256_LEN], is[SHA256_LEN], *p;

	assert_int_equal(strlen(text), strlen(now));
	assert_int_equal(
	    digest_buf(ALG_SHA256, text, strlen(text), was), VT_OK);
	assert_int_equal(digest_buf(ALG_SHA256, now, strlen(now), is), VT_OK);
	while ((p = memmem(b->p, b->len, was, sizeof(was))) != NULL)
		memcpy(p, is, sizeof(is));
	while ((p = memmem(b->p, b->len, text, strlen(text))) != NULL)
		memcpy(p, now, strlen(now));
}

/* What shim, systemd-boot and a unified kernel image measure, and systemd's
 * phases behind it. */
static void
a_boot_by_a_unified_kernel_image_gets_a_policy(void **state)
{
	static const uint16_t alg = ALG_SHA256;
	static const struct {
		uint32_t pcr, type;
		const char *data;
		size_t len;
		const char *what;
	} steps[] = {
		{ 4, EV_EFI_BOOT_SERVICES_APPLICATION, "shim", 4,
		    "EFI application" },
		{ 14, EV_IPL, "MokList", 8, "shim's \"MokList\"" },
		{ 11, EV_IPL, ".linux", 7,
		    "part of the kernel image \".linux\"" },
		{ 12, EV_IPL, "q\0u\0i\0e\0t\0\0", 12,
		    "boot option \"quiet\"" },
		{ 13, EV_IPL, "ext", 4, "system extension \"ext\"" },
		{ 9, EV_EVENT_TAG, "\xec\x22\x3b\x8f", 4,
		    "initrd, measured by the kernel's EFI stub" },
	};
	static const uint32_t late[] = { 11, 15 }; /* no log has these */
	struct policy_gen g = { .name = "uki" };
	struct tpm_digest d = { .alg = ALG_SHA256, .len = 32 };
	struct policy *p = NULL;
	struct el_writer *w;
	struct journal *j;
	struct pcr_set pcrs;
	struct bytes log;
	char *json = NULL;
	size_t i;

	(void)state;
	assert_int_equal(el_writer_new(&alg, 1, false, &w), VT_OK);
	for (i = 0; i < VT_NELEM(steps); i++)
		el_add_data(w, steps[i].pcr, steps[i].type, steps[i].data,
		    steps[i].len);
	assert_int_equal(
	    el_writer_bytes(w, (const uint8_t **)&log.p, &log.len), VT_OK);
	j = journal_of_log(&log, &alg, 1);
	for (i = 0; i < VT_NELEM(late); i++) {
		d.val[0] = (uint8_t)(i + 1);
		assert_int_equal(
		    journal_add_extend(j, JR_EXTEND, 0, late[i], &d, 1), VT_OK);
	}
	assert_int_equal(journal_replay(j, &pcrs), VT_OK);
	pcrs.banks[0].valid = 0xffff; /* the default quote */
	g.logs[1].p = log.p;
	g.logs[1].len = log.len;
	g.journal = j;
	g.pcrs = &pcrs;
	assert_int_equal(generate(&g, &json), VT_OK);
	for (i = 0; i < VT_NELEM(steps); i++) {
		assert_int_equal(parse(json, &p), VT_OK);
		assert_int_equal(
		    p->banks[0].pcrs[steps[i].pcr].kind, POL_EVENTS);
		assert_string_equal(
		    p->banks[0].pcrs[steps[i].pcr].steps[0].alts[0].what,
		    steps[i].what);
		policy_free(p);
	}
	free(json);
	json = NULL;
	pcrs.banks[0].valid = 0x3ff; /* what was quoted before */
	assert_int_equal(generate(&g, &json), VT_E_POLICY);
	journal_free(j);
	el_writer_free(w);
}

#define LINUX "linuxefi /vmlinuz console=ttyS0 panic=-1 quiet"
#define OTHER "/vmlinuz console=ttyS0 panic=-1 loud!"
#define THIRD "/vmlinuz console=ttyS0 panic=-1 evil!"

static int
accepts(const json_t *policy, const struct bytes *b)
{
	struct policy_gen g = { .name = "merge" };
	char *text = json_dumps(policy, 0), err[POLICY_ERR_MAX];
	struct policy *p = NULL;
	int rc;

	assert_int_equal(parse(text, &p), VT_OK);
	g.logs[1].p = b->p;
	g.logs[1].len = b->len;
	rc = policy_accepts(&g, p, err);
	policy_free(p);
	free(text);
	return rc;
}

static void
several_boots_merge_into_one_policy(void **state)
{
	struct bytes a = vector_log(), b = vector_log(), c = vector_log();
	char *ja, *jb, err[POLICY_ERR_MAX];
	json_t *pa, *pb;

	(void)state;
	change_event(&b, LINUX, "linuxefi " OTHER);
	change_event(&b, LINUX + 9, OTHER);
	change_event(&c, LINUX, "linuxefi " THIRD);
	change_event(&c, LINUX + 9, THIRD);
	ja = policy_of_boot(&a);
	jb = policy_of_boot(&b);
	assert_non_null(pa = json_loads(ja, 0, NULL));
	assert_non_null(pb = json_loads(jb, 0, NULL));
	assert_int_equal(accepts(pa, &b), VT_E_POLICY);
	assert_int_equal(policy_merge(pa, pb, err), VT_OK);
	assert_int_equal(accepts(pa, &a), VT_OK);
	assert_int_equal(accepts(pa, &b), VT_OK);
	assert_int_equal(accepts(pa, &c), VT_E_POLICY);
	/* Once more changes nothing. */
	assert_int_equal(policy_merge(pa, pb, err), VT_OK);
	assert_int_equal(accepts(pa, &a), VT_OK);
	assert_int_equal(accepts(pa, &c), VT_E_POLICY);
	json_decref(pa);
	json_decref(pb);
	free(ja);
	free(jb);
	free(a.p);
	free(b.p);
	free(c.p);
}

static json_t *
events(const char *digits)
{
	json_t *list = json_array();
	char hex[65];

	for (; *digits != '\0'; digits++) {
		memset(hex, *digits, 64);
		hex[64] = '\0';
		(void)json_array_append_new(list, json_string(hex));
	}
	return json_pack(
	    "{s:{s:{s:{s:o}}}}", "banks", "sha256", "4", "events", list);
}

/* The steps of a merged list: "1", "1/2" for alternatives, "1?" if optional. */
static void
steps_of(const json_t *policy, char *out, size_t cap)
{
	const json_t *list = json_object_get(
	    json_object_get(
		json_object_get(json_object_get(policy, "banks"), "sha256"),
		"4"),
	    "events");
	size_t i, k, n = 0;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *s = json_array_get(list, i);
		const json_t *any = json_object_get(s, "any");

		for (k = 0; k < json_array_size(any); k++)
			n += (size_t)snprintf(out + n, cap - n, "%s%c",
			    k > 0 ? "/" : "",
			    json_string_value(json_object_get(
				json_array_get(any, k), "digest"))[0]);
		if (any == NULL)
			n += (size_t)snprintf(out + n, cap - n, "%c",
			    json_string_value(json_object_get(s, "digest"))[0]);
		n += (size_t)snprintf(out + n, cap - n, "%s ",
		    json_is_true(json_object_get(s, "optional")) ? "?" : "");
	}
}

static void
lists_of_events_are_aligned(void **state)
{
	static const struct {
		const char *a, *b, *want;
	} cases[] = {
		{ "123", "123", "1 2 3 " },
		{ "123", "143", "1 2/4 3 " },
		{ "123", "13", "1 2? 3 " },
		{ "13", "123", "1 2? 3 " },
		{ "12", "1234", "1 2 3? 4? " },
		{ "1253", "1463", "1 2/4 5/6 3 " },
		{ "12", "34", "1/3 2/4 " },
	};
	char got[64], err[POLICY_ERR_MAX];
	json_t *a, *b;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		a = events(cases[i].a);
		b = events(cases[i].b);
		assert_int_equal(policy_merge(a, b, err), VT_OK);
		steps_of(a, got, sizeof(got));
		assert_string_equal(got, cases[i].want);
		json_decref(a);
		json_decref(b);
	}
	a = events("1");
	b = json_pack(
	    "{s:{s:{s:{s:s}}}}", "banks", "sha256", "4", "ignore", "x");
	assert_int_equal(policy_merge(a, b, err), VT_E_POLICY);
	assert_non_null(strstr(err, "PCR 4"));
	json_decref(a);
	json_decref(b);
}

static void
what_must_occur_is_looked_for(void **state)
{
	static const char good_line[] = "/vmlinuz console=ttyS0 panic=-1 quiet";
	static const char part[] = "panic=-1";
	static const char bad[] = "init=/bin/sh";
	struct policy_need need = { .what = "command line", .pcr = 8 };
	struct bytes b = vector_log();
	struct policy_gen g = { .needs = &need, .nneeds = 1 };
	char *json = NULL;

	(void)state;
	g.logs[1].p = b.p;
	g.logs[1].len = b.len;
	need.data = good_line;
	need.len = strlen(good_line);
	assert_int_equal(generate(&g, &json), VT_OK);
	free(json);
	need.data = part;
	need.len = strlen(part);
	assert_int_equal(generate(&g, &json), VT_OK);
	free(json);
	need.data = bad;
	need.len = strlen(bad);
	json = NULL;
	assert_int_equal(generate(&g, &json), VT_E_NOTFOUND);
	need.pcr = 9;
	need.what = "kernel";
	need.data = good_line;
	need.len = strlen(good_line);
	assert_int_equal(generate(&g, &json), VT_E_NOTFOUND);
	assert_null(json);
	free(b.p);
}

/* From the journal alone there are no names: the initrd must be given. */
static void
without_an_initrd_no_policy_is_made(void **state)
{
	static const uint16_t alg = ALG_SHA256;
	static const char initrd[] = "initrd bytes";
	struct policy_need need = { .what = "initrd",
		.pcr = 9,
		.data = initrd,
		.len = 12,
		.initrd = true };
	struct bytes b = vector_log();
	struct journal *j = journal_of_log(&b, &alg, 1);
	struct tpm_digest d = { .alg = ALG_SHA256, .len = 32 };
	struct policy_gen g = { .journal = j };
	struct policy *p;
	char *json = NULL;

	(void)state;
	assert_int_equal(generate(&g, &json), VT_E_POLICY);
	g.no_initrd_reason = "built into the kernel";
	assert_int_equal(generate(&g, &json), VT_OK);
	assert_int_equal(parse(json, &p), VT_OK);
	assert_string_equal(p->no_initrd_reason, "built into the kernel");
	assert_true(p->need_journal);
	policy_free(p);
	free(json);
	/* Now one that is really in the boot. */
	assert_int_equal(digest_buf(ALG_SHA256, initrd, 12, d.val), VT_OK);
	assert_int_equal(journal_add_extend(j, JR_EXTEND, 0, 9, &d, 1), VT_OK);
	g.no_initrd_reason = NULL;
	g.needs = &need;
	g.nneeds = 1;
	assert_int_equal(generate(&g, &json), VT_OK);
	assert_int_equal(parse(json, &p), VT_OK);
	assert_int_equal(p->ninitrds, 1);
	assert_memory_equal(p->initrds[0].val, d.val, 32);
	policy_free(p);
	free(json);
	journal_free(j);
	free(b.p);
}

static void
a_bad_boot_is_no_reference(void **state)
{
	static const uint16_t alg = ALG_SHA256, sha1 = ALG_SHA1;
	struct bytes b = vector_log();
	struct journal *j = journal_of_log(&b, &alg, 1);
	struct policy_gen g = { .journal = j };
	struct pcr_set pcrs;
	char *json = NULL;

	(void)state;
	g.logs[1].p = b.p;
	g.logs[1].len = b.len;
	/* Quoted values that the log does not give. */
	vector_pcrs(&pcrs);
	pcrs.banks[0].val[4][0] ^= 1;
	g.pcrs = &pcrs;
	assert_int_equal(generate(&g, &json), VT_E_POLICY);
	g.pcrs = NULL;
	/* A worker that restarted. */
	assert_int_equal(journal_add_cap(j, PCR_ALL), VT_OK);
	assert_int_equal(generate(&g, &json), VT_E_POLICY);
	/* SHA-1 without a reason. */
	g.journal = NULL;
	g.alg = sha1;
	assert_int_equal(generate(&g, &json), VT_E_POLICY);
	g.sha1_reason = "TPM 1.2 guest";
	assert_int_equal(generate(&g, &json), VT_OK);
	free(json);
	journal_free(j);
	free(b.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_taken),
		cmocka_unit_test(
		    a_policy_that_would_accept_anything_is_refused),
		cmocka_unit_test(sha1_needs_a_reason_and_then_loads),
		cmocka_unit_test(what_is_not_the_format_is_refused),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(a_policy_made_from_a_boot_names_every_event),
		cmocka_unit_test(
		    a_boot_by_a_unified_kernel_image_gets_a_policy),
		cmocka_unit_test(several_boots_merge_into_one_policy),
		cmocka_unit_test(lists_of_events_are_aligned),
		cmocka_unit_test(what_must_occur_is_looked_for),
		cmocka_unit_test(without_an_initrd_no_policy_is_made),
		cmocka_unit_test(a_bad_boot_is_no_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
