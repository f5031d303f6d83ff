/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_deep_quote.c - who is under which of the host's quotes, and who is told
 * what, with the host's TPM and the workers played by the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "vtpm_manager/core/context.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/host/deep_quote.h"
#include "vtpm_manager/host/deep_quote_leaf.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/tenant/tenant_priv.h"

#define GUESTS 40
#define TOLD 4096

int __wrap_hwlink_request(
    struct hwlink *h, uint16_t type, const struct wr *w, hw_cb cb, void *arg);
void __wrap_hwlink_forget(struct hwlink *h, void *arg);
uint64_t __real_now_us(void);
uint64_t __wrap_now_us(void);
int __real_loop_timer(struct mgr *m, sd_event_source **s, uint64_t ms,
    int priority, sd_event_time_handler_t cb, void *arg);
int __wrap_loop_timer(struct mgr *m, sd_event_source **s, uint64_t ms,
    int priority, sd_event_time_handler_t cb, void *arg);

struct told {
	uint64_t serial, ticket;
	int rc;
	char text[TEXT_MAX_LEN + 1];
	struct deep_answer a;
};

static struct fix {
	struct mgr m;
	struct one {
		struct guest in;
		struct deep_quote_guest *deep;
		uint64_t serial; /* of its worker */
	} g[GUESTS];
	/* the host's TPM */
	unsigned int quotes, under_way;
	struct hw_quote hq; /* the last one */
	struct {
		uint32_t group;
		hw_cb cb;
		void *arg;
	} way[4];   /* oldest first */
	int refuse; /* what hwlink_request() says */
	unsigned int lookups;
	struct tenants groups;
	/* the clock, if the test has it in its hands */
	bool clock;
	uint64_t now;
	sd_event_time_handler_t timer; /* the newest that was set */
	void *timer_arg;
	uint64_t timer_ms;
	/* the workers */
	struct told *told;
	size_t ntold;
} f;

int
__wrap_hwlink_request(
    struct hwlink *h, uint16_t type, const struct wr *w, hw_cb cb, void *arg)
{
	unsigned int i;

	(void)h;
	assert_int_equal(type, HW_QUOTE);
	if (f.refuse != VT_OK)
		return f.refuse;
	assert_int_equal(msg_get(hw_quote, w->buf, w->len, &f.hq), VT_OK);
	for (i = 0; i < f.under_way; i++) /* one at a time of each group */
		assert_int_not_equal(f.way[i].group, f.hq.group);
	assert_true(f.under_way < VT_NELEM(f.way));
	f.quotes++;
	f.way[f.under_way].group = f.hq.group;
	f.way[f.under_way].cb = cb;
	f.way[f.under_way++].arg = arg;
	return VT_OK;
}

void
__wrap_hwlink_forget(struct hwlink *h, void *arg)
{
	unsigned int i;

	(void)h;
	for (i = 0; i < f.under_way; i++)
		if (f.way[i].arg == arg)
			f.way[i].cb = NULL;
}

static void
answer(void *guest, const struct wdeeped *d)
{
	const struct one *g = guest;
	struct told *t = &f.told[f.ntold++];

	assert_true(f.ntold < TOLD);
	t->serial = g->serial;
	t->ticket = d->ticket;
	t->rc = d->rc;
	(void)snprintf(t->text, sizeof(t->text), "%s", d->text);
	if (d->rc == VT_OK)
		assert_int_equal(
		    deep_answer_get(d->answer.p, d->answer.len, &t->a), VT_OK);
	else
		assert_true(strlen(d->text) > 10);
}

static int
key_names(struct mgr *m, const struct guest *in, uint8_t *ek, size_t *ek_len,
    uint8_t *ak, size_t *ak_len, size_t cap)
{
	(void)m;
	f.lookups++;
	if (in->tpm_version == TPM_VER_12)
		return VT_E_UNSUPPORTED;
	assert_true(cap >= 34);
	memset(ek, 1, 34);
	memset(ak, in->uuid[0], 34);
	*ek_len = *ak_len = 34;
	return VT_OK;
}

