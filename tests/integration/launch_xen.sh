#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# launch_xen.sh - vtpmctl launch xen, without Xen: what was measured is what
# xl gets, and a launch is for one domain only.  Who stands for xl, xenback
# and xenwait writes down what it got; the real ones are in tests/lab/xen.
. "$(dirname "$0")/lib.sh"
need jq tpm2_pcrread sha256sum xxd

export FX=$T/xl XBCMD_DIR=$T/xb
mkdir -p "$FX" "$XBCMD_DIR"
mkfifo "$XBCMD_DIR/in"
: >"$XBCMD_DIR/out"
export VTPM_XL=$top/tests/integration/fakexl
export VTPM_XENBACK=$B/tests/xbcmd
export VTPM_XENWAIT=$T/xenwait
# Ends when the test says why: the file end.ID.
cat >"$T/xenwait" <<'W'
#!/bin/bash
until [ -s "$FX/end.$1" ]; do
	[ -d "$FX" ] || exit 1
	sleep 0.05
done
cat "$FX/end.$1"
W
chmod +x "$T/xenwait"
conf=$T/vtpm.conf
printf 'xen = on\npool = 0\n' >"$conf"
start_manager --config "$conf" || { not_ok "the manager starts"; exit 1; }
ctl create g1 >/dev/null && ctl create g2 --tpm 1.2 >/dev/null
u1=$(jctl show g1 | jq -r .uuid)
u2=$(jctl show g2 | jq -r .uuid)
head -c 5000 /dev/urandom >"$T/kernel"
head -c 3000 /dev/urandom >"$T/initrd"
cfg() { # FILE UUID LINES...: a guest's configuration
	local f=$1 u=$2
	shift 2
	{
		echo 'name = "web"'
		echo 'type = "pv"'
		echo "kernel = \"$T/kernel\""
		echo "ramdisk = \"$T/initrd\""
		echo 'extra = "root=/dev/xvda1 quiet"'
		echo 'memory = 300'
		[ -z "$u" ] || echo "vtpm = [ \"backend=0,uuid=$u\" ]"
		printf '%s\n' "$@"
	} >"$f"
}
cfg "$T/web.cfg" "$u1"
launch() { ctl launch xen "$@"; }
hash() { sha256sum <"$1" | cut -d' ' -f1; }
loaded() { sed -n "s/^$1 //p" "$FX/loaded"; }
state() { cat "$FX/state.$(cat "$FX/domid")"; }
extend() { printf '%s%s' "$1" "$2" | xxd -r -p | sha256sum | cut -d' ' -f1; }
ctl_pcr() { jctl log "$1" --pcrs | jq -r ".$2[\"$3\"]"; }
# The TPM starts when its guest's first command comes: here a program's.
touch_tpm() {
	wait_for 20 t2 "$1" tpm2_pcrread sha256:0
	wait_for 20 idle "$1" # until the manager knows that it let go
}
idle() { ! jctl show "$1" | jq -e .worker.channel_open; }
zero=$(printf '%064d' 0)
sep=$(printf '\0\0\0\0' | sha256sum | cut -d' ' -f1)
xb() { # WORDS: what xenback would tell
	local n
	n=$(wc -l <"$XBCMD_DIR/out")
	echo "$*" >"$XBCMD_DIR/in"
	case $1 in gone) sleep 0.3; return ;; esac
	wait_for 20 eval "[ \$(wc -l <'$XBCMD_DIR/out') -gt $n ]"
	tail -1 "$XBCMD_DIR/out"
}
end_guest() { # WHY: the domain ends
	echo "$1" >"$FX/end.$(cat "$FX/domid")"
}

# --- refusals ----------------------------------------------------------------
refuse "no configuration" 'CFG .*is missing' launch
refuse "an option of xl's that is not KEY=VALUE" 'unknown option -c' \
    launch "$T/web.cfg" -c
refuse "a word that is not KEY=VALUE" 'not KEY=VALUE' launch "$T/web.cfg" word
refuse "a file that is not there" 'no.cfg' launch "$T/no.cfg"
refuse "a boot loader in dom0" 'bootloader= cannot be measured' \
    launch "$T/web.cfg" 'bootloader="pygrub"'
refuse "no kernel" 'no kernel=' launch "$T/web.cfg" 'kernel=""'
refuse "a kernel that is not there" 'nothing' \
    launch "$T/web.cfg" "kernel=\"$T/nothing\""
