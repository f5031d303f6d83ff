/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/util.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void
hex_encode(const uint8_t *in, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[2 * len] = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
hex_decode(const char *text, uint8_t *out, size_t cap, size_t *ret_len)
{
	size_t n = strlen(text), i;

	if (n % 2 != 0)
		return VT_E_FORMAT;
	for (i = 0; i < n; i++)
		if (hex_digit(text[i]) < 0)
			return VT_E_FORMAT;
	if (n / 2 > cap)
		return VT_E_RANGE;
	for (i = 0; i < n / 2; i++)
		out[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 |
				   hex_digit(text[2 * i + 1]));
	*ret_len = n / 2;
	return VT_OK;
}

int
dec_u64(const char *text, uint64_t *ret)
{
	const char *p = text;
	uint64_t v = 0, digit;

	for (; *p >= '0' && *p <= '9'; p++) {
		digit = (uint64_t)(*p - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return VT_E_RANGE;
		v = v * 10 + digit;
	}
	if (p == text || *p != '\0')
		return VT_E_FORMAT;
	*ret = v;
	return VT_OK;
}

int
dec_u32(const char *text, uint32_t *ret)
{
	uint64_t v;
	int rc = dec_u64(text, &v);

	if (rc == VT_OK && v > UINT32_MAX)
		rc = VT_E_RANGE;
	if (rc == VT_OK)
		*ret = (uint32_t)v;
	return rc;
}

void
uuid_format(const uint8_t u[UUID_LEN], char out[UUID_STRLEN + 1])
{
	char hex[2 * UUID_LEN + 1];

	hex_encode(u, UUID_LEN, hex);
	(void)snprintf(out, UUID_STRLEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex,
	    hex + 8, hex + 12, hex + 16, hex + 20);
}

int
uuid_parse(const char *text, uint8_t ret_uuid[UUID_LEN])
{
	char hex[2 * UUID_LEN + 1];
	uint8_t raw[UUID_LEN];
	size_t i, n = 0, len;
	int rc;

	if (strlen(text) != UUID_STRLEN)
		return VT_E_FORMAT;
	for (i = 0; i < UUID_STRLEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash != (text[i] == '-'))
			return VT_E_FORMAT;
		if (!dash)
			hex[n++] = text[i];
	}
	hex[n] = '\0';
	if ((rc = hex_decode(hex, raw, sizeof(raw), &len)) != VT_OK)
		return rc;
	memcpy(ret_uuid, raw, sizeof(raw));
	return VT_OK;
}

int
uuid_make(uint8_t ret_uuid[UUID_LEN])
{
	uint8_t u[UUID_LEN];
	int rc;

	if ((rc = random_bytes(u, sizeof(u))) != VT_OK)
		return rc;
	u[6] = (uint8_t)((u[6] & 0x0f) | 0x40);
	u[8] = (uint8_t)((u[8] & 0x3f) | 0x80);
	memcpy(ret_uuid, u, sizeof(u));
	return VT_OK;
}

uint64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
wall_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int
random_bytes(void *buf, size_t len)
{
	uint8_t *p = buf;
	ssize_t n;

	while (len > 0) {
		if ((n = getrandom(p, len, 0)) == -1) {
			if (errno == EINTR)
				continue;
			return VT_E_SYS;
		}
		p += n;
		len -= (size_t)n;
	}
	return VT_OK;
}

void
mem_wipe_free(void *p, size_t len)
{
	if (p != NULL)
		explicit_bzero(p, len);
	free(p);
}

bool
mem_equal(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t d = 0;

	while (len-- > 0)
		d |= (uint8_t)(*x++ ^ *y++);
	return d == 0;
}

int
lock_fd(int fd, unsigned int wait_ms)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000000 };
	uint64_t end = now_us() + wait_ms * UINT64_C(1000);

	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return VT_E_SYS;
		if (now_us() >= end)
			return VT_E_BUSY;
		(void)nanosleep(&pause, NULL);
	}
	return VT_OK;
}

int
write_all(int fd, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	ssize_t n;

	while (len > 0) {
		if ((n = write(fd, p, len)) == -1) {
			if (errno == EINTR)
				continue;
			return VT_E_SYS;
		}
		p += n;
		len -= (size_t)n;
	}
	return VT_OK;
}