static const struct deep_quote_ops ops = {
	.answer = answer,
	.key_names = key_names,
};

/* The worker of the i-th guest is gone; another one has this number. */
static void
new_worker(size_t i, uint64_t serial)
{
	deep_quote_worker_gone(f.g[i].deep);
	f.g[i].serial = serial;
}

uint64_t
__wrap_now_us(void)
{
	return f.clock ? f.now : __real_now_us();
}

int
__wrap_loop_timer(struct mgr *m, sd_event_source **s, uint64_t ms, int priority,
    sd_event_time_handler_t cb, void *arg)
{
	if (!f.clock)
		return __real_loop_timer(m, s, ms, priority, cb, arg);
	f.timer = cb;
	f.timer_arg = arg;
	f.timer_ms = ms;
	return VT_OK;
}

static int
setup(void **state)
{
	size_t i;

	(void)state;
	memset(&f, 0, sizeof(f));
	f.told = calloc(TOLD, sizeof(*f.told));
	assert_non_null(f.told);
	config_defaults(&f.m.cfg);
	f.m.deep_pcrs.n = 1;
	f.m.deep_pcrs.banks[0].alg = ALG_SHA256;
	f.m.deep_pcrs.banks[0].mask = 0xff;
	f.m.hw = (struct hwlink *)&f; /* only passed on */
	f.m.root_kind = ROOT_HARD;
	assert_true(sd_event_new(&f.m.ev) >= 0);
	assert_int_equal(deep_quote_new(&f.m, &ops), VT_OK);
	for (i = 0; i < GUESTS; i++) {
		f.g[i].in.uuid[0] = (uint8_t)(i + 1);
		f.g[i].in.generation = 3;
		f.g[i].in.version = 100 + i;
		f.g[i].in.tpm_version = TPM_VER_20;
		f.g[i].serial = 1000 + i;
	}
	return 0;
}

static int
teardown(void **state)
{
	size_t i;

	(void)state;
	deep_quote_free(&f.m);
	for (i = 0; i < GUESTS; i++)
		deep_quote_forget(&f.g[i].deep);
	(void)sd_event_unref(f.m.ev);
	free(f.told);
	return 0;
}

static void
ask(size_t i, uint64_t ticket)
{
	struct wdeep d = { .ticket = ticket, .nonce = { NULL, 0 } };

	memset(d.quote, (int)(i + 1), sizeof(d.quote));
	d.quote[31] = (uint8_t)ticket;
	deep_quote_ask(&f.m, &f.g[i].deep, &f.g[i], &f.g[i].in, &d);
}

/* Of the n-th that is under way. */
static void
host_says_of(unsigned int n, int rc, const char *text)
{
	static const uint8_t bytes[300] = { 0x30 };
	struct hw_quoted hq = { .attest = { bytes, 150 },
		.signature = { bytes, 72 },
		.ak_cert = { bytes, 300 } };
	struct hw_answer a = { .rc = rc };
	hw_cb cb = f.way[n].cb;
	void *arg = f.way[n].arg;
	uint8_t buf[1024];
	struct wr w;

	assert_true(n < f.under_way);
	memmove(
	    &f.way[n], &f.way[n + 1], (--f.under_way - n) * sizeof(f.way[0]));
	(void)snprintf(a.text, sizeof(a.text), "%s", text);
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, hw_quoted, &hq);
	a.body = buf;
	a.body_len = w.len;
	cb(arg, &a);
}

static void
host_says(int rc, const char *text)
{
	assert_int_equal(f.under_way, 1);
	host_says_of(0, rc, text);
}

