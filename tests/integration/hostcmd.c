/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hostcmd.c - a host's TPM under vtpm-hwtpm, a guest in memory on it, and what
 * a verifier makes of both:
 *   hostcmd "PROGRAM --tcti CONF ..." FOLDER CHALLENGE-COMMAND [HOST-BLOB]
 * Writes FOLDER/identity.json, runs the command (it is to make
 * FOLDER/challenge.json), answers with FOLDER/response.json, and makes
 * evidence-0.json and evidence-7.json (group 0, and a group with an AK of its
 * own), policy-N.json, states.json.  With a manager's host blob: the same for
 * that manager's keys, without guests, and states.json has PCRs 0-7.
 * HOSTCMD_LOG: the slow TCTI's log; then both groups quote again in turn, and
 * it says how often the TPM made a key meanwhile.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/msg.h"
#include "base/base64.h"
#include "tests/unit/deepbundle.h"
#include "vtpm_manager/proto/hwtpm_msg.h"

static struct msgch *ch;
static const char *folder;

static void
start(char *cmdline)
{
	char *argv[32], *save = NULL, *w;
	int sv[2], n = 0;
	pid_t pid;

	for (w = strtok_r(cmdline, " ", &save); w != NULL && n < 31;
	     w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	argv[n] = NULL;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	pid = fork();
	if (pid == 0) {
		if (sv[1] == 3 ? fcntl(3, F_SETFD, 0) == -1
			       : dup2(sv[1], 3) == -1)
			_exit(126);
		(void)execv(argv[0], argv);
		_exit(127);
	}
	(void)close(sv[1]);
	assert_int_equal(msgch_new(sv[0], 0, &ch), VT_OK);
}

/* The answer's body is borrowed until the next call. */
static void
call(const char *what, uint16_t type, const struct wr *w, struct hw_answer *a)
{
	static uint32_t id;
	struct msg m;
	int rc;

	assert_int_equal(msgch_send(ch, type, ++id, w != NULL ? w->buf : NULL,
			     w != NULL ? w->len : 0, NULL, 0),
	    VT_OK);
	if ((rc = msgch_recv_wait(ch, 60000, &m)) != VT_OK ||
	    (rc = msg_get(hw_answer, m.data, m.len, a)) != VT_OK ||
	    a->rc != VT_OK) {
		(void)fprintf(stderr, "%s: %d %s\n", what,
		    rc != VT_OK ? rc : a->rc, rc != VT_OK ? "" : a->text);
		exit(1);
	}
}

static void
save(const char *name, const char *text)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(
	    write_file_atomic(path, text, strlen(text), 0644), VT_OK);
}

static void
init(void)
{
	struct hw_init in = { .root = ROOT_HARD, .host = "testhost" };
	struct hw_answer a;
	struct wr w;

	wr_grow(&w, 65536);
	msg_put(&w, hw_init, &in);
	call("init", HW_INIT, &w, &a);
	wr_free(&w);
}

static void
load(const char *path)
{
	struct hw_load in = { .root = ROOT_HARD };
	struct hw_answer a;
	uint8_t *p = NULL;
	size_t len = 0;
	struct wr w;

	assert_int_equal(read_file(path, HOST_BLOB_MAX_LEN, &p, &len), VT_OK);
	in.host_blob.p = p;
	in.host_blob.len = (uint32_t)len;
	wr_grow(&w, 65536);
	msg_put(&w, hw_load, &in);
	call("load", HW_LOAD, &w, &a);
	wr_free(&w);
	free(p);
}

