/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcti.c - libtss2-tcti-tpmfront: the TCTI module for this ring.
 *
 * Layer:  tpmfront.
 * Spec:   TCG TSS 2.0 TPM Command Transmission Interface (TCTI) API 1.0.
 *
 * READY: transmit, setLocality.  SENT: receive, cancel.  A cancel leaves
 * the context SENT, since the command's answer is still to come, but a
 * caller that does not want it may transmit at once.
 */
#include "tpmfront/tcti/tcti.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "tpmfront/ring_xen.h"
#include "tpmfront/tcti/shared.h"

#define TCTI_MAGIC 0x7674706d2d667430ull /* "vtpm-ft0" */
#define TCTI_VERSION 2
#define CONNECT_MS 30000 /* a dead client's slow command may drain first */
#define AGAIN_MS 10000   /* for a back half that is being restarted */
#define TURN_MS 30000    /* while another process has the vTPM */
#define WAIT_MAX_S 86400
#define GIVE_UP_MS 10000 /* for an answer that was cancelled */
#define TPM_HDR_LEN 10

enum tcti_state { ST_READY, ST_SENT, ST_FINAL };

struct tcti {
	TSS2_TCTI_CONTEXT_COMMON_V2 common; /* first */
	struct shared *shared;
	enum tcti_state state;
	uint8_t locality;
	bool canceled;
	struct answer answer; /* of the last command */
};

static struct ring *
ring_of(const struct tcti *t)
{
	return shared_ring(t->shared);
}

/* --- messages, as tpm2-tss words them --------------------------------------
 */

/* TSS2_LOG="MODULE+LEVEL,...": is an error of the tcti module wanted? */
static bool
errors_wanted(void)
{
	const char *p = getenv("TSS2_LOG");
	bool wanted = true;
	size_t n;

	for (; p != NULL && *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		if (strncasecmp(p, "all+", 4) == 0 ||
		    strncasecmp(p, "tcti+", 5) == 0)
			wanted =
			    strncasecmp(strchr(p, '+') + 1, "none", 4) != 0;
	}
	return wanted;
}

static void complain(int line, const char *func, const char *fmt, ...)
    VT_PRINTF(3, 4);

static void
complain(int line, const char *func, const char *fmt, ...)
{
	va_list ap;

	if (!errors_wanted())
		return;
	(void)fprintf(
	    stderr, "ERROR:tcti:tpmfront/tcti/tcti.c:%d:%s() ", line, func);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}
#define COMPLAIN(...) complain(__LINE__, __func__, __VA_ARGS__)

/* --- the context -----------------------------------------------------------
 */

static struct tcti *
cast(TSS2_TCTI_CONTEXT *ctx)
{
	if (ctx == NULL || TSS2_TCTI_MAGIC(ctx) != TCTI_MAGIC)
		return NULL;
	return (struct tcti *)ctx;
}

static TSS2_RC
of_ring(int rc)
{
	switch (rc) {
	case VT_OK:
		return TSS2_RC_SUCCESS;
	case VT_E_AGAIN:
		return TSS2_TCTI_RC_TRY_AGAIN;
	case VT_E_NOMEM:
		return TSS2_TCTI_RC_MEMORY;
	case VT_E_PROTO:
		return TSS2_TCTI_RC_MALFORMED_RESPONSE;
	case VT_E_RANGE:
		return TSS2_TCTI_RC_BAD_VALUE;
	case VT_E_STATE:
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	default:
		return TSS2_TCTI_RC_IO_ERROR;
	}
}

/* Wait for the answer to a cancelled command and forget it. */
static TSS2_RC
forget_canceled(struct tcti *t)
{
	int rc = shared_wait(t->shared, GIVE_UP_MS, &t->answer);

	if (rc != VT_OK) {
		COMPLAIN(
		    "the cancelled command does not end: %s", vt_strerror(rc));
		return TSS2_TCTI_RC_IO_ERROR;
	}
	t->canceled = false;
	t->state = ST_READY;
	return TSS2_RC_SUCCESS;
}

static void
cannot_send(struct tcti *t, size_t size, int rc)
{
	if (rc == VT_E_RANGE || rc == VT_E_STATE)
		COMPLAIN("cannot send %zu bytes: %s", size, vt_strerror(rc));
	else
		COMPLAIN("the vTPM is away: %s", ring_why(ring_of(t)));
}

static TSS2_RC
tcti_transmit(TSS2_TCTI_CONTEXT *ctx, size_t size, const uint8_t *command)
{
	struct tcti *t = cast(ctx);
	TSS2_RC rc;
	int vrc;

	if (t == NULL)
		return TSS2_TCTI_RC_BAD_CONTEXT;
	if (command == NULL)
		return TSS2_TCTI_RC_BAD_REFERENCE;
	if (t->state == ST_SENT && t->canceled &&
	    (rc = forget_canceled(t)) != TSS2_RC_SUCCESS)
		return rc;
	if (t->state != ST_READY)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	if (size < TPM_HDR_LEN || be32_get(command + 2) != size)
		return TSS2_TCTI_RC_BAD_VALUE;
	vrc = shared_submit(
	    t->shared, AGAIN_MS, t->locality, command, size, &t->answer);
	if (vrc != VT_OK) {
		cannot_send(t, size, vrc);
		return of_ring(vrc);
	}
	t->state = ST_SENT;
	t->canceled = false;
	return TSS2_RC_SUCCESS;
}

