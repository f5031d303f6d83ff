/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_host.c - the Host* methods: the keys in the host's TPM, the host states
 * that release the master key, and the host's identity.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "measure/host/host_identity.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/control/methods.h"
#include "vtpm_manager/host/host_escrow.h"
#include "vtpm_manager/host/host_keys.h"
#include "vtpm_manager/host/host_keys_op.h"

#define CREDENTIAL_MAX 512 /* bytes */
#define SECRET_MAX 1024

/* The next argument, an array of at most max bytes; false: the call has
 * ended. */
static bool
read_bytes(struct bus_call *c, size_t max, struct wblob *ret)
{
	const void *p;
	size_t len;
	int r;

	r = sd_bus_message_read_array(c->msg, 'y', &p, &len);
	if (r >= 0 && len > max)
		r = -E2BIG;
	if (r < 0) {
		bus_call_bad(c, r);
		return false;
	}
	ret->p = p;
	ret->len = (uint32_t)len;
	return true;
}

/* --- approved states --- */

int
bus_host_approve(struct bus_call *c)
{
	struct wblob raw;

	if (!read_bytes(c, APPROVAL_MAX_LEN, &raw))
		return VT_OK;
	return host_keys_approve(
	    c->m, c->who.text, raw.p, raw.len, bus_call_text, c, c->text);
}

int
bus_host_revoke(struct bus_call *c)
{
	uint64_t epoch;
	int force, r;

	if ((r = sd_bus_message_read(c->msg, "tb", &epoch, &force)) < 0) {
		bus_call_bad(c, r);
		return VT_OK;
	}
	return host_keys_revoke(
	    c->m, c->who.text, epoch, force != 0, bus_call_text, c, c->text);
}

int
bus_host_bind(struct bus_call *c)
{
	struct wblob key, raw;

	if (!read_bytes(c, APPROVAL_KEY_LEN, &key) ||
	    !read_bytes(c, APPROVAL_MAX_LEN, &raw))
		return VT_OK;
	if (key.len != 0 && key.len != APPROVAL_KEY_LEN) {
		bus_call_bad(c, -EBADMSG);
		return VT_OK;
	}
	return host_keys_bind(c->m, c->who.text, key.len > 0 ? key.p : NULL,
	    raw.p, raw.len, bus_call_text, c, c->text);
}

/* --- escrow --- */

/* PEM texts ("s") or byte arrays ("ay") of the next argument.  A negative
 * errno. */
static int
read_keys(sd_bus_message *msg, const char *type,
    struct host_escrow_key keys[SHAMIR_MAX_SHARES], unsigned int *ret_n)
{
	struct host_escrow_key k;
	const char *pem;
	unsigned int n;
	int r;

	if ((r = sd_bus_message_enter_container(msg, 'a', type)) < 0)
		return r;
	for (n = 0; sd_bus_message_at_end(msg, false) == 0; n++) {
		if (n == SHAMIR_MAX_SHARES)
			return -E2BIG;
		if (strcmp(type, "s") == 0) {
			if ((r = sd_bus_message_read(msg, "s", &pem)) < 0)
				return r;
			k.p = pem;
			k.len = strlen(pem);
		} else if ((r = sd_bus_message_read_array(
				msg, 'y', &k.p, &k.len)) < 0)
			return r;
		keys[n] = k;
	}
	*ret_n = n;
	return 0;
}

static void
reply_shares(struct bus_call *c, char *const *shares, unsigned int n)
{
	sd_bus_message *re = NULL;
	unsigned int i;
	int r;

	r = sd_bus_message_new_method_return(c->msg, &re);
	if (r >= 0)
		r = sd_bus_message_open_container(re, 'a', "s");
	for (i = 0; i < n && r >= 0; i++)
		r = sd_bus_message_append(re, "s", shares[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(re);
	if (r >= 0)
		(void)sd_bus_send(NULL, re, NULL);
	sd_bus_message_unref(re);
	bus_call_free(c);
}

int
bus_host_escrow(struct bus_call *c)
{
	struct host_escrow_key keys[SHAMIR_MAX_SHARES];
	char *shares[SHAMIR_MAX_SHARES];
	unsigned int n = 0, i;
	uint32_t need;
	int r, rc;

	if ((r = sd_bus_message_read(c->msg, "u", &need)) < 0 ||
	    (r = read_keys(c->msg, "s", keys, &n)) < 0) {
		bus_call_bad(c, r);
		return VT_OK;
	}
	rc = host_escrow_make(
	    c->m, c->m->master, need, keys, n, shares, c->text);
	if (rc != VT_OK)
		return rc;
	audit_log(c->m, c->who.text, c->method->action, "", "ok",
	    "%u shares, %u of them recover the store", n, need);
	/* The shares leave only once the audit log is on disk. */
	if ((rc = commit_now(c->m)) == VT_OK)
		reply_shares(c, shares, n);
	else
		bus_call_fail(c, rc, "the store takes no data");
	for (i = 0; i < n; i++)
		free(shares[i]);
	return VT_OK;
}

int
bus_host_recover(struct bus_call *c)
{
	struct host_escrow_key shares[SHAMIR_MAX_SHARES];
	unsigned int n = 0;
	int r;

	(void)sd_bus_message_sensitive(c->msg);
	if ((r = read_keys(c->msg, "ay", shares, &n)) < 0) {
		bus_call_bad(c, r);
		return VT_OK;
	}
	return host_escrow_recover(
	    c->m, c->who.text, shares, n, bus_call_text, c, c->text);
}

/* --- identity --- */

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
	struct host_identity *h = NULL;
	size_t i;
	int rc;

	if ((rc = host_identity_new(&h)) != VT_OK)
		return rc;
	config_host_name(&m->cfg, h->host, sizeof(h->host));
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
	struct bus_call *c = arg;
	struct hw_identity id;
	char *text = NULL;
	int rc = a->rc;

	if (rc == VT_OK &&
	    (rc = msg_get(hw_identity, a->body, a->body_len, &id)) == VT_OK)
		rc = identity_text(c->m, &id, &text);
	bus_call_text(c, rc, rc == VT_OK ? text : a->text);
	free(text);
}

int
bus_host_identity(struct bus_call *c)
{
	return hwlink_request(c->m->hw, HW_IDENTITY, NULL, on_identity, c);
}

static void
on_activated(void *arg, const struct hw_answer *a)
{
	struct bus_call *c = arg;
	const uint8_t *p;
	size_t n = 0;
	struct rd r;

	bus_call_audit(c, a->rc, a->text);
	rd_init(&r, a->body, a->body_len);
	p = rd_blob16(&r, 64, &n);
	if (a->rc != VT_OK)
		bus_call_fail(c, a->rc, a->text);
	else if (rd_end(&r) != VT_OK)
		bus_call_fail(c, VT_E_PROTO, a->text);
	else
		bus_call_bytes(c, p, n);
}

int
bus_host_activate(struct bus_call *c)
{
	struct hw_activate req;
	struct wr w;
	int rc;

	if (!read_bytes(c, CREDENTIAL_MAX, &req.credential) ||
	    !read_bytes(c, SECRET_MAX, &req.secret))
		return VT_OK;
	wr_grow(&w, 4096);
	msg_put(&w, hw_activate, &req);
	rc = hwlink_request(c->m->hw, HW_ACTIVATE, &w, on_activated, c);
	wr_free(&w);
	return rc;
}
