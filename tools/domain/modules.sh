# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# modules.sh - sourced: takes kernel modules out of a folder such as
# /lib/modules/VERSION, as files that any insmod loads.
#
# Distributions compress modules in several ways or not at all (NAME.ko,
# NAME.ko.xz, ...); some of what one kernel has as a module another one has
# built in.  A driver that is neither there nor built in is an error.

# Of a kernel's files unpacked under ROOT: the newest folder of modules.
modules_folder() { # ROOT
	find "$1/lib/modules" "$1/usr/lib/modules" -mindepth 1 -maxdepth 1 \
	    -type d 2>/dev/null | sort -V | tail -1
}

# A name's "-" and "_" are one; which of them the file has, it decides.
module_file() { # FOLDER NAME: nothing, if there is none
	find "$1" -name "${2//[-_]/[-_]}.ko*" | head -1
}
module_is_builtin() { # FOLDER NAME
	grep -qs "/${2//[-_]/[-_]}\.ko\$" "$1/modules.builtin"
}
module_text() { # FILE: uncompressed
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -dqc "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

# module_put FOLDER NAME DIR: DIR/NAME.ko, uncompressed; nothing is written of
# what is built in.  It fails, with the reason, where the driver is missing.
module_put() {
	local file new=$3/.$2.$BASHPID
	[ ! -e "$3/$2.ko" ] || return 0
	file=$(module_file "$1" "$2")
	if [ -n "$file" ]; then
		module_text "$file" >"$new" && [ -s "$new" ] &&
		    mv "$new" "$3/$2.ko" && return 0
		rm -f "$new"
		echo "$file: cannot be unpacked" >&2
		return 1
	fi
	module_is_builtin "$1" "$2" && return 0
	echo "no driver $2 in $1, and it is not built into that kernel" >&2
	return 1
}

# modules_put FOLDER DIR NAME...: these and what they need, in DIR; names of the
# files in the order of loading, one a line.
modules_put() {
	local folder=$1 dir=$2 name
	shift 2
	for name; do
		module_put "$folder" "$name" "$dir" || return 1
		[ -e "$dir/$name.ko" ] || continue # built in
		# shellcheck disable=SC2046
		modules_put "$folder" "$dir" $(module_needs "$dir/$name.ko") ||
		    return 1
		echo "$name.ko"
	done | awk '!seen[$0]++'
	[ "${PIPESTATUS[0]}" = 0 ]
}
module_needs() { # FILE: from its .modinfo
	tr '\0' '\n' <"$1" | sed -n 's/^depends=//p' | tr ',' ' '
}
