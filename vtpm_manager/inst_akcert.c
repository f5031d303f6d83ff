/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * inst_akcert.c - certificates of vTPMs' AKs are short-lived: renewed when a
 * third of their life is left, at a start and once a day, one after the other.
 *
 * A certificate says that this manager, on this host's TPM, stood behind the
 * vTPM lately; so none is renewed while the host is in no approved state.
 */
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "measure/x509.h"
#include "vtpm_manager/hwlink.h"
#include "vtpm_manager/inst.h"
#include "vtpm_manager/mhost.h"

#define DAY_S 86400u
#define LOOKS 12 /* in one life of a certificate, at least */

struct akcerts {
	struct mgr *m;
	sd_event_source *timer, *step;
	/* The one that is being renewed. */
	bool busy;
	uint8_t uuid[UUID_LEN];
	json_t *id; /* what is kept of its keys */
};

uint32_t
inst_ak_seconds(const struct mgr *m)
{
	return m->cfg.ak_cert_s != 0 ? m->cfg.ak_cert_s
				     : m->cfg.ak_cert_days * DAY_S;
}

/* --- what is kept ----------------------------------------------------------
 */

static const char *
ak_text(const json_t *id, const char *key)
{
	return json_string_value(
	    json_object_get(json_object_get(id, "ak"), key));
}

/* PEM to DER; heap. */
static int
pem_to_der(const char *pem, uint8_t **ret, size_t *ret_len)
{
	BIO *b = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
	X509 *x = b != NULL ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
	unsigned char *der = NULL;
	int n = x != NULL ? i2d_X509(x, &der) : 0, rc = VT_E_FORMAT;

	if (n > 0 && (*ret = malloc((size_t)n)) != NULL) {
		memcpy(*ret, der, (size_t)n);
		*ret_len = (size_t)n;
		rc = VT_OK;
	}
	OPENSSL_free(der);
	X509_free(x);
	BIO_free(b);
	return rc;
}

/* It begins some time before it was made, for clocks that go wrong. */
static bool
is_due(const struct mgr *m, const uint8_t *der, size_t len)
{
	time_t from, until, now = (time_t)(wall_ms() / 1000);
	time_t life = (time_t)inst_ak_seconds(m);

	if (x509_cert_times(der, len, &from, &until) != VT_OK)
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
		log_warn(
		    "a worker did not take its AK's certificate: %s", text);
}

static void
tell_worker(struct ginst *g, const uint8_t *der, size_t len)
{
	struct wakcert m = { .der = { der, (uint32_t)len } };
	uint8_t buf[CERT_MAX_LEN + 8];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	wakcert_put(&w, &m);
	if (wr_err(&w) != VT_OK || g->link == NULL ||
	    wlink_request(g->link, W_AKCERT, &w, NULL, 0, 0, on_taken, NULL) !=
		VT_OK)
		log_warn("guest %s: its AK's newest certificate could not be "
			 "handed over",
		    g->in.name);
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
	struct ginst *g = inst_live(a->m, a->uuid);
	uint8_t *der = NULL;
	size_t len;

	if (rc != VT_OK)
		log_warn("a renewed AK certificate could not be stored: %s",
		    vt_strerror(rc));
	else if (g != NULL && g->st == IS_RUNNING &&
		 pem_to_der(ak_text(a->id, "certificate"), &der, &len) == VT_OK)
		tell_worker(g, der, len);
	free(der);
	done(a);
}

static int
keep(struct akcerts *a, const struct wblob *der)
{
	json_t *pem = inst_json_pem(der), *ak = json_object_get(a->id, "ak");
	char *text = NULL;
	int rc = VT_E_NOMEM;

	if (pem != NULL && json_object_set_new(ak, "certificate", pem) == 0 &&
	    (text = json_dumps(a->id, JSON_COMPACT)) != NULL)
		rc = store_extra_put(a->m->st, a->uuid, SX_CERTS,
		    (const uint8_t *)text, strlen(text));
	free(text);
	return rc;
}

static void
on_certed(void *arg, const struct hw_answer *ans)
{
	struct akcerts *a = arg;
	const char *why = ans->text;
	struct hw_certed hc;
	struct inst in;
	int rc = ans->rc;

	if (rc == VT_OK)
		rc = hw_certed_get(ans->body, ans->body_len, &hc);
	if (rc == VT_OK && hc.n != 1)
		rc = VT_E_PROTO;
	if (rc == VT_OK)
		rc = keep(a, &hc.certs[0]);
	if (store_inst_get(a->m->st, a->uuid, &in) != VT_OK) {
		done(a); /* destroyed meanwhile */
		return;
	}
	if (rc == VT_OK) {
		mgr_audit(a->m, "manager", "renew-ak-cert", in.name, "ok",
		    "for %u s", (unsigned)inst_ak_seconds(a->m));
		mgr_commit_soon(a->m, on_durable, a);
		return;
	}
	log_warn("guest %s: its AK's certificate is not renewed: %s", in.name,
	    why[0] != '\0' ? why : vt_strerror(rc));
	done(a);
}

