/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_swtpm.c - any bytes from a hypervisor and its guest, in any pieces:
 * no crash, no spin, no command outside its limits, and never a locality
 * that was not granted.
 *
 * The input is a list of steps: one byte what | one byte length | bytes.
 */
#include <sys/socket.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "tpmback/swtpm/chan.h"
#include "tpmback/swtpm/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define GRANTED 0x03
#define STEPS_MAX 200

enum step { /* modulo STEP_N */
	STEP_CTL,
	STEP_CTL_FD, /* with a data connection by SCM_RIGHTS */
	STEP_DATA,
	STEP_CTL2,
	STEP_CTL2_FD,
	STEP_REPLY,
	STEP_LATER,
	STEP_END,
	STEP_SUCCESSOR,
	STEP_N,
};

static struct {
	struct chan *ch;
	bool on, later, in_hand;
	int ctl[2], data;
	int kept[3];
	unsigned int nkept;
} f;
static int listener = -1;

static void
must(bool promise)
{
	if (!promise)
		abort();
}

static void
reply(void)
{
	uint8_t r[TPM_HDR_LEN] = { 0x80, 1, 0, 0, 0, TPM_HDR_LEN };

	f.in_hand = false;
	chan_reply(f.ch, r, sizeof(r));
}

static void
do_submit(void *arg, struct chan *ch, uint8_t locality, const uint8_t *cmd,
    size_t len)
{
	(void)arg;
	must(ch == f.ch && f.on && !f.in_hand);
	must(len >= TPM_HDR_LEN && len <= CHAN_CMD_MAX);
	must(be32_get(cmd + 2) == len);
	must(locality < 8 && (GRANTED & (1u << locality)) != 0);
	must(be32_get(cmd + 6) != TPM_CC_SET_LOCALITY);
	f.in_hand = true;
	if (!f.later)
		reply();
}

static void
do_cancel(void *arg, struct chan *ch)
{
	(void)arg;
	(void)ch;
	must(f.in_hand);
}

static void
do_note(void *arg, struct chan *ch, enum chan_note n, const char *text)
{
	(void)arg;
	(void)ch;
	(void)n;
	must(text != NULL);
}

static void
do_keep(void *arg, struct chan *ch, const int *fds, unsigned int nfds)
{
	unsigned int i;

	(void)arg;
	(void)ch;
	must(nfds <= 3);
	for (i = 0; i < f.nkept; i++)
		(void)close(f.kept[i]);
	for (i = 0; i < nfds; i++)
		f.kept[i] = dup(fds[i]);
	f.nkept = nfds;
}

static uint32_t
do_power_on(void *arg, bool delete_volatile)
{
	(void)arg;
	(void)delete_volatile;
	must(!f.on && !f.in_hand);
	f.on = true;
	return 0;
}

static uint32_t
do_power_off(void *arg)
{
	(void)arg;
	must(f.on && !f.in_hand);
	f.on = false;
	return 0;
}

static uint32_t
do_shutdown(void *arg)
{
	(void)arg;
	return 0;
}

static bool
do_powered(void *arg)
{
	(void)arg;
	return f.on;
}

static bool
do_is_tpm2(void *arg)
{
	(void)arg;
	return true;
}

static uint32_t
do_get_established(void *arg, bool *ret)
{
	(void)arg;
	must(f.on);
	*ret = false;
	return 0;
}

static uint32_t
do_reset_established(void *arg, uint8_t locality)
{
	(void)arg;
	must(f.on && (GRANTED & (1u << locality)) != 0);
	return 0;
}

static uint32_t
do_hash(void *arg)
{
	(void)arg;
	must(f.on);
	return 0;
}

static uint32_t
do_hash_data(void *arg, const uint8_t *p, size_t len)
{
	(void)arg;
	must(f.on && len <= SWTPM_HASH_MAX && (len == 0 || p != NULL));
	return 0;
}

static uint32_t
do_buffer_size(
    void *arg, uint32_t want, uint32_t *now, uint32_t *min, uint32_t *max)
{
	(void)arg;
	must(want == 0 || !f.on);
	*now = *min = *max = 4096;
	return 0;
}

static uint32_t
do_get_blob(void *arg, enum chan_blob type, uint8_t **ret, size_t *ret_len)
{
	(void)arg;
	must(f.on && type >= BLOB_PERMANENT && type <= BLOB_SAVESTATE);
	if ((*ret = calloc(1, 100)) == NULL)
		return SR_FAIL;
	*ret_len = 100;
	return 0;
}

static uint32_t
do_set_blob(
    void *arg, enum chan_blob type, bool incoming, const uint8_t *p, size_t len)
{
	uint8_t sum = 0;
	size_t i;

	(void)arg;
	must(type >= BLOB_PERMANENT && type <= BLOB_SAVESTATE);
	must(len <= SWTPM_BLOB_MAX && (incoming || !f.on));
	for (i = 0; i < len; i++)
		sum = (uint8_t)(sum + p[i]);
	return (sum & 1) != 0 ? SR_FAIL : SR_SUCCESS;
}

static uint32_t
do_take_over(void *arg)
{
	(void)arg;
	f.on = true;
	return 0;
}

static uint32_t
do_info_json(void *arg, uint64_t flags, char *out, size_t cap)
{
	(void)arg;
	(void)snprintf(out, cap, "{\"flags\":%llu}", (unsigned long long)flags);
	return 0;
}

