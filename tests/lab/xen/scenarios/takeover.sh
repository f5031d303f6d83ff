# SPDX-License-Identifier: BSD-3-Clause
# takeover - a worker that its guest took over (tests/attacks/xen_worker.c)
# tries to map the page, and to bind a port, of the guest beside it.  Each try
# fails, and succeeds once the checks that stop it are taken out.
LIMIT=900
start_manager
check "two vTPMs are provisioned" eval 'ctl create good && ctl create bad'
must "a guest works" guest good "$(uuid_of good)" vtpm.do=loop,0
must "so does another" guest bad "$(uuid_of bad)" vtpm.do=loop,0
check "their first rounds are done" wait_for 120 eval \
    'says good "^@N " && says bad "^@N "'
w=$(worker_of bad)
same "a worker has one device of Xen's, its port" "/dev/xen/evtchn" \
    "$(ls -l "/proc/$w/fd" | sed -n 's|.*-> \(/dev/xen/.*\)|\1|p')"
same "and one page, its guest's" 1 "$(grep -c '/dev/xen/gntdev' "/proc/$w/maps")"
victim=$(xl domid good)
front=/local/domain/$victim/device/vtpm/0
gref=$(xenstore-read "$front/ring-ref")
port=$(xenstore-read "$front/event-channel")
tells() { tail -n +"$from" /tmp/manager.log | grep -q "$1"; }
told() { tail -n +"$from" /tmp/manager.log | sed -n 's/.*ATTACK \(.*\)/\1/p' |
    sort -u | tr '\n' ';'; }
# SIGSYS: its filter did it, not the kernel's device.
killed() {
	wait_for 20 tells 'bad.*the worker died' &&
	    wait_for 10 eval '[ "$(sigsys)" -gt '"$sigsys0 ]"
}
sigsys() { dmesg | grep -c 'type=1326 .*sig=31 .*syscall=16 '; }
# The next worker of the guest bad is hostile.
attack() { # CHECKS TO TAKE OUT, WORDS
	w=$(worker_of bad)
	from=$(($(wc -l </tmp/manager.log) + 1))
	kill -9 $MPID
	wait $MPID 2>/dev/null
	case $w in '' | 0 | *[!0-9]*) ;; *) kill -9 "$w" 2>/dev/null ;; esac
	export VTPM_SKIP=$1 VTPM_ATTACK="$2" VTPM_XENBACK=/bin/attack-xenback
	export VTPM_ZYGOTE=/bin/attack-xen-zygote
	sigsys0=$(sigsys)
	start_manager
	wait_for 60 tells "ATTACK begins: $2"
	sleep 2
}
attack "" "grant $victim $gref"
check "with its own page at hand it asks for another guest's" \
    tells "ATTACK begins: grant"
check "and is killed at that request" killed
same "nothing was mapped" "begins: grant $victim $gref;" "$(told)"
attack "" "port $victim $port"
check "another worker asks for the other guest's port" \
    tells "ATTACK begins: port"
check "and is killed, too" killed
same "nothing was bound" "begins: port $victim $port;" "$(told)"
attack xen-jail "grant $victim $gref"
check "without the filter it has the other guest's page" \
    tells 'ATTACK grant: mapped, tag 80'
attack xen-jail "port $victim $port"
check "without the filter the kernel still refuses the port" \
    tells 'ATTACK port: not bound: Permission denied'
check "and to make one for the other guest" \
    tells 'ATTACK port: not made: Permission denied'
attack xen-jail,xen-restrict "port $victim $port"
check "without the restriction, too, it has a port to the other guest" \
    tells 'ATTACK port: made'
unset VTPM_SKIP VTPM_ATTACK VTPM_ZYGOTE VTPM_XENBACK
check "the other guest continues" goes_on good
same "each of its results is right" "" \
    "$(console good | grep -E '^@(ERR|LOST|CAPPED)' | grep -v 'write 923$')"
