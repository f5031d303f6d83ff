/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_chan.c - channels: open, keep, adopt, and what swtpm's control
 * protocol asks.
 */

#include "vtpm/worker/worker_chan.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check_on.h"
#include "tpmback/local_chan.h"
#include "tpmback/swtpm/chan.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/worker/worker_clients.h"
#include "vtpm/worker/worker_cmd.h"
#include "vtpm/worker/worker_power.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_snapshot.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_store.h"
#include "vtpm/worker/worker_step.h"

/* --- notes and kept descriptors --------------------------------------------
 */

static void
on_note(void *arg, struct chan *ch, enum chan_note n, const char *text)
{
	static const enum wevent_code codes[] = {
		[CN_OPEN] = WE_CHANNEL_OPEN,
		[CN_CLOSED] = WE_CHANNEL_CLOSED,
		[CN_BUSY] = WE_CHANNEL_BUSY,
		[CN_VIOLATION] = WE_VIOLATION,
		[CN_HANDOVER] = WE_HANDOVER,
		[CN_WANTED] = WE_PAGE_WANTED,
	};
	static const char *const names[SLOTS] = { [CHAN_LOCAL] = "local",
		[CHAN_SWTPM] = "swtpm",
		[CHAN_XEN] = "xen" };
	struct slot *s = arg;

	(void)ch;
	/* A Xen domain's channel closes and opens again; the manager learns
	 * of the domain's end itself. */
	if (n == CN_CLOSED && s->kind == CHAN_SWTPM &&
	    launch_end(&s->w->launch))
		wk_event(s->w, WE_LAUNCH_OVER, "the launched guest has ended");
	wk_event(s->w, codes[n], "%s: %s", names[s->kind], text);
}

bool
wk_claim(struct slot *s)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (s->w->slots[i].claimed && &s->w->slots[i] != s &&
		    check_on("attach-one"))
			return false;
	if (!s->claimed && s->kind == CHAN_SWTPM)
		wk_machine_connected(s->w);
	s->claimed = true;
	return true;
}

static bool
on_claim(void *arg, struct chan *ch)
{
	(void)ch;
	return wk_claim(arg);
}

static void
on_release(void *arg, struct chan *ch)
{
	(void)ch;
	((struct slot *)arg)->claimed = false;
}

static void
on_began(void *arg, struct chan *ch)
{
	(void)ch;
	wk_client_began(arg);
}

static void
on_ended(void *arg, struct chan *ch, bool keeps)
{
	(void)ch;
	wk_client_ended(arg, keeps);
}

static void
send_kept(struct slot *s)
{
	struct wkeep m = { s->kind, s->localities };
	uint8_t buf[8];
	struct wr p;

	if (s->w->mgr == NULL || !s->w->greeted)
		return;
	/* A front half that reconnects faster than the manager reads must use
	 * up neither descriptors nor what the manager takes from this worker:
	 * only the latest set is sent. */
	s->keep_due = msgch_pending(s->w->mgr) ||
		      !token_bucket_take(&s->w->keeps, 1, now_us());
	if (s->keep_due)
		return;
	wr_init(&p, buf, sizeof(buf));
	msg_put(&p, wkeep, &m);
	/* If this fails the connection is lost; the next one gets it. */
	if (wr_err(&p) != VT_OK ||
	    msgch_send(s->w->mgr, s->nkeep > 0 ? W_KEEP : W_UNKEEP, 0, p.buf,
		p.len, s->keep, s->nkeep) != VT_OK)
		return;
}

static void
drop_kept(struct slot *s)
{
	while (s->nkeep > 0)
		(void)close(s->keep[--s->nkeep]);
}

static void
on_keep(void *arg, struct chan *ch, const int *fds, unsigned int nfds)
{
	struct slot *s = arg;
	unsigned int i;
	int fd;

	(void)ch;
	drop_kept(s);
	for (i = 0; i < nfds && i < MSG_MAX_FDS; i++) {
		if ((fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 0)) == -1) {
			drop_kept(s); /* all of them or none */
			break;
		}
		s->keep[s->nkeep++] = fd;
	}
	send_kept(s);
}

void
wk_send_due(struct worker *w)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (w->slots[i].keep_due)
			send_kept(&w->slots[i]);
}

uint64_t
wk_keep_when(struct worker *w)
{
	size_t i;

	if (w->mgr == NULL || !w->greeted || msgch_pending(w->mgr))
		return UINT64_MAX; /* what ends that wakes the loop */
	for (i = 0; i < SLOTS; i++)
		if (w->slots[i].keep_due)
			return token_bucket_when(&w->keeps, now_us());
	return UINT64_MAX;
}

void
wk_send_kept(struct worker *w)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (w->slots[i].nkeep > 0)
			send_kept(&w->slots[i]);
}

/* --- swtpm's control requests ----------------------------------------------
 */

static struct worker *
of(void *arg)
{
	return ((struct slot *)arg)->w;
}

/* CMD_INIT: the hypervisor powered the guest on or reset it. */
static uint32_t
on_power_on(void *arg, bool delete_volatile)
{
	struct worker *w = of(arg);

	(void)delete_volatile; /* none is kept, and a staged one is to resume */
	if (!power_has_identity(w->power) || wk_power_down(w) != VT_OK)
		return R12_FAIL;
	if (power_is_started(w->power)) /* resumed */
		return 0;
	return wk_power(w, wk_machine_init(w)) == VT_OK ? 0 : R12_FAIL;
}

