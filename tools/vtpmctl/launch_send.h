/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * launch_send.h - launches of every hypervisor: the PCR banks to measure for,
 * and the finished record on its way to the manager.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VTPMCTL_LAUNCH_SEND_H
#define TOOLS_VTPMCTL_LAUNCH_SEND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "measure/log/launch_record.h"
#include "tools/vtpmctl/bus.h"

#define LAUNCH_FILE_MAX (1024u * 1024 * 1024) /* an initrd can be large */

/*
 * The banks to measure for, at most PCR_MAX_BANKS, by what `show` says of a
 * vTPM: all that its TPM can have.  Which ones are active at the power cycle
 * that measures the launch, the guest decides until then.
 */
uint32_t vctl_banks_of(const json_t *show, uint16_t *algs);
/* The same of a vTPM of this host.  An exit code. */
int vctl_banks(struct vctl *v, const char *name, uint16_t *algs, uint32_t *n);
/* A new record for this build, hypervisor and policy (NULL: none).  An exit
 * code. */
int vctl_new_record(
    struct launch_record **ret, const char *hypervisor, const char *policy);
/* Hand the record to the manager; domid -1: not a Xen domain.  An exit code. */
int vctl_send_launch(struct vctl *v, const char *name,
    const struct launch_record *rec, int64_t domid);
/* The record's items as JSON, new; human: as lines on stderr, too. */
json_t *vctl_launch_items(const struct launch_record *rec, bool human);

#endif
