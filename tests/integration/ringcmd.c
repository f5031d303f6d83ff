/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ringcmd.c - raw TPM commands over a local ring, from the shell.
 *
 * ringcmd [options] PATH [HEX...]
 *	--locality N	put N into the page
 *	--repeat N	every HEX N times; the last answer is printed
 *	--hold		keep the ring open until standard input ends; prints
 *			"open" once it is
 *	--raw L,S,X	write length L, state S, nr_extra_pages X by hand
 *	--timeout MS	per command (default 60000)
 *	--cancel MS	cancel a command after that long
 *	--leave		submit the last HEX and exit at once
 *	--sample S,MS	send the first HEX every MS for S seconds, print one
 *line "n=.. bad=.. p50=.. p99=.. max=.." (us) HEX "-" reads words of hex from
 *standard input, one command per line. Prints each answer in hex.  Exit: 0; 1 a
 *command had no answer; 2 the ring could not be opened; 3 it is busy.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "tests/unit/ringpeek.h"

#define SAMPLES_MAX 200000

struct opts {
	uint8_t locality;
	unsigned long repeat;
	bool hold, leave, raw;
	unsigned long raw_length, raw_state, raw_extra;
	int timeout_ms, cancel_ms;
	unsigned int sample_s, sample_ms;
};

static int
submit(struct ring *r, const struct opts *o, const uint8_t *cmd, size_t len)
{
	struct tpmif_page *page = &ring_view(r)->page;

	if (!o->raw)
		return ring_submit(r, o->locality, cmd, len);
	memcpy(page->data, cmd, len < TPMIF_MAX_CMD ? len : TPMIF_MAX_CMD);
	page->length = (uint32_t)o->raw_length;
	page->locality = o->locality;
	page->nr_extra_pages = (uint8_t)o->raw_extra;
	__atomic_store_n(&page->state, (uint8_t)o->raw_state, __ATOMIC_SEQ_CST);
	ring_notify(r);
	return VT_OK;
}

/* After a raw write ring_wait() would not know that something is under way. */
static int
wait_raw(struct ring *r, int timeout_ms, const uint8_t **ret, size_t *ret_len)
{
	struct tpmif_page *page = &ring_view(r)->page;
	uint64_t end = now_us() + (uint64_t)timeout_ms * 1000;
	static uint8_t copy[TPMIF_MAX_CMD];
	uint8_t s;

	do {
		s = __atomic_load_n(&page->state, __ATOMIC_ACQUIRE);
		if (s == TPMIF_IDLE || s == TPMIF_FINISH) {
			*ret_len = s == TPMIF_FINISH ? page->length : 0;
			if (*ret_len > sizeof(copy))
				return VT_E_PROTO;
			memcpy(copy, page->data, *ret_len);
			*ret = copy;
			return VT_OK;
		}
		usleep(100);
	} while (now_us() < end);
	return VT_E_TIMEOUT;
}

static int
one_command(struct ring *r, const struct opts *o, const uint8_t *cmd,
    size_t len, const uint8_t **ret, size_t *ret_len)
{
	int rc;

	if ((rc = submit(r, o, cmd, len)) != VT_OK || o->leave)
		return rc;
	if (o->raw)
		return wait_raw(r, o->timeout_ms, ret, ret_len);
	if (o->cancel_ms >= 0) {
		rc = ring_wait(r, o->cancel_ms, ret, ret_len);
		if (rc != VT_E_AGAIN)
			return rc;
		ring_cancel(r);
	}
	rc = ring_wait(r, o->timeout_ms, ret, ret_len);
	return rc == VT_E_AGAIN ? VT_E_TIMEOUT : rc;
}

static int
run_hex(struct ring *r, const struct opts *o, const char *hex)
{
	static char text[2 * TPMIF_MAX_CMD + 1];
	uint8_t cmd[TPMIF_MAX_CMD];
	const uint8_t *resp = NULL;
	size_t len, n = 0;
	unsigned long i;
	int rc = hex_decode(hex, cmd, sizeof(cmd), &len);

	for (i = 0; i < o->repeat && rc == VT_OK; i++)
		rc = one_command(r, o, cmd, len, &resp, &n);
	if (rc != VT_OK) {
		(void)fprintf(
		    stderr, "ringcmd: command %lu: %s\n", i, vt_strerror(rc));
		return 1;
	}
	if (resp == NULL)
		return 0;
	hex_encode(resp, n, text);
	(void)printf("%s\n", text);
	(void)fflush(stdout);
	return 0;
}

