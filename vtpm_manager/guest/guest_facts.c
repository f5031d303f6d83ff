/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_facts.c - what a guest changed of its vTPM's identity: its PCR banks
 * (TPM2_PCR_Allocate) and, by TPM2_Clear, its AK.
 *
 * A worker has the AK of its guest in its memory; that it names another key
 * gives it no power over the guest's quotes that it did not have.  The key must
 * still be one that a TPM would not let out, as hwtpm certifies no other kind.
 */
#include "vtpm_manager/guest/guest_facts.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "measure/tpm/tpm_public.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_certs.h"
#include "vtpm_manager/guest/guest_identity.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_blob.h"

#define AK_ATTRS                                                           \
	((uint32_t)(TO_FIXED_TPM | TO_FIXED_PARENT | TO_SENSITIVE_ORIGIN | \
		    TO_RESTRICTED | TO_SIGN))

static bool
is_ak(const struct wblob *b)
{
	struct tpm_pub pub;
	const uint8_t *p;
	size_t len;

	return tpm_pub_unwrap(b->p, b->len, &p, &len) == VT_OK &&
	       tpm_pub_get(p, len, &pub) == VT_OK &&
	       (pub.attrs & AK_ATTRS) == AK_ATTRS &&
	       (pub.attrs & TO_DECRYPT) == 0 && pub.hash != 0;
}

static const char *
ak_text(const json_t *id, const char *what)
{
	const char *s =
	    json_string_value(json_object_get(json_object_get(id, "ak"), what));

	return s != NULL ? s : "";
}

static bool
take_ak(struct guest_run *g, json_t *id, const struct wfacts *f)
{
	char hex[2 * PUB_MAX_LEN + 1], old[2 * sizeof(struct tpm_name) + 1];

	hex_encode(f->ak.p, f->ak.len, hex);
	if (strcmp(hex, ak_text(id, "public")) == 0)
		return false;
	if (!is_ak(&f->ak)) {
		log_warn("guest %s: its worker named a key that is no AK",
		    g->in.name);
		return false;
	}
	if (!token_bucket_take(&g->new_ak, 1, now_us())) {
		log_warn("guest %s: it cleared its TPM too often: its new AK "
			 "is certified after a reset in ten minutes or later",
		    g->in.name);
		return false;
	}
	(void)snprintf(old, sizeof(old), "%s", ak_text(id, "name"));
	if (json_object_set_new(
		id, "ak", guest_json_key(TPM_VER_20, &f->ak, NULL, NULL)) != 0)
		return false;
	audit_log(g->m, "worker", "new-ak", g->in.name, "ok",
	    "the guest cleared its TPM: AK %.80s replaces %.80s",
	    ak_text(id, "name"), old);
	return true;
}

static bool
take_banks(struct guest_run *g, json_t *id, const struct wfacts *f)
{
	char text[64] = "";
	const json_t *v;
	size_t i, n = 0;

	struct guest_ration *r = &g->rations[RATION_EVENTS];
	bool met = guest_banks_next(id) == f->banks;

	if (met) /* else they could not be set: at the next start again */
		(void)json_object_del(id, "banks_next");
	if (guest_banks_of(id, g->in.tpm_version) == f->banks)
		return met;
	if (json_object_set_new(
		id, "banks", guest_json_banks(TPM_VER_20, f->banks)) != 0)
		return false;
	json_array_foreach(json_object_get(id, "banks"), i, v) n +=
	    (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
		i > 0 ? "," : "", json_string_value(v));
	if (token_bucket_take(&r->records, 1, now_us()))
		audit_log(g->m, "worker", "banks", g->in.name, "ok",
		    "its active PCR banks are now %s", text);
	else
		r->dropped++;
	return true;
}

void
guest_on_facts(void *arg, const struct wfacts *f)
{
	struct guest_run *g = arg;
	json_t *id = guest_identity(g->m, &g->in);
	bool ak, banks;
	int rc;

	if (id == NULL || g->in.tpm_version != TPM_VER_20)
		goto out;
	ak = take_ak(g, id, f);
	banks = take_banks(g, id, f);
	if (!ak && !banks)
		goto out;
	if ((rc = guest_identity_keep(g->m, g->in.uuid, id)) != VT_OK) {
		log_warn("guest %s: its new keys and banks are not kept: %s; "
			 "they are after its next power cycle",
		    g->in.name, vt_strerror(rc));
		goto out;
	}
	commit_soon(g->m, NULL, NULL);
	guest_ak_changed(g);
out:
	json_decref(id);
}
