/* SPDX-License-Identifier: BSD-3-Clause */
/* predict.c - vtpm-measure predict: the PCRs of a boot from its files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/util.h"
#include "measure/predict/direct_boot.h"
#include "measure/predict/firmware.h"
#include "measure/predict/grub_core.h"
#include "measure/predict/grub_run.h"
#include "measure/predict/uki.h"
#include "tools/common/file.h"
#include "tools/measure/commands.h"
#include "tools/measure/disk.h"
#include "tools/measure/output.h"

#define LOADER "/EFI/BOOT/BOOTX64.EFI"

struct args {
	const char *disk, *kernel, *initrd, *cmdline, *uki;
	const char *loader, *device, *entry, *until, *phases, *learn, *banks;
	const char *pcrs, *log, *cel;
	uint32_t memory;
	bool grubenv, json, events, no_secure_boot, as_is;
	const char *variables[FW_MAX_VARIABLES]; /* NAME=FILE */
	uint32_t nvariables;
};

struct job {
	const struct args *a;
	struct prediction *p;
	struct disk *disk;
	uint8_t *learn;
	size_t learn_len;
	struct fw_variables vars;
	uint8_t *vars_data[FW_MAX_VARIABLES];
	char *vars_name[FW_MAX_VARIABLES];
};

/* What the firmware measures by itself. */
static int
firmware(struct job *j)
{
	char err[FW_ERR_MAX];
	int rc;

	j->p->no_secure_boot = j->a->no_secure_boot;
	rc = fw_start(j->p, j->learn, j->learn_len, &j->vars, err);
	if (rc != VT_OK)
		log_err("%s: %s",
		    j->a->learn != NULL ? j->a->learn : "--variable", err);
	else if (j->a->learn != NULL)
		pred_note(j->p,
		    "PCRs 0, 1, 2, 3, 6 and 7, and how often "
		    "firmware tries a boot option, are learnt from "
		    "%s: they hold for the same firmware, machine "
		    "and variables",
		    j->a->learn);
	return rc;
}

/* What follows the firmware is nothing that is known here. */
static void
unknown_program(struct job *j, const char *name)
{
	pred_unknown_rest(j->p,
	    "%s is neither GRUB 2.06 or 2.12 nor a unified kernel image: what "
	    "it "
	    "measures is not known",
	    name);
}

/* --- GRUB --------------------------------------------------------------------
 */

/* "(hd0,gpt2)/boot", "(,gpt2)/boot" or "/boot", seen from the device that GRUB
 * was loaded from. */
static void
split_prefix(const struct grub_core *core, const char *boot,
    char dev[GR_DEV_MAX], char path[GR_NAME_MAX])
{
	char text[GR_NAME_MAX], *end;

	(void)snprintf(text, sizeof(text), "%.*s", (int)core->prefix_len,
	    core->prefix != NULL ? core->prefix : "");
	(void)snprintf(dev, GR_DEV_MAX, "%s", boot);
	(void)snprintf(path, GR_NAME_MAX, "%s", text);
	if (text[0] != '(' || (end = strchr(text, ')')) == NULL)
		return;
	(void)snprintf(path, GR_NAME_MAX, "%s", end + 1);
	*end = '\0';
	if (text[1] == ',')
		(void)snprintf(dev, GR_DEV_MAX, "%.*s%.40s",
		    (int)strcspn(boot, ","), boot, text + 1);
	else
		(void)snprintf(dev, GR_DEV_MAX, "%.60s", text + 1);
}

