/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmback/spin.h"

#include <sched.h>

#define SPIN_TRIES 4    /* long waits before it stops */
#define SPIN_LEAST_US 4 /* below this it cannot see an answer anyway */

static unsigned int
cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == -1)
		return 1;
	return (unsigned int)CPU_COUNT(&set);
}

void
spin_init(struct spin *s, unsigned int max_us)
{
	s->max_us = max_us < SPIN_MAX_US ? max_us : SPIN_MAX_US;
	if (cpus() < 2)
		s->max_us = 0;
	s->us = s->max_us < SPIN_START_US ? s->max_us : SPIN_START_US;
}

void
spin_saw(struct spin *s, uint64_t waited_us)
{
	if (waited_us <= s->max_us + SPIN_WAKE_US)
		s->long_waits = 0;
	if (waited_us <= s->max_us)
		s->us += s->us / 4 + 10; /* it pays, or would have */
	else if (waited_us <= (uint64_t)s->max_us + SPIN_WAKE_US)
		s->us += 10; /* without the wake-up it might have */
	else if (++s->long_waits % SPIN_PROBE == 0)
		s->us = SPIN_START_US;
	else if (s->long_waits > SPIN_TRIES || s->us / 2 < SPIN_LEAST_US)
		s->us = 0;
	else
		s->us /= 2;
	if (s->us > s->max_us)
		s->us = s->max_us;
}
