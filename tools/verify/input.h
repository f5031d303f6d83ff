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
#include "measure/evidence/verify_deep.h"
#include "measure/host/host_identity.h"
#include "measure/host/host_identity_check.h"
#include "measure/host/host_state.h"

/* Read and parse.  The caller owns *ret, the type's own _free() frees it. */
int input_evidence(const char *path, struct bundle **ret) VT_CHECK;
int input_host_identity(const char *path, enum host_identity_kind kind,
    struct host_identity **ret) VT_CHECK;
/* path: a file, or a folder of files. */
int input_roots(const char *path, struct host_roots **ret) VT_CHECK;

/* A host that deep quotes are checked against. */
struct input_host {
	struct host_identity *id;
	struct host_roots *roots;
	struct host_states *states;
	struct deep_host *deep;
};
/* record: from enrolment; states and roots may be NULL.  After an error, too,
 * input_host_done() is due. */
int input_host(struct input_host *h, const char *record, const char *states,
    const char *roots) VT_CHECK;
void input_host_done(struct input_host *h);

#endif
