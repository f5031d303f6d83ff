/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * err.h - the one error enum of the tree.
 *
 * Layer:  base; includes nothing of ours.
 * A function that can fail returns VT_OK or one of these.  Outputs are
 * untouched on failure.  VT_E_SYS means "look at errno", which cleanup
 * preserves.  A TPM response code never travels in such an int: it is data,
 * a separate uint32_t.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

#define VT_CHECK __attribute__((warn_unused_result))
#define VT_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum vt_err {
	VT_OK = 0,
	VT_E_SYS = -1,          /* a system call failed: errno */
	VT_E_NOMEM = -2,        /* out of memory */
	VT_E_TRUNC = -3,        /* input ends too early */
	VT_E_FORMAT = -4,       /* input is not what the format allows */
	VT_E_RANGE = -5,        /* a value is over its limit */
	VT_E_AGAIN = -6,        /* nothing available yet, call again later */
	VT_E_NOTFOUND = -7,     /* no such thing */
	VT_E_EXISTS = -8,       /* already exists */
	VT_E_BUSY = -9,         /* in use already */
	VT_E_DENIED = -10,      /* the caller may not do this */
	VT_E_AUTH = -11,        /* authentication tag or signature is wrong */
	VT_E_STALE = -12,       /* older than what was acknowledged: rollback */
	VT_E_STATE = -13,       /* not possible in this state */
	VT_E_UNSUPPORTED = -14, /* not supported here */
	VT_E_TPM = -15,         /* the TPM refused; its code is beside this */
	VT_E_CRYPTO = -16,      /* the crypto library failed */
	VT_E_CLOSED = -17,      /* the peer is gone */
	VT_E_TIMEOUT = -18,     /* took longer than allowed */
	VT_E_SPACE = -19,       /* no room: disk, quota, or reserve */
	VT_E_PROTO = -20,       /* the peer broke the protocol */
	VT_E_POLICY = -21,      /* refused by policy */
	VT_E_CORRUPT = -22,     /* stored data contradicts itself */
};

/* A short English phrase for e; never NULL.  VT_E_SYS reads errno. */
const char *vt_strerror(int e);
/* What is wrong with an input of len bytes that a decoder refused with e, as
 * the end of a sentence: "is empty", "ends too early". */
const char *vt_input_error(int e, size_t len);

#endif
