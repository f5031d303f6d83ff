/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_msg.h - messages between the manager, the zygote and the workers.
 *
 * Layer:  vtpm; the manager includes it too.
 * Bytes:  base/msg.h frames; base/msg_fields.h encodes and decodes payloads
 *         by the tables in worker_msg.c, which doc/FORMATS.md prints.
 * Trust:  a worker's messages are hostile to the manager, since a guest may
 *         have taken the worker over: the manager checks them, and they can
 *         change that guest's vTPM only.
 * Memory: what a decoded struct points to is borrowed from the payload.
 *
 * Life of a worker.  The zygote forks it with two descriptors: one end of a
 * socket pair to the manager, and the listening socket RUN/w/UUID, through
 * which the worker reconnects to a restarted manager.  The manager binds that
 * socket; the worker calls listen(2) on it again under its own uid, so that
 * SO_PEERCRED names the worker.  The worker enters its jail before it reads
 * its first message.  Messages bring everything else: the sealed state, the
 * listening sockets of its channels, and after a crash the descriptors that
 * its predecessor left with the manager (W_KEEP).
 *
 * Each connection begins with W_MANAGER from the manager; its requests may
 * follow at once.  The worker answers with W_HELLO, then repeats every W_KEEP,
 * then the W_STORE that is not yet acknowledged.  After W_STORED with an error
 * the worker repeats that W_STORE when W_MANAGER says storage_ok 1.  A worker
 * without an identity exits when its control socket closes.
 */
#ifndef VTPM_PROTO_WORKER_MSG_H
#define VTPM_PROTO_WORKER_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/histogram.h"
#include "base/msg.h"
#include "base/msg_fields.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "measure/log/launch_record.h"

#define NAME_MAX_LEN 63      /* guest name, bytes */
#define TEXT_MAX_LEN 255     /* text of an error or event */
#define STATE_MAX_LEN 524288 /* one sealed blob */
#define RECORD_MAX_LEN 65536 /* launch record or event log */
#define CERT_MAX_LEN 2048    /* one certificate, DER */
#define CHAIN_MAX_LEN 4096   /* and behind it its issuing key's */
#define PUB_MAX_LEN 1024     /* one TPM2B_PUBLIC or TPM 1.2 modulus */
#define WKEY_LEN 32          /* instance key */
/* Payload limit (msgch_new) of the socket between manager and worker; the
 * largest payload is a W_LOAD with two sealed blobs and a launch. */
#define W_MSG_MAX (2 * STATE_MAX_LEN + 2 * RECORD_MAX_LEN + 4096)

enum wmsg_type {
	/* manager <-> zygote */
	Z_READY = 1, /* z->m: no payload; libtpms is warm */
	Z_SPAWN,     /* m->z: struct zspawn + 2 fds (control, listener) */
	Z_SPAWNED,   /* z->m: struct zspawned */
	Z_EXITED,    /* z->m: struct zexited, a worker was reaped */

	/* manager -> worker; W_DONE answers each that names no other answer */
	W_PROVISION = 32, /* struct wprovision -> W_PROVISIONED */
	W_CERTS,          /* struct wcerts: write certificates, lock, store */
	W_LOAD,           /* struct wload: become this instance */
	W_OPEN,           /* struct wopen + 1 fd: serve a channel's listener */
	W_ADOPT,          /* struct wkeep + fds: continue a kept channel */
	W_LAUNCH,         /* struct wlaunch: for the next power cycle */
	W_RESET,          /* no payload: power cycle now */
	W_STOP,           /* no payload: W_DONE, then exit in order */
	W_QUERY,          /* struct wquery -> W_ANSWER */
	W_STORED,         /* struct wstored: answer to W_STORE */
	W_MANAGER,        /* struct wmanager: first on each connection */
	W_XEN,            /* struct wxen: a Xen front half (dis)connected */
	W_DEEPED,         /* struct wdeeped: answer to W_DEEP; no W_DONE */
	W_AKCERT,         /* struct wakcert: a key's newest certificate */
	W_WATCH,          /* no payload + 1 fd: the hypervisor's monitor */
	W_BANKS,          /* struct wbanks: from the next power cycle on */
	W_PAGE,           /* struct wpage + 2 fds: the page and the port of the
			     front half that a W_XEN named */

