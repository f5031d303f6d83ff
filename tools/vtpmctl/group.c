/* SPDX-License-Identifier: BSD-3-Clause */
/* group.c - vtpmctl group: tenants, as the manager keeps them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "base/util.h"
#include "measure/host/tenant_config.h"
#include "tools/common/file.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

#define KEY_FILE_MAX 65536

struct args {
	const char *key, *config, *vtpms, *bytes, *hw_ms;
	uint32_t number;
	bool renew;
};

static const struct opt_command update_cmd;

/* The quotas, and what else is set, as the manager takes them. */
static int
append_settings(sd_bus_message *m, const struct args *a, const char *pem)
{
	const char *const all[][2] = { { "key", pem }, { "vtpms", a->vtpms },
		{ "bytes", a->bytes }, { "hw_ms", a->hw_ms },
		{ "renew_ak", a->renew ? "yes" : NULL } };
	const char *keys[VT_NELEM(all)] = { NULL };
	const char *values[VT_NELEM(all)] = { NULL };
	size_t n = 0, i;

	for (i = 0; i < VT_NELEM(all); i++)
		if (all[i][1] != NULL) {
			keys[n] = all[i][0];
			values[n++] = all[i][1];
		}
	return vctl_append_dict(m, keys, values, n);
}

/* --- create, update, delete ----------------------------------------------- */

static int
report_created(struct vctl *v, const char *name, sd_bus_message *reply)
{
	uint32_t n;
	uint64_t us;

	if (!vctl_take(reply, "ut", &n, &us))
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(json_pack("{s:s,s:I,s:I}", "name", name,
		    "number", (json_int_t)n, "microseconds", (json_int_t)us));
	(void)printf(
	    "group %s has number %u. Its administrators and PCRs come with a "
	    "configuration signed by its key:\n"
	    "  vtpmctl group sign --key KEY.pem --number %u --sequence 1 "
	    "--pcrs sha256:0-7 --admin USER -o FILE\n"
	    "  vtpmctl group update %s --config FILE\n",
	    name, n, n, name);
	return EXIT_OK;
}

/* *ret is heap.  A private key has no business on the host. */
static int
read_public_key(const char *path, char **ret)
{
	uint8_t point[APPROVAL_KEY_LEN], *pem = NULL;
	size_t len = 0;
	int rc = EXIT_OK;

	if (tool_read(path, KEY_FILE_MAX, &pem, &len) != VT_OK)
		return EXIT_REFUSED;
	if (strstr((char *)pem, "PRIVATE KEY") != NULL)
		rc = vctl_fail("%s is a private key: keep it away from the "
			       "host, and give its public half (openssl pkey "
			       "-pubout)",
		    path);
	else if (approval_key_read(pem, len, point) != VT_OK)
		rc = vctl_fail("%s: not an ECDSA key on P-256 in PEM", path);
	if (rc == EXIT_OK) {
		*ret = (char *)pem;
		return EXIT_OK;
	}
	explicit_bzero(pem, len);
	free(pem);
	return rc;
}

static int
create(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	sd_bus_message *m, *reply;
	char *pem = NULL;
	int rc, r;

	(void)argc;
	if ((rc = read_public_key(a->key, &pem)) != EXIT_OK)
		return rc;
	if ((m = vctl_new_call(ctx, "GroupCreate")) == NULL) {
		free(pem);
		return EXIT_REFUSED;
	}
	r = sd_bus_message_append(m, "su", argv[0], a->number);
	if (r >= 0)
		r = append_settings(m, a, pem);
	free(pem);
	if ((reply = vctl_call(ctx, m, r)) == NULL)
		return EXIT_REFUSED;
	rc = report_created(ctx, argv[0], reply);
	sd_bus_message_unref(reply);
	return rc;
}

static int
report_done(
    struct vctl *v, sd_bus_message *reply, const char *name, const char *done)
{
	uint64_t us = 0;
	bool good;

	if (reply == NULL)
		return EXIT_REFUSED;
	good = vctl_take(reply, "t", &us);
	sd_bus_message_unref(reply);
	if (!good)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(json_pack(
		    "{s:s,s:I}", "name", name, "microseconds", (json_int_t)us));
	(void)printf("group %s: %s\n", name, done);
	return EXIT_OK;
}

