#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# list.sh - several vTPMs per command, and a list that fits the terminal.
. "$(dirname "$0")/lib.sh"
need jq openssl

start_manager --pool 0 || exit 1
openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null |
    openssl ec -pubout -out "$T/k.pub" 2>/dev/null
ctl group create --key "$T/k.pub" a-group-with-a-long-name >/dev/null
long=a-name-that-is-as-long-as-a-name-may-be-and-fits-no-terminal-oh
ctl create web1 >/dev/null
ctl create db2 >/dev/null
ctl create --group a-group-with-a-long-name "$long" >/dev/null

# --- several per command --------------------------------------------------------
ctl start web1 nobody db2 >"$T/out" 2>"$T/err"
same "start of three, one of which there is not: its code" 3 $?
same "the others are started" 2 "$(grep -c started "$T/out")"
check "the one is named" grep -q 'guest nobody: there is no such' "$T/err"
check "start --all starts the rest" ctl start --all
same "all run" 3 "$(jctl list --state running | jq length)"
check "again, there is nothing to do" ctl start --all
refuse "with a name it is wrong usage" '--all takes neither' \
    ctl start --all web1
check "stop of two" ctl stop web1 db2
same "one is left" "$long" "$(jctl list --state running | jq -r '.[].name')"
ctl create gone1 >/dev/null
ctl create gone2 >/dev/null
check "destroy of two" ctl destroy gone1 gone2
check "and no others" eval '[ "$(jctl list | jq length)" = 3 ]'

# --- order, filters -----------------------------------------------------------------
names() { jctl list "$@" | jq -r '[.[].name[:4]] | join(" ")'; }
same "by name" "a-na db2 web1" "$(names)"
same "reverse" "web1 db2 a-na" "$(names -r)"
same "by creation" "web1 db2 a-na" "$(names --sort created)"
same "by group" "db2 web1 a-na" "$(names --sort group)"
same "by state" "a-na db2 web1" "$(names --sort state)"
same "of one state" "db2 web1" "$(names --state stopped)"
same "idle: running, and no guest attached" "a-na" "$(names --state idle)"
same "of one group, by name" "a-na" "$(names --group a-group-with-a-long-name)"
same "by number" "db2 web1" "$(names --group 0)"
refuse "another order is wrong usage" 'not one of name, state' \
    ctl list --sort size

# undocumented COMMAND: members of its answer that FORMATS.md does not name
undocumented() {
	jctl "$@" | jq -r '.[] | keys[]' | sort -u | while read -r k; do
		sed -n '/^## Output of vtpmctl/,/^## Deep/p' \
		    "$top/doc/FORMATS.md" | grep -q "\`$k\`" || echo "$k"
	done
}
same "FORMATS.md names each member of list" "" "$(undocumented list)"
same "and of audit" "" "$(undocumented audit)"

# --- widths --------------------------------------------------------------------------
fits() { # COLUMNS: no line of $T/out is longer
	awk -v w="$1" 'length > w { bad = 1 } END { exit bad }' "$T/out"
}
for w in 60 80 100 132 200; do
	COLUMNS=$w ctl list >"$T/out"
	check "a list of $w columns fits" fits "$w"
	same "with a line each at $w" 4 "$(wc -l <"$T/out")"
done
COLUMNS=80 ctl list | sed 's/^/# /'
COLUMNS=80 ctl list >"$T/out"
check "a name that was cut says so" grep -q '^a-name.*\.\.\. ' "$T/out"
COLUMNS=80 ctl list --long >"$T/out"
check "--long cuts none, and has UUIDs" grep -q "^$long .* [0-9a-f]*-" "$T/out"
ctl list >"$T/out"
check "neither does a list into a file" grep -q "^$long .* [0-9a-f]*-" "$T/out"

# --- events ------------------------------------------------------------------------------
same "the last two events" 2 "$(ctl events --latest 2 | wc -l)"
same "as JSON: a line each" 2 "$(jctl events --latest 2 | jq -s length)"
check "of one vTPM" eval '[ "$(jctl events --object web1 | jq -r .object |
    sort -u)" = web1 ]'
# More than the manager is asked for at once, and web1's before db2's.
for vtpm in web1 db2; do
	for _ in $(seq 260); do ctl banks "$vtpm" sha256; done
done >/dev/null
same "the last 510 events" 510 "$(ctl events --latest 510 | wc -l)"
same "the last of one vTPM, though others' are newer" "web1 web1 web1" \
    "$(jctl events --object web1 --latest 3 | jq -r .object | xargs)"
same "its very last one" banks \
    "$(jctl events --object web1 --latest 1 | jq -r .action)"
jctl events --latest 0 --follow >"$T/events" 2>&1 &
PIDS+=($!)
sleep 1
ctl start web1 >/dev/null
check "a new event is followed within seconds" wait_for 5 grep -q \
    '"action":"start","object":"web1","result":"ok"' "$T/events"
same "and comes once" 1 "$(grep -c '"action":"start","object":"web1"' \
    "$T/events")"
same "nothing older was shown" 0 "$(grep -c '"create"' "$T/events")"
