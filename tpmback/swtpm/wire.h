/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire.h - swtpm's control protocol and TPM framing on a stream.
 *
 * Layer:  tpmback.  No I/O.
 * Spec:   swtpm_ioctls(3): request is be32 command | fields, answer is
 *         be32 result | fields.
 * Bytes:  big-endian.
 * Trust:  requests come from the hypervisor, commands from a guest through
 *         it; both are checked as hostile.
 *
 * The protocol is not self-delimiting: SET_LOCALITY and RESET_TPMESTABLISHED
 * are followed by one byte (swtpm_ioctl, tpm2-tss) or by that byte and three
 * of padding (QEMU).  One byte is enough for an answer; the padding is told
 * from the next request by its four leading zeros, as there is no command 0.
 */
#ifndef TPMBACK_SWTPM_WIRE_H
#define TPMBACK_SWTPM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rdwr.h"
#include "tpmback/chan.h"

enum swtpm_op {
	SO_GET_CAPABILITY = 1,
	SO_INIT = 2,
	SO_SHUTDOWN = 3,
	SO_GET_ESTABLISHED = 4,
	SO_SET_LOCALITY = 5,
	SO_HASH_START = 6,
	SO_HASH_DATA = 7,
	SO_HASH_END = 8,
	SO_CANCEL = 9,
	SO_STORE_VOLATILE = 0x0a,
	SO_RESET_ESTABLISHED = 0x0b,
	SO_GET_STATEBLOB = 0x0c,
	SO_SET_STATEBLOB = 0x0d,
	SO_STOP = 0x0e,
	SO_GET_CONFIG = 0x0f,
	SO_SET_DATAFD = 0x10,
	SO_SET_BUFFERSIZE = 0x11,
	SO_GET_INFO = 0x12,
	SO_LOCK_STORAGE = 0x13,
	SO_LAST = SO_LOCK_STORAGE,
};

enum swtpm_result { /* TPM 1.2 return codes */
	SR_SUCCESS = 0,
	SR_BAD_PARAMETER = 3,
	SR_FAIL = 9,
	SR_BAD_ORDINAL = 0x0a,
	SR_IOERROR = 0x1f,
	SR_BAD_LOCALITY = 0x3d,
	SR_RETRY = 0x800,
};

/*
 * The answer to GET_CAPABILITY: bits 0 to 14, everything up to GET_INFO,
 * without STORE_VOLATILE (state leaves the worker only sealed, by
 * GET_STATEBLOB), SEND_COMMAND_HEADER (the guest would choose the locality,
 * law 6) and LOCK_STORAGE (there is no lock, but it is answered).
 */
#define SWTPM_CAPS 0x00007fbfu

#define SWTPM_INIT_DELETE_VOLATILE 1u
#define SWTPM_STATE_DECRYPTED 1u /* in a request */
#define SWTPM_STATE_ENCRYPTED 2u /* in an answer: our blobs are sealed */
#define SWTPM_HEAD_MAX 20        /* of a request without its body */
#define SWTPM_BLOB_MAX 524288    /* bytes of one SET_STATEBLOB */
#define SWTPM_HASH_MAX 65536     /* bytes of one HASH_DATA */
#define SWTPM_INFO_CHUNK 3072    /* bytes of one GET_INFO answer */

struct swtpm_req {
	uint32_t op;         /* enum swtpm_op, or unknown */
	uint32_t flags;      /* INIT, *_STATEBLOB */
	uint32_t type;       /* *_STATEBLOB: enum chan_blob */
	uint32_t offset;     /* GET_STATEBLOB, GET_INFO */
	uint32_t size;       /* SET_BUFFERSIZE */
	uint64_t info;       /* GET_INFO */
	uint8_t locality;    /* SET_LOCALITY, RESET_ESTABLISHED */
	const uint8_t *body; /* HASH_DATA, SET_STATEBLOB; borrowed */
	uint32_t bodylen;    /* as the request says it */
};

/*
 * Take the request at the front of buf.
 *
 * VT_OK		all of it is there, *ret_used bytes
 * VT_E_TRUNC		more bytes are needed
 * VT_E_UNSUPPORTED	no such command; ret->op says which
 * VT_E_RANGE		the body is longer than allowed: *ret_used is what
 *			the whole request takes, ret->body is NULL
 */
