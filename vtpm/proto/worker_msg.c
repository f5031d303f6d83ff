/* SPDX-License-Identifier: BSD-3-Clause */
/* worker_msg.c - the fields of each message of worker_msg.h. */
#include "vtpm/proto/worker_msg.h"

#include "base/crypto.h"

#define ALL_LOCALITIES 0x1f /* bits 0..4 */
#define ALL_BANKS (BANK_SHA1 | BANK_SHA256 | BANK_SHA384 | BANK_SHA512)

/* clang-format off */
MSG_TABLE(zspawn,
	F_BYTES(zspawn, uuid),
	F_UINT(zspawn, uid),
	F_UINT(zspawn, gid),
	F_RANGE(zspawn, log_level, 0, 7),
	F_RANGE(zspawn, flags, 0, ZS_XEN));
MSG_TABLE(zspawned,
	F_UINT(zspawned, pid),
	F_TEXT(zspawned, text));
MSG_TABLE(zexited,
	F_UINT(zexited, pid),
	F_UINT(zexited, status));

MSG_TABLE(wprovision,
	F_RANGE(wprovision, tpm_version, TPM_VER_12, TPM_VER_20),
	F_RANGE(wprovision, banks, 0, ALL_BANKS),
	F_RANGE(wprovision, srk, WSRK_NONE, WSRK_RSA));
MSG_TABLE(wprovisioned,
	F_UINT(wprovisioned, rc),
	F_TEXT(wprovisioned, text),
	F_BLOB(wprovisioned, ek_rsa, 0, PUB_MAX_LEN),
	F_BLOB(wprovisioned, ek_ecc, 0, PUB_MAX_LEN),
	F_BLOB(wprovisioned, ak, 0, PUB_MAX_LEN));

static const struct msg_field cert_fields[] = {
	F_RANGE(wcert, which, WCERT_EK_RSA, WCERT_AK),
	F_BLOB(wcert, der, 0, CERT_MAX_LEN),
	F_END
};
MSG_TABLE(wcerts,
	F_BYTES(wcerts, uuid),
	F_TEXT(wcerts, name),
	F_UINT(wcerts, group),
	F_UINT(wcerts, generation),
	F_BYTES(wcerts, key),
	F_ARRAY(wcerts, n, certs, 0, cert_fields),
	F_BLOB(wcerts, issuer, 0, CERT_MAX_LEN));
MSG_TABLE(wakcert,
	F_BLOB(wakcert, der, 1, CHAIN_MAX_LEN),
	F_TAIL(wakcert, which, WCERT_EK_RSA, WCERT_EK_ECC, WCERT_AK));

MSG_TABLE(wload,
	F_BYTES(wload, uuid),
	F_TEXT(wload, name),
	F_RANGE(wload, tpm_version, TPM_VER_12, TPM_VER_20),
	F_RANGE(wload, flags, 0, WLOAD_CRASHED | WLOAD_ROOT),
	F_UINT(wload, group),
	F_UINT(wload, generation),
	F_UINT(wload, version),
	F_BYTES(wload, key),
	F_BLOB(wload, permanent, 0, STATE_MAX_LEN),
	F_BLOB(wload, volatile_, 0, STATE_MAX_LEN),
	F_BLOB(wload, launch, 0, 2 * RECORD_MAX_LEN + 16));
MSG_TABLE(wlaunch,
	F_RANGE(wlaunch, mode, LAUNCH_FIRMWARE, LAUNCH_DIRECT),
	F_BLOB(wlaunch, record, 0, RECORD_MAX_LEN),
	F_BLOB(wlaunch, log, 0, RECORD_MAX_LEN));

MSG_TABLE(wopen,
	F_RANGE(wopen, chan, CHAN_LOCAL, CHAN_XEN),
	F_RANGE(wopen, localities, 0, ALL_LOCALITIES),
	F_UINT(wopen, owner));
MSG_TABLE(wkeep,
	F_RANGE(wkeep, chan, CHAN_LOCAL, CHAN_XEN),
	F_RANGE(wkeep, localities, 0, ALL_LOCALITIES));
MSG_TABLE(wxen,
	F_RANGE(wxen, connect, 0, 1),
	F_RANGE(wxen, localities, 0, ALL_LOCALITIES),
	F_UINT(wxen, domid),
	F_UINT(wxen, gref),
	F_UINT(wxen, port),
	F_RANGE(wxen, resumed, 0, 1));