static uint32_t
on_power_off(void *arg)
{
	wk_power_off(of(arg));
	return 0;
}

/* CMD_SHUTDOWN: the hypervisor ends.  The vTPM waits for the next one. */
static uint32_t
on_shutdown(void *arg)
{
	wk_power_off(of(arg));
	return 0;
}

static bool
on_powered(void *arg)
{
	return power_is_on(of(arg)->power);
}

static bool
on_is_tpm2(void *arg)
{
	return of(arg)->tpm_version != TPM_VER_12;
}

static uint32_t
on_get_established(void *arg, bool *ret)
{
	(void)arg;
	return eng_get_established(ret);
}

static uint32_t
on_reset_established(void *arg, uint8_t locality)
{
	uint32_t res = eng_reset_established(locality);

	(void)wk_store_changes(of(arg), 0);
	return res;
}

/* Once the host has measured a launch no hypervisor writes PCR 17; capped
 * PCRs stay capped. */
static bool
hash_refused(struct worker *w)
{
	return wk_step(w, PE_HASH) != PA_RUN;
}

static void
missed(struct worker *w, int rc)
{
	if (rc != VT_OK)
		wk_event(w, WE_FAILURE,
		    "the extend journal misses a hash sequence: %s",
		    vt_strerror(rc));
}

static uint32_t
on_hash_start(void *arg)
{
	struct worker *w = of(arg);
	uint32_t res;

	if (hash_refused(w)) {
		wk_event(w, WE_VIOLATION,
		    "refused a hash sequence: the launch is measured already, "
		    "or the PCRs are capped");
		return R12_FAIL;
	}
	if ((res = eng_hash_start()) == 0)
		missed(
		    w, capture_hash_start(&w->cap, power_is_started(w->power)));
	return res;
}

static uint32_t
on_hash_data(void *arg, const uint8_t *p, size_t len)
{
	struct worker *w = of(arg);
	uint32_t res;

	if (hash_refused(w))
		return R12_FAIL;
	if ((res = eng_hash_data(p, len)) == 0)
		missed(w, capture_hash_data(&w->cap, p, len));
	return res;
}

static uint32_t
on_hash_end(void *arg)
{
	struct worker *w = of(arg);
	uint32_t res;

	if (hash_refused(w))
		return R12_FAIL;
	if ((res = eng_hash_end()) == 0)
		missed(w, capture_hash_end(&w->cap));
	(void)wk_store_changes(w, 0);
	return res;
}

/* One size for all channels: what the ring's page can carry. */
static uint32_t
on_buffer_size(void *arg, uint32_t want, uint32_t *ret_now, uint32_t *ret_min,
    uint32_t *ret_max)
{
	(void)arg;
	if (want > WORKER_BUFFER)
		want = WORKER_BUFFER;
	*ret_now = eng_buffer_size(want, ret_min, ret_max);
	if (*ret_max > WORKER_BUFFER)
		*ret_max = WORKER_BUFFER;
	return 0;
}

static uint32_t
on_info_json(void *arg, uint64_t flags, char *out, size_t cap)
{
	char *json = eng_info((unsigned int)flags & 7);
	int n;

	(void)arg;
	if (json == NULL)
		return R12_FAIL;
	n = snprintf(out, cap, "%s", json);
	free(json);
	return n >= 0 && (size_t)n < cap ? 0 : R12_FAIL;
}

static const struct chan_host host = {
	.submit = wk_submit,
	.cancel = wk_cancel,
	.note = on_note,
	.keep = on_keep,
	.claim = on_claim,
	.release = on_release,
	.began = on_began,
	.ended = on_ended,
	.power_on = on_power_on,
	.power_off = on_power_off,
	.shutdown = on_shutdown,
	.powered = on_powered,
	.is_tpm2 = on_is_tpm2,
	.get_established = on_get_established,
	.reset_established = on_reset_established,
	.hash_start = on_hash_start,
	.hash_data = on_hash_data,
	.hash_end = on_hash_end,
	.buffer_size = on_buffer_size,
	.get_blob = wk_get_blob,
	.set_blob = wk_set_blob,
	.take_over = wk_take_over,
	.info_json = on_info_json,
};

const struct chan_host *
wk_chan_host(void)
{
	return &host;
}

/* --- open, adopt -----------------------------------------------------------
 */

int
wk_open(struct worker *w, const struct wopen *m, int fd)
{
	struct slot *s = &w->slots[m->chan];

	if (s->ch != NULL) /* its path was deleted under it */
		return chan_listen(s->ch, fd);
	s->w = w;
	s->kind = m->chan;
	s->localities = m->localities;
	if (m->chan == CHAN_LOCAL)
		return chan_new_local(fd, m->owner, m->localities,
		    w->tpm_version, &host, s, &s->ch);
	if (m->chan == CHAN_SWTPM)
		return chan_new_swtpm(
		    fd, m->owner, m->localities, &host, s, &s->ch);
	return VT_E_UNSUPPORTED;
}

int
wk_adopt(
    struct worker *w, const struct wkeep *m, const int *fds, unsigned int nfds)
{
	struct slot *s = &w->slots[m->chan];

	if (s->ch == NULL)
		return VT_E_STATE;
	return chan_adopt(s->ch, fds, nfds);
}
