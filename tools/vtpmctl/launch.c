/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * launch.c - vtpmctl launch qemu: what was measured is what is loaded.  Each
 * file that QEMU reads before the guest runs is read once into a sealed memfd;
 * its digest goes into the launch record, the memfd to QEMU.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/options.h"
#include "base/util.h"
#include "tools/launch/launch_qemu.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/launch_send.h"
#include "tools/vtpmctl/print.h"

#define EXTRA_ARGS 11

struct args {
	const char *device, *policy;
	bool dry;
};

struct launch {
	struct vctl *v;
	const struct args *a;
	const char *name;
	int argc; /* QEMU's */
	char **argv;
	struct lq_plan plan;
	struct launch_record *rec;
	uint16_t algs[PCR_MAX_BANKS];
	uint32_t nalgs;
	char guest[64];      /* when NAME came from -name */
	char path[PATH_MAX]; /* of QEMU, resolved */
	char chardev[PATH_MAX + 64], monitor[PATH_MAX + 64], dev[64];
};

static const struct opt_command qemu_cmd;

/* --- the record ----------------------------------------------------------- */

/* Into a memfd without CLOEXEC, and argv points at that. */
static int
hand_over(
    struct launch *l, const struct lq_file *f, const uint8_t *p, size_t len)
{
	char path[64], *arg;
	int fd;

	if ((fd = memfd_sealed(launch_role_name(f->role), p, len)) == -1 ||
	    fcntl(fd, F_SETFD, 0) == -1)
		return vctl_fail("%s: %m", f->path);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((arg = lq_replace(l->argv[f->arg], f, path)) == NULL)
		return vctl_fail("out of memory");
	l->argv[f->arg] = arg; /* lives until exec */
	return 0;
}

static int
measure_file(struct launch *l, const struct lq_file *f)
{
	uint8_t *p = NULL;
	size_t len;
	int rc, x = 0;

	if ((rc = read_file(f->path, LAUNCH_FILE_MAX, &p, &len)) != VT_OK)
		return vctl_fail("%s: %s", f->path, vt_strerror(rc));
	rc = launch_measure(l->rec, (enum launch_role)f->role, f->path, p, len,
	    l->algs, l->nalgs);
	if (rc != VT_OK)
		x = vctl_fail("%s: %s", f->path, vt_strerror(rc));
	else if (!f->writable)
		x = hand_over(l, f, p, len);
	free(p);
	return x;
}

static int
measure_text(struct launch *l, enum launch_role role, const char *text)
{
	int rc = launch_measure(
	    l->rec, role, text, text, strlen(text), l->algs, l->nalgs);

	return rc == VT_OK ? 0
			   : vctl_fail("%s: %s", launch_role_name(role),
				 vt_strerror(rc));
}

/* The program that exec would find. */
static int
resolve(struct launch *l)
{
	const char *path = getenv("PATH"), *end;

	if (strchr(l->argv[0], '/') != NULL) {
		(void)snprintf(l->path, sizeof(l->path), "%s", l->argv[0]);
		return 0;
	}
	for (; path != NULL && *path != '\0';
	     path = *end != '\0' ? end + 1 : end) {
		end = strchrnul(path, ':');
		(void)snprintf(l->path, sizeof(l->path), "%.*s/%s",
		    (int)(end - path), path, l->argv[0]);
		if (access(l->path, X_OK) == 0)
			return 0;
	}
	return vctl_fail("%s: not found in PATH", l->argv[0]);
}

static int
measure_hypervisor(struct launch *l)
{
	struct lq_file f = { .role = LR_HYPERVISOR, .writable = true };

	if (resolve(l) != 0)
		return EXIT_REFUSED;
	(void)snprintf(f.path, sizeof(f.path), "%s", l->path);
	return measure_file(l, &f);
}

