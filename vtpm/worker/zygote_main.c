/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zygote_main.c - vtpm-zygote forks the workers of one manager, which starts it
 * with a connected socket on descriptor 3.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/options.h"
#include "vtpm/worker/zygote.h"

#define MANAGER_FD 3

static const struct opt_command vtpm_zygote = {
	.name = "vtpm-zygote",
	.about = "Fork the workers of vtpm-managerd, which starts this program "
		 "with a socket on descriptor 3; see vtpm-zygote(8).\n",
};

int
main(int argc, char **argv)
{
	struct stat st;
	int rc;

	log_open("vtpm-zygote", LOG_L_INFO);
	if ((rc = opt_parse(&vtpm_zygote, &argc, &argv, NULL)) != OPT_GO)
		return rc;
	if (fstat(MANAGER_FD, &st) == -1 || !S_ISSOCK(st.st_mode))
		return opt_bad(&vtpm_zygote,
		    "descriptor %d is not a socket: vtpm-managerd starts this "
		    "program",
		    MANAGER_FD);
	if ((rc = zygote_run(MANAGER_FD)) != VT_OK) {
		log_err("cannot serve: %s", vt_strerror(rc));
		return 1;
	}
	return 0;
}
