/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * manager.c - composes the rooms: the actions of the start (core/start_fsm.h
 * has their order), and the end.
 */
#include "vtpm_manager/manager.h"

#include <sys/stat.h>

#include <systemd/sd-daemon.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lock_memory.h"
#include "base/log.h"
#include "vtpm_manager/commit/anchor.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/control/bus.h"
#include "vtpm_manager/core/cgroup.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/core/rom_folder.h"
#include "vtpm_manager/core/run_folder.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_certs.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/guest/guest_load.h"
#include "vtpm_manager/guest/pool.h"
#include "vtpm_manager/guest/recover.h"
#include "vtpm_manager/guest/soft_root.h"
#include "vtpm_manager/guest/zygote_link.h"
#include "vtpm_manager/host/deep_quote.h"
#include "vtpm_manager/host/host_escrow.h"
#include "vtpm_manager/host/host_fit.h"
#include "vtpm_manager/host/host_keys.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_check.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/store/store_lost.h"
#include "vtpm_manager/tenant/tenant.h"
#include "vtpm_manager/xen/xenback_link.h"

/* With this very mode: the umask hides what is not meant for others. */
static int
make_folder(const char *path, unsigned int mode)
{
	if (mkdir(path, mode) == 0)
		return chmod(path, mode) == -1 ? VT_E_SYS : VT_OK;
	return errno == EEXIST ? VT_OK : VT_E_SYS;
}

static int
prepare_run(struct mgr *m, char *text)
{
	char path[PATH_MAX];
	struct stat sb;
	int rc;

	if (!run_folder_fits(m->cfg.run)) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "the path of the run folder is too long for the sockets "
		    "in it: %.300s; use a shorter --run",
		    m->cfg.run);
		return VT_E_RANGE;
	}
	rc = make_folder(m->cfg.run, 0755);
	if (rc == VT_OK && stat(m->cfg.run, &sb) == -1)
		rc = VT_E_SYS;
	if (rc == VT_OK && ((sb.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
			       (sb.st_uid != 0 && sb.st_uid != geteuid()))) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "other users can write to the run folder %s, and so "
		    "replace its sockets; it must belong to the manager's user "
		    "and have mode 0755",
		    m->cfg.run);
		return VT_E_DENIED;
	}
	if (rc == VT_OK)
		rc = run_path(path, sizeof(path), "%s/w", m->cfg.run);
	if (rc == VT_OK)
		rc = make_folder(path, 0700);
	if (rc == VT_OK)
		rc = rom_folder_make(m->cfg.run);
	if (rc == VT_OK)
		rc = run_path(path, sizeof(path), "%s/lock", m->cfg.run);
	if (rc == VT_OK) {
		m->run_lock =
		    open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (m->run_lock == -1)
			rc = VT_E_SYS;
	}
	if (rc != VT_OK) {
		(void)snprintf(
		    text, MGR_TEXT_MAX, "%s: %s", m->cfg.run, vt_strerror(rc));
		return rc;
	}
	if (lock_fd(m->run_lock, LOCK_WAIT_MS) != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "another manager runs in %s; stop it, or use another "
		    "--run folder",
		    m->cfg.run);
		return VT_E_BUSY;
	}
	return VT_OK;
}

static int
read_boot_id(struct mgr *m)
{
	uint8_t *p;
	size_t len;
	int rc;

	rc = read_file("/proc/sys/kernel/random/boot_id", 64, &p, &len);
	if (rc != VT_OK)
		return rc;
	while (len > 0 && p[len - 1] == '\n')
		p[--len] = '\0';
	(void)snprintf(m->boot_id, sizeof(m->boot_id), "%s", (char *)p);
	free(p);
	return VT_OK;
}

static void
read_last_boot_id(struct mgr *m)
{
	uint8_t *p = NULL;
	size_t len;

	if (store_kv_get(m->st, STORE_KV_BOOT, &p, &len) != VT_OK)
		return;
	(void)snprintf(m->last_boot_id, sizeof(m->last_boot_id), "%.*s",
	    (int)len, (const char *)p);
	free(p);
}

/* --- the last steps --- */

