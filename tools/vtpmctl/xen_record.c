/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_record.c - vtpmctl launch record: a launch that dom0 measured and
 * started, for a manager in a separate domain.  dom0 makes the domains, so
 * its word by that domain's console counts as much as it does in dom0 itself.
 */
#include <stdlib.h>

#include "base/base64.h"
#include "base/options.h"
#include "base/util.h"
#include "measure/log/launch_record.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/launch_send.h"
#include "tools/vtpmctl/print.h"

#define DOMID_MAX 0x7fef /* xen.h: DOMID_FIRST_RESERVED - 1 */

struct args {
	const char *file;
	uint32_t domid;
};

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
		return vctl_fail("%s: not a launch record in base64: %s", file,
		    vt_strerror(rc));
	rc = vctl_send_launch(v, name, rec, domid);
	launch_free(rec);
	return rc;
}

static int
record(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;

	(void)argc;
	return send_file(ctx, argv[0], a->file, a->domid);
}

static const struct opt opts[] = {
	{ OPT_U32("domid", "N", struct args, domid, 0, DOMID_MAX,
	      "the paused domain that was measured"),
	    .needed = true },
	{ OPT_TEXT("in", 0, "FILE", struct args, file,
	      "the launch record, in base64"),
	    .needed = true },
	OPT_END,
};

const struct opt_command vctl_launch_record = {
	.name = "vtpmctl launch record",
	.about = "Record a launch that another domain, dom0, has measured.\n"
		 "For a manager in a separate domain; vtpmctl launch xen in "
		 "dom0 calls it over that domain's console.\n",
	.operands = "NAME",
	.nmin = 1,
	.nmax = 1,
	.opts = opts,
	.size = sizeof(struct args),
	.run = record,
};
