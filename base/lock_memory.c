/* SPDX-License-Identifier: BSD-3-Clause */
/* lock_memory.c - keeps a process that holds secrets out of swap space. */
#include "base/lock_memory.h"

#include <sys/mman.h>
#include <sys/resource.h>

int
lock_all_memory(uint64_t max)
{
#if defined(__SANITIZE_ADDRESS__) /* its shadow is 16 TiB */
	(void)max;
	return VT_OK;
#else
	rlim_t need = max != 0 ? (rlim_t)max : RLIM_INFINITY;
	struct rlimit l = { need, need };

	/* Root may raise it; else what the service manager set must do. */
	if (setrlimit(RLIMIT_MEMLOCK, &l) == -1)
		return VT_E_SYS;
	return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == -1 ? VT_E_SYS
								      : VT_OK;
#endif
}
