/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * signals.c - prints the manager's signals, one a line: signals ADDRESS [bus |
 * FILE]
 *
 * ADDRESS is a control socket's or, with "bus", a bus daemon's.  With FILE
 * it subscribes, but reads nothing until FILE is there.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define NAME "org.vtpm.Manager1"
#define OBJECT "/org/vtpm/Manager1"

static int
on_signal(sd_bus_message *m, void *arg, sd_bus_error *err)
{
	const char *text;
	uint64_t n;

	(void)arg;
	(void)err;
	(void)printf("%s", sd_bus_message_get_member(m));
	while (sd_bus_message_read(m, "s", &text) > 0)
		(void)printf(" %s", text);
	if (sd_bus_message_read(m, "t", &n) > 0)
		(void)printf(" %llu", (unsigned long long)n);
	(void)printf("\n");
	(void)fflush(stdout);
	return 0;
}

static int
open_bus(const char *address, bool bus, sd_bus **ret)
{
	int r = sd_bus_new(ret);

	if (r >= 0)
		r = sd_bus_set_address(*ret, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(*ret, bus);
	if (r >= 0)
		r = sd_bus_start(*ret);
	if (r >= 0)
		r = sd_bus_match_signal(
		    *ret, NULL, NULL, OBJECT, NAME, NULL, on_signal, NULL);
	return r;
}

int
main(int argc, char **argv)
{
	bool bus = argc > 2 && strcmp(argv[2], "bus") == 0;
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus *b = NULL;
	int r;

	if (argc < 2 || open_bus(argv[1], bus, &b) < 0)
		return 2;
	r = sd_bus_call_method(
	    b, NAME, OBJECT, NAME, "Subscribe", &e, NULL, "");
	if (r < 0) {
		(void)printf("refused: %s\n", e.message);
		return 1;
	}
	(void)printf("subscribed\n");
	(void)fflush(stdout);
	while (argc > 2 && !bus && access(argv[2], F_OK) == -1)
		(void)usleep(100000);
	while ((r = sd_bus_process(b, NULL)) >= 0)
		if (r == 0 && sd_bus_wait(b, UINT64_MAX) < 0)
			break;
	return 0;
}
