/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_anchor_fsm.c - every order in which commits, failures, raises, crashes
 * and an attacker with all copies of the disk can follow each other.
 *
 * The model: a counter, a disk, and every root that ever may have been seen
 * by somebody.  At each crash he puts back whichever he likes.  Two things
 * must always hold: a root that a start would take has everything that is
 * safe; and the newest one on the disk is taken.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/commit/anchor_fsm.h"

/* --- the world --------------------------------------------------------- */

#define MAX_ROOTS 8
#define FIRST 10 /* the counter's first value */

struct root {
	uint8_t anchor;
	uint8_t items; /* a bit for each thing that was put */
};

enum flight { F_NONE, F_SENT, F_DONE }; /* of a raise */

struct world {
	struct anchor a; /* of the manager that runs */
	uint8_t counter;
	uint8_t flight;
	uint8_t nroots, disk; /* disk: index of the newest durable root */
	struct root roots[MAX_ROOTS];
	uint8_t safe;          /* items acknowledged as safe */
	uint8_t need[8];       /* of items that are not safe yet; 0: unknown */
	uint8_t crashes, wish; /* budgets */
};

struct walk {
	enum anchor_policy policy;
	uint8_t max_roots, max_crashes, max_wish, max_counter;
	size_t states, crashes_ahead, crashes_same, refused;
	/* visited */
	struct world *seen;
	size_t cap, n;
};

