/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl group: tenants.  `sign` needs no manager and runs on the tenant's
 * own machine.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "measure/host/tenant_config.h"
#include "measure/tpm/pcr_selection.h"
#include "tools/vtpmctl/vtpmctl.h"

#define FILE_MAX 65536
#define OPTS_MAX 4

struct gargs {
	const char *keys[OPTS_MAX], *values[OPTS_MAX]; /* to the manager */
	size_t n;
	const char *name, *key, *config, *out, *nonce, *pcrs;
	uint64_t number, sequence;
	char *pem; /* heap */
	struct group_config c;
};

enum {
	O_KEY = 1,
	O_NUMBER,
	O_VTPMS,
	O_BYTES,
	O_HW_MS,
	O_CONFIG,
	O_RENEW,
	O_NONCE,
	O_OUT,
	O_SEQUENCE,
	O_PCRS,
	O_ADMIN,
	O_POLICY,
};

static const struct option longs[] = {
	{ "key", required_argument, NULL, O_KEY },
	{ "number", required_argument, NULL, O_NUMBER },
	{ "vtpms", required_argument, NULL, O_VTPMS },
	{ "bytes", required_argument, NULL, O_BYTES },
	{ "hw-ms", required_argument, NULL, O_HW_MS },
	{ "config", required_argument, NULL, O_CONFIG },
	{ "renew-ak", no_argument, NULL, O_RENEW },
	{ "nonce", required_argument, NULL, O_NONCE },
	{ "out", required_argument, NULL, O_OUT },
	{ "sequence", required_argument, NULL, O_SEQUENCE },
	{ "pcrs", required_argument, NULL, O_PCRS },
	{ "admin", required_argument, NULL, O_ADMIN },
	{ "policy", required_argument, NULL, O_POLICY },
	{ NULL, 0, NULL, 0 },
};

#define BIT(o) (1u << (o))

/* --- options ----------------------------------------------------------------
 */

static bool
number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static bool
pass_on(struct gargs *a, const char *key, const char *value)
{
	if (a->n >= OPTS_MAX)
		return false;
	a->keys[a->n] = key;
	a->values[a->n++] = value;
	return true;
}

static bool
add_word(char *list, size_t width, uint32_t max, uint32_t *n, const char *word)
{
	if (*n >= max || strlen(word) >= width)
		return false;
	memcpy(list + (*n)++ * width, word, strlen(word) + 1);
	return true;
}

static bool
take(struct gargs *a, int o)
{
	struct group_config *c = &a->c;

	switch (o) {
	case O_KEY:
		a->key = optarg;
		return true;
	case O_NUMBER:
		return number(optarg, &a->number) && a->number <= UINT32_MAX;
	case O_VTPMS:
		return pass_on(a, "vtpms", optarg);
	case O_BYTES:
		return pass_on(a, "bytes", optarg);
	case O_HW_MS:
		return pass_on(a, "hw_ms", optarg);
	case O_CONFIG:
		a->config = optarg;
		return true;
	case O_RENEW:
		return pass_on(a, "renew_ak", "yes");
	case O_NONCE:
		a->nonce = optarg;
		return true;
	case O_OUT:
	case 'o':
		a->out = optarg;
		return true;
	case O_SEQUENCE:
		return number(optarg, &a->sequence);
	case O_PCRS:
		a->pcrs = optarg;
		return true;
	case O_ADMIN:
		return add_word(c->admins[0], sizeof(c->admins[0]),
		    GROUP_ADMINS_MAX, &c->nadmins, optarg);
	case O_POLICY:
		return add_word(c->policies[0], sizeof(c->policies[0]),
		    GROUP_POLICIES_MAX, &c->npolicies, optarg);
	default:
		return false;
	}
}

/* 0, or an exit code after words.  may: BIT(O_*) of what this one takes;
 * -o goes with O_OUT. */
static int
options(struct vctl *v, int argc, char **argv, uint32_t may, bool name,
    struct gargs *a)
{
	int o;

