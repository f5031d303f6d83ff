/* SPDX-License-Identifier: BSD-3-Clause */
/* test_config.c - settings, roles and names of vtpm-managerd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "base/util.h"
#include "vtpm_manager/control/bus_roles.h"
#include "vtpm_manager/core/config.h"
#include "vtpm_manager/core/run_folder.h"

/* Exact heap copy: one byte too many is seen by ASan. */
static int
parse(struct config *c, const char *s, char *text)
{
	size_t len = strlen(s);
	char *copy = malloc(len > 0 ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, s, len);
	config_defaults(c);
	rc = config_parse(c, "f.conf", copy, len, text);
	free(copy);
	return rc;
}

static void
good_lines_are_taken(void **state)
{
	struct config c;
	char text[CFG_TEXT_MAX];

	(void)state;
	assert_int_equal(parse(&c,
			     "# comment\n"
			     "\n"
			     "  pool=7  # seven\n"
			     "root = device:/dev/tpmrm0\n"
			     "worker_uid_base = 0x10000\n"
			     "user_mode = yes\n"
			     "swtpm_localities = 0, 2,3\n"
			     "host = name#with-hash\n"
			     "anchor = strict\n"
			     "anchor_interval = 300\n"
			     "deep_pcrs = sha384:4,17-19\n"
			     "reader_users = a, b",
			     text),
	    VT_OK);
	assert_int_equal(c.pool, 7);
	assert_string_equal(c.root, "device:/dev/tpmrm0");
	assert_int_equal(c.worker_uid_base, 0x10000);
	assert_true(c.user_mode);
	assert_int_equal(c.swtpm_localities, 1 | 4 | 8);
	assert_int_equal(c.local_localities, 1);
	assert_string_equal(c.host, "name#with-hash");
	assert_string_equal(c.reader_users, "a, b");
	assert_string_equal(c.anchor, "strict");
	assert_int_equal(c.anchor_interval, 300);
	assert_int_equal(c.deep_pcrs.n, 1);
	assert_int_equal(c.deep_pcrs.banks[0].alg, ALG_SHA384);
	assert_int_equal(c.deep_pcrs.banks[0].mask, 1 << 4 | 7 << 17);
	assert_int_equal(parse(&c, "", text), VT_OK);
	assert_string_equal(c.anchor, "interval");
	assert_int_equal(c.anchor_interval, 10);
	assert_int_equal(c.deep_pcrs.n, 0);
}

static void
every_mistake_is_named_with_its_line(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*file;
		int		 want;
		const char	*text;
	} cases[] = {
		{ "pol = 1",			VT_E_NOTFOUND, "f.conf:1: there is no key 'pol'" },
		{ "\n\npool 1",			VT_E_FORMAT, "f.conf:3: " },
		{ "= 1",			VT_E_FORMAT, "f.conf:1: " },
		{ "anchor = never",		VT_E_FORMAT, "f.conf:1: anchor: 'never' is none of strict" },
		{ "anchor =",			VT_E_FORMAT, "f.conf:1: anchor: " },
		{ "anchor_interval = 0",	VT_E_RANGE, "f.conf:1: anchor_interval: " },
		{ "deep_pcrs = 0-7",		VT_E_FORMAT, "f.conf:1: deep_pcrs: '0-7' is neither `approved' nor PCRs of one bank" },
		{ "deep_pcrs = sha256:",	VT_E_FORMAT, "f.conf:1: deep_pcrs: " },
		{ "deep_pcrs = sha256:24",	VT_E_FORMAT, "f.conf:1: deep_pcrs: " },
		{ "deep_pcrs = sha256:0+sha384:0", VT_E_FORMAT, "f.conf:1: deep_pcrs: " },
		{ "deep_pcrs = sha1:0-7",	VT_E_POLICY, "f.conf:1: deep_pcrs: SHA-1 proves nothing" },
		{ "pool =",			VT_E_FORMAT, "f.conf:1: pool: '' is not a number" },
		{ "pool = -1",			VT_E_FORMAT, "f.conf:1: pool: " },
		{ "pool = 1x",			VT_E_FORMAT, "f.conf:1: pool: " },
		{ "pool = 257",			VT_E_RANGE, "f.conf:1: pool: '257' is not in 0..256" },
		{ "pool = 99999999999999999999", VT_E_RANGE, "f.conf:1: pool: " },
		{ "worker_uid_base = 0",	VT_E_RANGE, "f.conf:1: worker_uid_base: " },
		{ "user_mode = true",		VT_E_FORMAT, "f.conf:1: user_mode: 'true' is neither" },
		{ "local_localities = 4",	VT_E_FORMAT, "f.conf:1: local_localities: " },
		{ "local_localities =",		VT_E_FORMAT, "f.conf:1: local_localities: " },
		{ "local_localities = 0,",	VT_E_FORMAT, "f.conf:1: local_localities: " },
		{ "local_localities = 0 1",	VT_E_FORMAT, "f.conf:1: local_localities: " },
		{ "pool = 1\nbus = yes\nx=",	VT_E_NOTFOUND, "f.conf:3: " },
	};
	/* clang-format on */
	struct config c;
	char text[CFG_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].file);
		assert_int_equal(parse(&c, cases[i].file, text), cases[i].want);
		assert_memory_equal(text, cases[i].text, strlen(cases[i].text));
	}
}

