/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmfront/frontd/tcti_bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_tctildr.h>

#include "tpmfront/tcti/tcti.h"

struct tcti_tpm {
	TSS2_TCTI_CONTEXT *ctx;
	bool linked_in; /* ctx is ours to free */
	bool gone;
	uint8_t locality;
	uint8_t resp[BRIDGE_BUF];
};

/* The kernel that is served manages the TPM's slots, and the jail permits no
 * second connection: a local ring is opened raw. */
static TSS2_RC
open_linked_in(const char *conf, TSS2_TCTI_CONTEXT **ret)
{
	TSS2_TCTI_CONTEXT *ctx;
	size_t size;
	TSS2_RC rc;
	char *raw;

	rc = Tss2_Tcti_Tpmfront_Init(NULL, &size, conf);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	if (asprintf(&raw, "%s%s", conf,
		strncmp(conf, "local=", 6) == 0 ? ",raw" : "") == -1)
		return TSS2_TCTI_RC_MEMORY;
	if ((ctx = calloc(1, size)) == NULL)
		rc = TSS2_TCTI_RC_MEMORY;
	else
		rc = Tss2_Tcti_Tpmfront_Init(ctx, &size, raw);
	if (rc == TSS2_RC_SUCCESS)
		*ret = ctx;
	else
		free(ctx);
	free(raw);
	return rc;
}

int
tcti_tpm_open(const char *conf, struct tcti_tpm **ret)
{
	struct tcti_tpm *t = calloc(1, sizeof(*t));
	TSS2_RC rc;

	if (t == NULL)
		return VT_E_NOMEM;
	t->linked_in = strncmp(conf, "tpmfront:", 9) == 0;
	if (t->linked_in)
		rc = open_linked_in(conf + 9, &t->ctx);
	else
		rc = Tss2_TctiLdr_Initialize(conf, &t->ctx);
	if (rc != TSS2_RC_SUCCESS) {
		free(t);
		return rc == TSS2_TCTI_RC_MEMORY ? VT_E_NOMEM : VT_E_CLOSED;
	}
	*ret = t;
	return VT_OK;
}

void
tcti_tpm_close(struct tcti_tpm *t)
{
	if (t == NULL)
		return;
	if (t->linked_in) {
		Tss2_Tcti_Finalize(t->ctx);
		free(t->ctx);
	} else {
		Tss2_TctiLdr_Finalize(&t->ctx);
	}
	explicit_bzero(t, sizeof(*t));
	free(t);
}

static int
of_tss(struct tcti_tpm *t, TSS2_RC rc)
{
	if (rc == TSS2_RC_SUCCESS)
		return VT_OK;
	if (rc == TSS2_TCTI_RC_TRY_AGAIN)
		return VT_E_AGAIN;
	t->gone = true;
	return VT_E_CLOSED;
}

static int
bt_ready(void *arg, int timeout_ms)
{
	(void)timeout_ms;
	return ((struct tcti_tpm *)arg)->gone ? VT_E_CLOSED : VT_OK;
}

static int
bt_send(void *arg, uint8_t locality, const uint8_t *cmd, size_t len)
{
	struct tcti_tpm *t = arg;

	if (locality != t->locality) {
		if (Tss2_Tcti_SetLocality(t->ctx, locality) != TSS2_RC_SUCCESS)
			return VT_E_DENIED;
		t->locality = locality;
	}
	return of_tss(t, Tss2_Tcti_Transmit(t->ctx, len, cmd));
}

static int
bt_wait(void *arg, int timeout_ms, const uint8_t **ret, size_t *ret_len)
{
	struct tcti_tpm *t = arg;
	size_t len = sizeof(t->resp);
	TSS2_RC rc;

	rc = Tss2_Tcti_Receive(t->ctx, &len, t->resp, timeout_ms);
	if (rc != TSS2_RC_SUCCESS)
		return of_tss(t, rc);
	*ret = t->resp;
	*ret_len = len;
	return VT_OK;
}

static void
bt_cancel(void *arg)
{
	/* A module without cancel: the command runs to its end. */
	(void)Tss2_Tcti_Cancel(((struct tcti_tpm *)arg)->ctx);
}

/* Whether the module grants it is asked where it can be answered. */
static bool
bt_grants(void *arg, uint8_t locality)
{
	struct tcti_tpm *t = arg;

	if (locality == t->locality)
		return true;
	if (Tss2_Tcti_SetLocality(t->ctx, locality) != TSS2_RC_SUCCESS)
		return false;
	t->locality = locality;
	return true;
}

static int
bt_fd(void *arg)
{
	(void)arg;
	return -1;
}

static int
bt_attend(void *arg)
{
	(void)arg;
	return VT_OK;
}

static unsigned int
bt_generation(void *arg)
{
	(void)arg;
	return 0;
}

static bool
bt_comes_back(void *arg)
{
	(void)arg;
	return false;
}

const struct bridge_tpm bridge_tcti = {
	.ready = bt_ready,
	.send = bt_send,
	.wait = bt_wait,
	.cancel = bt_cancel,
	.grants = bt_grants,
	.fd = bt_fd,
	.attend = bt_attend,
	.generation = bt_generation,
	.comes_back = bt_comes_back,
};
