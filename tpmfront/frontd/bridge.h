/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bridge.h - a guest kernel's commands to a TPM, and the answers back.
 *
 * Layer:  tpmfront; does no logging.
 * Spec:   linux/vtpm_proxy.h: the kernel's end is a descriptor; each read is
 *         one command, each write one answer.  TPM 2.0 part 3, sec. 5
 *         (errors in the header); TPM 1.2 part 2 for a TPM 1.2.
 * Trust:  commands come from every user who may open /dev/tpm0; the TPM's
 * answers from a back half that may be broken.  Both are checked for length
 *         alone.
 *
 * The kernel gets exactly one answer to each command that it still waits
 * for: the TPM's, or an error of ours.  RETRY: it was not sent, nothing
 * happened.  FAILURE: it was sent and its answer is lost, so it may have been
 * done.
 */
#ifndef TPMFRONT_FRONTD_BRIDGE_H
#define TPMFRONT_FRONTD_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define BRIDGE_BUF 4096 /* the kernel's TPM_BUFSIZE */

/* The TPM's side.  Errors as ring.h has them. */
struct bridge_tpm {
	/* Connect to a back half, waiting up to timeout_ms. */
	int (*ready)(void *arg, int timeout_ms);
	int (*send)(
	    void *arg, uint8_t locality, const uint8_t *cmd, size_t len);
	/* VT_E_AGAIN: not yet.  *ret borrowed until the next send. */
	int (*wait)(
	    void *arg, int timeout_ms, const uint8_t **ret, size_t *ret_len);
	void (*cancel)(void *arg);
	bool (*grants)(void *arg, uint8_t locality);
	/* Polls readable when attend() is worth calling; -1: never. */
	int (*fd)(void *arg);
	int (*attend)(void *arg);
	/* Changes when there may be another TPM behind it. */
	unsigned int (*generation)(void *arg);
	bool (*comes_back)(void *arg); /* after VT_E_CLOSED; false: never */
};

enum bridge_end {
	BRIDGE_STOPPED,   /* stop_fd became readable */
	BRIDGE_NO_DEVICE, /* the kernel closed its end */
	BRIDGE_LOST,      /* the TPM's side is gone for good */
	BRIDGE_OTHER,     /* the TPM is now one of the other family */
};

struct bridge {
	const struct bridge_tpm *tpm;
	void *arg;
	bool tpm12;
	uint8_t locality;
	int dev_fd, stop_fd;
	/* Called when there may be a new page; NULL. */
	void (*renewed)(void *renewed_arg);
	void *renewed_arg;
	unsigned int generation; /* of the TPM whose version was queried */
	bool owed;               /* an unwanted answer is still due */
	bool lost;
	unsigned long commands, retried, failed;
	uint8_t cmd[BRIDGE_BUF];
	uint8_t resp[BRIDGE_BUF];
};

/* tpm and arg are borrowed for the life of b. */
void bridge_init(struct bridge *b, const struct bridge_tpm *tpm, void *arg,
    int dev_fd, int stop_fd);
/*
 * Wait up to timeout_ms for the TPM and ask which version it has (b->tpm12).
 * VT_E_TIMEOUT, VT_E_CLOSED, VT_E_PROTO (its answer is none), VT_E_SYS.
 */
int bridge_probe(struct bridge *b, int timeout_ms) VT_CHECK;
/* A command that a dead predecessor had read is answered with FAILURE; a
 * kernel that waits for nothing takes no notice. */
void bridge_disown(struct bridge *b);
/* Take one command, which must be there, to its answer; no waiting for the
 * next.  False: the kernel's end is gone, or bridge_serve() would end. */
bool bridge_turn(struct bridge *b);
/* Serve until something ends it. */
enum bridge_end bridge_serve(struct bridge *b);
/* While there is no TPM: answer the command that waits, if any, with RETRY. */
void bridge_put_off(struct bridge *b);

struct ring;
#endif
