/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guestctl.c - drives a lab guest and its QEMU from a shell script.
 *
 *   guestctl wait SOCKET SECONDS            until the guest answers
 *   guestctl do SOCKET SECONDS DIR WORD...  one command; files go to DIR
 *   guestctl put SOCKET SECONDS NAME FILE   FILE to the guest's /tmp/NAME
 *   guestctl qmp SOCKET SECONDS JSON        one QMP command, prints "return"
 *
 * Exit code: the guest's for `do` (0..123), 1 for a QMP error, 124 when the
 * time is over, 125 for anything else.  The guest's end is tests/lab/init,
 * where the lines are described.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "base/crypto.h"
#include "base/util.h"

#define LINE_MAX_LEN 65536
#define PUT_PIECE 516 /* bytes of a file per line; a multiple of 3 */

enum { X_TIME = 124, X_FAIL = 125 };

struct link {
	int fd;
	uint64_t until_us;
	char buf[LINE_MAX_LEN];
	size_t len, used; /* used: bytes of the line handed out last */
};

static struct link conn;

static void VT_PRINTF(2, 3) die(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fprintf(stderr, "guestctl: ");
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
	exit(code);
}

static int
left_ms(const struct link *l)
{
	uint64_t now = now_us();

	return now >= l->until_us ? 0 : (int)((l->until_us - now) / 1000) + 1;
}

static void
link_open(struct link *l, const char *path, const char *seconds)
{
	l->until_us = now_us() + (uint64_t)(atof(seconds) * 1e6);
	l->len = l->used = 0;
	while ((l->fd = unix_connect(path)) == -1) {
		if (left_ms(l) == 0)
			die(X_TIME, "%s: %s", path, strerror(errno));
		(void)usleep(50000);
	}
}

static void
link_send(struct link *l, const char *text)
{
	if (write_all(l->fd, text, strlen(text)) != VT_OK)
		die(X_FAIL, "write: %s", strerror(errno));
}

/* The next line without its end, or NULL when wait_ms have passed. */
static char *
link_line(struct link *l, int wait_ms)
{
	uint64_t until = now_us() + (uint64_t)wait_ms * 1000;
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	char *nl;
	ssize_t n;

	memmove(l->buf, l->buf + l->used, l->len - l->used);
	l->len -= l->used;
	l->used = 0;
	while ((nl = memchr(l->buf, '\n', l->len)) == NULL) {
		uint64_t now = now_us();

		if (l->len == sizeof(l->buf))
			die(X_FAIL, "line too long");
		if (now >= until)
			return NULL;
		if (poll(&p, 1, (int)((until - now) / 1000) + 1) <= 0)
			continue;
		n = read(l->fd, l->buf + l->len, sizeof(l->buf) - l->len);
		if (n == 0 || (n == -1 && errno != EINTR))
			die(X_FAIL, "the other side is gone");
		if (n > 0)
			l->len += (size_t)n;
	}
	*nl = '\0';
	if (nl > l->buf && nl[-1] == '\r')
		nl[-1] = '\0';
	l->used = (size_t)(nl - l->buf) + 1;
	return l->buf;
}

/* --- the guest's serial port ---------------------------------------------- */

static char tag[32];

static void
make_tag(void)
{
	static unsigned int n;

	(void)snprintf(tag, sizeof(tag), "%lx.%u",
	    (unsigned long)(now_us() & 0xffffffff), n++);
}

/* The next line of the answer to `tag`, past it; NULL: time is over. */
static char *
answer_line(int wait_ms)
{
	uint64_t until = now_us() + (uint64_t)wait_ms * 1000;
	size_t n = strlen(tag);
	char *s;

	for (;;) {
		uint64_t now = now_us();

		if (now >= until)
			return NULL;
		s = link_line(&conn, (int)((until - now) / 1000) + 1);
		if (s == NULL)
			return NULL;
		if (strncmp(s, tag, n) == 0 && s[n] == ' ')
			return s + n + 1;
	}
}

/* Ask until it answers: what arrives before the guest is up is lost. */
static void
guest_wait(void)
{
	char line[64];
	char *s;
	int wait;

	for (;;) {
		if ((wait = left_ms(&conn)) == 0)
			die(X_TIME, "the guest does not answer");
		make_tag();
		(void)snprintf(line, sizeof(line), "\n%s hello\n", tag);
		link_send(&conn, line);
		while ((s = answer_line(wait < 500 ? wait : 500)) != NULL)
			if (*s == 'X')
				return;
	}
}

struct file {
	char path[4096];
	uint8_t *data;
	size_t len, cap;
	bool open;
};

static void
file_begin(struct file *f, const char *dir, const char *s)
{
	char name[256];
	size_t size;

	if (sscanf(s, "%255s %zu", name, &size) != 2 ||
	    strchr(name, '/') != NULL || size > (1U << 26))
		die(X_FAIL, "bad file line: %s", s);
	(void)snprintf(f->path, sizeof(f->path), "%s/%s", dir, name);
	free(f->data);
	f->cap = size;
	f->len = 0;
	f->open = true;
	if ((f->data = malloc(size + 4)) == NULL)
		die(X_FAIL, "no memory");
}

static void
file_data(struct file *f, const char *s)
{
	size_t n = strlen(s), out = n / 4 * 3;

	if (!f->open || n % 4 != 0 || f->len + out > f->cap + 3)
		die(X_FAIL, "bad data line");
	if (EVP_DecodeBlock(
		f->data + f->len, (const unsigned char *)s, (int)n) < 0)
		die(X_FAIL, "bad base64");
	while (n > 0 && s[n - 1] == '=') {
		out--;
		n--;
	}
	f->len += out;
}

