/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_msg.h - what manager, zygote and worker say to each other.
 *
 * Layer:  vtpm; the manager includes it too.
 * Bytes:  base/msg.h frames; every payload is the struct's fields in order,
 *         big-endian; text is be16 length + bytes, blobs be32 + bytes.
 *         worker_msg.c encodes and decodes; trailing bytes are an error.
 * Trust:  a worker's messages are hostile to the manager (a guest may have
 *         taken it over): they are checked and touch that instance only.
 *
 * Life of a worker.  The zygote forks it with two descriptors: one end of a
 * socket pair to the manager, and a listening socket RUN/w/UUID (bound by
 * the manager) on which a restarted manager finds it again; the worker
 * calls listen(2) on it once more after it has its own uid, so that the
 * manager's SO_PEERCRED names the worker and not who bound it.  It jails
 * itself before it reads its first message.  Everything else arrives as
 * messages: the sealed state, the listening sockets of its channels, and
 * after a crash the descriptors that its predecessor had left with the
 * manager (W_KEEP).
 *
 * (Re)connected: the manager sends W_MANAGER, the worker answers with
 * W_HELLO, then every W_KEEP anew, then the W_STORE that was not yet
 * acknowledged.  The manager may send requests right behind W_MANAGER.
 * After W_STORED with an error the worker sends that W_STORE again when
 * W_MANAGER says storage_ok 1.  A worker without an identity exits when
 * its control socket ends.
 */
#ifndef VTPM_PROTO_WORKER_MSG_H
#define VTPM_PROTO_WORKER_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/msg.h"
#include "base/rdwr.h"
#include "base/util.h"

#define NAME_MAX_LEN 63      /* guest name, bytes */
#define TEXT_MAX_LEN 255     /* an error or event in words */
#define STATE_MAX_LEN 524288 /* one sealed blob */
#define RECORD_MAX_LEN 65536 /* launch record or event log */
#define CERT_MAX_LEN 2048    /* one certificate, DER */
#define PUB_MAX_LEN 1024     /* one TPM2B_PUBLIC or TPM 1.2 modulus */
#define WKEY_LEN 32          /* instance key */
/* Payload limit (msgch_new) of the socket between manager and worker: the
 * largest is W_LOAD with two sealed blobs and a launch. */
#define W_MSG_MAX (2 * STATE_MAX_LEN + 2 * RECORD_MAX_LEN + 4096)

enum wmsg_type {
	/* manager <-> zygote */
	Z_READY = 1, /* z->m: no payload; libtpms is warm */
	Z_SPAWN,     /* m->z: struct zspawn + 2 fds (control, listener) */
	Z_SPAWNED,   /* z->m: struct zspawned */
	Z_EXITED,    /* z->m: struct zexited, a worker was reaped */

	/* manager -> worker; each answered by W_DONE unless said otherwise */
	W_PROVISION = 32, /* struct wprovision -> W_PROVISIONED */
	W_CERTS,          /* struct wcerts: write certificates, lock, store */
	W_LOAD,           /* struct wload: become this instance */
	W_OPEN,           /* struct wopen + 1 fd: serve a channel's listener */
	W_ADOPT,          /* struct wkeep + fds: go on with a kept channel */
	W_LAUNCH,         /* struct wlaunch: for the next power cycle */
	W_RESET,          /* no payload: power cycle now */
	W_STOP,           /* no payload: orderly end; W_DONE, then exit */
	W_QUERY,          /* struct wquery -> W_ANSWER */
	W_STORED,         /* struct wstored: answer to W_STORE */
	W_MANAGER,        /* struct wmanager: first message after (re)connect */
	W_XEN,            /* struct wxen: a Xen front half came or went */
	W_DEEPED,         /* struct wdeeped: answer to W_DEEP; no W_DONE */
	W_AKCERT,         /* struct wakcert: a key's newest certificate */

	/* worker -> manager */
	W_DONE = 64,   /* struct wdone, id of the request */
	W_PROVISIONED, /* struct wprovisioned */
	W_ANSWER,      /* struct wanswer */
	W_HELLO,       /* struct whello: first message after (re)connect */
	W_STORE,       /* struct wstore: make durable, then W_STORED */
	W_KEEP,        /* struct wkeep + fds: hold these for a successor */
	W_UNKEEP,      /* struct wkeep, no fds: drop them */
	W_EVENT,       /* struct wevent: for log and audit */
	W_DEEP,        /* struct wdeep: vouch for a quote, then W_DEEPED */
};

struct zspawn {
	uint8_t uuid[UUID_LEN];
	uint32_t uid, gid; /* (uint32_t)-1: stay who you are */
	uint8_t log_level;
	uint8_t flags; /* ZS_* */
};
/* struct zspawn.flags */
enum {
	ZS_XEN = 1, /* open Xen's devices before the jail closes */
};
struct zspawned {
	uint32_t pid; /* 0: it failed */
	char text[TEXT_MAX_LEN + 1];
};
struct zexited {
	uint32_t pid;
	uint32_t status; /* as wait(2) gives it */
};

