# SPDX-License-Identifier: BSD-3-Clause
# lib.sh - sourced by the integration tests: a manager in a private folder,
# points "ok - TEXT" / "not ok - TEXT", and an end to everything started.
#
#   . "$(dirname "$0")/lib.sh"
#   start_manager --pool 0          waits until it is ready
#   ctl create alice                vtpmctl against that manager
#   t2 alice tpm2_getrandom --hex 16   a stock program over our TCTI
#   check "a claim" COMMAND ARGS...
#
# Variables: T (private folder), STATE, RUN, MPID (the manager's pid), LOG.
# At exit all workers, helpers and the folder are gone; KEEP=1 keeps it.
set -u
B=${B:-build}
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
case $B in /*) ;; *) B=$top/$B ;; esac
export LD_LIBRARY_PATH=$B${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
. "$top/tests/swtpm.sh"
T=$(mktemp -d "${TMPDIR:-/tmp}/vt.XXXXXX")
STATE=$T/state
RUN=$T/run
LOG=$T/manager.log
MPID=
PIDS=()
mkdir -p "$STATE" "$RUN"
chmod 755 "$T"

ok() { echo "ok - $*"; }
not_ok() { echo "not ok - $*"; }
# check TEXT COMMAND...: one point; what it printed is shown when it fails.
check() {
	local text=$1
	shift
	if "$@" >"$T/check.out" 2>&1; then ok "$text"; else
		not_ok "$text (exit $?: $*)"
		sed 's/^/#   /' "$T/check.out" | tail -20
		return 1
	fi
}
# refuse TEXT WORDS COMMAND...: must fail and say WORDS (extended regexp).
refuse() {
	local text=$1 words=$2
	shift 2
	if "$@" >"$T/check.out" 2>&1; then not_ok "$text: not refused: $*"
	elif ! grep -qEi -- "$words" "$T/check.out"; then
		not_ok "$text: refused without \"$words\""
		sed 's/^/#   /' "$T/check.out" | tail -5
	else ok "$text"; fi
}
same() { # TEXT WANT GOT
	if [ "$2" = "$3" ]; then ok "$1"; else
		not_ok "$1: want '$2', got '$3'"
	fi
}
# wait_for SECONDS COMMAND...: poll ten times a second.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}
alive() { kill -0 "$1" 2>/dev/null; }
# slay PID: SIGKILL; a pid that is not known yet (0, null) hits no process.
slay() { [ "${1:-0}" -gt 1 ] 2>/dev/null && kill -KILL "$1" 2>/dev/null; }
gone() { ! kill -0 "$1" 2>/dev/null; }
# Run something in the background that must end with the test.
background() { "$@" & PIDS+=($!); }
# tpm NAME: a stock TPM at $T/NAME, its state in $T/NAME.tpm (tests/swtpm.sh).
tpm() {
	swtpm_run "$T/$1.tpm" "$T/$1" || return 1
	PIDS+=("$SWTPM_PID")
}

ready() { ! alive "$MPID" || grep -aq '^vtpm-managerd: ready' "$LOG"; }
# start_manager ARGS...: in the background, returns when it is ready.
start_manager() {
	: >"$LOG"
	"$B/vtpm-managerd" --state "$STATE" --run "$RUN" "$@" \
	    >"$LOG" 2>&1 </dev/null &
	MPID=$!
	wait_for 60 ready
	if ! alive "$MPID"; then
		tail -20 "$LOG" | sed 's/^/# /'
		return 1
	fi
	grep -aq '^vtpm-managerd: ready' "$LOG"
}
# stop_manager [SIGNAL]: workers live on.
stop_manager() {
	[ -n "$MPID" ] || return 0
	kill -"${1:-TERM}" "$MPID" 2>/dev/null
	wait "$MPID" 2>/dev/null
	MPID=
}
# End the manager and every worker of this run.
stop_all() { "$B/vtpm-managerd" --run "$RUN" --stop-all >>"$LOG" 2>&1; }
end_all() {
	[ -x "$B/vtpm-managerd" ] || return 0
	# Asked while it lives the manager stops them in order and at once;
	# without it no process stores the workers' state.
	[ -z "$MPID" ] || stop_all
	stop_manager TERM
	stop_all
}
ctl() { "$B/vtpmctl" --run "$RUN" "$@"; }
jctl() { "$B/vtpmctl" --run "$RUN" --json "$@"; }
tcti() { echo "tpmfront:local=$RUN/$1.tpmif"; }
# t2 GUEST PROGRAM ARGS...: a tpm2-tools program on that guest's vTPM.
t2() {
	local g=$1
	shift
	TPM2TOOLS_TCTI=$(tcti "$g") "$@"
}
# The pid of a guest's worker, of the zygote and of hwtpm.
worker_pid() { jctl show "$1" | jq -r .worker.pid; }
zygote_pid() { jctl status | jq -r .zygote.pid; }
hwtpm_pid() { jctl status | jq -r .hwtpm.pid; }
need() { # PROGRAM...: the test stops here without them
	local p
	for p; do
		command -v "$p" >/dev/null || {
			not_ok "this test needs $p"
			exit 1
		}
	done
}

# Pids of workers whose log is in this test's folder.
our_workers() {
	local p
	for p in $(pgrep -x 'vtpm-worker|vtpm-zygote'); do
		case $(readlink "/proc/$p/fd/2" 2>/dev/null) in
		"$T"/*) echo "$p" ;;
		esac
	done
}
no_workers() { [ -z "$(our_workers)" ]; }

cleanup() {
	local p
	for p in "${PIDS[@]}"; do kill "$p" 2>/dev/null; done
	end_all
	for p in "${PIDS[@]}"; do wait "$p" 2>/dev/null; done
	if ! wait_for 5 no_workers; then
		not_ok "no worker outlives the test: $(our_workers | xargs)"
		for p in $(our_workers); do kill -KILL "$p"; done
	fi
	type cleanup_more >/dev/null 2>&1 && cleanup_more
	if [ -n "${KEEP:-}" ]; then echo "# kept: $T"; else rm -rf "$T"; fi
}
trap cleanup EXIT
