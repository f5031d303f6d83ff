/* SPDX-License-Identifier: BSD-3-Clause */
/* uki.c - the measurements of systemd-stub and systemd-pcrphase. */
#include "measure/predict/uki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* In the order of the stub; since: the first stub that measures it.  .pcrsig
 * is never measured. */
static const struct {
	const char *name;
	unsigned int since;
} measured[] = { { ".linux", 0 }, { ".osrel", 0 }, { ".cmdline", 0 },
	{ ".initrd", 0 }, { ".ucode", 256 }, { ".splash", 0 }, { ".dtb", 0 },
	{ ".uname", 253 }, { ".sbat", 254 }, { ".pcrpkey", 0 },
	{ ".profile", 257 }, { ".dtbauto", 257 }, { ".hwids", 257 } };

/* Stubs whose rules are known: PCR 11, and how the kernel is loaded; their
 * initrd as it is. */
#define STUB_FIRST 252
#define STUB_LAST 257
#define STUB_LAST_PLAIN_INITRD 255

bool
uki_is(const struct pe *pe)
{
	return pe_find(pe, ".linux") != NULL && pe_find(pe, ".osrel") != NULL;
}

unsigned int
uki_stub_version(const struct pe *pe)
{
	static const char mark[] = "LoaderInfo: systemd-stub ";
	const struct pe_section *s = pe_find(pe, ".sdmagic");
	const char *at;
	unsigned int v = 0;

	if (s == NULL || s->rawsize == 0)
		return 0;
	at = memmem(pe->buf + s->raw, s->rawsize, mark, sizeof(mark) - 1);
	if (at == NULL)
		return 0;
	at += sizeof(mark) - 1;
	for (; (const uint8_t *)at < pe->buf + s->raw + s->rawsize &&
	       *at >= '0' && *at <= '9' && v < 100000;
	     at++)
		v = v * 10 + (unsigned int)(*at - '0');
	return v;
}

/* A section as it is in memory: vsize bytes, zeros behind the file's. */
static int
add_section(
    struct prediction *p, const struct pe *pe, const struct pe_section *s)
{
	size_t n = s->vsize < s->rawsize ? s->vsize : s->rawsize;
	char text[24];
	uint8_t *mem;

	if (s->vsize > s->rawsize && s->vsize - s->rawsize > 4096)
		return VT_E_RANGE; /* no linker pads by more than a page */
	if ((mem = calloc(1, s->vsize > 0 ? s->vsize : 1)) == NULL)
		return VT_E_NOMEM;
	if (n > 0)
		memcpy(mem, pe->buf + s->raw, n);
	(void)snprintf(text, sizeof(text), "%s", s->name);
	pred_event(
	    p, 11, EV_IPL, text, strlen(text) + 1, text, strlen(text) + 1);
	pred_event(p, 11, EV_IPL, mem, s->vsize, text, strlen(text) + 1);
	free(mem);
	return VT_OK;
}

static unsigned int
count(const struct pe *pe, const char *name)
{
	unsigned int n = 0;
	uint32_t i;

	for (i = 0; i < pe->nsections; i++)
		n += strcmp(pe->sections[i].name, name) == 0;
	return n;
}

/* What hangs on the stub's version, and on sections of which it takes what
 * fits the machine or the choice of a profile. */
static void
find_unknown(struct prediction *p, const struct pe *pe, unsigned int version)
{
	static const char *const chosen[] = { ".dtbauto", ".efifw" };
	static const char *const added[] = { ".pcrsig", ".pcrpkey", ".ucode",
		".profile" };
	static const uint32_t pcrs[] = { 4, 9, 11 };
	size_t i;

	if (version < STUB_FIRST || version > STUB_LAST)
		for (i = 0; i < VT_NELEM(pcrs); i++)
			pred_unknown(p, pcrs[i],
			    "the image's stub is not systemd's of version %d "
			    "to %d",
			    STUB_FIRST, STUB_LAST);
	else if (version > STUB_LAST_PLAIN_INITRD)
		pred_unknown(p, 9, "stub %u adds files to the initrd", version);
	for (i = 0; i < VT_NELEM(added); i++)
		if (count(pe, added[i]) > 0)
			pred_unknown(p, 9,
			    "the stub adds what is in %s to the initrd",
			    added[i]);
	for (i = 0; i < VT_NELEM(chosen); i++)
		if (count(pe, chosen[i]) > 0)
			pred_unknown(p, 11,
			    "which section %s is used depends on the machine",
			    chosen[i]);
	if (count(pe, ".profile") > 1)
		pred_unknown(p, 11, "the image has more than one profile");
}

void
uki_measure(struct prediction *p, const struct pe *pe)
{
	unsigned int version = uki_stub_version(pe);
	const struct pe_section *s;
	size_t i;
	int rc;

	find_unknown(p, pe, version);
	for (i = 0; i < VT_NELEM(measured); i++) {
		s = pe_find(pe, measured[i].name);
		if (s == NULL || (version != 0 && version < measured[i].since))
			continue;
		if ((rc = add_section(p, pe, s)) != VT_OK)
			pred_unknown(p, 11, "section %s: %s", measured[i].name,
			    vt_strerror(rc));
	}
}

int
uki_phases(struct prediction *p, const char *text)
{
	const char *at = text, *end;
	char word[64];

	for (; *at != '\0'; at = *end == ':' ? end + 1 : end) {
		end = at + strcspn(at, ":");
		if (end == at || (size_t)(end - at) >= sizeof(word))
			return VT_E_FORMAT;
		memcpy(word, at, (size_t)(end - at));
		word[end - at] = '\0';
		pred_text(p, 11, EV_IPL, word);
	}
	return VT_OK;
}
