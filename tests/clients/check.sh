#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check.sh [ROW...] - Debian's own programs with our vTPMs: each row of README's
# table "Stock programs".  The programs come from Debian's packages and reach a
# vTPM over the TCTI, over NAME.swtpm, or (TPM 1.2) over TCP to the ring.
. "$(dirname "$0")/../integration/lib.sh"
need jq tpm2 tpm2-abrmd tpm2_ptool pkcs11-tool tss2_provision clevis cryptsetup \
    systemd-cryptenroll systemd-creds swtpm_ioctl tcsd tpm_takeownership \
    dbus-run-session openssl
cd "$T" || exit 1
check "a manager" start_manager --pool 0 || exit 1
export B RUN T
TESTS=$top/tests

# fresh NAME [OPTIONS]: a vTPM of this name, started.
fresh() { ctl create "$@" >/dev/null && ctl start "$1" >/dev/null; }
# nothing_left NAME: no object and no session of an ended program is loaded.
nothing_left() {
	[ -z "$(t2 "$1" tpm2_getcap handles-transient)" ] &&
	    [ -z "$(t2 "$1" tpm2_getcap handles-loaded-session)" ]
}
luks() { # FILE: a LUKS2 volume with the password "pw"
	truncate -s 20M "$1" && echo -n pw >key &&
	    cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 "$1" key
}

# --- the rows ------------------------------------------------------------------
row_tpm2-tools() {
	fresh tools
	export TPM2TOOLS_TCTI
	TPM2TOOLS_TCTI=$(tcti tools)
	keys() {
		tpm2_createprimary -Q -C o -G ecc -c prim.ctx || return 1
		for i in $(seq 40); do
			tpm2_create -Q -C prim.ctx -G ecc -u "k.pub" -r "k.priv" &&
			    tpm2_load -Q -C prim.ctx -u k.pub -r k.priv -c k.ctx &&
			    echo "$i" >msg && tpm2_sign -Q -c k.ctx -o sig msg &&
			    tpm2_verifysignature -Q -c k.ctx -m msg -s sig ||
				return 1
		done
	}
	check "tpm2-tools: 160 programs with objects, none flushed by hand" keys
	policies() {
		echo secret >s.in
		tpm2_startauthsession -Q -S t.ctx && tpm2_policypcr -Q -S t.ctx \
		    -l sha256:7 -L pol && tpm2_create -Q -C prim.ctx -L pol \
		    -i s.in -u s.pub -r s.priv && tpm2_load -Q -C prim.ctx \
		    -u s.pub -r s.priv -c s.ctx || return 1
		for i in $(seq 40); do
			tpm2_startauthsession -Q --policy-session -S p.ctx &&
			    tpm2_policypcr -Q -S p.ctx -l sha256:7 &&
			    tpm2_unseal -p session:p.ctx -c s.ctx |
				cmp - s.in || return 1
		done
	}
	check "tpm2-tools: 40 policy sessions over three programs, none flushed" \
	    policies
	crowd() {
		local p pids=()
		for i in 1 2 3 4 5 6; do
			(for j in 1 2 3 4 5; do
				tpm2_createprimary -Q -C n -G ecc -c "c$i.ctx" ||
				    exit 1
			done) & pids+=($!)
		done
		for p in "${pids[@]}"; do wait "$p" || return 1; done
	}
	check "tpm2-tools: six at once take turns" crowd
	check "tpm2-tools: nothing is left" nothing_left tools
}

row_tpm2-abrmd() {
	fresh abrmd
	cat >abrmd.sh <<-'END'
	tpm2-abrmd --allow-root --session --tcti="$1" >abrmd.log 2>&1 & p=$!
	trap 'kill $p; wait $p' EXIT
	export TPM2TOOLS_TCTI=tabrmd:bus_type=session
	for _ in $(seq 50); do
		tpm2_getrandom --hex 4 >/dev/null 2>&1 && break
		sleep 0.2
	done
	tpm2_getrandom --hex 4 && tpm2_createprimary -Q -C o -G ecc -c a.ctx ||
	    exit 1
	for n in 1 2; do
		"$B/vtpmctl" --run "$RUN" stop abrmd &&
		    "$B/vtpmctl" --run "$RUN" start abrmd || exit 2
		tpm2_getrandom --hex 4 || exit 3
		tpm2_createprimary -Q -C o -G ecc -c a.ctx || exit 4
	done
	END
	check "tpm2-abrmd: serves, and goes on after vtpmctl stop and start" \
	    dbus-run-session -- bash abrmd.sh "$(tcti abrmd)"
}

