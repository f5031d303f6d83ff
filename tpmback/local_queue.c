/* SPDX-License-Identifier: BSD-3-Clause */
/* local_queue.c - front halves of a local ring that wait for their turn. */
#include "tpmback/local_queue.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>

#include "base/rdwr.h"
#include "tpmback/local.h"

#define TEXT_MAX 128 /* bytes of a LOCAL_WAIT or LOCAL_HELLO */

static bool
still_waits(const struct msgch *ch)
{
	uint8_t byte;

	return recv(msgch_fd(ch), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == -1 &&
	       (errno == EAGAIN || errno == EINTR);
}

static void
remove_at(struct local_queue *q, unsigned int i)
{
	q->n--;
	memmove(&q->conn[i], &q->conn[i + 1], (q->n - i) * sizeof(q->conn[0]));
}

static void
drop_gone(struct local_queue *q)
{
	unsigned int i = 0;

	while (i < q->n) {
		if (still_waits(q->conn[i])) {
			i++;
			continue;
		}
		msgch_free(q->conn[i]);
		remove_at(q, i);
	}
}

static int
send_wait(struct msgch *ch, const char *text)
{
	uint8_t buf[TEXT_MAX];
	struct wr w;
	int rc;

	wr_init(&w, buf, sizeof(buf));
	wr_str(&w, text);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	rc = msgch_send(ch, LOCAL_WAIT, 0, buf, w.len, NULL, 0);
	return rc == VT_OK && msgch_pending(ch) ? VT_E_PROTO : rc;
}

bool
local_queue_add(struct local_queue *q, int fd, const char *text)
{
	struct msgch *ch;

	if (q->n == LOCAL_WAITING)
		drop_gone(q);
	if (q->n == LOCAL_WAITING || msgch_new(fd, TEXT_MAX, &ch) != VT_OK)
		return false;
	if (send_wait(ch, text) != VT_OK)
		msgch_free(ch); /* it has left already */
	else
		q->conn[q->n++] = ch;
	return true;
}

struct msgch *
local_queue_take(struct local_queue *q)
{
	struct msgch *ch;

	drop_gone(q);
	if (q->n == 0)
		return NULL;
	ch = q->conn[0];
	remove_at(q, 0);
	return ch;
}

void
local_queue_clear(struct local_queue *q)
{
	while (q->n > 0)
		msgch_free(q->conn[--q->n]);
}
