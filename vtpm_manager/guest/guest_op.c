/* SPDX-License-Identifier: BSD-3-Clause */
/* guest_op.c - reset, destroy, launch, and questions to workers. */
#include "vtpm_manager/guest/guest_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "measure/log/launch_record.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/core/run_folder.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_identity.h"
#include "vtpm_manager/guest/guest_launched.h"
#include "vtpm_manager/guest/guest_store.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/guest/worker_id.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/tenant/tenant.h"

/* One request to a running worker. */
struct op {
	struct mgr *m;
	char name[NAME_MAX_LEN + 1];
	mgr_done_cb cb;
	query_cb qcb;
	void *arg;
};

static struct op *
op_new(struct mgr *m, const struct guest *in, mgr_done_cb cb, void *arg)
{
	struct op *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->m = m;
	o->cb = cb;
	o->arg = arg;
	memcpy(o->name, in->name, sizeof(o->name));
	return o;
}

static struct guest_run *
running(struct mgr *m, const struct guest *in, char *text)
{
	struct guest_run *g = guest_live(m, in->uuid);

	if (g != NULL && g->st == IS_RUNNING)
		return g;
	if (g == NULL)
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: is not running; `vtpmctl start %s` starts it",
		    in->name, in->name);
	else if (g->st == IS_FAILED)
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: its worker failed and stays down (%.200s); "
		    "`vtpmctl start %s` tries again",
		    in->name, g->why, in->name);
	else
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: is %s; try again in a moment", in->name,
		    guest_state_name(g->st));
	return NULL;
}

static void
on_done(void *arg, int rc, const struct msg *msg)
{
	char text[TEXT_MAX_LEN + 1], full[MGR_TEXT_MAX];
	struct op *o = arg;

	rc = wlink_done_rc(rc, msg, text, sizeof(text));
	(void)snprintf(full, sizeof(full), "guest %s: %s", o->name, text);
	o->cb(o->arg, rc, rc != VT_OK ? full : "");
	free(o);
}

static int
request(struct guest_run *g, uint16_t type, const struct wr *w, struct op *o)
{
	int rc;

	if (o == NULL)
		return VT_E_NOMEM;
	rc = wlink_request(g->link, type, w, NULL, 0, 0, on_done, o);
	if (rc != VT_OK)
		free(o);
	return rc;
}

int
guest_reset(struct mgr *m, const struct guest *in, mgr_done_cb cb, void *arg,
    char *text)
{
	struct guest_run *g = running(m, in, text);

	if (g == NULL)
		return VT_E_STATE;
	if (guest_in_use(g)) { /* law 4: no power cycle without evidence */
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: its TPM is in use, and fresh PCRs under a "
		    "running guest would be a lie; reset the machine in its "
		    "hypervisor, or end what holds RUN/%s.tpmif",
		    in->name, in->name);
		return VT_E_BUSY;
	}
	return request(g, W_RESET, NULL, op_new(m, in, cb, arg));
}

/* --- destroy --- */

struct destroy {
	struct mgr *m;
	struct guest in;
	char who[64];
	mgr_done_cb cb;
	void *arg;
};

static void
on_gone(void *arg, int rc)
{
	struct destroy *d = arg;
	char text[MGR_TEXT_MAX];

	(void)snprintf(text, sizeof(text),
	    "guest %s: not destroyed: the store cannot be written: %s",
	    d->in.name, vt_strerror(rc));
	tenants_space_changed(d->m, d->in.group);
	d->cb(d->arg, rc, rc != VT_OK ? text : "");
	free(d);
}

/* A worker may live on although its guest's record was tampered with. */
void
guest_end_stray(struct mgr *m, const struct guest *in)
{
	static const struct wlink_ops none = { 0 };
	struct wlink *l;

	if (wlink_connect(m, in->uuid, worker_id_uid(m, in), &none, NULL, &l) ==
	    VT_OK)
		wlink_end(l, true);
	run_unlink_guest(m, in->name);
}

