/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * eventlog_replay.h - the PCR values that an event log gives.
 *
 * Layer:  measure; no I/O, no logging.
 * Trust:  a log is hostile input; only values that equal those of a signed
 *         quote give it meaning.
 */
#ifndef MEASURE_LOG_EVENTLOG_REPLAY_H
#define MEASURE_LOG_EVENTLOG_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/tpm/pcr.h"

/*
 * Reset set and replay a log into it: the banks that set was made with and
 * that the log has; the log's other banks are passed over, and set's banks
 * that the log lacks have no valid values afterwards.
 * Errors of el_open() and el_next(); VT_E_FORMAT also for a NO_ACTION event
 * with a digest that is not zero.  On error set is not to be used.
 */
int el_replay(struct pcr_set *set, const uint8_t *log, size_t len) VT_CHECK;

#endif
