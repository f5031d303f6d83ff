/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * context.h - what the rooms of vtpm-managerd share: settings, event loop,
 * store, the host's keys, and one object of each room, which is opaque to the
 * others.
 *
 * Layer:  vtpm_manager/core.  Single-threaded; nothing blocks but
 *         store_commit().
 * Law 1:  the manager parses no guest byte; a worker's messages go through
 *         vtpm/proto/worker_msg.c and reach that worker's guest only.
 */
#ifndef VTPM_MANAGER_CORE_CONTEXT_H
#define VTPM_MANAGER_CORE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "base/err.h"
#include "base/histogram.h"
#include "base/util.h"
#include "base/version.h"
#include "vtpm_manager/core/config.h"
#include "vtpm_manager/core/start_fsm.h"

#define MGR_BUILD "vtpm-managerd " VT_VERSION
#define MGR_TEXT_MAX 512

/* The outcome of a request; text is "" for VT_OK. */
typedef void (*mgr_done_cb)(void *arg, int rc, const char *text);

struct anchorq;
struct audit_log;
struct bus;
struct commitq;
struct deepq;
struct tenants;
struct guests;
struct host_fit;
struct host_keys;
struct hwlink;
struct pool;
struct root;
struct store;
struct xenback_link;
struct zygote_link;

struct mgr_counters {
	uint64_t creates, create_us_last, create_us_min;
	uint64_t stores, commits, commit_failures, crashes;
	uint64_t commit_us_last, commit_us_max, batch_max;
	struct histogram commit_time; /* of every commit, failed ones too */
	uint64_t pool_hits, pool_misses, audit_records;
	uint64_t calls, calls_refused; /* of bus methods */
	uint64_t conns_refused;        /* to control and metrics sockets */
};

struct mgr {
	struct config cfg;
	sd_event *ev;
	struct store *st;
	enum start_state start;
	bool separated;     /* each worker has its own uid */
	bool storage_ok;    /* the last commit succeeded */
	bool storage_error; /* it is not ok for more than a lack of space */
	char storage_why[MGR_TEXT_MAX]; /* while it is not ok */
	uint8_t root_kind;              /* enum hw_root */
	/* The host's PCRs in deep quotes of its own group: the setting, or
	 * those of the approval that fits, as a verifier's states are. */
	struct pcr_sel deep_pcrs;
	uint8_t master[32];
	uint8_t *ca_cert; /* DER; heap */
	size_t ca_cert_len;
	uint8_t issuer_seen[32]; /* SHA-256 of the last issuing key's */
	char boot_id[64], last_boot_id[64];
	uint64_t started_ms;
	char fatal[MGR_TEXT_MAX]; /* why loop_fatal() ended the loop */
	/* Called when holding of writes begins or ends; guests_new() sets it.
	 */
	void (*storage_changed)(struct mgr *m);
	/* What happens, for the control interface, which sets both; NULL: it is
	 * not there. */
	void (*guest_changed)(struct mgr *m, const char *name,
	    const uint8_t uuid[UUID_LEN], const char *from, const char *to);
	void (*audited)(struct mgr *m, const char *who, const char *action,
	    const char *object, const char *result, const char *detail);

	struct zygote_link *zyg;
	struct hwlink *hw;
	struct root *root;
	struct pool *pool;
	struct bus *ctl;
	struct xenback_link *xen; /* NULL: no Xen here */
	struct guests *guests;
	struct commitq *cq;
	struct deepq *deepq;
	struct tenants *tenants;
	struct host_keys *host;
	struct host_fit *fit;
	struct anchorq *anchor;
	bool anchor_away; /* the counter is not raised: writes are held */
	struct audit_log *audit;
	struct mgr_counters n;
	int run_lock;
};

#endif
