# SPDX-License-Identifier: BSD-3-Clause
# pv12 - a PV guest, Debian's kernel and its stock xen-tpmfront, TPM 1.2.
start_manager
check "the manager runs in dom0 on the host's TPM" ctl status
check "a TPM 1.2 is provisioned" ctl create one --tpm 1.2
u=$(uuid_of one)
check "a PV guest starts with it" guest one "$u"
check "its stock driver finds the TPM" wait_for 60 up one
same "24 PCRs are read through the ring" 24 "$(console one | grep -c '^@PCR12')"
same "each equals what the manager has" 24 "$(pcrs12_same one one)"
check "the journal is there" ctl log one --journal
