/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_akcert.c - the AK's certificate is short-lived: the manager gives a
 * new one in time, a guest fetches it by the vendor command, and where that is
 * possible it also replaces the one in NV.
 *
 * Possible means: the platform hierarchy is enabled and has no authorisation
 * yet.  Firmware sets one soon after it has started the TPM, so what could not
 * be written when it came is written after the next Startup(CLEAR).
 */
#include "vtpm/worker_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void
wk_ak_cert_write(struct worker *w)
{
	struct prov_fail f = { "", 0 };
	struct wblob der = { w->ak_cert, (uint32_t)w->ak_cert_len };
	int rc;

	if (!w->ak_cert_due || !w->started || w->phase != WP_LOADED ||
	    !eng_is_tpm2() || !wk_can_store(w))
		return;
	rc = prov_ak_cert(&der, &f);
	if (rc == VT_OK)
		w->ak_cert_due = false;
	else
		log_debug("the AK's certificate stays as it is in NV: could "
			  "not %s (TPM code 0x%x)",
		    f.step, f.tpm_rc);
}

int
wk_ak_cert_take(struct worker *w, const struct wakcert *m)
{
	uint8_t *copy = malloc(m->der.len);

	if (copy == NULL)
		return VT_E_NOMEM;
	memcpy(copy, m->der.p, m->der.len);
	free(w->ak_cert);
	w->ak_cert = copy;
	w->ak_cert_len = m->der.len;
	w->ak_cert_due = true;
	wk_ak_cert_write(w);
	(void)wk_store_changes(w, 0);
	return VT_OK;
}
