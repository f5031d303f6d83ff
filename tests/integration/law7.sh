#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# law7.sh - laws 6 and 7: what a guest does on its channel hurts only itself.
# While "mallory" does its worst, "bob" sends a command every 2 ms: all of
# them must succeed, and the median wait must stay within a wide bound (this
# machine may be busy with other things); the ratio is reported.
. "$(dirname "$0")/lib.sh"
need jq

start_manager --pool 0 || { not_ok "the manager starts"; exit 1; }
for g in bob mallory; do
	ctl create $g && ctl start $g || { not_ok "$g starts"; exit 1; }
	t2 $g tpm2_startup -c 2>/dev/null
done
t2 bob tpm2_pcrextend "16:sha256=$(printf %064x 7)"
t2 bob tpm2_pcrread sha256:16 >"$T/pcr.1"
get_random=80010000000c0000017b0010
bob=$RUN/bob.tpmif
secs=${SECS:-1}

sample() { "$B/tests/ringcmd" --sample "$secs,2" "$bob" $get_random; }
field() { sed -n "s/.*$1=\([0-9]*\).*/\1/p" <<<"$2"; }

sample >/dev/null
quiet=$(sample)
p50=$(field p50 "$quiet")
check "bob alone: $quiet" [ "$(field bad "$quiet")" = 0 ]
bound=$((p50 * 10 + 2000))

worker=$(worker_pid mallory)
attack() { # WORDS MODE PATH
	local out did
	"$B/tests/badguest" "$2" "$((secs + 1))" "$3" >"$T/did" 2>&1 &
	did=$!
	sleep 0.3
	out=$(sample)
	wait $did || {
		not_ok "$1: badguest could not even start: $(cat "$T/did")"
		return
	}
	if [ "$(field bad "$out")" != 0 ] || [ -z "$out" ]; then
		not_ok "$1: bob's commands failed: $out"
	elif [ "$(field p50 "$out")" -gt $bound ]; then
		not_ok "$1: bob waits: $out (alone: $quiet)"
	else
		ok "$1 ($(cat "$T/did")): bob $out, median x$(
			awk -v a="$(field p50 "$out")" -v b="$p50" \
			    'BEGIN { printf "%.1f", a / b }')"
	fi
}
for m in flood slow headers scribble abrupt connect; do
	attack "ring: $m" $m "$RUN/mallory.tpmif"
done
same "mallory's worker is still the same process" "$worker" \
    "$(worker_pid mallory)"
check "mallory can continue as if nothing had been" t2 mallory \
    tpm2_getrandom --hex 4
for m in flood split oversize truncated garbage locality; do
	attack "control protocol: $m" $m "$RUN/mallory.swtpm"
done
same "mallory's worker is still the same process" "$worker" \
    "$(worker_pid mallory)"
t2 bob tpm2_pcrread sha256:16 >"$T/pcr.2"
check "bob's PCRs are what they were" cmp "$T/pcr.1" "$T/pcr.2"
check "the manager is alive" ctl list
n=$(grep -ac mallory "$LOG")
check "mallory's deeds fill no log: $n lines" [ "$n" -lt 2000 ]
rss=$(awk '/VmHWM/ { print $2 }' "/proc/$worker/status")
check "mallory's worker took at most 32 MB: $rss kB" [ "$rss" -lt 32768 ]
