/* SPDX-License-Identifier: BSD-3-Clause */
/* xl_console.c - commands over the console of the manager's domain. */
#include "tools/launch/xl_console.h"

#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/util.h"
#include "tools/launch/xl_proc.h"

#define ANSWER_MS 60000
#define SAID_MAX (1024u * 1024)
#define LINE_LEN 4096
#define CHUNK 700 /* a terminal takes a line of 4,095 characters */

struct xcons {
	int fd;
	char line[LINE_LEN];
	size_t len;
	unsigned int syncs;
};

/* --- where it is ------------------------------------------------------------
 */

static int
output_of(char *const argv[], char *out, size_t cap)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc = xl_run(argv, &buf, &len);

	if (rc == 0 && len > 0 && len < cap) {
		memcpy(out, buf, len + 1);
		out[strcspn(out, "\n")] = '\0';
	} else if (rc == 0)
		rc = VT_E_RANGE;
	if (rc >= 0 || buf != NULL)
		free(buf);
	return rc == 0 ? VT_OK : VT_E_NOTFOUND;
}

/* $VTPM_CONSOLE names it; else xenstore does. */
static int
find_tty(const char *xl, const char *domain, char *out, size_t cap)
{
	char prog[PATH_MAX], verb[] = "domid", dom[128], id[32], path[96];
	char env[] = "/usr/bin/env", read[] = "xenstore-read";
	char *ask[] = { prog, verb, dom, NULL };
	char *look[] = { env, read, path, NULL };
	const char *e = getenv("VTPM_CONSOLE");

	if (e != NULL && e[0] != '\0') {
		(void)snprintf(out, cap, "%s", e);
		return VT_OK;
	}
	(void)snprintf(prog, sizeof(prog), "%s", xl);
	(void)snprintf(dom, sizeof(dom), "%s", domain);
	(void)snprintf(id, sizeof(id), "%s", domain);
	if (strspn(domain, "0123456789") != strlen(domain) &&
	    output_of(ask, id, sizeof(id)) != VT_OK)
		return VT_E_NOTFOUND;
	(void)snprintf(path, sizeof(path), "/local/domain/%s/console/tty", id);
	if (access(env, X_OK) == -1)
		(void)snprintf(env, sizeof(env), "/bin/env");
	return output_of(look, out, cap);
}

/* --- lines ------------------------------------------------------------------
 */

static int
write_line(struct xcons *c, const char *line)
{
	char text[LINE_LEN];
	int n = snprintf(text, sizeof(text), "%s\n", line);

	if (n < 0 || (size_t)n >= sizeof(text) || strchr(line, '\n') != NULL)
		return VT_E_RANGE;
	return write_all(c->fd, text, (size_t)n);
}

/* The next line, without its end, in c->line; the end of a longer one is
 * a line of its own. */
static int
read_line(struct xcons *c, uint64_t until_ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	uint64_t now;
	ssize_t n;
	char ch;

	c->len = 0;
	for (;;) {
		now = now_us() / 1000;
		if (now >= until_ms)
			return VT_E_AGAIN;
		if (poll(&p, 1, (int)(until_ms - now)) == -1 && errno != EINTR)
			return VT_E_SYS;
		if ((p.revents & (POLLIN | POLLHUP | POLLERR)) == 0)
			continue;
		if ((n = read(c->fd, &ch, 1)) == 0)
			return VT_E_CLOSED;
		if (n == -1 && errno != EINTR && errno != EAGAIN)
			return VT_E_SYS;
		if (n != 1 || ch == '\r' || ch == '\0')
			continue;
		if (ch == '\n' || c->len + 1 == sizeof(c->line)) {
			c->line[c->len] = '\0';
			return VT_OK;
		}
		c->line[c->len++] = ch;
	}
}

static bool
is_end(const char *line, int *ret_code)
{
	int code, n = 0;

	if (sscanf(line, "= %d%n", &code, &n) != 1 || line[n] != '\0' ||
	    code < 0)
		return false;
	*ret_code = code;
	return true;
}

