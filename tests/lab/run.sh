#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run.sh - the main job on a real guest, step by step, with comments: provision a
# vTPM, boot Debian's kernel on it through OVMF and GRUB2, attest, seal,
# boot again, tamper; then the same on a host's TPM (run_host.sh).  Artefacts
# stay in $B/run.
set -u
B=${B:-build}
cd "$(dirname "$0")/../.." || exit 1
case $B in /*) ;; *) B=$PWD/$B ;; esac
export B LD_LIBRARY_PATH=$B${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
. tests/lab/lab.sh
. tests/swtpm.sh
. tests/lab/run_host.sh

OUT=$B/run
NAME=guest1
CMDLINE="console=ttyS0 panic=5"
WORD=single # what the third boot adds
SEAL_PCRS=sha256:0,2,4,7,8,9
STEPS=14
T="" STATE="" RUN=""
t0=$SECONDS

say() { printf '      %s\n' "$*"; }
step() { printf '\n[%s/%s] %s\n' "$1" "$STEPS" "$2"; }
proven() { printf '   => %s\n' "$*"; }
now_ms() { date +%s%3N; }
die() {
	printf '\nFAILED: %s\n' "$1" >&2
	shift
	for f; do
		[ -s "$f" ] || continue
		printf -- '--- the end of %s\n' "$f" >&2
		lab_text "$f" | tail -15 >&2
	done
	exit 1
}

finish() {
	lab_cleanup
	if [ -n "$T" ]; then
		end_manager
		cp "$T/qemu.log" "$OUT" 2>/dev/null
		find "$OUT" -name '*.log' -empty -delete
		rm -rf "$T"
	fi
}
trap finish EXIT
trap 'exit 130' INT TERM

end_manager() {
	"$B/vtpm-managerd" --run "$RUN" --stop-all >>"$OUT/manager.log" 2>&1
}
ctl() { "$B/vtpmctl" --run "$RUN" "$@"; }
guest() { "$B/tests/guestctl" do "$T/cmd.sock" 60 "$OUT" "$@"; }

# --- what must be there -----------------------------------------------------

preflight() {
	local p missing=
	[ "$(id -u)" = 0 ] ||
	    say "not root: workers share one uid, and packages must be there"
	for p in vtpm-managerd vtpm-zygote vtpm-hwtpm vtpmctl vtpm-attest \
	    vtpm-verify vtpm-seal tests/guestctl; do
		[ -x "$B/$p" ] || missing="$missing $B/$p"
	done
	[ -z "$missing" ] || die "not built:$missing (make run builds them)"
	for p in qemu-system-x86_64 grub-mkimage mkfs.vfat mcopy busybox cpio \
	    jq gzip swtpm swtpm_setup swtpm_ioctl tpm2_pcrextend; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$p" >/dev/null ||
		    missing="$missing $p"
	done
	[ -e "$OVMF_CODE" ] || missing="$missing OVMF"
	[ -z "$missing" ] ||
	    die "missing:$missing (as root, make run installs them)"
	PATH=$PATH:/usr/sbin:/sbin
}

# --- parts of a step ----------------------------------------------------------

# wait_ready WHAT SECONDS COMMAND...: a dot a second.
wait_ready() {
	local what=$1 max=$2 i
	shift 2
	printf '      %s ' "$what"
	for ((i = 1; i <= max * 5; i++)); do
		if "$@" >/dev/null 2>&1; then
			echo
			return 0
		fi
		sleep 0.2
		[ $((i % 5)) -ne 0 ] || printf .
	done
	echo " no"
	return 1
}

# wait_boot SECONDS: the stages, as the console shows them.
wait_boot() {
	local i stage=0
	printf '      OVMF '
	for ((i = 1; i <= $1; i++)); do
		"$B/tests/guestctl" wait "$T/cmd.sock" 1 >/dev/null 2>&1 &&
		    break
		if [ $stage -lt 1 ] && grep -aqs 'GRUB\|Booting .' "$T/console.log"; then
			stage=1
			printf ' GRUB2 '
		fi
		if [ $stage -lt 2 ] &&
		    grep -aqs 'Linux version' "$T/console.log"; then
			stage=2
			printf ' Linux '
		fi
		alive "$qemu_pid" || break
		lab_stuck "$T/console.log" >"$T/stuck" && break
		printf .
	done
	echo
	[ ! -s "$T/stuck" ] || die "$(cat "$T/stuck")" "$T/console.log"
	alive "$qemu_pid" && [ "$i" -le "$1" ]
}
alive() { kill -0 "$1" 2>/dev/null; }

manager_ready() { grep -aq '^vtpm-managerd: ready' "$OUT/manager.log"; }

# start_manager FOLDER [OPTION...]
start_manager() {
	STATE=$T/$1/state RUN=$T/$1/run
	mkdir -p "$STATE" "$RUN"
	shift
	lab_start "$OUT/manager.log" \
	    "$B/vtpm-managerd" --state "$STATE" --run "$RUN" "$@"
	manager_pid=$lab_last_pid
	wait_ready "starting" 30 manager_ready ||
	    die "the manager did not start" "$OUT/manager.log"
	ctl --json status >"$T/status.json" ||
	    die "the manager does not answer" "$OUT/manager.log"
	jq -r .ca_certificate "$T/status.json" >"$OUT/ca.pem"
}

# boot N COMMANDLINE: the disk with that GRUB configuration, until user space
# answers.  Measured by the host as it starts: firmware, machine, hypervisor.
boot() {
	local n=$1 boot_t0
	lab_grub_cfg "$2" >"$OUT/grub-boot$n.cfg"
	lab_make_disk "$T/boot.img" "$OUT/grub-boot$n.cfg" "$LAB/initrd.gz" ||
	    die "could not make the boot disk"
	rm -f "$T"/*.sock
	lab_qemu_common "$T"
	lab_qemu_uefi "$T" "$T/boot.img"
	boot_t0=$(now_ms)
	lab_start "$T/qemu.log" "$B/vtpmctl" --run "$RUN" launch qemu $NAME \
	    --tpm-device crb -- qemu-system-x86_64 "${lab_qemu_args[@]}"
	qemu_pid=$lab_last_pid
	wait_boot 120 ||
	    die "the guest did not come up" "$T/qemu.log" "$T/console.log"
	say "up after $((($(now_ms) - boot_t0) / 1000)) s (emulated CPU)"
}

power_off() {
	cp "$T/console.log" "$OUT/console-boot$1.log"
	guest poweroff >/dev/null 2>&1
	lab_wait_exit "$qemu_pid" 20 || die "the guest does not power off"
}

nonce() { "$B/vtpm-verify" nonce; }

# attest N NONCE: evidence from inside the guest.
attest() {
	guest attest "$2" >"$OUT/attest-boot$1.log" 2>&1 ||
	    die "no evidence" "$OUT/attest-boot$1.log"
	mv "$OUT/evidence.json" "$OUT/evidence-boot$1.json"
}

# verify N NONCE: its exit code is vtpm-verify's.
verify() {
	"$B/vtpm-verify" -e "$OUT/evidence-boot$1.json" --nonce "$2" \
	    --policy "$OUT/policy.json" --ca "$OUT/ca.pem" \
	    >"$OUT/verdict-boot$1.txt" 2>&1
}

# The same PCR by three ways: the guest's kernel, the manager, the quote.
# That logs replay to them is the verifier's finding.
show_pcrs() {
	local i kernel manager quoted bad=0
	guest pcrs >"$OUT/pcrs-kernel.txt" || die "no PCRs in the guest"
	ctl log $NAME --pcrs >"$OUT/pcrs-manager.txt" ||
	    die "no PCRs from the worker"
	"$B/vtpm-verify" show "$OUT/evidence-boot1.json" >"$OUT/events.txt" ||
	    die "the evidence cannot be shown" "$OUT/events.txt"
	for i in 0 1 2 3 4 5 6 7 8 9; do
		kernel=$(awk -v i=$i '$1 == "sha256" && $2 == i {
		    print tolower($3) }' "$OUT/pcrs-kernel.txt")
		quoted=$(awk -v i=$i '$1 == "sha256" && $3 == i {
		    print $4 }' "$OUT/events.txt")
		manager=$(grep -c "$kernel" "$OUT/pcrs-manager.txt")
		if [ -n "$kernel" ] && [ "$kernel" = "$quoted" ] &&
		    [ "$manager" -gt 0 ]; then
			say "PCR $i  ${kernel:0:32}..  guest = worker = quote"
		else
			say "PCR $i  guest $kernel, quote $quoted"
			bad=1
		fi
	done
	[ $bad = 0 ] || die "the PCRs differ"
}

replayed() { # journal|log; PCR 10 is IMA's, whose list is another log
	grep -aE "^(ok|note) +$1-replay" "$OUT/verdict-boot1.txt" |
	    grep -q 'gives the quoted sha256 PCRs 0,1,2,3,4,5,6,7,8,9'
}

# --- the story -----------------------------------------------------------------

story_provision() {
	step 1 "The manager starts, on a software root"
	start_manager soft
	say "$(jq -r '"root: " + .root + ", TPM of " + .tpm.manufacturer' \
	    "$T/status.json")"
	proven "nothing signed here can pass for a physical TPM's:" \
	    "$(openssl x509 -in "$OUT/ca.pem" -noout -subject 2>/dev/null |
	    sed 's/.*CN *= */CA "/')\""

	step 2 "A vTPM is provisioned"
	wait_pool
	ctl create $NAME >"$T/create.txt" 2>&1 ||
	    die "create failed" "$T/create.txt"
	ctl start $NAME >>"$T/create.txt" 2>&1 ||
	    die "start failed" "$T/create.txt"
	sed 's/^/      /' "$T/create.txt"
	proven "EKs (RSA-2048, P-256), AK and their certificates in" \
	    "$(sed -n 's/.*created in \([0-9.]* ms\).*/\1/p' "$T/create.txt")"
}