static TSS2_RC
await(struct tcti *t, int32_t timeout)
{
	int rc = shared_wait(t->shared, timeout, &t->answer);

	if (rc == VT_OK || rc == VT_E_AGAIN)
		return of_ring(rc);
	COMPLAIN("no answer from the vTPM: %s", vt_strerror(rc));
	t->state = ST_READY;
	return of_ring(rc);
}

static TSS2_RC
tcti_receive(
    TSS2_TCTI_CONTEXT *ctx, size_t *size, uint8_t *response, int32_t timeout)
{
	struct tcti *t = cast(ctx);
	TSS2_RC rc;

	if (t == NULL)
		return TSS2_TCTI_RC_BAD_CONTEXT;
	if (size == NULL)
		return TSS2_TCTI_RC_BAD_REFERENCE;
	if (t->state != ST_SENT)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	if (timeout < TSS2_TCTI_TIMEOUT_BLOCK)
		return TSS2_TCTI_RC_BAD_VALUE;
	rc = await(t, timeout);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	if (response == NULL) { /* how long will it be? */
		*size = t->answer.len;
		return TSS2_RC_SUCCESS;
	}
	if (*size < t->answer.len) {
		*size = t->answer.len;
		return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
	}
	memcpy(response, t->answer.bytes, t->answer.len);
	*size = t->answer.len;
	t->canceled = false;
	t->state = ST_READY;
	return TSS2_RC_SUCCESS;
}

static void
tcti_finalize(TSS2_TCTI_CONTEXT *ctx)
{
	struct tcti *t = cast(ctx);

	if (t == NULL)
		return;
	shared_close(t->shared, &t->answer);
	t->shared = NULL;
	explicit_bzero(&t->answer, sizeof(t->answer));
	t->state = ST_FINAL;
}

static TSS2_RC
tcti_cancel(TSS2_TCTI_CONTEXT *ctx)
{
	struct tcti *t = cast(ctx);

	if (t == NULL)
		return TSS2_TCTI_RC_BAD_CONTEXT;
	if (t->state != ST_SENT)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	shared_cancel(t->shared, &t->answer);
	t->canceled = true;
	return TSS2_RC_SUCCESS;
}

static TSS2_RC
tcti_get_poll_handles(
    TSS2_TCTI_CONTEXT *ctx, TSS2_TCTI_POLL_HANDLE *handles, size_t *num)
{
	struct tcti *t = cast(ctx);
	int fd;

	if (t == NULL)
		return TSS2_TCTI_RC_BAD_CONTEXT;
	if (num == NULL)
		return TSS2_TCTI_RC_BAD_REFERENCE;
	if (t->state == ST_FINAL)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	if (handles != NULL) {
		if (*num < 1) {
			*num = 1;
			return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
		}
		if ((fd = ring_fd(ring_of(t))) == -1) {
			COMPLAIN(
			    "no descriptor to poll: %s", vt_strerror(VT_E_SYS));
			return TSS2_TCTI_RC_IO_ERROR;
		}
		memset(&handles[0], 0, sizeof(handles[0]));
		handles[0].fd = fd;
		handles[0].events = POLLIN;
	}
	*num = 1;
	return TSS2_RC_SUCCESS;
}

static TSS2_RC
tcti_set_locality(TSS2_TCTI_CONTEXT *ctx, uint8_t locality)
{
	struct tcti *t = cast(ctx);

	if (t == NULL)
		return TSS2_TCTI_RC_BAD_CONTEXT;
	if (t->state != ST_READY)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	if (locality >= 8 ||
	    (ring_localities(ring_of(t)) >> locality & 1) == 0) {
		COMPLAIN("the host does not grant this vTPM's user locality "
			 "%u",
		    locality);
		return TSS2_TCTI_RC_NOT_PERMITTED;
	}
	t->locality = locality;
	return TSS2_RC_SUCCESS;
}

static TSS2_RC
tcti_make_sticky(TSS2_TCTI_CONTEXT *ctx, TPM2_HANDLE *handle, uint8_t sticky)
{
	(void)handle;
	(void)sticky;
	if (cast(ctx) == NULL)
		return TSS2_TCTI_RC_BAD_CONTEXT;
	return TSS2_TCTI_RC_NOT_IMPLEMENTED;
}

/* --- making one ------------------------------------------------------------
 */

static void
cannot_open(const char *path, int rc, const char *holder, int turn_ms)
{
	switch (rc) {
	case VT_E_BUSY:
		COMPLAIN("vTPM %s is busy: another program has it open (%s)%s",
		    path, holder,
		    turn_ms > 0 ? "; the wait for its end is over" : "");
		break;
	case VT_E_DENIED:
		COMPLAIN("vTPM %s: %s", path, holder);
		break;
	case VT_E_SYS:
		COMPLAIN("cannot reach vTPM %s: %s%s", path, strerror(errno),
		    errno == ENOENT || errno == ECONNREFUSED
			? "; is it started (vtpmctl start)?"
			: "");
		break;
	default:
		COMPLAIN("vTPM %s: %s", path, vt_strerror(rc));
		break;
	}
}

