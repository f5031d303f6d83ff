/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_sqlite.c - the store's database: SQLite in WAL mode.
 *
 * synchronous=FULL: COMMIT returns after fsync of the WAL.  cache_spill=OFF: a
 * full disk shows at COMMIT.  locking_mode=EXCLUSIVE: one process.  The content
 * is untrusted: triggers, views and functions in the schema are off, and the
 * type and size of every column is checked.
 */
#include "vtpm_manager/store/store_sqlite.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "vtpm_manager/store/audit_chain.h"
#include "vtpm_manager/store/hash_tree.h"

#define APP_ID 1448366157 /* "VTPM" */

/* schema[n] makes version n + 1 of version n. */
static const char *const schema[] = {
	"CREATE TABLE kv(key TEXT PRIMARY KEY, val BLOB NOT NULL);"
	"CREATE TABLE vtpm(slot INTEGER PRIMARY KEY, uuid BLOB NOT NULL,"
	" name TEXT NOT NULL, grp INTEGER NOT NULL,"
	" tpm_version INTEGER NOT NULL, status INTEGER NOT NULL,"
	" flags INTEGER NOT NULL, generation INTEGER NOT NULL,"
	" version INTEGER NOT NULL, created_ms INTEGER NOT NULL,"
	" state BLOB NOT NULL, certs BLOB NOT NULL, launch BLOB NOT NULL,"
	" log BLOB NOT NULL, volatile BLOB NOT NULL);"
	/* id: slot * 16 + kind */
	"CREATE TABLE blob(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
	/* id: level * 2^32 + index */
	"CREATE TABLE page(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
	"CREATE TABLE root(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
	"CREATE TABLE audit(seq INTEGER PRIMARY KEY, wall_ms INTEGER NOT NULL,"
	" who TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL,"
	" result TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL);",

	"ALTER TABLE vtpm ADD COLUMN owner INTEGER NOT NULL DEFAULT 0;",
};
#define SCHEMA_VERSION ((int)VT_NELEM(schema))

enum stmt {
	ST_BEGIN,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_KV_PUT,
	ST_KV_DEL,
	ST_KV_GET,
	ST_ROW_PUT,
	ST_ROW_DEL,
	ST_ROWS,
	ST_BLOB_PUT,
	ST_BLOB_DEL,
	ST_BLOB_GET,
	ST_PAGE_PUT,
	ST_PAGES,
	ST_ROOT_PUT,
	ST_ROOT_GET,
	ST_AUDIT_PUT,
	ST_AUDIT_CUT,
	ST_AUDIT,
	ST_N
};

static const char *const sql[ST_N] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_KV_PUT] = "INSERT OR REPLACE INTO kv VALUES(?1,?2)",
	[ST_KV_DEL] = "DELETE FROM kv WHERE key=?1",
	[ST_KV_GET] = "SELECT val FROM kv WHERE key=?1",
	[ST_ROW_PUT] = "INSERT OR REPLACE INTO vtpm VALUES"
		       "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,"
		       "?16)",
	[ST_ROW_DEL] = "DELETE FROM vtpm WHERE slot=?1",
	[ST_ROWS] = "SELECT slot,uuid,name,grp,tpm_version,status,flags,"
		    "generation,version,created_ms,state,certs,launch,log,"
		    "volatile,owner FROM vtpm NOT INDEXED ORDER BY slot",
	[ST_BLOB_PUT] = "INSERT OR REPLACE INTO blob VALUES(?1,?2)",
	[ST_BLOB_DEL] = "DELETE FROM blob WHERE id=?1",
	[ST_BLOB_GET] = "SELECT data FROM blob WHERE id=?1",
	[ST_PAGE_PUT] = "INSERT OR REPLACE INTO page VALUES(?1,?2)",
	[ST_PAGES] = "SELECT id,data FROM page",
	[ST_ROOT_PUT] = "INSERT OR REPLACE INTO root VALUES(1,?1)",
	[ST_ROOT_GET] = "SELECT data FROM root WHERE id=1",
	[ST_AUDIT_PUT] = "INSERT OR REPLACE INTO audit VALUES"
			 "(?1,?2,?3,?4,?5,?6,?7,?8)",
	[ST_AUDIT_CUT] = "DELETE FROM audit WHERE seq<=?1",
	[ST_AUDIT] = "SELECT seq,wall_ms,who,action,object,result,detail,hash"
		     " FROM audit WHERE seq>=?1 ORDER BY seq",
};

