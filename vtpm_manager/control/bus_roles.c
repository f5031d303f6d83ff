/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_roles.c - from a caller's credentials to its role.
 */
#include "vtpm_manager/control/bus_roles.h"

#include <sys/socket.h>

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/util.h"

const char *
bus_role_name(enum bus_role r)
{
	static const char *const names[] = { "nobody", "reader", "operator",
		"admin" };

	return names[r];
}

static bool
in_groups(const char *list, const gid_t *groups, size_t n)
{
	const struct group *g;
	size_t i;

	if (list[0] == '\0')
		return false;
	for (i = 0; i < n; i++)
		if ((g = getgrgid(groups[i])) != NULL &&
		    config_list_has(list, g->gr_name))
			return true;
	return false;
}

enum bus_role
bus_role_of(const struct config *cfg, uid_t uid, uid_t owner,
    const gid_t *groups, size_t n)
{
	const struct {
		enum bus_role role;
		const char *users, *groups;
	} lists[] = {
		{ ROLE_ADMIN, cfg->admin_users, cfg->admin_groups },
		{ ROLE_OPERATOR, cfg->operator_users, cfg->operator_groups },
		{ ROLE_READER, cfg->reader_users, cfg->reader_groups },
	};
	const struct passwd *pw;
	size_t i;

	if (uid == 0 || uid == owner)
		return ROLE_ADMIN;
	for (i = 0; i < VT_NELEM(lists); i++) {
		if (lists[i].users[0] != '\0' && (pw = getpwuid(uid)) != NULL &&
		    config_list_has(lists[i].users, pw->pw_name))
			return lists[i].role;
		if (in_groups(lists[i].groups, groups, n))
			return lists[i].role;
	}
	return ROLE_NONE;
}

static void
set_who(struct bus_who *w, const struct config *cfg, uid_t uid, pid_t pid,
    const gid_t *groups, size_t n)
{
	w->uid = uid;
	w->pid = pid;
	w->role = bus_role_of(cfg, uid, geteuid(), groups, n);
	(void)snprintf(w->text, sizeof(w->text), "uid %u (%s)",
	    (unsigned int)uid, bus_role_name(w->role));
}

int
bus_who_of_socket(const struct config *cfg, int fd, struct bus_who *ret)
{
	gid_t groups[BUS_GROUPS_MAX + 1];
	socklen_t len = sizeof(struct ucred), glen;
	struct ucred cr;
	size_t n;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cr, &len) == -1)
		return VT_E_SYS;
	glen = BUS_GROUPS_MAX * sizeof(gid_t);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &glen) == -1)
		glen = 0; /* too many: only the primary group counts */
	n = glen / sizeof(gid_t);
	groups[n++] = cr.gid;
	set_who(ret, cfg, cr.uid, cr.pid, groups, n);
	ret->metrics = in_groups(cfg->metrics_group, groups, n);
	return VT_OK;
}

int
bus_who_of_message(
    const struct config *cfg, sd_bus_message *msg, struct bus_who *ret)
{
	gid_t groups[BUS_GROUPS_MAX];
	int n = BUS_GROUPS_MAX, r;
	const struct passwd *pw;
	sd_bus_creds *cr = NULL;
	uid_t uid = (uid_t)-1;
	pid_t pid = 0;

	/* Only what the bus daemon knows.  SD_BUS_CREDS_AUGMENT would read
	 * more from /proc/PID, which may be another process by now; so the
	 * groups are those of the user. */
	r = sd_bus_query_sender_creds(
	    msg, SD_BUS_CREDS_EUID | SD_BUS_CREDS_PID, &cr);
	if (r >= 0)
		r = sd_bus_creds_get_euid(cr, &uid);
	if (r >= 0)
		(void)sd_bus_creds_get_pid(cr, &pid);
	sd_bus_creds_unref(cr);
	if (r < 0)
		return VT_E_DENIED;
	if ((pw = getpwuid(uid)) == NULL ||
	    getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) == -1)
		n = 0; /* unknown, or too many */
	set_who(ret, cfg, uid, pid, groups, (size_t)n);
	return VT_OK;
}
