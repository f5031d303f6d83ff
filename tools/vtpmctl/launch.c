/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * launch.c - vtpmctl launch qemu: what was measured is what is loaded.  Each
 * file that QEMU reads before the guest runs is read once into a sealed memfd;
 * its digest goes into the launch record, the memfd to QEMU.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check_on.h"
#include "base/crypto.h"
#include "base/options.h"
#include "base/util.h"
#include "tools/launch/launch_qemu.h"
#include "tools/launch/qemu_run.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/launch_send.h"
#include "tools/vtpmctl/print.h"
#include "vtpm_manager/core/rom_folder.h"

#define EXTRA_ARGS 11
#define WORDS_MAX (2 * LQ_ROMS_MAX + 8)

struct args {
	const char *device, *policy, *site;
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
	int qemu;            /* its descriptor: what is measured is executed */
	struct qr_folders folders;
	char found[PATH_MAX]; /* a file in one of them */
	bool linux;           /* the kernel follows Linux's boot protocol */
	struct {
		const char *name;
		int fd;
	} roms[LQ_ROMS_MAX + 1];
	size_t nroms;
	char *words[WORDS_MAX]; /* before QEMU's other arguments */
	size_t nwords;
	char chardev[PATH_MAX + 64], monitor[PATH_MAX + 64], dev[64];
};

static const struct opt_command qemu_cmd;

/* A sealed memfd that QEMU inherits; -1: said why. */
static int
keep(const char *path, uint8_t role, const uint8_t *p, size_t len)
{
	int fd = memfd_sealed(launch_role_name(role), p, len);

	if (fd == -1 || fcntl(fd, F_SETFD, 0) == -1) {
		(void)vctl_fail("%s: %m", path);
		return -1;
	}
	return fd;
}

/* argv points at the memfd. */
static int
hand_over(
    struct launch *l, const struct lq_file *f, const uint8_t *p, size_t len)
{
	char path[64], *arg;
	int fd;

	if ((fd = keep(f->path, f->role, p, len)) == -1)
		return EXIT_REFUSED;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((arg = lq_replace(l->argv[f->arg], f, path)) == NULL)
		return vctl_fail("out of memory");
	l->argv[f->arg] = arg; /* lives until exec */
	return 0;
}

/* Read and measured; *ret is heap. */
static int
measure_path(struct launch *l, uint8_t role, const char *path, const char *note,
    uint8_t **ret, size_t *len)
{
	char text[PATH_MAX + 64];
	int rc = read_file(path, LAUNCH_FILE_MAX, ret, len);

	if (rc != VT_OK)
		return vctl_fail("%s: %s", path, vt_strerror(rc));
	(void)snprintf(text, sizeof(text), "%s%s", path, note);
	rc = launch_measure(l->rec, (enum launch_role)role, text, *ret, *len,
	    l->algs, l->nalgs);
	if (rc == VT_OK)
		return 0;
	free(*ret);
	return vctl_fail("%s: %s", path, vt_strerror(rc));
}

#define WRITABLE " (the guest can write to it)"

static int
measure_file(struct launch *l, struct lq_file *f)
{
	bool code = f->writable && f->role == LR_FIRMWARE;
	uint8_t *p = NULL;
	size_t len;
	int x = 0;

	if (f->search && access(f->path, R_OK) != 0 &&
	    qr_find(&l->folders, f->path, l->found) == VT_OK)
		(void)snprintf(f->path, sizeof(f->path), "%s", l->found);
	if (measure_path(l, f->role, f->path, code ? WRITABLE : "", &p, &len) !=
	    0)
		return EXIT_REFUSED;
	if (f->role == LR_KERNEL) /* boot protocol of Linux */
		l->linux = len > 0x206 && memcmp(p + 0x202, "HdrS", 4) == 0;
	if (!f->writable)
		x = hand_over(l, f, p, len);
	free(p);
	return x;
}

/* --- what QEMU loads by itself -------------------------------------------- */

/* An argument of ours, before those of the operator. */
VT_PRINTF(2, 3)
static void
add_word(struct launch *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (l->nwords + 1 < WORDS_MAX &&
	    vasprintf(&l->words[l->nwords], fmt, ap) != -1)
		l->nwords++;
	va_end(ap);
}