/* Workers without a guest: unclaimed ones of a former manager, or of guests
 * that were stopped just as it died. */
static void
end_orphans(struct mgr *m)
{
	uint8_t uuid[UUID_LEN];
	static const struct wlink_ops none = { 0 };
	char path[PATH_MAX];
	struct dirent *de;
	struct wlink *l;
	struct guest in;
	DIR *d;

	if (run_path(path, sizeof(path), "%s/w", m->cfg.run) != VT_OK ||
	    (d = opendir(path)) == NULL)
		return;
	while ((de = readdir(d)) != NULL) {
		if (uuid_parse(de->d_name, uuid) != VT_OK ||
		    guest_live(m, uuid) != NULL || root_owns(m, uuid))
			continue;
		/* Its record is bad, the worker may be good: the operator
		 * decides (destroy ends it). */
		if (store_guest_get(m->st, uuid, &in) == VT_OK && in.tampered &&
		    in.status == GUEST_RUNNING)
			continue;
		if (wlink_connect(m, uuid, WLINK_UID_ANY, &none, NULL, &l) ==
		    VT_OK) {
			log_info("a worker without a guest is ended");
			wlink_end(l, false);
		} else
			run_unlink_worker(m, uuid);
	}
	(void)closedir(d);
}

/* On Xen, serve its guests too. */
static int
start_xen(struct mgr *m)
{
	bool here = xenback_here();
	int rc;

	if (strcmp(m->cfg.xen, "off") == 0 ||
	    (strcmp(m->cfg.xen, "auto") == 0 && !here))
		return VT_OK;
	if ((rc = xenback_new(m, &m->xen)) == VT_OK)
		return VT_OK;
	if (strcmp(m->cfg.xen, "auto") == 0) {
		log_warn("this is a Xen domain, but vtpm-xenback cannot be "
			 "started (%s): Xen guests get no vTPM",
		    vt_strerror(rc));
		return VT_OK;
	}
	loop_fatal(m, "vtpm-xenback cannot be started: %s", vt_strerror(rc));
	return rc;
}

static void step(struct mgr *m, enum start_event e);

static void
on_checked(struct mgr *m)
{
	step(m, START_E_CHECKED);
}

static void
serve(struct mgr *m)
{
	int rc;

	if ((rc = guest_ak_new(m)) != VT_OK ||
	    (rc = tenants_load(m)) != VT_OK) {
		loop_fatal(m, "groups: %s", vt_strerror(rc));
		return;
	}
	if (start_xen(m) != VT_OK) /* before the first worker, see ZS_XEN */
		return;
	rc = store_kv_put(m->st, STORE_KV_BOOT, m->boot_id, strlen(m->boot_id));
	guests_note_tampered(m);
	if (rc == VT_OK || rc == VT_E_CORRUPT)
		rc = guest_find_all(m);
	if (rc != VT_OK) {
		loop_fatal(m, "cannot bring back the guests that ran: %s",
		    vt_strerror(rc));
		return;
	}
	end_orphans(m);
	audit_log(m, "manager", "manager-start", "", "ok", "pid %ld, %s root",
	    (long)getpid(),
	    m->root_kind == ROOT_SOFT ? "software" : "hardware");
	if ((rc = host_fit_new(m)) != VT_OK ||
	    (rc = pool_new(m, &m->pool)) != VT_OK ||
	    (m->ctl == NULL && (rc = bus_new(m, &m->ctl)) != VT_OK)) {
		loop_fatal(m, "control socket: %s", vt_strerror(rc));
		return;
	}
	log_info("ready: state %s, run %s, %s root%s", m->cfg.state, m->cfg.run,
	    m->root_kind == ROOT_SOFT ? "software" : "hardware",
	    m->separated ? "" : ", workers share one uid");
	(void)sd_notifyf(0, "READY=1\nSTATUS=Serving %s", m->cfg.run);
}

static void
serve_moved(struct mgr *m)
{
	serve(m);
	if (m->fatal[0] == '\0')
		host_escrow_finish(m, recover_moved);
}

