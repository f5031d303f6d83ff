/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwtpm_msg.h - what the manager and hwtpm, the one process that talks to the
 * physical TPM, say to each other.
 *
 * Layer:  vtpm_manager.
 * Bytes:  base/msg.h frames over a socket pair; fields in order,
 *         big-endian, text be16 + bytes, blobs be32 + bytes; hwtpm_msg.c.
 * Every request is answered once, by HW_ANSWER with the same id, in any
 * order; requests wait in a queue that is fair by group.
 */
#ifndef VTPM_MANAGER_PROTO_HWTPM_MSG_H
#define VTPM_MANAGER_PROTO_HWTPM_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
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
	HW_QUOTA,       /* struct hw_quota -> nothing: groups' shares */
	HW_USAGE,       /* -> struct hw_usage */
	HW_APPROVALS,   /* struct hw_approvals -> nothing */
	HW_ANSWER = 64, /* be32 rc (int32) | text | the answer's struct */
};

enum hw_root { ROOT_SOFT = 1, ROOT_HARD = 2 };

#define HOST_BLOB_MAX_LEN 8192
#define HW_RANDOM_MAX 4096 /* bytes that one HW_RANDOM may ask for */
#define HW_AK_MAX_LEN 2048 /* one wrapped AK of a group */
#define HW_CERTS_MAX 4     /* keys in one HW_CERTS */

/* Make storage key, master key and CA key anew.  Only for an empty store. */
struct hw_init {
	uint8_t root;                /* enum hw_root, for certificates */
	char host[NAME_MAX_LEN + 1]; /* for the CA's subject */
	/* The host approval key, measure/host/approval.h; len 0: the master key
	 * is bound to this TPM only, not to a state of the host. */
	struct wblob approval_key;
	/* Take this master key instead of making one: recovery from escrow on
	 * another TPM.  len 0 or 32. */
	struct wblob master;
};
struct hw_inited {
	struct wblob host_blob; /* opaque to the manager; kept in the store:
				   host_blob.h */
	uint8_t master[32];
	struct wblob ca_cert; /* DER, self-signed */
};
/*
 * Approvals: encoded struct approval of measure/host/approval.h, as many as
 * there are; the one that fits the host's PCRs now releases the master key.
 * VT_E_POLICY: none does; text says which PCR differs from which state.
 */
#define HW_APPROVALS_MAX 12
struct hw_load {
	uint8_t root;
	struct wblob host_blob;
	uint32_t n;
	struct wblob approvals[HW_APPROVALS_MAX];
};
/* The same list anew, for the next time that the key is loaded: the TPM may
 * be reset while the process lives.  Answered at once. */
struct hw_approvals {
	uint32_t n;
	struct wblob approvals[HW_APPROVALS_MAX];
};
struct hw_loaded {
	uint8_t master[32];
	struct wblob ca_cert;
};

/* Certificates of one vTPM, all at once. */
struct hw_certs {
	uint8_t uuid[UUID_LEN];
	char name[NAME_MAX_LEN + 1];
	uint32_t group;
	uint64_t generation;
	uint8_t tpm_version;
	uint32_t ak_seconds; /* life of AK certificates; 0: the default */
	uint32_t n;          /* 1..HW_CERTS_MAX */
	struct {
		uint8_t which;    /* WCERT_* */
		struct wblob pub; /* as in struct wprovisioned */
	} keys[HW_CERTS_MAX];
};
struct hw_certed {
	uint32_t n;
	struct wblob certs[HW_CERTS_MAX]; /* DER, order as asked */
};
struct hw_status {
	uint8_t root; /* enum hw_root; 0: before HW_INIT or HW_LOAD */
	uint8_t up;   /* the TPM answers */
	char manufacturer[16], firmware[32], tcti[128];
	uint64_t commands, retries, failures;
};
/* measure/tpm/pcr.h bytes of all active banks, all 24 PCRs. */
struct hw_pcrs {
	struct wblob pcrs;
	uint64_t epoch; /* the epoch counter now; 0: no such counter */
};

