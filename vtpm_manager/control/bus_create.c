/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_create.c - Create: its options, and the new vTPM's identity as answer.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/control/methods.h"
#include "vtpm_manager/guest/guest_create.h"
#include "vtpm_manager/guest/guest_identity.h"
#include "vtpm_manager/guest/guest_owner.h"
#include "vtpm_manager/tenant/tenant.h"

static int
srk_parse(const char *v, uint8_t *ret)
{
	static const char *const kinds[] = {
		[WSRK_NONE] = "none", [WSRK_ECC] = "ecc", [WSRK_RSA] = "rsa"
	};
	uint8_t i;

	for (i = 0; i < VT_NELEM(kinds); i++)
		if (strcmp(v, kinds[i]) == 0) {
			*ret = i;
			return VT_OK;
		}
	return VT_E_FORMAT;
}

static int
set_option(
    struct bus_call *c, struct guest_spec *s, const char *key, const char *v)
{
	struct tenant *g;
	int rc;

	if (strcmp(key, "tpm") == 0) {
		s->tpm_version = strcmp(v, "2.0") == 0   ? TPM_VER_20
				 : strcmp(v, "1.2") == 0 ? TPM_VER_12
							 : 0;
		if (s->tpm_version != 0)
			return VT_OK;
		(void)snprintf(c->text, sizeof(c->text),
		    "tpm is 2.0 or 1.2, not '%.32s'", v);
	} else if (strcmp(key, "uuid") == 0) {
		s->has_uuid = true;
		if (uuid_parse(v, s->uuid) == VT_OK)
			return VT_OK;
		(void)snprintf(
		    c->text, sizeof(c->text), "'%.64s' is not a UUID", v);
	} else if (strcmp(key, "banks") == 0) {
		if (guest_banks_parse(v, &s->banks) == VT_OK)
			return VT_OK;
		(void)snprintf(c->text, sizeof(c->text),
		    GUEST_BANKS_RULE ", not '%.64s'", v);
	} else if (strcmp(key, "srk") == 0) {
		if (srk_parse(v, &s->srk) == VT_OK)
			return VT_OK;
		(void)snprintf(c->text, sizeof(c->text),
		    "srk is none, ecc or rsa, not '%.32s'", v);
	} else if (strcmp(key, "group") == 0) {
		if ((rc = tenant_find(c->m, v, &g, c->text)) == VT_OK)
			s->group = g->r.number;
		return rc;
	} else if (strcmp(key, "owner") == 0) {
		if (guest_owner_parse(v, &s->owner, c->text) == VT_OK)
			return VT_OK;
	} else
		(void)snprintf(c->text, sizeof(c->text),
		    "there is no option '%.32s'", key);
	return VT_E_FORMAT;
}

static int
read_spec(struct bus_call *c, struct guest_spec *s)
{
	const char *name, *key, *value;
	int rc = VT_OK;

	s->tpm_version = TPM_VER_20;
	s->owner = c->who.uid != geteuid() ? c->who.uid : 0;
	if (sd_bus_message_read(c->msg, "s", &name) < 0 ||
	    sd_bus_message_enter_container(c->msg, 'a', "{ss}") < 0)
		return VT_E_FORMAT;
	if (strlen(name) >= sizeof(s->name)) {
		text_fit(c->object, sizeof(c->object), name);
		(void)snprintf(c->text, sizeof(c->text),
		    "guest %s: not created: a guest's name has at most %d "
		    "characters",
		    c->object, NAME_MAX_LEN);
		return VT_E_FORMAT;
	}
	memcpy(s->name, name, strlen(name) + 1);
	while (rc == VT_OK &&
	       sd_bus_message_read(c->msg, "{ss}", &key, &value) > 0)
		rc = set_option(c, s, key, value);
	if (rc != VT_OK)
		return rc;
	if (s->tpm_version == TPM_VER_12 && s->banks != 0) {
		(void)snprintf(c->text, sizeof(c->text),
		    "a TPM 1.2 has no choice of banks");
		return VT_E_FORMAT;
	}
	if (s->tpm_version == TPM_VER_12 && s->srk != WSRK_NONE) {
		(void)snprintf(c->text, sizeof(c->text),
		    "a TPM 1.2 gets its SRK from its owner "
		    "(TPM_TakeOwnership)");
		return VT_E_FORMAT;
	}
	if (s->banks == 0)
		s->banks =
		    s->tpm_version == TPM_VER_20 ? BANK_SHA256 : BANK_SHA1;
	return VT_OK;
}

/* guest_create() has audited the outcome. */
static void
on_created(
    void *arg, int rc, const char *text, const struct guest_created *done)
{
	char uuid[UUID_STRLEN + 1];
	struct bus_call *c = arg;

	if (rc != VT_OK) {
		bus_call_fail(c, rc, text);
		return;
	}
	uuid_format(done->uuid, uuid);
	(void)sd_bus_reply_method_return(
	    c->msg, "stb", uuid, done->us, done->from_pool);
	bus_call_free(c);
}

int
bus_create(struct bus_call *c)
{
	struct guest_spec s = { 0 };
	int rc;

	rc = read_spec(c, &s);
	if (c->object[0] == '\0')
		memcpy(c->object, s.name, sizeof(c->object));
	if (rc != VT_OK)
		return rc;
	if (c->limited && !tenants_admin(c->m, c->who.uid, s.group)) {
		(void)snprintf(c->text, sizeof(c->text),
		    "guest %s: not created: name a group that you administer "
		    "(--group)",
		    s.name);
		return VT_E_DENIED;
	}
	return guest_create(c->m, &s, c->who.text, on_created, c, c->text);
}
