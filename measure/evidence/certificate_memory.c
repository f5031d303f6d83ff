/* SPDX-License-Identifier: BSD-3-Clause */
/* certificate_memory.c - remember verified certificates of vTPMs. */
#include "measure/evidence/certificate_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "measure/evidence/lru.h"

#define KEY_BYTES 2048 /* about what OpenSSL takes for a public key */

struct entry {
	struct x509_report rep;
	EVP_PKEY *key;
};

struct cert_memory {
	struct lru *seen; /* by digest_of() */
};

static void
entry_free(void *val)
{
	struct entry *e = val;

	EVP_PKEY_free(e->key);
	free(e);
}

int
cert_memory_new(size_t max_n, struct cert_memory **ret)
{
	struct cert_memory *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		return VT_E_NOMEM;
	rc = lru_new(max_n, max_n * CERT_MEMORY_BYTES, entry_free, &c->seen);
	if (rc != VT_OK) {
		free(c);
		return rc;
	}
	*ret = c;
	return VT_OK;
}

void
cert_memory_free(struct cert_memory *c)
{
	if (c == NULL)
		return;
	lru_free(c->seen);
	free(c);
}

size_t
cert_memory_count(const struct cert_memory *c)
{
	return lru_count(c->seen);
}

static int
digest_of(const struct x509_want *w, uint8_t out[SHA256_LEN])
{
	uint8_t len[3][4];
	const struct iov_part parts[] = {
		{ len[0], 4 },
		{ w->ek_cert, w->ek_cert_len },
		{ len[1], 4 },
		{ w->ak_cert, w->ak_cert_len },
		{ len[2], 4 },
		{ w->ak_pub, w->ak_pub_len },
	};

	be32_put(len[0], (uint32_t)w->ek_cert_len);
	be32_put(len[1], (uint32_t)w->ak_cert_len);
	be32_put(len[2], (uint32_t)w->ak_pub_len);
	return digest_parts(ALG_SHA256, parts, VT_NELEM(parts), out);
}

static const struct entry *
keep(struct cert_memory *c, const struct x509_want *w,
    const struct x509_report *rep, const uint8_t digest[SHA256_LEN])
{
	struct entry *e = calloc(1, sizeof(*e));
	struct tpm_pub pub;

	_Static_assert(
	    sizeof(*e) + KEY_BYTES + 128 < CERT_MEMORY_BYTES, "limit");
	if (e == NULL)
		return NULL;
	e->rep = *rep;
	if (tpm_pub_get(w->ak_pub, w->ak_pub_len, &pub) != VT_OK ||
	    tpm_pub_to_evp(&pub, &e->key) != VT_OK ||
	    lru_put(c->seen, digest, e, sizeof(*e) + KEY_BYTES) != VT_OK) {
		entry_free(e);
		return NULL;
	}
	return e;
}

int
cert_memory_verify(struct cert_memory *c, const struct x509_want *want,
    struct x509_report *ret, EVP_PKEY **ret_key)
{
	time_t now = want->now != 0 ? want->now : time(NULL);
	const struct entry *e;
	uint8_t d[SHA256_LEN];
	int rc;

	*ret_key = NULL;
	if (digest_of(want, d) != VT_OK)
		return x509_verify(want, ret);
	e = lru_find(c->seen, d);
	if (e == NULL || now < e->rep.from || now >= e->rep.until) {
		if ((rc = x509_verify(want, ret)) != VT_OK)
			return rc;
		if ((e = keep(c, want, ret, d)) == NULL)
			return VT_OK;
	}
	*ret = e->rep;
	*ret_key = e->key;
	return VT_OK;
}
