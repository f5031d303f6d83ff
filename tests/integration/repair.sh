#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# repair.sh - what the host, or the guest itself, does to a vTPM that must stay
# usable: crashes while keys with passwords are in use, TPM2_Clear, an AK that is
# evicted, other PCR banks.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
need jq tpm2_create tpm2_createprimary tpm2_evictcontrol tpm2_clear

printf 'crash_limit = 100\n' >"$T/conf"
start_manager --config "$T/conf" --pool 0 || { not_ok "a manager"; exit 1; }

running() { [ "$(jctl show "$1" | jq -r .state)" = running ]; }
# Another worker than PID runs the guest.
another() { running "$1" && [ "$(worker_pid "$1")" != "$2" ]; }
lockout() { # of a TPM that its first command has started
	t2 "$1" tpm2_getrandom 1 >/dev/null 2>&1
	jctl show "$1" | jq -c .worker.info.lockout
}

# --- crashes while a key with a password is in use ---------------------------
K=0x81008000
use() { t2 g tpm2_create -Q -C $K -P "$1" -u "$T/u" -r "$T/r"; }
kill_worker() {
	local w
	w=$(worker_pid g)
	kill -"$1" "$w"
	wait_for 10 another g "$w"
}
crash() {
	case $1 in
	kill) kill_worker KILL ;;
	term) kill_worker TERM ;;
	force) ctl stop --force g && ctl start g ;;
	host)
		stop_manager KILL
		for p in $(our_workers); do kill -KILL "$p"; done
		start_manager --config "$T/conf" --pool 0 &&
		    wait_for 10 running g
		;;
	esac
}
ctl create g >/dev/null
check "a guest starts" ctl start g
t2 g tpm2_createprimary -Q -C o -p secret -c "$T/p.ctx"
check "it keeps a key with a password" \
    t2 g tpm2_evictcontrol -Q -C o -c "$T/p.ctx" $K
t2 g tpm2_flushcontext -t
n=0
for how in kill term force host kill term host kill kill force host term; do
	if use secret && crash $how; then n=$((n + 1)); fi
done >"$T/out" 2>&1
same "after each of 12 crashes the key can be used" 12 "$n"
same "none of them counts as a wrong password" \
    '{"locked":false,"wrong":0,"max":32,"recovery_s":600}' "$(lockout g)"
check "the key can be used at the end" use secret

n=0
for how in kill host term force; do
	use wrong || n=$((n + 1))
	crash $how
done >"$T/out" 2>&1
same "wrong passwords are refused" 4 "$n"
same "they stay counted over crashes" 4 "$(lockout g | jq .wrong)"
for _ in $(seq 30); do use wrong; done >/dev/null 2>&1
crash kill
refuse "so a search locks the key" 'lockout|0x921' use secret
same "show says that it is locked" true "$(lockout g | jq .locked)"
check "in text, too" sh -c "'$B/vtpmctl' --run '$RUN' show g |
    grep -q '^Lockout .*LOCKED'"

# --- a TPM that was cleared --------------------------------------------------
name() { jctl show "$1" | jq -r "$2.name"; }
handles() { t2 "$1" tpm2_getcap handles-persistent | xargs; }
N=00112233445566778899aabbccddeeff
attest() {
	"$B/vtpm-attest" --tcti "$(tcti "$1")" --nonce $N --log "$GOOD_LOG" \
	    -o "$T/e.json"
}
# Boots, and a verifier accepts its evidence.
accepted() {
	boot "$1" && attest "$1" &&
	    "$B/vtpm-verify" -e "$T/e.json" --nonce $N --ca "$T/ca.pem" \
		--policy "$T/policy.json" --uuid "$uuid"
}
# The manager has the Name of the AK that the TPM has, and certified it.
certified() {
	t2 "$1" tpm2_readpublic -c 0x81000003 -n "$T/n" >/dev/null 2>&1 &&
	    [ "$(xxd -p -c 99 "$T/n")" = "$(name "$1" .ak)" ] &&
	    [ "$(jctl show "$1" | jq -r '.ak.certificate' | head -c 10)" = \
		-----BEGIN ]
}
cycle() { ctl reset "$1" && t2 "$1" tpm2_getrandom 1 >/dev/null; }
ctl create c >/dev/null
check "a second guest starts" ctl start c
ca_to "$T/ca.pem"
uuid=$(jctl show c | jq -r .uuid)
boot c && attest c >"$T/out" 2>&1 && "$B/vtpm-verify" policy --from "$T/e.json" \
    --allow-software-root --cmdline "$GOOD_LINE" -o "$T/policy.json"
