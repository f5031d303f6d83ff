/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * orderly.c - gives a state that lost power the TPM2_Shutdown that it lacks.
 *
 * A stored state has no volatile half to shut down.  Startup makes one, but
 * charges for it.  So Startup runs on a copy, the volatile state of the copy
 * resumes on the stored permanent state, which is not charged, and this TPM is
 * shut down.  The Startup that follows is one after an orderly shutdown.
 */
#include "vtpm/engine/orderly.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vtpm/engine/engine.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/proto/worker_msg.h"

struct copy {
	uint8_t *p; /* heap; holds seeds */
	size_t len;
};

static void
copy_done(struct copy *c)
{
	mem_wipe_free(c->p, c->len);
	c->p = NULL;
}

static int
copy_permanent(struct copy *ret)
{
	size_t len;
	const uint8_t *p = eng_permanent(&len);

	if (p == NULL)
		return VT_E_STATE;
	if ((ret->p = malloc(len)) == NULL)
		return VT_E_NOMEM;
	memcpy(ret->p, p, len);
	ret->len = len;
	return VT_OK;
}

/* Startup on a copy: its volatile state, and what its counter is then. */
static int
try_startup(struct copy *ret_vol, uint32_t *ret_counter)
{
	int rc;

	if ((rc = eng_power_on()) != VT_OK)
		return rc;
	if ((rc = tcmd_startup(0)) == VT_OK &&
	    (rc = tcmd_property(PT_LOCKOUT_COUNTER, ret_counter)) == VT_OK)
		rc = eng_get_volatile(&ret_vol->p, &ret_vol->len);
	eng_power_off();
	return rc;
}

/* 1: shut down; 0: Startup charges nothing, so nothing is to be done. */
static int
shut_down(const struct copy *vol, uint32_t counter)
{
	uint32_t now = 0;
	int rc;

	if ((rc = eng_set_volatile(vol->p, vol->len)) != VT_OK ||
	    (rc = eng_power_on()) != VT_OK)
		return rc;
	if ((rc = tcmd_property(PT_LOCKOUT_COUNTER, &now)) == VT_OK &&
	    now != counter && (rc = tcmd_shutdown(false)) == VT_OK)
		rc = 1;
	eng_power_off();
	return rc;
}

int
orderly_make(void)
{
	struct copy perm = { 0 }, vol = { 0 };
	uint32_t counter = 0;
	int rc, back;

	if (!eng_is_tpm2())
		return VT_OK;
	if ((rc = copy_permanent(&perm)) != VT_OK)
		return rc;
	rc = try_startup(&vol, &counter);
	if (rc == VT_OK) {
		rc = eng_set_permanent(TPM_VER_20, perm.p, perm.len);
		if (rc == VT_OK)
			rc = shut_down(&vol, counter);
	}
	if (rc != 1) {
		back = eng_set_permanent(TPM_VER_20, perm.p, perm.len);
		if (rc == VT_OK)
			rc = back;
	}
	copy_done(&perm);
	copy_done(&vol);
	return rc == 1 ? VT_OK : rc;
}
