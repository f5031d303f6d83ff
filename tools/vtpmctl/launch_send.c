/* SPDX-License-Identifier: BSD-3-Clause */
/* launch_send.c - what the launches of all hypervisors have in common. */
#include "tools/vtpmctl/launch_send.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/util.h"
#include "base/version.h"
#include "tools/vtpmctl/print.h"

uint32_t
vctl_banks_of(const json_t *show, uint16_t *algs)
{
	static const uint16_t all[] = { ALG_SHA1, ALG_SHA256, ALG_SHA384,
		ALG_SHA512 };
	uint32_t n =
	    strcmp(vctl_text(show, "tpm"), "1.2") == 0 ? 1 : VT_NELEM(all);

	_Static_assert(VT_NELEM(all) <= PCR_MAX_BANKS, "algs has the room");
	memcpy(algs, all, n * sizeof(*all));
	return n;
}

int
vctl_banks(struct vctl *v, const char *name, uint16_t *algs, uint32_t *n)
{
	json_t *o = vctl_json(v, "Show", name);

	if (o == NULL)
		return EXIT_REFUSED;
	*n = vctl_banks_of(o, algs);
	json_decref(o);
	return *n > 0 ? EXIT_OK : vctl_fail("guest %s: no PCR banks", name);
}

int
vctl_new_record(
    struct launch_record **ret, const char *hypervisor, const char *policy)
{
	char build[64];
	int rc;

	(void)snprintf(
	    build, sizeof(build), "vtpm " VT_VERSION ", %s", hypervisor);
	if ((rc = launch_new(ret)) == VT_OK)
		rc = launch_set_build(*ret, build);
	if (rc == VT_OK && policy != NULL)
		rc = launch_set_policy(*ret, policy);
	return rc == VT_OK ? EXIT_OK
			   : vctl_fail("launch record: %s", vt_strerror(rc));
}

int
vctl_send_launch(struct vctl *v, const char *name,
    const struct launch_record *rec, int64_t domid)
{
	sd_bus_message *m = vctl_new_call(
			   v, domid == -1 ? "Launch" : "LaunchDomain"),
		       *reply;
	struct wr w;
	int r;

	if (m == NULL)
		return EXIT_REFUSED;
	wr_grow(&w, LAUNCH_MAX_LEN);
	launch_encode(rec, &w);
	r = wr_err(&w) != VT_OK ? -E2BIG : sd_bus_message_append(m, "s", name);
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', w.buf, w.len);
	if (r >= 0 && domid != -1)
		r = sd_bus_message_append(m, "u", (uint32_t)domid);
	wr_free(&w);
	if ((reply = vctl_call(v, m, r)) == NULL)
		return EXIT_REFUSED;
	sd_bus_message_unref(reply);
	return 0;
}

json_t *
vctl_launch_items(const struct launch_record *rec, bool human)
{
	json_t *items = json_array();
	char hex[2 * DIGEST_MAX + 1];
	uint32_t i;

	for (i = 0; i < rec->nitems; i++) {
		const struct launch_item *it = &rec->items[i];
		const char *role = launch_role_name(it->role);

		hex_encode(it->digests[0].val, it->digests[0].len, hex);
		(void)json_array_append_new(items,
		    json_pack("{s:s,s:s,s:s,s:I}", "role", role, "text",
			it->text, "digest", hex, "size", (json_int_t)it->size));
		if (human)
			log_info("%-10s %.16s..  %.*s", role, hex,
			    (int)strcspn(it->text, "\n"), it->text);
	}
	return items;
}
