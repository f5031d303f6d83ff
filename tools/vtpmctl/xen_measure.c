/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_measure.c - vtpmctl launch xen: what was measured is what is loaded.  xl
 * itself reads the configuration and prints what it makes of it; each file
 * that it names is read once into a sealed memfd, and xl gets a configuration
 * (a sealed memfd, too) that names those.  xl is asked again what it makes of
 * that, and must give the same answer.
 */
#include "tools/vtpmctl/xen_measure.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/utf8.h"
#include "base/util.h"
#include "tools/launch/xl_proc.h"
#include "tools/vtpmctl/launch_send.h"
#include "tools/vtpmctl/print.h"
#include "tools/vtpmctl/xen_manager.h"

#define CFG_MAX (1024u * 1024)
#define XEN_DIR "/sys/hypervisor/"

/* --- xl's view ------------------------------------------------------------ */

static int
fd_path(int fd, char out[static 32])
{
	return snprintf(out, 32, "/proc/self/fd/%d", fd) < 32 ? 0 : -1;
}

/* A sealed memfd that children inherit; -1 after a message. */
static int
memfd_for_xl(const char *name, const void *p, size_t len)
{
	int fd = memfd_sealed(name, p, len);

	if (fd != -1 && fcntl(fd, F_SETFD, 0) == 0)
		return fd;
	(void)vctl_fail("%s: %m", name);
	if (fd != -1)
		(void)close(fd);
	return -1;
}

/* What xl makes of the configuration in fd: JSON, heap. */
static int
ask_xl(struct xlaunch *x, int fd, uint8_t **ret, size_t *ret_len)
{
	char create[] = "create", dry[] = "-n", quiet[] = "-q", path[32];
	char *argv[] = { x->xl, create, quiet, dry, path, NULL };
	int rc;

	(void)fd_path(fd, path);
	rc = xl_run(argv, ret, ret_len);
	if (rc == 0)
		return 0;
	if (rc > 0)
		free(*ret);
	return rc > 0 ? vctl_fail("%s: xl refuses it (exit %d)", x->cfg, rc)
		      : vctl_fail("xl: %s", vt_strerror(rc));
}

/* CFG and what was written behind it, as xl create would join them. */
static int
read_base(struct xlaunch *x)
{
	uint8_t *file = NULL;
	struct wr w;
	size_t len;
	int rc, i;

	if ((rc = read_file(x->cfg, CFG_MAX, &file, &len)) != VT_OK)
		return vctl_fail("%s: %s", x->cfg, vt_strerror(rc));
	wr_grow(&w, 2 * CFG_MAX);
	wr_bytes(&w, file, len);
	for (i = 0; i < x->nargs; i++) {
		wr_u8(&w, '\n');
		wr_bytes(&w, x->args[i], strlen(x->args[i]));
	}
	wr_bytes(&w, "\n", 2); /* and a NUL */
	rc = wr_err(&w);
	if (memchr(file, '\0', len) != NULL)
		rc = VT_E_FORMAT;
	if (rc == VT_OK && (x->base = strdup((char *)w.buf)) == NULL)
		rc = VT_E_NOMEM;
	wr_free(&w);
	free(file);
	return rc == VT_OK ? 0 : vctl_fail("%s: %s", x->cfg, vt_strerror(rc));
}

int
xen_measure_plan(struct xlaunch *x)
{
	char text[LX_TEXT_MAX];
	uint8_t *json = NULL;
	size_t len = 0;
	int fd, rc;

	if ((rc = read_base(x)) != 0)
		return rc;
	if ((fd = memfd_for_xl("config", x->base, strlen(x->base))) == -1)
		return EXIT_REFUSED;
	rc = ask_xl(x, fd, &json, &len);
	(void)close(fd);
	if (rc != 0)
		return rc;
	if (lx_parse((char *)json, len, &x->plan, text) != VT_OK)
		rc = vctl_fail("%s: %s", x->cfg, text);
	else if (lx_config_text(&x->plan, &x->config) != VT_OK)
		rc = vctl_fail("%s: out of memory", x->cfg);
	free(json);
	return rc;
}

/* --- files that libxl has defaults for --------------------------------------
 */

static void
xen_text(const char *file, char *out, size_t cap)
{
	char path[128];
	uint8_t *p = NULL;
	size_t len = 0;

	out[0] = '\0';
	(void)snprintf(path, sizeof(path), XEN_DIR "%s", file);
	if (read_file(path, 4096, &p, &len) != VT_OK)
		return;
	while (len > 0 && (p[len - 1] == '\n' || p[len - 1] == ' '))
		len--;
	if (len < cap && memchr(p, '\n', len) == NULL)
		(void)snprintf(out, cap, "%.*s", (int)len, (char *)p);
	free(p);
}

