/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenant_config.h - what a tenant has signed for its group of vTPMs, and what a
 * quote of the host by the group's AK is over.
 *
 * Layer:  measure; pure.
 * Spec:   doc/FORMATS.md, "Group configuration", "Host quote of a group".
 * What is signed.  One ECDSA P-256 signature by the group's approval key over
 *         SHA-256 of all encoded bytes before it: number, sequence,
 *         selection, launch policies and administrators cannot be mixed.
 *         A host takes a configuration only if its sequence is greater than
 *         that of the one it has; equal is refused.
 * Not in it: quotas.  They are the host operator's to set.
 */
#ifndef MEASURE_HOST_TENANT_CONFIG_H
#define MEASURE_HOST_TENANT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/rdwr.h"
#include "measure/host/approval.h"

#define TENANT_CONFIG_MAX 8192 /* bytes, encoded */
#define TENANT_POLICIES_MAX 16 /* launch policies by name */
#define TENANT_POLICY_LEN 63   /* bytes of one name */
#define TENANT_ADMINS_MAX 32   /* users */
#define TENANT_USER_LEN 32     /* a user's name, or the uid in decimal */
#define TENANT_NONCE_MIN 8     /* of a host quote, bytes */
#define TENANT_NONCE_MAX 64
#define TENANT_ATTEST_MAX 512
#define TENANT_CERT_MAX 2048
#define TENANT_QUOTE_MAX 4096 /* bytes, encoded */

struct tenant_config {
	uint32_t group;    /* its number on this host; never 0 */
	uint64_t sequence; /* strictly growing, from 1 */
	uint64_t made_s;   /* seconds since 1970 */
	/* The host's PCRs in this group's deep quotes. */
	uint16_t bank; /* TPM_ALG_ID */
	uint32_t pcrs; /* bit n: PCR n */
	/* Launch records of the group's vTPMs must name one; 0: any. */
	uint32_t npolicies;
	char policies[TENANT_POLICIES_MAX][TENANT_POLICY_LEN + 1];
	uint32_t nadmins;
	char admins[TENANT_ADMINS_MAX][TENANT_USER_LEN + 1];
	uint8_t sig[APPROVAL_SIG_MAX];
	uint16_t sig_len;
};

void tenant_config_put(struct wr *w, const struct tenant_config *c);
/* VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED; a configuration
 * that must not be signed (SHA-1, no PCR, group 0) is VT_E_FORMAT. */
int tenant_config_get(
    const uint8_t *data, size_t len, struct tenant_config *ret) VT_CHECK;
/* VT_E_POLICY: it must not be signed; text says why. */
int tenant_config_check(
    const struct tenant_config *c, char *text, size_t cap) VT_CHECK;
/* Fill the signature.  pem: private key.  VT_E_FORMAT, VT_E_UNSUPPORTED: not
 * a P-256 key; VT_E_RANGE. */
int tenant_config_sign(
    struct tenant_config *c, const void *pem, size_t len) VT_CHECK;
/* VT_E_AUTH: not signed by this key. */
int tenant_config_verify(const struct tenant_config *c,
    const uint8_t key[APPROVAL_KEY_LEN]) VT_CHECK;
/* May a user of this uid and name (or NULL) administer it? */
bool tenant_config_admin(
    const struct tenant_config *c, uint32_t uid, const char *name);
/* May a launch under this policy start?  Always, where none is listed. */
bool tenant_config_policy(const struct tenant_config *c, const char *policy);

/* qualifyingData of a host quote by a group's AK.  VT_E_RANGE: the nonce's
 * length. */
int tenant_qualify(uint32_t group, uint64_t sequence, const uint8_t *nonce,
    size_t nonce_len, uint8_t out[SHA256_LEN]) VT_CHECK;

/* A host quote, as `vtpmctl group quote` writes it. */
struct tenant_quote {
	uint32_t group;
	uint64_t sequence; /* of the configuration that chose the PCRs; 0 */
	uint8_t nonce[TENANT_NONCE_MAX];
	uint16_t nonce_len;
	uint8_t attest[TENANT_ATTEST_MAX], sig[TENANT_ATTEST_MAX];
	uint8_t ak_cert[TENANT_CERT_MAX]; /* DER */
	uint16_t attest_len, sig_len, ak_cert_len;
};
void tenant_quote_put(struct wr *w, const struct tenant_quote *q);
/* VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED. */
int tenant_quote_get(
    const uint8_t *data, size_t len, struct tenant_quote *ret) VT_CHECK;

#endif
