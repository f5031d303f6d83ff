/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_manager.c - the connection to the manager and its requests.
 */

#include "vtpm/worker/worker_manager.h"
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "vtpm/worker/worker_answer.h"
#include "vtpm/worker/worker_certs.h"
#include "vtpm/worker/worker_chan.h"
#include "vtpm/worker/worker_deep.h"
#include "vtpm/worker/worker_facts.h"
#include "vtpm/worker/worker_launch.h"
#include "vtpm/worker/worker_load.h"
#include "vtpm/worker/worker_power.h"
#include "vtpm/worker/worker_query.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_snapshot.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_store.h"
#include "vtpm/worker/worker_xen.h"
#include "vtpm/worker/worker_step.h"

/* In which states of the vTPM a message is accepted. */
#define IN_EMPTY 1u
#define IN_MADE 2u
#define IN_LOADED 4u /* it has an identity */
#define IN_BROKEN 8u
#define ANY (IN_EMPTY | IN_MADE | IN_LOADED | IN_BROKEN)
#define TERMINATE_US 2000000 /* for the last store */
#define TURN_MAX 16 /* messages in a row, then the guest gets its turn */

static uint32_t
hello_flags(const struct worker *w)
{
	uint32_t f = 0;

	if (power_has_identity(w->power))
		f |= WH_LOADED;
	if (power_is_started(w->power))
		f |= WH_STARTED;
	if (w->st.blob != NULL)
		f |= WH_STORING;
	if (power_is_capped(w->power))
		f |= WH_CAPPED;
	if (w->slots[CHAN_LOCAL].ch != NULL)
		f |= WH_LOCAL;
	if (w->slots[CHAN_SWTPM].ch != NULL)
		f |= WH_SWTPM;
	return f;
}

static void
manager_lost(struct worker *w)
{
	msgch_free(w->mgr);
	w->mgr = NULL;
	w->greeted = w->storage_ok = false;
	w->st.sent = false;
	if (w->st.failed) { /* the next manager may be able to */
		w->st.failed = false;
		w->st.retry_us = 0;
	}
	w->certs_wait = false;
	if (w->power == PS_EMPTY || w->power == PS_MADE || w->stop_wait ||
	    w->end_by_us != 0)
		w->ending = true;
	else
		log_info("connection to the manager lost: commands that change "
			 "permanent state wait for it");
}

static void
greet(struct worker *w)
{
	struct whello m;
	uint8_t buf[64];
	struct wr p;

	memset(&m, 0, sizeof(m));
	memcpy(m.uuid, w->uuid, sizeof(m.uuid));
	m.pid = (uint32_t)getpid();
	m.flags = hello_flags(w);
	m.generation = w->generation;
	m.version = w->version;
	m.power_cycles = w->power_cycles;
	wr_init(&p, buf, sizeof(buf));
	msg_put(&p, whello, &m);
	w->greeted = true;
	wk_send(w, W_HELLO, 0, &p);
	wk_send_kept(w);
	w->st.sent = false;
	wk_send_store(w);
	wk_deep_ask_again(w);
	wk_send_facts(w);
}

/* --- one handler per message; each sends its own answer --------------------
 */

static void
on_manager(struct worker *w, struct msg *msg)
{
	struct wmanager m;

	if (msg_get(wmanager, msg->data, msg->len, &m) != VT_OK) {
		manager_lost(w);
		return;
	}
	w->storage_ok = m.storage_ok != 0;
	w->soft_root = m.soft_root != 0;
	w->no_growth = m.no_growth != 0;
	memcpy(w->build, m.build, sizeof(w->build));
	if (!w->greeted) {
		greet(w);
	} else if (w->storage_ok && w->st.failed) {
		w->st.sent = false;
		wk_send_store(w);
	}
}

