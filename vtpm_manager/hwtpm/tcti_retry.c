/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/hwtpm/tcti_retry.h"

#include <sys/time.h>

#include <tss2/tss2_tctildr.h>
#include <tss2/tss2_tpm2_types.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/backoff.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "tpmfront/tcti/tcti.h"

#define MAGIC 0x76746d6877746374u /* arbitrary */
#define HDR_LEN 10                /* tag, size, code */
#define WAIT_FIRST_MS 4
#define WAIT_MAX_MS 500
#define FRONT "tpmfront:"

struct hwtcti {
	TSS2_TCTI_CONTEXT_COMMON_V2 common; /* first: ESYS sees this */
	TSS2_TCTI_CONTEXT *child;
	bool child_is_front; /* opened here, not by the loader */
	bool lost;
	const struct hwtcti_limits *limits;
	struct hwtcti_counts *counts;
	uint64_t retry_until_us; /* 0: no command was repeated yet */
	struct backoff backoff;
	size_t cmd_len;
	uint8_t cmd[HWTCTI_MAX];
};

const struct hwtcti_limits hwtcti_default_limits = {
	.answer_ms = 20000,
	.keygen_ms = 90000,
	.retry_ms = 15000,
	.stuck_ms = 10000,
};

static struct hwtcti *
self(TSS2_TCTI_CONTEXT *ctx)
{
	return (struct hwtcti *)(void *)ctx;
}

/* SIGALRM ends a process whose TPM neither answers nor fails. */
static void
set_alarm(const struct hwtcti *t, unsigned int ms)
{
	struct itimerval it = { 0 };

	if (t->limits->stuck_ms == 0)
		return;
	if (ms > 0) {
		uint64_t all = (uint64_t)ms + t->limits->stuck_ms;

		it.it_value.tv_sec = (time_t)(all / 1000);
		it.it_value.tv_usec = (suseconds_t)(all % 1000 * 1000);
	}
	(void)setitimer(ITIMER_REAL, &it, NULL);
}

static unsigned int
time_limit(const struct hwtcti *t)
{
	uint32_t cc = be32_get(t->cmd + 6);

	if (cc == TPM2_CC_CreatePrimary || cc == TPM2_CC_Create ||
	    cc == TPM2_CC_SelfTest)
		return t->limits->keygen_ms;
	return t->limits->answer_ms;
}

static bool
asks_again(uint32_t rc)
{
	return rc == TPM2_RC_RETRY || rc == TPM2_RC_YIELDED ||
	       rc == TPM2_RC_TESTING || rc == TPM2_RC_NV_RATE ||
	       rc == TPM2_RC_NV_UNAVAILABLE;
}

static TSS2_RC
lose(struct hwtcti *t)
{
	set_alarm(t, 0);
	if (!t->lost)
		t->counts->failures++;
	t->lost = true;
	return TSS2_TCTI_RC_IO_ERROR;
}

static TSS2_RC
send_command(struct hwtcti *t)
{
	if (t->lost)
		return TSS2_TCTI_RC_IO_ERROR;
	set_alarm(t, time_limit(t));
	t->counts->commands++;
	if (Tss2_Tcti_Transmit(t->child, t->cmd_len, t->cmd) != TSS2_RC_SUCCESS)
		return lose(t);
	return TSS2_RC_SUCCESS;
}

/* One whole, well-formed response. */
static TSS2_RC
get_response(struct hwtcti *t, size_t *len, uint8_t *rsp)
{
	uint64_t until = now_us() + time_limit(t) * UINT64_C(1000);
	uint64_t now;
	size_t n;
	TSS2_RC r;

	do {
		now = now_us();
		if (now >= until) {
			(void)Tss2_Tcti_Cancel(t->child);
			return lose(t);
		}
		n = *len;
		r = Tss2_Tcti_Receive(
		    t->child, &n, rsp, (int32_t)((until - now + 999) / 1000));
	} while (r == TSS2_TCTI_RC_TRY_AGAIN);
	if (r != TSS2_RC_SUCCESS || n < HDR_LEN || be32_get(rsp + 2) != n)
		return lose(t);
	set_alarm(t, 0);
	*len = n;
	return TSS2_RC_SUCCESS;
}

static void
pause_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000L };

	(void)nanosleep(&ts, NULL);
}

static TSS2_RC
our_transmit(TSS2_TCTI_CONTEXT *ctx, size_t len, const uint8_t *cmd)
{
	struct hwtcti *t = self(ctx);

	if (len < HDR_LEN || len > sizeof(t->cmd))
		return TSS2_TCTI_RC_BAD_VALUE;
	memcpy(t->cmd, cmd, len);
	t->cmd_len = len;
	return send_command(t);
}

