/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spin.h - decides whether to poll shared memory for a while before sleeping.
 *
 * Layer:  tpmback; tpmfront includes it too.  Pure but for spin_init().
 *
 * A wake-up costs 10 to 50 us, a short TPM command 1 us.  So a short spin pays
 * off when the other side is quick and runs on another CPU; when it is
 * slow the spin is wasted, and when the two share a CPU each spin keeps the
 * other from answering.  Only the wait itself tells these cases apart: both
 * ways are tried, their waits averaged, and spinning continues only while it
 * makes them clearly shorter.  The other way is tried again now and then.
 * With one CPU there is no spinning.
 */
#ifndef TPMBACK_SPIN_H
#define TPMBACK_SPIN_H

#include <stdbool.h>
#include <stdint.h>

#define SPIN_MAX_US 60     /* never longer than this */
#define SPIN_US 50         /* one spin */
#define SPIN_CLAMP_US 200  /* a wait counts as at most this */
#define SPIN_TRY 16        /* waits asleep before one spin is tried */
#define SPIN_TRY_SLEEP 256 /* spins before one sleep is tried */

enum { SPIN_ASLEEP, SPIN_AWAKE };

struct spin {
	unsigned int us; /* spin at most this long now */
	unsigned int max_us;
	unsigned int avg[2]; /* wait in 1/16 us, asleep and awake */
	unsigned int since;  /* waits since the other way was tried */
	bool trying;         /* the next wait is such a try */
};

/* max_us is capped at SPIN_MAX_US; on one CPU everything is 0. */
void spin_init(struct spin *s, unsigned int max_us);
/* A wait ended after waited_us, with s->us of spinning before the sleep. */
void spin_saw(struct spin *s, uint64_t waited_us);
/* Tell the CPU that this is a spin loop. */
static inline void
spin_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#endif
}

#endif
