/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/host/host_keys.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_meta.h"

#define META_KEY "host.approvals"
#define META_VERSION 1
#define KV_SEQ "host.sequence" /* a hint while the store is closed */

int
host_keys_new(struct mgr *m, const struct host_keys_events *events)
{
	if ((m->host = calloc(1, sizeof(*m->host))) == NULL)
		return VT_E_NOMEM;
	m->host->m = m;
	m->host->events = events;
	return VT_OK;
}

void
host_keys_free(struct mgr *m)
{
	if (m->host == NULL)
		return;
	free(m->host->blob);
	free(m->host);
	m->host = NULL;
}

bool
host_keys_sealed(const struct mgr *m)
{
	return m->start == START_SEALED;
}

void
host_keys_op_done(struct host_keys *h, int rc, const char *fmt, ...)
{
	struct host_keys_op op = h->op;
	va_list ap;

	if (op.cb == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(op.text, sizeof(op.text), fmt, ap);
	va_end(ap);
	memset(&h->op, 0, sizeof(h->op));
	audit_log(h->m, op.who, op.action, "", rc == VT_OK ? "ok" : "refused",
	    "%.250s", op.text);
	op.cb(op.arg, rc, op.text);
}

int
host_keys_config_key(
    struct mgr *m, uint8_t key[APPROVAL_KEY_LEN], struct wblob *ret)
{
	uint8_t *pem = NULL;
	size_t len;
	int rc;

	if (m->cfg.approval_key[0] == '\0')
		return VT_OK;
	if ((rc = read_file(m->cfg.approval_key, 65536, &pem, &len)) == VT_OK)
		rc = approval_key_read(pem, len, key);
	free(pem);
	if (rc != VT_OK) {
		log_err("approval_key %s: %s", m->cfg.approval_key,
		    rc == VT_E_UNSUPPORTED ? "it must be an ECDSA key on P-256"
					   : vt_strerror(rc));
		return rc;
	}
	ret->p = key;
	ret->len = APPROVAL_KEY_LEN;
	return VT_OK;
}

void
host_keys_new_store(struct mgr *m)
{
	if (m->host->bound)
		log_warn("the next start needs an approved state of this host, "
			 "and none is approved yet: \"vtpmctl host approve "
			 "--current --key KEY.pem\"");
}

/* --- the blob ------------------------------------------------------------- */

static void
raise_seq(struct host_keys *h)
{
	if (h->ap.n > 0 && h->ap.one[h->ap.n - 1].a.sequence > h->last_seq)
		h->last_seq = h->ap.one[h->ap.n - 1].a.sequence;
}

static void
read_hint(struct host_keys *h)
{
	uint8_t *p = NULL;
	size_t len;

	if (store_kv_get(h->m->st, KV_SEQ, &p, &len) != VT_OK)
		return;
	if (len == 8 && be64_get(p) > h->last_seq)
		h->last_seq = be64_get(p);
	free(p);
}

static int
read_folder(struct host_keys *h)
{
	int rc;

	if (!h->bound) {
		memset(&h->ap, 0, sizeof(h->ap));
		return VT_OK;
	}
	rc = approvals_read(h->m->cfg.state, h->key, h->epoch_name, &h->ap);
	if (rc != VT_OK)
		return rc;
	if (h->ap.others > 0)
		log_info("%u file(s) in %s/" APPROVALS_FOLDER " are not "
			 "approvals of this host by its key: ignored",
		    h->ap.others, h->m->cfg.state);
	raise_seq(h);
	read_hint(h);
	return VT_OK;
}

int
host_keys_take_blob(struct mgr *m, const uint8_t *p, size_t len)
{
	struct host_keys *h = m->host;
	struct hwblob b;
	uint8_t *copy;

	if ((copy = malloc(len + 1)) == NULL)
		return VT_E_NOMEM;
	memcpy(copy, p, len);
	free(h->blob);
	h->blob = copy;
	h->blob_len = len;
	h->bound = h->counters = false;
	/* hwtpm will refuse what cannot be read, with the reason. */
	if (hwblob_get(copy, len, &b) != VT_OK)
		return VT_OK;
	h->bound = b.policy == HWPOL_APPROVED;
	if (h->bound)
		memcpy(h->key, b.approval_key.p, sizeof(h->key));
	h->counters = b.nv[HWC_EPOCH - 1].name.len == sizeof(h->epoch_name);
	if (h->counters)
		memcpy(h->epoch_name, b.nv[HWC_EPOCH - 1].name.p,
		    sizeof(h->epoch_name));
	return read_folder(h);
}

int
host_keys_tell_link(struct mgr *m)
{
	struct host_keys *h = m->host;
	struct hw_load l = { .root = m->root_kind,
		.host_blob = { .p = h->blob, .len = (uint32_t)h->blob_len } };

	approvals_list(&h->ap, &l.n, l.approvals);
	return hwlink_set_host(m->hw, &l);
}

static void
on_told(void *arg, const struct hw_answer *a)
{
	(void)arg;
	if (a->rc != VT_OK)
		log_warn("vtpm-hwtpm refused the approvals: %s", a->text);
}

int
host_keys_tell(struct host_keys *h)
{
	struct hw_approvals a = { 0 };
	struct wr w;
	int rc;

	approvals_list(&h->ap, &a.n, a.approvals);
	wr_grow(&w, 65536);
	msg_put(&w, hw_approvals, &a);
	rc = hwlink_request(h->m->hw, HW_APPROVALS, &w, on_told, h);
	wr_free(&w);
	/* A sealed manager's next vtpm-hwtpm must not try by itself. */
	if (rc == VT_OK && !host_keys_sealed(h->m))
		rc = host_keys_tell_link(h->m);
	return rc;
}

/* --- loading, or sealed --------------------------------------------------- */

static void
seal(struct host_keys *h, const char *why)
{
	bool first = !host_keys_sealed(h->m);

	(void)snprintf(h->why, sizeof(h->why), "%s", why);
	log_err("SEALED: %s", why);
	if (first && h->m->cfg.recover)
		log_err(
		    "to move this store to this TPM, provide the shares of its "
		    "operators: \"vtpmctl host recover OPENED-SHARE...\"");
	else if (first)
		log_err("no vTPM starts until this state of the host is "
			"approved: \"vtpmctl host status\" shows what differs, "
			"\"vtpmctl host approve --current --key KEY.pem\" "
			"approves it");
	h->events->sealed(h->m);
}

static void
on_load(void *arg, const struct hw_answer *a)
{
	struct host_keys *h = arg;
	int rc;

	if ((a->rc == VT_E_POLICY && h->bound) ||
	    (a->rc != VT_OK && h->m->cfg.recover)) {
		seal(h, a->text);
		host_keys_op_done(h, a->rc, "still sealed: %s", a->text);
		return;
	}
	if (a->rc == VT_OK) {
		if (host_keys_sealed(h->m))
			log_info("the host is in an approved state again");
		if ((rc = host_keys_tell_link(h->m)) != VT_OK) {
			loop_fatal(h->m, "out of memory");
			return;
		}
	}
	h->events->loaded(h->m, a);
	if (a->rc == VT_OK)
		host_keys_op_done(h, VT_OK,
		    "the host's TPM gives the master key again: the manager "
		    "starts");
	else
		host_keys_op_done(h, a->rc, "%s", a->text);
}

static int
ask_load(struct host_keys *h, hw_cb cb)
{
	struct hw_load l = { .root = h->m->root_kind,
		.host_blob = { .p = h->blob, .len = (uint32_t)h->blob_len } };
	struct wr w;
	int rc;

	approvals_list(&h->ap, &l.n, l.approvals);
	wr_grow(&w, 65536);
	msg_put(&w, hw_load, &l);
	rc = hwlink_request(h->m->hw, HW_LOAD, &w, cb, h);
	wr_free(&w);
	return rc;
}

int
host_keys_retry(struct host_keys *h)
{
	return ask_load(h, on_load);
}

int
host_keys_remind(struct host_keys *h)
{
	return host_keys_sealed(h->m) ? ask_load(h, NULL) : VT_E_STATE;
}

int
host_keys_load(struct mgr *m)
{
	return host_keys_retry(m->host);
}

/* --- what the store remembers --------------------------------------------- */

struct memory {
	uint8_t key[SHA256_LEN];
	uint64_t last;
	uint32_t n;
	struct {
		uint64_t seq;
		uint8_t digest[SHA256_LEN];
	} one[HW_APPROVALS_MAX];
};

int
host_keys_remember(struct host_keys *h)
{
	uint8_t buf[1024], digest[SHA256_LEN], seq[8];
	struct wr w;
	uint32_t i;
	int rc;

	wr_init(&w, buf, sizeof(buf));
	wr_be16(&w, META_VERSION);
	if ((rc = digest_buf(ALG_SHA256, h->key, sizeof(h->key), digest)) !=
	    VT_OK)
		return rc;
	wr_bytes(&w, digest, sizeof(digest));
	wr_be64(&w, h->last_seq);
	wr_be32(&w, h->ap.n);
	for (i = 0; i < h->ap.n; i++) {
		rc = digest_buf(
		    ALG_SHA256, h->ap.one[i].raw, h->ap.one[i].len, digest);
		if (rc != VT_OK)
			return rc;
		wr_be64(&w, h->ap.one[i].a.sequence);
		wr_bytes(&w, digest, sizeof(digest));
	}
	if ((rc = wr_err(&w)) != VT_OK ||
	    (rc = store_meta_put(h->m->st, META_KEY, buf, w.len)) != VT_OK)
		return rc;
	be64_put(seq, h->last_seq);
	return store_kv_put(h->m->st, KV_SEQ, seq, sizeof(seq));
}

static int
recall(struct host_keys *h, struct memory *ret)
{
	struct memory mem = { 0 };
	uint8_t *p = NULL, key[SHA256_LEN];
	size_t len = 0;
	struct rd r;
	uint32_t i;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if ((rc = store_meta_get(h->m->st, META_KEY, &p, &len)) != VT_OK)
		return rc == VT_E_NOTFOUND ? VT_OK : rc;
	rd_init(&r, p, len);
	if (rd_be16(&r) != META_VERSION)
		rd_fail(&r, VT_E_UNSUPPORTED);
	rd_bytes(&r, mem.key, sizeof(mem.key));
	mem.last = rd_be64(&r);
	mem.n = rd_be32(&r);
	if (r.err == VT_OK && mem.n > HW_APPROVALS_MAX)
		rd_fail(&r, VT_E_RANGE);
	for (i = 0; r.err == VT_OK && i < mem.n; i++) {
		mem.one[i].seq = rd_be64(&r);
		rd_bytes(&r, mem.one[i].digest, SHA256_LEN);
	}
	rc = rd_end(&r);
	free(p);
	if (rc == VT_OK)
		rc = digest_buf(ALG_SHA256, h->key, sizeof(h->key), key);
	/* Of another key: numbers start again. */
	if (rc == VT_OK && memcmp(key, mem.key, sizeof(key)) == 0)
		*ret = mem;
	return rc;
}

static bool
remembered(const struct memory *mem, const struct approvals_one *o)
{
	uint8_t digest[SHA256_LEN];
	uint32_t i;

	if (digest_buf(ALG_SHA256, o->raw, o->len, digest) != VT_OK)
		return false;
	for (i = 0; i < mem->n; i++)
		if (mem->one[i].seq == o->a.sequence &&
		    memcmp(mem->one[i].digest, digest, sizeof(digest)) == 0)
			return true;
	return false;
}

/* Remove approvals restored from a copy; returns how many. */
static uint32_t
sort_out(struct host_keys *h, const struct memory *mem)
{
	struct approvals *ap = &h->ap;
	uint32_t i, bad = 0;

	for (i = 0; i < ap->n;) {
		const struct approvals_one *o = &ap->one[i];

		if (remembered(mem, o)) {
			i++;
			continue;
		}
		if (o->a.sequence > mem->last) {
			audit_log(h->m, "manager", "host-approve", o->a.label,
			    "ok", "found in the folder, sequence %llu",
			    (unsigned long long)o->a.sequence);
			i++;
			continue;
		}
		audit_log(h->m, "manager", "host-approve", o->a.label,
		    "refused",
		    "sequence %llu is not above %llu: a revoked approval was "
		    "restored from an old file",
		    (unsigned long long)o->a.sequence,
		    (unsigned long long)mem->last);
		approvals_remove(h->m->cfg.state, o->a.sequence);
		memmove(&ap->one[i], &ap->one[i + 1],
		    (ap->n - i - 1) * sizeof(ap->one[0]));
		ap->n--;
		bad++;
	}
	return bad;
}

bool
host_keys_bound(const struct mgr *m)
{
	return m->host != NULL && m->host->bound;
}

bool
host_keys_must_fit(const struct mgr *m)
{
	/* Not ap.n, which a revocation may have brought back to none. */
	return host_keys_bound(m) && m->host->last_seq > 0;
}

void
host_keys_fits(struct host_keys *h, const struct approval *a)
{
	struct pcr_sel *sel = &h->m->deep_pcrs;

	if (h->m->cfg.deep_pcrs.n != 0)
		return;
	sel->n = 1;
	sel->banks[0].alg = a->pcrs.banks[0].alg;
	sel->banks[0].mask = a->pcrs.banks[0].valid;
}

bool
host_keys_approved(struct mgr *m, const struct hw_answer *a)
{
	struct host_keys *h = m->host;
	struct pcr_set now;
	struct hw_pcrs p;
	char text[256];
	uint32_t i;

	if (!host_keys_bound(m))
		return true;
	if (a->rc != VT_OK ||
	    msg_get(hw_pcrs, a->body, a->body_len, &p) != VT_OK ||
	    pcr_set_decode(p.pcrs.p, p.pcrs.len, &now) != VT_OK)
		return false;
	for (i = h->ap.n; i-- > 0;)
		if (h->ap.one[i].a.epoch >= p.epoch &&
		    approval_compare(
			&h->ap.one[i].a, &now, text, sizeof(text)) == VT_OK) {
			host_keys_fits(h, &h->ap.one[i].a);
			return true;
		}
	return false;
}

/* The TPM released the key, but by an approval known to the store? */
static void
on_checked(void *arg, const struct hw_answer *a)
{
	struct host_keys *h = arg;

	if (host_keys_approved(h->m, a)) {
		h->go(h->m);
		return;
	}
	loop_fatal(h->m,
	    "the host is in a state whose revoked approval was restored from "
	    "an "
	    "old file (see the audit log): approve this state again, "
	    "or raise the epoch (vtpmctl host revoke) in a good state");
}

/* The TPM released it by one of those: which one only matters to quotes. */
static void
on_known(void *arg, const struct hw_answer *a)
{
	struct host_keys *h = arg;

	(void)host_keys_approved(h->m, a);
	h->go(h->m);
}

/* The setting applies to new stores only. */
static void
warn_of_other_key(struct host_keys *h)
{
	uint8_t key[APPROVAL_KEY_LEN];
	struct wblob b = { NULL, 0 };

	if (host_keys_config_key(h->m, key, &b) != VT_OK || b.len == 0)
		return;
	if (!h->bound || memcmp(key, h->key, sizeof(key)) != 0)
		log_warn("approval_key is not the key that this store is bound "
			 "to%s: "
			 "\"vtpmctl host bind\" changes that, the setting "
			 "does not",
		    h->bound ? "" : ", which is no key");
}

void
host_keys_unlocked(struct mgr *m, void (*go)(struct mgr *m))
{
	struct host_keys *h = m->host;
	struct memory mem;
	uint32_t bad;
	int rc;

	h->go = go;
	warn_of_other_key(h);
	if (!h->bound) {
		go(m);
		return;
	}
	if ((rc = recall(h, &mem)) != VT_OK) {
		/* The store reports the damage. */
		log_warn("the store's list of approvals cannot be read: %s",
		    vt_strerror(rc));
		go(m);
		return;
	}
	bad = sort_out(h, &mem);
	h->last_seq = mem.last;
	raise_seq(h);
	if ((rc = host_keys_remember(h)) == VT_OK)
		rc = host_keys_tell(h);
	if (rc != VT_OK && rc != VT_E_CORRUPT) {
		loop_fatal(m, "approvals: %s", vt_strerror(rc));
		return;
	}
	if (hwlink_request(m->hw, HW_PCRS, NULL,
		bad == 0 ? on_known : on_checked, h) != VT_OK)
		loop_fatal(m, "out of memory");
}
