/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * soft_root.c - the software root: a vTPM that stands in for a physical TPM.
 * Its sealed state lies in the store beside the tree (the tree's key is sealed
 * in it), under a key in STATE/softroot.key that is made only together with a
 * new store.  It proves nothing about the host, and everything that it signs
 * says so.
 */
#include "vtpm_manager/guest/soft_root.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/log.h"
#include "vtpm/state/seal.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/core/run_folder.h"
#include "vtpm_manager/guest/guest_store.h"
#include "vtpm_manager/guest/worker_link.h"
#include "vtpm_manager/guest/worker_id.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_commit.h"

#define KV_UUID "softroot.uuid"   /* there: the root was begun */
#define KV_STATE "softroot.state" /* there: the root was made */
#define KV_BOOT "softroot.boot"   /* boot id while it runs */
#define KEY_FILE "softroot.key"
#define RETRY_MAX_MS 5000
#define PROVISION_MS 120000
#define STOP_MS 3000

enum root_st { RS_MAKING, RS_FINDING, RS_LOADING, RS_UP, RS_DOWN, RS_ENDED };

struct root {
	struct mgr *m;
	enum root_st st;
	struct wlink *link;
	uint8_t uuid[UUID_LEN], key[WKEY_LEN];
	int listen_fd;
	sd_event_source *timer;
	unsigned int pending, tries;
	uint64_t wait_ms;
	mgr_done_cb ready;
	void *arg;
	void (*gone)(struct mgr *m); /* after root_stop() */
};

struct root_store { /* a W_STORE on its way to the disk */
	struct mgr *m;
	uint64_t serial, version, generation;
	uint32_t id;
};

static void root_load(struct root *r);
static void root_up(struct root *r);

static void
root_failed(struct root *r, const char *what, const char *why)
{
	mgr_done_cb cb = r->ready;
	char text[MGR_TEXT_MAX];

	(void)snprintf(
	    text, sizeof(text), "software root: %s: %.300s", what, why);
	r->ready = NULL;
	if (cb != NULL)
		cb(r->arg, VT_E_STATE, text);
	else
		log_err("%s", text);
}

/* --- what its worker sends --- */

static void
on_durable(void *arg, int rc)
{
	struct root_store *s = arg;
	struct root *r = s->m->root;

	if (r != NULL && r->link != NULL && r->link->serial == s->serial)
		wlink_stored(r->link, s->id, rc, s->version, s->generation);
	free(s);
}

/* Outside the store's tree nothing else compares the digest. */
static int
check_state(const struct root *r, const struct wstore *s)
{
	uint8_t digest[SHA256_LEN];
	int rc;

	if ((rc = guest_check_store(r->uuid, s)) != VT_OK ||
	    (rc = digest_buf(ALG_SHA256, s->blob.p, s->blob.len, digest)) !=
		VT_OK)
		return rc;
	return mem_equal(digest, s->digest, sizeof(digest)) ? VT_OK : VT_E_AUTH;
}

static void
on_store(void *arg, uint32_t id, const struct wstore *s)
{
	struct root_store *p = calloc(1, sizeof(*p));
	struct root *r = arg;
	int rc = VT_E_PROTO;

	if (p == NULL)
		rc = VT_E_NOMEM;
	else if (s->kind == SEAL_VOLATILE)
		rc = VT_OK; /* it will not be read */
	else if (s->kind == SEAL_PERMANENT && (rc = check_state(r, s)) == VT_OK)
		rc = store_kv_put(r->m->st, KV_STATE, s->blob.p, s->blob.len);
	if (p == NULL || rc != VT_OK) {
		log_err("software root: state not stored: %s", vt_strerror(rc));
		wlink_stored(r->link, id, rc, s->version, s->generation);
		free(p);
		return;
	}
	p->m = r->m;
	p->serial = r->link->serial;
	p->id = id;
	p->version = s->version;
	p->generation = s->generation;
	commit_soon(r->m, on_durable, p);
}

static void
on_event(void *arg, const struct wevent *e)
{
	(void)arg;
	log_debug("software root: event %u", e->code);
}

static int
on_hello(void *arg, const struct whello *h)
{
	struct root *r = arg;

	if (r->st != RS_FINDING)
		return VT_OK;
	if (memcmp(h->uuid, r->uuid, UUID_LEN) != 0 ||
	    !(h->flags & WH_LOADED) || !(h->flags & WH_LOCAL))
		return VT_E_DENIED;
	log_info(
	    "software root: reconnected to its worker (pid %u)", r->link->pid);
	root_up(r);
	return VT_OK;
}

static int
on_retry(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	root_load(arg);
	return 0;
}

