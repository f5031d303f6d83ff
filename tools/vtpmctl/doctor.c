/* SPDX-License-Identifier: BSD-3-Clause */
/* doctor.c - vtpmctl doctor, health: is this host fit, is the manager well? */
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/options.h"
#include "base/util.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

#define FILE_MAX 65536
#define INODES_MIN 1000
#define FDS_PER_GUEST 16

enum level { L_OK, L_WARN, L_FAIL, L_NLEVELS };

static const char *const level_names[L_NLEVELS] = { "ok", "warning", "FAILED" };

struct doctor {
	struct vctl *v;
	const char *sysroot; /* in front of the host's paths */
	json_t *status;      /* NULL: no manager answers */
	json_t *found;
	unsigned int n[L_NLEVELS];
};

/* text: what is so; advice: what to do, "" if it is well. */
VT_PRINTF(5, 6)
static void
note(struct doctor *d, enum level l, const char *check, const char *advice,
    const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(text);
	d->n[l]++;
	(void)json_array_append_new(
	    d->found, json_pack("{s:s,s:s,s:s,s:s}", "check", check, "result",
			  l == L_FAIL ? "failed" : level_names[l], "text", text,
			  "advice", advice));
	if (d->v->json)
		return;
	(void)printf("%-8s %-10s %s\n", level_names[l], check, text);
	if (advice[0] != '\0')
		(void)printf("%-8s %-10s -> %s\n", "", "", advice);
}

static bool
host_stat(const struct doctor *d, const char *path, struct stat *ret)
{
	char full[PATH_MAX];

	return snprintf(full, sizeof(full), "%s%s", d->sysroot, path) <
		   (int)sizeof(full) &&
	       stat(full, ret) == 0;
}

static bool
host_has(const struct doctor *d, const char *path)
{
	struct stat st;

	return host_stat(d, path, &st);
}

/* The file has that text in it. */
static bool
host_says(const struct doctor *d, const char *path, const char *text)
{
	char full[PATH_MAX];
	uint8_t *p = NULL;
	size_t len;
	bool found;

	(void)snprintf(full, sizeof(full), "%s%s", d->sysroot, path);
	if (read_file(full, FILE_MAX, &p, &len) != VT_OK)
		return false;
	found = memmem(p, len, text, strlen(text)) != NULL;
	free(p);
	return found;
}

/* --- the manager and what it stands on --- */

static void
check_manager(struct doctor *d)
{
	const json_t *o = d->status;

	if (o == NULL)
		note(d, L_FAIL, "manager",
		    "start it (systemctl start vtpm-managerd), or name its "
		    "folder with --run",
		    "no manager answers at %s", d->v->run);
	else if (vctl_is(o, "sealed"))
		note(d, L_FAIL, "manager",
		    "`vtpmctl host status` shows which state is approved",
		    "sealed: %s", vctl_text(o, "why"));
	else if (!vctl_is(o, "ready"))
		note(d, L_WARN, "manager", "look again in a moment",
		    "it is starting");
	else
		note(d, L_OK, "manager", "", "version %s, process %llu",
		    vctl_text(o, "version"), vctl_num(o, "pid"));
}

static void
check_tpm(struct doctor *d)
{
	const json_t *t = json_object_get(d->status, "tpm");
	bool device = host_has(d, "/dev/tpmrm0");

	if (d->status == NULL && !device)
		note(d, L_WARN, "TPM",
		    "enable it in the firmware's setup and load its driver; "
		    "without one only a software root is possible",
		    "this host has no /dev/tpmrm0");
	else if (d->status == NULL)
		note(d, L_OK, "TPM", "", "/dev/tpmrm0 is there");
	else if (!vctl_is(t, "up"))
		note(d, L_FAIL, "TPM",
		    "the manager's log says more; running guests go on",
		    "the root's TPM does not answer: %s", vctl_text(t, "why"));
	else if (strcmp(vctl_text(d->status, "root"), "software") == 0)
		note(d, L_WARN, "TPM",
		    device ? "start a new store with --root "
			     "device:/dev/tpmrm0: this host has a TPM"
			   : "enable the host's TPM in the firmware's setup",
		    "a software root, which proves nothing about the host");
	else
		note(d, L_OK, "TPM", "", "%s firmware %s over %s",
		    vctl_text(t, "manufacturer"), vctl_text(t, "firmware"),
		    vctl_text(t, "tcti"));
}

