/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "measure/log/launch_record.h"
#include "tests/unit/replay.h"
#include "tests/unit/vector.h"

static const uint16_t both[] = { ALG_SHA256, ALG_SHA384 };
static const char cmdline[] = "console=ttyS0 root=/dev/vda1 quiet";

static struct launch_record *
sample(uint8_t mode)
{
	struct launch_record *rec;

	assert_int_equal(launch_new(&rec), VT_OK);
	memset(rec->uuid, 0x11, sizeof(rec->uuid));
	(void)snprintf(rec->name, sizeof(rec->name), "web1");
	rec->group = 7;
	rec->mode = mode;
	memset(rec->config_digest, 0x22, sizeof(rec->config_digest));
	memset(rec->host_boot_id, 0x33, sizeof(rec->host_boot_id));
	rec->time_ms = 1700000000123u;
	assert_int_equal(launch_set_build(rec, "manager 1, qemu 7.2"), VT_OK);
	assert_int_equal(launch_set_policy(rec, "any kernel"), VT_OK);
	assert_int_equal(launch_measure(rec, LR_KERNEL, "/boot/vmlinuz",
			     "kernel bytes", 12, both, 2),
	    VT_OK);
	assert_int_equal(launch_measure(rec, LR_INITRD, "/boot/initrd",
			     "initrd bytes", 12, both, 2),
	    VT_OK);
	assert_int_equal(
	    launch_measure(rec, LR_CMDLINE, cmdline, NULL, 0, both, 2), VT_OK);
	return rec;
}

static struct bytes
encoded(uint8_t mode)
{
	struct launch_record *rec = sample(mode);
	struct bytes b;
	struct wr w;

	wr_grow(&w, LAUNCH_MAX_LEN);
	launch_encode(rec, &w);
	assert_int_equal(wr_err(&w), VT_OK);
	b.p = exact_copy(w.buf, w.len);
	b.len = w.len;
	wr_free(&w);
	launch_free(rec);
	return b;
}

static void
record_survives_its_container(void **state)
{
	struct bytes b = encoded(LAUNCH_M_DIRECT);
	struct launch_record *rec;
	const struct launch_item *it;
	uint8_t want[DIGEST_MAX];
	struct wr w;

	(void)state;
	assert_int_equal(launch_decode(b.p, b.len, &rec), VT_OK);
	assert_string_equal(rec->name, "web1");
	assert_int_equal(rec->group, 7);
	assert_int_equal(rec->mode, LAUNCH_M_DIRECT);
	assert_int_equal(rec->time_ms, 1700000000123u);
	assert_string_equal(rec->build, "manager 1, qemu 7.2");
	assert_string_equal(rec->policy, "any kernel");
	assert_int_equal(rec->nitems, 3);
	it = launch_find(rec, LR_KERNEL, NULL);
	assert_non_null(it);
	assert_string_equal(it->text, "/boot/vmlinuz");
	assert_int_equal(it->size, 12);
	assert_int_equal(it->ndigests, 2);
	assert_int_equal(
	    digest_buf(ALG_SHA384, "kernel bytes", 12, want), VT_OK);
	assert_memory_equal(it->digests[1].val, want, 48);
	assert_null(launch_find(rec, LR_KERNEL, it));
	assert_null(launch_find(rec, LR_DISK, NULL));
	wr_grow(&w, LAUNCH_MAX_LEN);
	launch_encode(rec, &w);
	assert_int_equal(w.len, b.len);
	assert_memory_equal(w.buf, b.p, b.len);
	wr_free(&w);
	launch_free(rec);
	free(b.p);
}

static void
every_prefix_and_any_extra_byte_is_refused(void **state)
{
	struct bytes b = encoded(LAUNCH_M_FIRMWARE);
	struct launch_record *rec = NULL;
	uint8_t *copy;
	size_t len;

	(void)state;
	for (len = 0; len < b.len; len++) {
		copy = exact_copy(b.p, len);
		assert_int_equal(launch_decode(copy, len, &rec), VT_E_TRUNC);
		free(copy);
	}
	copy = malloc(b.len + 1);
	assert_non_null(copy);
	memcpy(copy, b.p, b.len);
	copy[b.len] = 0;
	assert_int_equal(launch_decode(copy, b.len + 1, &rec), VT_E_FORMAT);
	assert_null(rec);
	free(copy);
	free(b.p);
}

