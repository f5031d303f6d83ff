/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwtpm_msg.h - messages between the manager and vtpm-hwtpm, the only process
 * that talks to the physical TPM.
 *
 * Layer:  vtpm_manager.
 * Bytes:  base/msg.h frames over a socket pair; base/msg_fields.h encodes and
 *         decodes payloads by the tables in hwtpm_msg.c, which doc/FORMATS.md
 *         prints.
 * Memory: what a decoded struct points to is borrowed from the payload.
 *
 * HW_ANSWER with the same id answers each request once, in any order.
 * Requests wait in a queue that is fair by group, unless noted otherwise.
 */
#ifndef VTPM_MANAGER_PROTO_HWTPM_MSG_H
#define VTPM_MANAGER_PROTO_HWTPM_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/msg_fields.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "vtpm/proto/worker_msg.h"

enum hw_type {
	HW_INIT = 1,    /* struct hw_init -> struct hw_inited */
	HW_LOAD,        /* struct hw_load -> struct hw_loaded */
	HW_CERTS,       /* struct hw_certs -> struct hw_certed */
	HW_RANDOM,      /* be32 n -> n bytes */
	HW_STATUS,      /* -> struct hw_status */
	HW_PCRS,        /* -> struct hw_pcrs: the host's PCRs */
	HW_COUNTER,     /* struct hw_counter -> be64 the counter's value */
	HW_BIND,        /* struct hw_bind -> struct hw_bound */
	HW_IDENTITY,    /* -> struct hw_identity */
	HW_ACTIVATE,    /* struct hw_activate -> be16 + bytes: the secret */
	HW_AK,          /* struct hw_ak -> struct hw_aked: an AK for a group */
	HW_QUOTE,       /* struct hw_quote -> struct hw_quoted */
	HW_QUOTA,       /* struct hw_quota -> nothing; at once */
	HW_USAGE,       /* -> struct hw_usage; at once */
	HW_APPROVALS,   /* struct hw_approvals -> nothing; at once */
	HW_ANSWER = 64, /* struct hw_answer; its body is the answer */
};

enum hw_root { ROOT_SOFT = 1, ROOT_HARD = 2 };

#define HOST_BLOB_MAX_LEN 8192
#define HW_RANDOM_MAX 4096 /* bytes that one HW_RANDOM may ask for */
#define HW_AK_MAX_LEN 2048 /* one wrapped AK of a group */
#define HW_CERTS_MAX 4     /* keys in one HW_CERTS */
#define HW_APPROVALS_MAX 12
#define HW_GROUPS_MAX 257     /* 256 and the host's own, group 0 */
#define HW_SHARE_MS_MAX 60000 /* per minute: all of the TPM's time */

/* Make the storage key, the master key and the CA key.  Only for an empty
 * store. */
struct hw_init {
	uint8_t root;                /* enum hw_root, for certificates */
	char host[NAME_MAX_LEN + 1]; /* for the CA's subject */
	/* The host approval key, measure/host/approval.h; len 0: the master key
	 * is bound to this TPM only, not to a state of the host. */
	struct wblob approval_key;
	/* Seal this master key: recovery from escrow on another TPM.  len 0:
	 * make one. */
	struct wblob master;
};
struct hw_inited {
	struct wblob host_blob; /* host_blob.h, for the store; opaque to the
				   manager */
	uint8_t master[32];
	struct wblob ca_cert; /* DER, self-signed */
};
/*
 * Approvals: encoded struct approval of measure/host/approval.h.  The one that
 * fits the host's current PCRs releases the master key.  VT_E_POLICY: none
 * does; text names the PCR that differs and the approved state.
 */
struct hw_load {
	uint8_t root;
	struct wblob host_blob;
	uint32_t n;
	struct wblob approvals[HW_APPROVALS_MAX];
};
/* Replaces the list for the next load of the key: the TPM may be reset while
 * the process lives. */
struct hw_approvals {
	uint32_t n;
	struct wblob approvals[HW_APPROVALS_MAX];
};
struct hw_loaded {
	uint8_t master[32];
	struct wblob ca_cert;
};

struct hw_key {
	uint8_t which;    /* WCERT_* */
	struct wblob pub; /* as in struct wprovisioned */
};
/* Issue all certificates of one vTPM. */
struct hw_certs {
	uint8_t uuid[UUID_LEN];
	char name[NAME_MAX_LEN + 1];
	uint32_t group;
	uint64_t generation;
	uint8_t tpm_version;
	uint32_t ak_seconds; /* lifetime of AK certificates; 0: the default */
	uint32_t n;          /* not 0 */
	struct hw_key keys[HW_CERTS_MAX];
};
struct hw_certed {
	uint32_t n;
	struct wblob certs[HW_CERTS_MAX]; /* DER, in the order of keys */
	struct wblob issuer; /* of the issuing key that signed them; len 0: the
				CA did */
};
struct hw_status {
	uint8_t root; /* enum hw_root; 0: before HW_INIT or HW_LOAD */
	uint8_t up;   /* the TPM answers */
	char manufacturer[16], firmware[32], tcti[128];
	uint64_t commands, retries, failures;
};
/* measure/tpm/pcr.h bytes: all 24 PCRs of all active banks. */
struct hw_pcrs {
	struct wblob pcrs;
	uint64_t epoch; /* value of the epoch counter; 0: there is none */
};

