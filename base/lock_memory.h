/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lock_memory.h - keeps a process that holds secrets out of swap space.
 *
 * Layer:  base.
 */
#ifndef BASE_LOCK_MEMORY_H
#define BASE_LOCK_MEMORY_H

#include <stdint.h>

#include "base/err.h"

/*
 * Lock each page of the process when it is first used, also of what it
 * allocates later.  max: bytes that the process may come to have; 0: no limit.
 * Nothing is locked unless that much may be: a later allocation must not fail
 * for it.  VT_E_SYS: RLIMIT_MEMLOCK is lower.
 */
int lock_all_memory(uint64_t max) VT_CHECK;

#endif
