/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xbcmd.c - stands where vtpm-xenback does, for tests without Xen: what
 * xenstore would say comes from a FIFO, one line per message.
 *
 *	device DOMID UUID	a domain's vtpm device appears
 *	resumed DOMID UUID	the same, served before
 *	connect DOMID UUID	its front half is there
 *	gone DOMID UUID		the device is gone
 *	quit			end
 *
 * $XBCMD_DIR has the FIFO "in" and gets the answers as lines in "out".
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/util.h"
#include "vtpm_manager/proto/xenback_msg.h"

#define MANAGER_FD 3

static struct msgch *mgr;
static uint32_t next_id;
static FILE *out;

static void
tell(enum xb_type type, unsigned int domid, const char *uuid, bool resumed)
{
	struct xb_dev d = { .domid = domid, .resumed = resumed };
	uint8_t buf[64];
	struct wr w;

	if (uuid_parse(uuid, d.uuid) != VT_OK)
		return;
	if (type == XB_CONNECT) {
		d.gref = 8;
		d.port = 9;
	}
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, xb_dev, &d);
	if (wr_err(&w) != VT_OK ||
	    msgch_send(mgr, type, ++next_id, buf, w.len, NULL, 0) != VT_OK)
		exit(1);
}

static void
obey(const char *line)
{
	static const struct {
		const char *word;
		enum xb_type type;
		bool resumed;
	} words[] = { { "device", XB_DEVICE, false },
		{ "resumed", XB_DEVICE, true },
		{ "connect", XB_CONNECT, false }, { "gone", XB_GONE, false } };
	char word[16], uuid[64];
	unsigned int domid;
	size_t i;

	if (strncmp(line, "quit", 4) == 0)
		exit(0);
	if (sscanf(line, "%15s %u %63s", word, &domid, uuid) != 3)
		return;
	for (i = 0; i < VT_NELEM(words); i++)
		if (strcmp(words[i].word, word) == 0)
			tell(words[i].type, domid, uuid, words[i].resumed);
}

static void
heard(const struct msg *m)
{
	struct xb_answer a;

	if (m->type == XB_ANSWER &&
	    msg_get(xb_answer, m->data, m->len, &a) == VT_OK) {
		(void)fprintf(
		    out, "%s %s\n", a.rc == VT_OK ? "ok" : "no", a.text);
		(void)fflush(out);
	}
}

int
main(void)
{
	const char *dir = getenv("XBCMD_DIR");
	struct pollfd p[2];
	char path[256], line[256];
	uint8_t none = 0;
	struct msg m;
	FILE *in;
	int fd;

	if (dir == NULL || msgch_new(MANAGER_FD, 0, &mgr) != VT_OK)
		return 2;
	(void)snprintf(path, sizeof(path), "%s/out", dir);
	out = fopen(path, "a");
	(void)snprintf(path, sizeof(path), "%s/in", dir);
	if (out == NULL || (fd = open(path, O_RDWR)) == -1 ||
	    (in = fdopen(fd, "r")) == NULL)
		return 2;
	(void)setvbuf(in, NULL, _IONBF, 0);
	if (msgch_send(mgr, XB_READY, 0, &none, 0, NULL, 0) != VT_OK)
		return 1;
	for (;;) {
		p[0] = (struct pollfd){ .fd = MANAGER_FD, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = fd, .events = POLLIN };
		if (poll(p, 2, -1) == -1)
			return 1;
		if ((p[1].revents & POLLIN) &&
		    fgets(line, sizeof(line), in) != NULL)
			obey(line);
		while (p[0].revents != 0) {
			int rc = msgch_recv(mgr, &m);

			if (rc == VT_E_AGAIN)
				break;
			if (rc != VT_OK)
				return 0;
			heard(&m);
		}
	}
}
