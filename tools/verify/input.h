/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * input.h - the files that vtpm-verify judges; each failure is logged with the
 * file's name and the cause.
 *
 * Layer:  tools.
 * Trust:  evidence comes from a guest, quotes from a host; records, states and
 *         roots are the verifier's own.
 */
#ifndef TOOLS_VERIFY_INPUT_H
#define TOOLS_VERIFY_INPUT_H

#include "base/err.h"
#include "measure/evidence/bundle.h"
#include "measure/host/host_identity.h"
#include "measure/host/host_identity_check.h"
#include "measure/library/vtpm_verify.h"

/* Read and parse.  The caller owns *ret, the type's own _free() frees it. */
int input_evidence(const char *path, struct bundle **ret) VT_CHECK;
int input_host_identity(const char *path, enum host_identity_kind kind,
    struct host_identity **ret) VT_CHECK;
/* path: a file, or a folder of files. */
int input_roots(const char *path, struct host_roots **ret) VT_CHECK;

/* Hand a file to one setter of a verifier. */
int input_set(struct vtpm_verifier *v, const char *path, size_t max,
    int (*setter)(struct vtpm_verifier *, const void *, size_t)) VT_CHECK;
/* The host that deep quotes are checked against.  record: from enrolment;
 * states and roots may be NULL. */
int input_host(struct vtpm_verifier *v, const char *record, const char *states,
    const char *roots) VT_CHECK;

#endif