static void
retry(struct root *r, const char *why)
{
	wlink_end(r->link, true);
	r->link = NULL;
	if (r->st == RS_MAKING || (r->ready != NULL && ++r->tries > 5)) {
		root_failed(r, "its worker does not come up", why);
		return;
	}
	log_warn("software root: %s; restarting its worker", why);
	r->st = RS_DOWN;
	if (loop_timer(r->m, &r->timer, r->wait_ms, LOOP_PRIO_WORKER, on_retry,
		r) != VT_OK)
		loop_fatal(r->m, "cannot set a timer");
	r->wait_ms = r->wait_ms == 0 ? 50 : r->wait_ms * 2;
	if (r->wait_ms > RETRY_MAX_MS)
		r->wait_ms = RETRY_MAX_MS;
}

static void
root_gone(struct root *r)
{
	run_unlink_guest(r->m, MGR_ROOT_NAME);
	if (store_kv_put(r->m->st, KV_BOOT, "-", 1) != VT_OK)
		log_warn("software root: its end could not be stored");
	commit_soon(r->m, NULL, NULL);
	r->gone(r->m);
}

static void
on_closed(void *arg, const char *why)
{
	struct root *r = arg;

	if (r->st != RS_ENDED) {
		retry(r, why);
		return;
	}
	wlink_end(r->link, true);
	r->link = NULL;
	root_gone(r);
}

static const struct wlink_ops root_ops = {
	.hello = on_hello,
	.store = on_store,
	.event = on_event,
	.closed = on_closed,
};

/* --- load --- */

static void
root_up(struct root *r)
{
	mgr_done_cb cb = r->ready;

	loop_timer_off(r->timer);
	r->st = RS_UP;
	r->wait_ms = 0;
	r->tries = 0;
	r->ready = NULL;
	if (cb != NULL)
		cb(r->arg, VT_OK, "");
	else
		hwlink_restart(r->m->hw); /* its objects are gone */
}

static void
on_loaded(void *arg, int rc, const struct msg *msg)
{
	struct root *r = arg;
	char text[TEXT_MAX_LEN + 1];

	rc = wlink_done_rc(rc, msg, text, sizeof(text));
	if (rc == VT_E_CLOSED || r->st != RS_LOADING)
		return;
	if (rc != VT_OK)
		retry(r, text);
	else if (--r->pending == 0)
		root_up(r);
}

static int
send_load(struct root *r, bool crashed)
{
	struct wload l = { .tpm_version = TPM_VER_20,
		.name = MGR_ROOT_NAME,
		.flags =
		    (uint8_t)(WLOAD_ROOT | (crashed ? WLOAD_CRASHED : 0)) };
	struct seal_id id;
	uint8_t *state = NULL;
	size_t len;
	struct wr w;
	int rc;

	rc = store_kv_get(r->m->st, KV_STATE, &state, &len);
	if (rc != VT_OK)
		return rc;
	if ((rc = seal_peek(state, len, &id)) != VT_OK) {
		free(state);
		return rc;
	}
	memcpy(l.uuid, r->uuid, UUID_LEN);
	memcpy(l.key, r->key, WKEY_LEN);
	l.generation = id.generation;
	l.version = id.version;
	l.permanent.p = state;
	l.permanent.len = (uint32_t)len;
	wr_grow(&w, W_MSG_MAX);
	msg_put(&w, wload, &l);
	rc = wlink_request(r->link, W_LOAD, &w, NULL, 0, 0, on_loaded, r);
	wr_free(&w);
	explicit_bzero(&l, sizeof(l));
	free(state);
	return rc;
}

/*
 * Its socket is the manager's and hwtpm's alone, under a name that no guest can
 * have.  hwtpm has its own uid, and the group of that number, or, below a
 * folder that is closed to it, the manager's uid.
 */
static int
listen_for_hwtpm(struct root *r, uint32_t uid)
{
	char path[PATH_MAX];

	r->listen_fd =
	    run_listen_guest(r->m, MGR_ROOT_NAME, "tpmif", geteuid());
	if (r->listen_fd == -1 || uid == geteuid())
		return r->listen_fd == -1 ? VT_E_SYS : VT_OK;
	if (run_path(path, sizeof(path), "%s/%s.tpmif", r->m->cfg.run,
		MGR_ROOT_NAME) == VT_OK &&
	    chown(path, (uid_t)-1, uid) == 0 && chmod(path, 0660) == 0)
		return VT_OK;
	(void)close(r->listen_fd);
	r->listen_fd = -1;
	return VT_E_SYS;
}

static int
send_open(struct root *r)
{
	struct wopen wo = {
		.chan = CHAN_LOCAL, .localities = 1, .owner = hwlink_uid(r->m)
	};
	uint8_t buf[16];
	struct wr w;

	if (r->listen_fd == -1 && listen_for_hwtpm(r, wo.owner) != VT_OK)
		return VT_E_SYS;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wopen, &wo);
	return wlink_request(
	    r->link, W_OPEN, &w, &r->listen_fd, 1, 0, on_loaded, r);
}

