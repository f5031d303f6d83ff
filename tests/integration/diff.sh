#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# diff.sh - vtpm-measure diff on the logs of real boots: exit codes, text, JSON.
. "$(dirname "$0")/lib.sh"
need jq grub-mkimage
M=$B/vtpm-measure
good=$top/tests/vectors/ovmf-grub-linux-6.1.eventlog
L=$top/tests/vectors/logs
diff() { "$M" diff "$@"; }
exits() { # CODE ARGS...
	local want=$1 rc
	shift
	diff "$@" >"$T/out" 2>"$T/err"
	rc=$?
	[ $rc = "$want" ] || { cat "$T/out" "$T/err"; echo "exit $rc"; return 1; }
}

check "a boot equals itself" exits 0 "$good" "$good"
same "and nothing is printed" "" "$(cat "$T/out")"
check "two boots differ" exits 1 "$good" "$L/bootorder.eventlog"
same "the first difference, and how many more" 2 "$(wc -l <"$T/out")"
check "it names the PCR, the event and a cause" \
    grep -qE '^PCR [0-9]+ event [0-9]+: .*\(.+\)$' "$T/out"
more=$(sed -n 's/^\([0-9]*\) more differ.*/\1/p' "$T/out")
check "--all lists them" exits 1 --all "$good" "$L/bootorder.eventlog"
same "all of them" $((more + 1)) "$(wc -l <"$T/out")"
check "--json" exits 1 --json "$good" "$L/bootorder.eventlog"
same "lists as many" $((more + 1)) "$(jq '.differences | length' "$T/out")"
check "each with line and cause, and an event of a boot" jq -e \
    '.format == "vtpm-boot-diff" and (.differences |
    all(.line != "" and .cause != "" and (.was // .now) != null))' "$T/out"
check "--json of a boot and itself" exits 0 --json "$good" "$good"
same "lists none" 0 "$(jq '.differences | length' "$T/out")"

head -c 100 "$good" >"$T/cut"
check "a log that ends too early is refused" exits 2 "$good" "$T/cut"
check "with its name" grep -q "$T/cut: " "$T/err"
check "also with --json" exits 2 --json "$good" "$T/cut"
check "which says why" sh -c "jq -e '.error | contains(\"$T/cut: \")' '$T/out'"
check "a file that is not there is refused" exits 2 "$good" "$T/none"
check "logs without a common bank are refused" \
    exits 2 "$L/keylime-mb.eventlog" "$L/linux-tpm12.eventlog"
check "with the reason" grep -q "no PCR bank in common" "$T/err"
check "one operand is refused" exits 2 "$good"

# --- predictions, evidence, policies ------------------------------------------
E=$top/tests/vectors/evidence
F=$T/esp
mkdir -p "$F/EFI/BOOT"
grub-mkimage -O x86_64-efi -p /EFI/BOOT -o "$F/EFI/BOOT/BOOTX64.EFI" \
    normal linux tpm fat
echo kernel >"$F/vmlinuz"
echo initrd >"$F/initrd"
printf 'set timeout=0\nlinux /vmlinuz ro quiet\ninitrd /initrd\nboot\n' \
    >"$F/EFI/BOOT/grub.cfg"
"$M" predict -d "$F" --json --log "$T/old.log" >"$T/old.json"
sed -i 's/quiet/init=\/bin\/sh quiet/' "$F/EFI/BOOT/grub.cfg"
"$M" predict -d "$F" --json --log "$T/new.log" >"$T/new.json"
check "a prediction equals the log of its boot" exits 0 "$T/old.json" "$T/old.log"
check "it differs from another boot" exits 1 "$T/old.json" "$T/new.log"
check "by grub.cfg and the word, in the first line" \
    grep -q '^PCR 9 event 1: .*grub.cfg".*added "init=/bin/sh"' "$T/out"
check "PCRs that nobody can predict are left out" eval \
    '! "$M" diff --all "$T/old.json" "$good" | grep -q "^PCR [0-15] "'
check "evidence is compared by its log" exits 0 "$E/rsa.json" "$E/ecc.json"
check "with a policy, too" exits 0 "$E/policy.json" "$E/ecc.json"
check "a policy goes first" exits 2 "$E/ecc.json" "$E/policy.json"
check "which is said" grep -q "give it first" "$T/err"

learn() { "$M" learn "$@" >"$T/out" 2>"$T/err"; }
check "a policy is learnt of a log" learn "$good" -o "$T/one.json"
check "the boot does not differ from it" exits 0 "$T/one.json" "$good"
check "vtpm-verify makes the same" eval '"$B/vtpm-verify" policy --log "$good" \
    --name learnt | jq -S . | cmp - <(jq -S . "$T/one.json")'
check "one of two predicted boots" learn "$T/old.log" "$T/new.log" \
    --name both --allow-software-root -o "$T/both.json"
for f in old new; do
	check "it accepts the $f one" exits 0 "$T/both.json" "$T/$f.json"
done
same "and names both command lines" 2 "$(jq '[.banks.sha256["8"].events[] |
    .any // [] | .[].what | select(test("command line"))] | length' \
    "$T/both.json")"
sed -i 's/ro /rw /' "$F/EFI/BOOT/grub.cfg"
"$M" predict -d "$F" --json >"$T/third.json"
check "a third one differs" exits 1 "$T/both.json" "$T/third.json"
check "by the word, from the nearest of both" \
    grep -q '"rw" instead of "ro".*, or another that is allowed' "$T/out"
check "--json has it" eval 'exits 1 --json "$T/both.json" "$T/third.json"
    jq -e ".differences[] | select(.pcr == 8 and .behind == \"rw\")" "$T/out"'
check "values may be fixed instead" learn "$good" --values 0,7 \
    -o "$T/values.json"
check "the boot has them" exits 0 "$T/values.json" "$good"
check "another has not" exits 1 --all "$T/values.json" "$L/keylime-mb.eventlog"
check "and PCR 7 is said once" eval '[ "$(grep -c "^PCR 7 " "$T/out")" = 1 ]'
sed -i '/^initrd/d' "$F/EFI/BOOT/grub.cfg"
"$M" predict -d "$F" --log "$T/bare.log" >"$T/out"
check "no policy of what measures no initrd" eval '! learn "$T/bare.log"'
check "with the reason" grep -q "no initrd was measured" "$T/err"
check "unless a reason is given" learn "$T/bare.log" --no-initrd x
check "no policy of what is no log" eval '! learn "$T/old.json"'
check "which is said" grep -q "neither a TCG log nor evidence" "$T/err"
