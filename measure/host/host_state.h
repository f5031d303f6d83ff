/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_state.h - the host states that a verifier accepts.
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

#define HOST_STATE_MAX 64
#define HOST_STATE_MAX_LEN (512u * 1024) /* bytes of JSON */
#define HOST_STATE_ERR_MAX 256

struct host_state {
	struct approval a; /* a plain state: only label and pcrs */
	bool signed_;      /* it is an approval, for its own group only */
	bool dead;         /* its epoch has passed */
};

struct host_states {
	bool have_key;
	uint8_t key[APPROVAL_KEY_LEN];
	uint64_t epoch;
	uint32_t n;
	struct host_state state[HOST_STATE_MAX];
};

/* JSON -> list; every approval's signature is verified.  VT_E_FORMAT,
 * VT_E_RANGE, VT_E_UNSUPPORTED, VT_E_AUTH, VT_E_POLICY, VT_E_NOMEM; err says
 * what and where.  *ret: free(). */
int host_states_parse(const void *json, size_t len, struct host_states **ret,
    char err[HOST_STATE_ERR_MAX]) VT_CHECK;
/* *ret: heap, free().  VT_E_NOMEM. */
int host_states_format(const struct host_states *st, char **ret) VT_CHECK;

#endif
