/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509.h - verify the certificates of an AK and its EK up to a CA, and find
 * out what kind of root they stand on.
 *
 * Layer:  measure; no I/O, no logging.
 * Spec:   RFC 5280; TCG EK Credential Profile 2.5 (purposes, templates L-1
 *         and L-2); measure/cert/cert_extension.h for our own extensions.
 * Trust:  certificates are hostile input; the user trusts the CA.
 * Law 8:  the root's kind is taken from the CA's certificate; those of EK, AK
 *         and of the issuing keys between must say the same.
 */
#ifndef MEASURE_CERT_X509_H
#define MEASURE_CERT_X509_H

#include <openssl/x509.h>

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "measure/cert/cert_extension.h"
#include "measure/cert/x509_cert.h"
#include "measure/tpm/step.h"
#include "measure/tpm/tpm_public.h"

#define X509_CA_MAX 65536 /* bytes of the CA file */
#define X509_WHY_MAX 192  /* bytes of a reason */
#define X509_SUBJECT_MAX 160

enum x509_step {
	XS_CA,         /* the user's CA can be read, and is one */
	XS_EK_CHAIN,   /* EK certificate comes from it, directly or by one
			  issuing key (x509_issuing.h), and is in date */
	XS_EK_PURPOSE, /* it is an EK certificate and no CA */
	XS_EK_KEY,     /* its key is an EK of a standard template */
	XS_AK_CHAIN,
	XS_AK_PURPOSE,
	XS_AK_KEY,   /* the AK shown is the AK certified */
	XS_INSTANCE, /* both certificates are for one vTPM */
	XS_ROOT,     /* the root's kind is the CA's kind */
	XS_N
};

struct x509_want {
	const uint8_t *ek_cert, *ak_cert; /* see x509_chain_get(); borrowed */
	size_t ek_cert_len, ak_cert_len;
	const uint8_t *ca; /* PEM (one or more) or DER; borrowed */
	size_t ca_len;
	X509_STORE *store;     /* the CA in place of ca, or NULL; borrowed */
	const uint8_t *ak_pub; /* TPMT_PUBLIC; borrowed */
	size_t ak_pub_len;
	time_t now; /* 0: the system's clock */
};

struct x509_report {
	enum step_outcome outcome[XS_N];
	enum x509_step failed; /* XS_N if none */
	char why[X509_WHY_MAX];
	/* Meaningful once the step named has passed. */
	struct tpm_name ek_name;           /* XS_EK_KEY */
	struct cert_ext_instance instance; /* XS_INSTANCE; the AK's */
	uint8_t root;                      /* XS_ROOT; enum cert_ext_root */
	char ca_subject[X509_SUBJECT_MAX]; /* XS_AK_CHAIN; who issued it */
	time_t from, until; /* XS_ROOT; when all certificates of both chains
			       are in date */
};

/* VT_OK: every step passed.  VT_E_AUTH: ret->failed did not.  ret is always
 * filled. */
int x509_verify(const struct x509_want *want, struct x509_report *ret) VT_CHECK;

/*
 * Name of the EK whose certificate this is, by the standard template for
 * its kind of key (no trust in the certificate is decided here).
 * VT_E_FORMAT: no certificate; VT_E_UNSUPPORTED: another kind of key.
 */
int x509_ek_name(const uint8_t *der, size_t len, struct tpm_name *ret) VT_CHECK;

const char *x509_step_id(enum x509_step s);
const char *x509_step_words(enum x509_step s);

#endif
