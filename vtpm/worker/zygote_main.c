/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpm-zygote - forks the workers of one manager, which starts it with a
 * connected socket on descriptor 3.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "vtpm/worker/zygote.h"

#define MANAGER_FD 3

int
main(int argc, char **argv)
{
	struct stat st;
	int rc;

	(void)argv;
	if (argc != 1 || fstat(MANAGER_FD, &st) == -1 ||
	    !S_ISSOCK(st.st_mode)) {
		(void)fprintf(stderr,
		    "vtpm-zygote is started by vtpm-managerd, with a socket on "
		    "descriptor %d; it takes no arguments\n",
		    MANAGER_FD);
		return 2;
	}
	log_open("vtpm-zygote", LOG_L_INFO);
	if ((rc = zygote_run(MANAGER_FD)) != VT_OK) {
		log_err("cannot serve: %s", vt_strerror(rc));
		return 1;
	}
	return 0;
}
