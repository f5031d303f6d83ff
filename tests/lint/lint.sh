#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# lint.sh - white space, rooms, size, licence lines, the kernel module,
# cppcheck, gcc -fanalyzer.
set -u
B=${B:-build}
cd "$(dirname "$0")/../.." || exit 1
bad=0
mkdir -p "$B"
fail() { echo "lint: $*"; bad=$((bad + 1)); }
mapfile -t files < <(git ls-files '*.c' '*.h')

echo "clang-format ..."
if ! clang-format --dry-run --Werror tests/lint/layout.h >/dev/null 2>&1; then
	echo "skip - $(clang-format --version): it lays out code otherwise" \
	    "than version 14, which decides here; white space is not checked"
elif ! clang-format --dry-run --Werror "${files[@]}" >"$B/format.log" 2>&1
then
	grep -a 'error:' "$B/format.log" | head -20
	fail "white space differs from .clang-format (make format)"
fi

echo "rooms ..."
# shellcheck disable=SC2086 # ROOMS is a list
tests/lint/rooms.py "$B" ${ROOMS:?make lint sets it} || bad=$((bad + 1))
tests/lint/libraries.sh || bad=$((bad + 1))

echo "licence lines ..."
for f in "${files[@]}" $(git ls-files '*.sh' '*.py' Makefile); do
	head -3 "$f" | grep -q 'SPDX-License-Identifier' ||
	    fail "$f has no SPDX line"
done

echo "sizes ..."
for f in "${files[@]}"; do
	n=$(wc -l <"$f")
	[ "$n" -le 800 ] || fail "$f has $n lines, the ceiling is 800"
done
awk 'FNR==1 { start = 0 }
    /^\{$/ { start = FNR; name = prev }
    /^\}$/ { if (start && FNR - start > 80) {
	printf "lint: %s: %s: %d lines, the ceiling is 80\n",
	    FILENAME, name, FNR - start; bad = 1 } start = 0 }
    { prev = $0 } END { exit bad }' "${files[@]}" || bad=$((bad + 1))

echo "kernel module ..."
B=$B tests/lint/kernel.sh || fail "the kernel module"

echo "cppcheck ..."
# It does not follow system headers, and must know the lists' macros.
queue=$(echo '#include <sys/queue.h>' | gcc -E -M -xc - | tr ' ' '\n' |
    grep 'sys/queue\.h$')
cppcheck -q -j"$(nproc)" --std=c11 --enable=warning,portability \
    --inline-suppr --error-exitcode=1 -I. -I"$B/gen" \
    --suppress=missingIncludeSystem --suppress=legacyUninitvar \
    --suppress=normalCheckLevelMaxBranches \
    --library=tests/lint/jansson.cfg --include="$queue" \
    --suppress='*:*/gen/*' -i tpmfront/linux base measure tpmback tpmfront vtpm \
    vtpm_manager tools || bad=$((bad + 1))

echo "gcc -fanalyzer ..."
# It takes dup2(fd, 1) before an exec for a descriptor that is lost.
if ! make -s -j"$(nproc)" B="$B/lint" HARDEN="-O1 -g -fPIC -fanalyzer \
    -Wno-analyzer-fd-leak -Werror" all >"$B/analyzer.log" 2>&1; then
	grep -aE 'error:|warning:' "$B/analyzer.log" | head -20
	fail "gcc -fanalyzer: see $B/analyzer.log"
fi

if [ $bad -eq 0 ]; then echo "lint: clean"; else
	echo "lint: $bad complaint(s)"; exit 1; fi
