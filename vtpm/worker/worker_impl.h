/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_impl.h - the worker's state, shared by its files.
 *
 * Layer:  vtpm; private to worker*.c.
 *
 *	worker.c	start, loop, events
 *	worker_manager.c	what the manager says
 *	worker_store.c	law 3: make durable, hold responses until then
 *	worker_cmd.c	a guest's command from submit to answer
 *	worker_power.c	power, startup, measured launch, cap after a crash
 *	worker_chan.c	channels: open, keep, adopt, control requests
 *	worker_xen.c	a Xen guest's channel
 *	worker_snapshot.c	sealed states: load, snapshot, restore
 *	worker_query.c	what the manager asks
 *	worker_certs.c	newest certificates of the keys
 *	worker_deep.c	deep quotes for the guest
 *
 * Durability.  Every change of the permanent state gets the next version
 * number.  At most one W_STORE is unacknowledged (st); changes made since
 * then are dirty and go with the next one.  wk_need() says which version
 * must be acknowledged before what is known now may be told; responses wait
 * in their slot until then.
 *
 *	guest: NV_Write --> engine changed --> seal, W_STORE v7 --> held(v7)
 *	W_STORED v7 ok  --> acked = 7      --> chan_reply()
 */
#ifndef VTPM_WORKER_WORKER_IMPL_H
#define VTPM_WORKER_WORKER_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/msg.h"
#include "base/token_bucket.h"
#include "tpmback/chan.h"
#include "vtpm/engine/capture.h"
#include "vtpm/engine/engine.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm/provision/provision.h"
#include "vtpm/engine/quote_memory.h"
#include "vtpm/state/seal.h"
#include "vtpm/state/state.h"
#include "vtpm/engine/cancel_watch.h"
#include "vtpm/engine/vendor_command.h"
#include "vtpm/worker/worker.h"

/*
 * What a guest can grow, and how far:
 *	commands in hand	1 per channel, 4096 bytes
 *	responses held		1 per channel, 4096 bytes
 *	permanent state		STATE_MAX_LEN, libtpms' NV is smaller
 *	extend journal		JOURNAL_MAX records
 *	quote digests		QUOTES_MAX
 *	deep quotes		DEEP_TICKETS, 4000 bytes each
 *	events to the manager	EVENT_BURST, then one per EVENT_EVERY_US
 */
#define SLOTS (CHAN_XEN + 1) /* by enum wchan */
#define BUFFER_SIZE 4088     /* advertised: what the ring's page can carry */
#define HOLD_MS 10000
#define RETRY_US 1000000 /* a store that failed without a word why */
#define EVENT_BURST 16
#define EVENT_EVERY_US 1000000

struct worker;

struct slot {
	struct worker *w;
	struct chan *ch; /* NULL: not open */
	uint8_t kind;    /* enum wchan */
	uint8_t localities;
	int keep[MSG_MAX_FDS]; /* duplicates, for a manager that restarts */
	unsigned int nkeep;
	bool keep_due; /* the manager has not been told of them */
	atomic_bool cancelled;

	uint8_t *held_bytes; /* heap: of a command not yet begun; or NULL */
	struct tpm_cmd held;
	uint64_t held_until_us;

	uint8_t *resp; /* heap: a response that must not be told yet */
	size_t resp_len;
	uint64_t resp_version; /* until this is durable */
};

enum phase {
	WP_EMPTY,  /* nothing yet */
	WP_MADE,   /* a TPM without an identity (pool) */
	WP_LOADED, /* somebody's TPM */
	WP_BROKEN, /* must not run; every command fails */
};

/* A launch, as W_LAUNCH gave it. */
struct launch {
	uint8_t *bytes; /* heap: encoded struct wlaunch; NULL: none */
	size_t len;
	struct wlaunch l; /* borrows from bytes */
	bool set;         /* launch_next: not yet taken over */
};

struct store_req {
	uint8_t *blob; /* heap, sealed; NULL: nothing unacknowledged */
	size_t len;
	uint64_t generation, version;
	uint8_t flags; /* WS_* */
	bool sent;     /* on the present connection */
	bool failed;   /* the manager could not; wait for storage_ok */
	uint64_t retry_us;
};

