/* SPDX-License-Identifier: BSD-3-Clause */
/* grub_load.c - what GRUB loads and starts, and what that measures. */
#include "measure/predict/grub_load.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "measure/predict/direct_boot.h"
#include "measure/predict/firmware.h"
#include "measure/predict/pe.h"

#define BOOT_IMAGE "BOOT_IMAGE=" /* before the command line, by GRUB */

/* The command line that GRUB makes of arguments; heap, NULL without memory. */
static char *
loader_line(int argc, char *const *argv)
{
	size_t len = 1;
	char *text, *at;
	const char *s;
	int i;

	for (i = 0; i < argc; i++)
		len += 2 * strlen(argv[i]) + 3;
	if ((text = at = malloc(len)) == NULL)
		return NULL;
	for (i = 0; i < argc; i++) {
		bool quote = strchr(argv[i], ' ') != NULL;

		if (i > 0)
			*at++ = ' ';
		if (quote)
			*at++ = '"';
		for (s = argv[i]; *s != '\0'; s++) {
			if (s[0] == '\\' && s[1] == 'x' &&
			    isxdigit((unsigned char)s[2]) &&
			    isxdigit((unsigned char)s[3])) {
				memcpy(at, s, 4);
				at += 4;
				s += 3;
				continue;
			}
			if (strchr("\\'\"", *s) != NULL)
				*at++ = '\\';
			*at++ = *s;
		}
		if (quote)
			*at++ = '"';
	}
	*at = '\0';
	return text;
}

static int
load(struct grub_run *g, const char *name, int argc, char *const *argv,
    const char *prefix)
{
	char *line;

	if (gr_file(g, name, NULL, NULL) != VT_OK) {
		gr_stop(g, "GRUB cannot read %s", name);
		return GR_NOT_FOUND;
	}
	if ((line = loader_line(argc, argv)) == NULL) {
		gr_stop(g, "no memory");
		return 1;
	}
	gr_measure(g, prefix, line);
	free(line);
	return 0;
}

/* --- kernels ----------------------------------------------------------------
 */

void
gl_unload(struct grub_run *g)
{
	free(g->kernel.name);
	free(g->kernel.image);
	free(g->kernel.line);
	free(g->kernel.initrd);
	g->kernel = (struct grub_kernel){ 0 };
}

/* Its stub asks the boot loader for the initrd (LoadFile2): the image's major
 * version is 1 or more.  Others GRUB starts without their stub. */
static bool
has_stub(const uint8_t *image, size_t len)
{
	uint32_t pe;
	struct rd r;

	rd_init(&r, image, len);
	(void)rd_span(&r, 0x3c); /* e_lfanew */
	pe = rd_le32(&r);
	if (rd_err(&r) != VT_OK || len < 2 || memcmp(image, "MZ", 2) != 0 ||
	    pe > len)
		return false;
	rd_init(&r, image + pe, len - pe);
	(void)rd_span(&r, 24 + 44); /* MajorImageVersion */
	return rd_le16(&r) >= 1 && rd_err(&r) == VT_OK;
}

/* GRUB 2.12's linux. */
static int
load_stub(struct grub_run *g, int argc, char **argv)
{
	struct grub_kernel *k = &g->kernel;

	if (gr_file(g, argv[1], &k->image, &k->len) != VT_OK) {
		gr_stop(g, "GRUB cannot read %s", argv[1]);
		return GR_NOT_FOUND;
	}
	if (!has_stub(k->image, k->len)) {
		gr_stop(g, "%s has no EFI stub that GRUB 2.12 starts", argv[1]);
		return 1;
	}
	k->line = loader_line(argc - 1, argv + 1);
	k->name = strdup(argv[1]);
	if (k->line == NULL || k->name == NULL) {
		gr_stop(g, "no memory");
		return 1;
	}
	gr_measure(g, "kernel_cmdline: ", k->line);
	return 0;
}

/* The stub gets the command line behind a word of GRUB's, without a NUL. */
static int
start_stub(struct grub_run *g)
{
	struct grub_kernel *k = &g->kernel;
	size_t len = sizeof(BOOT_IMAGE) + strlen(k->line);
	char *options = malloc(len);
	struct pe pe;
	int rc;

	if (options == NULL)
		return VT_E_NOMEM;
	(void)snprintf(options, len, BOOT_IMAGE "%s", k->line);
	rc = pe_open(k->image, k->len, &pe);
	if (rc == VT_OK)
		rc = fw_application(g->p, &pe, k->name);
	if (rc == VT_OK)
		rc = stub_measure(
		    g->p, options, false, k->initrd, k->initrd_len);
	free(options);
	return rc;
}

void
gl_start(struct grub_run *g)
{
	int rc = VT_OK;

	if (g->kernel.image != NULL)
		rc = start_stub(g);
	if (rc != VT_OK)
		gr_stop(g, "what %s measures is not known: %s", g->kernel.name,
		    vt_strerror(rc));
	g->booted = g->over = true;
}

