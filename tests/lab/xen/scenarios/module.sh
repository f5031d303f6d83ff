# SPDX-License-Identifier: BSD-3-Clause
# module - our kernel module in unmodified Debian guests: TPM 2.0 with
# /dev/tpmrm0, TPM 1.2, PV and PVH; detach and attach, unloading, dying
# backends, killed processes.
LIMIT=1800
start_enrolled_manager
check "vTPMs are provisioned" eval 'ctl create m20 && ctl create pvh &&
    ctl create m12 --tpm 1.2'
nonce=00112233445566778899aabbccddeeff
# The guest's PCRs of one bank beside the manager's.  NAME BANK [BUT-FOR-PCR]
differ() {
	local n v bad=0
	ctl log "$1" --pcrs | tr A-F a-f >/tmp/host.txt
	console "$1" | sed -n "s/^@PCR $2 //p" | tr A-F a-f |
	    grep -v "^${3:-none} " | sort -u >/tmp/seen
	while read -r n v; do
		grep -Eq "(^|[^0-9])0*$n[^0-9a-f].*$v" /tmp/host.txt ||
		    bad=$((bad + 1))
	done </tmp/seen
	echo "$(wc -l </tmp/seen) read, $bad differ"
}
lines() { console "$1" | grep -c "$2"; } # NAME PATTERN
u=$(uuid_of m20)
ek=$(ek_of m20)
START="vtpmctl --run $RUN launch xen"
must "a PV guest with a TPM 2.0 is launched measured" guest m20 "$u" \
    vtpm.front=module vtpm.module=pcrs,seal,reload,kill,watch \
    vtpm.attest=$nonce vtpm.deep=1
START=""
p1=$(power_cycles m20)
must "it comes up" wait_for 180 up m20
console m20 | grep -E '^@(SAYS|IMA|TIMEOUTS|ATTEST|SEAL|REFUSED|KILLED|WHOLE)' |
    sed 's/^/# /'
check "insmod returns when the TPM can be used" says m20 '^@AT ONCE'
check "/dev/tpm0 is there" says m20 '^@DEV /dev/tpm0'
check "/dev/tpmrm0 is there" says m20 '^@DEV /dev/tpmrm0'
# PCR 10 changes all the time there.
same "the kernel reads the PCRs that the manager has" \
    "23 read, 0 differ" "$(differ m20 sha256 10)"
evidence m20 /tmp/e.json
pcrread m20 >/tmp/seen
same "tpm2_pcrread tells those of the launch" 10 "$(wc -l </tmp/seen)"
replayed m20 sha256 "$(printf '%064d' 0)" >/tmp/pcrs
same "each equals what the manager measured and logged" "" \
    "$(unlike /tmp/seen /tmp/pcrs)"
check "a quote through /dev/tpmrm0 verifies, a deep one" \
    deep_accepted /tmp/e.json $nonce
check "a secret is sealed and unsealed" says m20 '^@UNSEAL 0 correct horse'
check "after the PCR changed it is refused" says m20 '^@REFUSED .*PCR 10'
same "and stays closed" 0 "$(lines m20 '^@UNSEAL open')"
check "unloaded, the device is gone" says m20 '^@RELOAD gone'
check "loaded again, the PCRs are what they were" says m20 '^@RELOAD same'
check "a long command is answered" says m20 '^@WHOLE KEY 0 '
check "killed, it is given up in the middle" says m20 '^@KILLED [1-9]'
check "and what follows is right" says m20 \
    '^@KILL LOOPED 3 errors 0 capped 0 lost 0'
check "a process works with /dev/tpmrm0 open all the time" goes_on m20
same "none of it was a power cycle" "$p1" "$(power_cycles m20)"

xb=$(pidof vtpm-xenback)
kill -9 "$xb"
check "xenback is killed: it continues" goes_on m20
w=$(worker_of m20)
kill -9 "$w"
check "the worker is killed: it continues with another" \
    eval 'sleep 3; goes_on m20'
same "every PCR was capped, once" 1 "$(capped m20)"
same "its file stayed valid" 0 "$(lines m20 '^@REOPEN')"
same "no acknowledged write was lost" 0 "$(lines m20 '^@LOST')"


# Its open file and its loop outlive what replaces page and event channel.
n=$(capped m20)
check "a checkpoint (xl save -c) of the running guest" xl save -c m20 /dev/null
check "it continues" goes_on m20
img=/tmp/m20.img
check "it is saved (vtpmctl xen save)" ctl xen save m20 $img
check "the domain is gone" wait_for 20 gone m20
check "and restored" ctl xen restore m20 $img
rm -f $img
check "it continues with the TPM it had" goes_on m20
same "no PCR changed" "$n" "$(capped m20)"
same "its file is still the same" 0 "$(lines m20 '^@REOPEN')"
same "no acknowledged write was lost" 0 "$(lines m20 '^@LOST')"

p1=$(power_cycles m20) # a restored worker counts anew
xl vtpm-detach m20 0 >/dev/null 2>&1
check "detached" wait_for 15 detached m20
check "the guest sees that the TPM is gone" wait_for 20 says m20 '^@TPM gone'
# libxl wants these words apart; with a comma it takes them for one.
check "attached" xl vtpm-attach m20 backend=0 uuid="$u"
check "the guest sees its TPM again" wait_for 60 says m20 '^@TPM there'
check "and works with it" goes_on m20
same "detach and attach is no power cycle" "$p1" "$(power_cycles m20)"
same "no PCR changed" "$n" "$(capped m20)"
same "the endorsement key stays" "$ek" "$(ek_of m20)"
console m20 | grep -E '^@(REOPEN|TPM|ERR|CAPPED|LOST)' | tail -12 |
    sed 's/^/# /'
xl destroy m20

must "a PV guest starts with a TPM 1.2" guest m12 "$(uuid_of m12)" \
    vtpm.front=module
must "it comes up too" wait_for 90 up m12
console m12 | grep -E '^@(SAYS|TIMEOUTS)' | sed 's/^/# /'
same "24 PCRs are in sysfs" 24 "$(lines m12 '^@PCR12')"
same "each equals what the manager has" 24 "$(pcrs12_same m12 m12)"
same "a TPM 1.2 has no /dev/tpmrm0" 0 "$(lines m12 '^@DEV /dev/tpmrm')"
xl destroy m12

TYPE=pvh VCPUS=2 MAXVCPUS=2
must "a PVH guest starts with a TPM 2.0" guest pvh "$(uuid_of pvh)" \
    vtpm.front=module vtpm.module=seal,reload,pcrs
must "it works there" wait_for 120 up pvh
check "/dev/tpmrm0 is there as well" says pvh '^@DEV /dev/tpmrm0'
check "a secret is sealed and unsealed" says pvh '^@UNSEAL 0 correct horse'
check "PCR 10 is not zero" says pvh '^@PCR sha256 10 .*[1-9A-F]'
same "the kernel reads the PCRs that the manager has" \
    "24 read, 0 differ" "$(differ pvh sha256)"
