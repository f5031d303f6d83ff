/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest.h - the vTPMs of this host: those that have a worker or ought to.
 *
 * Layer:  vtpm_manager.
 * A stopped vTPM lives in the store only.  One that is wanted has a struct
 * ginst; guest_event() is the one place that changes its state.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_H
#define VTPM_MANAGER_GUEST_GUEST_H

#include <jansson.h>

#include "base/token_bucket.h"
#include "vtpm_manager/guest/guest_fsm.h"
#include "vtpm_manager/guest/worker_link.h"
#include "vtpm_manager/manager.h"

struct guest_waiter {
	struct guest_waiter *next;
	mgr_done_cb cb;
	void *arg;
};

/* Events of one guest that the audit log takes; the guest provokes them. */
#define GUEST_AUDIT_BURST 20
#define GUEST_AUDIT_EVERY_US 1000000

struct ginst {
	struct ginst *next;
	struct mgr *m;
	struct guest in; /* the registry's record, as last committed */
	enum guest_state st;
	bool was_up;          /* ran since it was started: bring it back */
	bool crashed;         /* next load must cap the PCRs (law 4) */
	bool power;           /* restart is a power cycle: the host rebooted */
	bool closing;         /* forced: kill instead of asking */
	unsigned int tries;   /* of a start that met a dying zygote */
	unsigned int pending; /* answers until IE_LOADED */
	struct wlink *link;
	struct wkept kept[WLINK_CHANS];
	int listen_fd[WLINK_CHANS]; /* held, so that nobody is refused while
				       a worker is replaced; -1 */
	sd_event_source *timer;
	struct guest_waiter *waiters;
	uint64_t crash_at_us; /* start of the window */
	unsigned int crash_n;
	uint64_t crashes; /* since this manager started */
	uint64_t started_ms;
	uint32_t power_cycles;
	bool capped;
	bool ak_wanted;                /* guest_certs.c */
	struct deep_quote_guest *deep; /* deep_quote.c's; NULL: never asked */
	struct token_bucket audit;
	uint64_t audit_dropped;
	uint8_t *vol; /* heap: sealed volatile state to start from, once */
	size_t vol_len;
	char why[MGR_TEXT_MAX]; /* of the last failure */
};

/* --- guest.c: life --- */
struct ginst *guest_live(struct mgr *m, const uint8_t uuid[UUID_LEN]);
void guest_event(struct ginst *g, enum guest_event e); /* g may be gone after */
/* Start; cb when it is up or was refused.  VT_E_* at once with text. */
int guest_start(struct mgr *m, const struct guest *in, mgr_done_cb cb,
    void *arg, char *text) VT_CHECK;
/* Start where the sealed volatile state (copied) ended: no power cycle.
 * Either way what the store had of it is deleted: it is used once. */
int guest_resume(struct mgr *m, const struct guest *in, const uint8_t *vol,
    size_t len, mgr_done_cb cb, void *arg, char *text) VT_CHECK;
int guest_stop(struct mgr *m, const struct guest *in, bool force,
    mgr_done_cb cb, void *arg, char *text) VT_CHECK;
void guest_free_all(struct mgr *m); /* workers live on */
/* Something went wrong with g: which event is it?  Counts crashes. */
enum guest_event guest_failure(struct ginst *g, int rc);
unsigned int guest_count(struct mgr *m, enum guest_state s);
/* A guest, or a program, holds one of its channels. */
bool guest_in_use(const struct ginst *g);

/* --- guest_wait.c: who is told how it ended --- */
int guest_waiting(struct ginst *g, mgr_done_cb cb, void *arg) VT_CHECK;
struct guest_waiter *guest_take_waiters(struct ginst *g);
/* Frees the list; callbacks may ask for something new. */
void guest_tell(struct guest_waiter *w, int rc, const char *text);

/* --- guest_load.c: state and channels into a fresh worker --- */
void guest_load(struct ginst *g);
/* Open what the worker's hello says is not open. */
void guest_open_missing(struct ginst *g, uint32_t hello_flags);
extern const struct wlink_ops guest_ops;

