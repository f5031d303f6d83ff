/* SPDX-License-Identifier: BSD-3-Clause */
/* top_screen.c - a full screen on a terminal, and its signals. */
#include "tools/vtpmctl/top_screen.h"

#include <sys/ioctl.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/util.h"

/* ECMA-48, and xterm's private modes: the alternate screen (1049), the
 * cursor (25). */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define REDRAW ('L' & 0x1f)

static struct {
	bool open, keys;
	struct termios was;
} screen;
static volatile sig_atomic_t ending, stopping, resized;
static sigset_t unblocked;

static void
on_signal(int sig)
{
	if (sig == SIGTSTP)
		stopping = 1;
	else if (sig == SIGWINCH)
		resized = 1;
	else
		ending = sig;
}

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP,
	SIGWINCH };

/* They arrive in screen_wait() only. */
static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block;
	size_t i;

	(void)sigemptyset(&block);
	for (i = 0; i < VT_NELEM(caught); i++) {
		(void)sigaction(caught[i], &sa, NULL);
		(void)sigaddset(&block, caught[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &block, &unblocked);
	for (i = 0; i < VT_NELEM(caught); i++)
		(void)sigdelset(&unblocked, caught[i]);
}

static void
enter(void)
{
	struct termios t;

	screen.keys = tcgetattr(STDIN_FILENO, &screen.was) == 0;
	if (screen.keys) {
		t = screen.was;
		t.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
		t.c_cc[VMIN] = 1;
		t.c_cc[VTIME] = 0;
		screen.keys = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
	}
	(void)fputs(ENTER, stdout);
	(void)fflush(stdout);
	screen.open = true;
}

bool
screen_open(void)
{
	catch_signals();
	if (isatty(STDOUT_FILENO) != 1)
		return false;
	enter();
	return true;
}

void
screen_close(void)
{
	if (!screen.open)
		return;
	screen.open = false;
	(void)fputs(LEAVE, stdout);
	(void)fflush(stdout);
	if (screen.keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &screen.was);
}

void
screen_begin(void)
{
	if (screen.open)
		(void)fputs(HOME, stdout);
}

const char *
screen_eol(void)
{
	return screen.open ? CLEAR_LINE "\n" : "\n";
}

void
screen_end(void)
{
	if (screen.open)
		(void)fputs(CLEAR_BELOW, stdout);
	(void)fflush(stdout);
}

size_t
screen_lines(void)
{
	const char *env = getenv("LINES");
	struct winsize ws;
	uint32_t n;

	if (!screen.open)
		return SIZE_MAX;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0)
		return ws.ws_row;
	return env != NULL && dec_u32(env, &n) == VT_OK && n > 0 ? n : 24;
}

/* Ctrl-Z: the shell gets its terminal back, and gives it again. */
static void
stop(void)
{
	bool was_open = screen.open;

	stopping = 0;
	screen_close();
	(void)raise(SIGSTOP);
	if (was_open)
		enter();
}

int
screen_wait(unsigned int ms)
{
	struct pollfd p = { .fd =
				screen.keys && screen.open ? STDIN_FILENO : -1,
		.events = POLLIN };
	uint64_t until = now_us() + (uint64_t)ms * 1000, now;
	struct timespec ts;
	unsigned char key;
	int r;

	for (;;) {
		now = now_us();
		if (now >= until)
			return 0;
		ts.tv_sec = (time_t)((until - now) / 1000000);
		ts.tv_nsec = (long)((until - now) % 1000000 * 1000);
		r = ppoll(&p, 1, &ts, &unblocked);
		if (ending != 0)
			return -1;
		if (stopping)
			stop();
		if (resized || (r == -1 && errno == EINTR)) {
			resized = 0;
			return REDRAW;
		}
		if (r > 0 && read(STDIN_FILENO, &key, 1) == 1)
			return key != 0 ? key : REDRAW;
		if (r > 0)
			p.fd = -1; /* no more keys */
	}
}

void
screen_signal(void)
{
	sigset_t set;

	if (ending == 0)
		return;
	(void)signal(ending, SIG_DFL);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, ending);
	(void)raise(ending);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}