static void
bad_field_is_refused(void **state)
{
	/* name at 22, group 28, mode 32, ..., build text at 89. */
	/* clang-format off */
	static const struct {
		const char	*what;
		size_t		 off;
		uint8_t		 val;
		int		 want;
	} cases[] = {
		{ "magic",		0,	'X',	VT_E_FORMAT },
		{ "version",		5,	2,	VT_E_FORMAT },
		{ "name too long",	23,	64,	VT_E_RANGE },
		{ "NUL in name",	24,	0,	VT_E_FORMAT },
		{ "mode",		32,	3,	VT_E_FORMAT },
		{ "mode 0",		32,	0,	VT_E_FORMAT },
		{ "build too long",	89,	0x20,	VT_E_RANGE },
		{ "NUL in build",	91,	0,	VT_E_FORMAT },
		{ "items",		122,	1,	VT_E_RANGE },
		{ "role 0",		124,	0,	VT_E_FORMAT },
		{ "role unknown",	124,	LR_NROLES, VT_E_FORMAT },
		{ "digests",		148,	5,	VT_E_RANGE },
		{ "unknown hash",	150,	99,	VT_E_FORMAT },
		{ "hash twice",		184,	0x0b,	VT_E_FORMAT },
	};
	/* clang-format on */
	struct bytes b = encoded(LAUNCH_M_DIRECT);
	struct launch_record *rec = NULL;
	uint8_t *copy;
	size_t i;

	(void)state;
	assert_int_equal(b.p[124], LR_KERNEL);
	assert_int_equal(b.p[148], 2);
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		copy = exact_copy(b.p, b.len);
		copy[cases[i].off] = cases[i].val;
		assert_int_equal(
		    launch_decode(copy, b.len, &rec), cases[i].want);
		free(copy);
	}
	assert_null(rec);
	free(b.p);
}

static void
limits_of_the_builder_hold(void **state)
{
	struct launch_record *rec = sample(LAUNCH_M_DIRECT);
	struct tpm_digest bad = { .alg = ALG_SHA256, .len = 20 };
	char *big = malloc(LAUNCH_MAX_TEXT + 2);
	int i;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', LAUNCH_MAX_TEXT + 1);
	big[LAUNCH_MAX_TEXT + 1] = '\0';
	assert_int_equal(launch_set_build(rec, big), VT_E_RANGE);
	assert_string_equal(rec->build, "manager 1, qemu 7.2");
	assert_int_equal(
	    launch_measure(rec, LR_CMDLINE, big, NULL, 0, both, 2), VT_E_RANGE);
	assert_int_equal(
	    launch_add_item(rec, LR_DISK, "d", 1, &bad, 1), VT_E_UNSUPPORTED);
	assert_int_equal(
	    launch_add_item(rec, (enum launch_role)0, "d", 1, NULL, 0),
	    VT_E_RANGE);
	for (i = 3; i < LAUNCH_MAX_ITEMS; i++)
		assert_int_equal(
		    launch_add_item(rec, LR_DISK, "d", 1, NULL, 0), VT_OK);
	assert_int_equal(
	    launch_add_item(rec, LR_DISK, "d", 1, NULL, 0), VT_E_RANGE);
	free(big);
	launch_free(rec);
	launch_free(NULL);
}

struct seen {
	uint32_t pcr, type;
};

static void
check_events(const uint8_t *p, size_t len, const struct seen *want, size_t n)
{
	struct el_event ev;
	struct el_log *log;
	size_t i;

	assert_int_equal(el_open(p, len, &log), VT_OK);
	for (i = 0; i < n; i++) {
		assert_int_equal(el_next(log, &ev), 1);
		assert_int_equal(ev.pcr, want[i].pcr);
		assert_int_equal(ev.type, want[i].type);
		assert_int_equal(ev.ndigests, 2);
	}
	assert_int_equal(el_next(log, &ev), 0);
	el_close(log);
}

static void
firmware_mode_logs_the_drtm_event_alone(void **state)
{
	static const struct seen want[] = { { 17, EV_EVENT_TAG } };
	struct bytes b = encoded(LAUNCH_M_FIRMWARE), log;

	(void)state;
	assert_int_equal(
	    launch_make_log(b.p, b.len, both, 2, &log.p, &log.len), VT_OK);
	check_events(log.p, log.len, want, VT_NELEM(want));
	free(log.p);
	free(b.p);
}

static void
direct_mode_logs_what_a_boot_loader_would(void **state)
{
	static const struct seen want[] = { { 17, EV_EVENT_TAG },
		{ 0, EV_S_CRTM_VERSION }, { 1, EV_PLATFORM_CONFIG_FLAGS },
		{ 4, EV_IPL }, { 0, EV_SEPARATOR }, { 1, EV_SEPARATOR },
		{ 2, EV_SEPARATOR }, { 3, EV_SEPARATOR }, { 4, EV_SEPARATOR },
		{ 5, EV_SEPARATOR }, { 6, EV_SEPARATOR }, { 7, EV_SEPARATOR },
		{ 8, EV_IPL }, { 9, EV_IPL } };
	struct bytes b = encoded(LAUNCH_M_DIRECT), log;

	(void)state;
	assert_int_equal(
	    launch_make_log(b.p, b.len, both, 2, &log.p, &log.len), VT_OK);
	check_events(log.p, log.len, want, VT_NELEM(want));
	free(log.p);
	free(b.p);
}

