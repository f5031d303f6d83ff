#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# flood.sh - users who may connect to the control socket cannot keep the
# administrator, or each other, from it.
. "$(dirname "$0")/lib.sh"
need jq perl setpriv
[ "$(id -u)" -eq 0 ] || { echo "skip - only root can be several users"; exit; }
cd "$T" || exit 1
limit() { # NAME PER
	jctl status --limits | jq -r --arg n "$1" --arg p "$2" \
	    '.processes[0].limits[] | select(.name == $n and .per == $p).limit'
}
as() { # UID COMMAND...
	setpriv --reuid "$1" --regid daemon --clear-groups "${@:2}"
}
# hold UID N: N silent connections; writes to held.UID how many of them the
# manager leaves open, until there is none.
hold() {
	setpriv --reuid "$1" --regid daemon --clear-groups \
	    perl -MIO::Socket::UNIX -MIO::Select -e '
	    my ($path, $n) = @ARGV;
	    my $set = IO::Select->new(grep { $_ }
		map { IO::Socket::UNIX->new(Peer => $path) } 1..$n);
	    $| = 1;
	    do {
		for my $s ($set->can_read(1)) {
			$set->remove($s), close $s unless sysread $s, my $b, 64;
		}
		print $set->count, "\n";
	    } while ($set->count);' "$RUN/control.sock" "$2" >"held.$1" &
	PIDS+=($!)
}
open_of() { tail -1 "held.$1" 2>/dev/null; }
is_open() { [ "$(open_of "$1")" = "$2" ]; }
cat >conf <<END
pool = 0
control_group = daemon
reader_users = daemon,bin,sys,games,man
END
chmod 711 "$RUN"
check "a manager" start_manager --config conf || exit 1
each=$(limit "control connections" user)
all=$(limit "control connections" host)
rest=$(limit "control connections but for root's" host)
check "the limits are listed ($each, $rest, $all)" \
    [ "$each" -lt "$rest" -a "$rest" -lt "$all" ]

hold 1 70
check "of 70 connections of one user $each stay open" \
    wait_for 20 is_open 1 "$each"
check "the administrator is served" ctl list
check "and another user" as 2 "$B/vtpmctl" --run "$RUN" list
refuse "that user is not" "closed the connection" \
    as 1 "$B/vtpmctl" --run "$RUN" list
for u in 2 3 5 6; do hold $u 70; done
held() { cat held.? | wc -l; for u in 1 2 3 5 6; do open_of $u; done |
    awk '{ n += $1 } END { exit n != '"$rest"' }'; }
check "five users together have all places but root's" wait_for 20 held
check "the administrator is served" ctl list
lines() { grep -ac 'control connection refused: ' "$LOG"; }
check "of hundreds that were refused few have a line in the log ($(lines))" \
    [ "$(lines)" -gt 0 -a "$(lines)" -lt 30 ]

refuse "a user without a role is turned away" "closed the connection" \
    as 4 "$B/vtpmctl" --run "$RUN" list
kill "$MPID"
check "the manager ends although they are silent" wait_for 30 gone "$MPID"
stop_manager
echo 'control_idle_s = 1' >>conf
for p in "${PIDS[@]}"; do kill "$p" 2>/dev/null; done
check "a manager that closes idle connections" start_manager --config conf
rm -f held.1
hold 1 3
check "closes them" wait_for 30 is_open 1 0
check "and serves that user again" as 1 "$B/vtpmctl" --run "$RUN" list