static void
on_provision(struct worker *w, struct msg *msg)
{
	struct prov_fail fail = { "", 0 };
	struct wprovisioned ans;
	struct wprovision m;
	struct wr p;

	memset(&ans, 0, sizeof(ans));
	ans.rc = msg_get(wprovision, msg->data, msg->len, &m);
	if (ans.rc == VT_OK) {
		ans.rc =
		    prov_make(m.tpm_version, m.banks, m.srk, &w->keys, &fail);
		if (ans.rc == VT_OK) {
			(void)wk_step(w, PE_MADE);
			w->tpm_version = m.tpm_version;
			w->perm_flags = m.srk == WSRK_ECC   ? SP_SRK_ECC
					: m.srk == WSRK_RSA ? SP_SRK_RSA
							    : 0;
		} else {
			(void)snprintf(ans.text, sizeof(ans.text),
			    "could not %s: %s (TPM code 0x%x)", fail.step,
			    vt_strerror(ans.rc), fail.tpm_rc);
		}
	}
	ans.ek_rsa.p = w->keys.ek_rsa;
	ans.ek_rsa.len = w->keys.ek_rsa_len;
	ans.ek_ecc.p = w->keys.ek_ecc;
	ans.ek_ecc.len = w->keys.ek_ecc_len;
	ans.ak.p = w->keys.ak;
	ans.ak.len = w->keys.ak_len;
	wr_grow(&p, 4 * PUB_MAX_LEN);
	msg_put(&p, wprovisioned, &ans);
	wk_send(w, W_PROVISIONED, msg->id, &p);
	wr_free(&p);
	(void)malloc_trim(0);
}

static int
claim(struct worker *w, const struct wcerts *m, struct prov_fail *fail)
{
	int rc;

	if ((rc = prov_certs(m, fail)) != VT_OK)
		return rc;
	memcpy(w->uuid, m->uuid, sizeof(w->uuid));
	memcpy(w->name, m->name, sizeof(w->name));
	memcpy(w->key, m->key, sizeof(w->key));
	w->group = m->group;
	w->generation = m->generation;
	w->version = w->acked = 0;
	log_set_guest(w->name);
	fail->step = "power on";
	if ((rc = capture_init(&w->cap, eng_is_tpm2())) != VT_OK)
		return rc;
	(void)eng_changed(); /* the first store takes all of it */
	(void)wk_step(w, PE_BECAME);
	wk_store_now(w, WS_FIRST);
	return wk_power_on(w, PE_LOAD, PE_LOAD_LAUNCH);
}

static void
on_certs(struct worker *w, struct msg *msg)
{
	struct prov_fail fail = { "read the request", 0 };
	struct wcerts m;
	int rc;

	rc = msg_get(wcerts, msg->data, msg->len, &m);
	w->certs_id = msg->id;
	w->certs_wait = true; /* W_DONE follows W_STORED */
	if (rc == VT_OK)
		rc = claim(w, &m, &fail);
	explicit_bzero(&m, sizeof(m));
	if (rc != VT_OK) {
		w->certs_wait = false;
		wk_break(w);
		wk_done(w, msg->id, rc, "could not %s (TPM code 0x%x)",
		    fail.step, fail.tpm_rc);
	}
	(void)malloc_trim(0);
}

static void
on_load(struct worker *w, struct msg *msg)
{
	char text[TEXT_MAX_LEN + 1] = "";
	struct wload m;
	int rc;

	memset(&m, 0, sizeof(m));
	rc = msg_get(wload, msg->data, msg->len, &m);
	if (rc == VT_OK)
		rc = wk_load(w, &m, text);
	explicit_bzero(m.key, sizeof(m.key));
	if (rc != VT_OK)
		log_err("state not loaded: %s (%s)", text, vt_strerror(rc));
	wk_done(w, msg->id, rc, "%s", text);
	(void)malloc_trim(0);
}

static void
on_open(struct worker *w, struct msg *msg)
{
	struct wopen m;
	int rc;

	rc = msg_get(wopen, msg->data, msg->len, &m);
	if (rc == VT_OK && (rc = wk_open(w, &m, msg->fds[0])) == VT_OK)
		msg->nfds = 0; /* the channel has it */
	wk_done(w, msg->id, rc, "%s",
	    rc == VT_OK ? "" : "the channel could not be opened");
}

