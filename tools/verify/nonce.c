/* SPDX-License-Identifier: BSD-3-Clause */
/* nonce.c - vtpm-verify nonce: a fresh one. */
#include <stdio.h>

#include "base/log.h"
#include "base/util.h"
#include "tools/verify/commands.h"
#include "tools/verify/verdict.h"

#define NONCE_LEN 32

static int
nonce(void *ctx, void *args, int argc, char **argv)
{
	uint8_t raw[NONCE_LEN];
	char hex[2 * NONCE_LEN + 1];

	(void)ctx;
	(void)args;
	(void)argc;
	(void)argv;
	if (random_bytes(raw, sizeof(raw)) != VT_OK) {
		log_err("getrandom: %m");
		return VX_UNDECIDED;
	}
	hex_encode(raw, sizeof(raw), hex);
	return puts(hex) >= 0 ? VX_ACCEPTED : VX_UNDECIDED;
}

const struct opt_command verify_nonce = {
	.name = "vtpm-verify nonce",
	.about = "Print a fresh nonce of 32 bytes in hex, for vtpm-attest.\n",
	.run = nonce,
};