/* A group with a separate AK. */
static void
have_group(struct tenant *g, uint32_t number, uint64_t sequence)
{
	memset(g, 0, sizeof(*g));
	g->r.number = number;
	g->r.ak_len = 3;
	g->conf.sequence = sequence;
	g->conf.bank = ALG_SHA384;
	g->conf.pcrs = 0x11;
	if (f.m.tenants == NULL)
		TAILQ_INIT(&f.groups.list);
	TAILQ_INSERT_HEAD(&f.groups.list, g, link);
	f.m.tenants = &f.groups;
}

/* It leads to what the host's TPM was asked to sign. */
static void
check_proof(const struct told *t, const struct hw_quote *hq)
{
	uint8_t leaf[SHA256_LEN], root[SHA256_LEN], extra[32];

	assert_int_equal(t->rc, VT_OK);
	assert_int_equal(deep_leaf_hash(&t->a.leaf, leaf), VT_OK);
	assert_int_equal(
	    deep_path_root(leaf, t->a.index, t->a.count,
		(const uint8_t(*)[SHA256_LEN])t->a.path, t->a.path_len, root),
	    VT_OK);
	assert_int_equal(
	    deep_qualify(root, t->a.policy_sequence, extra), VT_OK);
	assert_memory_equal(extra, hq->extra, sizeof(extra));
	/* each guest hears of itself */
	assert_int_equal(t->a.leaf.uuid[0], t->serial - 1000 + 1);
	assert_int_equal(t->a.leaf.ak_name[0], t->a.leaf.uuid[0]);
	assert_int_equal(t->a.leaf.quote[0], t->a.leaf.uuid[0]);
	assert_int_equal(t->a.leaf.quote[31], (uint8_t)t->ticket);
	assert_int_equal(t->a.leaf.generation, 3);
	assert_int_equal(t->a.leaf.version, 100 + t->serial - 1000);
}

static void
turn_for(unsigned int ms)
{
	uint64_t end = now_us() + ms * 1000;

	while (now_us() < end)
		(void)sd_event_run(f.m.ev, 5000);
}

/* --- tests ---------------------------------------------------------------- */

static void
the_first_waits_for_nobody_the_others_share_a_quote(void **state)
{
	struct deep_quote_counters c;
	struct hw_quote hq;
	size_t i;

	(void)state;
	ask(0, 1);
	assert_int_equal(f.quotes, 1);
	for (i = 1; i < GUESTS; i++)
		ask(i, 7 + i);
	assert_int_equal(f.quotes, 1);
	deep_quote_counters(&f.m, &c);
	assert_int_equal(c.waiting, GUESTS);
	hq = f.hq;
	assert_int_equal(hq.bank, ALG_SHA256);
	assert_int_equal(hq.pcrs, 0xff);
	host_says(VT_OK, "");
	assert_int_equal(f.ntold, 1);
	check_proof(&f.told[0], &hq);
	assert_int_equal(f.quotes, 2);
	hq = f.hq;
	host_says(VT_OK, "");
	assert_int_equal(f.ntold, GUESTS);
	assert_int_equal(f.quotes, 2);
	for (i = 1; i < GUESTS; i++) {
		assert_int_equal(f.told[i].a.count, GUESTS - 1);
		check_proof(&f.told[i], &hq);
	}
	deep_quote_counters(&f.m, &c);
	assert_int_equal(c.asked, GUESTS);
	assert_int_equal(c.answered, GUESTS);
	assert_int_equal(c.failed, 0);
	assert_int_equal(c.host_quotes, 2);
	assert_int_equal(c.batch_max, GUESTS - 1);
	assert_int_equal(c.waiting, 0);
	assert_int_equal(f.lookups, GUESTS);
	ask(0, 2);
	assert_int_equal(f.lookups, GUESTS); /* Names stay */
	host_says(VT_OK, "");
}

static void
a_batch_has_a_limit(void **state)
{
	size_t i;

	(void)state;
	f.m.cfg.deep_batch_max = 1;
	for (i = 0; i < 5; i++)
		ask(i, i);
	for (i = 0; i < 5; i++) {
		assert_int_equal(f.quotes, i + 1);
		host_says(VT_OK, "");
		assert_int_equal(f.told[i].a.count, 1);
		assert_int_equal(f.told[i].ticket, i);
	}
	assert_int_equal(f.under_way, 0);
}

