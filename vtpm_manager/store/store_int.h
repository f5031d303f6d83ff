/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_int.h - struct store, open to the store's own files only.
 *
 * Layer:  vtpm_manager/store.
 */
#ifndef VTPM_MANAGER_STORE_STORE_INT_H
#define VTPM_MANAGER_STORE_STORE_INT_H

#include "vtpm_manager/store/audit_chain.h"
#include "vtpm_manager/store/hash_tree.h"
#include "vtpm_manager/store/registry.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_codec.h"
#include "vtpm_manager/store/store_folder.h"
#include "vtpm_manager/store/store_meta.h"
#include "vtpm_manager/store/store_mode.h"
#include "vtpm_manager/store/store_ops.h"
#include "vtpm_manager/store/store_pending.h"

struct store {
	const struct store_ops *ops;
	void *be; /* the backend's */
	struct store_folder *folder;
	enum store_mode mode;
	uint8_t key[32]; /* of the root's HMAC */
	struct registry reg;
	struct ht *tree;          /* NULL unless STORE_OPEN or STORE_FROZEN */
	struct root_rec root;     /* as committed */
	struct meta meta;         /* as committed */
	struct audit_chain chain; /* with the records that wait */
	uint64_t anchor, gen;     /* of the next root */
	struct pend_list pend;    /* in order */
	struct touch_list touched;
	uint32_t free_hint;      /* no free slot below */
	uint8_t tried[ROOT_MAX]; /* the root of a commit that failed */
	size_t tried_len;
	bool unsure; /* it is not known whether that is on the disk */
	bool lost;   /* after an I/O error, until store_look_again() */
	char lost_why[TEXT_MAX_LEN + 1];
	/* store_check.c's: memory follows the disk, after a commit that failed
	 * and took place.  text: why not. */
	int (*reload)(struct store *st, char *text);
	void (*on_lost)(void *arg);
	void *on_lost_arg;
	char why[TEXT_MAX_LEN + 1];
	char frozen[TEXT_MAX_LEN + 1]; /* why it is STORE_FROZEN */
};

#endif
