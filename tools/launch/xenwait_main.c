/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xenwait_main.c - vtpm-xenwait DOMID: waits until a Xen domain has shut down
 * or is gone, and prints why in one word.
 *
 * Layer:  tools.  Built where libxen-dev is; the one caller of libxenlight.
 * Run by `vtpmctl launch xen`, which stays with its guest as xl does.
 */
#include <libxl.h>
#include <libxl_event.h>
#include <xentoollog.h>

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/options.h"
#include "base/util.h"

#define DOMID_END 0x7ff0 /* xen.h: DOMID_FIRST_RESERVED */

static const char *
word_of(int reason)
{
	switch (reason) {
	case LIBXL_SHUTDOWN_REASON_POWEROFF:
		return "poweroff";
	case LIBXL_SHUTDOWN_REASON_REBOOT:
		return "reboot";
	case LIBXL_SHUTDOWN_REASON_SUSPEND:
		return "suspend";
	case LIBXL_SHUTDOWN_REASON_CRASH:
		return "crash";
	case LIBXL_SHUTDOWN_REASON_WATCHDOG:
		return "watchdog";
	case LIBXL_SHUTDOWN_REASON_SOFT_RESET:
		return "soft-reset";
	default:
		return "unknown";
	}
}

/* One end of the domain; its word, or NULL. */
static const char *
wait_once(libxl_ctx *ctx, uint32_t domid)
{
	libxl_evgen_domain_death *death = NULL;
	const char *word = NULL;
	libxl_event *ev;

	if (libxl_evenable_domain_death(ctx, domid, 0, &death) != 0)
		return "gone"; /* there is no such domain */
	while (word == NULL) {
		if (libxl_event_wait(
			ctx, &ev, LIBXL_EVENTMASK_ALL, NULL, NULL) != 0)
			break;
		if (ev->domid == domid) {
			if (ev->type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN)
				word = word_of(
				    ev->u.domain_shutdown.shutdown_reason);
			else if (ev->type == LIBXL_EVENT_TYPE_DOMAIN_DEATH)
				word = "gone";
		}
		libxl_event_free(ctx, ev);
	}
	libxl_evdisable_domain_death(ctx, death);
	return word;
}

static const struct opt_command vtpm_xenwait = {
	.name = "vtpm-xenwait",
	.about = "Wait until a Xen domain has shut down or is gone, and print "
		 "why in one word.\n",
	.operands = "DOMID",
	.nmin = 1,
	.nmax = 1,
};

int
main(int argc, char **argv)
{
	xentoollog_logger_stdiostream *log;
	libxl_ctx *ctx = NULL;
	const char *word;
	uint32_t domid;
	int rc;

	log_open("vtpm-xenwait", LOG_L_INFO);
	if ((rc = opt_parse(&vtpm_xenwait, &argc, &argv, NULL)) != OPT_GO)
		return rc;
	if (dec_u32(argv[0], &domid) != VT_OK || domid >= DOMID_END)
		return opt_bad(
		    &vtpm_xenwait, "'%s' is not a domain id", argv[0]);
	log = xtl_createlogger_stdiostream(stderr, XTL_ERROR, 0);
	if (log == NULL || libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0,
			       (xentoollog_logger *)log) != 0) {
		log_err("cannot reach Xen: is this dom0, do its daemons run, "
			"and is this root?");
		return 1;
	}
	/* A saved domain is either destroyed next or continues. */
	for (;;) {
		word = wait_once(ctx, domid);
		if (word == NULL || word[0] != 's' || word[1] != 'u')
			break;
		(void)sleep(1);
	}
	libxl_ctx_free(ctx);
	xtl_logger_destroy((xentoollog_logger *)log);
	if (word == NULL) {
		log_err("waiting for domain %u failed", domid);
		return 1;
	}
	(void)printf("%s\n", word);
	return fflush(stdout) == 0 ? 0 : 1;
}
