/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xenwait_main.c - vtpm-xenwait DOMID: waits until that Xen domain has shut
 * down or is gone, and prints why in one word.
 *
 * Layer:  tools.  Built where libxen-dev is; the one caller of libxenlight.
 * Run by `vtpmctl launch xen`, which stays with its guest as xl does.
 */
#include <libxl.h>
#include <libxl_event.h>
#include <xentoollog.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

int
main(int argc, char **argv)
{
	xentoollog_logger_stdiostream *log;
	libxl_ctx *ctx = NULL;
	const char *word;
	unsigned long domid;
	char *end;

	if (argc != 2 || argv[1][0] < '0' || argv[1][0] > '9') {
		(void)fprintf(stderr, "usage: vtpm-xenwait DOMID\n");
		return 2;
	}
	errno = 0;
	domid = strtoul(argv[1], &end, 10);
	if (errno != 0 || *end != '\0' || domid >= DOMID_END) {
		(void)fprintf(
		    stderr, "vtpm-xenwait: '%s' is no domain id\n", argv[1]);
		return 2;
	}
	log = xtl_createlogger_stdiostream(stderr, XTL_ERROR, 0);
	if (log == NULL || libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0,
			       (xentoollog_logger *)log) != 0) {
		(void)fprintf(stderr,
		    "vtpm-xenwait: cannot reach Xen (is this dom0, are its "
		    "daemons up, root?)\n");
		return 1;
	}
	/* A saved domain is either destroyed next or goes on. */
	for (;;) {
		word = wait_once(ctx, (uint32_t)domid);
		if (word == NULL || word[0] != 's' || word[1] != 'u')
			break;
		(void)sleep(1);
	}
	libxl_ctx_free(ctx);
	xtl_logger_destroy((xentoollog_logger *)log);
	if (word == NULL) {
		(void)fprintf(stderr, "vtpm-xenwait: waiting failed\n");
		return 1;
	}
	(void)printf("%s\n", word);
	return fflush(stdout) == 0 ? 0 : 1;
}
