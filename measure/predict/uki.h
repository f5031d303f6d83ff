/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * uki.h - unified kernel images: what systemd-stub measures of one.
 *
 * Layer:  measure; may include base, measure/tpm, measure/log.
 * Spec:   UAPI.5 "Unified Kernel Image", systemd-stub(7), systemd-pcrphase(8):
 *         each section that is there extends PCR 11 by its name, NUL included,
 *         then by its contents, in a fixed order.
 */
#ifndef MEASURE_PREDICT_UKI_H
#define MEASURE_PREDICT_UKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/predict/pe.h"
#include "measure/predict/prediction.h"

/* It has the sections of a unified kernel image: .linux and .osrel. */
bool uki_is(const struct pe *pe);
/* The version of the stub in it, 0: it does not say. */
unsigned int uki_stub_version(const struct pe *pe);
/* Add the events of PCR 11; PCRs 4, 9 and 11 become unknown where the stub or
 * a section of the image is one whose effect is not known. */
void uki_measure(struct prediction *p, const struct pe *pe);
/* Add those of the phases in text, words divided by colons; VT_E_FORMAT: an
 * empty word. */
int uki_phases(struct prediction *p, const char *text) VT_CHECK;

#endif
