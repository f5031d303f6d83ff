# SPDX-License-Identifier: BSD-3-Clause
# deeplib.sh - sourced after lib.sh and bootlib.sh: a host's TPM (swtpm with its
# maker's EK certificate), enrolled with a verifier, and deep evidence on it.
#
#   host_tpm NAME        a TPM at $T/NAME with PCRs 0-7 of a host that booted
#   enrol_host NAME      the manager's keys on it: NAME.json (the host record),
#                        NAME-states.json; by vtpmctl if the manager runs
#   attest GUEST NONCE OUT ARGS...    vtpm-attest --deep
#   judge NAME EVIDENCE NONCE ARGS... vtpm-verify on that host
#   leaf EVIDENCE        of its leaf the flags capped (2) and launched (4), and
#                        the launch digest
A=$B/vtpm-attest V=$B/vtpm-verify
PY=$top/tests/deep/verify_deep.py
need jq swtpm swtpm_setup swtpm_localca openssl tpm2_pcrextend python3

host_tpm() { # NAME
	swtpm_made "$T" "$T/$1.tpm" >"$T/$1.setup" || return 1
	tpm "$1" && host_boots "$1"
}
host_boots() { # NAME: what its firmware measures
	local p
	for p in 0 1 2 3 4 5 6 7; do
		TPM2TOOLS_TCTI=swtpm:path=$T/$1 tpm2_pcrextend \
		    "$p:sha256=$(printf '%063d1' "$p")" || return 1
	done
}
enrol_host() { # NAME
	if [ -n "$MPID" ]; then enrol_running "$1"; else enrol_stopped "$1"; fi
}
enrol_running() { # NAME
	local d=$T/$1.enrol
	mkdir -p "$d"
	ctl host enrol -o "$d/identity.json" && "$V" enrol challenge \
	    --identity "$d/identity.json" --roots "$T/roots" \
	    -o "$d/challenge.json" --state "$d/secret.json" &&
	    ctl host enrol --challenge "$d/challenge.json" \
		-o "$d/response.json" && "$V" enrol finish \
	    --response "$d/response.json" --state "$d/secret.json" \
	    -o "$T/$1.json" && ctl host pcrs -o "$d/pcrs.json" &&
	    "$V" host-states --pcrs "$d/pcrs.json" -o "$T/$1-states.json"
}
enrol_stopped() { # NAME
	local d=$T/$1.enrol
	mkdir -p "$d"
	python3 - "$STATE/store.db" >"$d/blob" <<'PYTHON' || return 1
import sqlite3, sys
row = sqlite3.connect(sys.argv[1]).execute(
    "SELECT val FROM kv WHERE key = 'host_blob'").fetchone()
sys.stdout.buffer.write(row[0])
PYTHON
	timeout 100 "$B/tests/hostcmd" \
	    "$B/vtpm-hwtpm --tcti swtpm:path=$T/$1" "$d" \
	    "$V enrol challenge --identity $d/identity.json \
	    --roots $T/roots -o $d/challenge.json --state $d/secret.json" \
	    "$d/blob" && "$V" enrol finish --response "$d/response.json" \
	    --state "$d/secret.json" -o "$T/$1.json" &&
	    mv "$d/states.json" "$T/$1-states.json"
}
attest() { # GUEST NONCE OUT ARGS...
	local g=$1 n=$2 o=$3
	shift 3
	"$A" --tcti "$(tcti "$g")" --nonce "$n" --log "$GOOD_LOG" --deep \
	    -o "$o" "$@"
}
judge() { # NAME EVIDENCE NONCE ARGS...
	local h=$1 e=$2 n=$3
	shift 3
	"$V" -e "$e" --nonce "$n" --policy "$T/policy.json" \
	    --host "$T/$h.json" --host-states "$T/$h-states.json" \
	    --roots "$T/roots" "$@"
}
# The second verifier, which was written from doc/FORMATS.md alone.
judge_py() { # NAME EVIDENCE NONCE ARGS...
	local h=$1 e=$2 n=$3
	shift 3
	python3 "$PY" -e "$e" --nonce "$n" --host "$T/$h.json" \
	    --host-states "$T/$h-states.json" --roots "$T/roots.pem" "$@"
}
leaf() { # EVIDENCE
	python3 - "$top/tests/deep" "$1" <<'PYTHON'
import base64, json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from verify_deep import Answer
a = Answer(base64.b64decode(json.load(open(sys.argv[2]))["deep"]))
print(a.flags & 6, a.launch.hex())
PYTHON
}
deep_count() { jctl status | jq ".deep_quotes.$1"; }
