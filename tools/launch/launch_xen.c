/* SPDX-License-Identifier: BSD-3-Clause */
/* launch_xen.c - reads a Xen domain's configuration as xl prints it. */
#include "tools/launch/launch_xen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"

#define DEPTH_MAX 12
#define CONFIG_MAX (1024u * 1024)

struct lx_ctx {
	struct lx_plan *p;
	char *text;
};

static int refuse(struct lx_ctx *c, int rc, const char *fmt, ...)
    VT_PRINTF(3, 4);

static int
refuse(struct lx_ctx *c, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(c->text, LX_TEXT_MAX, fmt, ap);
	va_end(ap);
	return rc;
}

/* --- what is loaded --------------------------------------------------------
 */

static const struct {
	uint8_t role;
	const char *key, *where, *member;
} loads[] = {
	{ LR_KERNEL, "kernel", "b_info", "kernel" },
	{ LR_INITRD, "ramdisk", "b_info", "ramdisk" },
	{ LR_DEVICE_TREE, "device_tree", "b_info", "device_tree" },
	{ LR_FIRMWARE, "firmware_override", "type.hvm", "firmware" },
	{ LR_FIRMWARE, "bios_path_override", "type.hvm", "system_firmware" },
	{ LR_FIRMWARE, "acpi_firmware", "type.hvm", "acpi_firmware" },
	{ LR_FIRMWARE, "smbios_firmware", "type.hvm", "smbios_firmware" },
};

/* Members that load or run what cannot be measured from here. */
static const struct {
	const char *where, *member, *key, *why;
} refused[] = {
	{ "b_info", "bootloader", "bootloader",
	    "it takes kernel and initrd from the guest's disk; copy them "
	    "from there and name them with kernel= and ramdisk=" },
	{ "b_info", "extra", "device_model_args",
	    "it could load anything into the guest" },
	{ "b_info", "extra_pv", "device_model_args_pv",
	    "it could load anything into the guest" },
	{ "b_info", "extra_hvm", "device_model_args_hvm",
	    "it could load anything into the guest" },
	{ "b_info", "device_model_stubdomain",
	    "device_model_stubdomain_override",
	    "the stub domain's image is not measured" },
	{ "b_info", "stubdomain_kernel", "stubdomain_kernel",
	    "the stub domain's image is not measured" },
	{ "b_info", "stubdomain_ramdisk", "stubdomain_ramdisk",
	    "the stub domain's image is not measured" },
	{ "type.pvh", "pvshim", "pvshim",
	    "the shim runs before the kernel and is not measured" },
	{ "type.pvh", "pvshim_path", "pvshim_path",
	    "the shim runs before the kernel and is not measured" },
};

/* Members whose value may be a path: none is loaded as code before the
 * guest runs.  They are part of the configuration by name. */
static const char *const paths_known[] = { "pdev_path", "script", "path",
	"device_model", "keymap", "serial", "serial_list", "socket", "tag",
	"coloftrace", "target", "listen", "bridge", "backend_domname",
	"cmdline", "name", "driver_domain", "dtdev", "display", "xauthority" };

static json_t *
group_of(const struct lx_plan *p, const char *where)
{
	json_t *b = json_object_get(p->json, "b_info");

	return strcmp(where, "b_info") == 0 ? b : json_object_get(b, where);
}

/* Nothing, "", 0, false, an empty list: as if it were not there. */
static bool
is_set(const json_t *v)
{
	const char *s = json_string_value(v);

	if (s != NULL)
		return s[0] != '\0' && strcmp(s, "False") != 0 &&
		       strcmp(s, "<default>") != 0;
	if (json_is_array(v))
		return json_array_size(v) > 0;
	if (json_is_object(v))
		return json_object_size(v) > 0;
	return v != NULL && !json_is_null(v) && !json_is_false(v) &&
	       !(json_is_integer(v) && json_integer_value(v) == 0);
}

static int
add_file(struct lx_plan *p, size_t load, const char *path)
{
	struct lx_file *f;

	if (p->nfiles == LX_FILES_MAX || strlen(path) >= LX_PATH_MAX)
		return VT_E_RANGE;
	f = &p->files[p->nfiles++];
	f->role = loads[load].role;
	f->key = loads[load].key;
	f->where = loads[load].where;
	f->member = loads[load].member;
	memcpy(f->path, path, strlen(path) + 1);
	return VT_OK;
}

