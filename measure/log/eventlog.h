/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * eventlog.h - read and write TCG event logs: crypto-agile and SHA-1.
 *
 * Layer:  measure; may include base only.  No I/O, no logging.
 * Spec:   TCG PC Client Platform Firmware Profile 1.05: TCG_PCR_EVENT,
 *         TCG_PCR_EVENT2, TCG_EfiSpecIdEvent, event types.
 * Bytes:  little-endian on the wire, host order in these structs.
 * Trust:  a log is hostile input; only its replay against a signed quote
 *         gives it meaning.  Types and data are not covered by digests.
 * Limits: EL_MAX_*.
 */
#ifndef MEASURE_LOG_EVENTLOG_H
#define MEASURE_LOG_EVENTLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/tpm/pcr.h"

#define EL_MAX_LOG (1024 * 1024) /* bytes of a whole log */
#define EL_MAX_EVENTS 8192
#define EL_MAX_BANKS 8     /* digests per event */
#define EL_MAX_DATA 524288 /* bytes of one event's data */
#define EL_MAX_VENDOR 255
#define EL_PCR_LAST 23
#define EL_PCR_NONE 0xffffffffu /* NO_ACTION only; seen from Windows */

/* Event types (PFP, "Event Types"). */
#define EV_POST_CODE 0x00000001u
#define EV_NO_ACTION 0x00000003u
#define EV_SEPARATOR 0x00000004u
#define EV_ACTION 0x00000005u
#define EV_EVENT_TAG 0x00000006u
#define EV_S_CRTM_CONTENTS 0x00000007u
#define EV_S_CRTM_VERSION 0x00000008u
#define EV_CPU_MICROCODE 0x00000009u
#define EV_PLATFORM_CONFIG_FLAGS 0x0000000au
#define EV_TABLE_OF_DEVICES 0x0000000bu
#define EV_COMPACT_HASH 0x0000000cu
#define EV_IPL 0x0000000du
#define EV_IPL_PARTITION_DATA 0x0000000eu
#define EV_NONHOST_CODE 0x0000000fu
#define EV_NONHOST_CONFIG 0x00000010u
#define EV_NONHOST_INFO 0x00000011u
#define EV_OMIT_BOOT_DEVICE_EVENTS 0x00000012u
#define EV_EFI_VARIABLE_DRIVER_CONFIG 0x80000001u
#define EV_EFI_VARIABLE_BOOT 0x80000002u
#define EV_EFI_BOOT_SERVICES_APPLICATION 0x80000003u
#define EV_EFI_BOOT_SERVICES_DRIVER 0x80000004u
#define EV_EFI_RUNTIME_SERVICES_DRIVER 0x80000005u
#define EV_EFI_GPT_EVENT 0x80000006u
#define EV_EFI_ACTION 0x80000007u
#define EV_EFI_PLATFORM_FIRMWARE_BLOB 0x80000008u
#define EV_EFI_HANDOFF_TABLES 0x80000009u
#define EV_EFI_PLATFORM_FIRMWARE_BLOB2 0x8000000au
#define EV_EFI_HANDOFF_TABLES2 0x8000000bu
#define EV_EFI_VARIABLE_BOOT2 0x8000000cu
#define EV_EFI_HCRTM_EVENT 0x80000010u
#define EV_EFI_VARIABLE_AUTHORITY 0x800000e0u

/* EV_EVENT_TAG in PCR 17 whose data is a launch record ("VTLR"). */
#define EL_TAG_LAUNCH 0x56544c52u

struct el_event {
	uint32_t index;    /* 0: first event after a Spec ID header */
	uint32_t pcr;      /* 0..EL_PCR_LAST; EL_PCR_NONE with NO_ACTION */
	uint32_t type;     /* EV_* or anything else */
	uint32_t ndigests; /* 1..EL_MAX_BANKS, in header order */
	struct tpm_digest digests[EL_MAX_BANKS];
	const uint8_t *data; /* borrowed from the log */
	uint32_t datalen;    /* bytes */
};

