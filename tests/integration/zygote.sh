#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# zygote.sh - real zygote and jailed workers before a fake manager.
set -u
B=${B:-build}
out=$(mktemp)
trap 'rm -f "$out"' EXIT
"$B/tests/zygote_test" "$B/vtpm-zygote" >"$out" 2>&1
rc=$?
sed -n 's/^\[       OK \] /ok - zygote: /p; s/^\[  FAILED  \] \([a-z_0-9]*\)$/not ok - zygote: \1/p; s/^# /# /p' "$out" |
    sed '/^\(not \)\?ok/s/_/ /g' | sort -u
if [ $rc -ne 0 ]; then
	grep -aE 'ERROR|LINE' "$out" | sed 's/^/# /'
	grep -aq 'FAILED' "$out" || echo "not ok - zygote: test ended with $rc"
fi
exit $rc
