/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xbcmd.c - stands where vtpm-xenback does, for tests without Xen: what
 * xenstore would say comes from a FIFO, one line per message.
 *
 *	device DOMID UUID	a domain's vtpm device appears
 *	resumed DOMID UUID	the same, served before
 *	connect DOMID UUID	its front half is there
 *	connect-again DOMID UUID	the same, connected before
 *	gone DOMID UUID		the device is gone
 *	hold			open no page ...
 *	release			... until now
 *	quit			end
 *
 * $XBCMD_DIR has the FIFO "in" and gets the answers as lines in "out", and in
 * "opened" a line for each page that a worker was given: ordinary memory, with
 * an eventfd for the port.
 */
#include <sys/eventfd.h>
#include <sys/mman.h>

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
static FILE *out, *opened;
static bool hold;
static struct {
	uint32_t id;
	struct xb_dev dev;
} held[8];
static unsigned int nheld;

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
open_page(uint32_t id, const struct xb_dev *d)
{
	int fds[2] = { memfd_create("page", 0), eventfd(0, 0) };
	struct xb_opened o = { .local = 33 };
	uint8_t buf[300];
	struct wr w;

	if (fds[0] == -1 || fds[1] == -1 || ftruncate(fds[0], 4096) == -1)
		exit(1);
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, xb_opened, &o);
	if (msgch_send(mgr, XB_OPENED, id, buf, w.len, fds, 2) != VT_OK)
		exit(1);
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)fprintf(opened, "%u %u %u\n", d->domid, d->gref, d->port);
	(void)fflush(opened);
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
		{ "connect", XB_CONNECT, false },
		{ "connect-again", XB_CONNECT, true },
		{ "gone", XB_GONE, false } };
	char word[16], uuid[64];
	unsigned int domid;
	size_t i;

	if (strncmp(line, "quit", 4) == 0)
		exit(0);
	if (strncmp(line, "hold", 4) == 0)
		hold = true;
	if (strncmp(line, "release", 7) == 0) {
		hold = false;
		for (i = 0; i < nheld; i++)
			open_page(held[i].id, &held[i].dev);
		nheld = 0;
	}
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
	struct xb_dev d;

	if (m->type == XB_OPEN &&
	    msg_get(xb_dev, m->data, m->len, &d) == VT_OK) {
		if (!hold)
			open_page(m->id, &d);
		else if (nheld < VT_NELEM(held)) {
			held[nheld].id = m->id;
			held[nheld++].dev = d;
		}
	}
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
	(void)snprintf(path, sizeof(path), "%s/opened", dir);
	opened = fopen(path, "a");
	(void)snprintf(path, sizeof(path), "%s/in", dir);
	if (out == NULL || opened == NULL || (fd = open(path, O_RDWR)) == -1 ||
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