enum hw_which { HWC_EPOCH = 1, HWC_ANCHOR = 2 };
/*
 * NV counters of the host's TPM.  HW_INIT makes them; the host blob pins their
 * Names.  `expect` != 0: increment only a counter whose value is `expect`; a
 * repeated request finds expect + 1 and gets that as its answer; any other
 * value is VT_E_STALE.
 */
struct hw_counter {
	uint8_t which; /* enum hw_which */
	uint8_t increment;
	uint64_t expect;
};

/* Reseal the master key under another approval key (len 0: none).
 * VT_E_POLICY: no approval of the last HW_APPROVALS fits it. */
struct hw_bind {
	struct wblob approval_key;
};
struct hw_bound {
	struct wblob host_blob; /* replaces the stored one */
};

/* The identity of this host, for enrolment. */
struct hw_identity {
	struct wblob ek_pub;    /* TPM2B_PUBLIC */
	struct wblob ek_cert;   /* DER from the TPM's NV; may be empty */
	struct wblob ak_pub;    /* TPM2B_PUBLIC: the host's AK, under the EK */
	struct wblob ca_pub;    /* TPM2B_PUBLIC */
	struct wblob ca_cert;   /* DER */
	struct wblob ca_attest; /* TPMS_ATTEST: TPM2_Certify of the CA key */
	struct wblob ca_sig;    /* TPMT_SIGNATURE by the AK */
};
struct hw_activate {
	struct wblob credential; /* TPM2B_ID_OBJECT */
	struct wblob secret;     /* TPM2B_ENCRYPTED_SECRET */
};

/* Make an AK for a group: under the EK, by the template of the host's AK.  The
 * CA certifies it for that group: purpose CERT_EXT_EKU_AK, VtpmInstance with
 * uuid zeros, generation 0, this group, the root's kind, virtual FALSE
 * (doc/FORMATS.md, "AK certificate of a group").  The same holds for the
 * certificate in struct hw_quoted. */
struct hw_ak {
	uint32_t group;
};
struct hw_aked {
	struct wblob ak; /* wrapped by the TPM; opaque, the manager keeps it */
	struct wblob ak_pub;  /* TPM2B_PUBLIC */
	struct wblob ak_cert; /* DER */
};

/* TPM2_Quote over host PCRs by the AK of a group (group 0: the host's). */
struct hw_quote {
	uint32_t group;
	struct wblob ak;   /* from hw_aked; empty for group 0 */
	uint16_t bank;     /* TPM_ALG_ID */
	uint32_t pcrs;     /* bit n: PCR n; not 0 */
	uint8_t extra[32]; /* qualifyingData */
};
struct hw_quoted {
	struct wblob attest;    /* TPMS_ATTEST */
	struct wblob signature; /* TPMT_SIGNATURE */
	struct wblob ak_cert;   /* DER, of the signing AK; short-lived */
	uint32_t us;            /* of the TPM's time, for quotas */
};

struct hw_share {
	uint32_t group;
	uint32_t ms; /* per minute; 0: no limit */
};
/*
 * Every group of this host and its share of the TPM; vtpm-hwtpm forgets a
 * group that is not in the list.  A request of a group that has used up its
 * share waits; one that waits too long gets VT_E_BUSY and a text.
 */
struct hw_quota {
	uint32_t n;
	struct hw_share groups[HW_GROUPS_MAX];
};

struct hw_used {
	uint32_t group;
	uint32_t limit_ms; /* per minute; 0: no limit */
	uint64_t requests; /* done with the TPM */
	uint64_t us;       /* of the TPM's time */
	uint64_t wait_us;  /* that requests waited for their turn */
	uint64_t delayed;  /* requests that waited for the quota */
	uint64_t refused;  /* requests that gave up */
};
/* Since vtpm-hwtpm started. */
struct hw_usage {
	uint32_t n;
	struct hw_used groups[HW_GROUPS_MAX];
};

struct hw_answer {
	int32_t rc; /* VT_OK or VT_E_*; VT_E_TPM: see text */
	char text[TEXT_MAX_LEN + 1];
	const uint8_t *body; /* borrowed */
	size_t body_len;
};

/* For msg_put() and msg_get(). */
extern const struct msg_table hw_init_msg;
extern const struct msg_table hw_inited_msg;
extern const struct msg_table hw_load_msg;
extern const struct msg_table hw_approvals_msg;
extern const struct msg_table hw_loaded_msg;
extern const struct msg_table hw_certs_msg;
extern const struct msg_table hw_certed_msg;
extern const struct msg_table hw_status_msg;
extern const struct msg_table hw_pcrs_msg;
extern const struct msg_table hw_counter_msg;
extern const struct msg_table hw_bind_msg;
extern const struct msg_table hw_bound_msg;
extern const struct msg_table hw_identity_msg;
extern const struct msg_table hw_activate_msg;
extern const struct msg_table hw_ak_msg;
extern const struct msg_table hw_aked_msg;
extern const struct msg_table hw_quote_msg;
extern const struct msg_table hw_quoted_msg;
extern const struct msg_table hw_quota_msg;
extern const struct msg_table hw_usage_msg;
extern const struct msg_table hw_answer_msg;

#endif