/* %s in a candidate is Xen's version, "4.17". */
static const char *const loaders[] = { "/usr/lib/xen-%s/boot/hvmloader",
	"/usr/libexec/xen/boot/hvmloader", "/usr/lib/xen/boot/hvmloader",
	"/usr/local/lib/xen/boot/hvmloader", NULL };
static const char *const seabios[] = { "/usr/share/seabios/bios-256k.bin",
	"/usr/lib/xen-%s/boot/seabios.bin", "/usr/lib/xen/boot/seabios.bin",
	NULL };
static const char *const ovmf[] = { "/usr/share/ovmf/OVMF.fd",
	"/usr/lib/xen-%s/boot/ovmf.bin", "/usr/lib/xen/boot/ovmf.bin", NULL };
static const char *const models[] = { "/usr/libexec/xen-qemu-system-i386",
	"/usr/lib/xen-%s/bin/qemu-system-i386",
	"/usr/libexec/xen/bin/qemu-system-i386",
	"/usr/lib/xen/bin/qemu-system-i386", NULL };

/* candidates are ours, so their format is. */
static bool
first_there(const char *const *candidates, char *out, size_t cap)
{
	char major[16], minor[16], version[40];
	const char *at;
	int n;

	xen_text("version/major", major, sizeof(major));
	xen_text("version/minor", minor, sizeof(minor));
	(void)snprintf(version, sizeof(version), "%s.%s", major, minor);
	for (; *candidates != NULL; candidates++) {
		at = strstr(*candidates, "%s");
		n = at == NULL ? snprintf(out, cap, "%s", *candidates)
			       : snprintf(out, cap, "%.*s%s%s",
				     (int)(at - *candidates), *candidates,
				     version, at + 2);
		if (n > 0 && (size_t)n < cap && access(out, R_OK) == 0)
			return true;
	}
	return false;
}

static int
add_default(struct xlaunch *x, const char *key, const char *member,
    const char *const *candidates)
{
	char path[LX_PATH_MAX];

	if (lx_find(&x->plan, key) != NULL)
		return 0;
	if (candidates == NULL || !first_there(candidates, path, sizeof(path)))
		return vctl_fail(
		    "%s: cannot tell which file xl would load: name it with "
		    "%s=",
		    x->cfg, key);
	return lx_add_file(&x->plan, LR_FIRMWARE, key, member, path) == VT_OK
		   ? 0
		   : vctl_fail("%s: too many files", x->cfg);
}

int
xen_measure_defaults(struct xlaunch *x)
{
	struct lx_plan *p = &x->plan;
	int rc;

	if (strcmp(p->type, "hvm") != 0)
		return 0;
	if (p->device_model[0] == '\0' &&
	    !first_there(models, p->device_model, sizeof(p->device_model)))
		return vctl_fail("%s: cannot find xl's device model: name it "
				 "with device_model_override=",
		    x->cfg);
	rc = add_default(x, "firmware_override", "firmware", loaders);
	if (rc == 0)
		rc = add_default(x, "bios_path_override", "system_firmware",
		    strcmp(p->bios, "seabios") == 0 ? seabios
		    : strcmp(p->bios, "ovmf") == 0  ? ovmf
						    : NULL);
	return rc;
}

/* --- the record -------------------------------------------------------------
 */

static int
measure(struct xlaunch *x, enum launch_role role, const char *text,
    const void *p, size_t len)
{
	int rc = launch_measure(x->rec, role, text, p, len, x->algs, x->nalgs);

	return rc == VT_OK ? 0
			   : vctl_fail("%s %.100s: %s", launch_role_name(role),
				 text, vt_strerror(rc));
}

/* fd: NULL for a program that runs in dom0 from its path. */
static int
measure_file(
    struct xlaunch *x, enum launch_role role, const char *path, int *fd)
{
	uint8_t *p = NULL;
	size_t len;
	int rc;

	if ((rc = read_file(path, LAUNCH_FILE_MAX, &p, &len)) != VT_OK)
		return vctl_fail("%s: %s", path, vt_strerror(rc));
	rc = measure(x, role, path, p, len);
	if (rc == 0 && fd != NULL) {
		*fd = memfd_for_xl(launch_role_name(role), p, len);
		if (*fd == -1)
			rc = EXIT_REFUSED;
	}
	free(p);
	return rc;
}

