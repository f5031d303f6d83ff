/* SPDX-License-Identifier: BSD-3-Clause */
/* show.c - vtpmctl show: one vTPM with its keys, stored state and worker. */
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

struct args {
	bool certs;
};

static void
print_key(const json_t *o, const char *key, const char *title, bool certs)
{
	const json_t *k = json_object_get(o, key);

	if (k == NULL)
		return;
	(void)printf("%-12s %s\n", title,
	    json_object_get(k, "name") != NULL
		? vctl_text(k, "name")
		: "(see its public area with --json)");
	if (json_object_get(k, "certificate") == NULL)
		(void)printf("%-12s no certificate\n", "");
	else if (certs)
		(void)printf(
		    "%s", json_string_value(json_object_get(k, "certificate")));
}

static void
print_banks(const json_t *o)
{
	const json_t *next = json_object_get(o, "banks_next");
	json_t *v;
	size_t i;

	(void)printf("%-12s", "Banks");
	json_array_foreach(json_object_get(o, "banks"), i, v)(void)
	    printf(" %s", vctl_word(v));
	(void)printf(
	    "%s", next != NULL ? "; from the next power cycle on" : "");
	json_array_foreach(next, i, v)(void) printf(" %s", vctl_word(v));
	(void)printf("\n");
}

static void
print_lockout(const json_t *worker)
{
	const json_t *l =
	    json_object_get(json_object_get(worker, "info"), "lockout");

	if (l == NULL)
		return;
	(void)printf("%-12s %llu of %llu wrong passwords counted, one is "
		     "forgiven every %llu s%s\n",
	    "Lockout", vctl_num(l, "wrong"), vctl_num(l, "max"),
	    vctl_num(l, "recovery_s"),
	    vctl_is(l, "locked")
		? ": LOCKED, keys with a password cannot be used"
		: "");
}

static void
print_worker(const json_t *o)
{
	const json_t *w = json_object_get(o, "worker");
	const json_t *c = json_object_get(o, "channels");

	if (w == NULL)
		return;
	(void)printf("%-12s pid %llu, %llu KB, %llu power cycle(s), %llu "
		     "crash(es)%s%s\n",
	    "Worker", vctl_num(w, "pid"), vctl_num(w, "pss_kb"),
	    vctl_num(w, "power_cycles"), vctl_num(w, "crashes"),
	    vctl_is(w, "channel_open") ? ", channel in use" : "",
	    vctl_is(w, "capped") ? ", PCRs CAPPED until the next power cycle"
				 : "");
	print_lockout(w);
	(void)printf("%-12s %s\n%-12s %s\n", "Channels", vctl_text(c, "local"),
	    "", vctl_text(c, "swtpm"));
}

static void
print_human(const json_t *o, bool certs)
{
	const json_t *saved;
	char when[32];

	(void)printf("%-12s %s\n", "Name", vctl_text(o, "name"));
	(void)printf("%-12s %s\n", "UUID", vctl_text(o, "uuid"));
	(void)printf("%-12s %s\n", "TPM", vctl_text(o, "tpm"));
	(void)printf("%-12s %s\n", "State", vctl_text(o, "state"));
	if (json_object_get(o, "why") != NULL)
		(void)printf("%-12s %s\n", "", vctl_text(o, "why"));
	(void)printf("%-12s %llu\n", "Group", vctl_num(o, "group"));
	(void)printf("%-12s uid %llu\n", "Owner", vctl_num(o, "owner"));
	(void)printf("%-12s generation %llu, version %llu%s\n", "Stored",
	    vctl_num(o, "generation"), vctl_num(o, "version"),
	    vctl_is(o, "restored") ? ", restored from a snapshot" : "");
	(void)printf("%-12s %s\n", "Created",
	    vctl_time(vctl_num(o, "created_ms"), when));
	(void)printf("%-12s %s\n", "Launch",
	    vctl_is(o, "launched") ? "recorded" : "none recorded");
	if ((saved = json_object_get(o, "saved")) != NULL)
		(void)printf("%-12s domain %s, %s\n%-12s image %s\n", "Saved",
		    vctl_text(saved, "domain"),
		    vctl_time(vctl_num(saved, "time_ms"), when), "",
		    vctl_text(saved, "image"));
	print_banks(o);
	print_key(o, "ek_rsa", "EK (RSA)", certs);
	print_key(o, "ek_ecc", "EK (ECC)", certs);
	print_key(o, "ak", "AK", certs);
	if (json_object_get(o, "reissued_ms") != NULL)
		(void)printf("%-12s reissued by this host's new CA, %s%s\n",
		    "Certificates", vctl_time(vctl_num(o, "reissued_ms"), when),
		    strcmp(vctl_text(o, "tpm"), "1.2") == 0
			? "; its NV memory keeps the old one (--certs gives "
			  "the new one)"
			: "");
	print_worker(o);
}

static int
show(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	struct vctl *v = ctx;
	json_t *o;

	(void)argc;
	if ((o = vctl_json(v, "Show", argv[0])) == NULL)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(o);
	print_human(o, a->certs);
	json_decref(o);
	return EXIT_OK;
}

static const struct opt opts[] = {
	{ OPT_FLAG("certs", 0, struct args, certs,
	    "show the certificates, in PEM; --json always has them") },
	OPT_END,
};

const struct opt_command vctl_show = {
	.name = "vtpmctl show",
	.about = "Show one vTPM: its keys, its stored state and its worker.\n",
	.operands = "NAME",
	.nmin = 1,
	.nmax = 1,
	.opts = opts,
	.size = sizeof(struct args),
	.run = show,
};
