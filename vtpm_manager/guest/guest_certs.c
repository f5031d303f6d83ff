/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_certs.c - certificates of vTPMs' AKs are short-lived: renewed when a
 * third of their life is left, at a start and once a day, one after the other.
 * On a host that was recovered on another TPM the CA is another one: then all
 * of a vTPM's certificates are reissued; its keys stay.
 *
 * A TPM 1.2 has its EK's certificate in an NV index that is locked for good
 * (the D bit and bWriteDefine, as TCG's PC Client wants it), and no command to
 * fetch another one: there the operator hands the new one out, `vtpmctl show
 * --certs`.
 *
 * A certificate says that this manager, on this host's TPM, recently vouched
 * for the vTPM; so none is renewed while the host is in no approved state.
 */
#include "vtpm_manager/guest/guest_certs.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/util.h"
#include "measure/cert/x509_cert.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_identity.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/guest/guests_priv.h"
#include "vtpm_manager/host/host_keys.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_guest.h"

#define DAY_S 86400u
#define LOOKS 12 /* in one life of a certificate, at least */

struct akcerts {
	struct mgr *m;
	sd_event_source *timer, *step;
	/* The one that is being renewed. */
	bool busy;
	uint8_t uuid[UUID_LEN];
	json_t *id;                /* what is kept of its keys */
	bool anew;                 /* all of them, by another CA than before */
	bool stale;                /* its keys changed meanwhile: look again */
	uint32_t n;                /* keys that were asked for */
	uint8_t key[HW_CERTS_MAX]; /* their places in keys[] */
};

#define KEYS 3
static const struct {
	const char *name;
	uint8_t which;
} keys[KEYS] = {
	{ "ak", WCERT_AK }, /* the one that is short-lived */
	{ "ek_rsa", WCERT_EK_RSA },
	{ "ek_ecc", WCERT_EK_ECC },
};
_Static_assert(KEYS <= HW_CERTS_MAX, "one request is enough");

uint32_t
guest_ak_seconds(const struct mgr *m)
{
	return m->cfg.ak_cert_s != 0 ? m->cfg.ak_cert_s
				     : m->cfg.ak_cert_days * DAY_S;
}

/* --- what is kept ----------------------------------------------------------
 */

static const char *
key_text(const json_t *id, uint32_t i, const char *what)
{
	return json_string_value(
	    json_object_get(json_object_get(id, keys[i].name), what));
}

/* One certificate, or it and its issuing key's, one behind the other: PEM to
 * DER; heap. */
static int
pem_to_der(const char *pem, uint8_t **ret, size_t *ret_len)
{
	BIO *b = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
	uint8_t *out = malloc(CHAIN_MAX_LEN), *p = out;
	X509 *x = NULL;
	int n;

	while (b != NULL && out != NULL &&
	       (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
		n = i2d_X509(x, NULL);
		if (n <= 0 || n > CHAIN_MAX_LEN - (p - out))
			break;
		(void)i2d_X509(x, &p);
		X509_free(x);
	}
	BIO_free(b);
	ERR_clear_error();
	if (x != NULL || p == out) {
		X509_free(x);
		free(out);
		return VT_E_FORMAT;
	}
	*ret = out;
	*ret_len = (size_t)(p - out);
	return VT_OK;
}

static int
cert_of(const json_t *id, uint32_t i, uint8_t **ret, size_t *ret_len)
{
	return pem_to_der(key_text(id, i, "certificate"), ret, ret_len);
}

/* Did another CA than the present one issue any of them? */
static bool
is_foreign(const struct mgr *m, const json_t *id)
{
	bool foreign = false;
	uint8_t *der;
	size_t len;
	uint32_t i;

	for (i = 0; i < KEYS && !foreign; i++) {
		der = NULL;
		foreign =
		    m->ca_cert != NULL && cert_of(id, i, &der, &len) == VT_OK &&
		    x509_issued_by(der, len, m->ca_cert, m->ca_cert_len) ==
			VT_E_AUTH;
		free(der);
	}
	return foreign;
}

/* A certificate is valid from before it was made, for clocks that are wrong. */
static bool
is_due(const struct mgr *m, const json_t *id)
{
	time_t from, until, now = (time_t)(wall_ms() / 1000);
	time_t life = (time_t)guest_ak_seconds(m);
	uint8_t *der = NULL;
	size_t len;
	int rc;

	if (key_text(id, 0, "public") != NULL &&
	    key_text(id, 0, "certificate") == NULL)
		return true; /* a new AK */
	if ((rc = cert_of(id, 0, &der, &len)) == VT_OK)
		rc = x509_cert_times(der, len, &from, &until);
	free(der);
	if (rc != VT_OK)
		return false;
	if (until - from < life)
		life = until - from;
	return now >= until - life / 3;
}

/* --- the worker -------------------------------------------------------------
 */

static void
on_taken(void *arg, int rc, const struct msg *msg)
{
	char text[TEXT_MAX_LEN + 1];

	(void)arg;
	rc = wlink_done_rc(rc, msg, text, sizeof(text));
	if (rc != VT_OK && rc != VT_E_CLOSED)
		log_warn("a worker refused a certificate: %s", text);
}

static void
tell_one(struct guest_run *g, uint8_t which, const uint8_t *der, size_t len)
{
	struct wakcert m = { { der, (uint32_t)len }, which };
	uint8_t buf[CHAIN_MAX_LEN + 8];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wakcert, &m);
	if (wr_err(&w) != VT_OK || g->link == NULL ||
	    wlink_request(g->link, W_AKCERT, &w, NULL, 0, 0, on_taken, NULL) !=
		VT_OK)
		log_warn("guest %s: its newest certificate could not be sent "
			 "to the worker",
		    g->in.name);
}

/* Its EKs' are the ones it was made with, unless it says otherwise. */
static void
tell_worker(struct guest_run *g, const json_t *id)
{
	uint32_t i, n = json_object_get(id, "reissued_ms") != NULL ? KEYS : 1;
	uint8_t *der;
	size_t len;

	if (g->in.tpm_version != TPM_VER_20)
		return; /* it has no place for another one, see above */
	for (i = 0; i < n; i++) {
		der = NULL;
		if (cert_of(id, i, &der, &len) == VT_OK)
			tell_one(g, keys[i].which, der, len);
		free(der);
	}
}

/* --- one renewal
 * -------------------------------------------------------------- */

static void next_soon(struct akcerts *a);

static void
done(struct akcerts *a)
{
	json_decref(a->id);
	a->id = NULL;
	a->busy = false;
	next_soon(a);
}

static void
on_durable(void *arg, int rc)
{
	struct akcerts *a = arg;
	struct guest_run *g = guest_live(a->m, a->uuid);

	if (rc != VT_OK)
		log_warn("a renewed AK certificate could not be stored: %s",
		    vt_strerror(rc));
	else if (g != NULL && g->st == IS_RUNNING && !a->stale)
		tell_worker(g, a->id);
	done(a);
}

static const char *
not_renewed(const struct akcerts *a)
{
	return a->anew ? "its certificates are of another CA and are not "
			 "reissued now"
		       : "its AK's certificate is not renewed";
}

static int
keep(struct akcerts *a, const struct hw_certed *hc)
{
	json_t *key;
	uint32_t i;

	for (i = 0; i < hc->n; i++) {
		key = json_object_get(a->id, keys[a->key[i]].name);
		if (json_object_set_new(key, "certificate",
			guest_json_chain(&hc->certs[i], &hc->issuer)) != 0)
			return VT_E_NOMEM;
	}
	if (a->anew && json_object_set_new(a->id, "reissued_ms",
			   json_integer((json_int_t)wall_ms())) != 0)
		return VT_E_NOMEM;
	return guest_identity_keep(a->m, a->uuid, a->id);
}

/* What a verifier may be shown is listed: after a theft, the key of which day
 * it was can be told from the others. */
void
guest_issuer_seen(struct mgr *m, const struct wblob *issuer)
{
	char hex[2 * SHA256_LEN + 1];
	uint8_t d[SHA256_LEN];

	if (issuer->len == 0 ||
	    digest_buf(ALG_SHA256, issuer->p, issuer->len, d) != VT_OK ||
	    memcmp(d, m->issuer_seen, sizeof(d)) == 0)
		return;
	memcpy(m->issuer_seen, d, sizeof(d));
	hex_encode(d, sizeof(d), hex);
	audit_log(m, "manager", "issuing-key", "", "ok",
	    "certifies vTPMs for a day: certificate sha256 %s", hex);
}

static void
on_certed(void *arg, const struct hw_answer *ans)
{
	struct akcerts *a = arg;
	const char *why = ans->text;
	struct hw_certed hc;
	struct guest in;
	int rc = ans->rc;

	if (rc == VT_OK)
		rc = msg_get(hw_certed, ans->body, ans->body_len, &hc);
	if (rc == VT_OK && hc.n != a->n)
		rc = VT_E_PROTO;
	if (rc == VT_OK)
		guest_issuer_seen(a->m, &hc.issuer);
	if (rc == VT_OK && !a->stale)
		rc = keep(a, &hc);
	if (store_guest_get(a->m->st, a->uuid, &in) != VT_OK || a->stale) {
		done(a); /* destroyed meanwhile, or looked at again */
		return;
	}
	if (rc == VT_OK) {
		if (a->anew)
			audit_log(a->m, "manager", "reissue-certs", in.name,
			    "ok",
			    "certificates: reissued by the new CA, "
			    "generation %llu",
			    (unsigned long long)in.generation);
		else
			audit_log(a->m, "manager", "renew-ak-cert", in.name,
			    "ok", "for %u s", (unsigned)guest_ak_seconds(a->m));
		commit_soon(a->m, on_durable, a);
		return;
	}
	log_warn("guest %s: %s: %s", in.name, not_renewed(a),
	    why[0] != '\0' ? why : vt_strerror(rc));
	done(a);
}

static int
ask_cert(struct akcerts *a, const struct guest *in)
{
	struct hw_certs hc = { .n = 0 };
	uint8_t pub[KEYS][PUB_MAX_LEN];
	const char *hex;
	struct wr w;
	uint32_t i;
	size_t len;
	int rc;

	for (i = 0; i < (a->anew ? KEYS : 1); i++) {
		if ((hex = key_text(a->id, i, "public")) == NULL)
			continue;
		if (hex_decode(hex, pub[i], sizeof(pub[i]), &len) != VT_OK)
			return VT_E_FORMAT;
		a->key[hc.n] = (uint8_t)i;
		hc.keys[hc.n].which = keys[i].which;
		hc.keys[hc.n++].pub = (struct wblob){ pub[i], (uint32_t)len };
	}
	if ((a->n = hc.n) == 0)
		return VT_E_FORMAT;
	memcpy(hc.uuid, in->uuid, UUID_LEN);
	memcpy(hc.name, in->name, sizeof(hc.name));
	hc.group = in->group;
	hc.generation = in->generation;
	hc.tpm_version = in->tpm_version;
	hc.ak_seconds = guest_ak_seconds(a->m);
	wr_grow(&w, 8192);
	msg_put(&w, hw_certs, &hc);
	rc = hwlink_request(a->m->hw, HW_CERTS, &w, on_certed, a);
	wr_free(&w);
	return rc;
}

/* Not while the host is in a state that is not approved: then it must not vouch
 * for a vTPM, and older certificates expire. */
static void
on_state(void *arg, const struct hw_answer *ans)
{
	struct akcerts *a = arg;
	struct guest in;
	int rc;

	if (store_guest_get(a->m->st, a->uuid, &in) != VT_OK) {
		done(a);
		return;
	}
	if (!host_keys_approved(a->m, ans)) {
		audit_log(a->m, "manager",
		    a->anew ? "reissue-certs" : "renew-ak-cert", in.name,
		    "refused",
		    "the host is in no approved state now (vtpmctl host "
		    "status)");
		done(a);
		return;
	}
	if ((rc = ask_cert(a, &in)) == VT_OK)
		return;
	log_warn("guest %s: %s: %s", in.name, not_renewed(a), vt_strerror(rc));
	done(a);
}

/* Renew this one, if it is due; false: it is not. */
static bool
one(struct akcerts *a, const uint8_t uuid[UUID_LEN])
{
	struct guest in;
	int rc;

	if (store_guest_get(a->m->st, uuid, &in) != VT_OK || in.tampered ||
	    (a->id = guest_identity(a->m, &in)) == NULL)
		return false;
	a->anew = is_foreign(a->m, a->id);
	if (a->anew || is_due(a->m, a->id)) {
		memcpy(a->uuid, uuid, UUID_LEN);
		a->busy = true;
		a->stale = false;
		rc = hwlink_request(a->m->hw, HW_PCRS, NULL, on_state, a);
		if (rc == VT_OK)
			return true;
		log_warn("guest %s: %s: %s", in.name, not_renewed(a),
		    vt_strerror(rc));
		a->busy = false;
	}
	json_decref(a->id);
	a->id = NULL;
	return false;
}

/* The next guest whose certificate is due for a check (guest_run.ak_wanted). */
static struct guest_run *
wanted(const struct akcerts *a)
{
	struct guest_run *g;

	LIST_FOREACH(g, &a->m->guests->list, entry)
		if (g->ak_wanted)
			return g;
	return NULL;
}

static int
on_step(sd_event_source *s, uint64_t usec, void *arg)
{
	struct akcerts *a = arg;
	struct guest_run *g;

	(void)s;
	(void)usec;
	if (a->busy || (g = wanted(a)) == NULL)
		return 0;
	g->ak_wanted = false;
	if (!one(a, g->in.uuid))
		next_soon(a);
	return 0;
}

static void
next_soon(struct akcerts *a)
{
	if (wanted(a) != NULL &&
	    loop_timer(a->m, &a->step, 0, LOOP_PRIO_IDLE, on_step, a) != VT_OK)
		log_warn("cannot set a timer: AK certificates are renewed "
			 "later");
}

void
guest_ak_ready(struct guest_run *g)
{
	json_t *id;

	if (g->m->guests->akcerts == NULL)
		return;
	id = guest_identity(g->m, &g->in);
	tell_worker(g, id);
	json_decref(id);
	g->ak_wanted = true;
	next_soon(g->m->guests->akcerts);
}

void
guest_ak_changed(struct guest_run *g)
{
	struct akcerts *a = g->m->guests->akcerts;

	if (a == NULL)
		return;
	if (a->busy && memcmp(a->uuid, g->in.uuid, UUID_LEN) == 0)
		a->stale = true;
	g->ak_wanted = true;
	next_soon(a);
}

/* --- the clock
 * ------------------------------------------------------------------ */

static int
on_clock(sd_event_source *s, uint64_t usec, void *arg)
{
	struct akcerts *a = arg;
	uint64_t every = guest_ak_seconds(a->m) / LOOKS;
	struct guest_run *g;

	(void)s;
	(void)usec;
	LIST_FOREACH(g, &a->m->guests->list, entry)
		g->ak_wanted |= g->st == IS_RUNNING;
	next_soon(a);
	if (every > DAY_S)
		every = DAY_S;
	if (every == 0)
		every = 1;
	if (loop_timer(a->m, &a->timer, every * 1000, LOOP_PRIO_IDLE, on_clock,
		a) != VT_OK)
		log_warn("cannot set a timer: AK certificates are renewed at "
			 "starts only");
	return 0;
}

int
guest_ak_new(struct mgr *m)
{
	struct akcerts *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return VT_E_NOMEM;
	a->m = m;
	m->guests->akcerts = a;
	return on_clock(NULL, 0, a) == 0 ? VT_OK : VT_E_SYS;
}

void
guest_ak_free(struct mgr *m)
{
	struct akcerts *a = m->guests != NULL ? m->guests->akcerts : NULL;

	if (a == NULL)
		return;
	commit_forget(m, a);
	if (m->hw != NULL)
		hwlink_forget(m->hw, a);
	(void)sd_event_source_disable_unref(a->timer);
	(void)sd_event_source_disable_unref(a->step);
	json_decref(a->id);
	free(a);
	m->guests->akcerts = NULL;
}
