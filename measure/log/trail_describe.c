/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trail_describe.c - what an event stands for, and whether its data can be
 * believed.  The digest rules were checked against public logs of many
 * firmwares; doc/FORMATS.md lists them.
 */
#include "measure/log/trail_describe.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "measure/log/eventlog.h"

#define TAG_LINUX_INITRD 0x8f3b22ecu
#define TAG_LINUX_OPTIONS 0x8f3b22edu
#define TAG_SIPA 0x40010001u /* SIPAEVENTTYPE_CONTAINER, trust boundary */
#define VAR_HDR_LEN 32       /* GUID, two lengths */

/* --- text that a guest supplied ------------------------------------------- */

struct text {
	char *out;
	size_t cap, used;
};

static void
put(struct text *t, const char *s)
{
	while (*s != '\0' && t->used + 1 < t->cap)
		t->out[t->used++] = *s++;
	if (t->cap > 0)
		t->out[t->used] = '\0';
}

static void
put_char(struct text *t, uint32_t c)
{
	char b[16];

	if (c == '"' || c == '\\')
		(void)snprintf(b, sizeof(b), "\\%c", (char)c);
	else if (c >= ' ' && c <= '~')
		(void)snprintf(b, sizeof(b), "%c", (char)c);
	else if (c == '\n')
		(void)snprintf(b, sizeof(b), "\\n");
	else if (c <= 0xff)
		(void)snprintf(b, sizeof(b), "\\x%02x", (unsigned int)c);
	else
		(void)snprintf(b, sizeof(b), "\\u%04x", (unsigned int)c);
	put(t, b);
}

static void
put_quoted(struct text *t, const uint8_t *p, size_t len)
{
	size_t i;

	put(t, "\"");
	for (i = 0; i < len; i++)
		put_char(t, p[i]);
	put(t, "\"");
}

/* UTF-16LE up to its NUL or the end. */
static void
put_utf16(struct text *t, const uint8_t *p, size_t len)
{
	uint32_t c;
	size_t i;

	put(t, "\"");
	for (i = 0; i + 1 < len; i += 2) {
		if ((c = (uint32_t)(p[i] | p[i + 1] << 8)) == 0)
			break;
		put_char(t, c);
	}
	put(t, "\"");
}

/* --- does the digest cover the data? -------------------------------------- */

static bool
is_hash_of(const struct trail *t, const struct trail_event *ev, const void *p,
    size_t len)
{
	uint8_t d[DIGEST_MAX];

	return digest_buf(t->alg, p, len, d) == VT_OK &&
	       memcmp(d, ev->val, t->len) == 0;
}

static const char *const grub_prefixes[] = {
	"grub_cmd: ", "kernel_cmdline: ", "module_cmdline: "
};
static const char *const grub_words[] = { "GRUB command", "kernel command line",
	"module command line" };
/* RHEL 8 wrote these, and measured a command's NUL as well. */
static const char *const old_prefixes[] = { "grub_cmd ",
	"grub_kernel_cmdline " };

/* The length of a text that may end in one NUL, without that NUL. */
static size_t
text_len(const uint8_t *p, size_t len)
{
	return len > 0 && p[len - 1] == '\0' ? len - 1 : len;
}

/* Find the text behind a GRUB prefix, with the NUL that it may end in.
 * Returns 1 + the index of the prefix, or 0: the event has none. */
static size_t
grub_text(const struct trail_event *ev, const char *const *prefixes,
    size_t nprefixes, const uint8_t **ret, size_t *ret_len)
{
	size_t i, plen;

	if (ev->type != EV_IPL || ev->pcr != 8)
		return 0;
	for (i = 0; i < nprefixes; i++) {
		plen = strlen(prefixes[i]);
		if (ev->datalen < plen ||
		    memcmp(ev->data, prefixes[i], plen) != 0)
			continue;
		*ret = ev->data + plen;
		*ret_len = ev->datalen - plen;
		return i + 1;
	}
	return 0;
}

static enum trail_fit
fit_grub(const struct trail *t, const struct trail_event *ev)
{
	const uint8_t *p;
	size_t len;

	if (grub_text(ev, grub_prefixes, VT_NELEM(grub_prefixes), &p, &len))
		return is_hash_of(t, ev, p, text_len(p, len)) ? TF_PART
							      : TF_LIE;
	if (grub_text(ev, old_prefixes, VT_NELEM(old_prefixes), &p, &len) == 0)
		return TF_HINT;
	if (is_hash_of(t, ev, p, text_len(p, len)) || is_hash_of(t, ev, p, len))
		return TF_PART;
	return TF_LIE;
}

