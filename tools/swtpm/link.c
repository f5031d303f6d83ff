/* SPDX-License-Identifier: BSD-3-Clause */
/* link.c - the record that names a vTPM, in the place of swtpm's state. */
#include "tools/swtpm/link.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static const char magic[] = "vtpm-swtpm 1\n";
static const char *const keepers[] = { "host", "private" };
static const char *const answers[] = { "no", "yes" };

/* --- its text ------------------------------------------------------------- */

/* "KEY WORD\n" at *at: WORD into out.  Moves *at behind it. */
static bool
take_line(const char **at, const char *key, char *out, size_t cap)
{
	size_t n = strlen(key), len;

	if (strncmp(*at, key, n) != 0 || (*at)[n] != ' ')
		return false;
	*at += n + 1;
	len = strcspn(*at, "\n");
	if ((*at)[len] != '\n' || len >= cap)
		return false;
	memcpy(out, *at, len);
	out[len] = '\0';
	*at += len + 1;
	return true;
}

static bool
take_choice(
    const char **at, const char *key, const char *const words[2], bool *ret)
{
	char word[16];

	if (!take_line(at, key, word, sizeof(word)))
		return false;
	*ret = strcmp(word, words[1]) == 0;
	return *ret || strcmp(word, words[0]) == 0;
}

int
link_parse(const uint8_t *buf, size_t len, struct link_rec *ret)
{
	char text[RECORD_MAX + 1] = "";
	uint8_t uuid[UUID_LEN];
	struct link_rec r = { 0 };
	const char *at = text;
	size_t i;

	if (len > RECORD_MAX)
		len = RECORD_MAX;
	for (i = len; i > 0 && buf[i - 1] == 0; i--)
		;
	if (i == 0)
		return VT_E_NOTFOUND;
	memcpy(text, buf, i);
	if (strlen(text) != i || strncmp(at, magic, strlen(magic)) != 0)
		return VT_E_FORMAT;
	at += strlen(magic);
	if (!take_line(&at, "uuid", r.uuid, sizeof(r.uuid)) ||
	    uuid_parse(r.uuid, uuid) != VT_OK ||
	    !take_choice(&at, "manager", keepers, &r.private) ||
	    !take_choice(&at, "created", answers, &r.created) || *at != '\0')
		return VT_E_FORMAT;
	uuid_format(uuid, r.uuid);
	*ret = r;
	return VT_OK;
}

void
link_format(const struct link_rec *r, uint8_t out[static RECORD_MAX])
{
	memset(out, 0, RECORD_MAX);
	(void)snprintf((char *)out, RECORD_MAX,
	    "%suuid %s\nmanager %s\ncreated %s\n", magic, r->uuid,
	    keepers[r->private], answers[r->created]);
}

/* --- where it is -----------------------------------------------------------
 */

static int
wrong(const char *where, const char *why)
{
	log_err("%s: %s", where, why);
	return VT_E_UNSUPPORTED;
}

/* A folder with a state of swtpm's own gets no other TPM silently. */
static int
check_foreign(int dirfd, const char *where)
{
	static const char *const names[] = { "tpm2-00.permall",
		"tpm-00.permall" };
	struct stat sb;
	size_t i;

	for (i = 0; i < VT_NELEM(names); i++)
		if (fstatat(dirfd, names[i], &sb, AT_SYMLINK_NOFOLLOW) == 0)
			return wrong(where,
			    "there is the state of another swtpm, which cannot "
			    "be taken over: use that program, or move it away "
			    "for a new TPM");
	return VT_OK;
}

static int
open_dir(const char *dir, bool make, struct place *p)
{
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (dirfd == -1) {
		log_err("%s: %m", dir);
		return errno == ENOENT ? VT_E_NOTFOUND : VT_E_SYS;
	}
	p->dir = strdup(dir);
	rc = p->dir != NULL ? check_foreign(dirfd, dir) : VT_E_NOMEM;
	if (rc == VT_OK) {
		p->fd = openat(dirfd, LINK_FILE,
		    O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
			(make ? O_CREAT : 0),
		    0600);
		if (p->fd == -1 && (make || errno != ENOENT))
			log_err("%s/%s: %m", dir, LINK_FILE);
		if (p->fd == -1)
			rc = errno == ENOENT ? VT_E_NOTFOUND : VT_E_SYS;
	}
	(void)close(dirfd);
	return rc;
}

static int
open_file(const char *path, struct place *p)
{
	p->fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (p->fd == -1) {
		log_err("%s: %m", path);
		return errno == ENOENT ? VT_E_NOTFOUND : VT_E_SYS;
	}
	return VT_OK;
}

static int
check_node(struct place *p, const char *where)
{
	struct stat sb;

	if (fstat(p->fd, &sb) == -1) {
		log_err("%s: %m", where);
		return VT_E_SYS;
	}
	if (!S_ISREG(sb.st_mode) && (p->dir != NULL || !S_ISBLK(sb.st_mode)))
		return wrong(where,
		    p->dir != NULL ? "its vtpm.link is not a file"
				   : "it is neither a file nor a block device");
	if (geteuid() != 0 && sb.st_uid != 0 && sb.st_uid != geteuid())
		return wrong(where, "the record of its TPM is another user's");
	p->owner = sb.st_uid;
	return VT_OK;
}

static int
load(struct place *p, const char *where)
{
	uint8_t buf[RECORD_MAX];
	ssize_t n = pread(p->fd, buf, sizeof(buf), 0);
	int rc;

	if (n == -1) {
		log_err("%s: %m", where);
		return VT_E_SYS;
	}
	rc = link_parse(buf, (size_t)n, &p->rec);
	p->fresh = rc == VT_E_NOTFOUND;
	if (rc == VT_E_FORMAT)
		return wrong(where,
		    "what is there names no vTPM: it is damaged, or another "
		    "program's");
	return VT_OK;
}

int
place_open(const char *where, bool make, struct place *ret)
{
	struct place p = { .fd = -1 };
	int rc;

	if (strncmp(where, "file://", 7) == 0)
		rc = open_file(where + 7, &p);
	else
		rc = open_dir(
		    strncmp(where, "dir://", 6) == 0 ? where + 6 : where, make,
		    &p);
	if (rc == VT_OK && (rc = check_node(&p, where)) == VT_OK &&
	    (rc = lock_fd(p.fd, LOCK_WAIT_MS)) != VT_OK)
		log_err("%s: another swtpm uses it", where);
	if (rc == VT_OK)
		rc = load(&p, where);
	if (rc != VT_OK)
		place_close(&p);
	else
		*ret = p;
	return rc;
}

int
place_save(struct place *p)
{
	uint8_t buf[RECORD_MAX];
	size_t len = sizeof(buf);

	link_format(&p->rec, buf);
	if (p->dir != NULL)
		len = strlen((const char *)buf);
	if (pwrite(p->fd, buf, len, 0) != (ssize_t)len ||
	    (p->dir != NULL && ftruncate(p->fd, (off_t)len) == -1) ||
	    fsync(p->fd) == -1) {
		log_err("the record of the TPM cannot be written: %m");
		return VT_E_SYS;
	}
	p->fresh = false;
	return VT_OK;
}

void
place_close(struct place *p)
{
	if (p->fd != -1)
		(void)close(p->fd);
	free(p->dir);
	p->fd = -1;
	p->dir = NULL;
}