struct sq {
	char path[PATH_MAX];
	sqlite3 *db; /* NULL: left after an I/O error */
	sqlite3_stmt *st[ST_N];
	char words[TEXT_MAX_LEN + 1];
};

/* The system's error behind SQLite's, which keeps it of some errors only. */
static int
errno_of(struct sq *q, int rc)
{
	rc &= 0xff;
	if (rc == SQLITE_IOERR || rc == SQLITE_CANTOPEN)
		return sqlite3_system_errno(q->db); /* 0: not known */
	return rc == SQLITE_READONLY ? EROFS : rc == SQLITE_FULL ? ENOSPC : 0;
}

/* What SQLite's codes mean to the store. */
static int
fail(struct sq *q, int rc)
{
	int err = q->db != NULL ? errno_of(q, rc) : 0;

	if (q->db == NULL) { /* words say why it was left */
		errno = EIO;
		return VT_E_SYS;
	}
	(void)snprintf(q->words, sizeof(q->words), "database: %s%s%s",
	    sqlite3_errmsg(q->db), err != 0 ? ": " : "",
	    err != 0 ? strerror(err) : "");
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return VT_E_BUSY;
	case SQLITE_NOMEM:
		return VT_E_NOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* no such table: the schema was changed */
	case SQLITE_SCHEMA:
	case SQLITE_MISMATCH:
	case SQLITE_CONSTRAINT:
		return VT_E_CORRUPT;
	default:
		errno = err != 0 ? err : EIO;
		return err == ENOSPC || err == EDQUOT ? VT_E_SPACE : VT_E_SYS;
	}
}

/* A statement ready for bind, prepared once.  NULL: fail(q, *rc). */
static sqlite3_stmt *
stmt(struct sq *q, enum stmt which, int *rc)
{
	*rc = SQLITE_OK;
	if (q->db == NULL)
		return NULL; /* fail() says so */
	if (q->st[which] == NULL)
		*rc = sqlite3_prepare_v3(q->db, sql[which], -1,
		    SQLITE_PREPARE_PERSISTENT, &q->st[which], NULL);
	return q->st[which];
}

/* Run a statement that returns no rows, and reset it. */
static int
run(struct sq *q, sqlite3_stmt *s)
{
	int rc = sqlite3_step(s), ret = VT_OK;

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		ret = fail(q, rc);
	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	return ret;
}

static int
run_plain(struct sq *q, enum stmt which)
{
	int rc;
	sqlite3_stmt *s = stmt(q, which, &rc);

	return s != NULL ? run(q, s) : fail(q, rc);
}

static void
bind_blob(sqlite3_stmt *s, int col, const void *p, size_t len)
{
	(void)sqlite3_bind_blob64(
	    s, col, len > 0 ? p : "", (sqlite3_uint64)len, SQLITE_STATIC);
}

static void
bind_text(sqlite3_stmt *s, int col, const char *text)
{
	(void)sqlite3_bind_text(s, col, text, -1, SQLITE_STATIC);
}

static void
bind_u64(sqlite3_stmt *s, int col, uint64_t v)
{
	(void)sqlite3_bind_int64(s, col, (sqlite3_int64)v);
}

/* --- writing ---------------------------------------------------------- */

static void
bind_row(sqlite3_stmt *s, const struct store_row *r)
{
	const struct guest *in = &r->in;
	int i, c = 1;

	bind_u64(s, c++, in->slot);
	bind_blob(s, c++, in->uuid, UUID_LEN);
	bind_text(s, c++, in->name);
	bind_u64(s, c++, in->group);
	bind_u64(s, c++, in->tpm_version);
	bind_u64(s, c++, in->status);
	bind_u64(s, c++, in->flags);
	bind_u64(s, c++, in->generation);
	bind_u64(s, c++, in->version);
	bind_u64(s, c++, in->created_ms);
	for (i = 0; i < SX_N; i++)
		bind_blob(s, c++, r->dig[i], SHA256_LEN);
	bind_u64(s, c, in->owner);
}

static void
bind_audit(sqlite3_stmt *s, const struct audit_rec *r)
{
	bind_u64(s, 1, r->seq);
	bind_u64(s, 2, r->wall_ms);
	bind_text(s, 3, r->who);
	bind_text(s, 4, r->action);
	bind_text(s, 5, r->object);
	bind_text(s, 6, r->result);
	bind_text(s, 7, r->detail);
	bind_blob(s, 8, r->hash, SHA256_LEN);
}