row_tpm2-openssl() {
	fresh ssl
	export TPM2OPENSSL_TCTI p
	TPM2OPENSSL_TCTI=$(tcti ssl)
	p="-provider tpm2 -provider default -propquery ?provider=tpm2"
	ssl() {
		local p=$p alg=$1
		shift
		# shellcheck disable=SC2086
		openssl genpkey $p -algorithm "$alg" "$@" -out ssl.pem &&
		    grep -q 'TSS2 PRIVATE KEY' ssl.pem &&
		    openssl pkey $p -in ssl.pem -pubout -out ssl.pub &&
		    echo data >d && openssl pkeyutl $p -sign -inkey ssl.pem \
			-rawin -digest sha256 -in d -out d.sig &&
		    openssl dgst -sha256 -verify ssl.pub -signature d.sig d &&
		    openssl req $p -x509 -new -key ssl.pem -subj /CN=x -out x.pem &&
		    openssl verify -CAfile x.pem x.pem
	}
	check "tpm2-openssl: an EC key signs a file and a certificate" ssl EC \
	    -pkeyopt group:P-256
	check "tpm2-openssl: an RSA key likewise" ssl RSA -pkeyopt bits:2048
	check "tpm2-openssl: nothing is left" nothing_left ssl
}

row_tpm2-pkcs11() {
	local m
	m=$(dpkg -L libtpm2-pkcs11-1 | grep -m1 '/pkcs11/libtpm2_pkcs11.so$')
	fresh p11
	mkdir p11.store
	# tpm2_ptool runs tpm2-tools.
	export TPM2_PKCS11_STORE=$T/p11.store TPM2_PKCS11_TCTI TPM2TOOLS_TCTI
	TPM2_PKCS11_TCTI=$(tcti p11) TPM2TOOLS_TCTI=$(tcti p11)
	token() {
		tpm2_ptool init && tpm2_ptool addtoken --pid=1 --label=tok \
		    --sopin=so --userpin=us && tpm2_ptool addkey --label=tok \
		    --userpin=us --algorithm=ecc256 --key-label=k &&
		    tpm2_ptool addkey --label=tok --userpin=us \
			--algorithm=rsa2048 --key-label=r
	}
	check "tpm2-pkcs11: tpm2_ptool makes a token with two keys" token
	signs() {
		openssl dgst -sha256 -binary d >d.hash &&
		    pkcs11-tool --module "$m" --token-label tok --login --pin us \
			--sign -m ECDSA --label k -i d.hash -o d.p11 \
			--signature-format openssl &&
		    pkcs11-tool --module "$m" --token-label tok --read-object \
			--type pubkey --label k -o d.der &&
		    openssl pkeyutl -verify -pubin -keyform DER -inkey d.der \
			-in d.hash -sigfile d.p11
	}
	echo data >d
	check "tpm2-pkcs11: pkcs11-tool signs" signs
	check "tpm2-pkcs11: ssh-keygen reads its public keys" eval \
	    '[ "$(ssh-keygen -D "$m" | grep -c "^ecdsa\|^ssh-rsa")" = 2 ]'
	check "tpm2-pkcs11: nothing is left" nothing_left p11
}

row_fapi() {
	local p
	for p in P_ECCP256SHA256 P_RSA2048SHA256; do
		fresh "${p%%2*}"
		mkdir -p "$p/log"
		# ek_cert_less: the EK certificate has no address of its CA.
		cat >"$p.json" <<-J
		{ "profile_name": "$p",
		  "profile_dir": "/etc/tpm2-tss/fapi-profiles/",
		  "user_dir": "$T/$p/u", "system_dir": "$T/$p/s",
		  "ek_cert_less": "yes", "system_pcrs": [],
		  "tcti": "$(tcti "${p%%2*}")", "log_dir": "$T/$p/log" }
		J
		export TSS2_FAPICONF=$T/$p.json
		check "FAPI: tss2_provision by Debian's $p" tss2_provision || continue
		fapi_use() {
			tss2_list | grep -q "$p/HS/SRK" && echo -n data >d &&
			    tss2_createkey -p HS/SRK/k -t sign -a '' &&
			    openssl dgst -sha256 -binary d >d.hash &&
			    tss2_sign -p HS/SRK/k -d d.hash -o f.sig -f &&
			    tss2_verifysignature -p HS/SRK/k -d d.hash -i f.sig &&
			    tss2_createseal -p HS/SRK/s -i d -a '' &&
			    tss2_unseal -p HS/SRK/s -o f.out -f && cmp d f.out
		}
		check "FAPI: keys and sealed data by $p" fapi_use
	done
	unset TSS2_FAPICONF
}

row_clevis() {
	fresh clevis
	export TPM2TOOLS_TCTI
	TPM2TOOLS_TCTI=$(tcti clevis)
	bind() {
		luks cl.img && clevis luks bind -f -k key -d cl.img tpm2 \
		    '{"pcr_bank":"sha256","pcr_ids":"7"}' &&
		    clevis luks pass -d cl.img -s 1 >cl.key &&
		    cryptsetup open --test-passphrase --key-file cl.key cl.img
	}
	check "clevis: luks bind to PCR 7, and the volume opens" bind
	for i in 1 2 3 4; do
		check "clevis: encrypt and decrypt ($i)" eval \
		    '[ "$(echo hi | clevis encrypt tpm2 {} | clevis decrypt)" = hi ]'
	done
	tpm2_pcrextend "7:sha256=$(printf %064x 1)"
	refuse "clevis: not after PCR 7 has changed" "" \
	    clevis luks pass -d cl.img -s 1
	check "clevis: nothing is left" nothing_left clevis
}