cfg "$T/no.cfg" ""
refuse "a guest without vtpm=" 'cannot be recorded' launch "$T/no.cfg"
refuse "and if one is demanded" '--require-vtpm demands' \
    launch --or-plain --require-vtpm "$T/no.cfg"
cfg "$T/ghost.cfg" 12345678-1234-4123-8123-123456789abc
refuse "an unknown vTPM" 'no vTPM has uuid 12345678' \
    launch "$T/ghost.cfg"
same "nothing was created for any of them" "" \
    "$(grep '^create' "$FX/log" | grep -v -- ' -n ')"
echo '{ "device_tree": "/x" }' >"$FX/lie"
echo 0 >"$FX/asked"
refuse "an xl that would load something else" 'not load just what was' \
    launch "$T/web.cfg"
rm "$FX/lie"
check "a dry run measures" launch --dry-run "$T/web.cfg"
same "and starts nothing" "" "$(ls "$FX" | grep '^dom\.')"
check "a guest without vtpm= may be xl's alone" launch --or-plain "$T/no.cfg"
same "it runs" running "$(state)"

# --- a launch -------------------------------------------------------------------
# Tampering between measurement and load: the files change under their names.
cat >"$FX/evil" <<'V'
case " $* " in *" -p "*)
	cp "$T/kernel" "$T/kernel.good"
	echo evil >"$T/kernel"
	echo evil >"$T/initrd" ;;
esac
V
export T
kernel=$(hash "$T/kernel")
initrd=$(hash "$T/initrd")
cp "$T/initrd" "$T/initrd.good"
check "a guest is launched measured" launch "$T/web.cfg"
rm "$FX/evil"
same "its files were exchanged meanwhile" evil "$(cat "$T/kernel")"
same "xl loaded the measured kernel" "$kernel" "$(loaded kernel)"
same "and the measured initrd" "$initrd" "$(loaded ramdisk)"
mv "$T/kernel.good" "$T/kernel"
mv "$T/initrd.good" "$T/initrd"
same "it was created paused, and runs now" running "$(state)"
check "with xl leaving it to us" grep -q '^create -q -p -e /proc/self/fd/' \
    "$FX/log"
check "the launch is recorded" sh -c "'$B/vtpmctl' --run '$RUN' --json \
    show g1 | jq -e .launched"
touch_tpm g1
same "PCR 9 is the initrd" "$(extend "$zero" "$initrd")" \
    "$(ctl_pcr g1 sha256 9)"
same "PCR 4 is the kernel and a separator" \
    "$(extend "$(extend "$zero" "$kernel")" "$sep")" "$(ctl_pcr g1 sha256 4)"
same "PCR 8 is the command line" "$(extend "$zero" "$(printf %s \
    'root=/dev/xvda1 quiet' | sha256sum | cut -d' ' -f1)")" \
    "$(ctl_pcr g1 sha256 8)"
rec=$(jctl log g1 | jq -r '.[]|select(.pcr==17).digests.sha256')
same "PCR 17 is the launch record" "$(extend "$zero" "$rec")" \
    "$(ctl_pcr g1 sha256 17)"
conf_of() { launch --dry-run --json "$@" | jq -r .config; }
p1=$(ctl_pcr g1 sha256 1)
digest=$(conf_of "$T/web.cfg" | head -c -1 | sha256sum | cut -d' ' -f1)
same "PCR 1 is the configuration and a separator" \
    "$(extend "$(extend "$zero" "$(printf %s "$digest" | xxd -r -p |
	sha256sum | cut -d' ' -f1)")" "$sep")" "$p1"
all() { jctl log g1 --pcrs | jq -c '.sha256 | del(.["17"])'; }
pcrs=$(all)
first=$(cat "$FX/domid")
refuse "a second launch while it runs" 'has its vTPM|in use|refused|failed' \
    launch "$T/web.cfg"
same "does not disturb it" running "$(cat "$FX/state.$first")"

# --- a reboot is a new launch ---------------------------------------------------
echo reboot >"$FX/end.$first"
check "after a reboot it runs again" wait_for 60 eval \
    '[ "$(cat "$FX/domid")" -gt '"$first"' ] && [ "$(state)" = running ] &&
    [ "$(grep -c unpause "$FX/log")" = 2 ]'
touch_tpm g1
same "with the same PCRs" "$pcrs" "$(all)"
second=$(cat "$FX/domid")

