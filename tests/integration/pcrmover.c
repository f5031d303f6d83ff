/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcrmover.c - sits between a program and its TPM and extends a PCR at the
 * worst moment.  For tpm2-tss: --tcti "cmd:pcrmover SOCKET PCR CODE TIMES".
 *
 * Commands come in on standard input and answers go out; SOCKET is swtpm's
 * data socket.  Before a command with that code continues, the PCR is
 * extended, TIMES times in all.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rdwr.h"
#include "base/util.h"

#define MAX 4096

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* One framed command or response; 0 at the end of the stream. */
static size_t
take(int fd, uint8_t *buf)
{
	size_t have = 0, want = 10;
	ssize_t n;

	while (have < want) {
		if ((n = read(fd, buf + have, want - have)) == 0)
			return 0;
		if (n < 0)
			die("read");
		have += (size_t)n;
		if (have == 10) {
			want = be32_get(buf + 2);
			if (want < 10 || want > MAX)
				die("size");
		}
	}
	return have;
}

static void
give(int fd, const uint8_t *buf, size_t len)
{
	if (write_all(fd, buf, len) != VT_OK)
		die("write");
}

static void
extend(int tpm, uint32_t pcr)
{
	uint8_t cmd[128], rsp[MAX], digest[32] = { 0x77 };
	struct wr w;

	wr_init(&w, cmd, sizeof(cmd));
	wr_be16(&w, 0x8002);
	wr_be32(&w, 0);
	wr_be32(&w, 0x00000182); /* TPM_CC_PCR_Extend */
	wr_be32(&w, pcr);
	wr_be32(&w, 9); /* the empty password */
	wr_be32(&w, 0x40000009);
	wr_be16(&w, 0);
	wr_u8(&w, 0);
	wr_be16(&w, 0);
	wr_be32(&w, 1);
	wr_be16(&w, 0x000b);
	wr_bytes(&w, digest, sizeof(digest));
	wr_set_be32(&w, 2, (uint32_t)w.len);
	give(tpm, cmd, w.len);
	if (take(tpm, rsp) < 10 || be32_get(rsp + 6) != 0) {
		fprintf(stderr, "pcrmover: extend failed\n");
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	static uint8_t buf[MAX];
	unsigned long pcr, code, times;
	size_t len;
	int tpm;

	if (argc != 5)
		return 2;
	pcr = strtoul(argv[2], NULL, 0);
	code = strtoul(argv[3], NULL, 0);
	times = strtoul(argv[4], NULL, 0);
	if ((tpm = unix_connect(argv[1])) == -1)
		die(argv[1]);
	while ((len = take(STDIN_FILENO, buf)) != 0) {
		if (be32_get(buf + 6) == code && times > 0) {
			times--;
			extend(tpm, (uint32_t)pcr);
		}
		give(tpm, buf, len);
		if ((len = take(tpm, buf)) == 0)
			return 1;
		give(STDOUT_FILENO, buf, len);
	}
	return 0;
}