static int
boot_grub(struct job *j, const struct grub_core *core, const char *name)
{
	const struct grub_host host = { .ctx = j->disk,
		.kind = disk_kind,
		.read = disk_read,
		.find = disk_find };
	const struct grub_options opts = { .entry = j->a->entry,
		.fixed_grubenv = j->a->grubenv,
		.until = j->a->until };
	char dev[GR_DEV_MAX], prefix[GR_NAME_MAX];
	char fw_path[GR_DEV_MAX + GR_NAME_MAX + 2];
	const char *end = strrchr(name, '/');
	struct grub_start start = { .dev = dev,
		.prefix = prefix,
		.boot = disk_boot(j->disk),
		.config = core->config,
		.config_len = core->config_len };
	bool booted = false;
	int rc;

	if (gcore_release(core, &start.release) != VT_OK) {
		unknown_program(j, "this GRUB");
		return VT_OK;
	}
	split_prefix(core, start.boot, dev, prefix);
	(void)snprintf(fw_path, sizeof(fw_path), "(%s)%.*s", start.boot,
	    end != NULL ? (int)(end - name) : 0, name);
	if (gcore_has_fw_path(core))
		start.fw_path = fw_path;
	rc = grub_predict(j->p, &host, &start, &opts, &booted);
	if (rc == VT_OK && booted)
		fw_exit_boot_services(j->p);
	return rc;
}

/* --- a unified kernel image
 * ---------------------------------------------------- */

/* The bytes of a section; heap, NUL behind them.  NULL: it is not there. */
static char *
section(const struct pe *pe, const char *name, size_t *ret_len)
{
	const struct pe_section *s = pe_find(pe, name);
	char *text;

	if (s == NULL)
		return NULL;
	*ret_len = s->vsize < s->rawsize ? s->vsize : s->rawsize;
	if ((text = malloc(*ret_len + 1)) == NULL)
		return NULL;
	memcpy(text, pe->buf + s->raw, *ret_len);
	text[*ret_len] = '\0';
	return text;
}

/* The kernel in it is an EFI application of its own. */
static int
boot_inner(struct job *j, const struct pe *pe)
{
	size_t len = 0, initrd_len = 0, n;
	char *kernel = section(pe, ".linux", &len);
	char *initrd = section(pe, ".initrd", &initrd_len);
	char *cmdline = section(pe, ".cmdline", &n);
	struct pe inner;
	int rc = VT_E_NOMEM;

	if (kernel != NULL &&
	    (rc = pe_open((uint8_t *)kernel, len, &inner)) == VT_OK)
		rc = fw_application(j->p, &inner, ".linux");
	if (rc == VT_OK)
		rc = stub_measure(j->p, cmdline != NULL ? cmdline : "", true,
		    (uint8_t *)initrd, initrd_len);
	free(kernel);
	free(initrd);
	free(cmdline);
	return rc;
}

/* Is a folder there whose files the stub adds to the initrd and measures? */
static void
look_at(struct job *j, const char *folder)
{
	static const uint32_t pcrs[] = { 9, 12, 13 };
	size_t i;

	if (disk_kind(j->disk, disk_boot(j->disk), folder) == GF_NONE)
		return;
	for (i = 0; i < VT_NELEM(pcrs); i++)
		pred_unknown(j->p, pcrs[i],
		    "the stub may take credentials and extensions from %s",
		    folder);
}

static void
look_beside(struct job *j, const char *name)
{
	char folder[GR_NAME_MAX];

	pred_note(j->p, "the image's boot option has no command line%s",
	    j->disk == NULL ? ", and no credentials or extensions lie beside "
			      "the image"
			    : "");
	if (j->disk == NULL)
		return;
	(void)snprintf(folder, sizeof(folder), "%s.extra.d", name);
	look_at(j, folder);
	look_at(j, "/loader/credentials");
	look_at(j, "/loader/addons");
}

static int
boot_uki(struct job *j, const struct pe *pe, const char *name)
{
	int rc;

	uki_measure(j->p, pe);
	look_beside(j, name);
	if ((rc = boot_inner(j, pe)) != VT_OK) {
		log_err("the kernel in the image: %s", vt_strerror(rc));
		return rc;
	}
	fw_exit_boot_services(j->p);
	if (j->a->phases != NULL &&
	    (rc = uki_phases(j->p, j->a->phases)) != VT_OK)
		log_err("--phases: a word is missing");
	return rc;
}

/* --- what firmware starts
 * -------------------------------------------------------- */

