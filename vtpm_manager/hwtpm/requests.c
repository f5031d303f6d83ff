/* SPDX-License-Identifier: BSD-3-Clause */
/* requests.c - what each request of the manager makes the TPM do. */
#include "vtpm_manager/hwtpm/requests.h"

#include <string.h>

#include "base/log.h"
#include "base/msg.h"
#include "base/util.h"
#include "measure/tpm/pcr.h"
#include "vtpm_manager/hwtpm/bind.h"
#include "vtpm_manager/hwtpm/certificates.h"
#include "vtpm_manager/hwtpm/host_quote.h"
#include "vtpm_manager/hwtpm/identity.h"
#include "vtpm_manager/hwtpm/keys.h"
#include "vtpm_manager/hwtpm/nv_counter.h"
#include "vtpm_manager/hwtpm/pcrs.h"

/* Law 8: the operator may do it, knowingly.  A verifier sees the TPM's own
 * endorsement certificate. */
static void
warn_of_software(const struct hwtpm *h)
{
	if (h->root == ROOT_HARD && strstr(h->manufacturer, "SWTPM") != NULL)
		log_warn(
		    "the TPM at %s is a software TPM (%s), but certificates "
		    "will claim a hardware root, as configured",
		    h->conf, h->manufacturer);
}

static int
do_init(struct hwtpm *t, const struct wblob *body, struct wr *out)
{
	struct hw_inited done;
	struct hw_init in;
	int rc;

	if ((rc = msg_get(hw_init, body->p, body->len, &in)) != VT_OK)
		return hwtpm_fail(t, VT_E_PROTO, "malformed HW_INIT");
	if ((rc = hwkeys_init(t, &in, &done)) == VT_OK) {
		msg_put(out, hw_inited, &done);
		warn_of_software(t);
	}
	explicit_bzero(&done, sizeof(done));
	return rc;
}

static int
do_load(struct hwtpm *t, const struct wblob *body, struct wr *out)
{
	struct hw_loaded done;
	struct hw_load in;
	int rc;

	if ((rc = msg_get(hw_load, body->p, body->len, &in)) != VT_OK)
		return hwtpm_fail(t, VT_E_PROTO, "malformed HW_LOAD");
	if ((rc = hwkeys_restore(t, &in, &done)) == VT_OK) {
		msg_put(out, hw_loaded, &done);
		warn_of_software(t);
	}
	explicit_bzero(&done, sizeof(done));
	return rc;
}

static int
do_certs(struct hwtpm *t, const struct wblob *body, struct wr *out)
{
	struct ca_der ders[HW_CERTS_MAX];
	const struct ca_der *issuer = NULL;
	struct hw_certed done = { 0 };
	struct hw_certs in;
	uint32_t i;
	int rc;

	if ((rc = msg_get(hw_certs, body->p, body->len, &in)) != VT_OK)
		return hwtpm_fail(t, VT_E_PROTO, "malformed HW_CERTS");
	if ((rc = hwcerts_issue(t, &in, ders, &issuer)) != VT_OK)
		return rc;
	done.n = in.n;
	for (i = 0; i < in.n; i++) {
		done.certs[i].p = ders[i].buf;
		done.certs[i].len = (uint32_t)ders[i].len;
	}
	if (issuer != NULL) {
		done.issuer.p = issuer->buf;
		done.issuer.len = (uint32_t)issuer->len;
	}
	msg_put(out, hw_certed, &done);
	return VT_OK;
}

static int
do_random(struct hwtpm *t, const struct wblob *body, struct wr *out)
{
	uint8_t buf[HW_RANDOM_MAX];
	struct rd rd;
	uint32_t n;
	int rc;

	rd_init(&rd, body->p, body->len);
	n = rd_be32(&rd);
	if (rd_end(&rd) != VT_OK || n == 0 || n > sizeof(buf))
		return hwtpm_fail(t, VT_E_PROTO, "malformed HW_RANDOM");
	if ((rc = hwtpm_random(t, buf, n)) == VT_OK)
		wr_bytes(out, buf, n);
	explicit_bzero(buf, sizeof(buf));
	return rc;
}

