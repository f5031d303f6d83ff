/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ptycmd.c - a Xen guest's console without Xen: ptycmd FILE COMMAND...
 *
 * COMMAND runs on a separate terminal (as a guest's hvc0 is: lines, echo);
 * a program that opens the terminal in FILE (as xenstore's console/tty) is
 * at its other end.
 */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static void
copy(int from, int to)
{
	char buf[512], *p = buf;
	ssize_t n = read(from, buf, sizeof(buf)), m;

	if (n <= 0)
		exit(0);
	for (; n > 0; n -= m, p += m)
		if ((m = write(to, p, (size_t)n)) <= 0)
			exit(0);
}

int
main(int argc, char **argv)
{
	int outer, slave, inner;
	struct pollfd p[2];
	struct termios raw;
	char name[64];
	FILE *f;

	if (argc < 3 || openpty(&outer, &slave, name, NULL, NULL) == -1 ||
	    tcgetattr(slave, &raw) == -1)
		return 2;
	cfmakeraw(&raw);
	if (tcsetattr(slave, TCSANOW, &raw) == -1)
		return 2;
	switch (forkpty(&inner, NULL, NULL, NULL)) {
	case -1:
		return 2;
	case 0:
		(void)execvp(argv[2], argv + 2);
		_exit(127);
	}
	/* The slave stays open: a hang-up at the other end is no end. */
	if ((f = fopen(argv[1], "w")) == NULL || fprintf(f, "%s\n", name) < 0 ||
	    fclose(f) != 0)
		return 2;
	p[0] = (struct pollfd){ .fd = outer, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = inner, .events = POLLIN };
	for (;;) {
		if (poll(p, 2, -1) == -1)
			return 1;
		if (p[0].revents != 0)
			copy(outer, inner);
		if (p[1].revents != 0)
			copy(inner, outer);
	}
}