/* Cut ",wait=SECONDS" or ",raw" off the end of conf; false: neither is there.
 * A path may have commas of its own. */
static bool
cut_option(char *conf, struct ring_local_how *how)
{
	char *p = strrchr(conf, ',');
	uint32_t s;

	if (p == NULL)
		return false;
	if (strcmp(p, ",raw") == 0) {
		how->keeps = true;
		how->again = false;
		how->turn_ms = 0;
	} else if (strncmp(p, ",wait=", 6) == 0 &&
		   dec_u32(p + 6, &s) == VT_OK && s <= WAIT_MAX_S) {
		how->turn_ms = (int)s * 1000;
	} else {
		return false;
	}
	*p = '\0';
	return true;
}

/* conf: "PATH[,raw][,wait=SECONDS]". */
static TSS2_RC
open_local(const char *conf, struct shared **ret)
{
	struct ring_local_how how = {
		.timeout_ms = CONNECT_MS, .turn_ms = TURN_MS, .again = true
	};
	char holder[RING_TEXT_MAX] = "";
	char *path = strdup(conf);
	int rc;

	if (path == NULL)
		return TSS2_TCTI_RC_MEMORY;
	while (cut_option(path, &how))
		;
	if ((rc = shared_open(path, &how, ret, holder)) != VT_OK)
		cannot_open(path, rc, holder, how.turn_ms);
	free(path);
	return of_ring(rc);
}

static TSS2_RC
open_xen(uint32_t devid, struct shared **ret)
{
	char why[RING_WHY_MAX];
	struct ring *r;
	int rc;

	if ((rc = ring_xen_connect(devid, &r, why)) != VT_OK) {
		COMPLAIN("%s", why);
		return of_ring(rc);
	}
	if ((rc = ring_ready(r, CONNECT_MS)) != VT_OK) {
		COMPLAIN("vtpm device %u: %s: %s", devid, vt_strerror(rc),
		    ring_why(r));
		ring_close(r);
		return of_ring(rc);
	}
	return of_ring(shared_new(r, ret));
}

/* "local=PATH[,OPTION...]", "xen" or "xen=DEVID". */
static TSS2_RC
open_ring(const char *conf, struct shared **ret)
{
	uint32_t devid = 0;

	if (conf == NULL)
		conf = "";
	if (strncmp(conf, "local=", 6) == 0 && conf[6] != '\0')
		return open_local(conf + 6, ret);
	if (strcmp(conf, "xen") == 0 || (strncmp(conf, "xen=", 4) == 0 &&
					    dec_u32(conf + 4, &devid) == VT_OK))
		return open_xen(devid, ret);
	COMPLAIN("\"%s\" is no configuration; use local=PATH, the path of a "
		 "vTPM's .tpmif socket, and behind it ,wait=SECONDS or ,raw; "
		 "or in a Xen guest xen or xen=DEVID",
	    conf);
	return TSS2_TCTI_RC_BAD_VALUE;
}

TSS2_RC
Tss2_Tcti_Tpmfront_Init(TSS2_TCTI_CONTEXT *ctx, size_t *size, const char *conf)
{
	struct tcti *t = (struct tcti *)ctx;
	struct shared *shared;
	TSS2_RC rc;

	if (size == NULL)
		return TSS2_TCTI_RC_BAD_VALUE;
	if (ctx == NULL) {
		*size = sizeof(*t);
		return TSS2_RC_SUCCESS;
	}
	if (*size < sizeof(*t))
		return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
	if ((rc = open_ring(conf, &shared)) != TSS2_RC_SUCCESS)
		return rc;
	memset(t, 0, sizeof(*t));
	t->common.v1.magic = TCTI_MAGIC;
	t->common.v1.version = TCTI_VERSION;
	t->common.v1.transmit = tcti_transmit;
	t->common.v1.receive = tcti_receive;
	t->common.v1.finalize = tcti_finalize;
	t->common.v1.cancel = tcti_cancel;
	t->common.v1.getPollHandles = tcti_get_poll_handles;
	t->common.v1.setLocality = tcti_set_locality;
	t->common.makeSticky = tcti_make_sticky;
	t->shared = shared;
	t->state = ST_READY;
	return TSS2_RC_SUCCESS;
}

static const TSS2_TCTI_INFO info = {
	.version = TCTI_VERSION,
	.name = "tcti-tpmfront",
	.description = "TCTI module for a virtual TPM's ring",
	.config_help = "local=PATH: the path of a vTPM's .tpmif socket, and "
		       "behind it ,wait=SECONDS for another program to end, or "
		       ",raw: share nothing, flush nothing; "
		       "xen or xen=DEVID: this Xen guest's vtpm device",
	.init = Tss2_Tcti_Tpmfront_Init,
};

const TSS2_TCTI_INFO *
Tss2_Tcti_Info(void)
{
	return &info;
}