/* Group 0 floods, and its quote takes long: the others do not wait. */
static void
tenants_do_not_wait_for_each_other(void **state)
{
	struct tenant five;
	size_t i;

	(void)state;
	have_group(&five, 5, 12);
	f.m.cfg.deep_batch_max = 4;
	f.g[20].in.group = f.g[21].in.group = 5;
	f.g[22].in.group = 6;
	for (i = 0; i < 13; i++)
		ask(i, i);
	assert_int_equal(f.under_way, 1);
	ask(22, 1); /* that one has no AK here, and hears so */
	assert_int_equal(f.ntold, 1);
	assert_int_equal(f.told[0].rc, VT_E_NOTFOUND);
	assert_non_null(strstr(f.told[0].text, "group 6"));
	ask(20, 1);
	assert_int_equal(f.under_way, 2);
	assert_int_equal(f.hq.group, 5);
	assert_int_equal(f.hq.ak.len, 3);
	assert_int_equal(f.hq.bank, ALG_SHA384);
	assert_int_equal(f.hq.pcrs, 0x11);
	ask(21, 1); /* the next batch */
	assert_int_equal(f.under_way, 2);
	host_says_of(1, VT_OK, "");
	assert_int_equal(f.ntold, 2);
	assert_int_equal(f.told[1].serial, 1020);
	assert_int_equal(f.told[1].a.policy_sequence, 12);
	assert_int_equal(f.under_way, 2);
	host_says_of(1, VT_OK, "");
	assert_int_equal(f.told[2].serial, 1021);
	for (i = 0; i < 4; i++) /* one, and three of four */
		host_says(VT_OK, "");
	assert_int_equal(f.ntold, 16);
	assert_int_equal(f.under_way, 0);
}

#define QUOTE_US 100000

static void
take_clock(void)
{
	f.clock = true;
	f.now = 5000000;
}

/* The timer that keeps a quote back goes off. */
static void
moment_later(void)
{
	assert_non_null(f.timer);
	assert_in_range(f.timer_ms, 1, QUOTE_US / 1000 / 2);
	f.now += f.timer_ms * 1000;
	(void)f.timer(NULL, 0, f.timer_arg);
}

/* Two halves that wait for each other's quote become one. */
static void
guests_that_come_again_share_the_next_quote(void **state)
{
	size_t i;

	(void)state;
	take_clock();
	ask(0, 1);
	host_says(VT_OK, "");
	for (i = 0; i < 11; i++)
		ask(i, 2); /* 0 alone, the others together */
	f.now += QUOTE_US;
	host_says(VT_OK, "");
	f.now += QUOTE_US;
	for (i = 11; i < 31; i++)
		ask(i, 1); /* during the quote for ten */
	host_says(VT_OK, "");
	assert_int_equal(f.under_way, 0); /* it is not made for these alone */
	for (i = 1; i < 10; i++)
		ask(i, 3);
	assert_int_equal(f.under_way, 0);
	ask(10, 3); /* all are there */
	assert_int_equal(f.under_way, 1);
	f.now += QUOTE_US;
	host_says(VT_OK, "");
	assert_int_equal(f.told[f.ntold - 1].a.count, 30);
	f.timer = NULL;
	ask(5, 4); /* the others do not come: a moment later it begins */
	assert_int_equal(f.under_way, 0);
	moment_later();
	assert_int_equal(f.under_way, 1);
	host_says(VT_OK, "");
	assert_int_equal(f.told[f.ntold - 1].a.count, 1);
}