/* Was it running, by what the store last knew, in this boot of the host? */
static bool
was_running(struct root *r)
{
	uint8_t *p = NULL;
	bool same;
	size_t len;

	if (store_kv_get(r->m->st, KV_BOOT, &p, &len) != VT_OK)
		return false;
	same =
	    len == strlen(r->m->boot_id) && memcmp(p, r->m->boot_id, len) == 0;
	free(p);
	return same;
}

static void
root_load(struct root *r)
{
	uint32_t uid = r->m->separated
			   ? r->m->cfg.worker_uid_base + WORKER_UID_ROOT
			   : (uint32_t)-1;
	bool crashed = was_running(r);
	int rc;

	r->st = RS_LOADING;
	r->pending = 2;
	rc = wlink_spawn(r->m, r->uuid, uid, &root_ops, r, NULL, &r->link);
	if (rc == VT_OK)
		rc = store_kv_put(
		    r->m->st, KV_BOOT, r->m->boot_id, strlen(r->m->boot_id));
	if (rc == VT_OK) {
		commit_soon(r->m, NULL, NULL);
		rc = send_load(r, crashed);
	}
	if (rc == VT_OK)
		rc = send_open(r);
	if (rc != VT_OK)
		retry(r, vt_strerror(rc));
}

static int
on_find_timeout(sd_event_source *s, uint64_t usec, void *arg)
{
	struct root *r = arg;

	(void)s;
	(void)usec;
	if (r->st == RS_FINDING)
		retry(r, "its worker did not answer after the manager's "
			 "restart");
	return 0;
}

static void
root_find(struct root *r)
{
	uint32_t uid = r->m->separated
			   ? r->m->cfg.worker_uid_base + WORKER_UID_ROOT
			   : (uint32_t)-1;

	r->st = RS_FINDING;
	if (wlink_connect(r->m, r->uuid, uid, &root_ops, r, &r->link) !=
	    VT_OK) {
		root_load(r);
		return;
	}
	if (loop_timer(r->m, &r->timer, 3000, LOOP_PRIO_WORKER, on_find_timeout,
		r) != VT_OK)
		loop_fatal(r->m, "cannot set a timer");
}

/* --- make --- */

static void
on_made(void *arg, int rc, const struct msg *msg)
{
	struct root *r = arg;
	char text[TEXT_MAX_LEN + 1];

	rc = wlink_done_rc(rc, msg, text, sizeof(text));
	if (rc == VT_E_CLOSED)
		return;
	wlink_end(r->link, false);
	r->link = NULL;
	if (rc != VT_OK)
		root_failed(r, "it could not be made", text);
	else
		root_load(r);
}

static void
on_provisioned(void *arg, int rc, const struct msg *msg)
{
	struct wcerts wc = { .name = MGR_ROOT_NAME, .generation = 1 };
	struct root *r = arg;
	struct wprovisioned wp;
	struct wr w;

	if (rc == VT_E_CLOSED)
		return;
	if (rc == VT_OK &&
	    (msg->type != W_PROVISIONED ||
		msg_get(wprovisioned, msg->data, msg->len, &wp) != VT_OK))
		rc = VT_E_PROTO;
	if (rc == VT_OK && wp.rc != VT_OK) {
		text_clean(wp.text);
		root_failed(r, "it could not be made", wp.text);
		return;
	}
	if (rc == VT_OK) {
		memcpy(wc.uuid, r->uuid, UUID_LEN);
		memcpy(wc.key, r->key, WKEY_LEN);
		wr_grow(&w, 4096);
		msg_put(&w, wcerts, &wc);
		rc =
		    wlink_request(r->link, W_CERTS, &w, NULL, 0, 0, on_made, r);
		wr_free(&w);
		explicit_bzero(&wc, sizeof(wc));
	}
	if (rc != VT_OK)
		root_failed(r, "it could not be made", vt_strerror(rc));
}

/* The key file is written before the state that needs it. */
static int
root_make(struct root *r, const char *key_path)
{
	struct wprovision wp = { .tpm_version = TPM_VER_20,
		.banks = BANK_SHA256 };
	uint8_t buf[16], spawn_uuid[UUID_LEN];
	struct wr w;
	int rc;

	r->st = RS_MAKING;
	if ((rc = uuid_make(r->uuid)) != VT_OK ||
	    (rc = uuid_make(spawn_uuid)) != VT_OK ||
	    (rc = random_bytes(r->key, sizeof(r->key))) != VT_OK)
		return rc;
	rc = store_kv_put(r->m->st, KV_UUID, r->uuid, UUID_LEN);
	if (rc == VT_OK)
		rc = store_commit(r->m->st);
	if (rc == VT_OK)
		rc = write_file_atomic(key_path, r->key, sizeof(r->key), 0600);
	if (rc == VT_OK)
		rc = wlink_spawn(r->m, spawn_uuid, worker_id_fresh_uid(r->m),
		    &root_ops, r, NULL, &r->link);
	if (rc != VT_OK)
		return rc;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wprovision, &wp);
	return wlink_request(
	    r->link, W_PROVISION, &w, NULL, 0, PROVISION_MS, on_provisioned, r);
}