static void
on_xen(struct worker *w, struct msg *msg)
{
	struct wxen m;
	int rc;

	rc = msg_get(wxen, msg->data, msg->len, &m);
	if (rc == VT_OK)
		rc = wk_xen(w, &m);
	wk_done(w, msg->id, rc, "%s",
	    rc == VT_OK || rc == VT_E_AGAIN ? ""
	    : rc == VT_E_BUSY ? "another channel of its vTPM is in use"
			      : "its worker cannot serve a Xen guest");
}

static void
on_page(struct worker *w, struct msg *msg)
{
	struct wpage m;
	int rc;

	rc = msg_get(wpage, msg->data, msg->len, &m);
	if (rc == VT_OK) {
		rc = wk_page(w, &m, msg->fds);
		msg->nfds = 0; /* the channel has them, or closed them */
	}
	wk_done(w, msg->id, rc, "%s",
	    rc == VT_OK ? "" : "the guest's page cannot be mapped");
}

static void
on_adopt(struct worker *w, struct msg *msg)
{
	struct wkeep m;
	int rc;

	rc = msg_get(wkeep, msg->data, msg->len, &m);
	if (rc == VT_OK && w->slots[m.chan].ch == NULL)
		rc = VT_E_STATE;
	if (rc == VT_OK) {
		rc = wk_adopt(w, &m, msg->fds, msg->nfds);
		msg->nfds = 0; /* the channel has them, or closed them */
	}
	wk_done(w, msg->id, rc, "%s",
	    rc == VT_OK ? "" : "the channel could not be resumed");
}

static void
on_launch(struct worker *w, struct msg *msg)
{
	int rc = VT_E_TRUNC;

	if (msg->len > 0)
		rc = launch_set_next(&w->launch, msg->data, msg->len);
	wk_done(w, msg->id, rc, "%s",
	    rc == VT_OK ? "" : "the launch record or its log is damaged");
}

static void
on_reset(struct worker *w, struct msg *msg)
{
	int rc;

	if ((rc = wk_power_down(w)) == VT_OK && !power_is_started(w->power))
		rc = wk_power_on(w, PE_RESET, PE_RESET_LAUNCH);
	if (rc == VT_OK && w->root)
		rc = wk_start(w);
	wk_done(w, msg->id, rc, "%s",
	    rc == VT_OK ? "" : "the TPM could not be powered on");
}

static void
on_stop(struct worker *w, struct msg *msg)
{
	wk_power_off(w);
	if (power_has_identity(w->power) && wk_need(w) != 0) {
		w->stop_wait = true;
		w->stop_id = msg->id;
		return;
	}
	wk_done(w, msg->id, VT_OK, "%s", "");
	w->ending = true;
}

void
wk_terminate(struct worker *w)
{
	log_info("SIGTERM: the TPM is shut down and the worker ends");
	w->end_by_us = now_us() + TERMINATE_US;
	wk_power_off(w);
	if (!power_has_identity(w->power) || wk_need(w) == 0 ||
	    !wk_can_store(w))
		w->ending = true;
}

void
wk_orphaned(struct worker *w)
{
	wk_power_off(w);
	w->ending = true; /* nobody could store what that changed */
}

static void
on_query(struct worker *w, struct msg *msg)
{
	struct wquery m;

	if (msg_get(wquery, msg->data, msg->len, &m) != VT_OK)
		m.what = 0;
	wk_query(w, msg->id, m.what);
}

static void
on_stored(struct worker *w, struct msg *msg)
{
	struct wstored m;

	if (msg_get(wstored, msg->data, msg->len, &m) == VT_OK)
		wk_stored(w, &m);
}

static void
on_deeped(struct worker *w, struct msg *msg)
{
	struct wdeeped m;

	if (msg_get(wdeeped, msg->data, msg->len, &m) == VT_OK)
		wk_deep_answered(w, &m);
}

static void
on_watch(struct worker *w, struct msg *msg)
{
	int rc = wk_machine_watch(w, msg->fds[0]);

	if (rc == VT_OK)
		msg->nfds = 0; /* it is the worker's now */
	wk_done(w, msg->id, rc, "%s",
	    rc == VT_OK ? "" : "a hypervisor's monitor is watched already");
}