int
read_fd(int fd, size_t max, uint8_t **ret, size_t *ret_len)
{
	size_t len = 0, cap = max < 4096 ? max + 1 : 4096;
	uint8_t *buf = malloc(cap), *nbuf;
	int rc = VT_E_NOMEM;
	ssize_t n;

	if (buf == NULL)
		return VT_E_NOMEM;
	for (;;) {
		if (len + 1 >= cap) {
			cap *= 2;
			if ((nbuf = realloc(buf, cap)) == NULL)
				goto out;
			buf = nbuf;
		}
		if ((n = read(fd, buf + len, cap - len - 1)) == -1) {
			if (errno == EINTR)
				continue;
			rc = VT_E_SYS;
			goto out;
		}
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max) {
			rc = VT_E_RANGE;
			goto out;
		}
	}
	buf[len] = '\0';
	*ret = buf;
	*ret_len = len;
	return VT_OK;
out:
	free(buf);
	return rc;
}

int
read_file(const char *path, size_t max, uint8_t **ret, size_t *ret_len)
{
	int fd, rc, saved;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return VT_E_SYS;
	rc = read_fd(fd, max, ret, ret_len);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return rc;
}

static int
sync_folder_of(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd, rc = VT_OK;

	if (slash == NULL)
		(void)snprintf(dir, sizeof(dir), ".");
	else
		(void)snprintf(
		    dir, sizeof(dir), "%.*s", (int)(slash - path) + 1, path);
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return VT_E_SYS;
	if (fsync(fd) == -1)
		rc = VT_E_SYS;
	(void)close(fd);
	return rc;
}

int
write_file_atomic(
    const char *path, const void *buf, size_t len, unsigned int mode)
{
	char tmp[PATH_MAX];
	int fd, n, rc, saved;

	n = snprintf(tmp, sizeof(tmp), "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof(tmp))
		return VT_E_RANGE;
	(void)unlink(tmp); /* left by a crash */
	fd = open(
	    tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd == -1)
		return VT_E_SYS;
	if ((rc = write_all(fd, buf, len)) != VT_OK)
		goto out;
	rc = VT_E_SYS;
	if (fsync(fd) == -1 || rename(tmp, path) == -1)
		goto out;
	rc = sync_folder_of(path);
out:
	saved = errno;
	(void)close(fd);
	if (rc != VT_OK)
		(void)unlink(tmp);
	errno = saved;
	return rc;
}

int
memfd_sealed(const char *name, const void *buf, size_t len)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), saved;

	if (fd == -1)
		return -1;
	if (write_all(fd, buf, len) != VT_OK || lseek(fd, 0, SEEK_SET) == -1 ||
	    fcntl(fd, F_ADD_SEALS,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) ==
		-1) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static int
unix_addr(const char *path, struct sockaddr_un *sun)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun->sun_path, path, strlen(path));
	return 0;
}

int
unix_connect(const char *path)
{
	return unix_connect_within(path, 0);
}

int
unix_connect_within(const char *path, unsigned int ms)
{
	const struct timeval tv = { ms / 1000, (long)(ms % 1000) * 1000 };
	const struct timeval none = { 0, 0 };
	struct sockaddr_un sun;
	int fd, saved;

	if (unix_addr(path, &sun) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	/* jails of those who never wait allow no setsockopt(2) */
	if ((ms > 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv,
			   sizeof(tv)) == -1) ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    (ms > 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none,
			   sizeof(none)) == -1)) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int
unix_listen(const char *path, unsigned int mode)
{
	struct sockaddr_un sun;
	int fd, saved;

	if (unix_addr(path, &sun) == -1)
		return -1;
	(void)unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* fchmod() before bind() gives the node its mode without a window. */
	if (fchmod(fd, mode) == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    chmod(path, mode) == -1 || listen(fd, 16) == -1) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int
fd_set_nonblock(int fd, bool on)
{
	int fl = fcntl(fd, F_GETFL);

	if (fl == -1)
		return VT_E_SYS;
	fl = on ? fl | O_NONBLOCK : fl & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, fl) == -1 ? VT_E_SYS : VT_OK;
}

void
text_clean(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

bool
text_is_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

void
text_fit(char *dst, size_t cap, const char *src)
{
	static const char more[] = "...";
	size_t n = strlen(src);

	if (n < cap) {
		memcpy(dst, src, n + 1);
		return;
	}
	for (n = cap - sizeof(more); n > 0 && src[n] != ' '; n--)
		;
	if (n == 0) /* one long word */
		n = cap - sizeof(more);
	memcpy(dst, src, n);
	memcpy(dst + n, more, sizeof(more));
}
