/* SPDX-License-Identifier: BSD-3-Clause */
/* disk.c - reads files of a guest's disk without mounting it. */
#include "tools/measure/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "tools/measure/child.h"

#define MAX_VOLUMES (GPT_MAX_ENTRIES + 1)
#define PROBE 2048 /* bytes of a file system that say what it is */

enum fs { FS_NONE, FS_FOLDER, FS_FAT, FS_EXT };

struct volume {
	char dev[GR_DEV_MAX]; /* "hd0", "hd0,gpt1" */
	enum fs fs;
	uint64_t at; /* byte of the image */
	bool esp;
	char uuid[UUID_STRLEN + 1]; /* as GRUB writes it, lower case */
};

struct disk {
	char *path; /* of the folder, or of the raw image */
	bool temporary;
	uint8_t *head;
	bool has_gpt;
	struct gpt gpt;
	uint32_t n;
	struct volume volumes[MAX_VOLUMES];
	uint32_t boot; /* index */
};

/* --- what is on it ----------------------------------------------------------
 */

static void
probe_fat(struct volume *v, const uint8_t *p)
{
	const uint8_t *id = memcmp(p + 82, "FAT", 3) == 0   ? p + 67
			    : memcmp(p + 54, "FAT", 3) == 0 ? p + 39
							    : NULL;

	if (id == NULL || p[510] != 0x55 || p[511] != 0xaa)
		return;
	v->fs = FS_FAT;
	(void)snprintf(v->uuid, sizeof(v->uuid), "%02x%02x-%02x%02x", id[3],
	    id[2], id[1], id[0]);
}

static void
probe(struct volume *v, int fd)
{
	uint8_t p[PROBE];

	if (pread(fd, p, sizeof(p), (off_t)v->at) != sizeof(p))
		return;
	if (p[1024 + 56] == 0x53 && p[1024 + 57] == 0xef) {
		v->fs = FS_EXT;
		uuid_format(p + 1024 + 104, v->uuid);
	} else {
		probe_fat(v, p);
	}
}

static void
add_volume(struct disk *d, int fd, const char *name, uint32_t number,
    uint64_t at, bool esp)
{
	struct volume *v = &d->volumes[d->n++];

	v->at = at;
	v->esp = esp;
	if (number > 0)
		(void)snprintf(
		    v->dev, sizeof(v->dev), "%s,gpt%u", name, number);
	else
		(void)snprintf(v->dev, sizeof(v->dev), "%s", name);
	probe(v, fd);
}

/* Where firmware looks: the EFI system partition, or the first FAT. */
static int
choose_boot(struct disk *d)
{
	uint32_t i;

	for (i = 0; i < d->n; i++)
		if (d->volumes[i].esp && d->volumes[i].fs == FS_FAT) {
			d->boot = i;
			return VT_OK;
		}
	for (i = 0; i < d->n; i++)
		if (d->volumes[i].fs == FS_FAT) {
			d->boot = i;
			return VT_OK;
		}
	log_err("%s: no FAT file system, which firmware boots from", d->path);
	return VT_E_NOTFOUND;
}

static int
read_table(struct disk *d, int fd, const char *name)
{
	uint32_t i;
	ssize_t n;
	int rc;

	if ((d->head = calloc(1, GPT_HEAD)) == NULL)
		return VT_E_NOMEM;
	if ((n = pread(fd, d->head, GPT_HEAD, 0)) == -1)
		return VT_E_SYS;
	rc = gpt_open(d->head, (size_t)n, &d->gpt);
	if (rc == VT_E_NOTFOUND) {
		add_volume(d, fd, name, 0, 0, false);
		return choose_boot(d);
	}
	if (rc != VT_OK) {
		log_err(
		    "%s: its partition table: %s", d->path, vt_strerror(rc));
		return rc;
	}
	if (!gpt_is_sound(&d->gpt)) {
		log_err("%s: its partition table has a wrong checksum, and "
			"firmware would replace it by its copy: repair it "
			"first, with gdisk",
		    d->path);
		return VT_E_FORMAT;
	}
	d->has_gpt = true;
	for (i = 0; i < d->gpt.n; i++)
		add_volume(d, fd, name, d->gpt.parts[i].number,
		    d->gpt.parts[i].first, d->gpt.parts[i].esp);
	return choose_boot(d);
}