static int
measure_host(struct xlaunch *x)
{
	char major[16], minor[16], extra[64], id[80], text[256];
	int rc;

	xen_text("version/major", major, sizeof(major));
	xen_text("version/minor", minor, sizeof(minor));
	xen_text("version/extra", extra, sizeof(extra));
	xen_text("buildid", id, sizeof(id));
	(void)snprintf(text, sizeof(text), "Xen %s.%s%s build %s", major, minor,
	    extra, id[0] != '\0' ? id : "unknown");
	if ((rc = measure(x, LR_HYPERVISOR, text, text, strlen(text))) != 0)
		return rc;
	if (x->plan.device_model[0] != '\0' &&
	    (rc = measure_file(x, LR_HYPERVISOR, x->plan.device_model, NULL)) !=
		0)
		return rc;
	return measure_file(x, LR_OTHER, x->xl, NULL);
}

/* The record's text of an item is bounded; its digest is over all. */
static int
measure_config(struct xlaunch *x)
{
	char text[LAUNCH_MAX_TEXT + 1];
	size_t len = strlen(x->config);

	if (len < sizeof(text))
		memcpy(text, x->config, len + 1);
	else
		(void)snprintf(text, sizeof(text), "%.*s...",
		    (int)utf8_cut(x->config, LAUNCH_MAX_TEXT - 3), x->config);
	if (digest_buf(ALG_SHA256, x->config, len, x->rec->config_digest) !=
	    VT_OK)
		return vctl_fail("the configuration cannot be digested");
	return measure(x, LR_CONFIG, text, x->config, len);
}

static int
make_record(struct xlaunch *x)
{
	unsigned int i;
	int rc;

	rc = vctl_new_record(&x->rec, "Xen", x->a->policy);
	if (rc != EXIT_OK)
		return rc;
	x->rec->mode = (uint8_t)x->plan.mode;
	if ((rc = measure_host(x)) != 0 || (rc = measure_config(x)) != 0)
		return rc;
	for (i = 0; i < x->plan.nfiles; i++) {
		const struct lx_file *f = &x->plan.files[i];

		rc = measure_file(
		    x, (enum launch_role)f->role, f->path, &x->fds[i]);
		if (rc != 0)
			return rc;
	}
	if (x->plan.cmdline == NULL)
		return 0;
	return measure(x, LR_CMDLINE, x->plan.cmdline, x->plan.cmdline,
	    strlen(x->plan.cmdline));
}

/* The configuration that names the memfds; xl confirms that nothing else
 * changed. */
static int
make_config(struct xlaunch *x)
{
	char store[LX_FILES_MAX][32], text[LX_TEXT_MAX], lines[1024];
	const char *paths[LX_FILES_MAX] = { NULL };
	uint8_t *json = NULL;
	size_t len = 0;
	unsigned int i;
	char *all;
	int rc;

	for (i = 0; i < x->plan.nfiles; i++) {
		(void)fd_path(x->fds[i], store[i]);
		paths[i] = store[i];
	}
	if (lx_overrides(&x->plan, paths, lines, sizeof(lines)) != VT_OK ||
	    asprintf(&all, "%s%s", x->base, lines) == -1)
		return vctl_fail("%s: too long", x->cfg);
	x->cfg_fd = memfd_for_xl("config", all, strlen(all));
	free(all);
	if (x->cfg_fd == -1)
		return EXIT_REFUSED;
	if ((rc = ask_xl(x, x->cfg_fd, &json, &len)) != 0)
		return rc;
	if (lx_same(&x->plan, paths, (char *)json, len, text) != VT_OK)
		rc = vctl_fail("%s: %s", x->cfg, text);
	free(json);
	return rc;
}

int
xen_measure(struct xlaunch *x)
{
	int rc = xen_manager_banks(x);

	if (rc == 0)
		rc = make_record(x);
	return rc == 0 ? make_config(x) : rc;
}

void
xen_measure_init(struct xlaunch *x)
{
	unsigned int i;

	for (i = 0; i < LX_FILES_MAX; i++)
		x->fds[i] = -1;
	x->cfg_fd = -1;
	x->nalgs = 0;
	x->rec = NULL;
}

void
xen_measure_done(struct xlaunch *x)
{
	unsigned int i;

	for (i = 0; i < LX_FILES_MAX; i++)
		if (x->fds[i] != -1)
			(void)close(x->fds[i]);
	if (x->cfg_fd != -1)
		(void)close(x->cfg_fd);
	launch_free(x->rec);
	xen_measure_init(x);
}

int
xen_measure_report(const struct xlaunch *x, int64_t domid)
{
	json_t *items = vctl_launch_items(x->rec, !x->v->json), *o;

	if (!x->v->json) {
		json_decref(items);
		return EXIT_OK;
	}
	o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "name", x->vtpm, "guest",
	    x->plan.name, "domain_uuid", x->plan.uuid, "type", x->plan.type,
	    "mode", x->plan.mode == LAUNCH_M_DIRECT ? "direct" : "firmware",
	    "config", x->config, "items", items);
	if (domid != -1)
		(void)json_object_set_new(o, "domid", json_integer(domid));
	return vctl_print_json(o);
}
