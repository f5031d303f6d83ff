/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmback/swtpm/control.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#define INFO_MAX 16384 /* bytes of JSON */

struct call {
	struct chan *ch;
	const struct chan_host *host;
	void *arg;
	uint8_t localities;
	struct swtpm_conn *c;
	const struct swtpm_req *q;
	struct wr *w;
};

typedef enum swtpm_after (*swtpm_fn)(const struct call *k);

static enum swtpm_after
answer(const struct call *k, uint32_t result)
{
	wr_be32(k->w, result);
	return SA_NOTHING;
}

/* A migration destination has a TPM only after INIT. */
static bool
is_on(const struct call *k)
{
	return k->host->powered(k->arg) && swtpm_may_use(swtpm_of(k->ch), k->c);
}

/* A hypervisor has powered it on.  One that is on since vtpmctl start is off
 * for the requests that prepare an INIT, as swtpm's is before the first. */
static bool
is_begun(const struct call *k)
{
	return is_on(k) && (k->c->inited || swtpm_of(k->ch)->begun);
}

static bool
granted(const struct call *k)
{
	return k->q->locality <= 4 &&
	       (k->localities & (1u << k->q->locality)) != 0;
}

static enum swtpm_after
get_capability(const struct call *k)
{
	wr_be32(k->w, SR_SUCCESS);
	wr_be32(k->w, SWTPM_CAPS);
	return SA_NOTHING;
}

/* INIT of a migration destination: only after it loaded a state. */
static enum swtpm_after
init_incoming(const struct call *k)
{
	uint32_t rc;

	if (!k->c->staged) {
		swtpm_note(swtpm_of(k->ch), &k->c->peer, CN_BUSY,
		    "INIT refused: another hypervisor has the TPM, and this "
		    "one brought no state to go on with");
		return answer(k, SR_FAIL);
	}
	rc = k->host->take_over(k->arg);
	(void)answer(k, rc);
	return rc == SR_SUCCESS ? SA_TAKE_OVER : SA_NOTHING;
}

/* The TPM goes to the connection that says INIT first. */
static enum swtpm_after
init(const struct call *k)
{
	uint32_t rc;

	if (!k->c->inited && !k->host->claim(k->arg, k->ch)) {
		swtpm_note(swtpm_of(k->ch), &k->c->peer, CN_BUSY,
		    "INIT refused: the TPM is in use through another channel");
		return answer(k, SR_FAIL);
	}
	if (k->c->incoming)
		return init_incoming(k);
	if (k->host->powered(k->arg))
		(void)k->host->power_off(k->arg);
	rc = k->host->power_on(
	    k->arg, (k->q->flags & SWTPM_INIT_DELETE_VOLATILE) != 0);
	(void)answer(k, rc);
	swtpm_of(k->ch)->begun = rc == SR_SUCCESS;
	return rc == SR_SUCCESS && !k->c->inited ? SA_TAKE_OVER : SA_NOTHING;
}

static enum swtpm_after
stop(const struct call *k)
{
	if (!is_on(k))
		return answer(k, SR_SUCCESS);
	swtpm_of(k->ch)->begun = false;
	return answer(k, k->host->power_off(k->arg));
}

static enum swtpm_after
shut_down(const struct call *k)
{
	if (!swtpm_may_use(swtpm_of(k->ch), k->c))
		return answer(k, SR_SUCCESS);
	/* A migration failed: the source goes on with the TPM. */
	if (swtpm_of(k->ch)->source != NULL)
		return answer(k, SR_SUCCESS);
	swtpm_of(k->ch)->begun = false;
	return answer(k, k->host->shutdown(k->arg));
}

/* Also while off: cloud-hypervisor asks before it sends INIT. */
static enum swtpm_after
get_established(const struct call *k)
{
	bool bit = false;
	uint32_t rc = SR_SUCCESS;

	if (is_on(k))
		rc = k->host->get_established(k->arg, &bit);
	wr_be32(k->w, rc);
	wr_be32(k->w, bit ? 0x01000000 : 0); /* u8 bit, three of padding */
	return SA_NOTHING;
}

static enum swtpm_after
reset_established(const struct call *k)
{
	if (!granted(k))
		return answer(k, SR_BAD_LOCALITY);
	return answer(k, k->host->reset_established(k->arg, k->q->locality));
}

/*
 * QEMU sets the locality that its guest asks for through TIS.  One that
 * software may use on a PC but that is not granted here is accepted, and each
 * command at it is answered TPM_RC_LOCALITY: a TPM's own answer, which
 * firmware handles.  QEMU turns an error here into a TPM failure, and SeaBIOS
 * then deactivates a TPM 1.2.  Locality 4 is reserved for the host's hardware.
 */
