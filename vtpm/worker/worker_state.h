/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_state.h - what one worker knows: its manager, its TPM, its channels.
 *
 * Layer:  vtpm; private to vtpm/worker.  Data only; the functions that keep
 *         it are declared in the header of their file.
 */
#ifndef VTPM_WORKER_WORKER_STATE_H
#define VTPM_WORKER_WORKER_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/msg.h"
#include "base/token_bucket.h"
#include "tpmback/chan.h"
#include "vtpm/engine/cancel_watch.h"
#include "vtpm/engine/capture.h"
#include "vtpm/engine/engine.h"
#include "vtpm/engine/quote_memory.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm/provision/provision.h"
#include "vtpm/state/seal.h"
#include "vtpm/worker/power_fsm.h"
#include "vtpm/worker/worker.h"
#include "vtpm/worker/worker_clients.h"
#include "vtpm/worker/worker_launch.h"
#include "vtpm/worker/worker_limits.h"
#include "vtpm/worker/worker_machine.h"
#include "vtpm/worker/worker_stats.h"

#define SLOTS (WORKER_CHANNELS + 1) /* by enum wchan */

struct worker;

struct slot {
	struct worker *w;
	struct chan *ch; /* NULL: not open */
	uint8_t kind;    /* enum wchan */
	uint8_t localities;
	int keep[MSG_MAX_FDS]; /* duplicates, for a manager that restarts */
	unsigned int nkeep;
	bool keep_due; /* to be sent to the manager */
	bool claimed;  /* its peer is the front half of this TPM */
	atomic_bool cancelled;

	uint64_t began_us; /* when its command came; 0: none, or answered */
	uint8_t class;     /* enum wclass, of that command */

	uint8_t *held_bytes; /* heap: of a command not yet begun; or NULL */
	struct tpm_cmd held;
	uint64_t held_until_us;

	uint8_t *resp; /* heap: a response that must wait; or NULL */
	size_t resp_len;
	uint64_t resp_version; /* until this is durable */
};

struct store_req {
	uint8_t *blob; /* heap, sealed; NULL: nothing unacknowledged */
	size_t len;
	uint64_t generation, version;
	uint8_t flags; /* WS_* */
	bool sent;     /* on the present connection */
	bool failed;   /* by the manager; wait for storage_ok */
	uint64_t retry_us;
};

struct stage { /* a snapshot for the next power on, in plain text */
	uint8_t *perm, *vol; /* heap; NULL: not given */
	size_t perm_len, vol_len;
	struct seal_id perm_id, vol_id;
	bool incoming;
};

struct wk_deep {
	uint8_t state; /* VDQ_*; 0: free */
	struct wdeep m;
	uint8_t nonce[WDEEP_NONCE_MAX];
	uint64_t at_us;  /* submitted */
	bool collected;  /* read to its end once */
	uint8_t *answer; /* heap: the answer, or the reason as text */
	size_t answer_len;
};

struct wk_cert {
	uint8_t *der; /* heap: the newest; NULL: the one in NV */
	size_t len;
	bool due; /* to be written to NV */
};

struct worker {
	const struct worker_cfg *cfg;
	enum power_state power;
	bool ending;
	uint32_t manager_uid;

	/* the manager */
	int listen_fd;
	int path_fd;           /* O_PATH: the node of listen_fd; -1 */
	uint64_t path_look_us; /* without a manager: look at it then */
	struct msgch *mgr;     /* NULL: away */
	bool greeted;          /* W_MANAGER arrived, W_HELLO was sent */
	bool storage_ok, soft_root, no_growth;
	char build[NAME_MAX_LEN + 1];
	uint32_t certs_id, stop_id; /* requests that wait for a store */
	bool certs_wait, stop_wait;
	uint64_t end_by_us; /* SIGTERM: ends when it is stored, or then; or 0 */
	struct token_bucket events, chan_events, refusals, keeps;

	/* identity */
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
	bool root;         /* WLOAD_ROOT: starts up by itself */
	bool failure_told; /* in this power cycle */
	uint32_t power_cycles;
	struct machine machine;
	struct launches launch;
	struct capture cap;
	struct quotes quotes;
	struct stage stage;
	struct watch *watch;

	/* copy of the journal while a guest reads it in parts */
	uint8_t *jsnap;
	size_t jsnap_len;

	uint8_t banks_next; /* BANK_* from the next power cycle on; 0: as is */
	struct wk_cert certs[WCERT_AK + 1]; /* by WCERT_* */

	struct clients clients; /* of the local ring */

	struct wk_deep deep[WORKER_DEEP_TICKETS];
	uint64_t deep_tickets; /* the last one issued */
	uint64_t deep_us;      /* recent latency of an answer */

	struct wk_counters n;
	struct slot slots[SLOTS];
	uint8_t out[ENG_BUF_MAX]; /* a response made or changed here */
};

#endif
