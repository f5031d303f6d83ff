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

/* Variables, and which event measures them. */
static const struct {
	const char *name;
	uint32_t type;
} variables[] = { { "PK", EV_EFI_VARIABLE_DRIVER_CONFIG },
	{ "KEK", EV_EFI_VARIABLE_DRIVER_CONFIG },
	{ "db", EV_EFI_VARIABLE_DRIVER_CONFIG },
	{ "dbx", EV_EFI_VARIABLE_DRIVER_CONFIG },
	{ "SbatLevel", EV_EFI_VARIABLE_AUTHORITY } };

bool
fw_variable_known(const char *name)
{
	size_t i;

	for (i = 0; i < VT_NELEM(variables); i++)
		if (strcmp(name, variables[i].name) == 0)
			return true;
	return false;
}

/* UEFI_VARIABLE_DATA of a Secure Boot variable. */
static int
variable(struct prediction *p, uint32_t type, const uint8_t guid[16],
    const char *name, const void *data, size_t len)
{
	struct wr w;
	int rc;

	wr_grow(&w, EL_MAX_DATA);
	wr_bytes(&w, guid, 16);
	wr_le64(&w, strlen(name));
	wr_le64(&w, len);
	for (; *name != '\0'; name++)
		wr_le16(&w, (uint8_t)*name);
	wr_bytes(&w, data, len);
	if ((rc = wr_err(&w)) == VT_OK)
		pred_event(p, 7, type, w.buf, w.len, w.buf, w.len);
	wr_free(&w);
	return rc;
}

static const struct fw_variable *
find_variable(const struct fw_variables *vars, const char *name)
{
	uint32_t i;

	for (i = 0; vars != NULL && i < vars->n; i++)
		if (strcmp(vars->v[i].name, name) == 0)
			return &vars->v[i];
	return NULL;
}

static void
action(struct prediction *p, uint32_t pcr, const char *text)
{
	pred_text(p, pcr, EV_EFI_ACTION, text);
}

/* Firmware with no key enrolled, but for those that vars has. */
static int
start_plain(struct prediction *p, const struct fw_variables *vars)
{
	static const char *const names[] = { "PK", "KEK", "db", "dbx" };
	const struct fw_variable *v;
	uint32_t i;
	int rc;

	pred_unknown(p, 0,
	    "the firmware's code is measured as it is in "
	    "memory: learn it from a log (--learn)");
	pred_unknown(p, 1,
	    "boot variables depend on the machine's devices: "
	    "learn them from a log (--learn)");
	rc = variable(p, EV_EFI_VARIABLE_DRIVER_CONFIG, guid_global,
	    "SecureBoot", "\0", p->no_secure_boot ? 0 : 1);
	for (i = 0; i < VT_NELEM(names) && rc == VT_OK; i++) {
		v = find_variable(vars, names[i]);
		rc = variable(p, EV_EFI_VARIABLE_DRIVER_CONFIG,
		    i < 2 ? guid_global : guid_security, names[i],
		    v != NULL ? v->data : (const uint8_t *)"",
		    v != NULL ? v->len : 0);
	}
	pred_separator(p, 7);
	action(p, 4, "Calling EFI Application from Boot Option");
	for (i = 2; i <= 6; i++)
		pred_separator(p, i);
	pred_note(p, "PCR 7: Secure Boot %s, no key enrolled%s",
	    p->no_secure_boot ? "absent" : "off",
	    vars != NULL && vars->n > 0 ? " but those given" : "");
	pred_note(p, "PCRs 2 and 3: no device has an option ROM");
	pred_note(p, "PCR 4: the first boot option starts");
	return rc;
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

/* The name in an UEFI_VARIABLE_DATA is this one. */
static bool
names(const struct el_event *ev, const char *name)
{
	size_t len = strlen(name), i;
	struct rd r;

	rd_init(&r, ev->data, ev->datalen);
	(void)rd_span(&r, 16);
	if (rd_le64(&r) != len || ev->datalen < 32 + 2 * len)
		return false;
	for (i = 0; i < len; i++)
		if (ev->data[32 + 2 * i] != (uint8_t)name[i] ||
		    ev->data[33 + 2 * i] != 0)
			return false;
	return true;
}

/* The event of a variable that will have another value.  0: it is none. */
static int
take_variable(struct prediction *p, const struct el_event *ev,
    const struct fw_variables *vars, uint32_t *seen)
{
	const struct fw_variable *v;
	uint32_t i;
	int rc;

	for (i = 0; i < VT_NELEM(variables); i++) {
		v = find_variable(vars, variables[i].name);
		if (v == NULL || ev->pcr != 7 ||
		    ev->type != variables[i].type || !names(ev, v->name))
			continue;
		*seen |= 1u << (v - vars->v);
		rc = variable(p, ev->type, ev->data, v->name, v->data, v->len);
		return rc == VT_OK ? 1 : rc;
	}
	return 0;
}

static int
start_learnt(
    struct prediction *p, struct el_log *log, const struct fw_variables *vars)
{
	uint32_t seen = 0;
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
		if ((rc = take_variable(p, &ev, vars, &seen)) < 0)
			return rc;
		if (rc == 0)
			pred_digests(p, ev.pcr, ev.type, ev.digests,
			    ev.ndigests, ev.data, ev.datalen);
		p->learnt |= 1u << ev.pcr;
	}
	if (rc == 0 && vars != NULL && seen != (1u << vars->n) - 1)
		return VT_E_STATE;
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
fw_start(struct prediction *p, const uint8_t *log, size_t len,
    const struct fw_variables *vars, char err[FW_ERR_MAX])
{
	struct el_log *el;
	int rc;

	if (log == NULL) {
		(void)snprintf(
		    err, FW_ERR_MAX, "a variable's value is too long");
		if (find_variable(vars, "SbatLevel") == NULL)
			return start_plain(p, vars);
		(void)snprintf(err, FW_ERR_MAX,
		    "SbatLevel is shim's: give the log of a boot (--learn)");
		return VT_E_STATE;
	}
	if ((rc = el_open(log, len, &el)) != VT_OK) {
		(void)snprintf(
		    err, FW_ERR_MAX, "it %s", vt_input_error(rc, len));
		return rc;
	}
	if ((rc = has_banks(p, el_spec(el))) != VT_OK)
		(void)snprintf(
		    err, FW_ERR_MAX, "it lacks a bank that is to be predicted");
	else if ((rc = start_learnt(p, el, vars)) == VT_E_STATE)
		(void)snprintf(err, FW_ERR_MAX,
		    "a variable that was given is not measured in it");
	else if (rc == VT_E_NOTFOUND)
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
