/* SPDX-License-Identifier: BSD-3-Clause */
/* firmware.c - OVMF's own measurements, computed or learnt. */
#include "measure/predict/firmware.h"

#include <stdio.h>
#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"

static const uint8_t guid_global[16] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93,
	0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };
static const uint8_t guid_security[16] = { 0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d,
	0x96, 0x45, 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f };

/* UEFI_VARIABLE_DATA of a Secure Boot variable. */
static void
variable(struct prediction *p, const uint8_t guid[16], const char *name,
    const void *data, size_t len)
{
	uint8_t buf[128];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	wr_bytes(&w, guid, 16);
	wr_le64(&w, strlen(name));
	wr_le64(&w, len);
	for (; *name != '\0'; name++)
		wr_le16(&w, (uint8_t)*name);
	wr_bytes(&w, data, len);
	pred_event(p, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, buf, w.len, buf, w.len);
}

static void
action(struct prediction *p, uint32_t pcr, const char *text)
{
	pred_text(p, pcr, EV_EFI_ACTION, text);
}

/* Firmware with no key enrolled. */
static void
start_plain(struct prediction *p)
{
	uint32_t i;

	pred_unknown(p, 0,
	    "the firmware's code is measured as it is in "
	    "memory: learn it from a log (--learn)");
	pred_unknown(p, 1,
	    "boot variables depend on the machine's devices: "
	    "learn them from a log (--learn)");
	variable(p, guid_global, "SecureBoot", "\0", p->no_secure_boot ? 0 : 1);
	variable(p, guid_global, "PK", "", 0);
	variable(p, guid_global, "KEK", "", 0);
	variable(p, guid_security, "db", "", 0);
	variable(p, guid_security, "dbx", "", 0);
	pred_separator(p, 7);
	action(p, 4, "Calling EFI Application from Boot Option");
	for (i = 2; i <= 6; i++)
		pred_separator(p, i);
	pred_note(p, "PCR 7: Secure Boot %s, no key enrolled",
	    p->no_secure_boot ? "absent" : "off");
	pred_note(p, "PCRs 2 and 3: no device has an option ROM");
	pred_note(p, "PCR 4: the first boot option starts");
}

/* Is the event the firmware's own, whatever is booted from which disk? */
static bool
is_learnt(const struct el_event *ev)
{
	if (!el_extends(ev) || ev->pcr > 7)
		return false;
	return ev->pcr != 5 || ev->type == EV_SEPARATOR;
}

/* PCR 7 of a reference boot names who signed its program; of another program
 * that is not known. */
static void
check_signer(struct prediction *p)
{
	if (p->program.len == 0 || p->signed_program.len == 0 ||
	    memcmp(p->program.val, p->signed_program.val, p->program.len) == 0)
		return;
	pred_unknown(p, 7,
	    "another program is started than in the reference log, where its "
	    "signer was measured: learn from a boot of this one");
}

static const struct tpm_digest *
in_first_bank(const struct prediction *p, const struct el_event *ev)
{
	uint32_t i;

	for (i = 0; i < ev->ndigests; i++)
		if (ev->digests[i].alg == p->algs[0])
			return &ev->digests[i];
	return NULL;
}

static int
start_learnt(struct prediction *p, struct el_log *log)
{
	bool application = false, called = false, done = false;
	bool is_signed = false;
	struct tpm_digest first = { 0 };
	const struct tpm_digest *d;
	struct el_event ev;
	int rc;

	while ((rc = el_next(log, &ev)) == 1) {
		if (ev.pcr == 4 &&
		    ev.type == EV_EFI_BOOT_SERVICES_APPLICATION) {
			d = in_first_bank(p, &ev);
			if (!application && d != NULL)
				first = *d;
			application = true;
			done = called; /* QEMU's -kernel is loaded earlier */
			continue;
		}
		called = called || ev.pcr == 4;
		is_signed =
		    is_signed ||
		    (ev.pcr == 7 && ev.type == EV_EFI_VARIABLE_AUTHORITY);
		if (!is_learnt(&ev) || (ev.pcr == 4 && done))
			continue;
		pred_digests(p, ev.pcr, ev.type, ev.digests, ev.ndigests,
		    ev.data, ev.datalen);
		p->learnt |= 1u << ev.pcr;
	}
	if (is_signed)
		p->signed_program = first;
	check_signer(p);
	return rc < 0 ? rc : application ? VT_OK : VT_E_NOTFOUND;
}

static int
has_banks(const struct prediction *p, const struct el_spec *spec)
{
	uint32_t i, k;

	for (i = 0; i < p->nalgs; i++) {
		for (k = 0; k < spec->nbanks; k++)
			if (spec->algs[k] == p->algs[i])
				break;
		if (k == spec->nbanks)
			return VT_E_UNSUPPORTED;
	}
	return VT_OK;
}

int
fw_start(
    struct prediction *p, const uint8_t *log, size_t len, char err[FW_ERR_MAX])
{
	struct el_log *el;
	int rc;

	if (log == NULL) {
		start_plain(p);
		return VT_OK;
	}
	if ((rc = el_open(log, len, &el)) != VT_OK) {
		(void)snprintf(
		    err, FW_ERR_MAX, "it %s", vt_input_error(rc, len));
		return rc;
	}
	if ((rc = has_banks(p, el_spec(el))) != VT_OK)
		(void)snprintf(
		    err, FW_ERR_MAX, "it lacks a bank that is to be predicted");
	else if ((rc = start_learnt(p, el)) == VT_E_NOTFOUND)
		(void)snprintf(err, FW_ERR_MAX, "no program was booted in it");
	else if (rc != VT_OK)
		(void)snprintf(
		    err, FW_ERR_MAX, "it %s", vt_input_error(rc, len));
	el_close(el);
	return rc;
}

/* EFI_IMAGE_LOAD_EVENT with a device path of the file alone.  It is not part
 * of what is measured. */
static void
load_event(struct wr *w, const struct pe *pe, const char *path)
{
	size_t n = strlen(path) + 1;

	wr_le64(w, 0);
	wr_le64(w, pe->len);
	wr_le64(w, 0);
	wr_le64(w, 4 + 2 * n + 4);
	wr_u8(w, 4); /* media */
	wr_u8(w, 4); /* file */
	wr_le16(w, (uint16_t)(4 + 2 * n));
	for (; n > 0; n--, path++)
		wr_le16(w, (uint8_t)(*path == '/' ? '\\' : *path));
	wr_le32(w, 0x0004ff7f); /* the end */
}

int
fw_application(struct prediction *p, const struct pe *pe, const char *path)
{
	struct tpm_digest d[PCR_MAX_BANKS];
	uint8_t buf[FW_PATH_MAX * 2 + 64];
	struct wr w;
	uint32_t i;
	int rc;

	if (strlen(path) > FW_PATH_MAX)
		return VT_E_RANGE;
	for (i = 0; i < p->nalgs; i++)
		if ((rc = pe_authenticode(pe, p->algs[i], &d[i])) != VT_OK)
			return rc;
	if (p->program.len == 0 && p->nalgs > 0)
		p->program = d[0];
	check_signer(p);
	wr_init(&w, buf, sizeof(buf));
	load_event(&w, pe, path);
	pred_digests(
	    p, 4, EV_EFI_BOOT_SERVICES_APPLICATION, d, p->nalgs, buf, w.len);
	return VT_OK;
}

void
fw_exit_boot_services(struct prediction *p)
{
	action(p, 5, "Exit Boot Services Invocation");
	action(p, 5, "Exit Boot Services Returned with Success");
	pred_unknown(p, 10, "IMA of the operating system measures what runs");
}
