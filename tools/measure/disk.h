/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * disk.h - files of a guest's disk, read without mounting it: a folder that
 * holds what the EFI system partition holds, or an image, raw or qcow2, with a
 * GPT or one FAT file system.
 *
 * Layer:  tools.  Reads; mtools and debugfs read FAT and ext2-4, qemu-img
 *         unpacks qcow2 into a temporary file.
 * Trust:  the disk is a guest's.  Its file systems are parsed by those
 *         programs, in processes of their own.  A qcow2 header that names
 *         another file is refused; links in a folder stay in it.
 */
#ifndef TOOLS_MEASURE_DISK_H
#define TOOLS_MEASURE_DISK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/predict/gpt.h"
#include "measure/predict/grub_run.h"

#define DISK_FILE_MAX (1024u * 1024 * 1024) /* bytes of one file */

struct disk; /* opaque */

/* name: what GRUB calls the disk, "hd0".  *ret is the caller's.  Failures are
 * logged. */
int disk_open(const char *path, const char *name, struct disk **ret) VT_CHECK;
void disk_free(struct disk *d); /* NULL is a no-op */
/* GRUB's name of where firmware looks for boot loaders: "hd0,gpt1". */
const char *disk_boot(const struct disk *d);
/* NULL: it has none.  Borrowed. */
const struct gpt *disk_gpt(const struct disk *d);
/* A folder, so that nothing is known of the partition table. */
bool disk_is_folder(const struct disk *d);

/* For struct grub_host; ctx is a struct disk. */
enum grub_found disk_kind(void *ctx, const char *dev, const char *path);
int disk_read(void *ctx, const char *dev, const char *path, uint8_t **ret,
    size_t *ret_len) VT_CHECK;
int disk_find(void *ctx, const char *by, const char *value,
    char ret_dev[GR_DEV_MAX]) VT_CHECK;

#endif
