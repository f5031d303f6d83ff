#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# launch_roms.sh - what QEMU loads is in the launch record: random command lines,
# compared with the files that real QEMU opens.
# LAUNCH_LINES: how many (make fuzz-launch: 2,000); LAUNCH_SEED: which.
. "$(dirname "$0")/lib.sh"
need jq python3 qemu-system-x86_64 strace
[ -f /usr/share/OVMF/OVMF_CODE_4M.fd ] || { echo "skip - no OVMF"; exit; }
seed=${LAUNCH_SEED:-1} lines=${LAUNCH_LINES:-60}
start_manager --pool 1 || { not_ok "the manager starts"; exit 1; }
ctl create g1 >/dev/null || not_ok "a vTPM is made"
mkdir "$T/lines"
check "all that QEMU opens for $lines random lines is in the record" \
    python3 "$top/tests/integration/launch_random.py" "$B/vtpmctl" "$RUN" g1 \
    "$T/lines" "$seed" "$lines" real
