/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_swtpm_dropin.c - what the programs by swtpm's names read: option lists,
 * records of state folders, and the requests that pass by.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/swtpm/link.h"
#include "tools/swtpm/tap.h"
#include "tools/swtpm/words.h"

#define RECORD                                                      \
	"vtpm-swtpm 1\nuuid 6f2a3b8e-1d43-4a77-9a2e-0c5b7d91e301\n" \
	"manager private\ncreated yes\n"

static int
parse(const void *text, size_t len, struct link_rec *ret)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, text, len);
	rc = link_parse(copy, len, ret);
	free(copy);
	return rc;
}

static void
a_record_is_read_as_it_was_written(void **state)
{
	uint8_t buf[RECORD_MAX];
	struct link_rec r;

	(void)state;
	assert_int_equal(parse(RECORD, strlen(RECORD), &r), VT_OK);
	assert_string_equal(r.uuid, "6f2a3b8e-1d43-4a77-9a2e-0c5b7d91e301");
	assert_true(r.private && r.created);
	link_format(&r, buf);
	assert_string_equal((char *)buf, RECORD);
	assert_int_equal(parse(buf, sizeof(buf), &r), VT_OK);
}

static void
no_prefix_of_a_record_is_one(void **state)
{
	struct link_rec r;
	size_t len;

	(void)state;
	assert_int_equal(parse("", 0, &r), VT_E_NOTFOUND);
	assert_int_equal(parse("\0\0\0", 3, &r), VT_E_NOTFOUND);
	for (len = 1; len < strlen(RECORD); len++)
		assert_int_equal(parse(RECORD, len, &r), VT_E_FORMAT);
	assert_int_equal(
	    parse(RECORD "\n", strlen(RECORD) + 1, &r), VT_E_FORMAT);
	assert_int_equal(
	    parse(RECORD "\0x", strlen(RECORD) + 2, &r), VT_E_FORMAT);
}

static void
a_list_has_each_key_once(void **state)
{
	char big[LIST_TEXT_MAX + 1];
	struct list l;
	long v = -1;

	(void)state;
	assert_int_equal(
	    list_parse(&l, "type=unixio,path=/a=b,mode=0600,terminate"), VT_OK);
	assert_string_equal(list_get(&l, "path"), "/a=b");
	assert_string_equal(list_get(&l, "terminate"), "");
	assert_null(list_get(&l, "uid"));
	assert_int_equal(list_number(&l, "mode", 8, 0777, &v), VT_OK);
	assert_int_equal(v, 0600);
	assert_int_equal(list_number(&l, "mode", 8, 0177, &v), VT_E_FORMAT);
	assert_int_equal(list_number(&l, "path", 8, 0777, &v), VT_E_FORMAT);
	assert_string_equal(list_unknown(&l, "type path mode"), "terminate");
	assert_null(list_unknown(&l, "type path mode terminate"));
	assert_int_equal(list_parse(&l, "a=1,a=2"), VT_E_FORMAT);
	assert_int_equal(list_parse(&l, "a=1,"), VT_E_FORMAT);
	assert_int_equal(list_parse(&l, "=1"), VT_E_FORMAT);
	assert_int_equal(
	    list_parse(&l, "a,b,c,d,e,f,g,h,i,j,k,l,m"), VT_E_RANGE);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(list_parse(&l, big), VT_E_RANGE);
}

#define BIT(op) (UINT32_C(1) << (op))
#define W(op) 0, 0, 0, op

/* QEMU's requests, and those that look like a SHUTDOWN and are none. */
static const uint8_t stream[] = { W(SO_SET_DATAFD), W(SO_SET_LOCALITY), 0, 0, 0,
	0, W(SO_SET_BUFFERSIZE), 0, 0, 0, 3, W(SO_SET_STATEBLOB), W(1), W(1),
	W(8), W(3), W(3), W(SO_INIT), W(3), W(SO_SHUTDOWN) };

static void
a_body_is_no_request(void **state)
{
	uint32_t all = BIT(SO_SET_DATAFD) | BIT(SO_SET_LOCALITY) |
		       BIT(SO_SET_BUFFERSIZE) | BIT(SO_SET_STATEBLOB) |
		       BIT(SO_INIT);
	struct tap t = { .have = 0 };
	uint32_t seen = 0;
	size_t i;

	(void)state;
	assert_int_equal(tap_feed(&t, stream, sizeof(stream) - 4), all);
	assert_int_equal(
	    tap_feed(&t, stream + sizeof(stream) - 4, 4), BIT(SO_SHUTDOWN));
	memset(&t, 0, sizeof(t));
	for (i = 0; i < sizeof(stream) - 1; i++)
		seen |= tap_feed(&t, &stream[i], 1);
	assert_int_equal(seen, all);
	assert_int_equal(tap_feed(&t, &stream[i], 1), BIT(SO_SHUTDOWN));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read_as_it_was_written),
		cmocka_unit_test(no_prefix_of_a_record_is_one),
		cmocka_unit_test(a_list_has_each_key_once),
		cmocka_unit_test(a_body_is_no_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