/* One that is alone, and many for the sake of a few, never wait. */
static void
few_are_not_waited_for(void **state)
{
	size_t i;

	(void)state;
	take_clock();
	ask(0, 1);
	f.now += QUOTE_US;
	host_says(VT_OK, "");
	ask(0, 2);
	assert_int_equal(f.under_way, 1);
	for (i = 1; i < 5; i++) /* four wait when one is answered */
		ask(i, 1);
	f.now += QUOTE_US;
	host_says(VT_OK, "");
	assert_int_equal(f.under_way, 1);
	host_says(VT_OK, "");
	assert_int_equal(f.told[f.ntold - 1].a.count, 4);
}

/* Many never come within a moment. */
static void
many_are_not_waited_for(void **state)
{
	size_t i;

	(void)state;
	take_clock();
	ask(0, 0);
	for (i = 0; i < 3 * GUESTS; i++)
		ask(i % GUESTS, i + 1);
	f.now += QUOTE_US;
	host_says(VT_OK, "");
	f.now += QUOTE_US;
	for (i = 0; i < GUESTS; i++)
		ask(i, 3 * GUESTS + i + 1);
	host_says(VT_OK, "");
	assert_int_equal(f.under_way, 1);
	host_says(VT_OK, "");
	assert_int_equal(f.told[f.ntold - 1].a.count, GUESTS);
}

/* Nor is a full batch kept back. */
static void
full_batch_begins_at_once(void **state)
{
	size_t i;

	(void)state;
	take_clock();
	f.m.cfg.deep_batch_max = 6;
	for (i = 0; i < 7; i++)
		ask(i, 1);
	host_says(VT_OK, "");
	f.now += QUOTE_US;
	for (i = 7; i < 13; i++) /* six wait, six are answered */
		ask(i, 1);
	host_says(VT_OK, "");
	assert_int_equal(f.under_way, 1);
	host_says(VT_OK, "");
	assert_int_equal(f.told[f.ntold - 1].a.count, 6);
}

/* Where they do not come again the TPM hardly ever rests for them. */
static void
waiting_in_vain_is_not_done_each_time(void **state)
{
	unsigned int round, waited[2] = { 0, 0 };
	size_t i;

	(void)state;
	take_clock();
	for (round = 0; round < 32; round++) {
		for (i = 0; i < 10; i++)
			ask(i, round);
		assert_int_equal(f.under_way, 1);
		host_says(VT_OK, ""); /* one, or more while some gathered */
		f.now += QUOTE_US;
		host_says(VT_OK, "");
		assert_int_equal(f.ntold, round * 11 + 10);
		f.timer = NULL;
		ask(11, round); /* the only one that comes */
		if (f.under_way == 0) {
			waited[round / 16]++;
			moment_later();
		}
		assert_int_equal(f.under_way, 1);
		host_says(VT_OK, "");
	}
	assert_int_equal(waited[0], 4);
	assert_int_equal(waited[1], 1);
}

static void
one_guest_has_few_at_a_time(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < DEEP_QUOTE_EACH; i++)
		ask(0, i);
	assert_int_equal(f.ntold, 0);
	ask(0, 99);
	assert_int_equal(f.ntold, 1);
	assert_int_equal(f.told[0].ticket, 99);
	assert_int_equal(f.told[0].rc, VT_E_BUSY);
	ask(1, 1); /* the next one is not hurt */
	assert_int_equal(f.ntold, 1);
	host_says(VT_OK, "");
	host_says(VT_OK, "");
	assert_int_equal(f.ntold, 1 + DEEP_QUOTE_EACH + 1);
	ask(0, 100);
	host_says(VT_OK, "");
	assert_int_equal(f.told[f.ntold - 1].rc, VT_OK);
}

static void
one_guest_asks_only_so_often(void **state)
{
	unsigned int i, refused = 0;
	size_t before;

	(void)state;
	for (i = 0; i < 2 * DEEP_QUOTE_BURST; i++) {
		before = f.ntold;
		ask(0, i);
		if (f.ntold > before)
			refused++;
		else
			host_says(VT_OK, "");
	}
	assert_in_range(refused, DEEP_QUOTE_BURST / 2, DEEP_QUOTE_BURST);
	ask(1, 1);
	host_says(VT_OK, "");
	assert_int_equal(f.told[f.ntold - 1].rc, VT_OK);
	turn_for(50);
	ask(0, 7);
	host_says(VT_OK, "");
	assert_int_equal(f.told[f.ntold - 1].rc, VT_OK);
}

