/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcti-slow.c - a TCTI that makes another one as slow and as unreliable as
 * a physical TPM can be: libtss2-tcti-slow.so, `slow:CHILD`.
 *
 * TCTI_SLOW in the environment, words separated by spaces:
 *   sign=MS nv=MS other=MS   how long commands take; default 200, 50, 20
 *   count=FILE               commands so far, 8 bytes, kept across opens
 *   log=FILE                 one line per command: number, code, response
 *   dump=FILE                all that goes over the bus: "> " or "< ", hex
 *   hook=COMMAND             how to reset the TPM; the rest of the text
 *   fault=KIND@N[xM]         at command N (the first is 1), and at the M-1
 *                            after it; several are allowed
 * Kinds.  The TPM never sees the command: retry, yielded, testing, nv_rate,
 * nv_unavailable, lockout, failure (these answer so), lost (the device is
 * gone until it is opened again), reset (the TPM is reset, then gets it).
 * It does: lost_after, reset_after, flip (a bit in the middle of the
 * answer), short (the answer ends early), late (by three seconds), hang (no
 * answer for ten minutes).
 */
#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>
#include <tss2/tss2_tpm2_types.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/rdwr.h"
#include "base/util.h"

#define MAGIC 0x736c6f7774637469u
#define HDR_LEN 10
#define MAX_FAULTS 8
#define TEXT_MAX 4096
#define HANG_MS 600000
#define LATE_MS 3000

enum kind {
	K_NONE,
	K_ANSWER, /* with a code, without the TPM */
	K_LOST,
	K_RESET,
	K_LOST_AFTER,
	K_RESET_AFTER,
	K_FLIP,
	K_SHORT,
	K_LATE,
	K_HANG
};

static const struct {
	const char *name;
	enum kind kind;
	uint32_t rc;
} kinds[] = {
	{ "retry", K_ANSWER, TPM2_RC_RETRY },
	{ "yielded", K_ANSWER, TPM2_RC_YIELDED },
	{ "testing", K_ANSWER, TPM2_RC_TESTING },
	{ "nv_rate", K_ANSWER, TPM2_RC_NV_RATE },
	{ "nv_unavailable", K_ANSWER, TPM2_RC_NV_UNAVAILABLE },
	{ "lockout", K_ANSWER, TPM2_RC_LOCKOUT },
	{ "failure", K_ANSWER, TPM2_RC_FAILURE },
	{ "lost", K_LOST, 0 },
	{ "reset", K_RESET, 0 },
	{ "lost_after", K_LOST_AFTER, 0 },
	{ "reset_after", K_RESET_AFTER, 0 },
	{ "flip", K_FLIP, 0 },
	{ "short", K_SHORT, 0 },
	{ "late", K_LATE, 0 },
	{ "hang", K_HANG, 0 },
};

struct slow {
	TSS2_TCTI_CONTEXT_COMMON_V2 common; /* first */
	TSS2_TCTI_CONTEXT *child;
	unsigned int sign_ms, nv_ms, other_ms;
	char text[TEXT_MAX]; /* TCTI_SLOW, cut into words */
	const char *count_file, *log_file, *dump_file, *hook;
	struct {
		size_t kind; /* index of kinds[] */
		uint64_t first, n;
	} faults[MAX_FAULTS];
	size_t nfaults;
	bool lost;
	/* The command that is being served. */
	uint64_t number;
	uint32_t code, rc;
	enum kind fault;
};

static struct slow *
self(TSS2_TCTI_CONTEXT *ctx)
{
	return (struct slow *)(void *)ctx;
}

static void
pause_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000L };

	(void)nanosleep(&ts, NULL);
}

static unsigned int
duration(const struct slow *s)
{
	switch (s->code) {
	case TPM2_CC_Sign:
	case TPM2_CC_Quote:
	case TPM2_CC_Certify:
	case TPM2_CC_NV_Certify:
	case TPM2_CC_CreatePrimary:
	case TPM2_CC_Create:
	case TPM2_CC_ActivateCredential:
		return s->sign_ms;
	case TPM2_CC_NV_Increment:
	case TPM2_CC_NV_Write:
	case TPM2_CC_NV_Extend:
	case TPM2_CC_NV_DefineSpace:
		return s->nv_ms;
	default:
		return s->other_ms;
	}
}

static uint64_t
count_up(struct slow *s)
{
	uint8_t b[8] = { 0 };
	uint64_t n = s->number;
	int fd;

	if (s->count_file == NULL)
		return n + 1;
	fd = open(s->count_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1)
		return n + 1;
	if (pread(fd, b, sizeof(b), 0) == (ssize_t)sizeof(b))
		n = be64_get(b);
	be64_put(b, ++n);
	if (pwrite(fd, b, sizeof(b), 0) != (ssize_t)sizeof(b))
		abort();
	(void)close(fd);
	return n;
}

