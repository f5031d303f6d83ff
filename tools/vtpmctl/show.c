/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <stdio.h>

#include "tools/vtpmctl/vtpmctl.h"

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
		(void)printf("%s", vctl_text(k, "certificate"));
}

static void
print_banks(const json_t *o)
{
	const json_t *v;
	size_t i;

	(void)printf("%-12s", "Banks");
	json_array_foreach(json_object_get(o, "banks"), i, v)(void)
	    printf(" %s", json_string_value(v));
	(void)printf("\n");
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
	    "Worker", (unsigned long long)vctl_num(w, "pid"),
	    (unsigned long long)vctl_num(w, "pss_kb"),
	    (unsigned long long)vctl_num(w, "power_cycles"),
	    (unsigned long long)vctl_num(w, "crashes"),
	    json_is_true(json_object_get(w, "channel_open"))
		? ", channel in use"
		: "",
	    json_is_true(json_object_get(w, "capped"))
		? ", PCRs CAPPED until the next power cycle"
		: "");
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
	(void)printf(
	    "%-12s %llu\n", "Group", (unsigned long long)vctl_num(o, "group"));
	(void)printf("%-12s generation %llu, version %llu%s\n", "Stored",
	    (unsigned long long)vctl_num(o, "generation"),
	    (unsigned long long)vctl_num(o, "version"),
	    json_is_true(json_object_get(o, "restored"))
		? ", restored from a snapshot"
		: "");
	(void)printf("%-12s %s\n", "Created",
	    vctl_time(vctl_num(o, "created_ms"), when));
	(void)printf("%-12s %s\n", "Launch",
	    json_is_true(json_object_get(o, "launched")) ? "recorded"
							 : "none recorded");
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
		(void)printf("%-12s issued anew by this host's new CA, %s%s\n",
		    "Certificates", vctl_time(vctl_num(o, "reissued_ms"), when),
		    strcmp(vctl_text(o, "tpm"), "1.2") == 0
			? "; its NV memory keeps the old one (--certs gives "
			  "the new one)"
			: "");
	print_worker(o);
}

int
vctl_show(struct vctl *v, int argc, char **argv)
{
	static const struct option opts[] = {
		{ "certs", no_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	bool certs = false;
	const char *name;
	json_t *o;
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (c == '?')
			return vctl_usage(v, "wrong option");
		certs = true;
	}
	if ((name = vctl_one_name(v, argc, argv)) == NULL)
		return EXIT_USAGE;
	if ((o = vctl_json(v, "Show", name)) == NULL)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(o);
	print_human(o, certs);
	json_decref(o);
	return EXIT_OK;
}
