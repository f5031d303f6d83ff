/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * managerd_main.c - vtpm-managerd: one vTPM per guest of this host.
 * See doc/man/vtpm-managerd.8.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/options.h"
#include "vtpm_manager/commit/anchor.h"
#include "vtpm_manager/manager.h"
#include "vtpm_manager/stop_all.h"

#define SETTINGS_MAX 32

struct args {
	bool verbose, stop_all, start_again, check_config;
	/* In the order given; option NULL: a configuration file. */
	struct {
		const char *option, *value;
	} set[SETTINGS_MAX];
	size_t n;
};

static int
add_setting(void *dst, const struct opt *o, const char *arg)
{
	struct args *a = dst;

	if (a->n == SETTINGS_MAX)
		return VT_E_RANGE;
	a->set[a->n].option = strcmp(o->name, "config") == 0 ? NULL : o->name;
	a->set[a->n++].value = arg != NULL ? arg : "yes";
	return VT_OK;
}

/* Options are keys of the file with "-" for "_". */
static int
apply(struct config *c, const char *option, const char *value, char *text)
{
	char key[32], *p;

	if (option == NULL)
		return config_read(c, value, text);
	(void)snprintf(key, sizeof(key), "%s", option);
	for (p = key; *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
	return config_set(c, key, value, text);
}

/* The file first, then what the command line says. */
static int
configure(const struct args *a, struct config *c)
{
	char text[CFG_TEXT_MAX];
	size_t i, pass;

	config_defaults(c);
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < a->n; i++)
			if ((a->set[i].option == NULL) == (pass == 0) &&
			    apply(c, a->set[i].option, a->set[i].value, text) !=
				VT_OK) {
				log_err("%s", text);
				return VT_E_FORMAT;
			}
	return VT_OK;
}

/* Descriptors: a few for each guest.  Memory: keys never to a core file. */
static void
set_limits(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	rl.rlim_cur = rl.rlim_max = 0;
	(void)setrlimit(RLIMIT_CORE, &rl);
	(void)umask(0077);
}

static int
on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	struct mgr **m = arg;

	(void)si;
	(void)sd_notify(0, "STOPPING=1");
	if (*m != NULL)
		anchorq_end(*m);
	else
		(void)sd_event_exit(sd_event_source_get_event(s), 0);
	return 0;
}

static int
block_signals(sd_event *ev, struct mgr **m)
{
	static const int ends[] = { SIGTERM, SIGINT };
	sigset_t set;
	size_t i;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	(void)signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < VT_NELEM(ends); i++)
		if (sd_event_add_signal(ev, NULL, ends[i], on_signal, m) < 0)
			return -1;
	return 0;
}

static int
run(const struct config *cfg)
{
	char text[MGR_TEXT_MAX] = "";
	struct mgr *m = NULL;
	sd_event *ev = NULL;
	int rc, r = 1;

	if (sd_event_default(&ev) < 0 || block_signals(ev, &m) != 0) {
		log_err("cannot create an event loop: %m");
		goto out;
	}
	(void)sd_event_set_watchdog(ev, 1);
	if ((rc = mgr_new(cfg, ev, &m, text)) != VT_OK ||
	    (rc = mgr_start(m, text)) != VT_OK) {
		log_err("%s", text[0] != '\0' ? text : vt_strerror(rc));
		goto out;
	}
	r = sd_event_loop(ev);
	if (r == 0)
		log_info("ends; running vTPMs continue");
	else if (r < 0)
		log_err("event loop: %s", strerror(-r));
out:
	mgr_free(m);
	(void)sd_event_unref(ev);
	return r == 0 ? 0 : 1;
}

static int
check(const struct config *c)
{
	char text[CFG_TEXT_MAX];

	if (config_check(c, text) != VT_OK) {
		log_err("%s", text);
		return OPT_BAD;
	}
	log_info("the settings are valid");
	return 0;
}

static int
managerd(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	char text[MGR_TEXT_MAX];
	struct config c;

	(void)ctx;
	(void)argc;
	(void)argv;
	if (configure(a, &c) != VT_OK)
		return OPT_BAD;
	if (a->verbose)
		log_set_level(LOG_L_DEBUG);
	if (a->check_config)
		return check(&c);
	set_limits();
	if (!a->stop_all)
		return run(&c);
	if (stop_all_guests(c.run, a->start_again, text) == VT_OK)
		return 0;
	log_err("%s", text);
	return 1;
}

#define SETTING(n, a, h)                                      \
	{                                                     \
		OPT_CALL(n, a, add_setting, "usable here", h) \
	}

static const struct opt opts[] = {
	SETTING("state", "DIR",
	    "directory for persistent state (default /var/lib/vtpm)"),
	SETTING("run", "DIR", "directory for sockets (default /run/vtpm)"),
	SETTING("root", "soft|TCTI",
	    "the host's TPM, as device:/dev/tpmrm0; soft: a software root, "
	    "which proves nothing about the host (default soft)"),
	SETTING("approval-key", "PUB.pem",
	    "bind a new store's master key to host states that this key "
	    "approves"),
	SETTING("escrow", "M:PEM,PEM,...",
	    "split a new store's master key into shares for these keys, M of "
	    "which recover it"),
	SETTING("recover", NULL,
	    "if the TPM does not release the master key, wait for shares"),
	SETTING("config", "FILE",
	    "read settings from FILE, see vtpm-managerd.conf(5); options "
	    "override them"),
	SETTING(
	    "pool", "N", "keep at least N vTPMs made in advance (default 4)"),
	SETTING("anchor", "strict|interval|off",
	    "when to raise the rollback counter in the host's TPM (default "
	    "interval)"),
	SETTING("anchor-interval", "SECONDS",
	    "shortest time between two raises (default 10)"),
	SETTING("user-mode", NULL,
	    "run workers under the manager's uid, even if that is root"),
	SETTING("bus", NULL, "serve the system bus, too"),
	{ OPT_FLAG("stop-all", 0, struct args, stop_all,
	    "stop every vTPM of the run directory and its manager, and "
	    "exit") },
	{ OPT_FLAG("start-again", 0, struct args, start_again,
	    "with --stop-all: the next manager starts the stopped vTPMs again, "
	    "as after a reboot of the host") },
	{ OPT_FLAG("check-config", 0, struct args, check_config,
	    "check the settings, and the groups and files that they name, and "
	    "exit") },
	{ OPT_FLAG(
	    "verbose", 'v', struct args, verbose, "log debug messages, too") },
	OPT_END,
};

static const struct opt_command vtpm_managerd = {
	.name = "vtpm-managerd",
	.about = "Keep one virtual TPM for each guest of this host.\n"
		 "It runs in the foreground and logs \"ready\" when it accepts "
		 "requests.\n",
	.usage =
	    "[--state DIR] [--run DIR] [--root soft|TCTI] [--approval-key "
	    "PUB.pem] [--escrow M:PEM,PEM,...] [--recover] [--config FILE] "
	    "[--pool N] [--anchor strict|interval|off] [--anchor-interval "
	    "SECONDS] [--user-mode] [--bus] [-v]\n"
	    "--stop-all [--start-again] [--run DIR] [--config FILE]\n"
	    "--check-config [--config FILE]\n",
	.opts = opts,
	.size = sizeof(struct args),
	.run = managerd,
	.more = "Exit status: 0 ended as asked, 1 failed, 2 wrong usage or "
		"configuration.\n",
};

int
main(int argc, char **argv)
{
	log_open("vtpm-managerd", LOG_L_INFO);
	return opt_run(&vtpm_managerd, NULL, argc, argv);
}