# A vTPM from the pool is what an operator meets; the first seconds are not.
wait_pool() {
	wait_ready "filling the pool" 10 sh -c "'$B/vtpmctl' --run \
	    '$RUN' --json status | jq -e '.pool.ready > 0'" || true
}

story_boot() {
	step 3 "A guest boots on it: OVMF, GRUB2, Debian's kernel"
	lab_fetch_kernel || die "no kernel"
	lab_make_initrd "$LAB/initrd.gz" "$B/vtpm-attest" "$B/vtpm-seal" ||
	    die "could not make the initrd"
	boot 1 "$CMDLINE"
	guest log >/dev/null || die "the guest's kernel has no event log"
	mv "$OUT/log" "$OUT/eventlog.bin"
	ctl log $NAME --journal >"$OUT/journal.txt" || die "no journal"
	say "event log: $(stat -c %s "$OUT/eventlog.bin") bytes;" \
	    "journal: $(grep -c ' extend ' "$OUT/journal.txt") extends"

	first_nonce=$(nonce)
	attest 1 "$first_nonce"
	show_pcrs
}

story_policy() {
	step 4 "A policy is made from that boot, against the host's own files"
	"$B/vtpm-verify" policy --from "$OUT/evidence-boot1.json" \
	    --name lab --kernel "$lab_kernel" --initrd "$LAB/initrd.gz" \
	    --grub-cfg "$OUT/grub-boot1.cfg" --cmdline "$CMDLINE" \
	    --allow-software-root -o "$OUT/policy.json" \
	    >"$T/policy.txt" 2>&1 || die "no policy" "$T/policy.txt"
	say "kernel    $(basename "$lab_kernel")"
	say "initrd    $(sha256sum <"$LAB/initrd.gz" | cut -c1-16).."
	say "grub.cfg  $(sha256sum <"$OUT/grub-boot1.cfg" | cut -c1-16).."
	say "command   $CMDLINE"
	proven "all four were measured by GRUB2, by digest: PCRs 8 and 9"
	verify 1 "$first_nonce" ||
	    die "the reference boot is refused" "$OUT/verdict-boot1.txt"
	if replayed log; then
		proven "the guest's event log replays to PCRs 0-9 as quoted"
	else die "the guest's log does not replay" "$OUT/verdict-boot1.txt"; fi
	if replayed journal; then
		proven "our journal replays to PCRs 0-9 as quoted"
	else die "our journal does not replay" "$OUT/verdict-boot1.txt"; fi
}

