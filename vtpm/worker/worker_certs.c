/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_certs.c - new certificates of the vTPM's keys.
 *
 * The AK's certificate is short-lived, and a host that was recovered on another
 * TPM has another CA, so the manager issues new certificates.  A guest reads
 * them by the vendor command, and they replace those in NV where that is
 * possible: as long as the platform hierarchy is enabled and has no password.
 * Firmware sets one soon after it starts the TPM, so a certificate that could
 * not be written at once is written after the next Startup(CLEAR).
 */

#include "vtpm/worker/worker_certs.h"
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm/provision/provision_tpm20.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_store.h"

void
wk_certs_write(struct worker *w)
{
	struct prov_fail f = { "", 0 };
	struct wk_cert *c;
	struct wblob der;
	uint8_t which;

	if (!power_is_started(w->power) || !eng_is_tpm2() || !wk_can_store(w))
		return;
	for (which = WCERT_EK_RSA; which <= WCERT_AK; which++) {
		c = &w->certs[which];
		der = (struct wblob){ c->der, (uint32_t)c->len };
		if (!c->due)
			continue;
		if (prov20_cert(which, &der, &f) == VT_OK)
			c->due = false;
		else
			log_debug("certificate %u in NV stays as it is: could "
				  "not %s (TPM code 0x%x)",
			    which, f.step, f.tpm_rc);
	}
}

void
wk_certs_drop_ak(struct worker *w)
{
	struct wk_cert *c = &w->certs[WCERT_AK];
	struct prov_fail f = { "", 0 };

	free(c->der);
	memset(c, 0, sizeof(*c));
	if (prov20_drop_ak_cert(&f) != VT_OK)
		log_debug("the old AK's certificate stays in NV: could not %s "
			  "(TPM code 0x%x)",
		    f.step, f.tpm_rc);
}

int
wk_cert_take(struct worker *w, const struct wakcert *m)
{
	struct wk_cert *c = &w->certs[m->which];
	uint8_t *copy = malloc(m->der.len);

	if (copy == NULL)
		return VT_E_NOMEM;
	memcpy(copy, m->der.p, m->der.len);
	free(c->der);
	c->der = copy;
	c->len = m->der.len;
	c->due = true;
	wk_certs_write(w);
	(void)wk_store_changes(w, 0);
	return VT_OK;
}