static void
too_long_is_refused_not_cut(void **state)
{
	char line[2000], text[CFG_TEXT_MAX];
	struct config c;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "host = ", 7);
	line[7 + 64] = '\0';
	assert_int_equal(parse(&c, line, text), VT_E_RANGE);
	assert_string_equal(c.host, "");
	line[7 + 64] = 'x';
	line[7 + 63] = '\0';
	assert_int_equal(parse(&c, line, text), VT_OK);
	line[7 + 63] = 'x';
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(parse(&c, line, text), VT_E_FORMAT);
}

static void
a_nul_in_the_file_is_refused(void **state)
{
	static const char file[] = "pool = 1\0 = 2\n";
	char text[CFG_TEXT_MAX];
	struct config c;

	(void)state;
	config_defaults(&c);
	assert_int_equal(
	    config_parse(&c, "f", file, sizeof(file) - 1, text), VT_E_FORMAT);
}

static void
a_word_is_in_a_list_or_it_is_not(void **state)
{
	/* clang-format off */
	static const struct {
		const char *list, *word;
		bool want;
	} cases[] = {
		{ "a,b", "a", true },		{ "a, b", "b", true },
		{ "ab", "a", false },		{ "a", "ab", false },
		{ "", "a", false },		{ "a,,b", "b", true },
		{ "a", "", false },		{ " a ", "a", true },
	};
	/* clang-format on */
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++)
		assert_int_equal(config_list_has(cases[i].list, cases[i].word),
		    cases[i].want);
}

/* uid 1 and gid 1 are "daemon", uid 2 and gid 2 "bin" on every Debian. */
static void
roles_go_by_user_and_group(void **state)
{
	static const gid_t groups[] = { 100, 2 };
	struct config c;

	(void)state;
	config_defaults(&c);
	assert_int_equal(bus_role_of(&c, 0, 1000, NULL, 0), ROLE_ADMIN);
	assert_int_equal(bus_role_of(&c, 1000, 1000, NULL, 0), ROLE_ADMIN);
	assert_int_equal(bus_role_of(&c, 1, 1000, groups, 2), ROLE_NONE);
	(void)snprintf(c.reader_users, sizeof(c.reader_users), "x,daemon");
	assert_int_equal(bus_role_of(&c, 1, 1000, NULL, 0), ROLE_READER);
	assert_int_equal(bus_role_of(&c, 2, 1000, NULL, 0), ROLE_NONE);
	(void)snprintf(c.operator_groups, sizeof(c.operator_groups), "bin");
	assert_int_equal(bus_role_of(&c, 2, 1000, groups, 2), ROLE_OPERATOR);
	assert_int_equal(bus_role_of(&c, 2, 1000, groups, 1), ROLE_NONE);
	/* The higher role counts. */
	assert_int_equal(bus_role_of(&c, 1, 1000, groups, 2), ROLE_OPERATOR);
}

