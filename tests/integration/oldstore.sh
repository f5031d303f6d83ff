#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# oldstore.sh - a store that an earlier manager wrote (tests/vectors/store):
# every guest, tenant and audit record is found in it, nothing is rewritten
# unless a guest changes it, and every guest starts as the one it was.
#
# One of its guests ran: the host seems to be in the boot of that time.
[ "$(id -u)" = 0 ] || { echo "skip - only root can be in that boot"; exit 0; }
[ -n "${OLDSTORE_BOOT:-}" ] || OLDSTORE_BOOT=its exec unshare --mount "$0"
. "$(dirname "$0")/lib.sh"
need jq sqlite3 tpm2_createek tpm2_nvread tpm2_readpublic xz
guest=$B/tests/law3guest
vector=$top/tests/vectors/store
want=$vector/v1.json
cd "$T" || exit 1
printf 'pool = 0\nak_cert_days = 3650\n' >conf
up() { start_manager --config conf; }
wanted() { jq -r "$1" "$want"; }
of() { wanted ".guests[] | select(.name == \"$1\") | .$2"; }
sql() { sqlite3 "$STATE/store.db" "$1"; }

tar -C "$STATE" -xJf "$vector/v1.tar.xz" || { not_ok "the vector"; exit 1; }
chown -R "$(id -u):$(id -g)" "$STATE"
sql "SELECT val FROM kv WHERE key = 'boot_id'" >boot_id
mount --bind boot_id /proc/sys/kernel/random/boot_id ||
    { not_ok "the boot of that time"; exit 1; }

# What lies on disk, but for what every start changes (the count of starts, the
# software root's state) and for carol, who runs.
C=$(sql "SELECT slot FROM vtpm WHERE name = 'carol'")
on_disk() {
	# An older format gets new columns, in which nothing is said.
	sql .schema | sed 's/, owner INTEGER NOT NULL DEFAULT 0);/);/'
	sql "PRAGMA application_id"
	sql "SELECT key, hex(val) FROM kv WHERE key NOT IN
	    ('epoch', 'softroot.state', 'softroot.boot') ORDER BY key"
	sqlite3 -quote "$STATE/store.db" \
	    "SELECT $columns FROM vtpm WHERE slot <> $C ORDER BY slot"
	sql "SELECT id, hex(data) FROM blob WHERE id / 16 <> $C ORDER BY id"
	# The tree: its only page, 16 times leaf[32] and label[80].
	sql "SELECT id, length(data), hex(substr(data, 1, $C * 112)),
	    hex(substr(data, $C * 112 + 33)) FROM page ORDER BY id"
	sql "SELECT id, hex(substr(data, 1, 6)), length(data) FROM root"
	sql "SELECT * FROM audit WHERE seq <= $(wanted '.audit | length')"
}
columns=$(sql "SELECT group_concat(name) FROM pragma_table_info('vtpm')")
on_disk >before
same "the vector has six places, one of them given up" "6 1" \
    "$(sql 'SELECT max(slot) + 1 FROM vtpm') $(sql \
	"SELECT count(*) FROM page WHERE hex(data) LIKE '%' ||
	    replace(hex(zeroblob(32)), '00', '54') || '%'")"

# --- found ----------------------------------------------------------------------
check "an old store is opened" up || exit 1
check "without a word of tampering or repair" \
    eval '! grep -aiE "tamper|backup|changed|recover|format" "$LOG"'
for n in $(jctl list | jq -r '.[].name'); do jctl show "$n"; done |
    jq -s -f "$vector/guests.jq" >guests
check "every guest is there with its keys and certificates" \
    eval 'wanted .guests | diff - guests'
same "none of them is marked" "running stopped" \
    "$(jctl list | jq -r '[.[].state] | unique | join(" ")')"
jctl group list | jq 'map({number, name, key, ak_public, configuration})' \
    >groups
check "every tenant is there with its signed configuration" \
    eval 'wanted .groups | diff - groups'
same "the CA is the one that certified them" "$(wanted .ca)" \
    "$(jctl status | jq -r .ca_certificate)"
jctl audit --max 1000 | jq --slurpfile w "$want" '.[:$w[0].audit | length] |
    map({seq, who, action, object, result, hash})' >audit
check "the audit chain continues where it was" \
    eval 'wanted .audit | diff - audit && ctl audit'

# --- untouched ------------------------------------------------------------------
check "the guest that ran is back, its PCRs capped" \
    wait_for 20 eval 'jctl show carol | jq -e .worker.capped'
stop_manager
end_all
on_disk >after
check "closed again, nothing else was written" diff before after
same "no guest got an owner by it" 0 "$(sql 'SELECT max(owner) FROM vtpm')"
same "the format is the newest" 2 "$(sql 'PRAGMA user_version')"

# --- started --------------------------------------------------------------------
check "it is opened a second time" up || exit 1
for n in alice bob dave; do
	check "$n starts" ctl start $n
	t2 $n tpm2_startup -c
	t2 $n tpm2_createek -G ecc -c ek.ctx -u ek.pub >/dev/null &&
	    t2 $n tpm2_readpublic -c ek.ctx -n ek.name >/dev/null
	t2 $n tpm2_flushcontext -t
	t2 $n tpm2_readpublic -c 0x81000003 -n ak.name >/dev/null
	same "$n has the EK that its seed makes" "$(of $n ek_ecc_name)" \
	    "$(xxd -p -c 99 ek.name)"
	same "$n has its AK" "$(of $n ak_name)" "$(xxd -p -c 99 ak.name)"
	t2 $n tpm2_nvread 0x01c0000a -C o >ek.cert
	same "$n has its EK certificate in NV" "$(of $n ek_ecc_certificate)" \
	    "$(openssl x509 -inform der -in ek.cert)"
done
same "alice's write is there" "$(wanted .nv.alice)" \
    "$("$guest" get "$RUN/alice.tpmif")"
same "bob's write is there" "$(wanted .nv.bob)" \
    "$(t2 bob tpm2_nvread 0x1800001 -C o)"
check "and can write again" "$guest" put "$RUN/alice.tpmif" 4712
check "the TPM 1.2 starts" ctl start old
"$B/tests/ringcmd" "$RUN/old.tpmif" 00c10000000c000000990001 \
    "00c10000001e0000007c$(printf '%040d' 0)" >pubek
check "with the EK that it had" grep -qi "$(of old ek_rsa)" pubek

# --- and it stays good ------------------------------------------------------------
end_all
check "it is opened a third time" up
same "no vTPM is marked" "" \
    "$(jctl list | jq -r '.[] | select(.state == "tampered").name')"
check "alice starts" ctl start alice
t2 alice tpm2_startup -c
same "with her newest number" 4712 "$("$guest" get "$RUN/alice.tpmif")"
check "the audit log is whole" ctl audit