static int
do_pcrs(struct hwtpm *t, const struct wblob *body, struct wr *out)
{
	struct hw_pcrs done = { 0 };
	struct pcr_set set;
	struct wr w;
	int rc;

	if (body->len != 0)
		return hwtpm_fail(t, VT_E_PROTO, "malformed HW_PCRS");
	if ((rc = hwpcrs_read(t, &set)) != VT_OK ||
	    (rc = hwnv_epoch(t, &done.epoch)) != VT_OK)
		return rc;
	wr_grow(&w, HWREQ_ANSWER_MAX);
	pcr_set_encode(&w, &set);
	if ((rc = wr_err(&w)) == VT_OK) {
		done.pcrs.p = w.buf;
		done.pcrs.len = (uint32_t)w.len;
		msg_put(out, hw_pcrs, &done);
	}
	wr_free(&w);
	return rc;
}

static int
do_counter(struct hwtpm *t, const struct wblob *body, struct wr *out)
{
	struct hw_counter in;
	uint64_t value;
	int rc;

	if ((rc = msg_get(hw_counter, body->p, body->len, &in)) != VT_OK)
		return hwtpm_fail(t, VT_E_PROTO, "malformed HW_COUNTER");
	if ((rc = hwnv_count(t, &in, &value)) == VT_OK)
		wr_be64(out, value);
	return rc;
}

static int
do_identity(struct hwtpm *t, const struct wblob *body, struct wr *out)
{
	struct hw_identity done;
	int rc;

	if (body->len != 0)
		return hwtpm_fail(t, VT_E_PROTO, "malformed HW_IDENTITY");
	if ((rc = hwident_show(t, &done)) == VT_OK)
		msg_put(out, hw_identity, &done);
	return rc;
}

static int
do_activate(struct hwtpm *t, const struct wblob *body, struct wr *out)
{
	uint8_t secret[sizeof(TPMU_HA)];
	struct hw_activate in;
	size_t secret_len;
	int rc;

	if ((rc = msg_get(hw_activate, body->p, body->len, &in)) != VT_OK)
		return hwtpm_fail(t, VT_E_PROTO, "malformed HW_ACTIVATE");
	if ((rc = hwident_activate(t, &in, secret, &secret_len)) == VT_OK)
		wr_blob16(out, secret, secret_len);
	explicit_bzero(secret, sizeof(secret));
	return rc;
}

static int
do_ak(struct hwtpm *t, const struct wblob *body, struct wr *out)
{
	struct hw_aked done;
	struct hw_ak in;
	int rc;

	if ((rc = msg_get(hw_ak, body->p, body->len, &in)) != VT_OK)
		return hwtpm_fail(t, VT_E_PROTO, "malformed HW_AK");
	if ((rc = hwquote_new_ak(t, &in, &done)) == VT_OK)
		msg_put(out, hw_aked, &done);
	return rc;
}

static int
do_quote(struct hwtpm *t, const struct wblob *body, struct wr *out)
{
	struct hw_quoted done;
	struct hw_quote in;
	int rc;

	if ((rc = msg_get(hw_quote, body->p, body->len, &in)) != VT_OK)
		return hwtpm_fail(t, VT_E_PROTO, "malformed HW_QUOTE");
	if ((rc = hwquote_make(t, &in, &done)) == VT_OK)
		msg_put(out, hw_quoted, &done);
	return rc;
}

static int
do_bind(struct hwtpm *t, const struct wblob *body, struct wr *out)
{
	struct hw_bound done;
	struct hw_bind in;
	int rc;

	if ((rc = msg_get(hw_bind, body->p, body->len, &in)) != VT_OK)
		return hwtpm_fail(t, VT_E_PROTO, "malformed HW_BIND");
	if ((rc = hwbind_master(t, &in, &done)) == VT_OK)
		msg_put(out, hw_bound, &done);
	return rc;
}

static const struct hw_handler handlers[] = {
	[HW_INIT] = { do_init, false },
	[HW_LOAD] = { do_load, false },
	[HW_CERTS] = { do_certs, true },
	[HW_RANDOM] = { do_random, false },
	[HW_PCRS] = { do_pcrs, false },
	[HW_COUNTER] = { do_counter, true },
	[HW_BIND] = { do_bind, true },
	[HW_IDENTITY] = { do_identity, true },
	[HW_ACTIVATE] = { do_activate, true },
	[HW_AK] = { do_ak, true },
	[HW_QUOTE] = { do_quote, true },
};

const struct hw_handler *
hwreq_handler(uint16_t type)
{
	if (type >= VT_NELEM(handlers) || handlers[type].run == NULL)
		return NULL;
	return &handlers[type];
}
