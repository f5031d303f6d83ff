/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deepcases.h - good bundles, and attacks: each with the one check that
 * stops it.  Needs deepbundle.h's needs.
 */
#ifndef TESTS_DEEPCASES_H
#define TESTS_DEEPCASES_H

#include "tests/unit/deepbundle.h"

#define DC(name) static inline void name(struct dbundle *d, enum db_stage s)

DC(dc_group7)
{
	if (s != DB_KEYS)
		return;
	d->g.inst.group = 7;
	d->g.rec->group = 7;
	assert_non_null(d->hak_key = EVP_EC_gen("P-256"));
}

DC(dc_single)
{
	if (s == DB_KEYS) {
		d->n = 1;
		d->index = 0;
	}
}

DC(dc_last)
{
	if (s == DB_KEYS)
		d->index = d->n - 1;
}

DC(dc_approval)
{
	if (s == DB_KEYS) {
		d->st.epoch = 5;
		db_approve(d, 0, 0, 5);
	}
}

/* The EK was certified by a key of one day; the AK since, by the CA. */
DC(dc_issuing)
{
	if (s != DB_KEYS)
		return;
	assert_non_null(d->day = EVP_EC_gen("P-256"));
	d->day_spec = (struct tc_spec){ .key = d->day,
		.name = "issuing",
		.basic = "critical,CA:TRUE,pathlen:0",
		.ca = true,
		.usage = "critical,keyCertSign",
		.root = CERT_EXT_HARDWARE,
		.from = -DB_YEARS,
		.to = DB_YEARS,
		.period = true,
		.period_from = -DB_YEARS,
		.period_to = -DB_YEARS + 86400 };
}

/* --- attacks ---------------------------------------------------------------
 */

/* The evidence answers an older question. */
DC(dc_replay)
{
	if (s == DB_END)
		d->nonce[15] ^= 1;
}

/* Host B, with a key in software and another CA, vouches for a vTPM
 * that host A certified; it forges what A's TPM would say. */
DC(dc_other_host)
{
	if (s == DB_KEYS) {
		dc_group7(d, s);
		d->hak_issuer = d->ca2;
	}
}

/* A good guest's evidence, shown by another. */
DC(dc_relay)
{
	if (s == DB_END)
		d->want_uuid[0] ^= 1;
}

/* A vTPM whose host has no physical TPM, its certificates claim one. */
DC(dc_soft_root)
{
	if (s == DB_LEAF)
		d->leaf.flags |= DEEP_F_SOFT_ROOT;
}

/* The host's word with the flag "restored" taken out. */
DC(dc_forged_leaf)
{
	if (s == DB_LEAF)
		d->leaf.flags |= DEEP_F_RESTORED;
	if (s == DB_ANSWER)
		d->ans.leaf.flags &= ~(uint32_t)DEEP_F_RESTORED;
}

/* This leaf instead of a whole subtree: a shorter path. */
DC(dc_short_path)
{
	if (s == DB_TREE) /* another leaf stands in its place */
		memset(d->leaves[d->index], 0x5a, SHA256_LEN);
	if (s == DB_ANSWER) {
		d->ans.path_len = 1;
		memcpy(d->ans.path[0], d->ans.path[5], SHA256_LEN);
		d->ans.index = 0;
		d->ans.count = 2;
	}
}

/* An inner node given as the leaf's place: 20 and 21 were hashed to one. */
DC(dc_node_as_leaf)
{
	if (s == DB_TREE)
		memset(d->leaves[d->index], 0x5a, SHA256_LEN);
	if (s == DB_ANSWER) {
		memmove(d->ans.path[0], d->ans.path[1],
		    (size_t)(d->ans.path_len - 1) * SHA256_LEN);
		d->ans.path_len--;
		d->ans.index /= 2;
		d->ans.count = (d->ans.count + 1) / 2;
	}
}

/* The state was approved once; the epoch has moved on since. */
DC(dc_old_approval)
{
	if (s == DB_KEYS) {
		d->st.epoch = 6;
		db_approve(d, 0, 0, 5);
	}
}

/* A vTPM of group 7 under the AK of group 5. */
DC(dc_swapped_group)
{
	if (s == DB_KEYS) {
		dc_group7(d, s);
		d->hinst.group = 5;
	}
}

/* The enrolled AK is one that signs anything: TPM2_Sign over bytes that say
 * they are a quote. */
