/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sockets.h - the sockets and files that swtpm's command line names.
 *
 * Layer:  tools.
 * Trust:  nothing that is there already is followed or replaced, but a Unix
 *         socket at which nothing listens.
 */
#ifndef TOOLS_SWTPM_SOCKETS_H
#define TOOLS_SWTPM_SOCKETS_H

#include <sys/types.h>

#include "tools/swtpm/words.h"

struct sock {
	int listen, client; /* -1: none */
	char *path;         /* heap: made here, removed at the end; or NULL */
	dev_t dev;
	ino_t ino;
};

/* what: "--ctrl" or "--server", in messages.  A TCP socket only on the loopback
 * interface.  VT_E_* after a message. */
int sock_open(
    const char *what, const struct list *l, struct sock *ret) VT_CHECK;
void sock_close(struct sock *s);

/* Open a log or a pid file, not through a symbolic link.  -1 after a message.
 */
int file_for(const char *path, int flags, unsigned int mode);

#endif
