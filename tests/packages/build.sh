#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# build.sh [VERSION] - Debian packages of HEAD into $B/deb, checked by lintian.
# VERSION instead of the changelog's: what an upgrade goes to.
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
case $B in /*) ;; *) B=$PWD/$B ;; esac
export -n B # the package has a build folder that it cleans
out=$B/deb${1:+-$1}
rm -rf "$out"
mkdir -p "$out/source"
git archive HEAD | tar -x -C "$out/source"
cd "$out/source"
version=$(dpkg-parsechangelog -S Version)
[ "$version" = "$(sed -n 's/^.define VT_VERSION "\(.*\)"/\1/p' base/version.h)" ] || {
	echo "debian/changelog is not about the version of base/version.h" >&2
	exit 1
}
if [ -n "${1:-}" ]; then
	sed -i "1s/(.*)/($1)/" debian/changelog
fi
export DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS:-parallel=$(nproc)}
dpkg-buildpackage -us -uc -F >"$out/build.log" 2>&1 || {
	tail -30 "$out/build.log"
	exit 1
}
cd ..
rm -rf source
# Debian's archive wants a bug number in the first changelog entry.
if ! lintian --allow-root --suppress-tags initial-upload-closes-no-bugs \
    --fail-on error,warning ./*.changes >lintian.log 2>&1; then
	cat lintian.log
	exit 1
fi
ls ./*.deb
