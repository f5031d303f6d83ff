#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check.sh - the packages on a clean Debian of this machine's release, with
# systemd as its init: install, upgrade and restart under guests that use their
# TPMs, a shutdown and a boot, remove, purge.  Root; the system is a container
# (systemd-nspawn), so that no guest of a hypervisor is part of it: programs of
# tpm2-tools on the local ring stand for guests.  SKIP_BUILD=1: with the packages
# that are in $B/deb.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
case $B in /*) ;; *) B=$PWD/$B ;; esac
[ "$(id -u)" = 0 ] || { echo "check-packages needs root" >&2; exit 1; }
T=$(mktemp -d "${TMPDIR:-/tmp}/vt-packages.XXXXXX")
root=$T/root
guard=
init=
bad=0
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
landlock="landlock_create_ruleset landlock_add_rule landlock_restrict_self"
mirror=http://deb.debian.org
base=$B/packages/$suite

ok() { echo "ok - $*"; }
not_ok() { echo "not ok - $*"; bad=$((bad + 1)); }
check() { # TEXT COMMAND...
	local text=$1
	shift
	if "$@" >"$T/out" 2>&1; then ok "$text"; else
		not_ok "$text (exit $?: $*)"
		tail -20 "$T/out" | sed 's/^/#   /'
	fi
}
same() { # TEXT WANT GOT
	if [ "$2" = "$3" ]; then ok "$1"; else
		not_ok "$1: want '$2', got '$3'"
	fi
}
wait_for() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.3
	done
}

# --- the system ---------------------------------------------------------------

# What our packages depend on and do not provide, as a release names it.
needs() {
	local f own
	own=$(for f in "$B"/deb/*.deb; do dpkg-deb -f "$f" Package; done)
	for f in "$B"/deb/*.deb; do
		dpkg-deb -f "$f" Depends
	done | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g' | sort -u |
	    grep . | grep -vxF "$own" | grep -vx dkms
}

# All that the packages depend on is there: installing them needs no network.
make_base() {
	local list
	list=$(needs)
	[ "$list" != "$(cat "$base/complete" 2>/dev/null)" ] || return 0
	rm -rf "$base"
	mkdir -p "$base"
	debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,udev,procps,\
tpm2-tools,jq \
	    "$suite" "$base/root" $mirror/debian >"$base/log" 2>&1 || {
		tail -5 "$base/log"
		return 1
	}
	echo "deb $mirror/debian-security $suite-security main" \
	    >>"$base/root/etc/apt/sources.list"
	{ chroot "$base/root" apt-get update &&
	    chroot "$base/root" apt-get -y dist-upgrade &&
	    DEBIAN_FRONTEND=noninteractive chroot "$base/root" apt-get -y \
		--no-install-recommends install $list &&
	    chroot "$base/root" apt-get clean; } >>"$base/log" 2>&1 || return 1
	rm -f "$base/root/usr/sbin/policy-rc.d"
	echo "$list" >"$base/complete"
}

# boot: systemd runs in $root; init is its process here.  The container has no
# machine manager, so that this works on hosts without systemd.
boot() {
	SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -q --register=no \
	    --keep-unit --system-call-filter="$landlock" -D "$root" --boot --console=pipe --bind-ro "$T/debs:/debs" \
	    >"$T/console" 2>&1 </dev/null &
	guard=$!
	wait_for 30 first_process || return 1
	wait_for 180 booted
}
first_process() { init=$(pgrep -P "$guard" | head -1) && [ -n "$init" ]; }
booted() { within systemctl is-system-running | grep -qE 'running|degraded'; }
within() { # COMMAND...: in the container
	nsenter -t "$init" -m -u -i -n -p -C env -i \
	    PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}
power_off() {
	[ -n "$init" ] || return 0
	kill -s RTMIN+4 "$init" # systemd's signal for poweroff.target
	wait_for 120 gone "$guard"
	wait "$guard"
	init=
}
gone() { ! kill -0 "$1" 2>/dev/null; }
cleanup() {
	power_off
	rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# newer IN OUT: the same package, as version 0.1+1.
newer() {
	local d=$T/repack v
	rm -rf "$d"
	dpkg-deb -R "$1" "$d"
	v=$(sed -n 's/^Version: //p' "$d/DEBIAN/control")
	sed -i "s/^Version: .*/&+1/; s/(= $v)/(= $v+1)/g" "$d/DEBIAN/control"
	dpkg-deb -b "$d" "$2" >/dev/null
}

