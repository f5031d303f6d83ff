# SPDX-License-Identifier: BSD-3-Clause
# tour-qemu - the story of the demo image's host without Xen: what an
# administrator types and what comes of it.
LIMIT=1200
say "This is a Linux host with a TPM. The manager is started on it:"
echo "host# vtpm-managerd --state $STATE --run $RUN --root device:/dev/tpmrm0" \
    "--approval-key approval.pem.pub &"
start_enrolled_manager
say "A guest's TPM is made once, by hand, and switched on:"
run ctl create web
run ctl start web
say "It signs its PCRs for a verifier who sent a nonce; the host's TPM vouches:"
nonce=$(vtpm-verify nonce)
check "evidence is made" vtpm-attest --deep --nonce "$nonce" -o /tmp/e.json \
    --tcti tpmfront:local=$RUN/web.tpmif
evidence_quote /tmp/e.json "$nonce"
grep -E '^(ok|note)' /tmp/verdict | sed 's/^/   /'
check "its quote and certificates verify" grep -q '^ok *ek-chain' /tmp/verdict
say "Nothing was measured into it: no policy accepts that, and the verdict says"
grep -E '^(FAIL|REFUSED)' /tmp/verdict | fold -s -w 74 | sed 's/^/   /'
say "Nobody takes the TPM back to an older state, and no restart loses one:"
pid=$(show web | key pid)
check "the manager is killed" kill -9 "$(pidof vtpm-managerd)"
check "the TPM works on" vtpm-attest --nonce "$nonce" -o /tmp/e2.json \
    --tcti tpmfront:local=$RUN/web.tpmif
start_manager
same "the next manager finds the same worker" "$pid" "$(show web | key pid)"
say "What the manager wrote down of all this:"
run ctl audit
