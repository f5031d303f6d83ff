/* SPDX-License-Identifier: BSD-3-Clause */
/* hwtpm_msg.c - the fields of each message of hwtpm_msg.h. */
#include "vtpm_manager/proto/hwtpm_msg.h"

#include "measure/evidence/deep_leaf.h"
#include "measure/host/approval.h"

/* Generous limits for a TPM's structures, bytes. */
#define PCRS_MAX_LEN 8192
#define CREDENTIAL_MAX_LEN 512
#define SECRET_MAX_LEN 1024
#define CERTIFY_MAX_LEN 2048
#define SIGNATURE_MAX_LEN 1024
#define EK_CERT_MAX_LEN 4096

/* clang-format off */
static const struct msg_field approval[] = {
	F_ITEM(0, APPROVAL_MAX_LEN),
	F_END
};
static const struct msg_field certificate[] = {
	F_ITEM(0, CERT_MAX_LEN),
	F_END
};

MSG_TABLE(hw_init,
	F_RANGE(hw_init, root, ROOT_SOFT, ROOT_HARD),
	F_TEXT(hw_init, host),
	F_OPTION(hw_init, approval_key, APPROVAL_KEY_LEN),
	F_OPTION(hw_init, master, 32));
MSG_TABLE(hw_inited,
	F_BLOB(hw_inited, host_blob, 0, HOST_BLOB_MAX_LEN),
	F_BYTES(hw_inited, master),
	F_BLOB(hw_inited, ca_cert, 0, CERT_MAX_LEN));
MSG_TABLE(hw_load,
	F_RANGE(hw_load, root, ROOT_SOFT, ROOT_HARD),
	F_BLOB(hw_load, host_blob, 0, HOST_BLOB_MAX_LEN),
	F_ARRAY(hw_load, n, approvals, 0, approval));
MSG_TABLE(hw_loaded,
	F_BYTES(hw_loaded, master),
	F_BLOB(hw_loaded, ca_cert, 0, CERT_MAX_LEN));
MSG_TABLE(hw_approvals,
	F_ARRAY(hw_approvals, n, approvals, 0, approval));
MSG_TABLE(hw_bind,
	F_OPTION(hw_bind, approval_key, APPROVAL_KEY_LEN));
MSG_TABLE(hw_bound,
	F_BLOB(hw_bound, host_blob, 0, HOST_BLOB_MAX_LEN));

static const struct msg_field key_fields[] = {
	F_RANGE(hw_key, which, WCERT_EK_RSA, WCERT_AK),
	F_BLOB(hw_key, pub, 0, PUB_MAX_LEN),
	F_END
};
MSG_TABLE(hw_certs,
	F_BYTES(hw_certs, uuid),
	F_TEXT(hw_certs, name),
	F_UINT(hw_certs, group),
	F_UINT(hw_certs, generation),
	F_RANGE(hw_certs, tpm_version, TPM_VER_12, TPM_VER_20),
	F_UINT(hw_certs, ak_seconds),
	F_ARRAY(hw_certs, n, keys, 1, key_fields));
MSG_TABLE(hw_certed,
	F_ARRAY(hw_certed, n, certs, 1, certificate),
	F_BLOB(hw_certed, issuer, 0, CERT_MAX_LEN));

MSG_TABLE(hw_status,
	F_RANGE(hw_status, root, 0, ROOT_HARD),
	F_RANGE(hw_status, up, 0, 1),
	F_TEXT(hw_status, manufacturer),
	F_TEXT(hw_status, firmware),
	F_TEXT(hw_status, tcti),
	F_UINT(hw_status, commands),
	F_UINT(hw_status, retries),
	F_UINT(hw_status, failures));
MSG_TABLE(hw_pcrs,
	F_BLOB(hw_pcrs, pcrs, 0, PCRS_MAX_LEN),
	F_UINT(hw_pcrs, epoch));
MSG_TABLE(hw_counter,
	F_RANGE(hw_counter, which, HWC_EPOCH, HWC_ANCHOR),
	F_RANGE(hw_counter, increment, 0, 1),
	F_UINT(hw_counter, expect));

MSG_TABLE(hw_identity,
	F_BLOB(hw_identity, ek_pub, 0, PUB_MAX_LEN),
	F_BLOB(hw_identity, ek_cert, 0, EK_CERT_MAX_LEN),
	F_BLOB(hw_identity, ak_pub, 0, PUB_MAX_LEN),
	F_BLOB(hw_identity, ca_pub, 0, PUB_MAX_LEN),
	F_BLOB(hw_identity, ca_cert, 0, CERT_MAX_LEN),
	F_BLOB(hw_identity, ca_attest, 0, CERTIFY_MAX_LEN),
	F_BLOB(hw_identity, ca_sig, 0, SIGNATURE_MAX_LEN));
MSG_TABLE(hw_activate,
	F_BLOB(hw_activate, credential, 0, CREDENTIAL_MAX_LEN),
	F_BLOB(hw_activate, secret, 0, SECRET_MAX_LEN));

MSG_TABLE(hw_ak,
	F_UINT(hw_ak, group));
MSG_TABLE(hw_aked,
	F_BLOB(hw_aked, ak, 0, HW_AK_MAX_LEN),
	F_BLOB(hw_aked, ak_pub, 0, PUB_MAX_LEN),
	F_BLOB(hw_aked, ak_cert, 0, CERT_MAX_LEN));
MSG_TABLE(hw_quote,
	F_UINT(hw_quote, group),
	F_BLOB(hw_quote, ak, 0, HW_AK_MAX_LEN),
	F_UINT(hw_quote, bank),
	F_RANGE(hw_quote, pcrs, 1, 0xffffff),
	F_BYTES(hw_quote, extra));
MSG_TABLE(hw_quoted,
	F_BLOB(hw_quoted, attest, 0, DEEP_ATTEST_MAX),
	F_BLOB(hw_quoted, signature, 0, DEEP_SIG_MAX),
	F_BLOB(hw_quoted, ak_cert, 0, CERT_MAX_LEN),
	F_UINT(hw_quoted, us));

static const struct msg_field share_fields[] = {
	F_UINT(hw_share, group),
	F_RANGE(hw_share, ms, 0, HW_SHARE_MS_MAX),
	F_END
};
MSG_TABLE(hw_quota,
	F_ARRAY(hw_quota, n, groups, 0, share_fields));
static const struct msg_field used_fields[] = {
	F_UINT(hw_used, group),
	F_RANGE(hw_used, limit_ms, 0, HW_SHARE_MS_MAX),
	F_UINT(hw_used, requests),
	F_UINT(hw_used, us),
	F_UINT(hw_used, wait_us),
	F_UINT(hw_used, delayed),
	F_UINT(hw_used, refused),
	F_END
};
MSG_TABLE(hw_usage,
	F_ARRAY(hw_usage, n, groups, 0, used_fields));

MSG_TABLE(hw_answer,
	F_RC(hw_answer, rc),
	F_TEXT(hw_answer, text),
	F_REST(hw_answer, body, body_len));
/* clang-format on */
