/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * swtpm_main.c - swtpm's command line, served by a vTPM of vtpm-managerd.
 * See doc/man/vtpm-swtpm.8.
 */
#include <sys/signalfd.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/version.h"
#include "tools/swtpm/caps.h"
#include "tools/swtpm/keeper.h"
#include "tools/swtpm/process.h"
#include "tools/swtpm/relay.h"
#include "tools/swtpm/sockets.h"

static struct {
	const char *ctrl, *server, *port, *state, *log, *pid, *key, *mkey,
	    *flags, *locality, *runas, *fd;
	bool terminate, daemon, tpm2, caps, states, version, help;
} a;

#define JAILED "not used: every worker of vtpm-managerd is jailed"

/* clang-format off */
static const struct word words[] = {
	{ "ctrl", 0, true, &a.ctrl, NULL, NULL },
	{ "server", 0, true, &a.server, NULL, NULL },
	{ "port", 'p', true, &a.port, NULL, NULL },
	{ "fd", 'f', true, &a.fd, NULL, NULL },
	{ "tpmstate", 0, true, &a.state, NULL, NULL },
	{ "log", 0, true, &a.log, NULL, NULL },
	{ "pid", 0, true, &a.pid, NULL, NULL },
	{ "key", 0, true, &a.key, NULL, NULL },
	{ "migration-key", 0, true, &a.mkey, NULL, NULL },
	{ "flags", 0, true, &a.flags, NULL, NULL },
	{ "locality", 0, true, &a.locality, NULL, NULL },
	{ "runas", 'r', true, &a.runas, NULL, NULL },
	{ "terminate", 't', false, NULL, &a.terminate, NULL },
	{ "daemon", 'd', false, NULL, &a.daemon, NULL },
	{ "tpm2", 0, false, NULL, &a.tpm2, NULL },
	{ "print-capabilities", 0, false, NULL, &a.caps, NULL },
	{ "print-states", 0, false, NULL, &a.states, NULL },
	{ "seccomp", 0, true, NULL, NULL, JAILED },
	{ "chroot", 'R', true, NULL, NULL, JAILED },
	{ "migration", 0, true, NULL, NULL,
	    "not used: a state has no lock that a migration must pass on" },
	{ "profile", 0, true, NULL, NULL,
	    "not used: TPMs are made by vtpm-managerd, without profiles" },
	{ "version", 0, false, NULL, &a.version, NULL },
	{ "help", 'h', false, NULL, &a.help, NULL },
	{ 0 },
};
/* clang-format on */

/* What the options say, once they are read. */
struct plan {
	struct list ctrl, server, state, log, pid;
	const char *where, *startup;
	struct sock control, data;
	char *pid_path; /* to be removed */
	int signals, ready;
	uint64_t given; /* of words */
};

static const char usage[] =
    "usage: swtpm socket [--tpm2] --tpmstate dir=DIR|backend-uri=URI\n"
    "           [--ctrl type=unixio,path=PATH[,mode=M][,uid=U][,gid=G]\n"
    "               [,terminate]|type=tcp,port=PORT|...,fd=N|...,clientfd=N]\n"
    "           [--server type=unixio,path=PATH|type=tcp,port=PORT"
    "[,disconnect]]\n"
    "           [--flags LIST] [--log file=FILE|fd=N[,level=N]]\n"
    "           [--pid file=FILE|fd=N] [--terminate] [--daemon]\n"
    "           [--runas USER] [--key LIST] [--migration-key LIST]\n"
    "       swtpm socket --print-capabilities | --print-states ...\n"
    "\n"
    "swtpm's command line for a vTPM of vtpm-managerd; see vtpm-swtpm(8).\n";

static int
bad(const char *option, const char *why)
{
	log_err("%s: %s", option, why);
	return VT_E_FORMAT;
}

static int
read_list(
    const char *option, const char *text, const char *known, struct list *l)
{
	const char *odd;

	if (text == NULL)
		return VT_OK;
	if (list_parse(l, text) != VT_OK)
		return bad(option, "its argument is a list like a=b,c=d");
	if (known == NULL || (odd = list_unknown(l, known)) == NULL)
		return VT_OK;
	log_err("%s: there is no option '%.64s'", option, odd);
	return VT_E_FORMAT;
}

static int
read_flags(struct plan *p)
{
	static const char *const starts[] = { "startup-clear", "startup-state",
		"startup-deactivated" };
	struct list l = { .n = 0 };
	size_t i;

	if (read_list("--flags", a.flags,
		"not-need-init startup-clear startup-state startup-deactivated "
		"startup-none disable-auto-shutdown",
		&l) != VT_OK)
		return VT_E_FORMAT;
	for (i = 0; i < VT_NELEM(starts); i++)
		if (list_get(&l, starts[i]) != NULL)
			p->startup = strchr(starts[i], '-') + 1;
	return VT_OK;
}

