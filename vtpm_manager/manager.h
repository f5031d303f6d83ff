/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * manager.h - what the parts of vtpm-managerd share: one event loop, one
 * store, the helper processes, the instances.
 *
 * Layer:  vtpm_manager.  Single-threaded; nothing here blocks but
 *         store_commit().
 * Law 1:  no guest byte is parsed in this process; workers' messages go
 *         through vtpm/proto/worker_msg.c and touch that worker's instance
 * only.
 */
#ifndef VTPM_MANAGER_MANAGER_H
#define VTPM_MANAGER_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "base/err.h"
#include "base/version.h"
#include "base/msg.h"
#include "base/util.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/commit/audit_limit.h"
#include "vtpm_manager/core/config.h"
#include "vtpm_manager/store/store.h"

#define MGR_BUILD "vtpm-managerd " VT_VERSION
#define MGR_TEXT_MAX 512
#define MGR_ROOT_NAME ".root"

/* Priorities of event sources: lower runs first. */
#define MGR_PRIO_CHILD (-10)
#define MGR_PRIO_WORKER 0
#define MGR_PRIO_COMMIT 50 /* after all input of this turn */
#define MGR_PRIO_CTL 20
#define MGR_PRIO_IDLE 100

/* How something that was asked for ended; text is "" for VT_OK. */
typedef void (*mgr_done_cb)(void *arg, int rc, const char *text);

struct zyg;
struct hwlink;
struct ginst;
struct pool;
struct bus;
struct root;
struct wlink;
struct xenlink;
struct commitq;
struct deepq;
struct groups;
struct akcerts;
struct host_keys;
struct anchorq;

struct mgr_counters {
	uint64_t creates, create_us_last, create_us_min;
	uint64_t stores, commits, commit_failures, crashes;
	uint64_t commit_us_last, commit_us_max, batch_max;
};

struct mgr {
	struct config cfg;
	sd_event *ev;
	struct store *st;
	bool unlocked;   /* store_unlock() was called */
	bool separated;  /* workers have uids of their own */
	bool storage_ok; /* last commit went through */
	bool ready;
	uint8_t root_kind; /* enum hw_root */
	uint8_t master[32];
	uint8_t *ca_cert; /* DER; heap */
	size_t ca_cert_len;
	char boot_id[64], last_boot_id[64];
	uint64_t started_ms;
	char fatal[MGR_TEXT_MAX]; /* why mgr_fatal() ended the loop */

	struct zyg *zyg;
	struct hwlink *hw;
	struct root *root;
	struct pool *pool;
	struct bus *ctl;
	struct xenlink *xen; /* NULL: no Xen here */
	struct ginst *insts; /* those with a worker or a wish for one */
	struct wlink *links; /* every live worker link, by wlink.next */
	uint64_t link_serial;
	struct commitq *cq;
	struct deepq *deepq;
	struct groups *groups;
	struct akcerts *akcerts;
	struct host_keys *host; /* approved states of the host */
	struct anchorq *anchor;
	bool anchor_away; /* it is not raised: no write may begin */
	struct auditlim denied;
	sd_event_source *denied_timer;
	bool denied_counts; /* it runs */
	struct mgr_counters n;
	uint32_t next_uid; /* for workers without a slot */
	int run_lock;
};

/* manager.c: start order and end. */
int mgr_new(const struct config *cfg, sd_event *ev, struct mgr **ret,
    char *text) VT_CHECK;
int mgr_start(struct mgr *m, char *text) VT_CHECK;
void mgr_free(struct mgr *m); /* workers live on */
/* Nothing can go on: say why and end the loop with failure. */
void mgr_fatal(struct mgr *m, const char *fmt, ...) VT_PRINTF(2, 3);

/* The master key is there: open the store, go on. */
struct wblob;
void mgr_unsealed(
    struct mgr *m, const uint8_t master[32], const struct wblob *ca_cert);

/* util.c */
/* As certificates and shares call it: configured, or the system's. */
void mgr_host_name(const struct mgr *m, char *out, size_t cap);
int mgr_path(char *out, size_t cap, const char *fmt, ...) VT_PRINTF(3, 4);
bool mgr_name_ok(const char *name);
int mgr_instance_key(struct mgr *m, const uint8_t uuid[UUID_LEN],
    uint8_t out[WKEY_LEN]) VT_CHECK;
