#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# methods.sh - who may call which method of org.vtpm.Manager1: each method,
# called with each role, with none and as a group's administrator, by a manager
# that is ready and by one that is sealed.
. "$(dirname "$0")/lib.sh"
need jq busctl setpriv swtpm openssl
export LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
cd "$T" || exit 1
[ "$(id -u)" -eq 0 ] || { echo "skip - only root can be several callers"; exit; }

# The policy, apart from the code: method, least role, what a group's
# administrator may do, and whether a sealed manager serves it.
policy='Create admin own ready
Destroy admin guest ready
SetOwner admin guest ready
Start operator guest ready
Stop operator guest ready
StopAll admin none always
Reset operator guest ready
SetBanks admin guest ready
Launch operator guest ready
LaunchDomain operator none ready
Recover admin none ready
Xen operator none ready
List reader own ready
Show reader guest ready
Log reader guest ready
Stats reader none ready
Audit operator none ready
Status reader none always
Subscribe reader none always
Limits reader none always
GroupCreate admin none ready
GroupUpdate admin group ready
GroupDelete admin none ready
GroupQuote operator group ready
GroupShow reader group ready
GroupList reader own ready
HostStatus reader none always
HostIdentity operator none ready
HostActivate admin none ready
HostApprove admin none always
HostRevoke admin none always
HostEscrow admin none ready
HostRecover admin none always
HostBind admin none always'

# Arguments that harm nothing where the call is served: about an object of
# that name, else refused for what they say.
arguments() { # METHOD NAME
	case $1 in
	Create) echo "sa{ss} .no 1 group red" ;;
	Destroy | Stop) echo "sb $2 false" ;;
	StopAll) echo "bb false false" ;;
	Launch) echo "say $2 0" ;;
	LaunchDomain) echo "sayu $2 0 0" ;;
	Recover) echo "ass 0 -" ;;
	Xen) echo "ssayus $2 - 0 0 -" ;;
	Log) echo "ss $2 -" ;;
	Audit) echo "tu 0 1" ;;
	GroupCreate) echo "sua{ss} .no 0 0" ;;
	GroupUpdate) echo "sa{ss}ay $2 0 0" ;;
	GroupQuote) echo "say $2 0" ;;
	SetBanks | SetOwner) echo "ss $2 -" ;;
	HostActivate | HostBind) echo "ayay 1 0 0" ;;
	HostApprove) echo "ay 1 0" ;;
	HostRevoke) echo "tb 0 false" ;;
	HostEscrow) echo "uas 2 0" ;;
	HostRecover) echo "aay 0" ;;
	List | Stats | Subscribe | Status | Limits | GroupList | HostStatus | HostIdentity) ;;
	*) echo "s $2" ;;
	esac
}
bus() { busctl --address="unix:path=$RUN/control.sock" "$@"; }
# What came of it: denied, sealed, served (well or not), the connection closed,
# or not a call at all.
call() { # UID METHOD NAME
	local words
	read -ra words <<<"$(arguments "$2" "$3")"
	setpriv --reuid "$1" --regid daemon --clear-groups busctl \
	    --address="unix:path=$RUN/control.sock" call org.vtpm.Manager1 \
	    /org/vtpm/Manager1 org.vtpm.Manager1 "$2" "${words[@]}" \
	    >call.out 2>&1 && { echo served; return; }
	case $(cat call.out) in
	*"needs the role"*) echo denied ;;
	*"the manager is sealed: "*"see \`vtpmctl host status\`") echo sealed ;;
	*"onnection reset"* | *"roken pipe"* | *"not connected"* | \
	*"onnection terminated"*) echo closed ;;
	*[Ss]ignature* | *"nknown method"*) echo wrong ;;
	"Call failed: "*) echo served ;;
	*) echo wrong ;;
	esac
}
rank() { case $1 in none) echo 0 ;; reader) echo 1 ;; operator) echo 2 ;;
	admin) echo 3 ;; esac; }
# walk TEXT UID ROLE NOW RULES NAME: each method; RULES: those under which a
# group's administrator may call it about that name; NOW closed: no connection.
walk() {
	local text=$1 uid=$2 role=$3 now=$4 rules=$5 name=$6 wrong=""
	local method least rule when want got
	while read -r method least rule when; do
		want=served
		if [ "$(rank "$role")" -lt "$(rank "$least")" ]; then
			case " $rules " in *" $rule "*) ;; *) want=denied ;; esac
		fi
		if [ $want = served ] && [ "$now $when" = "sealed ready" ]; then
			want=sealed
		fi
		[ "$now" != closed ] || want=closed
		got=$(call "$uid" "$method" "$name")
		[ "$got" = $want ] || wrong="$wrong $method:$got"
	done <<<"$policy"
	same "$text" "" "$wrong"
}
tpm host || exit 1
for k in red host; do
	openssl ecparam -name prime256v1 -genkey -noout -out $k.pem 2>/dev/null
	openssl pkey -in $k.pem -pubout -out $k.pub 2>/dev/null
done
cat >conf <<END
pool = 0
reader_users = daemon
operator_users = bin
control_group = daemon
END
chmod 711 "$RUN"
check "a manager, its key bound to approved states" start_manager \
    --config conf --root "swtpm:path=$T/host" --approval-key host.pub || exit 1
check "a group, administered by sys" eval 'ctl group create red --key red.pub &&
    ctl group sign --key red.pem --number 1 --sequence 1 --pcrs sha256:0 \
    -o red.1 --admin sys && ctl group update red --config red.1'
check "a guest of that group and one of the host" eval \
    'ctl create red1 --group red && ctl create own1 && ctl start red1'

same "the policy names every method that there is" \
    "$(cut -d' ' -f1 <<<"$policy" | sort | xargs)" \
    "$(bus introspect org.vtpm.Manager1 /org/vtpm/Manager1 org.vtpm.Manager1 |
	awk '$2 == "method" { print substr($1, 2) }' | sort | xargs)"
walk "without a role there is no connection" 4 none closed "" nothing
walk "a reader calls what readers may" 1 reader ready "" nothing
walk "an operator calls what operators may" 2 operator ready "" nothing
walk "an administrator calls everything" 0 admin ready "" nothing
ctl start red1 >/dev/null 2>&1
walk "a group's administrator does so with a guest of the group" 3 none ready \
    "own guest" red1
walk "and with the group" 3 none ready "own group" red
walk "but with no guest of another" 3 none ready own own1
walk "nor with another group" 3 none ready own host
stop_manager

is_sealed() { grep -aq '^vtpm-managerd: SEALED' "$LOG"; }
: >"$LOG"
"$B/vtpm-managerd" --state "$STATE" --run "$RUN" --config conf \
    --root "swtpm:path=$T/host" >"$LOG" 2>&1 </dev/null &
MPID=$!
check "no state is approved: the manager is sealed" wait_for 60 is_sealed
walk "sealed: without a role no connection" 4 none closed "" nothing
walk "sealed: a reader reads the status" 1 reader sealed "" nothing
walk "sealed: an operator likewise" 2 operator sealed "" nothing
walk "sealed: an administrator cares for the host's keys" 0 admin sealed "" \
    nothing
walk "sealed: a group's administrator has none" 3 none closed "" red1
check "it was sealed all the while" eval \
    'jctl status | jq -e ".sealed and (.ready | not)"'
