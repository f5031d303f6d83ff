/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/host/host_escrow.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vtpm_manager/commit/anchor.h"
#include "vtpm_manager/core/run_folder.h"
#include "vtpm_manager/host/host_keys_op.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_commit.h"
#include "vtpm_manager/store/store_guest.h"

/* --- shares --------------------------------------------------------------- */

static void
free_texts(char *t[SHAMIR_MAX_SHARES], unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		free(t[i]);
		t[i] = NULL;
	}
}

static int
bad_key(int rc, unsigned int i, char *text)
{
	(void)snprintf(text, MGR_TEXT_MAX, "operator %u's key: %s", i + 1,
	    rc == VT_E_FORMAT ? "it is neither a certificate nor a public key "
				"in PEM"
	    : rc == VT_E_UNSUPPORTED
		? "RSA with 2048 bits or more, or EC with 256, is needed"
		: vt_strerror(rc));
	return rc;
}

int
host_escrow_make(struct mgr *m, const uint8_t master[32],
    unsigned int threshold, const struct host_escrow_key *keys, unsigned int n,
    char *ret[SHAMIR_MAX_SHARES], char *text)
{
	struct escrow_share s[SHAMIR_MAX_SHARES];
	char host[ESCROW_HOST_MAX + 1];
	unsigned int i;
	int rc;

	memset(ret, 0, SHAMIR_MAX_SHARES * sizeof(*ret));
	config_host_name(&m->cfg, host, sizeof(host));
	rc = escrow_split(master, host, wall_ms() / 1000, threshold, n, s);
	if (rc != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    rc == VT_E_RANGE ? "%u of %u is not possible: at least 2, "
				       "at most all, of up to 16 operators"
				     : "%u of %u shares could not be made",
		    threshold, n);
		return rc;
	}
	for (i = 0; i < n && rc == VT_OK; i++)
		rc = escrow_seal(&s[i], keys[i].p, keys[i].len, &ret[i]);
	explicit_bzero(s, sizeof(s));
	if (rc == VT_OK)
		return rc;
	free_texts(ret, n);
	return bad_key(rc, i - 1, text);
}

/* "2:a.pem,b.pem,c.pem"; buf holds the words. */
static int
parse_setting(
    char *buf, unsigned int *threshold, char *files[], unsigned int *n)
{
	char *save = NULL, *end, *w;

	*threshold = (unsigned int)strtoul(buf, &end, 10);
	if (end == buf || *end != ':')
		return VT_E_FORMAT;
	*n = 0;
	for (w = strtok_r(end + 1, ",", &save); w != NULL;
	     w = strtok_r(NULL, ",", &save)) {
		if (*n == SHAMIR_MAX_SHARES)
			return VT_E_RANGE;
		files[(*n)++] = w;
	}
	return VT_OK;
}

static int
write_shares(struct mgr *m, char *const *shares, unsigned int n, char *text)
{
	char path[PATH_MAX];
	unsigned int i;
	int rc;

	rc = run_path(
	    path, sizeof(path), "%s/" HOST_ESCROW_FOLDER, m->cfg.state);
	if (rc == VT_OK && mkdir(path, 0700) == -1 && errno != EEXIST)
		rc = VT_E_SYS;
	for (i = 0; i < n && rc == VT_OK; i++) {
		rc = run_path(path, sizeof(path),
		    "%s/" HOST_ESCROW_FOLDER "/share-%u-of-%u.pem",
		    m->cfg.state, i + 1, n);
		if (rc == VT_OK)
			rc = write_file_atomic(
			    path, shares[i], strlen(shares[i]), 0600);
	}
	if (rc != VT_OK)
		(void)snprintf(
		    text, MGR_TEXT_MAX, "%.300s: %s", path, vt_strerror(rc));
	return rc;
}