/* Bind RUN/NAME.SUFFIX for a guest; -1 and errno. */
int mgr_listen_guest(struct mgr *m, const char *name, const char *suffix);
void mgr_unlink_guest(struct mgr *m, const char *name);
/* Bind RUN/w/UUID; -1 and errno. */
int mgr_listen_worker(struct mgr *m, const uint8_t uuid[UUID_LEN]);
void mgr_unlink_worker(struct mgr *m, const uint8_t uuid[UUID_LEN]);
/* The uid of an instance's worker, or a fresh one; (uint32_t)-1 when
 * workers are not separated. */
uint32_t mgr_inst_uid(const struct mgr *m, const struct guest *in);
uint32_t mgr_fresh_uid(struct mgr *m);
#define MGR_UID_ROOT 0x0e000000u  /* offset of the root's worker */
#define MGR_UID_FRESH 0x0f000000u /* offset of unclaimed workers */
#define MGR_UID_RANGE 0x10000000u
int mgr_set_group(const char *path, const char *group); /* errno */
/* Timers: *s is replaced; 0 ms fires in the next turn. */
int mgr_timer(struct mgr *m, sd_event_source **s, uint64_t ms, int priority,
    sd_event_time_handler_t cb, void *arg) VT_CHECK;
void mgr_timer_off(sd_event_source *s);
/* Kill the process behind a pidfd; -1 is a no-op. */
void mgr_pidfd_kill(int pidfd);
int mgr_pidfd_open(uint32_t pid); /* -1 and errno */
/* The same, only if that process is a worker by its name. */
int mgr_worker_pidfd(uint32_t pid);

/* child.c: fork and exec a helper with a socket on descriptor 3. */
struct child {
	pid_t pid; /* 0: not running */
	sd_event_source *src;
	void (*exited)(void *arg, const char *how);
	void *arg;
};
int child_start(struct mgr *m, struct child *c, const char *path,
    char *const argv[], int *ret_fd) VT_CHECK;
void child_forget(struct child *c); /* it ends when its socket does */
/* Path of a program beside this one, unless configured otherwise. */
int child_path(char *out, size_t cap, const char *configured, const char *env,
    const char *name) VT_CHECK;

/* commit.c: group commit. */
typedef void (*commit_cb)(void *arg, int rc);
int commitq_new(struct mgr *m) VT_CHECK;
void commitq_free(struct mgr *m);
/* After the put calls: cb runs once they are durable or have failed.
 * cb NULL: nobody waits.  Never calls cb before it returns. */
void mgr_commit_soon(struct mgr *m, commit_cb cb, void *arg);
/* The same, but cb runs only when it can not be rolled back any more either,
 * whatever the anchor's policy. */
void mgr_commit_safe(struct mgr *m, commit_cb cb, void *arg);
/* Like mgr_commit_soon() for one who asks again when storage is back: cb gets
 * VT_E_AGAIN when it is durable but not safe for too long. */
void mgr_commit_state(struct mgr *m, bool safe, commit_cb cb, void *arg);
void mgr_commit_forget(struct mgr *m, void *arg); /* arg is going away */
int mgr_commit_now(struct mgr *m) VT_CHECK;       /* and everybody's callback */
void mgr_commit_again(struct mgr *m);             /* a raise is over */
void mgr_commit_release(struct mgr *m);           /* the counter was raised */
void mgr_commit_hurry(struct mgr *m);             /* it is not, for long */
/* May a command begin that will have to be stored? */
bool mgr_takes_writes(const struct mgr *m);
/* A put failed for lack of space or the like: hold NV commands, retry. */
void mgr_storage_bad(struct mgr *m, int rc);

/* audit_log.c */
/* Audit; durable with the next commit, which this asks for.  Of what was asked
 * for by a caller ("uid ...") and did not end "ok" only so much gets a record
 * of its own (audit_limit.h): the rest is counted, and written as one. */
void mgr_audit(struct mgr *m, const char *who, const char *action,
    const char *object, const char *result, const char *fmt, ...)
    VT_PRINTF(6, 7);
/* What was counted is written now. */
void mgr_audit_counted(struct mgr *m);

/* soft_root.c: the software root's worker. */
int root_start(struct mgr *m, mgr_done_cb cb, void *arg) VT_CHECK;
void root_free(struct root *r);
/* End it for good; gone runs when it is, now or later. */
void root_stop(struct mgr *m, void (*gone)(struct mgr *m));
uint32_t root_pid(const struct mgr *m);
const char *root_state(const struct mgr *m);
bool root_owns(const struct mgr *m, const uint8_t uuid[UUID_LEN]);

/* stop_all.c: by the manager of RUN, or without one. */
int mgr_stop_all(const char *run, char *text) VT_CHECK;

#endif