static void
destroy_now(void *arg, int rc, const char *why)
{
	struct destroy *d = arg;
	char text[MGR_TEXT_MAX];

	(void)why;
	(void)rc; /* stopped or not there: either way it does not run */
	guest_end_stray(d->m, &d->in);
	if ((rc = store_guest_del(d->m->st, d->in.uuid)) != VT_OK) {
		(void)snprintf(text, sizeof(text),
		    "guest %s: not destroyed: %.300s", d->in.name,
		    store_why(d->m->st));
		d->cb(d->arg, rc, text);
		free(d);
		return;
	}
	audit_log(d->m, d->who, "destroy", d->in.name, "ok", "%s", "");
	commit_safe(d->m, on_gone, d);
}

int
guest_destroy(struct mgr *m, const struct guest *in, bool force,
    const char *who, mgr_done_cb cb, void *arg, char *text)
{
	struct destroy *d;
	int rc;

	if (guest_live(m, in->uuid) != NULL && !force) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: is running; stop it first (or --force): its "
		    "keys and what is sealed to them are lost for good",
		    in->name);
		return VT_E_BUSY;
	}
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return VT_E_NOMEM;
	d->m = m;
	d->in = *in;
	d->cb = cb;
	d->arg = arg;
	(void)snprintf(d->who, sizeof(d->who), "%s", who);
	if (guest_live(m, in->uuid) == NULL) {
		destroy_now(d, VT_OK, "");
		return VT_OK;
	}
	rc = guest_stop(m, in, true, destroy_now, d, text);
	if (rc != VT_OK)
		free(d);
	return rc;
}

/* --- launch --- */

/* The manager, not the caller, says which guest is launched, where and when. */
static int
sign_record(struct mgr *m, const struct guest *in, const uint8_t *p, size_t len,
    struct wr *out, uint8_t *ret_mode, char *text)
{
	struct launch_record *rec;
	int rc;

	if ((rc = launch_decode(p, len, &rec)) != VT_OK)
		return rc;
	memcpy(rec->uuid, in->uuid, UUID_LEN);
	memcpy(rec->name, in->name, sizeof(rec->name));
	rec->group = in->group;
	rec->time_ms = wall_ms();
	rc = tenants_may_launch(m, in->group, rec->policy, text);
	if (rc == VT_OK)
		rc = uuid_parse(m->boot_id, rec->host_boot_id);
	if (rc == VT_OK) {
		launch_encode(rec, out);
		rc = wr_err(out);
	}
	*ret_mode = rec->mode;
	launch_free(rec);
	return rc;
}

static const uint16_t all_banks[] = { ALG_SHA1, ALG_SHA256, ALG_SHA384,
	ALG_SHA512 };

static bool
has_digest(const struct launch_item *it, uint16_t alg)
{
	uint32_t i;

	for (i = 0; i < it->ndigests; i++)
		if (it->digests[i].alg == alg)
			return true;
	return false;
}

/*
 * The banks in which each item was measured.  The log has them all: which ones
 * are active when the worker extends them is up to the guest until then.
 */
static int
measured_banks(const struct guest *in, const uint8_t *p, size_t len,
    uint16_t algs[VT_NELEM(all_banks)], uint32_t *ret_n)
{
	size_t most = in->tpm_version == TPM_VER_12 ? 1 : VT_NELEM(all_banks);
	struct launch_record *rec;
	uint32_t i, n = 0;
	size_t k;
	int rc;

	if ((rc = launch_decode(p, len, &rec)) != VT_OK)
		return rc;
	for (k = 0; k < most; k++) {
		for (i = 0; i < rec->nitems; i++)
			if (!has_digest(&rec->items[i], all_banks[k]))
				break;
		if (i == rec->nitems)
			algs[n++] = all_banks[k];
	}
	launch_free(rec);
	*ret_n = n;
	return n > 0 ? VT_OK : VT_E_NOTFOUND;
}

