/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * keeper.h - the manager that keeps the TPM of a place: the host's, or one
 * whose state is in the same folder.
 *
 * Layer:  tools.
 * Errors: logged; then VT_E_*.
 */
#ifndef TOOLS_SWTPM_KEEPER_H
#define TOOLS_SWTPM_KEEPER_H

#include <limits.h>

#include "tools/swtpm/link.h"
#include "tools/swtpm/settings.h"
#include "tools/vtpmctl/bus.h"

struct keeper {
	struct vctl v;
	struct settings set;
	char run[PATH_MAX]; /* the manager's sockets */
	pid_t pid;          /* of a private one that this process began; 0 */
	bool private;
};

/* What a TPM that does not exist yet shall be. */
struct wish {
	const char *vmid;  /* NAME:UUID, UUID, NAME; NULL: random */
	const char *banks; /* NULL: the manager's default */
	const char *srk;   /* NULL: none */
	bool tpm12;
};

struct held {
	char name[64];
	bool running;
};

/*
 * Connect to the manager that p->rec names; for a fresh place choose one, fill
 * p->rec and write it.  A private manager is started.
 */
int keeper_open(
    struct keeper *k, struct place *p, const struct wish *w) VT_CHECK;
/* The vTPM of p->rec, made if the place is new.  VT_E_DENIED: it is another
 * user's; VT_E_NOTFOUND: it is lost. */
int keeper_hold(struct keeper *k, struct place *p, const struct wish *w,
    struct held *ret) VT_CHECK;
int keeper_start(struct keeper *k, struct held *h) VT_CHECK;
int keeper_banks(
    struct keeper *k, const struct held *h, const char *banks) VT_CHECK;
/* Its EK certificates into files of that folder, as PEM. */
int keeper_certs(
    struct keeper *k, const struct place *p, const char *dir) VT_CHECK;
/* By force if it does not stop otherwise. */
void keeper_stop(struct keeper *k, struct held *h);
/* RUN/NAME.swtpm */
int keeper_socket(const struct keeper *k, const struct held *h, char *ret,
    size_t cap) VT_CHECK;
/* The end: a private manager ends, too. */
void keeper_close(struct keeper *k);

#endif