static void
note(const struct slow *s, uint32_t rc, const char *how)
{
	FILE *f;

	if (s->log_file == NULL || (f = fopen(s->log_file, "ae")) == NULL)
		return;
	(void)fprintf(f, "%llu 0x%x 0x%x %s\n", (unsigned long long)s->number,
	    s->code, rc, how);
	(void)fclose(f);
}

static void
dump(const struct slow *s, char way, const uint8_t *p, size_t len)
{
	size_t i;
	FILE *f;

	if (s->dump_file == NULL)
		return;
	if ((f = fopen(s->dump_file, "ae")) == NULL)
		abort(); /* a test that sees nothing */
	(void)fprintf(f, "%c ", way);
	for (i = 0; i < len; i++)
		(void)fprintf(f, "%02x", p[i]);
	(void)fputc('\n', f);
	(void)fclose(f);
}

static void
choose_fault(struct slow *s)
{
	size_t i;

	s->fault = K_NONE;
	for (i = 0; i < s->nfaults; i++) {
		if (s->number < s->faults[i].first ||
		    s->number - s->faults[i].first >= s->faults[i].n)
			continue;
		s->fault = kinds[s->faults[i].kind].kind;
		s->rc = kinds[s->faults[i].kind].rc;
	}
}

static void
run_hook(const struct slow *s)
{
	if (s->hook == NULL || system(s->hook) != 0)
		abort(); /* a test that cannot do what it says */
}

static TSS2_RC
slow_transmit(TSS2_TCTI_CONTEXT *ctx, size_t len, const uint8_t *cmd)
{
	struct slow *s = self(ctx);

	if (s->lost)
		return TSS2_TCTI_RC_IO_ERROR;
	if (len < HDR_LEN)
		return TSS2_TCTI_RC_BAD_VALUE;
	s->number = count_up(s);
	s->code = be32_get(cmd + 6);
	dump(s, '>', cmd, len);
	choose_fault(s);
	if (s->fault == K_ANSWER)
		return TSS2_RC_SUCCESS;
	if (s->fault == K_LOST) {
		note(s, 0, "lost");
		s->lost = true;
		return TSS2_TCTI_RC_IO_ERROR;
	}
	if (s->fault == K_RESET)
		run_hook(s);
	return Tss2_Tcti_Transmit(s->child, len, cmd);
}

static TSS2_RC
answer(struct slow *s, size_t *len, uint8_t *rsp)
{
	if (*len < HDR_LEN)
		return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
	be16_put(rsp, TPM2_ST_NO_SESSIONS);
	be32_put(rsp + 2, HDR_LEN);
	be32_put(rsp + 6, s->rc);
	*len = HDR_LEN;
	note(s, s->rc, "made up");
	return TSS2_RC_SUCCESS;
}

static TSS2_RC
hang(struct slow *s, int32_t timeout)
{
	if (timeout >= 0) {
		pause_ms((unsigned int)timeout);
		return TSS2_TCTI_RC_TRY_AGAIN;
	}
	pause_ms(HANG_MS);
	s->lost = true;
	return TSS2_TCTI_RC_IO_ERROR;
}

static TSS2_RC
spoil(struct slow *s, size_t *len, uint8_t *rsp)
{
	switch (s->fault) {
	case K_LOST_AFTER:
		note(s, 0, "lost after");
		s->lost = true;
		return TSS2_TCTI_RC_IO_ERROR;
	case K_RESET_AFTER:
		run_hook(s);
		break;
	case K_LATE:
		pause_ms(LATE_MS);
		break;
	case K_FLIP:
		rsp[*len / 2] ^= 1;
		break;
	case K_SHORT:
		*len -= 1;
		be32_put(rsp + 2, (uint32_t)*len);
		break;
	default:
		break;
	}
	note(s, be32_get(rsp + 6), s->fault == K_NONE ? "" : "spoilt");
	return TSS2_RC_SUCCESS;
}

static TSS2_RC
slow_receive(TSS2_TCTI_CONTEXT *ctx, size_t *len, uint8_t *rsp, int32_t timeout)
{
	struct slow *s = self(ctx);
	TSS2_RC r;

	if (s->lost)
		return TSS2_TCTI_RC_IO_ERROR;
	if (rsp == NULL)
		return Tss2_Tcti_Receive(s->child, len, rsp, timeout);
	if (s->fault == K_ANSWER)
		return answer(s, len, rsp);
	if (s->fault == K_HANG)
		return hang(s, timeout);
	r = Tss2_Tcti_Receive(s->child, len, rsp, timeout);
	if (r != TSS2_RC_SUCCESS)
		return r;
	dump(s, '<', rsp, *len);
	pause_ms(duration(s));
	return spoil(s, len, rsp);
}

