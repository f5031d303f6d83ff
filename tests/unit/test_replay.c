/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_replay.c - logs of other people's machines and of every form give the
 * values that separate programs computed (tests/vectors/logs).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "measure/log/replay.h"
#include "tests/unit/vector.h"

#define DIR_LOGS "tests/vectors/logs/"

static const char *const forms[] = { "ima.ascii", "ima.binary", "cel.json",
	"cel.seq", "prediction.json" };

static struct bytes
log_of(const char *name)
{
	char path[128];
	struct bytes b;

	(void)snprintf(path, sizeof(path), DIR_LOGS "%s", name);
	assert_int_equal(read_file(path, 1 << 20, &b.p, &b.len), VT_OK);
	return b;
}

static struct replay *
replayed(const char *name)
{
	struct bytes b = log_of(name);
	char err[REPLAY_ERR_MAX];
	struct replay *r = NULL;

	if (replay_make(b.p, b.len, &r, err) != VT_OK)
		fail_msg("%s: %s", name, err);
	free(b.p);
	return r;
}

/* The JSON of a replay, whose "pcrs" must be want. */
static void
expect_pcrs(const char *name, const json_t *want)
{
	struct replay *r = replayed(name);
	char *text = replay_json(r);
	json_t *got;

	assert_non_null(text);
	assert_non_null(got = json_loads(text, 0, NULL));
	print_message("  %s: %s, %u events\n", name, r->form, r->n);
	assert_true(json_equal(json_object_get(got, "pcrs"), want));
	assert_int_equal(json_array_size(json_object_get(got, "events")), r->n);
	json_decref(got);
	free(text);
	replay_free(r);
}

static void
every_bank_and_value_is_right(void **state)
{
	struct bytes b = log_of("pcrs.json");
	json_t *all = json_loadb((char *)b.p, b.len, 0, NULL), *want;
	const char *name;

	(void)state;
	assert_non_null(all);
	assert_int_equal(json_object_size(all), 10);
	json_object_foreach(all, name, want)
	{
		expect_pcrs(name, want);
	}
	json_decref(all);
	free(b.p);
}

static bool
says(const struct replay *r, uint32_t pcr, const char *words)
{
	uint32_t i;

	for (i = 0; i < r->n; i++)
		if (r->ev[i].pcr == pcr && strcmp(r->ev[i].words, words) == 0)
			return true;
	return false;
}

static void
strange_events_are_described(void **state)
{
	static const struct {
		const char *log;
		uint32_t pcr;
		const char *words;
	} cases[] = {
		{ "windows-option-rom.eventlog", 12, "separator \"WBCL\"" },
		{ "windows-option-rom.eventlog", 13, "Windows boot events" },
		{ "windows-option-rom.eventlog", 11, "compact hash 0x10" },
		{ "windows-option-rom.eventlog", 1, "processor microcode" },
		{ "debian-10.eventlog", 0,
		    "non-host information \"GCE NonHostInfo\"" },
		{ "debian-10.eventlog", 0,
		    "firmware version \"GCE Virtual Firmware v1\"" },
		{ "rhel8-uefi.eventlog", 14, "shim's \"MokList\"" },
		{ "ima.ascii", 10,
		    "file \"/opt/my file\" sha256:ca978112ca1bbdca..., with a "
		    "signature" },
		{ "ima.binary", 10,
		    "file \"/var/log/x\" sha256:0000000000000000..., changed "
		    "while it was measured" },
		{ "cel.seq", 11,
		    "systemd eventType=phase string=enter-initrd timestamp=1" },
		{ "cel.json", 12, "systemd eventType=text string=quiet ??" },
	};
	struct replay *r;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		r = replayed(cases[i].log);
		print_message("  %s\n", cases[i].words);
		assert_true(says(r, cases[i].pcr, cases[i].words));
		replay_free(r);
	}
}