static int
start_image(struct job *j, const uint8_t *buf, size_t len, const char *name)
{
	struct grub_core core;
	struct pe pe;
	int rc;

	if ((rc = pe_open(buf, len, &pe)) != VT_OK ||
	    (rc = fw_application(j->p, &pe, name)) != VT_OK) {
		log_err("%s is no EFI application: %s", name, vt_strerror(rc));
		return rc;
	}
	if (j->a->uki != NULL && uki_is(&pe))
		return boot_uki(j, &pe, name);
	if (j->disk != NULL && gcore_open(&pe, &core) == VT_OK)
		return boot_grub(j, &core, name);
	if (uki_is(&pe))
		return boot_uki(j, &pe, name);
	unknown_program(j, name);
	return VT_OK;
}

static int
boot_disk(struct job *j)
{
	const char *loader = j->a->loader != NULL ? j->a->loader : LOADER;
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	rc = disk_open(
	    j->a->disk, j->a->device != NULL ? j->a->device : "hd0", &j->disk);
	if (rc != VT_OK || (rc = firmware(j)) != VT_OK)
		return rc;
	if (disk_gpt(j->disk) != NULL)
		gpt_measure(j->p, disk_gpt(j->disk));
	else if (disk_is_folder(j->disk))
		pred_unknown(j->p, 5,
		    "a folder has no partition table: give "
		    "the disk's image");
	rc = disk_read(j->disk, disk_boot(j->disk), loader, &buf, &len);
	if (rc != VT_OK) {
		log_err("%s: no %s: %s", j->a->disk, loader, vt_strerror(rc));
		return rc;
	}
	rc = start_image(j, buf, len, loader);
	free(buf);
	return rc;
}

static int
boot_file(struct job *j)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc = tool_read(j->a->uki, DISK_FILE_MAX, &buf, &len);

	if (rc != VT_OK)
		return rc;
	pred_unknown(j->p, 5,
	    "a file has no partition table: give the disk's "
	    "image");
	if ((rc = firmware(j)) == VT_OK)
		rc = start_image(j, buf, len, j->a->uki);
	free(buf);
	return rc;
}

static int
boot_kernel(struct job *j)
{
	uint8_t *kernel = NULL, *initrd = NULL;
	size_t len = 0, initrd_len = 0, n;
	char *options = NULL;
	struct pe pe;
	int rc;

	if ((rc = tool_read(j->a->kernel, DISK_FILE_MAX, &kernel, &len)) !=
		VT_OK ||
	    (j->a->initrd != NULL &&
		(rc = tool_read(j->a->initrd, DISK_FILE_MAX, &initrd,
		     &initrd_len)) != VT_OK))
		goto out;
	n = strlen(j->a->cmdline != NULL ? j->a->cmdline : "") + 32;
	rc = VT_E_NOMEM;
	if ((options = malloc(n)) == NULL)
		goto out;
	(void)snprintf(options, n, "%s%s",
	    j->a->cmdline != NULL ? j->a->cmdline : "",
	    initrd != NULL ? " initrd=initrd" : "");
	rc = VT_OK;
	if (!j->a->as_is)
		rc = direct_patch(
		    kernel, len, (uint64_t)j->a->memory << 20, initrd_len);
	if (rc == VT_OK && (rc = pe_open(kernel, len, &pe)) == VT_OK)
		rc = fw_application(j->p, &pe, "-kernel");
	if (rc == VT_OK) /* loaded before boot options are looked at */
		rc = firmware(j);
	if (rc == VT_OK)
		rc = stub_measure(j->p, options, true, initrd, initrd_len);
	if (rc == VT_E_FORMAT)
		log_err("%s: neither a bzImage with an EFI stub, nor a command "
			"line in ASCII",
		    j->a->kernel);
	else if (rc != VT_OK)
		log_err("%s: %s", j->a->kernel, vt_strerror(rc));
	fw_exit_boot_services(j->p);
out:
	free(kernel);
	free(initrd);
	free(options);
	return rc;
}

/* --- the command
 * ------------------------------------------------------------------ */

