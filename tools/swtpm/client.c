/* SPDX-License-Identifier: BSD-3-Clause */
/* client.c - ask a TPM by swtpm's control protocol. */
#include "tools/swtpm/client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "tpmback/swtpm/wire.h"

#define ANSWER_S 60 /* a TPM that is slow to power on */

long
fd_send(int sock, const void *buf, size_t len, int passed)
{
	_Alignas(struct cmsghdr) char c[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)buf, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *h;

	if (passed != -1) {
		m.msg_control = c;
		m.msg_controllen = sizeof(c);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &passed, sizeof(passed));
	}
	return sendmsg(sock, &m, MSG_NOSIGNAL);
}

static int
receive(int fd, uint8_t *buf, size_t want, size_t cap, size_t *ret_len)
{
	size_t have = 0;
	ssize_t n;

	while (have < want) {
		n = recv(fd, buf + have, cap - have, 0);
		if (n == 0)
			return VT_E_CLOSED;
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN ? VT_E_TIMEOUT : VT_E_SYS;
		have += (size_t)n;
	}
	*ret_len = have;
	return VT_OK;
}

int
sw_receive(int fd, uint8_t *buf, size_t len)
{
	return receive(fd, buf, len, len, &len);
}

int
sw_ask(int ctl, const uint8_t *req, size_t reqlen, int passed, uint8_t *ans,
    size_t cap, size_t *len)
{
	long n = fd_send(ctl, req, reqlen, passed);

	if (n == -1)
		return errno == EPIPE ? VT_E_CLOSED : VT_E_SYS;
	if ((size_t)n < reqlen &&
	    write_all(ctl, req + n, reqlen - (size_t)n) != VT_OK)
		return VT_E_SYS;
	return receive(ctl, ans, *len, cap, len);
}

int
sw_open(const char *path, int *ret_ctl, int *ret_data)
{
	struct timeval tv = { .tv_sec = ANSWER_S };
	uint8_t req[4], ans[4];
	size_t len = sizeof(ans);
	int ctl, sv[2], rc;

	if ((ctl = unix_connect(path)) == -1)
		return VT_E_SYS;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1) {
		(void)close(ctl);
		return VT_E_SYS;
	}
	(void)setsockopt(ctl, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	be32_put(req, SO_SET_DATAFD);
	rc = sw_ask(ctl, req, sizeof(req), sv[1], ans, sizeof(ans), &len);
	if (rc == VT_OK && be32_get(ans) != SR_SUCCESS)
		rc = VT_E_STATE;
	(void)close(sv[1]);
	if (rc != VT_OK) {
		(void)close(ctl);
		(void)close(sv[0]);
		return rc;
	}
	*ret_ctl = ctl;
	*ret_data = sv[0];
	return VT_OK;
}

int
sw_startup(int data, const char *type, int tpm12)
{
	static const struct {
		const char *name;
		uint8_t type[2]; /* of a TPM 2.0, of a TPM 1.2 */
	} types[] = { { "clear", { 0, 1 } }, { "state", { 1, 2 } },
		{ "deactivated", { 0xff, 3 } } };
	uint8_t cmd[12] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0 };
	uint8_t ans[CHAN_CMD_MAX];
	size_t i, len;
	int rc;

	for (i = 0; i < VT_NELEM(types); i++)
		if (strcmp(type, types[i].name) == 0)
			break;
	if (i == VT_NELEM(types) || types[i].type[tpm12] == 0xff)
		return VT_E_FORMAT;
	if (tpm12) {
		be16_put(cmd, 0x00c1);
		be32_put(cmd + 6, 0x99);
	}
	cmd[11] = types[i].type[tpm12];
	if ((rc = write_all(data, cmd, sizeof(cmd))) != VT_OK ||
	    (rc = receive(data, ans, 10, sizeof(ans), &len)) != VT_OK)
		return rc;
	if (be32_get(ans + 6) != 0)
		log_warn(
		    "the TPM answered 0x%x to its startup", be32_get(ans + 6));
	return VT_OK;
}