static enum stmt
stmt_of(const struct store_op *op)
{
	switch (op->what) {
	case SW_KV:
		return op->len > 0 ? ST_KV_PUT : ST_KV_DEL;
	case SW_ROW:
		return ST_ROW_PUT;
	case SW_ROW_DEL:
		return ST_ROW_DEL;
	case SW_BLOB:
		return op->len > 0 ? ST_BLOB_PUT : ST_BLOB_DEL;
	case SW_PAGE:
		return ST_PAGE_PUT;
	case SW_ROOT:
		return ST_ROOT_PUT;
	case SW_AUDIT:
		return ST_AUDIT_PUT;
	case SW_AUDIT_CUT:
		break;
	}
	return ST_AUDIT_CUT;
}

static void
bind_op(sqlite3_stmt *s, const struct store_op *op)
{
	switch (op->what) {
	case SW_KV:
		bind_text(s, 1, op->key);
		if (op->len > 0)
			bind_blob(s, 2, op->p, op->len);
		break;
	case SW_ROW:
		bind_row(s, op->row);
		break;
	case SW_ROW_DEL:
		bind_u64(s, 1, op->slot);
		break;
	case SW_BLOB:
		bind_u64(s, 1, (uint64_t)op->slot * 16 + op->kind);
		if (op->len > 0)
			bind_blob(s, 2, op->p, op->len);
		break;
	case SW_PAGE:
		bind_u64(s, 1, (uint64_t)op->kind << 32 | op->slot);
		bind_blob(s, 2, op->p, op->len);
		break;
	case SW_ROOT:
		bind_blob(s, 1, op->p, op->len);
		break;
	case SW_AUDIT:
		bind_audit(s, op->rec);
		break;
	case SW_AUDIT_CUT:
		bind_u64(s, 1, op->seq);
		break;
	}
}

static int
sq_put(void *be, const struct store_op *op)
{
	struct sq *q = be;
	int rc;
	sqlite3_stmt *s = stmt(q, stmt_of(op), &rc);

	if (s == NULL)
		return fail(q, rc);
	bind_op(s, op);
	return run(q, s);
}

static int
sq_begin(void *be)
{
	return run_plain(be, ST_BEGIN);
}

static void
sq_rollback(void *be)
{
	struct sq *q = be;
	char keep[sizeof(q->words)];
	int saved = errno;

	memcpy(keep, q->words, sizeof(keep));
	(void)!run_plain(q, ST_ROLLBACK);
	memcpy(q->words, keep, sizeof(keep));
	errno = saved;
}

static int
sq_commit(void *be)
{
	return run_plain(be, ST_COMMIT);
}

/* --- reading ---------------------------------------------------------- */

static int
col_heap(sqlite3_stmt *s, int col, uint8_t **ret, size_t *ret_len)
{
	const void *p;
	size_t len;
	uint8_t *b;

	if (sqlite3_column_type(s, col) != SQLITE_BLOB)
		return VT_E_CORRUPT;
	p = sqlite3_column_blob(s, col);
	len = (size_t)sqlite3_column_bytes(s, col);
	if ((b = malloc(len + 1)) == NULL)
		return VT_E_NOMEM;
	if (len > 0)
		memcpy(b, p, len);
	b[len] = 0;
	*ret = b;
	*ret_len = len;
	return VT_OK;
}

/* The single blob that a bound statement selects. */
static int
get_one(struct sq *q, sqlite3_stmt *s, uint8_t **ret, size_t *ret_len)
{
	int rc = sqlite3_step(s), err;

	if (rc == SQLITE_ROW) {
		err = col_heap(s, 0, ret, ret_len);
		(void)snprintf(q->words, sizeof(q->words), "database: %s",
		    err == VT_E_CORRUPT ? "a value has the wrong type"
					: vt_strerror(err));
	} else {
		err = rc == SQLITE_DONE ? VT_E_NOTFOUND : fail(q, rc);
	}
	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	return err;
}

static int
sq_kv_get(void *be, const char *key, uint8_t **ret, size_t *ret_len)
{
	struct sq *q = be;
	int rc;
	sqlite3_stmt *s = stmt(q, ST_KV_GET, &rc);

	if (s == NULL)
		return fail(q, rc);
	bind_text(s, 1, key);
	return get_one(q, s, ret, ret_len);
}

