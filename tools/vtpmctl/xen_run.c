/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_run.c - vtpmctl launch xen: the domain is created paused; then the
 * manager learns what it was made of and its domain id, and only then it runs.
 * So a launch holds for that one domain, and for none that another tool
 * creates or that ran before.
 *
 * Then this process stays with the guest, as xl would (xl create -e leaves
 * that to us): a reboot is a new launch, measured again.
 */
#include "tools/vtpmctl/xen_run.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "tools/launch/xl_proc.h"
#include "tools/vtpmctl/print.h"
#include "tools/vtpmctl/xen_manager.h"
#include "tools/vtpmctl/xen_measure.h"

#define LOG_DIR "/var/log/xen"
#define DUMP_DIR "/var/lib/xen/dump"
#define QUICK_MS 5000 /* a run shorter than this is followed by a pause */
#define PAUSE_S 5
#define TRIES 20 /* of a launch after a reboot; the manager may restart */
#define TRY_S 3

static int
xl_do(struct xlaunch *x, const char *verb, uint32_t domid, const char *more)
{
	char v[32], id[16], m[PATH_MAX];
	char *argv[] = { x->xl, v, id, more != NULL ? m : NULL, NULL };
	int rc;

	(void)snprintf(v, sizeof(v), "%s", verb);
	(void)snprintf(id, sizeof(id), "%u", domid);
	(void)snprintf(m, sizeof(m), "%s", more != NULL ? more : "");
	rc = xl_run(argv, NULL, NULL);
	if (rc == 0)
		return 0;
	return rc > 0 ? vctl_fail("guest %s: xl %s %u failed (exit %d)",
			    x->plan.name, verb, domid, rc)
		      : vctl_fail("xl %s: %s", verb, vt_strerror(rc));
}

static int
create_paused(struct xlaunch *x, uint32_t *ret_domid)
{
	char create[] = "create", paused[] = "-p", alone[] = "-e";
	char quiet[] = "-q", path[32];
	char *argv[] = { x->xl, create, quiet, paused, alone, path, NULL };
	int rc;

	if (xl_domid(x->xl, x->plan.uuid, ret_domid) == VT_OK)
		return vctl_fail("guest %s: domain %u already has its uuid",
		    x->plan.name, *ret_domid);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", x->cfg_fd);
	if ((rc = xl_run(argv, NULL, NULL)) != 0)
		return rc > 0 ? vctl_fail("guest %s: xl create failed (exit "
					  "%d); if it could not add the vtpm, "
					  "the manager's log says why",
				    x->plan.name, rc)
			      : vctl_fail("xl create: %s", vt_strerror(rc));
	if (xl_domid(x->xl, x->plan.uuid, ret_domid) != VT_OK)
		return vctl_fail(
		    "guest %s: its domain ended right after xl created it",
		    x->plan.name);
	return 0;
}

/* A domain that cannot be bound to its record never runs. */
static int
start_measured(struct xlaunch *x, uint32_t *ret_domid)
{
	int rc = create_paused(x, ret_domid);

	if (rc != 0)
		return rc;
	rc = xen_manager_launch(x, *ret_domid);
	if (rc == 0)
		rc = xl_do(x, "unpause", *ret_domid, NULL);
	if (rc != 0)
		(void)xl_do(x, "destroy", *ret_domid, NULL);
	return rc;
}

/* --- staying with it ---------------------------------------------------------
 */

static void say(const struct xlaunch *x, const char *fmt, ...) VT_PRINTF(2, 3);

static void
say(const struct xlaunch *x, const char *fmt, ...)
{
	char when[32], text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "%s guest %s: %s\n", vctl_time(wall_ms(), when),
	    x->plan.name, text);
}

/* An LX_* reason; -1: it is gone; -2: unknown, for waiting failed. */
static int
wait_for_end(struct xlaunch *x, uint32_t domid)
{
	char id[16], *argv[] = { x->xenwait, id, NULL };
	uint8_t *out = NULL;
	int rc, reason = -2;
	size_t len = 0;

	(void)snprintf(id, sizeof(id), "%u", domid);
	if ((rc = xl_run(argv, &out, &len)) != 0) {
		if (rc > 0)
			free(out);
		say(x, "vtpm-xenwait failed (%d)", rc);
		return -2;
	}
	out[strcspn((char *)out, "\n")] = '\0';
	if (strcmp((char *)out, "gone") == 0)
		reason = -1;
	else if ((rc = lx_reason_parse((char *)out)) >= 0)
		reason = rc;
	free(out);
	return reason;
}

