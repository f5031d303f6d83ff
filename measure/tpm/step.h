/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * step.h - the outcome of one step of a verification.
 *
 * Layer:  measure.
 * Quotes, certificates and host records are verified in numbered steps; the
 * first one that fails ends the verification, so the later ones are not
 * reached.
 */
#ifndef MEASURE_TPM_STEP_H
#define MEASURE_TPM_STEP_H

enum step_outcome { STEP_NOT_REACHED = 0, STEP_PASS = 1, STEP_FAIL = 2 };

#endif
