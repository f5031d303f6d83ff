/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gather.h - the evidence of this guest's boot, from its TPM and kernel.
 *
 * Layer:  tools.  Each failure is logged.
 */
#ifndef TOOLS_ATTEST_GATHER_H
#define TOOLS_ATTEST_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#include "measure/evidence/bundle.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/tpm_public.h"
#include "tools/esys/esys_ctx.h"

struct attest {
	/* Given by the caller. */
	const char *log; /* event log; NULL: the kernel's, if there is one */
	uint32_t ak;     /* handle */
	bool no_journal; /* continue without TPM_CC_VTPM */
	bool deep;
	const char *channel_key; /* file; NULL: none */
	struct pcr_sel sel;
	/* Quote the first active bank, PCR 17, too, if the launch was measured,
	 * and leave out PCR 10 if it does not rest. */
	bool default_pcrs;
	struct esys e;     /* open */
	struct bundle *ev; /* with the nonce; gather() adds the rest */

	/* Of gather(). */
	ESYS_TR ak_tr;
	struct tpm_name ak_qn;
	uint16_t hash; /* of the AK's scheme */
};

/* Fill a->ev.  VT_OK, or an error after a message. */
int gather(struct attest *a) VT_CHECK;

#endif