enum hw_which { HWC_EPOCH = 1, HWC_ANCHOR = 2 };
/*
 * NV counters of the host's TPM, made by HW_INIT, their Names pinned in the
 * host blob.  `expect` != 0: increment only if the value is `expect`, and
 * answer OK with expect + 1 when it is that already (a repeat).  Else
 * VT_E_STALE.
 */
struct hw_counter {
	uint8_t which; /* enum hw_which */
	uint8_t increment;
	uint64_t expect;
};

/* Seal the master key anew, under another approval key (len 0: none).
 * VT_E_POLICY: no approval that was told (HW_APPROVALS) fits under it. */
struct hw_bind {
	struct wblob approval_key;
};
struct hw_bound {
	struct wblob host_blob; /* to be kept from now on */
};

/* Who this host is, for enrolment. */
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

/* An AK of its own for a group, under the EK, by the template of the host's
 * own AK, with a certificate by the CA that names the group: purpose
 * CERT_EXT_EKU_AK, VtpmInstance with uuid zeros, generation 0, this group, the
 * root's kind, virtual FALSE (doc/FORMATS.md, "AK certificate of a group").
 * The certificates in struct hw_quoted likewise. */
struct hw_ak {
	uint32_t group;
};
struct hw_aked {
	struct wblob ak; /* opaque: wrapped by the TPM; kept by the manager */
	struct wblob ak_pub;  /* TPM2B_PUBLIC */
	struct wblob ak_cert; /* DER */
};

/* TPM2_Quote by a group's AK (group 0: the host's) over these host PCRs. */
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
	struct wblob ak_cert;   /* DER: of the AK that signed; short-lived */
	uint32_t us;            /* the TPM's time for it, for quotas */
};
/*
 * The groups of this host and what they may use of its TPM: all of them, so a
 * group that is not named is forgotten.  Answered at once.  A request of a
 * group that has used up its share waits; one that waited too long for it is
 * answered VT_E_BUSY with words.
 */
#define HW_GROUPS_MAX 257 /* group 0 among them */
struct hw_quota {
	uint32_t n;
	struct {
		uint32_t group, ms; /* per minute, at most 60000; 0: no limit */
	} groups[HW_GROUPS_MAX];
};
/* What they have used since this process began; answered at once. */
struct hw_usage {
	uint32_t n;
	struct {
		uint32_t group, limit_ms;
		uint64_t requests, us, wait_us, delayed, refused;
	} groups[HW_GROUPS_MAX];
};

struct hw_answer {
	int32_t rc; /* VT_OK or VT_E_*; VT_E_TPM: see text */
	char text[TEXT_MAX_LEN + 1];
	const uint8_t *body; /* borrowed */
	size_t body_len;
};

/*
 * One pair per struct.  Encoders write to w (sticky error); decoders return
 * VT_OK and fill *ret, or VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE; blobs and
 * body in *ret are borrowed from data.
 */
#define HW_PROTO_PAIR(name)                                               \
	void name##_put(struct wr *w, const struct name *m);              \
	int name##_get(const uint8_t *data, size_t len, struct name *ret) \
	    VT_CHECK
HW_PROTO_PAIR(hw_init);
HW_PROTO_PAIR(hw_inited);
HW_PROTO_PAIR(hw_load);
HW_PROTO_PAIR(hw_approvals);
HW_PROTO_PAIR(hw_loaded);
HW_PROTO_PAIR(hw_certs);
HW_PROTO_PAIR(hw_certed);
HW_PROTO_PAIR(hw_status);
HW_PROTO_PAIR(hw_pcrs);
HW_PROTO_PAIR(hw_counter);
HW_PROTO_PAIR(hw_bind);
HW_PROTO_PAIR(hw_bound);
HW_PROTO_PAIR(hw_identity);
HW_PROTO_PAIR(hw_activate);
HW_PROTO_PAIR(hw_ak);
HW_PROTO_PAIR(hw_aked);
HW_PROTO_PAIR(hw_quote);
HW_PROTO_PAIR(hw_quoted);
HW_PROTO_PAIR(hw_quota);
HW_PROTO_PAIR(hw_usage);
HW_PROTO_PAIR(hw_answer);
#undef HW_PROTO_PAIR

#endif
