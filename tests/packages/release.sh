#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# release.sh SUITE [TARGET...] - targets of this tree's Makefile on a release of
# Debian (trixie), in a system under $B/release/SUITE that debootstrap makes.
# Each target installs what it needs, as README says.  What is built there stays
# for the next time.  Root, and the mirror; HEAD is what is tested.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
case $B in /*) ;; *) B=$PWD/$B ;; esac
suite=${1:?usage: release.sh SUITE [TARGET...]}
shift
[ $# -gt 0 ] || set -- unit run
mirror=http://deb.debian.org
base=$B/release/$suite
root=$base/root
bad=0 good=0

die() {
	echo "not ok - $1" >&2
	[ -z "${2:-}" ] || tail -5 "$2" >&2
	exit 1
}

make_system() {
	[ ! -e "$base/complete" ] || return 0
	rm -rf "$root"
	mkdir -p "$base"
	echo "debootstrap $suite"
	debootstrap --variant=minbase --include=git,make,ca-certificates \
	    "$suite" "$root" $mirror/debian >"$base/log" 2>&1 || return 1
	printf 'deb %s %s main\n' "$mirror/debian" "$suite-updates" \
	    "$mirror/debian-security" "$suite-security" \
	    >>"$root/etc/apt/sources.list"
	{ within apt-get update && within apt-get -y dist-upgrade &&
	    within apt-get clean; } >>"$base/log" 2>&1 || return 1
	touch "$base/complete"
}

# Mounts and processes of its own: nothing of them outlives the command.  Its
# root is a mount, so that what runs there can have mounts of its own, too.
within() { # COMMAND...
	cp /etc/resolv.conf "$root/etc/" 2>/dev/null
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child sh -c '
	    root=$1
	    shift
	    mount --bind "$root" "$root" &&
		mount --rbind /dev "$root/dev" &&
		mount --rbind /sys "$root/sys" &&
		mount -t proc proc "$root/proc" || exit 1
	    exec chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
		DEBIAN_FRONTEND=noninteractive "$@"' sh "$root" "$@" </dev/null
}

# A clone, so that what is built in it stays when the tree goes on.
update_tree() {
	[ -d "$root/src/.git" ] || git clone -q --no-hardlinks . "$root/src" ||
	    return 1
	git -C "$root/src" fetch -q "$PWD" HEAD &&
	    git -C "$root/src" checkout -q -f --detach FETCH_HEAD
}

[ "$(id -u)" = 0 ] || die "only root can make a system with debootstrap"
make_system || die "no system with $suite" "$base/log"
update_tree || die "no clone of this tree in $root/src"
within cat /etc/debian_version | sed "s/^/$suite: Debian /"
for t; do
	t0=$SECONDS
	if within make -C /src "$t" >"$base/$t.log" 2>&1; then
		good=$((good + 1))
		echo "ok - $suite: make $t ($((SECONDS - t0)) s)"
		grep -aE '^[0-9]+ passed, [0-9]+ failed' "$base/$t.log" |
		    sed 's/^/#   /'
	else
		bad=$((bad + 1))
		echo "not ok - $suite: make $t ($((SECONDS - t0)) s;" \
		    "$base/$t.log)"
		grep -aE '^not ok|FAILED' "$base/$t.log" | head -40 |
		    sed 's/^/#   /'
		tail -5 "$base/$t.log" | sed 's/^/#   /'
	fi
done
echo "$suite: $good ok, $bad not ok"
[ $bad -eq 0 ]
