/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chan.h - the interface between a guest's channel and its TPM engine.
 *
 * Layer:  tpmback.  Single-threaded: everything runs on the worker's loop,
 *         except chan_ops.cancel, which any thread may call.
 *
 * A channel takes bytes from a guest, frames them, and submits one command at
 * a time; the host (the worker) answers now or later with chan_reply(). System
 * calls that a jail must allow: poll, read, write, recvfrom, sendmsg, accept4,
 * getsockopt, fcntl, memfd_create, ftruncate, eventfd2, mmap, munmap, close,
 * sched_getaffinity, clock_gettime, and what malloc(3) needs.
 *
 * A command is handed over complete and copied out of shared memory; its
 * length is 10..4096 and equals the size field in its header (the channel
 * checks, and answers TPM_RC_COMMAND_SIZE itself otherwise).
 */
#ifndef TPMBACK_CHAN_H
#define TPMBACK_CHAN_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CHAN_MAX_FDS 10   /* that one channel wants polled */
#define CHAN_CMD_MAX 4096 /* bytes of a command or response */

struct chan; /* opaque; tpmback/local_chan.c or tpmback/swtpm/chan.c */

enum chan_blob { BLOB_PERMANENT = 1, BLOB_VOLATILE = 2, BLOB_SAVESTATE = 3 };

enum chan_note { /* worth a line in the manager's log */
	CN_OPEN,
	CN_CLOSED,
	CN_BUSY,
	CN_VIOLATION,
	CN_HANDOVER,
	CN_WANTED, /* Xen: ready for the page of the next front half */
};

/* Callbacks into the host.  arg is host_arg. */
struct chan_host {
	/* Run cmd (borrowed until this returns) at a locality that the
	 * channel was granted.  Answer with chan_reply(ch, ...) before or
	 * after returning. */
	void (*submit)(void *arg, struct chan *ch, uint8_t locality,
	    const uint8_t *cmd, size_t len);
	/* Abort the running command, if possible.  Called also from the watch
	 * thread (see chan_watch()); must be async-safe and quick. */
	void (*cancel)(void *arg, struct chan *ch);
	void (*note)(
	    void *arg, struct chan *ch, enum chan_note n, const char *text);
	/*
	 * One front half per TPM, over all its channels: claim before the
	 * first command of a peer; false: another channel has it.  Release
	 * when that peer has gone.  Each may be called again.
	 */
	bool (*claim)(void *arg, struct chan *ch);
	void (*release)(void *arg, struct chan *ch);
	/* Descriptors changed: tell the manager to keep these (W_KEEP); nfds
	 * 0: keep none. */
	void (*keep)(
	    void *arg, struct chan *ch, const int *fds, unsigned int nfds);

	/*
	 * Only the local ring calls these; NULL: not wanted.  A front half has
	 * attached; it has gone, and the last command that it sent has ended.
	 * keeps: what it left loaded in the TPM stays there.
	 */
	void (*began)(void *arg, struct chan *ch);
	void (*ended)(void *arg, struct chan *ch, bool keeps);

	/* --- only the swtpm control protocol calls these; each returns a
	 * TPM 1.2 style result (0 = TPM_SUCCESS, 9 = TPM_FAIL, 0x0a
	 * TPM_BAD_ORDINAL, 0x3d TPM_BAD_LOCALITY, 0x800 TPM_RETRY) --- */
	uint32_t (*power_on)(void *arg, bool delete_volatile); /* CMD_INIT */
	uint32_t (*power_off)(void *arg);                      /* CMD_STOP */
	uint32_t (*shutdown)(void *arg); /* CMD_SHUTDOWN */
	bool (*powered)(void *arg);
	bool (*is_tpm2)(void *arg);
	uint32_t (*get_established)(void *arg, bool *ret);
	uint32_t (*reset_established)(void *arg, uint8_t locality);
	uint32_t (*hash_start)(void *arg);
	uint32_t (*hash_data)(void *arg, const uint8_t *p, size_t len);
	uint32_t (*hash_end)(void *arg);
	/* 0 queries; *ret_now, *ret_min, *ret_max in bytes. */
	uint32_t (*buffer_size)(void *arg, uint32_t want, uint32_t *ret_now,
	    uint32_t *ret_min, uint32_t *ret_max);
	/* A sealed snapshot of the state; *ret is heap, the channel frees
	 * it; *ret_len 0 with 0x800 (TPM_RETRY): there is none. */
	uint32_t (*get_blob)(
	    void *arg, enum chan_blob type, uint8_t **ret, size_t *ret_len);
	/* Takes a sealed snapshot for the next power_on.  incoming: from a
	 * second connection, staged apart from the running TPM; len 0 then
	 * forgets what is staged (that connection has gone). */
	uint32_t (*set_blob)(void *arg, enum chan_blob type, bool incoming,
	    const uint8_t *p, size_t len);
	/* The second connection has staged a valid snapshot and sends INIT:
	 * switch to it.  On 0 the channel drops the first one. */
	uint32_t (*take_over)(void *arg);
	/* JSON for GET_INFO, NUL-terminated, into out. */
	uint32_t (*info_json)(void *arg, uint64_t flags, char *out, size_t cap);
};

/* Continue with the descriptors of a dead predecessor (order as in struct
 * wkeep), which the channel then owns.  A command in flight is answered
 * TPM_RC_FAILURE (TPM 1.2: TPM_FAIL). */
int chan_adopt(struct chan *ch, const int *fds, unsigned int nfds) VT_CHECK;
/* Accept on fd (taken over on VT_OK) from now on, not on the listener that it
 * had, whose path is gone; its connections stay. */
int chan_listen(struct chan *ch, int fd) VT_CHECK;
void chan_free(struct chan *ch);

/* Answer the command in flight.  resp is borrowed.  If it is too long for the
 * channel the guest gets TPM_RC_SIZE. */
void chan_reply(struct chan *ch, const uint8_t *resp, size_t len);

/*
 * Fill at most CHAN_MAX_FDS entries; returns how many.  Call it before each
 * poll(2) that may sleep, after the last chan_spin(): it also asks the other
 * side to notify from now on, and makes the poll return at once if a command
 * has arrived meanwhile.
 */
int chan_pollfds(struct chan *ch, struct pollfd *p);
/* Handle the results of poll(2); p, n as filled by chan_pollfds(). */
void chan_dispatch(struct chan *ch, const struct pollfd *p, int n);
/*
 * Look at the shared page without a system call; true if a command was found
 * and submitted.  The worker calls it in a bounded spin after each command
 * (chan_spin_us() says for how long, adaptive, 0: sleep now).  A busy guest
 * could keep it spinning: check other descriptors regularly.
 */
bool chan_spin(struct chan *ch);
unsigned int chan_spin_us(struct chan *ch);
/*
 * While a slow command runs on the loop's thread, a watch thread calls this:
 * it waits up to timeout_ms for a CANCEL on this channel, answers it where
 * the protocol wants that, and calls host->cancel.  It touches nothing else.
 * It ends after one cancel, on a gone peer (that cancels too), and when
 * stop_fd is readable.  It must have returned before the loop's thread calls
 * anything but chan_reply().
 */
void chan_watch(struct chan *ch, int stop_fd, int timeout_ms);

#endif
