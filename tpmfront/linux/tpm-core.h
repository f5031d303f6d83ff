/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the TPM core exports (EXPORT_SYMBOL_GPL) to its drivers.
 *
 * The kernel's headers packages have struct tpm_chip, struct tpm_class_ops
 * and the flags (<linux/tpm.h>), but the prototypes of these functions stand
 * in drivers/char/tpm/tpm.h, which is not installed.  They are repeated here
 * as Linux 6.1 has them; nothing else of that header is used.  The compiler
 * cannot compare them with the kernel's: a port to another version starts
 * with a look at that header, and dkms.conf names the versions that were
 * looked at.
 */
#ifndef VTPM_TPM_CORE_H
#define VTPM_TPM_CORE_H

#include <linux/tpm.h>

struct tpm_chip *tpm_chip_alloc(struct device *pdev,
				const struct tpm_class_ops *ops);
int tpm_chip_register(struct tpm_chip *chip);
void tpm_chip_unregister(struct tpm_chip *chip);
int tpm2_probe(struct tpm_chip *chip);
unsigned long tpm_calc_ordinal_duration(struct tpm_chip *chip, u32 ordinal);

#endif
