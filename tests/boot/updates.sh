#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# updates.sh - N simulated updates, each predicted and approved before the
# reboot: every one right, none locked out.
. "$(dirname "$0")/../integration/lib.sh"
need tpm2_pcrextend python3 grub-mkimage objcopy openssl
check "manager starts" start_manager --pool 0 || exit 1
check "a vTPM starts" eval "ctl create alice && ctl start alice" || exit 1
python3 "$top/tests/boot/updates.py" "${1:-${N:-40}}" "$B" "$RUN" alice \
    "$T/work" >"$T/updates" 2>&1
rc=$?
cat "$T/updates"
same "every update is right, and locks nobody out" 0 $rc
exit $rc
