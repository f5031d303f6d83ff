/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * settings.h - which manager the programs by swtpm's names ask, and for which
 * group: /etc/vtpm/swtpm.conf, lines "key = value", and the environment.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_SWTPM_SETTINGS_H
#define TOOLS_SWTPM_SETTINGS_H

#include <limits.h>

#include "base/err.h"

enum which_manager { BY_WHAT_IS_THERE, BY_HOST, BY_ITSELF };

struct settings {
	char run[PATH_MAX]; /* the host's manager's sockets */
	char group[64];     /* of new vTPMs; "": none is named */
	enum which_manager manager;
};

/* VT_E_FORMAT, VT_E_SYS, after a message. */
int settings_read(struct settings *ret) VT_CHECK;

#endif
