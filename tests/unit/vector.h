/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vector.h - the measured boot that the tests of measure/ share, and small
 * helpers; needs cmocka.h before it.
 */
#ifndef TESTS_VECTOR_H
#define TESTS_VECTOR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/log/eventlog.h"
#include "measure/log/journal.h"
#include "measure/tpm/pcr.h"

#define VECTOR_LOG "tests/vectors/ovmf-grub-linux-6.1.eventlog"
#define VECTOR_PCRS "tests/vectors/ovmf-grub-linux-6.1.sha256-pcrs"

struct bytes {
	uint8_t *p;
	size_t len;
};

static inline struct bytes
vector_log(void)
{
	struct bytes b;

	assert_int_equal(
	    read_file(VECTOR_LOG, EL_MAX_LOG, &b.p, &b.len), VT_OK);
	return b;
}

/* The quoted values: those in the file, at reset where it has none. */
static inline void
vector_pcrs(struct pcr_set *set)
{
	static const uint16_t alg = ALG_SHA256;
	uint8_t val[SHA256_LEN];
	char line[128], hex[80];
	unsigned int n;
	size_t len;
	FILE *f;

	assert_int_equal(pcr_set_init(set, &alg, 1), VT_OK);
	pcr_set_reset(set, 0);
	f = fopen(VECTOR_PCRS, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		assert_int_equal(sscanf(line, "%u %79s", &n, hex), 2);
		assert_int_equal(
		    hex_decode(hex, val, sizeof(val), &len), VT_OK);
		assert_int_equal(pcr_put(set, alg, n, val), VT_OK);
	}
	(void)fclose(f);
}

/* An exact heap copy, so that ASan sees one byte too many. */
static inline uint8_t *
exact_copy(const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, p, len);
	return copy;
}

/* The journal that a worker would have kept during the boot of a log. */
static inline struct journal *
journal_of_log(const struct bytes *b, const uint16_t *algs, uint32_t n)
{
	struct journal *j;
	struct el_event ev;
	struct el_log *log;

	assert_int_equal(journal_new(algs, n, &j), VT_OK);
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_add_startup(j, 0, true), VT_OK);
	assert_int_equal(el_open(b->p, b->len, &log), VT_OK);
	while (el_next(log, &ev) == 1)
		if (el_extends(&ev))
			assert_int_equal(journal_add_extend(j, JR_EXTEND, 0,
					     ev.pcr, ev.digests, ev.ndigests),
			    VT_OK);
	el_close(log);
	return j;
}

#endif
