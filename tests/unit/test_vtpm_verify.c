/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "measure/library/vtpm_verify.h"
#include "tests/unit/sample.h"

struct fix {
	struct sample s;
	struct vtpm_verifier *v;
	struct vtpm_expect x;
	char *json; /* the evidence */
};

static void
fix_json(struct fix *f)
{
	free(f->json);
	f->json = NULL;
	assert_int_equal(bundle_format(f->s.ev, &f->json), VT_OK);
}

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	sample_init(&f->s);
	fix_json(f);
	assert_non_null(f->v = vtpm_verifier_new());
	assert_int_equal(vtpm_verifier_set_policy(
			     f->v, f->s.policy_json, strlen(f->s.policy_json)),
	    0);
	assert_int_equal(
	    vtpm_verifier_set_ca(f->v, f->s.ca.der, f->s.ca.len), 0);
	assert_int_equal(vtpm_verifier_set_time(f->v, TC_NOW), 0);
	f->x.size = sizeof(f->x);
	f->x.nonce = sample_nonce;
	f->x.nonce_len = sizeof(sample_nonce);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	vtpm_verifier_free(f->v);
	sample_done(&f->s);
	free(f->json);
	free(f);
	return 0;
}

static struct vtpm_report *
judged(struct fix *f)
{
	struct vtpm_report *r = NULL;

	if (vtpm_verifier_judge(f->v, f->json, strlen(f->json), &f->x, &r) != 0)
		fail_msg("%s", vtpm_verifier_error(f->v));
	assert_non_null(r);
	return r;
}

static void
expect_verdict(struct fix *f, enum vtpm_verdict want, const char *reason)
{
	struct vtpm_report *r = judged(f);

	assert_int_equal(vtpm_report_verdict(r), want);
	assert_string_equal(vtpm_report_reason(r), reason);
	vtpm_report_free(r);
}

/* The call fails so, and says this. */
static void
expect_error(struct fix *f, int want, const char *text)
{
	struct vtpm_report *r = NULL;

	assert_int_equal(
	    vtpm_verifier_judge(f->v, f->json, strlen(f->json), &f->x, &r),
	    want);
	assert_null(r);
	assert_string_equal(vtpm_verifier_error(f->v), text);
}

static void
good_evidence_is_accepted_and_named(void **state)
{
	struct fix *f = *state;
	struct vtpm_report *r = judged(f);
	struct vtpm_check c;
	size_t i;

	assert_int_equal(vtpm_report_verdict(r), VTPM_ACCEPTED);
	assert_string_equal(vtpm_report_reason(r), "");
	assert_string_equal(
	    vtpm_report_uuid(r), "abababab-abab-abab-abab-abababababab");
	assert_string_equal(vtpm_report_root(r), "software root");
	assert_true(vtpm_report_count(r) > 20);
	for (i = 0; i < vtpm_report_count(r); i++) {
		assert_int_equal(vtpm_report_check(r, i, &c), 0);
		assert_true(c.id[0] != '\0' && c.text[0] != '\0');
		assert_true(c.outcome <= VTPM_NOTE);
	}
	assert_int_equal(vtpm_report_check(r, i, &c), VTPM_E_ARGUMENT);
	assert_non_null(strstr(vtpm_report_json(r), "\"vtpm-verdict\""));
	assert_ptr_equal(vtpm_report_json(r), vtpm_report_json(r));
	vtpm_report_free(r);
}

/* A policy that has another digest for the kernel's command line. */
static char *
other_command_line(const char *policy)
{
	char *text = strdup(policy), *at;

	assert_non_null(text);
	at = strstr(text, "kernel command line");
	assert_non_null(at);
	for (at -= 64; strncmp(at, "\"digest\": \"", 11) != 0;)
		at--;
	at += sizeof("\"digest\": \"") - 1;
	*at = *at == '0' ? '1' : '0';
	return text;
}

static void
a_refusal_has_what_differs(void **state)
{
	struct fix *f = *state;
	char *policy = other_command_line(f->s.policy_json);
	struct vtpm_difference d;
	struct vtpm_report *r = judged(f);

	assert_int_equal(vtpm_report_differences(r), 0);
	assert_int_equal(vtpm_report_difference(r, 0, &d), VTPM_E_ARGUMENT);
	vtpm_report_free(r);
	assert_int_equal(
	    vtpm_verifier_set_policy(f->v, policy, strlen(policy)), 0);
	r = judged(f);
	assert_int_equal(vtpm_report_verdict(r), VTPM_REFUSED);
	assert_int_equal(vtpm_report_differences(r), 1);
	assert_int_equal(vtpm_report_difference(r, 0, &d), 0);
	assert_int_equal(d.pcr, 8);
	assert_string_equal(d.expected, d.came);
	assert_string_equal(d.text, vtpm_report_reason(r));
	assert_non_null(strstr(d.text, "other content of: kernel command"));
	assert_int_equal(vtpm_report_difference(r, 1, &d), VTPM_E_ARGUMENT);
	vtpm_report_free(r);
	free(policy);
}