static void
identity(struct dbundle *d)
{
	struct hw_identity x;
	struct hw_answer a;
	char *text = NULL;

	call("identity", HW_IDENTITY, NULL, &a);
	assert_int_equal(msg_get(hw_identity, a.body, a.body_len, &x), VT_OK);
	assert_int_equal(host_identity_new(&d->id), VT_OK);
	(void)snprintf(d->id->host, sizeof(d->id->host), "testhost");
#define SET(part, f) \
	assert_int_equal(host_identity_set(d->id, part, x.f.p, x.f.len), VT_OK)
	SET(HI_EK_PUBLIC, ek_pub);
	SET(HI_EK_CERT, ek_cert);
	SET(HI_AK_PUBLIC, ak_pub);
	SET(HI_CA_PUBLIC, ca_pub);
	SET(HI_CA_CERT, ca_cert);
	SET(HI_CA_ATTEST, ca_attest);
	SET(HI_CA_SIG, ca_sig);
#undef SET
	assert_int_equal(
	    host_identity_format(d->id, HOST_IDENTITY_IDENTITY, &text), VT_OK);
	save("identity.json", text);
	free(text);
}

static void
activate(void)
{
	char path[512], out[256], *b64;
	uint8_t *id = NULL, *enc = NULL;
	const char *cred = NULL, *secret = NULL;
	struct hw_activate x;
	size_t id_len = 0, enc_len = 0, n = 0;
	struct hw_answer a;
	json_t *root;
	const uint8_t *p;
	struct wr w;
	struct rd r;

	(void)snprintf(path, sizeof(path), "%s/challenge.json", folder);
	root = json_load_file(path, 0, NULL);
	assert_int_equal(json_unpack(root, "{s:s, s:s}", "credential", &cred,
			     "secret", &secret),
	    0);
	assert_int_equal(b64_get(cred, strlen(cred), &id, &id_len), VT_OK);
	assert_int_equal(
	    b64_get(secret, strlen(secret), &enc, &enc_len), VT_OK);
	memset(&x, 0, sizeof(x));
	x.credential.p = id;
	x.credential.len = (uint32_t)id_len;
	x.secret.p = enc;
	x.secret.len = (uint32_t)enc_len;
	wr_grow(&w, 65536);
	msg_put(&w, hw_activate, &x);
	call("activate", HW_ACTIVATE, &w, &a);
	rd_init(&r, a.body, a.body_len);
	p = rd_blob16(&r, 64, &n);
	assert_int_equal(rd_end(&r), VT_OK);
	b64 = b64_make(p, n);
	(void)snprintf(out, sizeof(out),
	    "{\"format\": \"vtpm-enrol-response\", \"version\": 1, "
	    "\"secret\": \"%s\"}\n",
	    b64);
	save("response.json", out);
	free(b64);
	free(id);
	free(enc);
	wr_free(&w);
	json_decref(root);
}

static void
set_chain(struct bundle *ev, enum bundle_part part, const struct wblob *der,
    const struct wblob *issuer)
{
	uint8_t both[X509_CERT_MAX];

	assert_true(der->len + issuer->len <= sizeof(both));
	memcpy(both, der->p, der->len);
	if (issuer->len > 0)
		memcpy(both + der->len, issuer->p, issuer->len);
	assert_int_equal(
	    bundle_set(ev, part, both, der->len + issuer->len), VT_OK);
}

/* The guest's certificates, from the host's CA. */
static void
certify(struct dbundle *d)
{
	struct sample *b = &d->g;
	uint8_t ek[300], ak[300];
	struct hw_certs x = { .group = b->inst.group,
		.generation = b->inst.generation,
		.tpm_version = 2,
		.n = 2 };
	struct hw_certed y;
	struct hw_answer a;
	struct wr w;

	fq_ek_public(&b->f);
	fq_ak_public(&b->f);
	be16_put(ek, (uint16_t)b->f.ek_pub_len);
	memcpy(ek + 2, b->f.ek_pub, b->f.ek_pub_len);
	be16_put(ak, (uint16_t)b->f.ak_pub_len);
	memcpy(ak + 2, b->f.ak_pub, b->f.ak_pub_len);
	memcpy(x.uuid, b->inst.uuid, UUID_LEN);
	(void)snprintf(x.name, sizeof(x.name), "alice");
	x.keys[0].which = WCERT_EK_ECC;
	x.keys[0].pub.p = ek;
	x.keys[0].pub.len = (uint32_t)b->f.ek_pub_len + 2;
	x.keys[1].which = WCERT_AK;
	x.keys[1].pub.p = ak;
	x.keys[1].pub.len = (uint32_t)b->f.ak_pub_len + 2;
	wr_grow(&w, 65536);
	msg_put(&w, hw_certs, &x);
	call("certs", HW_CERTS, &w, &a);
	wr_free(&w);
	assert_int_equal(msg_get(hw_certed, a.body, a.body_len, &y), VT_OK);
	assert_int_equal(y.n, 2);
	set_chain(b->ev, BUNDLE_EK_CERT, &y.certs[0], &y.issuer);
	set_chain(b->ev, BUNDLE_AK_CERT, &y.certs[1], &y.issuer);
}