static void
who_has_gone_is_told_nothing(void **state)
{
	struct deep_quote_counters c;

	(void)state;
	ask(0, 1);
	ask(1, 1);
	ask(2, 1);
	ask(3, 1);
	ask(4, 1);
	new_worker(0, 2000);             /* while it is signed */
	deep_quote_forget(&f.g[1].deep); /* destroyed while it waits */
	deep_quote_worker_gone(f.g[2].deep);
	new_worker(3, 2003); /* and it asks */
	ask(3, 1);
	host_says(VT_OK, "");
	assert_int_equal(f.ntold, 0);
	host_says(VT_OK, "");
	assert_int_equal(f.ntold, 2);
	assert_int_equal(f.told[0].serial, 1004);
	assert_int_equal(f.told[0].a.count, 2);
	assert_int_equal(f.told[1].serial, 2003);
	/* no quote for an empty batch */
	ask(4, 2);
	ask(1, 2);
	deep_quote_forget(&f.g[1].deep);
	host_says(VT_OK, "");
	assert_int_equal(f.quotes, 3);
	assert_int_equal(f.under_way, 0);
	deep_quote_counters(&f.m, &c);
	assert_int_equal(c.waiting, 0);
}

static void
everybody_hears_why_it_failed(void **state)
{
	size_t i;

	(void)state;
	ask(0, 1);
	ask(1, 1);
	ask(2, 1);
	host_says(VT_E_TPM, "the TPM is in failure mode");
	assert_int_equal(f.ntold, 1);
	host_says(VT_E_CLOSED, "");
	assert_int_equal(f.ntold, 3);
	for (i = 0; i < 3; i++)
		assert_non_null(strstr(f.told[i].text, "did not vouch"));
	assert_non_null(strstr(f.told[0].text, "failure mode"));
	assert_int_equal(f.told[0].rc, VT_E_TPM);
	/* not even asked */
	f.refuse = VT_E_NOMEM;
	ask(0, 2);
	assert_int_equal(f.told[3].rc, VT_E_NOMEM);
	f.refuse = VT_OK;
	f.m.hw = NULL;
	ask(0, 3);
	assert_int_equal(f.told[4].rc, VT_E_CLOSED);
	/* a TPM 1.2 has no quotes of that kind */
	f.m.hw = (struct hwlink *)&f;
	f.g[5].in.tpm_version = TPM_VER_12;
	ask(5, 3);
	assert_int_equal(f.told[5].rc, VT_E_UNSUPPORTED);
	ask(0, 4);
	host_says(VT_OK, "");
	assert_int_equal(f.told[6].rc, VT_OK);
}

static void
a_host_that_is_silent_is_not_waited_for(void **state)
{
	(void)state;
	f.m.cfg.deep_wait_ms = 100;
	ask(0, 1);
	ask(1, 1);
	turn_for(250);
	assert_int_equal(f.ntold, 2);
	assert_int_equal(f.told[0].rc, VT_E_TIMEOUT);
	assert_int_equal(f.told[1].rc, VT_E_TIMEOUT);
	assert_non_null(strstr(f.told[0].text, "vtpmctl status"));
	assert_int_equal(f.quotes, 1);
	/* it answers late: no request is answered twice, the next one is served
	 */
	ask(2, 1);
	host_says(VT_OK, "");
	assert_int_equal(f.ntold, 2);
	host_says(VT_OK, "");
	assert_int_equal(f.ntold, 3);
	assert_int_equal(f.told[2].rc, VT_OK);
	assert_int_equal(f.told[2].serial, 1002);
	/* the clock starts again for those that come later */
	ask(3, 1);
	turn_for(250);
	assert_int_equal(f.ntold, 4);
	assert_int_equal(f.told[3].rc, VT_E_TIMEOUT);
	host_says(VT_OK, "");
}

