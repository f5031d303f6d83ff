/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tpmfrontd_main.c - tpmfrontd: in a guest, gives the kernel a TPM whose other
 * end is a vTPM's ring, Xen's or another.
 */
#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/options.h"
#include "base/util.h"
#include "tpmfront/frontd/frontd_driver.h"
#include "tpmfront/frontd/frontd_keep.h"
#include "tpmfront/ring_xen.h"

#define WAIT_MS 30000

static const struct opt_command tpmfrontd_cmd;

struct args {
	const char *tcti;
	uint32_t devid, wait_ms;
	bool have_device, background, take, status, json, debug;
};

/* --- one keeper per device ------------------------------------------------ */

/* Locked as long as a keeper lives; it holds the keeper's pid.  -1, and errno
 * EWOULDBLOCK when it is taken. */
static int
lock(uint32_t devid, char holder[24])
{
	char path[64];
	int fd, saved;
	ssize_t n;

	holder[0] = '\0';
	(void)snprintf(path, sizeof(path), "/run/tpmfrontd-%u.lock", devid);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	saved = errno;
	if ((n = pread(fd, holder, 23, 0)) >= 0)
		holder[n] = '\0';
	(void)close(fd);
	errno = saved;
	return -1;
}

static int
show_status(const struct args *a)
{
	char holder[24];
	int fd = lock(a->devid, holder);
	bool runs = fd == -1 && errno == EWOULDBLOCK;

	if (fd == -1 && !runs) {
		log_err("/run: %m");
		return 1;
	}
	if (a->json)
		printf("{\"device\": %u, \"served\": %s, \"pid\": %s}\n",
		    a->devid, runs ? "true" : "false",
		    runs && holder[0] != '\0' ? holder : "null");
	else if (runs)
		printf("vtpm device %u is served by process %s\n", a->devid,
		    holder);
	else
		printf("no tpmfrontd serves vtpm device %u\n", a->devid);
	if (fd != -1)
		(void)close(fd);
	return runs ? 0 : 1;
}

static int
take_device(const struct frontd *d)
{
	char holder[24], why[RING_WHY_MAX], pid[16];
	int fd, n;

	if (d->tcti != NULL)
		return 0;
	if (ring_xen_load(why) != VT_OK) {
		log_err("%s", why);
		return 1;
	}
	if ((fd = lock(d->devid, holder)) == -1) {
		if (errno == EWOULDBLOCK)
			log_err("vtpm device %u is served already, by process "
				"%s",
			    d->devid, holder);
		else
			log_err(
			    "cannot lock /run/tpmfrontd-%u.lock: %m", d->devid);
		return 1;
	}
	n = snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (ftruncate(fd, 0) == -1 || pwrite(fd, pid, (size_t)n, 0) != n)
		log_warn("/run/tpmfrontd-%u.lock: %m", d->devid);
	if (d->take && !frontd_driver_take(d->devid))
		return 1;
	return 0; /* fd stays open as long as this process lives */
}

/* In the first process: an exit status once the device is there, or not.
 * In the keeper: -1. */
static int
go_behind(struct frontd *d)
{
	int p[2];
	char c;

	if (pipe2(p, O_CLOEXEC) == -1)
		return 1;
	switch (fork()) {
	case -1:
		log_err("cannot start a process: %m");
		return 1;
	case 0:
		(void)close(p[0]);
		d->ready_fd = p[1];
		(void)setsid();
		if (chdir("/") == -1)
			log_warn("/: %m");
		return -1;
	default:
		(void)close(p[1]);
		return read(p[0], &c, 1) == 1 ? 0 : 1;
	}
}

static int
tpmfrontd(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	struct frontd d = { .tcti = a->tcti,
		.devid = a->devid,
		.wait_ms = a->wait_ms,
		.background = a->background,
		.debug = a->debug,
		.take = a->take,
		.ready_fd = -1 };
	int rc;

	(void)ctx;
	(void)argc;
	(void)argv;
	if (a->tcti != NULL && (a->have_device || a->status))
		return opt_bad(&tpmfrontd_cmd,
		    "--tcti takes neither --device nor --status");
	if (a->debug)
		log_set_level(LOG_L_DEBUG);
	if (a->status)
		return show_status(a);
	if (a->background && (rc = go_behind(&d)) != -1)
		return rc;
	if (take_device(&d) != 0)
		return 1;
	return frontd_keep(&d);
}

static int
set_device(void *dst, const struct opt *o, const char *arg)
{
	struct args *a = dst;

	(void)o;
	a->have_device = true;
	return dec_u32(arg, &a->devid);
}

/* The last of --background and --foreground counts. */
static int
set_ground(void *dst, const struct opt *o, const char *arg)
{
	(void)arg;
	((struct args *)dst)->background = o->name[0] == 'b';
	return VT_OK;
}

static const struct opt opts[] = {
	{ OPT_CALL("device", "DEVID", set_device, "the number of a device",
	    "this Xen guest's vtpm device (default 0)") },
	{ OPT_TEXT("tcti", 0, "CONF", struct args, tcti,
	    "serve what this TCTI reaches instead, as "
	    "tpmfront:local=/run/vtpm/NAME.tpmif") },
	{ OPT_CALL("background", NULL, set_ground, "",
	    "return once the kernel has the device") },
	{ OPT_CALL("foreground", NULL, set_ground, "",
	    "stay in the foreground (default)") },
	{ OPT_FLAG("take", 0, struct args, take,
	    "take the device from the kernel's driver, now and whenever that "
	    "has it") },
	{ OPT_U32("wait-ms", "N", struct args, wait_ms, 0, INT32_MAX,
	    "how long to wait for the TPM at the start (default 30000)") },
	{ OPT_FLAG("status", 0, struct args, status,
	    "say whether a tpmfrontd serves the device: exit 0 if so, else "
	    "1") },
	{ OPT_FLAG("json", 0, struct args, json, "with --status: print JSON") },
	{ OPT_FLAG("debug", 0, struct args, debug, "log debug messages, too") },
	OPT_END,
};

static const struct opt_command tpmfrontd_cmd = {
	.name = "tpmfrontd",
	.about =
	    "Give this guest's kernel the TPM at the other end of a vTPM's "
	    "ring: /dev/tpm0 and, for a TPM 2.0, /dev/tpmrm0.\n",
	.usage = "[--device DEVID | --tcti CONF] [--background] [--take] "
		 "[--wait-ms N] [--debug]\n"
		 "--status [--json] [--device DEVID]\n",
	.opts = opts,
	.size = sizeof(struct args),
	.defaults = &(const struct args){ .wait_ms = WAIT_MS },
	.run = tpmfrontd,
	.more = "Exit status: 0 stopped by a signal, or with --background the "
		"device is there; 1 it could not be made; 2 wrong usage.\n"
		"Example:\n"
		"  tpmfrontd --take --background && tpm2_getrandom -T "
		"device:/dev/tpmrm0 16\n",
};

int
main(int argc, char **argv)
{
	log_open("tpmfrontd", LOG_L_INFO);
	return opt_run(&tpmfrontd_cmd, NULL, argc, argv);
}
