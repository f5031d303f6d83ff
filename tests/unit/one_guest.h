/* SPDX-License-Identifier: BSD-3-Clause */
/* one_guest.h - a manager with a real store and one guest, for unit tests. */
#ifndef TESTS_UNIT_ONE_GUEST_H
#define TESTS_UNIT_ONE_GUEST_H

#include "store_fixture.h"

#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guests_priv.h"

static int
one_guest_begin(void **state, struct mgr *m, struct guest_run *g)
{
	if (setup_empty(state) != 0)
		return -1;
	m->st = must_unlock();
	assert_int_equal(add_inst(m->st, 0), VT_OK);
	assert_int_equal(guests_new(m), VT_OK);
	g->m = m;
	fill_inst(0, &g->in);
	LIST_INSERT_HEAD(&m->guests->list, g, entry);
	return 0;
}

static int
one_guest_end(void **state, struct mgr *m)
{
	guests_free(m);
	store_close(m->st);
	return teardown(state);
}

#endif
