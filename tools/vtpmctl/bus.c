/* SPDX-License-Identifier: BSD-3-Clause */
/* bus.c - vtpmctl's calls of the manager, and what to do when they fail. */
#include "tools/vtpmctl/bus.h"

#include <sys/file.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "tools/vtpmctl/print.h"
#include "vtpm_manager/control/bus_iface.h"

#define CALL_TIMEOUT_US (180ull * 1000000) /* keys made on a busy host */
#define HELLO_TIMEOUT_MS 10000
#define FIRST_WAIT_MS 1000  /* for one started in the same breath to lock */
#define START_WAIT_MS 10000 /* for one that has, and starts */

/* The manager closes a connection that it does not serve without a word. */
int
vctl_call_failed(const struct vctl *v, const sd_bus_error *e, int r)
{
	if (r == -ECONNRESET || r == -ENOTCONN || r == -EPIPE) {
		if (v->served)
			return vctl_fail_as(EXIT_AWAY,
			    "the manager at %s ended before it answered; "
			    "`vtpmctl audit` shows whether it did what was "
			    "asked",
			    v->run);
		return vctl_fail_as(EXIT_DENIED,
		    "the manager at %s closed the connection: this user has "
		    "no role (vtpm-managerd.conf(5)) or too many connections "
		    "are open; its log has the reason",
		    v->run);
	}
	if (r == -ETIMEDOUT)
		return vctl_fail_as(EXIT_AWAY,
		    "the manager at %s has not answered for %llu s; its log "
		    "has the reason, and `vtpmctl audit` shows whether it did "
		    "what was asked",
		    v->run, CALL_TIMEOUT_US / 1000000);
	if (e != NULL && e->message != NULL)
		return vctl_fail_as(vctl_exit_of(e->name), "%s", e->message);
	return vctl_fail_as(
	    EXIT_AWAY, "the manager at %s: %s", v->run, strerror(-r));
}

/* The process behind fd, as it accepted connections; 0: not known. */
static pid_t
peer_of(int fd)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred cr;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cr, &len) == -1)
		return 0;
	return cr.pid;
}

static int
hangs(const struct vctl *v, int fd)
{
	pid_t pid = fd != -1 ? peer_of(fd) : 0;
	char who[48] = "";

	if (pid > 0)
		(void)snprintf(who, sizeof(who), " (process %ld)", (long)pid);
	return vctl_fail_as(EXIT_AWAY,
	    "the manager at %s%s has not answered for %d s: it is stopped or "
	    "hangs; look at its log, then restart it: running vTPMs go on",
	    v->run, who, HELLO_TIMEOUT_MS / 1000);
}

/* The manager authenticates the connection from its event loop: this is
 * answered at once, whatever it is busy with, unless it hangs. */
static int
wait_served(struct vctl *v, int fd)
{
	uint64_t until = now_us() + HELLO_TIMEOUT_MS * UINT64_C(1000), now;
	int r;

	while ((r = sd_bus_is_ready(v->bus)) == 0) {
		if ((r = sd_bus_process(v->bus, NULL)) < 0)
			return vctl_call_failed(v, NULL, r);
		if (r > 0)
			continue;
		if ((now = now_us()) >= until)
			return hangs(v, fd);
		if ((r = sd_bus_wait(v->bus, until - now)) < 0 && r != -EINTR)
			return vctl_call_failed(v, NULL, r);
	}
	if (r < 0)
		return vctl_call_failed(v, NULL, r);
	v->served = true;
	return EXIT_OK;
}

/* A manager that starts has its lock, and no socket yet.  Keeps errno. */
static bool
is_starting(const struct vctl *v)
{
	char path[PATH_MAX];
	bool held = false;
	int fd, saved = errno;

	(void)snprintf(path, sizeof(path), "%s/lock", v->run);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) != -1) {
		held =
		    flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK;
		(void)close(fd);
	}
	errno = saved;
	return held;
}

static int
open_socket(const struct vctl *v, const char *path)
{
	uint64_t begin = now_us(), waited;
	const struct timespec pause = { 0, 50000000 };
	int fd;

	while ((fd = unix_connect_within(path, HELLO_TIMEOUT_MS)) == -1 &&
	       (errno == ENOENT || errno == ECONNREFUSED)) {
		waited = (now_us() - begin) / 1000;
		if (waited >= (is_starting(v) ? START_WAIT_MS : FIRST_WAIT_MS))
			return -1;
		(void)nanosleep(&pause, NULL);
	}
	return fd;
}

static int
no_manager(const struct vctl *v, const char *path)
{
	switch (errno) {
	case EACCES:
	case EPERM:
		return vctl_fail_as(EXIT_DENIED,
		    "no manager at %s: %s; ask for a role in "
		    "vtpm-managerd.conf(5)",
		    path, strerror(errno));
	case EAGAIN:
		return hangs(v, -1);
	case ENOENT:
	case ECONNREFUSED:
		return vctl_fail_as(EXIT_AWAY,
		    "no manager at %s: %s; start vtpm-managerd, or name its "
		    "folder with --run",
		    path,
		    is_starting(v) ? "it is starting, its log says what it "
				     "waits for"
				   : strerror(errno));
	default:
		return vctl_fail_as(
		    EXIT_AWAY, "no manager at %s: %s", path, strerror(errno));
	}
}

