/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * managerd_main.c - vtpm-managerd: one vTPM per guest of this host.
 * See doc/man/vtpm-managerd.8.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vtpm_manager/commit/anchor.h"
#include "vtpm_manager/manager.h"
#include "vtpm_manager/stop_all.h"

enum { EXIT_USAGE = 2 };

static void
usage(FILE *f)
{
	(void)fprintf(f,
	    "usage: vtpm-managerd [--state DIR] [--run DIR] "
	    "[--root soft|TCTI]\n"
	    "                     [--approval-key PUB.pem] "
	    "[--escrow M:PEM,PEM,...]\n"
	    "                     [--recover]\n"
	    "                     [--config FILE] [--pool N] [--user-mode] "
	    "[--bus] [-v]\n"
	    "                     [--anchor strict|interval|off] "
	    "[--anchor-interval SECONDS]\n"
	    "       vtpm-managerd --stop-all [--run DIR]\n"
	    "\n"
	    "  --state DIR         what must never be lost (/var/lib/vtpm)\n"
	    "  --run DIR           sockets (/run/vtpm)\n"
	    "  --root soft|TCTI    the host's TPM, as device:/dev/tpmrm0; "
	    "soft: "
	    "none\n"
	    "  --approval-key PEM  a new store's master key is given in host "
	    "states\n"
	    "                      only that this key has approved\n"
	    "  --escrow M:PEM,...  a new store's master key in shares, M of "
	    "which\n"
	    "                      recover it\n"
	    "  --recover           wait for such shares: the host's TPM is "
	    "another one\n"
	    "  --anchor POLICY     when the TPM's rollback counter is raised "
	    "(interval)\n"
	    "  --anchor-interval N seconds (10)\n"
	    "  --pool N            vTPMs made in advance (4)\n"
	    "  --config FILE       vtpm-managerd.conf(5); options count more\n"
	    "  --user-mode         workers share this user's uid\n"
	    "  --bus               on the system bus, too\n"
	    "  --stop-all          end the manager of that folder and all "
	    "vTPMs\n"
	    "  -v                  say more\n"
	    "It runs in the foreground, and is ready when it says so.\n"
	    "Exit: 0 ended in order, 1 failed, 2 wrong usage.\n");
}

struct args {
	struct config cfg;
	bool verbose, stop_all;
};

/* The file first, then what the command line says. */
static int
parse_args(int argc, char **argv, struct args *a)
{
	static const struct option opts[] = {
		{ "state", required_argument, NULL, 's' },
		{ "run", required_argument, NULL, 'r' },
		{ "root", required_argument, NULL, 'R' },
		{ "config", required_argument, NULL, 'c' },
		{ "pool", required_argument, NULL, 'p' },
		{ "approval-key", required_argument, NULL, 'k' },
		{ "escrow", required_argument, NULL, 'e' },
		{ "recover", no_argument, NULL, 'V' },
		{ "user-mode", no_argument, NULL, 'u' },
		{ "bus", no_argument, NULL, 'b' },
		{ "anchor", required_argument, NULL, 'a' },
		{ "anchor-interval", required_argument, NULL, 'i' },
		{ "stop-all", no_argument, NULL, 'S' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const struct {
		int opt;
		const char *key, *value; /* NULL: the argument */
	} keys[] = {
		{ 's', "state", NULL },
		{ 'r', "run", NULL },
		{ 'R', "root", NULL },
		{ 'p', "pool", NULL },
		{ 'k', "approval_key", NULL },
		{ 'e', "escrow", NULL },
		{ 'V', "recover", "yes" },
		{ 'u', "user_mode", "yes" },
		{ 'b', "bus", "yes" },
		{ 'a', "anchor", NULL },
		{ 'i', "anchor_interval", NULL },
	};
	char text[CFG_TEXT_MAX];
	size_t i;
	int o;

	config_defaults(&a->cfg);
	while ((o = getopt_long(argc, argv, "vh", opts, NULL)) != -1) {
		if (o == '?')
			return VT_E_FORMAT;
		if (o == 'h') {
			usage(stdout);
			exit(0);
		}
		if (o == 'c' && config_read(&a->cfg, optarg, text) != VT_OK) {
			log_err("%s", text);
			return VT_E_FORMAT;
		}
		a->verbose |= o == 'v';
		a->stop_all |= o == 'S';
	}
	if (optind != argc)
		return VT_E_FORMAT;
	optind = 1;
	while ((o = getopt_long(argc, argv, "vh", opts, NULL)) != -1)
		for (i = 0; i < VT_NELEM(keys); i++)
			if (keys[i].opt == o &&
			    config_set(&a->cfg, keys[i].key,
				keys[i].value != NULL ? keys[i].value : optarg,
				text) != VT_OK) {
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
	if (*m != NULL)
		mgr_end(*m);
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
		log_err("cannot make an event loop: %m");
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
		log_info("ends; running vTPMs go on");
	else if (r < 0)
		log_err("event loop: %s", strerror(-r));
out:
	mgr_free(m);
	(void)sd_event_unref(ev);
	return r == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	char text[MGR_TEXT_MAX];
	struct args a = { 0 };

	log_open("vtpm-managerd", LOG_L_INFO);
	if (parse_args(argc, argv, &a) != VT_OK) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (a.verbose)
		log_set_level(LOG_L_DEBUG);
	set_limits();
	if (a.stop_all) {
		if (mgr_stop_all(a.cfg.run, text) == VT_OK)
			return 0;
		log_err("%s", text);
		return 1;
	}
	return run(&a.cfg);
}
