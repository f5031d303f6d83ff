/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host.h - what the subcommands of `vtpmctl host` share.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VTPMCTL_HOST_H
#define TOOLS_VTPMCTL_HOST_H

#include "measure/host/approval.h"
#include "tools/vtpmctl/vtpmctl.h"

#define HOST_KEY_FILE_MAX 16384
#define HOST_JSON_MAX (256u * 1024)

/* argv[0] is the subcommand. */
int vctl_host_approve(struct vctl *v, int argc, char **argv);
int vctl_host_revoke(struct vctl *v, int argc, char **argv);
int vctl_host_bind(struct vctl *v, int argc, char **argv);
int vctl_host_enrol(struct vctl *v, int argc, char **argv);
int vctl_host_escrow(struct vctl *v, int argc, char **argv);
int vctl_host_recover(struct vctl *v, int argc, char **argv);

/* What the manager says of the host; NULL after a message. */
json_t *vctl_host_ask(struct vctl *v);
/* File -> bytes; a message on failure. */
int vctl_host_read(
    const char *path, size_t max, uint8_t **ret, size_t *ret_len) VT_CHECK;
/* A file of JSON with that "format" and version 1; NULL after a message. */
json_t *vctl_host_load(const char *path, const char *format);
/* To a file, or stdout for NULL; takes over o.  Returns an exit code. */
int vctl_host_save(const char *path, json_t *o, unsigned int mode);
/* A method that takes up to two byte arrays and says what came of it: to
 * stdout.  Returns an exit code. */
struct vctl_bytes {
	const void *p;
	size_t len;
};
int vctl_host_change(struct vctl *v, const char *method,
    const struct vctl_bytes *args, size_t nargs);

#endif