static int
make_record(struct launch *l)
{
	char config[1024];
	unsigned int i;
	int rc;

	if ((rc = vctl_new_record(&l->rec, "QEMU", l->a->policy)) != EXIT_OK)
		return rc;
	l->rec->mode = (uint8_t)l->plan.mode;
	if ((rc = lq_config_text(&l->plan, config, sizeof(config))) != VT_OK ||
	    (rc = digest_buf(ALG_SHA256, config, strlen(config),
		 l->rec->config_digest)) != VT_OK)
		return vctl_fail("configuration: %s", vt_strerror(rc));
	if (measure_hypervisor(l) != 0 ||
	    measure_text(l, LR_CONFIG, config) != 0)
		return EXIT_REFUSED;
	for (i = 0; i < l->plan.nfiles; i++)
		if (measure_file(l, &l->plan.files[i]) != 0)
			return EXIT_REFUSED;
	if (l->plan.append != NULL)
		return measure_text(l, LR_CMDLINE, l->plan.append);
	return 0;
}

/* --- QEMU ----------------------------------------------------------------- */

/* A NULL-terminated argv with the TPM's options behind the others, and the
 * monitor that tells its worker a reset from a wake-up. */
static char **
with_tpm(struct launch *l)
{
	char **out = calloc((size_t)l->argc + EXTRA_ARGS, sizeof(*out));
	char path[PATH_MAX], esc[PATH_MAX];
	static char tpmdev[] = "emulator,id=vtpm0,chardev=vtpmchr0";
	static char mon[] = "chardev=vtpmqmp0,mode=control";
	static char words[4][12] = { "-chardev", "-tpmdev", "-device", "-mon" };
	char *more[] = { words[0], l->chardev, words[1], tpmdev, words[2],
		l->dev, words[0], l->monitor, words[3], mon };

	(void)snprintf(path, sizeof(path), "%s/%s", l->v->run, l->name);
	if (out == NULL || lq_escape(path, esc, sizeof(esc)) != VT_OK) {
		free(out);
		return NULL;
	}
	(void)snprintf(l->chardev, sizeof(l->chardev),
	    "socket,id=vtpmchr0,path=%s.swtpm", esc);
	(void)snprintf(l->monitor, sizeof(l->monitor),
	    "pipe,id=vtpmqmp0,path=%s.qmp", esc);
	(void)snprintf(
	    l->dev, sizeof(l->dev), "tpm-%s,tpmdev=vtpm0", l->a->device);
	memcpy(out, l->argv, (size_t)l->argc * sizeof(*out));
	memcpy(out + l->argc, more, sizeof(more));
	return out;
}

/*
 * The monitor tells events once it has this command.  QEMU finds it in the
 * pipe when it opens it; the descriptor, which QEMU inherits, keeps it there.
 */
static int
greet_monitor(struct launch *l)
{
	static const char hello[] = "{\"execute\":\"qmp_capabilities\"}\n";
	char path[PATH_MAX], stale[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s.qmp.in", l->v->run, l->name);
	if ((fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW)) == -1)
		return vctl_fail("%s: %m; without it a reset of the guest "
				 "cannot be told from a wake-up",
		    path);
	while (read(fd, stale, sizeof(stale)) > 0)
		; /* no reader is left */
	if (write(fd, hello, sizeof(hello) - 1) != (ssize_t)sizeof(hello) - 1)
		return vctl_fail("%s: %m", path);
	return 0;
}

static int
report(struct launch *l, char **argv)
{
	json_t *items = vctl_launch_items(l->rec, !l->v->json), *args;
	uint32_t i;

	if (!l->v->json) {
		json_decref(items);
		return EXIT_OK;
	}
	args = json_array();
	for (i = 0; argv[i] != NULL; i++)
		(void)json_array_append_new(args, json_string(argv[i]));
	return vctl_print_json(json_pack("{s:s,s:s,s:o,s:o}", "name", l->name,
	    "mode", l->plan.mode == LAUNCH_M_DIRECT ? "direct" : "firmware",
	    "items", items, "argv", args));
}

