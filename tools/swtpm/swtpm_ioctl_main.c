/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * swtpm_ioctl_main.c - swtpm_ioctl's command line: one request of swtpm's
 * control protocol.  See doc/man/vtpm-swtpm.8.
 */
#include <arpa/inet.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "base/version.h"
#include "tools/swtpm/caps.h"
#include "tools/swtpm/client.h"
#include "tools/swtpm/words.h"
#include "tpmback/swtpm/wire.h"

#define PIECE 4000 /* bytes of one HASH_DATA */
#define INFO_TOTAL_MAX 65536

static struct {
	const char *tcp, *path, *device, *locality, *reset, *hash, *save, *load,
	    *size, *info;
	bool caps, init, stop, off, established, store, cancel, config, version,
	    help;
} a;

/* clang-format off */
static const struct word words[] = {
	{ "tcp", 0, true, &a.tcp, NULL, NULL },
	{ "unix", 0, true, &a.path, NULL, NULL },
	{ "tpm-device", 0, true, &a.device, NULL, NULL },
	{ "caps", 'c', false, NULL, &a.caps, NULL },
	{ "init", 'i', false, NULL, &a.init, NULL },
	{ "stop", 0, false, NULL, &a.stop, NULL },
	{ "shutdown", 's', false, NULL, &a.off, NULL },
	{ "established", 'e', false, NULL, &a.established, NULL },
	{ "reset-established", 'r', true, &a.reset, NULL, NULL },
	{ "store-volatile", 'v', false, NULL, &a.store, NULL },
	{ "cancel", 'C', false, NULL, &a.cancel, NULL },
	{ "locality", 'l', true, &a.locality, NULL, NULL },
	{ "hash", 'h', true, &a.hash, NULL, NULL },
	{ "save", 0, true, &a.save, NULL, NULL },
	{ "load", 0, true, &a.load, NULL, NULL },
	{ "config", 'g', false, NULL, &a.config, NULL },
	{ "buffersize", 'b', true, &a.size, NULL, NULL },
	{ "info", 0, true, &a.info, NULL, NULL },
	{ "version", 0, false, NULL, &a.version, NULL },
	{ "help", 0, false, NULL, &a.help, NULL },
	{ 0 },
};
/* clang-format on */

static const char usage[] =
    "usage: swtpm_ioctl --unix PATH|--tcp [127.0.0.1]:PORT COMMAND\n"
    "\n"
    "  -c           capabilities\n"
    "  -i           power on\n"
    "  --stop       power off\n"
    "  -s           power off, and end the program that serves the TPM\n"
    "  -e           whether a hash sequence at locality 4 ended\n"
    "  -r LOCALITY  forget that\n"
    "  -v           store the volatile state\n"
    "  -C           cancel the command that runs\n"
    "  -l LOCALITY  set the locality of what follows\n"
    "  -h DATA      measure DATA (-: standard input) at locality 4\n"
    "  --save permanent|volatile|savestate FILE\n"
    "  --load permanent|volatile|savestate FILE\n"
    "  -g           whether states are encrypted\n"
    "  -b SIZE      set the buffer's size (0: show it)\n"
    "  --info FLAGS information as JSON\n";

/* --- requests ---------------------------------------------------------------
 */

/* Send req and take an answer whose result is success: what follows the result,
 * len bytes of it, into ans. */
static int
request(int ctl, const char *name, const uint8_t *req, size_t reqlen,
    uint8_t *ans, size_t len)
{
	uint8_t result[4];
	size_t n = sizeof(result);
	int rc;

	rc = sw_ask(ctl, req, reqlen, -1, result, sizeof(result), &n);
	if (rc == VT_OK && be32_get(result) != SR_SUCCESS) {
		log_err("TPM result from PTM_%s: 0x%x", name, be32_get(result));
		return VT_E_TPM;
	}
	if (rc == VT_OK && len > 0)
		rc = sw_receive(ctl, ans, len);
	if (rc != VT_OK)
		log_err("%s: %s", name, vt_strerror(rc));
	return rc;
}