DC(dc_unrestricted)
{
	if (s == DB_KEYS)
		d->host.attrs &= ~(uint32_t)TO_RESTRICTED;
}

/* The same in the guest. */
DC(dc_guest_unrestricted)
{
	if (s == DB_KEYS)
		d->g.f.attrs &= ~(uint32_t)TO_RESTRICTED;
}

/* The host's quote comes from a key that is no child of the enrolled EK. */
DC(dc_not_under_ek)
{
	if (s == DB_ATTEST)
		d->host.primary_ak = true;
}

DC(dc_guest_not_under_ek)
{
	if (s == DB_KEYS)
		d->g.f.primary_ak = true;
}

/* PCRs 16 and 23, which any locality can reset, extended to the good values. */
DC(dc_selection)
{
	struct pcr_bank *b = &d->host.pcrs.banks[0];

	if (s != DB_ATTEST)
		return;
	assert_int_equal(
	    pcr_put(&d->host.pcrs, ALG_SHA256, 16, b->val[0]), VT_OK);
	assert_int_equal(
	    pcr_put(&d->host.pcrs, ALG_SHA256, 23, b->val[7]), VT_OK);
	assert_int_equal(pcr_sel_parse("sha256:16,23", &d->host.sel), VT_OK);
}

/* The host runs something else. */
DC(dc_bad_state)
{
	if (s == DB_ATTEST)
		d->host.pcrs.banks[0].val[7][0] ^= 1;
}

/* A vTPM's own AK, certified by the same CA, signs "the host's quote". */
DC(dc_virtual_ak)
{
	if (s == DB_KEYS) {
		dc_group7(d, s);
		d->hinst.is_virtual = true;
	}
}

/* The day's key was stolen, and is used after its day. */
DC(dc_issuing_late)
{
	if (s == DB_KEYS) {
		dc_issuing(d, s);
		d->day_spec.period_from -= 86401;
		d->day_spec.period_to -= 86401;
	}
}

DC(dc_issuing_other_ca)
{
	if (s == DB_KEYS) {
		dc_issuing(d, s);
		d->day_by = d->ca2;
	}
}

/* It could make further keys. */
DC(dc_issuing_pathlen)
{
	if (s == DB_KEYS) {
		dc_issuing(d, s);
		d->day_spec.basic = "critical,CA:TRUE,pathlen:1";
	}
}

DC(dc_issuing_root)
{
	if (s == DB_KEYS) {
		dc_issuing(d, s);
		d->day_spec.root = CERT_EXT_SOFTWARE;
	}
}

/* The host's own keys are certified by its CA alone. */
DC(dc_issuing_host)
{
	if (s == DB_KEYS) {
		dc_issuing(d, s);
		dc_group7(d, s);
		d->hak_issuer = d->day;
	}
}

/* Not made by a TPM2_Quote. */
DC(dc_magic)
{
	if (s == DB_ATTEST)
		d->host.magic = 0xff544348;
}

/* Another key's signature under the enrolled AK's certificate. */
DC(dc_signature)
{
	if (s == DB_ATTEST)
		d->host.signer = d->maker;
}

DC(dc_nonce_in_leaf)
{
	if (s == DB_LEAF)
		d->leaf.nonce[0] ^= 1;
}

DC(dc_quote_in_leaf)
{
	if (s == DB_LEAF)
		d->leaf.quote[0] ^= 1;
}

DC(dc_names)
{
	if (s == DB_LEAF)
		d->leaf.ak_name[9] ^= 1;
}

DC(dc_launch)
{
	if (s == DB_LEAF)
		d->leaf.launch[0] ^= 1;
}

DC(dc_journal)
{
	if (s == DB_LEAF)
		d->leaf.journal[0] ^= 1;
}

DC(dc_generation)
{
	if (s == DB_LEAF)
		d->leaf.generation--;
}

DC(dc_capped)
{
	if (s == DB_LEAF)
		d->leaf.flags |= DEEP_F_CAPPED;
}

DC(dc_recovered)
{
	if (s == DB_LEAF)
		d->leaf.flags |= DEEP_F_RECOVERED;
}

DC(dc_ca_movable)
{
	if (s == DB_KEYS)
		d->ca_attrs &= ~(uint32_t)TO_FIXED_TPM;
}

DC(dc_long_path)
{
	if (s == DB_ANSWER)
		d->ans.path_len++;
}