struct stage { /* a snapshot for the next power on, in plain text */
	uint8_t *perm, *vol; /* heap; NULL: not given */
	size_t perm_len, vol_len;
	struct seal_id perm_id, vol_id;
	bool incoming;
};

#define DEEP_TICKETS 8
struct wk_deep {
	uint8_t state; /* VDQ_*; 0: free */
	struct wdeep m;
	uint8_t nonce[WDEEP_NONCE_MAX];
	uint64_t at_us;  /* submitted */
	bool collected;  /* up to its end, once */
	uint8_t *answer; /* heap: the answer, or words */
	size_t answer_len;
};

struct wk_cert {
	uint8_t *der; /* heap: the newest; NULL: the one in NV */
	size_t len;
	bool due; /* NV does not have it yet, as far as we know */
};

struct worker {
	const struct worker_cfg *cfg;
	enum phase phase;
	bool ending;
	uint32_t manager_uid;

	/* the manager */
	int listen_fd;
	struct msgch *mgr; /* NULL: away */
	bool greeted;      /* W_MANAGER was here */
	bool storage_ok, soft_root, no_growth;
	char build[NAME_MAX_LEN + 1];
	uint32_t certs_id, stop_id; /* requests that wait for a store */
	bool certs_wait, stop_wait;
	struct token_bucket events;

	/* who we are */
	uint8_t uuid[UUID_LEN];
	char name[NAME_MAX_LEN + 1];
	uint8_t tpm_version;
	uint8_t perm_flags; /* SP_* */
	uint32_t group;
	uint64_t generation;
	uint64_t version; /* of the newest change */
	uint64_t acked;   /* newest version that is durable */
	uint8_t key[WKEY_LEN];
	struct prov_keys keys;

	/* law 3 */
	struct store_req st;
	bool dirty;         /* changed since st was sealed */
	uint8_t next_flags; /* WS_* for the next one */

	/* the TPM */
	bool root;       /* WLOAD_ROOT: starts up by itself */
	bool started;    /* a Startup succeeded since power on */
	bool auto_start; /* nobody but us will start it: the first command
			    of a local guest does */
	bool capped, launched;
	bool startup_due; /* launched; the guest's own Startup is to come */
	bool shut_down;   /* the last command was an orderly shutdown */
	bool snap_taken;  /* a snapshot was fetched, nothing ran since */
	bool failure_told;
	uint32_t power_cycles;
	struct launch launch;      /* of this power cycle */
	bool launch_over;          /* who was launched has ended: not again */
	struct launch launch_next; /* of the next one */
	struct capture cap;
	struct quotes quotes;
	struct stage stage;
	struct watch *watch;

	/* a consistent copy of the journal while a guest reads it in parts */
	uint8_t *jsnap;
	size_t jsnap_len;

	struct wk_cert certs[WCERT_AK + 1]; /* by WCERT_* */

	struct wk_deep deep[DEEP_TICKETS];
	uint64_t deep_tickets; /* the last one given out */
	uint64_t deep_us;      /* an answer takes so long */

	uint64_t commands, stores, held_commands, refused;
	struct slot slots[SLOTS];
	uint8_t out[ENG_BUF_MAX]; /* a response that we made or changed */
};

/* worker.c */
void wk_event(struct worker *w, enum wevent_code code, const char *fmt, ...)
    VT_PRINTF(3, 4);
void wk_send(struct worker *w, uint16_t type, uint32_t id, const struct wr *p);
void wk_done(struct worker *w, uint32_t id, int rc, const char *fmt, ...)
    VT_PRINTF(4, 5);
_Noreturn void wk_exit(struct worker *w, int status);

/* worker_manager.c */
void wk_manager_connected(struct worker *w, int fd);
void wk_manager_lost(struct worker *w);
void wk_manager_read(struct worker *w);

/* worker_store.c */
/* Take up what the engine changed; true if it did. */
bool wk_store_changes(struct worker *w, uint8_t flags);
/* Seal the present state as a new version although libtpms did not change
 * it (flags, generation). */
