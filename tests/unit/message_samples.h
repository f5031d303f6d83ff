/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * message_samples.h - one of each message, no two fields alike, so that two
 * fields in each other's place show in its encoding.
 */
#ifndef TESTS_MESSAGE_SAMPLES_H
#define TESTS_MESSAGE_SAMPLES_H

#include "tests/messages.h"

/* clang-format off */
static const uint8_t sample_bytes[] = {
	0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb,
	0xbc, 0xbd, 0xbe, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
	0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3,
	0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf,
	0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb,
	0xec, 0xed, 0xee, 0xef, 0xf0
};
#define SAMPLE_BLOB(n) { sample_bytes, n }
#define SAMPLE_UUID { 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, \
	    0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f }
#define SAMPLE_32(x) { x, x + 1, x + 2, x + 3, [31] = x + 31 }

static const struct zspawn zspawn_sample = { .uuid = SAMPLE_UUID,
	.uid = 5, .gid = UINT32_MAX, .log_level = 7, .flags = ZS_XEN };
static const struct zspawned zspawned_sample = { .pid = 77, .text = "why" };
static const struct zexited zexited_sample = { .pid = 77, .status = 9 };
static const struct wprovision wprovision_sample = {
	.tpm_version = TPM_VER_20, .banks = BANK_SHA256 | BANK_SHA384, .srk = WSRK_ECC };
static const struct wprovisioned wprovisioned_sample = { .rc = VT_E_TPM,
	.text = "because", .ek_rsa = SAMPLE_BLOB(3), .ek_ecc = SAMPLE_BLOB(2),
	.ak = SAMPLE_BLOB(1) };
static const struct wcerts wcerts_sample = { .uuid = SAMPLE_UUID,
	.name = "guest", .group = 9, .generation = 0x0102030405060708u,
	.key = SAMPLE_32(0x40), .n = 2, .certs = {
		{ WCERT_EK_RSA, SAMPLE_BLOB(4) }, { WCERT_AK, SAMPLE_BLOB(1) },
	}, .issuer = SAMPLE_BLOB(3) };
static const struct wload wload_sample = { .uuid = SAMPLE_UUID,
	.name = "guest", .tpm_version = TPM_VER_12, .flags = WLOAD_CRASHED,
	.group = 0x80000001u, .generation = 3, .version = UINT64_MAX - 1,
	.key = SAMPLE_32(0x40), .permanent = SAMPLE_BLOB(5),
	.volatile_ = SAMPLE_BLOB(3), .launch = SAMPLE_BLOB(2) };
static const struct wopen wopen_sample = { CHAN_SWTPM, 0x1f, 1000 };
static const struct wkeep wkeep_sample = { CHAN_LOCAL, 2 };
static const struct wxen wxen_sample = { .connect = 1, .localities = 5,
	.domid = 7, .gref = 42, .port = 11, .resumed = 0 };
static const struct wpage wpage_sample = { .domid = 7, .gref = 42, .port = 11,
	.local = 33 };
static const struct wlaunch wlaunch_sample = { .mode = LAUNCH_DIRECT,
	.record = SAMPLE_BLOB(4), .log = SAMPLE_BLOB(6) };
static const struct wquery wquery_sample = { WQ_PCRS };
static const struct wanswer wanswer_sample = { .rc = VT_E_NOTFOUND,
	.data = SAMPLE_BLOB(6) };
#define SAMPLE_NO_TIMES { 0, HIST_BOUNDS + 1, { 0 } }
#define SAMPLE_NO_TIMES { 0, HIST_BOUNDS + 1, { 0 } }
static const struct wstats wstats_sample = { 1, 2, 3, 4, 5, 6, 7, 8, WCLASSES, {
	{ 10, HIST_BOUNDS + 1, { 11, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 0, 13 } },
	SAMPLE_NO_TIMES, SAMPLE_NO_TIMES, SAMPLE_NO_TIMES, SAMPLE_NO_TIMES,
	SAMPLE_NO_TIMES, SAMPLE_NO_TIMES,
	{ 20, HIST_BOUNDS + 1, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 0, 21 } } } };
static const struct wstored wstored_sample = { VT_E_SPACE, 8, 2 };
static const struct wmanager wmanager_sample = { 1, 0, 1, "build 7" };
static const struct wdone wdone_sample = { VT_E_AUTH, "no" };
static const struct whello whello_sample = { .uuid = SAMPLE_UUID, .pid = 4,
	.flags = WH_LOADED | WH_CAPPED, .generation = 5, .version = 6,
	.power_cycles = 7 };
static const struct wstore wstore_sample = { .kind = SEAL_SNAP_VOLATILE,
	.flags = WS_RESTORE, .generation = 1, .version = 2,
	.digest = SAMPLE_32(0x60), .blob = SAMPLE_BLOB(7) };
static const struct wevent wevent_sample = { WE_CAPPED, "text" };
static const struct wdeep wdeep_sample = { .ticket = 7, .flags = 5,
	.quote = SAMPLE_32(0x20), .channel_key = SAMPLE_32(0x40),
	.launch = SAMPLE_32(0x60), .journal = SAMPLE_32(0x80),
	.nonce = SAMPLE_BLOB(9) };
