/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_host_identity.c - any bytes as a host's identity, record or list of
 * states: no crash; what parses is written and read again the same, and no host
 * is good without a root. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/cert/make_credential.h"
#include "measure/host/host_identity.h"
#include "measure/host/host_identity_check.h"
#include "measure/host/host_state.h"
#include "measure/tpm/tpm_public.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
host(const uint8_t *data, size_t len, enum host_identity_kind kind)
{
	char err[HOST_IDENTITY_ERR_MAX] = "", *one = NULL, *two = NULL;
	struct host_identity *h = NULL, *again = NULL;
	struct host_identity_report rep;
	struct host_roots *r = NULL;

	if (host_identity_parse(data, len, kind, &h, err) != VT_OK) {
		if (h != NULL || err[0] == '\0')
			abort();
		return;
	}
	if (host_identity_format(h, kind, &one) != VT_OK ||
	    host_identity_parse(one, strlen(one), kind, &again, err) != VT_OK ||
	    host_identity_format(again, kind, &two) != VT_OK ||
	    strcmp(one, two) != 0)
		abort();
	if (host_roots_new(&r) != VT_OK)
		abort();
	if (host_identity_check(h, r, 0, &rep) == VT_OK)
		abort(); /* there is no root */
	host_identity_report_done(&rep);
	(void)!host_identity_check(h, NULL, 0, &rep);
	host_identity_report_done(&rep);
	host_roots_free(r);
	free(one);
	free(two);
	host_identity_free(h);
	host_identity_free(again);
}

static void
states(const uint8_t *data, size_t len)
{
	char err[HOST_STATE_ERR_MAX] = "", *one = NULL;
	struct host_states *st = NULL, *again = NULL;

	if (host_states_parse(data, len, &st, err) != VT_OK) {
		if (st != NULL || err[0] == '\0')
			abort();
		return;
	}
	if (st->n == 0 || st->n > HOST_STATE_MAX ||
	    host_states_format(st, &one) != VT_OK ||
	    host_states_parse(one, strlen(one), &again, err) != VT_OK ||
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
	host(data, len, HOST_IDENTITY_IDENTITY);
	host(data, len, HOST_IDENTITY_RECORD);
	states(data, len);
	return 0;
}