static void
check_disk(struct doctor *d)
{
	const json_t *s = json_object_get(d->status, "space");
	const char *state = vctl_text(d->status, "state");
	struct statvfs fs;

	if (s == NULL)
		return;
	if (!vctl_is(s, "storage_ok"))
		note(d, L_FAIL, "disk",
		    "repair or free the disk: guests wait, and go on by "
		    "themselves",
		    "%s takes no data: %s", state, vctl_text(s, "storage_why"));
	else if (!vctl_is(s, "ok"))
		note(d, L_FAIL, "disk", "make room there",
		    "%s has %llu MB left, too little for new vTPMs", state,
		    vctl_num(s, "free_bytes") >> 20);
	else if (statvfs(state, &fs) == 0 && fs.f_files > 0 &&
		 fs.f_favail < INODES_MIN)
		note(d, L_WARN, "disk", "delete files there",
		    "%s has %llu inodes left", state,
		    (unsigned long long)fs.f_favail);
	else
		note(d, L_OK, "disk", "", "%s: %llu MB free", state,
		    vctl_num(s, "free_bytes") >> 20);
}

static void
check_folder(struct doctor *d, const char *check, const char *path,
    mode_t forbidden, const char *advice)
{
	struct stat st;

	if (path == NULL || stat(path, &st) == -1)
		return; /* not for this user to see, or no manager yet */
	if ((st.st_mode & forbidden) != 0)
		note(d, L_FAIL, check, advice,
		    "%s has mode %04o: other users can get at it", path,
		    (unsigned int)(st.st_mode & 07777));
	else
		note(d, L_OK, check, "", "%s has mode %04o", path,
		    (unsigned int)(st.st_mode & 07777));
}

static void
check_folders(struct doctor *d)
{
	check_folder(
	    d, "run", d->v->run, S_IWGRP | S_IWOTH, "chmod go-w this folder");
	check_folder(d, "state",
	    json_string_value(json_object_get(d->status, "state")),
	    S_IRWXG | S_IRWXO, "chmod 700 this folder");
}

static void
check_guests(struct doctor *d)
{
	const json_t *n = json_object_get(d->status, "vtpms");

	if (n == NULL)
		return;
	if (vctl_num(n, "tampered") > 0)
		note(d, L_FAIL, "vTPMs",
		    "`vtpmctl list --state tampered` says which and why",
		    "the stored state of %llu was changed",
		    vctl_num(n, "tampered"));
	else if (vctl_num(n, "failed") > 0)
		note(d, L_WARN, "vTPMs",
		    "`vtpmctl list --state failed` says why; `vtpmctl start` "
		    "tries again",
		    "%llu failed and stay down", vctl_num(n, "failed"));
	else
		note(d, L_OK, "vTPMs", "", "%llu, none damaged or failed",
		    vctl_num(n, "known"));
}

/* --- the host --- */

static void
check_cgroups(struct doctor *d)
{
	if (host_has(d, "/sys/fs/cgroup/cgroup.controllers"))
		note(d, L_OK, "cgroups", "", "version 2");
	else
		note(d, L_WARN, "cgroups",
		    "boot with systemd.unified_cgroup_hierarchy=1",
		    "no version 2: workers have no cgroup each, their memory "
		    "and CPU time is bounded by rlimits alone");
}

static void
check_libvirt(struct doctor *d)
{
	static const char hook[] = "/etc/libvirt/hooks/qemu.d/vtpm";
	struct stat st;

	if (!host_has(d, "/etc/libvirt"))
		return;
	if (host_stat(d, hook, &st) && (st.st_mode & S_IXUSR) != 0)
		note(d, L_OK, "libvirt", "", "the hook %s is there", hook);
	else if (host_says(d, "/etc/libvirt/hooks/qemu", "vtpm"))
		note(d, L_OK, "libvirt", "", "the hook qemu serves vTPMs");
	else
		note(d, L_WARN, "libvirt",
		    "install tools/hooks/qemu under that name, mode 755, and "
		    "restart libvirtd",
		    "no hook at %s: no vTPM starts with its domain", hook);
}

static void
check_mac(struct doctor *d)
{
	static const char *const rules[] = {
		"/etc/apparmor.d/abstractions/libvirt-qemu",
		"/etc/apparmor.d/local/abstractions/libvirt-qemu",
		"/etc/apparmor.d/abstractions/libvirt-qemu.d/vtpm"
	};
	bool allowed = false;
	size_t i;

	if (host_says(d, "/sys/fs/selinux/enforce", "1"))
		note(d, L_WARN, "SELinux",
		    "if QEMU is refused (ausearch -m avc), allow svirt_t to "
		    "connect to sockets in the run folder",
		    "enforcing: QEMU may need a rule for the vTPMs' sockets");
	if (!host_says(d, "/sys/module/apparmor/parameters/enabled", "Y") ||
	    !host_has(d, "/etc/libvirt"))
		return;
	for (i = 0; i < VT_NELEM(rules); i++)
		allowed = allowed || host_says(d, rules[i], "/vtpm/");
	if (allowed)
		note(d, L_OK, "AppArmor", "", "QEMU may use the sockets");
	else
		note(d, L_WARN, "AppArmor",
		    "add `/run/vtpm/*.swtpm rw,` to "
		    "/etc/apparmor.d/local/abstractions/libvirt-qemu",
		    "no rule lets libvirt's QEMU use the vTPMs' sockets");
}

