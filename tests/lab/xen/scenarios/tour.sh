# SPDX-License-Identifier: BSD-3-Clause
# tour - for a newcomer: what an administrator types and what comes of it
# (`make run-xen`).
say() { printf '\n-- %s\n' "$*"; }
run() { # shows the command, runs it, shows what it says
	echo "dom0# $*"
	"$@" 2>&1 | sed 's/^/   /'
}
say "This is dom0 of a Xen host with a TPM. The manager is started on it:"
echo "dom0# vtpm-managerd --state $STATE --run $RUN --root device:/dev/tpmrm0 &"
check "it runs, rooted in the host's TPM" start_manager
say "A guest's TPM is made once, by hand. It is the uuid that names it:"
run ctl create web --tpm 2.0
u=$(uuid_of web)
say "The guest's configuration names it; here is all of it:"
nonce=$(head -c 16 /dev/urandom | sha256sum | head -c 32)
check "xl create: the TPM is powered on with the guest" \
    guest web "$u" vtpm.attest="$nonce" vtpm.do=loop,5
sed 's/^/   /' /tmp/web.cfg
check "the guest comes up" wait_for 120 up web
say "In the guest, Debian's own driver has found it:"
console web | sed -n 's/^@UP /   kernel /p; s/^@DEV /   /p'
say "The guest signs its PCRs for a verifier who sent $nonce:"
console web | sed -n 's/^@E //p' | base64 -d >/tmp/e.json
check "the signature, the keys and the journal verify" \
    evidence_quote /tmp/e.json "$nonce"
sed 's/^/   /' /tmp/verdict
say "The guest extends a PCR and writes NV, and checks each value:"
check "five rounds, nothing lost" wait_for 60 says web '^@LOOPED 5 errors 0'
run ctl show web
say "Nobody else gets this TPM while the guest has it:"
check "a second guest with its uuid does not start" refused_guest thief "$u"
grep 'is in use' /tmp/manager.log | tail -1 | sed 's/^/   /'
say "A new domain is a power cycle; what was written to NV is still there:"
xl destroy web
check "the guest starts again" guest web "$u" vtpm.do=loop,5
check "it finds what it wrote" wait_for 120 says web '^@NV [1-9]'
console web | sed -n 's/^@NV /   NV index holds /p'
same "power cycles so far" 2 "$(power_cycles web)"
say "What the manager wrote down of all this:"
run ctl audit