static int
sq_blob_get(
    void *be, uint32_t slot, unsigned int kind, uint8_t **ret, size_t *ret_len)
{
	struct sq *q = be;
	int rc;
	sqlite3_stmt *s = stmt(q, ST_BLOB_GET, &rc);

	if (s == NULL)
		return fail(q, rc);
	bind_u64(s, 1, (uint64_t)slot * 16 + kind);
	return get_one(q, s, ret, ret_len);
}

static int
sq_root_get(void *be, uint8_t **ret, size_t *ret_len)
{
	struct sq *q = be;
	int rc;
	sqlite3_stmt *s = stmt(q, ST_ROOT_GET, &rc);

	return s != NULL ? get_one(q, s, ret, ret_len) : fail(q, rc);
}

/* Call each() for every row of a bound statement. */
static int
walk(struct sq *q, sqlite3_stmt *s, int (*each)(sqlite3_stmt *s, void *arg),
    void *arg)
{
	int rc, err = VT_OK;

	while (err == VT_OK && (rc = sqlite3_step(s)) != SQLITE_DONE)
		err = rc == SQLITE_ROW ? each(s, arg) : fail(q, rc);
	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	return err;
}

static uint64_t
col_u64(sqlite3_stmt *s, int col, uint64_t max, bool *odd)
{
	sqlite3_int64 v = sqlite3_column_int64(s, col);

	if (sqlite3_column_type(s, col) != SQLITE_INTEGER || v < 0 ||
	    (uint64_t)v > max) {
		*odd = true;
		return 0;
	}
	return (uint64_t)v;
}

static void
col_fixed(sqlite3_stmt *s, int col, uint8_t *dst, size_t len, bool *odd)
{
	memset(dst, 0, len);
	if (sqlite3_column_type(s, col) == SQLITE_BLOB &&
	    (size_t)sqlite3_column_bytes(s, col) == len)
		memcpy(dst, sqlite3_column_blob(s, col), len);
	else
		*odd = true;
}

static void
col_text(sqlite3_stmt *s, int col, char *dst, size_t cap, bool *odd)
{
	const char *p = NULL;
	size_t len = 0;

	if (sqlite3_column_type(s, col) == SQLITE_TEXT) {
		p = (const char *)sqlite3_column_text(s, col);
		len = (size_t)sqlite3_column_bytes(s, col);
	}
	if (p == NULL || len >= cap || strlen(p) != len) {
		*odd = true;
		len = 0;
	}
	if (len > 0)
		memcpy(dst, p, len);
	dst[len] = '\0';
}

struct rows_arg {
	int (*cb)(const struct store_row *r, void *arg);
	void *arg;
};

static int
each_row(sqlite3_stmt *s, void *arg)
{
	struct rows_arg *a = arg;
	struct store_row r;
	struct guest *in = &r.in;
	int i, c = 0;

	memset(&r, 0, sizeof(r));
	in->slot = (uint32_t)col_u64(s, c++, HT_MAX_SLOTS - 1, &r.odd);
	if (r.odd)
		return VT_OK; /* no such slot */
	col_fixed(s, c++, in->uuid, UUID_LEN, &r.odd);
	col_text(s, c++, in->name, sizeof(in->name), &r.odd);
	in->group = (uint32_t)col_u64(s, c++, UINT32_MAX, &r.odd);
	in->tpm_version = (uint8_t)col_u64(s, c++, UINT8_MAX, &r.odd);
	in->status = (uint8_t)col_u64(s, c++, UINT8_MAX, &r.odd);
	in->flags = (uint32_t)col_u64(s, c++, UINT32_MAX, &r.odd);
	in->generation = col_u64(s, c++, INT64_MAX, &r.odd);
	in->version = col_u64(s, c++, INT64_MAX, &r.odd);
	in->created_ms = col_u64(s, c++, INT64_MAX, &r.odd);
	for (i = 0; i < SX_N; i++)
		col_fixed(s, c++, r.dig[i], SHA256_LEN, &r.odd);
	in->owner = (uint32_t)col_u64(s, c, UINT32_MAX - 1, &r.odd);
	memcpy(in->digest, r.dig[SX_STATE], SHA256_LEN);
	return a->cb(&r, a->arg);
}

static int
sq_rows(void *be, int (*cb)(const struct store_row *r, void *arg), void *arg)
{
	struct rows_arg a = { cb, arg };
	struct sq *q = be;
	int rc;
	sqlite3_stmt *s = stmt(q, ST_ROWS, &rc);

	return s != NULL ? walk(q, s, each_row, &a) : fail(q, rc);
}