# --- guests ---------------------------------------------------------------------

# A client reads and writes without a pause, and stops at the first failure.
make_client() {
	cat >"$root/usr/local/bin/client" <<-'END'
	#!/bin/sh
	export TPM2TOOLS_TCTI=tpmfront:local=/run/vtpm/$1.tpmif
	tpm2_nvdefine 0x1500001 -C o -s 8 >/dev/null || exit 1
	n=0
	while tpm2_getrandom --hex 8 >/dev/null &&
	    printf %08d $n | tpm2_nvwrite 0x1500001 -C o -i -; do
		n=$((n + 1))
		echo $n >/var/client-$1
	done
	END
	chmod 755 "$root/usr/local/bin/client"
}
start_client() { within systemd-run -q --unit "client-$1" \
    /usr/local/bin/client "$1"; }
clients_run() { within systemctl is-active client-web1 client-web2; }
count() { cat "$root/var/client-$1" 2>/dev/null; }
served_since() { [ "0$(count web1)" -gt "$(($1 + 2))" ]; }
check_goes_on() { # TEXT: both clients run, and the first got answers since
	local n
	n=$(count web1)
	if wait_for 20 served_since "${n:-0}" && clients_run >/dev/null; then
		ok "$1"
	else
		not_ok "$1"
		within journalctl -n 20 --no-pager | sed 's/^/#   /'
	fi
}
ctl() { within vtpmctl "$@"; }
show() { ctl show --json "$1" | jq -r "$2"; }
pids() { echo "$(show web1 .worker.pid) $(show web2 .worker.pid)"; }
active() { within systemctl is-active "$1"; }
manager_pid() { within systemctl show -P MainPID vtpm-managerd; }
pcr16() { within env TPM2TOOLS_TCTI="tpmfront:local=/run/vtpm/$1.tpmif" \
    tpm2_pcrread sha256:16 | sed -n 's/.*0x//p'; }
