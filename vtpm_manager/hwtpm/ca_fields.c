/* SPDX-License-Identifier: BSD-3-Clause */
/* ca_fields.c - puts one field or extension into a certificate. */
#include "vtpm_manager/hwtpm/ca_fields.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <stdbool.h>

int
ca_add_name(X509_NAME *name, const char *field, const char *text, size_t len)
{
	/* OpenSSL refuses bytes that are not UTF-8. */
	return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
		   (const unsigned char *)text, (int)len, -1, 0) == 1
		   ? VT_OK
		   : VT_E_FORMAT;
}

int
ca_add_tcg(X509_NAME *name, const char *oid, const char *text)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	int ok = obj != NULL &&
		 X509_NAME_add_entry_by_OBJ(name, obj, V_ASN1_UTF8STRING,
		     (const unsigned char *)text, -1, -1, 0) == 1;

	ASN1_OBJECT_free(obj);
	return ok ? VT_OK : VT_E_CRYPTO;
}

int
ca_add_i2d(X509 *x, int nid, void *value, int critical)
{
	return X509_add1_ext_i2d(x, nid, value, critical, X509V3_ADD_APPEND) ==
		       1
		   ? VT_OK
		   : VT_E_CRYPTO;
}

int
ca_add_der(X509 *x, const char *oid, const uint8_t *der, size_t len)
{
	ASN1_OCTET_STRING *os = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	X509_EXTENSION *ext = NULL;
	int ok;

	ok = os != NULL && obj != NULL &&
	     ASN1_OCTET_STRING_set(os, der, (int)len) == 1 &&
	     (ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 0, os)) != NULL &&
	     X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	ASN1_OBJECT_free(obj);
	ASN1_OCTET_STRING_free(os);
	return ok ? VT_OK : VT_E_CRYPTO;
}

int
ca_add_basic(X509 *x, int pathlen)
{
	bool is_ca = pathlen != CA_NOT_A_CA;
	BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
	int rc = VT_E_CRYPTO;

	if (bc == NULL)
		return VT_E_NOMEM;
	bc->ca = is_ca ? 0xff : 0;
	if (!is_ca || ((bc->pathlen = ASN1_INTEGER_new()) != NULL &&
			  ASN1_INTEGER_set(bc->pathlen, pathlen) == 1))
		rc = ca_add_i2d(x, NID_basic_constraints, bc, 1);
	BASIC_CONSTRAINTS_free(bc);
	return rc;
}

int
ca_add_key_usage(X509 *x, const int *bits, size_t n)
{
	ASN1_BIT_STRING *ku = ASN1_BIT_STRING_new();
	int rc = ku != NULL ? VT_OK : VT_E_NOMEM;
	size_t i;

	for (i = 0; i < n && rc == VT_OK; i++)
		if (ASN1_BIT_STRING_set_bit(ku, bits[i], 1) != 1)
			rc = VT_E_CRYPTO;
	if (rc == VT_OK)
		rc = ca_add_i2d(x, NID_key_usage, ku, 1);
	ASN1_BIT_STRING_free(ku);
	return rc;
}

int
ca_add_purpose(X509 *x, const char *oid)
{
	EXTENDED_KEY_USAGE *eku = sk_ASN1_OBJECT_new_null();
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	int rc = VT_E_CRYPTO;

	if (eku != NULL && obj != NULL && sk_ASN1_OBJECT_push(eku, obj) > 0) {
		obj = NULL; /* given to eku */
		rc = ca_add_i2d(x, NID_ext_key_usage, eku, 0);
	}
	ASN1_OBJECT_free(obj);
	EXTENDED_KEY_USAGE_free(eku);
	return rc;
}

int
ca_add_subject_keyid(X509 *x, const uint8_t keyid[CA_KEYID_LEN])
{
	ASN1_OCTET_STRING *os = ASN1_OCTET_STRING_new();
	int rc = VT_E_CRYPTO;

	if (os != NULL && ASN1_OCTET_STRING_set(os, keyid, CA_KEYID_LEN) == 1)
		rc = ca_add_i2d(x, NID_subject_key_identifier, os, 0);
	ASN1_OCTET_STRING_free(os);
	return rc;
}

int
ca_add_authority_keyid(X509 *x, const uint8_t keyid[CA_KEYID_LEN])
{
	AUTHORITY_KEYID *ak = AUTHORITY_KEYID_new();
	int rc = VT_E_CRYPTO;

	if (ak != NULL && (ak->keyid = ASN1_OCTET_STRING_new()) != NULL &&
	    ASN1_OCTET_STRING_set(ak->keyid, keyid, CA_KEYID_LEN) == 1)
		rc = ca_add_i2d(x, NID_authority_key_identifier, ak, 0);
	AUTHORITY_KEYID_free(ak);
	return rc;
}

int
ca_add_period(X509 *x, time_t from, time_t until)
{
	PKEY_USAGE_PERIOD *p = PKEY_USAGE_PERIOD_new();
	int rc = VT_E_CRYPTO;

	if (p != NULL &&
	    (p->notBefore = ASN1_GENERALIZEDTIME_set(NULL, from)) != NULL &&
	    (p->notAfter = ASN1_GENERALIZEDTIME_set(NULL, until)) != NULL)
		rc = ca_add_i2d(x, NID_private_key_usage_period, p, 0);
	PKEY_USAGE_PERIOD_free(p);
	return rc;
}