story_attest() {
	local n
	step 5 "The guest attests itself for a fresh nonce"
	n=$(nonce)
	attest 1b "$n"
	verify 1b "$n" || die "refused" "$OUT/verdict-boot1b.txt"
	say "$(grep -c '^ok' "$OUT/verdict-boot1b.txt") checks," \
	    "$(stat -c %s "$OUT/evidence-boot1b.json") bytes of evidence"
	proven "$(tail -1 "$OUT/verdict-boot1b.txt")"
	"$B/vtpm-verify" -e "$OUT/evidence-boot1b.json" \
	    --nonce "$first_nonce" --policy "$OUT/policy.json" \
	    --ca "$OUT/ca.pem" >"$T/replay.txt" 2>&1 &&
	    die "evidence was accepted for another nonce" "$T/replay.txt"
	proven "the same evidence for another nonce is refused"
}

story_seal() {
	step 6 "A secret is sealed to this boot ($SEAL_PCRS)"
	secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	guest seal $SEAL_PCRS "$secret" >"$T/seal.txt" 2>&1 ||
	    die "not sealed" "$T/seal.txt"
	say "sealed blob: $(stat -c %s "$OUT/sealed") bytes"
	power_off 1
	proven "over a salted, encrypted session; then the guest powers off"
}

