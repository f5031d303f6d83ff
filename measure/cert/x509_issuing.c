/* SPDX-License-Identifier: BSD-3-Clause */
/* x509_issuing.c - what makes an issuing key's certificate a good one. */
#include "measure/cert/x509_issuing.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

bool
x509_is_issuing(X509 *x)
{
	return X509_get_ext_by_NID(x, NID_private_key_usage_period, -1) >= 0;
}

/* NULL unless there is exactly one, and it names both ends. */
static PKEY_USAGE_PERIOD *
period_of(X509 *x)
{
	PKEY_USAGE_PERIOD *p =
	    X509_get_ext_d2i(x, NID_private_key_usage_period, NULL, NULL);

	if (p != NULL && (p->notBefore == NULL || p->notAfter == NULL ||
			     ASN1_GENERALIZEDTIME_check(p->notBefore) != 1 ||
			     ASN1_GENERALIZEDTIME_check(p->notAfter) != 1)) {
		PKEY_USAGE_PERIOD_free(p);
		p = NULL;
	}
	ERR_clear_error();
	return p;
}

/* Seconds from a to b; false: one of them cannot be read. */
static bool
seconds(const ASN1_TIME *a, const ASN1_TIME *b, int64_t *ret)
{
	int days, secs;

	if (ASN1_TIME_diff(&days, &secs, a, b) != 1)
		return false;
	*ret = (int64_t)days * 86400 + secs;
	return true;
}

static const char *
check_period(const PKEY_USAGE_PERIOD *p, X509 *leaf)
{
	const ASN1_TIME *made = X509_get0_notBefore(leaf);
	int64_t whole, before, after;

	if (!seconds(p->notBefore, p->notAfter, &whole) ||
	    !seconds(p->notBefore, made, &before) ||
	    !seconds(made, p->notAfter, &after))
		return "the issuing key's period cannot be read";
	if (whole < 0 || whole > X509_PERIOD_MAX_S)
		return "the issuing key's period is longer than two days";
	if (before < 0 || after < 0)
		return "the certificate begins outside the period of the "
		       "issuing key";
	return NULL;
}

const char *
x509_issuing_check(X509 *issuing, X509 *leaf)
{
	PKEY_USAGE_PERIOD *p;
	const char *why;

	/* 1: by basicConstraints, and keyUsage allows it. */
	if (X509_check_ca(issuing) != 1 ||
	    (X509_get_extension_flags(issuing) & EXFLAG_KUSAGE) == 0 ||
	    (X509_get_key_usage(issuing) & KU_KEY_CERT_SIGN) == 0)
		return "the issuing key's certificate is not a CA's";
	if (X509_get_pathlen(issuing) != 0)
		return "the issuing key's certificate does not say that no CA "
		       "follows it (pathlen 0)";
	if ((p = period_of(issuing)) == NULL)
		return "the issuing key's certificate names no period of use";
	why = check_period(p, leaf);
	PKEY_USAGE_PERIOD_free(p);
	return why;
}
