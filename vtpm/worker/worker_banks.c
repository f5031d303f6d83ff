/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_banks.c - PCR banks that the host sets.
 *
 * TPM2_PCR_Allocate needs the platform's authorization, which firmware gives a
 * password soon after Startup, and takes effect at the next power cycle.  So
 * the worker starts the TPM once more before the guest's own power cycle.
 */
#include "vtpm/worker/worker_banks.h"

#include "vtpm/engine/engine.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/provision/provision_tpm20.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_state.h"

static int
allocate(uint8_t banks, struct prov_fail *f)
{
	int rc;

	f->step = "start up";
	if ((rc = tcmd_startup(0)) != VT_OK)
		return rc;
	rc = prov20_banks(banks, f);
	if (tcmd_shutdown(false) != VT_OK && rc == VT_OK) {
		f->step = "shut down";
		rc = VT_E_TPM;
	}
	return rc;
}

int
wk_banks_apply(struct worker *w)
{
	struct prov_fail f = { "", 0 };
	uint8_t banks = w->banks_next;

	w->banks_next = 0;
	if (banks == 0 || !eng_is_tpm2())
		return VT_OK;
	if (allocate(banks, &f) != VT_OK)
		wk_event(w, WE_FAILURE,
		    "the PCR banks that the host set are not active: could not "
		    "%s (TPM code 0x%x)",
		    f.step, f.tpm_rc);
	eng_power_off();
	return eng_power_on();
}
