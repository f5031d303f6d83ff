/* SPDX-License-Identifier: BSD-3-Clause */
/* direct_boot.c - a kernel that QEMU and OVMF start without a boot loader. */
#include "measure/predict/direct_boot.h"

#include <string.h>

#include "base/rdwr.h"

#define HDR_MAGIC 0x53726448u /* "HdrS" at 0x202 */
#define ACPI_DATA 0x28000u    /* kept free at the end of low memory */
#define LOW_MAX 0xb0000000u   /* q35: from here on low memory is 2 GiB */
#define TAG_INITRD 0x8f3b22ecu
#define TAG_OPTIONS 0x8f3b22edu
#define OPTIONS_MAX 4096 /* characters */

static uint32_t
get32(const uint8_t *p)
{
	struct rd r;

	rd_init(&r, p, 4);
	return rd_le32(&r);
}

static void
put32(uint8_t *p, uint32_t v)
{
	struct wr w;

	wr_init(&w, p, 4);
	wr_le32(&w, v);
}

int
direct_patch(uint8_t *kernel, size_t len, uint64_t memory, uint64_t initrd)
{
	uint64_t low = memory >= LOW_MAX ? 0x80000000u : memory, max;

	if (len < 0x300 || get32(kernel + 0x202) != HDR_MAGIC ||
	    kernel[0x207] < 2 || (kernel[0x207] == 2 && kernel[0x206] < 3))
		return VT_E_FORMAT;
	kernel[0x210] = 0xb0;
	kernel[0x211] |= 0x80;
	kernel[0x224] = 0x00;
	kernel[0x225] = 0xfe; /* heap's end */
	put32(kernel + 0x228, 0x20000);
	if (initrd == 0)
		return VT_OK;
	max = get32(kernel + 0x22c);
	if (low <= ACPI_DATA)
		return VT_E_RANGE;
	if (max >= low - ACPI_DATA)
		max = low - ACPI_DATA - 1;
	if (initrd > max)
		return VT_E_RANGE;
	put32(kernel + 0x218, (uint32_t)(max - initrd) & ~0xfffu);
	put32(kernel + 0x21c, (uint32_t)initrd);
	return VT_OK;
}

/* EV_EVENT_TAG: what was measured is not in the event. */
static void
tagged(struct prediction *p, uint32_t tag, const char *name,
    const void *measured, size_t len)
{
	uint8_t buf[64];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	wr_le32(&w, tag);
	wr_le32(&w, (uint32_t)strlen(name) + 1);
	wr_bytes(&w, name, strlen(name) + 1);
	pred_event(p, 9, EV_EVENT_TAG, measured, len, buf, w.len);
}

int
stub_measure(struct prediction *p, const char *options, bool nul,
    const uint8_t *initrd, size_t len)
{
	uint8_t wide[2 * OPTIONS_MAX + 2];
	struct wr w;
	const char *s;

	wr_init(&w, wide, sizeof(wide));
	for (s = options; *s != '\0'; s++) {
		if ((*s & 0x80) != 0)
			return VT_E_FORMAT;
		wr_le16(&w, (uint8_t)*s);
	}
	if (nul)
		wr_le16(&w, 0);
	if (wr_err(&w) != VT_OK)
		return VT_E_RANGE;
	tagged(p, TAG_OPTIONS, "LOADED_IMAGE::LoadOptions", wide, w.len);
	if (initrd != NULL)
		tagged(p, TAG_INITRD, "Linux initrd", initrd, len);
	return VT_OK;
}
