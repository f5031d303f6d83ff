/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwtpm_main.c - vtpm-hwtpm, the one process that talks to the physical TPM.
 *
 * The manager starts it with a socket on descriptor 3 and sends the requests
 * of vtpm_manager/proto/hwtpm_msg.h.  The TPM serves one request at a time;
 * the others wait in a queue that is fair by group.  A request that a lost or
 * reset TPM interrupts is repeated from its start, up to MAX_TRIES times, and
 * none waits longer than --wait-ms for a TPM that does not answer.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/msg.h"
#include "base/options.h"
#include "base/util.h"
#include "vtpm_manager/hwtpm/connection.h"
#include "vtpm_manager/hwtpm/hwtpm_limits.h"
#include "vtpm_manager/hwtpm/issuing.h"
#include "vtpm_manager/hwtpm/jail.h"
#include "vtpm_manager/hwtpm/policy.h"
#include "vtpm_manager/hwtpm/queue.h"
#include "vtpm_manager/hwtpm/requests.h"
#include "vtpm_manager/hwtpm/tcti_path.h"

#define MANAGER_FD 3
#define PAYLOAD_MAX HWREQ_ANSWER_MAX
#define MAX_TRIES 3
#define WAIT_FIRST_MS 50
#define WAIT_MAX_MS 1000
#define ABSENT_US 3000000 /* a device that never was is not waited for */
#define EX_STUCK 75       /* EX_TEMPFAIL: the manager restarts it */

struct req {
	struct hwq_item it; /* first */
	uint64_t since_us;  /* it waits */
	uint32_t id;
	uint16_t type;
	const struct hw_handler *handler;
	size_t len;
	uint8_t data[];
};

struct prog {
	struct hwtpm tpm;
	struct hwq queue;
	struct hwquota quota;
	struct msgch *ch;
	unsigned int wait_ms;
	struct backoff backoff;
	uint64_t connect_at_us;
	uint64_t issuing_at_us; /* not sooner another try to make its key */
	char issuing_why[HW_TEXT_LEN]; /* why the last one failed, logged */
	char why_down[HW_TEXT_LEN];
	uint64_t began_us;
	bool was_up; /* the TPM has been, in this process */
	bool blind;  /* its file was not there when the jail was built */
};

static volatile sig_atomic_t stop;

static void
on_stop(int sig)
{
	stop = sig;
}

static void
on_stuck(int sig)
{
	static const char text[] = "<3>vtpm-hwtpm: the TPM neither answers nor "
				   "fails: exiting for a restart\n";

	(void)sig;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(EX_STUCK);
}

/* --- answers -------------------------------------------------------------- */

static void
answer(struct prog *p, uint32_t id, int rc, const char *text,
    const struct wr *body)
{
	struct hw_answer a = { .rc = rc };
	struct wr w;

	(void)snprintf(a.text, sizeof(a.text), "%s", text);
	if (body != NULL) {
		a.body = body->buf;
		a.body_len = body->len;
	}
	wr_grow(&w, PAYLOAD_MAX);
	msg_put(&w, hw_answer, &a);
	/* drain() notices a manager that is gone. */
	if (wr_err(&w) == VT_OK)
		(void)!msgch_send(p->ch, HW_ANSWER, id, w.buf, w.len, NULL, 0);
	wr_free(&w);
}

static void
req_free(struct req *r)
{
	explicit_bzero(r->data, r->len);
	free(r);
}

static void
fail_request(struct prog *p, struct req *r, int rc, const char *text)
{
	answer(p, r->id, rc, text, NULL);
	req_free(r);
}

/* Served at once: it reports that the TPM is away instead of waiting for it. */
static void
do_status(struct prog *p, uint32_t id)
{
	struct hw_status st;
	struct wr w;

	hwconn_status(&p->tpm, &st);
	if (p->tpm.again)
		hwconn_close(&p->tpm);
	wr_grow(&w, PAYLOAD_MAX);
	msg_put(&w, hw_status, &st);
	answer(p, id, VT_OK, st.up ? "" : p->why_down, &w);
	wr_free(&w);
}