static const struct dcase {
	const char *name;
	void (*tweak)(struct dbundle *d, enum db_stage s);
	const char *stops; /* NULL: it is good */
	const char *words;
} dcases[] = {
	{ "good", NULL, NULL, "a good bundle" },
	{ "good-single", dc_single, NULL, "the only leaf" },
	{ "good-last", dc_last, NULL, "the last of an odd number of leaves" },
	{ "good-group", dc_group7, NULL, "a group with a separate AK" },
	{ "good-approval", dc_approval, NULL, "a state by approval" },
	{ "good-issuing", dc_issuing, NULL,
	    "an EK certified by an issuing key" },
	{ "replay", dc_replay, "nonce", "a replayed nonce" },
	{ "other-host", dc_other_host, "deep-ak-cert",
	    "a vTPM of this host under another host's quote" },
	{ "relay", dc_relay, "uuid", "a relayed quote of another guest" },
	{ "soft-root", dc_soft_root, "deep-root",
	    "evidence from a software root passed as hardware" },
	{ "forged-leaf", dc_forged_leaf, "deep-path", "a forged leaf" },
	{ "short-path", dc_short_path, "deep-path", "a shortened path" },
	{ "node-as-leaf", dc_node_as_leaf, "deep-path",
	    "a leaf in the place of a node" },
	{ "old-approval", dc_old_approval, "host-approval-epoch",
	    "an old approval after an epoch bump" },
	{ "swapped-group", dc_swapped_group, "deep-ak-group",
	    "another group's AK" },
	{ "unrestricted", dc_unrestricted, "host-ak",
	    "an attest forged with TPM2_Sign by an unrestricted AK" },
	{ "guest-unrestricted", dc_guest_unrestricted, "ak-attributes",
	    "the same by a guest" },
	{ "not-under-ek", dc_not_under_ek, "deep-signer",
	    "an AK that is not under the host's EK" },
	{ "guest-not-under-ek", dc_guest_not_under_ek, "signer",
	    "the same in a guest" },
	{ "selection", dc_selection, "deep-selection",
	    "a quote over other PCRs with the right values" },
	{ "bad-state", dc_bad_state, "deep-host-state",
	    "a host in another state" },
	{ "virtual-ak", dc_virtual_ak, "deep-ak-cert",
	    "a host's quote by a virtual TPM's AK" },
	{ "magic", dc_magic, "attest-magic",
	    "a signature over what is no TPM's quote" },
	{ "signature", dc_signature, "deep-signature",
	    "a quote that the AK did not sign" },
	{ "nonce-in-leaf", dc_nonce_in_leaf, "deep-nonce",
	    "a leaf for another nonce" },
	{ "quote-in-leaf", dc_quote_in_leaf, "deep-quote",
	    "a leaf for another quote" },
	{ "names", dc_names, "deep-names", "a leaf for another AK" },
	{ "launch", dc_launch, "deep-launch", "another launch record" },
	{ "journal", dc_journal, "deep-journal", "another journal" },
	{ "generation", dc_generation, "deep-instance",
	    "an older copy of the vTPM" },
	{ "capped", dc_capped, "deep-flags", "a worker that crashed" },
	{ "recovered", dc_recovered, "deep-flags",
	    "a store that an operator recovered" },
	{ "ca-movable", dc_ca_movable, "host-ca-key",
	    "a CA key that can leave its TPM" },
	{ "issuing-late", dc_issuing_late, "ek-chain",
	    "an issuing key outside its period" },
	{ "issuing-other-ca", dc_issuing_other_ca, "ek-chain",
	    "an issuing key of another CA" },
	{ "issuing-pathlen", dc_issuing_pathlen, "ek-chain",
	    "an issuing key that could certify others" },
	{ "issuing-root", dc_issuing_root, "root",
	    "an issuing key with another kind of root" },
	{ "issuing-host", dc_issuing_host, "deep-ak-cert",
	    "a host's AK certified by an issuing key" },
	{ "long-path", dc_long_path, "deep-path", "a node too many" },
};

/* What the report calls it: two checks are part of a larger one. */
static inline const char *
dcase_shown(const struct dcase *c)
{
	if (c->stops == NULL)
		return "-";
	if (strcmp(c->stops, "host-approval-epoch") == 0)
		return "deep-host-state";
	if (strcmp(c->stops, "attest-magic") == 0)
		return "deep-attest";
	return c->stops;
}

#undef DC
#endif
