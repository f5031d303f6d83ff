/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * swtpm_setup_main.c - swtpm_setup's command line: a vTPM of vtpm-managerd for
 * a state folder.  See doc/man/vtpm-swtpm.8.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/version.h"
#include "tools/swtpm/caps.h"
#include "tools/swtpm/keeper.h"
#include "tools/swtpm/process.h"
#include "tools/swtpm/sockets.h"

static struct {
	const char *state, *vmid, *banks, *log, *runas, *pwdfd, *keyfd, *certs;
	bool tpm2, overwrite, not_overwrite, reconfigure, caps, version, help,
	    spk;
} a;

#define ALWAYS NULL /* every vTPM has it: nothing to say */
#define SEALED                                                                 \
	"not used: the manager seals every state, at rest and in migrations, " \
	"with keys of its own"
#define MANAGERS "not used: vtpm-managerd makes TPMs, by its own settings"
#define GUESTS "not used: a vTPM's owner is whom its guest makes it"

/* clang-format off */
static const struct word words[] = {
	{ "tpm-state", 0, true, &a.state, NULL, NULL },
	{ "tpmstate", 0, true, &a.state, NULL, NULL },
	{ "tpm2", 0, false, NULL, &a.tpm2, NULL },
	{ "vmid", 0, true, &a.vmid, NULL, NULL },
	{ "pcr-banks", 0, true, &a.banks, NULL, NULL },
	{ "logfile", 0, true, &a.log, NULL, NULL },
	{ "runas", 0, true, &a.runas, NULL, NULL },
	{ "overwrite", 0, false, NULL, &a.overwrite, NULL },
	{ "not-overwrite", 0, false, NULL, &a.not_overwrite, NULL },
	{ "reconfigure", 0, false, NULL, &a.reconfigure, NULL },
	{ "print-capabilities", 0, false, NULL, &a.caps, NULL },
	{ "version", 0, false, NULL, &a.version, NULL },
	{ "help", 'h', false, NULL, &a.help, NULL },
	{ "createek", 0, false, NULL, NULL, ALWAYS },
	{ "create-ek-cert", 0, false, NULL, NULL, ALWAYS },
	{ "create-platform-cert", 0, false, NULL, NULL,
	    "not made: the EK certificate names the host" },
	{ "lock-nvram", 0, false, NULL, NULL, ALWAYS },
	{ "ecc", 0, false, NULL, NULL, ALWAYS },
	{ "decryption", 0, false, NULL, NULL, ALWAYS },
	{ "display", 0, false, NULL, NULL, ALWAYS },
	{ "create-spk", 0, false, NULL, &a.spk, NULL },
	{ "allow-signing", 0, false, NULL, NULL,
	    "not done: an EK that signs is no EK" },
	{ "rsa-keysize", 0, true, NULL, NULL, MANAGERS },
	{ "profile", 0, true, NULL, NULL, MANAGERS },
	{ "profile-name", 0, true, NULL, NULL, MANAGERS },
	{ "config", 0, true, NULL, NULL, MANAGERS },
	{ "tpm", 0, true, NULL, NULL, MANAGERS },
	{ "swtpm_ioctl", 0, true, NULL, NULL, MANAGERS },
	{ "tcsd-system-ps-file", 0, true, NULL, NULL, MANAGERS },
	{ "create-config-files", 0, true, NULL, NULL, MANAGERS },
	{ "write-ek-cert-files", 0, true, &a.certs, NULL, NULL },
	{ "keyfile", 0, true, NULL, NULL, SEALED },
	{ "keyfile-fd", 0, true, &a.keyfd, NULL, SEALED },
	{ "pwdfile", 0, true, NULL, NULL, SEALED },
	{ "pwdfile-fd", 0, true, &a.pwdfd, NULL, SEALED },
	{ "cipher", 0, true, NULL, NULL, SEALED },
	{ "take-ownership", 0, false, NULL, NULL, GUESTS },
	{ "ownerpass", 0, true, NULL, NULL, GUESTS },
	{ "owner-well-known", 0, false, NULL, NULL, GUESTS },
	{ "srkpass", 0, true, NULL, NULL, GUESTS },
	{ "srk-well-known", 0, false, NULL, NULL, GUESTS },
	{ 0 },
};
/* clang-format on */