/* UEFI_VARIABLE_DATA; false if its lengths do not fit. */
static bool
get_variable(const struct trail_event *ev, const uint8_t **ret_name,
    size_t *ret_nlen, const uint8_t **ret_data, size_t *ret_dlen)
{
	uint64_t chars, bytes;
	struct rd r;

	rd_init(&r, ev->data, ev->datalen);
	(void)rd_span(&r, 16);
	chars = rd_le64(&r);
	bytes = rd_le64(&r);
	if (rd_err(&r) != VT_OK || chars > r.left / 2 ||
	    bytes > r.left - 2 * chars)
		return false;
	*ret_name = r.p;
	*ret_nlen = (size_t)(2 * chars);
	*ret_data = r.p + 2 * chars;
	*ret_dlen = (size_t)bytes;
	return true;
}

/* EDK2 measures a boot variable's value, some vendors the whole struct. */
static enum trail_fit
fit_boot_variable(const struct trail *t, const struct trail_event *ev)
{
	const uint8_t *name, *data;
	size_t nlen, dlen;

	if (is_hash_of(t, ev, ev->data, ev->datalen))
		return TF_DATA;
	if (get_variable(ev, &name, &nlen, &data, &dlen) &&
	    is_hash_of(t, ev, data, dlen))
		return TF_PART;
	return TF_LIE;
}

enum trail_fit
trail_fit(const struct trail *t, const struct trail_event *ev)
{
	bool whole;

	if (ev->log < 0)
		return TF_NONE;
	if (ev->type == EV_IPL)
		return fit_grub(t, ev);
	if (ev->type == EV_EFI_VARIABLE_BOOT)
		return fit_boot_variable(t, ev);
	whole = is_hash_of(t, ev, ev->data, ev->datalen);
	switch (ev->type) {
	case EV_SEPARATOR:
	case EV_EFI_VARIABLE_DRIVER_CONFIG:
	case EV_EFI_VARIABLE_BOOT2:
	case EV_EFI_GPT_EVENT:
	case EV_EFI_ACTION:
		return whole ? TF_DATA : TF_LIE;
	case EV_EFI_VARIABLE_AUTHORITY:
		/* shim up to 15.0 left the last byte out */
		if (!whole && ev->datalen > 0 &&
		    is_hash_of(t, ev, ev->data, ev->datalen - 1))
			return TF_PART;
		return whole ? TF_DATA : TF_LIE;
	default:
		return whole ? TF_DATA : TF_HINT;
	}
}

/* --- words ---------------------------------------------------------------- */

static void
say_separator(struct text *o, const struct trail_event *ev)
{
	static const uint8_t zero[4], ones[4] = { 255, 255, 255, 255 };
	static const uint8_t error[4] = { 1, 0, 0, 0 };

	if (ev->datalen == 4 &&
	    (memcmp(ev->data, zero, 4) == 0 || memcmp(ev->data, ones, 4) == 0))
		put(o, "separator");
	else if (ev->datalen == 4 && memcmp(ev->data, error, 4) == 0)
		put(o, "error separator");
	else {
		put(o, "separator ");
		put_quoted(o, ev->data, ev->datalen);
	}
}

static void
say_variable(struct text *o, const struct trail_event *ev)
{
	const uint8_t *name, *data;
	size_t nlen, dlen;

	if (!get_variable(ev, &name, &nlen, &data, &dlen)) {
		put(o, "EFI variable");
		return;
	}
	put(o, ev->type == EV_EFI_VARIABLE_AUTHORITY
		   ? "authority in EFI variable "
		   : "EFI variable ");
	put_utf16(o, name, nlen);
	if (dlen == 0)
		put(o, " (absent)");
}

/* UEFI_IMAGE_LOAD_EVENT: the file path node of its device path. */
static void
say_image(struct text *o, const struct trail_event *ev)
{
	uint64_t dplen;
	uint8_t type, sub;
	uint16_t len;
	const uint8_t *p;
	struct rd r;

	put(o, ev->type == EV_EFI_BOOT_SERVICES_APPLICATION ? "EFI application"
							    : "EFI driver");
	rd_init(&r, ev->data, ev->datalen);
	(void)rd_span(&r, 24);
	dplen = rd_le64(&r);
	if (rd_err(&r) != VT_OK || dplen > r.left)
		return;
	while (rd_err(&r) == VT_OK && r.left >= 4) {
		type = rd_u8(&r);
		sub = rd_u8(&r);
		len = rd_le16(&r);
		if (type == 0x7f || len < 4)
			return;
		p = rd_span(&r, len - 4u);
		if (p != NULL && type == 4 && sub == 4) {
			put(o, " ");
			put_utf16(o, p, len - 4u);
		}
	}
}

