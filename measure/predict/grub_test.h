/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grub_test.h - GRUB's test command, also written [ ... ].
 *
 * Layer:  measure; may include base, measure/tpm, measure/log.
 */
#ifndef MEASURE_PREDICT_GRUB_TEST_H
#define MEASURE_PREDICT_GRUB_TEST_H

#include "measure/predict/grub_run.h"

/* 0: true, 1: false; gr_stop() at what cannot be known ahead. */
int gt_run(struct grub_run *g, int argc, char **argv);

#endif