int swtpm_req_get(const uint8_t *buf, size_t len, struct swtpm_req *ret,
    size_t *ret_used) VT_CHECK;

/* How many bytes of padding may follow a request of this command that was
 * taken with the fewest bytes. */
unsigned int swtpm_req_pad(uint32_t op);

/*
 * Bytes at the front of buf that are padding of the request before, of
 * which up to pad may still come.  Fewer than four bytes never are: then
 * swtpm_req_get() cannot take them for a request either.
 */
size_t swtpm_skip_pad(const uint8_t *buf, size_t len, unsigned int pad);

/*
 * Whether bytes behind a request, in one segment with it, can be a request:
 * if not, they were its padding.
 */
bool swtpm_looks_like_req(const uint8_t *buf, size_t len);

/* Bytes of the whole request, body included, once its head is there:
 * VT_OK, VT_E_TRUNC or VT_E_UNSUPPORTED. */
int swtpm_req_size(const uint8_t *buf, size_t len, uint64_t *ret) VT_CHECK;

/* Whether a successor may repeat a request of unknown outcome. */
bool swtpm_op_repeatable(uint32_t op);

/* --- TPM commands on the data connection ------------------------------------
 */

#define TPM_HDR_LEN 10

/*
 * VT_OK: a whole command of *ret_size bytes is at the front; VT_E_TRUNC:
 * more bytes are needed; VT_E_RANGE: its size field is below TPM_HDR_LEN or
 * over max.
 */
int swtpm_cmd_frame(
    const uint8_t *buf, size_t len, size_t max, size_t *ret_size) VT_CHECK;

/*
 * Whether bytes behind a command can be further commands: each has a header
 * with a tag of the TPM's family and a size of at most max.  If not, they are
 * the tail of a body that is longer than its header says.  more: further
 * bytes may follow buf, so its last header may be cut.
 */
bool swtpm_are_cmds(
    const uint8_t *buf, size_t len, size_t max, bool tpm2, bool more);

enum swtpm_error {      /* answers of the channel itself */
	SE_NOT_READY,   /* no INIT yet */
	SE_FAILURE,     /* the worker died with this command in flight */
	SE_SIZE,        /* size field wrong */
	SE_UNSUPPORTED, /* in-band locality: not by a guest */
	SE_LOCALITY,    /* not granted */
	SE_TOO_LONG,    /* a response over CHAN_CMD_MAX */
};
/* A header-only response in the TPM's own family. */
void swtpm_error_put(uint8_t out[TPM_HDR_LEN], bool tpm2, enum swtpm_error e);

/* The command code; only for a whole command. */
uint32_t swtpm_cmd_code(const uint8_t *cmd);
/* vtpm_proxy's command to set the locality, which a guest must not. */
#define TPM_CC_SET_LOCALITY 0x20001000u

/* --- what survives a worker ------------------------------------------------
 *
 * One per connection, in a memfd that the manager keeps beside the
 * connection's descriptors.  The successor of a dead worker reads it once,
 * and believes nothing that swtpm_status_check() does not allow.
 */

#define SWTPM_STATUS_MAGIC 0x56545331u /* "VTS1" */

struct swtpm_status {
	uint32_t magic;
	uint8_t locality;
	uint8_t data_busy;  /* a command is with the TPM */
	uint8_t ctl_busy;   /* the request in ctl_head is being handled */
	uint8_t pad;        /* swtpm_skip_pad() */
	uint32_t ctl_have;  /* bytes taken of the request that is arriving */
	uint32_t cmd_max;   /* by SET_BUFFERSIZE; 0: CHAN_CMD_MAX */
	uint64_t ctl_skip;  /* bytes to drop before it is refused */
	uint32_t data_len;  /* bytes taken from the data connection */
	uint32_t data_hand; /* the first of them: the command in hand */
	uint8_t ctl_head[SWTPM_HEAD_MAX]; /* the first of ctl_have */
	uint8_t data[CHAN_CMD_MAX];
};

/* VT_OK or VT_E_FORMAT. */
int swtpm_status_check(const struct swtpm_status *st) VT_CHECK;

#endif
