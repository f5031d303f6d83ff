/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fakeback.h - a back half over the real local channel, with a TPM that
 * only pretends: what it does depends on the command code.
 *
 * Pump it by hand (fb_pump()) or let a thread do it (fb_run()).
 */
#ifndef TESTS_UNIT_FAKEBACK_H
#define TESTS_UNIT_FAKEBACK_H

#include <sys/eventfd.h>

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "tpmback/local_chan.h"
#include "tests/unit/ringpeek.h"

enum {
	FCC_ECHO = 0x17b,  /* the payload comes back */
	FCC_DEFER = 0xdef, /* answered by fb_poke() only */
	FCC_SLOW = 0x510,  /* until cancelled, at most FB_SLOW_MS */
	FCC_LONG = 0x701,  /* an answer longer than any page */
	FCC_SHORT = 0x702, /* three bytes of an answer */
	FCC_COUNT = 0x703, /* be32: commands so far */
};
#define FB_SLOW_MS 3000
#define FB_HDR 10

struct fakeback {
	char dir[64], path[96];
	struct chan *ch;
	struct chan_host host;
	/* seen */
	unsigned int submits, cancels, notes[8];
	uint8_t locality;
	char note_text[160];
	int keep_fds[CHAN_MAX_FDS];
	unsigned int nkeep;
	bool deferred;
	bool claimed, elsewhere; /* another channel has the TPM */
	/* the thread */
	pthread_t thread;
	int stop_fd, poke_fd;
	bool running;
	unsigned int dither_us; /* pause now and then, for the stress */
};

static void
fb_answer(struct chan *ch, uint32_t rc, const void *body, size_t len)
{
	uint8_t buf[CHAN_CMD_MAX];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	wr_be16(&w, 0x8001);
	wr_be32(&w, (uint32_t)(FB_HDR + len));
	wr_be32(&w, rc);
	wr_bytes(&w, body, len);
	assert(wr_err(&w) == VT_OK);
	chan_reply(ch, buf, w.len);
}

struct fb_watch {
	struct chan *ch;
	int stop_fd;
};

static void *
fb_watch_thread(void *arg)
{
	struct fb_watch *fw = arg;

	chan_watch(fw->ch, fw->stop_fd, FB_SLOW_MS);
	return NULL;
}

static void
fb_slow(struct fakeback *fb, struct chan *ch)
{
	unsigned int before = fb->cancels;
	struct fb_watch fw = { ch, eventfd(0, EFD_CLOEXEC) };
	uint64_t end = now_us() + FB_SLOW_MS * 1000, one = 1;
	pthread_t t;
	bool canceled;

	assert(pthread_create(&t, NULL, fb_watch_thread, &fw) == 0);
	do {
		usleep(1000);
		canceled =
		    __atomic_load_n(&fb->cancels, __ATOMIC_ACQUIRE) != before;
	} while (!canceled && now_us() < end);
	assert(write(fw.stop_fd, &one, 8) == 8);
	assert(pthread_join(t, NULL) == 0);
	(void)close(fw.stop_fd);
	fb_answer(ch, canceled ? 0x909 : 0, NULL, 0);
}

static void
fb_submit(void *arg, struct chan *ch, uint8_t locality, const uint8_t *cmd,
    size_t len)
{
	static const uint8_t lots[5000];
	struct fakeback *fb = arg;
	uint8_t n[4];

	/* the promise of chan.h */
	assert(len >= FB_HDR && len <= CHAN_CMD_MAX);
	assert(be32_get(cmd + 2) == len);
	fb->submits++;
	fb->locality = locality;
	if (fb->dither_us != 0 && fb->submits % 5 == 0)
		usleep(fb->dither_us);
	switch (be32_get(cmd + 6)) {
	case FCC_DEFER:
		fb->deferred = true;
		break;
	case FCC_SLOW:
		fb_slow(fb, ch);
		break;
	case FCC_LONG:
		chan_reply(ch, lots, sizeof(lots));
		break;
	case FCC_SHORT:
		chan_reply(ch, lots, 3);
		break;
	case FCC_COUNT:
		be32_put(n, fb->submits);
		fb_answer(ch, 0, n, sizeof(n));
		break;
	default:
		fb_answer(ch, 0, cmd + FB_HDR, len - FB_HDR);
		break;
	}
}

static void
fb_cancel(void *arg, struct chan *ch)
{
	struct fakeback *fb = arg;

	(void)ch;
	__atomic_add_fetch(&fb->cancels, 1, __ATOMIC_RELEASE);
}

static void
fb_note(void *arg, struct chan *ch, enum chan_note n, const char *text)
{
	struct fakeback *fb = arg;

	(void)ch;
	fb->notes[n]++;
	(void)snprintf(fb->note_text, sizeof(fb->note_text), "%s", text);
}

static void
fb_keep(void *arg, struct chan *ch, const int *fds, unsigned int nfds)
{
	struct fakeback *fb = arg;
	unsigned int i;

	(void)ch;
	for (i = 0; i < fb->nkeep; i++)
		(void)close(fb->keep_fds[i]);
	for (i = 0; i < nfds; i++)
		fb->keep_fds[i] = dup(fds[i]);
	fb->nkeep = nfds;
}

