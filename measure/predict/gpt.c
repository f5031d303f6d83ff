/* SPDX-License-Identifier: BSD-3-Clause */
/* gpt.c - reads a GUID partition table. */
#include "measure/predict/gpt.h"

#include <string.h>

#include "base/rdwr.h"

#define HEADER_LEN 92
#define ENTRY_LEN 128

static const uint8_t guid_esp[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2,
	0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };
static const uint8_t guid_none[16];

static int
add_entry(struct gpt *g, uint32_t i)
{
	const uint8_t *e = g->entries + (size_t)i * g->entry_size;
	struct gpt_partition *part = &g->parts[g->n];
	uint64_t first, last;
	struct rd r;

	if (memcmp(e, guid_none, 16) == 0)
		return VT_OK;
	rd_init(&r, e, ENTRY_LEN);
	(void)rd_span(&r, 32);
	first = rd_le64(&r);
	last = rd_le64(&r);
	if (first > last || last >= UINT64_MAX / GPT_BLOCK)
		return VT_E_FORMAT;
	part->number = i + 1;
	part->esp = memcmp(e, guid_esp, 16) == 0;
	part->first = first * GPT_BLOCK;
	part->len = (last - first + 1) * GPT_BLOCK;
	g->n++;
	return VT_OK;
}

int
gpt_open(const uint8_t *head, size_t len, struct gpt *ret)
{
	struct gpt g = { 0 };
	uint64_t table;
	struct rd r;
	uint32_t i;
	int rc;

	if (len < GPT_BLOCK + HEADER_LEN ||
	    memcmp(head + GPT_BLOCK, "EFI PART", 8) != 0)
		return VT_E_NOTFOUND;
	g.header = head + GPT_BLOCK;
	rd_init(&r, g.header, HEADER_LEN);
	(void)rd_span(&r, 72);
	table = rd_le64(&r);
	g.nentries = rd_le32(&r);
	g.entry_size = rd_le32(&r);
	if (g.nentries > GPT_MAX_ENTRIES)
		return VT_E_RANGE;
	if (g.entry_size != ENTRY_LEN || table < 2)
		return VT_E_FORMAT;
	if (table > len / GPT_BLOCK ||
	    (size_t)g.nentries * ENTRY_LEN > len - (size_t)table * GPT_BLOCK)
		return VT_E_TRUNC;
	g.entries = head + table * GPT_BLOCK;
	for (i = 0; i < g.nentries; i++)
		if ((rc = add_entry(&g, i)) != VT_OK)
			return rc;
	*ret = g;
	return VT_OK;
}

/* CRC-32 of ISO 3309, as zlib has it, continued from crc (0: the start). */
static uint32_t
crc32(uint32_t crc, const uint8_t *p, size_t len)
{
	int bit;

	crc = ~crc;
	for (; len > 0; len--, p++) {
		crc ^= *p;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
	}
	return ~crc;
}

/* The header's own checksum counts as zeros in it. */
bool
gpt_is_sound(const struct gpt *gpt)
{
	static const uint8_t zero[4];
	uint32_t size, own, entries, crc;
	struct rd r;

	rd_init(&r, gpt->header, HEADER_LEN);
	(void)rd_span(&r, 12);
	size = rd_le32(&r);
	own = rd_le32(&r);
	(void)rd_span(&r, 68);
	entries = rd_le32(&r);
	if (size != HEADER_LEN)
		return false;
	crc = crc32(0, gpt->header, 16);
	crc = crc32(crc, zero, sizeof(zero));
	crc = crc32(crc, gpt->header + 20, HEADER_LEN - 20);
	return crc == own &&
	       entries == crc32(0, gpt->entries,
			      (size_t)gpt->nentries * gpt->entry_size);
}

/* UEFI_GPT_DATA: the header, how many entries are used, and those. */
void
gpt_measure(struct prediction *p, const struct gpt *gpt)
{
	uint8_t buf[HEADER_LEN + 8 + GPT_MAX_ENTRIES * ENTRY_LEN];
	struct wr w;
	uint32_t i;

	wr_init(&w, buf, sizeof(buf));
	wr_bytes(&w, gpt->header, HEADER_LEN);
	wr_le64(&w, gpt->n);
	for (i = 0; i < gpt->n; i++)
		wr_bytes(&w,
		    gpt->entries +
			(size_t)(gpt->parts[i].number - 1) * gpt->entry_size,
		    ENTRY_LEN);
	pred_event(p, 5, EV_EFI_GPT_EVENT, buf, w.len, buf, w.len);
}