struct pages_arg {
	int (*cb)(uint64_t level, uint64_t index, const uint8_t *p, size_t len,
	    void *arg);
	void *arg;
};

static int
each_page(sqlite3_stmt *s, void *arg)
{
	struct pages_arg *a = arg;
	uint64_t id = (uint64_t)sqlite3_column_int64(s, 0);

	/* Of text, column_bytes() could move what column_blob() returned. */
	if (sqlite3_column_type(s, 1) != SQLITE_BLOB)
		return VT_OK; /* ht_check() sees that it is missing */
	return a->cb(id >> 32, id & UINT32_MAX, sqlite3_column_blob(s, 1),
	    (size_t)sqlite3_column_bytes(s, 1), a->arg);
}

static int
sq_pages(void *be,
    int (*cb)(uint64_t level, uint64_t index, const uint8_t *p, size_t len,
	void *arg),
    void *arg)
{
	struct pages_arg a = { cb, arg };
	struct sq *q = be;
	int rc;
	sqlite3_stmt *s = stmt(q, ST_PAGES, &rc);

	return s != NULL ? walk(q, s, each_page, &a) : fail(q, rc);
}

struct audit_arg {
	int (*cb)(const struct audit_rec *r, void *arg);
	void *arg;
};

/* A field of the wrong type reads as empty, so the record's hash is wrong. */
static int
each_audit(sqlite3_stmt *s, void *arg)
{
	struct audit_arg *a = arg;
	struct audit_rec r;
	bool odd = false;

	memset(&r, 0, sizeof(r));
	r.seq = col_u64(s, 0, INT64_MAX, &odd);
	r.wall_ms = col_u64(s, 1, INT64_MAX, &odd);
	col_text(s, 2, r.who, sizeof(r.who), &odd);
	col_text(s, 3, r.action, sizeof(r.action), &odd);
	col_text(s, 4, r.object, sizeof(r.object), &odd);
	col_text(s, 5, r.result, sizeof(r.result), &odd);
	col_text(s, 6, r.detail, sizeof(r.detail), &odd);
	col_fixed(s, 7, r.hash, SHA256_LEN, &odd);
	if (odd)
		memset(r.hash, 0, SHA256_LEN);
	return a->cb(&r, a->arg);
}

static int
sq_audit(void *be, uint64_t from,
    int (*cb)(const struct audit_rec *r, void *arg), void *arg)
{
	struct audit_arg a = { cb, arg };
	struct sq *q = be;
	int rc;
	sqlite3_stmt *s = stmt(q, ST_AUDIT, &rc);

	if (s == NULL)
		return fail(q, rc);
	bind_u64(s, 1, from);
	return walk(q, s, each_audit, &a);
}

/* --- open and close --------------------------------------------------- */

static int
exec(struct sq *q, const char *text)
{
	int rc = sqlite3_exec(q->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? VT_OK : fail(q, rc);
}

static int
get_pragma(struct sq *q, const char *text, int *ret)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(q->db, text, -1, &s, NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		*ret = sqlite3_column_int(s, 0);
		rc = SQLITE_OK;
	}
	(void)sqlite3_finalize(s);
	return rc == SQLITE_OK ? VT_OK : fail(q, rc);
}

static int
upgrade(struct sq *q)
{
	char text[96];
	int v = 0, app = 0, rc;

	if ((rc = get_pragma(q, "PRAGMA user_version", &v)) != VT_OK ||
	    (rc = get_pragma(q, "PRAGMA application_id", &app)) != VT_OK)
		return rc;
	if (v != 0 && app != APP_ID) {
		(void)snprintf(q->words, sizeof(q->words),
		    "the file is not a vTPM store; restore the whole state "
		    "folder from a backup");
		return VT_E_CORRUPT;
	}
	if (v > SCHEMA_VERSION || v < 0) {
		(void)snprintf(q->words, sizeof(q->words),
		    "the database has format %d, this manager reads formats "
		    "up to %d; start the newer manager that wrote it",
		    v, SCHEMA_VERSION);
		return VT_E_UNSUPPORTED;
	}
	for (; v < SCHEMA_VERSION; v++) {
		(void)snprintf(text, sizeof(text),
		    "PRAGMA application_id=%d;PRAGMA user_version=%d", APP_ID,
		    v + 1);
		if ((rc = exec(q, "BEGIN IMMEDIATE")) != VT_OK ||
		    (rc = exec(q, schema[v])) != VT_OK ||
		    (rc = exec(q, text)) != VT_OK ||
		    (rc = exec(q, "COMMIT")) != VT_OK)
			return rc;
	}
	return VT_OK;
}

