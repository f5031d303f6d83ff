#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# top.sh - vtpmctl top: its numbers are those of Stats over the time between,
# a table is as wide as the terminal, which is as before at the end.
. "$(dirname "$0")/lib.sh"
need jq busctl perl script stty
cd "$T" || exit 1
check "a manager" start_manager --pool 0 || exit 1
for n in a b c; do ctl create $n && ctl start $n; done >/dev/null
ctl stop c >/dev/null

# --- numbers ---------------------------------------------------------------------
(while t2 a tpm2_getrandom --hex 8; do :; done) >/dev/null 2>&1 &
load=$!
PIDS+=($load)
stats() { busctl --json=short --address="unix:path=$RUN/control.sock" call \
    org.vtpm.Manager1 /org/vtpm/Manager1 org.vtpm.Manager1 Stats |
    jq -r '.data[0]'; }
stats >s0
jctl top -n 2 -d 1 >top.json
stats >s1
kill $load
same "as JSON: one line each" 2 "$(wc -l <top.json)"
same "of those that are not stopped, the busiest first" "a b" \
    "$(tail -1 top.json | jq -r '[.guests[].name] | join(" ")')"
# Commands in both tables' time are no more than those around them.
check "rates are of the counters: $(jq -c '.guests[0].commands_per_s' \
    top.json | xargs)" jq -ne --slurpfile t top.json --slurpfile a s0 \
    --slurpfile b s1 'def n(s): s[0].guests[] | select(.name == "a") |
	.counted.commands;
    ($t | map(.guests[0].commands_per_s * .seconds) | add) as $n |
    $n > 0 and $n <= n($b) - n($a) + 0.01 and $n >= (n($b) - n($a)) / 4'
check "the seconds are those of the delay" jq -se \
    'all(.[]; .seconds >= 0.99 and .seconds < 10)' top.json
check "an idle guest has none" jq -se 'all(.[]; .guests[1].commands_per_s == 0
    and .guests[1].cpu_percent < 50 and .guests[1].quiet_ms > 900)' top.json
same "the host's are their sum" "$(jq -c \
    '[.guests[].commands_per_s] | add' top.json)" \
    "$(jq -c .host.commands_per_s top.json)"
check "memory is the worker's" test "$(tail -1 top.json |
    jq '.guests[0].resident_bytes')" -gt 1000000

# --- a table -------------------------------------------------------------------------
COLUMNS=80 ctl top -n 1 -d 1 --sort name >out
sed 's/^/# /' out
same "as text: the host, a blank line, names of columns, two guests" 6 \
    "$(wc -l <out)"
check "no more than 80 columns" eval '! grep -E ".{81}" out'
check "nothing that steers a terminal" eval '! grep -q "[[:cntrl:]]" out'
same "in order" "a b" "$(tail -2 out | cut -d" " -f1 | xargs)"
same "in the other order" "b a" "$(ctl top -n 1 -d 1 --sort name -r |
    tail -2 | cut -d" " -f1 | xargs)"
refuse "another order is wrong usage" "not one of commands, stores" \
    ctl top --sort size

# --- a terminal ------------------------------------------------------------------------
# on_terminal KEYS-OR-SIGNAL: settings of a terminal before and after a top in
# it; what was written to it is in "screen".
cat >foreground <<END
stty rows 24 cols 80; stty -g >before
"$B/vtpmctl" --run "$RUN" top -d 1
echo \$? >code; stty -g >after
END
on_terminal() { # what ends it: a key, or -SIGNAL
	rm -f screen code before after
	{
		wait_for 20 grep -q NAME screen
		case $1 in
		-*) pkill "$1" -f -n "^$B/vtpmctl --run $RUN top" ;;
		*) printf %s "$1" ;;
		esac
		wait_for 20 test -e after
	} | timeout 60 script -qfec "bash foreground" screen >/dev/null
}
restored() {
	same "$1: the terminal's settings are as before" "$(cat before)" \
	    "$(cat after)"
	check "and its screen and cursor" eval \
	    'grep -q "$(printf "\033\[?25h\033\[?1049l")" screen'
}
on_terminal q
restored "after the key q"
same "it ended well" 0 "$(cat code)"
for s in INT TERM HUP QUIT; do
	on_terminal -$s
	restored "after SIG$s"
	check "it ended by the signal ($(cat code))" [ "$(cat code)" -gt 128 ]
done
stop_manager KILL
refuse "without a manager it says so" "no manager" ctl top -n 1
