/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cancel_watch.c - a thread that waits for a CANCEL while a slow command runs.
 */
#include "vtpm/engine/cancel_watch.h"

#include <sys/eventfd.h>

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define CANCEL_WATCH_STACK (64 * 1024)
#define CANCEL_WATCH_MS (3600 * 1000)
#define AGAIN_MS 5

struct watch {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct chan *ch; /* not NULL: watch it */
	void (*again)(void *arg);
	void *arg;
	int stop_fd; /* eventfd: let go */
};

static bool
stopped(struct watch *w, int timeout_ms)
{
	struct pollfd p = { .fd = w->stop_fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

static void *
run(void *arg)
{
	struct watch *w = arg;

	(void)pthread_mutex_lock(&w->lock);
	for (;;) {
		while (w->ch == NULL)
			(void)pthread_cond_wait(&w->changed, &w->lock);
		(void)pthread_mutex_unlock(&w->lock);
		chan_watch(w->ch, w->stop_fd, CANCEL_WATCH_MS);
		while (!stopped(w, AGAIN_MS))
			w->again(w->arg);
		(void)pthread_mutex_lock(&w->lock);
		w->ch = NULL;
		(void)pthread_cond_broadcast(&w->changed);
	}
	return NULL;
}

static int
start_thread(struct watch *w)
{
	pthread_attr_t attr;
	pthread_t t;
	int rc = VT_E_SYS;

	if (pthread_attr_init(&attr) != 0)
		return VT_E_NOMEM;
	if (pthread_attr_setstacksize(&attr, CANCEL_WATCH_STACK) == 0 &&
	    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
	    pthread_create(&t, &attr, run, w) == 0)
		rc = VT_OK;
	(void)pthread_attr_destroy(&attr);
	return rc;
}

static int
cancel_watch_new(struct watch **ret)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return VT_E_NOMEM;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->changed, NULL);
	w->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (w->stop_fd == -1 || start_thread(w) != VT_OK) {
		if (w->stop_fd != -1)
			(void)close(w->stop_fd);
		free(w);
		return VT_E_SYS;
	}
	*ret = w;
	return VT_OK;
}

int
cancel_watch_begin(
    struct watch **wp, struct chan *ch, void (*again)(void *arg), void *arg)
{
	struct watch *w;
	int rc;

	if (*wp == NULL && (rc = cancel_watch_new(wp)) != VT_OK)
		return rc;
	w = *wp;
	(void)pthread_mutex_lock(&w->lock);
	w->again = again;
	w->arg = arg;
	w->ch = ch;
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	return VT_OK;
}

void
cancel_watch_end(struct watch *w)
{
	uint64_t n = 1;

	if (write(w->stop_fd, &n, sizeof(n)) != (ssize_t)sizeof(n))
		abort(); /* an eventfd takes a 1 unless it is broken */
	(void)pthread_mutex_lock(&w->lock);
	while (w->ch != NULL)
		(void)pthread_cond_wait(&w->changed, &w->lock);
	(void)pthread_mutex_unlock(&w->lock);
	if (read(w->stop_fd, &n, sizeof(n)) != (ssize_t)sizeof(n))
		abort();
}
