/* SPDX-License-Identifier: BSD-3-Clause */
/* guest_json.c - a guest as JSON, for operators and programs. */
#include "vtpm_manager/guest/guest_json.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/rdwr.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_owner.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/proto/xen_saved.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_guest.h"

#define INFO_MAX 16384 /* a worker's JSON about itself */

static const struct {
	uint8_t bit;
	const char *name;
} bank_names[] = {
	{ BANK_SHA1, "sha1" },
	{ BANK_SHA256, "sha256" },
	{ BANK_SHA384, "sha384" },
	{ BANK_SHA512, "sha512" },
};

static json_t *
hex_json(const uint8_t *p, size_t len)
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

json_t *
guest_json_pem(const struct wblob *der)
{
	BIO *b = BIO_new(BIO_s_mem());
	json_t *j = NULL;
	char *p;
	long n;

	if (b != NULL &&
	    PEM_write_bio(b, "CERTIFICATE", "", der->p, (long)der->len) > 0 &&
	    (n = BIO_get_mem_data(b, &p)) > 0)
		j = json_stringn(p, (size_t)n);
	BIO_free(b);
	return j;
}

/* Name = nameAlg || H(TPMT_PUBLIC); TPM 2.0 Library, Part 1, 16. */
static json_t *
name_json(const struct wblob *pub)
{
	uint8_t name[2 + DIGEST_MAX];
	const uint8_t *area;
	uint16_t alg;
	struct rd r, s;
	size_t len;

	rd_init(&r, pub->p, pub->len);
	area = rd_blob16(&r, PUB_MAX_LEN, &len);
	if (rd_end(&r) != VT_OK || area == NULL)
		return NULL;
	rd_init(&s, area, len);
	(void)rd_be16(&s); /* type */
	alg = rd_be16(&s);
	if (rd_err(&s) != VT_OK || digest_len(alg) == 0)
		return NULL;
	be16_put(name, alg);
	if (digest_buf(alg, area, len, name + 2) != VT_OK)
		return NULL;
	return hex_json(name, 2 + digest_len(alg));
}

/* json_pack()'s "o*" leaves out a member that is NULL: one that is not there,
 * or text that is not UTF-8, as a damaged record can have. */
json_t *
guest_json_key(
    uint8_t version, const struct wblob *pub, const struct wblob *cert)
{
	return json_pack("{s:o,s:o*,s:o*}", "public",
	    hex_json(pub->p, pub->len), "name",
	    version == TPM_VER_20 ? name_json(pub) : NULL, "certificate",
	    cert != NULL ? guest_json_pem(cert) : NULL);
}

json_t *
guest_json_banks(uint8_t version, uint8_t banks)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < VT_NELEM(bank_names); i++)
		if (version == TPM_VER_20 ? banks & bank_names[i].bit
					  : bank_names[i].bit == BANK_SHA1)
			(void)json_array_append_new(
			    list, json_string(bank_names[i].name));
	return list;
}

json_t *
guest_json_identity(uint8_t version, uint8_t banks,
    const struct wprovisioned *pub, const struct wcerts *certs)
{
	const struct {
		const char *name;
		uint8_t which;
		const struct wblob *pub;
	} keys[] = {
		{ "ek_rsa", WCERT_EK_RSA, &pub->ek_rsa },
		{ "ek_ecc", WCERT_EK_ECC, &pub->ek_ecc },
		{ "ak", WCERT_AK, &pub->ak },
	};
	json_t *o = json_object();
	const struct wblob *cert;
	size_t i;
	uint32_t k;

	(void)json_object_set_new(o, "banks", guest_json_banks(version, banks));
	for (i = 0; i < VT_NELEM(keys); i++) {
		if (keys[i].pub->len == 0)
			continue;
		cert = NULL;
		for (k = 0; k < certs->n; k++)
			if (certs->certs[k].which == keys[i].which)
				cert = &certs->certs[k].der;
		(void)json_object_set_new(o, keys[i].name,
		    guest_json_key(version, keys[i].pub, cert));
	}
	return o;
}

json_t *
guest_identity(struct mgr *m, const struct guest *in)
{
	uint8_t *p = NULL;
	size_t len = 0;
	json_t *j;

	if (store_extra_get(m->st, in->uuid, SX_CERTS, &p, &len) != VT_OK)
		return NULL;
	j = json_loadb((const char *)p, len, JSON_REJECT_DUPLICATES, NULL);
	free(p);
	return j;
}

static int
name_of(const json_t *id, const char *key, uint8_t *out, size_t cap,
    size_t *ret_len)
{
	const char *hex = json_string_value(
	    json_object_get(json_object_get(id, key), "name"));

	if (hex == NULL)
		return VT_E_UNSUPPORTED;
	return hex_decode(hex, out, cap, ret_len);
}

int
guest_key_names(struct mgr *m, const struct guest *in, uint8_t *ek,
    size_t *ek_len, uint8_t *ak, size_t *ak_len, size_t cap)
{
	json_t *id = guest_identity(m, in);
	int rc;

	rc = name_of(id, "ek_ecc", ek, cap, ek_len);
	if (rc == VT_OK)
		rc = name_of(id, "ak", ak, cap, ak_len);
	json_decref(id);
	return rc;
}

uint8_t
guest_banks_of(const json_t *id, uint8_t tpm_version)
{
	uint8_t bits = 0;
	const char *s;
	const json_t *v;
	size_t i, k;

	json_array_foreach(json_object_get(id, "banks"), i, v)
	{
		s = json_string_value(v);
		for (k = 0; s != NULL && k < VT_NELEM(bank_names); k++)
			if (strcmp(s, bank_names[k].name) == 0)
				bits |= bank_names[k].bit;
	}
	if (bits == 0)
		bits = tpm_version == TPM_VER_12 ? BANK_SHA1 : BANK_SHA256;
	return bits;
}