static TSS2_RC
our_receive(TSS2_TCTI_CONTEXT *ctx, size_t *len, uint8_t *rsp, int32_t timeout)
{
	struct hwtcti *t = self(ctx);
	size_t n;
	TSS2_RC r;

	(void)timeout; /* ESYS blocks; get_response() has its own limit */
	if (rsp == NULL) {
		*len = HWTCTI_MAX;
		return TSS2_RC_SUCCESS;
	}
	for (;;) {
		n = *len;
		if ((r = get_response(t, &n, rsp)) != TSS2_RC_SUCCESS)
			return r;
		if (!asks_again(be32_get(rsp + 6)))
			break;
		if (t->retry_until_us == 0)
			t->retry_until_us =
			    now_us() + t->limits->retry_ms * UINT64_C(1000);
		if (now_us() >= t->retry_until_us) {
			t->counts->failures++;
			break;
		}
		t->counts->retries++;
		pause_ms(backoff_failed(&t->backoff));
		if ((r = send_command(t)) != TSS2_RC_SUCCESS)
			return r;
	}
	*len = n;
	return TSS2_RC_SUCCESS;
}

static TSS2_RC
our_cancel(TSS2_TCTI_CONTEXT *ctx)
{
	return Tss2_Tcti_Cancel(self(ctx)->child);
}

static TSS2_RC
our_poll_handles(
    TSS2_TCTI_CONTEXT *ctx, TSS2_TCTI_POLL_HANDLE *handles, size_t *n)
{
	return Tss2_Tcti_GetPollHandles(self(ctx)->child, handles, n);
}

static TSS2_RC
our_locality(TSS2_TCTI_CONTEXT *ctx, uint8_t locality)
{
	return Tss2_Tcti_SetLocality(self(ctx)->child, locality);
}

static TSS2_RC
our_sticky(TSS2_TCTI_CONTEXT *ctx, TPM2_HANDLE *handle, uint8_t sticky)
{
	(void)ctx;
	(void)handle;
	(void)sticky;
	return TSS2_TCTI_RC_NOT_IMPLEMENTED;
}

/* hwtcti_close() does it. */
static void
our_finalize(TSS2_TCTI_CONTEXT *ctx)
{
	(void)ctx;
}

static TSS2_RC
open_front(struct hwtcti *t, const char *conf)
{
	size_t size;
	TSS2_RC r;

	if ((r = Tss2_Tcti_Tpmfront_Init(NULL, &size, conf)) != TSS2_RC_SUCCESS)
		return r;
	if ((t->child = calloc(1, size)) == NULL)
		return TSS2_TCTI_RC_MEMORY;
	r = Tss2_Tcti_Tpmfront_Init(t->child, &size, conf);
	if (r == TSS2_RC_SUCCESS) {
		t->child_is_front = true;
		return r;
	}
	free(t->child);
	t->child = NULL;
	return r;
}

int
hwtcti_open(const char *conf, const struct hwtcti_limits *limits,
    struct hwtcti_counts *counts, struct hwtcti **ret, uint32_t *ret_tss_rc)
{
	struct hwtcti *t = calloc(1, sizeof(*t));
	TSS2_TCTI_CONTEXT_COMMON_V1 *c;
	TSS2_RC r;

	if (t == NULL)
		return VT_E_NOMEM;
	t->limits = limits;
	t->counts = counts;
	hwtcti_begin(t);
	set_alarm(t, limits->answer_ms);
	if (strncmp(conf, FRONT, strlen(FRONT)) == 0)
		r = open_front(t, conf + strlen(FRONT));
	else
		r = Tss2_TctiLdr_Initialize(conf, &t->child);
	set_alarm(t, 0);
	if (r != TSS2_RC_SUCCESS) {
		counts->failures++;
		*ret_tss_rc = r;
		free(t);
		return VT_E_TPM;
	}
	c = &t->common.v1;
	c->magic = MAGIC;
	c->version = 2;
	c->transmit = our_transmit;
	c->receive = our_receive;
	c->finalize = our_finalize;
	c->cancel = our_cancel;
	c->getPollHandles = our_poll_handles;
	c->setLocality = our_locality;
	t->common.makeSticky = our_sticky;
	*ret = t;
	return VT_OK;
}

void
hwtcti_close(struct hwtcti *t)
{
	if (t == NULL)
		return;
	set_alarm(t, t->limits->answer_ms);
	if (t->child_is_front) {
		Tss2_Tcti_Finalize(t->child);
		free(t->child);
	} else {
		Tss2_TctiLdr_Finalize(&t->child);
	}
	set_alarm(t, 0);
	explicit_bzero(t->cmd, sizeof(t->cmd));
	free(t);
}

TSS2_TCTI_CONTEXT *
hwtcti_context(struct hwtcti *t)
{
	return (TSS2_TCTI_CONTEXT *)(void *)t;
}

void
hwtcti_begin(struct hwtcti *t)
{
	t->retry_until_us = 0;
	backoff_init(&t->backoff, WAIT_FIRST_MS, WAIT_MAX_MS);
}

bool
hwtcti_is_lost(const struct hwtcti *t)
{
	return t->lost;
}

uint32_t
hwtcti_command(struct hwtcti *t, const uint8_t *cmd, size_t len, uint8_t *rsp,
    size_t *ret_len)
{
	size_t n = HWTCTI_MAX;
	TSS2_RC r;

	if ((r = our_transmit(hwtcti_context(t), len, cmd)) !=
		TSS2_RC_SUCCESS ||
	    (r = our_receive(hwtcti_context(t), &n, rsp,
		 TSS2_TCTI_TIMEOUT_BLOCK)) != TSS2_RC_SUCCESS)
		return r;
	*ret_len = n;
	return TSS2_RC_SUCCESS;
}
