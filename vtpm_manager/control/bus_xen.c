/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_xen.c - Xen(): the toolstack says that a domain is saved, restored or
 * moved (xenback_link.h).
 */
#include <stdio.h>
#include <string.h>

#include "vtpm_manager/control/bus.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/xen/xenback_link.h"

static void
on_claimed(
    void *arg, int rc, const char *text, uint32_t domid, const char *domain)
{
	char detail[256];
	struct bus_call *c = arg;

	(void)snprintf(detail, sizeof(detail), "%s: %.160s", c->step,
	    rc == VT_OK ? domain : text);
	bus_call_audit(c, rc, detail);
	if (rc != VT_OK)
		(void)bus_fail(c->msg, rc, text);
	else
		(void)sd_bus_reply_method_return(c->msg, "us", domid, domain);
	bus_call_free(c);
}

static int
read_claim(sd_bus_message *msg, struct xen_claim *ret, const char **ret_step)
{
	static const struct {
		const char *name;
		enum move_event what;
	} steps[] = {
		{ "save", MOVE_BEGIN_SAVE },
		{ "restore", MOVE_BEGIN_RESTORE },
		{ "migrate", MOVE_BEGIN_MOVE },
		{ "done", MOVE_DONE },
		{ "abort", MOVE_ABORT },
	};
	const char *step, *domain;
	const void *image;
	size_t len, i;

	if (sd_bus_message_read(msg, "s", &step) < 0 ||
	    sd_bus_message_read_array(msg, 'y', &image, &len) < 0 ||
	    sd_bus_message_read(msg, "us", &ret->domid, &domain) < 0)
		return VT_E_FORMAT;
	for (i = 0; i < VT_NELEM(steps); i++)
		if (strcmp(steps[i].name, step) == 0)
			break;
	if (i == VT_NELEM(steps) || (len != 0 && len != sizeof(ret->image)) ||
	    (domain[0] != '\0' && !xen_name_ok(domain)))
		return VT_E_FORMAT;
	if (len != 0)
		memcpy(ret->image, image, len);
	(void)snprintf(ret->domain, sizeof(ret->domain), "%s", domain);
	ret->what = steps[i].what;
	*ret_step = steps[i].name;
	return VT_OK;
}

/* Only over a connection of its own: its end says that the caller is gone. */
int
bus_xen(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	struct xen_claim claim = { .owner = sd_bus_message_get_bus(msg) };
	struct guest in;
	int r, rc;

	if (!bus_find(msg, m, &in, &r)) {
		bus_call_free(c);
		return r;
	}
	(void)snprintf(c->object, sizeof(c->object), "%s", in.name);
	c->step = "claim";
	rc = read_claim(msg, &claim, &c->step);
	if (rc == VT_OK && sd_bus_message_get_sender(msg) != NULL)
		rc = VT_E_UNSUPPORTED;
	if (rc == VT_OK)
		rc = xenlink_claim(m->xen, &in, &claim, on_claimed, c, c->text);
	if (rc == VT_OK)
		return 1;
	if (c->text[0] == '\0')
		(void)snprintf(c->text, sizeof(c->text), "%s", vt_strerror(rc));
	if (rc != VT_E_BUSY) {
		on_claimed(c, rc, c->text, 0, "");
		return 1;
	}
	r = bus_fail(msg, rc, c->text); /* it will ask again: no audit */
	bus_call_free(c);
	return r;
}
