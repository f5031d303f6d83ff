/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl launch qemu: what was measured is what is loaded.  Each file that
 * QEMU reads before the guest runs is read once into a sealed memfd; its
 * digest goes into the launch record, the memfd to QEMU.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/util.h"
#include "base/version.h"
#include "tools/launch/launch_qemu.h"
#include "tools/vtpmctl/vtpmctl.h"

#define FILE_MAX (1024u * 1024 * 1024) /* an initrd can be large */
#define EXTRA_ARGS 8

struct launch {
	struct vctl *v;
	const char *name, *device, *policy;
	bool dry;
	int argc; /* QEMU's */
	char **argv;
	struct lq_plan plan;
	struct launch_record *rec;
	uint16_t algs[PCR_MAX_BANKS];
	uint32_t nalgs;
	char guest[64];      /* when NAME came from -name */
	char path[PATH_MAX]; /* of QEMU, resolved */
	char chardev[PATH_MAX + 64], dev[64];
};

/* --- the record --- */

int
vctl_banks(struct vctl *v, const char *name, uint16_t *algs, uint32_t *n)
{
	json_t *o = vctl_json(v, "Show", name), *b;
	size_t i;

	if (o == NULL)
		return EXIT_REFUSED;
	json_array_foreach(json_object_get(o, "banks"), i,
	    b) if (*n < PCR_MAX_BANKS) algs[(*n)++] =
	    digest_alg(json_string_value(b));
	json_decref(o);
	return *n > 0 ? 0 : vctl_fail("guest %s: no PCR banks", name);
}

/* Into a memfd without CLOEXEC, and argv points at that. */
static int
hand_over(
    struct launch *l, const struct lq_file *f, const uint8_t *p, size_t len)
{
	char path[64], *arg;
	int fd;

	if ((fd = memfd_sealed(launch_role_name(f->role), p, len)) == -1 ||
	    fcntl(fd, F_SETFD, 0) == -1)
		return vctl_fail("%s: %m", f->path);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((arg = lq_replace(l->argv[f->arg], f, path)) == NULL)
		return vctl_fail("out of memory");
	l->argv[f->arg] = arg; /* lives until exec */
	return 0;
}

static int
measure_file(struct launch *l, const struct lq_file *f)
{
	uint8_t *p = NULL;
	size_t len;
	int rc, x = 0;

	if ((rc = read_file(f->path, FILE_MAX, &p, &len)) != VT_OK)
		return vctl_fail("%s: %s", f->path, vt_strerror(rc));
	rc = launch_measure(l->rec, (enum launch_role)f->role, f->path, p, len,
	    l->algs, l->nalgs);
	if (rc != VT_OK)
		x = vctl_fail("%s: %s", f->path, vt_strerror(rc));
	else if (!f->writable)
		x = hand_over(l, f, p, len);
	free(p);
	return x;
}

static int
measure_text(struct launch *l, enum launch_role role, const char *text)
{
	int rc = launch_measure(
	    l->rec, role, text, text, strlen(text), l->algs, l->nalgs);

	return rc == VT_OK ? 0
			   : vctl_fail("%s: %s", launch_role_name(role),
				 vt_strerror(rc));
}

/* The program that exec would find. */
static int
resolve(struct launch *l)
{
	const char *path = getenv("PATH"), *end;

	if (strchr(l->argv[0], '/') != NULL) {
		(void)snprintf(l->path, sizeof(l->path), "%s", l->argv[0]);
		return 0;
	}
	for (; path != NULL && *path != '\0';
	     path = *end != '\0' ? end + 1 : end) {
		end = strchrnul(path, ':');
		(void)snprintf(l->path, sizeof(l->path), "%.*s/%s",
		    (int)(end - path), path, l->argv[0]);
		if (access(l->path, X_OK) == 0)
			return 0;
	}
	return vctl_fail("%s: not found in PATH", l->argv[0]);
}

static int
measure_hypervisor(struct launch *l)
{
	struct lq_file f = { .role = LR_HYPERVISOR, .writable = true };

	if (resolve(l) != 0)
		return EXIT_REFUSED;
	(void)snprintf(f.path, sizeof(f.path), "%s", l->path);
	return measure_file(l, &f);
}

