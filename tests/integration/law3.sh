#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# law3.sh - an acknowledged change is durable: kill -9 of manager, zygote and
# worker at random under a writing guest, and no acknowledged write is lost;
# a guest that only reads is answered all the while.
. "$(dirname "$0")/lib.sh"
need jq
KILLS=${KILLS:-200}
guest=$B/tests/law3guest

cat >"$T/conf" <<EOC
crash_limit = 1000
backoff_ms = 1
EOC
again() { start_manager --config "$T/conf" --pool 0; }
alice_pid() { jctl list | jq -r '.[] | select(.name == "alice") | .pid // 0'; }

again || { not_ok "the manager starts"; exit 1; }
for g in alice bob carol; do
	ctl create $g >/dev/null && ctl start $g >/dev/null ||
	    { not_ok "three guests start"; exit 1; }
done
"$guest" define "$RUN/carol.tpmif" || not_ok "carol has her index"

# The manager is away: what changes nothing is answered, a write waits for it.
stop_manager KILL
"$guest" put "$RUN/carol.tpmif" 42 >"$T/put" &
P=$!
PIDS+=($P)
check "without a manager a guest is answered" \
    t2 alice tpm2_getrandom --hex 16
t2 bob tpm2_pcrread sha256:0 >"$T/pcr" ||
    not_ok "without a manager PCRs are read"
sleep 1
check "a write waits for the manager" alive $P
again || not_ok "the manager comes back"
wait $P
same "and is done when it is back" 0x0 "$(cat "$T/put")"
same "the write is there" 42 "$("$guest" get "$RUN/carol.tpmif")"

"$guest" write "$RUN/alice.tpmif" >"$T/write" 2>&1 &
W=$!
"$guest" read "$RUN/bob.tpmif" >"$T/read" 2>&1 &
R=$!
PIDS+=("$W" "$R")
sleep 0.3

managers=0 workers=0 zygotes=0 wrong=0
kill_manager() {
	stop_manager KILL
	managers=$((managers + 1))
}
kill_worker() { # PID
	[ "${1:-0}" -gt 1 ] && kill -9 "$1" 2>/dev/null &&
	    workers=$((workers + 1))
}
kill_zygote() {
	kill -9 "$(zygote_pid)" 2>/dev/null && zygotes=$((zygotes + 1))
}
RANDOM=${SEED:-4711}
t0=$SECONDS
while [ $((managers + workers + zygotes)) -lt "$KILLS" ] && [ $wrong = 0 ]; do
	alive $W || break
	pid=$(alice_pid)
	sleep 0.0$((RANDOM % 10))
	case $((RANDOM % 10)) in
	0) kill_manager ;;
	1) # the worker dies first: no process is left to bring it back
		kill_worker "$pid"
		kill_manager ;;
	2)
		kill_manager
		kill_worker "$pid" ;;
	3 | 4) kill_zygote ;;
	*) kill_worker "$pid" ;;
	esac
	[ -n "$MPID" ] || again || wrong=1
done
echo "# $managers managers, $workers workers, $zygotes zygotes killed in" \
    "$((SECONDS - t0)) s"
same "the manager came back every time" 0 $wrong
check "$KILLS were killed" \
    [ $((managers + workers + zygotes)) -ge "$KILLS" ]
sleep 0.5
kill $R $W
wait $W
same "no acknowledged write was lost" 0 $?
wait $R
sed 's/^/# /' "$T/write" "$T/read"
acked=$(sed -n 's/^acked \([0-9]*\).*/\1/p' "$T/write")
check "there were writes" [ "${acked:-0}" -gt "$KILLS" ]
read -r _ answers _ failures _ gap <"$T/read"
same "the guest that reads was never refused" 0 "$failures"
check "nor left waiting ($answers answers, at most $gap ms apart)" \
    [ "$gap" -lt 2000 ]

# Everything ends; what was acknowledged is there at the next start.
end_all
again || not_ok "the manager starts from the disk"
ctl start alice >/dev/null 2>&1
same "after a full stop the last write is there" "$acked" \
    "$("$guest" get "$RUN/alice.tpmif")"
