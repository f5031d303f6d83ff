/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clock_jump.c - LD_PRELOAD: the wall clock of a manager and all its processes
 * is off by as many seconds as the file CLOCK_JUMP holds, a native int64_t.
 *
 * The file is mapped when a process begins, so that a jailed worker, too, sees
 * the jump; time since the boot is left alone.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset_s;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void
map_offset(void)
{
	const char *path = getenv("CLOCK_JUMP");
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	void *p;

	real = (int (*)(clockid_t, struct timespec *))dlsym(
	    RTLD_NEXT, "clock_gettime");
	if (fd == -1)
		return;
	p = mmap(NULL, sizeof(*offset_s), PROT_READ, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (p != MAP_FAILED)
		offset_s = p;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = real(id, ts);

	if (rc == 0 && offset_s != NULL &&
	    (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += *offset_s;
	return rc;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *ret)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (ret != NULL)
		*ret = ts.tv_sec;
	return ts.tv_sec;
}
