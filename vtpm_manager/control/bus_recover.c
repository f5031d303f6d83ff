/* SPDX-License-Identifier: BSD-3-Clause */
/* Recover: an operator takes what is refused for being old. */
#include <stdlib.h>

#include "vtpm_manager/control/bus.h"
#include "vtpm_manager/commit/anchor.h"

/* mgr_recover() has audited what it did. */
static void
on_recovered(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;

	if (rc != VT_OK)
		(void)bus_fail(c->msg, rc, text);
	else
		(void)sd_bus_reply_method_return(c->msg, "u", c->count);
	bus_call_free(c);
}

int
bus_recover(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	char **names = NULL;
	const char *reason;
	size_t i;
	int r, rc;

	if ((r = sd_bus_message_read_strv(msg, &names)) < 0 ||
	    (r = sd_bus_message_read(msg, "s", &reason)) < 0) {
		bus_call_free(c);
		return r;
	}
	rc = mgr_recover(m, names != NULL && names[0] != NULL ? names : NULL,
	    reason, c->who, on_recovered, c, &c->count, c->text);
	for (i = 0; names != NULL && names[i] != NULL; i++)
		free(names[i]);
	free(names);
	return rc != VT_OK ? bus_call_refuse(c, rc) : 1;
}
