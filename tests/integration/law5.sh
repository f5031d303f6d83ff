#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# law5.sh - laws 2 and 5: an attacker changed the store while the
# manager was down.  The damaged guest is refused, by name and with the reason;
# the others start with the identity that they had; no guest gets a new one.
. "$(dirname "$0")/lib.sh"
need jq sqlite3 tpm2_createek tpm2_nvread
guest=$B/tests/law3guest
NAMES="alice bob carol dave"

sql() { sqlite3 "$STATE/store.db" "$@"; }
slot() { sqlite3 "$T/good/store.db" "SELECT slot FROM vtpm WHERE name='$1'"; }
keep() { rm -rf "${T:?}/$1" && cp -a "$STATE" "$T/$1"; }
put_back() { rm -rf "$STATE" && cp -a "$T/$1" "$STATE"; }
# What a guest is: its EK, made from its seed, and the EK's certificate.
identity() { # GUEST
	t2 "$1" tpm2_createek -G ecc -c "$T/ek.ctx" -u "$T/ek.pub" \
	    >/dev/null 2>&1 || { echo "no EK"; return; }
	t2 "$1" tpm2_flushcontext -t >/dev/null 2>&1
	t2 "$1" tpm2_nvread 0x01c0000a -C o >"$T/ek.cert" 2>/dev/null
	[ -s "$T/ek.cert" ] || { echo "no certificate"; return; }
	cat "$T/ek.pub" "$T/ek.cert" | sha256sum
}
declare -A id
down() { # every vTPM stopped, then the manager, in order
	local n
	for n in $NAMES; do ctl stop "$n" >/dev/null 2>&1; done
	end_all
}
# refused GUEST TEXT WORDS: start and create say no, the list says why.
refused() {
	refuse "$2: start is refused" "$1.*($3)" ctl start "$1"
	refuse "$2: no new $1 is made" "$1" ctl create "$1"
	same "$2: it is listed as tampered" tampered \
	    "$(jctl list | jq -r ".[]|select(.name==\"$1\").state")"
}
# The others have what they had.
sound() { # TEXT GUEST...
	local n is text=$1
	shift
	for n; do
		ctl start "$n" >/dev/null 2>&1
		is=$(identity "$n")
		if [ "$is" != "${id[$n]}" ] || [ "${is#no }" != "$is" ]; then
			not_ok "$text: $n has its identity: $is"
			return
		fi
	done
	ok "$text: $* have their identity"
}
up() { start_manager --pool 0 || not_ok "$1: the manager starts"; }

# --- four guests, and an older copy of the store ------------------------------
start_manager --pool 0 || { not_ok "the manager starts"; exit 1; }
for n in $NAMES; do
	ctl create $n >/dev/null && ctl start $n >/dev/null ||
	    not_ok "$n starts"
	"$guest" define "$RUN/$n.tpmif" || not_ok "$n has an index"
	"$guest" put "$RUN/$n.tpmif" 1 >/dev/null
	id[$n]=$(identity $n)
done
check "four guests have identities of their own" \
    [ "$(printf '%s\n' "${id[@]}" | grep -v '^no' | sort -u | wc -l)" = 4 ]
[ "${id[dave]#no}" = "${id[dave]}" ] || exit 1
down
keep old
up "again"
sound "untouched" $NAMES
"$guest" put "$RUN/alice.tpmif" 2 >/dev/null
down
keep good
A=$(slot alice)
C=$(slot bob)

# --- deleted, cut, changed -----------------------------------------------------
sql "DELETE FROM blob WHERE id=16*$A"
up "state deleted"
refused alice "state deleted" 'missing'
sound "state deleted" bob carol dave
check "a refused guest can be destroyed on purpose" ctl destroy alice
same "then it is gone" 0 "$(jctl list | jq '[.[]|select(.name=="alice")]|length')"
down
put_back good

sql "DELETE FROM vtpm WHERE slot=$A; DELETE FROM blob WHERE id/16=$A"
up "all rows deleted"
refused alice "all rows deleted" 'missing'
down
put_back good

