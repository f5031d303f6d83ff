/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grub_core.h - GRUB's own EFI image: its prefix and its built-in
 * configuration.
 *
 * Layer:  measure; may include base only.
 * Spec:   GRUB 2.06 and 2.12, include/grub/kernel.h: the section "mods" is a
 * list of objects. Trust:  a file of a disk image; every length is checked.
 */
#ifndef MEASURE_PREDICT_GRUB_CORE_H
#define MEASURE_PREDICT_GRUB_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "measure/predict/pe.h"

enum grub_release { GRUB_2_06, GRUB_2_12 };

struct grub_core {
	const char *prefix; /* borrowed, prefix_len bytes; NULL: none */
	size_t prefix_len;
	const char *config; /* borrowed, config_len bytes; NULL: none */
	size_t config_len;
	const uint8_t *mods; /* borrowed */
	size_t mods_len;
};

/* VT_E_NOTFOUND: it is no GRUB image; VT_E_FORMAT, VT_E_TRUNC. */
int gcore_open(const struct pe *pe, struct grub_core *ret) VT_CHECK;
/* Which release its normal module is of; VT_E_UNSUPPORTED: one whose rules
 * grub_run.h does not follow. */
int gcore_release(
    const struct grub_core *core, enum grub_release *ret) VT_CHECK;
/* It has the distributions' change by which normal mode looks for grub.cfg
 * first where the image came from ($fw_path). */
bool gcore_has_fw_path(const struct grub_core *core);

#endif
