/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tpmfrontd_main.c - in a guest: gives this kernel a TPM whose other end is
 * a vTPM's ring, Xen's or another.
 */
#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "tpmfront/frontd/frontd_driver.h"
#include "tpmfront/frontd/frontd_keep.h"
#include "tpmfront/ring_xen.h"

#define WAIT_MS 30000

static const char usage_text[] =
    "usage: tpmfrontd [--device DEVID | --tcti CONF] [--background]\n"
    "                 [--take] [--wait-ms N] [--debug]\n"
    "       tpmfrontd --status [--json] [--device DEVID]\n"
    "Gives this guest's kernel the TPM at the other end of a ring: /dev/tpm0\n"
    "and, if it is a TPM 2.0, /dev/tpmrm0.\n"
    "  --device DEVID  this Xen guest's vtpm device (default 0)\n"
    "  --tcti CONF     instead: whatever this TCTI reaches, for instance\n"
    "                  tpmfront:local=/run/vtpm/NAME.tpmif\n"
    "  --take          if the kernel's driver has the device, now or later,\n"
    "                  take it from it\n"
    "  --background    return once the device is there\n"
    "  --foreground    stay (default)\n"
    "  --wait-ms N     how long to wait for the TPM at the start (30000)\n"
    "  --status        exit 0 if one serves the device already, else 1\n"
    "Exit status: 0 stopped by a signal, or in the background and the device\n"
    "is there; 1 it could not be made; 2 usage.\n";

struct opts {
	struct frontd d;
	bool status, json;
};

static int
usage(FILE *to, int rc)
{
	(void)fputs(usage_text, to);
	return rc;
}

/* -1: go on, else an exit status. */
static int
options(int argc, char **argv, struct opts *o)
{
	static const struct option longs[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "tcti", required_argument, NULL, 't' },
		{ "wait-ms", required_argument, NULL, 'w' },
		{ "background", no_argument, NULL, 'b' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "take", no_argument, NULL, 'T' },
		{ "status", no_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "debug", no_argument, NULL, 'D' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool ok = true, device = false;
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'd':
			device = true;
			ok = dec_u32(optarg, &o->d.devid) == VT_OK && ok;
			break;
		case 't':
			o->d.tcti = optarg;
			break;
		case 'w':
			ok = dec_u32(optarg, &o->d.wait_ms) == VT_OK && ok;
			break;
		case 'b':
		case 'f':
			o->d.background = c == 'b';
			break;
		case 'T':
			o->d.take = true;
			break;
		case 's':
			o->status = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 'D':
			o->d.debug = true;
			break;
		case 'h':
			return usage(stdout, 0);
		default:
			return usage(stderr, 2);
		}
	}
	ok = ok && optind == argc && !(device && o->d.tcti != NULL) &&
	     !(o->status && o->d.tcti != NULL) && o->d.wait_ms <= INT32_MAX;
	return ok ? -1 : usage(stderr, 2);
}

/* --- one keeper per device ------------------------------------------------ */

/* Locked as long as a keeper lives; who has it stands in it.  -1, and errno
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
show_status(const struct opts *o)
{
	char holder[24];
	int fd = lock(o->d.devid, holder);
	bool runs = fd == -1 && errno == EWOULDBLOCK;

	if (fd == -1 && !runs) {
		log_err("/run: %m");
		return 1;
	}
	if (o->json)
		printf("{\"device\": %u, \"served\": %s, \"pid\": %s}\n",
		    o->d.devid, runs ? "true" : "false",
		    runs && holder[0] != '\0' ? holder : "null");
	else if (runs)
		printf("vtpm device %u is served by process %s\n", o->d.devid,
		    holder);
	else
		printf("nobody serves vtpm device %u\n", o->d.devid);
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

int
main(int argc, char **argv)
{
	struct opts o = { .d = { .wait_ms = WAIT_MS, .ready_fd = -1 } };
	int rc;

	log_open("tpmfrontd", LOG_L_INFO);
	if ((rc = options(argc, argv, &o)) != -1)
		return rc;
	if (o.d.debug)
		log_set_level(LOG_L_DEBUG);
	if (o.status)
		return show_status(&o);
	if (o.d.background && (rc = go_behind(&o.d)) != -1)
		return rc;
	if (take_device(&o.d) != 0)
		return 1;
	return frontd_keep(&o.d);
}
