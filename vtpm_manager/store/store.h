/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store.h - registry, sealed state, audit log, all in one database.
 *
 * Layer:  vtpm_manager.  The only file that knows SQLite is store_sqlite.c;
 *         struct store_ops keeps the place for a second backend.
 * Durability: store_commit() returns VT_OK only after fsync (WAL,
 *         synchronous=FULL).  Everything put since the last commit goes in
 *         one transaction: group commit.
 * Law 5:  a 16-ary hash tree over all instances (everything in struct guest
 *         and the digests of all that is kept for it); its root is kept
 *         under an HMAC of a key derived from the master key.
 *         store_unlock() checks all of it, every blob included, and marks
 *         what does not fit as inst.tampered.  A record that is gone is
 *         still listed, under its name, so that nobody makes a new guest of
 *         that name by mistake.  A tampered instance can only be deleted.
 * Space:  a reserve file of reserve_mb is kept; when the disk is full it is
 *         given back so that running guests go on, and store_space() says
 *         so until it could be made again.
 * States: after store_open() the store is locked: it lists what it holds
 *         (all of it marked, unverified) and takes store_kv_*().
 *         store_unlock() opens it, or finds it broken (root missing or
 *         wrong): then it can be read, and every change is VT_E_CORRUPT.
 * Fork:   every descriptor is close-on-exec; a child that does not exec
 *         would keep the lock.
 */
#ifndef VTPM_MANAGER_STORE_STORE_H
#define VTPM_MANAGER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/util.h"
#include "vtpm/proto/worker_msg.h"

enum guest_status { GUEST_STOPPED = 1, GUEST_RUNNING = 2 };
enum {
	GUEST_F_RESTORED = 1,  /* generation grew by a snapshot restore */
	GUEST_F_RECOVERED = 2, /* by an operator who took an old state */
};

struct guest {
	uint8_t uuid[UUID_LEN];
	char name[NAME_MAX_LEN + 1];
	uint32_t slot;       /* leaf in the hash tree; also uid offset */
	uint32_t group;      /* tenant; 0 is the host's own */
	uint8_t tpm_version; /* TPM_VER_* */
	uint8_t status;      /* enum guest_status as last wanted */
	uint32_t flags;      /* GUEST_F_* */
	uint64_t generation, version;
	uint64_t created_ms;        /* wall clock */
	uint8_t digest[32];         /* SHA-256 of the sealed permanent blob */
	uint32_t state_len;         /* bytes of it; not kept, counted */
	bool tampered;              /* set by store_unlock(), with why */
	char why[TEXT_MAX_LEN + 1]; /* words, without the guest's name */
};

struct store; /* opaque */

/* What is kept beside the permanent state, per instance. */
enum store_extra {
	SX_CERTS = 1,    /* JSON: EK and AK certificates and public areas */
	SX_LAUNCH = 2,   /* encoded struct wlaunch */
	SX_LOG = 3,      /* last host-made event log */
	SX_VOLATILE = 4, /* sealed volatile state */
};

/* Open or create DIR/store.db (0600).  Takes a lock: VT_E_BUSY if another
 * manager has it (text says its pid).  reserve_mb 0: default 16.
 * text: at least TEXT_MAX_LEN + 1 bytes, filled on failure.
 * VT_E_CORRUPT: the folder held a store and its database is gone, empty or
 * damaged; VT_E_UNSUPPORTED: written by a newer version. */
int store_open(const char *dir, unsigned int reserve_mb, struct store **ret,
    char *text) VT_CHECK;
void store_close(struct store *st); /* what was not committed is lost */
/* Words for the last failure of any call below; "" if there was none. */
const char *store_why(const struct store *st);
/* Nothing was ever kept here: the only case in which a manager may make a
 * new master key. */
bool store_is_new(struct store *st);

/* Small values outside the tree: "host_blob", ...  A store with a host blob
 * and no root is refused, so put the first host blob and call store_unlock()
 * without a commit between: both become durable together. */
#define STORE_KV_HOST "host_blob"
int store_kv_get(struct store *st, const char *key, uint8_t **ret,
    size_t *ret_len) VT_CHECK; /* heap; VT_E_NOTFOUND */
int store_kv_put(
    struct store *st, const char *key, const void *p, size_t len) VT_CHECK;

/*
 * Small values inside the tree: their digests are in the root record, so they
 * can be neither changed nor rolled back alone.  Only after store_unlock().
 * Groups, policies of the manager.  Heap; VT_E_NOTFOUND, VT_E_CORRUPT.
 * len 0 deletes.  key: at most 31 bytes.
 */
#define STORE_META_MAX 65536
int store_meta_get(
    struct store *st, const char *key, uint8_t **ret, size_t *ret_len) VT_CHECK;
int store_meta_put(
    struct store *st, const char *key, const void *p, size_t len) VT_CHECK;

/* Derive keys from master, check audit chain and hash tree.  Instances
 * that do not fit are marked; VT_E_CORRUPT (text says what) when the root
 * itself is missing or wrong so that none can be trusted: then every
 * instance is marked.  An empty store gets its first root (committed here,
 * with what was put before).  With VT_OK text is "" or a warning that the
 * operator must see: the audit log or the list of values does not fit.
 * VT_E_STATE: open already. Pointers and copies from before are stale: find
 * instances again. */
int store_unlock(
    struct store *st, const uint8_t master[32], char *text) VT_CHECK;

