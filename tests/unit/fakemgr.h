/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fakemgr.h - a manager for tests: keeps one worker's state in memory and
 * plays the life of a vTPM step by step.
 */
#ifndef TESTS_FAKEMGR_H
#define TESTS_FAKEMGR_H

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "base/msg.h"
#include "base/util.h"
#include "tpmfront/ring_local.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm/state/seal.h"

#define FM_WAIT_MS 20000
#define FM_CMD_MAX 4096

#define FM_UNUSED __attribute__((unused))

struct fm {
	char dir[64];
	struct msgch *zyg; /* NULL: workers are forked directly */
	pid_t zygote_link_pid;
	unsigned int exited;  /* Z_EXITED so far */
	uint32_t exit_status; /* of the last one */
};

/* One vTPM as its manager sees it. */
struct fw {
	struct fm *m;
	pid_t pid;
	struct msgch *ch;
	int listen_fd; /* ours stays open, so that the name works */
	uint8_t uuid[UUID_LEN], key[WKEY_LEN];
	uint64_t generation, version; /* of what is stored */
	uint8_t *blob;
	size_t len;
	uint8_t *volatile_;
	size_t vol_len;
	uint8_t tpm_version;

	bool ack;   /* answer W_STORE at once */
	int ack_rc; /* with this */
	unsigned int nstores, nevents[16];
	struct wstore last; /* without its blob */
	uint8_t *held_blob; /* not acknowledged: what came */
	size_t held_len;
	struct whello hello;
	unsigned int nhello;
	struct wdeep deep[32]; /* what was asked; nonces are not kept */
	unsigned int ndeep;
	unsigned int nfacts; /* and the last of them */
	uint8_t banks, ak[PUB_MAX_LEN];
	size_t ak_len;
	int kept[MSG_MAX_FDS];
	unsigned int nkept, nunkeep;
	uint32_t next_id;
	uint8_t ans[STATE_MAX_LEN]; /* payload of the last answer */
	size_t ans_len;
	char text[TEXT_MAX_LEN + 1];
};

/* --- sockets -----------------------------------------------------------------
 */

static FM_UNUSED void
fm_path(const struct fw *g, const char *what, char out[128])
{
	char u[UUID_STRLEN + 1];

	uuid_format(g->uuid, u);
	(void)snprintf(out, 128, "%s/%.8s.%s", g->m->dir, u, what);
}

static FM_UNUSED void
fm_init(struct fm *m)
{
	memset(m, 0, sizeof(*m));
	(void)snprintf(m->dir, sizeof(m->dir), "/tmp/vtpm-fm-XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	(void)chmod(m->dir, 0755);
}

static FM_UNUSED void
fm_done(struct fm *m)
{
	char cmd[128];

	msgch_free(m->zyg);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", m->dir);
	assert_int_equal(system(cmd), 0);
}

/* Tests that fork their workers themselves define this. */
static pid_t fm_fork(struct fm *m, int ctl, int listen_fd);

static FM_UNUSED pid_t
fm_spawn(struct fw *g, int ctl, uint32_t uid)
{
	struct zspawn sp = { .uid = uid, .gid = uid, .log_level = 4 };
	int fds[2] = { ctl, g->listen_fd };
	struct zspawned sd;
	struct zexited ze;
	uint8_t buf[64];
	struct msg msg;
	struct wr w;

	if (g->m->zyg == NULL)
		return fm_fork(g->m, ctl, g->listen_fd);
	memcpy(sp.uuid, g->uuid, UUID_LEN);
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, zspawn, &sp);
	assert_int_equal(
	    msgch_send(g->m->zyg, Z_SPAWN, 7, buf, w.len, fds, 2), VT_OK);
	for (;;) {
		assert_int_equal(
		    msgch_recv_wait(g->m->zyg, FM_WAIT_MS, &msg), VT_OK);
		if (msg.type == Z_SPAWNED)
			break;
		assert_int_equal(msg.type, Z_EXITED);
		assert_int_equal(
		    msg_get(zexited, msg.data, msg.len, &ze), VT_OK);
		g->m->exited++;
		g->m->exit_status = ze.status;
	}
	assert_int_equal(msg.id, 7);
	assert_int_equal(msg_get(zspawned, msg.data, msg.len, &sd), VT_OK);
	assert_int_not_equal(sd.pid, 0);
	return (pid_t)sd.pid;
}

