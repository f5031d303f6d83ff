#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# completion.sh - bash completes every command and every option of every
# program, as --help lists them, and names of guests.
. "$(dirname "$0")/lib.sh"
need jq
. "$top/tools/completion/vtpm.bash"
export PATH=$B:$PATH

complete_words() { # WORD...: what stands for the last one, sorted
	local COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_vtpm
	printf '%s\n' "${COMPREPLY[@]}" | grep . | sort
}
walk() { # PROGRAM COMMAND...
	local help sub
	help=$("$@" --help)
	[ "$(complete_words "$@" --)" = "$(grep -oE '^  (-., |    )--[a-z-]+' \
	    <<<"$help" | grep -oE -- '--.*' | sort)" ] || wrong+=" '$* --'"
	subs=$(sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' <<<"$help")
	[ -z "$subs" ] || [ "$(complete_words "$@" "")" = "$(sort <<<"$subs")" ] ||
	    wrong+=" '$* '"
	walked=$((walked + 1))
	for sub in $subs; do walk "$@" "$sub"; done
}
walked=0
for p in $(sed -n '/^complete /,$p' "$top/tools/completion/vtpm.bash" |
    grep -oE '(vtpm-?|tpmfront)[a-z]+' | grep -vx vtpm); do
	wrong=
	walk "$p"
	same "$p: each option and command is completed" "" "$wrong"
done
check "the walk met the commands of vtpmctl" test "$walked" -gt 40
start_manager --pool 0 || exit 1
check "two guests" eval 'ctl create alice && ctl create alba && ctl create bob'
same "names of guests" "alba alice" \
    "$(complete_words vtpmctl --run "$RUN" show al | xargs)"
same "nothing behind --" "" \
    "$(complete_words vtpmctl launch qemu alice -- qemu --)"
if command -v zsh >/dev/null; then
	check "the script for zsh is one" zsh -n "$top/tools/completion/_vtpm"
fi
