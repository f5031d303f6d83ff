/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_look.c - after an I/O error: close everything, open it again, look.
 */
#include "vtpm_manager/store/store_look.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/store/store_int.h"
#include "vtpm_manager/store/store_lost.h"

#define LOG_NAME "store.db-wal"

/* Of what is there now. */
static int
other_root(struct store *st, const uint8_t *p, size_t len, char *text)
{
	struct root_rec r;

	if (store_root_read(st->key, p, len, &r) != VT_OK)
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "what is there now is not this store: its root is "
		    "missing or made with another key; bring back the state "
		    "folder as it was");
	else
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "what is there now is another copy of this store, of "
		    "commit %" PRIu64 " instead of %" PRIu64
		    "; bring back the newest copy of the state folder",
		    r.seq, st->root.seq);
	return VT_E_CORRUPT;
}

static bool
is_record(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	return alen > 0 && alen == blen && memcmp(a, b, alen) == 0;
}

/* Is what was left still there?  Before store_unlock() there is nothing to
 * compare with. */
static int
check_root(struct store *st, char *text)
{
	uint8_t mine[ROOT_MAX], *p = NULL;
	size_t mine_len = 0, len = 0;
	int rc;

	if (st->mode != STORE_OPEN && st->mode != STORE_FROZEN)
		return VT_OK;
	rc = st->ops->root_get(st->be, &p, &len);
	if (rc != VT_OK && rc != VT_E_NOTFOUND && rc != VT_E_CORRUPT) {
		(void)snprintf(
		    text, TEXT_MAX_LEN + 1, "%s", st->ops->words(st->be));
		return rc;
	}
	if (rc == VT_E_NOTFOUND && st->root.seq == 0)
		return VT_OK;
	rc = store_root_make(st->key, &st->root, mine, &mine_len);
	if (rc == VT_OK && !is_record(mine, mine_len, p, len))
		rc = is_record(st->tried, st->tried_len, p, len)
			 ? st->reload(st, text)
			 : other_root(st, p, len, text);
	free(p);
	return rc;
}

/* Open and compare.  text: why not. */
static int
look(struct store *st, char *text)
{
	int rc;

	text[0] = '\0';
	store_let_go(st);
	if ((rc = store_folder_again(st->folder, LOG_NAME, text)) != VT_OK ||
	    (rc = st->ops->again(st->be, text)) != VT_OK ||
	    (rc = check_root(st, text)) != VT_OK) {
		store_let_go(st);
		return rc;
	}
	st->lost = st->unsure = false;
	st->tried_len = 0;
	(void)store_folder_reserve(st->folder);
	return VT_OK;
}

int
store_look_again(struct store *st)
{
	char text[TEXT_MAX_LEN + 1];
	int rc;

	if (!st->lost || (rc = look(st, text)) == VT_OK)
		return VT_OK;
	(void)snprintf(st->lost_why, sizeof(st->lost_why), "%s", text);
	return store_fail(st, rc, "%s", text);
}

int
store_settle(struct store *st, int rc)
{
	char why[TEXT_MAX_LEN + 1], text[TEXT_MAX_LEN + 1];
	uint64_t seq = st->root.seq;
	int saved = errno;

	(void)snprintf(why, sizeof(why), "%s", st->why);
	if (look(st, text) != VT_OK) {
		st->lost = false; /* as far as the caller knows */
		(void)store_fail(st, VT_E_SYS, "%s", text);
		store_lose(st);
		errno = EIO;
		return VT_E_SYS;
	}
	if (st->root.seq != seq)
		return VT_OK;
	errno = saved;
	/* No failure of the database is a guest's: each may repeat. */
	if (rc == VT_E_CORRUPT) {
		errno = EUCLEAN;
		rc = VT_E_SYS;
	}
	return store_fail(st, rc, "%s", why);
}