static void
set(uint8_t *dst, uint16_t *ret_len, const struct wblob *b, size_t max)
{
	assert_true(b->len <= max);
	memcpy(dst, b->p, b->len);
	*ret_len = (uint16_t)b->len;
}

static void
quote(struct dbundle *d, uint32_t group)
{
	struct hw_quote q = {
		.group = group, .bank = ALG_SHA256, .pcrs = 1u << 4 | 1u << 7
	};
	struct hw_ak k = { .group = group };
	struct deep_answer *ans = &d->ans;
	uint8_t ak[4096], root[SHA256_LEN];
	struct hw_quoted y;
	struct hw_aked z;
	struct hw_answer a;
	struct wr w;

	memset(ans, 0, sizeof(*ans));
	wr_grow(&w, 65536);
	if (group != 0) {
		msg_put(&w, hw_ak, &k);
		call("ak", HW_AK, &w, &a);
		assert_int_equal(
		    msg_get(hw_aked, a.body, a.body_len, &z), VT_OK);
		assert_true(z.ak.len <= sizeof(ak));
		memcpy(ak, z.ak.p, z.ak.len);
		q.ak.p = ak;
		q.ak.len = z.ak.len;
		set(ans->ak_cert, &ans->ak_cert_len, &z.ak_cert,
		    sizeof(ans->ak_cert));
		w.len = 0;
	}
	ans->leaf = d->leaf;
	ans->count = 1;
	ans->policy_sequence = 3;
	assert_int_equal(deep_leaf_hash(&d->leaf, root), VT_OK);
	assert_int_equal(deep_qualify(root, 3, q.extra), VT_OK);
	msg_put(&w, hw_quote, &q);
	call("quote", HW_QUOTE, &w, &a);
	wr_free(&w);
	assert_int_equal(msg_get(hw_quoted, a.body, a.body_len, &y), VT_OK);
	set(ans->attest, &ans->attest_len, &y.attest, sizeof(ans->attest));
	set(ans->sig, &ans->sig_len, &y.signature, sizeof(ans->sig));
	if (group == 0)
		set(ans->ak_cert, &ans->ak_cert_len, &y.ak_cert,
		    sizeof(ans->ak_cert));
	db_put_answer(d);
}

/* Both groups' keys in turn. */
static void
again(void)
{
	struct hw_quote q = { .bank = ALG_SHA256, .pcrs = 1u << 4 };
	struct hw_ak k = { .group = 7 };
	uint8_t ak[4096];
	struct hw_quoted y;
	struct hw_aked z;
	struct hw_answer a;
	struct wr w;
	int i;

	wr_grow(&w, 65536);
	msg_put(&w, hw_ak, &k);
	call("ak", HW_AK, &w, &a);
	assert_int_equal(msg_get(hw_aked, a.body, a.body_len, &z), VT_OK);
	memcpy(ak, z.ak.p, z.ak.len);
	for (i = 0; i < 8; i++) {
		q.group = i % 2 == 0 ? 7 : 0;
		q.ak.p = ak;
		q.ak.len = i % 2 == 0 ? z.ak.len : 0;
		w.len = 0;
		msg_put(&w, hw_quote, &q);
		call("quote", HW_QUOTE, &w, &a);
		assert_int_equal(
		    msg_get(hw_quoted, a.body, a.body_len, &y), VT_OK);
	}
	wr_free(&w);
}

