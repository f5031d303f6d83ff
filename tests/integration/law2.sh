#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# law2.sh - no failure makes a new identity: the host's keys missing, changed
# or those of another TPM, no TPM at all.  The manager does not start and says
# why; with everything put back each guest is who it was.
. "$(dirname "$0")/lib.sh"
need jq sqlite3 swtpm openssl

sql() { sqlite3 "$STATE/store.db" "$@"; }
put_back() { rm -rf "$STATE" && cp -a "$T/good" "$STATE"; }
# Everything that a manager could have made again.  The software root's state
# is stored again by every start: only whose it is counts.
made() {
	(cd "$STATE" && sha256sum softroot.key 2>/dev/null
	sqlite3 store.db "SELECT key,hex(val) FROM kv WHERE key IN
	    ('host_blob','softroot.uuid');
	    SELECT hex(substr(val,1,32)) FROM kv WHERE key='softroot.state';
	    SELECT name,hex(uuid),hex(state) FROM vtpm ORDER BY slot") |
	    sha256sum
}
# stays_down TEXT WORDS ARGS...
stays_down() {
	local text=$1 words=$2 before
	shift 2
	before=$(made)
	if start_manager --pool 0 "$@" >/dev/null; then
		not_ok "$text: the manager does not start"
		end_all
	else
		if grep -qEi -- "$words" "$LOG"; then
			ok "$text: the manager does not start, and says why"
		else
			not_ok "$text: the log does not say \"$words\""
			tail -5 "$LOG" | sed 's/^/#   /'
		fi
	fi
	end_all
	same "$text: nothing was made again" "$before" "$(made)"
}

start_manager --pool 0 || { not_ok "the manager starts"; exit 1; }
ctl create alice >/dev/null && ctl start alice >/dev/null ||
    { not_ok "a guest starts"; exit 1; }
ek=$(t2 alice tpm2_nvread 0x01c0000a -C o 2>/dev/null | sha256sum)
ctl stop alice >/dev/null
end_all
rm -rf "$T/good"
cp -a "$STATE" "$T/good"

rm "$STATE/softroot.key"
stays_down "the software root's key is missing" 'softroot.key|key'
put_back

printf '%032d' 0 >"$STATE/softroot.key"
stays_down "the software root's key is another one" 'root'
put_back

sql "DELETE FROM kv WHERE key='softroot.state'"
stays_down "the software root's state is missing" 'root'
put_back

# Another byte than the one that is there: sealed bytes are any, 00 too.
sql "UPDATE kv SET val=CAST(substr(val,1,200)||
    CASE substr(val,201,1) WHEN x'5a' THEN x'a5' ELSE x'5a' END||
    substr(val,202) AS BLOB) WHERE key='softroot.state'"
stays_down "the software root's state was changed" 'root'
put_back

sql "DELETE FROM kv WHERE key='host_blob'"
stays_down "the host's keys are missing" "host's keys|backup|copy"
put_back

sql "UPDATE kv SET val=CAST(substr(val,1,100)||
    CASE substr(val,101,2) WHEN x'a5a5' THEN x'5a5a' ELSE x'a5a5' END||
    substr(val,103) AS BLOB) WHERE key='host_blob'"
stays_down "the host's keys were changed" 'master key|keys'
put_back

# The vTPMs deleted as well, so that the store looks new but for its root.
sql "DELETE FROM kv WHERE key='host_blob'; DELETE FROM vtpm;
    DELETE FROM blob; DELETE FROM page"
stays_down "only the store's root is left" "keys"
put_back

# Another TPM, and none.
tpm other
stays_down "the host's TPM is another one" "is it the TPM that this store" \
    --root "swtpm:path=$T/other"

# A TPM that is away may come back, so the manager tries for half a minute;
# no need to wait for that here.
before=$(made)
: >"$LOG"
"$B/vtpm-managerd" --state "$STATE" --run "$RUN" --pool 0 \
    --root "device:$T/nothing" >"$LOG" 2>&1 </dev/null &
MPID=$!
check "the host's TPM is not there: the manager says so" \
    wait_for 10 grep -q "the host's TPM: $T/nothing: No such file" "$LOG"
refuse "and serves no caller" 'no manager' ctl start alice
stop_manager TERM
same "nor was anything made again" "$before" "$(made)"
put_back

start_manager --pool 0 || not_ok "with everything put back it starts"
check "alice starts" ctl start alice
same "and keeps her identity" "$ek" \
    "$(t2 alice tpm2_nvread 0x01c0000a -C o 2>/dev/null | sha256sum)"