enum { TPM_VER_12 = 1, TPM_VER_20 = 2 };
enum { BANK_SHA1 = 1, BANK_SHA256 = 2, BANK_SHA384 = 4, BANK_SHA512 = 8 };

/* Manufacture a new TPM.  The one message after which libtpms may find no
 * state and make an identity (law 2).  The result stays in memory. */
struct wprovision {
	uint8_t tpm_version; /* TPM_VER_* */
	uint8_t banks;       /* BANK_* or-ed; TPM 2.0 only */
};
/* TPM 2.0: TPM2B_PUBLIC of each; TPM 1.2: ek_rsa is the 256-byte modulus,
 * the others are empty.  len 0: not made. */
struct wblob {
	const uint8_t *p; /* borrowed from the message */
	uint32_t len;
};
struct wprovisioned {
	int32_t rc;
	char text[TEXT_MAX_LEN + 1];
	struct wblob ek_rsa, ek_ecc, ak;
};

enum { WCERT_EK_RSA = 1, WCERT_EK_ECC, WCERT_AK };
/* Claim: take this identity, write the certificates to NV, lock the
 * indices, send W_STORE; W_DONE follows once that is acknowledged. */
struct wcerts {
	uint8_t uuid[UUID_LEN];
	char name[NAME_MAX_LEN + 1];
	uint32_t group;
	uint64_t generation;
	uint8_t key[WKEY_LEN];
	uint32_t n; /* <= 4 */
	struct {
		uint8_t which; /* WCERT_* */
		struct wblob der;
	} certs[4];
};

enum {
	WLOAD_CRASHED = 1, /* predecessor died: start up, cap every PCR */
	WLOAD_ROOT = 2,    /* the host's software root: Startup by itself */
};
struct wload {
	uint8_t uuid[UUID_LEN];
	char name[NAME_MAX_LEN + 1];
	uint8_t tpm_version;
	uint8_t flags; /* WLOAD_* */
	uint32_t group;
	uint64_t generation;
	uint64_t version; /* state version that `permanent` must have */
	uint8_t key[WKEY_LEN];
	struct wblob permanent; /* sealed; kind SEAL_PERMANENT; required */
	struct wblob volatile_; /* sealed; kind SEAL_VOLATILE; or empty */
	struct wblob launch;    /* encoded struct wlaunch, or empty */
};

enum wchan { CHAN_LOCAL = 1, CHAN_SWTPM = 2, CHAN_XEN = 3 };
struct wopen {
	uint8_t chan;       /* CHAN_LOCAL or CHAN_SWTPM */
	uint8_t localities; /* bit n: locality n is granted */
};
/* CHAN_LOCAL: fds = connection, page memfd, eventfd to back, eventfd to
 * front.  CHAN_SWTPM: fds = control connection [, data connection
 * [, status memfd]]. */
struct wkeep {
	uint8_t chan;
	uint8_t localities;
};

/* The grant and event channel of a Xen front half.  Serving it needs
 * ZS_XEN; the first one makes the channel. */
struct wxen {
	uint8_t connect;    /* 0: it has gone; the rest is then unused */
	uint8_t localities; /* bit n: locality n is granted */
	uint32_t domid, gref, port;
	uint8_t resumed; /* the page may hold a command of a dead worker's */
};

enum wlaunch_mode { LAUNCH_FIRMWARE = 1, LAUNCH_DIRECT = 2 };
/* record: measure/log/launch_record.h bytes.  log: TCG crypto-agile event log
 * whose events the worker extends in order after its own TPM2_Startup(CLEAR)
 * and the D-RTM sequence over record at locality 4 (PCR 17).  In firmware mode
 * the log holds only that D-RTM event.  Applied again at every power cycle
 * until replaced; record.len 0 forgets it. */
struct wlaunch {
	uint8_t mode; /* enum wlaunch_mode */
	struct wblob record, log;
};

enum wquery_what {
	WQ_INFO = 1,     /* JSON: counters, memory, channel, versions */
	WQ_JOURNAL = 2,  /* measure/log/journal.h bytes */
	WQ_LOG = 3,      /* host-made event log, TCG bytes */
	WQ_PCRS = 4,     /* measure/tpm/pcr.h bytes: all PCRs of active banks */
	WQ_EK = 5,       /* struct wprovisioned again, for `show` */
	WQ_VOLATILE = 6, /* sealed SEAL_VOLATILE state for W_LOAD; the caller
			    ends this worker before another one gets it */
};
struct wquery {
	uint8_t what;
};
struct wanswer {
	int32_t rc;
	struct wblob data;
};