all=$(handles c)
ak=$(name c .ak)
ek=$(name c .ek_ecc)
check "a clear removes all keys" sh -c "TPM2TOOLS_TCTI=$(tcti c) tpm2_clear &&
    test -z \"\$(TPM2TOOLS_TCTI=$(tcti c) tpm2_getcap handles-persistent)\""
refuse "without an AK attest says what brings one" 'cleared.*power cycle' \
    "$B/vtpm-attest" --tcti "$(tcti c)" -o "$T/e.json" \
    --nonce $N
check "a power cycle" cycle c
same "brings all keys back" "$all" "$(handles c)"
check "the AK is a new one, known and certified" wait_for 10 certified c
same "its EK is the old one" "$ek" "$(name c .ek_ecc)"
[ "$ak" != "$(name c .ak)" ] || not_ok "the AK's Name is another one"
check "a verifier accepts the guest's boot" accepted c
check "the audit log says so" sh -c "'$B/vtpmctl' --run '$RUN' audit |
    grep -q 'new-ak'"
ak=$(name c .ak)
check "the new AK is evicted" \
    t2 c tpm2_evictcontrol -Q -C o -c 0x81000003
check "another power cycle" cycle c
same "brings the same AK back" "$all" "$(handles c)"
check "and the manager knows it" certified c
same "with its Name" "$ak" "$(name c .ak)"
check "it survives a restart" sh -c "'$B/vtpmctl' --run '$RUN' stop c &&
    '$B/vtpmctl' --run '$RUN' start c"
check "and a verifier accepts it again" accepted c

# --- PCR banks ---------------------------------------------------------------
banks() { jctl show "$1" | jq -c "[.banks, .banks_next]"; }
check "a guest with SHA-1 can be created" ctl create --banks sha1,sha256 b
refuse "one with SHA-1 alone cannot" 'one besides sha1' \
    ctl create --banks sha1 b1
ctl start b >/dev/null
same "SHA-1 is active" 20 \
    "$(t2 b tpm2_pcrread -Q sha1:0 -o "$T/pcr" && stat -c %s "$T/pcr")"
check "the guest chooses other banks" \
    t2 b tpm2_pcrallocate -Q sha1:none+sha256:none+sha384:all
cycle b
same "show names what is active" '[["sha384"],null]' "$(banks b)"
check "attest quotes the bank that is active" attest b
same "which is SHA-384" sha384 "$(jq -r '.pcrs | keys[]' "$T/e.json" \
    2>/dev/null || "$B/vtpm-verify" show "$T/e.json" |
    grep -o sha384 | head -1)"
refuse "the host sets no SHA-1 alone" 'one besides sha1' ctl banks b sha1
check "the host sets others" ctl banks b sha256,sha512
same "they wait for a power cycle" '[["sha384"],["sha256","sha512"]]' \
    "$(banks b)"
cycle b
same "and are active" '[["sha256","sha512"],null]' "$(banks b)"
ctl stop b >/dev/null
check "those of a stopped guest can be set" ctl banks b sha384
ctl start b >/dev/null
t2 b tpm2_getrandom 1 >/dev/null
same "and are active at its start" '[["sha384"],null]' "$(banks b)"