int
lx_add_file(struct lx_plan *p, uint8_t role, const char *key,
    const char *member, const char *path)
{
	size_t i;

	for (i = 0; i < VT_NELEM(loads); i++)
		if (loads[i].role == role && strcmp(loads[i].key, key) == 0 &&
		    strcmp(loads[i].member, member) == 0)
			return add_file(p, i, path);
	return VT_E_RANGE;
}

const struct lx_file *
lx_find(const struct lx_plan *p, const char *key)
{
	unsigned int i;

	for (i = 0; i < p->nfiles; i++)
		if (strcmp(p->files[i].key, key) == 0)
			return &p->files[i];
	return NULL;
}

static int
find_files(struct lx_ctx *c)
{
	const json_t *v;
	size_t i;

	for (i = 0; i < VT_NELEM(refused); i++)
		if (is_set(json_object_get(
			group_of(c->p, refused[i].where), refused[i].member)))
			return refuse(c, VT_E_UNSUPPORTED,
			    "%s= cannot be measured: %s", refused[i].key,
			    refused[i].why);
	for (i = 0; i < VT_NELEM(loads); i++) {
		v = json_object_get(
		    group_of(c->p, loads[i].where), loads[i].member);
		if (!is_set(v))
			continue;
		if (!json_is_string(v) || json_string_value(v)[0] != '/')
			return refuse(c, VT_E_UNSUPPORTED,
			    "%s=: write the whole path, from / on",
			    loads[i].key);
		if (add_file(c->p, i, json_string_value(v)) != VT_OK)
			return refuse(
			    c, VT_E_RANGE, "%s=: is too long", loads[i].key);
	}
	return VT_OK;
}

/* --- settings that are unknown here -----------------------------------------
 */

static bool
knows_path(const char *key)
{
	size_t i;

	for (i = 0; i < VT_NELEM(paths_known); i++)
		if (strcmp(paths_known[i], key) == 0)
			return true;
	for (i = 0; i < VT_NELEM(loads); i++)
		if (strcmp(loads[i].member, key) == 0)
			return true;
	return false;
}

/* A newer xl may load more than this program knows. */
static int
check_paths(struct lx_ctx *c, const char *key, const json_t *v, int depth)
{
	const char *k;
	const json_t *e;
	size_t i;
	int rc = VT_OK;

	if (depth > DEPTH_MAX)
		return refuse(
		    c, VT_E_RANGE, "xl's output is nested too deeply");
	if (json_is_string(v) && json_string_value(v)[0] == '/' &&
	    !knows_path(key))
		return refuse(c, VT_E_UNSUPPORTED,
		    "\"%.40s\" names %.200s, which may be loaded into the "
		    "guest: this setting is unknown here",
		    key, json_string_value(v));
	if (json_is_array(v)) {
		json_array_foreach((json_t *)v, i, e)
		{
			rc = check_paths(c, key, e, depth + 1);
			if (rc != VT_OK)
				break;
		}
	} else if (json_is_object(v)) {
		json_object_foreach((json_t *)v, k, e)
		{
			rc = check_paths(c, k, e, depth + 1);
			if (rc != VT_OK)
				break;
		}
	}
	return rc;
}

/* --- the domain -------------------------------------------------------------
 */

static const char *
text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static int
copy(
    struct lx_ctx *c, const char *what, char *dst, size_t cap, const char *text)
{
	size_t i;

