/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_op.h - what is asked of a guest that exists: reset, destroy, launch,
 * questions to its worker.
 *
 * Layer:  vtpm_manager/guest.
 * Each function either returns VT_OK and calls cb once, later, or returns
 * VT_E_* with text (MGR_TEXT_MAX bytes).
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_OP_H
#define VTPM_MANAGER_GUEST_GUEST_OP_H

#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/store/store_guest.h"

struct guest_run;

int guest_reset(struct mgr *m, const struct guest *in, mgr_done_cb cb,
    void *arg, char *text) VT_CHECK;
int guest_destroy(struct mgr *m, const struct guest *in, bool force,
    const char *who, mgr_done_cb cb, void *arg, char *text) VT_CHECK;
/* record: measure/log/launch_record.h bytes; who and where it runs is filled in
 * here. */
int guest_launch(struct mgr *m, const struct guest *in, const uint8_t *record,
    size_t len, mgr_done_cb cb, void *arg, char *text) VT_CHECK;
/* The launched domain is gone: no later power cycle is under that launch.  The
 * present one keeps it, so that what it attested stays true. */
void guest_launch_over(struct guest_run *g);
/* A power cycle for a domain that was not launched (yet). */
int guest_new_run(struct mgr *m, const struct guest *in, mgr_done_cb cb,
    void *arg, char *text) VT_CHECK;
typedef void (*query_cb)(
    void *arg, int rc, const char *text, const uint8_t *p, size_t len);
int guest_query(struct mgr *m, const struct guest *in, enum wquery_what what,
    query_cb cb, void *arg, char *text) VT_CHECK;

/* End a worker that lives on although its record is bad. */
void guest_end_stray(struct mgr *m, const struct guest *in);

#endif
