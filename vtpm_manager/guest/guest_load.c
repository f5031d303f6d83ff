/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_load.c - state and channels into a fresh worker, all in one go: W_LOAD,
 * W_OPEN for each channel, W_ADOPT for each channel that a dead predecessor had
 * open.
 */
#include "vtpm_manager/guest/guest_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vtpm_manager/core/run_folder.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_banks.h"
#include "vtpm_manager/guest/guest_facts.h"
#include "vtpm_manager/guest/guest_identity.h"
#include "vtpm_manager/guest/guest_launched.h"
#include "vtpm_manager/guest/guest_owner.h"
#include "vtpm_manager/guest/guest_store.h"
#include "vtpm_manager/guest/worker_id.h"
#include "vtpm_manager/host/deep_quote.h"
#include "vtpm_manager/proto/hwtpm_msg.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_guest.h"

static const struct chan_kind {
	uint8_t chan; /* enum wchan */
	const char *suffix;
	size_t localities; /* offset in struct config */
	uint32_t hello;    /* WH_* when it is open */
} chans[] = {
	{ CHAN_LOCAL, "tpmif", offsetof(struct config, local_localities),
	    WH_LOCAL },
	{ CHAN_SWTPM, "swtpm", offsetof(struct config, swtpm_localities),
	    WH_SWTPM },
};

static void
load_failed(struct guest_run *g, int rc, const char *text)
{
	if (g->st != IS_LOADING)
		return;
	(void)snprintf(g->why, sizeof(g->why), "%s", text);
	guest_event(g, guest_failure(g, rc));
}

static void
on_loaded(void *arg, int rc, const struct msg *msg)
{
	struct guest_run *g = arg;
	char text[TEXT_MAX_LEN + 1];

	rc = wlink_done_rc(rc, msg, text, sizeof(text));
	if (g->st != IS_LOADING)
		return;
	if (rc == VT_E_CLOSED)
		return; /* guest_closed() comes next and says why */
	if (rc != VT_OK) {
		load_failed(g, rc, text);
		return;
	}
	if (--g->pending == 0)
		guest_event(g, IE_LOADED);
}

/* A channel that cannot be adopted is opened again: no reason to fail. */
static void
on_adopted(void *arg, int rc, const struct msg *msg)
{
	struct guest_run *g = arg;
	char text[TEXT_MAX_LEN + 1];

	rc = wlink_done_rc(rc, msg, text, sizeof(text));
	if (g->st != IS_LOADING || rc == VT_E_CLOSED)
		return;
	if (rc != VT_OK)
		log_warn("guest %s: its channel was not adopted: %s",
		    g->in.name, text);
	if (--g->pending == 0)
		guest_event(g, IE_LOADED);
}

/* Answers to W_OPEN of a worker that runs already. */
static void
on_reopened(void *arg, int rc, const struct msg *msg)
{
	struct guest_run *g = arg;
	char text[TEXT_MAX_LEN + 1];

	if (wlink_done_rc(rc, msg, text, sizeof(text)) != VT_OK)
		log_warn("guest %s: channel not opened: %s", g->in.name, text);
}

static int
open_chan(struct guest_run *g, const struct chan_kind *k, wlink_cb cb)
{
	struct wopen wo = { .chan = k->chan,
		.owner = guest_owner(g->m, &g->in) };
	uint8_t buf[32];
	struct wr w;
	int rc;

	wo.localities = *((const uint8_t *)&g->m->cfg + k->localities);
	if (g->listen_fd[k->chan] == -1)
		g->listen_fd[k->chan] =
		    run_listen_guest(g->m, g->in.name, k->suffix, wo.owner);
	if (g->listen_fd[k->chan] == -1)
		return VT_E_SYS;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wopen, &wo);
	rc = wlink_request(
	    g->link, W_OPEN, &w, &g->listen_fd[k->chan], 1, 0, cb, g);
	return rc;
}

static void
on_watched(void *arg, int rc, const struct msg *msg)
{
	struct guest_run *g = arg;
	char text[TEXT_MAX_LEN + 1];

	rc = wlink_done_rc(rc, msg, text, sizeof(text));
	if (rc != VT_OK && rc != VT_E_CLOSED)
		log_warn("guest %s: its hypervisor's monitor is not watched: "
			 "%s; a reset of the guest is the guest's word",
		    g->in.name, text);
}

/* Without it the vTPM works, and its evidence says what it lacks. */
static void
watch_monitor(struct guest_run *g)
{
	int fd = run_open_monitor(g->m, g->in.name, guest_owner(g->m, &g->in));
	int rc = VT_E_SYS;

	if (fd != -1)
		rc = wlink_request(
		    g->link, W_WATCH, NULL, &fd, 1, 0, on_watched, g);
	if (rc != VT_OK)
		log_warn("guest %s: RUN/%s.qmp: %s", g->in.name, g->in.name,
		    vt_strerror(rc));
	if (fd != -1)
		(void)close(fd);
}

static int
adopt_chan(struct guest_run *g, const struct chan_kind *k)
{
	struct wkept *kept = &g->kept[k->chan];
	struct wkeep wk = { .chan = k->chan, .localities = kept->localities };
	uint8_t buf[32];
	struct wr w;
	int rc;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wkeep, &wk);
	rc = wlink_request(
	    g->link, W_ADOPT, &w, kept->fds, kept->nfds, 0, on_adopted, g);
	/* Kept until the worker sends its set: it may die again. */
	return rc;
}

