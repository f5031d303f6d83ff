/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest.h - the life of a guest's vTPM.
 *
 * Layer:  vtpm_manager/guest.
 * A stopped vTPM lives in the store only.  One that has a worker, or should
 * have one, has a struct guest_run; only guest_event() changes its state.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_H
#define VTPM_MANAGER_GUEST_GUEST_H

#include <sys/queue.h>

#include "base/crypto.h"
#include "base/token_bucket.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/guest/worker_link.h"
#include "vtpm_manager/store/store_guest.h"

struct guest_waiter;

/* Of the launch that a worker named last (guest_launched.c). */
enum guest_launch_seen {
	GUEST_LAUNCH_UNSEEN, /* look it up */
	GUEST_LAUNCH_UNKNOWN,
	GUEST_LAUNCH_OLDER,
	GUEST_LAUNCH_PRESENT,
};

/*
 * Events of one guest that the audit log takes.  The guest provokes its
 * events, its owner attaches, others are refused: none of them can use up the
 * records of the others.
 */
#define GUEST_AUDIT_BURST 20
#define GUEST_AUDIT_EVERY_US 60000000
enum { RATION_EVENTS, RATION_ATTACHED, RATION_REFUSED, GUEST_RATIONS };

/* A new AK costs a signature of the host's TPM; a guest makes one by a clear
 * and a reset. */
#define GUEST_NEW_AK_BURST 4
#define GUEST_NEW_AK_EVERY_US 600000000

struct guest_run {
	LIST_ENTRY(guest_run) entry;
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
	int listen_fd[WLINK_CHANS]; /* kept open, so that no guest is refused
				       while a worker is replaced; -1 */
	sd_event_source *timer;
	struct guest_waiter *waiters;
	uint64_t crash_at_us; /* start of the window */
	unsigned int crash_n;
	uint64_t crashes; /* since this manager started */
	struct guest_counted {
		uint64_t asked;  /* serial of the link asked, or 0 */
		uint64_t serial; /* of the link that last is of */
		struct wstats last;
	} counted; /* guest_stats.c */
	uint64_t started_ms;
	uint32_t power_cycles;
	bool capped;
	bool launch_over; /* no launch record is to be kept */
	bool launch_left; /* likewise, but this run goes on under it */
	bool launch_said; /* that worker and registry differ */
	enum guest_launch_seen launch_seen;
	uint8_t launch_named[SHA256_LEN];
	bool ak_wanted;                /* guest_certs.c */
	struct deep_quote_guest *deep; /* deep_quote.c's; NULL: never asked */
	struct guest_ration {
		struct token_bucket records;
		uint64_t dropped;   /* since the last record */
	} rations[GUEST_RATIONS];   /* of the audit log */
	struct token_bucket new_ak; /* guest_facts.c */
	uint8_t *vol; /* heap: sealed volatile state to start from, once */
	size_t vol_len;
	char why[MGR_TEXT_MAX]; /* of the last failure */
};

void guest_event(
    struct guest_run *g, enum guest_event e); /* g may be gone after */
/* Start; cb when it is up or is refused.  VT_E_* at once with text. */
int guest_start(struct mgr *m, const struct guest *in, mgr_done_cb cb,
    void *arg, char *text) VT_CHECK;
/* Start where the sealed volatile state (copied) ended: no power cycle.
 * Either way the store's copy is deleted: it is used once. */
int guest_resume(struct mgr *m, const struct guest *in, const uint8_t *vol,
    size_t len, mgr_done_cb cb, void *arg, char *text) VT_CHECK;
int guest_stop(struct mgr *m, const struct guest *in, bool force,
    mgr_done_cb cb, void *arg, char *text) VT_CHECK;
/* Ask every guest to stop.  Returns how many will; cb runs for each, and *left
 * is raised by one before each is asked. */
unsigned int guest_stop_all(
    struct mgr *m, mgr_done_cb cb, void *arg, unsigned int *left, char *text);
/*
 * From here on, a guest that stops keeps its status: the next manager starts
 * what ran, power cycled, as after a reboot of the host.  Stop all guests next,
 * then call guest_kept_status(): only a stop in order makes this good.
 */
void guest_keep_status(struct mgr *m);
void guest_kept_status(struct mgr *m);
void guest_free_all(struct mgr *m); /* workers live on */
/* The event for a failure rc of g; counts crashes. */
enum guest_event guest_failure(struct guest_run *g, int rc);
/* A guest, or a program, holds one of its channels. */
bool guest_in_use(const struct guest_run *g);
uint8_t guest_channel(const struct guest_run *g); /* which; 0: none */
/* Find what ran before the manager was restarted. */
int guest_find_all(struct mgr *m) VT_CHECK;
/* "guest NAME: what" with what to do, for a marked instance. */
void guest_tampered_text(
    const struct mgr *m, const struct guest *in, char *text);

#endif
