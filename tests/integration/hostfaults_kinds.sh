#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# hostfaults_kinds.sh - hostfaults.sh with all the other kinds of faults.
[ -z "${FULL:-}" ] || { echo "ok - hostfaults.sh has all of them"; exit; }
KINDS=others exec "$(dirname "$0")/hostfaults.sh"