static void
on_banks(struct worker *w, struct msg *msg)
{
	struct wbanks m;
	int rc;

	if ((rc = msg_get(wbanks, msg->data, msg->len, &m)) == VT_OK)
		w->banks_next = m.banks;
	wk_done(w, msg->id, rc, "%s",
	    rc == VT_OK ? "" : "the PCR banks could not be taken");
}

static void
on_akcert(struct worker *w, struct msg *msg)
{
	struct wakcert m;
	int rc;

	rc = msg_get(wakcert, msg->data, msg->len, &m);
	if (rc == VT_OK)
		rc = wk_cert_take(w, &m);
	wk_done(w, msg->id, rc, "%s",
	    rc == VT_OK ? "" : "a key's certificate could not be taken");
}

static const struct handler {
	uint16_t type;
	unsigned int states; /* IN_* or-ed */
	unsigned int min_fds, max_fds;
	void (*fn)(struct worker *w, struct msg *msg);
} handlers[] = {
	{ W_PROVISION, IN_EMPTY, 0, 0, on_provision },
	{ W_CERTS, IN_MADE, 0, 0, on_certs },
	{ W_LOAD, IN_EMPTY, 0, 0, on_load },
	{ W_OPEN, IN_LOADED, 1, 1, on_open },
	{ W_ADOPT, IN_LOADED, 1, MSG_MAX_FDS, on_adopt },
	{ W_XEN, IN_LOADED, 0, 0, on_xen },
	{ W_PAGE, IN_LOADED, 2, 2, on_page },
	{ W_LAUNCH, IN_LOADED, 0, 0, on_launch },
	{ W_RESET, IN_LOADED, 0, 0, on_reset },
	{ W_STOP, ANY, 0, 0, on_stop },
	{ W_QUERY, ANY, 0, 0, on_query },
	{ W_STORED, ANY, 0, 0, on_stored },
	{ W_MANAGER, ANY, 0, 0, on_manager },
	{ W_DEEPED, ANY, 0, 0, on_deeped },
	{ W_AKCERT, IN_LOADED, 0, 0, on_akcert },
	{ W_WATCH, IN_LOADED, 1, 1, on_watch },
	{ W_BANKS, IN_EMPTY | IN_LOADED, 0, 0, on_banks },
};

static unsigned int
state_of(const struct worker *w)
{
	switch (w->power) {
	case PS_EMPTY:
		return IN_EMPTY;
	case PS_MADE:
		return IN_MADE;
	case PS_BROKEN:
		return IN_BROKEN;
	default:
		return IN_LOADED;
	}
}

static void
dispatch(struct worker *w, struct msg *msg)
{
	size_t i;

	for (i = 0; i < VT_NELEM(handlers); i++) {
		const struct handler *h = &handlers[i];

		if (h->type != msg->type)
			continue;
		if ((h->states & state_of(w)) == 0)
			wk_done(w, msg->id, VT_E_STATE,
			    "not possible in the worker's present state");
		else if (msg->nfds < h->min_fds || msg->nfds > h->max_fds)
			wk_done(w, msg->id, VT_E_PROTO,
			    "wrong number of descriptors");
		else
			h->fn(w, msg);
		return;
	}
	wk_done(w, msg->id, VT_E_UNSUPPORTED, "unknown message");
}

/* --- the connection --------------------------------------------------------
 */

void
wk_manager_connected(struct worker *w, int fd)
{
	struct msgch *ch;

	if (msgch_new(fd, W_MSG_MAX, &ch) != VT_OK) {
		(void)close(fd);
		return;
	}
	msgch_free(w->mgr); /* the newest connection counts */
	w->mgr = ch;
	w->greeted = false;
	w->storage_ok = false;
}

void
wk_manager_read(struct worker *w)
{
	struct msgch *ch = w->mgr;
	struct msg msg;
	int i, rc;

	if ((rc = msgch_flush(ch)) != VT_OK) {
		manager_lost(w);
		return;
	}
	for (i = 0; i < TURN_MAX && w->mgr == ch && !w->ending; i++) {
		rc = msgch_recv(ch, &msg);
		if (rc == VT_E_AGAIN)
			return;
		if (rc != VT_OK) {
			manager_lost(w);
			return;
		}
		dispatch(w, &msg);
		msg_close_fds(&msg);
	}
}
