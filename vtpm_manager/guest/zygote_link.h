/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zygote_link.h - the manager's end of the zygote: asks it to fork workers, and
 * restarts it when it dies.
 *
 * Layer:  vtpm_manager.
 */
#ifndef VTPM_MANAGER_GUEST_ZYGOTE_LINK_H
#define VTPM_MANAGER_GUEST_ZYGOTE_LINK_H

#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/core/context.h"

/* rc VT_OK: pid is the new worker's.  VT_E_CLOSED: the zygote died during the
 * request; whether it forked is not known, but the control socket that was
 * handed over is useless now. */
typedef void (*zygote_link_cb)(
    void *arg, int rc, uint32_t pid, const char *text);

/* ready runs once, after the first Z_READY. */
int zygote_link_new(struct mgr *m, mgr_done_cb ready, void *arg,
    struct zygote_link **ret) VT_CHECK;
void zygote_link_free(struct zygote_link *z);
/* control and listen_fd are borrowed.  cb is never called before this
 * returns. */
int zygote_link_spawn(struct zygote_link *z, const struct zspawn *sp,
    int control, int listen_fd, zygote_link_cb cb, void *arg) VT_CHECK;
void zygote_link_forget(struct zygote_link *z, void *arg);
uint32_t zygote_link_pid(const struct zygote_link *z); /* 0: not running */
uint64_t zygote_link_restarts(const struct zygote_link *z);

#endif
