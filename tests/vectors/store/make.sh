#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# make.sh - record a state folder as a test vector.
#
#   B=build tests/vectors/store/make.sh NAME
#
# Writes NAME.tar.xz (the folder) and NAME.json (what must be found in it) next
# to this script.  v1 was recorded with the build of commit b914f82.  Never
# record v1 again: its point is that today's manager did not write it.  When a
# format changes, record the next vector with the last manager that wrote the
# old one.
. "$(dirname "$0")/../../integration/lib.sh"
. "$top/tests/integration/bootlib.sh"
need jq openssl qemu-system-x86_64 sqlite3 tpm2_createek tpm2_nvwrite xz
guest=$B/tests/law3guest
out=$(cd "$(dirname "$0")" && pwd)/${1:?usage: make.sh NAME}
cd "$T" || exit 1
must() { "$@" >"$T/out" 2>&1 || { not_ok "$*"; cat "$T/out"; exit 1; }; }

openssl ecparam -name prime256v1 -genkey -noout -out red.pem
openssl pkey -in red.pem -pubout -out red.pub
# Certificates that live for years, so that none is renewed when this store is
# opened years later.
printf 'pool = 0\nak_cert_days = 3650\n' >conf
must start_manager --config conf

# A tenant with a signed configuration.
must ctl group create red --key red.pub
must ctl group sign --key red.pem --number 1 --sequence 3 \
    --pcrs sha256:0-7 --admin daemon --policy web-2026 -o red.conf
must ctl group update red --config red.conf

# alice booted, and wrote an index; bob is red's and has three banks; old is a
# TPM 1.2; dave was never started; gone was destroyed, so that its slot is a
# tombstone below theirs.
must ctl create alice
must ctl create gone
must ctl create bob --banks sha256,sha384,sha512 --group red
must ctl create old --tpm 1.2
must ctl create carol
must ctl create dave
must ctl start alice
must boot alice
must "$guest" define "$RUN/alice.tpmif"
must "$guest" put "$RUN/alice.tpmif" 4711
must ctl start bob
must t2 bob tpm2_startup -c
must t2 bob tpm2_nvdefine 0x1800001 -C o -s 16 -a "ownerread|ownerwrite"
printf 'kept by bob 2026' >nv
must t2 bob tpm2_nvwrite 0x1800001 -C o -i nv
must t2 bob tpm2_pcrextend "16:sha384=$(printf '%096d' 1)"
must ctl start old
must "$B/tests/ringcmd" "$RUN/old.tpmif" 00c10000000c000000990001
must ctl destroy gone --force
for n in alice bob old; do must ctl stop $n; done

# carol was launched by QEMU; the host then crashes under her, so the folder
# holds her launch record and her event log, and says that she runs.
head -c 16384 /dev/zero >kernel
put() { printf "$2" | dd of=kernel bs=1 seek=$(($1)) conv=notrunc status=none; }
put 0x1f1 '\001'
put 0x1fe '\125\252'
put 0x202 'HdrS'
put 0x206 '\002\002'
ctl launch qemu carol -- qemu-system-x86_64 -M q35 -accel tcg -m 64 \
    -display none -nodefaults -S -name carol -kernel kernel -append quiet \
    >qemu.out 2>&1 </dev/null &
Q=$!
must wait_for 20 eval 'jctl show carol | jq -e .worker.channel_open'
guests=$(for n in $(jctl list | jq -r '.[].name'); do jctl show "$n"; done |
    jq -s -f "$(dirname "$out")/guests.jq")
audit=$(jctl audit | jq 'map({seq, who, action, object, result, hash})')
groups=$(jctl group list |
    jq 'map({number, name, key, ak_public, configuration})')
ca=$(jctl status | jq -r .ca_certificate)
worker=$(worker_pid carol)
slay "$MPID"
wait "$MPID" 2>/dev/null
MPID=
slay "$worker"
slay "$Q"
stop_all

# Only what counts, in the fewest bytes.
sqlite3 "$STATE/store.db" "PRAGMA wal_checkpoint(TRUNCATE);" >/dev/null
rm -f "$STATE/reserve" "$STATE/lock" "$STATE"/store.db-*
jq -n --argjson guests "$guests" --argjson audit "$audit" \
    --argjson groups "$groups" --arg ca "$ca" \
    --arg schema "$(sqlite3 "$STATE/store.db" .schema)" \
    '{ca: $ca, schema: $schema, guests: $guests, groups: $groups,
	audit: $audit, nv: {alice: 4711, bob: "kept by bob 2026"}}' >"$out.json"
sqlite3 "$STATE/store.db" VACUUM
tar -C "$STATE" --sort=name --owner=0 --group=0 --numeric-owner -cf - . |
    xz -9e >"$out.tar.xz"
ls -l "$out.tar.xz" "$out.json"