void
guest_open_missing(struct guest_run *g, uint32_t hello_flags)
{
	size_t i;
	int rc;

	for (i = 0; i < VT_NELEM(chans); i++) {
		if ((hello_flags & chans[i].hello) != 0 &&
		    run_has_socket(g->m, g->in.name, chans[i].suffix))
			continue;
		if ((rc = open_chan(g, &chans[i], on_reopened)) != VT_OK)
			log_warn("guest %s: RUN/%s.%s: %s", g->in.name,
			    g->in.name, chans[i].suffix, vt_strerror(rc));
	}
}

/* Its data in the store; the two blobs are heap. */
static int
gather(struct guest_run *g, struct wload *l, uint8_t **ret_state,
    uint8_t **ret_launch, char *text)
{
	size_t len = 0, llen = 0;
	struct guest in;
	int rc;

	/* The worker that died may have stored after we last looked. */
	if ((rc = store_guest_get(g->m->st, g->in.uuid, &in)) != VT_OK) {
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "it is not in the registry: %s", vt_strerror(rc));
		return rc;
	}
	g->in = in;
	rc = store_state_get(g->m->st, in.uuid, ret_state, &len);
	if (rc != VT_OK) {
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "its stored state cannot be used (%s); restore the state "
		    "folder from the newest good copy",
		    rc == VT_E_NOTFOUND ? "it is missing" : vt_strerror(rc));
		return rc;
	}
	rc = store_extra_get(g->m->st, in.uuid, SX_LAUNCH, ret_launch, &llen);
	if (rc != VT_OK && rc != VT_E_NOTFOUND) {
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "its launch record cannot be read (%s)", vt_strerror(rc));
		return rc;
	}
	memcpy(l->uuid, in.uuid, UUID_LEN);
	memcpy(l->name, in.name, sizeof(l->name));
	l->tpm_version = in.tpm_version;
	l->flags = g->crashed ? WLOAD_CRASHED : 0;
	l->group = in.group;
	l->generation = in.generation;
	l->version = in.version;
	l->permanent.p = *ret_state;
	l->permanent.len = (uint32_t)len;
	l->volatile_.p = g->vol;
	l->volatile_.len = (uint32_t)g->vol_len;
	l->launch.p = *ret_launch;
	l->launch.len = (uint32_t)llen;
	return worker_id_key(g->m, in.uuid, l->key);
}

static int
send_load(struct guest_run *g, char *text)
{
	uint8_t *state = NULL, *launch = NULL;
	struct wload l = { 0 };
	struct wr w;
	int rc;

	wr_grow(&w, W_MSG_MAX);
	if ((rc = gather(g, &l, &state, &launch, text)) == VT_OK) {
		msg_put(&w, wload, &l);
		rc = wlink_request(
		    g->link, W_LOAD, &w, NULL, 0, 0, on_loaded, g);
		if (rc != VT_OK)
			(void)snprintf(text, TEXT_MAX_LEN + 1,
			    "its state could not be sent: %s", vt_strerror(rc));
	}
	explicit_bzero(&l, sizeof(l));
	wr_free(&w);
	free(state);
	free(launch);
	return rc;
}

void
guest_load(struct guest_run *g)
{
	char text[TEXT_MAX_LEN + 1] = "";
	size_t i;
	int rc;

	/* One for this function: an early answer must not end the count. */
	g->pending++;
	guest_send_banks(g);
	rc = send_load(g, text);
	if (rc == VT_OK) {
		g->pending++;
		watch_monitor(g);
	}
	for (i = 0; rc == VT_OK && i < VT_NELEM(chans); i++) {
		if ((rc = open_chan(g, &chans[i], on_loaded)) != VT_OK) {
			(void)snprintf(text, sizeof(text),
			    "its socket %s.%s cannot be created: %s",
			    g->in.name, chans[i].suffix, vt_strerror(rc));
			break;
		}
		g->pending++;
		if (g->kept[chans[i].chan].nfds == 0)
			continue;
		if (adopt_chan(g, &chans[i]) == VT_OK)
			g->pending++;
	}
	if (rc != VT_OK) {
		load_failed(g, rc == VT_E_CLOSED ? VT_E_SYS : rc, text);
		return;
	}
	if (--g->pending == 0)
		guest_event(g, IE_LOADED);
}

/* --- the link's events --- */

static int
on_hello(void *arg, const struct whello *h)
{
	struct guest_run *g = arg;

	if (g->st != IS_FINDING)
		return VT_OK;
	if (memcmp(h->uuid, g->in.uuid, UUID_LEN) != 0 ||
	    !(h->flags & WH_LOADED)) {
		log_warn("guest %s: an unexpected process answered on the "
			 "worker's socket",
		    g->in.name);
		return VT_E_DENIED;
	}
	guest_event(g, IE_FOUND);
	return VT_OK;
}

static void
on_closed(void *arg, const char *why)
{
	struct guest_run *g = arg;

	(void)snprintf(g->why, sizeof(g->why), "%s", why);
	if (g->st == IS_STOPPING) {
		guest_event(g, IE_STOPPED);
		return;
	}
	guest_event(g, guest_failure(g, VT_E_SYS));
}

static void
on_deep(void *arg, const struct wdeep *d)
{
	struct guest_run *g = arg;
	struct wdeep own = *d;

	guest_launched_check(g, &own);
	deep_quote_ask(g->m, &g->deep, g, &g->in, &own);
}

const struct wlink_ops guest_ops = {
	.hello = on_hello,
	.store = guest_on_store,
	.event = guest_on_event,
	.facts = guest_on_facts,
	.deep = on_deep,
	.closed = on_closed,
};

static void
on_deeped(void *guest, const struct wdeeped *d)
{
	struct guest_run *g = guest;

	if (g->link != NULL)
		wlink_deeped(g->link, d);
}

const struct deep_quote_ops guest_deep_ops = {
	.answer = on_deeped,
	.key_names = guest_key_names,
};