static void
dump_core(struct xlaunch *x, uint32_t domid)
{
	char path[PATH_MAX], *p;

	(void)snprintf(path, sizeof(path), DUMP_DIR "/%s.%llu", x->plan.name,
	    (unsigned long long)wall_ms());
	for (p = path + strlen(DUMP_DIR) + 1; *p != '\0'; p++)
		if (*p == '/')
			*p = '_';
	(void)xl_do(x, "dump-core", domid, path);
}

/* true: start it again. */
static bool
act_on(struct xlaunch *x, uint32_t domid, int reason)
{
	enum lx_action a;

	if (reason < 0) {
		say(x,
		    reason == -1 ? "domain %u is gone"
				 : "domain %u is no longer watched",
		    domid);
		return false;
	}
	a = x->plan.actions[reason];
	say(x, "domain %u has ended: %s", domid,
	    lx_reason_name((enum lx_reason)reason));
	if (a == LX_PRESERVE)
		return false;
	if (a == LX_COREDUMP_DESTROY || a == LX_COREDUMP_RESTART)
		dump_core(x, domid);
	if (xl_do(x, "destroy", domid, NULL) != 0)
		return false;
	return a == LX_RESTART || a == LX_COREDUMP_RESTART;
}

static int
start_again(struct xlaunch *x, uint32_t *domid)
{
	int rc = EXIT_REFUSED;
	unsigned int i;

	for (i = 0; rc != 0 && i < TRIES; i++) {
		if (i > 0)
			(void)sleep(TRY_S);
		vctl_disconnect(x->v);
		if ((rc = x->remote ? 0 : vctl_connect(x->v)) == 0 &&
		    (rc = xen_measure(x)) == 0)
			rc = start_measured(x, domid);
		xen_measure_done(x);
	}
	return rc;
}

static int
stay(struct xlaunch *x, uint32_t domid)
{
	uint64_t t0;
	int rc = 0;

	for (;;) {
		t0 = now_us();
		if (!act_on(x, domid, wait_for_end(x, domid)))
			return rc;
		if (now_us() - t0 < QUICK_MS * 1000)
			(void)sleep(PAUSE_S);
		if ((rc = start_again(x, &domid)) != 0) {
			say(x, "could not be started again");
			return rc;
		}
		say(x, "runs again, measured, as domain %u", domid);
	}
}

/* Into the background, with messages in a file, as xl does it. */
static int
leave(struct xlaunch *x)
{
	char path[PATH_MAX], *p;
	int fd, null;
	pid_t pid;

	(void)fflush(NULL);
	if ((pid = fork()) == -1)
		return vctl_fail(
		    "guest %s runs, but is not watched: %m", x->plan.name);
	if (pid > 0)
		_exit(EXIT_OK);
	(void)setsid();
	(void)snprintf(
	    path, sizeof(path), LOG_DIR "/vtpm-%s.log", x->plan.name);
	for (p = path + strlen(LOG_DIR) + 1; *p != '\0'; p++)
		if (*p == '/')
			*p = '_';
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	fd = open(
	    path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd == -1)
		fd = null;
	if (null == -1 || dup2(null, 0) == -1 || dup2(fd, 1) == -1 ||
	    dup2(fd, 2) == -1 || (x->v->run[0] == '/' && chdir("/") == -1))
		_exit(EXIT_REFUSED);
	return 0;
}

int
xen_run(struct xlaunch *x)
{
	uint32_t domid;
	int rc;

	if (xl_beside(x->xenwait, sizeof(x->xenwait), "vtpm-xenwait",
		"VTPM_XENWAIT") != VT_OK ||
	    access(x->xenwait, X_OK) == -1)
		return vctl_fail("vtpm-xenwait is missing (%s): build with "
				 "libxen-dev installed",
		    x->xenwait);
	rc = start_measured(x, &domid);
	if (rc == 0)
		(void)xen_measure_report(x, domid);
	xen_measure_done(
	    x); /* libxl has loaded them; a reboot reads them again */
	vctl_disconnect(x->v);
	if (rc != 0)
		return rc;
	if (!x->v->json)
		log_info("guest %s runs as domain %u, its launch is recorded",
		    x->plan.name, domid);
	if (!x->a->foreground && (rc = leave(x)) != 0)
		return rc;
	return stay(x, domid);
}
