/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * provision_impl.h - the two TPM versions behind provision.h.
 *
 * Layer:  vtpm; private to provision.c and its two halves.
 */
#ifndef VTPM_PROVISION_PROVISION_IMPL_H
#define VTPM_PROVISION_PROVISION_IMPL_H

#include "vtpm/provision/provision.h"
#include "vtpm/engine/tpm_command.h"

/* Each works on a TPM that is powered on and started. */
int prov20_keys(struct prov_keys *ret, struct prov_fail *f) VT_CHECK;
/* Takes effect at the next power on. */
int prov20_banks(uint8_t banks, struct prov_fail *f) VT_CHECK;
int prov20_certs(const struct wcerts *m, struct prov_fail *f) VT_CHECK;
int prov20_cert(
    uint8_t which, const struct wblob *der, struct prov_fail *f) VT_CHECK;
int prov12_enable(struct prov_fail *f) VT_CHECK;
int prov12_keys(struct prov_keys *ret, struct prov_fail *f) VT_CHECK;
int prov12_certs(const struct wcerts *m, struct prov_fail *f) VT_CHECK;

/* tcmd_run() that notes where it failed. */
int prov_run(struct tcmd *c, const char *step, struct prov_fail *f,
    uint32_t *ret_handle, struct rd *ret) VT_CHECK;

#endif
