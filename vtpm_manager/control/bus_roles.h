/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_roles.h - who a caller is, and the role that the configuration gives it.
 *
 * Layer:  vtpm_manager/control.
 * Trust:  user, groups and pid come from the kernel or from the bus daemon,
 *         never from what the caller says.
 */
#ifndef VTPM_MANAGER_CONTROL_BUS_ROLES_H
#define VTPM_MANAGER_CONTROL_BUS_ROLES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "base/err.h"
#include "vtpm_manager/core/config.h"

enum bus_role { ROLE_NONE = 0, ROLE_READER, ROLE_OPERATOR, ROLE_ADMIN };

#define BUS_GROUPS_MAX 64

struct bus_who {
	uid_t uid;
	pid_t pid;
	enum bus_role role;
	bool metrics;  /* a member of metrics_group; of a socket's peer */
	char text[64]; /* "uid 0 (admin)", for the audit log */
};

const char *bus_role_name(enum bus_role r);
/*
 * The highest role of uid and of its n groups.  root and owner (the manager's
 * own uid) are admins.
 */
enum bus_role bus_role_of(const struct config *cfg, uid_t uid, uid_t owner,
    const gid_t *groups, size_t n);
/* The peer of a connected Unix socket.  VT_E_SYS. */
int bus_who_of_socket(
    const struct config *cfg, int fd, struct bus_who *ret) VT_CHECK;
/* The sender of a message on the system bus.  VT_E_DENIED: unknown. */
int bus_who_of_message(const struct config *cfg, sd_bus_message *msg,
    struct bus_who *ret) VT_CHECK;

#endif