# --- a launch is for that domain -------------------------------------------------
end_guest poweroff
check "powered off, the domain is destroyed" \
    wait_for 20 eval '[ ! -e "$FX/dom.'"$second"'" ]'
sleep 1
same "and not started again" "$second" "$(cat "$FX/domid")"
check "plain xl create with the same vTPM" "$VTPM_XL" create "$T/web.cfg"
touch_tpm g1
same "does not inherit the launch" "$zero" "$(ctl_pcr g1 sha256 9)"
refuse "nor is one told of a launch afterwards" 'already used its TPM|in use' \
    eval 'xb connect "$(cat "$FX/domid")" "$u1" >/dev/null;
    busctl --address="unix:path=$RUN/control.sock" call org.vtpm.Manager1 \
    /org/vtpm/Manager1 org.vtpm.Manager1 LaunchDomain sayu g1 0 \
    "$(cat "$FX/domid")"'
"$VTPM_XL" destroy "$(cat "$FX/domid")"
sleep 0.3
refuse "a domain that has not the vTPM cannot be launched" \
    'domain 77 does not own' \
    busctl --address="unix:path=$RUN/control.sock" call org.vtpm.Manager1 \
    /org/vtpm/Manager1 org.vtpm.Manager1 LaunchDomain sayu g1 0 77

# --- libxl waits ten seconds, a worker's start may take longer -----------------------
# The zygote is held, so nothing starts until it goes on.
ctl stop g1 >/dev/null 2>&1
zygote=$(pgrep -P "$MPID" vtpm-zygote)
kill -STOP "$zygote"
same "a domain is created while its TPM still starts" "ok " \
    "$(xb device 501 "$u1")"
n=$(wc -l <"$XBCMD_DIR/out")
echo "connect 501 $u1" >"$XBCMD_DIR/in"
sleep 1
same "its front half waits" "$n" "$(wc -l <"$XBCMD_DIR/out")"
kill -CONT "$zygote"
check "until the TPM has started" wait_for 20 eval \
    "[ \$(wc -l <'$XBCMD_DIR/out') -gt $n ]"
xb gone 501 "$u1"
ctl stop g1 >/dev/null 2>&1
kill -STOP "$zygote"
launch "$T/web.cfg" >"$T/late.out" 2>&1 &
late=$!
check "a launch creates the domain" wait_for 30 eval \
    '[ "$(state 2>/dev/null)" = paused ]'
sleep 0.5
same "and waits with it" paused "$(state)"
kill -CONT "$zygote"
check "and is measured" wait "$late"
touch_tpm g1
same "with the same PCRs as ever" "$pcrs" "$(all)"
end_guest poweroff
wait_for 20 eval '[ ! -e "$FX/dom.$(cat "$FX/domid")" ]'
sleep 0.3

# --- what differs -----------------------------------------------------------------
next() { # ARGS: launch, PCRs, end
	launch "$T/web.cfg" "$@" >"$T/next.out" 2>&1 || {
		sed 's/^/# /' "$T/next.out" >&2
		return 1
	}
	touch_tpm g1
	all
	end_guest poweroff
	wait_for 20 eval '[ ! -e "$FX/dom.$(cat "$FX/domid")" ]'
	sleep 0.3
}
differs() { # PCRS: which of them are not those of the good boot
	jq -rn --argjson a "$pcrs" --argjson b "${1:-\"none\"}" \
	    '[$a|keys[]|select($a[.] != $b[.])]|join(" ")'
}
same "the same again is the same" "" "$(differs "$(next)")"
same "one word more changes PCR 8 alone" 8 \
    "$(differs "$(next 'extra="root=/dev/xvda1 quiet single"')")"
same "another memory size changes PCR 1 alone" 1 \
    "$(differs "$(next 'memory=301')")"
echo x >>"$T/initrd"
same "another initrd changes PCR 9 alone" 9 "$(differs "$(next)")"

# --- more events than the worker may tell at once -------------------------------------
for i in $(seq 24); do t2 g1 tpm2_pcrread sha256:0 >/dev/null; done
check "a channel that came and went too often does not stay in use" \
    launch "$T/web.cfg"
end_guest poweroff
wait_for 20 eval '[ ! -e "$FX/dom.$(cat "$FX/domid")" ]'

