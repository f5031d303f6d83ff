/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm/proto/worker_msg.h"

#include <string.h>

#include "vtpm/state/seal.h"

#define ALL_LOCALITIES 0x1f /* bits 0..4 */

/* Decoders fill a copy and hand it out when every byte was right. */
#define COMMIT(r, tmp, ret)             \
	do {                            \
		int rc_ = rd_end(r);    \
		if (rc_ == VT_OK)       \
			*(ret) = (tmp); \
		return rc_;             \
	} while (0)

static void
check_range(struct rd *r, uint64_t v, uint64_t min, uint64_t max)
{
	if (r->err == VT_OK && (v < min || v > max))
		rd_fail(r, VT_E_RANGE);
}

void
wblob_put(struct wr *w, const struct wblob *b)
{
	wr_blob32(w, b->p, b->len);
}

void
wblob_get(struct rd *r, size_t max, struct wblob *ret)
{
	size_t len = 0;
	const uint8_t *p = rd_blob32(r, max, &len);

	ret->p = len > 0 ? p : NULL;
	ret->len = (uint32_t)len;
}

void
zspawn_put(struct wr *w, const struct zspawn *m)
{
	wr_bytes(w, m->uuid, sizeof(m->uuid));
	wr_be32(w, m->uid);
	wr_be32(w, m->gid);
	wr_u8(w, m->log_level);
	wr_u8(w, m->flags);
}

int
zspawn_get(const uint8_t *data, size_t len, struct zspawn *ret)
{
	struct zspawn m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	rd_bytes(&r, m.uuid, sizeof(m.uuid));
	m.uid = rd_be32(&r);
	m.gid = rd_be32(&r);
	m.log_level = rd_u8(&r);
	m.flags = rd_u8(&r);
	check_range(&r, m.log_level, 0, 7);
	check_range(&r, m.flags, 0, ZS_XEN);
	COMMIT(&r, m, ret);
}

void
zspawned_put(struct wr *w, const struct zspawned *m)
{
	wr_be32(w, m->pid);
	wr_str(w, m->text);
}

int
zspawned_get(const uint8_t *data, size_t len, struct zspawned *ret)
{
	struct zspawned m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.pid = rd_be32(&r);
	rd_str(&r, m.text, sizeof(m.text));
	COMMIT(&r, m, ret);
}

void
zexited_put(struct wr *w, const struct zexited *m)
{
	wr_be32(w, m->pid);
	wr_be32(w, m->status);
}

int
zexited_get(const uint8_t *data, size_t len, struct zexited *ret)
{
	struct zexited m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.pid = rd_be32(&r);
	m.status = rd_be32(&r);
	COMMIT(&r, m, ret);
}

void
wprovision_put(struct wr *w, const struct wprovision *m)
{
	wr_u8(w, m->tpm_version);
	wr_u8(w, m->banks);
}

int
wprovision_get(const uint8_t *data, size_t len, struct wprovision *ret)
{
	struct wprovision m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.tpm_version = rd_u8(&r);
	m.banks = rd_u8(&r);
	check_range(&r, m.tpm_version, TPM_VER_12, TPM_VER_20);
	check_range(&r, m.banks, 0,
	    BANK_SHA1 | BANK_SHA256 | BANK_SHA384 | BANK_SHA512);
	COMMIT(&r, m, ret);
}

void
wprovisioned_put(struct wr *w, const struct wprovisioned *m)
{
	wr_be32(w, (uint32_t)m->rc);
	wr_str(w, m->text);
	wblob_put(w, &m->ek_rsa);
	wblob_put(w, &m->ek_ecc);
	wblob_put(w, &m->ak);
}

int
wprovisioned_get(const uint8_t *data, size_t len, struct wprovisioned *ret)
{
	struct wprovisioned m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.rc = (int32_t)rd_be32(&r);
	rd_str(&r, m.text, sizeof(m.text));
	wblob_get(&r, PUB_MAX_LEN, &m.ek_rsa);
	wblob_get(&r, PUB_MAX_LEN, &m.ek_ecc);
	wblob_get(&r, PUB_MAX_LEN, &m.ak);
	COMMIT(&r, m, ret);
}

void
wcerts_put(struct wr *w, const struct wcerts *m)
{
	uint32_t i;

	wr_bytes(w, m->uuid, sizeof(m->uuid));
	wr_str(w, m->name);
	wr_be32(w, m->group);
	wr_be64(w, m->generation);
	wr_bytes(w, m->key, sizeof(m->key));
	if (m->n > VT_NELEM(m->certs)) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	wr_be32(w, m->n);
	for (i = 0; i < m->n; i++) {
		wr_u8(w, m->certs[i].which);
		wblob_put(w, &m->certs[i].der);
	}
}