/* Measured once; its descriptor, or -1. */
static int
measure_rom(struct launch *l, uint8_t role, const char *name)
{
	uint8_t *p;
	size_t len, i;
	int fd;

	for (i = 0; i < l->nroms; i++)
		if (strcmp(l->roms[i].name, name) == 0)
			return l->roms[i].fd;
	if (qr_find(&l->folders, name, l->found) != VT_OK) {
		(void)vctl_fail("%s is in none of QEMU's folders", name);
		return -1;
	}
	if (measure_path(l, role, l->found, "", &p, &len) != 0)
		return -1;
	fd = keep(name, role, p, len);
	free(p);
	l->roms[l->nroms].name = name;
	l->roms[l->nroms++].fd = fd;
	return fd;
}

/* Of the ROMs that start a kernel QEMU loads the one that fits. */
static bool
is_for_another_kernel(const struct launch *l, const char *name)
{
	bool starts_linux = strncmp(name, "linuxboot", 9) == 0;
	bool starts_other =
	    strncmp(name, "multiboot", 9) == 0 || strncmp(name, "pvh", 3) == 0;

	return l->linux ? starts_other : starts_linux;
}

/* The descriptor to which RUN/rom leads for that name; any other name there
 * gets what is empty. */
static int
fill_folder(struct launch *l)
{
	int empty = keep("empty", LR_ROM, (const uint8_t *)"", 0), fd, to;
	const char *name;
	size_t i, k;

	for (i = 0; (name = rom_folder_name(i)) != NULL; i++) {
		to = ROM_FOLDER_FD + (int)i;
		for (fd = empty, k = 0; k < l->nroms; k++)
			if (strcmp(l->roms[k].name, name) == 0)
				fd = l->roms[k].fd;
		if (fcntl(to, F_GETFD) != -1)
			return vctl_fail("descriptor %d is in use: start this "
					 "with fewer open files",
			    to);
		if (fd == -1 || dup2(fd, to) == -1)
			return vctl_fail("%s: %m", name);
	}
	return 0;
}

static int
measure_roms(struct launch *l)
{
	const struct lq_rom *r;
	unsigned int i;
	int fd;

	if (check_on("launch-user-config"))
		add_word(l, "-no-user-config");
	/* No device loads a ROM, but for those that follow. */
	if (check_on("launch-rom")) {
		add_word(l, "-global");
		add_word(l, "pci-device.romfile=");
	}
	if (l->plan.bios != NULL) {
		if ((fd = measure_rom(l, LR_FIRMWARE, l->plan.bios)) == -1)
			return EXIT_REFUSED;
		add_word(l, "-bios");
		add_word(l, "/proc/self/fd/%d", fd);
	}
	for (i = 0; i < l->plan.nroms; i++) {
		r = &l->plan.roms[i];
		if (is_for_another_kernel(l, r->name))
			continue;
		if ((fd = measure_rom(l, LR_ROM, r->name)) == -1)
			return EXIT_REFUSED;
		if (r->driver == NULL)
			continue;
		add_word(l, "-global");
		add_word(l, "%s.romfile=/proc/self/fd/%d", r->driver, fd);
	}
	add_word(l, "-L");
	add_word(l, "%s/rom", l->v->run);
	return fill_folder(l);
}

/* Before anything is measured. */
static int
check_folders(struct launch *l)
{
	const char *name = "";
	int rc = qr_check_folder(&name);

	if (rc == VT_E_DENIED)
		return vctl_fail("other users can write to the current folder, "
				 "where QEMU looks for ROMs first: start this "
				 "from another one");
	if (rc == VT_E_EXISTS)
		return vctl_fail("%s is in the current folder, where QEMU "
				 "looks for ROMs first: start this from "
				 "another one",
		    name);
	if (rc != VT_OK)
		return vctl_fail("current folder: %s", vt_strerror(rc));
	if (rom_folder_check(l->v->run) != VT_OK)
		return vctl_fail("%s/rom is not as this version makes it: "
				 "restart vtpm-managerd",
		    l->v->run);
	return 0;
}

