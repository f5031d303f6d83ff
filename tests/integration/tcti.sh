#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tcti.sh - stock tpm2-tss programs over libtss2-tcti-tpmfront: one command
# after another, one program after another, and two at once.
. "$(dirname "$0")/lib.sh"
need tpm2_getrandom tpm2_quote tpm2_nvwrite xxd

start_manager --pool 0 || { not_ok "the manager starts"; exit 1; }
check "a vTPM is created and started" eval 'ctl create alice && ctl start alice'
ring=$RUN/alice.tpmif
export TPM2TOOLS_TCTI=tpmfront:local=$ring
cd "$T" || exit 1
# There is no resource manager in between: what a tool leaves loaded stays.
try() { # WORDS, SHELL COMMANDS
	check "$1" eval "$2"
	tpm2_flushcontext -Q -t >/dev/null 2>&1
}
check "tpm2_startup" tpm2_startup -c

# --- single commands ---------------------------------------------------------
check "tpm2_getrandom -T tpmfront:local=PATH 16" eval \
    'r=$(tpm2_getrandom --hex -T "tpmfront:local=$ring" 16) && [ ${#r} = 32 ]'
a=$(tpm2_getrandom --hex 16) b=$(tpm2_getrandom --hex 16)
check "two calls, two answers" [ "$a" != "$b" ]
try "tpm2_createprimary" \
    'tpm2_createprimary -Q -C o -g sha256 -G ecc -c primary.ctx'
try "tpm2_create and tpm2_load" \
    'tpm2_create -Q -C primary.ctx -G ecc256:ecdsa-sha256 -u k.pub -r k.priv &&
     tpm2_flushcontext -Q -t &&
     tpm2_load -Q -C primary.ctx -u k.pub -r k.priv -c k.ctx'
try "tpm2_sign, checked outside the TPM" \
    'echo hello >msg && tpm2_sign -Q -c k.ctx -g sha256 -f plain -o sig msg &&
     tpm2_readpublic -Q -c k.ctx -f pem -o k.pem &&
     openssl dgst -sha256 -verify k.pem -signature sig msg'
try "tpm2_quote, checked outside the TPM" \
    'tpm2_quote -Q -c k.ctx -l sha256:0,1,2,3 -q abcd01 -m q.msg -s q.sig \
	-o q.pcrs -g sha256 &&
     tpm2_checkquote -u k.pem -m q.msg -s q.sig -f q.pcrs -g sha256 -q abcd01'
try "RSA key and quote" \
    'tpm2_createprimary -Q -C o -G rsa2048 -c rsa.ctx &&
     tpm2_flushcontext -Q -t &&
     tpm2_create -Q -C rsa.ctx -G rsa2048:rsassa-sha256 -u r.pub -r r.priv &&
     tpm2_flushcontext -Q -t &&
     tpm2_load -Q -C rsa.ctx -u r.pub -r r.priv -c r.ctx &&
     tpm2_quote -Q -c r.ctx -l sha256:0 -q 00 -m r.msg -s r.sig -g sha256'
try "tpm2_nvdefine, tpm2_nvwrite, tpm2_nvread" \
    'tpm2_nvdefine -Q -C o -s 2000 -a "ownerread|ownerwrite" 0x1500100 &&
     head -c 2000 /dev/urandom >nv.in &&
     tpm2_nvwrite -Q -C o -i nv.in 0x1500100 &&
     tpm2_nvread -C o -s 2000 0x1500100 >nv.out && cmp nv.in nv.out'
try "sealed data comes back" \
    'echo secret >s.in && tpm2_create -Q -C primary.ctx -i s.in -u s.pub \
	-r s.priv && tpm2_flushcontext -Q -t &&
     tpm2_load -Q -C primary.ctx -u s.pub -r s.priv -c s.ctx &&
     tpm2_unseal -c s.ctx | cmp - s.in'
try "an encrypted, salted session" \
    'tpm2_startauthsession -S sess.ctx --hmac-session -c primary.ctx &&
     tpm2_getrandom --hex -S sess.ctx 20 && tpm2_flushcontext sess.ctx'