/* What the first event said; a SHA-1 log has one bank and no spec fields. */
struct el_spec {
	bool agile;              /* false: SHA-1 TCG_PCR_EVENT stream */
	uint32_t platform_class; /* 0 client, 1 server */
	uint8_t major, minor, errata;
	uint32_t nbanks;
	uint16_t algs[EL_MAX_BANKS];
	uint16_t lens[EL_MAX_BANKS]; /* bytes per digest */
};

struct el_log; /* opaque */

/*
 * Check the header event, if there is one, and put a cursor after it.
 *
 * buf	borrowed, len bytes; must outlive the cursor.
 * ret	set on success only; the caller owns it, el_close() frees it.
 *
 * Returns 0, or VT_E_TRUNC (empty, or ends inside the first event),
 * VT_E_FORMAT (neither form of log), VT_E_RANGE (over an EL_MAX_*),
 * VT_E_NOMEM.
 */
int el_open(const uint8_t *buf, size_t len, struct el_log **ret) VT_CHECK;

/* Borrowed until el_close(). */
const struct el_spec *el_spec(const struct el_log *log);

/*
 * Decode one event and step over it.
 *
 * Returns 1 with *ev filled, 0 at the end of the log (or when only 00 or
 * only FF bytes are left: firmware pads), or VT_E_TRUNC, VT_E_FORMAT,
 * VT_E_RANGE.  On error neither *ev nor the cursor changes, so every later
 * call fails the same way.
 */
int el_next(struct el_log *log, struct el_event *ev) VT_CHECK;

void el_close(struct el_log *log); /* NULL is a no-op */

/* The digest of that bank, NULL if the event has none. */
const struct tpm_digest *el_event_digest(
    const struct el_event *ev, uint16_t alg);

/* NO_ACTION never extends a PCR; everything else does. */
bool el_extends(const struct el_event *ev);

/* All digests of the event are zero, as those of NO_ACTION must be. */
bool el_digests_are_zero(const struct el_event *ev);

/*
 * 1: ev is a "StartupLocality" event, *ret_locality is set; 0: another
 * event; VT_E_FORMAT: it is one, but misplaced or of a wrong size.
 */
int el_startup_locality(
    const struct el_event *ev, uint8_t *ret_locality) VT_CHECK;

/* Our own event over a launch record: by a D-RTM sequence, so that PCRs 17
 * to 22 started at zero and not at all ones. */
bool el_is_launch(const struct el_event *ev);

struct el_writer; /* opaque; errors are sticky until el_writer_bytes() */

/*
 * Start a log with n banks (of the algorithms that base/crypto.h knows).
 * sha1_format: a plain TCG_PCR_EVENT stream, n must be 1 and ALG_SHA1.
 * *ret is owned by the caller.  VT_E_UNSUPPORTED, VT_E_RANGE, VT_E_NOMEM.
 */
int el_writer_new(const uint16_t *algs, uint32_t n, bool sha1_format,
    struct el_writer **ret) VT_CHECK;
void el_writer_free(struct el_writer *w); /* NULL is a no-op */

/* Event with digest H(measured) in every bank. */
void el_add(struct el_writer *w, uint32_t pcr, uint32_t type,
    const void *measured, size_t mlen, const void *data, size_t dlen);
/* The same where the data itself is measured. */
void el_add_data(struct el_writer *w, uint32_t pcr, uint32_t type,
    const void *data, size_t dlen);
/* Event with given digests: one for every bank, any order, more is no harm;
 * VT_E_NOTFOUND if a bank has none. */
void el_add_digests(struct el_writer *w, uint32_t pcr, uint32_t type,
    const struct tpm_digest *d, uint32_t n, const void *data, size_t dlen);

/* The log so far: borrowed until the next call with w.  Or the first error
 * of all calls before. */
int el_writer_bytes(
    const struct el_writer *w, const uint8_t **ret, size_t *ret_len) VT_CHECK;

#endif
