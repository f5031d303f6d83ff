#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# verify_library.sh - libvtpm-verify as others get it: installed, found by
# pkg-config, and linked by a program that sees no file of this tree.
set -u
B=${B:-build}
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1
case $B in /*) ;; *) B=$top/$B ;; esac
dir=$(mktemp -d /tmp/vtpm-verifylib.XXXXXX)
trap 'rm -rf "$dir"' EXIT
prefix=/opt/vtpm
lib=$dir/root$prefix/lib

ok() { # text, command...
	local text=$1
	shift
	if "$@" >"$dir/out" 2>&1; then
		echo "ok - $text"
	else
		echo "not ok - $text"
		tail -5 "$dir/out" | sed 's/^/  /'
	fi
}
command -v pkg-config >/dev/null || {
	echo "skip - pkg-config is not installed"
	exit 0
}
install() {
	env -u MAKEFLAGS -u MAKELEVEL make -s B="$B" DESTDIR="$dir/root" \
	    PREFIX=$prefix LIBDIR=$prefix/lib UNITDIR=$prefix/units \
	    IRTDIR=$prefix/irt install
}
ok "make install puts everything below DESTDIR" install
install_again() { install && [ -L "$lib/libvtpm-verify.so" ]; }
ok "a second make install is no error" install_again

# Nothing of the tree but the example itself.
mkdir "$dir/away"
cp doc/examples/verify.c "$dir/away"
cd "$dir/away" || exit 1
export PKG_CONFIG_PATH=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$dir/root
# shellcheck disable=SC2046
build() { # output, flags of pkg-config...
	local out=$1
	shift
	"${CC:-gcc}" -std=gnu11 -Wall -Wextra -Werror -o "$out" verify.c \
	    ${SAN:-} $(pkg-config --cflags vtpm-verify) \
	    $(pkg-config "$@" --libs vtpm-verify)
}
static() { # the archive, and the shared libraries that it needs
	mkdir -p "$dir/static"
	cp "$lib/libvtpm-verify.a" "$dir/static"
	"${CC:-gcc}" -std=gnu11 -Wall -Wextra -Werror -o static verify.c \
	    $(pkg-config --cflags vtpm-verify) "-L$dir/static" \
	    $(pkg-config --static --libs-only-l vtpm-verify)
}
ok "the example compiles against what is installed" build shared
ok "and against the archive" static
cxx() {
	echo '#include <vtpm-verify/vtpm_verify.h>' >h.cc
	"${CXX:-g++}" -std=c++17 -Wall -Wextra -Werror -fsyntax-only \
	    $(pkg-config --cflags vtpm-verify) h.cc
}
if command -v "${CXX:-g++}" >/dev/null; then
	ok "the header is C++ as well" cxx
else
	echo "skip - the header is C++ as well: no C++ compiler"
fi
version() {
	[ "$(pkg-config --modversion vtpm-verify)" = \
	    "$(sed -n 's/^.define VT_VERSION "\(.*\)"/\1/p' \
	    "$top/base/version.h")" ]
}
ok "pkg-config knows the version" version

# --- what it exports -------------------------------------------------------
sed -n 's/^\t\t\(vtpm_[a-z_]*\);$/\1/p' \
    "$top/measure/library/vtpm_verify.map" | sort >"$dir/public"
exported() {
	nm -D --defined-only "$lib/libvtpm-verify.so.0" |
	    sed -n 's/.* T \(.*\)@@.*/\1/p' | sort | diff "$dir/public" - &&
	    ! nm -D --defined-only "$lib/libvtpm-verify.so.0" |
	    grep -v ' T vtpm_\| A VTPM_VERIFY_'
}
ok "the shared library exports the public functions and nothing else" exported
global() {
	nm -g --defined-only "$lib/libvtpm-verify.a" |
	    sed -n 's/.* [A-Z] \(.*\)/\1/p' | sort | diff "$dir/public" -
}
ok "and so does the archive" global
declared() {
	grep -o 'vtpm_[a-z_]*(' \
	    "$dir/root$prefix/include/vtpm-verify/vtpm_verify.h" |
	    grep -v '_set_\*' | tr -d '(' | sort -u |
	    grep -xFf - "$dir/public" | diff "$dir/public" -
}
ok "each of them is declared in the header" declared
described() { ! grep -vxFf <(grep -o 'vtpm_[a-z_]*' \
    "$top/doc/man/vtpm-verify.3" | sort -u) "$dir/public"; }
ok "and described in vtpm-verify(3)" described
alone() { ! grep -rn '#include "' "$dir/root$prefix/include"; }
ok "the header includes nothing of the tree" alone

# --- what it says ----------------------------------------------------------
(cd "$top" && "$B/tests/deepgen" "$dir/cases") >"$dir/log" 2>&1 ||
    { echo "not ok - evidence cannot be made"; exit 1; }
judge() { # program, case: prints, returns the verdict
	local c=$dir/cases/$2 nonce
	read -r _ _ nonce _ <"$c/case"
	LD_LIBRARY_PATH=$lib "./$1" "$c/evidence.json" "$nonce" \
	    "$c/policy.json" "$c/host.json" "$c/states.json" "$c/roots.pem"
}
for c in "$dir"/cases/*/; do
	c=$(basename "$c")
	[ -f "$dir/cases/$c/case" ] || continue
	read -r check _ <"$dir/cases/$c/case"
	# Whose evidence it is the caller says, not the evidence.
	[ "$check" = uuid ] && continue
	[ "$check" = - ] && want=0 || want=1
	for p in shared static; do
		judge $p "$c" >"$dir/out" 2>&1
		got=$?
		[ $got -eq $want ] || {
			echo "not ok - $p: $c: exit $got, not $want"
			bad=1
		}
		n=$((${n:-0} + 1))
	done
done
[ "${n:-0}" -ge 20 ] && [ -z "${bad:-}" ] &&
	echo "ok - good bundles are accepted and attacks refused, $n times"
good=$(for c in "$dir"/cases/*/case; do
	read -r check _ <"$c"
	[ "$check" = - ] && basename "$(dirname "$c")"
done | head -1)
spoilt() { # one byte of the evidence: never accepted
	local c=$dir/cases/$good
	cp -r "$c" "$dir/cases/spoilt"
	sed -i 's/"signature": "\(.*\)..",/"signature": "\1AA",/' \
	    "$dir/cases/spoilt/evidence.json"
	! cmp -s "$c/evidence.json" "$dir/cases/spoilt/evidence.json" || return 1
	judge shared spoilt
	[ $? -eq 1 ]
}
ok "a good bundle with a spoilt signature is refused" spoilt
cut() {
	local c=$dir/cases/cut
	cp -r "$dir/cases/$good" "$c"
	head -c 500 "$c/evidence.json" >"$c/x" && mv "$c/x" "$c/evidence.json"
	judge shared cut
	[ $? -eq 2 ]
}
ok "evidence that was cut short is an error with a reason" cut
grep -q "evidence.json: evidence: not JSON" "$dir/out" ||
	echo "not ok - the reason: $(cat "$dir/out")"
