#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# groups.sh - two tenants on one host, swtpm as the host's TPM: their keys,
# signed configurations, quotas, administrators, quotes and deep quotes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
. "$(dirname "$0")/deeplib.sh"
need setpriv tpm2_nvdefine xxd
export LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
cd "$T" || exit 1
for k in red blue; do
	openssl ecparam -name prime256v1 -genkey -noout -out $k.pem 2>/dev/null
	openssl pkey -in $k.pem -pubout -out $k.pub 2>/dev/null
done
sign() { # KEY NUMBER SEQUENCE PCRS OUT ARGS...
	local k=$1 n=$2 s=$3 p=$4 o=$5
	shift 5
	ctl group sign --key "$k.pem" --number "$n" --sequence "$s" \
	    --pcrs "$p" -o "$o" "$@"
}
group() { jctl group show "$1" | jq -r "$2"; }

check "a host's TPM is made and certified" host_tpm host || exit 1
check "a manager makes its keys on it" start_manager --pool 0 \
    --root swtpm:path="$T/host" || exit 1
stop_manager
check "the host is enrolled with a verifier" enrol_host host || exit 1
cat >conf <<END
pool = 0
control_group = daemon
END
chmod 711 "$RUN"
up() { start_manager --config conf --root "${1:-swtpm:path=$T/host}"; }
check "the manager is back" up || exit 1

# --- made, with a key of their own --------------------------------------------
refuse "a group needs a key" "--key PEM is missing" ctl group create red
refuse "a private key stays at home" "private key" \
    ctl group create red --key red.pem
openssl ecparam -name secp384r1 -genkey -noout 2>/dev/null |
    openssl pkey -pubout -out p384.pub 2>/dev/null
refuse "a key on another curve is refused" "P-256" \
    ctl group create red --key p384.pub
refuse "a name of digits is refused" "cannot be a group's name" \
    ctl group create 12 --key red.pub
check "red is made" ctl group create red --key red.pub
check "blue is made, with number 5" ctl group create blue --key blue.pub \
    --number 5
refuse "a number is given once" "number 2 was used" \
    ctl group create green --key red.pub --number 2
refuse "a name is given once" "of this name exists" \
    ctl group create red --key blue.pub
same "they are listed beside the host's own" "0 host 1 red 5 blue" \
    "$(jctl group list | jq -r '[.[] | "\(.number) \(.name)"] | join(" ")')"
same "each has its key in the host's TPM" 2 \
    "$(jctl group list | jq -r '.[1:][].ak_public' | sort -u | grep -c .)"
refuse "a guest of an unknown group" "no group" \
    ctl create stray --group 77

# --- signed configurations ------------------------------------------------------
check "red signs" sign red 1 10 sha256:0-7 red.10 --admin daemon
check "blue signs" sign blue 5 1 sha256:0,2,4 blue.1 --admin 2 \
    --policy web-2026
refuse "SHA-1 is never signed" "SHA-1" sign red 1 11 sha1:0-7 x
refuse "nor for the host's own" "host operator" sign red 0 1 sha256:0 x
check "red's is taken" ctl group update red --config red.10
refuse "not a second time" "sequence 10, and one with 10" \
    ctl group update red --config red.10
sign red 1 9 sha256:0-7 red.9
refuse "nor an older one" "sequence 9, and one with 10" \
    ctl group update red --config red.9
refuse "nor blue's" "signed for group 5" ctl group update red --config blue.1
sign blue 1 11 sha256:0-7 forged --admin bin
refuse "nor one for red by blue's key" "not signed by the group's" \
    ctl group update red --config forged
check "blue's is taken" ctl group update blue --config blue.1
head -c 60 red.10 >half
refuse "half of one is none" "not a group configuration" \
    ctl group update blue --config half
refuse "the host's own has no key to sign by" "not signed|not a group configuration|group 0" \
    ctl group update host --config red.10
same "what was signed is shown" "10 sha256:0,1,2,3,4,5,6,7 daemon" \
    "$(group red '.configuration | "\(.sequence) \(.pcrs) \(.admins[0])"')"
stop_manager
check "the manager restarts" up || exit 1
refuse "it remembers the sequence" "sequence 10, and one with 10" \
    ctl group update red --config red.10
same "and the groups" "0 host 1 red 5 blue" \
    "$(jctl group list | jq -r '[.[] | "\(.number) \(.name)"] | join(" ")')"

