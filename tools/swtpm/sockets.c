/* SPDX-License-Identifier: BSD-3-Clause */
/* sockets.c - the sockets and files that swtpm's command line names. */
#include "tools/swtpm/sockets.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"

static int
bad(const char *what, const char *why)
{
	log_err("%s: %s", what, why);
	return VT_E_FORMAT;
}

/* What is at path may be replaced: nothing, or a socket without a listener. */
static int
check_path(const char *path)
{
	struct stat sb;
	int fd;

	if (lstat(path, &sb) == -1 && errno == ENOENT)
		return VT_OK;
	if (!S_ISSOCK(sb.st_mode)) {
		log_err("%s: there is something that is not a socket: remove "
			"it, or name another path",
		    path);
		return VT_E_EXISTS;
	}
	if ((fd = unix_connect_within(path, 0)) == -1 && errno != EAGAIN)
		return VT_OK;
	if (fd != -1)
		(void)close(fd);
	log_err("%s: another process listens there", path);
	return VT_E_BUSY;
}

/* The node appears when it accepts connections: callers wait for it, and some
 * connect at once. */
static int
listen_at(const char *path, unsigned int mode)
{
	char tmp[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int fd, saved;

	if (snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int)sizeof(tmp))
		return unix_listen(path, mode);
	if ((fd = unix_listen(tmp, mode)) == -1 || rename(tmp, path) == 0)
		return fd;
	saved = errno;
	(void)unlink(tmp);
	(void)close(fd);
	errno = saved;
	return -1;
}

static int
listen_unix(
    const char *what, const char *path, const struct list *l, struct sock *s)
{
	long mode = 0770, uid = -1, gid = -1;
	struct stat sb;
	int rc;

	if (path[0] == '\0' ||
	    strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return bad(what, "path= is missing, or too long for a socket");
	if (list_number(l, "mode", 8, 0777, &mode) != VT_OK ||
	    list_number(l, "uid", 10, UINT32_MAX, &uid) != VT_OK ||
	    list_number(l, "gid", 10, UINT32_MAX, &gid) != VT_OK)
		return bad(what, "mode= is octal, uid= and gid= are numbers");
	if ((rc = check_path(path)) != VT_OK)
		return rc;
	s->path = strdup(path);
	if (s->path == NULL ||
	    (s->listen = listen_at(path, (unsigned int)mode)) == -1 ||
	    lstat(path, &sb) == -1) {
		log_err("%s: %m", path);
		return VT_E_SYS;
	}
	s->dev = sb.st_dev;
	s->ino = sb.st_ino;
	if ((uid == -1 && gid == -1) ||
	    lchown(path, (uid_t)uid, (gid_t)gid) == 0)
		return VT_OK;
	log_err("%s: %m", path);
	return VT_E_SYS;
}

static int
listen_tcp(const char *what, const struct list *l, struct sock *s)
{
	const char *bindaddr = list_get(l, "bindaddr");
	struct sockaddr_in a = { .sin_family = AF_INET };
	long port = -1;
	int one = 1;

	if (list_number(l, "port", 10, 65535, &port) != VT_OK || port <= 0)
		return bad(what, "port= is a number from 1 to 65535");
	if (inet_pton(AF_INET, bindaddr != NULL ? bindaddr : "127.0.0.1",
		&a.sin_addr) != 1 ||
	    ntohl(a.sin_addr.s_addr) >> 24 != 127)
		return bad(what, "a TPM is not served to the network: bindaddr "
				 "is one of 127.0.0.0/8");
	a.sin_port = htons((uint16_t)port);
	s->listen =
	    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listen == -1 ||
	    setsockopt(
		s->listen, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1 ||
	    bind(s->listen, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(s->listen, 16) == -1) {
		log_err("%s: port %ld: %m", what, port);
		return VT_E_SYS;
	}
	log_warn("%s: every user of this host can use the TPM at port %ld",
	    what, port);
	return VT_OK;
}

/* One that the caller passed. */
static int
take_fd(const char *what, const struct list *l, const char *key, int *ret)
{
	int type = 0;
	long fd = -1;
	socklen_t len = sizeof(type);

	if (list_number(l, key, 10, 65535, &fd) != VT_OK ||
	    getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1 ||
	    type != SOCK_STREAM || fcntl((int)fd, F_SETFD, FD_CLOEXEC) == -1)
		return bad(what, "its descriptor is no stream socket");
	*ret = (int)fd;
	return VT_OK;
}

int
sock_open(const char *what, const struct list *l, struct sock *ret)
{
	struct sock s = { .listen = -1, .client = -1 };
	const char *type = list_get(l, "type"), *path = list_get(l, "path");
	const char *odd = list_unknown(l, "type path mode uid gid fd clientfd "
					  "port bindaddr ifname disconnect "
					  "terminate");
	int rc;

	if (odd != NULL) {
		log_err("%s: there is no option '%.64s'", what, odd);
		return VT_E_FORMAT;
	}
	if (list_get(l, "clientfd") != NULL)
		rc = take_fd(what, l, "clientfd", &s.client);
	else if (list_get(l, "fd") != NULL)
		rc = take_fd(what, l, "fd",
		    strcmp(what, "--ctrl") == 0 ? &s.listen : &s.client);
	else if (type != NULL && strcmp(type, "unixio") == 0)
		rc = listen_unix(what, path != NULL ? path : "", l, &s);
	else if (type == NULL || strcmp(type, "tcp") == 0)
		rc = listen_tcp(what, l, &s);
	else
		rc = bad(what, "type= is unixio or tcp");
	if (rc != VT_OK)
		sock_close(&s);
	else
		*ret = s;
	return rc;
}

void
sock_close(struct sock *s)
{
	struct stat sb;

	if (s->listen != -1)
		(void)close(s->listen);
	if (s->path != NULL && s->ino != 0 && lstat(s->path, &sb) == 0 &&
	    sb.st_dev == s->dev && sb.st_ino == s->ino)
		(void)unlink(s->path);
	free(s->path);
	*s = (struct sock){ .listen = -1, .client = -1 };
}

int
file_for(const char *path, int flags, unsigned int mode)
{
	int fd = open(path,
	    flags | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
	    (mode_t)mode);

	if (fd == -1)
		log_err("%s: %m", path);
	return fd;
}
