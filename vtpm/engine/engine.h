/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine.h - libtpms behind one file: one TPM in this process.
 *
 * Layer:  vtpm; engine.c is the only file that knows libtpms.
 * Spec:   libtpms 0.9.2 (TPM 2.0 revision 164, TPM 1.2 revision 116).
 * Thread: one thread, except eng_cancel(), which any thread may call.
 * Memory: libtpms keeps its TPM in file-scope globals, so does engine.c:
 *         there is no handle, because there cannot be two.
 *
 * The life of a TPM here.  The engine holds up to three plain-text blobs, as
 * libtpms calls them: permanent ("permall"), volatile (consumed by the next
 * power on, which then resumes instead of resetting) and, for TPM 1.2,
 * savestate.  Power on reads them, commands change them in memory; nothing
 * is written anywhere: the worker asks eng_changed() after each command,
 * seals the permanent blob and makes it durable before it answers.
 *
 * Law 2.  libtpms makes a new identity at any power on that finds no permanent
 * state.  Only eng_manufacture() lets it find none; every other power on
 * without a permanent blob fails.
 */
#ifndef VTPM_ENGINE_ENGINE_H
#define VTPM_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ENG_BUF_MAX 4096 /* largest command and response */
/* Largest state of libtpms, bytes.  Sealed with three public areas around it
 * it fits STATE_MAX_LEN (vtpm/proto/worker_msg.h). */
#define ENG_STATE_MAX (524288 - 8192)

/*
 * Once per process: registers with libtpms.  log_fd: where libtpms writes its
 * errors; it writes no command and no secret there at its default level.
 * -1: stderr.  VT_E_TPM.
 */
int eng_init(int log_fd) VT_CHECK;

/* Powers off and wipes every blob. */
void eng_forget(void);

/*
 * Makes a new TPM of this version (TPM_VER_* of vtpm/proto/worker_msg.h) and
 * leaves it powered on, not started.  The TPM before it is forgotten.
 * VT_E_TPM, VT_E_UNSUPPORTED.
 */
int eng_manufacture(uint8_t tpm_version) VT_CHECK;

/*
 * Become the TPM with this permanent state; powered off.  p is copied.
 * VT_E_STATE: powered on; VT_E_NOMEM, VT_E_FORMAT (len 0).
 */
int eng_set_permanent(
    uint8_t tpm_version, const uint8_t *p, size_t len) VT_CHECK;
/* Resume from this at the next power on; len 0 forgets it.  Copied. */
int eng_set_volatile(const uint8_t *p, size_t len) VT_CHECK;
int eng_set_savestate(const uint8_t *p, size_t len) VT_CHECK;

/*
 * Power on: reset, or resume if a volatile state was set.  VT_E_STATE (is
 * on, or there is no permanent state), VT_E_TPM (libtpms refused the
 * state; the TPM is off then).
 */
int eng_power_on(void) VT_CHECK;
void eng_power_off(void); /* PCRs and all that is volatile are gone */
bool eng_is_tpm2(void);

/*
 * Run one command at this locality.  cmd is borrowed; *ret_resp is borrowed
 * until the next call of any eng_ function, 10..ENG_BUF_MAX bytes.
 * VT_E_STATE: powered off; VT_E_TPM: libtpms gave no response.
 */
int eng_process(uint8_t locality, const uint8_t *cmd, size_t len,
    const uint8_t **ret_resp, size_t *ret_len) VT_CHECK;
/* Aborts the running command if libtpms can; no effect if none runs. */
void eng_cancel(void);

/* Did the permanent state's content change since the last call? */
bool eng_changed(void);
/* Is the permanent state as TPM2_Shutdown left it?  False after
 * eng_set_permanent(), which cannot know. */
bool eng_is_orderly(void);
/* The permanent state as last stored by libtpms; borrowed until the next
 * call of any eng_ function.  NULL: there is none. */
const uint8_t *eng_permanent(size_t *ret_len);
const uint8_t *eng_savestate(size_t *ret_len);
/* Marshal the volatile state; *ret is heap, the caller wipes and frees it.
 * VT_E_STATE, VT_E_TPM. */
int eng_get_volatile(uint8_t **ret, size_t *ret_len) VT_CHECK;

/* The D-RTM / H-CRTM sequence; each returns a TPM 1.2 style result. */
uint32_t eng_hash_start(void);
uint32_t eng_hash_data(const uint8_t *p, size_t len);
uint32_t eng_hash_end(void);
uint32_t eng_get_established(bool *ret);
uint32_t eng_reset_established(uint8_t locality);

/* want 0 queries.  Returns the size in force. */
uint32_t eng_buffer_size(uint32_t want, uint32_t *ret_min, uint32_t *ret_max);
/* JSON of TPMLIB_GetInfo, heap; NULL if out of memory. */
char *eng_info(unsigned int flags);

#endif
