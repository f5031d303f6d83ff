/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * inst.h - the vTPMs of this host: those that have a worker or ought to.
 *
 * Layer:  vtpm_manager.
 * A stopped vTPM lives in the store only.  One that is wanted has a struct
 * ginst; inst_event() is the one place that changes its state.
 */
#ifndef VTPM_MANAGER_INST_H
#define VTPM_MANAGER_INST_H

#include <jansson.h>

#include "vtpm_manager/inst_fsm.h"
#include "vtpm_manager/inst_link.h"
#include "vtpm_manager/manager.h"

struct inst_waiter {
	struct inst_waiter *next;
	mgr_done_cb cb;
	void *arg;
};

struct ginst {
	struct ginst *next;
	struct mgr *m;
	struct inst in; /* the registry's record, as last committed */
	enum inst_state st;
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
	struct inst_waiter *waiters;
	uint64_t crash_at_us; /* start of the window */
	unsigned int crash_n;
	uint64_t crashes; /* since this manager started */
	uint64_t started_ms;
	uint32_t power_cycles;
	bool capped;
	bool ak_wanted;           /* inst_akcert.c */
	struct deepq_guest *deep; /* deepq.c's; NULL: never asked */
	unsigned int audit_tokens;
	uint64_t audit_at_us, audit_dropped;
	uint8_t *vol; /* heap: sealed volatile state to start from, once */
	size_t vol_len;
	char why[MGR_TEXT_MAX]; /* of the last failure */
};

/* --- inst.c: life --- */
struct ginst *inst_live(struct mgr *m, const uint8_t uuid[UUID_LEN]);
void inst_event(struct ginst *g, enum inst_event e); /* g may be gone after */
/* Start; cb when it is up or was refused.  VT_E_* at once with text. */
int inst_start(struct mgr *m, const struct inst *in, mgr_done_cb cb, void *arg,
    char *text) VT_CHECK;
/* Start where the sealed volatile state (copied) ended: no power cycle.
 * Either way what the store had of it is deleted: it is used once. */
int inst_resume(struct mgr *m, const struct inst *in, const uint8_t *vol,
    size_t len, mgr_done_cb cb, void *arg, char *text) VT_CHECK;
int inst_stop(struct mgr *m, const struct inst *in, bool force, mgr_done_cb cb,
    void *arg, char *text) VT_CHECK;
void inst_free_all(struct mgr *m); /* workers live on */
/* Something went wrong with g: which event is it?  Counts crashes. */
enum inst_event inst_failure(struct ginst *g, int rc);
unsigned int inst_count(struct mgr *m, enum inst_state s);
/* A guest, or a program, holds one of its channels. */
bool inst_in_use(const struct ginst *g);

/* --- inst_wait.c: who is told how it ended --- */
int inst_wait(struct ginst *g, mgr_done_cb cb, void *arg) VT_CHECK;
struct inst_waiter *inst_take_waiters(struct ginst *g);
/* Frees the list; callbacks may ask for something new. */
void inst_tell(struct inst_waiter *w, int rc, const char *text);

/* --- inst_load.c: state and channels into a fresh worker --- */
void inst_load(struct ginst *g);
/* Open what the worker's hello says is not open. */
void inst_open_missing(struct ginst *g, uint32_t hello_flags);
extern const struct wlink_ops inst_ops;

/* --- inst_store.c: what a worker stores and reports --- */
void inst_on_store(void *arg, uint32_t id, const struct wstore *s);
void inst_on_event(void *arg, const struct wevent *e);
/* What the store has of its launch; the worker keeps its own. */
void inst_forget_launch(struct mgr *m, const struct inst *in);
void inst_storage_state(struct mgr *m); /* tell every worker */
/* Header and digest of a sealed blob fit the message and this uuid. */
int inst_check_store(
    const uint8_t uuid[UUID_LEN], const struct wstore *s) VT_CHECK;

