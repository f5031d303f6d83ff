/* SPDX-License-Identifier: BSD-3-Clause */
/* cmd_revoke.c - vtpm-seal revoke: raise the epoch. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tools/common/json.h"
#include "tools/seal/cmd_common.h"
#include "tools/seal/commands.h"
#include "tools/seal/seal_open.h"

struct args {
	const char *tcti, *owner_auth, *in, *approvals;
	uint32_t index;
	bool force, json;
};

/* This boot must stay approved at the next epoch, or the secret is shut. */
static int
check_next(struct esys *e, const struct args *a, const struct seal_blob *b,
    const struct approvals *appr)
{
	const struct approved *one;
	struct pcr_set now = { 0 };
	char why[WHY_MAX];
	struct pcr_sel sel;
	uint64_t epoch = 0;
	int rc;

	if ((b->flags & SB_AUTHORITY) == 0 || b->epoch_index != a->index) {
		log_err("the secret does not depend on the epoch counter "
			"0x%08x",
		    a->index);
		return VT_E_FORMAT;
	}
	if ((rc = seal_epoch_read(e, a->index, &epoch)) != VT_OK) {
		seal_say_epoch(e, a->index, rc);
		return rc;
	}
	approvals_sel(appr, &sel);
	if ((rc = seal_read_known_pcrs(e, &sel, &now)) != VT_OK)
		return rc;
	rc = approvals_choose(appr, b, epoch + 1, &now, &one, why, sizeof(why));
	if (rc != VT_OK)
		log_err("refused: after that the secret would be shut: at "
			"epoch %llu, %s; first approve this boot with "
			"--next-epoch, or use --force",
		    (unsigned long long)(epoch + 1), why);
	return rc;
}

static int
check_secret(struct esys *e, const struct args *a)
{
	struct approvals appr, other;
	struct seal_blob b;
	uint8_t *buf = NULL;
	int rc;

	if (a->force)
		return VT_OK;
	if ((rc = seal_read_blob(a->in, &buf, &b, &appr)) != VT_OK)
		return rc;
	if (a->approvals != NULL) {
		rc = seal_read_approvals(a->approvals, false, &other);
		if (rc == VT_OK) {
			approvals_free(&appr);
			appr = other;
		}
	}
	if (rc == VT_OK)
		rc = check_next(e, a, &b, &appr);
	approvals_free(&appr);
	free(buf);
	return rc;
}

static int
raise_epoch(struct esys *e, const struct args *a, uint64_t *ret)
{
	int rc = seal_epoch_raise(e, a->index, ret);

	if (rc == VT_E_NOTFOUND && a->force) {
		rc = seal_epoch_make(e, a->index, ret);
		if (rc == VT_OK)
			log_info("the epoch counter was gone, and is made "
				 "anew, above all that this TPM ever had");
	}
	if (rc != VT_OK)
		seal_say_epoch(e, a->index, rc);
	return rc;
}

static int
revoke(struct esys *e, const struct args *a)
{
	uint64_t epoch = 0;
	int rc;

	if ((rc = check_secret(e, a)) != VT_OK ||
	    (rc = raise_epoch(e, a, &epoch)) != VT_OK)
		return rc;
	log_info("the epoch is %llu; approvals for earlier ones are void",
	    (unsigned long long)epoch);
	if (!a->json)
		return VT_OK;
	return tool_json_save(NULL,
	    json_pack("{s:s, s:i, s:I}", "format", "vtpm-seal-epoch", "version",
		1, "epoch", (json_int_t)epoch),
	    0644);
}

static int
run(void *ctx, void *args, int argc, char **argv)
{
	struct args *a = args;
	struct esys e;
	int rc;

	(void)ctx;
	(void)argc;
	(void)argv;
	if (a->in == NULL && !a->force)
		return opt_bad(&revoke_cmd,
		    "give the secret that must not be locked out, -i BLOB and "
		    "-a APPROVALS, or --force");
	if (a->index == 0)
		a->index = SEAL_EPOCH_INDEX;
	if ((rc = seal_open_tpm(&e, a->tcti, a->owner_auth)) == VT_OK)
		rc = revoke(&e, a);
	esys_close(&e);
	return seal_exit(rc);
}

static const struct opt opts[] = {
	OPT_TCTI(struct args),
	OPT_OWNER(struct args),
	{ OPT_TEXT("in", 'i', "BLOB", struct args, in,
	    "the secret, sealed: the epoch rises only if this boot stays "
	    "approved for it") },
	{ OPT_TEXT("approvals", 'a', "FILE", struct args, approvals,
	    "its approvals (default: those beside the blob in a LUKS token)") },
	{ OPT_FLAG("force", 0, struct args, force,
	    "raise the epoch whatever it shuts; make the counter anew if it "
	    "is gone") },
	OPT_EPOCH_INDEX(
	    struct args, "NV counter of the epoch (default 0x0180ec01)"),
	{ OPT_FLAG(
	    "json", 0, struct args, json, "print the new epoch as JSON, too") },
	OPT_END,
};

const struct opt_command revoke_cmd = {
	.name = "vtpm-seal revoke",
	.about = "Raise the epoch in this TPM: approvals for earlier epochs "
		 "open nothing any more, and nothing brings them back.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.run = run,
	.more = "Example:\n"
		"  vtpm-seal approve --key boot.pem --ref \"$uuid:root\" "
		"--next-epoch -a a.json\n"
		"  vtpm-seal revoke -i disk.blob -a a.json\n",
};
