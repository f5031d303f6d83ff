/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * local.h - how a front half gets its page on one host: the greeting.
 *
 * Layer:  tpmback; tpmfront includes it too (for the wire only).
 * A front half connects to RUN/NAME.tpmif (Unix stream).  The back half
 * sends one base/msg.h message LOCAL_HELLO with three descriptors: the page
 * (memfd, sealed against resizing), an eventfd that the front half writes
 * to notify, an eventfd that the back half writes.  If a front half is
 * connected already it sends LOCAL_BUSY without descriptors and closes.
 * Closing the connection detaches; it resets nothing (law 4).
 */
#ifndef TPMBACK_LOCAL_H
#define TPMBACK_LOCAL_H

#include <stdint.h>

enum local_msg {
	LOCAL_HELLO = 1, /* be16 version 1 | u8 localities granted | u8 tpm
			    version (TPM_VER_*) | be32 page size 4096 */
	LOCAL_BUSY = 2,  /* be16 text length, who has it, in words */
};
#define LOCAL_VERSION 1

#endif
