/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Host* methods: what the host's TPM releases the master key for, and who
 * the host is.  They are served by a sealed manager, too.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "measure/host/host_identity.h"
#include "vtpm_manager/control/bus.h"
#include "vtpm_manager/host/host_escrow.h"
#include "vtpm_manager/host/host_keys.h"

struct hcall {
	sd_bus_message *msg;
	struct mgr *m;
	struct bus_who who;
	json_t *json; /* status, while it is gathered */
	bool again;
};

bool
bus_host_serves(const char *method)
{
	return strncmp(method, "Host", 4) == 0 ||
	       strcmp(method, "StopAll") == 0 || strcmp(method, "Status") == 0;
}

int
bus_host_sealed(sd_bus_message *msg, struct mgr *m)
{
	char text[MGR_TEXT_MAX + 128];

	(void)snprintf(text, sizeof(text),
	    host_keys_sealed(m)
		? "the manager is sealed: %s; see `vtpmctl host status`"
		: "the manager is starting%s",
	    host_keys_sealed(m) ? m->host->why : "");
	return bus_fail(msg, VT_E_STATE, text);
}

static struct hcall *
hcall_new(sd_bus_message *msg, struct mgr *m)
{
	struct bus_conn *conn =
	    sd_bus_get_current_userdata(sd_bus_message_get_bus(msg));
	struct hcall *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	if (conn == NULL || bus_sender(conn, msg, &c->who) != VT_OK) {
		free(c);
		return NULL;
	}
	c->msg = sd_bus_message_ref(msg);
	c->m = m;
	return c;
}

static void
hcall_free(struct hcall *c)
{
	sd_bus_message_unref(c->msg);
	json_decref(c->json);
	free(c);
}

static void
on_changed(void *arg, int rc, const char *text)
{
	struct hcall *c = arg;

	if (rc != VT_OK)
		(void)bus_fail(c->msg, rc, text);
	else
		(void)sd_bus_reply_method_return(c->msg, "s", text);
	hcall_free(c);
}

/* What could not even begin. */
static int
refuse(struct hcall *c, const char *action, int rc, const char *text)
{
	mgr_audit(c->m, c->who.text, action, "", "refused", "%.250s", text);
	(void)bus_fail(c->msg, rc, text);
	hcall_free(c);
	return 1;
}

/* --- changes -------------------------------------------------------------- */

int
bus_host_approve(sd_bus_message *msg, struct mgr *m)
{
	char text[MGR_TEXT_MAX] = "";
	const void *raw;
	struct hcall *c;
	size_t len;
	int r, rc;

	if ((r = sd_bus_message_read_array(msg, 'y', &raw, &len)) < 0)
		return r;
	if (len > APPROVAL_MAX_LEN)
		return -E2BIG;
	if ((c = hcall_new(msg, m)) == NULL)
		return -ENOMEM;
	rc = host_keys_approve(m, c->who.text, raw, len, on_changed, c, text);
	return rc == VT_OK ? 1 : refuse(c, "host-approve", rc, text);
}

int
bus_host_revoke(sd_bus_message *msg, struct mgr *m)
{
	char text[MGR_TEXT_MAX] = "";
	struct hcall *c;
	uint64_t epoch;
	int force, r, rc;

	if ((r = sd_bus_message_read(msg, "tb", &epoch, &force)) < 0)
		return r;
	if ((c = hcall_new(msg, m)) == NULL)
		return -ENOMEM;
	rc = host_keys_revoke(
	    m, c->who.text, epoch, force != 0, on_changed, c, text);
	return rc == VT_OK ? 1 : refuse(c, "host-revoke", rc, text);
}

int
bus_host_bind(sd_bus_message *msg, struct mgr *m)
{
	char text[MGR_TEXT_MAX] = "";
	const void *key, *raw;
	size_t klen, len;
	struct hcall *c;
	int r, rc;

	if ((r = sd_bus_message_read_array(msg, 'y', &key, &klen)) < 0 ||
	    (r = sd_bus_message_read_array(msg, 'y', &raw, &len)) < 0)
		return r;
	if (len > APPROVAL_MAX_LEN || (klen != 0 && klen != APPROVAL_KEY_LEN))
		return -EBADMSG;
	if ((c = hcall_new(msg, m)) == NULL)
		return -ENOMEM;
	rc = host_keys_bind(m, c->who.text, klen > 0 ? key : NULL, raw, len,
	    on_changed, c, text);
	return rc == VT_OK ? 1 : refuse(c, "host-bind", rc, text);
}

/* --- escrow --------------------------------------------------------------- */

