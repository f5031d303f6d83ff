/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * launch_record.c - the launch record as bytes, and the event log from it.
 * Container, big-endian; text is be16 length and bytes:
 *   "VTLR" | be16 version 1 | uuid[16] | text name | be32 group |
 *   u8 mode | configuration digest[32] | host boot id[16] | be64 time ms |
 *   text build | text policy | be16 items |
 *   items * { u8 role | text | be64 size | u8 digests |
 *             digests * { be16 alg | value } }
 */
#include "measure/log/launch_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/rdwr.h"

#define LAUNCH_MAGIC 0x56544c52u /* "VTLR" */
#define LAUNCH_VERSION 1

static const char *const role_names[LR_NROLES] = { [LR_KERNEL] = "kernel",
	[LR_INITRD] = "initrd",
	[LR_CMDLINE] = "cmdline",
	[LR_FIRMWARE] = "firmware",
	[LR_VARS] = "vars",
	[LR_CONFIG] = "config",
	[LR_DISK] = "disk",
	[LR_DEVICE_TREE] = "device-tree",
	[LR_HYPERVISOR] = "hypervisor",
	[LR_OTHER] = "other",
	[LR_ROM] = "rom" };

int
launch_new(struct launch_record **ret)
{
	struct launch_record *rec = calloc(1, sizeof(*rec));

	if (rec == NULL)
		return VT_E_NOMEM;
	rec->mode = LAUNCH_M_FIRMWARE;
	*ret = rec;
	return VT_OK;
}

void
launch_free(struct launch_record *rec)
{
	uint32_t i;

	if (rec == NULL)
		return;
	for (i = 0; i < rec->nitems; i++)
		free(rec->items[i].text);
	free(rec->build);
	free(rec->policy);
	free(rec);
}

static int
set_text(char **dst, const char *text)
{
	char *copy;

	if (strlen(text) > LAUNCH_MAX_TEXT)
		return VT_E_RANGE;
	if ((copy = strdup(text)) == NULL)
		return VT_E_NOMEM;
	free(*dst);
	*dst = copy;
	return VT_OK;
}

int
launch_set_build(struct launch_record *rec, const char *text)
{
	return set_text(&rec->build, text);
}

int
launch_set_policy(struct launch_record *rec, const char *text)
{
	return set_text(&rec->policy, text);
}

int
launch_add_item(struct launch_record *rec, enum launch_role role,
    const char *text, uint64_t size, const struct tpm_digest *d, uint32_t n)
{
	struct launch_item it = {
		.role = (uint8_t)role, .size = size, .ndigests = n
	};
	uint32_t i;
	int rc;

	if (rec->nitems == LAUNCH_MAX_ITEMS || n > PCR_MAX_BANKS ||
	    (int)role < LR_KERNEL || role >= LR_NROLES)
		return VT_E_RANGE;
	for (i = 0; i < n; i++) {
		if (d[i].len == 0 || d[i].len != digest_len(d[i].alg))
			return VT_E_UNSUPPORTED;
		it.digests[i] = d[i];
	}
	if ((rc = set_text(&it.text, text)) != VT_OK)
		return rc;
	rec->items[rec->nitems++] = it;
	return VT_OK;
}

int
launch_measure(struct launch_record *rec, enum launch_role role,
    const char *text, const void *data, size_t len, const uint16_t *algs,
    uint32_t n)
{
	struct tpm_digest d[PCR_MAX_BANKS];
	uint32_t i;
	int rc;

	if (n > PCR_MAX_BANKS)
		return VT_E_RANGE;
	if (role == LR_CMDLINE && data == NULL) {
		data = text;
		len = strlen(text);
	}
	for (i = 0; i < n; i++) {
		d[i].alg = algs[i];
		d[i].len = (uint16_t)digest_len(algs[i]);
		rc = digest_buf(algs[i], data, len, d[i].val);
		if (rc != VT_OK)
			return rc;
	}
	return launch_add_item(rec, role, text, len, d, n);
}

const struct launch_item *
launch_find(const struct launch_record *rec, enum launch_role role,
    const struct launch_item *prev)
{
	uint32_t i = prev != NULL ? (uint32_t)(prev - rec->items) + 1 : 0;

	for (; i < rec->nitems; i++)
		if (rec->items[i].role == role)
			return &rec->items[i];
	return NULL;
}

const char *
launch_role_name(uint8_t role)
{
	if (role >= LR_NROLES || role_names[role] == NULL)
		return "unknown";
	return role_names[role];
}

int
launch_role_parse(const char *name)
{
	int i;

	for (i = LR_KERNEL; i < LR_NROLES; i++)
		if (strcmp(role_names[i], name) == 0)
			return i;
	return 0;
}

/* --- container ------------------------------------------------------------ */