/* --- the record ----------------------------------------------------------- */

static int
measure_text(struct launch *l, enum launch_role role, const char *text)
{
	int rc = launch_measure(
	    l->rec, role, text, text, strlen(text), l->algs, l->nalgs);

	return rc == VT_OK ? 0
			   : vctl_fail("%s: %s", launch_role_name(role),
				 vt_strerror(rc));
}

static int
measure_hypervisor(struct launch *l)
{
	uint8_t *p = NULL;
	size_t len;
	int rc;

	if (qr_find_program(l->argv[0], l->path) != VT_OK)
		return vctl_fail("%s: not found in PATH", l->argv[0]);
	if ((l->qemu = qr_open_program(l->path)) == -1)
		return errno == ENOEXEC
			   ? vctl_fail("%s is a script, or no program: what is "
				       "measured would not be what runs; name "
				       "QEMU's own program",
				 l->path)
			   : vctl_fail("%s: %m", l->path);
	if ((rc = read_fd(l->qemu, LAUNCH_FILE_MAX, &p, &len)) != VT_OK)
		return vctl_fail("%s: %s", l->path, vt_strerror(rc));
	rc = launch_measure(
	    l->rec, LR_HYPERVISOR, l->path, p, len, l->algs, l->nalgs);
	free(p);
	if (rc != VT_OK)
		return vctl_fail("%s: %s", l->path, vt_strerror(rc));
	if ((rc = qr_folders(l->qemu, l->argv[0], &l->folders)) != VT_OK)
		return vctl_fail("%s does not say where its firmware is (-L "
				 "help): %s",
		    l->path, vt_strerror(rc));
	return 0;
}

/* The text of the whole command line is measured; the record shows as much of
 * it as fits. */
static int
measure_config(struct launch *l)
{
	const char *config = l->plan.config;
	char text[LAUNCH_MAX_TEXT + 1];
	size_t len = strlen(config);
	int rc;

	if ((rc = digest_buf(ALG_SHA256, config, len, l->rec->config_digest)) !=
	    VT_OK)
		return vctl_fail("configuration: %s", vt_strerror(rc));
	(void)snprintf(text, sizeof(text), "%.*s%s", LAUNCH_MAX_TEXT - 3,
	    config, len > LAUNCH_MAX_TEXT - 3 ? "..." : "");
	rc = launch_measure(
	    l->rec, LR_CONFIG, text, config, len, l->algs, l->nalgs);
	return rc == VT_OK ? 0
			   : vctl_fail("configuration: %s", vt_strerror(rc));
}

static int
make_record(struct launch *l)
{
	unsigned int i;
	int rc;

	if ((rc = vctl_new_record(&l->rec, "QEMU", l->a->policy)) != EXIT_OK)
		return rc;
	l->rec->mode = (uint8_t)l->plan.mode;
	if (measure_hypervisor(l) != 0 || measure_config(l) != 0)
		return EXIT_REFUSED;
	for (i = 0; i < l->plan.nfiles; i++)
		if (measure_file(l, &l->plan.files[i]) != 0)
			return EXIT_REFUSED;
	if (measure_roms(l) != 0)
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
	char **out =
	    calloc((size_t)l->argc + l->nwords + EXTRA_ARGS, sizeof(*out));
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
	out[0] = l->argv[0];
	memcpy(out + 1, l->words, l->nwords * sizeof(*out));
	memcpy(out + 1 + l->nwords, l->argv + 1,
	    (size_t)(l->argc - 1) * sizeof(*out));
	memcpy(out + l->argc + l->nwords, more, sizeof(more));
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
	return vctl_print_json(
	    json_pack("{s:s,s:s,s:s,s:o,s:o}", "name", l->name, "mode",
		l->plan.mode == LAUNCH_M_DIRECT ? "direct" : "firmware",
		"config", l->plan.config, "items", items, "argv", args));
}

