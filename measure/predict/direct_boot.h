/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_boot.h - QEMU's -kernel with OVMF: the kernel as QEMU changes it, and
 * what the kernel's EFI stub measures.
 *
 * Layer:  measure; may include base, measure/tpm, measure/log.
 * Spec:   Linux Documentation/arch/x86/boot.rst; QEMU 7.2's loader for the
 *         machine type q35.  QEMU 10 also offers the kernel as it is, and
 *         OVMF 2025.02 takes that.
 */
#ifndef MEASURE_PREDICT_DIRECT_BOOT_H
#define MEASURE_PREDICT_DIRECT_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/predict/prediction.h"

/* Write the fields that QEMU writes into the header of a bzImage; memory: of
 * the guest, in bytes; initrd: its bytes, 0: none.  VT_E_FORMAT: no bzImage;
 * VT_E_RANGE: the initrd does not fit. */
int direct_patch(
    uint8_t *kernel, size_t len, uint64_t memory, uint64_t initrd) VT_CHECK;
/* PCR 9: load options, an ASCII command line as the stub gets it, its NUL
 * counted or not, and the initrd (NULL: none).  VT_E_FORMAT: not ASCII;
 * VT_E_RANGE. */
int stub_measure(struct prediction *p, const char *options, bool nul,
    const uint8_t *initrd, size_t len) VT_CHECK;

#endif