static int
add_variable(void *dst, const struct opt *o, const char *arg)
{
	struct args *a = dst;
	const char *eq = strchr(arg, '=');
	char name[16];

	(void)o;
	if (a->nvariables == FW_MAX_VARIABLES || eq == NULL)
		return VT_E_RANGE;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(eq - arg), arg);
	if (!fw_variable_known(name) || strlen(name) != (size_t)(eq - arg))
		return VT_E_RANGE;
	a->variables[a->nvariables++] = arg;
	return VT_OK;
}

static int
read_variables(struct job *j)
{
	uint32_t i;
	int rc;

	for (i = 0; i < j->a->nvariables; i++) {
		const char *arg = j->a->variables[i], *eq = strchr(arg, '=');
		struct fw_variable *v = &j->vars.v[i];

		for (size_t k = 0; k < i; k++)
			if (strncmp(arg, j->a->variables[k],
				(size_t)(eq - arg) + 1) == 0) {
				log_err("--variable: %s is given twice", arg);
				return VT_E_FORMAT;
			}
		rc = tool_read(eq + 1, EL_MAX_DATA, &j->vars_data[i], &v->len);
		if (rc != VT_OK)
			return rc;
		v->data = j->vars_data[i];
		j->vars_name[i] = strndup(arg, (size_t)(eq - arg));
		if ((v->name = j->vars_name[i]) == NULL)
			return VT_E_NOMEM;
		j->vars.n++;
	}
	return VT_OK;
}

static void
drop_variables(struct job *j)
{
	uint32_t i;

	for (i = 0; i < FW_MAX_VARIABLES; i++) {
		free(j->vars_data[i]);
		free(j->vars_name[i]);
	}
}

static int
start(struct job *j)
{
	uint16_t algs[PCR_MAX_BANKS] = { 0 };
	char text[64], *name, *save = NULL;
	uint32_t n = 0;
	int rc;

	(void)snprintf(text, sizeof(text), "%s",
	    j->a->banks != NULL ? j->a->banks : "sha256");
	for (name = strtok_r(text, ",", &save); name != NULL;
	     name = strtok_r(NULL, ",", &save)) {
		if (n == PCR_MAX_BANKS || (algs[n++] = digest_alg(name)) == 0) {
			log_err("--banks: no bank \"%s\"", name);
			return VT_E_UNSUPPORTED;
		}
	}
	if ((rc = pred_new(algs, n, &j->p)) != VT_OK) {
		log_err("--banks: %s", vt_strerror(rc));
		return rc;
	}
	if (j->a->learn != NULL && (rc = tool_read(j->a->learn, EL_MAX_LOG,
					&j->learn, &j->learn_len)) != VT_OK)
		return rc;
	return read_variables(j);
}

static int
print(const struct job *j)
{
	char err[REPLAY_ERR_MAX];
	struct replay *r = NULL;
	int rc;

	if ((rc = pred_result(j->p, &r, err)) != VT_OK) {
		log_err("%s", err);
		return rc;
	}
	if (j->a->json)
		rc = output_json(j->p, r);
	else
		output_table(j->p, r, j->a->events);
	if (rc == VT_OK && j->a->pcrs != NULL)
		rc = output_pcrs(j->a->pcrs, r);
	if (rc == VT_OK && j->a->log != NULL)
		rc = output_log(j->a->log, j->p);
	if (rc == VT_OK && j->a->cel != NULL)
		rc = output_cel(j->a->cel, r);
	replay_free(r);
	return rc;
}

static int
predict(void *ctx, void *args, int argc, char **argv)
{
	struct job j = { .a = args };
	const struct args *a = args;
	int rc, given;

	(void)ctx, (void)argc, (void)argv;
	given = (a->disk != NULL) + (a->kernel != NULL) + (a->uki != NULL);
	if (given != 1)
		return opt_bad(&measure_predict,
		    "one of --disk, --kernel and --uki is needed");
	rc = start(&j);
	if (rc == VT_OK)
		rc = a->disk != NULL     ? boot_disk(&j)
		     : a->kernel != NULL ? boot_kernel(&j)
					 : boot_file(&j);
	if (rc == VT_OK)
		rc = print(&j);
	if (rc == VT_OK)
		rc = (j.p->unknown & 0xffff & ~(1u << 10)) != 0 ? MX_SOME
								: MX_ALL;
	else
		rc = MX_FAILED;
	disk_free(j.disk);
	pred_free(j.p);
	free(j.learn);
	drop_variables(&j);
	return rc;
}