static const char usage[] =
    "usage: swtpm_setup [--tpm2] --tpm-state DIR [--vmid NAME:UUID]\n"
    "           [--pcr-banks LIST] [--not-overwrite] [--logfile FILE]\n"
    "           [--runas USER] [--create-spk] [--write-ek-cert-files DIR]\n"
    "       swtpm_setup [--tpm2] --tpm-state DIR --reconfigure --pcr-banks "
    "LIST\n"
    "       swtpm_setup --print-capabilities\n"
    "\n"
    "A vTPM of vtpm-managerd for a state folder of swtpm; see vtpm-swtpm(8).\n"
    "Other options of swtpm_setup are accepted, and logged if they have no\n"
    "effect.\n";

static int
make(struct keeper *k, struct place *p, const struct wish *w)
{
	struct held h;
	int rc;

	if ((rc = keeper_open(k, p, w)) != VT_OK ||
	    (rc = keeper_hold(k, p, w, &h)) != VT_OK)
		return rc;
	if (a.reconfigure)
		return keeper_banks(k, &h, w->banks);
	return a.certs != NULL ? keeper_certs(k, p, a.certs) : VT_OK;
}

/* Whether there is something to do. */
static int
check(const struct place *p, bool *ret_done)
{
	*ret_done = false;
	if (a.reconfigure)
		return VT_OK;
	if (!p->rec.created)
		return VT_OK;
	*ret_done = a.not_overwrite;
	if (a.not_overwrite)
		return VT_OK;
	log_err("%s: it has the TPM %s already%s", a.state, p->rec.uuid,
	    a.overwrite ? ", and what is sealed to it would be lost: for a new "
			  "one, `vtpmctl destroy` it and remove " LINK_FILE
			: " (--not-overwrite accepts that)");
	return VT_E_EXISTS;
}

static int
setup(void)
{
	struct wish w = { .vmid = a.vmid, .tpm12 = !a.tpm2 };
	struct place p = { .fd = -1 };
	struct keeper k = { .private = false };
	bool done;
	int rc;

	if (a.state == NULL || (a.reconfigure && a.banks == NULL)) {
		log_err("%s is missing",
		    a.state == NULL ? "--tpm-state" : "--pcr-banks");
		return VT_E_FORMAT;
	}
	if (a.banks != NULL && strcmp(a.banks, "-") != 0)
		w.banks = a.banks;
	w.srk = a.spk && a.tpm2 ? "rsa" : NULL;
	if ((rc = place_open(a.state, !a.reconfigure, &p)) != VT_OK)
		return rc;
	if ((rc = check(&p, &done)) == VT_OK && !done &&
	    !(a.reconfigure && w.banks == NULL)) {
		rc = make(&k, &p, &w);
		keeper_close(&k);
	}
	place_close(&p);
	return rc;
}

int
main(int argc, char **argv)
{
	uint64_t given;
	int fd, rc;

	log_open("swtpm_setup", LOG_L_INFO);
	if (words_parse(words, &argc, argv, &given) != VT_OK)
		return 1;
	if (argc > 0) {
		log_err("'%.64s': swtpm_setup takes options only", argv[0]);
		return 1;
	}
	if (a.caps)
		caps_print_setup();
	else if (a.version)
		(void)printf("TPM emulator setup tool version " SWTPM_AS
			     ", vtpm-swtpm " VT_VERSION "\n");
	else if (a.help)
		(void)fputs(usage, stdout);
	if (a.caps || a.version || a.help)
		return 0;
	process_drain(a.keyfd);
	process_drain(a.pwdfd);
	if (a.runas != NULL && process_run_as(a.runas) != VT_OK)
		return 1;
	if (a.log != NULL &&
	    ((fd = file_for(a.log, O_WRONLY | O_APPEND, 0640)) == -1 ||
		process_log_to(fd) != VT_OK))
		return 1;
	words_report(words, given);
	rc = setup();
	return rc == VT_OK ? 0 : 1;
}