static int
make_launch(struct mgr *m, const struct guest *in, const uint8_t *p, size_t len,
    struct wr *ret, char *text)
{
	uint8_t mode = 0, *log = NULL;
	struct wlaunch wl = { 0 };
	uint16_t algs[VT_NELEM(all_banks)];
	size_t log_len = 0;
	uint32_t n = 0;
	struct wr rec;
	int rc;

	wr_grow(&rec, LAUNCH_MAX_LEN);
	rc = sign_record(m, in, p, len, &rec, &mode, text);
	if (rc == VT_OK)
		rc = measured_banks(in, p, len, algs, &n);
	if (rc == VT_OK)
		rc = launch_make_log(rec.buf, rec.len, algs, n, &log, &log_len);
	if (rc == VT_OK) {
		wl.mode = mode;
		wl.record.p = rec.buf;
		wl.record.len = (uint32_t)rec.len;
		wl.log.p = log;
		wl.log.len = (uint32_t)log_len;
		msg_put(ret, wlaunch, &wl);
		rc = wr_err(ret);
	}
	if (rc == VT_OK)
		rc = store_extra_put(
		    m->st, in->uuid, SX_LAUNCH, ret->buf, ret->len);
	if (rc == VT_OK)
		rc = store_extra_put(m->st, in->uuid, SX_LOG, log, log_len);
	if (rc == VT_OK)
		rc = guest_launched_issue(m, in, rec.buf, rec.len);
	free(log);
	wr_free(&rec);
	return rc;
}

static void
on_launch_stored(void *arg, int rc)
{
	struct op *o = arg;
	char text[MGR_TEXT_MAX] = "";

	if (rc != VT_OK)
		(void)snprintf(text, sizeof(text),
		    "guest %s: its launch could not be stored: %s", o->name,
		    vt_strerror(rc));
	o->cb(o->arg, rc, text);
	free(o);
}

/* The new launch is in: now the power cycle that it belongs to. */
static void
on_launched(void *arg, int rc, const char *why)
{
	struct op *o = arg;
	char text[MGR_TEXT_MAX] = "";
	struct guest in;

	if (rc == VT_OK)
		rc = store_guest_find(o->m->st, o->name, &in);
	if (rc == VT_OK)
		rc = guest_reset(o->m, &in, o->cb, o->arg, text);
	if (rc != VT_OK)
		o->cb(o->arg, rc, text[0] != '\0' ? text : why);
	free(o);
}

static int
launch_running(
    struct guest_run *g, const struct wr *w, mgr_done_cb cb, void *arg)
{
	struct op *o = op_new(g->m, &g->in, cb, arg);
	int rc;

	if (o == NULL)
		return VT_E_NOMEM;
	rc = request(g, W_LAUNCH, w, op_new(g->m, &g->in, on_launched, o));
	if (rc != VT_OK)
		free(o);
	return rc;
}

int
guest_launch(struct mgr *m, const struct guest *in, const uint8_t *record,
    size_t len, mgr_done_cb cb, void *arg, char *text)
{
	struct guest_run *g = guest_live(m, in->uuid);
	char why[MGR_TEXT_MAX] = "";
	struct op *o;
	struct wr w;
	int rc;

	if (g != NULL && guest_in_use(g)) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: its TPM is in use: the guest runs already, or "
		    "a program holds RUN/%s.tpmif; end that first",
		    in->name, in->name);
		return VT_E_BUSY;
	}
	if (g != NULL && (g = running(m, in, text)) == NULL)
		return VT_E_STATE;
	wr_grow(&w, W_MSG_MAX);
	if ((rc = make_launch(m, in, record, len, &w, why)) != VT_OK)
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: the launch record is refused: %.400s", in->name,
		    why[0] != '\0' ? why : vt_strerror(rc));
	else if (g != NULL) {
		g->launch_over = g->launch_left = false;
		commit_soon(m, NULL, NULL);
		rc = launch_running(g, &w, cb, arg);
	} else if ((o = op_new(m, in, cb, arg)) == NULL)
		rc = VT_E_NOMEM;
	else
		commit_soon(m, on_launch_stored, o);
	wr_free(&w);
	return rc;
}

