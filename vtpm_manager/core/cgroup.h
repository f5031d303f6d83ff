/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cgroup.h - a cgroup for each worker, below the folder worker_cgroup that the
 * service manager has delegated.
 *
 * Layer:  vtpm_manager/core.
 * Spec:   Linux Documentation/admin-guide/cgroup-v2.rst.
 * Why:    workers outlive the manager, and a guest that keeps its worker busy
 *         gets no larger share of the processors than any other.
 * Without the setting, or where the folder is missing, nothing is done.
 */
#ifndef VTPM_MANAGER_CORE_CGROUP_H
#define VTPM_MANAGER_CORE_CGROUP_H

#include "vtpm_manager/core/context.h"

#define CGROUP_ZYGOTE "zygote"

/* Give the folder its controllers, and remove what a former manager left.  A
 * folder that cannot be used is logged, and forgotten in m->cfg. */
void cgroup_open(struct mgr *m);
/* Make the cgroup name, and set path (PATH_MAX bytes) to the file that a
 * process is moved by; "": there is none. */
void cgroup_make(struct mgr *m, const char *name, char *path);
/* Move a worker into its own. */
void cgroup_take(struct mgr *m, const uint8_t uuid[UUID_LEN], uint32_t pid);
/* Remove those without a process. */
void cgroup_sweep(struct mgr *m);

#endif
