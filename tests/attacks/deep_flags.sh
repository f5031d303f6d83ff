#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# deep_flags.sh - attacks of a worker that its guest took over: in its deep
# quotes it claims a launch that there was not, and that its PCRs are not
# capped.  Each is tried on a manager as it is, and must succeed on one of which
# that one check is taken out.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/bootlib.sh"
. "$(dirname "$0")/../integration/deeplib.sh"
export LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
cd "$T" || exit 1
mkdir -p bin
ln -sf "$B/tests/attack-managerd" bin/vtpm-managerd
VTPM_LIE=$(printf '%064x' 48879)
export VTPM_LIE VTPM_HWTPM=$B/vtpm-hwtpm
printf 'pool = 0\nzygote = %s\n' "$B/tests/hostile-zygote" >conf

zeros=$(printf '%064d' 0)
# try CHECKS: a manager without these; alice booted on it, unlaunched.
try() {
	local b=$B
	export VTPM_SKIP=$1
	B=$T/bin start_manager --config conf --root "swtpm:path=$T/host" ||
	    exit 1
	unset VTPM_SKIP
	B=$b
	ctl create alice >/dev/null 2>&1
	check "alice starts and boots (without: ${1:-nothing})" \
	    eval "ctl start alice && boot alice"
}
down() { end_all; MPID=; }
pid_of() { jctl show alice | jq -r .worker.pid; }
new_worker() { local p; p=$(pid_of) && [ "$p" -gt 0 ] && [ "$p" != "$1" ]; }
crash() {
	local p
	p=$(pid_of)
	slay "$p"
	wait_for 20 new_worker "$p"
	wait_for 20 t2 alice tpm2_getrandom 8 --hex >/dev/null
}
quoted() { attest alice "$("$V" nonce)" "$1" >err 2>&1; leaf "$1"; }

check "a host's TPM is made and certified" host_tpm host || exit 1
try ''
same "a launch that there was not: stopped, the registry has none" \
    "0 $zeros" "$(quoted a.json)"
differs() { ctl audit | grep -aE 'launch-differs +alice +denied'; }
check "it is audited" differs
quoted b.json >/dev/null
same "once" 1 "$(differs | grep -c .)"
check "and logged" grep -aq 'worker names a launch' "$LOG"
check "the worker is killed" crash
same "PCRs that are not capped: stopped, the manager had it restarted" \
    "2 $zeros" "$(quoted c.json)"
down
try deep-launched
same "without deep-launched the first succeeds" "4 $VTPM_LIE" \
    "$(quoted d.json)"
down
try deep-capped
check "the worker is killed" crash
same "without deep-capped the second succeeds" "0 $zeros" "$(quoted e.json)"
down
