/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vtpmctl/vtpmctl.h"

static bool
number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static json_t *
ask(struct vctl *v, uint64_t from, uint32_t max)
{
	sd_bus_message *m = vctl_new_call(v, "Audit"), *reply;
	const char *text;
	json_t *j = NULL;

	if (m == NULL)
		return NULL;
	if (sd_bus_message_append(m, "tu", from, max) < 0) {
		sd_bus_message_unref(m);
		return NULL;
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return NULL;
	if (sd_bus_message_read(reply, "s", &text) >= 0)
		j = json_loads(text, 0, NULL);
	if (j == NULL)
		(void)vctl_fail("the manager's answer cannot be read");
	sd_bus_message_unref(reply);
	return j;
}

int
vctl_audit(struct vctl *v, int argc, char **argv)
{
	static const struct option opts[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "max", required_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t from = 0, max = 0;
	json_t *list, *r;
	char when[32];
	size_t i;
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1)
		if (c == '?' || !number(optarg, c == 'f' ? &from : &max) ||
		    max > UINT32_MAX)
			return vctl_usage(v, "wrong option");
	if (optind != argc)
		return vctl_usage(v, "it takes no name");
	if ((list = ask(v, from, (uint32_t)max)) == NULL)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(list);
	json_array_foreach(list, i, r)(void)
	    printf("%6llu %s  %-18s %-14s %-16s %-8s %s\n",
		(unsigned long long)vctl_num(r, "seq"),
		vctl_time(vctl_num(r, "time_ms"), when), vctl_text(r, "who"),
		vctl_text(r, "action"), vctl_text(r, "object"),
		vctl_text(r, "result"), vctl_text(r, "detail"));
	json_decref(list);
	return EXIT_OK;
}