static void
slow_finalize(TSS2_TCTI_CONTEXT *ctx)
{
	struct slow *s = self(ctx);

	Tss2_TctiLdr_Finalize(&s->child);
}

static TSS2_RC
slow_cancel(TSS2_TCTI_CONTEXT *ctx)
{
	return Tss2_Tcti_Cancel(self(ctx)->child);
}

static TSS2_RC
slow_poll_handles(
    TSS2_TCTI_CONTEXT *ctx, TSS2_TCTI_POLL_HANDLE *handles, size_t *n)
{
	return Tss2_Tcti_GetPollHandles(self(ctx)->child, handles, n);
}

static TSS2_RC
slow_locality(TSS2_TCTI_CONTEXT *ctx, uint8_t locality)
{
	return Tss2_Tcti_SetLocality(self(ctx)->child, locality);
}

static TSS2_RC
slow_sticky(TSS2_TCTI_CONTEXT *ctx, TPM2_HANDLE *handle, uint8_t sticky)
{
	(void)ctx;
	(void)handle;
	(void)sticky;
	return TSS2_TCTI_RC_NOT_IMPLEMENTED;
}

/* KIND@N[xM] */
static bool
add_fault(struct slow *s, char *text)
{
	char *at = strchr(text, '@'), *end;
	size_t k;

	if (at == NULL || s->nfaults == MAX_FAULTS)
		return false;
	*at++ = '\0';
	for (k = 0; k < VT_NELEM(kinds); k++)
		if (strcmp(kinds[k].name, text) == 0)
			break;
	if (k == VT_NELEM(kinds))
		return false;
	s->faults[s->nfaults].kind = k;
	s->faults[s->nfaults].first = strtoull(at, &end, 10);
	s->faults[s->nfaults].n = *end == 'x' ? strtoull(end + 1, &end, 10) : 1;
	s->nfaults++;
	return end != at && *end == '\0';
}

static bool
settings(struct slow *s)
{
	const char *env = getenv("TCTI_SLOW");
	char *p, *word, *save = NULL;

	s->sign_ms = 200;
	s->nv_ms = 50;
	s->other_ms = 20;
	(void)snprintf(s->text, sizeof(s->text), "%s", env != NULL ? env : "");
	if ((p = strstr(s->text, "hook=")) != NULL) {
		s->hook = p + strlen("hook=");
		*p = '\0';
	}
	for (word = strtok_r(s->text, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		if (strncmp(word, "sign=", 5) == 0)
			s->sign_ms = (unsigned int)atoi(word + 5);
		else if (strncmp(word, "nv=", 3) == 0)
			s->nv_ms = (unsigned int)atoi(word + 3);
		else if (strncmp(word, "other=", 6) == 0)
			s->other_ms = (unsigned int)atoi(word + 6);
		else if (strncmp(word, "count=", 6) == 0)
			s->count_file = word + 6;
		else if (strncmp(word, "log=", 4) == 0)
			s->log_file = word + 4;
		else if (strncmp(word, "dump=", 5) == 0)
			s->dump_file = word + 5;
		else if (strncmp(word, "fault=", 6) != 0 ||
			 !add_fault(s, word + 6))
			return false;
	}
	return true;
}

static TSS2_RC
slow_init(TSS2_TCTI_CONTEXT *ctx, size_t *size, const char *conf)
{
	TSS2_TCTI_CONTEXT_COMMON_V1 *c;
	struct slow *s = self(ctx);

	if (size == NULL)
		return TSS2_TCTI_RC_BAD_VALUE;
	if (ctx == NULL) {
		*size = sizeof(*s);
		return TSS2_RC_SUCCESS;
	}
	if (*size < sizeof(*s))
		return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
	memset(s, 0, sizeof(*s));
	if (!settings(s)) {
		(void)fprintf(stderr, "tcti-slow: cannot read TCTI_SLOW\n");
		return TSS2_TCTI_RC_BAD_VALUE;
	}
	c = &s->common.v1;
	c->magic = MAGIC;
	c->version = 2;
	c->transmit = slow_transmit;
	c->receive = slow_receive;
	c->finalize = slow_finalize;
	c->cancel = slow_cancel;
	c->getPollHandles = slow_poll_handles;
	c->setLocality = slow_locality;
	s->common.makeSticky = slow_sticky;
	return Tss2_TctiLdr_Initialize(conf, &s->child);
}

static const TSS2_TCTI_INFO info = {
	.version = 2,
	.name = "tcti-slow",
	.description = "a slow and unreliable way to another TPM",
	.config_help = "TCTI of the TPM behind it; see TCTI_SLOW",
	.init = slow_init,
};

/* Found by the loader, by name. */
const TSS2_TCTI_INFO *Tss2_Tcti_Info(void);

const TSS2_TCTI_INFO *
Tss2_Tcti_Info(void)
{
	return &info;
}