/* An unknown command: the error that names it shows where we are. */
static int
sync_up(struct xcons *c)
{
	uint64_t until = now_us() / 1000 + ANSWER_MS;
	char word[48], want[80];
	bool seen = false;
	int rc, code;

	(void)snprintf(
	    word, sizeof(word), "sync-%d-%u", (int)getpid(), ++c->syncs);
	(void)snprintf(want, sizeof(want), "there is no command %s", word);
	if ((rc = write_line(c, word)) != VT_OK)
		return rc;
	while ((rc = read_line(c, until)) == VT_OK) {
		if (seen && is_end(c->line, &code))
			return VT_OK;
		seen |= strstr(c->line, want) != NULL;
	}
	return rc;
}

int
xcons_command(struct xcons *c, const char *line, char **ret)
{
	uint64_t until = now_us() / 1000 + ANSWER_MS;
	char *out = calloc(1, 1), *grown;
	bool echoed = false;
	size_t len = 0, n;
	int rc, code;

	if (out == NULL)
		return VT_E_NOMEM;
	rc = write_line(c, line);
	while (rc == VT_OK && (rc = read_line(c, until)) == VT_OK) {
		if (is_end(c->line, &code)) {
			*ret = out;
			return code;
		}
		/* The terminal's echo of what we said. */
		if (!echoed && strcmp(c->line, line) == 0) {
			echoed = true;
			continue;
		}
		n = strlen(c->line);
		if (len + n + 2 > SAID_MAX)
			rc = VT_E_RANGE;
		else if ((grown = realloc(out, len + n + 2)) == NULL)
			rc = VT_E_NOMEM;
		else {
			out = grown;
			memcpy(out + len, c->line, n);
			out[len += n] = '\n';
			out[++len] = '\0';
		}
	}
	free(out);
	return rc;
}

int
xcons_send(struct xcons *c, const char *base64)
{
	char line[CHUNK + 8], *said = NULL;
	size_t n;
	int rc;

	while ((n = strlen(base64)) > 0) {
		if (n > CHUNK)
			n = CHUNK;
		(void)snprintf(line, sizeof(line), "< %.*s", (int)n, base64);
		if ((rc = xcons_command(c, line, &said)) < 0)
			return rc;
		free(said);
		if (rc != 0)
			return VT_E_STATE;
		base64 += n;
	}
	return VT_OK;
}

static int
open_tty(struct xcons *c, const char *tty)
{
	struct termios t;

	c->fd = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (c->fd == -1 || flock(c->fd, LOCK_EX) == -1)
		return VT_E_SYS;
	if (tcgetattr(c->fd, &t) == 0) {
		cfmakeraw(&t);
		(void)tcsetattr(c->fd, TCSANOW, &t);
	}
	return VT_OK;
}

int
xcons_open(const char *xl, const char *domain, struct xcons **ret,
    char why[static XCONS_WHY_MAX])
{
	struct xcons *c = calloc(1, sizeof(*c));
	char tty[256];
	int rc;

	(void)snprintf(why, XCONS_WHY_MAX, "out of memory");
	if (c == NULL)
		return VT_E_NOMEM;
	c->fd = -1;
	if ((rc = find_tty(xl, domain, tty, sizeof(tty))) != VT_OK)
		(void)snprintf(why, XCONS_WHY_MAX,
		    "domain %.64s: no console in xenstore; is it running?",
		    domain);
	else if ((rc = open_tty(c, tty)) != VT_OK)
		(void)snprintf(why, XCONS_WHY_MAX, "%s: %m", tty);
	else if ((rc = sync_up(c)) != VT_OK)
		(void)snprintf(why, XCONS_WHY_MAX,
		    "domain %.64s: its manager does not answer on the console; "
		    "is another program reading it?",
		    domain);
	if (rc == VT_OK)
		*ret = c;
	else
		xcons_close(c);
	return rc;
}

void
xcons_close(struct xcons *c)
{
	if (c == NULL)
		return;
	if (c->fd != -1)
		(void)close(c->fd);
	free(c);
}
