/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_step.c - one step of the vTPM's power life: the one place that
 * changes its state.
 */
#include "vtpm/worker/worker_step.h"

#include "base/log.h"
#include "vtpm/worker/worker_state.h"

enum power_action
wk_step(struct worker *w, enum power_event e)
{
	struct power_step st = power_step(w->power, e);

	if (st.act == PA_VIOLATION)
		log_warn("power event %s is not possible in state %s",
		    power_event_name(e), power_state_name(w->power));
	else if (st.next != w->power)
		log_debug("power: %s: %s -> %s", power_event_name(e),
		    power_state_name(w->power), power_state_name(st.next));
	w->power = st.next;
	return st.act;
}