static int
ask_cert(struct akcerts *a, const struct inst *in)
{
	struct hw_certs hc = { .n = 1 };
	uint8_t pub[PUB_MAX_LEN];
	const char *hex = ak_text(a->id, "public");
	struct wr w;
	size_t len;
	int rc;

	if (hex == NULL || hex_decode(hex, pub, sizeof(pub), &len) != VT_OK)
		return VT_E_FORMAT;
	memcpy(hc.uuid, in->uuid, UUID_LEN);
	memcpy(hc.name, in->name, sizeof(hc.name));
	hc.group = in->group;
	hc.generation = in->generation;
	hc.tpm_version = in->tpm_version;
	hc.ak_seconds = inst_ak_seconds(a->m);
	hc.keys[0].which = WCERT_AK;
	hc.keys[0].pub.p = pub;
	hc.keys[0].pub.len = (uint32_t)len;
	wr_grow(&w, 8192);
	hw_certs_put(&w, &hc);
	rc = hwlink_request(a->m->hw, HW_CERTS, &w, on_certed, a);
	wr_free(&w);
	return rc;
}

/* Not while the host is in a state that nobody has approved: then its word is
 * worth nothing, and what it said before runs out. */
static void
on_state(void *arg, const struct hw_answer *ans)
{
	struct akcerts *a = arg;
	struct inst in;
	int rc;

	if (store_inst_get(a->m->st, a->uuid, &in) != VT_OK) {
		done(a);
		return;
	}
	if (!mhost_approved(a->m, ans)) {
		mgr_audit(a->m, "manager", "renew-ak-cert", in.name, "refused",
		    "the host is in no approved state now (vtpmctl host "
		    "status)");
		done(a);
		return;
	}
	if ((rc = ask_cert(a, &in)) == VT_OK)
		return;
	log_warn("guest %s: its AK's certificate is not renewed: %s", in.name,
	    vt_strerror(rc));
	done(a);
}

/* The next one that waits; false: it needed nothing. */
static bool
one(struct akcerts *a, const uint8_t uuid[UUID_LEN])
{
	uint8_t *der = NULL;
	struct inst in;
	size_t len;
	bool due;
	int rc;

	if (store_inst_get(a->m->st, uuid, &in) != VT_OK || in.tampered ||
	    in.tpm_version != TPM_VER_20 ||
	    (a->id = inst_identity(a->m, &in)) == NULL)
		return false;
	due = pem_to_der(ak_text(a->id, "certificate"), &der, &len) == VT_OK &&
	      is_due(a->m, der, len);
	free(der);
	if (due) {
		memcpy(a->uuid, uuid, UUID_LEN);
		a->busy = true;
		rc = hwlink_request(a->m->hw, HW_PCRS, NULL, on_state, a);
		if (rc == VT_OK)
			return true;
		log_warn("guest %s: its AK's certificate is not renewed: %s",
		    in.name, vt_strerror(rc));
		a->busy = false;
	}
	json_decref(a->id);
	a->id = NULL;
	return false;
}

/* ginst.ak_wanted says for whom it is to be looked at. */
static struct ginst *
wanted(const struct akcerts *a)
{
	struct ginst *g;

	for (g = a->m->insts; g != NULL; g = g->next)
		if (g->ak_wanted)
			return g;
	return NULL;
}

static int
on_step(sd_event_source *s, uint64_t usec, void *arg)
{
	struct akcerts *a = arg;
	struct ginst *g;

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
	    mgr_timer(a->m, &a->step, 0, MGR_PRIO_IDLE, on_step, a) != VT_OK)
		log_warn("cannot set a timer: AK certificates are renewed "
			 "later");
}

void
inst_ak_ready(struct ginst *g)
{
	json_t *id;
	uint8_t *der = NULL;
	size_t len;

	if (g->m->akcerts == NULL || g->in.tpm_version != TPM_VER_20)
		return;
	id = inst_identity(g->m, &g->in);
	if (pem_to_der(ak_text(id, "certificate"), &der, &len) == VT_OK)
		tell_worker(g, der, len);
	free(der);
	json_decref(id);
	g->ak_wanted = true;
	next_soon(g->m->akcerts);
}

/* --- the clock
 * ------------------------------------------------------------------ */

static int
on_clock(sd_event_source *s, uint64_t usec, void *arg)
{
	struct akcerts *a = arg;
	uint64_t every = inst_ak_seconds(a->m) / LOOKS;
	struct ginst *g;

	(void)s;
	(void)usec;
	for (g = a->m->insts; g != NULL; g = g->next)
		g->ak_wanted |= g->st == IS_RUNNING;
	next_soon(a);
	if (every > DAY_S)
		every = DAY_S;
	if (every == 0)
		every = 1;
	if (mgr_timer(a->m, &a->timer, every * 1000, MGR_PRIO_IDLE, on_clock,
		a) != VT_OK)
		log_warn("cannot set a timer: AK certificates are renewed at "
			 "starts only");
	return 0;
}

int
inst_ak_new(struct mgr *m)
{
	struct akcerts *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return VT_E_NOMEM;
	a->m = m;
	m->akcerts = a;
	return on_clock(NULL, 0, a) == 0 ? VT_OK : VT_E_SYS;
}

void
inst_ak_free(struct mgr *m)
{
	struct akcerts *a = m->akcerts;
	if (a == NULL)
		return;
	mgr_commit_forget(m, a);
	if (m->hw != NULL)
		hwlink_forget(m->hw, a);
	(void)sd_event_source_disable_unref(a->timer);
	(void)sd_event_source_disable_unref(a->step);
	json_decref(a->id);
	free(a);
	m->akcerts = NULL;
}