/* --- opening ----------------------------------------------------------------
 */

/* QFI's header: a backing file at byte 8, an external data file in bit 2 of
 * the incompatible features at byte 72.  A guest that may write to the start of
 * a raw disk chooses these names, and qemu-img opens them. */
static int
check_qcow2(const struct disk *d, int fd)
{
	uint8_t head[80] = { 0 };
	uint64_t backing, features;
	uint32_t version;
	struct rd r;

	if (pread(fd, head, sizeof(head), 0) != sizeof(head)) {
		log_err("%s: its qcow2 header ends too early", d->path);
		return VT_E_TRUNC;
	}
	rd_init(&r, head, sizeof(head));
	(void)rd_be32(&r);
	version = rd_be32(&r);
	backing = rd_be64(&r);
	(void)rd_span(&r, 56);
	features = rd_be64(&r);
	if (version != 2 && version != 3) {
		log_err(
		    "%s: qcow version %u is not supported", d->path, version);
		return VT_E_UNSUPPORTED;
	}
	if (backing == 0 && (version == 2 || (features & 4) == 0))
		return VT_OK;
	log_err("%s names another file, which a guest may have chosen: copy it "
		"with qemu-img convert if its header is yours, and give the "
		"copy",
	    d->path);
	return VT_E_UNSUPPORTED;
}

static int
unpack(struct disk *d)
{
	const char *dir = getenv("TMPDIR");
	char to[4096];
	const char *argv[] = { "qemu-img", "convert", "-f", "qcow2", "-O",
		"raw", "--", d->path, to, NULL };
	int fd, rc;

	(void)snprintf(to, sizeof(to), "%s/vtpm-measure.XXXXXX",
	    dir != NULL && dir[0] == '/' ? dir : "/tmp");
	if ((fd = mkstemp(to)) == -1) {
		log_err("%s: %s", to, strerror(errno));
		return VT_E_SYS;
	}
	(void)close(fd);
	if ((rc = child_run(argv, 4096, NULL, NULL)) != VT_OK)
		log_err("qemu-img cannot unpack %s: %s", d->path,
		    rc == VT_E_NOTFOUND ? "it is not installed"
					: vt_strerror(rc));
	free(d->path);
	d->path = strdup(to);
	d->temporary = true;
	if (d->path == NULL) {
		(void)unlink(to);
		return VT_E_NOMEM;
	}
	return rc;
}

static int
open_image(struct disk *d, const char *name)
{
	char magic[4] = "";
	int fd, rc;

	if ((fd = open(d->path, O_RDONLY | O_CLOEXEC)) == -1)
		goto sys;
	if (pread(fd, magic, 4, 0) == 4 && memcmp(magic, "QFI\xfb", 4) == 0) {
		rc = check_qcow2(d, fd);
		(void)close(fd);
		if (rc != VT_OK || (rc = unpack(d)) != VT_OK)
			return rc;
		if ((fd = open(d->path, O_RDONLY | O_CLOEXEC)) == -1)
			goto sys;
	}
	rc = read_table(d, fd, name);
	(void)close(fd);
	return rc;
sys:
	log_err("%s: %s", d->path, strerror(errno));
	return VT_E_SYS;
}

int
disk_open(const char *path, const char *name, struct disk **ret)
{
	struct disk *d = calloc(1, sizeof(*d));
	struct stat sb;
	int rc;

	if (d == NULL || (d->path = strdup(path)) == NULL) {
		free(d);
		return VT_E_NOMEM;
	}
	if (strlen(name) > GR_DEV_MAX - 16) {
		rc = VT_E_RANGE;
	} else if (stat(path, &sb) == 0 && S_ISDIR(sb.st_mode)) {
		d->n = 1;
		d->volumes[0].fs = FS_FOLDER;
		(void)snprintf(d->volumes[0].dev, GR_DEV_MAX, "%s", name);
		rc = VT_OK;
	} else {
		rc = open_image(d, name);
	}
	if (rc != VT_OK) {
		disk_free(d);
		return rc;
	}
	*ret = d;
	return VT_OK;
}