MSG_TABLE(wpage,
	F_UINT(wpage, domid),
	F_UINT(wpage, gref),
	F_UINT(wpage, port),
	F_UINT(wpage, local));

MSG_TABLE(wquery,
	F_UINT(wquery, what));
MSG_TABLE(wanswer,
	F_UINT(wanswer, rc),
	F_BLOB(wanswer, data, 0, STATE_MAX_LEN));
static const struct msg_field count_fields[] = {
	{ "", MSG_UINT, 0, sizeof(uint64_t), 0, 0, WSTATS_MAX, NULL },
	F_END,
};
static const struct msg_field times_fields[] = {
	F_RANGE(wtimes, sum_us, 0, WSTATS_MAX),
	F_ARRAY(wtimes, n, counts, HIST_BOUNDS + 1, count_fields),
	F_END,
};
MSG_TABLE(wstats,
	F_RANGE(wstats, commands, 0, WSTATS_MAX),
	F_RANGE(wstats, stores, 0, WSTATS_MAX),
	F_RANGE(wstats, held, 0, WSTATS_MAX),
	F_RANGE(wstats, refused, 0, WSTATS_MAX),
	F_RANGE(wstats, attaches_refused, 0, WSTATS_MAX),
	F_RANGE(wstats, auth_failures, 0, WSTATS_MAX),
	F_RANGE(wstats, lockouts, 0, WSTATS_MAX),
	F_RANGE(wstats, quiet_us, 0, WSTATS_MAX),
	F_ARRAY(wstats, n, times, WCLASSES, times_fields));
MSG_TABLE(wdone,
	F_UINT(wdone, rc),
	F_TEXT(wdone, text));
MSG_TABLE(wevent,
	F_RANGE(wevent, code, WE_POWER_CYCLE, WE_PAGE_WANTED),
	F_TEXT(wevent, text));

MSG_TABLE(wfacts,
	F_RANGE(wfacts, banks, 1, ALL_BANKS),
	F_BLOB(wfacts, ak, 1, PUB_MAX_LEN));
MSG_TABLE(wbanks,
	F_RANGE(wbanks, banks, 1, ALL_BANKS));

MSG_TABLE(wmanager,
	F_RANGE(wmanager, storage_ok, 0, 1),
	F_RANGE(wmanager, soft_root, 0, 1),
	F_RANGE(wmanager, no_growth, 0, 1),
	F_TEXT(wmanager, build));
MSG_TABLE(whello,
	F_BYTES(whello, uuid),
	F_UINT(whello, pid),
	F_UINT(whello, flags),
	F_UINT(whello, generation),
	F_UINT(whello, version),
	F_UINT(whello, power_cycles));
MSG_TABLE(wstore,
	F_RANGE(wstore, kind, SEAL_PERMANENT, SEAL_SNAP_VOLATILE),
	F_RANGE(wstore, flags, 0, WS_FIRST | WS_RESTORE),
	F_UINT(wstore, generation),
	F_UINT(wstore, version),
	F_BYTES(wstore, digest),
	F_BLOB(wstore, blob, 0, STATE_MAX_LEN));
MSG_TABLE(wstored,
	F_UINT(wstored, rc),
	F_UINT(wstored, version),
	F_UINT(wstored, generation));

MSG_TABLE(wdeep,
	F_UINT(wdeep, ticket),
	F_UINT(wdeep, flags),
	F_BYTES(wdeep, quote),
	F_BYTES(wdeep, channel_key),
	F_BYTES(wdeep, launch),
	F_BYTES(wdeep, journal),
	F_BLOB(wdeep, nonce, 0, WDEEP_NONCE_MAX));
MSG_TABLE(wdeeped,
	F_UINT(wdeeped, ticket),
	F_RC(wdeeped, rc),
	F_TEXT(wdeeped, text),
	F_BLOB(wdeeped, answer, 0, WDEEP_ANSWER_MAX));
/* clang-format on */

uint8_t
bank_of_alg(uint16_t alg)
{
	switch (alg) {
	case ALG_SHA1:
		return BANK_SHA1;
	case ALG_SHA256:
		return BANK_SHA256;
	case ALG_SHA384:
		return BANK_SHA384;
	case ALG_SHA512:
		return BANK_SHA512;
	default:
		return 0;
	}
}
