/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_manager.c - vtpmctl launch xen: the vTPM's manager, here on its socket
 * or in a separate domain on that domain's console.
 */
#include "tools/vtpmctl/xen_manager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "tools/launch/xl_console.h"
#include "tools/vtpmctl/launch_send.h"
#include "tools/vtpmctl/print.h"

/* --- by the console ----------------------------------------------------------
 */

static int
console_failed(const struct xlaunch *x, int rc, const char *said)
{
	if (rc < 0 || said == NULL)
		return vctl_fail("domain %s: its manager's console: %s",
		    x->plan.backend, vt_strerror(rc));
	return vctl_fail(
	    "domain %s: %.*s", x->plan.backend, (int)strcspn(said, "\n"), said);
}

/* NULL after a message. */
static struct xcons *
open_console(const struct xlaunch *x)
{
	char why[XCONS_WHY_MAX];
	struct xcons *c = NULL;

	if (xcons_open(x->xl, x->plan.backend, &c, why) != VT_OK)
		(void)vctl_fail("%s", why);
	return c;
}

static json_t *
console_json(struct xlaunch *x, const char *command)
{
	struct xcons *c = open_console(x);
	char *said = NULL;
	json_error_t je;
	json_t *j = NULL;
	int rc;

	if (c == NULL)
		return NULL;
	if ((rc = xcons_command(c, command, &said)) != 0)
		(void)console_failed(x, rc, said);
	else if ((j = json_loads(said + strcspn(said, "[{"),
		      JSON_REJECT_DUPLICATES, &je)) == NULL)
		(void)vctl_fail(
		    "domain %s: its manager's answer is not JSON: %s",
		    x->plan.backend, je.text);
	free(said);
	xcons_close(c);
	return j;
}

static int
console_launch(struct xlaunch *x, uint32_t domid)
{
	char command[160], *said = NULL, *b64;
	struct xcons *c;
	struct wr w;
	int rc;

	wr_grow(&w, LAUNCH_MAX_LEN);
	launch_encode(x->rec, &w);
	b64 = wr_err(&w) == VT_OK ? b64_make(w.buf, w.len) : NULL;
	wr_free(&w);
	if (b64 == NULL)
		return vctl_fail("the launch record is too long");
	if ((c = open_console(x)) == NULL) {
		free(b64);
		return EXIT_REFUSED;
	}
	(void)snprintf(command, sizeof(command),
	    "launch record %s --domid %u --in /tmp/in", x->vtpm, domid);
	if ((rc = xcons_send(c, b64)) == VT_OK)
		rc = xcons_command(c, command, &said);
	if (rc != 0)
		rc = console_failed(x, rc, said);
	free(said);
	free(b64);
	xcons_close(c);
	return rc;
}

/* --- either way --------------------------------------------------------------
 */

int
xen_manager_find(struct xlaunch *x)
{
	char uuid[UUID_STRLEN + 1];
	json_t *list, *o;
	size_t i;

	uuid_format(x->plan.vtpm, uuid);
	x->remote = strcmp(x->plan.backend, "0") != 0 &&
		    strcmp(x->plan.backend, "Domain-0") != 0;
	list = x->remote ? console_json(x, "--json list")
			 : vctl_json(x->v, "List", NULL);
	if (list == NULL)
		return EXIT_REFUSED;
	json_array_foreach(list, i, o)
	{
		if (strcmp(vctl_text(o, "uuid"), uuid) == 0)
			(void)snprintf(x->vtpm, sizeof(x->vtpm), "%s",
			    vctl_text(o, "name"));
	}
	json_decref(list);
	if (x->vtpm[0] == '\0')
		return vctl_fail("%s: no vTPM has uuid %s; create it first: "
				 "vtpmctl create NAME --uuid %s",
		    x->cfg, uuid, uuid);
	return 0;
}

int
xen_manager_banks(struct xlaunch *x)
{
	char command[96];
	json_t *o;

	if (!x->remote)
		return vctl_banks(x->v, x->vtpm, x->algs, &x->nalgs);
	(void)snprintf(command, sizeof(command), "--json show %s", x->vtpm);
	if ((o = console_json(x, command)) == NULL)
		return EXIT_REFUSED;
	x->nalgs = vctl_banks_of(o, x->algs);
	json_decref(o);
	return x->nalgs > 0 ? 0 : vctl_fail("guest %s: no PCR banks", x->vtpm);
}

int
xen_manager_launch(struct xlaunch *x, uint32_t domid)
{
	return x->remote ? console_launch(x, domid)
			 : vctl_send_launch(x->v, x->vtpm, x->rec, domid);
}
