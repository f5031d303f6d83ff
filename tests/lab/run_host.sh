# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# run_host.sh - sourced by run.sh: the same on a physical TPM, which here is
# swtpm with a certificate of its maker.  The host is enrolled, a guest's
# quote is vouched for by the host's TPM, the host boots something else and
# gets no keys, an approval makes all well again, an old store does not.
HTPM= # the host's TPM as a TCTI

host_tpm() { # its TPM, made and certified in a factory of ours
	mkdir -p "$T/tpm"
	swtpm_made "$T" "$T/htpm" >"$OUT/tpm-setup.log" ||
	    die "the host's TPM could not be made" "$OUT/tpm-setup.log"
	cp "$T/roots.pem" "$OUT/maker.pem"
	swtpm_run "$T/htpm" "$T/tpm/sock" || die "swtpm does not start"
	lab_pids+=("$SWTPM_PID")
	HTPM=swtpm:path=$T/tpm/sock
}

# host_boots LOADER: the power cycle of a host and what its firmware measures;
# PCR 4 is the boot loader's.
host_boots() {
	local p
	swtpm_reset "$T/tpm/sock" >/dev/null 2>&1
	TPM2TOOLS_TCTI=$HTPM tpm2_startup -c >/dev/null 2>&1
	for p in "0:firmware 1.0" "1:settings" "2:option ROMs" "3:-" "4:$1" \
	    "5:partitions" "6:-" "7:secure boot on"; do
		TPM2TOOLS_TCTI=$HTPM tpm2_pcrextend "${p%%:*}:sha256=$(
		    printf %s "${p#*:}" | sha256sum | cut -d' ' -f1)" \
		    2>/dev/null || die "the host's TPM does not answer"
	done
	say "the host has booted: $1"
}

stop_host_manager() {
	ctl stop $NAME >/dev/null 2>&1
	end_manager
	lab_wait_exit "$manager_pid" 20 || die "the manager does not end" \
	    "$OUT/manager.log"
}