/* TPM2_CreatePrimary in the slow TCTI's log. */
static unsigned int
keys_made(const char *log)
{
	FILE *f = fopen(log, "re");
	char line[128];
	unsigned int n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, " 0x131 ") != NULL;
	(void)fclose(f);
	return n;
}

static void
states(uint32_t pcrs)
{
	struct host_states *st = calloc(1, sizeof(*st));
	struct pcr_set set;
	struct hw_answer a;
	struct hw_pcrs x;
	char *text = NULL;

	call("pcrs", HW_PCRS, NULL, &a);
	assert_int_equal(msg_get(hw_pcrs, a.body, a.body_len, &x), VT_OK);
	assert_int_equal(pcr_set_decode(x.pcrs.p, x.pcrs.len, &set), VT_OK);
	st->n = 1;
	st->state[0].a.pcrs.nbanks = 1;
	st->state[0].a.pcrs.banks[0] = *pcr_bank(&set, ALG_SHA256);
	st->state[0].a.pcrs.banks[0].valid = pcrs;
	assert_int_equal(host_states_format(st, &text), VT_OK);
	save("states.json", text);
	free(text);
	free(st);
}

static void
guest(uint32_t group)
{
	struct dbundle *d = calloc(1, sizeof(*d));
	char name[64], *text = NULL;
	uint8_t *ek, *ak;
	size_t ek_len, ak_len;

	sample_init(&d->g);
	d->g.inst.root = CERT_EXT_HARDWARE;
	d->g.inst.group = d->g.rec->group = group;
	d->g.info.flags = BUNDLE_F_LAUNCHED;
	db_boot(d);
	/* db_guest() makes other certificates: put the real ones back. */
	certify(d);
	ek_len = d->g.ev->part[BUNDLE_EK_CERT].len;
	ak_len = d->g.ev->part[BUNDLE_AK_CERT].len;
	ek = malloc(ek_len);
	ak = malloc(ak_len);
	memcpy(ek, d->g.ev->part[BUNDLE_EK_CERT].p, ek_len);
	memcpy(ak, d->g.ev->part[BUNDLE_AK_CERT].p, ak_len);
	db_guest(d);
	assert_int_equal(
	    bundle_set(d->g.ev, BUNDLE_EK_CERT, ek, ek_len), VT_OK);
	assert_int_equal(
	    bundle_set(d->g.ev, BUNDLE_AK_CERT, ak, ak_len), VT_OK);
	free(ek);
	free(ak);
	quote(d, group);
	assert_int_equal(bundle_format(d->g.ev, &text), VT_OK);
	(void)snprintf(name, sizeof(name), "evidence-%u.json", group);
	save(name, text);
	free(text);
	(void)snprintf(name, sizeof(name), "policy-%u.json", group);
	save(name, d->g.policy_json);
	sample_done(&d->g);
	free(d);
}

int
main(int argc, char **argv)
{
	struct dbundle *d = calloc(1, sizeof(*d));
	const char *log;
	unsigned int n;

	if (argc != 4 && argc != 5)
		return 2;
	folder = argv[2];
	start(argv[1]);
	if (argc == 5)
		load(argv[4]);
	else
		init();
	identity(d);
	if (system(argv[3]) != 0) /* NOLINT: the test's own words */
		return 1;
	activate();
	states(argc == 5 ? 0xff : 1u << 4 | 1u << 7);
	if (argc == 4) {
		guest(0);
		guest(7);
	}
	if ((log = getenv("HOSTCMD_LOG")) != NULL) {
		n = keys_made(log);
		again();
		(void)printf("keys made: %u\n", keys_made(log) - n);
	}
	host_identity_free(d->id);
	free(d);
	msgch_free(ch);
	return 0;
}