static uint64_t
hash_of(const struct world *w)
{
	const uint8_t *p = (const uint8_t *)w;
	uint64_t h = 0xcbf29ce484222325u;
	size_t i;

	for (i = 0; i < sizeof(*w); i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

/* True: we were here before. */
static bool
was_here(struct walk *k, const struct world *w)
{
	size_t at = hash_of(w) & (k->cap - 1);
	static const struct world none;

	while (memcmp(&k->seen[at], &none, sizeof(none)) != 0) {
		if (memcmp(&k->seen[at], w, sizeof(*w)) == 0)
			return true;
		at = (at + 1) & (k->cap - 1);
	}
	if (++k->n > k->cap / 2)
		fail_msg("the table is too small");
	k->seen[at] = *w;
	return false;
}

static bool
is_taken(uint64_t root, uint64_t counter)
{
	enum anchor_verdict v = anchor_judge(root, counter);

	return v == AV_SAME || v == AV_AHEAD;
}

static void
assert_sound(const struct world *w)
{
	size_t i;

	for (i = 0; i < w->nroots; i++) {
		const struct root *r = &w->roots[i];

		if (r->anchor > w->counter + 1)
			fail_msg("a root with %u, the counter is %u", r->anchor,
			    w->counter);
		if (is_taken(r->anchor, w->counter) &&
		    (r->items & w->safe) != w->safe)
			fail_msg("root %zu (%u) has items %02x, the counter "
				 "is %u, %02x are safe",
			    i, r->anchor, r->items, w->counter, w->safe);
	}
	if (!is_taken(w->roots[w->disk].anchor, w->counter))
		fail_msg("the newest root has %u, the counter is %u",
		    w->roots[w->disk].anchor, w->counter);
}

static void explore(struct walk *k, const struct world *w);

/* An item whose need is reached is acknowledged. */
static void
tell(struct world *w)
{
	int i;

	for (i = 0; i < 8; i++)
		if (w->need[i] != 0 && w->need[i] <= w->a.counter) {
			w->safe |= (uint8_t)(1u << i);
			w->need[i] = 0;
		}
}

static void
crash(struct walk *k, const struct world *was)
{
	size_t i, b;

	if (was->crashes == k->max_crashes)
		return;
	for (i = 0; i < was->nroots; i++) {
		struct world w = *was;
		const struct root *r = &w.roots[i];

		if (!is_taken(r->anchor, w.counter)) {
			k->refused++;
			continue;
		}
		if (r->anchor == w.counter)
			k->crashes_same++;
		else
			k->crashes_ahead++;
		w.crashes++;
		w.disk = (uint8_t)i;
		w.flight = F_NONE;
		memset(&w.a, 0, sizeof(w.a));
		anchor_start(&w.a, k->policy, r->anchor, w.counter);
		/* a repeated request is acknowledged again */
		for (b = 0; b < 8; b++)
			w.need[b] = (r->items & ~w.safe) >> b & 1
					? (uint8_t)w.a.need
					: 0;
		explore(k, &w);
	}
}

static void
commit(struct walk *k, const struct world *was)
{
	struct world w = *was;
	struct root *r = &w.roots[w.nroots];

	if (w.nroots == k->max_roots)
		return;
	r->anchor = (uint8_t)anchor_next(&w.a);
	r->items = (uint8_t)(w.roots[w.disk].items | 1u << w.nroots);
	w.nroots++;

	/* It crashes: the root may be anywhere, on the disk too. */
	assert_sound(&w);
	crash(k, &w);

	/* It fails, and what was put is forgotten. */
	{
		struct world f = w;

		anchor_failed(&f.a, r->anchor);
		explore(k, &f);
	}
	w.need[w.nroots - 1] = (uint8_t)anchor_committed(&w.a, r->anchor);
	w.disk = (uint8_t)(w.nroots - 1);
	tell(&w);
	explore(k, &w);
}

static void
raise_step(struct walk *k, const struct world *was)
{
	struct world w = *was;

	switch (w.flight) {
	case F_NONE:
		if (anchor_step(&w.a) != AA_RAISE ||
		    w.counter == k->max_counter)
			return;
		w.flight = F_SENT;
		break;
	case F_SENT:
		w.counter++;
		w.flight = F_DONE;
		break;
	case F_DONE:
		anchor_raised(&w.a);
		w.flight = F_NONE;
		tell(&w);
		break;
	}
	explore(k, &w);
}

static void
explore(struct walk *k, const struct world *w)
{
	assert_sound(w);
	if (was_here(k, w))
		return;
	k->states++;
	commit(k, w);
	raise_step(k, w);
	crash(k, w);
	if (k->policy == ANCHOR_INTERVAL && w->wish < k->max_wish) {
		struct world x = *w;

		x.wish++;
		anchor_wish(&x.a);
		explore(k, &x);
	}
}

static void
explore_all(struct walk *k, size_t min)
{
	struct world w;

	k->cap = (size_t)1 << 22;
	k->seen = calloc(k->cap, sizeof(*k->seen));
	assert_non_null(k->seen);
	memset(&w, 0, sizeof(w));
	w.counter = FIRST;
	w.nroots = 1;
	w.roots[0].anchor = FIRST;
	w.roots[0].items = 1;
	w.safe = 1;
	anchor_start(&w.a, k->policy, FIRST, FIRST);
	explore(k, &w);
	print_message("  %zu states; starts: %zu with the counter, %zu ahead "
		      "of it, %zu refused\n",
	    k->states, k->crashes_same, k->crashes_ahead, k->refused);
	assert_true(k->states > min);
	assert_true(k->crashes_same > 0 && k->crashes_ahead > 0);
	assert_true(k->refused > 0);
	free(k->seen);
}

/* --- the tests --------------------------------------------------------- */

static void
strict_never_loses_what_was_told(void **state)
{
	struct walk k = { .policy = ANCHOR_STRICT,
		.max_roots = 6,
		.max_crashes = 3,
		.max_counter = FIRST + 5 };

	(void)state;
	explore_all(&k, 10000);
}

static void
interval_never_loses_what_it_called_safe(void **state)
{
	struct walk k = { .policy = ANCHOR_INTERVAL,
		.max_roots = 6,
		.max_crashes = 2,
		.max_wish = 2,
		.max_counter = FIRST + 5 };

	(void)state;
	explore_all(&k, 10000);
}

static void
the_verdict_is_by_the_distance_alone(void **state)
{
	static const struct {
		uint64_t root, counter;
		enum anchor_verdict want;
	} cases[] = {
		{ 7, 7, AV_SAME },
		{ 8, 7, AV_AHEAD },
		{ 6, 7, AV_BEHIND },
		{ 1, 7, AV_BEHIND },
		{ 9, 7, AV_FOREIGN },
		{ 0, 7, AV_NEW },
		{ UINT64_MAX, UINT64_MAX, AV_SAME },
		{ UINT64_MAX, UINT64_MAX - 1, AV_AHEAD },
		{ 1, UINT64_MAX, AV_BEHIND },
		{ UINT64_MAX, 1, AV_FOREIGN },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(anchor_judge(cases[i].root, cases[i].counter),
		    cases[i].want);
}

/* Raise until nothing is wanted; returns how often. */
static unsigned int
settle(struct anchor *a)
{
	unsigned int raises = 0;
	enum anchor_act act;

	while ((act = anchor_step(a)) != AA_NONE) {
		if (act == AA_COMMIT) {
			(void)anchor_committed(a, anchor_next(a));
			continue;
		}
		anchor_raised(a);
		assert_true(++raises < 100);
	}
	return raises;
}

static void
a_start_gets_past_all_that_may_lie_about(void **state)
{
	struct anchor a;

	(void)state;
	anchor_start(&a, ANCHOR_INTERVAL, 7, 7);
	assert_int_equal(settle(&a), 2);
	anchor_start(&a, ANCHOR_INTERVAL, 8, 7); /* one of them completes */
	assert_int_equal(anchor_step(&a), AA_RAISE);
	assert_int_equal(settle(&a), 2);
	anchor_start(&a, ANCHOR_STRICT, 3, 7); /* an operator took it */
	assert_int_equal(anchor_next(&a), 8);
	assert_int_equal(settle(&a), 2);
	assert_int_equal(a.counter, 9);
	anchor_start(&a, ANCHOR_INTERVAL, 12, 7); /* likewise: past 12 */
	assert_int_equal(settle(&a), 6);
	assert_int_equal(a.counter, 13);
	anchor_start(&a, ANCHOR_INTERVAL, 0, 7); /* never anchored */
	assert_int_equal(settle(&a), 2);
	assert_int_equal(a.written, 9);
	anchor_start(&a, ANCHOR_OFF, 5, 7);
	assert_int_equal(settle(&a), 0);
	anchor_wish(&a);
	assert_int_equal(anchor_step(&a), AA_NONE);
	assert_int_equal(anchor_next(&a), 5); /* as it was, for later */
}

static void
strict_takes_one_raise_a_commit_and_interval_one_a_wish(void **state)
{
	struct anchor a;
	uint64_t need;
	int i;

	(void)state;
	anchor_start(&a, ANCHOR_STRICT, 7, 7);
	(void)settle(&a);
	for (i = 0; i < 5; i++) {
		need = anchor_committed(&a, anchor_next(&a));
		assert_int_equal(need, a.counter + 1);
		assert_int_equal(settle(&a), 1);
		assert_true(need <= a.counter);
	}
	anchor_start(&a, ANCHOR_INTERVAL, 7, 7);
	(void)settle(&a);
	for (i = 0; i < 5; i++) {
		need = anchor_committed(&a, anchor_next(&a));
		assert_int_equal(need, a.counter + 1);
		assert_int_equal(anchor_step(&a), AA_NONE);
	}
	anchor_wish(&a);
	assert_int_equal(anchor_step(&a), AA_COMMIT);
	assert_int_equal(settle(&a), 1);
	assert_true(need <= a.counter);
	anchor_wish(&a); /* for what comes next: its own root is enough */
	need = anchor_committed(&a, anchor_next(&a));
	assert_int_equal(anchor_step(&a), AA_RAISE);
	assert_int_equal(settle(&a), 1);
	assert_true(need <= a.counter);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verdict_is_by_the_distance_alone),
		cmocka_unit_test(strict_never_loses_what_was_told),
		cmocka_unit_test(interval_never_loses_what_it_called_safe),
		cmocka_unit_test(a_start_gets_past_all_that_may_lie_about),
		cmocka_unit_test(
		    strict_takes_one_raise_a_commit_and_interval_one_a_wish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
