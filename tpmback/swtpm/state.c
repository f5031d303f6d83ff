/* SPDX-License-Identifier: BSD-3-Clause */
/* state.c - what the files of the swtpm channel share. */
#include "tpmback/swtpm/state.h"

#include <sys/timerfd.h>

#include <stdio.h>
#include <string.h>

#include "base/util.h"

void
swtpm_wake_after(struct swtpm *s, uint64_t us)
{
	uint64_t at = now_us() + us;
	struct itimerspec t = { .it_value = { .tv_sec = (time_t)(us / 1000000),
				    .tv_nsec = (long)(us % 1000000) * 1000 } };

	if (s->wake_us != 0 && s->wake_us <= at)
		return;
	s->wake_us = at;
	if (us == 0)
		t.it_value.tv_nsec = 1;
	(void)timerfd_settime(s->timer_fd, 0, &t, NULL);
}

void
swtpm_stall_note(struct swtpm *s, struct swtpm_stall *t, bool incomplete,
    uint64_t have, uint64_t limit_us)
{
	if (!incomplete) {
		t->since_us = 0;
	} else if (t->since_us == 0 || t->had != have) {
		t->since_us = now_us();
		t->had = have;
		swtpm_wake_after(s, limit_us);
	}
}

/* Whether it has lasted too long; if not, look again in time. */
bool
swtpm_stall_over(struct swtpm *s, struct swtpm_stall *t, uint64_t limit_us)
{
	uint64_t past;

	if (t->since_us == 0)
		return false;
	past = now_us() - t->since_us;
	if (past < limit_us) {
		swtpm_wake_after(s, limit_us - past);
		return false;
	}
	t->since_us = 0;
	return true;
}

void
swtpm_note(
    struct swtpm *s, const struct peer *p, enum chan_note n, const char *text)
{
	char buf[sizeof(p->text) + 128];

	(void)snprintf(buf, sizeof(buf), "%s: %s", p->text, text);
	s->ch.host->note(s->ch.host_arg, &s->ch, n, buf);
}

bool
swtpm_may_use(struct swtpm *s, const struct swtpm_conn *c)
{
	return c->inited || (!c->incoming && !swtpm_owned(s) &&
				s->ch.host->claim(s->ch.host_arg, &s->ch));
}

bool
swtpm_may_stage(struct swtpm *s, struct swtpm_conn *c)
{
	unsigned int i;

	if (!c->incoming)
		return true;
	for (i = 0; i < s->nnext; i++)
		if (s->next[i] != c && s->next[i]->staging) {
			swtpm_note(s, &c->peer, CN_BUSY,
			    "a state refused: another hypervisor brings one");
			return false;
		}
	c->staging = true;
	return true;
}

bool
swtpm_unqueue(struct swtpm *s, struct swtpm_conn *c)
{
	unsigned int i;

	for (i = 0; i < s->nnext && s->next[i] != c; i++)
		;
	if (i == s->nnext)
		return false;
	if (c == s->source)
		s->source = NULL;
	s->nnext--;
	memmove(
	    &s->next[i], &s->next[i + 1], (s->nnext - i) * sizeof(s->next[0]));
	return true;
}

void
swtpm_settle(struct swtpm *s)
{
	struct swtpm_conn *c = s->source;

	if (c == NULL)
		return;
	(void)swtpm_unqueue(s, c);
	swtpm_conn_free(c);
}

void
swtpm_keep(struct swtpm *s)
{
	const struct swtpm_conn *c = s->live;
	int fds[3];
	unsigned int n = 0;

	if (c != NULL) {
		fds[n++] = c->ctl.fd;
		if (c->data.fd != -1)
			fds[n++] = c->data.fd;
		fds[n++] = c->st_fd;
	}
	s->ch.host->keep(s->ch.host_arg, &s->ch, fds, n);
}