row_systemd() {
	fresh sysd
	enrol() {
		luks sd.img && PASSWORD=pw systemd-cryptenroll \
		    --tpm2-device="$(tcti sysd)" --tpm2-pcrs=7 sd.img &&
		    PASSWORD=pw systemd-cryptenroll --wipe-slot=tpm2 \
			--tpm2-device="$(tcti sysd)" --tpm2-pcrs=0+7 sd.img &&
		    cryptsetup luksDump sd.img | grep -q systemd-tpm2
	}
	check "systemd-cryptenroll: enrols and enrols anew" enrol
	creds() {
		local i
		for i in 1 2 3 4 5; do
			echo "hi $i" | systemd-creds encrypt --with-key=tpm2 \
			    --tpm2-device="$(tcti sysd)" --tpm2-pcrs=7 \
			    --name=x - c.out &&
			    systemd-creds decrypt --tpm2-device="$(tcti sysd)" \
				--name=x c.out - | grep -qx "hi $i" || return 1
		done
	}
	check "systemd-creds: encrypts and decrypts five times" creds
	check "systemd: nothing is left" nothing_left sysd
}

row_pytss() {
	fresh py
	# Debian's interpreter, whose modules these are.
	check "tpm2-pytss: keys in two contexts of one process" \
	    /usr/bin/python3 - "$(tcti py)" <<-'END'
	import sys
	from tpm2_pytss import ESAPI, TCTILdr
	name, conf = sys.argv[1].split(":", 1)
	for i in range(3):
	    with TCTILdr(name, conf) as t, TCTILdr(name, conf) as u, \
	            ESAPI(t) as a, ESAPI(u) as b:
	        a.create_primary(None, "ecc")
	        assert len(bytes(b.get_random(8))) == 8
	        b.create_primary(None, "rsa2048")
	END
	check "tpm2-pytss: nothing is left" nothing_left py
}

row_swtpm_ioctl() {
	local s="$RUN/io.swtpm"
	fresh io
	io() { swtpm_ioctl --unix "$s" "$@"; }
	check "swtpm_ioctl: -c, -g, -b and --info" eval \
	    'io -c && io -g && io -b 4000 && io --info 7 | grep -q "\"family\":\"2.0\""'
	# each in a connection of its own
	move() {
		io -i && io --save permanent perm && io --save volatile vol &&
		    io --stop && io --load permanent perm &&
		    io --load volatile vol && io -i && io -e && io -C
	}
	check "swtpm_ioctl: -i, --save, --stop, --load and -i again" move
	check "swtpm_ioctl: a state without its other half is refused" eval \
	    'io --stop && io --load permanent perm && ! io -i'
	check "and the log says why" grep -aq 'io.*not taken together\|refused a snapshot' "$LOG"
	check "swtpm_ioctl: the TPM comes up all the same" io -i
	check "swtpm_ioctl: hash sequence, locality, shutdown" eval \
	    'io -l 0 && io -h 1234 && io -s'
}

row_trousers() {
	local port=$((20000 + RANDOM % 20000))
	fresh t12 --tpm 1.2
	background /usr/bin/python3 "$TESTS/clients/tpmtcp.py" \
	    "$B/tests/ringcmd" "$RUN/t12.tpmif" $port 2>tcp.log
	sleep 0.5
	printf '%s\n' "port = $((port + 1))" "system_ps_file = $T/tss.ps" \
	    >tcsd.conf
	chown root:tss tcsd.conf && chmod 640 tcsd.conf
	touch tss.ps && chown tss:tss tss.ps "$T" && chmod 600 tss.ps
	export TSS_TCSD_PORT=$((port + 1)) TCSD_USE_TCP_DEVICE=1 \
	    TCSD_TCP_DEVICE_HOSTNAME=127.0.0.1 TCSD_TCP_DEVICE_PORT=$port
	background tcsd -f -e -c "$T/tcsd.conf" >tcsd.log 2>&1
	check "trousers: tcsd answers tpm_version" wait_for 20 tpm_version
	check "tpm-tools: TPM 1.2, its public EK" eval \
	    'tpm_version | grep -q "TPM 1.2" && { tpm_getpubek -z || tpm_getpubek; }'
	check "tpm-tools: takes ownership" tpm_takeownership -y -z
	check "tpm-tools: seals and unseals" eval \
	    'echo secret >t.in && tpm_sealdata -z -i t.in -o t.sealed &&
	     tpm_unsealdata -z -i t.sealed -o t.out && cmp t.in t.out'
}

# --- README's table --------------------------------------------------------------
mapfile -t table < <(sed -n '/^## Stock programs/,/^## /s/^| \([a-z0-9_-]*\) |.*/\1/p' \
    "$top/README.md" | grep -v '^program$')
mapfile -t rows < <(declare -F | sed -n 's/^declare -f row_//p')
same "README's table has a row for each that is run here" \
    "$(printf '%s\n' "${rows[@]}" | sort | xargs)" \
    "$(printf '%s\n' "${table[@]}" | sort | xargs)"
[ $# -gt 0 ] || set -- "${table[@]}"
for r; do "row_$r"; done
check "the manager and its workers live" alive "$MPID"
