/* SPDX-License-Identifier: BSD-3-Clause */
/* guest_owner.c - the user whose processes may be a guest's front half. */
#include "vtpm_manager/guest/guest_owner.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/store/store.h"

static int
uid_of(const char *user, uint32_t *ret)
{
	const struct passwd *pw = getpwnam(user);

	if (pw != NULL) {
		*ret = pw->pw_uid;
		return VT_OK;
	}
	return dec_u32(user, ret) == VT_OK && *ret != UINT32_MAX
		   ? VT_OK
		   : VT_E_NOTFOUND;
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

int
guest_owner_set(struct mgr *m, const struct guest *in, uint32_t owner,
    mgr_done_cb cb, void *arg, char *text)
{
	int rc;

	if (guest_live(m, in->uuid) != NULL) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: is running; its owner changes only while it is "
		    "stopped",
		    in->name);
		return VT_E_STATE;
	}
	if ((rc = store_guest_owner(m->st, in->uuid, owner)) != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX, "guest %s: %s", in->name,
		    store_why(m->st));
		return rc;
	}
	commit_reply(m, cb, arg);
	return VT_OK;
}
