#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limits.sh - vtpmctl status --limits: the table in force, by process, which is
# the documented one with default settings.
. "$(dirname "$0")/lib.sh"
need jq openssl
cd "$T" || exit 1
limits() { jctl status --limits; }
row() { # NAME PER: its limit
	limits | jq -r --arg n "$1" --arg p "$2" '.processes[].limits[] |
	    select(.name == $n and .per == $p).limit'
}

check "a manager with default settings" start_manager || exit 1
limits | jq -r -f "$top/doc/limits.jq" >made.md
check "doc/LIMITS.md is what the programs say" \
    diff "$top/doc/LIMITS.md" made.md
same "three processes have limits" "vtpm-managerd vtpm-hwtpm vtpm-worker" \
    "$(limits | jq -r '[.processes[].process] | join(" ")')"
same "every row is complete" 0 "$(limits | jq '[.processes[].limits[] | select(
    (.name == "") or (.per == "") or (.unit == "") or (.at_limit == "") or
    (.limit != null and .limit <= 0))] | length')"
same "no row is there twice" "" "$(limits | jq -r '.processes[] | .process as $p
    | .limits[] | "\($p) \(.name) \(.per)"' | sort | uniq -d)"
same "the table for people has every row" \
    "$(limits | jq '[.processes[].limits[]] | length')" \
    "$(ctl status --limits | grep -c '^  [^W]')"
n=$(row "name of a vTPM" guest)
name=$(printf '%*s' "$n" '' | tr ' ' n)
check "a name of $n bytes is taken" ctl create "$name"
refuse "a longer one is refused" "at most $n" ctl create "${name}n"
openssl ecparam -name prime256v1 -genkey -noout -out key.pem 2>/dev/null
openssl pkey -in key.pem -pubout -out key.pub 2>/dev/null
check "a group with a quota" ctl group create red --key key.pub --vtpms 1
same "its quota is a row" 1 "$(row "vTPMs of group red" group)"
check "up to the quota vTPMs are created" ctl create one --group red
refuse "and none after it" "quota" ctl create two --group red
stop_manager
printf 'pool = 0\ndeep_wait_ms = 7000\nreserve_mb = 8\n' >conf
check "a manager with other settings" start_manager --config conf
same "they are in the table" "0 7000 8" "$(row 'vTPMs made in advance' host) $(
    row 'wait for a deep quote' guest) $(row 'disk space in reserve' host)"
