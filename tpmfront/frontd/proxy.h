/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * proxy.h - a TPM device of this kernel whose TPM is a process (/dev/vtpmx).
 *
 * Layer:  tpmfront.
 * Spec:   linux/vtpm_proxy.h.
 */
#ifndef TPMFRONT_FRONTD_PROXY_H
#define TPMFRONT_FRONTD_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define PROXY_NAME_MAX 32

struct proxy {
	int fd; /* the process's end; -1: none */
	bool tpm12;
	char name[PROXY_NAME_MAX]; /* "tpm0" */
};

/*
 * Have the kernel make a device.  It asks the TPM at once, before there is
 * a /dev/tpmN: fd must be served for it to appear.  Loads tpm_vtpm_proxy if
 * /dev/vtpmx is not there.  VT_E_SYS.
 */
int proxy_make(bool tpm12, struct proxy *ret) VT_CHECK;
/* Programs can open it: /dev/tpmN, and /dev/tpmrmN for a TPM 2.0. */
bool proxy_is_there(const struct proxy *p);
void proxy_close(struct proxy *p); /* the device goes */

#endif