static void
put_item(struct wr *w, const struct launch_item *it)
{
	uint32_t i;

	wr_u8(w, it->role);
	wr_str(w, it->text);
	wr_be64(w, it->size);
	wr_u8(w, (uint8_t)it->ndigests);
	for (i = 0; i < it->ndigests; i++) {
		wr_be16(w, it->digests[i].alg);
		wr_bytes(w, it->digests[i].val, it->digests[i].len);
	}
}

void
launch_encode(const struct launch_record *rec, struct wr *w)
{
	uint32_t i;

	wr_be32(w, LAUNCH_MAGIC);
	wr_be16(w, LAUNCH_VERSION);
	wr_bytes(w, rec->uuid, sizeof(rec->uuid));
	wr_str(w, rec->name);
	wr_be32(w, rec->group);
	wr_u8(w, rec->mode);
	wr_bytes(w, rec->config_digest, sizeof(rec->config_digest));
	wr_bytes(w, rec->host_boot_id, sizeof(rec->host_boot_id));
	wr_be64(w, rec->time_ms);
	wr_str(w, rec->build != NULL ? rec->build : "");
	wr_str(w, rec->policy != NULL ? rec->policy : "");
	wr_be16(w, (uint16_t)rec->nitems);
	for (i = 0; i < rec->nitems; i++)
		put_item(w, &rec->items[i]);
}

static void
get_digests(struct rd *r, struct launch_item *it)
{
	uint32_t i, k;
	struct tpm_digest *d;

	if (it->ndigests > PCR_MAX_BANKS) {
		rd_fail(r, VT_E_RANGE);
		it->ndigests = 0;
	}
	for (i = 0; i < it->ndigests && r->err == VT_OK; i++) {
		d = &it->digests[i];
		d->alg = rd_be16(r);
		d->len = (uint16_t)digest_len(d->alg);
		if (r->err == VT_OK && d->len == 0)
			rd_fail(r, VT_E_FORMAT);
		for (k = 0; k < i; k++)
			if (it->digests[k].alg == d->alg)
				rd_fail(r, VT_E_FORMAT);
		rd_bytes(r, d->val, d->len);
	}
}

static void
get_item(struct rd *r, struct launch_record *rec)
{
	struct launch_item *it = &rec->items[rec->nitems];

	it->role = rd_u8(r);
	it->text = rd_text(r, LAUNCH_MAX_TEXT);
	it->size = rd_be64(r);
	it->ndigests = rd_u8(r);
	if (r->err == VT_OK && (it->role < LR_KERNEL || it->role >= LR_NROLES))
		rd_fail(r, VT_E_FORMAT);
	get_digests(r, it);
	rec->nitems++; /* also on failure: launch_free() frees its text */
}

static void
get_record(struct rd *r, struct launch_record *rec)
{
	uint16_t n, i;

	rd_bytes(r, rec->uuid, sizeof(rec->uuid));
	rd_str(r, rec->name, sizeof(rec->name));
	rec->group = rd_be32(r);
	rec->mode = rd_u8(r);
	rd_bytes(r, rec->config_digest, sizeof(rec->config_digest));
	rd_bytes(r, rec->host_boot_id, sizeof(rec->host_boot_id));
	rec->time_ms = rd_be64(r);
	rec->build = rd_text(r, LAUNCH_MAX_TEXT);
	rec->policy = rd_text(r, LAUNCH_MAX_TEXT);
	n = rd_be16(r);
	if (r->err == VT_OK && rec->mode != LAUNCH_M_FIRMWARE &&
	    rec->mode != LAUNCH_M_DIRECT)
		rd_fail(r, VT_E_FORMAT);
	if (n > LAUNCH_MAX_ITEMS)
		rd_fail(r, VT_E_RANGE);
	for (i = 0; i < n && r->err == VT_OK; i++)
		get_item(r, rec);
}

/* NULL: the reader says why. */
static struct launch_record *
decode(struct rd *r)
{
	struct launch_record *rec;
	uint32_t magic = rd_be32(r);
	uint16_t version = rd_be16(r);

	if (rd_err(r) == VT_OK &&
	    (magic != LAUNCH_MAGIC || version != LAUNCH_VERSION))
		rd_fail(r, VT_E_FORMAT);
	if (rd_err(r) != VT_OK)
		return NULL;
	if ((rec = calloc(1, sizeof(*rec))) == NULL) {
		rd_fail(r, VT_E_NOMEM);
		return NULL;
	}
	get_record(r, rec);
	if (rd_end(r) != VT_OK) {
		rd_fail(r, VT_E_FORMAT);
		launch_free(rec);
		return NULL;
	}
	return rec;
}