/* GRUB's rule: H(string), no prefix, no NUL; the log shows the prefix. */
static void
command_line_is_measured_as_grub_does(void **state)
{
	struct bytes b = encoded(LAUNCH_M_DIRECT), log;
	const struct tpm_digest *d;
	uint8_t want[DIGEST_MAX];
	struct el_event ev;
	struct el_log *l;
	bool seen = false;

	(void)state;
	assert_int_equal(
	    launch_make_log(b.p, b.len, both, 2, &log.p, &log.len), VT_OK);
	assert_int_equal(
	    digest_buf(ALG_SHA256, cmdline, strlen(cmdline), want), VT_OK);
	assert_int_equal(el_open(log.p, log.len, &l), VT_OK);
	while (el_next(l, &ev) == 1) {
		if (ev.pcr != 8)
			continue;
		d = el_event_digest(&ev, ALG_SHA256);
		assert_non_null(d);
		assert_memory_equal(d->val, want, 32);
		assert_int_equal(ev.datalen, 16 + sizeof(cmdline));
		assert_memory_equal(ev.data, "kernel_cmdline: ", 16);
		assert_memory_equal(ev.data + 16, cmdline, sizeof(cmdline));
		seen = true;
	}
	assert_true(seen);
	el_close(l);
	free(log.p);
	free(b.p);
}

/* The log replays to the value that the D-RTM sequence leaves in PCR 17. */
static void
pcr17_of_the_log_is_that_of_the_sequence(void **state)
{
	struct bytes b = encoded(LAUNCH_M_FIRMWARE), log;
	uint8_t digest[DIGEST_MAX], want[DIGEST_MAX];
	struct iov_part parts[2];
	struct pcr_set set;

	(void)state;
	assert_int_equal(
	    launch_make_log(b.p, b.len, both, 2, &log.p, &log.len), VT_OK);
	assert_int_equal(pcr_set_init(&set, both, 2), VT_OK);
	assert_int_equal(el_replay(&set, log.p, log.len), VT_OK);
	/* extend(0, H(record)), spelled out */
	memset(want, 0, sizeof(want));
	assert_int_equal(digest_buf(ALG_SHA256, b.p, b.len, digest), VT_OK);
	parts[0].p = want;
	parts[1].p = digest;
	parts[0].len = parts[1].len = 32;
	assert_int_equal(digest_parts(ALG_SHA256, parts, 2, digest), VT_OK);
	assert_memory_equal(pcr_get(&set, ALG_SHA256, 17), digest, 32);
	assert_int_equal(launch_pcr17(ALG_SHA256, b.p, b.len, want), VT_OK);
	assert_memory_equal(want, digest, 32);
	assert_int_equal(launch_pcr17(ALG_SHA384, b.p, b.len, want), VT_OK);
	assert_memory_equal(pcr_get(&set, ALG_SHA384, 17), want, 48);
	/* PCRs 18 to 22 are zero after a D-RTM, not all ones. */
	assert_true(pcr_get(&set, ALG_SHA256, 18)[0] == 0);
	free(log.p);
	free(b.p);
}

static void
a_bank_that_was_not_measured_makes_no_log(void **state)
{
	static const uint16_t three[] = { ALG_SHA256, ALG_SHA384, ALG_SHA512 };
	struct bytes b = encoded(LAUNCH_M_DIRECT), log = { 0 };

	(void)state;
	assert_int_equal(
	    launch_make_log(b.p, b.len, three, 3, &log.p, &log.len),
	    VT_E_NOTFOUND);
	assert_null(log.p);
	free(b.p);
	/* Firmware mode needs no item's digests. */
	b = encoded(LAUNCH_M_FIRMWARE);
	assert_int_equal(
	    launch_make_log(b.p, b.len, three, 3, &log.p, &log.len), VT_OK);
	free(log.p);
	free(b.p);
}

static void
every_role_has_a_name_that_parses(void **state)
{
	int r;

	(void)state;
	for (r = LR_KERNEL; r < LR_NROLES; r++)
		assert_int_equal(
		    launch_role_parse(launch_role_name((uint8_t)r)), r);
	assert_int_equal(launch_role_parse("nonsense"), 0);
	assert_string_equal(launch_role_name(0), "unknown");
	assert_string_equal(launch_role_name(LR_NROLES), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_survives_its_container),
		cmocka_unit_test(every_prefix_and_any_extra_byte_is_refused),
		cmocka_unit_test(bad_field_is_refused),
		cmocka_unit_test(limits_of_the_builder_hold),
		cmocka_unit_test(firmware_mode_logs_the_drtm_event_alone),
		cmocka_unit_test(direct_mode_logs_what_a_boot_loader_would),
		cmocka_unit_test(command_line_is_measured_as_grub_does),
		cmocka_unit_test(pcr17_of_the_log_is_that_of_the_sequence),
		cmocka_unit_test(a_bank_that_was_not_measured_makes_no_log),
		cmocka_unit_test(every_role_has_a_name_that_parses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
