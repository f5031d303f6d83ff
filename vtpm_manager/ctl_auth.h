/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ctl_auth.h - who may do what.
 *
 * Layer:  vtpm_manager.
 */
#ifndef VTPM_MANAGER_CTL_AUTH_H
#define VTPM_MANAGER_CTL_AUTH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "vtpm_manager/config.h"

enum ctl_role { ROLE_NONE = 0, ROLE_READER, ROLE_OPERATOR, ROLE_ADMIN };

#define CTL_GROUPS_MAX 64

struct ctl_who {
	uid_t uid;
	pid_t pid;
	enum ctl_role role;
	char text[64]; /* "uid 0 (admin)", for the audit log */
};

const char *ctl_role_name(enum ctl_role r);
/*
 * The highest role that uid or one of its groups has.  root and owner (the
 * manager's own uid) are admins.
 */
enum ctl_role ctl_role_of(const struct config *cfg, uid_t uid, uid_t owner,
    const gid_t *groups, size_t n);
/* Fill *ret from a connected Unix socket. */
int ctl_who_of_socket(
    const struct config *cfg, int fd, struct ctl_who *ret) VT_CHECK;
void ctl_who_set(struct ctl_who *w, const struct config *cfg, uid_t uid,
    pid_t pid, const gid_t *groups, size_t n);

#endif