int
host_escrow_at_init(struct mgr *m, const uint8_t master[32], char *text)
{
	struct host_escrow_key keys[SHAMIR_MAX_SHARES] = { { NULL, 0 } };
	char *files[SHAMIR_MAX_SHARES], *shares[SHAMIR_MAX_SHARES];
	uint8_t *pem[SHAMIR_MAX_SHARES] = { NULL };
	char buf[sizeof(m->cfg.escrow)];
	unsigned int threshold = 0, n = 0, i;
	int rc;

	if (m->cfg.escrow[0] == '\0')
		return VT_OK;
	memcpy(buf, m->cfg.escrow, sizeof(buf));
	if ((rc = parse_setting(buf, &threshold, files, &n)) != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "escrow: '%.200s' is not of the form 2:a.pem,b.pem,c.pem",
		    m->cfg.escrow);
		return rc;
	}
	for (i = 0; i < n && rc == VT_OK; i++) {
		rc = read_file(files[i], ESCROW_PEM_MAX, &pem[i], &keys[i].len);
		keys[i].p = pem[i];
		if (rc != VT_OK)
			(void)snprintf(text, MGR_TEXT_MAX, "escrow: %.200s: %s",
			    files[i], vt_strerror(rc));
	}
	if (rc == VT_OK)
		rc = host_escrow_make(
		    m, master, threshold, keys, n, shares, text);
	for (i = 0; i < n; i++)
		free(pem[i]);
	if (rc != VT_OK)
		return rc;
	rc = write_shares(m, shares, n, text);
	free_texts(shares, n);
	if (rc == VT_OK)
		log_warn("escrow: %u shares are in %s/" HOST_ESCROW_FOLDER
			 ", %u of which recover this store: give them to the "
			 "operators and delete them here",
		    n, m->cfg.state, threshold);
	return rc;
}

/* --- recovery ------------------------------------------------------------- */

static int
join(const struct host_escrow_key *in, unsigned int n, uint8_t master[32],
    char *text)
{
	struct escrow_share s[SHAMIR_MAX_SHARES];
	unsigned int i;
	int rc = VT_OK;

	if (n == 0 || n > SHAMIR_MAX_SHARES) {
		(void)snprintf(text, MGR_TEXT_MAX, "no shares, or too many");
		return VT_E_RANGE;
	}
	for (i = 0; i < n && rc == VT_OK; i++) {
		rc = escrow_get(in[i].p, in[i].len, &s[i]);
		if (rc != VT_OK)
			(void)snprintf(text, MGR_TEXT_MAX,
			    "share no. %u is not an opened share: %s (open it "
			    "first: vtpmctl host recover --share FILE --key "
			    "KEY -o OPEN)",
			    i + 1,
			    rc == VT_E_AUTH ? "it was changed"
					    : vt_strerror(rc));
	}
	if (rc == VT_OK)
		rc = escrow_join(s, n, master, text);
	explicit_bzero(s, sizeof(s));
	return rc;
}

/* The blob's MAC is by a key from the store's own master key. */
static int
is_of_store(const struct host_keys *h, const uint8_t master[32], char *text)
{
	uint8_t mac[HWBLOB_MAC_LEN];
	struct hwblob b;
	int rc;

	if ((rc = hwblob_get(h->blob, h->blob_len, &b)) != VT_OK ||
	    b.ek == HWEK_NONE) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "the store's host keys cannot be read, or are too old to "
		    "tell whether the shares are for this store");
		return rc != VT_OK ? rc : VT_E_UNSUPPORTED;
	}
	rc = hwblob_mac(master, h->blob, h->blob_len, mac);
	if (rc == VT_OK && !mem_equal(mac, b.mac.p, sizeof(mac))) {
		(void)snprintf(
		    text, MGR_TEXT_MAX, "these shares belong to another store");
		rc = VT_E_AUTH;
	}
	return rc;
}

static int
keep_blob(struct host_keys *h, const struct wblob *blob)
{
	uint32_t i;
	int rc;

	/* For the old TPM's counter: now useless. */
	for (i = 0; i < h->ap.n; i++)
		approvals_remove(h->m->cfg.state, h->ap.one[i].a.sequence);
	if ((rc = store_kv_put(h->m->st, STORE_KV_HOST, blob->p, blob->len)) !=
		VT_OK ||
	    (rc = store_commit(h->m->st)) != VT_OK ||
	    (rc = host_keys_take_blob(h->m, blob->p, blob->len)) != VT_OK)
		return rc;
	return host_keys_tell_link(h->m);
}

