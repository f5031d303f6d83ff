/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_worker.c - a worker that its Xen guest took over: as soon as it has the
 * descriptors of its own guest's page and port, it tries another guest's.
 * For tests/lab/xen/scenarios/takeover.sh.
 *
 *	VTPM_ATTACK="grant DOMID GREF"	map a page that DOMID granted
 *	VTPM_ATTACK="port DOMID PORT"	bind PORT of DOMID; make another one
 *	VTPM_SKIP=xen-jail		its filter allows each ioctl(2) of both
 *					devices
 *
 * Each try tells how it ended in a line "ATTACK ..." of the log.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/sys/evtchn.h>
#include <xen/sys/gntdev.h>

#include "base/check_on.h"
#include "base/jail_rules.h"
#include "base/log.h"
#include "base/util.h"
#include "tpmback/page.h"
#include "vtpm/worker/worker_jail.h"
#include "vtpm/worker/worker_xen.h"

#define MAX_RULES 64

int __real_wk_page(struct worker *w, const struct wpage *m, const int fds[2]);
int __wrap_wk_page(struct worker *w, const struct wpage *m, const int fds[2]);
int __real_jail_prepare(const struct jail_spec *spec, struct jail **ret);
int __wrap_jail_prepare(const struct jail_spec *spec, struct jail **ret);

/* Set before the jail closes: as it was when workers opened the devices. */
int
__wrap_jail_prepare(const struct jail_spec *spec, struct jail **ret)
{
	static const struct jail_rule more[] = {
		ALLOW_MASK(ioctl, 1, 0xff00, 'G' << 8),
		ALLOW_MASK(ioctl, 1, 0xff00, 'E' << 8),
	};
	static struct jail_rule rules[MAX_RULES];
	static struct jail_spec open;

	if (check_on("xen-jail") || spec != &worker_jail_xen)
		return __real_jail_prepare(spec, ret);
	if (spec->nrules + VT_NELEM(more) > MAX_RULES)
		return VT_E_RANGE;
	memcpy(rules, spec->rules, spec->nrules * sizeof(rules[0]));
	memcpy(&rules[spec->nrules], more, sizeof(more));
	open = *spec;
	open.rules = rules;
	open.nrules = spec->nrules + VT_NELEM(more);
	return __real_jail_prepare(&open, ret);
}

static void
try_grant(int fd, unsigned int domid, unsigned int gref)
{
	struct ioctl_gntdev_map_grant_ref map = {
		.count = 1,
		.refs = { { .domid = domid, .ref = gref } },
	};
	const uint8_t *p;

	if (ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, &map) == -1) {
		log_warn("ATTACK grant: refused: %m");
		return;
	}
	p = mmap(NULL, TPMIF_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    (off_t)map.index);
	if (p == MAP_FAILED) {
		log_warn("ATTACK grant: not mapped: %m");
		return;
	}
	/* A response is there: its tag, size and code. */
	log_warn("ATTACK grant: mapped, tag %02x%02x", p[8], p[9]);
	(void)munmap((void *)(uintptr_t)p, TPMIF_PAGE_SIZE);
}

static void
try_port(int fd, unsigned int domid, unsigned int port)
{
	struct ioctl_evtchn_bind_interdomain bind = { domid, port };
	struct ioctl_evtchn_bind_unbound_port make = { domid };

	if (ioctl(fd, IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind) == -1)
		log_warn("ATTACK port: not bound: %m");
	else
		log_warn("ATTACK port: bound");
	if (ioctl(fd, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &make) == -1)
		log_warn("ATTACK port: not made: %m");
	else
		log_warn("ATTACK port: made");
}

int
__wrap_wk_page(struct worker *w, const struct wpage *m, const int fds[2])
{
	const char *words = getenv("VTPM_ATTACK");
	unsigned int domid, n;

	if (words != NULL && sscanf(words, "grant %u %u", &domid, &n) == 2) {
		log_warn("ATTACK begins: %s", words);
		try_grant(fds[0], domid, n);
	} else if (words != NULL &&
		   sscanf(words, "port %u %u", &domid, &n) == 2) {
		log_warn("ATTACK begins: %s", words);
		try_port(fds[1], domid, n);
	}
	return __real_wk_page(w, m, fds);
}