static void
check_clock(struct doctor *d)
{
	struct timex tx = { 0 };

	if (adjtimex(&tx) == TIME_ERROR || (tx.status & STA_UNSYNC) != 0)
		note(d, L_WARN, "clock",
		    "run an NTP client (timedatectl set-ntp true)",
		    "it is not synchronised: certificates and the audit log "
		    "have its time");
	else
		note(d, L_OK, "clock", "", "synchronised");
}

static void (*const checks[])(struct doctor *d) = { check_manager, check_tpm,
	check_disk, check_folders, check_guests, check_cgroups, check_libvirt,
	check_mac, check_clock };

/* Without a socket there is no manager, and nothing to complain of twice. */
static json_t *
ask_status(struct vctl *v)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/control.sock", v->run);
	return access(path, F_OK) == 0 ? vctl_json(v, "Status", NULL) : NULL;
}

struct args {
	const char *sysroot;
};

static int
doctor(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	struct doctor d = { .v = ctx, .sysroot = a->sysroot };
	int ex = EXIT_OK;
	size_t i;

	(void)argc;
	(void)argv;
	if ((d.found = json_array()) == NULL)
		return vctl_fail("out of memory");
	d.status = ask_status(ctx);
	vctl_answered(); /* check_manager() counts it */
	for (i = 0; i < VT_NELEM(checks); i++)
		checks[i](&d);
	json_decref(d.status);
	if (d.v->json)
		ex = vctl_print_json(json_pack("{s:i,s:I,s:I,s:O}", "version",
		    1, "failed", (json_int_t)d.n[L_FAIL], "warnings",
		    (json_int_t)d.n[L_WARN], "checks", d.found));
	else
		(void)printf(
		    "%u failed, %u warning(s)\n", d.n[L_FAIL], d.n[L_WARN]);
	json_decref(d.found);
	return ex == EXIT_OK && d.n[L_FAIL] > 0 ? EXIT_REFUSED : ex;
}

/* --- health --- */

/* The exit code, with the reason. */
static int
unwell(const json_t *o, const char **ret_why)
{
	const json_t *s = json_object_get(o, "space");
	const json_t *a = json_object_get(o, "anchor");
	const json_t *t = json_object_get(o, "tpm");

	*ret_why = vctl_text(o, "why");
	if (vctl_is(o, "sealed"))
		return EXIT_AWAY;
	*ret_why = "it is starting";
	if (!vctl_is(o, "ready"))
		return EXIT_AWAY;
	*ret_why = vctl_text(s, "storage_why");
	if (!vctl_is(s, "storage_ok"))
		return EXIT_STORAGE;
	*ret_why = vctl_text(a, "why");
	if (strcmp(vctl_text(a, "state"), "refused") == 0)
		return EXIT_STORAGE;
	*ret_why = vctl_text(t, "why");
	if (!vctl_is(t, "up"))
		return EXIT_TPM;
	return EXIT_OK;
}

static int
health(void *ctx, void *args, int argc, char **argv)
{
	struct vctl *v = ctx;
	const char *why = "";
	json_t *o;
	int ex;

	(void)args;
	(void)argc;
	(void)argv;
	if ((o = vctl_json(v, "Status", NULL)) == NULL)
		return EXIT_REFUSED;
	if ((ex = unwell(o, &why)) != EXIT_OK)
		(void)vctl_fail_as(ex, "the manager at %s: %s: %s", v->run,
		    vctl_exit_name(ex), why);
	else if (v->json)
		ex = vctl_print_json(json_pack("{s:s}", "health", "ok"));
	else
		(void)printf("ok\n");
	json_decref(o);
	return ex;
}

static const struct opt opts[] = {
	{ OPT_TEXT("sysroot", 0, "DIR", struct args, sysroot,
	    "look for the host's files (/etc, /sys, /dev) under DIR") },
	OPT_END,
};

static const struct args defaults = { .sysroot = "" };

const struct opt_command vctl_doctor = {
	.name = "vtpmctl doctor",
	.about = "Check this host and its manager, and say what to do.\n"
		 "Exit status: 0 nothing failed, 1 something did; warnings "
		 "do not count.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.defaults = &defaults,
	.run = doctor,
};

const struct opt_command vctl_health = {
	.name = "vtpmctl health",
	.about = "Is the manager well? For monitors.\n"
		 "Exit status: 0 it serves, its store takes data and its "
		 "root's TPM answers; 7, 8 and 9 as for all commands.\n",
	.run = health,
};
