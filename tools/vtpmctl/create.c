/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/vtpmctl/vtpmctl.h"

static int
report(struct vctl *v, const char *name, sd_bus_message *reply)
{
	const char *uuid;
	int from_pool;
	uint64_t us;

	if (sd_bus_message_read(reply, "stb", &uuid, &us, &from_pool) < 0)
		return vctl_fail("the manager's answer cannot be read");
	if (v->json)
		return vctl_print_json(json_pack("{s:s,s:s,s:I,s:b}", "name",
		    name, "uuid", uuid, "microseconds", (json_int_t)us,
		    "from_pool", from_pool));
	(void)printf("%s  %s  created in %.1f ms%s\n", name, uuid,
	    (double)us / 1000,
	    from_pool ? "" : " (manufactured now, the pool had none)");
	return EXIT_OK;
}

/* The options go as they are: the manager says what is wrong with them. */
int
vctl_create(struct vctl *v, int argc, char **argv)
{
	static const struct option opts[] = {
		{ "tpm", required_argument, NULL, 't' },
		{ "uuid", required_argument, NULL, 'u' },
		{ "banks", required_argument, NULL, 'b' },
		{ "group", required_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	const char *keys[4], *values[4], *name;
	sd_bus_message *m, *reply;
	size_t n = 0, i;
	int o, k, rc, r;

	while ((o = getopt_long(argc, argv, "", opts, &k)) != -1) {
		if (o == '?' || n == 4)
			return vctl_usage(v, "wrong option");
		keys[n] = opts[k].name;
		values[n++] = optarg;
	}
	if ((name = vctl_one_name(v, argc, argv)) == NULL)
		return EXIT_USAGE;
	if ((m = vctl_new_call(v, "Create")) == NULL)
		return EXIT_REFUSED;
	r = sd_bus_message_append(m, "s", name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "{ss}");
	for (i = 0; r >= 0 && i < n; i++)
		r = sd_bus_message_append(m, "{ss}", keys[i], values[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r < 0) {
		sd_bus_message_unref(m);
		return vctl_fail("'%s' cannot be sent: %s", name, strerror(-r));
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return EXIT_REFUSED;
	rc = report(v, name, reply);
	sd_bus_message_unref(reply);
	return rc;
}