static void
a_list_whose_digest_does_not_fit_is_marked(void **state)
{
	struct bytes b = log_of("ima.ascii");
	char err[REPLAY_ERR_MAX];
	struct replay *r;
	uint8_t *at;

	(void)state;
	assert_non_null(at = memmem(b.p, b.len, "/etc/x", 6));
	at[5] = 'y';
	assert_int_equal(replay_make(b.p, b.len, &r, err), VT_OK);
	assert_true(r->ev[4].lies);
	assert_false(r->ev[3].lies);
	replay_free(r);
	free(b.p);
}

/* Every prefix: an error with words, or a replay of fewer events. */
static void
every_prefix_is_an_error_or_a_shorter_log(void **state)
{
	char err[REPLAY_ERR_MAX];
	struct replay *r = NULL;
	uint8_t *copy;
	struct bytes b;
	size_t i, n;
	uint32_t all;

	(void)state;
	for (i = 0; i < VT_NELEM(forms); i++) {
		r = replayed(forms[i]);
		all = r->n;
		replay_free(r);
		b = log_of(forms[i]);
		for (n = 0; n < b.len - 1; n++) {
			copy = exact_copy(b.p, n);
			r = NULL;
			if (replay_make(copy, n, &r, err) == VT_OK) {
				assert_true(r->n <= all);
				replay_free(r);
			} else {
				assert_null(r);
				assert_true(err[0] != '\0');
			}
			free(copy);
		}
		free(b.p);
	}
}

/* Every single bit: an error, or other words and values; never a crash. */
static void
every_changed_bit_is_survived(void **state)
{
	char err[REPLAY_ERR_MAX];
	struct replay *r;
	struct bytes b;
	size_t i, n;

	(void)state;
	for (i = 0; i < VT_NELEM(forms); i++) {
		b = log_of(forms[i]);
		for (n = 0; n < 8 * b.len; n++) {
			b.p[n / 8] ^= (uint8_t)(1u << n % 8);
			if (replay_make(b.p, b.len, &r, err) == VT_OK)
				replay_free(r);
			b.p[n / 8] ^= (uint8_t)(1u << n % 8);
		}
		free(b.p);
	}
}

static void
what_is_no_log_says_what_is_wrong(void **state)
{
	static const struct {
		const char *log, *words;
	} cases[] = {
		{ "", "the event log is empty" },
		{ "x", "the event log ends too early" },
		{ "[", "entry 1: not JSON" },
		{ "[]", "entry 1: there is none" },
		{ "{\"pcr\": 24}", "entry 1: \"pcr\" is not 0 to 23" },
		{ "{\"pcr\": 1, \"digests\": []}",
		    "entry 1: \"digests\" is not a list" },
		{ "{\"pcr\": 1, \"digests\": [{\"hashAlg\": \"sha256\","
		  " \"digest\": \"00\"}]}",
		    "entry 1: not a digest of its algorithm" },
		{ "10 0000000000000000000000000000000000000000 ima-buf a:00 "
		  "b\n",
		    "the measurement list names a version or an algorithm" },
		{ "10 0000000000000000000000000000000000000000 ima-ng a:00 b",
		    "the event log" },
	};
	char err[REPLAY_ERR_MAX];
	struct replay *r = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		assert_true(replay_make((const uint8_t *)cases[i].log,
				strlen(cases[i].log), &r, err) != VT_OK);
		print_message("  %s\n", err);
		assert_int_equal(
		    strncmp(err, cases[i].words, strlen(cases[i].words)), 0);
	}
	assert_null(r);
	replay_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bank_and_value_is_right),
		cmocka_unit_test(strange_events_are_described),
		cmocka_unit_test(a_list_whose_digest_does_not_fit_is_marked),
		cmocka_unit_test(every_prefix_is_an_error_or_a_shorter_log),
		cmocka_unit_test(every_changed_bit_is_survived),
		cmocka_unit_test(what_is_no_log_says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
