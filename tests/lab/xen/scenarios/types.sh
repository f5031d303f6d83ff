# SPDX-License-Identifier: BSD-3-Clause
# types - 32-bit PAE, a guest with 32 processors, HVM.  (launch and module have
# PVH guests with 64 bits.)
LIMIT=1200
start_manager
check "vTPMs are provisioned" eval 'ctl create hvm && ctl create many &&
    ctl create pae --tpm 1.2'
TYPE=pvh
if [ -e /guest/pae/vmlinuz ]; then
	KERNEL=/guest/pae/vmlinuz INITRD=/guest/pae/initrd.gz
	check "a 32-bit PAE guest (PVH) starts" guest pae "$(uuid_of pae)" &&
	    check "it comes up" wait_for 90 up pae || {
		console pae | tail -25 | sed 's/^/# /'
		xl list | sed 's/^/# /'
		xl dmesg | tail -8 | sed 's/^/# /'
	}
	console pae | sed -n 's/^@UP/# kernel:/p'
	check "it is a 32-bit kernel" says pae '^@UP .*686-pae i686'
	same "24 PCRs are read through the ring" 24 \
	    "$(console pae | grep -c '^@PCR12')"
	xl destroy pae 2>/dev/null
	KERNEL="" INITRD=""
fi
TYPE=pv VCPUS=4 MAXVCPUS=32 MEM=400
must "a guest with 4 of 32 processors starts" guest many \
    "$(uuid_of many)" vtpm.front=module \
    vtpm.do=many,32,5,32,/dev/tpmrm0
must "it comes up" wait_for 120 up many
check "/dev/tpmrm0 is there" says many '^@DEV /dev/tpmrm0'
check "processors are added while 32 processes work" \
    xl vcpu-set --ignore-host many 32
check "no command was lost or done twice" wait_for 400 says many '^@MANY ok'
console many | grep '^@MANY' | sed 's/^/# /'
check "all processors took part" says many '^@MANY .* 32 CPUs'
xl destroy many
tar -cf /tmp/kexec.img -C /guest vmlinuz small.gz
losetup /dev/loop1 /tmp/kexec.img
TYPE=hvm INITRD=/guest/small.gz VCPUS=1 MAXVCPUS=1 MEM=400
MORE="disk=[\"phy:/dev/loop1,xvdb,w\"]
$hvm_more"
pcr10() { console hvm | sed -n "s/^@PCR10 $1 //p" | tr A-F a-f; }
if check "an HVM guest starts" guest hvm "$(uuid_of hvm)" vtpm.front=module \
    vtpm.kexec=xvdb vtpm.do=loop,5; then
	check "its PV driver finds the TPM" wait_for 120 says hvm '^@PCR10 ' ||
	    hvm_why
	p1=$(power_cycles hvm) d1=$(xl domid hvm)
	check "another kernel takes over by kexec" wait_for 240 says hvm \
	    '^@PCR10 2' || hvm_why
	same "in the same domain" "$d1" "$(xl domid hvm)"
	check "its TPM works" wait_for 120 says hvm \
	    '^@LOOPED 5 errors 0 capped 0 lost 0' || hvm_why
	check "a PCR was not zero before" eval 'pcr10 "" | grep -q "[1-9a-f]"'
	same "and is the same afterwards" "$(pcr10 '')" "$(pcr10 2)"
	same "kexec is no power cycle" "$p1" "$(power_cycles hvm)"
else
	hvm_why
fi
xl destroy hvm
losetup -d /dev/loop1
rm -f /tmp/kexec.img
# Why the device model has no TPM to connect to our socket.
same "no vTPM through QEMU's device model: Debian's has no TPM devices" \
    "-tpmdev: invalid option" \
    "$(/usr/libexec/xen-qemu-system-i386 -tpmdev help 2>&1 | sed 's/^[^:]*: //')"