static int
reply_shares(sd_bus_message *msg, char *const *shares, unsigned int n)
{
	sd_bus_message *re = NULL;
	unsigned int i;
	int r;

	r = sd_bus_message_new_method_return(msg, &re);
	if (r >= 0)
		r = sd_bus_message_open_container(re, 'a', "s");
	for (i = 0; i < n && r >= 0; i++)
		r = sd_bus_message_append(re, "s", shares[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(re);
	if (r >= 0)
		r = sd_bus_send(NULL, re, NULL);
	sd_bus_message_unref(re);
	return r;
}

int
bus_host_escrow(sd_bus_message *msg, struct mgr *m)
{
	struct host_escrow_key keys[SHAMIR_MAX_SHARES];
	char *shares[SHAMIR_MAX_SHARES], text[MGR_TEXT_MAX] = "";
	unsigned int n = 0, i;
	struct hcall *c;
	const char *pem;
	uint32_t need;
	int r, rc;

	if (!m->ready)
		return bus_host_sealed(msg, m);
	if ((r = sd_bus_message_read(msg, "u", &need)) < 0 ||
	    (r = sd_bus_message_enter_container(msg, 'a', "s")) < 0)
		return r;
	while ((r = sd_bus_message_read(msg, "s", &pem)) > 0) {
		if (n == SHAMIR_MAX_SHARES)
			return -E2BIG;
		keys[n].p = pem;
		keys[n++].len = strlen(pem);
	}
	if (r < 0)
		return r;
	if ((c = hcall_new(msg, m)) == NULL)
		return -ENOMEM;
	rc = host_escrow_make(m, m->master, need, keys, n, shares, text);
	if (rc != VT_OK)
		return refuse(c, "host-escrow", rc, text);
	mgr_audit(m, c->who.text, "host-escrow", "", "ok",
	    "%u shares, %u of them recover the store", n, need);
	/* Not before the log has it. */
	rc = mgr_commit_now(m);
	r = rc == VT_OK ? reply_shares(msg, shares, n)
			: bus_fail(msg, rc, "the store takes no data");
	for (i = 0; i < n; i++)
		free(shares[i]);
	hcall_free(c);
	return r < 0 ? r : 1;
}

int
bus_host_recover(sd_bus_message *msg, struct mgr *m)
{
	struct host_escrow_key shares[SHAMIR_MAX_SHARES];
	char text[MGR_TEXT_MAX] = "";
	unsigned int n = 0;
	struct hcall *c;
	const void *p;
	size_t len;
	int r, rc;

	(void)sd_bus_message_sensitive(msg);
	if ((r = sd_bus_message_enter_container(msg, 'a', "ay")) < 0)
		return r;
	while (sd_bus_message_at_end(msg, false) == 0) {
		if (n == SHAMIR_MAX_SHARES)
			return -E2BIG;
		if ((r = sd_bus_message_read_array(msg, 'y', &p, &len)) < 0)
			return r;
		shares[n].p = p;
		shares[n++].len = len;
	}
	if ((c = hcall_new(msg, m)) == NULL)
		return -ENOMEM;
	rc =
	    host_escrow_recover(m, c->who.text, shares, n, on_changed, c, text);
	return rc == VT_OK ? 1 : refuse(c, "host-recover", rc, text);
}

/* --- identity ------------------------------------------------------------- */

static int
reply_text(sd_bus_message *msg, char *text)
{
	int r = text != NULL ? sd_bus_reply_method_return(msg, "s", text)
			     : bus_fail(msg, VT_E_NOMEM, "");

	free(text);
	return r;
}

static int
identity_text(struct mgr *m, const struct hw_identity *id, char **ret)
{
	const struct {
		enum host_identity_part part;
		const struct wblob *b;
	} parts[] = {
		{ HI_EK_PUBLIC, &id->ek_pub },
		{ HI_EK_CERT, &id->ek_cert },
		{ HI_AK_PUBLIC, &id->ak_pub },
		{ HI_CA_PUBLIC, &id->ca_pub },
		{ HI_CA_CERT, &id->ca_cert },
		{ HI_CA_ATTEST, &id->ca_attest },
		{ HI_CA_SIG, &id->ca_sig },
	};
	struct hostid *h = NULL;
	size_t i;
	int rc;

	if ((rc = host_identity_new(&h)) != VT_OK)
		return rc;
	mgr_host_name(m, h->host, sizeof(h->host));
	for (i = 0; rc == VT_OK && i < VT_NELEM(parts); i++)
		if (parts[i].b->len > 0)
			rc = host_identity_set(
			    h, parts[i].part, parts[i].b->p, parts[i].b->len);
	if (rc == VT_OK)
		rc = host_identity_format(h, HOST_IDENTITY_IDENTITY, ret);
	host_identity_free(h);
	return rc;
}

static void
on_identity(void *arg, const struct hw_answer *a)
{
	struct hcall *c = arg;
	struct hw_identity id;
	char *text = NULL;
	int rc = a->rc;

	if (rc == VT_OK &&
	    (rc = hw_identity_get(a->body, a->body_len, &id)) == VT_OK)
		rc = identity_text(c->m, &id, &text);
	if (rc != VT_OK)
		(void)bus_fail(c->msg, rc, a->text);
	else
		(void)reply_text(c->msg, text);
	hcall_free(c);
}

int
bus_host_identity(sd_bus_message *msg, struct mgr *m)
{
	struct hcall *c;

	if (!m->ready)
		return bus_host_sealed(msg, m);
	if ((c = hcall_new(msg, m)) == NULL)
		return -ENOMEM;
	if (hwlink_request(m->hw, HW_IDENTITY, NULL, on_identity, c) == VT_OK)
		return 1;
	hcall_free(c);
	return bus_fail(msg, VT_E_NOMEM, "");
}

static void
on_activated(void *arg, const struct hw_answer *a)
{
	sd_bus_message *re = NULL;
	struct hcall *c = arg;
	const uint8_t *p;
	struct rd r;
	size_t n = 0;

	mgr_audit(c->m, c->who.text, "host-enrol", "",
	    a->rc == VT_OK ? "ok" : "refused", "%.250s", a->text);
	rd_init(&r, a->body, a->body_len);
	p = rd_blob16(&r, 64, &n);
	if (a->rc != VT_OK || rd_end(&r) != VT_OK)
		(void)bus_fail(
		    c->msg, a->rc != VT_OK ? a->rc : VT_E_PROTO, a->text);
	else if (sd_bus_message_new_method_return(c->msg, &re) >= 0 &&
		 sd_bus_message_append_array(re, 'y', p, n) >= 0)
		(void)sd_bus_send(NULL, re, NULL);
	sd_bus_message_unref(re);
	hcall_free(c);
}

int
bus_host_activate(sd_bus_message *msg, struct mgr *m)
{
	const void *cred, *secret;
	size_t cred_len, secret_len;
	struct hw_activate req;
	struct hcall *c;
	struct wr w;
	int r, rc;

	if (!m->ready)
		return bus_host_sealed(msg, m);
	if ((r = sd_bus_message_read_array(msg, 'y', &cred, &cred_len)) < 0 ||
	    (r = sd_bus_message_read_array(msg, 'y', &secret, &secret_len)) < 0)
		return r;
	if (cred_len > 512 || secret_len > 1024)
		return -E2BIG;
	if ((c = hcall_new(msg, m)) == NULL)
		return -ENOMEM;
	req.credential.p = cred;
	req.credential.len = (uint32_t)cred_len;
	req.secret.p = secret;
	req.secret.len = (uint32_t)secret_len;
	wr_grow(&w, 4096);
	hw_activate_put(&w, &req);
	rc = hwlink_request(m->hw, HW_ACTIVATE, &w, on_activated, c);
	wr_free(&w);
	if (rc == VT_OK)
		return 1;
	hcall_free(c);
	return bus_fail(msg, rc, "");
}

/* --- status --------------------------------------------------------------- */

static void
set(json_t *o, const char *key, json_t *val)
{
	(void)json_object_set_new(o, key, val);
}

static json_t *
hex_json(const uint8_t *p, size_t len)
{
	char hex[2 * 128 + 1];

	hex_encode(p, len <= 128 ? len : 128, hex);
	return json_string(hex);
}

static json_t *
bank_json(const struct pcr_bank *b)
{
	json_t *o = json_object();
	char key[4];
	uint32_t i;

	for (i = 0; i < PCR_COUNT; i++)
		if (b->valid >> i & 1) {
			(void)snprintf(key, sizeof(key), "%u", (unsigned)i);
			set(o, key, hex_json(b->val[i], b->len));
		}
	return o;
}

static json_t *
pcrs_json(const struct pcr_set *s)
{
	json_t *o = json_object();
	uint32_t i;

	for (i = 0; i < s->nbanks && i < PCR_MAX_BANKS; i++)
		set(o, digest_name(s->banks[i].alg), bank_json(&s->banks[i]));
	return o;
}

static json_t *
approval_json(
    const struct approval *a, const struct pcr_set *now, uint64_t epoch)
{
	const struct pcr_bank *b = &a->pcrs.banks[0];
	json_t *o = json_object();
	char differs[512] = "";

	set(o, "label", json_string(a->label));
	set(o, "sequence", json_integer((json_int_t)a->sequence));
	set(o, "epoch", json_integer((json_int_t)a->epoch));
	set(o, "made", json_integer((json_int_t)a->made_s));
	set(o, "bank", json_string(digest_name(b->alg)));
	set(o, "pcrs", bank_json(b));
	set(o, "alive", json_boolean(epoch == 0 || a->epoch >= epoch));
	if (now != NULL) {
		set(o, "fits",
		    json_boolean(approval_compare(a, now, differs,
				     sizeof(differs)) == VT_OK));
		if (differs[0] != '\0')
			set(o, "differs", json_string(differs));
	}
	return o;
}

static void
gather(json_t *o, const struct host_keys *h, const struct pcr_set *now,
    uint64_t epoch)
{
	uint8_t fp[SHA256_LEN];
	char name[64], sel[128];
	json_t *list;
	uint32_t i;

	set(o, "sealed", json_boolean(h->sealed));
	if (h->sealed)
		set(o, "why", json_string(h->why));
	set(o, "root",
	    json_string(
		h->m->root_kind == ROOT_SOFT ? "software" : "hardware"));
	set(o, "tcti", json_string(hwlink_tcti(h->m->hw)));
	mgr_host_name(h->m, name, sizeof(name));
	set(o, "host", json_string(name));
	set(o, "policy", json_string(h->bound ? "approved" : "none"));
	if (h->bound &&
	    digest_buf(ALG_SHA256, h->key, sizeof(h->key), fp) == VT_OK) {
		set(o, "approval_key", hex_json(h->key, sizeof(h->key)));
		set(o, "approval_key_sha256", hex_json(fp, sizeof(fp)));
	}
	if (h->counters)
		set(o, "epoch_name",
		    hex_json(h->epoch_name, sizeof(h->epoch_name)));
	set(o, "epoch", json_integer((json_int_t)epoch));
	set(o, "next_sequence", json_integer((json_int_t)h->last_seq + 1));
	pcr_sel_format(&h->m->cfg.deep_pcrs, sel, sizeof(sel));
	set(o, "deep_pcrs", json_string(sel));
	if (now != NULL)
		set(o, "pcrs", pcrs_json(now));
	list = json_array();
	for (i = 0; i < h->ap.n; i++)
		(void)json_array_append_new(
		    list, approval_json(&h->ap.one[i].a, now, epoch));
	set(o, "approvals", list);
}

static void
status_done(struct hcall *c)
{
	(void)reply_text(c->msg, json_dumps(c->json, JSON_COMPACT));
	hcall_free(c);
}

static void
on_anchor(void *arg, const struct hw_answer *a)
{
	struct hcall *c = arg;

	if (a->rc == VT_OK && a->body_len == 8)
		set(c->json, "anchor",
		    json_integer((json_int_t)be64_get(a->body)));
	else
		set(c->json, "tpm_error", json_string(a->text));
	status_done(c);
}

static void
on_status_pcrs(void *arg, const struct hw_answer *a)
{
	struct hw_counter q = { .which = HWC_ANCHOR };
	struct hcall *c = arg;
	struct hw_pcrs p = { 0 };
	struct pcr_set now;
	uint8_t buf[16];
	struct wr w;
	bool known;

	known = a->rc == VT_OK &&
		hw_pcrs_get(a->body, a->body_len, &p) == VT_OK &&
		pcr_set_decode(p.pcrs.p, p.pcrs.len, &now) == VT_OK;
	/* A vtpm-hwtpm that came after the refusal knows of no counter. */
	if (known && p.epoch == 0 && c->m->host->counters && !c->again &&
	    host_keys_remind(c->m->host) == VT_OK) {
		c->again = true;
		if (hwlink_request(
			c->m->hw, HW_PCRS, NULL, on_status_pcrs, c) == VT_OK)
			return;
	}
	c->json = json_object();
	gather(c->json, c->m->host, known ? &now : NULL, known ? p.epoch : 0);
	if (!known)
		set(c->json, "tpm_error", json_string(a->text));
	wr_init(&w, buf, sizeof(buf));
	hw_counter_put(&w, &q);
	if (known && c->m->ready && c->m->host->counters &&
	    hwlink_request(c->m->hw, HW_COUNTER, &w, on_anchor, c) == VT_OK)
		return;
	status_done(c);
}

int
bus_host_status(sd_bus_message *msg, struct mgr *m)
{
	struct hcall *c = hcall_new(msg, m);

	if (c == NULL)
		return -ENOMEM;
	if (hwlink_request(m->hw, HW_PCRS, NULL, on_status_pcrs, c) == VT_OK)
		return 1;
	hcall_free(c);
	return bus_fail(msg, VT_E_NOMEM, "");
}
