# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Completion for bash: what --help of the command says, so that both come from
# the same table of options.

_vtpm_commands() { # PROGRAM COMMAND...
	"$@" --help 2>/dev/null |
	    awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on && /^  [a-z]/ { print $1 }'
}
_vtpm_options() {
	"$@" --help 2>/dev/null | sed -nE 's/^  (-., |    )(--[a-z-]+).*/\2/p'
}

_vtpm() {
	local cur=${COMP_WORDS[COMP_CWORD]} command=("${COMP_WORDS[0]}")
	local run=() list i word

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--) return ;; # another program's command line
		--run) run=(--run "${COMP_WORDS[i + 1]}") ;;
		-*) ;;
		*) _vtpm_commands "${command[@]}" | grep -qxF -- "$word" &&
		    command+=("$word") ;;
		esac
	done
	case $cur in
	-*) list=$(_vtpm_options "${command[@]}") ;;
	*)
		list=$(_vtpm_commands "${command[@]}")
		if [ -z "$list" ] && "${command[@]}" --help 2>/dev/null |
		    sed '/^$/,$d' | grep -qw NAME; then
			list=$("${command[0]}" "${run[@]}" list 2>/dev/null |
			    awk 'NR > 1 { print $1 }')
		fi ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$list" -- "$cur")
}
complete -o default -F _vtpm vtpmctl vtpm-managerd vtpm-verify vtpm-attest \
    vtpm-seal vtpm-measure tpmfrontd