# states NAME: what a verifier accepts, from the approvals that there are.
states() {
	ctl --json host status >"$T/host.status" &&
	    "$B/vtpm-verify" host-states --key "$OUT/approval.pem.pub" \
		-o "$OUT/$1" "$STATE"/approvals/* >"$T/states.txt" 2>&1 ||
	    die "no list of host states" "$T/states.txt"
}

# verify_host N NONCE STATES: as verify, but down to the maker's root.
verify_host() {
	"$B/vtpm-verify" -e "$OUT/evidence-boot$1.json" --nonce "$2" \
	    --policy "$OUT/policy-host.json" --host "$OUT/host.json" \
	    --host-states "$OUT/$3" --roots "$OUT/maker.pem" \
	    >"$OUT/verdict-boot$1.txt" 2>&1
}
attest_deep() { # N NONCE
	guest attest "$2" --deep >"$OUT/attest-boot$1.log" 2>&1 ||
	    die "no evidence" "$OUT/attest-boot$1.log"
	mv "$OUT/evidence.json" "$OUT/evidence-boot$1.json"
}
host_ek() { ctl show $NAME | sed -n 's/^EK[^0-9a-f]*//p'; }

story_host_start() {
	step 9 "A second host, with a TPM: keys only for approved states"
	NAME=guest2
	host_tpm
	host_boots "boot loader A"
	rm -f "$OUT"/approval.pem*
	"$B/vtpmctl" host keygen -o "$OUT/approval.pem" >/dev/null ||
	    die "no approval key"
	start_manager hard --root "$HTPM" \
	    --approval-key "$OUT/approval.pem.pub"
	say "$(jq -r '"root: " + .root + ", TPM of " + .tpm.manufacturer' \
	    "$T/status.json")"
	ctl host approve --current --key "$OUT/approval.pem" \
	    --label "boot loader A" >"$T/approve.txt" \
	    2>&1 || die "not approved" "$T/approve.txt"
	states states.json
	proven "the master key is sealed in the TPM; the present state is" \
	    "approved, signed by the operator's key"
}

story_host_enrol() {
	step 10 "A verifier enrols the host: TPM -> AK -> CA, by credential"
	ctl host enrol -o "$OUT/identity.json" >"$T/enrol.txt" 2>&1 &&
	    "$B/vtpm-verify" enrol challenge \
		--identity "$OUT/identity.json" --roots "$OUT/maker.pem" \
		-o "$T/challenge.json" --state "$T/secret.json" \
		>>"$T/enrol.txt" 2>&1 &&
	    ctl host enrol --challenge "$T/challenge.json" \
		-o "$T/response.json" >>"$T/enrol.txt" 2>&1 &&
	    "$B/vtpm-verify" enrol finish --response "$T/response.json" \
		--state "$T/secret.json" -o "$OUT/host.json" \
		>>"$T/enrol.txt" 2>&1 ||
	    die "the host is not enrolled" "$T/enrol.txt"
	proven "the TPM has its maker's certificate, and opened the challenge:" \
	    "AK and CA key are in it"
}

story_host_guest() {
	local n
	step 11 "A guest on that host: its quote, vouched for by the host's TPM"
	ctl create $NAME >"$T/create.txt" 2>&1 &&
	    ctl start $NAME >>"$T/create.txt" 2>&1 ||
	    die "no vTPM" "$T/create.txt"
	host_guest_ek=$(host_ek)
	boot 4 "$CMDLINE"
	n=$(nonce)
	attest_deep 4 "$n"
	"$B/vtpm-verify" policy --from "$OUT/evidence-boot4.json" \
	    --name lab-host --kernel "$lab_kernel" \
	    --initrd "$LAB/initrd.gz" --grub-cfg "$OUT/grub-boot4.cfg" \
	    --cmdline "$CMDLINE" -o "$OUT/policy-host.json" \
	    >"$T/policy.txt" 2>&1 || die "no policy" "$T/policy.txt"
	n=$(nonce)
	attest_deep 4 "$n"
	verify_host 4 "$n" states.json ||
	    die "refused" "$OUT/verdict-boot4.txt"
	say "$(grep -c '^ok' "$OUT/verdict-boot4.txt") checks," \
	    "$(stat -c %s "$OUT/evidence-boot4.json") bytes of evidence"
	proven "$(tail -1 "$OUT/verdict-boot4.txt")"
	"$B/vtpm-verify" -e "$OUT/evidence-boot2.json" --nonce "$nonce2" \
	    --policy "$OUT/policy-host.json" --ca "$OUT/ca-soft.pem" \
	    >"$T/soft.txt" 2>&1 && die "a software root was taken" \
	    "$T/soft.txt"
	proven "the first host's evidence is refused here:" \
	    "$(sed -n 's/^REFUSED: *//p' "$T/soft.txt" | cut -c1-70)"
	power_off 4
}

story_host_changed() {
	step 12 "The host boots something else"
	stop_host_manager
	rm -rf "$T/old"
	cp -a "$STATE" "$T/old" # for the last step
	host_boots "boot loader B"
	lab_start "$OUT/manager.log" "$B/vtpm-managerd" --state "$STATE" \
	    --run "$RUN" --root "$HTPM"
	manager_pid=$lab_last_pid
	wait_ready "starting" 30 grep -aq SEALED "$OUT/manager.log" ||
	    die "the manager does not say that it is sealed" \
	    "$OUT/manager.log"
	sed -n 's/^vtpm-managerd: SEALED: *//p' "$OUT/manager.log" | tail -1 |
	    fold -sw 72 | sed 's/^/      /'
	grep -aq 'SEALED.*PCR 4' "$OUT/manager.log" ||
	    die "it does not name PCR 4" "$OUT/manager.log"
	ctl start $NAME >"$T/start.txt" 2>&1 &&
	    die "a guest was started all the same" "$T/start.txt"
	proven "no keys, no guests: the PCR and the approved state are named"
}

story_host_approved() {
	local n
	step 13 "The operator approves the new state"
	ctl host approve --current --key "$OUT/approval.pem" \
	    --label "boot loader B" >"$T/approve.txt" \
	    2>&1 || die "not approved" "$T/approve.txt"
	wait_ready "starting" 30 manager_ready ||
	    die "it does not start" "$OUT/manager.log"
	ctl start $NAME >"$T/start.txt" 2>&1 || die "no vTPM" "$T/start.txt"
	[ "$(host_ek)" = "$host_guest_ek" ] || die "another identity"
	proven "all is well again; the guest's endorsement key is the same"
	boot 5 "$CMDLINE"
	n=$(nonce)
	attest_deep 5 "$n"
	verify_host 5 "$n" states.json &&
	    die "a state that the verifier does not know was accepted" \
	    "$OUT/verdict-boot5.txt"
	proven "a verifier that was not told refuses:" \
	    "$(sed -n 's/^REFUSED: *//p' "$OUT/verdict-boot5.txt" |
	    cut -c1-60)"
	states states-b.json
	verify_host 5 "$n" states-b.json ||
	    die "refused" "$OUT/verdict-boot5.txt"
	proven "with the operator's new list: $(tail -1 \
	    "$OUT/verdict-boot5.txt")"
	power_off 5
}

story_host_rollback() {
	step 14 "Somebody puts the whole store of an hour ago back"
	stop_host_manager
	mv "$STATE" "$STATE.new"
	cp -a "$T/old" "$STATE"
	cp "$STATE.new"/approvals/* "$STATE/approvals/" 2>/dev/null
	lab_start "$OUT/manager-old.log" "$B/vtpm-managerd" --state "$STATE" \
	    --run "$RUN" --root "$HTPM"
	wait_ready "starting" 30 grep -aq '^vtpm-managerd: ready' \
	    "$OUT/manager-old.log" ||
	    die "the manager does not answer" "$OUT/manager-old.log"
	grep -a 'older copy: ' "$OUT/manager-old.log" | head -1 |
	    cut -d: -f2- | fold -sw 72 | sed 's/^ */      /'
	ctl start $NAME >"$T/start.txt" 2>&1 &&
	    die "a guest was started on an old store" "$T/start.txt"
	grep -q 'older copy' "$T/start.txt" ||
	    die "it is not said why no guest starts" "$T/start.txt"
	proven "no guest starts on it: the counter in the TPM has gone on"
}

story_host() {
	cp "$OUT/ca.pem" "$OUT/ca-soft.pem"
	story_host_start
	story_host_enrol
	story_host_guest
	story_host_changed
	story_host_approved
	story_host_rollback
}