void wk_store_now(struct worker *w, uint8_t flags);
uint64_t wk_state_version(const struct worker *w);
/* The version that must be durable before permanent state may be told; 0:
 * nothing is waiting. */
uint64_t wk_need(const struct worker *w);
void wk_stored(struct worker *w, const struct wstored *m);
void wk_send_store(struct worker *w);
void wk_store_retry(struct worker *w, uint64_t now);
bool wk_can_store(const struct worker *w);
/* This TPM must not run any more: off, every command fails. */
void wk_break(struct worker *w);
/* Give the answer in hand to its channel, once version need is durable. */
void wk_answer(struct slot *s, const uint8_t *resp, size_t len, uint64_t need);
void wk_answer_error(struct slot *s, uint32_t rc20, uint32_t rc12);

/* worker_cmd.c */
void wk_submit(void *arg, struct chan *ch, uint8_t locality,
    const uint8_t *bytes, size_t len);
void wk_cancel(void *arg, struct chan *ch);
/* Forget the copy of the journal that a guest was reading. */
void wk_journal_copy_drop(struct worker *w);
/* Commands that were held: run them, or give up. */
void wk_run_held(struct worker *w, uint64_t now);

/* worker_power.c */
int wk_power_on(struct worker *w) VT_CHECK;
void wk_power_off(struct worker *w);
/* Startup(CLEAR), or the launch of this power cycle, if nobody did yet. */
int wk_auto_start(struct worker *w) VT_CHECK;
/* After a Startup by whomever. */
int wk_note_startup(struct worker *w, uint8_t locality, bool clear) VT_CHECK;
int wk_cap(struct worker *w) VT_CHECK;
/* Checks that a launch could be applied; takes a copy. */
int wk_launch_set(struct launch *l, const uint8_t *p, size_t len) VT_CHECK;
void wk_launch_drop(struct launch *l);
/* The hypervisor that was launched hung up: what it loaded says nothing
 * about who connects next. */
void wk_launch_over(struct worker *w);

/* worker_chan.c */
int wk_open(struct worker *w, const struct wopen *m, int fd) VT_CHECK;
int wk_adopt(struct worker *w, const struct wkeep *m, const int *fds,
    unsigned int nfds) VT_CHECK;
void wk_send_kept(struct worker *w);
void wk_send_due(
    struct worker *w); /* W_KEEPs put off until the queue is empty */
const struct chan_host *wk_chan_host(void);

/* worker_xen.c */
int wk_xen(struct worker *w, const struct wxen *m) VT_CHECK;

/* worker_snapshot.c */
int wk_load(struct worker *w, const struct wload *m, char *text) VT_CHECK;
/* Sealed; *ret is heap. */
int wk_seal_perm(struct worker *w, uint16_t kind, uint64_t generation,
    uint64_t version, uint8_t **ret, size_t *ret_len) VT_CHECK;
int wk_seal_vol(
    struct worker *w, uint16_t kind, uint8_t **ret, size_t *ret_len) VT_CHECK;
uint32_t wk_get_blob(
    void *arg, enum chan_blob type, uint8_t **ret, size_t *ret_len);
uint32_t wk_set_blob(void *arg, enum chan_blob type, bool incoming,
    const uint8_t *p, size_t len);
uint32_t wk_take_over(void *arg);
/* Power on from what is staged. */
int wk_restore(struct worker *w) VT_CHECK;
void wk_stage_drop(struct worker *w);

/* worker_deep.c */
/* Answer VSUB_DEEP_SUBMIT or VSUB_DEEP_COLLECT; returns the length. */
size_t wk_deep(
    struct worker *w, const struct vendor_request *q, uint8_t *out, size_t cap);
void wk_deep_answered(struct worker *w, const struct wdeeped *m);
void wk_deep_ask_again(struct worker *w); /* the manager is back */
void wk_deep_drop_all(struct worker *w);  /* with a power cycle */

/* worker_certs.c */
int wk_cert_take(struct worker *w, const struct wakcert *m) VT_CHECK;
/* Into NV, what is due, if possible.  Uses the engine; the caller stores. */
void wk_certs_write(struct worker *w);

/* worker_query.c */
void wk_query(struct worker *w, uint32_t id, uint8_t what);

#endif
