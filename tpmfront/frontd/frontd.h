/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frontd.h - the two processes of tpmfrontd.
 *
 * Layer:  tpmfront, in tpmfrontd only.
 *
 * The keeper holds the kernel's device and nothing else; it never sees a
 * command.  Its child, jailed, has the ring and carries the commands.  A
 * child that dies is replaced while the device stays: programs that have
 * /dev/tpmrm0 open get one failed command and continue.  When the keeper dies
 * the child closes the ring and ends.
 */
#ifndef TPMFRONT_FRONTD_FRONTD_H
#define TPMFRONT_FRONTD_FRONTD_H

#include <stdbool.h>
#include <stdint.h>

struct frontd {
	const char *tcti; /* NULL: the Xen device devid */
	uint32_t devid;
	uint32_t wait_ms; /* for the TPM, at the first start */
	bool background, debug;
	bool take;    /* from the kernel's driver, whenever that has it */
	int ready_fd; /* background: the parent waits for a byte; -1 */
};

/*
 * FD_FOUND	child to keeper: u8 1 (TPM 1.2) or 2
 * FD_DEVICE	keeper to child: the device's descriptor and, in the
 *		background, one for what is to be logged
 * FD_BELL	child to keeper: a descriptor of /dev/xen/evtchn, to be held
 *		open whatever becomes of the child (tpmfront/xen_front.h)
 */
enum frontd_msg { FD_FOUND = 1, FD_DEVICE = 2, FD_BELL = 3 };

enum frontd_exit {
	FX_STOPPED = 0,
	FX_FAILED = 1,     /* the reason is logged; a retry may succeed */
	FX_NO_DEVICE = 10, /* the kernel closed its end */
	FX_LOST = 11,      /* the TPM's side is gone */
	FX_OTHER = 12,     /* the TPM is now one of the other family */
};

#endif