void
disk_free(struct disk *d)
{
	if (d == NULL)
		return;
	if (d->temporary && d->path != NULL)
		(void)unlink(d->path);
	free(d->path);
	free(d->head);
	free(d);
}

const char *
disk_boot(const struct disk *d)
{
	return d->volumes[d->boot].dev;
}

const struct gpt *
disk_gpt(const struct disk *d)
{
	return d->has_gpt ? &d->gpt : NULL;
}

bool
disk_is_folder(const struct disk *d)
{
	return d->volumes[0].fs == FS_FOLDER;
}

/* --- files -------------------------------------------------------------------
 */

static const struct volume *
volume(const struct disk *d, const char *dev)
{
	uint32_t i;

	for (i = 0; i < d->n; i++)
		if (strcmp(d->volumes[i].dev, dev) == 0)
			return &d->volumes[i];
	return NULL;
}

/* A path that means the same to us, to mtools and to debugfs. */
static bool
is_plain(const char *path)
{
	const char *s;

	const size_t n = strlen(path);

	if (path[0] != '/' || strstr(path, "/../") != NULL ||
	    (n >= 3 && strcmp(path + n - 3, "/..") == 0))
		return false;
	for (s = path; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || strchr("\"*?[]\\", *s) != NULL)
			return false;
	return true;
}

/* Links in the folder lead nowhere outside of it. */
static int
folder_open(const struct disk *d, const char *path)
{
	const struct open_how how = { .flags =
					  O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_IN_ROOT };
	int fd, dir = open(d->path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir == -1)
		return -1;
	fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	(void)close(dir);
	return fd;
}

static enum grub_found
kind_of(int fd)
{
	struct stat sb;

	if (fstat(fd, &sb) == -1)
		return GF_UNKNOWN;
	return S_ISDIR(sb.st_mode)   ? GF_FOLDER
	       : S_ISREG(sb.st_mode) ? GF_FILE
				     : GF_UNKNOWN;
}

static bool
is_absent(int e)
{
	return e == ENOENT || e == ENOTDIR || e == ENAMETOOLONG;
}

static enum grub_found
folder_kind(const struct disk *d, const char *path)
{
	enum grub_found kind;
	int fd = folder_open(d, path);

	if (fd == -1)
		return is_absent(errno) ? GF_NONE : GF_UNKNOWN;
	kind = kind_of(fd);
	(void)close(fd);
	return kind;
}

static int
folder_read(const struct disk *d, const char *path, uint8_t **ret, size_t *len)
{
	int rc = VT_E_UNSUPPORTED, fd = folder_open(d, path);

	if (fd == -1)
		return is_absent(errno) ? VT_E_NOTFOUND : VT_E_SYS;
	if (kind_of(fd) == GF_FILE)
		rc = read_fd(fd, DISK_FILE_MAX, ret, len);
	(void)close(fd);
	return rc;
}

static int
fat(const struct disk *d, const struct volume *v, const char *const command[],
    const char *path, size_t max, uint8_t **ret, size_t *ret_len)
{
	char image[4200], name[GR_NAME_MAX + 8];
	const char *argv[8], *to = "-";
	int n = 0;

	for (; command[n] != NULL; n++)
		argv[n] = command[n];
	(void)snprintf(image, sizeof(image), "%s@@%llu", d->path,
	    (unsigned long long)v->at);
	(void)snprintf(name, sizeof(name), "::%s", path);
	argv[n++] = "-i";
	argv[n++] = image;
	argv[n++] = name;
	if (strcmp(command[0], "mcopy") == 0)
		argv[n++] = to;
	argv[n] = NULL;
	return child_run(argv, max, ret, ret_len);
}

/* mtools fail alike for what is not there and for what they cannot read: the
 * root is read to tell. */
static bool
fat_is_readable(const struct disk *d, const struct volume *v)
{
	static const char *const dir[] = { "mdir", "-b", NULL };

	return fat(d, v, dir, "/", 1024 * 1024, NULL, NULL) == VT_OK;
}

