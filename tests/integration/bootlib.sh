# SPDX-License-Identifier: BSD-3-Clause
# bootlib.sh - sourced after lib.sh: boots of the event log in tests/vectors,
# as firmware, boot loader and kernel would do them, over a guest's channel.
#
#   boot alice                 Startup, then every event of the good log
#   boot alice "$T/bad.log"    the same with another log
#   tampered_log "$T/bad.log"  the good log, but a word on the command line
GOOD_LOG=$top/tests/vectors/ovmf-grub-linux-6.1.eventlog
GOOD_LINE='/vmlinuz console=ttyS0 panic=-1 quiet'
BAD_LINE='/vmlinuz console=ttyS0 panic=-1 devel'

# PCR:sha256=DIGEST of every event that extends, in order.
extends() { # LOG
	tpm2_eventlog "$1" 2>/dev/null | awk '/PCRIndex:/ { pcr = $2 }
	    /EventType:/ { type = $2 } /AlgorithmId: sha256/ { want = 1 }
	    /Digest: / { gsub(/["'\'']/, "", $2)
	    if (want && type != "EV_NO_ACTION") print pcr ":sha256=" $2
	    want = 0 }'
}
boot() { # GUEST [LOG]
	local list
	mapfile -t list < <(extends "${2:-$GOOD_LOG}")
	[ ${#list[@]} -gt 30 ] && t2 "$1" tpm2_startup -c &&
	    t2 "$1" tpm2_pcrextend "${list[@]}"
}
sha() { printf %s "$1" | sha256sum | cut -d' ' -f1; }
hex() { printf %s "$1" | xxd -p | tr -d '\n'; }
tampered_log() { # FILE
	xxd -p "$GOOD_LOG" | tr -d '\n' | sed \
	    -e "s/$(sha "$GOOD_LINE")/$(sha "$BAD_LINE")/g" \
	    -e "s/$(sha "linuxefi $GOOD_LINE")/$(sha "linuxefi $BAD_LINE")/g" \
	    -e "s/$(hex "$GOOD_LINE")/$(hex "$BAD_LINE")/g" | xxd -r -p >"$1"
}
# The manager's CA, for verifiers.
ca_to() { jctl status | jq -r .ca_certificate >"$1"; }
