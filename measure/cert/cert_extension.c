/* SPDX-License-Identifier: BSD-3-Clause */
/* cert_extension.c - the private extensions as DER. */
#include "measure/cert/cert_extension.h"

#include <openssl/asn1t.h>

#include <limits.h>
#include <string.h>

#define CERT_EXT_VERSION 1

/* OpenSSL's templates want a C struct of ASN.1 objects. */
typedef struct {
	ASN1_INTEGER *version;
	ASN1_OCTET_STRING *uuid;
	ASN1_INTEGER *generation;
	ASN1_INTEGER *group;
	ASN1_INTEGER *root;
	ASN1_BOOLEAN is_virtual;
} X_INSTANCE;

typedef struct {
	ASN1_INTEGER *version;
	ASN1_INTEGER *root;
} X_ROOT;

/* clang-format off */
ASN1_SEQUENCE(X_INSTANCE) = {
	ASN1_SIMPLE(X_INSTANCE, version, ASN1_INTEGER),
	ASN1_SIMPLE(X_INSTANCE, uuid, ASN1_OCTET_STRING),
	ASN1_SIMPLE(X_INSTANCE, generation, ASN1_INTEGER),
	ASN1_SIMPLE(X_INSTANCE, group, ASN1_INTEGER),
	ASN1_SIMPLE(X_INSTANCE, root, ASN1_INTEGER),
	ASN1_SIMPLE(X_INSTANCE, is_virtual, ASN1_BOOLEAN)
/* cppcheck-suppress unknownMacro */
} static_ASN1_SEQUENCE_END(X_INSTANCE)

ASN1_SEQUENCE(X_ROOT) = {
	ASN1_SIMPLE(X_ROOT, version, ASN1_INTEGER),
	ASN1_SIMPLE(X_ROOT, root, ASN1_INTEGER)
} static_ASN1_SEQUENCE_END(X_ROOT)
			    /* clang-format on */

			    static void *
			    item_new(const ASN1_ITEM *it)
{
	return ASN1_item_new(it);
}

/* Encode val and free it.  The length is known before a byte is written. */
static int
item_put(ASN1_VALUE *val, const ASN1_ITEM *it, uint8_t *out, size_t cap,
    size_t *ret_len)
{
	int len = ASN1_item_i2d(val, NULL, it), rc = VT_E_RANGE;

	if (len > 0 && (size_t)len <= cap) {
		*ret_len = (size_t)ASN1_item_i2d(val, &out, it);
		rc = VT_OK;
	}
	ASN1_item_free(val, it);
	return rc;
}

/*
 * NULL unless der is exactly one value, in its one DER form: what is
 * encoded again must give the same bytes.
 */
static void *
item_get(const uint8_t *der, size_t len, const ASN1_ITEM *it)
{
	unsigned char again[CERT_EXT_MAX_LEN], *w = again;
	const unsigned char *p = der;
	ASN1_VALUE *val;

	if (len == 0 || len > CERT_EXT_MAX_LEN)
		return NULL;
	if ((val = ASN1_item_d2i(NULL, &p, (long)len, it)) == NULL)
		return NULL;
	if (p == der + len && ASN1_item_i2d(val, NULL, it) == (int)len &&
	    ASN1_item_i2d(val, &w, it) == (int)len &&
	    memcmp(again, der, len) == 0)
		return val;
	ASN1_item_free(val, it);
	return NULL;
}

static bool
get_uint(const ASN1_INTEGER *a, uint64_t max, uint64_t *ret)
{
	uint64_t v;

	if (ASN1_INTEGER_get_uint64(&v, a) != 1 || v > max)
		return false;
	*ret = v;
	return true;
}

static bool
root_ok(uint64_t root)
{
	return root == CERT_EXT_SOFTWARE || root == CERT_EXT_HARDWARE;
}