static int
by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
sample(struct ring *r, const struct opts *o, const char *hex)
{
	static uint32_t took[SAMPLES_MAX];
	uint64_t end = now_us() + (uint64_t)o->sample_s * 1000000, t;
	const uint8_t *resp;
	uint8_t cmd[TPMIF_MAX_CMD];
	size_t len, rlen, n = 0, bad = 0;

	if (hex_decode(hex, cmd, sizeof(cmd), &len) != VT_OK)
		return 1;
	while (n < SAMPLES_MAX && (t = now_us()) < end) {
		if (one_command(r, o, cmd, len, &resp, &rlen) != VT_OK ||
		    rlen < 10 || be32_get(resp + 6) != 0)
			bad++;
		took[n++] = (uint32_t)(now_us() - t);
		usleep(o->sample_ms * 1000);
	}
	if (n == 0)
		return 1;
	qsort(took, n, sizeof(took[0]), by_value);
	(void)printf("n=%zu bad=%zu p50=%u p99=%u max=%u\n", n, bad,
	    took[n / 2], took[n * 99 / 100], took[n - 1]);
	return bad > 0;
}

static int
run_stdin(struct ring *r, const struct opts *o)
{
	static char line[2 * TPMIF_MAX_CMD + 8];
	int bad = 0;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] != '\0')
			bad |= run_hex(r, o, line);
	}
	return bad;
}

static void
usage(void)
{
	(void)fprintf(stderr, "usage: ringcmd [--locality N] [--repeat N] "
			      "[--hold] [--raw L,S,X] [--timeout MS] "
			      "[--cancel MS] [--leave] [--sample S,MS] "
			      "PATH [HEX...]\n");
	exit(2);
}

static void
parse(int argc, char **argv, struct opts *o)
{
	static const struct option longs[] = {
		{ "locality", required_argument, NULL, 'l' },
		{ "repeat", required_argument, NULL, 'n' },
		{ "hold", no_argument, NULL, 'h' },
		{ "raw", required_argument, NULL, 'r' },
		{ "timeout", required_argument, NULL, 't' },
		{ "cancel", required_argument, NULL, 'c' },
		{ "leave", no_argument, NULL, 'L' },
		{ "sample", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'l')
			o->locality = (uint8_t)strtoul(optarg, NULL, 0);
		else if (c == 'n')
			o->repeat = strtoul(optarg, NULL, 0);
		else if (c == 'h')
			o->hold = true;
		else if (c == 'r')
			o->raw = sscanf(optarg, "%lu,%lu,%lu", &o->raw_length,
				     &o->raw_state, &o->raw_extra) == 3;
		else if (c == 't')
			o->timeout_ms = atoi(optarg);
		else if (c == 'c')
			o->cancel_ms = atoi(optarg);
		else if (c == 'L')
			o->leave = true;
		else if (c != 's' || sscanf(optarg, "%u,%u", &o->sample_s,
					 &o->sample_ms) != 2)
			usage();
	}
	if (optind >= argc)
		usage();
}

static void
hold(void)
{
	char buf[64];

	(void)printf("open\n");
	(void)fflush(stdout);
	while (read(0, buf, sizeof(buf)) > 0)
		;
}

int
main(int argc, char **argv)
{
	struct opts o = { .repeat = 1, .timeout_ms = 60000, .cancel_ms = -1 };
	char holder[RING_TEXT_MAX] = "";
	struct ring *r;
	int i, rc, bad = 0;

	parse(argc, argv, &o);
	rc = ring_local_connect(argv[optind], o.timeout_ms, &r, holder);
	if (rc != VT_OK) {
		(void)fprintf(stderr, "ringcmd: %s: %s%s%s\n", argv[optind],
		    vt_strerror(rc), holder[0] != '\0' ? ": " : "", holder);
		return rc == VT_E_BUSY ? 3 : 2;
	}
	if (o.sample_s > 0 && optind + 1 < argc)
		bad = sample(r, &o, argv[optind + 1]);
	else
		for (i = optind + 1; i < argc; i++)
			bad |= strcmp(argv[i], "-") == 0
				   ? run_stdin(r, &o)
				   : run_hex(r, &o, argv[i]);
	if (o.leave)
		_exit(bad); /* as a program that is killed */
	if (o.hold)
		hold();
	ring_close(r);
	return bad;
}