uint8_t
guest_banks(struct mgr *m, const struct guest *in)
{
	json_t *id = guest_identity(m, in);
	uint8_t bits = guest_banks_of(id, in->tpm_version);

	json_decref(id);
	return bits;
}

json_t *
guest_json(struct mgr *m, const struct guest *in)
{
	const struct guest_run *g = guest_live(m, in->uuid);
	enum guest_state st = g != NULL ? g->st : IS_STOPPED;
	const char *why = in->tampered      ? in->why
			  : st == IS_FAILED ? g->why
					    : NULL;
	char uuid[UUID_STRLEN + 1];

	uuid_format(in->uuid, uuid);
	return json_pack(
	    "{s:o*,s:s,s:s,s:I,s:I,s:s,s:I,s:I,s:b,s:b,s:I,s:o,s:o*}", "name",
	    json_string(in->name), "uuid", uuid, "tpm",
	    in->tpm_version == TPM_VER_12 ? "1.2" : "2.0", "group",
	    (json_int_t)in->group, "owner", (json_int_t)guest_owner(m, in),
	    "state", in->tampered ? "tampered" : guest_state_name(st),
	    "generation", (json_int_t)in->generation, "version",
	    (json_int_t)in->version, "restored",
	    (in->flags & GUEST_F_RESTORED) != 0, "recovered",
	    (in->flags & GUEST_F_RECOVERED) != 0, "created_ms",
	    (json_int_t)in->created_ms, "pid",
	    g != NULL && g->link != NULL ? json_integer(g->link->pid)
					 : json_null(),
	    "why", why != NULL ? json_string(why) : NULL);
}

struct list_arg {
	struct mgr *m;
	json_t *list;
};

static int
list_one(const struct guest *in, void *arg)
{
	struct list_arg *a = arg;

	(void)json_array_append_new(a->list, guest_json(a->m, in));
	return 0;
}

json_t *
guest_json_list(struct mgr *m)
{
	struct list_arg a = { .m = m, .list = json_array() };
	int rc = store_guest_each(m->st, list_one, &a);

	if (rc != VT_OK) {
		json_decref(a.list);
		return NULL;
	}
	return a.list;
}

/* Kilobytes out of /proc/PID/smaps_rollup; 0 where we may not look. */
static uint64_t
pss_kb(uint32_t pid)
{
	uint8_t *buf = NULL;
	unsigned long long kb = 0;
	const char *p;
	char path[64];
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%u/smaps_rollup", pid);
	if (read_file(path, 65536, &buf, &len) != VT_OK)
		return 0;
	if ((p = strstr((const char *)buf, "\nPss:")) != NULL)
		kb = strtoull(p + 5, NULL, 10);
	free(buf);
	return kb;
}

static json_t *
worker_json(const struct guest_run *g, const uint8_t *info, size_t len)
{
	const struct wlink *l = g->link;
	json_t *j = NULL;

	/* The worker's own words: parsed within bounds and shown; nothing
	 * depends on them. */
	if (info != NULL && len <= INFO_MAX)
		j = json_loadb(
		    (const char *)info, len, JSON_REJECT_DUPLICATES, NULL);
	return json_pack("{s:I,s:o*,s:I,s:I,s:b,s:b,s:I,s:I,s:o}", "pid",
	    (json_int_t)l->pid, "uid",
	    l->uid != (uint32_t)-1 ? json_integer(l->uid) : NULL, "pss_kb",
	    (json_int_t)pss_kb(l->pid), "power_cycles",
	    (json_int_t)g->power_cycles, "capped", g->capped, "channel_open",
	    guest_in_use(g), "crashes", (json_int_t)g->crashes, "started_ms",
	    (json_int_t)g->started_ms, "info", j != NULL ? j : json_null());
}

static json_t *
channels_json(struct mgr *m, const struct guest *in)
{
	return json_pack("{s:o*,s:o*}", "local",
	    json_sprintf("%s/%s.tpmif", m->cfg.run, in->name), "swtpm",
	    json_sprintf("%s/%s.swtpm", m->cfg.run, in->name));
}

/* A Xen domain that was saved and may come back. */
static void
add_saved(struct mgr *m, const struct guest *in, json_t *o)
{
	struct xensaved s;
	uint8_t *p = NULL;
	size_t len;

	if (store_extra_get(m->st, in->uuid, SX_VOLATILE, &p, &len) != VT_OK)
		return;
	if (xen_saved_get(p, len, &s) == VT_OK)
		(void)json_object_set_new(o, "saved",
		    json_pack("{s:s,s:o,s:I}", "domain", s.domain, "image",
			hex_json(s.image, sizeof(s.image)), "time_ms",
			(json_int_t)s.time_ms));
	free(p);
}

json_t *
guest_json_show(
    struct mgr *m, const struct guest *in, const uint8_t *info, size_t info_len)
{
	const struct guest_run *g = guest_live(m, in->uuid);
	json_t *o = guest_json(m, in), *id = guest_identity(m, in);
	uint8_t *p = NULL;
	size_t len = 0;

	if (id != NULL) {
		(void)json_object_update(o, id);
		json_decref(id);
	}
	(void)json_object_set_new(o, "launched",
	    json_boolean(store_extra_get(
			     m->st, in->uuid, SX_LAUNCH, &p, &len) == VT_OK));
	free(p);
	add_saved(m, in, o);
	(void)json_object_set_new(
	    o, "digest", hex_json(in->digest, sizeof(in->digest)));
	if (g != NULL && g->link != NULL) {
		(void)json_object_set_new(o, "channels", channels_json(m, in));
		(void)json_object_set_new(
		    o, "worker", worker_json(g, info, info_len));
	}
	return o;
}
