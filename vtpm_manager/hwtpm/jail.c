/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/hwtpm/jail.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/jail_rules.h"
#include "base/log.h"
#include "base/util.h"

#define MIB (UINT64_C(1) << 20)
#define DEFAULT_DEVICE "/dev/tpm0" /* the module's own default */

/* clang-format off */
static const struct jail_rule rules[] = {
	ALLOW(shutdown),
	ALLOW(getsockopt),
	ALLOW_IF(fcntl, 1, F_GETFD),
	ALLOW_IF(fcntl, 1, F_SETFD),
	ALLOW_IF(fcntl, 1, F_ADD_SEALS),
	ALLOW_IF(fcntl, 1, F_GET_SEALS),
	/* a TPM that went away is opened again */
	ALLOW(openat),			/* Landlock: the device alone */
	ALLOW(access),
	ALLOW(newfstatat),
	ALLOW_IF(socket, 0, AF_UNIX),
	ALLOW_IF(socket, 0, AF_INET),	/* swtpm:host=, mssim: */
	ALLOW_IF(socket, 0, AF_INET6),
	ALLOW(connect),
	/* a local ring's page and doorbells */
	ALLOW(memfd_create),
	ALLOW(ftruncate),
	ALLOW(eventfd2),
	ALLOW(timerfd_create),
	ALLOW(timerfd_settime),
	ALLOW(setitimer),
	/* identity */
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
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

static const char *
device_of(const char *conf)
{
	if (strncmp(conf, "device", 6) != 0)
		return NULL;
	return conf[6] == ':' && conf[7] != '\0' ? conf + 7 : DEFAULT_DEVICE;
}

static uint32_t
group_of(const char *device)
{
	struct stat sb;

	if (geteuid() != 0 || device == NULL || stat(device, &sb) == -1)
		return JAIL_KEEP_ID;
	return sb.st_gid;
}

int
hwjail_enter(const char *conf, int keep, const char **ret_step)
{
	bool all = load_known(conf);
	struct jail_spec spec = { .rules = rules,
		.nrules = VT_NELEM(rules),
		.max_memory = 512 * MIB,
		.max_file = 2 * MIB, /* memfd of the ring */
		.max_fds = 64,
		.max_procs = 4,
		.keep_root = true,
		.device = device_of(conf) };
	struct jail *j;
	int rc;

	/* OpenSSL must read its files now. */
	*ret_step = "set up cryptography";
	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
		return VT_E_CRYPTO;
	*ret_step = "prepare the jail";
	if ((rc = jail_prepare(&spec, &j)) != VT_OK)
		return rc;
	rc = jail_drop(
	    j, JAIL_KEEP_ID, group_of(spec.device), &keep, 1, ret_step);
	if (rc == VT_OK && all) {
		rc = jail_close(j, ret_step);
	} else if (rc == VT_OK) {
		log_warn("the TCTI %s is not a known one: it runs without "
			 "Landlock and without a system-call filter",
		    conf);
		*ret_step = "forbid new privileges";
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
		    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
			rc = VT_E_SYS;
	}
	jail_free(j);
	return rc;
}
