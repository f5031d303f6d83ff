/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * credcmd.c - a credential as tpm2_activatecredential wants it:
 *   credcmd EK-TPM2B_PUBLIC NAME-HEX SECRET-FILE OUT
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "measure/cert/make_credential.h"

#define TOOLS_MAGIC 0xbadcc0deu /* tpm2-tools' own header */

int
main(int argc, char **argv)
{
	uint8_t *ek = NULL, *secret = NULL, buf[2048];
	size_t ek_len = 0, secret_len = 0, pub_len = 0, n = 0;
	struct tpm_name name;
	struct credential c;
	const uint8_t *pub;
	struct wr w;
	int rc;

	if (argc != 5 || read_file(argv[1], 4096, &ek, &ek_len) != VT_OK ||
	    read_file(argv[3], 64, &secret, &secret_len) != VT_OK ||
	    hex_decode(argv[2], name.b, sizeof(name.b), &n) != VT_OK ||
	    tpm_pub_unwrap(ek, ek_len, &pub, &pub_len) != VT_OK)
		return 2;
	name.len = (uint16_t)n;
	rc = credential_make(pub, pub_len, &name, secret, secret_len, &c);
	if (rc != VT_OK) {
		(void)fprintf(stderr, "%s\n", vt_strerror(rc));
		return 1;
	}
	wr_init(&w, buf, sizeof(buf));
	wr_be32(&w, TOOLS_MAGIC);
	wr_be32(&w, 1);
	wr_bytes(&w, c.id, c.id_len);
	wr_bytes(&w, c.enc, c.enc_len);
	free(ek);
	free(secret);
	if (wr_err(&w) != VT_OK)
		return 1;
	return write_file_atomic(argv[4], buf, w.len, 0644) == VT_OK ? 0 : 1;
}
