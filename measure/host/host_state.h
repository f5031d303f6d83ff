/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_state.h - the states that a verifier accepts a host in.
 *
 * Layer:  measure; no I/O, no logging.
 * Spec:   doc/FORMATS.md, "Host states".
 * Trust:  the list is the verifier's own; approvals in it are as good as
 *         their signature.
 */
#ifndef MEASURE_HOST_HOST_STATE_H
#define MEASURE_HOST_HOST_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/host/approval.h"

#define HOSTSTATE_MAX 64
#define HOSTSTATE_MAX_LEN (512u * 1024) /* bytes of JSON */
#define HOSTSTATE_ERR_MAX 256

struct hoststate {
	struct approval a; /* a plain state: only label and pcrs */
	bool signed_;      /* it is an approval, for its own group only */
	bool dead;         /* its epoch has passed */
};

struct hoststates {
	bool have_key;
	uint8_t key[APPROVAL_KEY_LEN];
	uint64_t epoch;
	uint32_t n;
	struct hoststate state[HOSTSTATE_MAX];
};

/* JSON -> list; every approval's signature is verified.  VT_E_FORMAT,
 * VT_E_RANGE, VT_E_UNSUPPORTED, VT_E_AUTH, VT_E_POLICY, VT_E_NOMEM; err says
 * what and where.  *ret: free(). */
int hoststates_parse(const void *json, size_t len, struct hoststates **ret,
    char err[HOSTSTATE_ERR_MAX]) VT_CHECK;
/* *ret: heap, free().  VT_E_NOMEM. */
int hoststates_format(const struct hoststates *st, char **ret) VT_CHECK;

#endif