/* A policy that wants n events more in PCR 8. */
static char *
longer_list(const char *policy, uint32_t n)
{
	json_t *o = json_loads(policy, 0, NULL), *list;
	char hex[2 * SHA256_LEN + 1], *text;
	uint32_t i;

	assert_non_null(o);
	list = json_object_get(
	    json_object_get(json_object_get(o, "banks"), "sha256"), "8");
	list = json_object_get(list, "events");
	for (i = 0; i < n; i++) {
		(void)snprintf(hex, sizeof(hex), "%064x", i + 1);
		assert_int_equal(
		    json_array_append_new(list, json_string(hex)), 0);
	}
	text = json_dumps(o, 0);
	assert_non_null(text);
	json_decref(o);
	return text;
}

static void
what_is_not_listed_is_counted(void **state)
{
	static const struct {
		uint32_t missing;
		size_t listed, more;
	} cases[] = { { 0, 0, 0 }, { 256, 256, 0 }, { 257, 256, 1 },
		{ 300, 256, 44 } };
	struct fix *f = *state;
	struct vtpm_report *r;
	char *policy;
	size_t i;

	for (i = 0; i < VT_NELEM(cases); i++) {
		policy = longer_list(f->s.policy_json, cases[i].missing);
		assert_int_equal(
		    vtpm_verifier_set_policy(f->v, policy, strlen(policy)), 0);
		r = judged(f);
		assert_int_equal(vtpm_report_differences(r), cases[i].listed);
		assert_int_equal(
		    vtpm_report_more_differences(r), cases[i].more);
		vtpm_report_free(r);
		free(policy);
	}
}

static void
a_report_outlives_its_verifier(void **state)
{
	struct fix *f = *state;
	struct vtpm_report *r;

	assert_int_equal(vtpm_verifier_set_memory(f->v, 1 << 20), 0);
	vtpm_report_free(judged(f)); /* the second comes from memory */
	r = judged(f);
	vtpm_verifier_free(f->v);
	f->v = NULL;
	assert_int_equal(vtpm_report_verdict(r), VTPM_ACCEPTED);
	assert_non_null(vtpm_report_json(r));
	vtpm_report_free(r);
}

static void
what_was_expected_is_held_against_the_evidence(void **state)
{
	static const uint64_t other_firmware = 1;
	struct fix *f = *state;
	uint8_t uuid[UUID_LEN], nonce[sizeof(sample_nonce)] = { 0 };

	memcpy(uuid, f->s.inst.uuid, UUID_LEN);
	f->x.uuid = uuid;
	expect_verdict(f, VTPM_ACCEPTED, "");
	uuid[15] ^= 1;
	expect_verdict(
	    f, VTPM_REFUSED, "this is another vTPM than the one asked for");
	f->x.uuid = NULL;
	f->x.firmware = &other_firmware;
	expect_verdict(
	    f, VTPM_REFUSED, "the TPM runs other firmware than expected");
	f->x.firmware = NULL;
	f->x.nonce = nonce;
	assert_int_equal(vtpm_verifier_error(f->v)[0], '\0');
	{
		struct vtpm_report *r = judged(f);

		assert_int_equal(vtpm_report_verdict(r), VTPM_REFUSED);
		vtpm_report_free(r);
	}
}

static void
counters_may_not_run_backwards(void **state)
{
	struct fix *f = *state;
	char *old;

	f->s.f.clock += 1000;
	sample_quote(&f->s);
	assert_int_equal(bundle_format(f->s.ev, &old), VT_OK);
	f->x.previous = old;
	f->x.previous_len = strlen(old);
	expect_verdict(f, VTPM_REFUSED,
	    "the TPM's clock ran backwards: an older state was put back");
	free(f->json);
	f->json = strdup(old); /* the same one again is no step back */
	expect_verdict(f, VTPM_ACCEPTED, "");
	f->x.previous_len--;
	{
		struct vtpm_report *r = NULL;

		assert_int_equal(vtpm_verifier_judge(
				     f->v, f->json, strlen(f->json), &f->x, &r),
		    VTPM_E_INPUT);
		assert_null(r);
	}
	free(old);
}

