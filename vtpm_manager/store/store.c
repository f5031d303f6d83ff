/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store.c - open and close the store; values outside the tree, anchor, space.
 */
#include "vtpm_manager/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "vtpm_manager/store/store_check.h"
#include "vtpm_manager/store/store_commit.h"
#include "vtpm_manager/store/store_int.h"
#include "vtpm_manager/store/store_sqlite.h"

#define RESERVE_MB 16 /* the default */
#define KV_EPOCH "epoch"

const char *
store_why(const struct store *st)
{
	return st->why;
}

/* --- open and close --------------------------------------------------- */

/* The database must be at least as new as the epoch file says. */
static int
check_epoch(struct store *st, const char *dir)
{
	uint64_t file = 0, db = 0;
	uint8_t *p = NULL, be[8];
	size_t len = 0;
	struct store_op op = {
		.what = SW_KV, .key = KV_EPOCH, .p = be, .len = sizeof(be)
	};
	int rc;

	rc = st->ops->kv_get(st->be, KV_EPOCH, &p, &len);
	if (rc == VT_OK && len == sizeof(be))
		db = be64_get(p);
	free(p);
	if (rc != VT_OK && rc != VT_E_NOTFOUND)
		return store_fail_backend(st, rc);
	rc = store_folder_epoch(st->folder, &file);
	if (rc == VT_E_SYS)
		return store_fail(
		    st, rc, "%.150s/epoch: %s", dir, strerror(errno));
	if (rc != VT_OK)
		return store_fail(st, VT_E_CORRUPT,
		    "%.100s/epoch cannot be read; restore the whole folder "
		    "from a backup",
		    dir);
	if (db < file)
		return store_fail(st, VT_E_CORRUPT,
		    "the database in %.80s is missing, or older than its "
		    "folder; restore the whole folder from a backup, or empty "
		    "it to start over with new identities",
		    dir);
	be64_put(be, db + 1);
	if ((rc = st->ops->begin(st->be)) == VT_OK &&
	    (rc = st->ops->put(st->be, &op)) == VT_OK &&
	    (rc = st->ops->commit(st->be)) == VT_OK) {
		(void)!store_folder_set_epoch(st->folder, db + 1);
		return VT_OK;
	}
	(void)store_fail(st, rc, "%s", st->ops->words(st->be));
	st->ops->rollback(st->be);
	/* On a full disk the epoch stays, so that guests can start. */
	return rc == VT_E_SPACE ? VT_OK : rc;
}

int
store_open(
    const char *dir, unsigned int reserve_mb, struct store **ret, char *text)
{
	struct store *st = calloc(1, sizeof(*st));
	int rc;

	if (st == NULL) {
		(void)snprintf(text, TEXT_MAX_LEN + 1, "out of memory");
		return VT_E_NOMEM;
	}
	st->ops = &store_sqlite;
	TAILQ_INIT(&st->pend);
	SLIST_INIT(&st->touched);
	rc = store_folder_open(
	    dir, reserve_mb > 0 ? reserve_mb : RESERVE_MB, &st->folder, text);
	if (rc == VT_OK)
		rc = st->ops->open(dir, &st->be, text);
	if (rc != VT_OK)
		goto fail;
	(void)store_folder_reserve(st->folder);
	if ((rc = check_epoch(st, dir)) != VT_OK ||
	    (rc = store_check_list(st)) != VT_OK) {
		(void)snprintf(text, TEXT_MAX_LEN + 1, "%s", st->why);
		goto fail;
	}
	*ret = st;
	return VT_OK;
fail:
	store_close(st);
	return rc;
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	store_rollback(st);
	registry_clear(&st->reg);
	ht_free(st->tree);
	store_meta_done(&st->meta);
	if (st->be != NULL)
		st->ops->close(st->be);
	store_folder_close(st->folder); /* the lock goes last */
	explicit_bzero(st->key, sizeof(st->key));
	free(st);
}

/* --- values ----------------------------------------------------------- */

int
store_kv_get(struct store *st, const char *key, uint8_t **ret, size_t *ret_len)
{
	struct store_op op = { .what = SW_KV, .key = key };
	const struct pend *p = store_pend_find(st, &op);
	int rc;

	if (p != NULL)
		rc = store_pend_copy(p, ret, ret_len);
	else
		rc = st->ops->kv_get(st->be, key, ret, ret_len);
	if (rc == VT_E_NOTFOUND)
		return store_fail(st, rc, "no value '%.60s'", key);
	return rc == VT_OK ? VT_OK : store_fail_backend(st, rc);
}

int
store_kv_put(struct store *st, const char *key, const void *p, size_t len)
{
	struct store_op op = { .what = SW_KV, .key = key, .p = p, .len = len };
	int rc;

	if (st->mode != STORE_LOCKED && (rc = store_need_open(st)) != VT_OK)
		return rc;
	if (strncmp(key, META_PREFIX, strlen(META_PREFIX)) == 0)
		return store_fail(st, VT_E_RANGE,
		    "'%.60s' names a value inside the tree", key);
	if (len > STATE_MAX_LEN)
		return store_fail(st, VT_E_RANGE,
		    "the value '%.60s' is longer than %d bytes", key,
		    STATE_MAX_LEN);
	return store_pend_put(st, &op);
}

static int
stop_at_first(const struct store_row *r, void *arg)
{
	(void)r;
	(void)arg;
	return 1;
}

bool
store_is_new(struct store *st)
{
	uint8_t *p = NULL;
	size_t len;

	if (st->ops->root_get(st->be, &p, &len) == VT_E_NOTFOUND &&
	    st->ops->kv_get(st->be, STORE_KV_HOST, &p, &len) == VT_E_NOTFOUND)
		return st->ops->rows(st->be, stop_at_first, NULL) == VT_OK;
	free(p);
	return false;
}

/* --- anchor ----------------------------------------------------------- */

uint64_t
store_anchor(const struct store *st)
{
	return st->root.anchor;
}

void
store_anchor_set(struct store *st, uint64_t anchor)
{
	st->anchor = anchor;
}

uint64_t
store_commits(const struct store *st)
{
	return st->root.seq;
}

void
store_space(struct store *st, struct store_space *ret)
{
	store_folder_space(st->folder, ret);
}