static void
file_end(struct file *f, const char *s)
{
	uint8_t md[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	if (!f->open || f->len != f->cap ||
	    digest_buf(ALG_SHA256, f->data, f->len, md) != VT_OK)
		die(X_FAIL, "%s arrived with %zu of %zu bytes", f->path, f->len,
		    f->cap);
	hex_encode(md, sizeof(md), hex);
	if (strcmp(hex, s) != 0)
		die(X_FAIL, "%s was damaged on the way", f->path);
	if (write_file_atomic(f->path, f->data, f->len, 0644) != VT_OK)
		die(X_FAIL, "%s: %s", f->path, strerror(errno));
	f->open = false;
}

static int
guest_do(const char *dir, const char *command)
{
	static struct file f;
	char *s;

	make_tag();
	link_send(&conn, "\n");
	link_send(&conn, tag);
	link_send(&conn, " ");
	link_send(&conn, command);
	link_send(&conn, "\n");
	while ((s = answer_line(left_ms(&conn))) != NULL) {
		char kind = s[0];

		s += s[0] != '\0' && s[1] == ' ' ? 2 : 1;
		switch (kind) {
		case 'T':
			(void)puts(s);
			break;
		case 'F':
			file_begin(&f, dir, s);
			break;
		case 'D':
			file_data(&f, s);
			break;
		case 'E':
			file_end(&f, s);
			break;
		case 'X':
			free(f.data);
			return atoi(s) > 123 ? 123 : atoi(s);
		default:
			die(X_FAIL, "bad answer: %c %s", kind, s);
		}
	}
	die(X_TIME, "no answer to: %.200s", command);
	return X_TIME;
}

static int
guest_put(const char *name, const char *path)
{
	unsigned char b64[PUT_PIECE / 3 * 4 + 1];
	char line[sizeof(b64) + 300];
	uint8_t *data;
	size_t len, off, n;
	int rc;

	if (read_file(path, 1 << 20, &data, &len) != VT_OK)
		die(X_FAIL, "%s: %s", path, strerror(errno));
	for (off = 0; off < len; off += n) {
		n = len - off < PUT_PIECE ? len - off : PUT_PIECE;
		(void)EVP_EncodeBlock(b64, data + off, (int)n);
		(void)snprintf(
		    line, sizeof(line), "put %.200s %s", name, (char *)b64);
		if ((rc = guest_do(".", line)) != 0) {
			free(data);
			return rc;
		}
	}
	free(data);
	(void)snprintf(line, sizeof(line), "putend %.200s", name);
	return guest_do(".", line);
}

/* --- QMP ------------------------------------------------------------------ */

/* The next object that is not an event. */
static json_t *
qmp_read(void)
{
	json_error_t err;
	json_t *o;
	char *s;

	for (;;) {
		if ((s = link_line(&conn, left_ms(&conn))) == NULL)
			die(X_TIME, "QEMU does not answer");
		if ((o = json_loads(s, 0, &err)) == NULL)
			die(X_FAIL, "QMP: %s", err.text);
		if (json_object_get(o, "event") == NULL)
			return o;
		json_decref(o);
	}
}

static int
qmp(const char *json)
{
	json_t *o, *r;
	char *text;

	json_decref(qmp_read()); /* greeting */
	link_send(&conn, "{\"execute\":\"qmp_capabilities\"}\n");
	json_decref(qmp_read());
	link_send(&conn, json);
	link_send(&conn, "\n");
	o = qmp_read();
	if ((r = json_object_get(o, "error")) != NULL)
		die(1, "QMP: %s",
		    json_string_value(json_object_get(r, "desc")));
	r = json_object_get(o, "return");
	if (json_is_string(r)) {
		(void)fputs(json_string_value(r), stdout);
	} else {
		text = json_dumps(r, JSON_INDENT(1) | JSON_ENCODE_ANY);
		(void)puts(text != NULL ? text : "");
		free(text);
	}
	json_decref(o);
	return 0;
}

/* One line, whatever the words are. */
static char *
join(int n, char **words)
{
	size_t len = 1;
	char *s, *nl;
	int i;

	for (i = 0; i < n; i++)
		len += strlen(words[i]) + 1;
	if ((s = calloc(1, len)) == NULL)
		die(X_FAIL, "no memory");
	for (i = 0; i < n; i++) {
		(void)strcat(s, i > 0 ? " " : "");
		(void)strcat(s, words[i]);
	}
	while ((nl = strchr(s, '\n')) != NULL)
		*nl = ' ';
	return s;
}

int
main(int argc, char **argv)
{
	char *command;
	int rc = X_FAIL;

	if (argc < 4)
		die(X_FAIL,
		    "usage: guestctl wait|do|put|qmp SOCKET SECONDS ...");
	link_open(&conn, argv[2], argv[3]);
	if (strcmp(argv[1], "wait") == 0) {
		guest_wait();
		rc = 0;
	} else if (strcmp(argv[1], "do") == 0 && argc > 5) {
		command = join(argc - 5, argv + 5);
		rc = guest_do(argv[4], command);
		free(command);
	} else if (strcmp(argv[1], "put") == 0 && argc == 6) {
		rc = guest_put(argv[4], argv[5]);
	} else if (strcmp(argv[1], "qmp") == 0 && argc == 5) {
		rc = qmp(argv[4]);
	} else {
		die(X_FAIL,
		    "usage: guestctl wait|do|put|qmp SOCKET SECONDS ...");
	}
	(void)close(conn.fd);
	return rc;
}
