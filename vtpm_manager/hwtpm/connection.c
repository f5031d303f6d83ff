/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * connection.c - brings the TPM up and down: starts it, identifies it, has the
 * host's keys loaded.
 */
#include "vtpm_manager/hwtpm/connection.h"

#include <tss2/tss2_rc.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "vtpm_manager/hwtpm/keys.h"
#include "vtpm_manager/hwtpm/policy.h"
#include "vtpm_manager/hwtpm/tcti_path.h"

#define HDR_LEN 10
#define FRESH_US 1000000 /* a newer answer proves that the TPM works */
#define TAG_NO_SESSIONS 0x8001
#define TAG_RSP_12 0x00c4 /* a TPM 1.2 answers with this */
/* Part 2, 7.5; tpm2-tss shifts an int into its sign for these. */
#define TRANSIENT_FIRST 0x80000000u
#define SESSION_FIRST 0x02000000u
#define MAX_STALE 64 /* handles that a TPM can hold */

/* --- commands before there are sessions ---------------------------------- */

static int
raw(struct hwtpm *h, const struct wr *cmd, uint8_t *rsp, size_t *ret_len,
    uint32_t *ret_rc, const char *what)
{
	uint32_t r;
	int rc = wr_err(cmd);

	if (rc != VT_OK)
		return hwtpm_fail(h, rc, "%s", what);
	r = hwtcti_command(h->tcti, cmd->buf, cmd->len, rsp, ret_len);
	if ((rc = hwtpm_check(h, r, what)) == VT_OK)
		*ret_rc = be32_get(rsp + 6);
	return rc;
}

static void
start(struct wr *w, uint8_t *buf, size_t cap, uint32_t cc)
{
	wr_init(w, buf, cap);
	wr_be16(w, TAG_NO_SESSIONS);
	wr_be32(w, 0);
	wr_be32(w, cc);
}

static void
finish(struct wr *w)
{
	if (w->err == VT_OK)
		wr_set_be32(w, 2, (uint32_t)w->len);
}

static int
startup(struct hwtpm *h)
{
	static const char what[] = "starting the TPM up";
	uint8_t cmd[16], rsp[HWTCTI_MAX];
	struct wr w;
	size_t len;
	uint32_t r;
	int rc;

	start(&w, cmd, sizeof(cmd), TPM2_CC_Startup);
	wr_be16(&w, TPM2_SU_CLEAR);
	finish(&w);
	if ((rc = raw(h, &w, rsp, &len, &r, what)) != VT_OK)
		return rc;
	if (be16_get(rsp) == TAG_RSP_12)
		return hwtpm_fail(h, VT_E_UNSUPPORTED,
		    "the TPM at %s is a TPM 1.2; a TPM 2.0 is needed", h->conf);
	/* INITIALIZE: the firmware or the kernel has done it. */
	if (r == TPM2_RC_INITIALIZE)
		return VT_OK;
	return hwtpm_check(h, r, what);
}

static int
get_capability(struct hwtpm *h, uint32_t cap, uint32_t first, uint32_t n,
    uint8_t *rsp, struct rd *ret)
{
	static const char what[] = "identifying the TPM";
	uint8_t cmd[32];
	struct wr w;
	size_t len;
	uint32_t r;
	int rc;

	start(&w, cmd, sizeof(cmd), TPM2_CC_GetCapability);
	wr_be32(&w, cap);
	wr_be32(&w, first);
	wr_be32(&w, n);
	finish(&w);
	if ((rc = raw(h, &w, rsp, &len, &r, what)) != VT_OK ||
	    (rc = hwtpm_check(h, r, what)) != VT_OK)
		return rc;
	rd_init(ret, rsp + HDR_LEN, len - HDR_LEN);
	(void)rd_u8(ret); /* moreData */
	if (rd_be32(ret) != cap)
		rd_fail(ret, VT_E_FORMAT);
	if (ret->err != VT_OK)
		return hwtpm_fail(h, VT_E_PROTO, "%s: malformed answer", what);
	return VT_OK;
}

