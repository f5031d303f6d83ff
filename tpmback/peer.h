/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peer.h - which process is at the other end of a channel's socket, and whether
 * it may be there.
 *
 * Layer:  tpmback.
 * Trust:  the kernel's word (SO_PEERCRED), noted when the process connected.
 */
#ifndef TPMBACK_PEER_H
#define TPMBACK_PEER_H

#include <stdbool.h>
#include <stdint.h>

#define PEER_TEXT_MAX 48 /* bytes with NUL */
#define PEER_NO_UID ((uint32_t)-1)

struct peer {
	uint32_t uid;             /* PEER_NO_UID: unknown */
	char text[PEER_TEXT_MAX]; /* "process N of user N" */
};

void peer_of(int fd, struct peer *ret);
/* Root may, and the owner of the guest. */
bool peer_may(const struct peer *p, uint32_t owner);

#endif