static void
say_tag(struct text *o, const struct trail_event *ev)
{
	struct rd r;
	uint32_t id;

	rd_init(&r, ev->data, ev->datalen);
	id = rd_le32(&r);
	if (rd_err(&r) == VT_OK && id == TAG_LINUX_INITRD)
		put(o, "initrd, measured by the kernel's EFI stub");
	else if (rd_err(&r) == VT_OK && id == TAG_LINUX_OPTIONS)
		put(o, "kernel load options, measured by its EFI stub");
	else if (rd_err(&r) == VT_OK && id == EL_TAG_LAUNCH && ev->pcr == 17)
		put(o, "launch record");
	else if (rd_err(&r) == VT_OK && id == TAG_SIPA && ev->pcr >= 11 &&
		 ev->pcr <= 14)
		put(o, "Windows boot events");
	else
		put(o, "tagged event");
}

/* systemd's stub logs UTF-16; what we show of it is Latin. */
static bool
is_utf16(const uint8_t *p, size_t len)
{
	size_t i;

	if (len < 4 || len % 2 != 0 || p[len - 1] != '\0')
		return false;
	for (i = 0; i + 2 < len; i += 2) /* only the last may be a NUL */
		if (p[i] == '\0' || p[i + 1] != '\0')
			return false;
	return true;
}

/* PCRs 11 to 13 are those of systemd's boot loader and stub. */
static const char *
ipl_name(const struct trail_event *ev)
{
	switch (ev->pcr) {
	case 4:
	case 9:
		return "file ";
	case 11:
		return "part of the kernel image ";
	case 12:
		return "boot option ";
	case 13:
		return "system extension ";
	case 14:
		return "shim's ";
	default:
		return "boot event ";
	}
}

static void
say_ipl(struct text *o, const struct trail_event *ev)
{
	const uint8_t *p;
	size_t plen, which;

	which =
	    grub_text(ev, grub_prefixes, VT_NELEM(grub_prefixes), &p, &plen);
	if (which > 0) {
		put(o, grub_words[which - 1]);
		put(o, " ");
		put_quoted(o, p, text_len(p, plen));
		return;
	}
	if (grub_text(ev, old_prefixes, VT_NELEM(old_prefixes), &p, &plen)) {
		put(o, "GRUB string ");
		put_quoted(o, p, text_len(p, plen));
		return;
	}
	put(o, ipl_name(ev));
	if (is_utf16(ev->data, ev->datalen))
		put_utf16(o, ev->data, ev->datalen);
	else
		put_quoted(o, ev->data, text_len(ev->data, ev->datalen));
}

static void
say_blob(struct text *o, const struct trail_event *ev)
{
	char b[80];
	struct rd r;
	uint64_t base, len;
	uint8_t skip;

	rd_init(&r, ev->data, ev->datalen);
	if (ev->type == EV_EFI_PLATFORM_FIRMWARE_BLOB2) {
		skip = rd_u8(&r);
		(void)rd_span(&r, skip);
	}
	base = rd_le64(&r);
	len = rd_le64(&r);
	if (rd_err(&r) != VT_OK) {
		put(o, "firmware volume");
		return;
	}
	(void)snprintf(b, sizeof(b), "firmware volume at 0x%llx, %llu bytes",
	    (unsigned long long)base, (unsigned long long)len);
	put(o, b);
}

static void
say_version(struct text *o, const struct trail_event *ev)
{
	put(o, "firmware version ");
	if (ev->datalen >= 2 && ev->data[1] == '\0')
		put_utf16(o, ev->data, ev->datalen);
	else
		put_quoted(o, ev->data, text_len(ev->data, ev->datalen));
}

static void
say_text(struct text *o, const struct trail_event *ev)
{
	size_t len = ev->datalen;

	while (len > 0 && ev->data[len - 1] == '\0')
		len--; /* filled up to a fixed size */
	put(o,
	    ev->type == EV_NONHOST_INFO ? "non-host information " : "action ");
	put_quoted(o, ev->data, len);
}

