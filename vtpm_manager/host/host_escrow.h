/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_escrow.h - the master key in shares for the operators, and the recovery
 * of a store on another TPM with these shares.
 *
 * Layer:  vtpm_manager.
 * Files:  made with a new store (escrow in vtpm-managerd.conf(5)):
 *         STATE/escrow/share-X-of-N.pem, each for one operator, to be
 *         fetched and kept elsewhere.
 */
#ifndef VTPM_MANAGER_HOST_HOST_ESCROW_H
#define VTPM_MANAGER_HOST_HOST_ESCROW_H

#include "measure/host/escrow.h"
#include "vtpm_manager/host/host_keys.h"

#define HOST_ESCROW_FOLDER "escrow"

struct host_escrow_key { /* of one operator: PEM */
	const void *p;
	size_t len;
};

/* ret: n texts in PEM, free() each.  text (MGR_TEXT_MAX) names the bad key and
 * the reason. */
int host_escrow_make(struct mgr *m, const uint8_t master[32],
    unsigned int threshold, const struct host_escrow_key *keys, unsigned int n,
    char *ret[SHAMIR_MAX_SHARES], char *text) VT_CHECK;
/* The shares of the setting escrow, if any, before a new store is written. */
int host_escrow_at_init(
    struct mgr *m, const uint8_t master[32], char *text) VT_CHECK;

/* Sealed, with --recover: make the host's keys in this TPM, with the master
 * key from the shares, and accept the store.  As host_keys.h's changes. */
int host_escrow_recover(struct mgr *m, const char *who,
    const struct host_escrow_key *shares, unsigned int n, host_keys_cb cb,
    void *arg, char *text) VT_CHECK;
/* Accepts a store that comes from another TPM; as recover_moved(). */
typedef int (*host_escrow_accept)(struct mgr *m, const char *who,
    mgr_done_cb cb, void *arg, uint32_t *ret_n, char *text);
/* The manager serves a store that was recovered: accept it, and answer
 * the caller. */
void host_escrow_finish(struct mgr *m, host_escrow_accept accept);

#endif
