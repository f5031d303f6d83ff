/* SPDX-License-Identifier: BSD-3-Clause */
/* create.c - vtpmctl create: a new vTPM. */
#include <stdio.h>

#include "base/options.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

struct args {
	const char *tpm, *uuid, *banks, *group, *owner, *srk;
};

static int
report(struct vctl *v, const char *name, sd_bus_message *reply)
{
	const char *uuid;
	int from_pool;
	uint64_t us;

	if (!vctl_take(reply, "stb", &uuid, &us, &from_pool))
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(json_pack("{s:s,s:s,s:I,s:b}", "name",
		    name, "uuid", uuid, "microseconds", (json_int_t)us,
		    "from_pool", from_pool));
	(void)printf("%s  %s  created in %.1f ms%s\n", name, uuid,
	    (double)us / 1000,
	    from_pool ? "" : " (the pool was empty: manufactured now)");
	return EXIT_OK;
}

/* The values go as they are: the manager says what is wrong with them. */
static int
create(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	const char *const all[][2] = { { "tpm", a->tpm }, { "uuid", a->uuid },
		{ "banks", a->banks }, { "group", a->group },
		{ "owner", a->owner }, { "srk", a->srk } };
	const char *keys[6], *values[6];
	sd_bus_message *m, *reply;
	size_t n = 0, i;
	int rc, r;

	(void)argc;
	for (i = 0; i < 6; i++)
		if (all[i][1] != NULL) {
			keys[n] = all[i][0];
			values[n++] = all[i][1];
		}
	if ((m = vctl_new_call(ctx, "Create")) == NULL)
		return EXIT_REFUSED;
	r = sd_bus_message_append(m, "s", argv[0]);
	if (r >= 0)
		r = vctl_append_dict(m, keys, values, n);
	if ((reply = vctl_call(ctx, m, r)) == NULL)
		return EXIT_REFUSED;
	rc = report(ctx, argv[0], reply);
	sd_bus_message_unref(reply);
	return rc;
}

static const struct opt opts[] = {
	{ OPT_TEXT("tpm", 0, "VERSION", struct args, tpm,
	    "TPM version: 2.0 or 1.2 (default 2.0)") },
	{ OPT_TEXT("uuid", 0, "UUID", struct args, uuid,
	    "UUID of the vTPM (default: a random one)") },
	{ OPT_TEXT("banks", 0, "LIST", struct args, banks,
	    "PCR banks, out of sha1, sha256, sha384 and sha512 (default "
	    "sha256); a TPM 1.2 always has SHA-1 only") },
	{ OPT_TEXT("srk", 0, "KIND", struct args, srk,
	    "storage root key at 0x81000001: none, ecc or rsa (default none: "
	    "the guest's software makes the one that it wants)") },
	{ OPT_TEXT("group", 0, "GROUP", struct args, group,
	    "name or number of the group that owns the vTPM (default 0, the "
	    "host's own)") },
	{ OPT_TEXT("owner", 0, "USER", struct args, owner,
	    "user whose processes may attach to it, beside root's (default: "
	    "the caller)") },
	OPT_END,
};

const struct opt_command vctl_create = {
	.name = "vtpmctl create",
	.about = "Create a vTPM with EK and AK certificates.\n"
		 "NAME has 1 to 63 characters out of A-Z a-z 0-9 . _ - and "
		 "does not start with . or -.\n",
	.operands = "NAME",
	.nmin = 1,
	.nmax = 1,
	.opts = opts,
	.size = sizeof(struct args),
	.run = create,
	.more = "Example:\n"
		"  vtpmctl create web1 --banks sha256,sha384\n",
};
