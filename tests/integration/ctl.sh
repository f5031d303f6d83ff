#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ctl.sh - the control interface: D-Bus, roles, configuration, exit codes.
. "$(dirname "$0")/lib.sh"
need jq busctl perl setpriv

exits() { # TEXT CODE COMMAND...
	local text=$1 want=$2
	shift 2
	"$@" >/dev/null 2>&1
	same "$text" "$want" $?
}

# --- configuration ------------------------------------------------------------
conf=$T/vtpm.conf
printf 'pool = 0\n# a comment\nreader_user = daemon\n' >"$conf"
refuse "an unknown key is refused with file and line" "vtpm.conf:3: .*reader_user" \
    "$B/vtpm-managerd" --config "$conf" --state "$STATE" --run "$RUN"
printf 'pool = many\n' >"$conf"
refuse "a value that is no number likewise" "vtpm.conf:1: .*number" \
    "$B/vtpm-managerd" --config "$conf" --state "$STATE" --run "$RUN"
exits "a wrong option is wrong usage" 2 "$B/vtpm-managerd" --nonsense

cat >"$conf" <<END
pool = 1
state = $STATE
run = $RUN
reader_users = daemon
operator_users = bin
control_group = daemon
END
# systemd's side of sd_notify(3).
timeout 60 perl -MIO::Socket::UNIX -MSocket -e '
    $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => shift) or die;
    while (sysread $s, $b, 4096) { print "$b\n"; exit 0 if $b =~ /READY=1/ }' \
    "$T/notify" >"$T/notified" &
notified=$!
PIDS+=($notified)
wait_for 5 test -S "$T/notify"
NOTIFY_SOCKET=$T/notify "$B/vtpm-managerd" --config "$conf" >"$LOG" 2>&1 \
    </dev/null &
MPID=$!
wait_for 60 ready
wait $notified
check "systemd receives READY=1" grep -q 'READY=1' "$T/notified"
check "a manager with a configuration file" \
    grep -aq '^vtpm-managerd: ready' "$LOG"

# --- exit codes and refusals ---------------------------------------------------
exits "done is 0" 0 "$B/vtpmctl" --run "$RUN" create alice
exits "a name that exists is 4" 4 "$B/vtpmctl" --run "$RUN" create alice
exits "wrong usage is 2" 2 "$B/vtpmctl" --run "$RUN" create
exits "an unknown command is 2" 2 "$B/vtpmctl" --run "$RUN" frobnicate
exits "an unknown option is 2" 2 "$B/vtpmctl" --run "$RUN" stop --now alice
exits "no manager is 7" 7 "$B/vtpmctl" --run "$T/nowhere" list
refuse "a wrong option is named, with the way to the command's help" \
    '^vtpmctl host approve: unknown option --frob; see vtpmctl host approve --help' \
    ctl host approve --frob
exits "which is 2" 2 "$B/vtpmctl" host approve --frob
exits "as a command that there is not" 2 "$B/vtpmctl" group frob
exits "or none" 2 "$B/vtpmctl" host
refuse "a guest cannot be named as another's UUID" "not a UUID" \
    ctl create "$(jctl show alice | jq -r .uuid)"
mkdir -m 777 "$T/open"
refuse "a run folder that others can write to is refused" "replace its sockets" \
    "$B/vtpm-managerd" --state "$T/open.state" --run "$T/open"
refuse "a log without a launch" 'not running|no launch|recorded' ctl log alice

# --- D-Bus -----------------------------------------------------------------------
bus() { busctl --address="unix:path=$RUN/control.sock" "$@"; }
check "the interface can be introspected" sh -c \
    "busctl --address=unix:path=$RUN/control.sock introspect \
	org.vtpm.Manager1 /org/vtpm/Manager1 | grep -q '^.Create .*sa{ss}'"
check "busctl calls a method" bus call org.vtpm.Manager1 \
    /org/vtpm/Manager1 org.vtpm.Manager1 Start s alice
refuse "a message of the wrong type is refused" 'invalid|signature' \
    bus call org.vtpm.Manager1 /org/vtpm/Manager1 org.vtpm.Manager1 \
    Start u 7
check "several at once are all answered" sh -c \
    "for i in 1 2 3 4 5 6 7 8; do '$B/vtpmctl' --run '$RUN' --json status \
	>'$T/s'\$i & done; wait; for i in 1 2 3 4 5 6 7 8; do
	jq -e .version '$T/s'\$i || exit 1; done"
# Descriptor 3 of the shell cannot be a Unix socket: perl-base can.
perl -MIO::Socket::UNIX -e '
    $s = IO::Socket::UNIX->new(Peer => shift) or die;
    print $s map { chr(int(rand(256))) } 1..3000;
    $s->flush; sleep 1' "$RUN/control.sock" || not_ok "noise could not be sent"
