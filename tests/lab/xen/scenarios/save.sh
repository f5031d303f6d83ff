# SPDX-License-Identifier: BSD-3-Clause
# save - a guest that holds a key, a session and a PCR in its TPM's volatile
# memory, and looks at them all the time (xenwork keep), is checkpointed,
# moved, saved and restored; what must not continue does not.
LIMIT=900
image=/tmp/one.img
# A domain that moves comes with another name, and so does its log.
log() { cat /var/log/xen/console/guest-one*.log | tr -d '\r'; }
keeps() { log | grep -c '^@KEEP '; }
keeps_on() { # more looks than now, nothing lost
	local was
	was=$(keeps)
	wait_for 90 eval "[ \"\$(keeps)\" -gt \"${was:-0}\" ]" || {
		tail -n 3 /var/log/xen/console/guest-one*.log
		xl list
		xl dmesg | tail -n 3
		xenstore-ls "/local/domain/$(xl domid one)/device/vtpm"
		xenstore-ls "/local/domain/0/backend/vtpm"
		tail -6 /tmp/manager.log
		show one | grep -o '"commands": *[0-9]*'
		return 1
	}
}
lost() { log | grep -c '^@KEPT lost'; }
pcrs() { ctl log one --pcrs; }
cycles() { ctl audit --max 1000 | grep -c 'new domain'; }
refused() { # COMMAND...: not for wrong usage, and no domain comes of it
	"$@"
	case $? in 1 | 5 | 6) gone one ;; *) return 1 ;; esac
}
at() { od -An -tu1 -j "$1" -N 1 $image | tr -d ' '; }
poke() { # OFFSET VALUE
	printf "\\$(printf %o "$2")" |
	    dd of=$image bs=1 seek="$1" conv=notrunc 2>/dev/null
}
start_manager
check "a TPM 2.0 is provisioned" ctl create one
u=$(uuid_of one)
MEM=192
must "a guest starts" guest one "$u" vtpm.do=keep
check "it has a key, a session and a PCR" wait_for 120 says one '^@KEEP 2'
console one | sed -n 's/^@KEEPING/# in the guest:/p'
p0=$(pcrs) d0=$(xl domid one)
check "the host sees its PCRs" [ -n "$p0" ]

check "a checkpoint (xl save -c) of the running guest" xl save -c one /dev/null
check "the same domain continues" keeps_on
same "it is the same domain" "$d0" "$(xl domid one)"

check "it is saved (vtpmctl xen save)" ctl xen save one $image
check "the domain is gone" wait_for 20 gone one
same "its TPM is stopped" stopped "$(show one | key state)"
same "show tells which image it waits for" \
    "$(sha256sum $image | cut -d' ' -f1)" "$(show one | key image)"
check "the manager ends" ctl stop --all --exit
wait_for 30 eval '! pidof vtpm-managerd'
check "and another one starts" start_manager
off=$(($(stat -c %s $image) / 2)) v=$(at $off)
poke $off $((v ^ 1))
check "an image with one bit changed is refused" \
    refused ctl xen restore one $image
poke $off "$v"
check "the image that was saved is restored" ctl xen restore one $image
check "the guest continues" keeps_on
same "with key, session and PCR: nothing was lost" 0 "$(lost)"
same "its PCRs are what they were" "$p0" "$(pcrs)"
same "no power cycle happened" 0 "$(cycles)"
xl destroy one
wait_for 20 gone one
check "a second restore of that image is refused" \
    refused ctl xen restore one $image
check "plain xl restore starts it" xl restore $image
check "for the guest that was a power cycle: PCR, key and session are gone" \
    wait_for 120 eval '[ "$(lost)" -gt 0 ]'
same "and the manager wrote it down" 1 "$(cycles)"
check "its next looks find what it made since" keeps_on

rm -f $image
check "plain xl save" xl save one $image
check "does not bind an image to a TPM: vtpmctl xen restore refuses it" \
    refused ctl xen restore one $image
check "a saved guest whose TPM was started since" eval \
    'xl restore $image && keeps_on && rm $image && ctl xen save one $image &&
    ctl start one && ctl stop one'
check "does not continue with it" refused ctl xen restore one $image
rm -f $image

# Live: a PVH guest, since this hypervisor tracks no PV guest's dirty pages.
check "a vTPM for a PVH guest" ctl create two
TYPE=pvh
must "the PVH guest starts" guest one "$(uuid_of two)" vtpm.do=keep
check "it has a key, a session and a PCR" wait_for 120 says one '^@KEEP 2'
p0=$(ctl log two --pcrs) d0=$(xl domid one) n0=$(cycles)
check "it moves to another domain (vtpmctl xen migrate)" ctl xen migrate two
check "and continues" keeps_on
check "in another domain" [ "$(xl domid one)" != "$d0" ]
same "its PCRs are what they were" "$p0" "$(ctl log two --pcrs)"
same "nothing was lost" 0 "$(lost)"
same "no power cycle happened" "$n0" "$(cycles)"
ctl audit --max 1000 | grep -E 'xen|saved' | sed 's/^/# /' | tail -12