static int
make_record(struct launch *l)
{
	char config[1024];
	unsigned int i;
	int rc;

	if ((rc = launch_new(&l->rec)) != VT_OK ||
	    (rc = launch_set_build(l->rec, "vtpm " VT_VERSION ", QEMU")) !=
		VT_OK ||
	    (l->policy != NULL &&
		(rc = launch_set_policy(l->rec, l->policy)) != VT_OK))
		return vctl_fail("launch record: %s", vt_strerror(rc));
	l->rec->mode = (uint8_t)l->plan.mode;
	if ((rc = lq_config_text(&l->plan, config, sizeof(config))) != VT_OK ||
	    (rc = digest_buf(ALG_SHA256, config, strlen(config),
		 l->rec->config_digest)) != VT_OK)
		return vctl_fail("configuration: %s", vt_strerror(rc));
	if (measure_hypervisor(l) != 0 ||
	    measure_text(l, LR_CONFIG, config) != 0)
		return EXIT_REFUSED;
	for (i = 0; i < l->plan.nfiles; i++)
		if (measure_file(l, &l->plan.files[i]) != 0)
			return EXIT_REFUSED;
	if (l->plan.append != NULL)
		return measure_text(l, LR_CMDLINE, l->plan.append);
	return 0;
}

int
vctl_send_launch(struct vctl *v, const char *name,
    const struct launch_record *rec, int64_t domid)
{
	sd_bus_message *m = vctl_new_call(
			   v, domid == -1 ? "Launch" : "LaunchDomain"),
		       *reply;
	struct wr w;
	int r;

	if (m == NULL)
		return EXIT_REFUSED;
	wr_grow(&w, LAUNCH_MAX_LEN);
	launch_encode(rec, &w);
	r = wr_err(&w) != VT_OK ? -E2BIG : sd_bus_message_append(m, "s", name);
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', w.buf, w.len);
	if (r >= 0 && domid != -1)
		r = sd_bus_message_append(m, "u", (uint32_t)domid);
	wr_free(&w);
	if (r < 0) {
		sd_bus_message_unref(m);
		return vctl_fail("launch record: %s", strerror(-r));
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return EXIT_REFUSED;
	sd_bus_message_unref(reply);
	return 0;
}

/* --- QEMU --- */

/* A NULL-terminated argv with the TPM's options behind the others. */
static char **
with_tpm(struct launch *l)
{
	char **out = calloc((size_t)l->argc + EXTRA_ARGS, sizeof(*out));
	char path[PATH_MAX], esc[PATH_MAX];
	static char o_chardev[] = "-chardev", o_tpmdev[] = "-tpmdev";
	static char tpmdev[] = "emulator,id=vtpm0,chardev=vtpmchr0";
	static char o_device[] = "-device";
	int n = l->argc;

	if (out == NULL)
		return NULL;
	(void)snprintf(path, sizeof(path), "%s/%s.swtpm", l->v->run, l->name);
	if (lq_escape(path, esc, sizeof(esc)) != VT_OK) {
		free(out);
		return NULL;
	}
	(void)snprintf(
	    l->chardev, sizeof(l->chardev), "socket,id=vtpmchr0,path=%s", esc);
	(void)snprintf(
	    l->dev, sizeof(l->dev), "tpm-%s,tpmdev=vtpm0", l->device);
	memcpy(out, l->argv, (size_t)n * sizeof(*out));
	out[n++] = o_chardev;
	out[n++] = l->chardev;
	out[n++] = o_tpmdev;
	out[n++] = tpmdev;
	out[n++] = o_device;
	out[n++] = l->dev;
	return out;
}

static int
report(struct launch *l, char **argv)
{
	json_t *args = json_array(), *items = json_array();
	char hex[2 * DIGEST_MAX + 1];
	uint32_t i;

	for (i = 0; argv[i] != NULL; i++)
		(void)json_array_append_new(args, json_string(argv[i]));
	for (i = 0; i < l->rec->nitems; i++) {
		const struct launch_item *it = &l->rec->items[i];

		hex_encode(it->digests[0].val, it->digests[0].len, hex);
		(void)json_array_append_new(
		    items, json_pack("{s:s,s:s,s:s,s:I}", "role",
			       launch_role_name(it->role), "text", it->text,
			       "digest", hex, "size", (json_int_t)it->size));
		if (!l->v->json)
			(void)fprintf(stderr, "vtpmctl: %-10s %.16s..  %.60s\n",
			    launch_role_name(it->role), hex, it->text);
	}
	if (!l->v->json) {
		json_decref(args);
		json_decref(items);
		return EXIT_OK;
	}
	return vctl_print_json(json_pack("{s:s,s:s,s:o,s:o}", "name", l->name,
	    "mode", l->plan.mode == LAUNCH_M_DIRECT ? "direct" : "firmware",
	    "items", items, "argv", args));
}

static int
go(struct launch *l)
{
	char **argv;
	int rc;

	if ((rc = vctl_banks(l->v, l->name, l->algs, &l->nalgs)) != 0 ||
	    (rc = make_record(l)) != 0 ||
	    (!l->dry &&
		(rc = vctl_send_launch(l->v, l->name, l->rec, -1)) != 0))
		return rc;
	if ((argv = with_tpm(l)) == NULL)
		return vctl_fail("out of memory");
	if ((rc = report(l, argv)) == EXIT_OK && !l->dry) {
		(void)fflush(NULL);
		(void)execv(l->path, argv);
		rc = vctl_fail("%s: %m", l->path);
	}
	free(argv);
	return rc;
}

/* "-name foo,debug-threads=on" and "-name guest=foo". */
static const char *
name_of(struct launch *l)
{
	const char *g = l->plan.guest;
	size_t n;

	if (g == NULL)
		return NULL;
	if (strncmp(g, "guest=", 6) == 0)
		g += 6;
	n = strcspn(g, ",");
	if (n == 0 || n >= sizeof(l->guest))
		return NULL;
	(void)snprintf(l->guest, sizeof(l->guest), "%.*s", (int)n, g);
	return l->guest;
}

static int
parse(struct launch *l, int argc, char **argv)
{
	static const struct option opts[] = {
		{ "tpm-device", required_argument, NULL, 'd' },
		{ "policy", required_argument, NULL, 'p' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	int o, i, split = -1;

	for (i = 1; i < argc && split == -1; i++)
		if (strcmp(argv[i], "--") == 0)
			split = i;
	if (split == -1 || split + 1 >= argc)
		return vctl_usage(l->v, "QEMU's command line goes behind --");
	l->argc = argc - split - 1;
	l->argv = argv + split + 1;
	while ((o = getopt_long(split, argv, "", opts, NULL)) != -1) {
		if (o == '?')
			return vctl_usage(l->v, "wrong option");
		if (o == 'd')
			l->device = optarg;
		else if (o == 'p')
			l->policy = optarg;
		l->dry |= o == 'n';
	}
	if (strcmp(l->device, "crb") != 0 && strcmp(l->device, "tis") != 0)
		return vctl_usage(l->v, "--tpm-device is crb or tis");
	if (optind >= split || strcmp(argv[optind], "qemu") != 0)
		return vctl_usage(l->v, "what is to be launched? (qemu, xen)");
	if (++optind < split)
		l->name = argv[optind++];
	return optind == split ? 0 : vctl_usage(l->v, "one guest at a time");
}

int
vctl_launch(struct vctl *v, int argc, char **argv)
{
	struct launch l = { .v = v, .device = "crb" };
	char text[LQ_TEXT_MAX];
	int rc;

	if (argc > 1 && strcmp(argv[1], "xen") == 0)
		return vctl_launch_xen(v, argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "record") == 0)
		return vctl_launch_record(v, argc - 1, argv + 1);
	if ((rc = parse(&l, argc, argv)) != 0)
		return rc;
	if (lq_parse(l.argc, l.argv, &l.plan, text) != VT_OK)
		return vctl_fail("launch: %s", text);
	if (l.name == NULL && (l.name = name_of(&l)) == NULL)
		return vctl_usage(v, "no NAME, and QEMU has no -name");
	rc = go(&l);
	launch_free(l.rec);
	return rc;
}