/* --- messages ----------------------------------------------------------------
 */

static FM_UNUSED void
fm_stored(struct fw *g, int rc)
{
	struct wstored m = { rc, g->last.version, g->last.generation };
	uint8_t buf[64];
	struct wr w;

	if (rc == VT_OK) {
		free(g->blob);
		g->blob = g->held_blob;
		g->len = g->held_len;
		g->held_blob = NULL;
		g->version = g->last.version;
		g->generation = g->last.generation;
	}
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wstored, &m);
	assert_int_equal(
	    msgch_send(g->ch, W_STORED, 0, buf, w.len, NULL, 0), VT_OK);
}

static FM_UNUSED void
fm_on_store(struct fw *g, const struct msg *msg)
{
	uint8_t digest[SHA256_LEN];
	struct seal_id id;

	assert_int_equal(msg_get(wstore, msg->data, msg->len, &g->last), VT_OK);
	assert_int_equal(
	    seal_peek(g->last.blob.p, g->last.blob.len, &id), VT_OK);
	assert_memory_equal(id.uuid, g->uuid, UUID_LEN);
	assert_int_equal(id.version, g->last.version);
	assert_int_equal(id.generation, g->last.generation);
	assert_int_equal(
	    digest_buf(ALG_SHA256, g->last.blob.p, g->last.blob.len, digest),
	    VT_OK);
	assert_memory_equal(digest, g->last.digest, sizeof(digest));
	g->nstores++;
	free(g->held_blob);
	g->held_len = g->last.blob.len;
	g->held_blob = malloc(g->held_len);
	assert_non_null(g->held_blob);
	memcpy(g->held_blob, g->last.blob.p, g->held_len);
	g->last.blob.p = NULL;
	if (g->ack)
		fm_stored(g, g->ack_rc);
}

static FM_UNUSED void
fm_drop_kept(struct fw *g)
{
	while (g->nkept > 0)
		(void)close(g->kept[--g->nkept]);
}

/* Everything but answers; returns true for an answer. */
static FM_UNUSED bool
fm_handle(struct fw *g, struct msg *msg)
{
	struct wevent ev;
	struct wfacts fa;
	unsigned int i;

	switch (msg->type) {
	case W_STORE:
		fm_on_store(g, msg);
		return false;
	case W_HELLO:
		assert_int_equal(
		    msg_get(whello, msg->data, msg->len, &g->hello), VT_OK);
		g->nhello++;
		return false;
	case W_EVENT:
		assert_int_equal(
		    msg_get(wevent, msg->data, msg->len, &ev), VT_OK);
		g->nevents[ev.code]++;
		return false;
	case W_DEEP:
		assert_true(g->ndeep < VT_NELEM(g->deep));
		assert_int_equal(
		    msg_get(wdeep, msg->data, msg->len, &g->deep[g->ndeep]),
		    VT_OK);
		g->deep[g->ndeep++].nonce.p = NULL;
		return false;
	case W_FACTS:
		assert_int_equal(
		    msg_get(wfacts, msg->data, msg->len, &fa), VT_OK);
		g->nfacts++;
		g->banks = fa.banks;
		g->ak_len = fa.ak.len;
		memcpy(g->ak, fa.ak.p, fa.ak.len);
		return false;
	case W_KEEP:
		fm_drop_kept(g);
		for (i = 0; i < msg->nfds; i++)
			g->kept[g->nkept++] = msg->fds[i];
		msg->nfds = 0;
		return false;
	case W_UNKEEP:
		fm_drop_kept(g);
		g->nunkeep++;
		return false;
	}
	assert_true(msg->len <= sizeof(g->ans));
	memcpy(g->ans, msg->data, msg->len);
	g->ans_len = msg->len;
	return true;
}