# --- a TPM 1.2 ---------------------------------------------------------------------
cfg "$T/two.cfg" "$u2"
sed -i 's/"web"/"two"/' "$T/two.cfg"
check "a TPM 1.2 guest is launched" launch "$T/two.cfg"
# TPM_ORD_PcrRead of PCR 9, as a guest's driver sends it.
answer=$("$B/tests/ringcmd" "$RUN/g2.tpmif" 00c10000000e0000001500000009)
same "its TPM answers a TPM 1.2 command" 00c40000001e00000000 "${answer:0:20}"
same "PCR 9 is the initrd" "$(printf '%040d%s' 0 \
    "$(sha1sum <"$T/initrd" | cut -d' ' -f1)" | xxd -r -p | sha1sum |
    cut -d' ' -f1)" "${answer:20}"
# Every PCR is what the host-made log gives, event by event.
bad=0
for n in $(seq 0 23); do
	got=$("$B/tests/ringcmd" "$RUN/g2.tpmif" \
	    "00c10000000e00000015$(printf %08x "$n")")
	want=$(printf %040d 0)
	for d in $(jctl log g2 |
	    jq -r ".[]|select(.pcr==$n)|.digests.sha1 // empty"); do
		want=$(printf '%s%s' "$want" "$d" | xxd -r -p | sha1sum |
		    cut -d' ' -f1)
	done
	[ "${got:20}" = "$want" ] || { bad=$((bad + 1))
		echo "# PCR $n: ${got:20}, the log gives $want"; }
done
same "all 24 PCRs are what the log gives" 0 $bad
same "its record is in the log" 1 \
    "$(jctl log g2 | jq '[.[]|select(.pcr==17)]|length')"
before=$(cat "$FX/domid")
end_guest poweroff
wait_for 20 eval '[ ! -e "$FX/dom.'"$before"'" ]'

# --- the manager in a separate domain: by its console ----------------------------------
mkdir "$T/bin"
cat >"$T/bin/vtpmctl" <<W
#!/bin/bash
shift 2
exec "$B/vtpmctl" --run "$RUN" "\${@//\/tmp\/in/$T/in}"
W
chmod +x "$T/bin/vtpmctl"
cat >"$T/domain" <<W
PATH=$T/bin:\$PATH
finish() { exit 0; }
echo "vtpmmgr: some words of before"
. <(sed 's|/tmp/in|$T/in|g' "$top/tools/domain/console")
W
background "$B/tests/ptycmd" "$T/tty" bash "$T/domain"
wait_for 10 test -s "$T/tty"
sed 's/backend=0/backend=vtpmmgr/' "$T/web.cfg" >"$T/remote.cfg"
export VTPM_CONSOLE=$(cat "$T/tty")
remote() { VTPM_RUN=$T/nowhere "$B/vtpmctl" launch xen "$@"; }
check "a launch by the console of the manager's domain" \
    remote "$T/remote.cfg"
touch_tpm g1
same "PCR 9 is the initrd" "$(extend "$zero" "$(hash "$T/initrd")")" \
    "$(ctl_pcr g1 sha256 9)"
end_guest poweroff
wait_for 20 eval '[ ! -e "$FX/dom.$(cat "$FX/domid")" ]'
long=$(printf 'word%04d ' $(seq 400))
check "a record longer than a terminal's line" remote "$T/remote.cfg" \
    "extra=\"${long% }\""
touch_tpm g1
same "PCR 8 is that command line" "$(extend "$zero" "$(printf %s "${long% }" |
    sha256sum | cut -d' ' -f1)")" "$(ctl_pcr g1 sha256 8)"
end_guest poweroff
wait_for 20 eval '[ ! -e "$FX/dom.$(cat "$FX/domid")" ]'
refuse "a vTPM that this manager has not" 'no vTPM has uuid' remote \
    "$T/remote.cfg" "vtpm = [ \"backend=vtpmmgr,uuid=12345678-1234-4123-8123-123456789abc\" ]"
jctl log g1 | jq -r '.[]|select(.pcr==17).data' | xxd -r -p |
    tail -c +9 >"$T/rec"
refuse "a launch for a domain that has not the vTPM" 'does not own this vTPM' \
    sh -c "printf '%s' \"\$(base64 -w0 '$T/rec')\" >'$T/in2'; \
    '$B/vtpmctl' --run '$RUN' launch record g1 --domid 99 --in '$T/in2'"
echo nonsense >"$T/in2"
refuse "what is no record" 'not a launch record' \
    ctl launch record g1 --domid 99 --in "$T/in2"
unset VTPM_CONSOLE

