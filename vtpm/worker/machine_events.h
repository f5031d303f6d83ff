/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * machine_events.h - what the hypervisor says of the machine's power: events
 * of QEMU's monitor, read from a pipe.
 *
 * Layer:  vtpm, in the worker.  No I/O: the caller reads the pipe.
 * Spec:   QEMU Machine Protocol (docs/interop/qmp-spec): one JSON object a
 *         line; the greeting has a member "QMP", an event a member "event".
 * Trust:  QEMU's bytes.  A guest that broke into its QEMU writes what it
 *         likes here, and decides on its own PCRs only.
 * Limits: a line over ME_LINE_MAX bytes is skipped whole.
 *
 * Order (seen with QEMU 7.2, SeaBIOS and OVMF): SUSPEND is written before the
 * machine sleeps; upon wake-up QEMU sends CMD_INIT, then writes WAKEUP; upon
 * a reset it sends CMD_INIT, then writes RESET; only then do the virtual CPUs
 * run.  So when the first command after CMD_INIT arrives the pipe holds the
 * event that explains it.
 */
#ifndef VTPM_WORKER_MACHINE_EVENTS_H
#define VTPM_WORKER_MACHINE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define ME_LINE_MAX 8192

enum machine_event {
	ME_NONE,     /* any other line: another event, an answer, noise */
	ME_GREETING, /* a monitor was opened: a new QEMU */
	ME_SUSPEND,
	ME_WAKEUP,
	ME_RESET,
};

struct machine_events {
	char line[ME_LINE_MAX];
	size_t len;
	bool skip; /* until the end of a line that is too long */
};

/*
 * Take bytes until a line ends.
 *
 * p	borrowed, *len bytes; *p and *len are moved past what was taken.
 * ret	set when a line ended.
 *
 * Returns VT_OK, or VT_E_AGAIN: all bytes taken, no line ended.
 */
int machine_events_take(struct machine_events *m, const char **p, size_t *len,
    enum machine_event *ret) VT_CHECK;

#endif
