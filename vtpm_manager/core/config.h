/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * config.h - vtpm-managerd's settings: defaults, a file, the command line.
 *
 * Layer:  vtpm_manager; no logging.
 * File:   lines `key = value`; `#` starts a comment at the start of a line
 *         or after white space; keys and limits in the table in config.c,
 *         explained in vtpm-managerd.conf(5).
 * Trust:  the operator's; errors name file and line.
 */
#ifndef VTPM_MANAGER_CORE_CONFIG_H
#define VTPM_MANAGER_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/tpm/pcr_selection.h"

#define CFG_PATH_MAX 256
#define CFG_LIST_MAX 512
#define CFG_TEXT_MAX 512

/* Offsets from worker_uid_base; below them are the registry's slots. */
#define WORKER_UID_ROOT 0x0e000000u  /* the software root's worker */
#define WORKER_UID_HWTPM 0x0e000001u /* vtpm-hwtpm */
#define WORKER_UID_FRESH 0x0f000000u /* workers of the pool */
#define WORKER_UID_RANGE 0x10000000u

struct config {
	char state[CFG_PATH_MAX], run[CFG_PATH_MAX];
	char root[CFG_PATH_MAX];                        /* "soft" or a TCTI */
	char zygote[CFG_PATH_MAX], hwtpm[CFG_PATH_MAX]; /* "": beside us */
	/* PEM: the key whose approvals of host states release the master key
	 * of a new store; "": any state does */
	char approval_key[CFG_PATH_MAX];
	/* "2:a.pem,b.pem,c.pem": a new store's master key in shares */
	char escrow[CFG_LIST_MAX];
	bool recover;      /* wait for shares when the TPM gives no key */
	char host[64];     /* CA subject; "": gethostname() */
	uint32_t pool;     /* vTPMs made in advance, at least; 0: none */
	uint32_t pool_max; /* and at most */
	uint32_t pool_delay_ms;
	uint32_t ak_cert_days, ak_cert_s; /* s 0: the days count */
	uint32_t worker_uid_base;
	/* a delegated cgroup folder, below which each worker gets its own; "":
	 * workers stay in the manager's */
	char worker_cgroup[CFG_PATH_MAX];
	bool user_mode; /* workers share the manager's uid */
	uint32_t reserve_mb;
	char anchor[12];          /* strict, interval, off */
	uint32_t anchor_interval; /* seconds */
	uint32_t crash_limit, crash_window_s, backoff_ms;
	uint32_t request_timeout_ms;
	uint32_t deep_batch_max; /* guests under one quote of the host */
	uint32_t deep_wait_ms;   /* then a guest that waits gets a failure */
	/* One bank: the host's PCRs in deep quotes of group 0, and of groups
	 * whose key has signed no configuration yet. */
	struct pcr_sel deep_pcrs; /* n 0: as approved */
	char xen[8];              /* serve Xen guests: auto, on, off */
	bool xen_require_vtpm;    /* the launcher refuses a guest without one */
	bool xen_require_launch;  /* a vTPM is for measured domains only */
	/* bit n: locality n */
	uint8_t local_localities, swtpm_localities, xen_localities;
	bool bus;                /* system bus too */
	uint32_t control_idle_s; /* then a silent control connection closes */
	bool metrics;            /* serve RUN/metrics.sock */
	char metrics_group[64];  /* "": control_group, and readers only */
	char control_group[64], socket_group[64]; /* "": ours */
	char guest_owner[64]; /* of guests without one; "": our user */
	char admin_users[CFG_LIST_MAX], admin_groups[CFG_LIST_MAX];
	char operator_users[CFG_LIST_MAX], operator_groups[CFG_LIST_MAX];
	char reader_users[CFG_LIST_MAX], reader_groups[CFG_LIST_MAX];
};

void config_defaults(struct config *c);
/*
 * Set one key from text.  text (CFG_TEXT_MAX bytes) says what is wrong.
 * VT_E_NOTFOUND: no such key; VT_E_FORMAT; VT_E_RANGE.
 */
int config_set(
    struct config *c, const char *key, const char *value, char *text) VT_CHECK;
/* Read len bytes of buf as a file called name; stops at the first mistake,
 * text then starts with "NAME:LINE: ". */
int config_parse(struct config *c, const char *name, const char *buf,
    size_t len, char *text) VT_CHECK;
/* The same for the file at path; VT_E_SYS. */
int config_read(struct config *c, const char *path, char *text) VT_CHECK;
/* Are the files and groups that c names there?  text (CFG_TEXT_MAX bytes) says
 * what is missing.  VT_E_NOTFOUND. */
int config_check(const struct config *c, char *text) VT_CHECK;
/* The same for the groups that the sockets belong to: no manager starts
 * without them. */
int config_check_groups(const struct config *c, char *text) VT_CHECK;
/* The name of the i-th key of the table; NULL behind the last. */
const char *config_key(size_t i);
/* Is word one of the comma-separated words of list? */
bool config_list_has(const char *list, const char *word);
/* The host's name in certificates and shares: as configured, or the system's.
 */
void config_host_name(const struct config *c, char *out, size_t cap);

#endif