static bool
fb_claim(void *arg, struct chan *ch)
{
	struct fakeback *fb = arg;

	(void)ch;
	fb->claimed = !fb->elsewhere;
	return fb->claimed;
}

static void
fb_release(void *arg, struct chan *ch)
{
	(void)ch;
	((struct fakeback *)arg)->claimed = false;
}

static void
fb_listen(struct fakeback *fb, uint8_t localities, uint8_t version)
{
	int fd = unix_listen(fb->path, 0600);

	assert(fd != -1);
	assert(chan_new_local(fd, getuid(), localities, version, &fb->host, fb,
		   &fb->ch) == VT_OK);
}

static void
fb_open(struct fakeback *fb, uint8_t localities, uint8_t version)
{
	memset(fb, 0, sizeof(*fb));
	(void)snprintf(fb->dir, sizeof(fb->dir), "/tmp/fakeback.XXXXXX");
	assert(mkdtemp(fb->dir) != NULL);
	(void)snprintf(fb->path, sizeof(fb->path), "%s/t.tpmif", fb->dir);
	fb->host.submit = fb_submit;
	fb->host.cancel = fb_cancel;
	fb->host.note = fb_note;
	fb->host.keep = fb_keep;
	fb->host.claim = fb_claim;
	fb->host.release = fb_release;
	fb->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fb->poke_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fb_listen(fb, localities, version);
}

/* One turn of a worker's loop. */
static void
fb_pump(struct fakeback *fb, int timeout_ms)
{
	struct pollfd p[CHAN_MAX_FDS + 2];
	uint64_t end, v;
	int n;

	n = chan_pollfds(fb->ch, p);
	assert(n <= CHAN_MAX_FDS);
	p[n] = (struct pollfd){ .fd = fb->stop_fd, .events = POLLIN };
	/* A poke that comes before the command waits for it. */
	p[n + 1] = (struct pollfd){ .fd = fb->poke_fd,
		.events = fb->deferred ? POLLIN : 0 };
	if (poll(p, (nfds_t)n + 2, timeout_ms) <= 0)
		return;
	if (p[n + 1].revents != 0 && read(fb->poke_fd, &v, 8) == 8) {
		fb->deferred = false;
		fb_answer(fb->ch, 0, "late", 4);
	}
	chan_dispatch(fb->ch, p, n);
	end = now_us() + chan_spin_us(fb->ch);
	while (now_us() < end)
		if (chan_spin(fb->ch))
			end = now_us() + chan_spin_us(fb->ch);
}

static void *
fb_thread(void *arg)
{
	struct fakeback *fb = arg;

	while (__atomic_load_n(&fb->running, __ATOMIC_ACQUIRE))
		fb_pump(fb, 1000);
	return NULL;
}

static void
fb_run(struct fakeback *fb)
{
	fb->running = true;
	assert(pthread_create(&fb->thread, NULL, fb_thread, fb) == 0);
}

static void
fb_halt(struct fakeback *fb)
{
	uint64_t v = 1;

	if (!fb->running)
		return;
	__atomic_store_n(&fb->running, false, __ATOMIC_RELEASE);
	assert(write(fb->stop_fd, &v, 8) == 8);
	assert(pthread_join(fb->thread, NULL) == 0);
	assert(read(fb->stop_fd, &v, 8) == 8);
}

static void
fb_poke(struct fakeback *fb)
{
	uint64_t one = 1;

	assert(write(fb->poke_fd, &one, 8) == 8);
}

static void
fb_close(struct fakeback *fb)
{
	fb_halt(fb);
	chan_free(fb->ch);
	fb_keep(fb, NULL, NULL, 0);
	(void)close(fb->stop_fd);
	(void)close(fb->poke_fd);
	(void)unlink(fb->path);
	(void)rmdir(fb->dir);
}

/* --- the front ------------------------------------------------------------ */

static size_t
fb_command(uint8_t *buf, uint32_t cc, const void *body, size_t len)
{
	be16_put(buf, 0x8001);
	be32_put(buf + 2, (uint32_t)(FB_HDR + len));
	be32_put(buf + 6, cc);
	memcpy(buf + FB_HDR, body, len);
	return FB_HDR + len;
}

struct fb_connect {
	const char *path;
	struct ring *ring;
	char holder[RING_TEXT_MAX];
	int rc;
	bool done;
};

static void *
fb_connect_thread(void *arg)
{
	struct fb_connect *c = arg;

	c->rc = ring_local_connect(c->path, 5000, &c->ring, c->holder);
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Connect while this thread plays the worker, for at most ms. */
static struct fb_connect
fb_attach_for(struct fakeback *fb, int ms)
{
	struct fb_connect c = { .path = fb->path, .rc = VT_E_TIMEOUT };
	uint64_t end = now_us() + (uint64_t)ms * 1000;
	pthread_t t;

	assert(pthread_create(&t, NULL, fb_connect_thread, &c) == 0);
	while (!__atomic_load_n(&c.done, __ATOMIC_ACQUIRE) && now_us() < end)
		fb_pump(fb, 5);
	assert(pthread_join(t, NULL) == 0);
	return c;
}

static struct ring *
fb_attach(struct fakeback *fb)
{
	struct fb_connect c = fb_attach_for(fb, 5000);

	assert(c.rc == VT_OK);
	return c.ring;
}

#endif