int
wcerts_get(const uint8_t *data, size_t len, struct wcerts *ret)
{
	struct wcerts m;
	struct rd r;
	uint32_t i;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	rd_bytes(&r, m.uuid, sizeof(m.uuid));
	rd_str(&r, m.name, sizeof(m.name));
	m.group = rd_be32(&r);
	m.generation = rd_be64(&r);
	rd_bytes(&r, m.key, sizeof(m.key));
	m.n = rd_be32(&r);
	check_range(&r, m.n, 0, VT_NELEM(m.certs));
	for (i = 0; r.err == VT_OK && i < m.n; i++) {
		m.certs[i].which = rd_u8(&r);
		check_range(&r, m.certs[i].which, WCERT_EK_RSA, WCERT_AK);
		wblob_get(&r, CERT_MAX_LEN, &m.certs[i].der);
	}
	COMMIT(&r, m, ret);
}

void
wload_put(struct wr *w, const struct wload *m)
{
	wr_bytes(w, m->uuid, sizeof(m->uuid));
	wr_str(w, m->name);
	wr_u8(w, m->tpm_version);
	wr_u8(w, m->flags);
	wr_be32(w, m->group);
	wr_be64(w, m->generation);
	wr_be64(w, m->version);
	wr_bytes(w, m->key, sizeof(m->key));
	wblob_put(w, &m->permanent);
	wblob_put(w, &m->volatile_);
	wblob_put(w, &m->launch);
}

int
wload_get(const uint8_t *data, size_t len, struct wload *ret)
{
	struct wload m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	rd_bytes(&r, m.uuid, sizeof(m.uuid));
	rd_str(&r, m.name, sizeof(m.name));
	m.tpm_version = rd_u8(&r);
	m.flags = rd_u8(&r);
	check_range(&r, m.tpm_version, TPM_VER_12, TPM_VER_20);
	check_range(&r, m.flags, 0, WLOAD_CRASHED | WLOAD_ROOT);
	m.group = rd_be32(&r);
	m.generation = rd_be64(&r);
	m.version = rd_be64(&r);
	rd_bytes(&r, m.key, sizeof(m.key));
	wblob_get(&r, STATE_MAX_LEN, &m.permanent);
	wblob_get(&r, STATE_MAX_LEN, &m.volatile_);
	wblob_get(&r, 2 * RECORD_MAX_LEN + 16, &m.launch);
	COMMIT(&r, m, ret);
}

void
wopen_put(struct wr *w, const struct wopen *m)
{
	wr_u8(w, m->chan);
	wr_u8(w, m->localities);
}

int
wopen_get(const uint8_t *data, size_t len, struct wopen *ret)
{
	struct wopen m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.chan = rd_u8(&r);
	m.localities = rd_u8(&r);
	check_range(&r, m.chan, CHAN_LOCAL, CHAN_XEN);
	check_range(&r, m.localities, 0, ALL_LOCALITIES);
	COMMIT(&r, m, ret);
}

void
wkeep_put(struct wr *w, const struct wkeep *m)
{
	wr_u8(w, m->chan);
	wr_u8(w, m->localities);
}

int
wkeep_get(const uint8_t *data, size_t len, struct wkeep *ret)
{
	struct wkeep m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.chan = rd_u8(&r);
	m.localities = rd_u8(&r);
	check_range(&r, m.chan, CHAN_LOCAL, CHAN_XEN);
	check_range(&r, m.localities, 0, ALL_LOCALITIES);
	COMMIT(&r, m, ret);
}

void
wxen_put(struct wr *w, const struct wxen *m)
{
	wr_u8(w, m->connect);
	wr_u8(w, m->localities);
	wr_be32(w, m->domid);
	wr_be32(w, m->gref);
	wr_be32(w, m->port);
	wr_u8(w, m->resumed);
}

int
wxen_get(const uint8_t *data, size_t len, struct wxen *ret)
{
	struct wxen m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.connect = rd_u8(&r);
	m.localities = rd_u8(&r);
	m.domid = rd_be32(&r);
	m.gref = rd_be32(&r);
	m.port = rd_be32(&r);
	m.resumed = rd_u8(&r);
	check_range(&r, m.connect, 0, 1);
	check_range(&r, m.localities, 0, ALL_LOCALITIES);
	check_range(&r, m.resumed, 0, 1);
	COMMIT(&r, m, ret);
}

void
wlaunch_put(struct wr *w, const struct wlaunch *m)
{
	wr_u8(w, m->mode);
	wblob_put(w, &m->record);
	wblob_put(w, &m->log);
}

int
wlaunch_get(const uint8_t *data, size_t len, struct wlaunch *ret)
{
	struct wlaunch m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.mode = rd_u8(&r);
	check_range(&r, m.mode, LAUNCH_FIRMWARE, LAUNCH_DIRECT);
	wblob_get(&r, RECORD_MAX_LEN, &m.record);
	wblob_get(&r, RECORD_MAX_LEN, &m.log);
	COMMIT(&r, m, ret);
}

