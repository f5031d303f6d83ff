/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * firmware.h - what UEFI firmware (OVMF) measures around the program that it
 * boots: PCRs 0 to 7.
 *
 * Layer:  measure; may include base, measure/tpm, measure/log.
 * Spec:   TCG PC Client Platform Firmware Profile 1.05, sec. 3.3.4.
 * Rule:   without a reference log PCRs 0 and 1 stay unknown: OVMF's blobs
 *         change with memory and vCPUs, its boot variables with the devices.
 */
#ifndef MEASURE_PREDICT_FIRMWARE_H
#define MEASURE_PREDICT_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/predict/pe.h"
#include "measure/predict/prediction.h"

#define FW_ERR_MAX 160
#define FW_PATH_MAX 1024 /* bytes */

#define FW_MAX_VARIABLES 8

/* A variable of Secure Boot that will have another value: PK, KEK, db, dbx, or
 * shim's SbatLevel.  All borrowed. */
struct fw_variable {
	const char *name;
	const uint8_t *data;
	size_t len;
};

struct fw_variables {
	struct fw_variable v[FW_MAX_VARIABLES];
	uint32_t n;
};

/* May the next boot's value be given for it? */
bool fw_variable_known(const char *name);

/*
 * Everything before the first program.  log[len]: a TCG log of a reference
 * boot of the same firmware, machine and variables; NULL: none, Secure Boot is
 * then off and without keys.  vars: what will be other than in the log; NULL:
 * nothing.  VT_E_FORMAT and others: the log; err says what.
 */
int fw_start(struct prediction *p, const uint8_t *log, size_t len,
    const struct fw_variables *vars, char err[FW_ERR_MAX]) VT_CHECK;
/* An EFI application is loaded, from path.  VT_E_UNSUPPORTED, VT_E_RANGE,
 * VT_E_CRYPTO. */
int fw_application(
    struct prediction *p, const struct pe *pe, const char *path) VT_CHECK;
/* An operating system takes over; PCR 10 is its IMA's. */
void fw_exit_boot_services(struct prediction *p);

#endif