int
launch_decode(const uint8_t *buf, size_t len, struct launch_record **ret)
{
	struct launch_record *rec;
	struct rd r;

	if (len > LAUNCH_MAX_LEN)
		return VT_E_RANGE;
	rd_init(&r, buf, len);
	if ((rec = decode(&r)) == NULL)
		return rd_err(&r);
	*ret = rec;
	return VT_OK;
}

/* --- event log ------------------------------------------------------------ */

/*
 * TCG_PCClientTaggedEvent around the record, so that a guest's log carries
 * it; the digest is over the record alone, as the D-RTM sequence makes it.
 */
static void
log_drtm(struct el_writer *log, const uint8_t *rec, size_t len)
{
	struct wr w;
	int rc;

	wr_grow(&w, LAUNCH_MAX_LEN + 8);
	wr_le32(&w, LAUNCH_EVENT_TAG);
	wr_le32(&w, (uint32_t)len);
	wr_bytes(&w, rec, len);
	rc = wr_err(&w);
	/* A writer that failed holds too little: then the log fails too. */
	el_add(log, rc == VT_OK ? PCR_DRTM : EL_PCR_NONE, EV_EVENT_TAG, rec,
	    len, w.buf, w.len);
	wr_free(&w);
}

static void
log_items(struct el_writer *log, const struct launch_record *rec,
    enum launch_role role, uint32_t pcr, uint32_t type, const char *prefix)
{
	char text[LAUNCH_MAX_TEXT + 32];
	const struct launch_item *it = NULL;
	size_t plen = strlen(prefix), len;

	while ((it = launch_find(rec, role, it)) != NULL) {
		len = strlen(it->text);
		memcpy(text, prefix, plen);
		memcpy(text + plen, it->text, len + 1);
		el_add_digests(log, pcr, type, it->digests, it->ndigests, text,
		    plen + len + 1);
	}
}

/* What firmware, boot loader and stub would have measured (DESIGN 7). */
static void
log_direct(struct el_writer *log, const struct launch_record *rec)
{
	static const uint8_t separator[4];
	const char *build = rec->build != NULL ? rec->build : "";
	uint32_t pcr;

	el_add_data(log, 0, EV_S_CRTM_VERSION, build, strlen(build) + 1);
	log_items(log, rec, LR_HYPERVISOR, 0, EV_POST_CODE, "");
	log_items(log, rec, LR_FIRMWARE, 0, EV_POST_CODE, "");
	el_add_data(log, 1, EV_PLATFORM_CONFIG_FLAGS, rec->config_digest,
	    sizeof(rec->config_digest));
	log_items(log, rec, LR_DEVICE_TREE, 1, EV_PLATFORM_CONFIG_FLAGS, "");
	log_items(log, rec, LR_ROM, 2, EV_POST_CODE, "");
	log_items(log, rec, LR_KERNEL, 4, EV_IPL, "");
	for (pcr = 0; pcr < 8; pcr++)
		el_add_data(log, pcr, EV_SEPARATOR, separator, 4);
	log_items(log, rec, LR_CMDLINE, 8, EV_IPL, "kernel_cmdline: ");
	log_items(log, rec, LR_INITRD, 9, EV_IPL, "");
}

int
launch_make_log(const uint8_t *buf, size_t len, const uint16_t *algs,
    uint32_t n, uint8_t **ret, size_t *ret_len)
{
	struct launch_record *rec;
	struct el_writer *log = NULL;
	const uint8_t *bytes;
	size_t used;
	uint8_t *copy;
	struct rd r;
	int rc;

	if (len > LAUNCH_MAX_LEN)
		return VT_E_RANGE;
	rd_init(&r, buf, len);
	if ((rec = decode(&r)) == NULL)
		return rd_err(&r);
	if ((rc = el_writer_new(algs, n, false, &log)) != VT_OK)
		goto out;
	log_drtm(log, buf, len);
	if (rec->mode == LAUNCH_M_DIRECT)
		log_direct(log, rec);
	if ((rc = el_writer_bytes(log, &bytes, &used)) != VT_OK)
		goto out;
	rc = VT_E_NOMEM;
	if ((copy = malloc(used)) == NULL)
		goto out;
	memcpy(copy, bytes, used);
	*ret = copy;
	*ret_len = used;
	rc = VT_OK;
out:
	el_writer_free(log);
	launch_free(rec);
	return rc;
}

int
launch_pcr17(
    uint16_t alg, const uint8_t *rec, size_t len, uint8_t out[DIGEST_MAX])
{
	uint8_t digest[DIGEST_MAX], pcr[DIGEST_MAX] = { 0 };
	int rc;

	if ((rc = digest_buf(alg, rec, len, digest)) != VT_OK ||
	    (rc = digest_extend(alg, pcr, digest)) != VT_OK)
		return rc;
	memcpy(out, pcr, digest_len(alg));
	return VT_OK;
}
