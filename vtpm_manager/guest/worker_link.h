/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_link.h - the manager's end of one worker's socket.
 *
 * Layer:  vtpm_manager.
 * Trust:  hostile: a guest may have taken over its worker.  Messages go
 *         through vtpm/proto/worker_msg.c, are bounded in number, and reach
 *         only the owner of this link.
 * Life:   owner and link part with wlink_close(); callbacks never run after
 *         it, nor before the call that made or used the link returns.
 */
#ifndef VTPM_MANAGER_GUEST_WORKER_LINK_H
#define VTPM_MANAGER_GUEST_WORKER_LINK_H

#include <sys/queue.h>

#include "base/msg.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/core/context.h"

#define WLINK_STORES_MAX 8  /* unacknowledged W_STOREs of one worker */
#define WLINK_REQS_MAX 32   /* requests in flight to one worker */
#define WLINK_QUERIES_MAX 8 /* of them W_QUERY: readers leave room */
#define WLINK_TURN_MAX 16   /* messages of one worker in one turn */
/* What a worker sends unasked, states that are stored excepted. */
#define WLINK_MESSAGES_BURST 20000
#define WLINK_MESSAGES_PER_S 2000
#define WLINK_BYTES_BURST (32 * 1024 * 1024)
#define WLINK_BYTES_PER_S (4 * 1024 * 1024)
#define WLINK_BACKLOG_MAX (4 * 1024 * 1024) /* sent and not read, bytes */
#define WLINK_UID_ANY ((uint32_t)-2)        /* whichever of our workers */
#define WLINK_CHANS 4                       /* enum wchan, index by value */

struct wkept { /* descriptors for a successor */
	int fds[MSG_MAX_FDS];
	unsigned int nfds;
	uint8_t localities;
	bool told; /* reported by this worker */
};

struct wlink_ops {
	/* First message; VT_OK to continue. */
	int (*hello)(void *arg, const struct whello *h);
	/* Answer by wlink_stored(l, id, ...), now or later. */
	void (*store)(void *arg, uint32_t id, const struct wstore *s);
	void (*event)(void *arg, const struct wevent *e);
	/* NULL: they are of no interest. */
	void (*facts)(void *arg, const struct wfacts *f);
	/* NULL: this worker may not ask. */
	void (*deep)(void *arg, const struct wdeep *d);
	/* The worker is gone, hangs or broke the protocol; why says which;
	 * requests in flight have been answered.  Call wlink_close(). */
	void (*closed)(void *arg, const char *why);
};

struct wlink {
	LIST_ENTRY(wlink) entry;
	struct mgr *m;
	uint64_t serial;        /* never the same twice in this process */
	uint8_t uuid[UUID_LEN]; /* of RUN/w/UUID; follows wlink_rename() */
	uint32_t uid;           /* (uint32_t)-1: not separated */
	uint32_t pid;           /* 0: not known yet */
	int pidfd;              /* -1: not known */
	bool found; /* by wlink_connect(): it is older than this manager */
	bool said_hello;
	struct whello hello;            /* what it said */
	struct wkept kept[WLINK_CHANS]; /* moved out by the owner */
	const struct wlink_ops *ops;
	void *arg;
	struct wlink_priv *p;
};

/* rc VT_OK: msg is the answer (borrowed); else VT_E_CLOSED, VT_E_TIMEOUT
 * and msg is NULL. */
typedef void (*wlink_cb)(void *arg, int rc, const struct msg *msg);

/*
 * A new worker: bind RUN/w/UUID, ask the zygote.  spawned runs with the
 * outcome (it may be NULL); requests can be sent at once, they wait.
 */
int wlink_spawn(struct mgr *m, const uint8_t uuid[UUID_LEN], uint32_t uid,
    const struct wlink_ops *ops, void *arg, mgr_done_cb spawned,
    struct wlink **ret) VT_CHECK;
/* A worker of a former manager, at RUN/w/UUID.  VT_E_CLOSED: nothing listens
 * there; VT_E_DENIED: another process does. */
int wlink_connect(struct mgr *m, const uint8_t uuid[UUID_LEN], uint32_t uid,
    const struct wlink_ops *ops, void *arg, struct wlink **ret) VT_CHECK;
/* Give the link another owner (a pool worker that is claimed). */
void wlink_hand_over(struct wlink *l, const struct wlink_ops *ops, void *arg);
/* RUN/w/OLD becomes RUN/w/NEW. */
int wlink_rename(struct wlink *l, const uint8_t uuid[UUID_LEN]) VT_CHECK;
/* Close the socket; the worker continues if it has an identity.  NULL is a
 * no-op. */
void wlink_close(struct wlink *l);
/* The same, remove its path, and make sure that it ends: W_STOP, or at once
 * with kill true. */
void wlink_end(struct wlink *l, bool kill);

/* w: encoded payload or NULL; timeout_ms 0: the configured one.
 * VT_E_BUSY: too many in flight. */
int wlink_request(struct wlink *l, uint16_t type, const struct wr *w,
    const int *fds, unsigned int nfds, uint32_t timeout_ms, wlink_cb cb,
    void *arg) VT_CHECK;
void wlink_deeped(struct wlink *l, const struct wdeeped *d);
void wlink_stored(struct wlink *l, uint32_t id, int rc, uint64_t version,
    uint64_t generation);
void wlink_tell_storage(struct wlink *l);
/* The code and text of the W_DONE in an answer. */
int wlink_done_rc(
    int rc, const struct msg *msg, char *text, size_t cap) VT_CHECK;
void wkept_close(struct wkept *k);

#endif