/* --- the end of a launch --- */

/* No launch for the power cycle to come. */
static int
put_no_launch(struct wr *w, uint8_t *buf, size_t cap)
{
	struct wlaunch none = { .mode = LAUNCH_FIRMWARE };

	wr_init(w, buf, cap);
	msg_put(w, wlaunch, &none);
	return wr_err(w);
}

static void
on_forgotten(void *arg, int rc, const struct msg *msg)
{
	(void)arg;
	(void)rc;
	(void)msg; /* a worker that is gone has forgotten, too */
}

void
guest_launch_over(struct guest_run *g)
{
	uint8_t buf[64];
	struct wr w;

	g->launch_left = true;
	guest_leave_launch(g->m, &g->in);
	if (g->link == NULL || put_no_launch(&w, buf, sizeof(buf)) != VT_OK)
		return;
	if (wlink_request(
		g->link, W_LAUNCH, &w, NULL, 0, 0, on_forgotten, NULL) != VT_OK)
		log_debug("guest %s: no worker to tell that the launch is over",
		    g->in.name);
}

int
guest_new_run(struct mgr *m, const struct guest *in, mgr_done_cb cb, void *arg,
    char *text)
{
	struct guest_run *g = running(m, in, text);
	uint8_t buf[64];
	struct wr w;
	int rc;

	if (g == NULL)
		return VT_E_STATE;
	g->launch_over = true;
	guest_forget_launch(m, in);
	if ((rc = put_no_launch(&w, buf, sizeof(buf))) != VT_OK)
		return rc;
	return launch_running(g, &w, cb, arg);
}

/* --- questions --- */

/* Of a worker's own refusal. */
static const char *
why_no_answer(int rc)
{
	switch (rc) {
	case VT_E_STATE:
		return "its TPM is not started yet: the guest's firmware or "
		       "system does that after a power cycle";
	case VT_E_NOTFOUND:
		return "the host recorded no launch of it; `vtpmctl launch` "
		       "starts a guest measured";
	default:
		return vt_strerror(rc);
	}
}

static void
on_answer(void *arg, int rc, const struct msg *msg)
{
	char text[MGR_TEXT_MAX];
	struct op *o = arg;
	struct wanswer a = { .rc = VT_OK };
	const char *why = NULL;

	if (rc != VT_OK)
		why = "its worker does not answer; the log has the reason";
	else if (msg->type != W_ANSWER ||
		 msg_get(wanswer, msg->data, msg->len, &a) != VT_OK) {
		rc = VT_E_PROTO;
		why = "its worker sent a malformed answer";
	} else if ((rc = a.rc) != VT_OK)
		why = why_no_answer(rc);
	if (rc == VT_OK)
		o->qcb(o->arg, VT_OK, "", a.data.p, a.data.len);
	else {
		(void)snprintf(
		    text, sizeof(text), "guest %s: %s", o->name, why);
		o->qcb(o->arg, rc, text, NULL, 0);
	}
	free(o);
}

int
guest_query(struct mgr *m, const struct guest *in, enum wquery_what what,
    query_cb cb, void *arg, char *text)
{
	struct wquery q = { .what = (uint8_t)what };
	struct guest_run *g = running(m, in, text);
	uint8_t buf[8];
	struct op *o;
	struct wr w;
	int rc;

	if (g == NULL)
		return VT_E_STATE;
	if ((o = op_new(m, in, NULL, arg)) == NULL)
		return VT_E_NOMEM;
	o->qcb = cb;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wquery, &q);
	rc = wlink_request(g->link, W_QUERY, &w, NULL, 0, 10000, on_answer, o);
	if (rc != VT_OK)
		free(o);
	return rc;
}
