/* SPDX-License-Identifier: BSD-3-Clause */
/* peer.c - which process is at the other end of a channel's socket. */
#include "tpmback/peer.h"

#include <sys/socket.h>

#include <stdio.h>

#include "base/check_on.h"

void
peer_of(int fd, struct peer *ret)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred cr;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cr, &len) == -1) {
		ret->uid = PEER_NO_UID;
		(void)snprintf(ret->text, sizeof(ret->text), "process unknown");
		return;
	}
	ret->uid = cr.uid;
	(void)snprintf(ret->text, sizeof(ret->text), "process %ld of user %lu",
	    (long)cr.pid, (unsigned long)cr.uid);
}

bool
peer_may(const struct peer *p, uint32_t owner)
{
	if (!check_on("attach-owner"))
		return true;
	return p->uid != PEER_NO_UID && (p->uid == 0 || p->uid == owner);
}
