/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * version.h - the version of everything here.  The Makefile reads it from
 * this line for the manual pages, dkms.conf and the pkg-config file.
 *
 * Layer:  base.
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define VT_VERSION "0.1"

#endif