/* Handles that a killed process left behind.  A resource manager shows only
 * our own. */
static int
flush_stale(struct hwtpm *h, uint32_t first)
{
	uint8_t rsp[HWTCTI_MAX], cmd[16], ign[HWTCTI_MAX];
	uint32_t n, i, r;
	struct rd list;
	struct wr w;
	size_t len;
	int rc;

	if ((rc = get_capability(
		 h, TPM2_CAP_HANDLES, first, MAX_STALE, rsp, &list)) != VT_OK)
		return rc;
	n = rd_be32(&list);
	for (i = 0; i < n && i < MAX_STALE && list.left >= 4; i++) {
		start(&w, cmd, sizeof(cmd), TPM2_CC_FlushContext);
		wr_be32(&w, rd_be32(&list));
		finish(&w);
		if ((rc = raw(h, &w, ign, &len, &r, "flushing")) != VT_OK)
			return rc;
	}
	return VT_OK;
}

/* TPM_PT_MANUFACTURER and the vendor strings: four characters each. */
static void
add_chars(char *s, size_t cap, uint32_t v)
{
	size_t n = strlen(s);
	int shift;

	for (shift = 24; shift >= 0 && n + 1 < cap; shift -= 8) {
		int c = (int)(v >> shift & 0xff);

		if (isgraph(c))
			s[n++] = (char)c;
	}
	s[n] = '\0';
}

static int
identify(struct hwtpm *h)
{
	uint8_t rsp[HWTCTI_MAX];
	uint32_t n, i, pt, v, fw1 = 0, fw2 = 0;
	char maker[8] = "", model[17] = "";
	struct rd r;
	int rc;

	if ((rc = get_capability(h, TPM2_CAP_TPM_PROPERTIES,
		 TPM2_PT_MANUFACTURER, 16, rsp, &r)) != VT_OK)
		return rc;
	n = rd_be32(&r);
	for (i = 0; i < n && r.left >= 8; i++) {
		pt = rd_be32(&r);
		v = rd_be32(&r);
		if (pt == TPM2_PT_MANUFACTURER)
			add_chars(maker, sizeof(maker), v);
		else if (pt >= TPM2_PT_VENDOR_STRING_1 &&
			 pt <= TPM2_PT_VENDOR_STRING_4)
			add_chars(model, sizeof(model), v);
		else if (pt == TPM2_PT_FIRMWARE_VERSION_1)
			fw1 = v;
		else if (pt == TPM2_PT_FIRMWARE_VERSION_2)
			fw2 = v;
	}
	(void)snprintf(h->manufacturer, sizeof(h->manufacturer), "%.4s %.8s",
	    maker, model);
	(void)snprintf(h->firmware, sizeof(h->firmware), "%u.%u.%u.%u",
	    fw1 >> 16, fw1 & 0xffff, fw2 >> 16, fw2 & 0xffff);
	return VT_OK;
}

/* --- up and down --------------------------------------------------------- */

bool
hwconn_is_up(const struct hwtpm *h)
{
	return h->esys != NULL;
}

/* What the file behind the TCTI itself says; false: nothing. */
static bool
file_error(struct hwtpm *h, char *out, size_t cap)
{
	const char *device = tcti_device(h->conf);
	char path[PATH_MAX];
	int fd;

	tcti_path(h->conf, path, sizeof(path));
	if (device == NULL) { /* not opened: a socket */
		h->shut_out =
		    access(path, R_OK | W_OK) == -1 && errno == EACCES;
		return false;
	}
	if ((fd = open(device, O_RDWR | O_CLOEXEC)) != -1) {
		(void)close(fd);
		return false;
	}
	h->shut_out = errno == EACCES;
	h->absent = errno == ENOENT || errno == ENODEV || errno == ENXIO;
	(void)snprintf(out, cap, "%s: %s%s", device, strerror(errno),
	    h->absent
		? ": the kernel has no TPM there: enable it in the "
		  "firmware's setup, load its driver, or give --root another "
		  "one"
	    : errno == EBUSY ? ": another program has it open: use /dev/tpmrm0"
			     : "");
	return true;
}