	/* worker -> manager */
	W_DONE = 64,   /* struct wdone, id of the request */
	W_PROVISIONED, /* struct wprovisioned */
	W_ANSWER,      /* struct wanswer */
	W_HELLO,       /* struct whello: first on each connection */
	W_STORE,       /* struct wstore: make durable, then W_STORED */
	W_KEEP,        /* struct wkeep + fds: hold these for a successor */
	W_UNKEEP,      /* struct wkeep, no fds: drop them */
	W_EVENT,       /* struct wevent: for log and audit */
	W_DEEP,        /* struct wdeep: vouch for a quote, then W_DEEPED */
	W_FACTS,       /* struct wfacts: what a guest may have changed */
};

enum {
	ZS_XEN = 1, /* zspawn.flags: it may serve a Xen guest */
};
struct zspawn {
	uint8_t uuid[UUID_LEN];
	uint32_t uid, gid; /* (uint32_t)-1: keep the zygote's */
	uint8_t log_level; /* as syslog(3) */
	uint8_t flags;     /* ZS_* */
};
struct zspawned {
	uint32_t pid; /* 0: the fork failed */
	char text[TEXT_MAX_LEN + 1];
};
struct zexited {
	uint32_t pid;
	uint32_t status; /* as wait(2) returns it */
};

enum { TPM_VER_12 = 1, TPM_VER_20 = 2 };
enum { BANK_SHA1 = 1, BANK_SHA256 = 2, BANK_SHA384 = 4, BANK_SHA512 = 8 };
/* BANK_* of a TPM_ALG_ID; 0: none. */
uint8_t bank_of_alg(uint16_t alg);

/* The storage root key that a new TPM has. */
enum { WSRK_NONE, WSRK_ECC, WSRK_RSA };

/* Manufacture a new TPM: the only message after which libtpms may find no
 * state and make an identity (law 2).  The result stays in memory. */
struct wprovision {
	uint8_t tpm_version; /* TPM_VER_* */
	uint8_t banks;       /* BANK_* or-ed; TPM 2.0 only */
	uint8_t srk;         /* WSRK_*; TPM 2.0 only */
};
/* TPM 2.0: the TPM2B_PUBLIC of each key, len 0 if it was not made.  TPM 1.2:
 * ek_rsa is the 256-byte modulus, the others are empty. */
struct wprovisioned {
	int32_t rc;
	char text[TEXT_MAX_LEN + 1];
	struct wblob ek_rsa, ek_ecc, ak;
};

enum { WCERT_EK_RSA = 1, WCERT_EK_ECC, WCERT_AK };
struct wcert {
	uint8_t which; /* WCERT_* */
	struct wblob der;
};
/* Take this identity, write the certificates to NV, lock their indices and
 * send W_STORE.  W_DONE follows when the manager acknowledges it. */
struct wcerts {
	uint8_t uuid[UUID_LEN];
	char name[NAME_MAX_LEN + 1];
	uint32_t group;
	uint64_t generation;
	uint8_t key[WKEY_LEN];
	uint32_t n;
	struct wcert certs[4];
	struct wblob issuer; /* the issuing key's that signed them; may be
				empty */
};

enum {
	WLOAD_CRASHED = 1, /* the predecessor crashed: cap every PCR */
	WLOAD_ROOT = 2,    /* the host's software root: Startup unasked */
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
	uint32_t owner;     /* uid that may attach, beside root */
};
/* CHAN_LOCAL: fds = connection, page memfd, eventfd to back, eventfd to
 * front.  CHAN_SWTPM: fds = control connection [, data connection
 * [, status memfd]]. */
struct wkeep {
	uint8_t chan;
	uint8_t localities;
};

