/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * launch_record.h - the launch record and the event log that the host makes of
 * it.
 *
 * Layer:  measure; may include base only.  No I/O, no logging.
 * Bytes:  big-endian, see launch_record.c and doc/FORMATS.md; magic "VTLR".
 * Trust:  the host's tools write it; H(record) is what PCR 17 was extended
 *         with by the D-RTM sequence, so a verifier believes a record only
 *         after PCR 17 of a signed quote equals launch_pcr17() of it.
 * Limits: LAUNCH_MAX_*.
 */
#ifndef MEASURE_LOG_LAUNCH_RECORD_H
#define MEASURE_LOG_LAUNCH_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/util.h"
#include "measure/log/eventlog.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"

#define LAUNCH_MAX_LEN 65536 /* bytes encoded */
#define LAUNCH_MAX_ITEMS 64
#define LAUNCH_MAX_NAME 63   /* guest name, bytes */
#define LAUNCH_MAX_TEXT 4096 /* one item's text, the policy, the build */

/* EV_EVENT_TAG id of the PCR 17 event; its data is the record itself. */
#define LAUNCH_EVENT_TAG EL_TAG_LAUNCH

/* As enum wlaunch_mode of vtpm/proto/worker_msg.h. */
enum launch_mode { LAUNCH_M_FIRMWARE = 1, LAUNCH_M_DIRECT = 2 };

enum launch_role {
	LR_KERNEL = 1,
	LR_INITRD,
	LR_CMDLINE, /* text is the command line, digests are over it */
	LR_FIRMWARE,
	LR_VARS,   /* the firmware's variable store */
	LR_CONFIG, /* a configuration file */
	LR_DISK,
	LR_DEVICE_TREE,
	LR_HYPERVISOR, /* the program that runs the guest */
	LR_OTHER,
	LR_ROM, /* code that runs in the guest beside the firmware */
	LR_NROLES
};

struct launch_item {
	uint8_t role;  /* enum launch_role */
	char *text;    /* path, name or command line; owned, never NULL */
	uint64_t size; /* bytes of what was measured */
	uint32_t ndigests;
	struct tpm_digest digests[PCR_MAX_BANKS]; /* none: not measured */
};

struct launch_record {
	uint8_t uuid[UUID_LEN];
	char name[LAUNCH_MAX_NAME + 1];
	uint32_t group;
	uint8_t mode;              /* enum launch_mode */
	uint8_t config_digest[32]; /* SHA-256 of the VM's configuration */
	uint8_t host_boot_id[UUID_LEN];
	uint64_t time_ms; /* since 1970 */
	char *build;      /* manager and hypervisor as text; owned or NULL */
	char *policy;     /* owned or NULL */
	uint32_t nitems;
	struct launch_item items[LAUNCH_MAX_ITEMS];
};

/* An empty record.  VT_E_NOMEM. */
int launch_new(struct launch_record **ret) VT_CHECK;
void launch_free(struct launch_record *rec); /* NULL is a no-op */

/* Copy text into rec->build or rec->policy.  VT_E_RANGE, VT_E_NOMEM. */
int launch_set_build(struct launch_record *rec, const char *text) VT_CHECK;
int launch_set_policy(struct launch_record *rec, const char *text) VT_CHECK;
/*
 * Append an item whose digests are H(data) for each of algs.  text is
 * copied.  For LR_CMDLINE data may be NULL: text itself is measured.
 * VT_E_RANGE (too many, too long), VT_E_UNSUPPORTED, VT_E_NOMEM.
 */
int launch_measure(struct launch_record *rec, enum launch_role role,
    const char *text, const void *data, size_t len, const uint16_t *algs,
    uint32_t n) VT_CHECK;
/* The same with digests made elsewhere (a file read piece by piece). */
int launch_add_item(struct launch_record *rec, enum launch_role role,
    const char *text, uint64_t size, const struct tpm_digest *d,
    uint32_t n) VT_CHECK;
/* First item of that role after prev (NULL: from the start), or NULL. */
const struct launch_item *launch_find(const struct launch_record *rec,
    enum launch_role role, const struct launch_item *prev);
const char *launch_role_name(uint8_t role); /* never NULL */
int launch_role_parse(const char *name);    /* 0: unknown */

/* Append the record's bytes to w. */
void launch_encode(const struct launch_record *rec, struct wr *w);
/* *ret is owned by the caller.  VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE,
 * VT_E_NOMEM. */
int launch_decode(
    const uint8_t *buf, size_t len, struct launch_record **ret) VT_CHECK;

/*
 * The host-made event log over encoded record rec[len], banks algs[n].
 * Firmware mode: one event, PCR 17.  Direct mode: PCR 17, then 0 (build,
 * firmware), 1 (configuration), 2 (ROMs), 4 (kernel), separators in 0-7, 8
 * (command line), 9 (initrd). The PCR 17 event is what the D-RTM sequence over
 * the same bytes extends; a worker that replays the log skips events of PCR 17.
 * *ret: heap, free().  VT_E_NOTFOUND: an item has no digest for a bank.
 */
int launch_make_log(const uint8_t *rec, size_t len, const uint16_t *algs,
    uint32_t n, uint8_t **ret, size_t *ret_len) VT_CHECK;

/* PCR 17 after the D-RTM sequence over rec: extend(0, H(rec)). */
int launch_pcr17(uint16_t alg, const uint8_t *rec, size_t len,
    uint8_t out[DIGEST_MAX]) VT_CHECK;

#endif
