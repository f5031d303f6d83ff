/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frontd_child.h - the process that carries the commands.
 *
 * Layer:  tpmfront, in tpmfrontd only.
 */
#ifndef TPMFRONT_FRONTD_FRONTD_CHILD_H
#define TPMFRONT_FRONTD_FRONTD_CHILD_H

#include "tpmfront/frontd/frontd.h"
#include "tpmfront/frontd/proxy.h"

/* The child's whole life.  sock: to the keeper, owned.  dev: what the keeper
 * has already, or fd -1.  Does not return. */
void frontd_child(const struct frontd *o, int sock, const struct proxy *dev)
    __attribute__((noreturn));

#endif
