/* SPDX-License-Identifier: BSD-3-Clause */
/* rom_folder.c - links from the names of QEMU's ROMs to descriptors. */
#include "vtpm_manager/core/rom_folder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

static const char *const names[] = { "bios-256k.bin", "bios.bin",
	"bios-microvm.bin", "kvmvapic.bin", "linuxboot.bin",
	"linuxboot_dma.bin", "multiboot.bin", "multiboot_dma.bin", "pvh.bin",
	"sgabios.bin", "vgabios.bin", "vgabios-cirrus.bin",
	"vgabios-isavga.bin", "vgabios-ramfb.bin", "vgabios-stdvga.bin" };

const char *
rom_folder_name(size_t i)
{
	return i < VT_NELEM(names) ? names[i] : NULL;
}

/* DIR/rom/NAME, and where it leads. */
static int
link_of(const char *dir, size_t i, char path[PATH_MAX], char to[32])
{
	int n = snprintf(path, PATH_MAX, "%s/rom/%s", dir, names[i]);

	(void)snprintf(to, 32, "/proc/self/fd/%zu", ROM_FOLDER_FD + i);
	return n > 0 && n < PATH_MAX ? VT_OK : VT_E_RANGE;
}

static int
check_link(const char *dir, size_t i)
{
	char path[PATH_MAX], to[32], got[64];
	ssize_t n;

	if (link_of(dir, i, path, to) != VT_OK)
		return VT_E_NOTFOUND;
	n = readlink(path, got, sizeof(got));
	return n == (ssize_t)strlen(to) && memcmp(got, to, (size_t)n) == 0
		   ? VT_OK
		   : VT_E_NOTFOUND;
}

int
rom_folder_check(const char *dir)
{
	size_t i;

	for (i = 0; i < VT_NELEM(names); i++)
		if (check_link(dir, i) != VT_OK)
			return VT_E_NOTFOUND;
	return VT_OK;
}

int
rom_folder_make(const char *dir)
{
	char path[PATH_MAX], to[32];
	size_t i;
	int n = snprintf(path, sizeof(path), "%s/rom", dir), rc;

	if (n < 0 || (size_t)n >= sizeof(path))
		return VT_E_RANGE;
	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		return VT_E_SYS;
	if (chmod(path, 0755) == -1)
		return VT_E_SYS;
	for (i = 0; i < VT_NELEM(names); i++) {
		if (check_link(dir, i) == VT_OK)
			continue;
		if ((rc = link_of(dir, i, path, to)) != VT_OK)
			return rc;
		if ((unlink(path) == -1 && errno != ENOENT) ||
		    symlink(to, path) == -1)
			return VT_E_SYS;
	}
	return VT_OK;
}