static int
go(struct launch *l)
{
	char **argv;
	int rc;

	if ((rc = vctl_banks(l->v, l->name, l->algs, &l->nalgs)) != 0 ||
	    (rc = make_record(l)) != 0 ||
	    (!l->a->dry &&
		(rc = vctl_send_launch(l->v, l->name, l->rec, -1)) != 0))
		return rc;
	if ((argv = with_tpm(l)) == NULL)
		return vctl_fail("out of memory");
	if ((rc = report(l, argv)) == EXIT_OK && !l->a->dry &&
	    (rc = greet_monitor(l)) == 0) {
		(void)fflush(NULL);
		(void)execv(l->path, argv);
		rc = vctl_fail("%s: %m", l->path);
	}
	free(argv);
	return rc;
}

/* "-name foo,debug-threads=on" and "-name guest=foo". */
static const char *
name_of(struct launch *l)
{
	const char *g = l->plan.guest;
	size_t n;

	if (g == NULL)
		return NULL;
	if (strncmp(g, "guest=", 6) == 0)
		g += 6;
	n = strcspn(g, ",");
	if (n == 0 || n >= sizeof(l->guest))
		return NULL;
	(void)snprintf(l->guest, sizeof(l->guest), "%.*s", (int)n, g);
	return l->guest;
}

static int
set_device(void *dst, const struct opt *o, const char *arg)
{
	(void)o;
	if (strcmp(arg, "crb") != 0 && strcmp(arg, "tis") != 0)
		return VT_E_FORMAT;
	((struct args *)dst)->device = arg;
	return VT_OK;
}

static int
launch_qemu(void *ctx, void *args, int argc, char **argv)
{
	struct launch l = { .v = ctx,
		.a = args,
		.name = argc > 0 ? argv[0] : NULL,
		.argv = argv + argc + 1 };
	char text[LQ_TEXT_MAX];
	int rc;

	while (l.argv[l.argc] != NULL)
		l.argc++;
	if (lq_parse(l.argc, l.argv, &l.plan, text) != VT_OK)
		return vctl_fail("launch: %s", text);
	if (l.name == NULL && (l.name = name_of(&l)) == NULL)
		return opt_bad(&qemu_cmd, "NAME is missing, and QEMU's command "
					  "line has no -name");
	rc = go(&l);
	launch_free(l.rec);
	return rc;
}

/* --- tables --------------------------------------------------------------- */

static const struct opt opts[] = {
	{ OPT_CALL("tpm-device", "crb|tis", set_device, "crb or tis",
	    "model of the TPM device (default crb)") },
	{ OPT_TEXT("policy", 0, "TEXT", struct args, policy,
	    "name of the policy that goes into the launch record") },
	{ OPT_FLAG("dry-run", 0, struct args, dry,
	    "show what would be measured and run; start nothing") },
	OPT_END,
};

static const struct opt_command qemu_cmd = {
	.name = "vtpmctl launch qemu",
	.about =
	    "Measure what QEMU loads, record it in the guest's vTPM, and "
	    "become QEMU.\n"
	    "NAME is the vTPM's; without it QEMU's -name gives it. Options "
	    "that could load something unmeasured are refused. Disks are not "
	    "measured: that is the firmware's task.\n",
	.operands = "[NAME]",
	.nmax = 1,
	.behind = "QEMU ARGS...",
	.opts = opts,
	.size = sizeof(struct args),
	.defaults = &(const struct args){ .device = "crb" },
	.run = launch_qemu,
	.more = "Example:\n"
		"  vtpmctl launch qemu web1 -- qemu-system-x86_64 -m 1024 "
		"-kernel vmlinuz\n",
};

static const struct opt_command *const commands[] = { &qemu_cmd,
	&vctl_launch_xen, &vctl_launch_record, NULL };

const struct opt_command vctl_launch = {
	.name = "vtpmctl launch",
	.about = "Measure what a guest is started with, then start it.\n",
	.commands = commands,
};
