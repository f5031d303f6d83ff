/* SPDX-License-Identifier: BSD-3-Clause */
/* keeper.c - the manager that keeps a place's TPM, and what is asked of it. */
#include "tools/swtpm/keeper.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "tools/common/file.h"
#include "tools/swtpm/private.h"
#include "tools/vtpmctl/fail.h"

#define CALL_US (180ull * 1000000)

/* --- which manager ----------------------------------------------------------
 */

/* Whether this host has, or had since it booted, a manager that this user may
 * talk to. */
static bool
host_has_one(const char *run)
{
	char path[PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/control.sock", run);
	if ((fd = unix_connect_within(path, 1000)) != -1) {
		(void)close(fd);
		return true;
	}
	if (errno == EACCES || errno == EPERM) {
		log_warn("%s: %m: the TPM gets a manager of its own", path);
		return false;
	}
	(void)snprintf(path, sizeof(path), "%s/lock", run);
	return access(path, F_OK) == 0;
}

/* The UUID at the end of NAME:UUID, or all of it. */
static int
new_uuid(const struct wish *w, char out[UUID_STRLEN + 1])
{
	const char *at = w->vmid;
	uint8_t uuid[UUID_LEN];

	if (at != NULL && strrchr(at, ':') != NULL)
		at = strrchr(at, ':') + 1;
	if ((at == NULL || uuid_parse(at, uuid) != VT_OK) &&
	    uuid_make(uuid) != VT_OK) {
		log_err("no UUID for the TPM: %m");
		return VT_E_SYS;
	}
	uuid_format(uuid, out);
	return VT_OK;
}

static int
begin_record(const struct settings *s, struct place *p, const struct wish *w)
{
	int rc;

	memset(&p->rec, 0, sizeof(p->rec));
	if ((rc = new_uuid(w, p->rec.uuid)) != VT_OK)
		return rc;
	p->rec.private =
	    s->manager == BY_ITSELF ||
	    (s->manager == BY_WHAT_IS_THERE && !host_has_one(s->run));
	if (p->rec.private && p->dir == NULL) {
		log_err("no manager at %s, and without one a TPM needs a "
			"folder (dir=) for its state, not a file",
		    s->run);
		return VT_E_UNSUPPORTED;
	}
	return place_save(p);
}

int
keeper_open(struct keeper *k, struct place *p, const struct wish *w)
{
	int rc;

	memset(k, 0, sizeof(*k));
	if ((rc = settings_read(&k->set)) != VT_OK)
		return rc;
	if (p->fresh && (rc = begin_record(&k->set, p, w)) != VT_OK)
		return rc;
	k->v.run = k->run;
	if (!p->rec.private)
		(void)snprintf(k->run, sizeof(k->run), "%s", k->set.run);
	else if ((rc = private_run(&p->rec, k->run, sizeof(k->run))) != VT_OK ||
		 (rc = private_begin(p, k->run, &k->pid)) != VT_OK)
		return rc;
	k->private = p->rec.private;
	return vctl_connect(&k->v) == 0 ? VT_OK : VT_E_CLOSED;
}

void
keeper_close(struct keeper *k)
{
	sd_bus_message *m;

	if (k->private && vctl_connect(&k->v) == 0 &&
	    (m = vctl_ask(&k->v, "StopAll", "bb", 1, 0)) != NULL)
		sd_bus_message_unref(m);
	vctl_disconnect(&k->v);
	if (k->private)
		private_end(k->run, k->pid);
}

/* --- its TPM ---------------------------------------------------------------
 */

/* Show.  Without a message: VT_E_NOTFOUND; VT_E_DENIED: another group's, or,
 * for the administrator of a group, not there. */
static int
show(struct keeper *k, const char *uuid, json_t **ret)
{
	sd_bus_error err = SD_BUS_ERROR_NULL;
	sd_bus_message *m = vctl_new_call(&k->v, "Show"), *reply = NULL;
	int r, ex, rc = VT_OK;

	*ret = NULL;
	if (m == NULL)
		return VT_E_CLOSED;
	r = sd_bus_message_append(m, "s", uuid);
	if (r >= 0)
		r = sd_bus_call(k->v.bus, m, CALL_US, &err, &reply);
	ex = vctl_exit_of(err.name);
	if (r >= 0)
		rc =
		    (*ret = vctl_take_json(reply)) != NULL ? VT_OK : VT_E_PROTO;
	else if (err.name != NULL && ex == EXIT_NOT_FOUND)
		rc = VT_E_NOTFOUND;
	else if (err.name != NULL && ex == EXIT_DENIED)
		rc = VT_E_DENIED;
	else {
		(void)vctl_call_failed(&k->v, &err, r);
		rc = VT_E_PROTO;
	}
	sd_bus_error_free(&err);
	sd_bus_message_unref(m);
	return rc;
}

/* A guest's name, from that of its virtual machine; from its UUID if that is
 * none, or is taken. */
static void
name_for(struct keeper *k, const struct link_rec *r, const struct wish *w,
    char ret[64])
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char *colon = w->vmid != NULL ? strrchr(w->vmid, ':') : NULL;
	json_t *taken = NULL;
	size_t n = colon != NULL ? (size_t)(colon - w->vmid) : 0;

	(void)snprintf(ret, 64, "swtpm-%s", r->uuid);
	if (n == 0 || n > 40 || strspn(w->vmid, good) < n ||
	    w->vmid[0] == '.' || w->vmid[0] == '-')
		return;
	(void)snprintf(ret, 64, "%.*s", (int)n, w->vmid);
	if (show(k, ret, &taken) == VT_OK)
		(void)snprintf(ret, 64, "swtpm-%s", r->uuid);
	json_decref(taken);
}

