/* SPDX-License-Identifier: BSD-3-Clause */
/* guest_owner.c - the user whose processes may be a guest's front half. */
#include "vtpm_manager/guest/guest_owner.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/store/store.h"

static int
uid_of(const char *user, uint32_t *ret)
{
	const struct passwd *pw = getpwnam(user);
	unsigned long n;
	char *end;

	if (pw != NULL) {
		*ret = pw->pw_uid;
		return VT_OK;
	}
	if (user[0] < '0' || user[0] > '9')
		return VT_E_NOTFOUND;
	errno = 0;
	n = strtoul(user, &end, 10);
	if (*end != '\0' || errno != 0 || n >= UINT32_MAX)
		return VT_E_NOTFOUND;
	*ret = (uint32_t)n;
	return VT_OK;
}

uint32_t
guest_owner(const struct mgr *m, const struct guest *in)
{
	uint32_t uid;

	if (in->owner != 0)
		return in->owner;
	if (m->cfg.guest_owner[0] == '\0')
		return geteuid();
	/* Checked at start; of a user who went since then, root alone may. */
	return uid_of(m->cfg.guest_owner, &uid) == VT_OK ? uid : geteuid();
}

int
guest_owner_parse(const char *user, uint32_t *ret, char *text)
{
	uint32_t uid;

	if (uid_of(user, &uid) != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "owner: there is no user '%.64s'", user);
		return VT_E_NOTFOUND;
	}
	if (geteuid() != 0 && uid != geteuid()) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "owner: only a manager that runs as root can give a guest "
		    "to another user");
		return VT_E_DENIED;
	}
	*ret = uid == geteuid() ? 0 : uid;
	return VT_OK;
}

/* --- change --- */

struct change {
	struct mgr *m;
	mgr_done_cb cb;
	void *arg;
};

static void
on_durable(void *arg, int rc)
{
	char why[MGR_TEXT_MAX] = "";
	struct change *c = arg;

	if (rc != VT_OK)
		commit_text(c->m, rc, why, sizeof(why));
	c->cb(c->arg, rc, why);
	free(c);
}

int
guest_owner_set(struct mgr *m, const struct guest *in, uint32_t owner,
    mgr_done_cb cb, void *arg, char *text)
{
	struct change *c;
	int rc;

	if (guest_live(m, in->uuid) != NULL) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: is running; its owner changes only while it is "
		    "stopped",
		    in->name);
		return VT_E_STATE;
	}
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return VT_E_NOMEM;
	c->m = m;
	c->cb = cb;
	c->arg = arg;
	if ((rc = store_guest_owner(m->st, in->uuid, owner)) != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX, "guest %s: %s", in->name,
		    store_why(m->st));
		free(c);
		return rc;
	}
	commit_soon(m, on_durable, c);
	return VT_OK;
}
