/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_clients.c - what programs on the local ring leave loaded in the TPM is
 * flushed for the next one.
 */
#include "vtpm/worker/worker_clients.h"

#include <string.h>

#include "base/util.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/engine.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_state.h"

#define CAP_HANDLES 1u
#define FIRST_TRANSIENT 0x80000000u
#define FIRST_LOADED 0x02000000u
#define FIRST_SAVED 0x03000000u

/* Appends the handles of one kind; what does not fit is not seen. */
static void
list(uint32_t first, uint32_t *h, uint32_t *n)
{
	uint32_t count, room = CLIENT_HANDLES - *n;
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_GetCapability);
	wr_be32(&c.w, CAP_HANDLES);
	wr_be32(&c.w, first);
	wr_be32(&c.w, room);
	if (tcmd_run(&c, NULL, &r) != VT_OK)
		return;
	(void)rd_u8(&r);   /* moreData */
	(void)rd_be32(&r); /* TPM_CAP_HANDLES */
	count = rd_be32(&r);
	for (; count > 0 && room > 0 && rd_err(&r) == VT_OK; count--, room--)
		h[(*n)++] = rd_be32(&r);
}

static bool
has(const uint32_t *h, uint32_t n, uint32_t handle)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (h[i] == handle)
			return true;
	return false;
}

static void
flush(uint32_t handle)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_FlushContext);
	wr_be32(&c.w, handle);
	if (tcmd_run(&c, NULL, &r) != VT_OK)
		return; /* it went by itself */
}

static void
flush_new(const struct clients *cl, uint32_t first)
{
	uint32_t h[CLIENT_HANDLES], n = 0, i;

	list(first, h, &n);
	for (i = 0; i < n; i++)
		if (!has(cl->before, cl->nbefore, h[i]))
			flush(h[i]);
}

/* Those that are still saved stay in their order, new ones are the youngest. */
static void
note_saved(struct clients *cl, uint64_t now)
{
	uint32_t h[CLIENT_HANDLES], n = 0, kept = 0, i;

	list(FIRST_SAVED, h, &n);
	for (i = 0; i < cl->nsaved; i++)
		if (has(h, n, cl->saved[i])) {
			cl->since[kept] = cl->since[i];
			cl->saved[kept++] = cl->saved[i];
		}
	for (i = 0; i < n && kept < CLIENT_HANDLES; i++)
		if (!has(cl->saved, kept, h[i]) &&
		    !has(cl->before, cl->nbefore, h[i])) {
			cl->since[kept] = now;
			cl->saved[kept++] = h[i];
		}
	cl->nsaved = kept;
}

static void
flush_oldest(struct clients *cl, uint64_t now)
{
	uint32_t n = 0;

	while (
	    n < cl->nsaved && (cl->nsaved - n > WORKER_SAVED_MAX ||
				  now - cl->since[n] > WORKER_SAVED_COMMANDS))
		flush(cl->saved[n++]);
	cl->nsaved -= n;
	memmove(cl->saved, cl->saved + n, cl->nsaved * sizeof(cl->saved[0]));
	memmove(cl->since, cl->since + n, cl->nsaved * sizeof(cl->since[0]));
}

static bool
elsewhere(const struct slot *s)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (&s->w->slots[i] != s && s->w->slots[i].claimed)
			return true;
	return false;
}

/* Not after a TPM2_Shutdown or a snapshot that is still the last word: a
 * command of ours would take its effect away. */
static bool
may_look(const struct slot *s)
{
	return s->w->tpm_version == TPM_VER_20 &&
	       power_takes_ours(s->w->power) && !elsewhere(s);
}

void
wk_client_began(struct slot *s)
{
	struct clients *cl = &s->w->clients;

	cl->nbefore = 0;
	cl->cycle = s->w->power_cycles;
	if (!may_look(s))
		return;
	list(FIRST_TRANSIENT, cl->before, &cl->nbefore);
	list(FIRST_LOADED, cl->before, &cl->nbefore);
	list(FIRST_SAVED, cl->before, &cl->nbefore);
}

void
wk_client_ended(struct slot *s, bool keeps)
{
	struct clients *cl = &s->w->clients;

	if (keeps || !may_look(s))
		return;
	if (cl->cycle != s->w->power_cycles)
		cl->nbefore = 0; /* none of these is there any more */
	flush_new(cl, FIRST_TRANSIENT);
	flush_new(cl, FIRST_LOADED);
	note_saved(cl, s->w->n.commands);
	flush_oldest(cl, s->w->n.commands);
}