story_again() {
	local n
	step 7 "The same guest boots a second time, unchanged"
	boot 2 "$CMDLINE"
	"$B/tests/guestctl" put "$T/cmd.sock" 30 sealed "$OUT/sealed" ||
	    die "the blob did not reach the guest"
	guest unseal >"$T/unseal.txt" 2>&1 || die "not unsealed" "$T/unseal.txt"
	[ "$(cat "$OUT/unsealed")" = "$secret" ] ||
	    die "what was unsealed is something else"
	rm -f "$OUT/unsealed"
	proven "the secret is unsealed, and is the one that was sealed"
	n=$(nonce)
	nonce2=$n
	attest 2 "$n"
	verify 2 "$n" || die "refused" "$OUT/verdict-boot2.txt"
	proven "$(tail -1 "$OUT/verdict-boot2.txt"), for a new nonce"
	power_off 2
}

story_tamper() {
	local n
	step 8 "A third boot, with one word more in grub.cfg: \"$WORD\""
	boot 3 "$CMDLINE $WORD"
	n=$(nonce)
	attest 3 "$n"
	verify 3 "$n"
	[ $? = 1 ] || die "the verifier did not refuse" \
	    "$OUT/verdict-boot3.txt"
	grep -a '^FAIL' "$OUT/verdict-boot3.txt" | head -3 | fold -sw 72 |
	    sed 's/^/      /'
	grep -aq "^REFUSED:.*GRUB command.*$WORD" "$OUT/verdict-boot3.txt" ||
	    die "the verdict does not name the GRUB command" \
	    "$OUT/verdict-boot3.txt"
	proven "refused, and the GRUB command that differs is named"
	"$B/tests/guestctl" put "$T/cmd.sock" 30 sealed "$OUT/sealed" ||
	    die "the blob did not reach the guest"
	guest unseal >"$OUT/unseal-boot3.txt" 2>&1 &&
	    die "the secret came out of a tampered boot"
	fold -sw 72 "$OUT/unseal-boot3.txt" | sed 's/^/      /'
	grep -q 'refused.*PCR 8' "$OUT/unseal-boot3.txt" ||
	    die "unseal does not say which PCR" "$OUT/unseal-boot3.txt"
	proven "unsealing is refused, and the PCRs behind it are named"
	power_off 3
}

summary() {
	ctl audit >"$OUT/audit.txt" 2>&1
	cat <<-END

	All $STEPS steps in $((SECONDS - t0)) s.  In $OUT:
	  evidence-boot*.json   what the guests handed over
	  verdict-boot*.txt     what vtpm-verify checked, and why it refused
	  policy*.json, ca.pem  what it was checked against
	  host.json, states*.json  the host as the verifier knows it
	  events.txt            the boot as text, event by event
	  eventlog.bin, journal.txt, pcrs-*.txt, audit.txt, *.log

	Next: "make check" runs all tests; README.md says how to give a vTPM
	to a guest of your own; this shows the tampered boot:
	  ${B#"$PWD/"}/vtpm-verify show ${OUT#"$PWD/"}/evidence-boot3.json
	END
}

echo "vTPM manager: provision, boot, attest, seal, tamper; on a host's TPM, too"
preflight
mkdir -p "$OUT" "$LAB/cache"
rm -f "$OUT"/*.* "$OUT"/sealed
T=$(mktemp -d "${TMPDIR:-/tmp}/vtpm-run.XXXXXX")
chmod 755 "$T"
story_provision
story_boot
story_policy
story_attest
story_seal
story_again
story_tamper
end_manager
story_host
summary
