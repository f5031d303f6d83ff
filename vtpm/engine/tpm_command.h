/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tpm_command.h - TPM framing: take a command apart, build and run one of ours.
 *
 * Layer:  vtpm.
 * Spec:   TPM 2.0 Library, Part 1, 18 (command and response structure);
 *         TPM Main 1.2, Part 3.
 * Bytes:  big-endian.
 * Trust:  tp_* read what a guest sent: every length is checked.
 */
#ifndef VTPM_ENGINE_TPM_COMMAND_H
#define VTPM_ENGINE_TPM_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rdwr.h"

#define TPM_HDR_LEN 10
#define ST_NO_SESSIONS 0x8001u
#define ST_SESSIONS 0x8002u
#define TAG_RQU 0x00c1u /* TPM 1.2 request without authorization */
#define TAG_RSP 0x00c4u /* TPM 1.2 response */

#define RH_OWNER 0x40000001u
#define RH_NULL 0x40000007u
#define RS_PW 0x40000009u
#define RH_LOCKOUT 0x4000000au
#define RH_ENDORSEMENT 0x4000000bu
#define RH_PLATFORM 0x4000000cu

/* TPM 2.0 response codes that the worker itself gives. */
#define RC_INITIALIZE 0x100u
#define RC_FAILURE 0x101u
#define RC_INTEGRITY 0x1dfu /* of parameter 1: not under this parent */
#define RC_BAD_AUTH 0x9a2u  /* of session 1: a hierarchy has a password */
#define RC_COMMAND_CODE 0x143u
#define RC_VALUE 0x084u
#define RC_MEMORY 0x904u
#define RC_SIZE 0x095u
#define RC_LOCALITY 0x907u
#define RC_CANCELED 0x909u
#define RC_NV_UNAVAILABLE 0x923u
#define RC_NV_SPACE 0x14bu
/* TPM 1.2 results likewise. */
#define R12_DEACTIVATED 0x006u
#define R12_DISABLED 0x007u
#define R12_FAIL 0x009u
#define R12_BAD_ORDINAL 0x00au
#define R12_DECRYPT_ERROR 0x021u
#define R12_NOSPACE 0x011u
#define R12_BAD_LOCALITY 0x03du
#define R12_RETRY 0x800u

/* --- a guest's command ----------------------------------------------------
 */

/*
 * A command, taken apart once when the channel submits it and passed on by
 * const pointer.  For commands without CT_H1 or CT_H2, handle[] is zero and
 * the parameters start behind the header.
 */
struct tpm_cmd {
	const uint8_t *bytes; /* the whole command; borrowed */
	size_t len;           /* bytes; equals the header's size field */
	uint8_t locality;
	bool tpm2;
	uint16_t tag;
	uint32_t code;
	uint32_t flags; /* CT_* of vtpm/engine/command_table.h */
	uint32_t handle[2];
	bool encrypts;       /* a session encrypts the response */
	int err;             /* VT_E_TRUNC: ends in its handles or sessions */
	uint16_t params_off; /* from bytes; unless err is set */
};

/* bytes: borrowed, TPM_HDR_LEN..4096, as tpmback/chan.h hands them over. */
void tpm_cmd_decode(struct tpm_cmd *ret, bool tpm2, uint8_t locality,
    const uint8_t *bytes, size_t len);
/* A reader at its parameters; failed already if c->err is set. */
struct rd tpm_cmd_params(const struct tpm_cmd *c);

/* --- a response ------------------------------------------------------------
 */

/* Response code of a response, RC_FAILURE if it has no whole header. */
uint32_t tp_response_code(const uint8_t *resp, size_t len);
/* A plain error response for either version, 10 bytes to out. */
void tp_error(bool tpm2, uint32_t rc, uint8_t out[TPM_HDR_LEN]);
/* TPM 2.0 parameters of a successful response: r from behind the header
 * (and handle, if has_handle), bounded by parameterSize with sessions. */
int tp_response(const uint8_t *resp, size_t len, bool has_handle,
    uint32_t *ret_handle, struct rd *ret_params) VT_CHECK;

/* --- a command of our own --------------------------------------------------
 */

#define TCMD_MAX 3072

struct tcmd {
	struct wr w;
	uint8_t locality;
	uint32_t tpm_rc; /* of the last tcmd_run(), 0 is success */
	uint8_t buf[TCMD_MAX];
};

/* Start a command.  The caller writes handles, authorization and parameters
 * with c->w in their order. */
void tcmd_begin(struct tcmd *c, uint16_t tag, uint32_t code);
/* One authorization with the empty password. */
void tcmd_auth_empty(struct tcmd *c);
/* One authorization by an unsalted policy session, continued afterwards. */
void tcmd_auth_policy(struct tcmd *c, uint32_t session);
/*
 * Run it on the engine.  VT_E_TPM: c->tpm_rc says why (RC_FAILURE when
 * there was no response).  On success *ret is at the parameters of a TPM
 * 2.0 response, or behind the header of a TPM 1.2 response, borrowed until
 * the engine is used again.  ret_handle: NULL when the response has none.
 */
int tcmd_run(struct tcmd *c, uint32_t *ret_handle, struct rd *ret) VT_CHECK;

/* Small commands that several places need; errors of tcmd_run(). */
int tcmd_startup(uint8_t locality) VT_CHECK; /* CLEAR; either version */
int tcmd_shutdown(bool state) VT_CHECK;      /* TPM2_Shutdown(CLEAR) */
/* TPM2_GetCapability(TPM_CAP_TPM_PROPERTIES) of one property. */
#define PT_PERMANENT 0x200u         /* TPMA_PERMANENT */
#define PERMANENT_IN_LOCKOUT 0x200u /* its bit 9 */
#define PT_LOCKOUT_COUNTER 0x20eu   /* wrong authorizations that count now */
#define PT_MAX_AUTH_FAIL 0x20fu     /* so many lock it out */
#define PT_LOCKOUT_INTERVAL 0x210u  /* seconds after which one is forgiven */
int tcmd_property(uint32_t property, uint32_t *ret) VT_CHECK;
int tcmd_stir(void) VT_CHECK; /* 32 bytes of getrandom(2) */

#endif
