#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run.sh - one guest on a real Xen host, as a commented tour (make run-xen).
cat <<'T'
What follows happens on a real Xen with Debian's kernel as dom0 and as
guest.  Only the processor and the TPM chip below it are emulated (QEMU,
swtpm), so a step may take a minute.  Nothing is installed on this machine.
T
exec "$(dirname "$0")/check.sh" tour
