/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conn.h - one hypervisor on swtpm's control protocol: its control
 * connection, the data connection that it passed, and what arrived on both.
 *
 * Layer:  tpmback; private to chan.c.
 * Thread: the caller locks where two threads use one connection.
 * Limits: SWTPM_HEAD_MAX + SWTPM_BLOB_MAX bytes of a request, CHAN_CMD_MAX
 *         bytes of a command, one answer queued on each stream.
 */
#ifndef TPMBACK_SWTPM_CONN_H
#define TPMBACK_SWTPM_CONN_H

#include "tpmback/peer.h"
#include "tpmback/swtpm/wire.h"

struct swtpm_stream {
	int fd;       /* -1: none */
	uint8_t *out; /* heap: not yet read by the peer */
	size_t outlen, outoff;
};

struct swtpm_conn {
	struct swtpm_stream ctl, data;
	int passed; /* passed by SCM_RIGHTS, not claimed yet; -1 */
	int st_fd;  /* memfd behind st */
	struct peer peer;
	bool spoke;  /* sent something */
	bool inited; /* sent INIT and got it: the TPM is this connection's */
	bool held;   /* a request waits for the command in flight */
	bool noted;  /* a violation of this guest was reported once */
	uint8_t *in; /* heap: control bytes, ctl_have of them */
	size_t in_cap;
	uint32_t skip_result; /* the answer after st->ctl_skip bytes */
	struct swtpm_status *st;

	/* An incomplete request, an incomplete command: how much of it had
	 * come, and since when no more has. */
	struct swtpm_stall {
		uint64_t had, since_us; /* since_us 0: complete */
	} ctl_stall, data_stall;

	/* beside a connection that has the TPM: a migration destination */
	bool incoming; /* believes its TPM is off; INIT takes over */
	bool staging;  /* staged a state */
	bool staged;   /* a permanent one, with which INIT takes over */

	/* the snapshot that GET_STATEBLOB reads in pieces */
	uint8_t *blob;
	size_t blob_len;
	uint32_t blob_type;
};

/* Takes ctl_fd over on success.  VT_E_NOMEM, VT_E_SYS. */
int swtpm_conn_new(int ctl_fd, struct swtpm_conn **ret) VT_CHECK;
void swtpm_conn_free(struct swtpm_conn *c); /* NULL is a no-op */

/*
 * Restore what a dead worker recorded in memfd fd (borrowed, not trusted).
 * VT_E_FORMAT: not a status; VT_E_SYS.
 */
int swtpm_conn_restore(struct swtpm_conn *c, int fd) VT_CHECK;

/* Read the available input.  VT_OK, VT_E_AGAIN, VT_E_CLOSED, VT_E_NOMEM. */
int swtpm_conn_read_ctl(struct swtpm_conn *c) VT_CHECK;
int swtpm_conn_read_data(struct swtpm_conn *c) VT_CHECK;

/*
 * The request at the front, after skipping padding and refused bodies: VT_OK,
 * VT_E_TRUNC, VT_E_UNSUPPORTED as swtpm_req_get(); VT_E_RANGE: one that was
 * too long was skipped, answer c->skip_result. *ret_used is for
 * swtpm_conn_drop_req() after the answer.
 */
int swtpm_conn_next_req(
    struct swtpm_conn *c, struct swtpm_req *ret, size_t *ret_used) VT_CHECK;
void swtpm_conn_drop_req(struct swtpm_conn *c, uint32_t op, size_t used);

void swtpm_conn_drop_cmd(struct swtpm_conn *c, size_t len);
/* Whether more has come behind a full buffer that is not a command. */
bool swtpm_conn_data_trails(const struct swtpm_conn *c, size_t max, bool tpm2);
/* Drop all that was sent on the data connection so far. */
void swtpm_conn_drain_data(struct swtpm_conn *c);
/* The same for an incomplete request. */
void swtpm_conn_drain_ctl(struct swtpm_conn *c);
void swtpm_conn_close_data(struct swtpm_conn *c);
void swtpm_conn_drop_blob(struct swtpm_conn *c);

/* Send one answer in one write; what does not fit is queued.  Returns false if
 * the peer has not read the answer before, or has left. */
bool swtpm_stream_send(struct swtpm_stream *s, const uint8_t *p, size_t len);
/* VT_OK, VT_E_CLOSED. */
int swtpm_stream_flush(struct swtpm_stream *s) VT_CHECK;

#endif