/* The grant and event channel of a Xen front half.  Requires ZS_XEN; the
 * first one makes the channel.  A worker opens neither itself: it answers
 * VT_E_AGAIN when it is ready for W_PAGE, VT_OK when it has them already or
 * still serves the former page; WE_PAGE_WANTED then says that it is ready. */
struct wxen {
	uint8_t connect;    /* 0: it disconnected; the rest is unused */
	uint8_t localities; /* bit n: locality n is granted */
	uint32_t domid, gref, port;
	uint8_t resumed; /* the page may hold a dead worker's command */
};

/* To the worker that answered VT_E_AGAIN.  fds: gntdev with the one grant that
 * it can map, at offset 0; evtchn, restricted to domid, with the one port. */
struct wpage {
	uint32_t domid, gref, port; /* as in W_XEN */
	uint32_t local;             /* this host's end of port */
};

enum wlaunch_mode { LAUNCH_FIRMWARE = 1, LAUNCH_DIRECT = 2 };
/* record: measure/log/launch_record.h bytes.  log: TCG crypto-agile event log
 * whose events the worker extends in order, after its own TPM2_Startup(CLEAR)
 * and the D-RTM sequence over record at locality 4 (PCR 17).  In firmware mode
 * the log holds only that D-RTM event.  The worker applies the launch at every
 * power cycle until another one replaces it; record.len 0 removes it. */
struct wlaunch {
	uint8_t mode; /* enum wlaunch_mode */
	struct wblob record, log;
};

enum wquery_what {
	WQ_INFO = 1,     /* JSON: counters, memory, channel, versions */
	WQ_JOURNAL = 2,  /* measure/log/journal.h bytes */
	WQ_LOG = 3,      /* host-made event log, TCG bytes */
	WQ_PCRS = 4,     /* measure/tpm/pcr.h bytes: all PCRs of active banks */
	WQ_EK = 5,       /* struct wprovisioned, for `show` */
	WQ_VOLATILE = 6, /* sealed SEAL_VOLATILE state for W_LOAD; the manager
			    ends this worker before it loads another */
	WQ_STATS = 7,    /* struct wstats; changes nothing */
};
struct wquery {
	uint8_t what;
};
struct wanswer {
	int32_t rc;
	struct wblob data;
};

/* Classes of commands, for counting; engine/command_class.h. */
enum wclass {
	WCLASS_OTHER,
	WCLASS_STARTUP,
	WCLASS_PCR,
	WCLASS_RANDOM,
	WCLASS_NV,
	WCLASS_KEY,
	WCLASS_SIGN,
	WCLASS_SESSION,
	WCLASSES
};

/* Since the worker started.  No number of one worker is so large that those of
 * all could not be added up. */
#define WSTATS_MAX (UINT64_C(1) << 47)
struct wtimes {
	uint64_t sum_us;
	uint32_t n; /* of counts: HIST_BOUNDS + 1 */
	uint64_t counts[HIST_BOUNDS + 1];
};
struct wstats {
	uint64_t commands, stores;
	uint64_t held, refused; /* for want of room or of the store */
	uint64_t attaches_refused;
	uint64_t auth_failures, lockouts; /* responses that say so */
	uint64_t quiet_us; /* since the last command, or the worker's start */
	uint32_t n;        /* of times: WCLASSES */
	struct wtimes times[WCLASSES]; /* by enum wclass */
};

struct wstored {
	int32_t rc;          /* VT_OK, VT_E_SPACE, VT_E_STALE, ... */
	uint64_t version;    /* of the W_STORE that this answers */
	uint64_t generation; /* to use from now on */
};
struct wmanager {
	uint8_t storage_ok; /* 0: store absent or full, hold NV commands */
	uint8_t soft_root;  /* 1: no physical TPM; guests can see it */
	uint8_t no_growth;  /* 1: the group's quota is used up: refuse
			       commands that take more NV space */
	char build[NAME_MAX_LEN + 1]; /* of the manager; guests can see it */
};