sql "UPDATE blob SET data=substr(data,1,length(data)/2) WHERE id=16*$A"
up "state cut"
refused alice "state cut" 'changed|cut'
down
put_back good

# One bit each, at the start, in the header, in the text, in the tag.
flip() { # GUEST OFFSET
	local s h
	s=$(slot "$1")
	h=$(sqlite3 "$T/good/store.db" \
	    "SELECT hex(substr(data,$2+1,1)) FROM blob WHERE id=16*$s")
	h=$(printf '%02x' $((0x$h ^ (1 << ($2 % 8)))))
	sql "UPDATE blob SET data=CAST(substr(data,1,$2)||x'$h'||
	    substr(data,$2+2) AS BLOB) WHERE id=16*$s"
}
len=$(sql "SELECT length(data) FROM blob WHERE id=16*$A")
flip alice 0
flip bob 20
flip carol $((len / 2))
flip dave $((len - 1))
up "bits flipped"
for n in $NAMES; do refused $n "bit flipped" 'changed'; done
down
put_back good

# --- swapped between two guests ------------------------------------------------
swap="UPDATE blob SET id=id+1000000 WHERE id/16=$A;
    UPDATE blob SET id=id+16*($A-$C) WHERE id/16=$C;
    UPDATE blob SET id=id-1000000+16*($C-$A) WHERE id>=1000000;"
sql "$swap"
up "states swapped"
refused alice "states swapped" 'swapped'
refused bob "states swapped" 'swapped'
sound "states swapped" carol dave
down
put_back good

sql "$swap UPDATE vtpm SET slot=slot+1000 WHERE slot=$A;
    UPDATE vtpm SET slot=$A WHERE slot=$C;
    UPDATE vtpm SET slot=$C WHERE slot=$A+1000;"
up "rows swapped too"
refused alice "rows swapped too" 'swapped'
refused bob "rows swapped too" 'swapped'
down
put_back good

# --- an older copy put back -----------------------------------------------------
old_rows="ATTACH '$T/old/store.db' AS o;
    REPLACE INTO blob SELECT * FROM o.blob WHERE id/16=$A;
    REPLACE INTO vtpm SELECT * FROM o.vtpm WHERE slot=$A;"
sql "$old_rows"
up "old copy of one guest"
refused alice "old copy of one guest" 'older'
sound "old copy of one guest" bob carol dave
down
put_back good

sql "$old_rows REPLACE INTO page SELECT * FROM o.page"
up "old copy with its page of the tree"
refused alice "old copy with its page of the tree" 'older'
down
put_back good

sql "$old_rows REPLACE INTO root SELECT * FROM o.root"
up "old copy with an old root"
refused alice "old copy with an old root" 'older'
down
put_back good

# --- the root, the whole database ------------------------------------------------
sql "UPDATE root SET data=zeroblob(length(data))"
up "root wiped"
check "root wiped: the manager says so" grep -q 'tampered' "$LOG"
refused alice "root wiped" 'root'
refused dave "root wiped" 'root'
down
put_back good

cp "$T/old/store.db" "$STATE/store.db"
rm -f "$STATE/store.db-wal"
if start_manager --pool 0 >/dev/null 2>&1; then
	not_ok "an older database alone does not start"
else ok "an older database alone does not start"; fi
check "and it says what to do" grep -q 'backup' "$LOG"
rm -f "$STATE"/store.db*
if start_manager --pool 0 >/dev/null 2>&1; then
	not_ok "a database that is gone is not a new store"
else ok "a database that is gone is not a new store"; fi
put_back good

# --- the audit log ----------------------------------------------------------------
sql "DELETE FROM audit WHERE seq=2"
up "audit record removed"
check "audit record removed: the manager says so" \
    grep -q 'record 2 is missing' "$LOG"
refuse "audit record removed: the listing stops there" 'record 2' ctl audit
sound "audit record removed" alice
down
put_back good

# --- and with everything put back, all is well --------------------------------------
up "put back"
sound "put back" $NAMES
same "alice has her newest number" 2 "$("$guest" get "$RUN/alice.tpmif")"
check "the audit log is whole" ctl audit
stop_manager TERM
