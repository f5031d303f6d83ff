/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_xen.c - Xen(): the toolstack announces that it saves, restores or moves
 * a domain (xenback_link.h).
 */
#include <stdio.h>
#include <string.h>

#include "vtpm_manager/control/methods.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/xen/xen_move.h"

struct xen_call {
	const char *step; /* static */
};

static void
on_claimed(
    void *arg, int rc, const char *text, uint32_t domid, const char *domain)
{
	struct bus_call *c = arg;
	const struct xen_call *x = c->state;
	char detail[256];

	(void)snprintf(detail, sizeof(detail), "%s: %.160s", x->step,
	    rc == VT_OK ? domain : text);
	bus_call_audit(c, rc, detail);
	if (rc != VT_OK) {
		bus_call_fail(c, rc, text);
		return;
	}
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

int
bus_xen(struct bus_call *c)
{
	/* The end of the connection tells that the caller is gone, so the
	 * system bus, which all callers share, does not do. */
	struct xen_claim claim = { .owner = sd_bus_message_get_bus(c->msg) };
	struct xen_call *x = bus_call_state(c, sizeof(*x));
	struct guest in;
	int rc;

	if (x == NULL)
		return VT_E_NOMEM;
	if (!bus_call_find(c, &in))
		return VT_OK;
	x->step = "claim";
	rc = read_claim(c->msg, &claim, &x->step);
	if (rc == VT_OK && sd_bus_message_get_sender(c->msg) != NULL)
		rc = VT_E_UNSUPPORTED;
	if (rc == VT_OK)
		rc = xen_move_claim(
		    c->m->xen, &in, &claim, on_claimed, c, c->text);
	if (rc == VT_OK)
		return VT_OK;
	if (c->text[0] == '\0')
		(void)snprintf(c->text, sizeof(c->text), "%s", vt_strerror(rc));
	if (rc == VT_E_BUSY) /* the caller repeats it: no record for each */
		bus_call_fail(c, rc, c->text);
	else
		on_claimed(c, rc, c->text, 0, "");
	return VT_OK;
}