/* Take what has come; false: the worker has hung up. */
static FM_UNUSED bool
fm_pump(struct fw *g)
{
	struct msg msg;
	int rc;

	if (g->ch == NULL)
		return false;
	while ((rc = msgch_recv(g->ch, &msg)) == VT_OK) {
		(void)fm_handle(g, &msg);
		msg_close_fds(&msg);
	}
	if (rc != VT_E_AGAIN)
		return false;
	return msgch_flush(g->ch) == VT_OK;
}

static FM_UNUSED void
fm_pump_for(struct fw *g, unsigned int ms)
{
	uint64_t end = now_us() + (uint64_t)ms * 1000;
	struct pollfd p;

	while (now_us() < end) {
		p.fd = msgch_fd(g->ch);
		p.events = POLLIN;
		(void)poll(&p, 1, 5);
		if (!fm_pump(g))
			return;
	}
}

/* Send a request, wait for its answer; fds stay ours. */
static FM_UNUSED void
fm_ask(struct fw *g, uint16_t type, const struct wr *w, const int *fds,
    unsigned int nfds, uint16_t want)
{
	uint32_t id = ++g->next_id;
	struct msg msg;
	bool done = false;

	if (w != NULL)
		assert_int_equal(wr_err(w), VT_OK);
	assert_int_equal(msgch_send(g->ch, type, id, w != NULL ? w->buf : NULL,
			     w != NULL ? w->len : 0, fds, nfds),
	    VT_OK);
	while (!done) {
		assert_int_equal(
		    msgch_recv_wait(g->ch, FM_WAIT_MS, &msg), VT_OK);
		done = fm_handle(g, &msg) && msg.id == id;
		if (done)
			assert_int_equal(msg.type, want);
		msg_close_fds(&msg);
	}
}

static FM_UNUSED int
fm_ask_done(struct fw *g, uint16_t type, const struct wr *w, const int *fds,
    unsigned int nfds)
{
	struct wdone d;

	fm_ask(g, type, w, fds, nfds, W_DONE);
	assert_int_equal(msg_get(wdone, g->ans, g->ans_len, &d), VT_OK);
	memcpy(g->text, d.text, sizeof(g->text));
	return d.rc;
}

static FM_UNUSED void
fm_manager(struct fw *g, bool storage_ok)
{
	struct wmanager m = { .storage_ok = storage_ok, .build = "fake" };
	uint8_t buf[64];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wmanager, &m);
	assert_int_equal(
	    msgch_send(g->ch, W_MANAGER, 0, buf, w.len, NULL, 0), VT_OK);
}

static FM_UNUSED void
fm_wait_hello(struct fw *g, unsigned int n)
{
	uint64_t end = now_us() + FM_WAIT_MS * 1000ULL;
	struct pollfd p = { .fd = msgch_fd(g->ch), .events = POLLIN };

	while (g->nhello < n && now_us() < end) {
		(void)poll(&p, 1, 100);
		if (!fm_pump(g))
			break;
	}
	assert_int_equal(g->nhello, n);
}

/* --- the life of a vTPM ------------------------------------------------------
 */

/* A worker process for g, greeted.  First call: g gets uuid and key. */
static FM_UNUSED void
fm_start(struct fm *m, struct fw *g, uint32_t uid)
{
	static const uint8_t none[UUID_LEN];
	char path[128];
	int sv[2];

	g->m = m;
	if (memcmp(g->uuid, none, UUID_LEN) == 0) {
		assert_int_equal(uuid_make(g->uuid), VT_OK);
		assert_int_equal(random_bytes(g->key, WKEY_LEN), VT_OK);
		g->tpm_version = TPM_VER_20;
		g->generation = 1;
		g->listen_fd = -1;
	}
	if (g->listen_fd != -1)
		(void)close(g->listen_fd);
	fm_path(g, "w", path);
	g->listen_fd = unix_listen(path, 0666);
	assert_int_not_equal(g->listen_fd, -1);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	g->ack = true;
	g->ack_rc = VT_OK;
	g->nhello = 0;
	g->pid = fm_spawn(g, sv[1], uid);
	(void)close(sv[1]);
	assert_int_equal(msgch_new(sv[0], W_MSG_MAX, &g->ch), VT_OK);
	fm_manager(g, true);
	fm_wait_hello(g, 1);
	assert_int_equal(g->hello.pid, (uint32_t)g->pid);
}