exposure() { within systemd-analyze security --no-pager "$1" |
    sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p'; }

# --- the test -------------------------------------------------------------------

[ -n "${SKIP_BUILD:-}" ] || B=$B tests/packages/build.sh || exit 1
make_base || { not_ok "a clean Debian ($suite)"; exit 1; }
cp -a "$base/root" "$root"
mkdir -p "$T/debs/new"
for f in "$B"/deb/*.deb; do
	case $f in *-dbgsym_* | *-dkms_*) continue ;; esac
	cp "$f" "$T/debs"
	newer "$f" "$T/debs/new/$(basename "$f")"
done
make_client
check "a clean Debian ($suite) boots with systemd" boot || exit 1

check "the packages install" within sh -c 'dpkg -i /debs/*.deb'
check "the manager runs" wait_for 60 active vtpm-managerd
metrics() { # the container has no curl
	within timeout 20 bash -c 'exec 3<>/dev/tcp/127.0.0.1/9739 &&
	    printf "GET /metrics HTTP/1.0\r\n\r\n" >&3 && cat <&3' 2>&1
}
check "no TCP port is open unasked" eval '! metrics'
check "metrics on loopback TCP, if wanted" eval 'within systemctl start \
    vtpm-metrics-tcp.socket && metrics | grep -qx "vtpm_ready 1"'
for u in vtpm-managerd vtpm-guests vtpm-workers vtpm-metrics-tcp; do
	same "$u is active" active "$(active $u)"
	e=$(exposure $u)
	if awk "BEGIN { exit !(${e:-9} <= 2.0) }"; then
		ok "$u: exposure $e"
	else
		not_ok "$u: exposure ${e:-unknown}, more than 2.0"
	fi
done
same "it says what it does" "Serving /run/vtpm" \
    "$(within systemctl show -P StatusText vtpm-managerd)"
same "sockets can be reached, by those who may" "755 root 660 vtpm" \
    "$(within stat -c '%a %G' /run/vtpm /run/vtpm/control.sock | xargs)"
check "the shipped settings are valid" within vtpm-managerd --check-config \
    --config /etc/vtpm/vtpm-managerd.conf
within systemctl stop vtpm-metrics-tcp.socket vtpm-metrics-tcp
check "two vTPMs" eval 'for g in web1 web2; do ctl create $g && ctl start $g ||
    exit; done'
same "workers have cgroups of their own" "$(show web1 .uuid)" \
    "$(within sed -n 's|.*/vtpm-workers.service/||p' \
	"/proc/$(show web1 .worker.pid)/cgroup")"
check "swtpm_setup and swtpm give a machine one" within sh -c \
    'mkdir /tmp/m && cd /tmp/m && swtpm_setup --tpm2 --tpm-state . --vmid \
    web3:6f2a3b8e-1d43-4a77-9a2e-0c5b7d91e303 && swtpm socket --tpm2 \
    --tpmstate dir=. --ctrl type=unixio,path=c --daemon &&
    swtpm_ioctl --unix c -i && swtpm_ioctl --unix c -s'
check "which is the manager's" ctl destroy --force web3
for g in web1 web2; do start_client $g; done
check_goes_on "clients read and write"
was=$(pids)
manager=$(manager_pid)

check "the manager restarts" within systemctl restart vtpm-managerd
check_goes_on "no command failed"
same "by the same workers" "$was" "$(pids)"
check "the packages are upgraded" within sh -c 'dpkg -i /debs/new/*.deb'
check_goes_on "no command failed"
same "by the same workers" "$was" "$(pids)"
check "by another manager" test "$(manager_pid)" -ne "$manager"
check "SIGKILL ends the manager" within systemctl kill -s KILL \
    --kill-who=main vtpm-managerd
check "systemd restarts it" wait_for 30 eval 'ctl list | grep -q web1'
check_goes_on "no command failed"
same "by the same workers" "$was" "$(pids)"
same "the old manager left no process behind" "1" \
    "$(within pgrep -c vtpm-hwtpm)"

within systemctl stop client-web2 # a ring is for one program at a time
check "PCR 16 is extended" within env \
    TPM2TOOLS_TCTI=tpmfront:local=/run/vtpm/web2.tpmif tpm2_pcrextend \
    "16:sha256=$(printf '%064d' 1)"
ek=$(show web1 .ek_rsa.name)
power_off
check "the host boots again" boot
check "what ran is running" wait_for 60 eval \
    '[ "$(show web1 .state) $(show web2 .state)" = "running running" ]'
same "with its keys" "$ek" "$(show web1 .ek_rsa.name)"
same "power cycled" "$(printf '%064d' 0)" "$(pcr16 web2)"
same "not capped" "false false" \
    "$(show web1 .worker.capped) $(show web2 .worker.capped)"
check "the shutdown stopped them in order" eval 'ctl audit --json |
    jq -e "[.[] | select(.action == \"stop-all\")] | last |
	.detail | test(\"2 stopped, the manager ends\")"'

check "the packages are removed" within sh -c \
    'dpkg -r vtpm-swtpm vtpm-manager-xen vtpm-manager'
check "no process is left" eval '! within pgrep "^vtpm-"'
check "the packages are purged" within sh -c \
    'dpkg -P $(dpkg-query -f "\${Package} " -W "vtpm*" "libvtpm*" \
    "libtss2-tcti-tpmfront0")'
same "what stays is the state, for the operator" "/var/lib/vtpm" \
    "$(within sh -c 'ls -d /etc/vtpm /run/vtpm /var/lib/vtpm \
	/lib/systemd/system/vtpm* /usr/libexec/vtpm /etc/libvirt/hooks' \
	2>/dev/null)"
same "no unit failed" "" "$(within systemctl --failed --plain --no-legend)"
[ $bad -eq 0 ]
