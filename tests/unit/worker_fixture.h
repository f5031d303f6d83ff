/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_fixture.h - real workers, forked by the test, with a fake manager,
 * and the commands that tests send them.
 */
#ifndef TESTS_WORKER_FIXTURE_H
#define TESTS_WORKER_FIXTURE_H

#include "fakemgr.h"

#include <sys/prctl.h>

#include <fcntl.h>

#include "base/log.h"

#include "vtpm/engine/engine.h"
#include "vtpm/worker/worker.h"

#define HOLD_TEST_MS 300

/* clang-format off */
#define PW "00000009" "40000009" "0000" "00" "0000"	/* empty password */
/* two of them: the PCR and the sequence */
#define PW2x "00000012" "40000009" "0000" "00" "0000" "40000009" "0000" "00" "0000"
#define ONES "1111111111111111111111111111111111111111111111111111111111111111"
#define C_RANDOM	"800100000000" "0000017b" "0010"
#define C_STARTUP	"800100000000" "00000144" "0000"
#define C_STARTUP_STATE	"800100000000" "00000144" "0001"
#define C_SHUTDOWN_STATE "800100000000" "00000145" "0001"
#define C_EXTEND(pcr)	"800200000000" "00000182" pcr PW "00000001000b" ONES
#define C_EVENT(pcr)	"800200000000" "0000013c" pcr PW "0004" "61626364"
#define C_RESET(pcr)	"800200000000" "0000013d" pcr PW
#define C_READ16	"800100000000" "0000017e" "00000001000b03000001"
#define C_READ17	"800100000000" "0000017e" "00000001000b03000002"
#define C_READ0		"800100000000" "0000017e" "00000001000b03010000"
#define C_NV_DEFINE	"800200000000" "0000012a" "40000001" PW "0000" \
			"000e" "01500001" "000b" "02020002" "0000" "0008"
#define C_NV_WRITE(x)	"800200000000" "00000137" "40000001" "01500001" PW \
			"0008" x "0000"
#define C_NV_READ	"800200000000" "0000014e" "40000001" "01500001" PW \
			"0008" "0000"
#define C_INFO		"800100000000" "20005654" "0001"
/* a primary ECC key, restricted signing, ECDSA */
#define C_PRIMARY_ECC	"800200000000" "00000131" "40000007" PW \
			"0004" "00000000" \
			"0018" "0023000b00050472" "0000" "0010" "0018000b" \
			"0003" "0010" "0000" "0000" "0000" "00000000"
/* RSA-2048, unrestricted decrypt: slow */
#define C_PRIMARY_RSA	"800200000000" "00000131" "40000007" PW \
			"0004" "00000000" \
			"0016" "0001000b00020472" "0000" "0010" "0010" \
			"0800" "00000000" "0000" "0000" "00000000"
#define C_QUOTE		"800200000000" "00000158" "81000003" PW \
			"0004" "deadbeef" "0010" "00000001000b03ffffff"
#define C_NV_PUBLIC(i)	"800100000000" "00000169" i
#define C_PUBLIC(h)	"800100000000" "00000173" h
/* clang-format on */

static pid_t
fm_fork(struct fm *m, int ctl, int listen_fd)
{
	static struct worker_cfg cfg = { .uid = JAIL_KEEP_ID,
		.gid = JAIL_KEEP_ID,
		.hold_ms = HOLD_TEST_MS };
	pid_t pid = fork();
	int fd;

	(void)m;
	assert_int_not_equal(pid, -1);
	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	log_open(
	    "worker", (enum log_level)(getenv("TEST_DEBUG") != NULL
					   ? 7
					   : 0)); /* refusals are wanted here */
	for (fd = 3; fd < 64; fd++)               /* as the jail would */
		if (fd != ctl && fd != listen_fd)
			(void)close(fd);
	if (eng_init(open("/dev/null", O_WRONLY | O_CLOEXEC)) != VT_OK)
		_exit(9);
	worker_run(ctl, listen_fd, &cfg);
}

/* A new vTPM with a guest's channel open. */
static FM_UNUSED void
fm_make(struct fm *m, struct fw *g)
{
	struct wprovisioned pub;

	fm_start(m, g, JAIL_KEEP_ID);
	fm_provision(g, TPM_VER_20, 0, &pub);
	assert_int_equal(fm_claim(g, 3), VT_OK);
	assert_int_equal(g->version, 1);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_OK);
}

/* A first command, and the store that starting up asks for. */
static FM_UNUSED void
fm_settle(struct fw *g, struct ring *r)
{
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	fm_pump_for(g, 30);
}

/* Another worker for what is stored. */
static FM_UNUSED void
fm_again(struct fw *g, uint8_t flags)
{
	fm_start(g->m, g, JAIL_KEEP_ID);
	assert_int_equal(fm_load(g, flags, NULL), VT_OK);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_OK);
}

#endif
