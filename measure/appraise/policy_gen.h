/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy_gen.h - make a policy from one boot.
 *
 * Layer:  measure; no I/O, no logging.  JSON by jansson.
 */
#ifndef MEASURE_APPRAISE_POLICY_GEN_H
#define MEASURE_APPRAISE_POLICY_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/appraise/policy.h"
#include "measure/log/journal.h"
#include "measure/tpm/pcr.h"

/* A file or text that must occur in the boot. */
struct policy_need {
	const char *what; /* "kernel", "initrd", "grub.cfg", "cmdline" */
	uint32_t pcr;     /* 9 for files, 8 for GRUB strings */
	const void *data; /* borrowed */
	size_t len;
	bool initrd; /* list it as an allowed initrd of the policy */
};

struct policy_gen {
	const char *name;
	uint16_t alg; /* bank; 0: SHA-256 */
	struct {
		const uint8_t *p; /* NULL: absent */
		size_t len;
	} logs[2];                     /* host-made, guest's */
	const struct journal *journal; /* NULL: absent */
	const struct pcr_set *pcrs;    /* what a quote proved; or NULL */
	const uint8_t *record;         /* launch record bytes; or NULL */
	size_t record_len;
	uint32_t values_mask; /* PCRs fixed by value instead of events */
	const struct policy_need *needs;
	size_t nneeds;
	const char *no_initrd_reason; /* see struct policy */
	const char *sha1_reason;
	bool allow_software_root;
};

/*
 * A policy that accepts this boot and no other, as JSON with a description
 * of every event.  PCR 10, 16 and 23 are ignored with a reason; PCR 17 is
 * tied to the launch record if there is one.  The result is held against
 * the same boot before it is handed out.
 * *ret_json: heap, free().  err says what is missing: VT_E_NOTFOUND (a need
 * does not occur), VT_E_POLICY (the result would be refused: initrd not
 * measured, SHA-1, PCRs never extended, log and journal differ), errors of
 * trail_make().
 */
int policy_generate(const struct policy_gen *in, char **ret_json,
    char err[POLICY_ERR_MAX]) VT_CHECK;

/* Hold the boot of in against another policy.  VT_OK: it is accepted;
 * VT_E_POLICY: it is not, err says why; errors as above. */
int policy_accepts(const struct policy_gen *in, const struct policy *p,
    char err[POLICY_ERR_MAX]) VT_CHECK;

#endif