static int
read_key(struct root *r, const char *path)
{
	uint8_t *p = NULL;
	size_t len;
	int rc;

	if ((rc = read_file(path, 64, &p, &len)) != VT_OK)
		return rc;
	rc = len == WKEY_LEN ? VT_OK : VT_E_FORMAT;
	if (rc == VT_OK)
		memcpy(r->key, p, WKEY_LEN);
	explicit_bzero(p, len);
	free(p);
	return rc;
}

/* Find it, make it, or say what is missing. */
static int
root_begin(struct root *r)
{
	uint8_t *uuid = NULL, *state = NULL;
	bool have_uuid, have_state, have_key;
	size_t ulen = 0, slen = 0;
	char path[PATH_MAX];
	int rc;

	rc = run_path(path, sizeof(path), "%s/" KEY_FILE, r->m->cfg.state);
	if (rc != VT_OK)
		return rc;
	have_key = access(path, F_OK) == 0;
	have_uuid = store_kv_get(r->m->st, KV_UUID, &uuid, &ulen) == VT_OK &&
		    ulen == UUID_LEN;
	have_state = store_kv_get(r->m->st, KV_STATE, &state, &slen) == VT_OK;
	if (have_uuid)
		memcpy(r->uuid, uuid, UUID_LEN);
	free(uuid);
	free(state);
	if (have_state && have_uuid) {
		if ((rc = read_key(r, path)) == VT_OK) {
			root_find(r);
			return VT_OK;
		}
		root_failed(r,
		    "STATE/" KEY_FILE " cannot be used, so nothing in the "
		    "store can be opened; restore that file from a copy",
		    vt_strerror(rc));
		return VT_OK;
	}
	if (store_is_new(r->m->st) && (have_uuid || !have_key))
		return root_make(r, path);
	root_failed(r,
	    have_key ? "STATE/" KEY_FILE " is there but the store does not "
		       "have the state that belongs to it"
		     : "it is missing although the store is not new",
	    "restore the whole state folder from a copy, or remove that file "
	    "to begin anew and lose all vTPMs of it");
	return VT_OK;
}

int
root_start(struct mgr *m, mgr_done_cb cb, void *arg)
{
	struct root *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return VT_E_NOMEM;
	r->m = m;
	r->ready = cb;
	r->arg = arg;
	r->listen_fd = -1;
	m->root = r;
	if ((rc = root_begin(r)) != VT_OK)
		root_failed(r, "it does not start", vt_strerror(rc));
	return VT_OK;
}

static void
on_stopped(void *arg, int rc, const struct msg *msg)
{
	char text[TEXT_MAX_LEN + 1];

	(void)arg;
	if (wlink_done_rc(rc, msg, text, sizeof(text)) != VT_OK &&
	    rc != VT_E_CLOSED)
		log_warn("software root: stopping: %s", text);
	/* The end of the socket is what counts. */
}

void
root_stop(struct mgr *m, void (*gone)(struct mgr *m))
{
	struct root *r = m->root;

	if (r == NULL || r->st == RS_ENDED) {
		gone(m);
		return;
	}
	r->st = RS_ENDED;
	r->gone = gone;
	loop_timer_off(r->timer);
	if (r->link != NULL && wlink_request(r->link, W_STOP, NULL, NULL, 0,
				   STOP_MS, on_stopped, r) == VT_OK)
		return;
	wlink_end(r->link, true);
	r->link = NULL;
	root_gone(r);
}

void
root_free(struct root *r)
{
	if (r == NULL)
		return;
	wlink_close(r->link);
	(void)sd_event_source_disable_unref(r->timer);
	if (r->listen_fd != -1)
		(void)close(r->listen_fd);
	explicit_bzero(r->key, sizeof(r->key));
	free(r);
}

uint32_t
root_pid(const struct mgr *m)
{
	const struct root *r = m->root;

	return r != NULL && r->link != NULL ? r->link->pid : 0;
}

const char *
root_state(const struct mgr *m)
{
	static const char *const names[] = { "being made", "reconnecting",
		"loading", "running", "restarting", "ended" };

	return m->root != NULL ? names[m->root->st] : "none";
}

bool
root_owns(const struct mgr *m, const uint8_t uuid[UUID_LEN])
{
	return m->root != NULL && memcmp(m->root->uuid, uuid, UUID_LEN) == 0;
}