int
gl_linux(struct grub_run *g, int argc, char **argv)
{
	if (argc < 2)
		return 18;
	gl_unload(g);
	g->loaded = true;
	return g->release == GRUB_2_12
		   ? load_stub(g, argc, argv)
		   : load(g, argv[1], argc - 1, argv + 1, "kernel_cmdline: ");
}

/* Not in GRUB 2.12. */
static bool
has_efi_commands(struct grub_run *g, const char *name)
{
	if (g->release == GRUB_2_06)
		return true;
	gr_stop(g, "GRUB 2.12 has no command \"%s\"", name);
	return false;
}

int
gl_linuxefi(struct grub_run *g, int argc, char **argv)
{
	return has_efi_commands(g, argv[0]) ? gl_linux(g, argc, argv) : 1;
}

/* The file's name is not part of it. */
int
gl_multiboot(struct grub_run *g, int argc, char **argv)
{
	while (argc > 1 && strncmp(argv[1], "--quirk", 7) == 0) {
		argc--;
		argv++;
	}
	if (argc < 2)
		return 18;
	gl_unload(g);
	g->loaded = true;
	return load(g, argv[1], argc - 2, argv + 2, "kernel_cmdline: ");
}

int
gl_module(struct grub_run *g, int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--nounzip") == 0) {
		argc--;
		argv++;
	}
	if (argc < 2)
		return 18;
	return load(g, argv[1], argc - 2, argv + 2, "module_cmdline: ");
}

/* The stub gets the files in one piece, each on a boundary of four bytes. */
static int
append(struct grub_kernel *k, const uint8_t *buf, size_t len)
{
	size_t at = (k->initrd_len + 3) & ~(size_t)3;
	uint8_t *all;

	if ((all = realloc(k->initrd, at + len + 1)) == NULL)
		return VT_E_NOMEM;
	memset(all + k->initrd_len, 0, at - k->initrd_len);
	memcpy(all + at, buf, len);
	k->initrd = all;
	k->initrd_len = at + len;
	return VT_OK;
}

static int
initrd_file(struct grub_run *g, const char *arg)
{
	const char *name = arg, *colon;
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc = 0;

	if (strncmp(arg, "newc:", 5) == 0) {
		colon = strchr(arg + 5, ':');
		name = colon != NULL ? colon + 1 : arg;
		if (g->kernel.image != NULL)
			pred_unknown(g->p, 9,
			    "GRUB puts %s into an archive, which "
			    "the kernel measures",
			    name);
	}
	if (gr_file(g, name, &buf, &len) != VT_OK) {
		gr_stop(g, "GRUB cannot read %s", name);
		return GR_NOT_FOUND;
	}
	if (g->kernel.image != NULL && append(&g->kernel, buf, len) != VT_OK) {
		gr_stop(g, "no memory");
		rc = 1;
	}
	free(buf);
	return rc;
}

int
gl_initrd(struct grub_run *g, int argc, char **argv)
{
	int i, rc;

	free(g->kernel.initrd); /* only the last command counts */
	g->kernel.initrd = NULL;
	g->kernel.initrd_len = 0;
	for (i = 1; i < argc; i++)
		if ((rc = initrd_file(g, argv[i])) != 0)
			return rc;
	return argc > 1 ? 0 : 18;
}

int
gl_initrdefi(struct grub_run *g, int argc, char **argv)
{
	return has_efi_commands(g, argv[0]) ? gl_initrd(g, argc, argv) : 1;
}

/* --- EFI applications -------------------------------------------------------
 */

/* An EFI application: firmware measures it when GRUB loads it. */
int
gl_chainloader(struct grub_run *g, int argc, char **argv)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	struct pe pe;

	if (argc > 1 && strcmp(argv[1], "--force") == 0) {
		argc--;
		argv++;
	}
	if (argc != 2 || gr_file(g, argv[1], &buf, &len) != VT_OK) {
		gr_stop(g, "GRUB cannot load %s",
		    argc > 1 ? argv[1] : "an EFI application");
		return GR_NOT_FOUND;
	}
	if (pe_open(buf, len, &pe) != VT_OK ||
	    fw_application(g->p, &pe, argv[1]) != VT_OK)
		gr_stop(g, "%s is no EFI application", argv[1]);
	/* What it measures, and what it starts, is its own. */
	pred_unknown_rest(
	    g->p, "%s, which GRUB starts, may measure more", argv[1]);
	free(buf);
	gl_unload(g);
	g->loaded = true;
	return 0;
}

int
gl_boot(struct grub_run *g, int argc, char **argv)
{
	(void)argc, (void)argv;
	if (!g->loaded) {
		gr_stop(g, "boot, but nothing is loaded");
		return 1;
	}
	gl_start(g);
	return 0;
}