static int
open_store(struct mgr *m)
{
	char text[TEXT_MAX_LEN + 1] = "";
	int rc;

	anchorq_first(m);
	rc = store_unlock(m->st, m->master, text);
	if (rc == VT_E_CORRUPT) {
		/* Readable, so that the operator can look. */
		log_err("the store was tampered with, no vTPM is started: %s",
		    text);
		return VT_OK;
	}
	if (rc != VT_OK) {
		loop_fatal(m, "the store does not open: %s",
		    text[0] != '\0' ? text : vt_strerror(rc));
		return rc;
	}
	if (text[0] != '\0')
		log_warn("%s", text);
	anchorq_check(m);
	return VT_OK;
}

static void
unlock(struct mgr *m)
{
	if (open_store(m) == VT_OK)
		host_keys_unlocked(m, on_checked);
}

static void
unlock_new(struct mgr *m)
{
	if (open_store(m) != VT_OK)
		return;
	host_keys_new_store(m);
	host_keys_unlocked(m, on_checked);
}

static void
on_counter(struct mgr *m)
{
	step(m, START_E_COUNTER);
}

static void
ask_counter(struct mgr *m)
{
	anchorq_ask(m, on_counter);
}

static int
keep_ca(struct mgr *m, const struct wblob *cert)
{
	if ((m->ca_cert = malloc(cert->len + 1)) == NULL)
		return VT_E_NOMEM;
	memcpy(m->ca_cert, cert->p, cert->len);
	m->ca_cert_len = cert->len;
	return VT_OK;
}

static void
take_keys(struct mgr *m, enum start_event e, const uint8_t master[32],
    const struct wblob *ca_cert)
{
	int rc = keep_ca(m, ca_cert);

	if (rc != VT_OK) {
		loop_fatal(m, "the host's keys: %s", vt_strerror(rc));
		return;
	}
	memcpy(m->master, master, sizeof(m->master));
	step(m, e);
}

static void
on_inited(void *arg, const struct hw_answer *a)
{
	char text[MGR_TEXT_MAX] = "";
	struct mgr *m = arg;
	struct hw_inited hi;
	int rc;

	if (a->rc != VT_OK) {
		loop_fatal(m, "the host's TPM could not be set up: %s",
		    a->text[0] != '\0' ? a->text : vt_strerror(a->rc));
		return;
	}
	rc = msg_get(hw_inited, a->body, a->body_len, &hi);
	if (rc == VT_OK)
		rc = host_keys_take_blob(m, hi.host_blob.p, hi.host_blob.len);
	if (rc == VT_OK)
		rc = host_keys_tell_link(m);
	/* Without the shares that were asked for there is no store. */
	if (rc == VT_OK)
		rc = host_escrow_at_init(m, hi.master, text);
	/* Together with the first root, which store_unlock() makes. */
	if (rc == VT_OK)
		rc = store_kv_put(
		    m->st, STORE_KV_HOST, hi.host_blob.p, hi.host_blob.len);
	if (rc != VT_OK)
		loop_fatal(m, "the host's keys could not be kept: %s",
		    text[0] != '\0' ? text : vt_strerror(rc));
	else
		take_keys(m, START_E_MADE, hi.master, &hi.ca_cert);
	explicit_bzero(&hi, sizeof(hi));
}

static void
on_hw_loaded(struct mgr *m, const struct hw_answer *a)
{
	struct hw_loaded hl;
	int rc;

	if (a->rc != VT_OK) {
		loop_fatal(m,
		    "the host's TPM does not give the master key (%s%s%s): no "
		    "vTPM can start; is it the TPM that this store was made "
		    "with (--root)?",
		    vt_strerror(a->rc), a->text[0] != '\0' ? ": " : "",
		    a->text);
		return;
	}
	if ((rc = msg_get(hw_loaded, a->body, a->body_len, &hl)) != VT_OK)
		loop_fatal(m, "the host's keys: %s", vt_strerror(rc));
	else
		take_keys(m, START_E_LOADED, hl.master, &hl.ca_cert);
	explicit_bzero(&hl, sizeof(hl));
}

/* --- the first steps --- */