int store_guest_add(struct store *st, struct guest *in) VT_CHECK; /* fills slot;
	VT_E_EXISTS (name or uuid), VT_E_SPACE (reserve is gone) */
int store_guest_del(struct store *st, const uint8_t uuid[UUID_LEN]) VT_CHECK;
int store_guest_find(
    struct store *st, const char *name_or_uuid, struct guest *ret) VT_CHECK;
int store_guest_get(
    struct store *st, const uint8_t uuid[UUID_LEN], struct guest *ret) VT_CHECK;
/* cb returns 0 to go on. Ordered by name. */
int store_guest_each(struct store *st,
    int (*cb)(const struct guest *in, void *arg), void *arg) VT_CHECK;
int store_guest_status(struct store *st, const uint8_t uuid[UUID_LEN],
    enum guest_status s) VT_CHECK;

/* New permanent state: generation, version and flags become these.
 * VT_E_STALE unless (generation, version) is greater than the stored pair;
 * the stored pair again with the same digest is VT_OK and changes nothing
 * (a worker sends again what was not acknowledged).  VT_E_AUTH: digest is
 * not that of blob.  VT_E_CORRUPT: tampered.  VT_E_RANGE: too long. */
int store_state_put(struct store *st, const uint8_t uuid[UUID_LEN],
    uint64_t generation, uint64_t version, uint32_t flags,
    const uint8_t digest[32], const uint8_t *blob, size_t len) VT_CHECK;
/* Heap; VT_E_NOTFOUND, VT_E_CORRUPT (digest does not fit). */
int store_state_get(struct store *st, const uint8_t uuid[UUID_LEN],
    uint8_t **ret, size_t *ret_len) VT_CHECK;
int store_extra_put(struct store *st, const uint8_t uuid[UUID_LEN],
    enum store_extra x, const uint8_t *p, size_t len) VT_CHECK; /* len 0
	deletes */
int store_extra_get(struct store *st, const uint8_t uuid[UUID_LEN],
    enum store_extra x, uint8_t **ret, size_t *ret_len) VT_CHECK;

/* Everything put since the last commit becomes durable, or none of it: on
 * failure (VT_E_SPACE, VT_E_SYS, VT_E_CORRUPT) it is all forgotten and the
 * store is as after the last commit. */
int store_commit(struct store *st) VT_CHECK;
void store_rollback(struct store *st);

/*
 * The place of the physical TPM's counter (anchor_fsm.h).  store_anchor(): the
 * value in the newest durable root.  store_anchor_set(): the value of every
 * root from now on; before store_unlock() of a new store, that of its first.
 * store_commits(): how many roots there were; it grows with each one.
 */
uint64_t store_anchor(const struct store *st);
void store_anchor_set(struct store *st, uint64_t anchor);
uint64_t store_commits(const struct store *st);

/*
 * After store_unlock(): this is not the newest store, in words of why.  From
 * now on it can be read, every instance is marked with these words, and
 * every change is VT_E_CORRUPT.  Nothing is written.
 */
void store_freeze(struct store *st, const char *why);
bool store_frozen(const struct store *st);
/*
 * An operator takes a frozen store as it is.  Every instance that is good but
 * for its age is stopped, loses what was kept of its volatile state and its
 * launch, has GUEST_F_RECOVERED, and a generation that none ever had if none
 * grew by more than `lost` steps that this store has not seen.  Not durable
 * before store_commit(): if that fails, freeze it again.
 */
int store_recover_all(
    struct store *st, uint64_t lost, uint32_t *ret_n) VT_CHECK;
/*
 * The same for one instance whose record does not fit the tree, while record
 * and blobs fit each other.  VT_E_STATE: nothing is wrong with it;
 * VT_E_NOTFOUND; VT_E_CORRUPT: not even they fit, or it was destroyed.
 * fits: does the sealed state belong to this record?  What nothing else
 * vouches for (group, ...) is believed as it is found.
 */
int store_recover_one(struct store *st, const uint8_t uuid[UUID_LEN],
    bool (*fits)(
	const struct guest *in, const uint8_t *state, size_t len)) VT_CHECK;

struct audit_rec {
	uint64_t seq, wall_ms;
	char who[64];    /* "uid 0 (admin)" or "manager" */
	char action[32]; /* create, start, power-cycle, ... */
	char object[NAME_MAX_LEN + 1];
	char result[16]; /* ok, refused, failed */
	char detail[TEXT_MAX_LEN + 1];
	uint8_t hash[32]; /* H(previous hash || fields) */
};
/* Joins the open transaction; durable with the next commit.  VT_E_STATE
 * while locked.  What is too long is cut, what is not printable ASCII
 * becomes '?'. */
int store_audit(struct store *st, const char *who, const char *action,
    const char *object, const char *result, const char *detail) VT_CHECK;
/* Committed records in order; cb returns 0 to go on.  Every record is
 * checked against the chain first: VT_E_CORRUPT at the first that does not
 * fit, store_why() says which.  Only the last STORE_AUDIT_MAX are kept. */
#define STORE_AUDIT_MAX 100000
int store_audit_each(struct store *st, uint64_t from_seq,
    int (*cb)(const struct audit_rec *r, void *arg), void *arg) VT_CHECK;

struct store_space {
	bool ok;           /* provisioning is allowed */
	bool reserve_used; /* the reserve was given to running guests */
	bool low;          /* and is nearly gone: begin no more writes */
	uint64_t free_bytes;
};
void store_space(struct store *st, struct store_space *ret);

#endif
