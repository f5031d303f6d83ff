#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# libraries.sh - libtpms, Xen's libraries, SQLite and tpm2-tss are each known
# to few files.
set -u
bad=0
one() { # what, pattern, allowed files
	local hits
	hits=$(git grep -lE "$2" -- '*.c' '*.h' ':!tests' | grep -vE "$3")
	if [ -n "$hits" ]; then
		echo "libraries: $1 outside its file: $hits"
		bad=1
	fi
}
one libtpms '#include <libtpms/' '^vtpm/engine/engine\.c$'
one SQLite '#include <sqlite3' '^vtpm_manager/store/'
one Xen '#include <xen(evtchn|gnttab|store)' '^tpmback/xen_chan|^tpmfront/xen_front|^vtpm_manager/xenback/'
# The daemon itself never speaks to a TPM: hwtpm is a separate process.
one tpm2-tss '#include <tss2/' \
    '^(tpmfront/tcti/|tpmfront/frontd/tcti_bridge|vtpm_manager/hwtpm/|tools/)'
exit $bad