static int
ask_init(struct mgr *m)
{
	struct hw_init hi = { .root = m->root_kind };
	uint8_t buf[256], key[APPROVAL_KEY_LEN];
	struct wr w;
	int rc;

	if ((rc = host_keys_config_key(m, key, &hi.approval_key)) != VT_OK)
		return rc;
	config_host_name(&m->cfg, hi.host, sizeof(hi.host));
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, hw_init, &hi);
	return hwlink_request(m->hw, HW_INIT, &w, on_inited, m);
}

static void
ask_keys(struct mgr *m)
{
	char tcti[PATH_MAX];
	uint8_t *blob = NULL;
	size_t len;
	int rc;

	if (m->root_kind == ROOT_SOFT)
		rc = run_path(tcti, sizeof(tcti),
		    "tpmfront:local=%s/" MGR_ROOT_NAME ".tpmif,raw",
		    m->cfg.run);
	else
		rc = run_path(tcti, sizeof(tcti), "%s", m->cfg.root);
	if (rc == VT_OK)
		rc = hwlink_new(m, tcti, &m->hw);
	if (rc != VT_OK) {
		loop_fatal(m, "cannot start vtpm-hwtpm: %s", vt_strerror(rc));
		return;
	}
	rc = store_kv_get(m->st, STORE_KV_HOST, &blob, &len);
	if (rc == VT_OK && (rc = host_keys_take_blob(m, blob, len)) == VT_OK)
		rc = host_keys_load(m);
	else if (rc == VT_E_NOTFOUND && store_is_new(m->st))
		rc = ask_init(m);
	else if (store_lost(m->st)) {
		loop_fatal(m, "storage error: %s", store_why(m->st));
		return;
	} else {
		loop_fatal(m,
		    "the store has vTPMs but not the host's keys (%s): no new "
		    "keys are made; restore %s from a copy",
		    vt_strerror(rc), m->cfg.state);
		return;
	}
	free(blob);
	if (rc != VT_OK)
		loop_fatal(m, "vtpm-hwtpm: %s", vt_strerror(rc));
}

static void
on_root(void *arg, int rc, const char *text)
{
	struct mgr *m = arg;

	if (rc != VT_OK)
		loop_fatal(m, "%s", text);
	else
		step(m, START_E_ROOT);
}

static void
ask_root(struct mgr *m)
{
	int rc;

	if (m->root_kind != ROOT_SOFT)
		step(m, START_E_ROOT);
	else if ((rc = root_start(m, on_root, m)) != VT_OK)
		loop_fatal(m, "software root: %s", vt_strerror(rc));
}

static void
on_zygote(void *arg, int rc, const char *text)
{
	(void)rc; /* it is up, or loop_fatal() was called */
	(void)text;
	step(arg, START_E_ZYGOTE);
}

static void
seal(struct mgr *m)
{
	int rc;

	if ((rc = bus_new(m, &m->ctl)) != VT_OK) {
		loop_fatal(m, "control socket: %s", vt_strerror(rc));
		return;
	}
	(void)sd_notifyf(0, "READY=1\nSTATUS=Sealed: %s", m->host->why);
}

static void
on_sealed(struct mgr *m)
{
	step(m, START_E_SEALED);
}

static void
on_recovered(
    struct mgr *m, const uint8_t master[32], const struct wblob *ca_cert)
{
	take_keys(m, START_E_MOVED, master, ca_cert);
}

static const struct host_keys_events host_events = {
	.sealed = on_sealed,
	.loaded = on_hw_loaded,
	.recovered = on_recovered,
};

/* --- steps --- */

static void
stay(struct mgr *m)
{
	(void)m;
}

static void (*const actions[START_NACTIONS])(struct mgr *m) = {
	[START_WAIT] = stay,
	[START_ASK_ROOT] = ask_root,
	[START_ASK_KEYS] = ask_keys,
	[START_SEAL] = seal,
	[START_ASK_COUNTER] = ask_counter,
	[START_UNLOCK] = unlock,
	[START_UNLOCK_NEW] = unlock_new,
	[START_SERVE] = serve,
	[START_SERVE_MOVED] = serve_moved,
};

