#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# diskfull.sh - the disk of the state folder fills up: first no guest gets a new
# vTPM any more, then running guests live on the reserve, then their writes are
# refused in the TPM's own words, and nothing else of them suffers.
. "$(dirname "$0")/lib.sh"
need jq mkfs.ext4
guest=$B/tests/law3guest
[ "$(id -u)" = 0 ] || { echo "skip - a full disk: needs root, to mount one"
	exit 0; }

cleanup_more() { umount "$STATE" 2>/dev/null; }
truncate -s 96M "$T/disk"
mkfs.ext4 -q -m 0 "$T/disk"
if ! mount -o loop "$T/disk" "$STATE" 2>/dev/null &&
    ! mount -t tmpfs -o size=90m,mode=700 none "$STATE"; then
	not_ok "a small file system can be mounted"
	exit 1
fi
chmod 700 "$STATE"
free_mb() { df -m --output=avail "$STATE" | tail -1 | tr -d ' '; }
# Leave MB free; 0: take all there is.
fill() {
	local n
	n=$(($(free_mb) - $1))
	[ $n -le 0 ] || dd if=/dev/zero bs=1M count=$n status=none \
	    >>"$STATE/rubbish" 2>/dev/null
	[ "$1" -gt 0 ] ||
	    dd if=/dev/zero bs=4k status=none >>"$STATE/rubbish" 2>/dev/null
	sync -f "$STATE"
}
put() { "$guest" put "$RUN/alice.tpmif" "$1"; }
get() { "$guest" get "$RUN/alice.tpmif"; }
space() { jctl status | jq -r ".space.$1"; }

start_manager --pool 0 || { not_ok "the manager starts"; exit 1; }
ctl create alice >/dev/null && ctl start alice >/dev/null ||
    { not_ok "a guest starts"; exit 1; }
"$guest" define "$RUN/alice.tpmif" || not_ok "alice has an index"
ek=$(t2 alice tpm2_nvread 0x01c0000a -C o 2>/dev/null | sha256sum)
check "16 MB are kept in reserve" \
    [ "$(stat -c %b "$STATE/reserve")" -ge 32768 ]

# --- little room: only creation suffers ----------------------------------------
fill 10
refuse "little room: a new vTPM is refused" 'room|space|free' ctl create bob
same "little room: a running guest writes" 0x0 "$(put 1)"

# --- none at all: the reserve -----------------------------------------------------
fill 0
refuse "no room: a new vTPM is refused" 'room|space|full|free' ctl create bob
n=1
while [ $n -lt 600 ] && [ "$(stat -c %s "$STATE/reserve")" -gt 0 ]; do
	n=$((n + 1))
	[ "$(put $n)" = 0x0 ] || break
done
check "no room: a running guest's writes take the reserve" \
    [ "$(stat -c %s "$STATE/reserve")" = 0 ]
same "no room: they continue" 0x0 "$(put 1000)"
same "what was written is there" 1000 "$(get)"
refuse "reserve in use: a new vTPM is refused" 'room' ctl create bob
same "reserve in use: status says so" true "$(space reserve_used)"

# --- another program fills the reserve -----------------------------------------------
fill 2
check "nothing left: the manager says so" \
    wait_for 5 grep -q 'reserve is used up' "$LOG"
same "nothing left: a write is refused as NV_UNAVAILABLE" 0x923 "$(put 1001)"
check "nothing left: random numbers continue" t2 alice tpm2_getrandom --hex 8
check "nothing left: PCRs are read" t2 alice tpm2_pcrread sha256:0
check "nothing left: the guest is listed as running" sh -c \
    "'$B/vtpmctl' --run '$RUN' --json list | jq -e '.[0].state==\"running\"'"

# --- a manager that starts now ----------------------------------------------------------
stop_manager KILL
check "the manager starts on a full disk" start_manager --pool 0
check "and the guest is served" t2 alice tpm2_getrandom --hex 8

# --- room again -----------------------------------------------------------------------------
rm "$STATE/rubbish"
sync -f "$STATE"
wrote() { [ "$(put 5000)" = 0x0 ]; }
check "room again: writes continue" wait_for 15 wrote
check "room again: a new vTPM is made" wait_for 15 ctl create bob
check "and the reserve is there again" \
    [ "$(stat -c %s "$STATE/reserve")" = $((16 << 20)) ]
end_all
start_manager --pool 0 || not_ok "the manager starts again"
ctl start alice >/dev/null
same "after a restart the last write is there" 5000 "$(get)"
same "and the guest is who it was" "$ek" \
    "$(t2 alice tpm2_nvread 0x01c0000a -C o 2>/dev/null | sha256sum)"
