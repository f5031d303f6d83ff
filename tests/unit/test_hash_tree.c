/* SPDX-License-Identifier: BSD-3-Clause */
/* test_hash_tree.c - the tree pins every change, and only what it hit. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "vtpm_manager/store/hash_tree.h"

#define MAX_PAGES 64

struct page {
	uint8_t level;
	uint32_t index;
	size_t len;
	uint8_t bytes[HT_PAGE_MAX];
};
struct disk {
	struct page pages[MAX_PAGES];
	size_t n;
	uint8_t root[HT_LEN];
	uint32_t nslots;
};

static struct page *
disk_find(struct disk *d, uint8_t level, uint32_t index)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (d->pages[i].level == level && d->pages[i].index == index)
			return &d->pages[i];
	return NULL;
}

static int
disk_put(uint8_t level, uint32_t index, const uint8_t *p, size_t len, void *arg)
{
	struct disk *d = arg;
	struct page *pg = disk_find(d, level, index);

	if (pg == NULL) {
		assert_true(d->n < MAX_PAGES);
		pg = &d->pages[d->n++];
	}
	pg->level = level;
	pg->index = index;
	pg->len = len;
	memcpy(pg->bytes, p, len);
	return 0;
}

static void
disk_sync(struct disk *d, struct ht *t)
{
	assert_int_equal(ht_update(t, d->root), VT_OK);
	assert_int_equal(ht_each_dirty(t, disk_put, d), VT_OK);
	ht_clean(t);
	d->nslots = ht_slots(t);
}

static struct ht *
disk_load(const struct disk *d, uint32_t *bad)
{
	struct ht *t = NULL;
	size_t i;

	assert_int_equal(ht_new(d->nslots, &t), VT_OK);
	for (i = 0; i < d->n; i++)
		assert_int_equal(
		    ht_load(t, d->pages[i].level, d->pages[i].index,
			d->pages[i].bytes, d->pages[i].len),
		    VT_OK);
	assert_int_equal(ht_check(t, d->root, bad), VT_OK);
	return t;
}

static void
set(struct ht *t, uint32_t slot, uint32_t val)
{
	uint8_t leaf[HT_LEN] = { 1 }, label[HT_LABEL_LEN] = { 2 };

	be32_put(leaf + 4, slot);
	be32_put(leaf + 8, val);
	be32_put(label + 4, slot);
	assert_int_equal(ht_set(t, slot, leaf, label), VT_OK);
}

static void
build(struct disk *d, uint32_t n)
{
	struct ht *t = NULL;
	uint32_t i;

	memset(d, 0, sizeof(*d));
	assert_int_equal(ht_new(0, &t), VT_OK);
	for (i = 0; i < n; i++)
		set(t, i, 0);
	disk_sync(d, t);
	ht_free(t);
}

static uint32_t
count_bad(const struct disk *d)
{
	uint32_t bad, i, n = 0;
	struct ht *t = disk_load(d, &bad);

	for (i = 0; i < d->nslots; i++)
		n += !ht_slot_ok(t, i);
	ht_free(t);
	return n;
}

static const uint32_t sizes[] = { 1, 15, 16, 17, 255, 256, 257, 600 };
static struct disk disk, old;

static void
what_was_stored_is_good(void **state)
{
	uint8_t leaf[HT_LEN], label[HT_LABEL_LEN];
	uint32_t bad;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(sizes); i++) {
		struct ht *t;

		build(&disk, sizes[i]);
		t = disk_load(&disk, &bad);
		assert_int_equal(bad, 0);
		ht_get(t, sizes[i] - 1, leaf, label);
		assert_int_equal(be32_get(leaf + 4), sizes[i] - 1);
		assert_int_equal(be32_get(label + 4), sizes[i] - 1);
		assert_false(ht_slot_ok(t, sizes[i]));
		ht_free(t);
	}
}

static void
grown_step_by_step_is_the_same_tree(void **state)
{
	struct ht *t = NULL;
	uint32_t i;

	(void)state;
	build(&old, 300);
	memset(&disk, 0, sizeof(disk));
	assert_int_equal(ht_new(0, &t), VT_OK);
	for (i = 0; i < 300; i++) {
		set(t, i, 0);
		disk_sync(&disk, t);
	}
	ht_free(t);
	assert_memory_equal(disk.root, old.root, HT_LEN);
	assert_int_equal(disk.n, old.n);
	assert_int_equal(count_bad(&disk), 0);
}

static int
count_page(
    uint8_t level, uint32_t index, const uint8_t *p, size_t len, void *arg)
{
	(void)level;
	(void)index;
	(void)p;
	(void)len;
	++*(int *)arg;
	return 0;
}

static void
one_leaf_costs_one_page_per_level(void **state)
{
	static const struct {
		uint32_t n;
		int pages;
	} cases[] = { { 16, 1 }, { 256, 2 }, { 600, 3 } };
	uint8_t root[HT_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		struct ht *t;
		uint32_t bad;
		int n = 0;

		build(&disk, cases[i].n);
		t = disk_load(&disk, &bad);
		assert_int_equal(ht_each_dirty(t, count_page, &n), VT_OK);
		assert_int_equal(n, 0);
		set(t, cases[i].n / 2, 7);
		assert_int_equal(ht_update(t, root), VT_OK);
		assert_memory_not_equal(root, disk.root, HT_LEN);
		assert_int_equal(ht_each_dirty(t, count_page, &n), VT_OK);
		assert_int_equal(n, cases[i].pages);
		ht_free(t);
	}
}

/* Slots under a page, within n. */
static uint32_t
under(const struct page *pg, uint32_t n)
{
	uint64_t span = HT_ARITY, first, end;
	uint8_t l;

	for (l = 0; l < pg->level; l++)
		span *= HT_ARITY;
	first = span * pg->index;
	end = first + span;
	return (uint32_t)((end < n ? end : n) - first);
}

