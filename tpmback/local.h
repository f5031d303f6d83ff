/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * local.h - the greeting by which a front half on the same host gets its page.
 *
 * Layer:  tpmback; tpmfront includes it too (for the wire only).
 * A front half connects to RUN/NAME.tpmif (Unix stream).  The back half sends
 * one base/msg.h message LOCAL_HELLO with three descriptors: the shared memory
 * (memfd, sealed against resizing), an eventfd that the front half writes to
 * notify, an eventfd that the back half writes.  If the TPM has a front half
 * already, it sends LOCAL_WAIT, and LOCAL_HELLO once the turn has come; with
 * too many waiting, or a guest on another channel, LOCAL_BUSY without
 * descriptors, and closes; LOCAL_REFUSED if the process may not be one.  After
 * that nobody writes to the connection; closing it detaches and resets nothing
 * (law 4).  The back half then flushes from the TPM what this front half left
 * loaded, unless front_keeps says that it stays.
 *
 * The shared memory is the tpmif page, exactly as on Xen, and behind it one
 * page of hints that save system calls: a half that looks at the tpmif page by
 * itself, because it spins, says so there, and need not be notified. Each word
 * has one writer.  Before it sleeps a half clears its word, makes a full
 * fence, and looks at the tpmif page once more; the other half writes its
 * state, makes a full fence, and then reads the word: so one of the two sees
 * the other, and no notification is lost.  A CANCEL is always notified.  A
 * half that sets its own word wrongly delays only itself.  front_keeps is read
 * once, when the front half has gone.
 */
#ifndef TPMBACK_LOCAL_H
#define TPMBACK_LOCAL_H

#include <stdint.h>

#include "tpmback/page.h"

enum local_msg {
	LOCAL_HELLO = 1,   /* be16 version 1 | u8 localities granted | u8 tpm
			      version (TPM_VER_*) | be32 shared bytes 8192 */
	LOCAL_BUSY = 2,    /* be16 text length, text: who is attached */
	LOCAL_REFUSED = 3, /* be16 text length, text: why */
	LOCAL_WAIT = 4,    /* be16 text length, text: who is attached */
};
#define LOCAL_VERSION 1
#define LOCAL_NFDS 3
#define LOCAL_HELLO_LEN 8
#define LOCAL_SHM_SIZE 8192
#define LOCAL_CACHE_LINE 64

struct local_shm {
	union tpmif_view v;
	uint32_t back_awake; /* by the back half; 1: do not notify */
	uint8_t pad1[LOCAL_CACHE_LINE - 4];
	uint32_t front_awake; /* by the front half */
	uint32_t front_keeps; /* by it, 1: objects and sessions stay loaded */
	uint8_t pad2[LOCAL_SHM_SIZE - TPMIF_PAGE_SIZE - LOCAL_CACHE_LINE - 8];
};
_Static_assert(sizeof(struct local_shm) == LOCAL_SHM_SIZE, "local ABI");

#endif
