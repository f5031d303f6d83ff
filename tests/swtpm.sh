# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# swtpm.sh - sourced: stock TPMs (swtpm) that play a host's physical one.
#
#   swtpm_made DIR STATE [ARGS...]   a TPM in the folder STATE whose EK a maker
#                        has certified.  The maker is in DIR: DIR/roots (a
#                        folder) and DIR/roots.pem are for a verifier.  What
#                        swtpm_setup says goes to standard output.
#   swtpm_run STATE SOCKET [ARGS...]  it runs, in the background, and listens
#                        at SOCKET and SOCKET.ctrl; its id is in SWTPM_PID.
#                        ARGS are swtpm's; without any: a TPM 2.0, started up.
#   swtpm_reset SOCKET   power cycle: PCRs begin anew, nothing is started up
#   swtpm_extend SOCKET PCR VALUE...  one PCR after the other, each by one value
#                        in all of the bank's digits (sha256)
swtpm_maker() { # DIR
	mkdir -p "$1/maker" "$1/roots"
	cat >"$1/localca.conf" <<-CONF
	statedir = $1/maker
	signingkey = $1/maker/signkey.pem
	issuercert = $1/maker/issuercert.pem
	certserial = $1/maker/certserial
	CONF
	cat >"$1/setup.conf" <<-CONF
	create_certs_tool = $(command -v swtpm_localca)
	create_certs_tool_config = $1/localca.conf
	create_certs_tool_options = /etc/swtpm-localca.options
	active_pcr_banks = sha256
	CONF
}
swtpm_made() { # DIR STATE ARGS...
	local dir=$1 state=$2 as=(--runas "$(id -un)")
	shift 2
	[ "$(id -u)" = 0 ] || as=()
	[ -e "$dir/setup.conf" ] || swtpm_maker "$dir" || return 1
	mkdir -p "$state" || return 1
	swtpm_setup "${as[@]}" --tpm2 --tpmstate "$state" \
	    --config "$dir/setup.conf" --create-ek-cert --pcr-banks sha256 \
	    --not-overwrite "$@" 2>&1 || return 1
	cp "$dir"/maker/*cert.pem "$dir/roots" &&
	    cat "$dir"/roots/*.pem >"$dir/roots.pem"
}
swtpm_run() { # STATE SOCKET ARGS...
	local state=$1 socket=$2 i
	shift 2
	[ $# -gt 0 ] || set -- --tpm2 --flags not-need-init,startup-clear
	mkdir -p "$state" || return 1
	rm -f "$socket" "$socket.ctrl"
	swtpm socket --tpmstate "dir=$state" --server "type=unixio,path=$socket" \
	    --ctrl "type=unixio,path=$socket.ctrl" "$@" >/dev/null 2>&1 \
	    </dev/null &
	SWTPM_PID=$!
	for ((i = 0; i < 1000; i++)); do # 20 s
		if [ -S "$socket" ] && [ -S "$socket.ctrl" ]; then return 0; fi
		kill -0 "$SWTPM_PID" 2>/dev/null || return 1
		sleep 0.02
	done
	return 1
}
swtpm_reset() { swtpm_ioctl --unix "$1.ctrl" -i; }
swtpm_extend() { # SOCKET PCR VALUE...
	local socket=$1
	shift
	while [ $# -gt 1 ]; do
		TPM2TOOLS_TCTI=swtpm:path=$socket tpm2_pcrextend \
		    "$1:sha256=$(printf '%064d' "$2")" || return 1
		shift 2
	done
}