static void
a_changed_byte_spoils_the_slots_under_it_only(void **state)
{
	size_t i, off;

	(void)state;
	build(&disk, 273); /* 18 leaf pages, 2 above, 1 on top */
	for (i = 0; i < disk.n; i++) {
		struct page *pg = &disk.pages[i];

		for (off = 0; off < pg->len; off += off < 40 ? 1 : 97) {
			pg->bytes[off] ^= 0x10;
			assert_int_equal(count_bad(&disk), under(pg, 273));
			pg->bytes[off] ^= 0x10;
		}
	}
	disk.root[31] ^= 1;
	assert_int_equal(count_bad(&disk), 273);
}

static void
a_missing_page_spoils_the_slots_under_it(void **state)
{
	struct page *pg;

	(void)state;
	build(&disk, 273);
	pg = disk_find(&disk, 0, 3);
	assert_non_null(pg);
	*pg = disk.pages[--disk.n];
	assert_int_equal(count_bad(&disk), 16);
}

/* An old page, and the old page above it too: both are seen, and stay so
 * when something beside them is written. */
static void
an_old_page_never_comes_good_again(void **state)
{
	uint8_t level;
	uint32_t bad;

	(void)state;
	for (level = 0; level < 2; level++) {
		struct ht *t;

		build(&disk, 273);
		old = disk;
		t = disk_load(&disk, &bad);
		set(t, 20, 5);
		disk_sync(&disk, t);
		ht_free(t);
		*disk_find(&disk, 0, 1) = *disk_find(&old, 0, 1);
		if (level == 1)
			*disk_find(&disk, 1, 0) = *disk_find(&old, 1, 0);

		t = disk_load(&disk, &bad);
		assert_int_equal(bad, level == 0 ? 1 : 16);
		assert_false(ht_slot_ok(t, 20));
		assert_true(ht_slot_ok(t, 272));
		set(t, 40, 6); /* in a page beside it */
		set(t, 272, 6);
		disk_sync(&disk, t);
		ht_free(t);

		t = disk_load(&disk, &bad);
		assert_false(ht_slot_ok(t, 20));
		assert_true(ht_slot_ok(t, 40));
		assert_true(ht_slot_ok(t, 272));
		ht_free(t);
	}
}

