/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_banks.c - PCR banks that the operator sets: kept (SX_CERTS, banks_next)
 * until the worker says that they are the active ones (guest_facts.c).
 */
#include "vtpm_manager/guest/guest_banks.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_certs.h"
#include "vtpm_manager/guest/guest_identity.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_blob.h"

static void
on_taken(void *arg, int rc, const struct msg *msg)
{
	char text[TEXT_MAX_LEN + 1];

	(void)arg;
	rc = wlink_done_rc(rc, msg, text, sizeof(text));
	if (rc != VT_OK && rc != VT_E_CLOSED)
		log_warn("a worker did not take its PCR banks: %s", text);
}

static void
send_banks(struct guest_run *g, uint8_t banks)
{
	struct wbanks m = { banks };
	uint8_t buf[8];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wbanks, &m);
	if (g->link == NULL || wlink_request(g->link, W_BANKS, &w, NULL, 0, 0,
				   on_taken, NULL) != VT_OK)
		log_warn("guest %s: its worker hears of the new PCR banks at "
			 "its next start",
		    g->in.name);
}

void
guest_send_banks(struct guest_run *g)
{
	json_t *id = guest_identity(g->m, &g->in);
	uint8_t banks = guest_banks_next(id);

	if (banks != 0)
		send_banks(g, banks);
	json_decref(id);
}

static int
keep(struct mgr *m, const struct guest *in, uint8_t banks)
{
	json_t *id = guest_identity(m, in);
	int rc = VT_E_NOMEM;

	if (id != NULL && json_object_set_new(id, "banks_next",
			      guest_json_banks(TPM_VER_20, banks)) == 0)
		rc = guest_identity_keep(m, in->uuid, id);
	json_decref(id);
	return rc;
}

int
guest_set_banks(struct mgr *m, const struct guest *in, uint8_t banks,
    mgr_done_cb cb, void *arg, char *text)
{
	struct guest_run *g = guest_live(m, in->uuid);
	int rc;

	if (in->tpm_version != TPM_VER_20) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: a TPM 1.2 has no choice of banks", in->name);
		return VT_E_UNSUPPORTED;
	}
	if ((rc = keep(m, in, banks)) != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: the PCR banks are not stored: %s", in->name,
		    vt_strerror(rc));
		return rc;
	}
	if (g != NULL) {
		guest_ak_changed(g);
		if (g->st == IS_RUNNING)
			send_banks(g, banks);
	}
	commit_reply(m, cb, arg);
	return VT_OK;
}
