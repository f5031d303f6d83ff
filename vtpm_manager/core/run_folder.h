/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run_folder.h - paths, and sockets in the folder RUN: RUN/NAME.SUFFIX for a
 * guest's channels, RUN/w/UUID for its worker.
 *
 * Layer:  vtpm_manager/core; no logging.
 */
#ifndef VTPM_MANAGER_CORE_RUN_FOLDER_H
#define VTPM_MANAGER_CORE_RUN_FOLDER_H

#include "vtpm_manager/core/context.h"

/* snprintf() that does not cut.  VT_E_RANGE and ENAMETOOLONG. */
int run_path(char *out, size_t cap, const char *fmt, ...) VT_PRINTF(3, 4);
/* Can this be a guest's or a tenant's name?  It becomes a file name, and must
 * not read as a UUID: commands take either. */
bool run_name_ok(const char *name);
/* Do the paths of its sockets in RUN have room in a socket's address?  And
 * those of the workers' sockets? */
bool run_name_fits(const struct mgr *m, const char *name);
bool run_folder_fits(const char *run);
/* RUN/NAME.SUFFIX is there, and a socket. */
bool run_has_socket(struct mgr *m, const char *name, const char *suffix);
/* Bind RUN/NAME.SUFFIX and give it to user owner; -1 and errno. */
int run_listen_guest(
    struct mgr *m, const char *name, const char *suffix, uint32_t owner);
/*
 * RUN/NAME.qmp.in and RUN/NAME.qmp.out, pipes for a monitor of the guest's
 * QEMU (-chardev pipe,path=RUN/NAME.qmp), of user owner alone.  Pipes of that
 * user that are there stay: a QEMU may have them open.  Returns one end of the
 * second, from which what the monitor says is read without blocking; or -1 and
 * errno.
 */
int run_open_monitor(struct mgr *m, const char *name, uint32_t owner);
void run_unlink_guest(struct mgr *m, const char *name);
/* Bind RUN/w/UUID; -1 and errno. */
int run_listen_worker(struct mgr *m, const uint8_t uuid[UUID_LEN]);
void run_unlink_worker(struct mgr *m, const uint8_t uuid[UUID_LEN]);
/* Give path to a group of users; "": keep it.  VT_E_SYS and errno. */
int run_set_group(const char *path, const char *group) VT_CHECK;

#endif