	memset(a, 0, sizeof(*a));
	optind = 0; /* anew: the command came first */
	while ((o = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
		if (o == '?' || (may & BIT(o == 'o' ? O_OUT : o)) == 0)
			return vctl_usage(v, "wrong option");
		if (!take(a, o))
			return vctl_usage(
			    v, "'%s' is not possible here", optarg);
	}
	if (optind + (name ? 1 : 0) != argc)
		return vctl_usage(v, name ? "which group?" : "no name here");
	a->name = name ? argv[optind] : NULL;
	return 0;
}

static int
read_text(const char *path, char **ret)
{
	uint8_t *p = NULL;
	size_t len = 0;
	char *text;
	int rc;

	if ((rc = read_file(path, FILE_MAX, &p, &len)) != VT_OK)
		return vctl_fail("%s: %s", path, vt_strerror(rc));
	text = malloc(len + 1);
	if (text != NULL) {
		memcpy(text, p, len);
		text[len] = '\0';
	}
	explicit_bzero(p, len);
	free(p);
	if (text == NULL)
		return vctl_fail("out of memory");
	*ret = text;
	return 0;
}

static int
append_options(sd_bus_message *m, const struct gargs *a, const char *pem)
{
	size_t i;
	int r;

	r = sd_bus_message_open_container(m, 'a', "{ss}");
	if (r >= 0 && pem != NULL)
		r = sd_bus_message_append(m, "{ss}", "key", pem);
	for (i = 0; r >= 0 && i < a->n; i++)
		r = sd_bus_message_append(m, "{ss}", a->keys[i], a->values[i]);
	return r >= 0 ? sd_bus_message_close_container(m) : r;
}

/* --- create ------------------------------------------------------------------
 */

static int
report_created(struct vctl *v, const char *name, sd_bus_message *reply)
{
	uint32_t n;
	uint64_t us;

	if (sd_bus_message_read(reply, "ut", &n, &us) < 0)
		return vctl_fail("the manager's answer cannot be read");
	if (v->json)
		return vctl_print_json(json_pack("{s:s,s:I,s:I}", "name", name,
		    "number", (json_int_t)n, "microseconds", (json_int_t)us));
	(void)printf("group %s has number %u; its administrators and PCRs come "
		     "with a configuration that its key has signed:\n"
		     "  vtpmctl group sign --key KEY.pem --number %u "
		     "--sequence 1 --pcrs sha256:0-7 --admin USER -o FILE\n"
		     "  vtpmctl group update %s --config FILE\n",
	    name, n, n, name);
	return EXIT_OK;
}

static int
group_create(struct vctl *v, int argc, char **argv)
{
	sd_bus_message *m, *reply;
	uint8_t point[APPROVAL_KEY_LEN];
	struct gargs a;
	char *pem = NULL;
	int r, rc;

	rc = options(v, argc, argv,
	    BIT(O_KEY) | BIT(O_NUMBER) | BIT(O_VTPMS) | BIT(O_BYTES) |
		BIT(O_HW_MS),
	    true, &a);
	if (rc != 0)
		return rc;
	if (a.key == NULL)
		return vctl_usage(v, "--key: the group's approval key, public");
	if ((rc = read_text(a.key, &pem)) != 0 || pem == NULL)
		return rc;
	/* A private key has no business on the host. */
	if (strstr(pem, "PRIVATE KEY") != NULL)
		rc = vctl_fail("%s: this is a private key: give the public one "
			       "(openssl pkey -pubout), and keep that away "
			       "from the host",
		    a.key);
	else if (approval_key_read(pem, strlen(pem), point) != VT_OK)
		rc = vctl_fail(
		    "%s: not the PEM of an ECDSA key on P-256", a.key);
	if (rc == 0 && (m = vctl_new_call(v, "GroupCreate")) == NULL)
		rc = EXIT_REFUSED;
	if (rc != 0) {
		free(pem);
		return rc;
	}
	r = sd_bus_message_append(m, "su", a.name, (uint32_t)a.number);
	if (r >= 0)
		r = append_options(m, &a, pem);
	free(pem);
	if (r < 0) {
		sd_bus_message_unref(m);
		return vctl_fail("'%s': %s", a.name, strerror(-r));
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return EXIT_REFUSED;
	rc = report_created(v, a.name, reply);
	sd_bus_message_unref(reply);
	return rc;
}

/* --- update, delete ----------------------------------------------------------
 */

static int
send_and_say(struct vctl *v, sd_bus_message *m, int r, const char *name,
    const char *done)
{
	sd_bus_message *reply;
	uint64_t us = 0;
	bool ok;

	if (r < 0) {
		sd_bus_message_unref(m);
		return vctl_fail("'%s': %s", name, strerror(-r));
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return EXIT_REFUSED;
	ok = sd_bus_message_read(reply, "t", &us) >= 0;
	sd_bus_message_unref(reply);
	if (!ok)
		return vctl_fail("the manager's answer cannot be read");
	if (v->json)
		return vctl_print_json(json_pack(
		    "{s:s,s:I}", "name", name, "microseconds", (json_int_t)us));
	(void)printf("group %s: %s\n", name, done);
	return EXIT_OK;
}

static int
group_update(struct vctl *v, int argc, char **argv)
{
	uint8_t *config = NULL;
	sd_bus_message *m;
	struct gargs a;
	size_t len = 0;
	int r, rc;

	rc = options(v, argc, argv,
	    BIT(O_CONFIG) | BIT(O_RENEW) | BIT(O_VTPMS) | BIT(O_BYTES) |
		BIT(O_HW_MS),
	    true, &a);
	if (rc != 0)
		return rc;
	if (a.config == NULL && a.n == 0)
		return vctl_usage(v, "what is to be changed?");
	if (a.config != NULL && (rc = read_file(a.config, GROUP_CONFIG_MAX,
				     &config, &len)) != VT_OK)
		return vctl_fail("%s: %s", a.config, vt_strerror(rc));
	if ((m = vctl_new_call(v, "GroupUpdate")) == NULL) {
		free(config);
		return EXIT_REFUSED;
	}
	r = sd_bus_message_append(m, "s", a.name);
	if (r >= 0)
		r = append_options(m, &a, NULL);
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', config, len);
	free(config);
	return send_and_say(v, m, r, a.name, "changed");
}

static int
group_delete(struct vctl *v, int argc, char **argv)
{
	sd_bus_message *m;
	struct gargs a;
	int rc;

	if ((rc = options(v, argc, argv, 0, true, &a)) != 0)
		return rc;
	if ((m = vctl_new_call(v, "GroupDelete")) == NULL)
		return EXIT_REFUSED;
	return send_and_say(
	    v, m, sd_bus_message_append(m, "s", a.name), a.name, "deleted");
}

/* --- list, show
 * --------------------------------------------------------------- */

/* "3 of 10", "3" without a limit. */
static const char *
of(uint64_t used, uint64_t max, char out[48])
{
	if (max == 0)
		(void)snprintf(out, 48, "%llu", (unsigned long long)used);
	else
		(void)snprintf(out, 48, "%llu of %llu",
		    (unsigned long long)used, (unsigned long long)max);
	return out;
}

static int
group_list(struct vctl *v, int argc, char **argv)
{
	char t[2][48];
	struct gargs a;
	json_t *list, *g;
	size_t i;
	int rc;

	if ((rc = options(v, argc, argv, 0, false, &a)) != 0)
		return rc;
	if ((list = vctl_json(v, "GroupList", NULL)) == NULL)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(list);
	(void)printf("%6s  %-20s %-14s %-26s %s\n", "NUMBER", "NAME", "VTPMS",
	    "BYTES", "TPM MS");
	json_array_foreach(list, i, g)
	{
		const json_t *q = json_object_get(g, "quota");
		const json_t *u = json_object_get(g, "used");

		(void)printf("%6llu  %-20s %-14s %-26s %llu\n",
		    (unsigned long long)vctl_num(g, "number"),
		    vctl_text(g, "name"),
		    of(vctl_num(u, "vtpms"), vctl_num(q, "vtpms"), t[0]),
		    of(vctl_num(u, "bytes"), vctl_num(q, "bytes"), t[1]),
		    (unsigned long long)vctl_num(
			json_object_get(g, "hw"), "ms"));
	}
	json_decref(list);
	return EXIT_OK;
}

static void
print_words(const json_t *list, const char *none)
{
	const json_t *w;
	size_t i;

	if (json_array_size(list) == 0)
		(void)printf(" %s", none);
	json_array_foreach(list, i, w)(void)
	    printf(" %s", json_string_value(w));
	(void)putchar('\n');
}

static void
show_one(const json_t *g)
{
	const json_t *c = json_object_get(g, "configuration");
	const json_t *q = json_object_get(g, "quota");
	const json_t *u = json_object_get(g, "used");
	const json_t *h = json_object_get(g, "hw");
	char t[48];

	(void)printf("group      %s, number %llu\n", vctl_text(g, "name"),
	    (unsigned long long)vctl_num(g, "number"));
	(void)printf("key        %s\n", vctl_text(g, "key"));
	(void)printf("sequence   %llu%s\n",
	    (unsigned long long)vctl_num(c, "sequence"),
	    vctl_num(c, "sequence") == 0 ? " (nothing signed yet)" : "");
	(void)printf("PCRs       %s\n", vctl_text(c, "pcrs"));
	(void)printf("policies  ");
	print_words(json_object_get(c, "policies"), "any");
	(void)printf("admins    ");
	print_words(json_object_get(c, "admins"), "none but the host's");
	(void)printf("vTPMs      %s\n",
	    of(vctl_num(u, "vtpms"), vctl_num(q, "vtpms"), t));
	(void)printf("bytes      %s%s\n",
	    of(vctl_num(u, "bytes"), vctl_num(q, "bytes"), t),
	    json_is_true(json_object_get(u, "full")) ? ": used up" : "");
	(void)printf("host's TPM %llu requests, %llu ms, waited %llu ms, "
		     "%llu delayed, %llu refused",
	    (unsigned long long)vctl_num(h, "requests"),
	    (unsigned long long)vctl_num(h, "ms"),
	    (unsigned long long)vctl_num(h, "wait_ms"),
	    (unsigned long long)vctl_num(h, "delayed"),
	    (unsigned long long)vctl_num(h, "refused"));
	if (vctl_num(q, "hw_ms") != 0)
		(void)printf("; at most %llu ms a minute",
		    (unsigned long long)vctl_num(q, "hw_ms"));
	(void)putchar('\n');
}

static int
group_show(struct vctl *v, int argc, char **argv)
{
	struct gargs a;
	json_t *g;
	int rc;

	if ((rc = options(v, argc, argv, 0, true, &a)) != 0)
		return rc;
	if ((g = vctl_json(v, "GroupShow", a.name)) == NULL)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(g);
	show_one(g);
	json_decref(g);
	return EXIT_OK;
}

/* --- quote
 * ---------------------------------------------------------------------- */

static int
put_out(const char *path, const void *p, size_t len)
{
	int rc;

	if (path == NULL || strcmp(path, "-") == 0)
		rc = write_all(STDOUT_FILENO, p, len);
	else
		rc = write_file_atomic(path, p, len, 0644);
	return rc == VT_OK ? EXIT_OK
			   : vctl_fail("%s: %s", path != NULL ? path : "-",
				 vt_strerror(rc));
}

static json_t *
hex(const uint8_t *p, size_t len)
{
	char *text = malloc(2 * len + 1);
	json_t *j;

	if (text == NULL)
		return NULL;
	hex_encode(p, len, text);
	j = json_string(text);
	free(text);
	return j;
}

static int
say_quote(struct vctl *v, const struct gargs *a, const uint8_t *p, size_t len)
{
	struct group_quote q;

	if (group_quote_get(p, len, &q) != VT_OK)
		return vctl_fail("the manager's answer cannot be read");
	if (a->out != NULL && put_out(a->out, p, len) != EXIT_OK)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(json_pack("{s:I,s:I,s:o,s:o,s:o,s:o}",
		    "group", (json_int_t)q.group, "sequence",
		    (json_int_t)q.sequence, "nonce", hex(q.nonce, q.nonce_len),
		    "quote", hex(q.attest, q.attest_len), "signature",
		    hex(q.sig, q.sig_len), "ak_certificate",
		    hex(q.ak_cert, q.ak_cert_len)));
	if (a->out == NULL)
		return put_out(NULL, p, len);
	(void)fprintf(stderr,
	    "%s: the host's TPM has quoted for group %u, sequence %llu\n",
	    a->out, q.group, (unsigned long long)q.sequence);
	return EXIT_OK;
}

static int
group_quote(struct vctl *v, int argc, char **argv)
{
	uint8_t nonce[GROUP_NONCE_MAX];
	sd_bus_message *m, *reply;
	struct gargs a;
	const void *p;
	size_t len;
	int rc, r;

	rc = options(v, argc, argv, BIT(O_NONCE) | BIT(O_OUT), true, &a);
	if (rc != 0)
		return rc;
	if (a.nonce == NULL ||
	    hex_decode(a.nonce, nonce, sizeof(nonce), &len) != VT_OK ||
	    len < GROUP_NONCE_MIN)
		return vctl_usage(v, "--nonce: %d to %d bytes in hex",
		    GROUP_NONCE_MIN, GROUP_NONCE_MAX);
	if (a.out == NULL && !v->json && isatty(STDOUT_FILENO))
		return vctl_usage(v, "-o FILE: it is no text");
	if ((m = vctl_new_call(v, "GroupQuote")) == NULL)
		return EXIT_REFUSED;
	r = sd_bus_message_append(m, "s", a.name);
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', nonce, len);
	if (r < 0) {
		sd_bus_message_unref(m);
		return vctl_fail("'%s': %s", a.name, strerror(-r));
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return EXIT_REFUSED;
	if (sd_bus_message_read_array(reply, 'y', &p, &len) < 0)
		rc = vctl_fail("the manager's answer cannot be read");
	else
		rc = say_quote(v, &a, p, len);
	sd_bus_message_unref(reply);
	return rc;
}

/* --- sign
 * ------------------------------------------------------------------------ */

static int
sign_config(struct gargs *a)
{
	uint8_t buf[GROUP_CONFIG_MAX];
	char text[128], *pem = NULL;
	struct wr w;
	int rc;

	if (group_config_check(&a->c, text, sizeof(text)) != VT_OK)
		return vctl_fail("nobody may sign this: %s", text);
	if ((rc = read_text(a->key, &pem)) != 0 || pem == NULL)
		return rc;
	rc = group_config_sign(&a->c, pem, strlen(pem));
	explicit_bzero(pem, strlen(pem));
	free(pem);
	if (rc != VT_OK)
		return vctl_fail("%s: %s", a->key,
		    rc == VT_E_UNSUPPORTED || rc == VT_E_FORMAT
			? "not the PEM of a private ECDSA key on P-256"
			: vt_strerror(rc));
	wr_init(&w, buf, sizeof(buf));
	group_config_put(&w, &a->c);
	if ((rc = wr_err(&w)) != VT_OK)
		return vctl_fail("%s", vt_strerror(rc));
	return put_out(a->out, buf, w.len);
}

static int
group_sign(struct vctl *v, int argc, char **argv)
{
	struct pcr_sel sel;
	struct gargs a;
	int rc;

	rc = options(v, argc, argv,
	    BIT(O_KEY) | BIT(O_NUMBER) | BIT(O_SEQUENCE) | BIT(O_PCRS) |
		BIT(O_ADMIN) | BIT(O_POLICY) | BIT(O_OUT),
	    false, &a);
	if (rc != 0)
		return rc;
	if (a.key == NULL || a.pcrs == NULL || a.out == NULL)
		return vctl_usage(
		    v, "--key, --number, --sequence, --pcrs and -o are needed");
	if (pcr_sel_parse(a.pcrs, &sel) != VT_OK || sel.n != 1)
		return vctl_usage(v, "--pcrs: one bank, like sha256:0-7");
	a.c.group = (uint32_t)a.number;
	a.c.sequence = a.sequence;
	a.c.made_s = (uint64_t)time(NULL);
	a.c.bank = sel.banks[0].alg;
	a.c.pcrs = sel.banks[0].mask;
	return sign_config(&a);
}

#define QUOTA "[--vtpms N] [--bytes N] [--hw-ms N]"

static const struct vctl_sub subs[] = {
	{ "create", "NAME --key PEM [--number N] " QUOTA,
	    "a tenant, his approval key and quotas (hw-ms: of the host's TPM "
	    "per minute; 0: no limit)",
	    group_create },
	{ "list", "", "all groups, and what they use", group_list },
	{ "show", "NAME", "one group", group_show },
	{ "update", "NAME [--config FILE] [--renew-ak]\n              " QUOTA,
	    "take a configuration that its key has signed, another AK, other "
	    "quotas",
	    group_update },
	{ "delete", "NAME", "a group without vTPMs", group_delete },
	{ "quote", "NAME --nonce HEX [-o FILE]",
	    "the host's TPM quotes for the group (vtpm-verify host-quote)",
	    group_quote },
	{ "sign",
	    "--key PEM --number N --sequence N --pcrs LIST\n"
	    "                [--admin USER]... [--policy NAME]... -o FILE",
	    "make a configuration, on the tenant's machine; LIST is as "
	    "sha256:0-7",
	    group_sign },
	{ NULL, NULL, NULL, NULL },
};

int
vctl_group(struct vctl *v, int argc, char **argv)
{
	return vctl_run_sub(v, subs, argc, argv);
}