static int
plain(int ctl, const char *name, uint32_t op, uint8_t *ans, size_t len)
{
	uint8_t req[4];

	be32_put(req, op);
	return request(ctl, name, req, sizeof(req), ans, len);
}

static int
with_number(int ctl, const char *name, uint32_t op, uint32_t v, uint8_t *ans,
    size_t len)
{
	uint8_t req[8];

	be32_put(req, op);
	be32_put(req + 4, v);
	return request(ctl, name, req, sizeof(req), ans, len);
}

static int
with_locality(int ctl, const char *name, uint32_t op, const char *text)
{
	uint8_t req[5];
	uint32_t v;

	if (dec_u32(text, &v) != VT_OK || v > 4) {
		log_err("a locality is 0 to 4, not '%.32s'", text);
		return VT_E_FORMAT;
	}
	be32_put(req, op);
	req[4] = (uint8_t)v;
	return request(ctl, name, req, sizeof(req), NULL, 0);
}

static int
hash_piece(int ctl, const uint8_t *p, size_t n)
{
	uint8_t req[8 + PIECE];

	be32_put(req, SO_HASH_DATA);
	be32_put(req + 4, (uint32_t)n);
	memcpy(req + 8, p, n);
	return request(ctl, "HASH_DATA", req, 8 + n, NULL, 0);
}

static int
hash(int ctl, const char *data)
{
	bool from_stdin = strcmp(data, "-") == 0;
	uint8_t buf[PIECE];
	size_t left = strlen(data), n;
	int rc = plain(ctl, "HASH_START", SO_HASH_START, NULL, 0);

	while (rc == VT_OK) {
		if (from_stdin)
			n = fread(buf, 1, sizeof(buf), stdin);
		else {
			n = left < PIECE ? left : PIECE;
			memcpy(buf, data, n);
			data += n;
			left -= n;
		}
		if (n == 0)
			break;
		rc = hash_piece(ctl, buf, n);
	}
	return rc == VT_OK ? plain(ctl, "HASH_END", SO_HASH_END, NULL, 0) : rc;
}

static int
info(int ctl, const char *text)
{
	uint8_t req[20] = { 0 }, head[8], *buf = NULL;
	size_t have = 0, n = 0, total = 1;
	char *end;
	int rc = VT_OK;

	be32_put(req, SO_GET_INFO);
	be64_put(req + 4, strtoull(text, &end, 0));
	if (*text == '\0' || *end != '\0') {
		log_err("--info: '%.32s' is not a number", text);
		return VT_E_FORMAT;
	}
	if ((buf = calloc(1, INFO_TOTAL_MAX + 1)) == NULL)
		return VT_E_NOMEM;
	while (rc == VT_OK && have < total) {
		be32_put(req + 12, (uint32_t)have);
		rc = request(ctl, "GET_INFO", req, sizeof(req), head, 8);
		total = be32_get(head);
		n = be32_get(head + 4);
		if (rc == VT_OK &&
		    (n == 0 || total > INFO_TOTAL_MAX || n > total - have))
			rc = VT_E_PROTO;
		if (rc == VT_OK)
			rc = sw_receive(ctl, buf + have, n);
		have += rc == VT_OK ? n : 0;
	}
	if (rc == VT_OK)
		(void)printf("%s\n", (const char *)buf);
	free(buf);
	return rc;
}

/* --- states -----------------------------------------------------------------
 */

static int
blob_type(const char *name, uint32_t *ret)
{
	static const char *const names[] = { [BLOB_PERMANENT] = "permanent",
		[BLOB_VOLATILE] = "volatile",
		[BLOB_SAVESTATE] = "savestate" };
	uint32_t i;

	for (i = BLOB_PERMANENT; i <= BLOB_SAVESTATE; i++)
		if (strcmp(name, names[i]) == 0) {
			*ret = i;
			return VT_OK;
		}
	log_err(
	    "a state is permanent, volatile or savestate, not '%.32s'", name);
	return VT_E_FORMAT;
}

