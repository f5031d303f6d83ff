/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl launch xen: what was measured is what is loaded.  xl itself reads
 * the configuration and says what it makes of it; each file that it names is
 * read once into a sealed memfd, and xl gets a configuration (a sealed memfd,
 * too) that names those.  xl is asked again what it makes of that, and must
 * say the same.
 */
#include "tools/vtpmctl/launch_xen_cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/util.h"
#include "base/version.h"
#include "tools/launch/xl_proc.h"

#define FILE_MAX (1024u * 1024 * 1024) /* an initrd can be large */
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

static int
read_plan(struct xlaunch *x)
{
	char text[LX_TEXT_MAX];
	uint8_t *json = NULL;
	size_t len = 0;
	int fd, rc;

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

/* --- a guest without vtpm= ---------------------------------------------------
 */

/* A guest without vtpm=: refused, or xl's alone. */
static int
without_vtpm(struct xlaunch *x)
{
	json_t *st = vctl_json(x->v, "Status", NULL);
	bool demanded;

	if (st == NULL)
		return EXIT_REFUSED;
	demanded = json_is_true(
	    json_object_get(json_object_get(st, "xen"), "require_vtpm"));
	json_decref(st);
	if (demanded || x->require)
		return vctl_fail("%s: guest %s has no vtpm=, and %s", x->cfg,
		    x->plan.name,
		    demanded ? "xen_require_vtpm is on in vtpm-managerd.conf"
			     : "--require-vtpm demands one");
	if (!x->or_plain)
		return vctl_fail("%s: guest %s has no vtpm=: there is nothing "
				 "to measure it into (--or-plain starts it "
				 "unmeasured)",
		    x->cfg, x->plan.name);
	return 0;
}

static int
exec_plain(struct xlaunch *x)
{
	char create[] = "create", path[PATH_MAX];
	char **argv = calloc((size_t)x->nargs + 4, sizeof(*argv));
	int i, rc;

	if (argv == NULL)
		return vctl_fail("out of memory");
	(void)snprintf(path, sizeof(path), "%s", x->cfg);
	argv[0] = x->xl;
	argv[1] = create;
	argv[2] = path;
	for (i = 0; i < x->nargs; i++)
		argv[3 + i] = x->args[i];
	(void)fflush(NULL);
	(void)execv(x->xl, argv);
	rc = vctl_fail("%s: %m", x->xl);
	free(argv);
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
		    "%s: which file xl would load is not known; name it with "
		    "%s=",
		    x->cfg, key);
	return lx_add_file(&x->plan, LR_FIRMWARE, key, member, path) == VT_OK
		   ? 0
		   : vctl_fail("%s: too many files", x->cfg);
}