static bool
do_claim(void *arg, struct chan *ch)
{
	(void)arg;
	(void)ch;
	return true;
}

static void
do_release(void *arg, struct chan *ch)
{
	(void)arg;
	(void)ch;
}

static const struct chan_host host = {
	.submit = do_submit,
	.cancel = do_cancel,
	.note = do_note,
	.keep = do_keep,
	.claim = do_claim,
	.release = do_release,
	.power_on = do_power_on,
	.power_off = do_power_off,
	.shutdown = do_shutdown,
	.powered = do_powered,
	.is_tpm2 = do_is_tpm2,
	.get_established = do_get_established,
	.reset_established = do_reset_established,
	.hash_start = do_hash,
	.hash_data = do_hash_data,
	.hash_end = do_hash,
	.buffer_size = do_buffer_size,
	.get_blob = do_get_blob,
	.set_blob = do_set_blob,
	.take_over = do_take_over,
	.info_json = do_info_json,
};

static char path[] = "/tmp/fuzz-swtpm.XXXXXX/s";

static void
unlisten(void)
{
	(void)unlink(path);
	*strrchr(path, '/') = '\0';
	(void)rmdir(path);
}

static void
listen_once(void)
{
	char *slash = strrchr(path, '/');

	if (listener != -1)
		return;
	*slash = '\0';
	must(mkdtemp(path) != NULL);
	*slash = '/';
	listener = unix_listen(path, 0600);
	must(listener != -1);
	(void)atexit(unlisten);
}

static void
pump(void)
{
	struct pollfd p[CHAN_MAX_FDS];
	uint8_t sink[4096];
	int n, i, rounds = 0;

	for (;;) {
		while (chan_spin_us(f.ch) > 0 && chan_spin(f.ch))
			must(++rounds < 10000);
		n = chan_pollfds(f.ch, p);
		must(n <= CHAN_MAX_FDS && ++rounds < 10000);
		if (poll(p, (nfds_t)n, 0) <= 0)
			break;
		chan_dispatch(f.ch, p, n);
	}
	for (i = 0; i < 3; i++) {
		int fd = i < 2 ? f.ctl[i] : f.data;

		while (
		    fd != -1 && recv(fd, sink, sizeof(sink), MSG_DONTWAIT) > 0)
			;
	}
}

static void
send_bytes(int *fd, const uint8_t *p, size_t len, bool with_fd)
{
	_Alignas(struct cmsghdr) uint8_t cbuf[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)p, .iov_len = len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *h;
	int sv[2] = { -1, -1 };

	if (len == 0)
		return;
	if (*fd == -1)
		*fd = unix_connect(path);
	if (with_fd && socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0) {
		m.msg_control = cbuf;
		m.msg_controllen = sizeof(cbuf);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &sv[1], sizeof(sv[1]));
		if (f.data != -1)
			(void)close(f.data);
		f.data = sv[0];
	}
	(void)sendmsg(*fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sv[1] != -1)
		(void)close(sv[1]);
}

static void
hang_up(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

static void
begin(void)
{
	must(chan_new_swtpm(dup(listener), getuid(), GRANTED, &host, NULL,
		 &f.ch) == VT_OK);
}

/* The worker dies here; p spoils what it had written down. */
static void
successor(const uint8_t *p, size_t len)
{
	int fds[3];
	unsigned int n = f.nkept;

	if (n == 0)
		return;
	memcpy(fds, f.kept, sizeof(fds));
	f.nkept = 0;
	chan_free(f.ch);
	f.in_hand = false;
	if (len > 0)
		(void)!pwrite(fds[n - 1], p, len, 0);
	begin();
	(void)!chan_adopt(f.ch, fds, n);
}

static void
one_step(uint8_t what, const uint8_t *p, size_t len)
{
	switch (what % STEP_N) {
	case STEP_CTL:
	case STEP_CTL_FD:
		send_bytes(&f.ctl[0], p, len, what % STEP_N == STEP_CTL_FD);
		break;
	case STEP_CTL2:
	case STEP_CTL2_FD:
		send_bytes(&f.ctl[1], p, len, what % STEP_N == STEP_CTL2_FD);
		break;
	case STEP_DATA:
		if (f.data != -1)
			(void)send(f.data, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case STEP_REPLY:
		if (f.in_hand)
			reply();
		break;
	case STEP_LATER:
		f.later = !f.later;
		break;
	case STEP_END:
		hang_up(len == 0 ? &f.ctl[0] : len == 1 ? &f.ctl[1] : &f.data);
		break;
	case STEP_SUCCESSOR:
		successor(p, len);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned int i, steps = 0;
	struct rd r;

	listen_once();
	memset(&f, 0, sizeof(f));
	f.ctl[0] = f.ctl[1] = f.data = -1;
	begin();
	rd_init(&r, data, len);
	while (r.left > 0 && ++steps < STEPS_MAX) {
		uint8_t what = rd_u8(&r), n = rd_u8(&r);
		const uint8_t *p;

		if (n > r.left)
			n = (uint8_t)r.left;
		p = rd_span(&r, n);
		one_step(what, p, n);
		pump();
	}
	if (f.in_hand)
		reply();
	pump();
	hang_up(&f.ctl[0]);
	hang_up(&f.ctl[1]);
	hang_up(&f.data);
	pump();
	chan_free(f.ch);
	for (i = 0; i < f.nkept; i++)
		(void)close(f.kept[i]);
	return 0;
}