/* A tag of the firmware's own, and no text. */
static void
say_number(struct text *o, const struct trail_event *ev)
{
	char b[48];
	struct rd r;
	uint32_t n;

	rd_init(&r, ev->data, ev->datalen);
	n = rd_le32(&r);
	if (rd_end(&r) == VT_OK)
		(void)snprintf(b, sizeof(b), "compact hash 0x%x", n);
	else
		(void)snprintf(b, sizeof(b), "compact hash");
	put(o, b);
}

/* Firmware says what a part is in text; anything else is not shown. */
static void
say_post(struct text *o, const struct trail_event *ev)
{
	size_t len = text_len(ev->data, ev->datalen), i;

	put(o, "firmware code");
	for (i = 0; i < len; i++)
		if (ev->data[i] < ' ' || ev->data[i] > '~')
			return;
	if (len == 0)
		return;
	put(o, " ");
	put_quoted(o, ev->data, len);
}

static void
say_plain(struct text *o, const struct trail_event *ev)
{
	static const struct {
		uint32_t type;
		const char *words;
	} plain[] = { { EV_EFI_GPT_EVENT, "partition table" },
		{ EV_PLATFORM_CONFIG_FLAGS, "platform configuration" },
		{ EV_EFI_HANDOFF_TABLES, "hand-off tables" },
		{ EV_EFI_HANDOFF_TABLES2, "hand-off tables" },
		{ EV_S_CRTM_CONTENTS, "firmware's root of trust" },
		{ EV_CPU_MICROCODE, "processor microcode" },
		{ EV_TABLE_OF_DEVICES, "table of devices" },
		{ EV_NONHOST_CODE, "non-host code" },
		{ EV_NONHOST_CONFIG, "non-host configuration" },
		{ EV_OMIT_BOOT_DEVICE_EVENTS, "boot devices left out" },
		{ EV_EFI_HCRTM_EVENT, "hardware root of trust" } };
	char b[40];
	size_t i;

	for (i = 0; i < VT_NELEM(plain); i++)
		if (plain[i].type == ev->type) {
			put(o, plain[i].words);
			return;
		}
	(void)snprintf(b, sizeof(b), "event of type 0x%x", ev->type);
	put(o, b);
}

/* Without a log only the TPM command is known. */
static void
say_record(struct text *o, const struct trail_event *ev)
{
	if (ev->kind == JR_CAP)
		put(o, "worker restart (every PCR capped)");
	else if (ev->kind == JR_DRTM_END)
		put(o, "launch record");
	else {
		put(o, "unnamed ");
		put(o, journal_kind_name(ev->kind));
	}
}

void
trail_describe(
    const struct trail *t, const struct trail_event *ev, char *out, size_t cap)
{
	static const struct {
		uint32_t type;
		void (*say)(struct text *, const struct trail_event *);
	} says[] = { { EV_SEPARATOR, say_separator }, { EV_IPL, say_ipl },
		{ EV_EVENT_TAG, say_tag }, { EV_EFI_ACTION, say_text },
		{ EV_ACTION, say_text }, { EV_NONHOST_INFO, say_text },
		{ EV_COMPACT_HASH, say_number }, { EV_POST_CODE, say_post },
		{ EV_S_CRTM_VERSION, say_version },
		{ EV_EFI_PLATFORM_FIRMWARE_BLOB, say_blob },
		{ EV_EFI_PLATFORM_FIRMWARE_BLOB2, say_blob },
		{ EV_EFI_BOOT_SERVICES_APPLICATION, say_image },
		{ EV_EFI_BOOT_SERVICES_DRIVER, say_image },
		{ EV_EFI_RUNTIME_SERVICES_DRIVER, say_image },
		{ EV_EFI_VARIABLE_DRIVER_CONFIG, say_variable },
		{ EV_EFI_VARIABLE_BOOT, say_variable },
		{ EV_EFI_VARIABLE_BOOT2, say_variable },
		{ EV_EFI_VARIABLE_AUTHORITY, say_variable } };
	struct text o = { .out = out, .cap = cap };
	enum trail_fit fit = trail_fit(t, ev);
	size_t i;

	if (cap > 0)
		out[0] = '\0';
	if (fit == TF_NONE) {
		say_record(&o, ev);
		return;
	}
	if (fit == TF_LIE) {
		put(&o, "event whose text does not fit its digest");
		return;
	}
	for (i = 0; i < VT_NELEM(says); i++)
		if (says[i].type == ev->type) {
			says[i].say(&o, ev);
			return;
		}
	say_plain(&o, ev);
}
