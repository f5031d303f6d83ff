/* SPDX-License-Identifier: BSD-3-Clause */
/* test_worker_limits.c - the worker's table of limits is complete and sound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vtpm/worker/worker_jail.h"
#include "vtpm/worker/worker_limits.h"

static uint64_t
limit_of(const char *name)
{
	const struct limit_table *t = worker_limits();
	size_t i;

	for (i = 0; i < t->n; i++)
		if (strcmp(t->rows[i].name, name) == 0)
			return t->rows[i].limit;
	fail_msg("no row '%s'", name);
	return 0;
}

static void
every_row_is_whole_and_named_once(void **state)
{
	const struct limit_table *t = worker_limits();
	size_t i, k;

	(void)state;
	assert_string_equal(t->process, "vtpm-worker");
	for (i = 0; i < t->n; i++) {
		const struct limit_row *r = &t->rows[i];

		print_message("  %s\n", r->name);
		assert_true(strlen(r->name) > 0 && strlen(r->per) > 0);
		assert_true(strlen(r->unit) > 0 && strlen(r->at_limit) > 0);
		assert_true(r->limit > 0 && r->limit != LIMIT_NONE);
		assert_int_not_equal(r->at_limit[strlen(r->at_limit) - 1], '.');
		for (k = 0; k < i; k++)
			assert_string_not_equal(r->name, t->rows[k].name);
	}
}

static void
the_jail_enforces_what_the_table_says(void **state)
{
	static const struct jail_spec *const jails[] = { &worker_jail,
		&worker_jail_xen };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(jails[i]->max_memory, limit_of("memory"));
		assert_int_equal(
		    jails[i]->max_file, limit_of("one shared page's file"));
		assert_int_equal(jails[i]->max_fds, limit_of("descriptors"));
		assert_int_equal(jails[i]->max_procs, limit_of("threads"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_whole_and_named_once),
		cmocka_unit_test(the_jail_enforces_what_the_table_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
