/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grub_menu.h - GRUB's menu: its entries, and which one is started.
 *
 * Layer:  measure; may include base, measure/tpm, measure/log.
 */
#ifndef MEASURE_PREDICT_GRUB_MENU_H
#define MEASURE_PREDICT_GRUB_MENU_H

#include "measure/predict/grub_run.h"

struct grub_menu *gm_new(void);    /* NULL without memory */
void gm_free(struct grub_menu *m); /* NULL is a no-op */

/* menuentry and submenu: argv[0] is the command, the last one the block. */
int gm_add(struct grub_run *g, int argc, char **argv);
/* Start the entry that starts when nobody touches a key, if there is one. */
void gm_show(struct grub_run *g);

#endif
