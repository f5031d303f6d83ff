/* SPDX-License-Identifier: BSD-3-Clause */
/* disk.c - reads files of a guest's disk without mounting it. */
#include "tools/measure/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
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
	d->has_gpt = true;
	for (i = 0; i < d->gpt.n; i++)
		add_volume(d, fd, name, d->gpt.parts[i].number,
		    d->gpt.parts[i].first, d->gpt.parts[i].esp);
	return choose_boot(d);
}

/* --- opening ----------------------------------------------------------------
 */

static int
unpack(struct disk *d)
{
	const char *dir = getenv("TMPDIR");
	char to[4096];
	const char *argv[] = { "qemu-img", "convert", "-O", "raw", d->path, to,
		NULL };
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
		(void)close(fd);
		if ((rc = unpack(d)) != VT_OK)
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

	if (path[0] != '/' || strstr(path, "/../") != NULL)
		return false;
	for (s = path; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || strchr("\"*?[]\\", *s) != NULL)
			return false;
	return true;
}

static int
folder_path(const struct disk *d, const char *path, char *out, size_t cap)
{
	int n = snprintf(out, cap, "%s%s", d->path, path);

	return n < 0 || (size_t)n >= cap ? VT_E_RANGE : VT_OK;
}

static enum grub_found
folder_kind(const struct disk *d, const char *path)
{
	char full[4096];
	struct stat sb;

	if (folder_path(d, path, full, sizeof(full)) != VT_OK ||
	    stat(full, &sb) == -1)
		return GF_NONE;
	return S_ISDIR(sb.st_mode) ? GF_FOLDER : GF_FILE;
}

static int
folder_read(const struct disk *d, const char *path, uint8_t **ret, size_t *len)
{
	char full[4096];
	int rc = folder_path(d, path, full, sizeof(full));

	if (rc == VT_OK)
		rc = read_file(full, DISK_FILE_MAX, ret, len);
	return rc == VT_E_SYS && errno == ENOENT ? VT_E_NOTFOUND : rc;
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
	if (fat(d, v, dir, path, 1024 * 1024, NULL, NULL) != VT_OK)
		return GF_NONE;
	rc = fat(d, v, type, path, DISK_FILE_MAX, &buf, &len);
	free(buf);
	return rc == VT_OK ? GF_FILE : GF_FOLDER;
}

static int
fat_read(const struct disk *d, const struct volume *v, const char *path,
    uint8_t **ret, size_t *ret_len)
{
	static const char *const type[] = { "mcopy", "-n", NULL };
	int rc = fat(d, v, type, path, DISK_FILE_MAX, ret, ret_len);

	if (rc == VT_E_NOTFOUND)
		log_err("mcopy, of the package mtools, is not installed");
	return rc == VT_E_STATE ? VT_E_NOTFOUND : rc;
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

/* Kind of path, a link followed; *path is replaced by where it leads. */
static enum grub_found
ext_kind(const struct disk *d, const struct volume *v, char path[GR_NAME_MAX])
{
	enum grub_found kind = GF_NONE;
	unsigned int links = 0;
	char *text = NULL, *at, *end;
	size_t len;

	while (links++ < 8 && kind == GF_NONE &&
	       ext(d, v, "stat", path, (uint8_t **)&text, &len) == VT_OK) {
		if ((at = strstr(text, "Type: ")) == NULL)
			break;
		if (strncmp(at + 6, "directory", 9) == 0)
			kind = GF_FOLDER;
		else if (strncmp(at + 6, "regular", 7) == 0)
			kind = GF_FILE;
		else if ((at = strstr(text, "link dest: \"")) == NULL ||
			 (end = strchr(at + 12, '"')) == NULL)
			break;
		else {
			char *base =
			    at[12] == '/' ? path : strrchr(path, '/') + 1;

			*end = '\0';
			if (strlen(at + 12) + (size_t)(base - path) >=
			    GR_NAME_MAX)
				break;
			(void)stpcpy(base, at + 12);
		}
		free(text);
		text = NULL;
	}
	free(text);
	return kind;
}

enum grub_found
disk_kind(void *ctx, const char *dev, const char *path)
{
	const struct disk *d = ctx;
	const struct volume *v = volume(d, dev);
	char copy[GR_NAME_MAX];

	if (v == NULL || !is_plain(path) || strlen(path) >= sizeof(copy))
		return GF_NONE;
	(void)stpcpy(copy, path);
	return v->fs == FS_FOLDER ? folder_kind(d, path)
	       : v->fs == FS_FAT  ? fat_kind(d, v, path)
	       : v->fs == FS_EXT  ? ext_kind(d, v, copy)
				  : GF_NONE;
}

int
disk_read(void *ctx, const char *dev, const char *path, uint8_t **ret,
    size_t *ret_len)
{
	const struct disk *d = ctx;
	const struct volume *v = volume(d, dev);
	char copy[GR_NAME_MAX];

	if (v == NULL || !is_plain(path) || strlen(path) >= sizeof(copy))
		return VT_E_NOTFOUND;
	if (v->fs == FS_FOLDER)
		return folder_read(d, path, ret, ret_len);
	if (v->fs == FS_FAT)
		return fat_read(d, v, path, ret, ret_len);
	(void)stpcpy(copy, path);
	if (v->fs != FS_EXT || ext_kind(d, v, copy) != GF_FILE)
		return VT_E_NOTFOUND;
	return ext(d, v, "cat", copy, ret, ret_len);
}

int
disk_find(
    void *ctx, const char *by, const char *value, char ret_dev[GR_DEV_MAX])
{
	const struct disk *d = ctx;
	uint32_t i;
	bool is;

	for (i = 0; i < d->n; i++) {
		const struct volume *v = &d->volumes[i];

		is = strcmp(by, "file") == 0
			 ? disk_kind(ctx, v->dev, value) == GF_FILE
			 : strcmp(by, "fs-uuid") == 0 && v->uuid[0] != '\0' &&
			       strcasecmp(value, v->uuid) == 0;
		if (!is)
			continue;
		(void)stpcpy(ret_dev, v->dev);
		return VT_OK;
	}
	return VT_E_NOTFOUND;
}
