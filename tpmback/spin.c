/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmback/spin.h"

#include <sched.h>

#define FRACTION 16     /* averages are kept in 1/16 us */
#define WEIGHT 8        /* one wait counts for 1/8 of the average, */
#define WEIGHT_TRY 2    /* a rare one for half */
#define START_ASLEEP 40 /* us; a wake-up, before any was seen */

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
	unsigned int most = max_us < SPIN_MAX_US ? max_us : SPIN_MAX_US;

	if (cpus() < 2)
		most = 0;
	*s = (struct spin){ .max_us = most };
	s->us = most < SPIN_US ? most : SPIN_US;
	s->avg[SPIN_ASLEEP] = START_ASLEEP * FRACTION;
}

static void
average(unsigned int *avg, uint64_t waited_us, unsigned int weight)
{
	unsigned int w = SPIN_CLAMP_US * FRACTION;

	if (waited_us < SPIN_CLAMP_US)
		w = (unsigned int)waited_us * FRACTION;
	*avg = (*avg * (weight - 1) + w) / weight;
}

void
spin_saw(struct spin *s, uint64_t waited_us)
{
	int way = s->us > 0 ? SPIN_AWAKE : SPIN_ASLEEP;
	unsigned int most = s->max_us < SPIN_US ? s->max_us : SPIN_US;

	average(&s->avg[way], waited_us, s->trying ? WEIGHT_TRY : WEIGHT);
	/* Spinning is worth its CPU time if it saves a quarter. */
	way = s->avg[SPIN_AWAKE] * 4 < s->avg[SPIN_ASLEEP] * 3 ? SPIN_AWAKE
							       : SPIN_ASLEEP;
	s->trying =
	    ++s->since >= (way == SPIN_AWAKE ? SPIN_TRY_SLEEP : SPIN_TRY);
	if (s->trying) {
		s->since = 0;
		way = !way;
	}
	s->us = way == SPIN_AWAKE ? most : 0;
}