static void
a_wrong_call_is_no_verdict(void **state)
{
	static const uint8_t key[32];
	struct fix *f = *state;
	struct vtpm_verifier *v = f->v;
	struct vtpm_report *r = NULL;

	f->x.size--;
	expect_error(
	    f, VTPM_E_ARGUMENT, "vtpm_expect.size is not that of this library");
	f->x.size++;
	f->x.nonce_len = 7;
	expect_error(f, VTPM_E_ARGUMENT, "the nonce has not 8 to 64 bytes");
	f->x.nonce_len = 65;
	expect_error(f, VTPM_E_ARGUMENT, "the nonce has not 8 to 64 bytes");
	f->x.nonce_len = sizeof(sample_nonce);
	f->x.channel_key = key;
	expect_error(f, VTPM_E_ARGUMENT,
	    "host states, roots and a channel key need a host");
	f->x.channel_key = NULL;
	assert_int_equal(
	    vtpm_verifier_judge(v, NULL, 5, &f->x, &r), VTPM_E_ARGUMENT);
	assert_int_equal(
	    vtpm_verifier_judge(v, f->json, strlen(f->json), NULL, &r),
	    VTPM_E_ARGUMENT);
	assert_int_equal(
	    vtpm_verifier_judge(NULL, f->json, 1, &f->x, &r), VTPM_E_ARGUMENT);
	assert_int_equal(
	    vtpm_verifier_judge_host(v, f->json, 1, NULL, &r), VTPM_E_ARGUMENT);
	assert_string_equal(vtpm_verifier_error(v), "no host was set");
	assert_int_equal(vtpm_verifier_set_time(v, -1), VTPM_E_ARGUMENT);
	assert_null(r);
	f->v = vtpm_verifier_new();
	expect_error(f, VTPM_E_ARGUMENT, "no policy was set");
	vtpm_verifier_free(f->v);
	f->v = v;
	expect_verdict(f, VTPM_ACCEPTED, "");
}

static void
bad_inputs_are_named_and_leave_the_old_ones(void **state)
{
	struct fix *f = *state;
	struct vtpm_verifier *v = f->v;
	/* clang-format off */
	const struct {
		int		(*set)(struct vtpm_verifier *, const void *,
				    size_t);
		const char	*text, *error;
	} cases[] = {
		{ vtpm_verifier_set_policy, "{}",
		    "\"format\" is not \"vtpm-policy 1\"" },
		{ vtpm_verifier_set_ca, "", "the CA is empty or too long" },
		{ vtpm_verifier_set_host, "{}",
		    "host: format: this is not a vtpm-host file" },
		{ vtpm_verifier_set_host_states, "[]",
		    "host states: this is not a vtpm-host-states file, or it "
		    "has unknown keys" },
		{ vtpm_verifier_add_roots, "x",
		    "the roots hold something that is not a CA certificate" },
	};
	/* clang-format on */
	size_t i;

	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].error);
		assert_int_equal(
		    cases[i].set(v, cases[i].text, strlen(cases[i].text)),
		    VTPM_E_INPUT);
		assert_string_equal(vtpm_verifier_error(v), cases[i].error);
		assert_int_equal(cases[i].set(v, NULL, 1), VTPM_E_ARGUMENT);
		assert_int_equal(cases[i].set(NULL, "x", 1), VTPM_E_ARGUMENT);
	}
	expect_verdict(f, VTPM_ACCEPTED, "");
}

static void
a_new_policy_replaces_the_old_one_and_what_it_remembered(void **state)
{
	struct fix *f = *state;
	char *strict;

	assert_int_equal(vtpm_verifier_set_memory(f->v, 1 << 20), 0);
	expect_verdict(f, VTPM_ACCEPTED, "");
	sample_policy(&f->s, false);
	strict = f->s.policy_json;
	assert_int_equal(
	    vtpm_verifier_set_policy(f->v, strict, strlen(strict)), 0);
	expect_verdict(f, VTPM_REFUSED,
	    "software root: no physical TPM stands behind this evidence, and "
	    "the policy does not allow that (allow_software_root)");
}

static void
without_a_ca_nothing_is_decided(void **state)
{
	struct fix *f = *state;
	struct vtpm_verifier *v = f->v;
	struct vtpm_report *r;

	f->v = vtpm_verifier_new();
	assert_int_equal(vtpm_verifier_set_policy(
			     f->v, f->s.policy_json, strlen(f->s.policy_json)),
	    0);
	r = judged(f);
	assert_int_equal(vtpm_report_verdict(r), VTPM_UNDECIDED);
	assert_null(vtpm_report_uuid(r));
	assert_string_equal(vtpm_report_root(r), "unknown root");
	vtpm_report_free(r);
	vtpm_verifier_free(f->v);
	f->v = v;
}

static void
null_is_a_no_op(void **state)
{
	(void)state;
	vtpm_verifier_free(NULL);
	vtpm_report_free(NULL);
	assert_string_equal(vtpm_verifier_error(NULL), "out of memory");
	assert_true(vtpm_verify_version()[0] != '\0');
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(good_evidence_is_accepted_and_named),
		T(a_refusal_has_what_differs),
		T(what_is_not_listed_is_counted),
		T(a_report_outlives_its_verifier),
		T(what_was_expected_is_held_against_the_evidence),
		T(counters_may_not_run_backwards),
		T(a_wrong_call_is_no_verdict),
		T(bad_inputs_are_named_and_leave_the_old_ones),
		T(a_new_policy_replaces_the_old_one_and_what_it_remembered),
		T(without_a_ca_nothing_is_decided),
		cmocka_unit_test(null_is_a_no_op),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