check "noise on the socket does no harm" ctl status

# --- roles -------------------------------------------------------------------------
if [ "$(id -u)" -eq 0 ]; then
	as() { # USER COMMAND...
		setpriv --reuid "$1" --regid daemon --clear-groups \
		    "$B/vtpmctl" --run "$RUN" "${@:2}"
	}
	chmod 711 "$RUN"
	check "a reader may list" as daemon list
	refuse "but not start" 'needs the role operator' as daemon start alice
	refuse "nor see the audit log" 'needs the role' as daemon audit
	check "an operator may reset" as bin reset alice
	refuse "but not destroy" 'needs the role admin' \
	    as bin destroy --force alice
	refuse "nor stop all" 'needs the role admin' as bin stop --all
	refuse "who has no role may do nothing" 'this user has no role' \
	    as sys list
	check "a denied change is in the audit log" sh -c \
	    "'$B/vtpmctl' --run '$RUN' --json audit | jq -e \
	    'map(select(.result==\"denied\" and .action==\"destroy\"))|
	    length == 1 and (.[0].who|startswith(\"uid 2 \"))'"
	check "and who did what" sh -c \
	    "'$B/vtpmctl' --run '$RUN' --json audit | jq -e \
	    'map(select(.action==\"reset\"))[0].who == \"uid 2 (operator)\"'"
	# A user without rights cannot fill the log.
	chatty() { for _ in $(seq 130); do as daemon start alice; done; }
	refuse "130 denied requests of one user" 'needs the role' chatty
	denied() { jctl audit | jq "map(select(.result == \"denied\" and
	    (.who | startswith(\"uid 1 \"))))"; }
	records=$(denied | jq 'map(select(.action == "start")) | length')
	check "not each has a record ($records)" \
	    [ "$records" -ge 90 -a "$records" -lt 125 ]
	counted=$(denied | jq -r '.[] | select(.action == "denied").detail' |
	    sed -n 's/^\([0-9]*\) more denied requests of uid 1 .*/\1/p' |
	    awk "{ n += \$1 } END { print n + 0 }")
	same "the others are counted: none is lost" 131 \
	    "$((records + counted))"
	refuse "another user" 'needs the role admin' as bin destroy alice
	check "has a record all the same" eval 'jctl audit | jq -e \
	    "map(select(.result == \"denied\" and .action == \"destroy\")) |
	    length == 2"'
	same "the control socket belongs to the group" daemon \
	    "$(stat -c %G "$RUN/control.sock")"
	same "each worker has a separate uid" "" "$(ps -o uid= -p \
	    "$(worker_pid alice)" | grep -w 0)"
else echo "skip - roles of other users: needs root"
fi
same "the worker's sockets are for the manager only" 700 \
    "$(stat -c %a "$RUN/w")"

# --- without root ------------------------------------------------------------------
if [ "$(id -u)" -eq 0 ]; then
	mkdir "$T/u"
	chown daemon "$T/u"
	setpriv --reuid daemon --regid daemon --clear-groups \
	    "$B/vtpm-managerd" --state "$T/u/s" --run "$T/u/r" --pool 0 \
	    >"$T/u.log" 2>&1 </dev/null &
	p=$!
	PIDS+=($p)
	wait_for 60 grep -aq '^vtpm-managerd: ready' "$T/u.log"
	same "as an ordinary user it says once that workers share its uid" 1 \
	    "$(grep -ac 'all workers share the manager.s uid (' "$T/u.log")"
	u() { setpriv --reuid daemon --regid daemon --clear-groups \
	    "$B/vtpmctl" --run "$T/u/r" "$@"; }
	check "create" u create eve
	check "start" u start eve
	check "use" env TPM2TOOLS_TCTI="tpmfront:local=$T/u/r/eve.tpmif" \
	    tpm2_getrandom --hex 8
	kill -KILL $p
	wait $p 2>/dev/null
	: >"$T/u.log" # no "ready" of the one before
	setpriv --reuid daemon --regid daemon --clear-groups \
	    "$B/vtpm-managerd" --state "$T/u/s" --run "$T/u/r" --pool 0 \
	    >"$T/u.log" 2>&1 </dev/null &
	PIDS+=($!)
	wait_for 60 grep -aq '^vtpm-managerd: ready' "$T/u.log"
	check "its workers are found again, too" wait_for 20 \
	    grep -aq 'guest eve: reconnected to its worker' "$T/u.log"
	check "stop --all --exit" u stop --all --exit
else echo "skip - a manager of an ordinary user beside root: needs root"
fi