static int
update(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	uint8_t *config = NULL;
	sd_bus_message *m;
	size_t len = 0;
	int r;

	(void)argc;
	if (a->config == NULL && !a->renew && a->vtpms == NULL &&
	    a->bytes == NULL && a->hw_ms == NULL)
		return opt_bad(&update_cmd, "nothing to change");
	if (a->config != NULL &&
	    tool_read(a->config, TENANT_CONFIG_MAX, &config, &len) != VT_OK)
		return EXIT_REFUSED;
	if ((m = vctl_new_call(ctx, "GroupUpdate")) == NULL) {
		free(config);
		return EXIT_REFUSED;
	}
	r = sd_bus_message_append(m, "s", argv[0]);
	if (r >= 0)
		r = append_settings(m, a, NULL);
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', config, len);
	free(config);
	return report_done(ctx, vctl_call(ctx, m, r), argv[0], "changed");
}

static int delete (void *ctx, void *args, int argc, char **argv)
{
	(void)args;
	(void)argc;
	return report_done(ctx, vctl_ask(ctx, "GroupDelete", "s", argv[0]),
	    argv[0], "deleted");
}

/* --- list, show ----------------------------------------------------------- */

/* "3 of 10", "3" without a limit. */
static const char *
of(uint64_t used, uint64_t max, char out[48])
{
	if (max == 0)
		(void)snprintf(out, 48, "%llu", (unsigned long long)used);
	else
		(void)snprintf(out, 48, "%llu of %llu",
		    (unsigned long long)used, (unsigned long long)max);
	return out;
}

static int
list(void *ctx, void *args, int argc, char **argv)
{
	struct vctl *v = ctx;
	char t[2][48];
	json_t *all, *g;
	size_t i;

	(void)args;
	(void)argc;
	(void)argv;
	if ((all = vctl_json(v, "GroupList", NULL)) == NULL)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(all);
	(void)printf("%6s  %-20s %-14s %-26s %s\n", "NUMBER", "NAME", "VTPMS",
	    "BYTES", "TPM MS");
	json_array_foreach(all, i, g)
	{
		const json_t *q = json_object_get(g, "quota");
		const json_t *u = json_object_get(g, "used");

		(void)printf("%6llu  %-20s %-14s %-26s %llu\n",
		    vctl_num(g, "number"), vctl_text(g, "name"),
		    of(vctl_num(u, "vtpms"), vctl_num(q, "vtpms"), t[0]),
		    of(vctl_num(u, "bytes"), vctl_num(q, "bytes"), t[1]),
		    vctl_num(json_object_get(g, "hw"), "ms"));
	}
	json_decref(all);
	return EXIT_OK;
}

static void
print_words(const json_t *list, const char *none)
{
	json_t *w;
	size_t i;

	if (json_array_size(list) == 0)
		(void)printf(" %s", none);
	json_array_foreach(list, i, w)(void) printf(" %s", vctl_word(w));
	(void)putchar('\n');
}

static void
show_one(const json_t *g)
{
	const json_t *c = json_object_get(g, "configuration");
	const json_t *q = json_object_get(g, "quota");
	const json_t *u = json_object_get(g, "used");
	const json_t *h = json_object_get(g, "hw");
	char t[48];

	(void)printf("group      %s, number %llu\n", vctl_text(g, "name"),
	    vctl_num(g, "number"));
	(void)printf("key        %s\n", vctl_text(g, "key"));
	(void)printf("sequence   %llu%s\n", vctl_num(c, "sequence"),
	    vctl_num(c, "sequence") == 0 ? " (nothing signed yet)" : "");
	(void)printf("PCRs       %s\n", vctl_text(c, "pcrs"));
	(void)printf("policies  ");
	print_words(json_object_get(c, "policies"), "any");
	(void)printf("admins    ");
	print_words(json_object_get(c, "admins"), "none but the host's");
	(void)printf("vTPMs      %s\n",
	    of(vctl_num(u, "vtpms"), vctl_num(q, "vtpms"), t));
	(void)printf("bytes      %s%s\n",
	    of(vctl_num(u, "bytes"), vctl_num(q, "bytes"), t),
	    vctl_is(u, "full") ? ": used up" : "");
	(void)printf("host's TPM %llu requests, %llu ms, waited %llu ms, "
		     "%llu delayed, %llu refused",
	    vctl_num(h, "requests"), vctl_num(h, "ms"), vctl_num(h, "wait_ms"),
	    vctl_num(h, "delayed"), vctl_num(h, "refused"));
	if (vctl_num(q, "hw_ms") != 0)
		(void)printf(
		    "; at most %llu ms a minute", vctl_num(q, "hw_ms"));
	(void)putchar('\n');
}

