/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwcmd.c - plays the manager's side of vtpm_manager/proto/hwtpm_msg.h.
 *
 *   hwcmd "PROGRAM --tcti CONF ..." COMMAND...
 *
 * Commands, each with a fixed number of words, run one after another; each
 * prints one line "COMMAND: ok ..." or "COMMAND: error RC TEXT":
 *   init ROOT HOST PREFIX      keys to PREFIX.{blob,master,ca.der}
 *   initk ROOT HOST PREFIX KEY bound to an approval key: PEM
 *   initm ROOT HOST PREFIX KEY MASTER   likewise ("-": none), with that key
 *   load ROOT PREFIX           as above, compared with what init left
 *   loada ROOT PREFIX FILES    likewise, with approvals: FILE[,FILE...]
 *   approvals FILES            what releases the key from now on; "-": none
 *   bind KEY PREFIX            PEM, "-": none; new PREFIX.blob
 *   certs NAME UUID GROUP PREFIX KIND:PUBFILE[,...]
 *                              to PREFIX.KIND.der; KIND ek-rsa, ek-ecc, ak,
 *                              or ek12 (the modulus of a TPM 1.2 EK)
 *   flood GROUP N PUBFILE      N AK requests, not waited for
 *   collect N                  N answers; prints the groups in their order
 *   random N
 *   status
 *   pcrs                       the host's PCRs; prints the epoch
 *   counter WHICH INC EXPECT   WHICH 1 epoch, 2 anchor; INC 0 or 1
 *   raw TYPE HEX               any message; "-" for no payload
 *   sh TEXT                    a shell command
 * Exit status 0 if every line said ok.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/util.h"
#include "measure/host/approval.h"
#include "vtpm_manager/proto/hwtpm_msg.h"

#define ANSWER_MS 120000
#define MAX_FLOOD 2048

static struct msgch *ch;
static uint32_t next_id = 1;
static uint32_t group_by_id[MAX_FLOOD + 64];
static int failed;

static void
die(const char *what, int rc)
{
	fprintf(stderr, "hwcmd: %s: %s\n", what, vt_strerror(rc));
	exit(3);
}