struct wstored {
	int32_t rc;          /* VT_OK, VT_E_SPACE, VT_E_STALE, ... */
	uint64_t version;    /* of the W_STORE that this answers */
	uint64_t generation; /* the one to use from now on */
};
struct wmanager {
	uint8_t storage_ok; /* 0: store is away or full, hold NV commands */
	uint8_t soft_root;  /* 1: no physical TPM; guests are told so */
	uint8_t no_growth;  /* 1: its group's quota is used up: no command
			       that takes more NV space */
	char build[NAME_MAX_LEN + 1]; /* of the manager; guests are told */
};

struct wdone {
	int32_t rc;                  /* VT_OK or VT_E_* */
	char text[TEXT_MAX_LEN + 1]; /* why, in words; "" if VT_OK */
};

enum {
	WH_LOADED = 1,  /* has an identity */
	WH_STARTED = 2, /* TPM is powered and started */
	WH_STORING = 4, /* has an unacknowledged W_STORE, resent next */
	WH_CAPPED = 8,  /* PCRs are capped since a crash */
	WH_LOCAL = 16,
	WH_SWTPM = 32, /* listeners open */
};
struct whello {
	uint8_t uuid[UUID_LEN];
	uint32_t pid;
	uint32_t flags; /* WH_* */
	uint64_t generation, version;
	uint32_t power_cycles; /* since this vTPM was started */
};

enum {
	WS_FIRST = 1,   /* first state of a new vTPM */
	WS_RESTORE = 2, /* a snapshot was loaded: grow the generation */
};
struct wstore {
	uint8_t kind;                 /* SEAL_* of vtpm/state/seal.h */
	uint8_t flags;                /* WS_* */
	uint64_t generation, version; /* as inside the sealed header */
	uint8_t digest[32];           /* SHA-256 of blob */
	struct wblob blob;
};

enum wevent_code {
	WE_POWER_CYCLE = 1,
	WE_CHANNEL_OPEN,
	WE_CHANNEL_CLOSED,
	WE_CHANNEL_BUSY,
	WE_VIOLATION,
	WE_RESTORED,
	WE_CAPPED,
	WE_LAUNCH_APPLIED,
	WE_FAILURE,
	WE_HANDOVER,
	WE_LAUNCH_OVER, /* who was launched has ended: forget the launch */
};
struct wevent {
	uint8_t code; /* enum wevent_code */
	char text[TEXT_MAX_LEN + 1];
};

/* What a worker says of a quote that its guest wants vouched for; who the
 * guest is the manager knows by itself. */
#define WDEEP_NONCE_MAX 64
#define WDEEP_ANSWER_MAX 4000
struct wdeep {
	uint64_t ticket; /* the worker's */
	uint32_t flags;  /* DEEP_F_* of measure/evidence/deep_leaf.h */
	uint8_t quote[32], channel_key[32], launch[32], journal[32];
	struct wblob nonce;
};
struct wdeeped {
	uint64_t ticket;
	int32_t rc;
	char text[TEXT_MAX_LEN + 1];
	struct wblob answer; /* encoded struct deep_answer */
};

struct wakcert {
	struct wblob der; /* not empty */
	uint8_t which;    /* WCERT_* */
};

/*
 * One pair per struct.  Encoders write to w (sticky error); decoders return
 * VT_OK and fill *ret, or VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE; blobs in *ret
 * are borrowed from data.
 */
#define VTPM_PROTO_PAIR(name)                                             \
	void name##_put(struct wr *w, const struct name *m);              \
	int name##_get(const uint8_t *data, size_t len, struct name *ret) \
	    VT_CHECK
VTPM_PROTO_PAIR(zspawn);
VTPM_PROTO_PAIR(zspawned);
VTPM_PROTO_PAIR(zexited);
VTPM_PROTO_PAIR(wprovision);
VTPM_PROTO_PAIR(wprovisioned);
VTPM_PROTO_PAIR(wcerts);
VTPM_PROTO_PAIR(wload);
VTPM_PROTO_PAIR(wopen);
VTPM_PROTO_PAIR(wkeep);
VTPM_PROTO_PAIR(wxen);
VTPM_PROTO_PAIR(wlaunch);
VTPM_PROTO_PAIR(wquery);
VTPM_PROTO_PAIR(wanswer);
VTPM_PROTO_PAIR(wstored);
VTPM_PROTO_PAIR(wmanager);
VTPM_PROTO_PAIR(wdone);
VTPM_PROTO_PAIR(whello);
VTPM_PROTO_PAIR(wstore);
VTPM_PROTO_PAIR(wevent);
VTPM_PROTO_PAIR(wdeep);
VTPM_PROTO_PAIR(wdeeped);
VTPM_PROTO_PAIR(wakcert);
#undef VTPM_PROTO_PAIR

/* One blob as a field: be32 length + bytes.  What is read is borrowed from
 * the reader's buffer; longer than max is VT_E_RANGE. */
void wblob_put(struct wr *w, const struct wblob *b);
void wblob_get(struct rd *r, size_t max, struct wblob *ret);

#endif
