/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * caps.h - what --print-capabilities prints, for libvirt and others to parse.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_SWTPM_CAPS_H
#define TOOLS_SWTPM_CAPS_H

/* The version of swtpm whose command lines are served; callers compare it. */
#define SWTPM_AS "0.10.0"

void caps_print_swtpm(void);
void caps_print_setup(void);

#endif
