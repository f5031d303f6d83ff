#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# sysbus.sh - the manager on a system bus: who a caller is comes from the bus
# daemon and the user database, not from /proc.
. "$(dirname "$0")/lib.sh"
need busctl setpriv
[ "$(id -u)" -eq 0 ] || { echo "skip - only root can be several callers"; exit; }
command -v dbus-daemon >/dev/null || { echo "skip - no dbus-daemon"; exit; }
cd "$T" || exit 1
cat >bus.conf <<END
<busconfig><type>system</type><listen>unix:path=$T/bus</listen>
<auth>EXTERNAL</auth><policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy>
<include>$top/vtpm_manager/service/org.vtpm.Manager1.conf</include></busconfig>
END
background dbus-daemon --nofork --config-file bus.conf
check "a system bus" wait_for 20 test -S bus
cat >conf <<END
pool = 0
bus = yes
reader_users = daemon
reader_groups = man
END
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/bus
check "a manager on it" start_manager --config conf || exit 1
# list UID GID GROUPS: List() over the bus, as that process.
list() {
	setpriv --reuid "$1" --regid "$2" "$3" busctl \
	    --address="$DBUS_SYSTEM_BUS_ADDRESS" call org.vtpm.Manager1 \
	    /org/vtpm/Manager1 org.vtpm.Manager1 List
}
check "root is served" list root root --clear-groups
check "a reader by name" list daemon daemon --clear-groups
check "a reader by the group of the user" list man man --clear-groups
refuse "a user without a role is not" "needs the role" \
    list sys sys --clear-groups
refuse "nor with groups that only the process has" "needs the role" \
    list sys sys --groups=man
# The shipped policy: signals are for root, as the bus knows no roles.
for u in root daemon; do
	setpriv --reuid $u --regid $u --clear-groups "$B/tests/signals" \
	    "$DBUS_SYSTEM_BUS_ADDRESS" bus >"$u.signals" &
	PIDS+=($!)
done
subscribed() { grep -q subscribed root.signals && grep -q subscribed \
    daemon.signals; }
check "two listen on the bus" wait_for 20 subscribed
ctl create alice >/dev/null
ctl start alice >/dev/null
check "root receives signals" wait_for 20 grep -q \
    '^GuestStateChanged alice .* loading running' root.signals
same "a reader does not" 1 "$(wc -l <daemon.signals)"