# --- deep quotes of each -----------------------------------------------------------
for g in red blue; do
	check "${g}1 starts and boots" eval \
	    "ctl create ${g}1 --group $g && ctl start ${g}1 && boot ${g}1"
done
# What blue takes for a good host: PCRs 0, 2 and 4 of the same.
jq '.states[0].pcrs |= {"0", "2", "4"}' host-states.json >blue-states.json
N=$("$V" nonce)
check "red1 is vouched for" attest red1 "$N" red.json || exit 1
check "blue1 is vouched for" attest blue1 "$N" blue.json
check "a policy is made" "$V" policy --from red.json --name ref \
    --cmdline "$GOOD_LINE" -o policy.json
check "red1 is accepted, with all of red's PCRs" judge host red.json "$N"
check "by the second verifier, too" judge_py host red.json "$N"
check "blue1 is accepted, with blue's" judge host blue.json "$N" \
    --host-states blue-states.json
check "by the second verifier, too" python3 "$PY" -e blue.json --nonce "$N" \
    --host host.json --host-states blue-states.json --roots roots.pem
refuse "red1 against blue's states: other PCRs" "FAIL.*deep-selection" \
    judge host red.json "$N" --host-states blue-states.json
refuse "blue1 against red's states: other PCRs" "FAIL.*deep-selection" \
    judge host blue.json "$N"
jq --slurpfile o blue.json '.deep = $o[0].deep' red.json >mix.json
refuse "red1 with the answer for the other group" "FAIL.*deep-" \
    judge host mix.json "$N"