static enum swtpm_after
set_locality(const struct call *k)
{
	if (k->q->locality > 3 && !granted(k))
		return answer(k, SR_BAD_LOCALITY);
	k->c->st->locality = k->q->locality;
	return answer(k, SR_SUCCESS);
}

/* The host refuses these once it has measured a launch (law 6). */
static enum swtpm_after
hash(const struct call *k)
{
	if (k->q->op == SO_HASH_START)
		return answer(k, k->host->hash_start(k->arg));
	if (k->q->op == SO_HASH_DATA)
		return answer(
		    k, k->host->hash_data(k->arg, k->q->body, k->q->bodylen));
	return answer(k, k->host->hash_end(k->arg));
}

/* With a command in hand the channel has already done it. */
static enum swtpm_after
nothing_to_do(const struct call *k)
{
	return answer(k, SR_SUCCESS);
}

static uint32_t
begin_blob(const struct call *k)
{
	uint8_t *p = NULL;
	size_t len = 0;
	uint32_t rc;

	swtpm_conn_drop_blob(k->c);
	rc = k->host->get_blob(k->arg, (enum chan_blob)k->q->type, &p, &len);
	if (rc != SR_SUCCESS || len > SWTPM_BLOB_MAX) {
		free(p);
		return rc != SR_SUCCESS ? rc : (uint32_t)SR_FAIL;
	}
	k->c->blob = p;
	k->c->blob_len = len;
	k->c->blob_type = k->q->type;
	return SR_SUCCESS;
}

/*
 * The whole rest in one answer, as QEMU requires.  A client that reads in
 * pieces gets them from the one snapshot made for offset 0.
 */
static enum swtpm_after
get_stateblob(const struct call *k)
{
	const struct swtpm_req *q = k->q;
	struct swtpm_conn *c = k->c;
	uint32_t rc = SR_SUCCESS;
	size_t n = 0;

	if (q->type < BLOB_PERMANENT || q->type > BLOB_SAVESTATE)
		rc = SR_BAD_PARAMETER;
	else if (q->offset == 0)
		rc = begin_blob(k);
	else if (c->blob_type != q->type || q->offset > c->blob_len)
		rc = SR_BAD_PARAMETER;
	if (rc == SR_SUCCESS)
		n = c->blob_len - q->offset;
	wr_be32(k->w, rc);
	wr_be32(k->w, rc == SR_SUCCESS ? SWTPM_STATE_ENCRYPTED : 0);
	wr_be32(k->w, rc == SR_SUCCESS ? (uint32_t)c->blob_len : 0);
	wr_be32(k->w, (uint32_t)n);
	if (n > 0)
		wr_bytes(k->w, c->blob + q->offset, n);
	return SA_NOTHING;
}

static enum swtpm_after
set_stateblob(const struct call *k)
{
	const struct swtpm_req *q = k->q;
	uint32_t rc;

	if (q->type < BLOB_PERMANENT || q->type > BLOB_SAVESTATE)
		return answer(k, SR_BAD_PARAMETER);
	if (q->bodylen == 0) /* QEMU had no state to save */
		return answer(k, SR_SUCCESS);
	if (!swtpm_may_stage(swtpm_of(k->ch), k->c))
		return answer(k, SR_FAIL);
	if (!k->c->incoming && is_on(k))
		(void)k->host->power_off(k->arg); /* not begun */
	rc = k->host->set_blob(k->arg, (enum chan_blob)q->type, k->c->incoming,
	    q->body, q->bodylen);
	if (k->c->incoming && q->type == BLOB_PERMANENT)
		k->c->staged = rc == SR_SUCCESS;
	return answer(k, rc);
}

static enum swtpm_after
get_config(const struct call *k)
{
	wr_be32(k->w, SR_SUCCESS);
	wr_be32(k->w, 3); /* sealed at rest, sealed on the move */
	return SA_NOTHING;
}

static enum swtpm_after
set_datafd(const struct call *k)
{
	struct swtpm_conn *c = k->c;
	struct stat sb;

	if (c->passed == -1 || c->data.fd != -1)
		return answer(k, SR_IOERROR);
	if (fstat(c->passed, &sb) == -1 || !S_ISSOCK(sb.st_mode))
		return answer(k, SR_BAD_PARAMETER);
	c->data.fd = c->passed;
	c->passed = -1;
	(void)answer(k, SR_SUCCESS);
	return SA_DATA;
}

