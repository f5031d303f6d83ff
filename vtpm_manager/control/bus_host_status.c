/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_host_status.c - HostStatus: the approved states of the host beside the
 * state that its TPM reports now.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "vtpm_manager/control/methods.h"
#include "vtpm_manager/host/host_keys.h"

#define HEX_MAX 128 /* bytes */

struct host_status {
	json_t *json; /* waits for the anchor's counter */
	bool reminded;
};

static void
set(json_t *o, const char *key, json_t *val)
{
	(void)json_object_set_new(o, key, val);
}

static json_t *
hex_json(const uint8_t *p, size_t len)
{
	char hex[2 * HEX_MAX + 1];

	hex_encode(p, len <= HEX_MAX ? len : HEX_MAX, hex);
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

/* now NULL: the state of the host is unknown.  epoch 0: likewise. */
static json_t *
approval_json(
    const struct approval *a, const struct pcr_set *now, uint64_t epoch)
{
	const struct pcr_bank *b = &a->pcrs.banks[0];
	char differs[512] = "";
	bool fits = now != NULL &&
		    approval_compare(a, now, differs, sizeof(differs)) == VT_OK;

	return json_pack("{s:o*,s:I,s:I,s:I,s:s,s:o,s:b,s:o*,s:o*}", "label",
	    json_string(a->label), "sequence", (json_int_t)a->sequence, "epoch",
	    (json_int_t)a->epoch, "made", (json_int_t)a->made_s, "bank",
	    digest_name(b->alg), "pcrs", bank_json(b), "alive",
	    epoch == 0 || a->epoch >= epoch, "fits",
	    now != NULL ? json_boolean(fits) : NULL, "differs",
	    differs[0] != '\0' ? json_string(differs) : NULL);
}

static json_t *
approvals_json(
    const struct host_keys *h, const struct pcr_set *now, uint64_t epoch)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < h->ap.n; i++)
		(void)json_array_append_new(
		    list, approval_json(&h->ap.one[i].a, now, epoch));
	return list;
}

static json_t *
gather(const struct host_keys *h, const struct pcr_set *now, uint64_t epoch)
{
	uint8_t fp[SHA256_LEN];
	char name[64], sel[128];
	json_t *o;

	config_host_name(&h->m->cfg, name, sizeof(name));
	pcr_sel_format(&h->m->deep_pcrs, sel, sizeof(sel));
	o = json_pack("{s:b,s:o*,s:s,s:s,s:s,s:s,s:I,s:I,s:s,s:b,s:o*,s:o}",
	    "sealed", host_keys_sealed(h->m), "why",
	    host_keys_sealed(h->m) ? json_string(h->why) : NULL, "root",
	    h->m->root_kind == ROOT_SOFT ? "software" : "hardware", "tcti",
	    hwlink_tcti(h->m->hw), "host", name, "policy",
	    h->bound ? "approved" : "none", "epoch", (json_int_t)epoch,
	    "next_sequence", (json_int_t)h->last_seq + 1, "deep_pcrs", sel,
	    "deep_pcrs_set", h->m->cfg.deep_pcrs.n != 0, "pcrs",
	    now != NULL ? pcrs_json(now) : NULL, "approvals",
	    approvals_json(h, now, epoch));
	if (h->bound &&
	    digest_buf(ALG_SHA256, h->key, sizeof(h->key), fp) == VT_OK) {
		set(o, "approval_key", hex_json(h->key, sizeof(h->key)));
		set(o, "approval_key_sha256", hex_json(fp, sizeof(fp)));
	}
	if (h->counters)
		set(o, "epoch_name",
		    hex_json(h->epoch_name, sizeof(h->epoch_name)));
	return o;
}

static void
on_anchor(void *arg, const struct hw_answer *a)
{
	struct bus_call *c = arg;
	struct host_status *s = c->state;

	if (a->rc == VT_OK && a->body_len == 8)
		set(s->json, "anchor",
		    json_integer((json_int_t)be64_get(a->body)));
	else
		set(s->json, "tpm_error", json_string(a->text));
	bus_call_json(c, s->json);
}

static int
ask_anchor(struct bus_call *c)
{
	const struct hw_counter q = { .which = HWC_ANCHOR };
	uint8_t buf[16];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, hw_counter, &q);
	return hwlink_request(c->m->hw, HW_COUNTER, &w, on_anchor, c);
}

static void
on_pcrs(void *arg, const struct hw_answer *a)
{
	struct bus_call *c = arg;
	struct host_status *s = c->state;
	struct host_keys *h = c->m->host;
	struct hw_pcrs p = { 0 };
	struct pcr_set now;
	bool known;

	known = a->rc == VT_OK &&
		msg_get(hw_pcrs, a->body, a->body_len, &p) == VT_OK &&
		pcr_set_decode(p.pcrs.p, p.pcrs.len, &now) == VT_OK;
	/* A vtpm-hwtpm that was restarted after the refusal does not know the
	 * epoch's counter. */
	if (known && p.epoch == 0 && h->counters && !s->reminded &&
	    host_keys_remind(h) == VT_OK) {
		s->reminded = true;
		if (hwlink_request(c->m->hw, HW_PCRS, NULL, on_pcrs, c) ==
		    VT_OK)
			return;
	}
	s->json = gather(h, known ? &now : NULL, known ? p.epoch : 0);
	if (!known)
		set(s->json, "tpm_error", json_string(a->text));
	if (!known || c->m->start != START_READY || !h->counters ||
	    ask_anchor(c) != VT_OK)
		bus_call_json(c, s->json);
}

int
bus_host_status(struct bus_call *c)
{
	if (bus_call_state(c, sizeof(struct host_status)) == NULL)
		return VT_E_NOMEM;
	return hwlink_request(c->m->hw, HW_PCRS, NULL, on_pcrs, c);
}
