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

#define GROUP_CONFIG_MAX 8192 /* bytes, encoded */
#define GROUP_POLICIES_MAX 16 /* launch policies by name */
#define GROUP_POLICY_LEN 63   /* bytes of one name */
#define GROUP_ADMINS_MAX 32   /* users */
#define GROUP_USER_LEN 32     /* a user's name, or the uid in decimal */
#define GROUP_NONCE_MIN 8     /* of a host quote, bytes */
#define GROUP_NONCE_MAX 64
#define GROUP_ATTEST_MAX 512
#define GROUP_CERT_MAX 2048
#define GROUP_QUOTE_MAX 4096 /* bytes, encoded */

struct group_config {
	uint32_t group;    /* its number on this host; never 0 */
	uint64_t sequence; /* strictly growing, from 1 */
	uint64_t made_s;   /* seconds since 1970 */
	/* The host's PCRs in this group's deep quotes. */
	uint16_t bank; /* TPM_ALG_ID */
	uint32_t pcrs; /* bit n: PCR n */
	/* Launch records of the group's vTPMs must name one; 0: any. */
	uint32_t npolicies;
	char policies[GROUP_POLICIES_MAX][GROUP_POLICY_LEN + 1];
	uint32_t nadmins;
	char admins[GROUP_ADMINS_MAX][GROUP_USER_LEN + 1];
	uint8_t sig[APPROVAL_SIG_MAX];
	uint16_t sig_len;
};

void group_config_put(struct wr *w, const struct group_config *c);
/* VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED; a configuration
 * that must not be signed (SHA-1, no PCR, group 0) is VT_E_FORMAT. */
int group_config_get(
    const uint8_t *data, size_t len, struct group_config *ret) VT_CHECK;
/* VT_E_POLICY: it must not be signed; text says why. */
int group_config_check(
    const struct group_config *c, char *text, size_t cap) VT_CHECK;
/* Fill the signature.  pem: private key.  VT_E_FORMAT, VT_E_UNSUPPORTED: not
 * a P-256 key; VT_E_RANGE. */
int group_config_sign(
    struct group_config *c, const void *pem, size_t len) VT_CHECK;
/* VT_E_AUTH: not signed by this key. */
int group_config_verify(
    const struct group_config *c, const uint8_t key[APPROVAL_KEY_LEN]) VT_CHECK;
/* May a user of this uid and name (or NULL) administer it? */
bool group_config_admin(
    const struct group_config *c, uint32_t uid, const char *name);
/* May a launch under this policy start?  Always, where none is listed. */
bool group_config_policy(const struct group_config *c, const char *policy);

/* qualifyingData of a host quote by a group's AK.  VT_E_RANGE: the nonce's
 * length. */
int group_qualify(uint32_t group, uint64_t sequence, const uint8_t *nonce,
    size_t nonce_len, uint8_t out[SHA256_LEN]) VT_CHECK;

/* A host quote, as `vtpmctl group quote` writes it. */
struct group_quote {
	uint32_t group;
	uint64_t sequence; /* of the configuration that chose the PCRs; 0 */
	uint8_t nonce[GROUP_NONCE_MAX];
	uint16_t nonce_len;
	uint8_t attest[GROUP_ATTEST_MAX], sig[GROUP_ATTEST_MAX];
	uint8_t ak_cert[GROUP_CERT_MAX]; /* DER */
	uint16_t attest_len, sig_len, ak_cert_len;
};
void group_quote_put(struct wr *w, const struct group_quote *q);
/* VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED. */
int group_quote_get(
    const uint8_t *data, size_t len, struct group_quote *ret) VT_CHECK;

#endif