/* 0 is a query; a change requires that the TPM is off. */
static enum swtpm_after
set_buffersize(const struct call *k)
{
	uint32_t now = 0, min = 0, max = 0, rc;
	uint32_t want = k->q->size;

	if (want != 0 && is_begun(k))
		return answer(k, SR_BAD_ORDINAL);
	if (k->host->powered(k->arg)) /* another front half uses it */
		want = 0;
	rc = k->host->buffer_size(k->arg, want, &now, &min, &max);
	/* A hypervisor forwards at most what it requested or received. */
	if (rc == SR_SUCCESS && now <= CHAN_CMD_MAX)
		k->c->st->cmd_max =
		    k->q->size >= min && k->q->size < now ? k->q->size : now;
	wr_be32(k->w, rc);
	wr_be32(k->w, now);
	wr_be32(k->w, min);
	wr_be32(k->w, max);
	return SA_NOTHING;
}

static enum swtpm_after
get_info(const struct call *k)
{
	char *json = calloc(1, INFO_MAX);
	uint32_t rc = SR_FAIL;
	size_t total = 0, n = 0;

	if (json != NULL)
		rc = k->host->info_json(k->arg, k->q->info, json, INFO_MAX);
	if (rc == SR_SUCCESS) {
		total = strnlen(json, INFO_MAX - 1) + 1;
		if (k->q->offset >= total)
			rc = SR_BAD_PARAMETER;
		else
			n = total - k->q->offset;
	}
	if (n > SWTPM_INFO_CHUNK)
		n = SWTPM_INFO_CHUNK;
	wr_be32(k->w, rc); /* alone, if it is an error */
	if (rc == SR_SUCCESS) {
		wr_be32(k->w, (uint32_t)total);
		wr_be32(k->w, (uint32_t)n);
		wr_bytes(k->w, json + k->q->offset, n);
	}
	free(json);
	return SA_NOTHING;
}

/* While the TPM is off, on since vtpmctl start, on by an INIT; a migration
 * destination. */
enum { OFF = 1, IDLE = 2, BEGUN = 4, IN = 8, ON = IDLE | BEGUN };

static const struct {
	swtpm_fn fn; /* NULL: not offered */
	uint8_t when;
} table[SO_LAST + 1] = {
	[SO_GET_CAPABILITY] = { get_capability, OFF | ON | IN },
	[SO_INIT] = { init, OFF | ON | IN },
	[SO_SHUTDOWN] = { shut_down, OFF | ON | IN },
	[SO_GET_ESTABLISHED] = { get_established, OFF | ON | IN },
	[SO_SET_LOCALITY] = { set_locality, OFF | ON | IN },
	[SO_HASH_START] = { hash, ON },
	[SO_HASH_DATA] = { hash, ON },
	[SO_HASH_END] = { hash, ON },
	[SO_CANCEL] = { nothing_to_do, OFF | ON | IN },
	[SO_RESET_ESTABLISHED] = { reset_established, ON },
	[SO_GET_STATEBLOB] = { get_stateblob, ON },
	[SO_SET_STATEBLOB] = { set_stateblob, OFF | IDLE | IN },
	[SO_STOP] = { stop, OFF | ON | IN },
	[SO_GET_CONFIG] = { get_config, OFF | ON | IN },
	[SO_SET_DATAFD] = { set_datafd, OFF | ON | IN },
	[SO_SET_BUFFERSIZE] = { set_buffersize, OFF | ON | IN },
	[SO_GET_INFO] = { get_info, OFF | ON | IN },
	[SO_LOCK_STORAGE] = { nothing_to_do, OFF | ON | IN },
};

/* After these the state is no longer the one that a migration brought. */
static bool
uses_tpm(uint32_t op)
{
	return op == SO_INIT || op == SO_STOP || op == SO_HASH_START ||
	       op == SO_HASH_DATA || op == SO_HASH_END ||
	       op == SO_RESET_ESTABLISHED;
}

enum swtpm_after
swtpm_ctl_handle(struct chan *ch, uint8_t localities, struct swtpm_conn *c,
    const struct swtpm_req *q, struct wr *w)
{
	const struct call k = { ch, ch->host, ch->host_arg, localities, c, q,
		w };
	uint8_t now;

	if (q->op > SO_LAST || table[q->op].fn == NULL)
		return answer(&k, SR_BAD_ORDINAL);
	if (c->inited && uses_tpm(q->op))
		swtpm_settle(swtpm_of(ch));
	now = c->incoming ? IN : !is_on(&k) ? OFF : is_begun(&k) ? BEGUN : IDLE;
	if ((table[q->op].when & now) == 0)
		return answer(&k, SR_BAD_ORDINAL);
	return table[q->op].fn(&k);
}