	if (text == NULL || text[0] == '\0')
		return refuse(c, VT_E_FORMAT, "the domain has no %s", what);
	if (strlen(text) >= cap)
		return refuse(
		    c, VT_E_RANGE, "the domain's %s is too long", what);
	for (i = 0; text[i] != '\0'; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return refuse(c, VT_E_FORMAT,
			    "the domain's %s has control characters", what);
	memcpy(dst, text, strlen(text) + 1);
	return VT_OK;
}

static int
read_domain(struct lx_ctx *c)
{
	const json_t *ci = json_object_get(c->p->json, "c_info");
	struct lx_plan *p = c->p;
	uint8_t uuid[UUID_LEN];
	int rc;

	if ((rc = copy(c, "name", p->name, sizeof(p->name),
		 text_of(ci, "name"))) != VT_OK ||
	    (rc = copy(c, "uuid", p->uuid, sizeof(p->uuid),
		 text_of(ci, "uuid"))) != VT_OK ||
	    (rc = copy(c, "type", p->type, sizeof(p->type),
		 text_of(ci, "type"))) != VT_OK)
		return rc;
	if (uuid_parse(p->uuid, uuid) != VT_OK)
		return refuse(
		    c, VT_E_FORMAT, "the domain's uuid is not a UUID");
	if (strcmp(p->type, "pv") != 0 && strcmp(p->type, "pvh") != 0 &&
	    strcmp(p->type, "hvm") != 0)
		return refuse(c, VT_E_UNSUPPORTED,
		    "a domain of type %s cannot be measured", p->type);
	return VT_OK;
}

static int
read_vtpm(struct lx_ctx *c)
{
	const json_t *list = json_object_get(c->p->json, "vtpms");
	const json_t *v = json_array_get(list, 0), *id;
	const char *uuid = text_of(v, "uuid"), *back;

	if (list != NULL && !json_is_array(list))
		return refuse(c, VT_E_FORMAT, "vtpms is not a list");
	if (v == NULL)
		return VT_OK;
	if (json_array_size(list) > 1)
		return refuse(c, VT_E_UNSUPPORTED,
		    "the guest has %zu vTPMs: a launch is for one",
		    json_array_size(list));
	if (uuid == NULL || uuid_parse(uuid, c->p->vtpm) != VT_OK)
		return refuse(c, VT_E_FORMAT,
		    "vtpm= has no uuid=: use the one that vtpmctl show NAME "
		    "prints");
	c->p->has_vtpm = true;
	id = json_object_get(v, "backend_domid");
	if (json_is_integer(id)) {
		(void)snprintf(c->p->backend, sizeof(c->p->backend),
		    "%" JSON_INTEGER_FORMAT, json_integer_value(id));
		return VT_OK;
	}
	back = text_of(v, "backend_domname");
	return copy(c, "vtpm backend", c->p->backend, sizeof(c->p->backend),
	    back != NULL ? back : "0");
}

static int
read_hvm(struct lx_ctx *c)
{
	const json_t *b = json_object_get(c->p->json, "b_info");
	const json_t *h = json_object_get(b, "type.hvm");
	const char *bios = text_of(h, "bios"), *dm;
	int rc;

	dm = text_of(b, "device_model_version");
	if (dm != NULL && strcmp(dm, "qemu_xen") != 0)
		return refuse(c, VT_E_UNSUPPORTED,
		    "device_model_version=\"%.40s\" cannot be measured; use "
		    "qemu-xen",
		    dm);
	rc = copy(c, "bios", c->p->bios, sizeof(c->p->bios),
	    bios != NULL ? bios : "seabios");
	dm = text_of(b, "device_model");
	if (rc == VT_OK && dm != NULL && dm[0] != '\0')
		rc = copy(c, "device model", c->p->device_model,
		    sizeof(c->p->device_model), dm);
	return rc;
}

static const struct {
	const char *member;
	enum lx_action when_absent;
} reasons[LX_NREASONS] = {
	[LX_POWEROFF] = { "on_poweroff", LX_DESTROY },
	[LX_REBOOT] = { "on_reboot", LX_DESTROY },
	[LX_CRASH] = { "on_crash", LX_DESTROY },
	[LX_WATCHDOG] = { "on_watchdog", LX_DESTROY },
	[LX_SOFT_RESET] = { "on_soft_reset", LX_DESTROY },
};

static int
read_actions(struct lx_ctx *c)
{
	static const struct {
		const char *name;
		enum lx_action action;
	} names[] = { { "destroy", LX_DESTROY }, { "restart", LX_RESTART },
		{ "preserve", LX_PRESERVE },
		{ "coredump_destroy", LX_COREDUMP_DESTROY },
		{ "coredump_restart", LX_COREDUMP_RESTART },
		/* Memory that lives on under a new domid is no boot that was
		 * measured: it starts again instead. */
		{ "soft_reset", LX_RESTART } };
	const char *v;
	size_t i, k;

	for (i = 0; i < LX_NREASONS; i++) {
		c->p->actions[i] = reasons[i].when_absent;
		v = text_of(c->p->json, reasons[i].member);
		if (v == NULL)
			continue;
		for (k = 0; k < VT_NELEM(names); k++)
			if (strcmp(names[k].name, v) == 0)
				break;
		if (k == VT_NELEM(names))
			return refuse(c, VT_E_UNSUPPORTED,
			    "%s=\"%.40s\" is not possible for a measured "
			    "guest",
			    reasons[i].member, v);
		c->p->actions[i] = names[k].action;
	}
	return VT_OK;
}

static int
check_boot(struct lx_ctx *c)
{
	bool hvm = strcmp(c->p->type, "hvm") == 0;
	const struct lx_file *kernel = lx_find(c->p, "kernel");

	if (!hvm && kernel == NULL)
		return refuse(c, VT_E_FORMAT,
		    "there is no kernel=, which a %s guest needs", c->p->type);
	c->p->mode = kernel != NULL ? LAUNCH_M_DIRECT : LAUNCH_M_FIRMWARE;
	c->p->cmdline =
	    text_of(json_object_get(c->p->json, "b_info"), "cmdline");
	if (c->p->mode == LAUNCH_M_DIRECT && c->p->cmdline == NULL)
		c->p->cmdline = "";
	if (c->p->cmdline != NULL && strlen(c->p->cmdline) > LAUNCH_MAX_TEXT)
		return refuse(c, VT_E_RANGE, "the command line is too long");
	return VT_OK;
}

int
lx_parse(const char *json, size_t len, struct lx_plan *ret, char *text)
{
	struct lx_ctx c = { .p = ret, .text = text };
	json_error_t je;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (len > LX_JSON_MAX)
		return refuse(&c, VT_E_RANGE, "xl's output is too long");
	ret->json = json_loadb(json, len, JSON_REJECT_DUPLICATES, &je);
	if (ret->json == NULL || !json_is_object(ret->json) ||
	    !json_is_object(json_object_get(ret->json, "b_info")))
		return refuse(&c, VT_E_FORMAT,
		    "xl's output is not a domain configuration (%.100s)",
		    ret->json == NULL ? je.text : "no b_info");
	if ((rc = read_domain(&c)) != VT_OK || (rc = read_vtpm(&c)) != VT_OK ||
	    (strcmp(ret->type, "hvm") == 0 && (rc = read_hvm(&c)) != VT_OK) ||
	    (rc = read_actions(&c)) != VT_OK ||
	    (rc = find_files(&c)) != VT_OK ||
	    (rc = check_paths(&c, "", ret->json, 0)) != VT_OK)
		return rc;
	return check_boot(&c);
}

void
lx_done(struct lx_plan *p)
{
	json_decref(p->json);
	memset(p, 0, sizeof(*p));
}

/* --- configuration text --------------------------------------------------- */

struct lines {
	char **v;
	size_t n, cap;
	int err;
};

static void
add_line(struct lines *l, const char *prefix, const char *value)
{
	char **grown, *line;

	if (l->n == l->cap) {
		l->cap = l->cap != 0 ? l->cap * 2 : 32;
		grown = realloc(l->v, l->cap * sizeof(*l->v));
		if (grown == NULL) {
			l->err = VT_E_NOMEM;
			return;
		}
		l->v = grown;
	}
	if (asprintf(&line, "%s=%s\n", prefix, value) == -1)
		l->err = VT_E_NOMEM;
	else
		l->v[l->n++] = line;
}

/* Measured separately, of one run only, or secret. */
static bool
is_left_out(const char *prefix)
{
	static const char *const out[] = { "c_info.uuid", "b_info.cmdline",
		"b_info.type.hvm.ms_vm_genid", "b_info.type.hvm.vnc.passwd",
		"b_info.type.hvm.spice.passwd" };
	const char *dot = strrchr(prefix, '.');
	size_t i;

	for (i = 0; i < VT_NELEM(out); i++)
		if (strcmp(out[i], prefix) == 0)
			return true;
	if (dot != NULL && strcmp(dot, ".passwd") == 0)
		return true;
	if (strncmp(prefix, "b_info.", 7) != 0)
		return false;
	for (i = 0; i < VT_NELEM(loads); i++) {
		size_t n = strlen(loads[i].where);
		bool top = strcmp(loads[i].where, "b_info") == 0;
		const char *p = prefix + 7, *rest;

		rest = strncmp(p, loads[i].where, n) == 0 ? p + n : "";
		if (!top && *rest == '.')
			p = rest + 1;
		else if (!top)
			continue;
		if (strcmp(p, loads[i].member) == 0)
			return true;
	}
	return false;
}

/* A line is one value: no text in it may look like another line. */
static void
add_scalar(struct lines *l, const char *prefix, const json_t *v)
{
	char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
	size_t n;

	if (text == NULL) {
		l->err = VT_E_NOMEM;
		return;
	}
	n = strlen(text);
	/* Quotes only where something had to be escaped. */
	if (json_is_string(v) && strchr(text, '\\') == NULL && n >= 2) {
		text[n - 1] = '\0';
		add_line(l, prefix, text + 1);
	} else
		add_line(l, prefix, text);
	free(text);
}

static void
flatten(struct lines *l, const char *prefix, const json_t *v, int depth)
{
	char name[512];
	const char *k;
	const json_t *e;
	size_t i;

	if (l->err != VT_OK || depth > DEPTH_MAX || is_left_out(prefix))
		return;
	if (json_is_object(v)) {
		json_object_foreach((json_t *)v, k, e)
		{
			(void)snprintf(name, sizeof(name), "%s%s%s", prefix,
			    prefix[0] != '\0' ? "." : "", k);
			flatten(l, name, e, depth + 1);
		}
	} else if (json_is_array(v)) {
		json_array_foreach((json_t *)v, i, e)
		{
			(void)snprintf(name, sizeof(name), "%s.%zu", prefix, i);
			flatten(l, name, e, depth + 1);
		}
	} else
		add_scalar(l, prefix, v);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
lx_config_text(const struct lx_plan *p, char **ret)
{
	struct lines l = { 0 };
	struct wr w;
	size_t i;
	int rc;

	flatten(&l, "", p->json, 0);
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), by_text);
	wr_grow(&w, CONFIG_MAX);
	for (i = 0; i < l.n; i++) {
		wr_bytes(&w, l.v[i], strlen(l.v[i]));
		free(l.v[i]);
	}
	free(l.v);
	wr_u8(&w, 0);
	rc = l.err != VT_OK ? l.err : wr_err(&w);
	if (rc == VT_OK && (*ret = strdup((const char *)w.buf)) == NULL)
		rc = VT_E_NOMEM;
	wr_free(&w);
	return rc;
}