struct wdone {
	int32_t rc;                  /* VT_OK or VT_E_* */
	char text[TEXT_MAX_LEN + 1]; /* the cause; "" if VT_OK */
};

enum {
	WH_LOADED = 1,  /* has an identity */
	WH_STARTED = 2, /* the TPM is powered and started */
	WH_STORING = 4, /* repeats an unacknowledged W_STORE next */
	WH_CAPPED = 8,  /* PCRs are capped after a crash */
	WH_LOCAL = 16,
	WH_SWTPM = 32, /* listeners open */
};
struct whello {
	uint8_t uuid[UUID_LEN];
	uint32_t pid;
	uint32_t flags; /* WH_* */
	uint64_t generation, version;
	uint32_t power_cycles; /* since the worker started */
};

/* Kinds of sealed state; vtpm/state/seal.h. */
enum seal_kind {
	SEAL_PERMANENT = 1,      /* libtpms "permall" plus our own state */
	SEAL_VOLATILE = 2,       /* libtpms volatile plus journal, at rest */
	SEAL_SNAP_PERMANENT = 3, /* for a hypervisor: savevm, migration */
	SEAL_SNAP_VOLATILE = 4,
};
enum {
	WS_FIRST = 1,   /* first state of a new vTPM */
	WS_RESTORE = 2, /* a snapshot was loaded: raise the generation */
};
struct wstore {
	uint8_t kind;                 /* enum seal_kind */
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
	WE_LAUNCH_OVER, /* the launched guest ended: forget its launch */
	WE_REPAIRED,    /* keys that the guest removed are back */
	WE_PAGE_WANTED, /* a Xen guest's former page is gone: W_XEN again */
};
struct wevent {
	uint8_t code; /* enum wevent_code */
	char text[TEXT_MAX_LEN + 1];
};

/* Before W_LOAD: from the power cycle on that loading is. */
struct wbanks {
	uint8_t banks; /* BANK_* to be active, and no others */
};

/* A TPM 2.0, after each Startup and on each connection: what of its identity
 * the guest can change.  The manager compares it with what it has. */
struct wfacts {
	uint8_t banks;   /* BANK_* that are active */
	struct wblob ak; /* TPM2B_PUBLIC */
};

/* What a worker states about a quote that its guest wants vouched for.  The
 * manager knows the guest from the connection (law 6). */
#define WDEEP_NONCE_MAX 64
#define WDEEP_ANSWER_MAX 4000
struct wdeep {
	uint64_t ticket; /* the worker's choice; W_DEEPED repeats it */
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

/* For an AK the payload does not name the kind, so that workers of an older
 * manager accept it. */
struct wakcert {
	struct wblob der; /* and behind it its issuing key's, if one signed it;
			     not empty */
	uint8_t which;    /* WCERT_* */
};

/* For msg_put() and msg_get(). */
extern const struct msg_table zspawn_msg;
extern const struct msg_table zspawned_msg;
extern const struct msg_table zexited_msg;
extern const struct msg_table wprovision_msg;
extern const struct msg_table wprovisioned_msg;
extern const struct msg_table wcerts_msg;
extern const struct msg_table wload_msg;
extern const struct msg_table wopen_msg;
extern const struct msg_table wkeep_msg;
extern const struct msg_table wxen_msg;
extern const struct msg_table wpage_msg;
extern const struct msg_table wlaunch_msg;
extern const struct msg_table wquery_msg;
extern const struct msg_table wanswer_msg;
extern const struct msg_table wstats_msg;
extern const struct msg_table wstored_msg;
extern const struct msg_table wmanager_msg;
extern const struct msg_table wdone_msg;
extern const struct msg_table whello_msg;
extern const struct msg_table wstore_msg;
extern const struct msg_table wevent_msg;
extern const struct msg_table wdeep_msg;
extern const struct msg_table wdeeped_msg;
extern const struct msg_table wakcert_msg;
extern const struct msg_table wfacts_msg;
extern const struct msg_table wbanks_msg;

#endif