static enum grub_found
fat_kind(const struct disk *d, const struct volume *v, const char *path)
{
	static const char *const dir[] = { "mdir", "-b", NULL };
	static const char *const type[] = { "mcopy", "-n", NULL };
	uint8_t *buf = NULL;
	size_t len;
	int rc;

	if (strcmp(path, "/") == 0)
		return GF_FOLDER;
	if ((rc = fat(d, v, dir, path, 1024 * 1024, NULL, NULL)) != VT_OK)
		return rc == VT_E_STATE && fat_is_readable(d, v) ? GF_NONE
								 : GF_UNKNOWN;
	rc = fat(d, v, type, path, DISK_FILE_MAX, &buf, &len);
	free(buf);
	return rc == VT_OK        ? GF_FILE
	       : rc == VT_E_STATE ? GF_FOLDER
				  : GF_UNKNOWN;
}

static int
fat_read(const struct disk *d, const struct volume *v, const char *path,
    uint8_t **ret, size_t *ret_len)
{
	static const char *const type[] = { "mcopy", "-n", NULL };
	int rc = fat(d, v, type, path, DISK_FILE_MAX, ret, ret_len);

	if (rc == VT_E_NOTFOUND)
		log_err("mcopy, of the package mtools, is not installed");
	if (rc == VT_E_NOTFOUND)
		return VT_E_UNSUPPORTED;
	return rc == VT_E_STATE && fat_is_readable(d, v) ? VT_E_NOTFOUND : rc;
}

static int
ext(const struct disk *d, const struct volume *v, const char *command,
    const char *path, uint8_t **ret, size_t *ret_len)
{
	char image[4200], request[GR_NAME_MAX + 32];
	const char *argv[] = { "debugfs", "-R", request, image, NULL };
	int rc;

	(void)snprintf(image, sizeof(image), "%s?offset=%llu", d->path,
	    (unsigned long long)v->at);
	(void)snprintf(request, sizeof(request), "%s \"%s\"", command, path);
	rc = child_run(argv, DISK_FILE_MAX, ret, ret_len);
	if (rc == VT_E_NOTFOUND)
		log_err("debugfs, of the package e2fsprogs, is not installed");
	return rc;
}

/* Where a link leads: the name in text, or to *path's folder joined; false: it
 * does not say, or that is too long. */
static bool
follow(char path[GR_NAME_MAX], const char *text)
{
	const char *at = strstr(text, "link dest: \"");
	const char *end = at != NULL ? strchr(at + 12, '"') : NULL;
	char *base;
	size_t n;

	if (end == NULL)
		return false;
	at += 12;
	n = (size_t)(end - at);
	base = *at == '/' ? path : strrchr(path, '/') + 1;
	if (n + (size_t)(base - path) >= GR_NAME_MAX)
		return false;
	memcpy(base, at, n);
	base[n] = '\0';
	return true;
}

static enum grub_found
ext_type(const char *text)
{
	const char *at = strstr(text, "Type: ");

	return at == NULL                             ? GF_NONE
	       : strncmp(at + 6, "directory", 9) == 0 ? GF_FOLDER
	       : strncmp(at + 6, "regular", 7) == 0   ? GF_FILE
						      : GF_UNKNOWN;
}

/* What debugfs says of path; its exit status is 0 also when it says nothing. */
static int
ext_stat(
    const struct disk *d, const struct volume *v, const char *path, char **ret)
{
	size_t len;

	return ext(d, v, "stat", path, (uint8_t **)ret, &len);
}

static bool
ext_is_readable(const struct disk *d, const struct volume *v)
{
	char *text = NULL;
	bool is =
	    ext_stat(d, v, "/", &text) == VT_OK && ext_type(text) == GF_FOLDER;

	free(text);
	return is;
}

/* Kind of path, a link followed; *path is replaced by where it leads, *size is
 * set for a file. */
