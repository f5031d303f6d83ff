#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# anchor.sh - the store is anchored in a counter of the host's TPM.  Killed at
# every step between commit and raise it continues by itself; an older copy, a
# clone, one old vTPM are refused, and would not be without the one check that
# stops them; what an operator takes nevertheless can be told for ever.
. "$(dirname "$0")/lib.sh"
need jq sqlite3 swtpm tpm2_nvread
guest=$B/tests/law3guest
export LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
export VTPM_ZYGOTE=$B/vtpm-zygote VTPM_HWTPM=$B/vtpm-hwtpm
SLOW="sign=0 nv=900 other=250 count=$T/count log=$T/tpm.log"
FAST="sign=0 nv=0 other=0 count=$T/count log=$T/tpm.log"
export TCTI_SLOW=$FAST
ROOT="slow:swtpm:path=$T/host"

start_tpm() { # NAME: a separate TPM
	tpm "$1" && TPM_PID=$SWTPM_PID
}
up() { # POLICY ARGS...
	local p=$1
	shift
	start_manager --pool 0 --root "$ROOT" --anchor "$p" "$@"
}
anchor() { jctl status | jq -r ".anchor.$1"; }
is_safe() { [ "$(anchor state)" = safe ]; }
settle() {
	wait_for 60 is_safe || not_ok "all becomes safe: $(anchor state)"
	sleep 0.3
}
sent() { od -An -tu8 --endian=big "$T/count" 2>/dev/null | tr -d ' '; }
has_sent() { [ "$(sent)" -ge "$1" ]; }
raises() { grep -c ' 0x134 0x0 ' "$T/tpm.log"; }
has_raised() { [ "$(raises)" -ge "$1" ]; }
# The number in the newest root, and the counter, while the manager is down.
number() {
	rm -rf "$T/look"
	mkdir "$T/look"
	cp "$STATE"/store.db* "$T/look"
	printf '%d\n' "0x$(sqlite3 "$T/look/store.db" \
	    "SELECT hex(substr(data,15,8)) FROM root")"
}
counter() { # the anchor is the one that is ahead of the epoch
	local i max=0 v
	export TPM2TOOLS_TCTI=swtpm:path=$T/host
	for i in $(tpm2_getcap handles-nv-index | tr -d '\- '); do
		v=$((16#$(tpm2_nvread -C o "$i" 2>/dev/null | xxd -p)))
		[ "$v" -gt "$max" ] && max=$v
	done
	echo "$max"
}
# SIGKILL: the manager and what talks to the TPM for it; only: the manager.
crash() { # PID-OF-HWTPM [only]
	[ $# -gt 1 ] || slay "$1"
	stop_manager KILL
	wait_for 60 gone "$1" || not_ok "vtpm-hwtpm ends with its manager"
}
keep() { rm -rf "${T:?}/$1" && cp -a "$STATE" "$T/$1"; }
put_back() { rm -rf "$STATE" && cp -a "$T/$1" "$STATE"; }
put() { # GUEST NUMBER
	[ "$("$guest" put "$RUN/$1.tpmif" "$2")" = 0x0 ]
}
get() { "$guest" get "$RUN/$1.tpmif"; }
down() {
	ctl stop --all >/dev/null 2>&1
	stop_manager TERM
}
why_not() { grep -a 'older copy\|does not belong' "$LOG" | head -1; }

# --- strict: told is safe ---------------------------------------------------
start_tpm host || { not_ok "a TPM starts"; exit 1; }
check "a store is made with the policy strict" up strict || exit 1
for g in alice bob; do
	check "$g starts" eval "ctl create $g && ctl start $g" || exit 1
	check "$g has an index" "$guest" define "$RUN/$g.tpmif"
	check "$g writes" put $g 1
done
n=$(anchor raises)
check "alice writes again" put alice 2
same "strict: an acknowledged change is already safe" safe "$(anchor state)"
# The attach is audited; its record may be in the same commit.
n=$(($(anchor raises) - n))
check "and took one raise, or two with the attach" [ "$n" = 1 -o "$n" = 2 ]
same "the store has the counter's number" "$(anchor counter)" "$(anchor store)"

# --- killed at each step, on a TPM that gives us time to aim ----------------
export TCTI_SLOW=$SLOW
stop_manager TERM
same "after a clean stop both are the same" "$(counter)" "$(number)"
v=2
# crash_at TEXT COMMANDS AHEAD [only]: alice writes; the manager is killed while
# that command after alice's write is under way; AHEAD: how far the root is then.
crash_at() {
	local text=$1 n=$2 ahead=$3 c0 h pid a c
	shift 3
	up strict || { not_ok "$text: starts"; return; }
	settle
	h=$(hwtpm_pid)
	c0=$(sent)
	v=$((v + 1))
	"$guest" put "$RUN/alice.tpmif" $v >"$T/put.out" 2>&1 &
	pid=$!
	wait_for 30 has_sent $((c0 + n)) || not_ok "$text: the moment is met"
	crash "$h" "$@"
	same "$text: alice was not told" "" "$(cat "$T/put.out")"
	a=$(number)
	c=$(counter)
	same "$text: the root has $a, the counter is $c" "$ahead" $((a - c))
	if TCTI_SLOW=$FAST up strict; then
		ok "$text: the manager continues by itself"
	else
		not_ok "$text: the manager continues by itself"
		return
	fi
	same "$text: nothing is called old" "" "$(why_not)"
	wait "$pid"
	same "$text: alice gets her answer" 0x0 "$(cat "$T/put.out")"
	same "$text: alice's write is there" $v "$(get alice)"
	settle
	stop_manager TERM
	same "$text: then both are the same" "$(counter)" "$(number)"
}
crash_at "killed before the raise" 1 1
crash_at "killed in hwtpm's check" 2 1
crash_at "killed in the raise" 3 0
crash_at "killed alone, hwtpm ends what it began" 2 0 only

# Killed after the answer to alice.
up strict && settle
h=$(hwtpm_pid)
v=$((v + 1))
check "alice writes" put alice $v
crash "$h"
same "killed after the answer: both are the same" "$(counter)" "$(number)"

# While a start gets past what may lie about: two raises, three commands each.
base=$(raises)
c0=$(sent)
up strict
wait_for 60 has_raised $((base + 2)) || not_ok "a start raises twice"
sleep 0.5
k=$(($(sent) - c0))
settle
stop_manager TERM
for d in 5 4 3 2; do
	c0=$(sent)
	up strict >/dev/null 2>&1 &
	pid=$!
	wait_for 60 has_sent $((c0 + k - d)) || not_ok "the moment is met"
	for p in $(pgrep -x vtpm-managerd) $(pgrep -x vtpm-hwtpm); do
		case $(readlink "/proc/$p/fd/2" 2>/dev/null) in
		"$T"/*) kill -KILL "$p" ;;
		esac
	done
	wait $pid 2>/dev/null
	sleep 0.3
	a=$(number)
	c=$(counter)
	check "killed in a start's raises: the root has $a, the counter is $c" \
	    [ $((a - c)) = 0 -o $((a - c)) = 1 ]
	TCTI_SLOW=$FAST up strict
	same "and the next start takes it" "running" \
	    "$(jctl list | jq -r '.[]|select(.name=="alice").state')"
	same "with alice's newest" $v "$(get alice)"
	settle
	stop_manager TERM
done

# hwtpm alone dies in the raise: the manager asks again, and it counts once.
up strict && settle
h=$(hwtpm_pid)
c0=$(sent)
was=$(($(anchor counter) - $(anchor raises)))
v=$((v + 1))
"$guest" put "$RUN/alice.tpmif" $v >"$T/put.out" 2>&1 &
pid=$!
wait_for 30 has_sent $((c0 + 3))
slay "$h"
wait $pid
same "hwtpm killed in the raise: alice gets her answer" 0x0 "$(cat "$T/put.out")"
settle
same "and no raise counted twice" $was \
    $(($(anchor counter) - $(anchor raises)))
export TCTI_SLOW=$FAST
stop_manager TERM

# --- the TPM is away --------------------------------------------------------
up strict && settle
kill "$TPM_PID"
v=$((v + 1))
printf '%016x' $v | xxd -r -p >"$T/number"
: >"$T/put.out" # law3guest would not wait so long
(t2 alice tpm2_nvwrite 0x01800333 -C 0x01800333 -i "$T/number" &&
    echo 0x0) >"$T/put.out" 2>&1 &
pid=$!
is_away() { [ "$(anchor state)" = away ]; }
check "the TPM is pulled: the operator sees it" wait_for 60 is_away
check "and why" eval "ctl status | grep 'NOT RAISED NOW: '"
same "alice is not told" "" "$(cat "$T/put.out")"
held() { grep -aq 'are held until it does' "$LOG"; }
check "strict: no more writes begin" wait_for 60 held
check "bob's TPM serves everything else" t2 bob tpm2_getrandom --hex 8
refuse "bob's writes are refused in time" '0x|unavailable' \
    "$guest" put "$RUN/bob.tpmif" 2
refuse "no vTPM is made" "does not raise" ctl create carol
start_tpm host
check "it is back: all becomes safe" wait_for 90 is_safe
wait $pid
same "alice gets her answer" 0x0 "$(cat "$T/put.out")"
same "alice's write is there" $v "$(get alice)"
check "bob writes" put bob 3
stop_manager TERM

# --- interval ----------------------------------------------------------------
up interval --anchor-interval 3600 && settle
n=$(anchor raises)
for i in 1 2 3 4 5; do put bob 1$i || not_ok "bob writes"; done
was=$(anchor raises)
check "interval: five writes took at most one raise ($n, then $was)" \
    [ "$was" -le $((n + 1)) ]
same "an acknowledged change can still be rolled back" open "$(anchor state)"
check "and the operator sees since when" [ "$(anchor exposed_since_ms)" -gt 0 ]
ctl create dora >/dev/null
keep before
check "a vTPM is destroyed" ctl destroy dora
crash "$(hwtpm_pid)"
keep after
put_back before
up interval
check "a deletion is safe before it is acknowledged: the guest stays deleted" \
    [ -n "$(why_not)" ]
stop_manager TERM
put_back after
up interval --anchor-interval 3600 && settle
put bob 20
stop_manager TERM
same "a clean stop makes all safe" "$(counter)" "$(number)"
up interval --anchor-interval 1 && settle
n=$(anchor raises)
put bob 21
check "after a second all is safe" wait_for 30 is_safe
check "by one raise" [ "$(anchor raises)" = $((n + 1)) ]
down

# --- attack: the whole store put back ---------------------------------------
keep old
up strict && ctl start alice >/dev/null && settle
v=$((v + 1))
put alice $v
id=$(jctl list | jq -r '.[]|select(.name=="alice").uuid')
down
keep good
put_back old
up strict
stopped=$(why_not)
check "the whole store put back: stopped by: ${stopped#*: }" \
    [ -n "$stopped" ]
check "the log says what to do" grep -aq 'recover --all --reason' "$LOG"
refuse "alice does not start" "older copy" ctl start alice
refuse "no vTPM is created" "older copy" ctl create eve
refuse "no vTPM is destroyed" "older copy" ctl destroy bob
refuse "recover wants a reason" "--reason TEXT is missing" ctl recover --all
refuse "not of one only" "older copy" \
    ctl recover --instance alice --reason "that one"
same "status says so" refused "$(anchor state)"
stop_manager TERM
keep refused
check "nothing was changed meanwhile" \
    [ "$(sqlite3 "$T/refused/store.db" 'SELECT hex(data) FROM root')" = \
    "$(sqlite3 "$T/old/store.db" 'SELECT hex(data) FROM root')" ]
up off
check "the policy off does not detect it" \
    eval 'ctl start alice && [ "$(get alice)" = $((v - 1)) ]'
down
# attack POLICY CHECK: the test's own manager, without that check.
attack() {
	local b=$B
	mkdir -p "$T/bin"
	ln -sf "$B/tests/attack-managerd" "$T/bin/vtpm-managerd"
	B=$T/bin VTPM_SKIP=$2 up "$1"
	B=$b
}
put_back old
attack strict anchor-behind
check "without that check it succeeds: alice is back at $((v - 1))" \
    eval 'ctl start alice && [ "$(get alice)" = $((v - 1)) ]'
down

# --- and an operator who takes it -------------------------------------------
put_back old
up strict
gen=$(jctl list | jq '.[]|select(.name=="alice").generation')
check "an operator takes the old store" \
    ctl recover --all --reason "the newest that there is"
settle
check "it is audited, with the reason" \
    eval "ctl audit | grep -q 'recover.*the newest that there is'"
same "alice is stopped, and marked" "stopped true" \
    "$(jctl list | jq -r '.[]|select(.name=="alice")|"\(.state) \(.recovered)"')"
now=$(jctl list | jq '.[]|select(.name=="alice").generation')
check "alice's generation exceeds all lost ones ($gen, now $now)" \
    [ "$now" -gt $((gen + 1)) ]
same "alice keeps her identity" "$id" \
    "$(jctl list | jq -r '.[]|select(.name=="alice").uuid')"
check "alice starts" ctl start alice
same "with the state of that copy" $((v - 1)) "$(get alice)"
check "alice continues" put alice 1000
down
up strict
check "also after the next start" eval 'ctl start alice && [ "$(get alice)" = 1000 ]'
same "and stays marked" true \
    "$(jctl list | jq '.[]|select(.name=="alice").recovered')"
refuse "there is nothing more to recover" "not refused" \
    ctl recover --all --reason again
down
keep taken
put_back good
up strict
check "the store that was given up is an old one now" [ -n "$(why_not)" ]
stop_manager TERM

# --- attack: one vTPM put back ----------------------------------------------
put_back taken
slot=$(sqlite3 "$STATE/store.db" "SELECT slot FROM vtpm WHERE name='alice'")
one_old() {
	sqlite3 "$STATE/store.db" "ATTACH '$T/old/store.db' AS o;
	    REPLACE INTO blob SELECT * FROM o.blob WHERE id/16=$slot;
	    REPLACE INTO vtpm SELECT * FROM o.vtpm WHERE slot=$slot"
}
one_old
up strict
refuse "one vTPM put back" "alice.*older" ctl start alice
ok "stopped by: $(jctl list | jq -r '.[]|select(.name=="alice").why')"
check "bob starts" ctl start bob
down
one_old
attack strict store-leaf
check "without that check it succeeds: alice is back at $((v - 1))" \
    eval 'ctl start alice && [ "$(get alice)" = $((v - 1)) ]'
down
one_old
up strict
refuse "bob has nothing to recover from" "nothing to recover" \
    ctl recover --instance bob --reason x
check "an operator takes alice's old state" \
    ctl recover --instance alice --reason "her disk was restored"
check "alice starts with it" eval \
    'ctl start alice && [ "$(get alice)" = $((v - 1)) ]'
check "in a generation that was never there" [ "$(jctl list |
    jq '.[]|select(.name=="alice").generation')" -gt "$now" ]
check "audited under alice's name" \
    eval "ctl audit | grep -q 'recover *alice.*her disk'"
down

# --- attack: a clone ---------------------------------------------------------
keep newest
start_tpm other
ROOT="slow:swtpm:path=$T/other"
if up strict >/dev/null 2>&1; then
	not_ok "a clone on a host with another TPM does not start"
else
	ok "a clone on a second host: stopped by: $(grep -a \
	    'does not give the master key' "$LOG" | cut -c16- | head -1)"
fi
ok "(there is no check to take out: that TPM does not have the key)"
ROOT="slow:swtpm:path=$T/host"

# A copy that is used in turn with the store, on the same TPM, and took just one
# step: hwtpm would take it for a raise of the first manager that it repeats.
copy_in_turn() { # up or attack ...
	local h state=$STATE run=$RUN pid=$MPID log=$LOG c0
	if [ -d "$T/copy" ]; then put_back copy; else put_back newest; fi
	TCTI_SLOW=$SLOW "$@"
	ctl start alice >/dev/null 2>&1 # or it runs already
	settle
	h=$(hwtpm_pid)
	pid=$MPID
	kill -STOP "$pid"
	slay "$h"
	sleep 0.3
	rm -rf "$T/copy" "$T/copyrun"
	cp -a "$STATE" "$T/copy"
	mkdir "$T/copyrun"
	STATE=$T/copy RUN=$T/copyrun LOG=$T/copy.log MPID=
	c0=$(raises)
	TCTI_SLOW=$SLOW up strict || not_ok "the copy starts"
	h=$(hwtpm_pid)
	wait_for 30 has_raised $((c0 + 1))
	crash "$h"
	stop_all
	STATE=$state RUN=$run LOG=$log MPID=$pid
	kill -CONT "$pid"
	v=$((v + 1))
	: >"$T/put.out"
	"$guest" put "$RUN/alice.tpmif" $v >"$T/put.out" 2>&1 &
	put_pid=$!
}
is_over() { gone "$MPID" || [ -s "$T/put.out" ]; }
copy_in_turn up strict
wait_for 60 is_over
check "a copy used in turn: stopped by: $(grep -a 'another process raised' \
    "$LOG" | cut -c16-90)" grep -aq 'another process raised' "$LOG"
same "alice got no answer" "" "$(cat "$T/put.out")"
MPID=
kill $put_pid 2>/dev/null
stop_all
copy_in_turn attack strict anchor-other
wait_for 60 is_over
same "without that check it continues" 0x0 "$(cat "$T/put.out")"
down

# --- a software root says that it is none -------------------------------------
rm -rf "$STATE"
check "a software root starts" start_manager --pool 0 --anchor strict
same "and says that the store is not anchored" none "$(anchor state)"
check "and why" eval "ctl status | grep -q 'NOT ANCHORED.*put back with it'"
stop_manager TERM