static int
go(struct launch *l)
{
	char **argv;
	int rc;

	if ((rc = check_folders(l)) != 0 ||
	    (rc = vctl_banks(l->v, l->name, l->algs, &l->nalgs)) != 0 ||
	    (rc = make_record(l)) != 0 ||
	    (!l->a->dry &&
		(rc = vctl_send_launch(l->v, l->name, l->rec, -1)) != 0))
		return rc;
	if ((argv = with_tpm(l)) == NULL)
		return vctl_fail("out of memory");
	if ((rc = report(l, argv)) == EXIT_OK && !l->a->dry &&
	    (rc = greet_monitor(l)) == 0) {
		(void)fflush(NULL);
		if (check_on("launch-exec"))
			(void)fexecve(l->qemu, argv, qr_environment());
		else
			(void)execve(l->path, argv, qr_environment());
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

/* The site's list; a missing file is an empty one, unless it was asked for. */
static int
read_site(const char *path, char **ret)
{
	uint8_t *p = NULL;
	size_t len;
	int rc = read_file(path != NULL ? path : LQ_SITE_FILE, 65536, &p, &len);

	if (rc == VT_OK) {
		*ret = (char *)p;
		return 0;
	}
	return path == NULL && errno == ENOENT
		   ? 0
		   : vctl_fail("%s: %s", path != NULL ? path : LQ_SITE_FILE,
			 vt_strerror(rc));
}

/* JSON goes to QEMU as it was understood. */
static int
print_json_args(struct launch *l)
{
	int i;

	for (i = 0; i < l->plan.argc; i++)
		if (l->plan.json[i] != NULL &&
		    (l->argv[i] = json_dumps(l->plan.json[i], JSON_COMPACT)) ==
			NULL)
			return vctl_fail("out of memory");
	return 0;
}

static int
launch_qemu(void *ctx, void *args, int argc, char **argv)
{
	struct launch l = { .v = ctx,
		.a = args,
		.name = argc > 0 ? argv[0] : NULL,
		.argv = argv + argc + 1 };
	char text[LQ_TEXT_MAX], *site = NULL;
	int rc;

	while (l.argv[l.argc] != NULL)
		l.argc++;
	if ((rc = read_site(l.a->site, &site)) != 0)
		return rc;
	rc = lq_parse(l.argc, l.argv, site, &l.plan, text);
	free(site);
	if (rc != VT_OK)
		rc = vctl_fail("launch: %s", text);
	else if (l.name == NULL && (l.name = name_of(&l)) == NULL)
		rc = opt_bad(&qemu_cmd, "NAME is missing, and QEMU's command "
					"line has no -name");
	else if ((rc = print_json_args(&l)) == 0)
		rc = go(&l);
	launch_free(l.rec);
	lq_done(&l.plan);
	return rc;
}

/* vtpmctl launch options: the table of doc/LAUNCH.md. */
static int
show_options(void *ctx, void *args, int argc, char **argv)
{
	const char *name, *why;
	enum lq_class cls;
	size_t i;

	(void)ctx;
	(void)args;
	(void)argc;
	(void)argv;
	for (i = 0; (name = lq_option(i, &cls, &why)) != NULL; i++)
		(void)printf(
		    "| `-%s` | %s | %s |\n", name, lq_class_name(cls), why);
	return EXIT_OK;
}

/* --- tables --------------------------------------------------------------- */

static const struct opt opts[] = {
	{ OPT_CALL("tpm-device", "crb|tis", set_device, "crb or tis",
	    "model of the TPM device (default crb)") },
	{ OPT_TEXT("policy", 0, "TEXT", struct args, policy,
	    "name of the policy that goes into the launch record") },
	{ OPT_TEXT("site", 0, "FILE", struct args, site,
	    "options that this site allows, besides those of 'vtpmctl launch "
	    "options' (default /etc/vtpm/launch-qemu.allow)") },
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

static const struct opt_command options_cmd = {
	.name = "vtpmctl launch options",
	.about = "Show what launch qemu does with each of QEMU's options.\n",
	.run = show_options,
};

static const struct opt_command *const commands[] = { &qemu_cmd, &options_cmd,
	&vctl_launch_xen, &vctl_launch_record, NULL };

const struct opt_command vctl_launch = {
	.name = "vtpmctl launch",
	.about = "Measure what a guest is started with, then start it.\n",
	.commands = commands,
};
