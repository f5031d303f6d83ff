/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grub_load.h - GRUB's commands that load and start: kernels, initrds, EFI
 * applications.
 *
 * Layer:  measure; may include base, measure/tpm, measure/log.
 * Spec:   GRUB 2.06 and 2.12.  2.12 starts a kernel that has an EFI stub as an
 *         EFI application: firmware measures it into PCR 4, and the stub
 *         measures its load options and the initrd into PCR 9.
 */
#ifndef MEASURE_PREDICT_GRUB_LOAD_H
#define MEASURE_PREDICT_GRUB_LOAD_H

#include "measure/predict/grub_run.h"

/* Handlers of grub_command.h's table. */
int gl_linux(struct grub_run *g, int argc, char **argv);
int gl_linuxefi(struct grub_run *g, int argc, char **argv);
int gl_initrd(struct grub_run *g, int argc, char **argv);
int gl_initrdefi(struct grub_run *g, int argc, char **argv);
int gl_multiboot(struct grub_run *g, int argc, char **argv);
int gl_module(struct grub_run *g, int argc, char **argv);
int gl_chainloader(struct grub_run *g, int argc, char **argv);
int gl_boot(struct grub_run *g, int argc, char **argv);

/* What is loaded starts: the run is over. */
void gl_start(struct grub_run *g);
/* Give up the kernel and the initrd that are loaded. */
void gl_unload(struct grub_run *g);

#endif
