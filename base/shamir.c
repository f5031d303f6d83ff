/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/shamir.h"

/* FIPS 197, 4.2; no branch and no table that depends on a secret. */
static uint8_t
mul(uint8_t a, uint8_t b)
{
	unsigned int r = 0, x = a, i;

	for (i = 0; i < 8; i++) {
		r ^= x & (0u - (b >> i & 1u));
		x = (x << 1) ^ (0x11bu & (0u - (x >> 7 & 1u)));
	}
	return (uint8_t)r;
}

/* a^254; a is an x, not a secret. */
static uint8_t
inverse(uint8_t a)
{
	uint8_t r = 1;
	int i;

	for (i = 0; i < 254; i++)
		r = mul(r, a);
	return r;
}

int
shamir_split(const uint8_t *coef, unsigned int m, unsigned int n, size_t len,
    uint8_t *out)
{
	unsigned int i, k;
	size_t j;

	if (m == 0 || m > n || n > SHAMIR_MAX_SHARES)
		return VT_E_RANGE;
	for (i = 0; i < n; i++)
		for (j = 0; j < len; j++) {
			uint8_t y = 0;

			for (k = m; k-- > 0;) /* Horner */
				y = (uint8_t)(mul(y, (uint8_t)(i + 1)) ^
					      coef[k * len + j]);
			out[i * len + j] = y;
		}
	return VT_OK;
}

/* The weight of share i at x = 0: product of x_k / (x_k - x_i). */
static uint8_t
weight(const uint8_t *xs, unsigned int m, unsigned int i)
{
	uint8_t num = 1, den = 1;
	unsigned int k;

	for (k = 0; k < m; k++)
		if (k != i) {
			num = mul(num, xs[k]);
			den = mul(den, (uint8_t)(xs[k] ^ xs[i]));
		}
	return mul(num, inverse(den));
}

int
shamir_join(const uint8_t *xs, const uint8_t *shares, unsigned int m,
    size_t len, uint8_t *ret)
{
	uint8_t w[SHAMIR_MAX_SHARES];
	unsigned int i, k;
	size_t j;

	if (m == 0 || m > SHAMIR_MAX_SHARES)
		return VT_E_RANGE;
	for (i = 0; i < m; i++)
		for (k = 0; k <= i; k++)
			if (xs[i] == 0 || (k != i && xs[i] == xs[k]))
				return VT_E_RANGE;
	for (i = 0; i < m; i++)
		w[i] = weight(xs, m, i);
	for (j = 0; j < len; j++) {
		ret[j] = 0;
		for (i = 0; i < m; i++)
			ret[j] ^= mul(w[i], shares[i * len + j]);
	}
	return VT_OK;
}