static bool
create_as(struct keeper *k, const struct link_rec *r, const struct wish *w,
    const char *name)
{
	const char *keys[5] = { "uuid", "tpm" };
	const char *values[5] = { r->uuid, w->tpm12 ? "1.2" : "2.0" };
	sd_bus_message *m, *reply;
	size_t n = 2;
	int e;

	if (w->banks != NULL && !w->tpm12) {
		keys[n] = "banks";
		values[n++] = w->banks;
	}
	if (w->srk != NULL) {
		keys[n] = "srk";
		values[n++] = w->srk;
	}
	if (k->set.group[0] != '\0' && !k->private) {
		keys[n] = "group";
		values[n++] = k->set.group;
	}
	if ((m = vctl_new_call(&k->v, "Create")) == NULL)
		return false;
	e = sd_bus_message_append(m, "s", name);
	if (e >= 0)
		e = vctl_append_dict(m, keys, values, n);
	if ((reply = vctl_call(&k->v, m, e)) == NULL)
		return false;
	sd_bus_message_unref(reply);
	log_info("%s: a new TPM, %s", name, r->uuid);
	return true;
}

/* The administrator of a group sees only then that a name is another group's.
 */
static int
create(struct keeper *k, const struct link_rec *r, const struct wish *w)
{
	char name[64], other[64];

	name_for(k, r, w, name);
	(void)snprintf(other, sizeof(other), "swtpm-%s", r->uuid);
	if (create_as(k, r, w, name) ||
	    (strcmp(name, other) != 0 && create_as(k, r, w, other)))
		return VT_OK;
	return VT_E_PROTO;
}

static const char *
text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static int
check_held(const struct place *p, const struct wish *w, const json_t *o)
{
	json_int_t owner = json_integer_value(json_object_get(o, "owner"));

	if (p->owner != 0 && owner != (json_int_t)p->owner) {
		log_err("the vTPM %s is not one of uid %ld, whose record names "
			"it: refused",
		    text(o, "name"), (long)p->owner);
		return VT_E_DENIED;
	}
	if (strcmp(text(o, "tpm"), w->tpm12 ? "1.2" : "2.0") == 0)
		return VT_OK;
	log_err("the vTPM %s is a TPM %s: %s", text(o, "name"), text(o, "tpm"),
	    w->tpm12 ? "give --tpm2" : "do not give --tpm2");
	return VT_E_STATE;
}

int
keeper_hold(
    struct keeper *k, struct place *p, const struct wish *w, struct held *ret)
{
	json_t *o = NULL;
	int rc = show(k, p->rec.uuid, &o);
	bool absent = rc == VT_E_NOTFOUND || rc == VT_E_DENIED;

	if (absent && p->rec.created) {
		log_err("the manager at %s has no vTPM %s%s: it was destroyed, "
			"or is another host's; no other takes its place",
		    k->run, p->rec.uuid,
		    rc == VT_E_DENIED ? " for this user" : "");
		return rc;
	}
	if (absent && (rc = create(k, &p->rec, w)) == VT_OK)
		rc = show(k, p->rec.uuid, &o);
	if (rc == VT_OK)
		rc = check_held(p, w, o);
	if (rc == VT_OK && !p->rec.created) {
		p->rec.created = true;
		rc = place_save(p);
	}
	if (rc == VT_OK) {
		(void)snprintf(
		    ret->name, sizeof(ret->name), "%s", text(o, "name"));
		ret->running = strcmp(text(o, "state"), "running") == 0;
	}
	json_decref(o);
	return rc;
}

int
keeper_start(struct keeper *k, struct held *h)
{
	sd_bus_message *m;

	if (h->running)
		return VT_OK;
	if ((m = vctl_ask(&k->v, "Start", "s", h->name)) == NULL)
		return VT_E_PROTO;
	sd_bus_message_unref(m);
	h->running = true;
	return VT_OK;
}

int
keeper_banks(struct keeper *k, const struct held *h, const char *banks)
{
	sd_bus_message *m = vctl_ask(&k->v, "SetBanks", "ss", h->name, banks);

	if (m == NULL)
		return VT_E_PROTO;
	sd_bus_message_unref(m);
	return VT_OK;
}

int
keeper_certs(struct keeper *k, const struct place *p, const char *dir)
{
	static const char *const kinds[][2] = { { "ek_rsa", "ek-rsa2048.crt" },
		{ "ek_ecc", "ek-secp256r1.crt" } };
	char path[PATH_MAX];
	const char *pem;
	json_t *o = NULL;
	size_t i;
	int rc = show(k, p->rec.uuid, &o);

	for (i = 0; rc == VT_OK && i < VT_NELEM(kinds); i++) {
		pem = text(json_object_get(o, kinds[i][0]), "certificate");
		(void)snprintf(path, sizeof(path), "%s/%s", dir, kinds[i][1]);
		if (pem[0] != '\0')
			rc = tool_write(path, pem, strlen(pem), 0644);
	}
	json_decref(o);
	return rc;
}

void
keeper_stop(struct keeper *k, struct held *h)
{
	sd_bus_message *m = NULL;
	int force;

	if (!h->running)
		return;
	/* The manager may have been restarted under the guest. */
	vctl_disconnect(&k->v);
	for (force = 0; force < 2 && m == NULL; force++)
		m = vctl_ask(&k->v, "Stop", "sb", h->name, force);
	if (m == NULL)
		log_warn("the vTPM %s was not stopped", h->name);
	sd_bus_message_unref(m);
	h->running = false;
}

int
keeper_socket(
    const struct keeper *k, const struct held *h, char *ret, size_t cap)
{
	int n = snprintf(ret, cap, "%s/%s.swtpm", k->run, h->name);

	return n >= 0 && (size_t)n < cap ? VT_OK : VT_E_RANGE;
}
