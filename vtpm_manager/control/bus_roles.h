/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_roles.h - who may do what.
 *
 * Layer:  vtpm_manager.
 */
#ifndef VTPM_MANAGER_CONTROL_BUS_ROLES_H
#define VTPM_MANAGER_CONTROL_BUS_ROLES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "vtpm_manager/core/config.h"

enum bus_role { ROLE_NONE = 0, ROLE_READER, ROLE_OPERATOR, ROLE_ADMIN };

#define BUS_GROUPS_MAX 64

struct bus_who {
	uid_t uid;
	pid_t pid;
	enum bus_role role;
	char text[64]; /* "uid 0 (admin)", for the audit log */
};

const char *bus_role_name(enum bus_role r);
/*
 * The highest role that uid or one of its groups has.  root and owner (the
 * manager's own uid) are admins.
 */
enum bus_role bus_role_of(const struct config *cfg, uid_t uid, uid_t owner,
    const gid_t *groups, size_t n);
/* Fill *ret from a connected Unix socket. */
int bus_who_of_socket(
    const struct config *cfg, int fd, struct bus_who *ret) VT_CHECK;
void bus_who_set(struct bus_who *w, const struct config *cfg, uid_t uid,
    pid_t pid, const gid_t *groups, size_t n);

#endif
