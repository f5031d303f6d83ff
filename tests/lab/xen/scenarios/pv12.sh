# SPDX-License-Identifier: BSD-3-Clause
# pv12 - a PV guest, Debian's kernel and its stock xen-tpmfront, TPM 1.2.
start_manager
check "the manager runs in dom0 on the host's TPM" ctl status
check "a TPM 1.2 is provisioned" ctl create one --tpm 1.2
u=$(uuid_of one)
check "a PV guest starts with it" guest one "$u"
check "its stock driver finds the TPM" wait_for 60 up one
same "24 PCRs are read through the ring" 24 "$(console one | grep -c '^@PCR12')"
ctl log one --pcrs >/tmp/host.txt
console one | sed -n 's/^@PCR12 0*\([0-9]*\) /\1 /p' | tr A-F a-f >/tmp/seen
bad=0
while read -r n v; do
	grep -Eq "(^|[^0-9])0*$n[^0-9a-f].*$v" /tmp/host.txt || {
		bad=$((bad + 1)); echo "# PCR $n: guest has $v"; }
done </tmp/seen
same "each equals what the manager has" 0 $bad
check "the journal is there" ctl log one --journal
