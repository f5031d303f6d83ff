/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * state.h - the state of the channel over swtpm's control protocol.
 *
 * Layer:  tpmback; private to chan.c (connections, requests, the loop) and
 *         data.c (TPM commands).
 */
#ifndef TPMBACK_SWTPM_STATE_H
#define TPMBACK_SWTPM_STATE_H

#include <pthread.h>

#include "tpmback/chan_impl.h"
#include "tpmback/spin.h"
#include "tpmback/swtpm/chan.h"
#include "tpmback/swtpm/conn.h"

/*
 * An incomplete command of which no more comes for this long is dropped and
 * answered TPM_RC_COMMAND_SIZE, an incomplete request likewise: a hypervisor
 * never waits without bound for an answer to what it sent.  Hypervisors
 * forward a guest's command in one write, whatever its header says, but
 * write a request's body apart from its head.
 */
#define SWTPM_CMD_STALL_US 500000
#define SWTPM_REQ_STALL_US 5000000

struct swtpm {
	struct chan ch;
	int listen_fd;
	int timer_fd;     /* wakes the loop for what is buffered */
	uint64_t wake_us; /* when; 0: not set */
	uint8_t localities;
	uint32_t owner; /* uid that may connect, beside root */
	/* The one whose commands run, once it has said INIT, and the first
	 * one until then. */
	struct swtpm_conn *live;
	/* Others, the oldest first: they may say INIT, too. */
	struct swtpm_conn *next[SWTPM_WAITING];
	unsigned int nnext;
	/* Among them: the source of a migration on this host, until the guest
	 * uses the TPM at its destination.  It waits without being heard. */
	struct swtpm_conn *source;
	/* Guards live's control connection and these two against the watch
	 * thread. */
	pthread_mutex_t lock;
	bool begun;                   /* on by an INIT, and not off since */
	bool running;                 /* a command is with the host */
	struct swtpm_conn *submitter; /* NULL: it has gone meanwhile */
	struct spin spin;
	uint64_t answered_us;
	bool fresh; /* answered since the last sleep: spinning may pay */
};

static inline struct swtpm *
swtpm_of(struct chan *ch)
{
	return (struct swtpm *)ch;
}

static inline bool
swtpm_owned(const struct swtpm *s)
{
	return s->live != NULL && s->live->inited;
}

/* A command is in flight: its connection waits for the answer, and so does each
 * whose requests would reach the TPM that runs it.  Those of a migration
 * destination do not, before its INIT. */
static inline bool
swtpm_busy(const struct swtpm *s, const struct swtpm_conn *c)
{
	return s->running && (c == s->live || !c->incoming);
}

/* Never later than an earlier request. */
void swtpm_wake_after(struct swtpm *s, uint64_t us);
/* Note whether input is incomplete, and how much of it is there; bytes that
 * arrive restart the wait of limit_us. */
void swtpm_stall_note(struct swtpm *s, struct swtpm_stall *t, bool incomplete,
    uint64_t have, uint64_t limit_us);
/* Whether input has been incomplete for limit_us; if not, look again then. */
bool swtpm_stall_over(
    struct swtpm *s, struct swtpm_stall *t, uint64_t limit_us);
/* "PEER: text". */
void swtpm_note(
    struct swtpm *s, const struct peer *p, enum chan_note n, const char *text);
/* Whether c has the TPM, or may use the one that a former hypervisor left on:
 * not beside a connection or another channel that has it. */
bool swtpm_may_use(struct swtpm *s, const struct swtpm_conn *c);
/* May c stage a state now?  One connection does at a time. */
bool swtpm_may_stage(struct swtpm *s, struct swtpm_conn *c);
/* Take c out of those that wait; true if it was there. */
bool swtpm_unqueue(struct swtpm *s, struct swtpm_conn *c);
/* The guest goes on where it is now: the source of its migration is closed. */
void swtpm_settle(struct swtpm *s);
/* Report to the host the descriptors that a successor needs. */
void swtpm_keep(struct swtpm *s);

#endif