static int
open_device(struct hwtpm *h)
{
	char why[256];
	uint32_t r;
	int rc;

	rc = hwtcti_open(h->conf, &h->limits, &h->counts, &h->tcti, &r);
	if (rc == VT_E_TPM && file_error(h, why, sizeof(why)))
		return hwtpm_fail(h, VT_E_CLOSED, "the host's TPM: %s", why);
	if (rc == VT_E_TPM)
		return hwtpm_fail(h, VT_E_CLOSED,
		    "the TPM at %s cannot be opened: %s", h->conf,
		    Tss2_RC_Decode(r));
	if (rc != VT_OK)
		return hwtpm_fail(h, rc, "%s", vt_strerror(rc));
	return VT_OK;
}

int
hwconn_open(struct hwtpm *h)
{
	uint8_t master[HW_MASTER_LEN];
	int rc;

	h->again = h->absent = h->shut_out = false;
	if ((rc = open_device(h)) != VT_OK)
		return rc;
	if ((rc = startup(h)) != VT_OK ||
	    (rc = flush_stale(h, TRANSIENT_FIRST)) != VT_OK ||
	    (rc = flush_stale(h, SESSION_FIRST)) != VT_OK ||
	    (rc = identify(h)) != VT_OK)
		goto fail;
	rc = hwtpm_check(h,
	    Esys_Initialize(&h->esys, hwtcti_context(h->tcti), NULL),
	    "opening the TPM");
	if (rc != VT_OK)
		goto fail;
	if (h->root == 0)
		return VT_OK;
	rc = hwkeys_load(h, NULL, master);
	explicit_bzero(master, sizeof(master));
	h->refused = rc == VT_E_POLICY && !h->again && hwpolicy_bound(h);
	if (rc == VT_OK || h->refused)
		return VT_OK;
fail:
	hwconn_close(h);
	return rc;
}

int
hwconn_need_keys(struct hwtpm *h)
{
	uint8_t master[HW_MASTER_LEN];
	int rc;

	if (!h->refused)
		return VT_OK;
	rc = hwkeys_load(h, NULL, master);
	explicit_bzero(master, sizeof(master));
	if (rc == VT_OK)
		h->refused = false;
	return rc;
}

void
hwconn_close(struct hwtpm *h)
{
	hwkeys_unload(h);
	h->refused = false;
	if (h->esys != NULL)
		Esys_Finalize(&h->esys);
	hwtcti_close(h->tcti);
	h->tcti = NULL;
}

void
hwconn_done(struct hwtpm *h)
{
	hwconn_close(h);
	if (h->blob != NULL)
		explicit_bzero(h->blob, h->blob_len);
	free(h->blob);
	h->blob = NULL;
	h->root = 0;
	hwpolicy_clear(h);
}

void
hwconn_status(struct hwtpm *h, struct hw_status *ret)
{
	memset(ret, 0, sizeof(*ret));
	h->again = false;
	if (h->esys != NULL && now_us() - h->last_ok_us > FRESH_US &&
	    identify(h) != VT_OK)
		h->again = true;
	ret->root = h->root;
	ret->up = h->esys != NULL && !h->again ? 1 : 0;
	(void)snprintf(ret->manufacturer, sizeof(ret->manufacturer), "%s",
	    h->manufacturer);
	(void)snprintf(ret->firmware, sizeof(ret->firmware), "%s", h->firmware);
	(void)snprintf(ret->tcti, sizeof(ret->tcti), "%s", h->conf);
	ret->commands = h->counts.commands;
	ret->retries = h->counts.retries;
	ret->failures = h->counts.failures;
}