static const struct wdeeped wdeeped_sample = { 7, VT_E_BUSY, "text",
	SAMPLE_BLOB(8) };
static const struct wakcert wakcert_sample = { SAMPLE_BLOB(9), WCERT_EK_ECC };
static const struct wbanks wbanks_sample = { BANK_SHA256 | BANK_SHA512 };
static const struct wfacts wfacts_sample = { BANK_SHA1 | BANK_SHA384,
	SAMPLE_BLOB(9) };

static const struct hw_init hw_init_sample = { .root = ROOT_HARD,
	.host = "node-7", .approval_key = SAMPLE_BLOB(65),
	.master = SAMPLE_BLOB(32) };
static const struct hw_inited hw_inited_sample = {
	.host_blob = SAMPLE_BLOB(7), .master = SAMPLE_32(0x40),
	.ca_cert = SAMPLE_BLOB(2) };
static const struct hw_load hw_load_sample = { .root = ROOT_SOFT,
	.host_blob = SAMPLE_BLOB(5), .n = 2,
	.approvals = { SAMPLE_BLOB(3), SAMPLE_BLOB(4) } };
static const struct hw_loaded hw_loaded_sample = {
	.master = SAMPLE_32(0x40), .ca_cert = SAMPLE_BLOB(6) };
static const struct hw_approvals hw_approvals_sample = { .n = 2,
	.approvals = { SAMPLE_BLOB(1), SAMPLE_BLOB(6) } };
static const struct hw_certs hw_certs_sample = { .uuid = SAMPLE_UUID,
	.name = "guest", .group = 0x80000001u,
	.generation = 0x1122334455667788u, .tpm_version = TPM_VER_20,
	.ak_seconds = 3600, .n = 2, .keys = {
		{ WCERT_EK_RSA, SAMPLE_BLOB(3) }, { WCERT_AK, { NULL, 0 } },
	} };
static const struct hw_certed hw_certed_sample = { .n = 3,
	.certs = { SAMPLE_BLOB(1), SAMPLE_BLOB(7), SAMPLE_BLOB(2) },
	.issuer = SAMPLE_BLOB(5) };
static const struct hw_status hw_status_sample = { .root = ROOT_SOFT, .up = 1,
	.manufacturer = "IFX SLB 9672", .firmware = "15.22.16832.0",
	.tcti = "device:/dev/tpmrm0", .commands = 1, .retries = UINT64_MAX,
	.failures = 3 };
static const struct hw_pcrs hw_pcrs_sample = { SAMPLE_BLOB(7), 9 };
static const struct hw_counter hw_counter_sample = { HWC_ANCHOR, 1, 77 };
static const struct hw_bind hw_bind_sample = { SAMPLE_BLOB(65) };
static const struct hw_bound hw_bound_sample = { SAMPLE_BLOB(4) };
static const struct hw_identity hw_identity_sample = { SAMPLE_BLOB(1),
	SAMPLE_BLOB(7), SAMPLE_BLOB(2), SAMPLE_BLOB(3), SAMPLE_BLOB(4),
	SAMPLE_BLOB(5), SAMPLE_BLOB(6) };
static const struct hw_activate hw_activate_sample = { SAMPLE_BLOB(6),
	SAMPLE_BLOB(7) };
static const struct hw_ak hw_ak_sample = { 5 };
static const struct hw_aked hw_aked_sample = { SAMPLE_BLOB(3), SAMPLE_BLOB(4),
	SAMPLE_BLOB(5) };
static const struct hw_quote hw_quote_sample = { .group = 4,
	.ak = SAMPLE_BLOB(2), .bank = 0x000b, .pcrs = 0xff,
	.extra = SAMPLE_32(0x20) };
static const struct hw_quoted hw_quoted_sample = { SAMPLE_BLOB(1),
	SAMPLE_BLOB(2), SAMPLE_BLOB(3), 200000 };
static const struct hw_quota hw_quota_sample = { .n = 2,
	.groups = { { 0, 0 }, { 9, 60000 } } };
static const struct hw_usage hw_usage_sample = { .n = 2,
	.groups = { { 9, 5, 1, 2, 3, 4, 6 }, { 10, 60000, 7, 8, 9, 10, 11 } } };
static const struct hw_answer hw_answer_sample = { .rc = VT_E_TPM,
	.text = "why", .body = sample_bytes, .body_len = 7 };

static const struct xb_dev xb_dev_sample = { .domid = 7, .devid = 1,
	.uuid = SAMPLE_UUID, .gref = 42, .port = 9, .resumed = 1 };
static const struct xb_answer xb_answer_sample = { .rc = VT_E_BUSY, .wait = 1,
	.text = "in use" };
static const struct xb_opened xb_opened_sample = { .rc = VT_E_SYS, .local = 33,
	.text = "no port" };
/* clang-format on */

#endif
