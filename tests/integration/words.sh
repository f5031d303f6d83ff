#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# words.sh - every error that vtpmctl can give: its words, its exit code, its
# JSON.  Each is printed (# lines), so that a person can read them all.
. "$(dirname "$0")/lib.sh"
need jq openssl setpriv sqlite3

# say CODE WORDS ARGS...: vtpmctl ARGS fails with CODE (name of vtpmctl(1)) and
# says WORDS (extended regexp) in one line; --json says the same.
codes=(ok failed usage not-found exists busy denied manager-away storage tpm)
json_ok() { # CODE: $T/err is one object with that code, and no plain text
	jq -es --arg c "$1" --argjson e "$2" 'length == 1 and
	    .[0].version == 1 and (.[0].errors | length >= 1) and
	    .[0].errors[0].code == $c and .[0].errors[0].exit == $e' "$T/err"
}
fits_terminal() { # no control character
	! LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f\x7f-\xff]' "$1"
}
say() {
	local code=$1 words=$2 rc want i
	shift 2
	for i in "${!codes[@]}"; do
		[ "${codes[$i]}" = "$code" ] && want=$i
	done
	ctl "$@" >"$T/out" 2>"$T/err" </dev/null
	rc=$?
	p="# ${*:1:3}: " awk '{ print ENVIRON["p"] $0 }' "$T/err" |
	    tr -cd '[:print:]\n' | cut -c1-600
	same "vtpmctl ${*:1:3}: $code" "$want" "$rc"
	check "  in words" grep -qEi -- "$words" "$T/err"
	check "  in one line that steers no terminal" eval \
	    'fits_terminal "$T/err" && [ "$(wc -l <"$T/err")" = 1 ]'
	ctl --json "$@" >"$T/out" 2>"$T/err" </dev/null
	check "  and as JSON" json_ok "$code" "$want"
}
x63=$(printf 'n%.0s' $(seq 63))

# --- usage --------------------------------------------------------------------
say usage 'COMMAND is missing'
say usage 'no command frobnicate;' frobnicate
say usage 'no command strat, did you mean start\?' strat
say usage 'no command crate, did you mean create\?' group crate
say usage '--frce, did you mean --force\?; see vtpmctl stop --help' stop --frce x
say usage 'unknown option --nonsense;' list --nonsense
say usage 'NAME is missing' create
say usage 'NAME.* is missing' start
say usage 'NAME or --all is missing' stop
say usage 'does not .*|--exit goes with --all' stop --exit
say usage 'give either --all or --instance' recover --reason x
say usage '--reason TEXT is missing' recover --all
say usage "'many' is not a number" audit --max many
say usage '--key PEM is missing' group create red
say usage 'no command .*;' "$(printf 'a\033[31mb\nc')"
say usage "is missing|give --key" host approve

# --- no manager ------------------------------------------------------------------
say manager-away 'no manager at .*control.sock: No such file.*start vtpm-managerd' list
say manager-away 'no manager at' status
printf 'control_group = no-such\n' >"$T/c.conf"
refuse "an unknown group is named, with its setting" \
    "control_group: there is no group 'no-such': make it" \
    "$B/vtpm-managerd" --config "$T/c.conf" --state "$STATE" --run "$RUN"
long=$T/$(printf 'r%.0s' $(seq 100))
refuse "a run folder whose sockets cannot have a path" \
    'path of the run folder is too long' \
    "$B/vtpm-managerd" --state "$STATE" --run "$long"
t0=$SECONDS
refuse "a device that is not there is named, with what to do" \
    'no-such-tpm: No such file.*enable it in the firmware' \
    "$B/vtpm-managerd" --root device:/dev/no-such-tpm --state "$T/dev" \
    --run "$RUN"
check "within seconds ($((SECONDS - t0)))" [ $((SECONDS - t0)) -lt 12 ]
rm -rf "$T/dev"

# --- a manager --------------------------------------------------------------------
start_manager --pool 0 || exit 1
ctl create alice >/dev/null
say exists 'guest alice: a vTPM has this name already' create alice
say usage "'.bad' cannot be a guest's name" create .bad
say usage "'x' is not a UUID" create --uuid x bob
say usage 'tpm is 2.0 or 1.2' create --tpm 3 bob
say usage 'sha256' create --banks md5 bob
say usage "at most 63 characters" create "n$x63"
say not-found "no group 'blue' exists" create --group blue bob
say usage "no user|is not a user" create --owner no-such-user bob
say exists 'UUID .* belongs to guest alice' create --uuid \
    "$(jctl show alice | jq -r .uuid)" bob
for cmd in start stop reset destroy show log "log --pcrs" "log --journal"; do
	say not-found 'guest nobody: there is no such vTPM.*vtpmctl list' \
	    $cmd nobody
done
say not-found 'there is no such vTPM' banks nobody sha256
for cmd in "save nobody $T/image" "restore nobody /etc/passwd" "migrate nobody"
do
	VTPM_XL=/bin/true say not-found 'nobody: there is no such vTPM' xen $cmd
done
say not-found 'alcie: there is no such vTPM, did you mean alice\?' start alcie
say busy 'guest alice: is not running' stop alice
say busy 'guest alice: is not running; .vtpmctl start alice' reset alice
say busy 'guest alice: is not running; .vtpmctl start alice' log --pcrs alice
say usage 'sha256' banks alice md5
say busy "'alice' is not refused, so there is nothing" \
    recover --instance alice --reason x
say busy 'name the vTPMs that' recover --all --reason x
say not-found "nobody" recover --instance nobody --reason x
ctl start alice >/dev/null
say exists 'guest alice: is running already' start alice
say busy 'is running; stop it first' destroy alice
say busy "guest alice: its TPM is not started yet: the guest" \
    log --pcrs alice