static void
the_leaf_says_what_the_registry_knows(void **state)
{
	struct wdeep d = { .flags = UINT32_MAX };
	struct deep_leaf l;

	(void)state;
	deep_quote_leaf(&f.m, &f.g[0].in, &d, &l);
	/* a worker cannot claim what is not its business */
	assert_int_equal(l.flags,
	    DEEP_F_RESTORED | DEEP_F_CAPPED | DEEP_F_LAUNCHED | DEEP_F_UNSEEN);
	d.flags = 0;
	deep_quote_leaf(&f.m, &f.g[0].in, &d, &l);
	assert_int_equal(l.flags, 0);
	f.g[0].in.flags = GUEST_F_RECOVERED;
	deep_quote_leaf(&f.m, &f.g[0].in, &d, &l);
	assert_int_equal(l.flags, DEEP_F_RECOVERED);
	f.g[0].in.flags = GUEST_F_RESTORED;
	f.m.root_kind = ROOT_SOFT;
	deep_quote_leaf(&f.m, &f.g[0].in, &d, &l);
	assert_int_equal(l.flags, DEEP_F_RESTORED | DEEP_F_SOFT_ROOT);
	f.m.root_kind = 0; /* not known: not hardware */
	deep_quote_leaf(&f.m, &f.g[0].in, &d, &l);
	assert_int_equal(l.flags, DEEP_F_RESTORED | DEEP_F_SOFT_ROOT);
}

static void
pcrs_are_the_hosts_setting_or_the_groups(void **state)
{
	struct tenant five, seven;

	(void)state;
	f.m.deep_pcrs.banks[0].alg = ALG_SHA512;
	f.m.deep_pcrs.banks[0].mask = 0x90;
	have_group(&five, 5, 12);
	have_group(&seven, 7, 0);
	f.g[1].in.group = 7; /* its key has signed nothing yet */
	f.g[2].in.group = 5;
	ask(0, 1);
	assert_int_equal(f.hq.bank, ALG_SHA512);
	assert_int_equal(f.hq.pcrs, 0x90);
	ask(1, 1);
	assert_int_equal(f.hq.bank, ALG_SHA512);
	assert_int_equal(f.hq.pcrs, 0x90);
	ask(2, 1);
	assert_int_equal(f.hq.bank, ALG_SHA384);
	assert_int_equal(f.hq.pcrs, 0x11);
}

static void
it_ends_with_somebody_waiting(void **state)
{
	struct tenant seven;

	(void)state;
	ask(0, 1);
	ask(1, 1);
	have_group(&seven, 7, 0);
	f.g[2].in.group = 7;
	ask(2, 1);
	assert_int_equal(f.under_way, 2);
	deep_quote_free(&f.m);
	assert_null(f.m.deepq);
	assert_null(f.way[0].cb); /* no callback is left */
	assert_null(f.way[1].cb);
	ask(3, 1);
	assert_int_equal(f.ntold, 0);
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_first_waits_for_nobody_the_others_share_a_quote),
		T(a_batch_has_a_limit),
		T(tenants_do_not_wait_for_each_other),
		T(guests_that_come_again_share_the_next_quote),
		T(few_are_not_waited_for),
		T(many_are_not_waited_for),
		T(full_batch_begins_at_once),
		T(waiting_in_vain_is_not_done_each_time),
		T(one_guest_has_few_at_a_time),
		T(one_guest_asks_only_so_often),
		T(who_has_gone_is_told_nothing),
		T(everybody_hears_why_it_failed),
		T(a_host_that_is_silent_is_not_waited_for),
		T(the_leaf_says_what_the_registry_knows),
		T(pcrs_are_the_hosts_setting_or_the_groups),
		T(it_ends_with_somebody_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