static enum grub_found
ext_kind(const struct disk *d, const struct volume *v, char path[GR_NAME_MAX],
    size_t *size)
{
	enum grub_found kind = GF_UNKNOWN;
	char *text = NULL, *at;
	unsigned int links;

	for (links = 0; links < 8 && kind == GF_UNKNOWN; links++) {
		if (ext_stat(d, v, path, &text) != VT_OK)
			return GF_UNKNOWN;
		kind = ext_type(text);
		if (kind == GF_FILE) {
			at = strstr(text, "Size: ");
			*size = at != NULL ? strtoul(at + 6, NULL, 10) : 0;
		} else if (kind == GF_UNKNOWN && !follow(path, text)) {
			links = 8;
		}
		free(text);
		text = NULL;
	}
	return kind != GF_NONE || ext_is_readable(d, v) ? kind : GF_UNKNOWN;
}

/* Also on a read error debugfs ends well: what is missing is seen. */
static int
ext_read(const struct disk *d, const struct volume *v, char path[GR_NAME_MAX],
    uint8_t **ret, size_t *ret_len)
{
	size_t size = 0, len = 0;
	enum grub_found kind = ext_kind(d, v, path, &size);
	uint8_t *buf = NULL;
	int rc;

	if (kind != GF_FILE)
		return kind == GF_UNKNOWN ? VT_E_UNSUPPORTED : VT_E_NOTFOUND;
	if ((rc = ext(d, v, "cat", path, &buf, &len)) == VT_OK && len != size)
		rc = VT_E_TRUNC;
	if (rc != VT_OK) {
		free(buf);
		return rc;
	}
	*ret = buf;
	*ret_len = len;
	return VT_OK;
}

enum grub_found
disk_kind(void *ctx, const char *dev, const char *path)
{
	const struct disk *d = ctx;
	const struct volume *v = volume(d, dev);
	char copy[GR_NAME_MAX];
	size_t size;

	if (v == NULL || !is_plain(path) || strlen(path) >= sizeof(copy))
		return GF_UNKNOWN;
	(void)stpcpy(copy, path);
	return v->fs == FS_FOLDER ? folder_kind(d, path)
	       : v->fs == FS_FAT  ? fat_kind(d, v, path)
	       : v->fs == FS_EXT  ? ext_kind(d, v, copy, &size)
				  : GF_UNKNOWN;
}

int
disk_read(void *ctx, const char *dev, const char *path, uint8_t **ret,
    size_t *ret_len)
{
	const struct disk *d = ctx;
	const struct volume *v = volume(d, dev);
	char copy[GR_NAME_MAX];

	if (v == NULL || !is_plain(path) || strlen(path) >= sizeof(copy))
		return VT_E_UNSUPPORTED;
	(void)stpcpy(copy, path);
	return v->fs == FS_FOLDER ? folder_read(d, path, ret, ret_len)
	       : v->fs == FS_FAT  ? fat_read(d, v, path, ret, ret_len)
	       : v->fs == FS_EXT  ? ext_read(d, v, copy, ret, ret_len)
				  : VT_E_UNSUPPORTED;
}

/* Is it the volume that is looked for?  GF_UNKNOWN: nobody knows. */
static enum grub_found
matches(
    struct disk *d, const struct volume *v, const char *by, const char *value)
{
	if (strcmp(by, "file") == 0)
		return disk_kind(d, v->dev, value);
	return strcmp(by, "fs-uuid") == 0 && v->uuid[0] != '\0' &&
		       strcasecmp(value, v->uuid) == 0
		   ? GF_FILE
		   : GF_NONE;
}

int
disk_find(
    void *ctx, const char *by, const char *value, char ret_dev[GR_DEV_MAX])
{
	struct disk *d = ctx;
	const char *found = NULL;
	enum grub_found kind;
	uint32_t i;

	for (i = 0; i < d->n; i++) {
		kind = matches(d, &d->volumes[i], by, value);
		if (kind == GF_UNKNOWN || (kind == GF_FILE && found != NULL))
			return VT_E_STATE;
		if (kind == GF_FILE)
			found = d->volumes[i].dev;
	}
	if (found == NULL)
		return VT_E_NOTFOUND;
	(void)stpcpy(ret_dev, found);
	return VT_OK;
}