int
vctl_connect(struct vctl *v)
{
	char path[PATH_MAX];
	int fd, r;

	if (v->bus != NULL)
		return 0;
	(void)snprintf(path, sizeof(path), "%s/control.sock", v->run);
	if ((fd = open_socket(v, path)) == -1)
		return no_manager(v, path);
	if ((r = sd_bus_new(&v->bus)) < 0) {
		(void)close(fd);
		return vctl_fail("manager at %s: %s", path, strerror(-r));
	}
	if ((r = sd_bus_set_fd(v->bus, fd, fd)) < 0)
		(void)close(fd);
	else
		r = sd_bus_start(v->bus);
	return r >= 0 ? wait_served(v, fd) : vctl_call_failed(v, NULL, r);
}

void
vctl_disconnect(struct vctl *v)
{
	/* A flush would wait for a manager that hangs. */
	v->bus = v->served ? sd_bus_flush_close_unref(v->bus)
			   : sd_bus_close_unref(v->bus);
	v->served = false;
}

sd_bus_message *
vctl_new_call(struct vctl *v, const char *method)
{
	sd_bus_message *m = NULL;
	int r;

	if (vctl_connect(v) != 0)
		return NULL;
	r = sd_bus_message_new_method_call(
	    v->bus, &m, NULL, BUS_PATH, BUS_IFACE, method);
	if (r < 0)
		(void)vctl_fail("%s: %s", method, strerror(-r));
	return m;
}

sd_bus_message *
vctl_call(struct vctl *v, sd_bus_message *call, int r)
{
	sd_bus_error err = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;

	if (r >= 0) {
		r = sd_bus_call(v->bus, call, CALL_TIMEOUT_US, &err, &reply);
		if (r < 0)
			(void)vctl_call_failed(v, &err, r);
	} else if (r != VCTL_SAID)
		(void)vctl_fail("the request cannot be sent: %s", strerror(-r));
	sd_bus_error_free(&err);
	sd_bus_message_unref(call);
	return reply;
}

sd_bus_message *
vctl_ask(struct vctl *v, const char *method, const char *types, ...)
{
	sd_bus_message *m = vctl_new_call(v, method);
	va_list ap;
	int r;

	if (m == NULL)
		return NULL;
	va_start(ap, types);
	r = sd_bus_message_appendv(m, types, ap);
	va_end(ap);
	return vctl_call(v, m, r);
}

static bool
is_read(int r)
{
	if (r < 0)
		(void)vctl_fail("the manager's answer cannot be read: %s; are "
				"vtpmctl and vtpm-managerd of one version?",
		    strerror(-r));
	return r >= 0;
}

bool
vctl_take(sd_bus_message *reply, const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = sd_bus_message_readv(reply, types, ap);
	va_end(ap);
	return is_read(r);
}

bool
vctl_take_bytes(sd_bus_message *reply, const void **ret, size_t *ret_len)
{
	return is_read(sd_bus_message_read_array(reply, 'y', ret, ret_len));
}

json_t *
vctl_take_json(sd_bus_message *reply)
{
	const char *text = "";
	json_error_t je;
	json_t *j = NULL;

	if (vctl_take(reply, "s", &text) &&
	    (j = json_loads(text, JSON_DECODE_ANY, &je)) == NULL)
		(void)vctl_fail(
		    "the manager's answer is not JSON: %s", je.text);
	sd_bus_message_unref(reply);
	return j;
}

json_t *
vctl_json(struct vctl *v, const char *method, const char *name)
{
	sd_bus_message *reply;

	reply = name != NULL ? vctl_ask(v, method, "s", name)
			     : vctl_ask(v, method, "");
	return reply != NULL ? vctl_take_json(reply) : NULL;
}

int
vctl_say(struct vctl *v, sd_bus_message *call, int r)
{
	sd_bus_message *reply = vctl_call(v, call, r);
	const char *text = "";
	char *line = NULL;
	int rc = EXIT_OK;

	if (reply == NULL)
		return EXIT_REFUSED;
	if (!vctl_take(reply, "s", &text))
		rc = EXIT_REFUSED;
	else if (v->json)
		rc = vctl_print_json(json_pack("{s:s}", "result", text));
	else if ((line = strdup(text)) != NULL) {
		text_clean(line);
		(void)printf("%s\n", line);
	} else
		rc = vctl_fail("out of memory");
	free(line);
	sd_bus_message_unref(reply);
	return rc;
}

int
vctl_say_bytes(struct vctl *v, const char *method,
    const struct vctl_bytes *args, size_t nargs)
{
	sd_bus_message *m = vctl_new_call(v, method);
	size_t i;
	int r = 0;

	if (m == NULL)
		return EXIT_REFUSED;
	for (i = 0; i < nargs && r >= 0; i++)
		r = sd_bus_message_append_array(m, 'y', args[i].p, args[i].len);
	return vctl_say(v, m, r);
}

int
vctl_append_dict(sd_bus_message *m, const char *const *keys,
    const char *const *values, size_t n)
{
	size_t i;
	int r = sd_bus_message_open_container(m, 'a', "{ss}");

	for (i = 0; r >= 0 && i < n; i++)
		r = sd_bus_message_append(m, "{ss}", keys[i], values[i]);
	return r >= 0 ? sd_bus_message_close_container(m) : r;
}