/* The message lists all groups; accounts of others are dropped. */
static void
do_quota(struct prog *p, const struct msg *msg)
{
	struct hw_quota m;
	int rc = msg_get(hw_quota, msg->data, msg->len, &m), one;
	uint32_t k;
	size_t i;

	for (i = p->quota.n; rc == VT_OK && i-- > 0;) {
		for (k = 0; k < m.n; k++)
			if (m.groups[k].group == p->quota.a[i].use.group)
				break;
		if (k == m.n)
			hwquota_drop(&p->quota, p->quota.a[i].use.group);
	}
	for (k = 0; rc == VT_OK && k < m.n; k++) {
		one = hwquota_limit(
		    &p->quota, m.groups[k].group, m.groups[k].ms, now_us());
		if (one != VT_OK)
			rc = one;
	}
	answer(p, msg->id, rc, rc != VT_OK ? "groups' quotas" : "", NULL);
}

static void
do_usage(struct prog *p, uint32_t id)
{
	struct hw_usage m = { .n = (uint32_t)p->quota.n };
	struct wr w;
	uint32_t i;

	for (i = 0; i < m.n; i++)
		m.groups[i] = p->quota.a[i].use;
	wr_grow(&w, PAYLOAD_MAX);
	msg_put(&w, hw_usage, &m);
	answer(p, id, wr_err(&w), "", &w);
	wr_free(&w);
}

/* Served at once: these may be what a TPM needs to release the keys. */
static void
do_approvals(struct prog *p, const struct msg *m)
{
	struct hw_approvals in;
	int rc;

	p->tpm.text[0] = '\0';
	if (msg_get(hw_approvals, m->data, m->len, &in) != VT_OK)
		rc = hwtpm_fail(&p->tpm, VT_E_PROTO, "malformed HW_APPROVALS");
	else
		rc = hwpolicy_set(&p->tpm, in.n, in.approvals);
	if (rc == VT_OK)
		p->connect_at_us = 0;
	answer(p, m->id, rc, rc == VT_OK ? "" : p->tpm.text, NULL);
}

/* --- requests ------------------------------------------------------------- */

/* The group whose turn it uses; 0, the host's own, unless the request names
 * one. */
static uint32_t
group_of(const struct req *r)
{
	struct hw_certs c;
	struct hw_quote q;

	if (r->type == HW_CERTS &&
	    msg_get(hw_certs, r->data, r->len, &c) == VT_OK)
		return c.group;
	if (r->type == HW_QUOTE &&
	    msg_get(hw_quote, r->data, r->len, &q) == VT_OK)
		return q.group;
	return 0;
}

static void
enqueue(struct prog *p, const struct msg *m)
{
	const struct hw_handler *h;
	struct req *r;
	int rc;

	if ((h = hwreq_handler(m->type)) == NULL) {
		answer(p, m->id, VT_E_PROTO, "no such request", NULL);
		return;
	}
	if ((r = calloc(1, sizeof(*r) + m->len)) == NULL) {
		answer(p, m->id, VT_E_NOMEM, vt_strerror(VT_E_NOMEM), NULL);
		return;
	}
	r->id = m->id;
	r->type = m->type;
	r->handler = h;
	r->len = m->len;
	if (m->len > 0)
		memcpy(r->data, m->data, m->len);
	r->it.group = group_of(r);
	r->since_us = now_us();
	r->it.deadline_us = r->since_us + p->wait_ms * UINT64_C(1000);
	if ((rc = hwq_put(&p->queue, &r->it)) != VT_OK) {
		hwquota_note_refused(&p->quota, r->it.group);
		fail_request(p, r, VT_E_BUSY,
		    rc == VT_E_SPACE
			? "too many requests of this group wait for the TPM"
			: vt_strerror(rc));
	}
}

/* Returns false when the manager is gone. */
static bool
drain(struct prog *p)
{
	struct msg m;
	int rc;

	while ((rc = msgch_recv(p->ch, &m)) == VT_OK) {
		msg_close_fds(&m);
		if (m.type == HW_STATUS)
			do_status(p, m.id);
		else if (m.type == HW_APPROVALS)
			do_approvals(p, &m);
		else if (m.type == HW_QUOTA)
			do_quota(p, &m);
		else if (m.type == HW_USAGE)
			do_usage(p, m.id);
		else
			enqueue(p, &m);
	}
	if (rc == VT_E_AGAIN)
		return true;
	if (rc != VT_E_CLOSED)
		log_err("the manager's socket: %s", vt_strerror(rc));
	return false;
}

static bool
over_quota(struct prog *p, uint32_t group, char *text, size_t cap)
{
	uint64_t now = now_us();
	const struct hw_used *u;

	if (hwquota_when(&p->quota, group, now) <= now ||
	    (u = hwquota_use(&p->quota, group)) == NULL)
		return false;
	(void)snprintf(text, cap,
	    "group %u has used up its %u ms per minute of the host's TPM, and "
	    "this request waited %u s for more: send fewer requests, or have "
	    "the host's operator raise the quota (vtpmctl group update "
	    "--hw-ms)",
	    group, u->limit_ms, p->wait_ms / 1000);
	return true;
}

