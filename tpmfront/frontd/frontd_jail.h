/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frontd_jail.h - drops the child's privileges.
 *
 * Layer:  tpmfront, in tpmfrontd only.
 */
#ifndef TPMFRONT_FRONTD_FRONTD_JAIL_H
#define TPMFRONT_FRONTD_FRONTD_JAIL_H

#include "base/err.h"
#include "tpmfront/frontd/frontd.h"

/* Drop all privileges but those for serving; open descriptors stay.  On failure
 * *ret_step names the step. */
int frontd_jail(const struct frontd *o, const char **ret_step) VT_CHECK;

#endif