int
cert_ext_instance_put(const struct cert_ext_instance *x, uint8_t *out,
    size_t cap, size_t *ret_len)
{
	const ASN1_ITEM *it = ASN1_ITEM_rptr(X_INSTANCE);
	X_INSTANCE *v;

	if (x->generation > INT64_MAX || !root_ok(x->root))
		return VT_E_RANGE;
	if ((v = item_new(it)) == NULL)
		return VT_E_NOMEM;
	v->is_virtual = x->is_virtual ? 0xff : 0;
	if (ASN1_INTEGER_set_uint64(v->version, CERT_EXT_VERSION) != 1 ||
	    ASN1_OCTET_STRING_set(v->uuid, x->uuid, UUID_LEN) != 1 ||
	    ASN1_INTEGER_set_uint64(v->generation, x->generation) != 1 ||
	    ASN1_INTEGER_set_uint64(v->group, x->group) != 1 ||
	    ASN1_INTEGER_set_uint64(v->root, x->root) != 1) {
		ASN1_item_free((ASN1_VALUE *)v, it);
		return VT_E_NOMEM;
	}
	return item_put((ASN1_VALUE *)v, it, out, cap, ret_len);
}

int
cert_ext_root_put(uint8_t root, uint8_t *out, size_t cap, size_t *ret_len)
{
	const ASN1_ITEM *it = ASN1_ITEM_rptr(X_ROOT);
	X_ROOT *v;

	if (!root_ok(root))
		return VT_E_RANGE;
	if ((v = item_new(it)) == NULL)
		return VT_E_NOMEM;
	if (ASN1_INTEGER_set_uint64(v->version, CERT_EXT_VERSION) != 1 ||
	    ASN1_INTEGER_set_uint64(v->root, root) != 1) {
		ASN1_item_free((ASN1_VALUE *)v, it);
		return VT_E_NOMEM;
	}
	return item_put((ASN1_VALUE *)v, it, out, cap, ret_len);
}

static int
instance_check(const X_INSTANCE *v, struct cert_ext_instance *ret)
{
	struct cert_ext_instance x = { 0 };
	uint64_t version, generation, group, root;

	if (!get_uint(v->version, INT64_MAX, &version))
		return VT_E_RANGE;
	if (version != CERT_EXT_VERSION)
		return VT_E_UNSUPPORTED;
	if (ASN1_STRING_length(v->uuid) != UUID_LEN ||
	    !get_uint(v->generation, INT64_MAX, &generation) ||
	    !get_uint(v->group, UINT32_MAX, &group) ||
	    !get_uint(v->root, UINT8_MAX, &root) || !root_ok(root))
		return VT_E_RANGE;
	if (v->is_virtual != 0 && v->is_virtual != 0xff)
		return VT_E_FORMAT; /* OpenSSL keeps a BER value as it is */
	memcpy(x.uuid, ASN1_STRING_get0_data(v->uuid), UUID_LEN);
	x.generation = generation;
	x.group = (uint32_t)group;
	x.root = (uint8_t)root;
	x.is_virtual = v->is_virtual != 0;
	*ret = x;
	return VT_OK;
}

int
cert_ext_instance_get(
    const uint8_t *der, size_t len, struct cert_ext_instance *ret)
{
	const ASN1_ITEM *it = ASN1_ITEM_rptr(X_INSTANCE);
	X_INSTANCE *v = item_get(der, len, it);
	int rc;

	if (v == NULL)
		return VT_E_FORMAT;
	rc = instance_check(v, ret);
	ASN1_item_free((ASN1_VALUE *)v, it);
	return rc;
}

int
cert_ext_root_get(const uint8_t *der, size_t len, uint8_t *ret_root)
{
	const ASN1_ITEM *it = ASN1_ITEM_rptr(X_ROOT);
	X_ROOT *v = item_get(der, len, it);
	uint64_t version, root;
	int rc = VT_E_RANGE;

	if (v == NULL)
		return VT_E_FORMAT;
	if (get_uint(v->version, INT64_MAX, &version) &&
	    version != CERT_EXT_VERSION) {
		rc = VT_E_UNSUPPORTED;
	} else if (get_uint(v->version, INT64_MAX, &version) &&
		   get_uint(v->root, UINT8_MAX, &root) && root_ok(root)) {
		*ret_root = (uint8_t)root;
		rc = VT_OK;
	}
	ASN1_item_free((ASN1_VALUE *)v, it);
	return rc;
}

const char *
cert_ext_root_name(uint8_t root)
{
	switch (root) {
	case CERT_EXT_SOFTWARE:
		return "software root";
	case CERT_EXT_HARDWARE:
		return "hardware root";
	default:
		return "unknown root";
	}
}
