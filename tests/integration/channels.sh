#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# channels.sh - whatever a hypervisor forwards of a guest's command, the vTPM
# answers as swtpm does, in bounded time.
. "$(dirname "$0")/lib.sh"
need swtpm

start_manager --pool 0 || { not_ok "the manager starts"; exit 1; }
check "a vTPM is created and started" eval 'ctl create alice && ctl start alice'
check "swtpm starts" swtpm_run "$T/tpm" "$T/s" --tpm2 --flags not-need-init
PIDS+=("$SWTPM_PID")
check "every header size, body and cut gets swtpm's answer" \
    "$B/tests/chanbytes" "$RUN/alice.swtpm" "$T/s.ctrl" "$T/s"
check "and the vTPM still works" eval \
    '[ "$(jctl show alice | jq -r .state)" = running ]'
