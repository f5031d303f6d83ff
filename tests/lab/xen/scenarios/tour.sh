# SPDX-License-Identifier: BSD-3-Clause
# tour - for a newcomer: what an administrator types and what comes of it
# (`make run-xen`).
LIMIT=1200
say "This is dom0 of a Xen host with a TPM. The manager is started on it:"
echo "host# vtpm-managerd --state $STATE --run $RUN --root device:/dev/tpmrm0" \
    "--approval-key approval.pem.pub &"
start_enrolled_manager
say "A guest's TPM is made once, by hand. It is the uuid that names it:"
run ctl create web --tpm 2.0
u=$(uuid_of web)
say "The guest is measured before it runs: vtpmctl launch xen web.cfg"
nonce=$(head -c 16 /dev/urandom | sha256sum | head -c 32)
START="vtpmctl --run $RUN launch xen"
words="vtpm.attest=$nonce vtpm.deep=1 vtpm.do=loop,5"
must "its TPM is powered on with it" guest web "$u" $words
sed 's/^/   /' /tmp/web.cfg
must "the guest comes up" wait_for 120 up web
say "In the guest, Debian's own driver has found it:"
console web | sed -n 's/^@UP /   kernel /p; s/^@DEV /   /p'
say "The guest signs its PCRs for a verifier who sent $nonce; the host's TPM
   vouches for it. The verifier makes a policy of this boot, and judges:"
evidence web /tmp/e.json
check "down to the maker of the host's TPM it is accepted" \
    deep_accepted /tmp/e.json "$nonce"
grep '^ok' /tmp/verdict | sed 's/^/   /'
tail -n 1 /tmp/verdict | sed 's/^/   /'
say "The guest extends a PCR and writes NV, and checks each value:"
check "five rounds, nothing lost" wait_for 60 says web '^@LOOPED 5 errors 0'
run ctl show web
say "Nobody else gets this TPM while the guest has it:"
check "a second guest with its uuid does not start" refused_guest thief "$u"
grep 'is in use' /tmp/manager.log | tail -1 | sed 's/^/   /'
say "It is started again, with a word more on its command line:"
xl destroy web
must "the guest starts" guest web "$u" $words single
must "and comes up" wait_for 120 up web
evidence web /tmp/e.json
vtpm-verify -e /tmp/e.json --nonce "$nonce" --policy /tmp/p.json \
    --host /tmp/op/host.json --host-states /tmp/op/states.json \
    --roots /guest/maker.pem >/tmp/verdict 2>&1
same "the verifier refuses it" 1 $?
grep -E '^(FAIL|REFUSED)' /tmp/verdict | cut -c 1-300 | fold -s -w 74 |
    sed 's/^/   /'
check "what it wrote to NV before is there" wait_for 120 says web '^@NV [1-9]'
console web | sed -n 's/^@NV /   NV index holds /p'
say "What the manager wrote down of all this:"
run ctl audit