static int
configure(struct sq *q)
{
	int on = 0, rc;

	(void)sqlite3_extended_result_codes(q->db, 1);
	(void)sqlite3_busy_timeout(q->db, 1000);
	(void)sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, &on);
	(void)sqlite3_db_config(q->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, &on);
	(void)sqlite3_db_config(q->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, &on);
	(void)sqlite3_db_config(q->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &on);
	rc = exec(q, "PRAGMA locking_mode=EXCLUSIVE;"
		     "PRAGMA journal_mode=WAL;"
		     "PRAGMA synchronous=FULL;"
		     "PRAGMA cache_spill=OFF;"
		     "PRAGMA cell_size_check=ON;"
		     "PRAGMA secure_delete=ON;"
		     "PRAGMA temp_store=MEMORY");
	return rc == VT_OK ? upgrade(q) : rc;
}

static void
disconnect(struct sq *q)
{
	int i;

	for (i = 0; i < ST_N; i++)
		(void)sqlite3_finalize(q->st[i]);
	memset(q->st, 0, sizeof(q->st));
	(void)sqlite3_close(q->db);
	q->db = NULL;
}

static void
sq_close(void *be)
{
	if (be != NULL)
		disconnect(be);
	free(be);
}

/* Nothing is written: what is in the WAL stays there. */
static void
sq_leave(void *be)
{
	struct sq *q = be;
	int on = 0;

	if (q->db != NULL)
		(void)sqlite3_db_config(
		    q->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &on);
	disconnect(q);
}

/* Make the file private before SQLite opens it; the WAL inherits its mode. */
static int
private_file(const char *path, int create)
{
	int fd = open(path, O_RDWR | create | O_NOFOLLOW | O_CLOEXEC, 0600), rc;

	if (fd == -1)
		return VT_E_SYS;
	rc = fchmod(fd, 0600) == 0 ? VT_OK : VT_E_SYS;
	(void)close(fd);
	return rc;
}

/* create: O_CREAT or 0. */
static int
connect_db(struct sq *q, int create, char *text)
{
	int rc;

	if (private_file(q->path, create) != VT_OK) {
		(void)snprintf(text, TEXT_MAX_LEN + 1, "%.150s: %s", q->path,
		    strerror(errno));
		return VT_E_SYS;
	}
	rc = sqlite3_open_v2(q->path, &q->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX |
		SQLITE_OPEN_PRIVATECACHE,
	    NULL);
	if (q->db == NULL) {
		(void)snprintf(text, TEXT_MAX_LEN + 1, "out of memory");
		return VT_E_NOMEM;
	}
	rc = rc == SQLITE_OK ? configure(q)
			     : fail(q, sqlite3_extended_errcode(q->db));
	if (rc == VT_OK)
		return VT_OK;
	(void)snprintf(
	    text, TEXT_MAX_LEN + 1, "%.100s: %.150s", q->path, q->words);
	sq_leave(q);
	return rc;
}

static int
sq_open(const char *dir, void **ret, char *text)
{
	struct sq *q = calloc(1, sizeof(*q));
	int rc;

	if (q == NULL) {
		(void)snprintf(text, TEXT_MAX_LEN + 1, "out of memory");
		return VT_E_NOMEM;
	}
	(void)snprintf(q->path, sizeof(q->path), "%s/store.db", dir);
	if ((rc = connect_db(q, O_CREAT, text)) != VT_OK) {
		sq_close(q);
		return rc;
	}
	*ret = q;
	return VT_OK;
}

/* A file that is missing is not made: its file system may be. */
static int
sq_again(void *be, char *text)
{
	return connect_db(be, 0, text);
}

static const char *
sq_words(const void *be)
{
	return ((const struct sq *)be)->words;
}

const struct store_ops store_sqlite = {
	.open = sq_open,
	.close = sq_close,
	.leave = sq_leave,
	.again = sq_again,
	.words = sq_words,
	.begin = sq_begin,
	.put = sq_put,
	.commit = sq_commit,
	.rollback = sq_rollback,
	.kv_get = sq_kv_get,
	.blob_get = sq_blob_get,
	.root_get = sq_root_get,
	.rows = sq_rows,
	.pages = sq_pages,
	.audit = sq_audit,
};
