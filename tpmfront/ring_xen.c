/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring_xen.c - loads the module that knows Xen, so that a program that has
 * nothing to do with Xen needs none of its libraries.
 */
#include "tpmfront/ring_xen.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tpmfront/xen_front.h"

static void *
load_beside(const char *file)
{
	char path[PATH_MAX + sizeof(XENFRONT_FILE)];
	const char *slash = strrchr(file, '/');

	if (slash == NULL || strlen(file) >= PATH_MAX)
		return NULL;
	(void)snprintf(path, sizeof(path), "%.*s%s", (int)(slash + 1 - file),
	    file, XENFRONT_FILE);
	return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

/* In a build folder beside the library or program that this code is in; where
 * it is installed, in the folder vtpm of the libraries' folder; else where the
 * loader looks. */
static void *
load(void)
{
	char exe[PATH_MAX];
	Dl_info info;
	void *so = NULL;
	ssize_t n;

	if (dladdr((void *)(uintptr_t)ring_xen_connect, &info) != 0 &&
	    info.dli_fname != NULL)
		so = load_beside(info.dli_fname);
	n = so == NULL ? readlink("/proc/self/exe", exe, sizeof(exe) - 1) : 0;
	if (n > 0) {
		exe[n] = '\0';
		so = load_beside(exe);
	}
	if (so == NULL) /* from a library's folder, from a program's */
		so = dlopen("$ORIGIN/vtpm/" XENFRONT_FILE,
		    RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (so == NULL)
		so = dlopen("$ORIGIN/../$LIB/vtpm/" XENFRONT_FILE,
		    RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (so == NULL)
		so = dlopen(
		    XENFRONT_FILE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	return so;
}

static const struct xenfront_module *mod;

int
ring_xen_load(char why[RING_WHY_MAX])
{
	const char *err;
	void *so;

	if (mod == NULL && (so = load()) != NULL)
		mod = dlsym(so, XENFRONT_SYMBOL);
	err = dlerror();
	if (mod != NULL) {
		/* libxenstore ends its thread with pthread_cancel(3), for
		 * which glibc loads this: later it may not be able to. */
		(void)dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_NODELETE);
		return VT_OK;
	}
	(void)snprintf(why, RING_WHY_MAX, "no Xen: %s cannot be loaded (%s)",
	    XENFRONT_FILE, err != NULL ? err : "?");
	return VT_E_UNSUPPORTED;
}

int
ring_xen_connect(uint32_t devid, struct ring **ret, char why[RING_WHY_MAX])
{
	int rc = ring_xen_load(why);

	why[RING_WHY_MAX - 1] = '\0';
	return rc == VT_OK ? mod->open(devid, ret, why) : rc;
}