static int
read_state(struct plan *p)
{
	if (read_list("--tpmstate", a.state,
		"dir mode backend-uri lock backup fsync", &p->state) != VT_OK)
		return VT_E_FORMAT;
	p->where = list_get(&p->state, "dir");
	if (p->where == NULL)
		p->where = list_get(&p->state, "backend-uri");
	if (p->where == NULL)
		p->where = getenv("TPM_PATH");
	if (p->where == NULL || p->where[0] == '\0')
		return bad("--tpmstate", "dir= or backend-uri= is missing");
	return VT_OK;
}

/* "-p N" is a data socket at that port. */
static int
read_server(struct plan *p)
{
	char text[64];

	if (a.port != NULL && a.server == NULL) {
		(void)snprintf(
		    text, sizeof(text), "type=tcp,port=%.8s", a.port);
		return read_list("--port", text, NULL, &p->server);
	}
	if (a.fd != NULL && a.server == NULL) {
		(void)snprintf(
		    text, sizeof(text), "type=unixio,clientfd=%.8s", a.fd);
		return read_list("--fd", text, NULL, &p->server);
	}
	return read_list("--server", a.server, NULL, &p->server);
}

static int
read_plan(struct plan *p)
{
	words_report(words, p->given);
	if (read_list("--ctrl", a.ctrl, NULL, &p->ctrl) != VT_OK ||
	    read_server(p) != VT_OK || read_state(p) != VT_OK ||
	    read_flags(p) != VT_OK ||
	    read_list("--pid", a.pid, "file fd", &p->pid) != VT_OK)
		return VT_E_FORMAT;
	if (p->ctrl.n == 0 && p->server.n == 0)
		return bad("swtpm", "--ctrl or --server is missing");
	if (a.locality != NULL)
		log_info("--locality: not used: the manager's settings say "
			 "which localities a guest has");
	if (process_drop_key("--key", a.key) != VT_OK)
		return VT_E_FORMAT;
	return process_drop_key("--migration-key", a.mkey);
}

/* --- files -----------------------------------------------------------------
 */

static int
open_log(struct plan *p)
{
	int flags = O_WRONLY | O_APPEND;
	long fd = -1, level = 1;
	const char *path;

	if (read_list("--log", a.log, "file fd level prefix truncate",
		&p->log) != VT_OK)
		return VT_E_FORMAT;
	if (list_number(&p->log, "fd", 10, 65535, &fd) != VT_OK ||
	    list_number(&p->log, "level", 10, 1000, &level) != VT_OK)
		return bad("--log", "fd= and level= are numbers");
	if (level > 1)
		log_set_level(LOG_L_DEBUG);
	path = list_get(&p->log, "file");
	if (path == NULL)
		return fd != -1 ? process_log_to((int)fd) : VT_OK;
	if (strcmp(path, "-") == 0)
		return process_log_to(-1);
	if (list_get(&p->log, "truncate") != NULL)
		flags |= O_TRUNC;
	fd = file_for(path, flags, 0640);
	return fd != -1 ? process_log_to((int)fd) : VT_E_SYS;
}

static int
write_pid(struct plan *p)
{
	const char *path = list_get(&p->pid, "file");
	long fd = -1;
	char text[16];
	int n, rc;

	if (p->pid.n == 0)
		return VT_OK;
	if (list_number(&p->pid, "fd", 10, 65535, &fd) != VT_OK)
		return bad("--pid", "fd= is a number");
	if (path != NULL)
		fd = file_for(path, O_WRONLY | O_TRUNC, 0644);
	if (fd == -1)
		return path != NULL ? VT_E_SYS
				    : bad("--pid", "file= or fd= is missing");
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	rc = write_all((int)fd, text, (size_t)n);
	(void)close((int)fd);
	if (rc == VT_OK && path != NULL)
		p->pid_path = strdup(path);
	return rc;
}

/* --- the run ---------------------------------------------------------------
 */

