/* SPDX-License-Identifier: BSD-3-Clause */
/* x509_cert.c - parse one certificate and read what it says. */
#include "measure/cert/x509_cert.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

X509 *
x509_cert_get(const uint8_t *der, size_t len)
{
	const unsigned char *p = der;
	X509 *x;

	if (der == NULL || len == 0 || len > X509_CERT_MAX)
		return NULL;
	x = d2i_X509(NULL, &p, (long)len);
	if (x != NULL && p != der + len) {
		X509_free(x);
		x = NULL;
	}
	ERR_clear_error();
	return x;
}

X509 *
x509_chain_get(const uint8_t *der, size_t len, X509 **ret_issuing)
{
	const unsigned char *p = der;
	size_t used;
	X509 *x;

	*ret_issuing = NULL;
	if (der == NULL || len == 0 || len > X509_CERT_MAX)
		return NULL;
	if ((x = d2i_X509(NULL, &p, (long)len)) != NULL) {
		used = (size_t)(p - der);
		if (used < len && (*ret_issuing = x509_cert_get(
				       der + used, len - used)) == NULL) {
			X509_free(x);
			x = NULL;
		}
	}
	ERR_clear_error();
	return x;
}

bool
x509_has_eku(X509 *x, const char *oid)
{
	ASN1_OBJECT *want = OBJ_txt2obj(oid, 1);
	EXTENDED_KEY_USAGE *eku;
	bool found = false;
	int i;

	eku = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	for (i = 0; eku != NULL && i < sk_ASN1_OBJECT_num(eku); i++)
		if (OBJ_cmp(sk_ASN1_OBJECT_value(eku, i), want) == 0)
			found = true;
	EXTENDED_KEY_USAGE_free(eku);
	ASN1_OBJECT_free(want);
	return found;
}

/* Value of the extension oid; NULL if there is none, or two. */
static const ASN1_OCTET_STRING *
find_ext(X509 *x, const char *oid)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	int i = X509_get_ext_by_OBJ(x, obj, -1);
	bool one = i >= 0 && X509_get_ext_by_OBJ(x, obj, i) < 0;

	ASN1_OBJECT_free(obj);
	return one ? X509_EXTENSION_get_data(X509_get_ext(x, i)) : NULL;
}

bool
x509_get_instance(X509 *x, struct cert_ext_instance *ret)
{
	const ASN1_OCTET_STRING *o = find_ext(x, CERT_EXT_OID_INSTANCE);

	return o != NULL && cert_ext_instance_get(ASN1_STRING_get0_data(o),
				(size_t)ASN1_STRING_length(o), ret) == VT_OK;
}

bool
x509_get_root(X509 *ca, uint8_t *ret)
{
	const ASN1_OCTET_STRING *o = find_ext(ca, CERT_EXT_OID_ROOT);

	return o != NULL && cert_ext_root_get(ASN1_STRING_get0_data(o),
				(size_t)ASN1_STRING_length(o), ret) == VT_OK;
}

static bool
signed_by(X509 *x, X509 *by)
{
	return X509_verify(x, X509_get0_pubkey(by)) == 1;
}

int
x509_issued_by(const uint8_t *der, size_t len, const uint8_t *ca, size_t ca_len)
{
	X509 *issuing, *x = x509_chain_get(der, len, &issuing);
	X509 *by = x509_cert_get(ca, ca_len);
	int rc = VT_E_FORMAT;

	if (x != NULL && by != NULL)
		rc = (issuing == NULL
			     ? signed_by(x, by)
			     : signed_by(x, issuing) && signed_by(issuing, by))
			 ? VT_OK
			 : VT_E_AUTH;
	X509_free(x);
	X509_free(issuing);
	X509_free(by);
	ERR_clear_error();
	return rc;
}

static bool
time_of(const ASN1_TIME *t, time_t *ret)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*ret = timegm(&tm);
	return *ret != (time_t)-1;
}

int
x509_cert_times(
    const uint8_t *der, size_t len, time_t *ret_from, time_t *ret_until)
{
	X509 *by, *x = x509_chain_get(der, len, &by);
	time_t from, until;
	bool ok;

	ok = x != NULL && time_of(X509_get0_notBefore(x), &from) &&
	     time_of(X509_get0_notAfter(x), &until);
	X509_free(x);
	X509_free(by);
	ERR_clear_error();
	if (!ok)
		return VT_E_FORMAT;
	*ret_from = from;
	*ret_until = until;
	return VT_OK;
}
