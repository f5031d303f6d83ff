/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * launch_xen.h - read a Xen domain's configuration as xl understands it: what
 * is loaded before the guest runs, and what is the machine?
 *
 * Layer:  tools; pure, no I/O.  JSON by jansson.
 * Spec:   libxl_domain_config as JSON (libxl_types.idl of Xen 4.17), which
 *         `xl create --dryrun` prints.  xl's own parser reads the
 *         configuration, so this file sees all that xl sees.
 * Trust:  the operator's, but read strictly: what could load something that
 *         is not measured is refused, and so is a path in a member that
 *         this file does not know.
 */
#ifndef TOOLS_LAUNCH_LAUNCH_XEN_H
#define TOOLS_LAUNCH_LAUNCH_XEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/util.h"
#include "measure/log/launch_record.h"

#define LX_FILES_MAX 8
#define LX_TEXT_MAX 512
#define LX_PATH_MAX 4096
#define LX_JSON_MAX (1024 * 1024)

/* One file that libxl, or the device model, loads. */
struct lx_file {
	uint8_t role;       /* enum launch_role */
	const char *key;    /* xl.cfg(5)'s, static */
	const char *where;  /* "b_info" or "type.hvm", static */
	const char *member; /* there; static */
	char path[LX_PATH_MAX];
};

enum lx_reason {
	LX_POWEROFF,
	LX_REBOOT,
	LX_CRASH,
	LX_WATCHDOG,
	LX_SOFT_RESET,
	LX_NREASONS
};

enum lx_action {
	LX_DESTROY,
	LX_RESTART,
	LX_PRESERVE,
	LX_COREDUMP_DESTROY,
	LX_COREDUMP_RESTART,
};

struct lx_plan {
	enum launch_mode mode;
	char type[8]; /* pv, pvh, hvm */
	char name[LAUNCH_MAX_NAME + 1];
	char uuid[UUID_STRLEN + 1]; /* the domain's */
	bool has_vtpm;
	uint8_t vtpm[UUID_LEN];
	char backend[64];    /* of the vtpm: a domain's name or id */
	const char *cmdline; /* of the kernel; borrowed from json, or NULL */
	char bios[16];       /* HVM: seabios, ovmf, ... */
	char device_model[LX_PATH_MAX]; /* HVM; "": xl's own */
	enum lx_action actions[LX_NREASONS];
	unsigned int nfiles;
	struct lx_file files[LX_FILES_MAX];
	json_t *json; /* what xl printed; owned */
};

/*
 * json[len]: what xl printed.  text (LX_TEXT_MAX bytes) says what is refused.
 * VT_E_FORMAT, VT_E_RANGE; VT_E_UNSUPPORTED: would load what cannot be
 * measured.  lx_done() is due for *ret in any case.
 */
int lx_parse(
    const char *json, size_t len, struct lx_plan *ret, char *text) VT_CHECK;
void lx_done(struct lx_plan *p);
/* A file that the configuration does not name since libxl has a default for
 * it.  VT_E_RANGE. */
int lx_add_file(struct lx_plan *p, uint8_t role, const char *key,
    const char *member, const char *path) VT_CHECK;
const struct lx_file *lx_find(const struct lx_plan *p, const char *key);

/*
 * The machine in lines "member.member=value", sorted; the same machine
 * gives the same text.  Without what is measured by itself (files, command
 * line), what names one run (the domain's uuid) and passwords.
 * *ret: heap, free().  VT_E_NOMEM.
 */
int lx_config_text(const struct lx_plan *p, char **ret) VT_CHECK;

/* Lines for the end of a configuration by which file i is loaded from
 * paths[i]; to out.  VT_E_RANGE. */
int lx_overrides(const struct lx_plan *p, const char *const *paths, char *out,
    size_t cap) VT_CHECK;
/*
 * Does json, what xl printed for the configuration with those lines, equal p
 * except for the files' paths?  VT_E_FORMAT, VT_E_DENIED with text.
 */
int lx_same(const struct lx_plan *p, const char *const *paths, const char *json,
    size_t len, char *text) VT_CHECK;

/* What vtpm-xenwait prints.  -1: unknown. */
int lx_reason_parse(const char *word);
const char *lx_reason_name(enum lx_reason r);

#endif
