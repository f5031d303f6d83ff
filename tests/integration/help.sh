#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# help.sh - every program and command describes itself: --help prints its
# usage within 80 columns, and its options are those of the manual page.
# No manager is needed.
. "$(dirname "$0")/lib.sh"

man=$(cd "$(dirname "$0")/../.." && pwd)/doc/man
version=$(sed -n 's/^.define VT_VERSION "\(.*\)"/\1/p' "$man/../../base/version.h")

# Long options in a command's help, and in the manual page's text about it.
helped() { "$B/$1" "${@:2}" --help | sed -nE 's/^  (-., |    )--([a-z-]+).*/\2/p' |
    grep -vxE 'help|version' | sort; }
# manual PAGE [COMMAND]: what stands before its commands, or below one of them.
manual() {
	awk -v want="$2" '
	    /^\.S[hs] / { title = substr($0, 5); gsub(/"/, "", title) }
	    /^\.Sh / { commands = title == "COMMANDS"; below = "" }
	    /^\.Ss / { below = commands ? title : "" }
	    below == want && /^\.It Fl/' "$man/$1" |
	    grep -oE 'Fl -[a-z-]+|, -[a-z-]+' | sed 's/.* -//' |
	    grep -vxE 'help|version' | sort
}
# commands PROGRAM [COMMAND]: those that its help lists.
commands() { "$B/$1" "${@:2}" --help |
    sed -nE '/^Commands:/,/^$/s/^  ([a-z][a-z-]*) .*/\1/p'; }

describe() { # PAGE PROGRAM [COMMAND...]
	local page=$1 sub
	shift
	if ! "$B/$1" "${@:2}" --help >"$T/help" 2>"$T/err" || [ -s "$T/err" ]; then
		not_ok "$* --help"
		return
	fi
	same "$* --help starts with its usage" "usage: $*" \
	    "$(head -1 "$T/help" | cut -c "1-$((7 + $(echo -n "$*" | wc -m)))")"
	same "$* --help fits into 80 columns" "" "$(grep -E '.{80}' "$T/help")"
	same "$*: each option has a description" "" "$(awk '
	    want && !/^        / { print want }
	    { want = "" }
	    /^  (-., |    )--[a-z-]+( [^ ]+)?$/ { want = $0 }' "$T/help")"
	same "$*: options are those of $page" "$(manual "$page" "${*:2}")" \
	    "$(helped "$@")"
	for sub in $(commands "$@"); do
		describe "$page" "$@" "$sub"
	done
}

for page in "$man"/*.[18]; do
	p=$(basename "${page%.*}")
	[ "$p" != vtpm-swtpm ] || continue # another's command lines: dropin.sh
	[ ! -e "$top/tools/luks/$p" ] || continue # a script: seal_luks.sh
	[ -x "$B/$p" ] || { echo "skip - $p is not built"; continue; }
	describe "$(basename "$page")" "$p"
	same "$p --version" "$p $version" "$("$B/$p" --version)"
	"$B/$p" --no-such-option >"$T/out" 2>"$T/err"
	same "$p: a wrong option is wrong usage" 2 $?
	same "$p: and is named with the way to the help" \
	    "$p: unknown option --no-such-option; see $p --help" \
	    "$(cat "$T/err")"
done
# Each page of a command describes no command that there is not.
for p in vtpmctl vtpm-verify vtpm-seal vtpm-measure; do
	same "$p.1 describes all commands, and no other" "$(
		for c in $(commands "$p"); do
			subs=$(commands "$p" "$c")
			[ -n "$subs" ] || echo "$c"
			for s in $subs; do echo "$c $s"; done
		done | sort)" "$(awk '/^\.Sh / { on = /COMMANDS/ }
		    on && /^\.Ss / { print substr($0, 5) }' "$man/$p.1" | sort)"
done