/* Fail the requests that waited too long: the TPM is away or busy, or their
 * group has used up its quota. */
static void
expire(struct prog *p)
{
	char text[HW_TEXT_LEN + 64];
	struct hwq_item *it;

	while ((it = hwq_expired(&p->queue, now_us())) != NULL) {
		struct req *r = (struct req *)(void *)it;

		hwquota_note_refused(&p->quota, it->group);
		if (hwconn_is_up(&p->tpm) &&
		    over_quota(p, it->group, text, sizeof(text))) {
			fail_request(p, r, VT_E_BUSY, text);
			continue;
		}
		if (hwconn_is_up(&p->tpm))
			(void)snprintf(text, sizeof(text),
			    "the TPM was busy for %u s with other requests",
			    p->wait_ms / 1000);
		else
			(void)snprintf(text, sizeof(text), "waited %u s: %s",
			    p->wait_ms / 1000, p->why_down);
		fail_request(p, r, VT_E_TIMEOUT, text);
	}
}

static void
fail_all(struct prog *p, int rc, const char *text)
{
	struct hwq_item *it;

	while ((it = hwq_take(&p->queue)) != NULL)
		fail_request(p, (struct req *)(void *)it, rc, text);
}

/* The jail was built for a file that was not there or was another one; the
 * manager starts a process that sees it, and repeats its requests. */
static void
start_anew(struct prog *p)
{
	log_warn("%s: its file is not the one that was there when this process "
		 "chose its user: exiting for a restart",
	    p->tpm.text);
	hwconn_done(&p->tpm);
	exit(EX_STUCK);
}

static void
connect_tpm(struct prog *p)
{
	int rc = hwconn_open(&p->tpm);

	if (rc == VT_OK) {
		log_info("TPM %s, firmware %s, at %s", p->tpm.manufacturer,
		    p->tpm.firmware, p->tpm.conf);
		backoff_reset(&p->backoff);
		p->was_up = true;
		p->why_down[0] = '\0';
		return;
	}
	if (p->tpm.shut_out && (p->blind || p->was_up))
		start_anew(p);
	if (strcmp(p->why_down, p->tpm.text) != 0)
		log_warn("%s", p->tpm.text);
	(void)snprintf(p->why_down, sizeof(p->why_down), "%s", p->tpm.text);
	p->connect_at_us =
	    now_us() + backoff_failed(&p->backoff) * UINT64_C(1000);
	/* A driver may still be starting; a host without a TPM has none. */
	if (p->tpm.absent && !p->was_up && now_us() - p->began_us > ABSENT_US)
		fail_all(p, VT_E_TIMEOUT, p->why_down);
	/* It answers, and a retry would not change the answer. */
	else if (!p->tpm.again && rc != VT_E_CLOSED && rc != VT_E_TPM)
		fail_all(p, rc, p->why_down);
}

/* The TPM was lost or reset: reconnect, and repeat the request if tries are
 * left. */
static bool
put_off(struct prog *p, struct req *r)
{
	(void)snprintf(p->why_down, sizeof(p->why_down), "%s", p->tpm.text);
	hwconn_close(&p->tpm);
	p->connect_at_us = 0;
	return r->it.put_back + 1 < MAX_TRIES &&
	       hwq_put_back(&p->queue, &r->it) == VT_OK;
}

static void
run_request(struct prog *p, struct req *r)
{
	struct wblob in = { .p = r->data, .len = (uint32_t)r->len };
	const struct wr *body = NULL;
	struct wr w;
	int rc = VT_OK;

	wr_grow(&w, PAYLOAD_MAX);
	p->tpm.text[0] = '\0';
	p->tpm.again = false;
	hwtcti_begin(p->tpm.tcti);
	if (r->handler->keys)
		rc = hwconn_need_keys(&p->tpm);
	if (rc == VT_OK)
		rc = r->handler->run(&p->tpm, &in, &w);
	if (rc == VT_OK && (rc = wr_err(&w)) != VT_OK)
		(void)!hwtpm_fail(&p->tpm, rc, "%s", vt_strerror(rc));
	if (rc == VT_OK)
		body = &w;
	else
		log_warn("request %u: %s", r->type, p->tpm.text);
	if (body != NULL || !p->tpm.again || !put_off(p, r)) {
		answer(p, r->id, rc, body != NULL ? "" : p->tpm.text, body);
		req_free(r);
	}
	wr_free(&w);
}

