/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmback/swtpm/data.h"

#include <sys/socket.h>

#include "base/util.h"

static void
send_data(struct swtpm_conn *c, const uint8_t *p, size_t len)
{
	if (c->data.fd != -1 && !swtpm_stream_send(&c->data, p, len))
		/* the peer does not read its answers; poll(2) reports the
		 * end */
		(void)shutdown(c->data.fd, SHUT_RDWR);
}

void
swtpm_send_error(struct swtpm *s, struct swtpm_conn *c, enum swtpm_error e)
{
	uint8_t out[TPM_HDR_LEN];

	swtpm_error_put(out, s->ch.host->is_tpm2(s->ch.host_arg), e);
	send_data(c, out, sizeof(out));
}

static void
set_running(struct swtpm *s, struct swtpm_conn *c)
{
	(void)pthread_mutex_lock(&s->lock);
	s->running = true;
	s->submitter = c;
	(void)pthread_mutex_unlock(&s->lock);
	c->st->data_busy = 1;
}

/* Whether the channel refuses the command without the TPM, and how. */
static bool
refused(struct swtpm *s, struct swtpm_conn *c, enum swtpm_error *ret)
{
	const struct chan_host *host = s->ch.host;

	if (c != s->live || !host->powered(s->ch.host_arg) ||
	    !swtpm_may_use(s, c)) {
		*ret = SE_NOT_READY;
	} else if (swtpm_cmd_code(c->st->data) == TPM_CC_SET_LOCALITY) {
		if (!c->noted)
			swtpm_note(s, &c->peer, CN_VIOLATION,
			    "the guest tried to choose its locality");
		c->noted = true;
		*ret = SE_UNSUPPORTED;
	} else if ((s->localities & (1u << c->st->locality)) == 0) {
		*ret = SE_LOCALITY;
	} else {
		return false;
	}
	return true;
}

static void
run_command(struct swtpm *s, struct swtpm_conn *c, size_t size)
{
	struct swtpm_status *st = c->st;
	enum swtpm_error e;

	if (refused(s, c, &e)) {
		swtpm_conn_drop_cmd(c, size);
		swtpm_send_error(s, c, e);
		return;
	}
	if (s->answered_us != 0)
		spin_saw(&s->spin, now_us() - s->answered_us);
	st->data_hand = (uint32_t)size;
	swtpm_settle(s);
	set_running(s, c);
	s->ch.host->submit(
	    s->ch.host_arg, &s->ch, st->locality, st->data, size);
	swtpm_conn_drop_cmd(c, size);
}

void
swtpm_give_up_cmd(struct swtpm *s, struct swtpm_conn *c)
{
	swtpm_conn_drain_data(c);
	if (c->data.outlen == 0)
		swtpm_send_error(s, c, SE_SIZE);
}

/*
 * The command at the front.  VT_E_RANGE: its header is wrong, or beyond the
 * size that the hypervisor agreed on and sends at most; or it is followed by
 * bytes that are no command.
 */
static int
next_command(struct swtpm *s, struct swtpm_conn *c, size_t *ret_size)
{
	const struct swtpm_status *st = c->st;
	size_t max = st->cmd_max != 0 ? st->cmd_max : CHAN_CMD_MAX;
	bool tpm2 = s->ch.host->is_tpm2(s->ch.host_arg);
	size_t size;
	int rc;

	rc = swtpm_cmd_frame(st->data, st->data_len, max, &size);
	if (rc != VT_OK)
		return rc;
	if (!swtpm_are_cmds(st->data + size, st->data_len - size, max, tpm2,
		st->data_len == sizeof(st->data)) ||
	    (st->data_len == size && swtpm_conn_data_trails(c, max, tpm2)))
		return VT_E_RANGE;
	*ret_size = size;
	return VT_OK;
}

void
swtpm_process_data(struct swtpm *s, struct swtpm_conn *c)
{
	int rc = VT_OK;
	size_t size;

	if (c == s->source)
		return; /* answered if it has the TPM again */
	while (rc == VT_OK && c->data.fd != -1 && c->data.outlen == 0 &&
	       !swtpm_busy(s, c)) {
		rc = next_command(s, c, &size);
		if (rc == VT_E_RANGE)
			swtpm_give_up_cmd(s, c);
		else if (rc == VT_OK)
			run_command(s, c, size);
	}
	swtpm_stall_note(s, &c->data_stall,
	    rc == VT_E_TRUNC && c->st->data_len > 0, c->st->data_len,
	    SWTPM_CMD_STALL_US);
}

void
swtpm_data_ready(struct swtpm *s, struct swtpm_conn *c, short revents)
{
	int rc = VT_OK;

	if ((revents & POLLOUT) != 0)
		rc = swtpm_stream_flush(&c->data);
	if (rc == VT_OK && (revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		rc = swtpm_conn_read_data(c);
	if (rc == VT_E_CLOSED) {
		swtpm_conn_close_data(c);
		if (c == s->live)
			swtpm_keep(s);
		return;
	}
	swtpm_process_data(s, c);
}

void
swtpm_reply(struct chan *ch, const uint8_t *resp, size_t len)
{
	struct swtpm *s = swtpm_of(ch);
	struct swtpm_conn *c;
	bool waiting;

	(void)pthread_mutex_lock(&s->lock);
	c = s->submitter;
	s->running = false;
	s->submitter = NULL;
	waiting = s->nnext > 0 ||
		  (s->live != NULL &&
		      (s->live->held || s->live->st->ctl_have > 0 ||
			  s->live->st->data_len > s->live->st->data_hand));
	(void)pthread_mutex_unlock(&s->lock);
	if (c != NULL) {
		c->st->data_busy = 0;
		if (len < TPM_HDR_LEN || len > CHAN_CMD_MAX)
			swtpm_send_error(
			    s, c, len < TPM_HDR_LEN ? SE_FAILURE : SE_TOO_LONG);
		else
			send_data(c, resp, len);
	}
	s->fresh = c != NULL;
	s->answered_us = now_us();
	/* input that waited for this answer */
	if (waiting)
		swtpm_wake_after(s, 0);
}

/* Each look is a system call, so look once; poll(2) handles the end of the
 * connection. */
bool
swtpm_spin(struct chan *ch)
{
	struct swtpm *s = swtpm_of(ch);

	if (swtpm_spin_us(ch) == 0 || swtpm_conn_read_data(s->live) != VT_OK)
		return false;
	swtpm_process_data(s, s->live);
	return true;
}

unsigned int
swtpm_spin_us(struct chan *ch)
{
	const struct swtpm *s = swtpm_of(ch);

	return s->fresh && !s->running && s->live != NULL &&
		       s->live->data.fd != -1 && s->live->data.outlen == 0
		   ? s->spin.us
		   : 0;
}
