/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl recover: take a store, or a vTPM, that is refused for being old.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vtpmctl/vtpmctl.h"

static int
ask(struct vctl *v, char **names, const char *reason)
{
	sd_bus_message *m = vctl_new_call(v, "Recover"), *reply;
	uint32_t n = 0;
	int r;

	if (m == NULL)
		return EXIT_REFUSED;
	if ((r = sd_bus_message_append_strv(m, names)) < 0 ||
	    (r = sd_bus_message_append(m, "s", reason)) < 0) {
		sd_bus_message_unref(m);
		return vctl_fail("it cannot be sent: %s", strerror(-r));
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return EXIT_REFUSED;
	r = sd_bus_message_read(reply, "u", &n);
	sd_bus_message_unref(reply);
	if (r < 0)
		return vctl_fail("the manager's answer cannot be read");
	if (v->json)
		return vctl_print_json(
		    json_pack("{s:I}", "recovered", (json_int_t)n));
	(void)printf("%u recovered; what is signed for them says so from now "
		     "on\n",
	    n);
	return EXIT_OK;
}

int
vctl_recover(struct vctl *v, int argc, char **argv)
{
	static const struct option opts[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "instance", required_argument, NULL, 'i' },
		{ "reason", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	const char *reason = NULL;
	char **names;
	bool all = false;
	size_t n = 0;
	int o, rc;

	if ((names = calloc((size_t)argc + 1, sizeof(*names))) == NULL)
		return vctl_fail("out of memory");
	while ((o = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (o == 'a')
			all = true;
		else if (o == 'i')
			names[n++] = optarg;
		else if (o == 'r')
			reason = optarg;
		else {
			free(names);
			return vctl_usage(v, "wrong option");
		}
	}
	while (optind < argc) /* --instance NAME NAME ... */
		names[n++] = argv[optind++];
	if (all == (n > 0))
		rc = vctl_usage(v, "either --all or --instance NAME");
	else if (reason == NULL || reason[0] == '\0')
		rc = vctl_usage(v, "say why (--reason): it is audited");
	else
		rc = ask(v, names, reason);
	free(names);
	return rc;
}