/* The group pays for the TPM's time, even for a request that failed. */
static bool
run_next(struct prog *p)
{
	uint64_t t0 = now_us(), end;
	struct hwq_item *it = hwq_next(&p->queue, &p->quota, t0);
	struct req *r = (struct req *)(void *)it;
	uint64_t waited;
	uint32_t group;

	if (it == NULL)
		return false;
	group = it->group;
	waited = t0 - r->since_us;
	run_request(p, r);
	end = now_us();
	hwquota_charge(&p->quota, group, end - t0, waited, end);
	return true;
}

/* --- today's issuing key -------------------------------------------------- */

#define ISSUING_RETRY_US 60000000
#define ISSUING_LOOK_US 600000000 /* the wall clock may be set */

/* Between requests, so that none waits for the TPM's signature; one that comes
 * sooner has it made. */
static void
make_issuing(struct prog *p)
{
	p->issuing_at_us = now_us() + ISSUING_RETRY_US;
	p->tpm.text[0] = '\0';
	p->tpm.again = false;
	hwtcti_begin(p->tpm.tcti);
	if (hwissuing_make(&p->tpm) == VT_OK) {
		p->issuing_at_us = 0;
		p->issuing_why[0] = '\0';
		return;
	}
	if (strcmp(p->issuing_why, p->tpm.text) != 0)
		log_warn("no new issuing key yet: %s", p->tpm.text);
	(void)snprintf(
	    p->issuing_why, sizeof(p->issuing_why), "%s", p->tpm.text);
	if (!p->tpm.again)
		return;
	(void)snprintf(p->why_down, sizeof(p->why_down), "%s", p->tpm.text);
	hwconn_close(&p->tpm);
}

static uint64_t
issuing_when(const struct prog *p, uint64_t now)
{
	return hwissuing_due(&p->tpm) ? p->issuing_at_us
				      : now + ISSUING_LOOK_US;
}

/* --- the loop ------------------------------------------------------------- */

static int
wait_time(struct prog *p)
{
	uint64_t now = now_us(), until = hwq_deadline(&p->queue), next;

	next = hwconn_is_up(&p->tpm) ? hwq_when(&p->queue, &p->quota, now)
				     : p->connect_at_us;
	if (next < until)
		until = next;
	if (hwconn_is_up(&p->tpm) && issuing_when(p, now) < until)
		until = issuing_when(p, now);
	if (until == UINT64_MAX)
		return -1;
	return until <= now ? 0 : (int)((until - now) / 1000 + 1);
}

static void
loop(struct prog *p, const sigset_t *open)
{
	struct pollfd pfd = { .fd = msgch_fd(p->ch) };
	struct timespec ts;
	int ms;

	while (!stop && drain(p)) {
		expire(p);
		if (!hwconn_is_up(&p->tpm) && now_us() >= p->connect_at_us)
			connect_tpm(p);
		if (hwconn_is_up(&p->tpm) && run_next(p)) {
			(void)!msgch_flush(p->ch);
			continue;
		}
		if (hwconn_is_up(&p->tpm) && hwissuing_due(&p->tpm) &&
		    now_us() >= p->issuing_at_us)
			make_issuing(p);
		ms = wait_time(p);
		ts.tv_sec = ms / 1000;
		ts.tv_nsec = (long)(ms % 1000) * 1000000L;
		pfd.events =
		    (short)(POLLIN | (msgch_pending(p->ch) ? POLLOUT : 0));
		(void)ppoll(&pfd, 1, ms < 0 ? NULL : &ts, open);
		(void)!msgch_flush(p->ch);
	}
}

/* Signals that end the process are delivered only in ppoll(2). */
static int
setup_signals(sigset_t *ret_open)
{
	struct sigaction sa = { .sa_handler = on_stop };
	sigset_t block;

	(void)sigemptyset(&sa.sa_mask);
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGTERM);
	(void)sigaddset(&block, SIGINT);
	if (sigprocmask(SIG_BLOCK, &block, ret_open) == -1 ||
	    sigaction(SIGTERM, &sa, NULL) == -1 ||
	    sigaction(SIGINT, &sa, NULL) == -1)
		return VT_E_SYS;
	sa.sa_handler = on_stuck;
	if (sigaction(SIGALRM, &sa, NULL) == -1)
		return VT_E_SYS;
	sa.sa_handler = SIG_IGN;
	return sigaction(SIGPIPE, &sa, NULL) == -1 ? VT_E_SYS : VT_OK;
}

