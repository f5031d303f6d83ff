/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * caps.c - the features that a caller of swtpm and swtpm_setup may use here.
 * Not among them: storage locks and blobs for migrations over shared storage,
 * profiles, and keys that are read from a process (cmdarg-print-states is).
 */
#include "tools/swtpm/caps.h"

#include <stdio.h>

void
caps_print_swtpm(void)
{
	(void)printf("{ \"type\": \"swtpm\", \"features\": [ \"tpm-1.2\", "
		     "\"tpm-2.0\", \"flags-opt-startup\", "
		     "\"flags-opt-disable-auto-shutdown\", "
		     "\"ctrl-opt-terminate\", \"cmdarg-seccomp\", "
		     "\"cmdarg-key-fd\", \"cmdarg-pwd-fd\", "
		     "\"cmdarg-print-states\", \"nvram-backend-dir\", "
		     "\"nvram-backend-file\", \"rsa-keysize-1024\", "
		     "\"rsa-keysize-2048\", \"rsa-keysize-3072\" ], "
		     "\"version\": \"%s\" }\n",
	    SWTPM_AS);
}

void
caps_print_setup(void)
{
	(void)printf("{ \"type\": \"swtpm_setup\", \"features\": [ "
		     "\"tpm-1.2\", \"tpm-2.0\", \"cmdarg-keyfile-fd\", "
		     "\"cmdarg-pwdfile-fd\", \"tpm12-not-need-root\", "
		     "\"cmdarg-write-ek-cert-files\", "
		     "\"cmdarg-create-config-files\", "
		     "\"cmdarg-reconfigure-pcr-banks\", "
		     "\"tpm2-rsa-keysize-2048\" ], \"version\": \"%s\" }\n",
	    SWTPM_AS);
}
