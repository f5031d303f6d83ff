/* SPDX-License-Identifier: BSD-3-Clause */
/* no_xen.h - the whole test where the headers of Xen are missing: skipped. */
#ifndef TESTS_UNIT_NO_XEN_H
#define TESTS_UNIT_NO_XEN_H

static void
needs_the_headers_of_xen(void **state)
{
	(void)state;
	skip();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_the_headers_of_xen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