#define MS_MAX 3600000
#define NOT_GIVEN UINT32_MAX

struct args {
	const char *tcti;
	uint32_t wait_ms, answer_ms, retry_ms, uid;
	bool debug;
};

static const struct opt opts[] = {
	{ OPT_TEXT("tcti", 0, "CONF", struct args, tcti,
	      "the host's TPM, as tpm2-tss names it, or "
	      "tpmfront:local=PATH"),
	    .needed = true },
	{ OPT_U32("wait-ms", "N", struct args, wait_ms, 0, MS_MAX,
	    "how long a request may wait for an absent or busy TPM (default "
	    "30000)") },
	{ OPT_U32("answer-ms", "N", struct args, answer_ms, 0, MS_MAX,
	    "how long one command may take before the TPM counts as lost "
	    "(default 20000, and 90000 for commands that make a key)") },
	{ OPT_U32("retry-ms", "N", struct args, retry_ms, 0, MS_MAX,
	    "how long a request's commands are sent again while the TPM asks "
	    "for that (default 15000)") },
	{ OPT_U32("uid", "N", struct args, uid, 1, NOT_GIVEN - 1,
	    "started by root: run under this uid, which no other process has, "
	    "if it may use the TPM") },
	{ OPT_FLAG("debug", 0, struct args, debug, "log debug messages, too") },
	OPT_END,
};

static const struct opt_command vtpm_hwtpm = {
	.name = "vtpm-hwtpm",
	.about = "Serve the host's TPM to vtpm-managerd, which starts this "
		 "program with a socket on descriptor 3; see vtpm-hwtpm(8).\n",
	.opts = opts,
};

static void
apply(const struct args *a, struct prog *p)
{
	struct hwtcti_limits *l = &p->tpm.limits;

	p->wait_ms = a->wait_ms;
	if (a->answer_ms != NOT_GIVEN)
		l->answer_ms = l->keygen_ms = a->answer_ms;
	if (a->retry_ms != NOT_GIVEN)
		l->retry_ms = a->retry_ms;
	if (a->debug)
		log_set_level(LOG_L_DEBUG);
}

static bool
is_absent(const char *conf)
{
	char path[PATH_MAX];

	tcti_path(conf, path, sizeof(path));
	return path[0] != '\0' && access(path, F_OK) == -1;
}

int
main(int argc, char **argv)
{
	struct args a = { .wait_ms = HWTPM_WAIT_MS,
		.answer_ms = NOT_GIVEN,
		.retry_ms = NOT_GIVEN,
		.uid = NOT_GIVEN };
	struct prog p = { 0 };
	const char *step;
	sigset_t open;
	int rc;

	log_open("vtpm-hwtpm", LOG_L_INFO);
	if ((rc = opt_parse(&vtpm_hwtpm, &argc, &argv, &a)) != OPT_GO)
		return rc;
	backoff_init(&p.backoff, WAIT_FIRST_MS, WAIT_MAX_MS);
	hwtpm_setup(&p.tpm, a.tcti);
	p.began_us = now_us();
	p.blind = is_absent(a.tcti);
	hwq_init(&p.queue);
	hwquota_init(&p.quota);
	apply(&a, &p);
	/* tpm2-tss would log every error again, on many lines. */
	if (setenv("TSS2_LOG", "all+NONE", 0) == -1) {
		log_err("cannot set up: %s", vt_strerror(VT_E_SYS));
		return 1;
	}
	if ((rc = hwjail_enter(p.tpm.conf, a.uid, MANAGER_FD, &step)) !=
	    VT_OK) {
		log_err("jail: cannot %s: %s", step, vt_strerror(rc));
		return 1;
	}
	if ((rc = setup_signals(&open)) != VT_OK) {
		log_err("cannot set up signals: %s", vt_strerror(rc));
		return 1;
	}
	if ((rc = msgch_new(MANAGER_FD, PAYLOAD_MAX, &p.ch)) != VT_OK) {
		log_err("descriptor %d is not the manager's socket: %s",
		    MANAGER_FD, vt_strerror(rc));
		return 1;
	}
	loop(&p, &open);
	fail_all(&p, VT_E_CLOSED, "vtpm-hwtpm is shutting down");
	(void)!msgch_flush(p.ch);
	hwconn_done(&p.tpm);
	hwquota_done(&p.quota);
	msgch_free(p.ch);
	return 0;
}