/* --- inst_find.c: after a restart --- */
int inst_find_all(struct mgr *m) VT_CHECK;

/* --- inst_create.c --- */
struct inst_spec {
	char name[NAME_MAX_LEN + 1];
	bool has_uuid;
	uint8_t uuid[UUID_LEN];
	uint8_t tpm_version, banks;
	uint32_t group;
};
struct inst_created {
	uint8_t uuid[UUID_LEN];
	uint64_t us;    /* from the call to durable */
	bool from_pool; /* no manufacture on the way */
};
typedef void (*create_cb)(
    void *arg, int rc, const char *text, const struct inst_created *c);
int inst_create(struct mgr *m, const struct inst_spec *spec, const char *who,
    create_cb cb, void *arg, char *text) VT_CHECK;

/* --- inst_op.c: reset, destroy, launch, questions to a worker --- */
int inst_reset(struct mgr *m, const struct inst *in, mgr_done_cb cb, void *arg,
    char *text) VT_CHECK;
int inst_destroy(struct mgr *m, const struct inst *in, bool force,
    const char *who, mgr_done_cb cb, void *arg, char *text) VT_CHECK;
/* record: measure/launch.h bytes; who and where it runs is filled in here. */
int inst_launch(struct mgr *m, const struct inst *in, const uint8_t *record,
    size_t len, mgr_done_cb cb, void *arg, char *text) VT_CHECK;
/* Who was launched is gone: no later power cycle is under that launch.  The
 * present one keeps it, so that what it attested stays true. */
void inst_launch_over(struct ginst *g);
/* A power cycle for somebody whom nobody launched (yet). */
int inst_new_run(struct mgr *m, const struct inst *in, mgr_done_cb cb,
    void *arg, char *text) VT_CHECK;
typedef void (*query_cb)(
    void *arg, int rc, const char *text, const uint8_t *p, size_t len);
int inst_query(struct mgr *m, const struct inst *in, enum wquery_what what,
    query_cb cb, void *arg, char *text) VT_CHECK;

/* --- inst_akcert.c: short-lived certificates of AKs --- */
int inst_ak_new(struct mgr *m) VT_CHECK;
void inst_ak_free(struct mgr *m);
uint32_t inst_ak_seconds(const struct mgr *m); /* life of a new one */
/* g runs: its worker is told the newest one, which is renewed if it is due. */
void inst_ak_ready(struct ginst *g);

/* --- inst_show.c: JSON for people and programs --- */
/* A certificate as PEM text; NULL: out of memory. */
json_t *inst_json_pem(const struct wblob *der);
json_t *inst_json(struct mgr *m, const struct inst *in); /* short */
json_t *inst_json_list(struct mgr *m);
/* Long; info: the worker's WQ_INFO text, or NULL. */
json_t *inst_json_show(
    struct mgr *m, const struct inst *in, const uint8_t *info, size_t info_len);
/* What is kept as SX_CERTS. */
json_t *inst_json_identity(uint8_t tpm_version, uint8_t banks,
    const struct wprovisioned *pub, const struct wcerts *certs);
/* The same, read; json_decref().  NULL: there is none. */
json_t *inst_identity(struct mgr *m, const struct inst *in);
/* Names of the keys of a TPM 2.0 (algorithm and digest), cap bytes each;
 * the EK is the one whose child the AK is.  VT_E_UNSUPPORTED: a TPM 1.2. */
int inst_key_names(struct mgr *m, const struct inst *in, uint8_t *ek,
    size_t *ek_len, uint8_t *ak, size_t *ak_len, size_t cap) VT_CHECK;
uint8_t inst_banks(struct mgr *m, const struct inst *in); /* BANK_* */
/* "guest NAME: what" with what to do, for a marked instance. */
void inst_tampered_text(const struct mgr *m, const struct inst *in, char *text);
/* End a worker that the registry does not speak for. */
void inst_end_stray(struct mgr *m, const struct inst *in);

#endif