static pid_t
start(char *cmdline)
{
	char *argv[64], *save = NULL, *w;
	int sv[2], n = 0, rc;
	pid_t pid;

	for (w = strtok_r(cmdline, " ", &save); w != NULL && n < 63;
	     w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	argv[n] = NULL;
	if (n == 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		die("start", VT_E_SYS);
	if ((pid = fork()) == -1)
		die("fork", VT_E_SYS);
	if (pid == 0) {
		/* dup2() onto itself would leave close-on-exec set. */
		if (sv[1] == 3 ? fcntl(3, F_SETFD, 0) == -1
			       : dup2(sv[1], 3) == -1)
			_exit(126);
		(void)execv(argv[0], argv);
		_exit(127);
	}
	(void)close(sv[1]);
	if ((rc = msgch_new(sv[0], 0, &ch)) != VT_OK)
		die("socket", rc);
	return pid;
}

static uint32_t
ask(uint16_t type, const struct wr *w)
{
	uint32_t id = next_id++;
	int rc = w != NULL ? wr_err(w) : VT_OK;

	if (rc != VT_OK ||
	    (rc = msgch_send(ch, type, id, w != NULL ? w->buf : NULL,
		 w != NULL ? w->len : 0, NULL, 0)) != VT_OK)
		die("send", rc);
	return id;
}

/* The next answer, whosever it is; its id. */
static uint32_t
get_answer(struct hw_answer *a)
{
	struct msg m;
	int rc;

	if ((rc = msgch_recv_wait(ch, ANSWER_MS, &m)) != VT_OK ||
	    (rc = msg_get(hw_answer, m.data, m.len, a)) != VT_OK)
		die("answer", rc);
	if (m.type != HW_ANSWER)
		die("answer", VT_E_PROTO);
	return m.id;
}

static bool
call(const char *name, uint16_t type, const struct wr *w, struct hw_answer *a)
{
	uint32_t id = ask(type, w);

	if (get_answer(a) != id)
		die("answer of another request", VT_E_PROTO);
	if (a->rc == VT_OK)
		return true;
	printf("%s: error %d %s\n", name, a->rc, a->text);
	failed = 1;
	return false;
}

static void
save(const char *prefix, const char *suffix, const void *p, size_t len)
{
	char path[4096];
	int rc;

	(void)snprintf(path, sizeof(path), "%s.%s", prefix, suffix);
	if ((rc = write_file_atomic(path, p, len, 0600)) != VT_OK)
		die(path, rc);
}

static uint8_t *
fetch(const char *prefix, const char *suffix, size_t *len)
{
	char path[4096];
	uint8_t *p;
	int rc;

	(void)snprintf(path, sizeof(path), "%s%s", prefix, suffix);
	if ((rc = read_file(path, 65536, &p, len)) != VT_OK)
		die(path, rc);
	return p;
}

static bool
same(const char *prefix, const char *suffix, const void *p, size_t len)
{
	size_t n;
	uint8_t *was = fetch(prefix, suffix, &n);
	bool eq = n == len && memcmp(was, p, n) == 0;

	free(was);
	return eq;
}

/* PEM -> point; the name of no file is no key. */
static void
read_key(const char *path, uint8_t key[APPROVAL_KEY_LEN], struct wblob *ret)
{
	uint8_t *pem;
	size_t len;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (path == NULL || strcmp(path, "-") == 0)
		return;
	pem = fetch(path, "", &len);
	if ((rc = approval_key_read(pem, len, key)) != VT_OK)
		die(path, rc);
	free(pem);
	ret->p = key;
	ret->len = APPROVAL_KEY_LEN;
}

static void
init_with(char **arg, const char *key, const char *master)
{
	struct hw_init m = { .root = (uint8_t)atoi(arg[0]) };
	uint8_t point[APPROVAL_KEY_LEN], *mk = NULL;
	size_t n;
	struct hw_inited done;
	struct hw_answer a;
	struct wr w;

	(void)snprintf(m.host, sizeof(m.host), "%s", arg[1]);
	read_key(key, point, &m.approval_key);
	if (master != NULL) {
		mk = fetch(master, "", &n);
		m.master.p = mk;
		m.master.len = (uint32_t)n;
	}
	wr_grow(&w, 65536);
	msg_put(&w, hw_init, &m);
	if (call("init", HW_INIT, &w, &a)) {
		if (msg_get(hw_inited, a.body, a.body_len, &done) != VT_OK)
			die("hw_inited", VT_E_FORMAT);
		save(arg[2], "blob", done.host_blob.p, done.host_blob.len);
		save(arg[2], "master", done.master, sizeof(done.master));
		save(arg[2], "ca.der", done.ca_cert.p, done.ca_cert.len);
		printf("init: ok\n");
	}
	wr_free(&w);
	free(mk);
}

static void
cmd_init(char **arg)
{
	init_with(arg, NULL, NULL);
}

static void
cmd_initk(char **arg)
{
	init_with(arg, arg[3], NULL);
}

static void
cmd_initm(char **arg)
{
	init_with(arg, arg[3], arg[4]);
}

/* Not freed: it is a test. */
static uint32_t
read_approvals(char *files, struct wblob *ret)
{
	char *save_p = NULL, *word;
	uint32_t n = 0;
	size_t len;

	if (strcmp(files, "-") == 0)
		return 0;
	for (word = strtok_r(files, ",", &save_p);
	     word != NULL && n < HW_APPROVALS_MAX;
	     word = strtok_r(NULL, ",", &save_p)) {
		ret[n].p = fetch(word, "", &len);
		ret[n++].len = (uint32_t)len;
	}
	return n;
}

static void
cmd_approvals(char **arg)
{
	struct hw_approvals m = { 0 };
	struct hw_answer a;
	struct wr w;

	m.n = read_approvals(arg[0], m.approvals);
	wr_grow(&w, 65536);
	msg_put(&w, hw_approvals, &m);
	if (call("approvals", HW_APPROVALS, &w, &a))
		printf("approvals: ok %u\n", m.n);
	wr_free(&w);
}

static void
cmd_bind(char **arg)
{
	uint8_t point[APPROVAL_KEY_LEN];
	struct hw_bound done;
	struct hw_answer a;
	struct hw_bind m;
	struct wr w;

	read_key(arg[0], point, &m.approval_key);
	wr_grow(&w, 1024);
	msg_put(&w, hw_bind, &m);
	if (call("bind", HW_BIND, &w, &a)) {
		if (msg_get(hw_bound, a.body, a.body_len, &done) != VT_OK)
			die("hw_bound", VT_E_FORMAT);
		save(arg[1], "blob", done.host_blob.p, done.host_blob.len);
		printf("bind: ok\n");
	}
	wr_free(&w);
}

static void
load_with(char **arg, char *files)
{
	struct hw_load m = { .root = (uint8_t)atoi(arg[0]) };
	struct hw_loaded done;
	struct hw_answer a;
	size_t len;
	uint8_t *blob = fetch(arg[1], ".blob", &len);
	struct wr w;

	m.host_blob.p = blob;
	m.host_blob.len = (uint32_t)len;
	m.n = read_approvals(files, m.approvals);
	wr_grow(&w, 65536);
	msg_put(&w, hw_load, &m);
	if (call("load", HW_LOAD, &w, &a)) {
		if (msg_get(hw_loaded, a.body, a.body_len, &done) != VT_OK)
			die("hw_loaded", VT_E_FORMAT);
		if (same(arg[1], ".master", done.master, sizeof(done.master)) &&
		    same(arg[1], ".ca.der", done.ca_cert.p, done.ca_cert.len)) {
			printf("load: ok\n");
		} else {
			printf("load: error 0 other keys than before\n");
			failed = 1;
		}
	}
	wr_free(&w);
	free(blob);
}

static void
cmd_load(char **arg)
{
	char none[] = "-";

	load_with(arg, none);
}

static void
cmd_loada(char **arg)
{
	load_with(arg, arg[2]);
}

static uint8_t
kind_of(const char *word)
{
	if (strcmp(word, "ek-rsa") == 0 || strcmp(word, "ek12") == 0)
		return WCERT_EK_RSA;
	return strcmp(word, "ek-ecc") == 0 ? WCERT_EK_ECC : WCERT_AK;
}

static void
cmd_certs(char **arg)
{
	struct hw_certs m = { .group = (uint32_t)strtoul(arg[2], NULL, 0),
		.generation = 1,
		.tpm_version = TPM_VER_20 };
	char *kinds[HW_CERTS_MAX], *save_p = NULL, *word, *file, suffix[64];
	uint8_t *pubs[HW_CERTS_MAX];
	struct hw_certed done;
	struct hw_answer a;
	uint64_t t0;
	struct wr w;
	uint32_t i;
	size_t len;

	(void)snprintf(m.name, sizeof(m.name), "%s", arg[0]);
	if (uuid_parse(arg[1], m.uuid) != VT_OK)
		die("uuid", VT_E_FORMAT);
	for (word = strtok_r(arg[4], ",", &save_p);
	     word != NULL && m.n < HW_CERTS_MAX;
	     word = strtok_r(NULL, ",", &save_p)) {
		if ((file = strchr(word, ':')) == NULL)
			die("KIND:FILE", VT_E_FORMAT);
		*file++ = '\0';
		kinds[m.n] = word;
		pubs[m.n] = fetch(file, "", &len);
		if (strcmp(word, "ek12") == 0)
			m.tpm_version = TPM_VER_12;
		m.keys[m.n].which = kind_of(word);
		m.keys[m.n].pub.p = pubs[m.n];
		m.keys[m.n++].pub.len = (uint32_t)len;
	}
	wr_grow(&w, 65536);
	msg_put(&w, hw_certs, &m);
	t0 = now_us();
	if (call("certs", HW_CERTS, &w, &a)) {
		t0 = now_us() - t0;
		if (msg_get(hw_certed, a.body, a.body_len, &done) != VT_OK ||
		    done.n != m.n)
			die("hw_certed", VT_E_FORMAT);
		for (i = 0; i < done.n; i++) {
			(void)snprintf(
			    suffix, sizeof(suffix), "%.40s.der", kinds[i]);
			save(
			    arg[3], suffix, done.certs[i].p, done.certs[i].len);
		}
		if (done.issuer.len > 0)
			save(arg[3], "issuer.der", done.issuer.p,
			    done.issuer.len);
		printf("certs: ok %u in %llu us\n", done.n,
		    (unsigned long long)t0);
	}
	for (i = 0; i < m.n; i++)
		free(pubs[i]);
	wr_free(&w);
}

static void
cmd_flood(char **arg)
{
	struct hw_certs m = { .group = (uint32_t)strtoul(arg[0], NULL, 0),
		.name = "flood",
		.tpm_version = TPM_VER_20,
		.n = 1 };
	size_t len;
	uint8_t *pub = fetch(arg[2], "", &len);
	int i, n = atoi(arg[1]);
	struct wr w;
	uint32_t id;

	m.keys[0].which = WCERT_AK;
	m.keys[0].pub.p = pub;
	m.keys[0].pub.len = (uint32_t)len;
	wr_grow(&w, 65536);
	msg_put(&w, hw_certs, &m);
	for (i = 0; i < n; i++) {
		id = ask(HW_CERTS, &w);
		if (id < VT_NELEM(group_by_id))
			group_by_id[id] = m.group;
	}
	printf("flood: ok\n");
	wr_free(&w);
	free(pub);
}

static void
cmd_collect(char **arg)
{
	int i, n = atoi(arg[0]), bad = 0;
	struct hw_answer a;
	uint32_t id;

	printf("collect: ok");
	for (i = 0; i < n; i++) {
		id = get_answer(&a);
		if (a.rc != VT_OK)
			bad++;
		printf(" %u", id < VT_NELEM(group_by_id) ? group_by_id[id] : 0);
	}
	printf(" bad=%d\n", bad);
}

static void
cmd_random(char **arg)
{
	struct hw_answer a;
	struct wr w;

	wr_grow(&w, 64);
	wr_be32(&w, (uint32_t)strtoul(arg[0], NULL, 0));
	if (call("random", HW_RANDOM, &w, &a)) {
		char *hex = malloc(2 * a.body_len + 1);

		if (hex == NULL)
			die("random", VT_E_NOMEM);
		hex_encode(a.body, a.body_len, hex);
		printf("random: ok %zu %s\n", a.body_len, hex);
		free(hex);
	}
	wr_free(&w);
}

static void
cmd_status(char **arg)
{
	struct hw_status st;
	struct hw_answer a;

	(void)arg;
	if (!call("status", HW_STATUS, NULL, &a))
		return;
	if (msg_get(hw_status, a.body, a.body_len, &st) != VT_OK)
		die("hw_status", VT_E_FORMAT);
	printf("status: ok root=%u up=%u maker='%s' firmware='%s' tcti='%s' "
	       "commands=%llu retries=%llu failures=%llu '%s'\n",
	    st.root, st.up, st.manufacturer, st.firmware, st.tcti,
	    (unsigned long long)st.commands, (unsigned long long)st.retries,
	    (unsigned long long)st.failures, a.text);
}

static void
cmd_pcrs(char **arg)
{
	struct hw_answer a;
	struct hw_pcrs m;

	(void)arg;
	if (!call("pcrs", HW_PCRS, NULL, &a))
		return;
	if (msg_get(hw_pcrs, a.body, a.body_len, &m) != VT_OK)
		die("hw_pcrs", VT_E_FORMAT);
	printf("pcrs: ok %u bytes epoch=%llu\n", m.pcrs.len,
	    (unsigned long long)m.epoch);
}

static void
cmd_counter(char **arg)
{
	struct hw_counter m = { .which = (uint8_t)atoi(arg[0]),
		.increment = (uint8_t)atoi(arg[1]),
		.expect = strtoull(arg[2], NULL, 0) };
	struct hw_answer a;
	uint8_t buf[64];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, hw_counter, &m);
	if (call("counter", HW_COUNTER, &w, &a)) {
		if (a.body_len != 8)
			die("counter", VT_E_FORMAT);
		printf("counter: ok %u = %llu\n", m.which,
		    (unsigned long long)be64_get(a.body));
	}
}

static void
cmd_raw(char **arg)
{
	uint8_t buf[4096];
	struct hw_answer a;
	size_t len = 0;
	struct wr w;

	if (strcmp(arg[1], "-") != 0 &&
	    hex_decode(arg[1], buf, sizeof(buf), &len) != VT_OK)
		die("HEX", VT_E_FORMAT);
	wr_init(&w, buf, sizeof(buf));
	w.len = len;
	if (call("raw", (uint16_t)atoi(arg[0]), &w, &a))
		printf("raw: ok\n");
}

static void
cmd_sh(char **arg)
{
	int st = system(arg[0]);

	if (st != 0) {
		printf("sh: error %d %s\n", st, arg[0]);
		failed = 1;
	}
}

static const struct {
	const char *name;
	int words;
	void (*run)(char **arg);
} commands[] = {
	{ "init", 3, cmd_init },
	{ "initk", 4, cmd_initk },
	{ "initm", 5, cmd_initm },
	{ "load", 2, cmd_load },
	{ "loada", 3, cmd_loada },
	{ "approvals", 1, cmd_approvals },
	{ "bind", 2, cmd_bind },
	{ "certs", 5, cmd_certs },
	{ "flood", 3, cmd_flood },
	{ "collect", 1, cmd_collect },
	{ "random", 1, cmd_random },
	{ "status", 0, cmd_status },
	{ "pcrs", 0, cmd_pcrs },
	{ "counter", 3, cmd_counter },
	{ "raw", 2, cmd_raw },
	{ "sh", 1, cmd_sh },
};

int
main(int argc, char **argv)
{
	int i = 2, st = 0;
	size_t c;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: hwcmd 'PROGRAM ARGS' COMMAND...\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	pid = start(argv[1]);
	while (i < argc) {
		for (c = 0; c < VT_NELEM(commands); c++)
			if (strcmp(argv[i], commands[c].name) == 0)
				break;
		if (c == VT_NELEM(commands) ||
		    argc - i - 1 < commands[c].words) {
			fprintf(stderr, "hwcmd: what is '%s'?\n", argv[i]);
			return 2;
		}
		commands[c].run(argv + i + 1);
		i += 1 + commands[c].words;
	}
	msgch_free(ch); /* the end of its input ends it */
	if (waitpid(pid, &st, 0) == -1 || st != 0) {
		printf("end: error status %d\n", st);
		failed = 1;
	}
	return failed;
}