static FM_UNUSED void
fm_provision(
    struct fw *g, uint8_t version, uint8_t banks, struct wprovisioned *ret)
{
	struct wprovision m = { version, banks,
		version == TPM_VER_20 ? WSRK_ECC : WSRK_NONE };
	uint8_t buf[8];
	struct wr w;

	g->tpm_version = version;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wprovision, &m);
	fm_ask(g, W_PROVISION, &w, NULL, 0, W_PROVISIONED);
	assert_int_equal(msg_get(wprovisioned, g->ans, g->ans_len, ret), VT_OK);
	assert_string_equal(ret->text, "");
	assert_int_equal(ret->rc, VT_OK);
}

/* Claim with n pretended certificates. */
static FM_UNUSED int
fm_claim(struct fw *g, uint32_t n)
{
	static uint8_t der[1300];
	struct wcerts m = { .name = "test", .group = 3 };
	struct wr w;
	uint32_t i;
	int rc;

	memset(der, 0x5a, sizeof(der));
	memcpy(m.uuid, g->uuid, UUID_LEN);
	memcpy(m.key, g->key, WKEY_LEN);
	m.generation = g->generation;
	m.n = n;
	for (i = 0; i < n; i++) {
		m.certs[i].which = (uint8_t)(WCERT_EK_RSA + i);
		m.certs[i].der.p = der;
		m.certs[i].der.len = (uint32_t)(sizeof(der) - i * 100);
	}
	wr_grow(&w, W_MSG_MAX);
	msg_put(&w, wcerts, &m);
	rc = fm_ask_done(g, W_CERTS, &w, NULL, 0);
	wr_free(&w);
	return rc;
}

static FM_UNUSED int
fm_load(struct fw *g, uint8_t flags, const struct wblob *launch)
{
	struct wload m = { .name = "test", .group = 3 };
	struct wr w;
	int rc;

	memcpy(m.uuid, g->uuid, UUID_LEN);
	memcpy(m.key, g->key, WKEY_LEN);
	m.tpm_version = g->tpm_version;
	m.flags = flags;
	m.generation = g->generation;
	m.version = g->version;
	m.permanent.p = g->blob;
	m.permanent.len = (uint32_t)g->len;
	m.volatile_.p = g->volatile_;
	m.volatile_.len = (uint32_t)g->vol_len;
	if (launch != NULL)
		m.launch = *launch;
	wr_grow(&w, W_MSG_MAX);
	msg_put(&w, wload, &m);
	rc = fm_ask_done(g, W_LOAD, &w, NULL, 0);
	wr_free(&w);
	return rc;
}

static FM_UNUSED int
fm_open(struct fw *g, uint8_t chan, uint8_t localities)
{
	struct wopen m = { chan, localities, getuid() };
	uint8_t buf[8];
	char path[128];
	struct wr w;
	int fd, rc;

	fm_path(g, chan == CHAN_LOCAL ? "tpmif" : "swtpm", path);
	fd = unix_listen(path, 0666);
	assert_int_not_equal(fd, -1);
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wopen, &m);
	rc = fm_ask_done(g, W_OPEN, &w, &fd, 1);
	(void)close(fd);
	return rc;
}

static FM_UNUSED void
fm_reap(struct fw *g)
{
	int status;

	if (g->m->zyg == NULL)
		(void)waitpid(g->pid, &status, 0);
	g->pid = 0;
}

/* The worker dies; what the manager has stays. */
static FM_UNUSED void
fm_kill(struct fw *g)
{
	(void)kill(g->pid, SIGKILL);
	fm_reap(g);
	msgch_free(g->ch);
	g->ch = NULL;
}

static FM_UNUSED int
fm_stop(struct fw *g)
{
	int rc = fm_ask_done(g, W_STOP, NULL, NULL, 0);

	fm_reap(g);
	msgch_free(g->ch);
	g->ch = NULL;
	return rc;
}

