/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * testca.h - certificates as a test wants them, right or wrong.  Needs
 * cmocka.h before it.
 */
#ifndef TESTS_TESTCA_H
#define TESTS_TESTCA_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <string.h>

#include "measure/cert/cert_extension.h"
#include "measure/cert/x509_cert.h"

#define TC_NOW ((time_t)1900000000)

struct tc_spec {
	EVP_PKEY *key;    /* certified */
	const char *name; /* subject CN */
	bool ca;
	const char *eku;                      /* OID, or NULL */
	const struct cert_ext_instance *inst; /* or NULL */
	uint8_t root;                         /* enum cert_ext_root; 0: none */
	bool two_inst;                        /* the extension twice */
	long from, to;                        /* seconds around TC_NOW */
	const char *basic, *usage;            /* in place of ca's; or NULL */
	bool period;                          /* of an issuing key */
	long period_from, period_to;          /* 0: none; around TC_NOW */
};

struct tc_cert {
	uint8_t der[X509_CERT_MAX];
	size_t len;
};

static inline void
tc_add_der(X509 *x, const char *oid, const uint8_t *der, size_t len)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *os = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	assert_int_equal(ASN1_OCTET_STRING_set(os, der, (int)len), 1);
	ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 0, os);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(os);
	ASN1_OBJECT_free(obj);
}

static inline void
tc_add(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

/* As the TCG EK profile has it: critical, and nothing but a directoryName. */
static inline void
tc_add_san(X509 *x)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *gn = GENERAL_NAME_new();
	ASN1_OBJECT *obj = OBJ_txt2obj(CERT_EXT_OID_TPM_MODEL, 1);
	X509_NAME *dn = X509_NAME_new();

	assert_int_equal(X509_NAME_add_entry_by_OBJ(dn, obj, MBSTRING_UTF8,
			     (const unsigned char *)"virtual", -1, -1, 0),
	    1);
	gn->type = GEN_DIRNAME;
	gn->d.directoryName = dn;
	assert_true(sk_GENERAL_NAME_push(names, gn) > 0);
	assert_int_equal(
	    X509_add1_ext_i2d(x, NID_subject_alt_name, names, 1, 0), 1);
	GENERAL_NAMES_free(names);
	ASN1_OBJECT_free(obj);
}

static inline ASN1_GENERALIZEDTIME *
tc_time(long s)
{
	return s == 0 ? NULL : ASN1_GENERALIZEDTIME_set(NULL, TC_NOW + s);
}

static inline void
tc_add_period(X509 *x, long from, long to)
{
	PKEY_USAGE_PERIOD *p = PKEY_USAGE_PERIOD_new();

	assert_non_null(p);
	p->notBefore = tc_time(from);
	p->notAfter = tc_time(to);
	assert_int_equal(
	    X509_add1_ext_i2d(x, NID_private_key_usage_period, p, 0, 0), 1);
	PKEY_USAGE_PERIOD_free(p);
}

/* A chain as vTPMs carry it. */
static inline void
tc_append(struct tc_cert *c, const struct tc_cert *by)
{
	assert_true(c->len + by->len <= sizeof(c->der));
	memcpy(c->der + c->len, by->der, by->len);
	c->len += by->len;
}

/* issuer NULL: self-signed with s->key. */
static inline void
tc_make(const struct tc_spec *s, const struct tc_cert *issuer,
    EVP_PKEY *issuer_key, struct tc_cert *ret)
{
	static long serial = 1;
	const unsigned char *p;
	uint8_t ext[CERT_EXT_MAX_LEN], *w = ret->der;
	X509 *x = X509_new(), *up = NULL;
	X509_NAME *name;
	size_t n;

	assert_int_equal(X509_set_version(x, 2), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
	assert_non_null(ASN1_TIME_set(
	    X509_getm_notBefore(x), TC_NOW + (s->from != 0 ? s->from : -60)));
	assert_non_null(ASN1_TIME_set(
	    X509_getm_notAfter(x), TC_NOW + (s->to != 0 ? s->to : 60)));
	name = X509_get_subject_name(x);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
			     (const unsigned char *)s->name, -1, -1, 0),
	    1);
	if (issuer != NULL) {
		p = issuer->der;
		assert_non_null(up = d2i_X509(NULL, &p, (long)issuer->len));
		name = X509_get_subject_name(up);
	}
	assert_int_equal(X509_set_issuer_name(x, name), 1);
	assert_int_equal(X509_set_pubkey(x, s->key), 1);
	tc_add(x, NID_basic_constraints,
	    s->basic != NULL ? s->basic
	    : s->ca          ? "critical,CA:TRUE"
			     : "critical,CA:FALSE");
	if (s->usage != NULL)
		tc_add(x, NID_key_usage, s->usage);
	if (s->period)
		tc_add_period(x, s->period_from, s->period_to);
	if (!s->ca)
		tc_add_san(x);
	if (s->eku != NULL)
		tc_add(x, NID_ext_key_usage, s->eku);
	if (s->inst != NULL) {
		assert_int_equal(
		    cert_ext_instance_put(s->inst, ext, sizeof(ext), &n),
		    VT_OK);
		tc_add_der(x, CERT_EXT_OID_INSTANCE, ext, n);
		if (s->two_inst)
			tc_add_der(x, CERT_EXT_OID_INSTANCE, ext, n);
	}
	if (s->root != 0) {
		assert_int_equal(
		    cert_ext_root_put(s->root, ext, sizeof(ext), &n), VT_OK);
		tc_add_der(x, CERT_EXT_OID_ROOT, ext, n);
	}
	assert_true(X509_sign(x, issuer != NULL ? issuer_key : s->key,
			EVP_sha256()) > 0);
	assert_true(i2d_X509(x, NULL) <= X509_CERT_MAX);
	ret->len = (size_t)i2d_X509(x, &w);
	X509_free(x);
	X509_free(up);
}

#endif
