/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_hostid.c - any bytes as a host's identity, record or list of states:
 * no crash; what parses is written and read again the same, and no host is
 * good without a root. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/credential.h"
#include "measure/hostid.h"
#include "measure/hoststate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
host(const uint8_t *data, size_t len, enum hostid_kind kind)
{
	char err[HOSTID_ERR_MAX] = "", *one = NULL, *two = NULL;
	struct hostid *h = NULL, *again = NULL;
	struct hostid_report rep;
	struct host_roots *r = NULL;

	if (hostid_parse(data, len, kind, &h, err) != VT_OK) {
		if (h != NULL || err[0] == '\0')
			abort();
		return;
	}
	if (hostid_format(h, kind, &one) != VT_OK ||
	    hostid_parse(one, strlen(one), kind, &again, err) != VT_OK ||
	    hostid_format(again, kind, &two) != VT_OK || strcmp(one, two) != 0)
		abort();
	if (host_roots_new(&r) != VT_OK)
		abort();
	if (hostid_check(h, r, 0, &rep) == VT_OK)
		abort(); /* there is no root */
	hostid_report_done(&rep);
	(void)!hostid_check(h, NULL, 0, &rep);
	hostid_report_done(&rep);
	host_roots_free(r);
	free(one);
	free(two);
	hostid_free(h);
	hostid_free(again);
}

static void
states(const uint8_t *data, size_t len)
{
	char err[HOSTSTATE_ERR_MAX] = "", *one = NULL;
	struct hoststates *st = NULL, *again = NULL;

	if (hoststates_parse(data, len, &st, err) != VT_OK) {
		if (st != NULL || err[0] == '\0')
			abort();
		return;
	}
	if (st->n == 0 || st->n > HOSTSTATE_MAX ||
	    hoststates_format(st, &one) != VT_OK ||
	    hoststates_parse(one, strlen(one), &again, err) != VT_OK ||
	    again->n != st->n)
		abort();
	free(one);
	free(st);
	free(again);
}

static void
credential(const uint8_t *data, size_t len)
{
	struct tpm_name name = { .len = 34, .b = { 0, 0x0b } };
	uint8_t secret[32] = { 1 };
	struct credential c;

	(void)!credential_make(data, len, &name, secret, sizeof(secret), &c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len > 0 && data[0] == 'e') {
		credential(data + 1, len - 1);
		return 0;
	}
	host(data, len, HOSTID_IDENTITY);
	host(data, len, HOSTID_RECORD);
	states(data, len);
	return 0;
}