static void
on_inited(void *arg, const struct hw_answer *a)
{
	struct host_keys *h = arg;
	struct hw_inited hi;
	int rc;

	if (a->rc != VT_OK) {
		host_keys_op_done(h, a->rc, "%s", a->text);
		return;
	}
	rc = msg_get(hw_inited, a->body, a->body_len, &hi);
	if (rc == VT_OK)
		rc = keep_blob(h, &hi.host_blob);
	if (rc != VT_OK) {
		host_keys_op_done(h, rc, "the host's new keys are not kept: %s",
		    vt_strerror(rc));
	} else {
		anchorq_moved(h->m);
		h->events->recovered(h->m, hi.master, &hi.ca_cert);
	}
	explicit_bzero(&hi, sizeof(hi));
}

int
host_escrow_recover(struct mgr *m, const char *who,
    const struct host_escrow_key *shares, unsigned int n, host_keys_cb cb,
    void *arg, char *text)
{
	struct hw_init hi = { .root = m->root_kind };
	struct host_keys *h = m->host;
	uint8_t master[32], buf[512];
	struct wr w;
	int rc;

	if (!host_keys_sealed(m) || !m->cfg.recover) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "only a manager that was started with --recover, and whose "
		    "TPM withholds the master key, recovers a store");
		return VT_E_STATE;
	}
	if ((rc = join(shares, n, master, text)) != VT_OK)
		return rc;
	wr_init(&w, buf, sizeof(buf));
	if ((rc = is_of_store(h, master, text)) == VT_OK &&
	    (rc = host_keys_begin(h, who, "host-recover", cb, arg, text)) ==
		VT_OK) {
		config_host_name(&m->cfg, hi.host, sizeof(hi.host));
		hi.master.p = master;
		hi.master.len = sizeof(master);
		if (h->bound) {
			hi.approval_key.p = h->key;
			hi.approval_key.len = sizeof(h->key);
		}
		msg_put(&w, hw_init, &hi);
		rc = hwlink_request(m->hw, HW_INIT, &w, on_inited, h);
		if (rc != VT_OK)
			memset(&h->op, 0, sizeof(h->op));
	}
	explicit_bzero(master, sizeof(master));
	explicit_bzero(buf, sizeof(buf));
	return rc;
}

static int
count_12(const struct guest *in, void *arg)
{
	uint32_t *n = arg;

	*n += in->tpm_version == TPM_VER_12 ? 1 : 0;
	return 0;
}

static void
on_taken(void *arg, int rc, const char *text)
{
	struct host_keys *h = arg;
	char old[200] = "";
	uint32_t n = 0;

	if (rc != VT_OK) {
		host_keys_op_done(h, rc, "%s", text);
		return;
	}
	if (store_guest_each(h->m->st, count_12, &n) == VT_OK && n > 0)
		(void)snprintf(old, sizeof(old),
		    ".  %u TPM 1.2: NV, locked for good, keeps the EK's old "
		    "certificate there; the new one is in vtpmctl show NAME "
		    "--certs",
		    (unsigned)n);
	host_keys_op_done(h, VT_OK,
	    "the store now belongs to this TPM; its vTPMs keep their keys and "
	    "state, marked as recovered.  CA and attestation keys are new: "
	    "enrol this host again (vtpmctl host enrol); vTPMs' certificates "
	    "are reissued by the new CA when they start%s%s",
	    h->bound ? "; approve this host's state before the next start "
		       "(vtpmctl host approve)"
		     : "",
	    old);
}

void
host_escrow_finish(struct mgr *m, host_escrow_accept accept)
{
	struct host_keys *h = m->host;
	char text[MGR_TEXT_MAX] = "";
	uint32_t n;
	int rc;

	rc = accept(m, h->op.who, on_taken, h, &n, text);
	if (rc != VT_OK)
		host_keys_op_done(h, rc, "%s", text);
}
