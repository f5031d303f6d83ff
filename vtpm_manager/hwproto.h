/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwproto.h - what the manager and hwtpm, the one process that talks to the
 * physical TPM, say to each other.
 *
 * Layer:  vtpm_manager.
 * Bytes:  base/msg.h frames over a socket pair; fields in order,
 *         big-endian, text be16 + bytes, blobs be32 + bytes; hwproto.c.
 * Every request is answered once, by HW_ANSWER with the same id, in any
 * order; requests wait in a queue that is fair by group.
 */
#ifndef VTPM_MANAGER_HWPROTO_H
#define VTPM_MANAGER_HWPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "vtpm/proto.h"

enum hw_type {
	HW_INIT = 1,    /* struct hw_init -> struct hw_inited */
	HW_LOAD,        /* struct hw_load -> struct hw_loaded */
	HW_CERTS,       /* struct hw_certs -> struct hw_certed */
	HW_RANDOM,      /* be32 n -> n bytes */
	HW_STATUS,      /* -> struct hw_status */
	HW_ANSWER = 64, /* be32 rc (int32) | text | the answer's struct */
};

enum hw_root { ROOT_SOFT = 1, ROOT_HARD = 2 };

#define HOST_BLOB_MAX_LEN 8192
#define HW_RANDOM_MAX 4096 /* bytes that one HW_RANDOM may ask for */
#define HW_CERTS_MAX 4     /* keys in one HW_CERTS */

/* Make storage key, master key and CA key anew.  Only for an empty store. */
struct hw_init {
	uint8_t root;                /* enum hw_root, for certificates */
	char host[NAME_MAX_LEN + 1]; /* for the CA's subject */
};
struct hw_inited {
	struct wblob host_blob; /* opaque to the manager; kept in the store:
				   storage key Name, CA key pub + priv, sealed
				   master key pub + priv, CA certificate */
	uint8_t master[32];
	struct wblob ca_cert; /* DER, self-signed */
};
struct hw_load {
	uint8_t root;
	struct wblob host_blob;
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
HW_PROTO_PAIR(hw_loaded);
HW_PROTO_PAIR(hw_certs);
HW_PROTO_PAIR(hw_certed);
HW_PROTO_PAIR(hw_status);
HW_PROTO_PAIR(hw_answer);
#undef HW_PROTO_PAIR

#endif