static void
step(struct mgr *m, enum start_event e)
{
	struct start_step st = start_step(m->start, e);

	if (st.act == START_VIOLATION) {
		log_warn("start: %s while %s: ignored", start_event_name(e),
		    start_state_name(m->start));
		return;
	}
	log_debug("start: %s -> %s (%s)", start_state_name(m->start),
	    start_state_name(st.next), start_event_name(e));
	m->start = st.next;
	(void)sd_notifyf(0, "STATUS=Starting: %s", start_state_name(m->start));
	actions[st.act](m);
}

int
mgr_new(const struct config *cfg, sd_event *ev, struct mgr **ret, char *text)
{
	/* until a state of the host is approved */
	static const struct pcr_sel unapproved = { .n = 1,
		.banks = { { .alg = ALG_SHA256, .mask = 0xff } } };
	struct mgr *m = calloc(1, sizeof(*m));
	int rc;

	if (m == NULL)
		return VT_E_NOMEM;
	m->cfg = *cfg;
	m->ev = ev;
	m->run_lock = -1;
	m->started_ms = wall_ms();
	m->separated = geteuid() == 0 && !cfg->user_mode;
	m->root_kind = strcmp(cfg->root, "soft") == 0 ? ROOT_SOFT : ROOT_HARD;
	m->deep_pcrs = cfg->deep_pcrs.n != 0 ? cfg->deep_pcrs : unapproved;
	if ((rc = config_check_groups(cfg, text)) != VT_OK ||
	    (rc = prepare_run(m, text)) != VT_OK)
		goto fail;
	if ((rc = make_folder(cfg->state, 0700)) != VT_OK ||
	    (rc = read_boot_id(m)) != VT_OK ||
	    (rc = audit_log_new(m)) != VT_OK || (rc = commit_new(m)) != VT_OK ||
	    (rc = guests_new(m)) != VT_OK ||
	    (rc = deep_quote_new(m, &guest_deep_ops)) != VT_OK ||
	    (rc = host_keys_new(m, &host_events)) != VT_OK ||
	    (rc = anchorq_new(m)) != VT_OK) {
		(void)snprintf(
		    text, MGR_TEXT_MAX, "%s: %s", cfg->state, vt_strerror(rc));
		goto fail;
	}
	rc = store_open(cfg->state, cfg->reserve_mb, &m->st, text);
	if (rc != VT_OK)
		goto fail;
	commit_watch(m);
	read_last_boot_id(m);
	*ret = m;
	return VT_OK;
fail:
	mgr_free(m);
	return rc;
}

int
mgr_start(struct mgr *m, char *text)
{
	int rc;

	if (!m->separated)
		log_info("all workers share the manager's uid (%s)",
		    geteuid() == 0 ? "user_mode" : "not started as root");
	if (lock_all_memory(0) != VT_OK)
		log_info("the memory of manager and workers may be swapped out "
			 "(raise LimitMEMLOCK)");
	cgroup_open(m);
	rc = zygote_link_new(m, on_zygote, m, &m->zyg);
	if (rc != VT_OK)
		(void)snprintf(text, MGR_TEXT_MAX,
		    "cannot start vtpm-zygote: %s", vt_strerror(rc));
	else
		step(m, START_E_BEGIN);
	return rc;
}

void
mgr_free(struct mgr *m)
{
	if (m == NULL)
		return;
	xenback_free(m->xen);
	m->xen = NULL; /* connections that end tell it */
	bus_free(m->ctl);
	audit_log_free(m);
	deep_quote_free(m);
	guest_ak_free(m);
	commit_free(m);
	anchorq_free(m);
	host_fit_free(m);
	host_keys_free(m);
	pool_free(m->pool);
	if (m->guests != NULL) /* the start got that far */
		guest_free_all(m);
	root_free(m->root);
	m->root = NULL;
	guests_free(m);
	hwlink_free(m->hw);
	tenants_free(m);
	zygote_link_free(m->zyg);
	if (m->st != NULL)
		store_close(m->st);
	if (m->run_lock != -1)
		(void)close(m->run_lock);
	free(m->ca_cert);
	explicit_bzero(m->master, sizeof(m->master));
	free(m);
}
