/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl launch record: a launch that another domain measured and started,
 * for a manager in a domain of its own.  Who launches is dom0, by that
 * domain's console; it makes the domains, so its word is as good here as
 * there.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "base/base64.h"
#include "measure/log/launch_record.h"
#include "tools/vtpmctl/vtpmctl.h"

#define DOMID_END 0x7ff0 /* xen.h: DOMID_FIRST_RESERVED */

static int
send_file(struct vctl *v, const char *name, const char *file, uint32_t domid)
{
	struct launch_record *rec = NULL;
	uint8_t *text = NULL, *raw = NULL;
	size_t len, raw_len;
	int rc;

	rc = read_file(file, 2 * LAUNCH_MAX_LEN, &text, &len);
	while (rc == VT_OK && len > 0 && text[len - 1] == '\n')
		len--;
	if (rc == VT_OK)
		rc = b64_get((char *)text, len, &raw, &raw_len);
	if (rc == VT_OK)
		rc = launch_decode(raw, raw_len, &rec);
	free(raw);
	free(text);
	if (rc != VT_OK)
		return vctl_fail("%s: no launch record in base64: %s", file,
		    vt_strerror(rc));
	rc = vctl_send_launch(v, name, rec, domid);
	launch_free(rec);
	return rc;
}

int
vctl_launch_record(struct vctl *v, int argc, char **argv)
{
	static const struct option opts[] = {
		{ "domid", required_argument, NULL, 'd' },
		{ "in", required_argument, NULL, 'i' },
		{ NULL, 0, NULL, 0 },
	};
	const char *name, *file = NULL, *domid = NULL;
	unsigned long id;
	char *end;
	int o;

	optind = 0;
	while ((o = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (o == '?')
			return vctl_usage(v, "wrong option");
		if (o == 'd')
			domid = optarg;
		else
			file = optarg;
	}
	if ((name = vctl_one_name(v, argc, argv)) == NULL)
		return EXIT_USAGE;
	if (domid == NULL || file == NULL)
		return vctl_usage(v, "--domid and --in are needed");
	id = strtoul(domid, &end, 10);
	if (domid[0] < '0' || domid[0] > '9' || *end != '\0' || id >= DOMID_END)
		return vctl_usage(v, "'%s' is no domain id", domid);
	return send_file(v, name, file, (uint32_t)id);
}