/* --- what xl gets -----------------------------------------------------------
 */

int
lx_overrides(
    const struct lx_plan *p, const char *const *paths, char *out, size_t cap)
{
	size_t n = 0;
	unsigned int i;
	int m;

	m = snprintf(out, cap, "\nuuid = \"%s\"\n", p->uuid);
	for (i = 0; m >= 0 && (n += (size_t)m) < cap && i < p->nfiles; i++)
		m = snprintf(out + n, cap - n, "%s = \"%s\"\n", p->files[i].key,
		    paths[i]);
	return m >= 0 && n < cap ? VT_OK : VT_E_RANGE;
}

/* A random number each time that xl reads the configuration. */
static void
drop_random(json_t *j)
{
	json_t *b = json_object_get(j, "b_info");

	(void)json_object_del(json_object_get(b, "type.hvm"), "ms_vm_genid");
}

int
lx_same(const struct lx_plan *p, const char *const *paths, const char *json,
    size_t len, char *text)
{
	struct lx_ctx c = { .text = text };
	json_t *want = json_deep_copy(p->json), *got, *b;
	unsigned int i;
	int rc = VT_OK;

	got = len <= LX_JSON_MAX
		  ? json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL)
		  : NULL;
	b = json_object_get(want, "b_info");
	for (i = 0; want != NULL && i < p->nfiles; i++)
		if (json_object_set_new(
			strcmp(p->files[i].where, "b_info") == 0
			    ? b
			    : json_object_get(b, p->files[i].where),
			p->files[i].member, json_string(paths[i])) != 0)
			rc = VT_E_NOMEM;
	if (want == NULL)
		rc = VT_E_NOMEM;
	else if (got == NULL)
		rc = refuse(&c, VT_E_FORMAT, "xl's second output is not JSON");
	if (rc == VT_OK) {
		drop_random(want);
		drop_random(got);
		if (!json_equal(want, got))
			rc = refuse(&c, VT_E_DENIED,
			    "xl would not load just what was measured: it "
			    "reads the configuration differently with the "
			    "files' measured copies in it");
	}
	json_decref(want);
	json_decref(got);
	return rc;
}

/* --- the end of a run --------------------------------------------------------
 */

static const char *const reason_words[LX_NREASONS] = {
	[LX_POWEROFF] = "poweroff",
	[LX_REBOOT] = "reboot",
	[LX_CRASH] = "crash",
	[LX_WATCHDOG] = "watchdog",
	[LX_SOFT_RESET] = "soft-reset",
};

int
lx_reason_parse(const char *word)
{
	int i;

	for (i = 0; i < LX_NREASONS; i++)
		if (strcmp(reason_words[i], word) == 0)
			return i;
	return -1;
}

const char *
lx_reason_name(enum lx_reason r)
{
	return reason_words[r];
}
