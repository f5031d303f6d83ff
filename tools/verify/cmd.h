/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd.h - the subcommands of vtpm-verify and what they share.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VERIFY_CMD_H
#define TOOLS_VERIFY_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/report.h"
#include "measure/host/host_identity.h"
#include "measure/host/host_identity_check.h"
#include "measure/host/host_state.h"

/* Exit codes; the same for every subcommand. */
enum { VX_ACCEPTED = 0, VX_REFUSED = 1, VX_UNDECIDED = 2 };

#define VC_FILE_MAX (512u * 1024 * 1024) /* a kernel or an initrd */

/* argv[0] is the subcommand's name; each returns an exit code. */
int verify_cmd_evidence(int argc, char **argv);
int verify_cmd_policy(int argc, char **argv);
int verify_cmd_show(int argc, char **argv);
int verify_cmd_enrol(int argc, char **argv);
int verify_cmd_states(int argc, char **argv);
int verify_cmd_quote(int argc, char **argv);
/* Every check and the verdict; returns an exit code. */
int verify_report(const struct report *r, bool json);

/* Read a file; on failure the reason is logged.  *ret: free(). */
int verify_read(
    const char *path, size_t max, uint8_t **ret, size_t *ret_len) VT_CHECK;
/* Read and parse a bundle; on failure the reason is logged. */
int verify_read_evidence(const char *path, struct bundle **ret) VT_CHECK;
/* The same for what stands behind deep quotes; roots from a file or all files
 * of a folder. */
int verify_read_hostid(const char *path, enum host_identity_kind kind,
    struct host_identity **ret) VT_CHECK;
int verify_read_roots(const char *path, struct host_roots **ret) VT_CHECK;
int verify_read_states(const char *path, struct host_states **ret) VT_CHECK;
/* Write text and a newline to path; NULL or "-" is standard output. */
int verify_write(const char *path, const char *text) VT_CHECK;

#endif
