/* SPDX-License-Identifier: BSD-3-Clause */
/* shared.c - one ring for all contexts of a process that use the same vTPM. */
#include "tpmfront/tcti/shared.h"

#include <sys/queue.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OTHER_MS 60000 /* for another context's command to end */

struct shared {
	struct ring *ring;
	pthread_mutex_t lock;  /* of the ring, and of flying */
	struct answer *flying; /* whose command it is; NULL: nobody's */
	bool busy;             /* one is in flight */

	/* guarded by all_lock */
	unsigned int refs;
	pid_t pid;  /* a child must not use its parent's ring */
	char *path; /* heap; NULL: not in the list */
	LIST_ENTRY(shared) entry;
};

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, shared) all = LIST_HEAD_INITIALIZER(all);

int
shared_new(struct ring *ring, struct shared **ret)
{
	struct shared *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		ring_close(ring);
		return VT_E_NOMEM;
	}
	(void)pthread_mutex_init(&s->lock, NULL);
	s->ring = ring;
	s->refs = 1;
	*ret = s;
	return VT_OK;
}

static int
open_new(const char *path, const struct ring_local_how *how,
    struct shared **ret, char holder[RING_TEXT_MAX])
{
	struct ring *ring;
	struct shared *s;
	int rc;

	if ((rc = ring_local_open(path, how, &ring, holder)) != VT_OK ||
	    (rc = shared_new(ring, &s)) != VT_OK)
		return rc;
	*ret = s;
	if (how->keeps)
		return VT_OK;
	if ((s->path = strdup(path)) == NULL) {
		shared_close(s, NULL);
		return VT_E_NOMEM;
	}
	s->pid = getpid();
	LIST_INSERT_HEAD(&all, s, entry);
	return VT_OK;
}

int
shared_open(const char *path, const struct ring_local_how *how,
    struct shared **ret, char holder[RING_TEXT_MAX])
{
	struct shared *s = NULL;
	int rc = VT_OK;

	(void)pthread_mutex_lock(&all_lock);
	if (!how->keeps)
		LIST_FOREACH(s, &all, entry)
			if (s->pid == getpid() && strcmp(s->path, path) == 0)
				break;
	if (s != NULL) {
		s->refs++;
		*ret = s;
	} else {
		rc = open_new(path, how, ret, holder);
	}
	(void)pthread_mutex_unlock(&all_lock);
	return rc;
}

void
shared_close(struct shared *s, const struct answer *a)
{
	bool last;

	if (s == NULL)
		return;
	(void)pthread_mutex_lock(&s->lock);
	if (s->flying == a)
		s->flying = NULL; /* its answer is dropped when it comes */
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_mutex_lock(&all_lock);
	last = --s->refs == 0;
	if (last && s->path != NULL)
		LIST_REMOVE(s, entry);
	(void)pthread_mutex_unlock(&all_lock);
	if (!last)
		return;
	ring_close(s->ring);
	(void)pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}

struct ring *
shared_ring(struct shared *s)
{
	return s->ring;
}

/* Wait for what is in flight, and hand it to its context. */
static int
land(struct shared *s, int timeout_ms)
{
	struct answer *a = s->flying;
	const uint8_t *resp;
	size_t len = 0;
	int rc = ring_wait(s->ring, timeout_ms, &resp, &len);

	if (rc == VT_E_AGAIN)
		return rc;
	s->busy = false;
	s->flying = NULL;
	if (a == NULL)
		return VT_OK;
	a->rc = rc;
	if (rc == VT_OK) {
		memcpy(a->bytes, resp, len);
		a->len = len;
	}
	return VT_OK;
}

static int
submit(struct shared *s, int ready_ms, uint8_t locality, const uint8_t *cmd,
    size_t len, struct answer *a)
{
	int rc;

	if (s->busy && land(s, OTHER_MS) != VT_OK)
		return VT_E_TIMEOUT;
	if ((rc = ring_ready(s->ring, ready_ms)) != VT_OK ||
	    (rc = ring_submit(s->ring, locality, cmd, len)) != VT_OK)
		return rc;
	a->rc = VT_E_AGAIN;
	s->flying = a;
	s->busy = true;
	return VT_OK;
}

int
shared_submit(struct shared *s, int ready_ms, uint8_t locality,
    const uint8_t *cmd, size_t len, struct answer *a)
{
	int rc;

	(void)pthread_mutex_lock(&s->lock);
	rc = submit(s, ready_ms, locality, cmd, len, a);
	(void)pthread_mutex_unlock(&s->lock);
	return rc;
}

int
shared_wait(struct shared *s, int timeout_ms, struct answer *a)
{
	int rc;

	(void)pthread_mutex_lock(&s->lock);
	if (s->flying == a && land(s, timeout_ms) != VT_OK)
		rc = VT_E_AGAIN;
	else
		rc = a->rc;
	(void)pthread_mutex_unlock(&s->lock);
	return rc;
}

void
shared_cancel(struct shared *s, const struct answer *a)
{
	(void)pthread_mutex_lock(&s->lock);
	if (s->flying == a)
		ring_cancel(s->ring);
	(void)pthread_mutex_unlock(&s->lock);
}