static int
relay(struct plan *p, struct keeper *k, struct held *h)
{
	char worker[PATH_MAX];
	const struct relay_args ra = { .worker = worker,
		.control = p->control.listen,
		.data = p->data.listen,
		.client = p->control.client,
		.reader = p->data.client,
		.signals = p->signals,
		.end_with_data = a.terminate,
		.end_with_client = list_get(&p->ctrl, "terminate") != NULL,
		.once = list_get(&p->server, "disconnect") != NULL,
		.startup = p->startup,
		.tpm12 = !a.tpm2 };
	struct relay *r = NULL;
	int rc;

	if ((rc = keeper_socket(k, h, worker, sizeof(worker))) != VT_OK ||
	    (rc = relay_new(&ra, &r)) != VT_OK)
		return rc;
	log_info("%s: ready", h->name);
	process_ready(&p->ready);
	rc = relay_run(r);
	if (rc != VT_OK)
		log_err(
		    "%s: its worker has gone: the vTPM was stopped", h->name);
	relay_free(r);
	p->control.client = p->data.client = -1; /* closed with it */
	return rc;
}

static int
serve(struct plan *p)
{
	struct place at = { .fd = -1 };
	struct wish w = { .tpm12 = !a.tpm2 };
	struct held h = { .running = false };
	struct keeper k;
	int rc;

	if ((rc = place_open(p->where, true, &at)) != VT_OK)
		return rc;
	rc = keeper_open(&k, &at, &w);
	if (rc == VT_OK)
		rc = keeper_hold(&k, &at, &w, &h);
	if (rc == VT_OK)
		rc = keeper_start(&k, &h);
	if (rc == VT_OK)
		rc = relay(p, &k, &h);
	keeper_stop(&k, &h);
	keeper_close(&k);
	place_close(&at);
	return rc;
}

static int
block_signals(struct plan *p)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	p->signals = -1;
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals != -1)
		return VT_OK;
	log_err("signals: %m");
	return VT_E_SYS;
}

/* The sockets are there before the TPM is: who connects at once, waits. */
static int
run(struct plan *p)
{
	int rc;

	if ((a.runas != NULL && (rc = process_run_as(a.runas)) != VT_OK) ||
	    (rc = open_log(p)) != VT_OK || (rc = read_plan(p)) != VT_OK ||
	    (a.daemon && (rc = process_detach(&p->ready)) != VT_OK) ||
	    (rc = block_signals(p)) != VT_OK)
		return rc;
	if (p->ctrl.n > 0)
		rc = sock_open("--ctrl", &p->ctrl, &p->control);
	if (rc == VT_OK && p->server.n > 0)
		rc = sock_open("--server", &p->server, &p->data);
	if (rc == VT_OK)
		rc = write_pid(p);
	if (rc == VT_OK)
		rc = serve(p);
	sock_close(&p->control);
	sock_close(&p->data);
	if (p->pid_path != NULL)
		(void)unlink(p->pid_path);
	free(p->pid_path);
	return rc;
}

static int
print_states(struct plan *p)
{
	struct place at = { .fd = -1 };
	int rc;

	if ((rc = read_state(p)) != VT_OK)
		return rc;
	rc = place_open(p->where, false, &at);
	if (rc != VT_OK && rc != VT_E_NOTFOUND)
		return rc;
	(void)printf("{ \"type\": \"swtpm\", \"states\": [%s] }\n",
	    rc == VT_OK && at.rec.created ? " \"permanent\" " : " ");
	place_close(&at);
	return VT_OK;
}

static int
socket_main(int argc, char **argv)
{
	static struct plan p = { .control = { .listen = -1, .client = -1 },
		.data = { .listen = -1, .client = -1 },
		.ready = -1 };

	if (words_parse(words, &argc, argv, &p.given) != VT_OK)
		return 1;
	if (argc > 0) {
		log_err("'%.64s': swtpm takes options only", argv[0]);
		return 1;
	}
	if (a.caps)
		caps_print_swtpm();
	else if (a.help)
		(void)fputs(usage, stdout);
	else if (a.states)
		return print_states(&p) == VT_OK ? 0 : 1;
	else
		return run(&p) == VT_OK ? 0 : 1;
	return 0;
}

int
main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";

	log_open("swtpm", LOG_L_INFO);
	if (strcmp(kind, "socket") == 0)
		return socket_main(argc - 1, argv + 1);
	if (strcmp(kind, "--version") == 0 || strcmp(kind, "-V") == 0) {
		(void)printf("TPM emulator version " SWTPM_AS
			     ", vtpm-swtpm " VT_VERSION "\n");
		return 0;
	}
	if (strcmp(kind, "--help") == 0 || strcmp(kind, "-h") == 0) {
		(void)fputs(usage, stdout);
		return 0;
	}
	if (strcmp(kind, "cuse") == 0 || strcmp(kind, "chardev") == 0)
		log_err(
		    "%s: vtpm-swtpm makes no device nodes; a container gets "
		    "its /dev/tpm0 from tpmfrontd(8), a guest its TPM by "
		    "`swtpm socket`",
		    kind);
	else
		(void)fputs(usage, stderr);
	return 1;
}