say not-found 'the host recorded no launch' log alice
# a client that holds the ring
mkfifo "$T/hold"
"$B/tests/ringcmd" --hold "$RUN/alice.tpmif" <"$T/hold" >"$T/held" 2>&1 &
PIDS+=($!)
exec 8>"$T/hold"
wait_for 5 grep -q open "$T/held"
say busy 'guest alice: its TPM is in use.*end what holds RUN/alice.tpmif' \
    reset alice
exec 8>&-

# --- groups and the host -----------------------------------------------------------
openssl ecparam -name prime256v1 -genkey -noout -out "$T/k.pem" 2>/dev/null
openssl ec -in "$T/k.pem" -pubout -out "$T/k.pub" 2>/dev/null
say not-found "no group 'blue'" group show blue
say not-found "no group 'blue'" group delete blue
say failed 'cannot read .*no-such.pem' group create --key "$T/no-such.pem" red
check "a group" ctl group create --key "$T/k.pub" red
say exists 'a group of this name exists' group create --key "$T/k.pub" red
say usage "cannot be a group's name" group create --key "$T/k.pub" 7
same "the audit log has no stale words about it" "" "$(jctl audit | jq -r \
    '.[] | select(.action == "group-create" and .result == "ok").detail')"
say failed 'software root.*no states' host approve --current --key "$T/k.pem"

# --- the audit log ------------------------------------------------------------------
ctl destroy --force alice >/dev/null
same "a destroyed vTPM has one record" 1 "$(jctl audit | jq '[.[] |
    select(.action == "destroy" and .object == "alice" and
    .result == "ok")] | length')"
check "each refused recover names its object" eval 'jctl audit | jq -e \
    "[.[] | select(.action == \"recover\")] | length >= 3 and
    all(.object != \"\")"'
check "a create that is refused for its name has one, too" eval \
    'jctl audit | jq -e "[.[] | select(.action == \"create\")] |
    all(.object != \"\")"'

# --- roles ----------------------------------------------------------------------------
if [ "$(id -u)" -eq 0 ]; then
	stop_manager
	printf 'reader_users = daemon\npool = 0\n' >"$T/r.conf"
	start_manager --config "$T/r.conf"
	chmod 711 "$RUN"
	chmod 666 "$RUN/control.sock"
	as() { setpriv --reuid "$1" --regid daemon --clear-groups \
	    "$B/vtpmctl" --run "$RUN" "${@:2}"; }
	as daemon create eve >"$T/err" 2>&1
	same "a reader's create: denied" 6 $?
	sed 's/^/# /' "$T/err"
	as sys list >"$T/err" 2>&1
	same "without a role: denied" 6 $?
	sed 's/^/# /' "$T/err"
	stop_manager KILL
	as daemon list >"$T/err" 2>&1
	same "a reader, of a manager that was killed: away" 7 $?
	check "  by the socket's error, not the lock's" \
	    grep -q 'control.sock: Connection refused; start' "$T/err"
	start_manager --config "$T/r.conf"
else echo "skip - roles of other users: needs root"
fi

# --- a manager that hangs ---------------------------------------------------------------
kill -STOP "$MPID"
t0=$SECONDS
say manager-away "process $MPID\) has not answered for 10 s" list
check "within 30 s, both times ($((SECONDS - t0)))" \
    [ $((SECONDS - t0)) -lt 30 ]
kill -CONT "$MPID"
check "it goes on" wait_for 10 ctl list

# --- a manager that is starting: its lock is held, its socket is not there ---------------------
mv "$RUN/control.sock" "$RUN/away.sock"
(sleep 2; mv "$RUN/away.sock" "$RUN/control.sock") &
t0=$SECONDS
check "vtpmctl waits for a manager that is just starting" ctl list
check "until its socket is there ($((SECONDS - t0)) s)" \
    [ $((SECONDS - t0)) -ge 1 ]
mv "$RUN/control.sock" "$RUN/away.sock"
say manager-away 'no manager at .*: it is starting, its log says' list
mv "$RUN/away.sock" "$RUN/control.sock"
check "it was there all the time" ctl list

# --- a stopped vTPM whose state was changed on disk -----------------------------------------
ctl create carol >/dev/null
ctl create dave >/dev/null
same "no vTPM is tampered with" 0 "$(jctl status | jq .vtpms.tampered)"
stop_manager
sqlite3 "$STATE/store.db" "UPDATE vtpm SET version = version + 1
    WHERE name = 'carol'"
ctl list >"$T/early" 2>&1 &
early=$!
start_manager --pool 0
check "a vtpmctl that was there before its manager waits a moment for it" \
    wait $early
check "it is in the log at the start" \
    grep -aq 'guest carol: its stored state is not the one' "$LOG"
same "and in the audit log" carol "$(jctl audit | jq -r \
    '.[] | select(.action == "tampered").object')"
same "status counts it" 1 "$(jctl status | jq .vtpms.tampered)"
check "for people, too" eval 'ctl status | grep -q "1 tampered"'
say storage 'guest carol: its state is not the one' start carol
check "another one starts" ctl start dave

# --- a name whose socket would have no path --------------------------------------------------
stop_all
stop_manager
if [ ${#T} -lt 59 ]; then # a folder of 60 characters
	RUN=$T/$(printf 'r%.0s' $(seq $((59 - ${#T}))))
	mkdir "$RUN"
	start_manager --pool 0
	say usage "path of its socket in .* would be too long" create "$x63"
	check "a shorter one does" ctl create short
else echo "skip - a name whose socket would have no path: $T is too long"
fi