static int
get_blob(int ctl, uint32_t type, uint8_t **ret, size_t *ret_len)
{
	uint8_t req[16] = { 0 }, head[12], *buf = malloc(SWTPM_BLOB_MAX);
	size_t have = 0, total = 1, n = 0;
	int rc = buf != NULL ? VT_OK : VT_E_NOMEM;

	be32_put(req, SO_GET_STATEBLOB);
	be32_put(req + 8, type);
	while (rc == VT_OK && have < total) {
		be32_put(req + 12, (uint32_t)have);
		rc = request(ctl, "GET_STATEBLOB", req, sizeof(req), head, 12);
		total = be32_get(head + 4);
		n = be32_get(head + 8);
		if (rc == VT_OK &&
		    (total > SWTPM_BLOB_MAX || n > total - have ||
			(n == 0 && have < total)))
			rc = VT_E_PROTO;
		if (rc == VT_OK && n > 0)
			rc = sw_receive(ctl, buf + have, n);
		have += rc == VT_OK ? n : 0;
	}
	if (rc != VT_OK) {
		free(buf);
		return rc;
	}
	*ret = buf;
	*ret_len = have;
	return VT_OK;
}

static int
save(int ctl, const char *name, const char *path)
{
	uint8_t *buf = NULL;
	uint32_t type;
	size_t len = 0;
	int rc;

	if ((rc = blob_type(name, &type)) != VT_OK ||
	    (rc = get_blob(ctl, type, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = write_file_atomic(path, buf, len, 0600)) != VT_OK)
		log_err("%s: %m", path);
	mem_wipe_free(buf, len);
	return rc;
}

static int
load(int ctl, const char *name, const char *path)
{
	uint8_t *buf = NULL, *req = NULL;
	uint32_t type;
	size_t len = 0;
	int rc;

	if ((rc = blob_type(name, &type)) != VT_OK)
		return rc;
	if ((rc = read_file(path, SWTPM_BLOB_MAX, &buf, &len)) != VT_OK) {
		log_err("%s: %s", path, vt_strerror(rc));
		return rc;
	}
	if ((req = calloc(1, 16 + len)) != NULL) {
		be32_put(req, SO_SET_STATEBLOB);
		be32_put(req + 8, type);
		be32_put(req + 12, (uint32_t)len);
		memcpy(req + 16, buf, len);
		rc = request(ctl, "SET_STATEBLOB", req, 16 + len, NULL, 0);
	} else
		rc = VT_E_NOMEM;
	mem_wipe_free(buf, len);
	mem_wipe_free(req, 16 + len);
	return rc;
}

/* --- one command ------------------------------------------------------------
 */

static int
show_caps(int ctl)
{
	uint8_t ans[4];
	int rc = plain(ctl, "GET_CAPABILITY", SO_GET_CAPABILITY, ans, 4);

	if (rc == VT_OK)
		(void)printf("ptm capability is 0x%x\n", be32_get(ans));
	return rc;
}

static int
show_established(int ctl)
{
	uint8_t ans[4];
	int rc = plain(ctl, "GET_TPMESTABLISHED", SO_GET_ESTABLISHED, ans, 4);

	if (rc == VT_OK)
		(void)printf("tpmEstablished is %d\n", ans[0]);
	return rc;
}

static int
show_config(int ctl)
{
	uint8_t ans[4];
	int rc = plain(ctl, "GET_CONFIG", SO_GET_CONFIG, ans, 4);

	if (rc == VT_OK)
		(void)printf("ptm configuration flags: 0x%x\n", be32_get(ans));
	return rc;
}

static int
buffer_size(int ctl, const char *text)
{
	uint8_t ans[12];
	uint32_t v;
	int rc;

	if (dec_u32(text, &v) != VT_OK) {
		log_err("-b: '%.32s' is not a number", text);
		return VT_E_FORMAT;
	}
	rc = with_number(ctl, "SET_BUFFERSIZE", SO_SET_BUFFERSIZE, v, ans, 12);
	if (rc == VT_OK)
		(void)printf("TPM buffersize: %u\nminimum size  : %u\n"
			     "maximum size  : %u\n",
		    be32_get(ans), be32_get(ans + 4), be32_get(ans + 8));
	return rc;
}

static int
state_command(int ctl, int argc, char **argv)
{
	if (argc != 1) {
		log_err("--save and --load: FILE is missing");
		return VT_E_FORMAT;
	}
	return a.save != NULL ? save(ctl, a.save, argv[0])
			      : load(ctl, a.load, argv[0]);
}

static int
text_command(int ctl)
{
	if (a.locality != NULL)
		return with_locality(
		    ctl, "SET_LOCALITY", SO_SET_LOCALITY, a.locality);
	if (a.reset != NULL)
		return with_locality(
		    ctl, "RESET_TPMESTABLISHED", SO_RESET_ESTABLISHED, a.reset);
	if (a.hash != NULL)
		return hash(ctl, a.hash);
	if (a.size != NULL)
		return buffer_size(ctl, a.size);
	if (a.info != NULL)
		return info(ctl, a.info);
	log_err("a command is missing; see --help");
	return VT_E_FORMAT;
}

static int
command(int ctl, int argc, char **argv)
{
	const struct {
		bool given;
		const char *name;
		uint32_t op;
	} simple[] = { { a.stop, "STOP", SO_STOP },
		{ a.off, "SHUTDOWN", SO_SHUTDOWN },
		{ a.store, "STORE_VOLATILE", SO_STORE_VOLATILE },
		{ a.cancel, "CANCEL_TPM_CMD", SO_CANCEL } };
	size_t i;

	if (a.save != NULL || a.load != NULL)
		return state_command(ctl, argc, argv);
	for (i = 0; i < VT_NELEM(simple); i++)
		if (simple[i].given)
			return plain(
			    ctl, simple[i].name, simple[i].op, NULL, 0);
	if (a.init) /* goes on with a volatile state, and deletes it */
		return with_number(
		    ctl, "INIT", SO_INIT, SWTPM_INIT_DELETE_VOLATILE, NULL, 0);
	if (a.caps)
		return show_caps(ctl);
	if (a.established)
		return show_established(ctl);
	return a.config ? show_config(ctl) : text_command(ctl);
}

/* --- the connection ---------------------------------------------------------
 */

static int
connect_tcp(const char *text)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	const char *colon = strrchr(text, ':');
	char host[32] = "127.0.0.1";
	uint32_t port;
	int fd;

	if (colon == NULL || dec_u32(colon + 1, &port) != VT_OK || port == 0 ||
	    port > 65535) {
		log_err("--tcp: '%.64s' is not [HOST]:PORT", text);
		return -1;
	}
	if (colon != text && strncmp(text, "localhost:", 10) != 0)
		(void)snprintf(
		    host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (inet_pton(AF_INET, host, &to.sin_addr) != 1 ||
	    ntohl(to.sin_addr.s_addr) >> 24 != 127) {
		log_err(
		    "--tcp: a TPM is not used over the network: the host is "
		    "one of 127.0.0.0/8");
		return -1;
	}
	to.sin_port = htons((uint16_t)port);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	log_err("--tcp %.64s: %m", text);
	if (fd != -1)
		(void)close(fd);
	return -1;
}

static int
open_control(void)
{
	int fd;

	if (a.tcp != NULL)
		return connect_tcp(a.tcp);
	if (a.path == NULL) {
		log_err("--unix PATH is missing; device nodes are not served");
		return -1;
	}
	if ((fd = unix_connect(a.path)) == -1)
		log_err("%s: %m", a.path);
	return fd;
}

int
main(int argc, char **argv)
{
	uint64_t given;
	int ctl, rc;

	log_open("swtpm_ioctl", LOG_L_INFO);
	if (words_parse(words, &argc, argv, &given) != VT_OK)
		return 1;
	if (a.version || a.help) {
		(void)printf("TPM emulator control tool version " SWTPM_AS
			     ", vtpm-swtpm " VT_VERSION "\n");
		if (a.help)
			(void)fputs(usage, stdout);
		return 0;
	}
	if ((ctl = open_control()) == -1)
		return 1;
	rc = command(ctl, argc, argv);
	(void)close(ctl);
	if (fflush(stdout) != 0)
		rc = VT_E_SYS;
	return rc == VT_OK ? 0 : 1;
}