static void
names_of_guests_are_neither_paths_nor_uuids(void **state)
{
	static const char *const good[] = { "a", "A-1_b.c", "0",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"a" };
	static const char *const bad[] = { "", ".", "..", ".root", "a/b", "a b",
		"-a", "a\n", "\xc3\xa4", "a:b",
		"0df4b0e2-6f3c-4a0b-9d1e-2a3b4c5d6e7f",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aa" };
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(good); i++)
		assert_true(run_name_ok(good[i]));
	for (i = 0; i < VT_NELEM(bad); i++)
		assert_false(run_name_ok(bad[i]));
}

/* Mark the setting of a line; "# " starts text. */
static const char *
shown_setting(const char *line, unsigned int *seen)
{
	const char *p = line[0] == '#' ? line + 1 : line, *name;
	size_t i, n = strcspn(p, " =\n");

	if (n == 0)
		return NULL;
	for (i = 0; (name = config_key(i)) != NULL; i++)
		if (strlen(name) == n && memcmp(name, p, n) == 0) {
			seen[i]++;
			return p;
		}
	fail_msg("no setting: %s", line);
	return NULL;
}

static void
the_shipped_file_shows_every_setting_and_its_default(void **state)
{
	FILE *f = fopen("vtpm_manager/service/vtpm-managerd.conf", "r");
	char line[256], text[CFG_TEXT_MAX] = "";
	unsigned int seen[100] = { 0 };
	struct config shown, set, want;
	const char *p;
	size_t i;

	(void)state;
	assert_non_null(f);
	config_defaults(&shown);
	config_defaults(&set);
	config_defaults(&want);
	while (fgets(line, sizeof(line), f) != NULL)
		if ((p = shown_setting(line, seen)) != NULL &&
		    config_parse(line[0] == '#' ? &shown : &set, "shipped", p,
			strlen(p), text) != VT_OK)
			fail_msg("%s", text);
	assert_int_equal(fclose(f), 0);
	assert_memory_equal(&shown, &want, sizeof(want));
	for (i = 0; config_key(i) != NULL; i++)
		if (seen[i] != 1)
			fail_msg(
			    "%s is there %u times", config_key(i), seen[i]);
	assert_string_not_equal(set.worker_cgroup, "");
	assert_string_equal(set.control_group, "vtpm");
	assert_string_equal(set.metrics_group, "vtpm-metrics");
}

static void
what_settings_name_must_be_there(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*file;
		const char	*text; /* NULL: valid */
	} cases[] = {
		{ "", NULL },
		{ "control_group = root\nreader_users = root, daemon\n"
		  "zygote = /bin/true", NULL },
		{ "control_group = no-such", "control_group: there is no group 'no-such'" },
		{ "socket_group = no-such",  "socket_group: there is no group" },
		{ "admin_groups = root, no-such", "admin_groups: there is no group 'no-such'" },
		{ "operator_users = no-such", "operator_users: there is no user" },
		{ "zygote = /no/such",	     "zygote: /no/such: " },
		{ "hwtpm = /etc/passwd",     "hwtpm: /etc/passwd: " },
		{ "approval_key = /no/such", "approval_key: /no/such: " },
	};
	/* clang-format on */
	char text[CFG_TEXT_MAX];
	struct config c;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		assert_int_equal(parse(&c, cases[i].file, text), VT_OK);
		if (cases[i].text == NULL) {
			assert_int_equal(config_check(&c, text), VT_OK);
			continue;
		}
		assert_int_equal(config_check(&c, text), VT_E_NOTFOUND);
		assert_memory_equal(text, cases[i].text, strlen(cases[i].text));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines_are_taken),
		cmocka_unit_test(every_mistake_is_named_with_its_line),
		cmocka_unit_test(too_long_is_refused_not_cut),
		cmocka_unit_test(a_nul_in_the_file_is_refused),
		cmocka_unit_test(a_word_is_in_a_list_or_it_is_not),
		cmocka_unit_test(roles_go_by_user_and_group),
		cmocka_unit_test(
		    the_shipped_file_shows_every_setting_and_its_default),
		cmocka_unit_test(what_settings_name_must_be_there),
		cmocka_unit_test(names_of_guests_are_neither_paths_nor_uuids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
