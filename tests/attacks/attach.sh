#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# attach.sh - attacks of local users on guests' channels: using another's TPM,
# keeping a guest from its own.  Each is tried on workers as they are, and must
# succeed on workers of which that one check is taken out.
. "$(dirname "$0")/../integration/lib.sh"
need jq perl setpriv
[ "$(id -u)" -eq 0 ] || { echo "skip - only root can be several users"; exit; }
cd "$T" || exit 1
owner=1 other=2 # both in the group of the sockets
random=80010000000c0000017b0008
chmod 711 "$RUN"
printf 'pool = 0\nsocket_group = daemon\nzygote = %s\n' \
    "$B/tests/attack-zygote" >conf
as() { # UID COMMAND...
	setpriv --reuid "$1" --regid daemon --clear-groups "${@:2}"
}
# On the ring of alice: any answer of the TPM will do.
ring() { as "$1" "$B/tests/ringcmd" "$RUN/alice.tpmif" $random; }
# qemu UID REQUEST SECONDS: connects, sends, prints the answer, stays; only in
# a shell of its own.
qemu() {
	exec setpriv --reuid "$1" --regid daemon --clear-groups perl -MIO::Socket::UNIX -e '
	    my ($path, $hex, $stay) = @ARGV;
	    my $s = IO::Socket::UNIX->new(Peer => $path) or die "connect: $!";
	    if ($hex) {
		$s->syswrite(pack "H*", $hex);
		$s->sysread(my $a, 64) or die "closed\n";
		$| = 1;
		print unpack("H*", $a), "\n";
	    }
	    sleep $stay;' "$RUN/alice.swtpm" "$2" "$3"
}
init() { [ "$(qemu "$owner" 0000000200000000 0)" = 00000000 ]; }

# --- the attacks: each ends with 0 if it has succeeded
another_user() { ring $other; }
another_user_qemu() {
	[ "$(qemu $other 0000000200000000 0)" = 00000000 ]
}
beside_the_owner() {
	qemu $owner 0000000200000000 30 >held &
	local pid=$!
	PIDS+=("$pid")
	wait_for 10 test -s held
	ring $owner
	local rc=$?
	kill $pid
	return $rc
}
silence() {
	qemu $owner '' 30 &
	local pid=$!
	PIDS+=("$pid")
	sleep 0.3
	! init
	local rc=$?
	kill $pid
	return $rc
}
# try CHECKS: a manager whose workers lack these.
try() {
	export VTPM_SKIP=$1
	start_manager --config conf || exit 1
	unset VTPM_SKIP
	ctl destroy --force alice >/dev/null 2>&1
	ctl create alice --owner $owner >/dev/null &&
	    ctl start alice >/dev/null || not_ok "alice runs"
}
down() { end_all; MPID=; }

try ''
check "the owner attaches" ring $owner
check "root attaches" ring 0
same "the monitor's pipes are the owner's" "600 $owner" \
    "$(stat -c '%a %u' "$RUN/alice.qmp.out")"
refuse "another user of the group does not" "neither the guest's owner" \
    another_user
check "nor as a QEMU" eval "! another_user_qemu"
refuse "nor another process while the owner's QEMU runs" "another channel" \
    beside_the_owner
if silence >out 2>&1; then not_ok "a silent connection keeps a guest off"; else
	ok "a silent connection does not keep the guest from its TPM"
fi
records() { ctl audit | grep -aE "attach +alice +$1"; }
check "each refusal is audited, with the process" \
    eval "records denied | grep -E 'process [0-9]+ of user $other'"
check "and each that attached" \
    eval "records ok | grep -E 'process [0-9]+ of user $owner'"
before=$(ctl audit | grep -c .)
for _ in $(seq 60); do ring $other; done >out 2>&1
after=$(ctl audit | grep -c .)
check "sixty refusals are at most twenty records ($before, $after)" \
    [ $((after - before)) -le 20 ]
down
for a in "another_user attach-owner" "another_user_qemu attach-owner" \
    "beside_the_owner attach-one" "silence init-first"; do
	read -r attack check <<<"$a"
	try "$check"
	check "$attack: without $check it succeeds" "$attack"
	down
done