# The AK certificate is the last field of an answer: red's answer, blue's AK.
cert_of() { # EVIDENCE: the certificate that its host quote came with
	jq -r .deep "$1" | base64 -d | xxd -p | tr -d '\n' |
	    grep -o '3082....3082.*$' | tail -1
}
jq -r .deep red.json | base64 -d | xxd -p | tr -d '\n' >deep.hex
r=$(cert_of red.json) b=$(cert_of blue.json)
lb=$(printf '%04x' $((${#b} / 2))) lr=$(printf '%04x' $((${#r} / 2)))
sed "s/$lr$r\$/$lb$b/" deep.hex | xxd -r -p | base64 -w0 >swapped.b64
jq --rawfile d swapped.b64 '.deep = $d' red.json >mix.json
refuse "red1 with the AK of the other group" "FAIL.*deep-ak-group" \
    judge host mix.json "$N"

# --- quotes of the host ---------------------------------------------------------------
hq() { # FILE ARGS...
	local f=$1
	shift
	"$V" host-quote --quote "$f" --host host.json --roots roots "$@"
}
check "the host is quoted for red" ctl group quote red --nonce "$N" -o red.q
check "a verifier accepts it" hq red.q --nonce "$N" --group 1 \
    --min-sequence 10 --host-states host-states.json
hq_py() { python3 "$PY" --quote "$1" --host host.json --roots roots.pem \
    --nonce "$2" --host-states "${3:-host-states.json}"; }
check "so does the second verifier" hq_py red.q "$N"
check "the host is quoted for blue, and for itself" eval \
    'ctl group quote blue --nonce "$N" -o blue.q &&
    ctl group quote 0 --nonce "$N" -o host.q'
check "accepted with blue's states" hq blue.q --nonce "$N" \
    --host-states blue-states.json
check "the host's own is accepted" hq host.q --nonce "$N" --group 0 \
    --host-states host-states.json
check "by the second verifier, too" eval \
    'hq_py blue.q "$N" blue-states.json && hq_py host.q "$N"'
N2=$("$V" nonce)
check "which refuses another nonce, and other PCRs" eval \
    '! hq_py red.q "$N2" && ! hq_py blue.q "$N"'
head -c 300 red.q >cut.q
check "and half a quote" eval '! hq_py cut.q "$N"'
refuse "as the first one does" "not a host quote" hq cut.q --nonce "$N"
refuse "for another nonce it is refused" "FAIL.*host-quote" \
    hq red.q --nonce "$N2" --host-states host-states.json
refuse "for another group likewise" "for group 1" \
    hq red.q --nonce "$N" --group 5 --host-states host-states.json
refuse "by an old configuration likewise" "too old: sequence 10" \
    hq red.q --nonce "$N" --min-sequence 11 --host-states host-states.json
refuse "with other PCRs likewise" "FAIL.*deep-selection" \
    hq blue.q --nonce "$N" --host-states host-states.json
refuse "without states the verdict is open" "COULD NOT DECIDE" \
    hq red.q --nonce "$N"
refuse "a nonce has 8 bytes" "8 to 64" ctl group quote red --nonce 00

# --- the certificates are short-lived -----------------------------------------------------
jctl group quote red --nonce "$N" | jq -r .ak_certificate | xxd -r -p >ak.der
openssl x509 -inform der -in ak.der -noout -checkend $((8 * 86400)) \
    >/dev/null && not_ok "a group's AK certificate lives longer than a week" ||
    ok "a group's AK certificate lives a week"

# --- launches under a policy ------------------------------------------------------------------
refuse "blue launches under its own policies only" "only under its own policies" \
    ctl launch qemu blue1 --policy other -- qemu-system-x86_64 -M q35 -S
check "red under any" ctl launch qemu red1 --policy other --dry-run -- \
    qemu-system-x86_64 -M q35 -S

# --- administrators ---------------------------------------------------------------------------
if [ "$(id -u)" -eq 0 ]; then
	as() { # UID COMMAND...
		setpriv --reuid "$1" --regid daemon --clear-groups \
		    "$B/vtpmctl" --run "$RUN" "${@:2}"
	}
	chmod 755 "$T" && chmod 644 ./*.json red.* blue.*
	same "daemon, who administers red, sees red's guests" red1 \
	    "$(as 1 --json list | jq -r 'map(.name) | join(" ")')"
	same "and that group only" red \
	    "$(as 1 --json group list | jq -r 'map(.name) | join(" ")')"
	check "an administrator creates a guest in it" as 1 create red2 --group red
	refuse "but none of blue's" "group that you administer" \
	    as 1 create blue2 --group blue
	refuse "nor of the host's" "group that you administer" \
	    as 1 create mine
	for what in start reset show log stop "destroy --force"; do
		refuse "an administrator of red may not $what a guest of blue" "that group's own objects" \
		    as 1 $what blue1
	done
	check "an administrator starts, resets, shows, stops and destroys guests of red" eval \
	    'as 1 start red2 && as 1 reset red2 && as 1 show red2 &&
	    as 1 stop red2 && as 1 destroy red2'
	refuse "an administrator sees no other group" "that group's own objects" as 1 group show blue
	refuse "nor the host's" "that group's own objects" as 1 group show host
	check "an administrator sees red" as 1 group show red
	check "and has the host quoted for it" as 1 group quote red \
	    --nonce "$N" --json
	refuse "not for blue" "that group's own objects" as 1 group quote blue --nonce "$N"
	refuse "an administrator creates no group" "role admin" \
	    as 1 group create mine --key red.pub
	refuse "an administrator deletes none" "role admin" as 1 group delete red
	refuse "but sets no quota" "host's operator" \
	    as 1 group update red --vtpms 1000
	refuse "an administrator reads no audit log" "role operator" as 1 audit
	refuse "nor the host's status" "role reader" as 1 status
	refuse "an administrator does not stop the host" "role admin" as 1 stop --all
	refuse "who administers nothing may do nothing" "this user has no role" \
	    as 3 list
	check "what was denied is in the audit log" sh -c \
	    "'$B/vtpmctl' --run '$RUN' --json audit | jq -e \
	    '[.[] | select(.result == \"denied\" and
	    (.who | startswith(\"uid 1 \")))] | length > 9'"
	sign red 1 11 sha256:0-7 red.11 --admin 3
	chmod 644 red.11
	check "an administrator hands the group over" as 1 group update red --config red.11
	refuse "and loses the rights" "this user has no role" as 1 list
	check "the next one may" as 3 show red1
else echo "skip - administrators of a group: needs root"
fi

# --- quotas -------------------------------------------------------------------------------------
check "red may have 2 vTPMs" ctl group update red --vtpms 2
check "a second one" ctl create red2 --group red
refuse "no third one" "quota of 2 vTPMs" ctl create red3 --group red
check "in another group there is room" ctl create blue2 --group blue
check "red2 goes" ctl destroy red2
check "so there is room again" ctl create red3 --group red
check "red3 goes" ctl destroy red3

used=$(group red .used.bytes)
check "red1 has $used bytes" [ "$used" -gt 1000 ]
nv() { t2 red1 "$@"; }
check "it has an index" nv tpm2_nvdefine 0x1500001 -C o -s 512 \
    -a "ownerread|ownerwrite"
now=$(group red .used.bytes)
check "that counts: $now" [ "$now" -gt "$used" ]
check "red may have $now bytes" ctl group update red --bytes "$now"
same "that is all of it" true "$(group red .used.full)"
refuse "no more vTPMs then" "too little for one more" \
    ctl create red4 --group red
refuse "no more NV space for the guest" "space|0x14b" \
    nv tpm2_nvdefine 0x1500002 -C o -s 512 -a "ownerread|ownerwrite"
head -c 512 /dev/urandom >data
check "what it has can be written" nv tpm2_nvwrite 0x1500001 -C o -i data
check "a guest of blue defines what it wants" t2 blue1 tpm2_nvdefine \
    0x1500001 -C o -s 512 -a "ownerread|ownerwrite"
check "red1 gives some back" nv tpm2_nvundefine 0x1500001 -C o
check "so there is room again" nv tpm2_nvdefine 0x1500003 -C o -s 256 \
    -a "ownerread|ownerwrite"
stop_manager
check "the manager restarts" up || exit 1
check "no limit again" ctl group update red --bytes 0 --vtpms 0
check "red1 defines what it wants" nv tpm2_nvdefine 0x1500004 -C o -s 512 \
    -a "ownerread|ownerwrite"
refuse "the host's own work has no limit" "has no limit" \
    ctl group update host --hw-ms 100

# Time of the host's TPM: red has next to nothing, blue as much as it wants.
stop_manager
export TCTI_SLOW="sign=100 nv=0 other=0 count=$T/count log=$T/tpm.log"
check "the manager is back, its TPM is slow" up slow:swtpm:path="$T/host" ||
    exit 1
check "red may use 1 ms of it per minute" ctl group update red --hw-ms 1
check "the first quote is paid for later" ctl group quote red --nonce "$N" \
    -o red.q2
ctl group quote red --nonce "$N" -o red.q3 >late.out 2>&1 &
late=$!
attest red1 "$N" late.json >late2.out 2>&1 &
late2=$!
check "meanwhile blue is served" ctl group quote blue --nonce "$N" -o blue.q2
check "and its guests" attest blue1 "$N" blue2.json
check "red is still waiting" alive $late
wait $late && not_ok "red was served beyond its quota" ||
    check "red gets the reason: $(cat late.out)" \
	grep -q "has used up its 1 ms per minute" late.out
wait $late2 && not_ok "red1 was served beyond red's quota" ||
    check "its guest, too" grep -qE "used up|did not vouch" late2.out
check "all of it is counted" sh -c "'$B/vtpmctl' --run '$RUN' --json status |
    jq -e '.groups[] | select(.name == \"red\") | .hw |
    .requests >= 1 and .ms >= 50 and .delayed >= 1 and .refused >= 1'"
pid=$(hwtpm_pid)
slay "$pid"
check "vtpm-hwtpm dies and comes back" wait_for 30 eval \
    '[ "$(hwtpm_pid)" != "$pid" ] && ctl group quote blue --nonce "$N" -o b.q'
ctl group quote red --nonce "$N" -o red.q4 >red.q4.out 2>&1 # its bucket
refuse "the new one knows the quotas" "used up its 1 ms" \
    ctl group quote red --nonce "$N" -o red.q5
check "no limit again" ctl group update red --hw-ms 0
check "red is served again" ctl group quote red --nonce "$N" -o red.q6

# --- the end of a group -----------------------------------------------------------------------------
refuse "a group with a vTPM stays" "has 1 vTPM; destroy it first" \
    ctl group delete red
refuse "the host's own stays" "cannot be deleted" ctl group delete host
check "red1 goes" eval "ctl stop red1 && ctl destroy red1"
check "now red goes" ctl group delete red
refuse "it is gone" "no group" ctl group show red
refuse "its number is not given again" "used before" \
    ctl group create red --key red.pub --number 1
check "blue is as it was" hq blue.q2 --nonce "$N" \
    --host-states blue-states.json
check "red is made again, under another number" sh -c \
    "'$B/vtpmctl' --run '$RUN' --json group create red --key red.pub |
    jq -e '.number == 6'"
refuse "what was signed for the old one is for the old one" \
    "signed for group 1" ctl group update red --config red.10