static int
show(void *ctx, void *args, int argc, char **argv)
{
	struct vctl *v = ctx;
	json_t *g;

	(void)args;
	(void)argc;
	if ((g = vctl_json(v, "GroupShow", argv[0])) == NULL)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(g);
	show_one(g);
	json_decref(g);
	return EXIT_OK;
}

/* --- tables --------------------------------------------------------------- */

#define QUOTAS                                                                \
	{ OPT_TEXT("vtpms", 0, "N", struct args, vtpms,                       \
	    "at most N vTPMs; 0 is no limit") },                              \
	    { OPT_TEXT("bytes", 0, "N", struct args, bytes,                   \
		"at most N bytes of sealed permanent state, all vTPMs "       \
		"together; "                                                  \
		"0 is no limit") },                                           \
	{                                                                     \
		OPT_TEXT("hw-ms", 0, "N", struct args, hw_ms,                 \
		    "at most N milliseconds of the host's TPM per minute; 0 " \
		    "is no "                                                  \
		    "limit")                                                  \
	}

static const struct opt create_opts[] = {
	{ OPT_TEXT("key", 0, "PEM", struct args, key,
	      "public half of the group's approval key, ECDSA on P-256"),
	    .needed = true },
	{ OPT_U32("number", "N", struct args, number, 0, UINT32_MAX,
	    "number of the group (default: the next one)") },
	QUOTAS,
	OPT_END,
};

static const struct opt update_opts[] = {
	{ OPT_TEXT("config", 0, "FILE", struct args, config,
	    "take this configuration, which the group's key has signed") },
	{ OPT_FLAG("renew-ak", 0, struct args, renew,
	    "make a new attestation key, after the host was recovered on "
	    "another TPM") },
	QUOTAS,
	OPT_END,
};

#define NAMED .operands = "NAME", .nmin = 1, .nmax = 1

static const struct opt_command create_cmd = {
	.name = "vtpmctl group create",
	.about = "Create a group: a tenant with a key, quotas and "
		 "administrators.\n",
	NAMED,
	.opts = create_opts,
	.size = sizeof(struct args),
	.run = create,
	.more = "Example:\n"
		"  vtpmctl group create acme --key acme.pub --vtpms 20\n",
};

static const struct opt_command list_cmd = {
	.name = "vtpmctl group list",
	.about = "List all groups and what they use.\n",
	.run = list,
};

static const struct opt_command show_cmd = {
	.name = "vtpmctl group show",
	.about = "Show one group.\n",
	NAMED,
	.run = show,
};

static const struct opt_command delete_cmd = {
	.name = "vtpmctl group delete",
	.about = "Delete a group that has no vTPMs.\n",
	NAMED,
	.run = delete,
};

static const struct opt_command update_cmd = {
	.name = "vtpmctl group update",
	.about = "Change a group: its signed configuration, its quotas or its "
		 "attestation key.\n",
	NAMED,
	.opts = update_opts,
	.size = sizeof(struct args),
	.run = update,
};

static const struct opt_command *const commands[] = { &create_cmd, &list_cmd,
	&show_cmd, &update_cmd, &delete_cmd, &vctl_group_quote,
	&vctl_group_sign, NULL };

const struct opt_command vctl_group = {
	.name = "vtpmctl group",
	.about = "Manage groups: tenants, each with a key, quotas and "
		 "administrators.\n",
	.commands = commands,
};
