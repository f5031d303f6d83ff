/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * top_screen.h - the terminal of `vtpmctl top`: a screen that is redrawn, keys
 * without a return, and all as it was at the end.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VTPMCTL_TOP_SCREEN_H
#define TOOLS_VTPMCTL_TOP_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* Is standard output a terminal?  Then take it over; signals that end or stop
 * the program leave it as it was. */
bool screen_open(void);
void screen_close(void); /* without screen_open() a no-op */
/* Begin the next picture. */
void screen_begin(void);
const char *screen_eol(void); /* ends a line of it */
void screen_end(void);
size_t screen_lines(void); /* rows of the terminal; not one: very many */

/*
 * Wait.  0: the time is over; -1: a signal asks for the end, see
 * screen_signal(); else a key.  A terminal that changed its size is key 'L' &
 * 0x1f: draw again.
 */
int screen_wait(unsigned int ms);
/* End as that signal would have; returns if there was none. */
void screen_signal(void);

#endif
