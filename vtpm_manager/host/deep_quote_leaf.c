/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deep_quote_leaf.c - what a leaf holds, and which key and PCRs the host
 * vouches with.
 */
#include "vtpm_manager/host/deep_quote_leaf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/core/context.h"
#include "vtpm_manager/proto/hwtpm_msg.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/tenant/tenant.h"

void *
deep_quote_alloc(size_t n, size_t size)
{
	return calloc(n, size);
}

int
deep_quote_group(
    struct mgr *m, uint32_t group, struct deep_quote_group *ret, char *text)
{
	const struct tenant *g = tenant_number(m, group);
	struct pcr_sel sel;

	if (g == NULL && group != 0) {
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "group %u has no attestation key in the host's TPM: the "
		    "host's operator creates it with vtpmctl group create",
		    group);
		return VT_E_NOTFOUND;
	}
	memset(ret, 0, sizeof(*ret));
	sel = tenants_pcrs(m, g);
	ret->bank = sel.banks[0].alg;
	ret->pcrs = sel.banks[0].mask;
	if (group == 0)
		return VT_OK;
	ret->ak.p = g->r.ak;
	ret->ak.len = g->r.ak_len;
	ret->sequence = g->conf.sequence;
	return VT_OK;
}

void
deep_quote_leaf(const struct mgr *m, const struct guest *in,
    const struct wdeep *d, struct deep_leaf *ret)
{
	const uint32_t told =
	    DEEP_F_RESTORED | DEEP_F_CAPPED | DEEP_F_LAUNCHED | DEEP_F_UNSEEN;
	struct deep_leaf *l = ret;

	memset(l, 0, sizeof(*l));
	memcpy(l->uuid, in->uuid, UUID_LEN);
	l->group = in->group;
	l->generation = in->generation;
	l->version = in->version;
	l->flags = d->flags & told;
	if (in->flags & GUEST_F_RESTORED)
		l->flags |= DEEP_F_RESTORED;
	if (in->flags & GUEST_F_RECOVERED)
		l->flags |= DEEP_F_RECOVERED;
	if (m->root_kind != ROOT_HARD)
		l->flags |= DEEP_F_SOFT_ROOT;
	memcpy(l->quote, d->quote, SHA256_LEN);
	memcpy(l->channel_key, d->channel_key, SHA256_LEN);
	memcpy(l->launch, d->launch, SHA256_LEN);
	memcpy(l->journal, d->journal, SHA256_LEN);
	l->nonce_len = (uint16_t)d->nonce.len;
	if (d->nonce.len > 0)
		memcpy(l->nonce, d->nonce.p, d->nonce.len);
}
