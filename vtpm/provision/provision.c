/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * provision.c - the order of provisioning: manufacture, banks, keys,
 * certificates.
 */
#include "vtpm/provision/provision.h"

#include <string.h>

#include "vtpm/engine/engine.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/provision/provision_tpm12.h"
#include "vtpm/provision/provision_keys20.h"
#include "vtpm/provision/provision_tpm20.h"

static int
power_on(struct prov_fail *f)
{
	int rc;

	f->step = "power on";
	f->tpm_rc = RC_FAILURE;
	if ((rc = eng_power_on()) != VT_OK)
		return rc;
	f->step = "start up";
	return tcmd_startup(0);
}

/* TPM 1.2 needs no shutdown before it loses power. */
static int
power_off(struct prov_fail *f)
{
	int rc = VT_OK;

	f->step = "shut down";
	f->tpm_rc = RC_FAILURE;
	if (eng_is_tpm2())
		rc = tcmd_shutdown(false);
	eng_power_off();
	return rc;
}

static int
make20(uint8_t banks, uint8_t srk, struct prov_keys *ret, struct prov_fail *f)
{
	int rc;

	if ((rc = tcmd_startup(0)) != VT_OK ||
	    (rc = prov20_banks(banks, f)) != VT_OK ||
	    (rc = power_off(f)) != VT_OK || (rc = power_on(f)) != VT_OK ||
	    (rc = prov20_lockout(f)) != VT_OK ||
	    (rc = prov20_keys(srk, ret, f)) != VT_OK)
		return rc;
	return power_off(f);
}

static int
make12(struct prov_keys *ret, struct prov_fail *f)
{
	int rc;

	if ((rc = tcmd_startup(0)) != VT_OK ||
	    (rc = prov12_enable(f)) != VT_OK || (rc = power_off(f)) != VT_OK ||
	    (rc = power_on(f)) != VT_OK || (rc = prov12_keys(ret, f)) != VT_OK)
		return rc;
	return power_off(f);
}

int
prov_make(uint8_t tpm_version, uint8_t banks, uint8_t srk,
    struct prov_keys *ret, struct prov_fail *f)
{
	struct prov_keys keys;
	int rc;

	memset(&keys, 0, sizeof(keys));
	f->step = "manufacture";
	f->tpm_rc = RC_FAILURE;
	if (tpm_version == TPM_VER_12 && (banks & ~BANK_SHA1) != 0)
		return VT_E_UNSUPPORTED;
	if ((rc = eng_manufacture(tpm_version)) != VT_OK)
		return rc;
	f->step = "first start up";
	rc = tpm_version == TPM_VER_20 ? make20(banks, srk, &keys, f)
				       : make12(&keys, f);
	eng_power_off();
	if (rc == VT_OK)
		*ret = keys;
	return rc;
}

int
prov_certs(const struct wcerts *m, struct prov_fail *f)
{
	int rc;

	if ((rc = power_on(f)) == VT_OK)
		rc = eng_is_tpm2() ? prov20_certs(m, f) : prov12_certs(m, f);
	if (rc == VT_OK)
		rc = power_off(f);
	eng_power_off();
	return rc;
}