static FM_UNUSED void
fm_free(struct fw *g)
{
	if (g->ch != NULL)
		fm_kill(g);
	fm_drop_kept(g);
	if (g->listen_fd > 0)
		(void)close(g->listen_fd);
	free(g->blob);
	free(g->held_blob);
	free(g->volatile_);
	memset(g, 0, sizeof(*g));
}

/* Of each test: one guest with a worker. */
static FM_UNUSED int
fm_setup(void **state)
{
	*state = calloc(1, sizeof(struct fw));
	return *state == NULL ? -1 : 0;
}

static FM_UNUSED int
fm_teardown(void **state)
{
	fm_free(*state);
	free(*state);
	return 0;
}

/* The manager dies and comes back: it finds the worker by its socket. */
static FM_UNUSED void
fm_manager_gone(struct fw *g)
{
	msgch_free(g->ch);
	g->ch = NULL;
	fm_drop_kept(g);
}

static FM_UNUSED void
fm_manager_back(struct fw *g)
{
	char path[128];
	int fd;

	fm_path(g, "w", path);
	fd = unix_connect(path);
	assert_int_not_equal(fd, -1);
	assert_int_equal(msgch_new(fd, W_MSG_MAX, &g->ch), VT_OK);
	g->nhello = 0;
	fm_manager(g, true);
	fm_wait_hello(g, 1);
	fm_pump_for(g, 30); /* what it sends again */
}

/* --- a guest on the local ring -----------------------------------------------
 */

static FM_UNUSED struct ring *
fm_guest(struct fw *g)
{
	char path[128], holder[RING_TEXT_MAX];
	struct ring *r = NULL;

	fm_path(g, "tpmif", path);
	assert_int_equal(
	    ring_local_connect(path, FM_WAIT_MS, &r, holder), VT_OK);
	return r;
}

static FM_UNUSED void
fm_submit(struct ring *r, const char *hex, uint8_t locality)
{
	uint8_t cmd[FM_CMD_MAX];
	size_t n;

	assert_int_equal(hex_decode(hex, cmd, sizeof(cmd), &n), VT_OK);
	if (n >= 6)
		be32_put(cmd + 2, (uint32_t)n);
	assert_int_equal(ring_submit(r, locality, cmd, n), VT_OK);
}

/* Wait for the answer while the manager works; 0 bytes: it did not come. */
static FM_UNUSED size_t
fm_wait(struct fw *g, struct ring *r, unsigned int ms, uint8_t out[FM_CMD_MAX])
{
	uint64_t end = now_us() + (uint64_t)ms * 1000;
	const uint8_t *p;
	size_t n;

	do {
		if (ring_wait(r, 1, &p, &n) == VT_OK) {
			memcpy(out, p, n);
			return n;
		}
		if (g->ch != NULL)
			(void)fm_pump(g);
	} while (now_us() < end);
	return 0;
}

/* Wait for the worker's n-th store, whose command has no answer, yet. */
static FM_UNUSED void
fm_wait_store(struct fw *g, struct ring *r, unsigned int n)
{
	uint64_t end = now_us() + FM_WAIT_MS * 1000ULL;
	uint8_t out[FM_CMD_MAX];

	while (g->nstores < n && now_us() < end)
		assert_int_equal(fm_wait(g, r, 1, out), 0);
	assert_int_equal(fm_wait(g, r, 50, out), 0);
	assert_int_equal(g->nstores, n);
}

/* Run one command; the size field is filled in.  Returns its code. */
static FM_UNUSED uint32_t
fm_cmd(struct fw *g, struct ring *r, const char *hex, uint8_t out[FM_CMD_MAX],
    size_t *ret_len)
{
	uint8_t buf[FM_CMD_MAX];
	size_t n;

	fm_submit(r, hex, 0);
	n = fm_wait(g, r, FM_WAIT_MS, out != NULL ? out : buf);
	assert_true(n >= 10);
	if (ret_len != NULL)
		*ret_len = n;
	return be32_get((out != NULL ? out : buf) + 6);
}

#endif
