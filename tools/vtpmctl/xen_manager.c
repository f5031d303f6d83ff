/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl launch xen: the manager that is told, here by its socket, or in a
 * domain of its own by that domain's console.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "base/base64.h"
#include "tools/vtpmctl/launch_xen_cmd.h"
#include "tools/launch/xl_console.h"

/* --- by the console ----------------------------------------------------------
 */

static int
console_failed(const struct xlaunch *x, int rc, const char *said)
{
	if (rc < 0)
		return vctl_fail("domain %s: its manager's console: %s",
		    x->plan.backend, vt_strerror(rc));
	return vctl_fail(
	    "domain %s: %.*s", x->plan.backend, (int)strcspn(said, "\n"), said);
}

static json_t *
console_json(struct xlaunch *x, const char *command)
{
	struct xcons *c = NULL;
	char *said = NULL, *p;
	json_error_t je;
	json_t *j;
	int rc;

	if (xcons_open(x->xl, x->plan.backend, &c) != EXIT_OK)
		return NULL;
	if ((rc = xcons_command(c, command, &said)) != 0) {
		(void)console_failed(x, rc, rc > 0 ? said : "");
		if (rc > 0)
			free(said);
		xcons_close(c);
		return NULL;
	}
	xcons_close(c);
	p = said + strcspn(said, "[{");
	if ((j = json_loads(p, JSON_REJECT_DUPLICATES, &je)) == NULL)
		(void)vctl_fail("domain %s: its manager's answer is no JSON "
				"(%s)",
		    x->plan.backend, je.text);
	free(said);
	return j;
}

static int
console_launch(struct xlaunch *x, uint32_t domid)
{
	char command[160], *said = NULL, *b64;
	struct xcons *c = NULL;
	struct wr w;
	int rc;

	wr_grow(&w, LAUNCH_MAX_LEN);
	launch_encode(x->rec, &w);
	b64 = wr_err(&w) == VT_OK ? b64_make(w.buf, w.len) : NULL;
	wr_free(&w);
	if (b64 == NULL)
		return vctl_fail("the launch record is too long");
	if ((rc = xcons_open(x->xl, x->plan.backend, &c)) == EXIT_OK) {
		(void)snprintf(command, sizeof(command),
		    "launch record %s --domid %u --in /tmp/in", x->vtpm, domid);
		rc = xcons_send(c, b64);
		if (rc == VT_OK)
			rc = xcons_command(c, command, &said);
		if (rc != 0)
			rc = console_failed(x, rc, said != NULL ? said : "");
	}
	free(said);
	free(b64);
	xcons_close(c);
	return rc;
}

/* --- either way --------------------------------------------------------------
 */

int
xmgr_find(struct xlaunch *x)
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
		return vctl_fail("%s: no vTPM has uuid %s; make it first: "
				 "vtpmctl create NAME --uuid %s",
		    x->cfg, uuid, uuid);
	return 0;
}

int
xmgr_banks(struct xlaunch *x)
{
	char command[96];
	json_t *o, *b;
	size_t i;

	if (!x->remote)
		return vctl_banks(x->v, x->vtpm, x->algs, &x->nalgs);
	(void)snprintf(command, sizeof(command), "--json show %s", x->vtpm);
	if ((o = console_json(x, command)) == NULL)
		return EXIT_REFUSED;
	json_array_foreach(json_object_get(o, "banks"), i, b)
	{
		if (x->nalgs < PCR_MAX_BANKS && json_is_string(b))
			x->algs[x->nalgs++] = digest_alg(json_string_value(b));
	}
	json_decref(o);
	return x->nalgs > 0 ? 0 : vctl_fail("guest %s: no PCR banks", x->vtpm);
}

int
xmgr_launch(struct xlaunch *x, uint32_t domid)
{
	return x->remote ? console_launch(x, domid)
			 : vctl_send_launch(x->v, x->vtpm, x->rec, domid);
}