static int
add_defaults(struct xlaunch *x)
{
	struct lx_plan *p = &x->plan;
	int rc;

	if (strcmp(p->type, "hvm") != 0)
		return 0;
	if (p->device_model[0] == '\0' &&
	    !first_there(models, p->device_model, sizeof(p->device_model)))
		return vctl_fail("%s: where xl's device model lies is not "
				 "known; name it with device_model_override=",
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

	if ((rc = read_file(path, FILE_MAX, &p, &len)) != VT_OK)
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

	(void)snprintf(text, sizeof(text), "%s", x->config);
	if (len >= sizeof(text))
		memcpy(text + LAUNCH_MAX_TEXT - 3, "...", 3);
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

	if ((rc = launch_new(&x->rec)) != VT_OK ||
	    (rc = launch_set_build(x->rec, "vtpm " VT_VERSION ", Xen")) !=
		VT_OK ||
	    (x->policy != NULL &&
		(rc = launch_set_policy(x->rec, x->policy)) != VT_OK))
		return vctl_fail("launch record: %s", vt_strerror(rc));
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

/* The configuration that names the memfds, and xl's word that nothing else
 * changed. */
static int
make_config(struct xlaunch *x)
{
	char store[LX_FILES_MAX][32], text[LX_TEXT_MAX], lines[1024];
	const char *paths[LX_FILES_MAX];
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
xrun_measure(struct xlaunch *x)
{
	int rc = xmgr_banks(x);

	if (rc == 0)
		rc = make_record(x);
	return rc == 0 ? make_config(x) : rc;
}

static void
xrun_init(struct xlaunch *x)
{
	unsigned int i;

	for (i = 0; i < LX_FILES_MAX; i++)
		x->fds[i] = -1;
	x->cfg_fd = -1;
	x->nalgs = 0;
	x->rec = NULL;
}

void
xrun_done(struct xlaunch *x)
{
	unsigned int i;

	for (i = 0; i < LX_FILES_MAX; i++)
		if (x->fds[i] != -1)
			(void)close(x->fds[i]);
	if (x->cfg_fd != -1)
		(void)close(x->cfg_fd);
	launch_free(x->rec);
	xrun_init(x);
}

/* --- what is said -----------------------------------------------------------
 */

static json_t *
items_json(const struct xlaunch *x, bool human)
{
	json_t *items = json_array();
	char hex[2 * DIGEST_MAX + 1];
	uint32_t i;

	for (i = 0; i < x->rec->nitems; i++) {
		const struct launch_item *it = &x->rec->items[i];

		hex_encode(it->digests[0].val, it->digests[0].len, hex);
		(void)json_array_append_new(
		    items, json_pack("{s:s,s:s,s:s,s:I}", "role",
			       launch_role_name(it->role), "text", it->text,
			       "digest", hex, "size", (json_int_t)it->size));
		if (human)
			(void)fprintf(stderr, "vtpmctl: %-10s %.16s..  %.*s\n",
			    launch_role_name(it->role), hex,
			    (int)strcspn(it->text, "\n"), it->text);
	}
	return items;
}

int
xrun_report(const struct xlaunch *x, int64_t domid)
{
	json_t *items = items_json(x, !x->v->json), *o;

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

/* --- the command ------------------------------------------------------------
 */

static int
go(struct xlaunch *x)
{
	int rc;

	if (xl_find(x->xl, sizeof(x->xl)) != VT_OK)
		return vctl_fail("xl is not in $PATH (Xen's tools; $VTPM_XL "
				 "names it elsewhere)");
	if ((rc = read_base(x)) != 0 || (rc = read_plan(x)) != 0)
		return rc;
	if (!x->plan.has_vtpm) {
		if ((rc = without_vtpm(x)) != 0 || x->dry)
			return rc;
		return exec_plain(x);
	}
	if ((rc = xmgr_find(x)) != 0 || (rc = add_defaults(x)) != 0)
		return rc;
	if ((rc = xrun_measure(x)) == 0)
		rc = x->dry ? xrun_report(x, -1) : xrun_guest(x);
	xrun_done(x);
	return rc;
}

static int
parse(struct xlaunch *x, int argc, char **argv)
{
	static const struct option opts[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "require-vtpm", no_argument, NULL, 'r' },
		{ "or-plain", no_argument, NULL, 'o' },
		{ "foreground", no_argument, NULL, 'F' },
		{ NULL, 0, NULL, 0 },
	};
	int o, i;

	optind = 0;
	while ((o = getopt_long(argc, argv, "nF", opts, NULL)) != -1) {
		if (o == '?')
			return vctl_usage(x->v,
			    "wrong option: of xl create's, KEY=VALUE is "
			    "understood; xl console opens the console");
		if (o == 'p')
			x->policy = optarg;
		x->dry |= o == 'n';
		x->require |= o == 'r';
		x->or_plain |= o == 'o';
		x->foreground |= o == 'F';
	}
	if (optind >= argc)
		return vctl_usage(x->v, "which configuration?");
	x->cfg = argv[optind++];
	x->args = argv + optind;
	x->nargs = argc - optind;
	for (i = 0; i < x->nargs; i++)
		if (strchr(x->args[i], '=') == NULL)
			return vctl_usage(
			    x->v, "'%s' is not KEY=VALUE", x->args[i]);
	return 0;
}

int
vctl_launch_xen(struct vctl *v, int argc, char **argv)
{
	struct xlaunch *x = calloc(1, sizeof(*x));
	int rc;

	if (x == NULL)
		return vctl_fail("out of memory");
	x->v = v;
	xrun_init(x);
	if ((rc = parse(x, argc, argv)) == 0)
		rc = go(x);
	lx_done(&x->plan);
	free(x->config);
	free(x->base);
	free(x);
	return rc;
}
