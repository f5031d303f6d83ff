/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spin.h - how long to look at shared memory before sleeping.
 *
 * Layer:  tpmback; tpmfront includes it too.  Pure but for spin_init().
 * A wake-up costs about 44 us, a short TPM command 1-3 us.  So a short spin
 * pays off when the other side answers soon, and is wasted otherwise: the
 * bound follows what was seen, and is 0 where there is only one CPU.  On a
 * loaded host every wake-up is late and says nothing about the other side,
 * so after SPIN_PROBE long waits one spin is tried again.
 */
#ifndef TPMBACK_SPIN_H
#define TPMBACK_SPIN_H

#include <stdint.h>

#define SPIN_MAX_US 60   /* never longer than this */
#define SPIN_START_US 50 /* before anything was seen */
#define SPIN_PROBE 16    /* long waits */
#define SPIN_WAKE_US 60  /* what a wake-up may have added to a wait */

struct spin {
	unsigned int us; /* spin at most this long now */
	unsigned int max_us;
	unsigned int long_waits; /* in a row */
};

/* max_us is capped at SPIN_MAX_US; on one CPU everything is 0. */
void spin_init(struct spin *s, unsigned int max_us);
/* A wait ended after waited_us, whether it was spent spinning or asleep. */
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