# --- many --------------------------------------------------------------------
get_random=80010000000c0000017b0010
check "1,000 commands over one connection" \
    "$B/tests/ringcmd" --repeat 1000 "$ring" $get_random
many() {
	local i
	for i in $(seq 150); do tpm2_pcrread -Q sha256:0 || return 1; done
}
check "150 programs one after another" many
tools_mixed() {
	local i
	for i in $(seq 20); do
		tpm2_getrandom --hex 8 && tpm2_pcrextend \
		    "16:sha256=$(printf %064x "$i")" &&
		    tpm2_nvwrite -Q -C o -i nv.in 0x1500100 || return 1
	done
}
check "60 programs that read, extend and write" tools_mixed
# What one program did the next one sees: closing resets nothing.
tpm2_pcrread sha256:16 >pcr.1
check "PCR 16 is what 20 extends make it" eval \
    'w=$(printf %064x 0); for i in $(seq 20); do
	w=$(printf "%s%064x" "$w" "$i" | xxd -r -p | sha256sum | cut -c1-64)
     done; grep -qi "$w" pcr.1'

# --- what a program leaves loaded ---------------------------------------------
leaves() {
	local i
	for i in $(seq 8); do
		tpm2_createprimary -Q -C n -G ecc -c leave.ctx &&
		    tpm2_startauthsession -S "leave.$i" || return 1
	done
}
check "8 programs leave a key each, 8 a session; none is refused" leaves
check "no object of an ended program is loaded" eval \
    '[ -z "$(tpm2_getcap handles-transient)" ] &&
     [ -z "$(tpm2_getcap handles-loaded-session)" ]'
try "a saved session is the next program's: a policy session over four" \
    'tpm2_startauthsession -Q --policy-session -S pol &&
     tpm2_policypcr -Q -S pol -l sha256:16 -L pol.digest &&
     tpm2_create -Q -C primary.ctx -i s.in -L pol.digest -u ps.pub -r ps.priv &&
     tpm2_load -Q -C primary.ctx -u ps.pub -r ps.priv -c ps.ctx &&
     tpm2_flushcontext pol && tpm2_startauthsession -Q --policy-session -S pol &&
     tpm2_policypcr -Q -S pol -l sha256:16 &&
     tpm2_unseal -p session:pol -c ps.ctx | cmp - s.in && tpm2_flushcontext pol'
raw=$TPM2TOOLS_TCTI,raw
try "a raw program's key stays, and the next one's does not" \
    'tpm2_createprimary -T $raw -Q -C n -G ecc -c raw.ctx &&
     tpm2_createprimary -Q -C n -G ecc -c leave.ctx &&
     [ "$(tpm2_getcap handles-transient | wc -l)" = 1 ] &&
     tpm2_flushcontext -Q -t -T $raw'

# --- two at once -------------------------------------------------------------
mkfifo hold.in
"$B/tests/ringcmd" --hold "$ring" $get_random <hold.in >hold.out 2>&1 &
holder=$!
exec 7>hold.in
wait_for 10 grep -q '^open' hold.out
refuse "a second program learns that the vTPM is busy, and which process has it" \
    "vTPM .*$ring is busy: another program has it open \(process $holder " \
    tpm2_getrandom -T "$TPM2TOOLS_TCTI,wait=1" --hex 4
refuse "one that wants it raw learns it at once" "busy" \
    timeout 1 tpm2_pcrread -T "$TPM2TOOLS_TCTI,raw" sha256:16
waiters=()
for i in 1 2 3; do
	tpm2_getrandom --hex 4 >"wait.$i" 2>&1 7>&- & # only we hold it
	waiters+=($!)
done
sleep 0.5
check "three others wait for their turn" alive "${waiters[2]}"
exec 7>&-
check "the first one was not disturbed" wait $holder
served() {
	local p
	for p in "${waiters[@]}"; do
		wait "$p" || { cat wait.*; return 1; }
	done
}
check "each of them is served" served
check "once it has left, the next one is served" tpm2_getrandom --hex 4
tpm2_pcrread sha256:16 >pcr.2
check "no damage: PCRs as before" cmp pcr.1 pcr.2
check "no damage: NV as before" eval \
    'tpm2_nvread -C o -s 2000 0x1500100 | cmp - nv.in'