/* --- guest_store.c: what a worker stores and reports --- */
void guest_on_store(void *arg, uint32_t id, const struct wstore *s);
void guest_on_event(void *arg, const struct wevent *e);
/* What the store has of its launch; the worker keeps its own. */
void guest_forget_launch(struct mgr *m, const struct guest *in);
void guest_storage_state(struct mgr *m); /* tell every worker */
/* Header and digest of a sealed blob fit the message and this uuid. */
int guest_check_store(
    const uint8_t uuid[UUID_LEN], const struct wstore *s) VT_CHECK;

/* --- inst_find.c: after a restart --- */
int guest_find_all(struct mgr *m) VT_CHECK;

/* --- guest_create.c --- */
struct guest_spec {
	char name[NAME_MAX_LEN + 1];
	bool has_uuid;
	uint8_t uuid[UUID_LEN];
	uint8_t tpm_version, banks;
	uint32_t group;
};
struct guest_created {
	uint8_t uuid[UUID_LEN];
	uint64_t us;    /* from the call to durable */
	bool from_pool; /* no manufacture on the way */
};
typedef void (*create_cb)(
    void *arg, int rc, const char *text, const struct guest_created *c);
int guest_create(struct mgr *m, const struct guest_spec *spec, const char *who,
    create_cb cb, void *arg, char *text) VT_CHECK;

/* --- guest_op.c: reset, destroy, launch, questions to a worker --- */
int guest_reset(struct mgr *m, const struct guest *in, mgr_done_cb cb,
    void *arg, char *text) VT_CHECK;
int guest_destroy(struct mgr *m, const struct guest *in, bool force,
    const char *who, mgr_done_cb cb, void *arg, char *text) VT_CHECK;
/* record: measure/log/launch_record.h bytes; who and where it runs is filled in
 * here. */
int guest_launch(struct mgr *m, const struct guest *in, const uint8_t *record,
    size_t len, mgr_done_cb cb, void *arg, char *text) VT_CHECK;
/* Who was launched is gone: no later power cycle is under that launch.  The
 * present one keeps it, so that what it attested stays true. */
void guest_launch_over(struct ginst *g);
/* A power cycle for somebody whom nobody launched (yet). */
int guest_new_run(struct mgr *m, const struct guest *in, mgr_done_cb cb,
    void *arg, char *text) VT_CHECK;
typedef void (*query_cb)(
    void *arg, int rc, const char *text, const uint8_t *p, size_t len);
int guest_query(struct mgr *m, const struct guest *in, enum wquery_what what,
    query_cb cb, void *arg, char *text) VT_CHECK;

/* --- guest_certs.c: short-lived certificates of AKs --- */
int guest_ak_new(struct mgr *m) VT_CHECK;
void guest_ak_free(struct mgr *m);
uint32_t guest_ak_seconds(const struct mgr *m); /* life of a new one */
/* g runs: its worker is told the newest one, which is renewed if it is due. */
void guest_ak_ready(struct ginst *g);

/* --- guest_json.c: JSON for people and programs --- */
/* A certificate as PEM text; NULL: out of memory. */
json_t *guest_json_pem(const struct wblob *der);
json_t *guest_json(struct mgr *m, const struct guest *in); /* short */
json_t *guest_json_list(struct mgr *m);
/* Long; info: the worker's WQ_INFO text, or NULL. */
json_t *guest_json_show(struct mgr *m, const struct guest *in,
    const uint8_t *info, size_t info_len);
/* What is kept as SX_CERTS. */
json_t *guest_json_identity(uint8_t tpm_version, uint8_t banks,
    const struct wprovisioned *pub, const struct wcerts *certs);
/* The same, read; json_decref().  NULL: there is none. */
json_t *guest_identity(struct mgr *m, const struct guest *in);
/* Names of the keys of a TPM 2.0 (algorithm and digest), cap bytes each;
 * the EK is the one whose child the AK is.  VT_E_UNSUPPORTED: a TPM 1.2. */
int guest_key_names(struct mgr *m, const struct guest *in, uint8_t *ek,
    size_t *ek_len, uint8_t *ak, size_t *ak_len, size_t cap) VT_CHECK;
uint8_t guest_banks(struct mgr *m, const struct guest *in); /* BANK_* */
/* "guest NAME: what" with what to do, for a marked instance. */
void guest_tampered_text(
    const struct mgr *m, const struct guest *in, char *text);
/* End a worker that the registry does not speak for. */
void guest_end_stray(struct mgr *m, const struct guest *in);

#endif
