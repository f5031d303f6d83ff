# SPDX-License-Identifier: BSD-3-Clause
# kill - SIGKILL for a worker, for xenback and for the manager, while the
# guest extends PCRs and writes NV: laws 2, 3 and 4.  The guest itself checks
# each value (xenwork) and says what it saw.
# Power cycles that a new domain made, as the manager wrote them down.
LIMIT=450
cycled() { grep -c 'power-cycle one: ok: new domain' /tmp/manager.log; }
start_manager
check "a TPM 2.0 is provisioned" ctl create one
u=$(uuid_of one)
ek=$(ek_of one)
must "a guest works with it" guest one "$u" vtpm.do=loop,0
check "its first rounds are done" wait_for 90 says one '^@N '
xb=$(pidof vtpm-xenback)
kill -9 "$xb"
check "xenback is killed: the guest continues" goes_on one
check "the manager starts another" wait_for 10 eval \
    '[ -n "$(pidof vtpm-xenback)" ] && [ "$(pidof vtpm-xenback)" != '"$xb ]"
sleep 2
check "the guest continues with it" goes_on one
kill -9 $MPID
wait $MPID 2>/dev/null
told=$(rounds one)
# 0x923 is TPM_RC_NV_UNAVAILABLE: without a manager nothing can be stored, so
# nothing is acknowledged; PCRs continue.  A write that had been executed when the
# manager died is answered when its state is stored, not before: then there is
# no 923, and no further round either.  (The guest's driver waits two minutes.)
seconds() { cut -d. -f1 /proc/uptime; }
unacknowledged() { # ROUNDS TOLD BEFORE
	local t
	t=$(seconds)
	while [ $(($(seconds) - t)) -lt 30 ]; do
		says one '^@ERR write 923' && return 0
		usleep 300000
	done
	echo "rounds: $1 before, now $(rounds one)"
	[ "$(rounds one)" -le $(($1 + 5)) ]
}
check "the manager is killed: no write is acknowledged" unacknowledged "$told"
check "and its worker lives" eval '[ -n "$(pidof vtpm-zygote)" ]'
check "a manager starts again" start_manager
sleep 3
check "the guest continues" goes_on one
same "no answer was lost, no value changed" "" \
    "$(console one | grep -E '^@(ERR|LOST|CAPPED)' | grep -v 'write 923$')"
same "no power cycle happened" 0 "$(cycled)"
w=$(worker_of one)
check "its worker is known" [ -d "/proc/$w" ]
kill -9 "$w"
check "the worker is killed: another takes over, the guest continues" \
    eval 'sleep 3; goes_on one'
same "every PCR is capped, once" 1 "$(capped one)"
same "no acknowledged write was lost" "" "$(console one | grep '^@LOST')"
same "that was no power cycle" 0 "$(cycled)"
same "the endorsement key stays" "$ek" "$(ek_of one)"
kill -9 "$(worker_of one)" "$(pidof vtpm-xenback)"
check "worker and xenback at once: the guest continues" \
    eval 'sleep 3; goes_on one'
same "no acknowledged write was lost this time" "" \
    "$(console one | grep '^@LOST')"
xl destroy one
kill -9 "$(pidof vtpm-xenback)"
check "a domain that went while xenback was dead holds nothing" \
    eval 'sleep 2; guest again "$u" vtpm.do=loop,5'
check "the new domain finds what the old one wrote" \
    wait_for 90 says again '^@NV [1-9]'
same "and is a power cycle" 1 "$(cycled)"
console one | grep -E '^@(ERR|CAPPED|N )' | tail -12 | sed 's/^/# /'