try "no damage: the key still signs" \
    'tpm2_sign -Q -c k.ctx -g sha256 -f plain -o sig2 msg &&
     openssl dgst -sha256 -verify k.pem -signature sig2 msg'

# --- what is refused ---------------------------------------------------------
same "locality 3 is not granted: TPM_RC_LOCALITY" \
    "80010000000a00000907" \
    "$("$B/tests/ringcmd" --locality 3 "$ring" $get_random)"
same "a length that contradicts the header: TPM_RC_COMMAND_SIZE" \
    "80010000000a00000142" \
    "$("$B/tests/ringcmd" --raw 11,1,0 "$ring" $get_random)"
same "a length past the page: TPM_RC_COMMAND_SIZE" \
    "80010000000a00000142" \
    "$("$B/tests/ringcmd" --raw 4294967295,1,0 "$ring" $get_random)"
same "extra pages: TPM_RC_COMMAND_SIZE" \
    "80010000000a00000142" \
    "$("$B/tests/ringcmd" --raw 12,1,1 "$ring" $get_random)"
refuse "tpmfront:xen says that it is not there" "Xen" \
    tpm2_getrandom -T tpmfront:xen 4
refuse "a vTPM that is not started" "No such file.*started" \
    tpm2_getrandom -T "tpmfront:local=$RUN/nobody.tpmif" 4

# --- cancel, and leaving in mid-command --------------------------------------
# CreatePrimary, owner, RSA-2048.  libtpms looks for a cancel only between two
# attempts at a key, so either answer is right; none at all would not be, nor
# a cancel that hits the command after it.
rsa=80020000003f0000013140000001000000094000000900000000000004000000000016
rsa+=0001000b000204720000001000100800000000000000000000000000
canceled() {
	local i out
	for i in $(seq 0 19); do
		tpm2_flushcontext -Q -t
		out=$("$B/tests/ringcmd" --cancel $((i / 2)) "$ring" $rsa) ||
		    return 1
		case $out in
		8001*00000909 | 8002????????00000000*) ;;
		*) echo "answer: $out"; return 1 ;;
		esac
		out=$("$B/tests/ringcmd" "$ring" $get_random) || return 1
		[ "${out:12:8}" = 00000000 ] || { echo "next: $out"; return 1; }
	done
}
check "a cancelled command is answered, the next one is not cancelled" canceled
left() {
	local i
	for i in $(seq 20); do
		"$B/tests/ringcmd" --leave "$ring" $rsa || return 1
	done
	tpm2_flushcontext -t
	tpm2_getrandom --hex 4
}
check "20 programs die in mid-command; the next one is served" left

# --- a worker that dies under an open ring -----------------------------------
mkfifo live.in
"$B/tests/ringcmd" --timeout 20000 "$ring" - <live.in >live.out 2>&1 &
client=$!
exec 8>live.in
answers() { [ "$(grep -c . live.out)" -ge "$1" ]; }
answer() { sed -n "$1p" live.out | cut -c1-20; }
echo $get_random >&8
wait_for 10 answers 1
same "an open ring answers" 80010000001c00000000 "$(answer 1)"
was=$(worker_pid alice)
slay "$was"
new_worker() {
	local p
	p=$(worker_pid alice)
	[ "$p" != "$was" ] && [ "$p" != null ] && [ -n "$p" ]
}
check "the manager starts a worker in its place" wait_for 20 new_worker
echo $get_random >&8
wait_for 20 answers 2
same "the same ring answers again, from the new worker" \
    80010000001c00000000 "$(answer 2)"
exec 8>&-
check "the client saw no error" wait $client

if command -v systemd-creds >/dev/null; then
	check "systemd-creds seals and unseals over it" eval \
	    'echo hi | systemd-creds encrypt --with-key=tpm2 \
		--tpm2-device=tpmfront:local=$ring --tpm2-pcrs=7 --name=x - c.out &&
	     systemd-creds decrypt --tpm2-device=tpmfront:local=$ring --name=x \
		c.out - | grep -qx hi'
fi
