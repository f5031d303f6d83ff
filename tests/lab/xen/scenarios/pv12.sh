# SPDX-License-Identifier: BSD-3-Clause
# pv12 - a PV guest, Debian's kernel and its stock xen-tpmfront, TPM 1.2.
start_manager --root device:/dev/tpmrm0 --pool 0
check "the manager runs in dom0 on the host's TPM" ctl status
check "a TPM 1.2 is provisioned" ctl create one --tpm 1.2
u=$(uuid_of one)
check "a PV guest starts with it" guest one "$u"
check "its stock driver finds the TPM" wait_for 60 up one
same "24 PCRs are read through the ring" 24 "$(console one | grep -c '^@PCR12')"
console one | sed -n 's/^@PCR12 \(..\) /\1 /p' | sed 's/^0//' >/tmp/seen
ctl --json pcrs one >/tmp/host.json 2>/tmp/err || cat /tmp/err
bad=0
while read -r n v; do
	want=$(pcr_of /tmp/host.json sha1 "$n")
	[ "$(echo "$v" | tr A-F a-f)" = "$want" ] || {
		bad=$((bad + 1)); echo "# PCR $n: guest $v, manager $want"; }
done </tmp/seen
same "all equal to what the manager has" 0 $bad