void
wquery_put(struct wr *w, const struct wquery *m)
{
	wr_u8(w, m->what);
}

int
wquery_get(const uint8_t *data, size_t len, struct wquery *ret)
{
	struct wquery m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.what = rd_u8(&r);
	COMMIT(&r, m, ret);
}

void
wanswer_put(struct wr *w, const struct wanswer *m)
{
	wr_be32(w, (uint32_t)m->rc);
	wblob_put(w, &m->data);
}

int
wanswer_get(const uint8_t *data, size_t len, struct wanswer *ret)
{
	struct wanswer m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.rc = (int32_t)rd_be32(&r);
	wblob_get(&r, STATE_MAX_LEN, &m.data);
	COMMIT(&r, m, ret);
}

void
wstored_put(struct wr *w, const struct wstored *m)
{
	wr_be32(w, (uint32_t)m->rc);
	wr_be64(w, m->version);
	wr_be64(w, m->generation);
}

int
wstored_get(const uint8_t *data, size_t len, struct wstored *ret)
{
	struct wstored m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.rc = (int32_t)rd_be32(&r);
	m.version = rd_be64(&r);
	m.generation = rd_be64(&r);
	COMMIT(&r, m, ret);
}

void
wmanager_put(struct wr *w, const struct wmanager *m)
{
	wr_u8(w, m->storage_ok);
	wr_u8(w, m->soft_root);
	wr_u8(w, m->no_growth);
	wr_str(w, m->build);
}

int
wmanager_get(const uint8_t *data, size_t len, struct wmanager *ret)
{
	struct wmanager m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.storage_ok = rd_u8(&r);
	m.soft_root = rd_u8(&r);
	m.no_growth = rd_u8(&r);
	check_range(&r, m.storage_ok, 0, 1);
	check_range(&r, m.soft_root, 0, 1);
	check_range(&r, m.no_growth, 0, 1);
	rd_str(&r, m.build, sizeof(m.build));
	COMMIT(&r, m, ret);
}

void
wdone_put(struct wr *w, const struct wdone *m)
{
	wr_be32(w, (uint32_t)m->rc);
	wr_str(w, m->text);
}

int
wdone_get(const uint8_t *data, size_t len, struct wdone *ret)
{
	struct wdone m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.rc = (int32_t)rd_be32(&r);
	rd_str(&r, m.text, sizeof(m.text));
	COMMIT(&r, m, ret);
}

void
whello_put(struct wr *w, const struct whello *m)
{
	wr_bytes(w, m->uuid, sizeof(m->uuid));
	wr_be32(w, m->pid);
	wr_be32(w, m->flags);
	wr_be64(w, m->generation);
	wr_be64(w, m->version);
	wr_be32(w, m->power_cycles);
}

int
whello_get(const uint8_t *data, size_t len, struct whello *ret)
{
	struct whello m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	rd_bytes(&r, m.uuid, sizeof(m.uuid));
	m.pid = rd_be32(&r);
	m.flags = rd_be32(&r);
	m.generation = rd_be64(&r);
	m.version = rd_be64(&r);
	m.power_cycles = rd_be32(&r);
	COMMIT(&r, m, ret);
}

void
wstore_put(struct wr *w, const struct wstore *m)
{
	wr_u8(w, m->kind);
	wr_u8(w, m->flags);
	wr_be64(w, m->generation);
	wr_be64(w, m->version);
	wr_bytes(w, m->digest, sizeof(m->digest));
	wblob_put(w, &m->blob);
}

int
wstore_get(const uint8_t *data, size_t len, struct wstore *ret)
{
	struct wstore m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.kind = rd_u8(&r);
	m.flags = rd_u8(&r);
	check_range(&r, m.kind, SEAL_PERMANENT, SEAL_SNAP_VOLATILE);
	check_range(&r, m.flags, 0, WS_FIRST | WS_RESTORE);
	m.generation = rd_be64(&r);
	m.version = rd_be64(&r);
	rd_bytes(&r, m.digest, sizeof(m.digest));
	wblob_get(&r, STATE_MAX_LEN, &m.blob);
	COMMIT(&r, m, ret);
}

void
wevent_put(struct wr *w, const struct wevent *m)
{
	wr_u8(w, m->code);
	wr_str(w, m->text);
}

int
wevent_get(const uint8_t *data, size_t len, struct wevent *ret)
{
	struct wevent m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.code = rd_u8(&r);
	check_range(&r, m.code, WE_POWER_CYCLE, WE_LAUNCH_OVER);
	rd_str(&r, m.text, sizeof(m.text));
	COMMIT(&r, m, ret);
}
