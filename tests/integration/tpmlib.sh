# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# tpmlib.sh - sourced by the tests of vtpm-hwtpm and of stock TPMs, which need
# no manager: a separate folder to work in ($dir), points "ok - TEXT" and
# "not ok - TEXT", an end to everything started.
#
#   check TEXT COMMAND...    one point
#   try TEXT COMMAND...      the same, what it prints goes to out and err
#   refuse TEXT COMMAND...   as try, but it must fail
#   tpm NAME [ARGS...]       a stock TPM at $dir/NAME (tests/swtpm.sh)
#   says REGEXP, line N      of out
#
# Variables: B, top, dir, pids (processes that end with the test).
set -u
B=${B:-build}
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
case $B in /*) ;; *) B=$top/$B ;; esac
. "$top/tests/swtpm.sh"
dir=$(mktemp -d /tmp/vtpm-test.XXXXXX)
cd "$dir" || exit 1
pids=()
cleanup() {
	local p
	for p in "${pids[@]}"; do
		kill -CONT "$p" 2>/dev/null
		kill "$p" 2>/dev/null
	done
	wait 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
ok() { echo "ok - $*"; }
not_ok() {
	echo "not ok - $*"
	sed 's/^/  /' out err 2>/dev/null | tail -20
}
check() { # text, command...
	local text=$1
	shift
	if "$@"; then ok "$text"; else not_ok "$text"; fi
}
try() {
	local text=$1
	shift
	if "$@" >out 2>err; then ok "$text"; else not_ok "$text"; fi
}
refuse() {
	local text=$1
	shift
	if "$@" >out 2>err; then not_ok "$text"; else ok "$text"; fi
}
says() { grep -aqE -e "$1" out; }
line() { sed -n "$1p" out; }
tpm() { # NAME ARGS...
	local name=$1
	shift
	[ $# -gt 0 ] || set -- --tpm2 --flags not-need-init
	swtpm_run "$dir/$name.d" "$dir/$name" "$@" ||
	    { not_ok "swtpm starts"; exit 1; }
	pids+=("$SWTPM_PID")
}
