/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure/vcache.h"

#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"

struct entry {
	uint8_t digest[SHA256_LEN];
	struct x509_report rep;
	EVP_PKEY *key;
};

struct vcache {
	struct entry *slot[VCACHE_N]; /* by the digest's first bits */
};

int
vcache_new(struct vcache **ret)
{
	struct vcache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return VT_E_NOMEM;
	*ret = c;
	return VT_OK;
}

static void
entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	EVP_PKEY_free(e->key);
	free(e);
}

void
vcache_free(struct vcache *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < VCACHE_N; i++)
		entry_free(c->slot[i]);
	free(c);
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

static void
keep(struct entry **slot, const struct x509_want *w,
    const struct x509_report *rep, const uint8_t digest[SHA256_LEN])
{
	struct entry *e = calloc(1, sizeof(*e));
	struct tpm_pub pub;

	if (e == NULL)
		return;
	if (tpm_pub_get(w->ak_pub, w->ak_pub_len, &pub) != VT_OK ||
	    tpm_pub_to_evp(&pub, &e->key) != VT_OK) {
		free(e);
		return;
	}
	memcpy(e->digest, digest, SHA256_LEN);
	e->rep = *rep;
	entry_free(*slot);
	*slot = e;
}

int
vcache_verify(struct vcache *c, const struct x509_want *want,
    struct x509_report *ret, EVP_PKEY **ret_key)
{
	time_t now = want->now != 0 ? want->now : time(NULL);
	uint8_t d[SHA256_LEN];
	struct entry **slot;
	int rc;

	*ret_key = NULL;
	if (digest_of(want, d) != VT_OK)
		return x509_verify(want, ret);
	slot = &c->slot[be16_get(d) % VCACHE_N];
	if (*slot == NULL || memcmp((*slot)->digest, d, sizeof(d)) != 0 ||
	    now < (*slot)->rep.from || now >= (*slot)->rep.until) {
		if ((rc = x509_verify(want, ret)) != VT_OK)
			return rc;
		keep(slot, want, ret, d);
	}
	if (*slot != NULL && memcmp((*slot)->digest, d, sizeof(d)) == 0) {
		*ret = (*slot)->rep;
		*ret_key = (*slot)->key;
	}
	return VT_OK;
}
