/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/hwtpm/jail.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/jail_rules.h"
#include "base/log.h"
#include "base/util.h"
#include "vtpm_manager/hwtpm/tcti_path.h"

#define MIB (UINT64_C(1) << 20)

/* clang-format off */
static const struct jail_rule rules[] = {
	ALLOW(shutdown),
	ALLOW(getsockopt),
	ALLOW_IF(fcntl, 1, F_GETFD),
	ALLOW_IF(fcntl, 1, F_SETFD),
	ALLOW_IF(fcntl, 1, F_ADD_SEALS),
	ALLOW_IF(fcntl, 1, F_GET_SEALS),
	ALLOW(access),
	ALLOW(newfstatat),
	ALLOW(timerfd_create),
	ALLOW(timerfd_settime),
	ALLOW(setitimer),
	/* identity */
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
};

/* A TPM that went away is opened again. */
static const struct jail_rule device_rules[] = {
	ALLOW(openat),			/* Landlock: the device alone */
};

/* Or connected to again. */
static const struct jail_rule socket_rules[] = {
	ALLOW(openat),			/* Landlock: nothing */
	ALLOW_IF(socket, 0, AF_UNIX),
	ALLOW_IF(socket, 0, AF_INET),	/* swtpm:host=, mssim: */
	ALLOW_IF(socket, 0, AF_INET6),
	ALLOW(connect),
	/* a local ring's page and doorbells */
	ALLOW(memfd_create),
	ALLOW(ftruncate),
	ALLOW(eventfd2),
};
/* clang-format on */

static const struct {
	const char *name;
	const char *module; /* NULL: linked in */
} known[] = {
	{ "tpmfront", NULL },
	{ "device", "libtss2-tcti-device.so.0" },
	{ "swtpm", "libtss2-tcti-swtpm.so.0" },
	{ "mssim", "libtss2-tcti-mssim.so.0" },
};

/* Load the module now: later the loader finds it without opening a file. */
static bool
load_known(const char *conf)
{
	size_t len = strcspn(conf, ":"), i;

	for (i = 0; i < VT_NELEM(known); i++) {
		if (strlen(known[i].name) != len ||
		    strncmp(known[i].name, conf, len) != 0)
			continue;
		return known[i].module == NULL ||
		       dlopen(known[i].module, RTLD_NOW | RTLD_NODELETE) !=
			   NULL;
	}
	return false;
}

/* Whether these ids may do this to the file; tried, since folders count, too.
 */
static bool
may(const char *path, int how, uint32_t uid, uint32_t gid)
{
	bool ok;

	if (setegid(gid) == -1 || seteuid(uid) == -1)
		return false;
	ok = faccessat(AT_FDCWD, path, how, AT_EACCESS) == 0;
	return seteuid(0) == 0 && setegid(0) == 0 && ok;
}

/*
 * The ids of a process that may use the TPM and as little else as possible:
 * uid own and the group of the file behind conf, or its owner if others get no
 * access.  A socket that is not there yet: the folder counts.  Only root has
 * the choice.
 */
static int
choose_ids(const char *conf, uint32_t own, uint32_t *ret_uid, uint32_t *ret_gid)
{
	int how = R_OK | W_OK;
	char path[PATH_MAX];
	struct stat sb;

	*ret_uid = *ret_gid = JAIL_KEEP_ID;
	if (geteuid() != 0 || own == JAIL_KEEP_ID)
		return VT_OK;
	if (setgroups(0, NULL) == -1)
		return VT_E_SYS;
	*ret_uid = *ret_gid = own;
	tcti_path(conf, path, sizeof(path));
	if (path[0] != '\0' && access(path, F_OK) == -1) {
		(void)dirname(path);
		how = X_OK;
	}
	if (path[0] == '\0' || stat(path, &sb) == -1 ||
	    may(path, how, own, own))
		return VT_OK;
	*ret_gid = sb.st_gid;
	if (may(path, how, own, sb.st_gid))
		return VT_OK;
	*ret_uid = may(path, how, sb.st_uid, sb.st_gid) ? sb.st_uid : 0;
	if (*ret_uid == 0)
		log_warn("only root may use %s: vtpm-hwtpm keeps root's uid; "
			 "give it to a group to end that",
		    path);
	return VT_OK;
}

static void
copy_rules(bool device, struct jail_spec *spec, struct jail_rule *out)
{
	const struct jail_rule *more = device ? device_rules : socket_rules;
	size_t n = device ? VT_NELEM(device_rules) : VT_NELEM(socket_rules);

	memcpy(out, rules, sizeof(rules));
	memcpy(out + VT_NELEM(rules), more, n * sizeof(*more));
	spec->rules = out;
	spec->nrules = VT_NELEM(rules) + n;
}

int
hwjail_enter(const char *conf, uint32_t own, int keep, const char **ret_step)
{
	bool all = load_known(conf);
	struct jail_rule list[VT_NELEM(rules) + VT_NELEM(socket_rules)];
	struct jail_spec spec = { .max_memory = 512 * MIB,
		.max_file = 2 * MIB, /* memfd of the ring */
		.max_fds = 64,
		.max_procs = 4,
		.keep_root = true,
		.devices = { tcti_device(conf) } };
	uint32_t uid, gid;
	struct jail *j;
	int rc;

	_Static_assert(VT_NELEM(device_rules) <= VT_NELEM(socket_rules), "");
	copy_rules(spec.devices[0] != NULL, &spec, list);

	/* OpenSSL must read its files now. */
	*ret_step = "set up cryptography";
	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
		return VT_E_CRYPTO;
	*ret_step = "prepare the jail";
	if ((rc = jail_prepare(&spec, &j)) != VT_OK)
		return rc;
	*ret_step = "choose its user";
	rc = choose_ids(conf, all ? own : JAIL_KEEP_ID, &uid, &gid);
	if (rc == VT_OK)
		rc = jail_drop(j, uid, gid, &keep, 1, ret_step);
	if (rc == VT_OK && all) {
		rc = jail_close(j, ret_step);
	} else if (rc == VT_OK) {
		log_warn("the TCTI %s is not a known one: it runs without "
			 "a uid of its own, Landlock and a system-call filter",
		    conf);
		*ret_step = "forbid new privileges";
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
		    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
			rc = VT_E_SYS;
	}
	jail_free(j);
	return rc;
}