/* Written to, a spoilt page is whole again, its other leaves are poison. */
static void
a_spoilt_page_keeps_nothing_of_its_leaves(void **state)
{
	uint8_t leaf[HT_LEN], label[HT_LABEL_LEN], poison[HT_LEN];
	struct ht *t;
	uint32_t bad;

	(void)state;
	memset(poison, HT_POISON, sizeof(poison));
	build(&disk, 40);
	disk_find(&disk, 0, 1)->bytes[3] ^= 1;
	t = disk_load(&disk, &bad);
	set(t, 17, 9);
	disk_sync(&disk, t);
	ht_free(t);
	t = disk_load(&disk, &bad);
	assert_int_equal(bad, 0);
	ht_get(t, 16, leaf, label);
	assert_memory_equal(leaf, poison, HT_LEN);
	assert_int_equal(be32_get(label + 4), 0);
	ht_get(t, 17, leaf, label);
	assert_int_equal(be32_get(leaf + 8), 9);
	ht_free(t);
}

static void
pages_of_another_shape_are_refused(void **state)
{
	uint8_t p[HT_PAGE_MAX] = { 0 };
	struct ht *t = NULL;

	(void)state;
	assert_int_equal(ht_new(HT_MAX_SLOTS + 1, &t), VT_E_RANGE);
	assert_int_equal(ht_new(17, &t), VT_OK);
	assert_int_equal(ht_load(t, 0, 2, p, HT_PAGE_MAX), VT_E_RANGE);
	assert_int_equal(ht_load(t, 2, 0, p, 512), VT_E_RANGE);
	assert_int_equal(ht_load(t, 0, 1, p, HT_PAGE_MAX - 1), VT_E_FORMAT);
	assert_int_equal(ht_load(t, 1, 0, p, HT_PAGE_MAX), VT_E_FORMAT);
	assert_int_equal(ht_load(t, 1, 0, p, 512), VT_OK);
	assert_int_equal(ht_set(t, HT_MAX_SLOTS, p, p), VT_E_RANGE);
	ht_free(t);
	ht_free(NULL);
}

/* Computed here as doc/FORMATS.md says. */
static void
digest_of_page(const struct page *pg, uint8_t out[HT_LEN])
{
	uint8_t buf[20 + HT_PAGE_MAX] = "\x01vTPM tree page";

	buf[15] = pg->level;
	be32_put(buf + 16, pg->index);
	memcpy(buf + 20, pg->bytes, pg->len);
	assert_int_equal(digest_buf(ALG_SHA256, buf, 20 + pg->len, out), VT_OK);
}

static void
digests_are_those_of_the_format(void **state)
{
	uint8_t got[HT_LEN], leaf[HT_LEN], label[HT_LABEL_LEN] = { 9 };
	struct disk d = { 0 };
	struct ht *t = NULL;
	uint32_t i;

	(void)state;
	assert_int_equal(ht_new(0, &t), VT_OK);
	memset(leaf, 5, sizeof(leaf));
	assert_int_equal(ht_set(t, 40, leaf, label), VT_OK);
	disk_sync(&d, t);
	ht_free(t);
	assert_int_equal(d.n, 4); /* three of leaves, one above */
	for (i = 0; i < 3; i++) {
		digest_of_page(disk_find(&d, 0, i), got);
		assert_memory_equal(
		    got, disk_find(&d, 1, 0)->bytes + i * HT_LEN, HT_LEN);
	}
	digest_of_page(disk_find(&d, 1, 0), got);
	assert_memory_equal(got, d.root, HT_LEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_those_of_the_format),
		cmocka_unit_test(what_was_stored_is_good),
		cmocka_unit_test(grown_step_by_step_is_the_same_tree),
		cmocka_unit_test(one_leaf_costs_one_page_per_level),
		cmocka_unit_test(a_changed_byte_spoils_the_slots_under_it_only),
		cmocka_unit_test(a_missing_page_spoils_the_slots_under_it),
		cmocka_unit_test(an_old_page_never_comes_good_again),
		cmocka_unit_test(a_spoilt_page_keeps_nothing_of_its_leaves),
		cmocka_unit_test(pages_of_another_shape_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