static const struct opt opts[] = {
	{ OPT_TEXT("disk", 'd', "PATH", struct args, disk,
	    "boot this disk: an image, raw or qcow2, or a folder that holds "
	    "the files of the EFI system partition") },
	{ OPT_TEXT("kernel", 'k', "FILE", struct args, kernel,
	    "boot this kernel as QEMU's -kernel does, with OVMF") },
	{ OPT_TEXT("initrd", 0, "FILE", struct args, initrd,
	    "with --kernel: QEMU's -initrd") },
	{ OPT_TEXT("cmdline", 0, "TEXT", struct args, cmdline,
	    "with --kernel: QEMU's -append") },
	{ OPT_U32("memory", "MIB", struct args, memory, 64, 4194304,
	    "with --kernel: the guest's memory (512)") },
	{ OPT_FLAG("kernel-as-is", 0, struct args, as_is,
	    "with --kernel: QEMU hands the kernel over unchanged (since 10)") },
	{ OPT_TEXT("uki", 'u', "FILE", struct args, uki,
	    "boot this unified kernel image") },
	{ OPT_TEXT("phases", 0, "WORDS", struct args, phases,
	    "systemd's phases that were reached: "
	    "enter-initrd:leave-initrd:sysinit:ready") },
	{ OPT_TEXT("loader", 0, "PATH", struct args, loader,
	    "what firmware starts (" LOADER ")") },
	{ OPT_TEXT("device", 0, "NAME", struct args, device,
	    "what GRUB calls the disk (hd0)") },
	{ OPT_TEXT("entry", 0, "NAME", struct args, entry,
	    "GRUB's menu entry, by title, id or number") },
	{ OPT_FLAG("fixed-grubenv", 0, struct args, grubenv,
	    "GRUB's environment block stays as it is") },
	{ OPT_TEXT("until", 0, "COMMAND", struct args, until,
	    "stop before the first GRUB command that begins so") },
	{ OPT_TEXT("learn", 0, "LOG", struct args, learn,
	    "take what only a boot shows from this TCG log of one") },
	{ OPT_FLAG("no-secure-boot", 0, struct args, no_secure_boot,
	    "without --learn: the firmware has no variable SecureBoot") },
	{ OPT_CALL("variable", "NAME=FILE", add_variable,
	    "PK, KEK, db, dbx or SbatLevel, and a file with its value",
	    "this variable of Secure Boot will have this value; may be "
	    "repeated") },
	{ OPT_TEXT("banks", 0, "LIST", struct args, banks,
	    "PCR banks, divided by commas (sha256)") },
	{ OPT_TEXT("pcrs", 0, "FILE", struct args, pcrs,
	    "write the values as tpm2_quote --pcr does") },
	{ OPT_TEXT("log", 0, "FILE", struct args, log,
	    "write the events as a TCG log") },
	{ OPT_TEXT("cel", 0, "FILE", struct args, cel,
	    "write the events as CEL-JSON") },
	{ OPT_FLAG("events", 0, struct args, events, "print the events, too") },
	{ OPT_FLAG("json", 0, struct args, json, "print JSON") },
	OPT_END,
};

static const struct args defaults = { .memory = 512 };

const struct opt_command measure_predict = {
	.name = "vtpm-measure predict",
	.about = "Compute the PCRs of a boot from files alone.\n"
		 "A PCR that nobody can know ahead has a reason instead of a "
		 "value.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.defaults = &defaults,
	.run = predict,
	.more = "Exit status: 0 every PCR but IMA's has a value, 1 some have "
		"none, 2 a "
		"file cannot be read, or wrong usage.\n"
		"Example:\n"
		"  vtpm-measure predict --disk guest.qcow2 --learn boot.log "
		"--pcrs next.pcrs\n",
};
