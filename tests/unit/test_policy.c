/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "measure/appraise/policy.h"
#include "measure/appraise/policy_gen.h"
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

static void
what_is_not_the_format_is_refused(void **state)
{
	static const struct {
		const char *what, *json;
		int want;
	} cases[] = {
		{ "empty", "", VT_E_FORMAT },
		{ "a list", "[]", VT_E_FORMAT },
		{ "no format", "{" BANK(OK_PCR), VT_E_FORMAT },
		{ "other format",
		    "{\"format\": \"vtpm-policy 2\", " BANK(OK_PCR),
		    VT_E_FORMAT },
		{ "unknown key", HEAD "\"x\": 1, " BANK(OK_PCR), VT_E_FORMAT },
		{ "key twice",
		    HEAD "\"name\": \"a\", \"name\": \"b\"," BANK(OK_PCR),
		    VT_E_FORMAT },
		{ "trailing bytes", HEAD BANK(OK_PCR) "x", VT_E_FORMAT },
		{ "unknown bank", HEAD "\"banks\": {\"md5\": {" OK_PCR "}}}",
		    VT_E_FORMAT },
		{ "PCR 24", HEAD BANK("\"24\": {\"events\": [" D1 "]}"),
		    VT_E_FORMAT },
		{ "PCR 04", HEAD BANK("\"04\": {\"events\": [" D1 "]}"),
		    VT_E_FORMAT },
		{ "PCR x", HEAD BANK("\"x\": {\"events\": [" D1 "]}"),
		    VT_E_FORMAT },
		{ "no rule", HEAD BANK("\"4\": {}"), VT_E_FORMAT },
		{ "two rules",
		    HEAD BANK(
			"\"4\": {\"events\": [" D1 "], \"values\": [" D1 "]}"),
		    VT_E_FORMAT },
		{ "unknown rule key",
		    HEAD BANK("\"4\": {\"events\": [" D1 "], \"x\": 1}"),
		    VT_E_FORMAT },
		{ "digest too short",
		    HEAD BANK("\"4\": {\"values\": [\"11\"]}"), VT_E_FORMAT },
		{ "digest of another bank",
		    HEAD BANK("\"4\": {\"values\": [" S1 "]}"), VT_E_FORMAT },
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
		{ "launch elsewhere",
		    HEAD BANK(OK_PCR ", \"18\": {\"launch\": true}"),
		    VT_E_FORMAT },
		{ "launch false",
		    HEAD BANK(OK_PCR ", \"17\": {\"launch\": false}"),
		    VT_E_FORMAT },
		{ "unknown role",
		    HEAD "\"launch\": {\"files\": {\"x\": {\"sha256\": [" D1
			 "]}}}, " BANK(OK_PCR),
		    VT_E_FORMAT },
		{ "require no bool",
		    HEAD "\"require\": {\"log\": 1}, " BANK(OK_PCR),
		    VT_E_FORMAT },
		{ "name no text", HEAD "\"name\": 3, " BANK(OK_PCR),
		    VT_E_FORMAT },
		{ "name null", HEAD "\"name\": null, " BANK(OK_PCR),
		    VT_E_FORMAT },
		{ "optional value",
		    HEAD BANK("\"4\": {\"values\": [{\"digest\": " D1
			      ", \"optional\": true}]}"),
		    VT_E_FORMAT },
		{ "repeated alternative",
		    HEAD BANK("\"4\": {\"events\": [{\"any\": [{\"digest\":"
			      " " D1 ", \"repeat\": true}]}]}"),
		    VT_E_FORMAT },
		{ "initrd both ways",
		    HEAD
		    "\"allow\": {\"unmeasured-initrd\": \"x\"}, " BANK(OK_PCR),
		    VT_E_FORMAT },
	};
	struct policy *p = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("%s:\n", cases[i].what);
		assert_int_equal(parse(cases[i].json, &p), cases[i].want);
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
		cmocka_unit_test(what_must_occur_is_looked_for),
		cmocka_unit_test(without_an_initrd_no_policy_is_made),
		cmocka_unit_test(a_bad_boot_is_no_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
