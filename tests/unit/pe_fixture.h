/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pe_fixture.h - a small EFI image, made by hand; needs cmocka.h before it.
 */
#ifndef TESTS_PE_FIXTURE_H
#define TESTS_PE_FIXTURE_H

#include <string.h>

#include "base/rdwr.h"

#define PEF_HEADERS 1024
#define PEF_CHECKSUM (64 + 24 + 64)
#define PEF_CERTDIR (64 + 24 + 112 + 32)

struct pef_section {
	const char *name, *text;
	uint32_t vsize; /* 0: as long as text */
};

static inline void
pef_put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

/* Into buf, zeroed and large enough; section data start at multiples of 512,
 * in the order of s.  Returns the image's length. */
static inline size_t
pef_make(uint8_t *buf, const struct pef_section *s, uint32_t n)
{
	uint8_t *h = buf + 64 + 24 + 240;
	size_t at = PEF_HEADERS;
	uint32_t i;

	memcpy(buf, "MZ", 2);
	pef_put32(buf + 60, 64);
	memcpy(buf + 64, "PE\0\0\x64\x86", 6);
	buf[64 + 6] = (uint8_t)n;
	buf[64 + 20] = 240;
	memcpy(buf + 64 + 24, "\x0b\x02", 2);
	pef_put32(buf + 64 + 24 + 60, PEF_HEADERS);
	pef_put32(buf + 64 + 24 + 108, 16);
	pef_put32(buf + PEF_CHECKSUM, 0xdeadbeef);
	for (i = 0; i < n; i++, h += 40) {
		uint32_t len = (uint32_t)strlen(s[i].text);

		memcpy(h, s[i].name, strlen(s[i].name));
		pef_put32(h + 8, s[i].vsize != 0 ? s[i].vsize : len);
		pef_put32(h + 16, 512);
		pef_put32(h + 20, (uint32_t)at);
		memcpy(buf + at, s[i].text, len);
		at += 512;
	}
	return at;
}

#endif