# --- the hook for those who call xl themselves -----------------------------------------
hook() { VTPMCTL=$B/vtpmctl VTPM_RUN=$RUN sh "$top/tools/hooks/xl" "$@"; }
check "xl create by the hook" hook create -q "$T/web.cfg" 'memory=310'
touch_tpm g1
same "is a measured launch" "$(extend "$zero" "$(hash "$T/initrd")")" \
    "$(ctl_pcr g1 sha256 9)"
end_guest poweroff
wait_for 20 eval '[ ! -e "$FX/dom.$(cat "$FX/domid")" ]'
refuse "an option that it cannot keep" 'not possible for a measured guest' \
    hook create -p "$T/web.cfg"
check "everything else is xl's" hook vm-list

# --- a worker gets its page from xenback, and keeps no device ------------------------
opened() { wc -l <"$XBCMD_DIR/opened"; }
same "a domain's device appears" "ok " "$(xb device 601 "$u1")"
n=$(opened)
same "its front half is connected" "ok " "$(xb connect 601 "$u1")"
same "by the page and the port that xenback named" "601 8 9" \
    "$(tail -n +$((n + 1)) "$XBCMD_DIR/opened")"
w=$(jctl show g1 | jq -r .worker.pid)
same "of which its worker keeps no descriptor but the port's" "" \
    "$(readlink "/proc/$w"/fd/* | grep -E 'memfd:page|/dev/xen')"
kill -9 "$w"
check "after a crash the next worker gets a new one" \
    wait_for 20 eval '[ "$(opened)" -eq '$((n + 2))' ]'
stop_manager KILL
check "the manager restarts" start_manager --config "$conf"
same "xenback reports the device again" "ok " "$(xb resumed 601 "$u1")"
same "and its connection" "ok " "$(xb connect-again 601 "$u1")"
same "which its worker has still" $((n + 2)) "$(opened)"
# xenback is slow: another worker, and a second request, wait for one page.
crash() { # the worker of g1; until the next one runs
	w=$(jctl show g1 | jq -r .worker.pid)
	kill -9 "$w"
	wait_for 20 eval '[ "$(jctl show g1 | jq -r .worker.pid)" -gt 1 ] &&
	    [ "$(jctl show g1 | jq -r .worker.pid)" != "$w" ]'
}
has_page() { grep -q memfd:page "/proc/$(jctl show g1 | jq .worker.pid)/maps"; }
echo hold >"$XBCMD_DIR/in"
check "a worker crashes while xenback opens nothing" crash
check "and once more" crash
m=$(wc -l <"$XBCMD_DIR/out")
echo "connect-again 601 $u1" >"$XBCMD_DIR/in"
sleep 1
same "a second request waits with the first" "$m" "$(wc -l <"$XBCMD_DIR/out")"
echo release >"$XBCMD_DIR/in"
check "it is answered" wait_for 20 eval '[ "$(wc -l <"$XBCMD_DIR/out")" -gt '"$m ]"
same "as connected" "ok " "$(tail -1 "$XBCMD_DIR/out")"
same "by one page, because its port can be bound once" $((n + 3)) "$(opened)"
check "which the last worker has" has_page
echo hold >"$XBCMD_DIR/in"
check "a worker crashes, and xenback while it opens its page" crash
echo quit >"$XBCMD_DIR/in"
sleep 1
same "the next xenback reports the device" "ok " "$(xb resumed 601 "$u1")"
same "and connects it" "ok " "$(xb connect-again 601 "$u1")"
same "with one more page" $((n + 4)) "$(opened)"
check "which the worker has" has_page
xb gone 601 "$u1"
check "and has no more once the device is gone" eval '! has_page'

# --- the manager's say -----------------------------------------------------------------
stop_manager TERM
printf 'xen = on\npool = 0\nxen_require_vtpm = yes\nxen_require_launch = yes\n' \
    >"$conf"
check "a manager that demands vTPMs and launches" \
    start_manager --config "$conf"
refuse "no guest without vtpm= is started" 'xen_require_vtpm is on' \
    launch --or-plain "$T/no.cfg"
check "plain xl create" "$VTPM_XL" create "$T/two.cfg"
got=$(xb connect "$(cat "$FX/domid")" "$u2")
case $got in
"no "*"not launched measured"*) ok "gets no TPM: $got" ;;
*) not_ok "gets no TPM, and it is said why: '$got'" ;;
esac
"$VTPM_XL" destroy "$(cat "$FX/domid")"
