/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * approvalcmd.c - makes an approval and all that a TPM needs to take it, for
 * approval.sh.
 *
 *   approvalcmd KEY.pem SELECTION VALUES EPOCH NAME-HEX GROUP OUT
 *
 * VALUES: as tpm2_pcrread -o writes them.  Writes OUT (approval), OUT.pub
 * (TPM2B_PUBLIC), OUT.hash (what the TPM verifies), OUT.sig (DER), OUT.policy,
 * OUT.auth (digests), OUT.ref.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/host/approval.h"

static void
need(int rc, const char *what)
{
	if (rc == VT_OK)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, vt_strerror(rc));
	exit(1);
}

static void
save(const char *out, const char *end, const void *p, size_t len)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s%s", out, end);
	need(write_file_atomic(path, p, len, 0644), path);
}

static void
read_values(struct approval *a, const char *text, const char *path)
{
	struct pcr_sel sel;
	uint8_t *buf;
	size_t len, at = 0;
	uint32_t i;

	need(pcr_sel_parse(text, &sel), "selection");
	need(pcr_set_init(&a->pcrs, &sel.banks[0].alg, 1), "bank");
	need(read_file(path, 65536, &buf, &len), path);
	for (i = 0; i < PCR_COUNT; i++) {
		if ((sel.banks[0].mask >> i & 1) == 0)
			continue;
		if (at + a->pcrs.banks[0].len > len)
			need(VT_E_TRUNC, path);
		need(pcr_put(&a->pcrs, sel.banks[0].alg, i, buf + at), "value");
		at += a->pcrs.banks[0].len;
	}
	free(buf);
}

static void
outputs(const struct approval *a, const uint8_t *key, const char *out)
{
	uint8_t buf[APPROVAL_MAX_LEN], msg[128], policy[SHA256_LEN];
	char ref[64];
	size_t len;
	struct wr w;
	int n;

	wr_init(&w, buf, sizeof(buf));
	approval_put(&w, a);
	need(wr_err(&w), "put");
	save(out, "", buf, w.len);
	need(approval_key_public(key, buf, sizeof(buf), &len), "public");
	save(out, ".pub", buf, len);
	need(approval_policy(a, policy), "policy");
	save(out, ".policy", policy, sizeof(policy));
	if (a->group == 0)
		n = snprintf(ref, sizeof(ref), "VTPM host state");
	else
		n = snprintf(ref, sizeof(ref), "VTPM host state %u", a->group);
	memcpy(msg, policy, sizeof(policy));
	memcpy(msg + sizeof(policy), ref, (size_t)n);
	save(out, ".ref", ref, (size_t)n);
	need(digest_buf(ALG_SHA256, msg, sizeof(policy) + (size_t)n, policy),
	    "hash");
	save(out, ".hash", policy, sizeof(policy));
	save(out, ".sig", a->policy_sig, a->policy_sig_len);
	need(approval_auth_policy(key, a->group, policy), "auth policy");
	save(out, ".auth", policy, sizeof(policy));
}

int
main(int argc, char **argv)
{
	struct approval a = { .label = "test", .sequence = 1 };
	uint8_t key[APPROVAL_KEY_LEN], *pem;
	size_t len, n = 0;
	char why[256];

	if (argc != 8)
		return 2;
	need(read_file(argv[1], 65536, &pem, &len), argv[1]);
	need(approval_key_read(pem, len, key), "key");
	read_values(&a, argv[2], argv[3]);
	a.epoch = strtoull(argv[4], NULL, 10);
	need(hex_decode(argv[5], a.epoch_name, sizeof(a.epoch_name), &n),
	    "name");
	a.group = (uint32_t)strtoul(argv[6], NULL, 10);
	if (approval_check(&a, why, sizeof(why)) != VT_OK) {
		(void)fprintf(stderr, "refused: %s\n", why);
		return 1;
	}
	need(approval_sign(&a, pem, len), "sign");
	need(approval_verify(&a, key), "verify");
	outputs(&a, key, argv[7]);
	free(pem);
	return 0;
}
