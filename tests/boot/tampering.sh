#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tampering.sh - N rows of the table of tamperings: each is refused, and the
# right file or word named in one line.  --doc writes doc/TAMPERING.md's table.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/bootlib.sh"
need tpm2_pcrextend python3 sfdisk mcopy mkfs.vfat grub-mkimage objcopy
failed=0
not_ok() { echo "not ok - $*"; failed=1; }
rows() { python3 "$top/tests/boot/tampering.py" "$@"; }
doc=
[ "${1:-}" != --doc ] || { doc=1; set -- 1000; }

check "manager starts" start_manager --pool 0 || exit 1
check "a vTPM starts" eval "ctl create alice && ctl start alice" || exit 1
ca_to "$T/ca.pem"
rows run "${1:-${N:-20}}" "$B" "$RUN" alice "$T/ca.pem" "$T/work" >"$T/rows" 2>&1 ||
    not_ok "a tampering is not refused, or not named"
cat "$T/rows"
[ -z "$doc" ] || check "the document is written" rows doc "$T/rows"
check "the document has the rows" rows check
exit $failed
