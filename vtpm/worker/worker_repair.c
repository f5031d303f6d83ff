/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_repair.c - keys that the guest removed come back at a power cycle.
 *
 * "Clear TPM" is routine in installers and firmware menus, and removes the AK
 * with all other keys.  Without an AK the guest cannot be attested.  The
 * endorsement seed survives, so the EKs come back with the same Names and their
 * certificates stay true.  The AK comes back if it was evicted; TPM2_Clear is
 * for good, so there a new one is made under the same EK, and the manager,
 * which hears of it by W_FACTS, has it certified.
 */
#include "vtpm/worker/worker_repair.h"

#include "base/err.h"
#include "vtpm/engine/engine.h"
#include "vtpm/provision/provision_keys20.h"
#include "vtpm/state/state.h"
#include "vtpm/worker/worker_certs.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_store.h"

static uint8_t
made_with(const struct worker *w)
{
	if ((w->perm_flags & SP_SRK_ECC) != 0)
		return WSRK_ECC;
	return (w->perm_flags & SP_SRK_RSA) != 0 ? WSRK_RSA : WSRK_NONE;
}

void
wk_repair(struct worker *w)
{
	struct prov_fail f = { "", 0 };
	unsigned int made;
	int rc;

	if (!eng_is_tpm2() || !wk_can_store(w))
		return;
	rc = prov20_repair(made_with(w), &w->keys, &made, &f);
	if ((made & PROV_NEW_AK) != 0)
		wk_certs_drop_ak(w);
	if (made != 0)
		wk_event(w, WE_REPAIRED,
		    "keys that the guest had removed are back:%s%s%s%s",
		    (made & PROV_NEW_AK) != 0 ? " AK (a new one)"
		    : (made & PROV_AK) != 0   ? " AK"
					      : "",
		    (made & PROV_EK_ECC) != 0 ? " EK (ECC)" : "",
		    (made & PROV_EK_RSA) != 0 ? " EK (RSA)" : "",
		    (made & PROV_SRK) != 0 ? " SRK (a new one)" : "");
	if (rc != VT_OK)
		wk_event(w, WE_FAILURE,
		    "a key that the guest removed is not put back: could not "
		    "%s%s",
		    f.step,
		    f.tpm_rc == RC_BAD_AUTH
			? "; the owner's or the endorsement hierarchy has a "
			  "password: remove it, then reset the guest"
			: "");
}
