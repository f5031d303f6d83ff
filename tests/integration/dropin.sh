#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# dropin.sh - the programs by swtpm's names: the command lines of those who call
# them, against a real manager and without one; stock clients; what goes wrong.
. "$(dirname "$0")/lib.sh"
need jq swtpm_ioctl tpm2_getrandom python3
ours=$B/swtpm-dropin
client=$top/tests/integration/dropin_client.py
export VTPM_RUN=$RUN
export VTPM_SWTPM_CONF=$T/swtpm.conf
unset VTPM_SWTPM VTPM_GROUP XDG_RUNTIME_DIR
n=0 uuid=''
# next: a folder D with a UUID of its own, and a path P for a socket.
next() {
	n=$((n + 1)) D=$T/d$n P=$T/p$n.sock
	uuid=$(printf '6f2a3b8e-1d43-4a77-9a2e-%012d' $n)
	mkdir -p "$D"
}
setup() { "$ours/swtpm_setup" "$@"; }
# run ARGS...: swtpm socket, which must end by itself.
run() { timeout 20 "$ours/swtpm" socket "$@"; }
# sock ARGS...: swtpm socket in the background, its pid in SP.
sock() {
	"$ours/swtpm" socket "$@" >"$T/sock.out" 2>&1 </dev/null &
	SP=$!
	PIDS+=("$SP")
}
up() { wait_for 2 test -S "${1:-$P}"; }
ask() { swtpm_ioctl --unix "$P" "$@"; }
state() { jctl show "$uuid" | jq -r .state; }
ended() { wait_for 10 gone "$SP"; }
fds() { ls "/proc/$1/fd" | wc -l; }
few() { [ "$(fds "$SP")" -le "$before" ]; }
dev() { swtpm_ioctl --tcp "127.0.0.1:$port" "$@"; }

check "a manager" start_manager --pool 2 || exit 1

# --- who calls them, and how --------------------------------------------------------
# consumer | arguments of swtpm_setup (none: it is not called) | of swtpm socket
vol=$T/vol
port=$((20000 + $$ % 20000))
calls() {
	cat <<-'END'
	libvirt 9 | --tpm2 --tpm-state D --vmid web:U --logfile D/setup.log --createek --create-ek-cert --create-platform-cert --lock-nvram --not-overwrite | --ctrl type=unixio,path=P,mode=0600 --tpmstate dir=D,mode=0600 --log file=D/log --terminate --tpm2
	libvirt, TPM 1.2 | --tpm-state D --vmid old:U --logfile D/setup.log --createek --create-ek-cert --create-platform-cert --lock-nvram --not-overwrite | --ctrl type=unixio,path=P,mode=0600 --tpmstate dir=D,mode=0600 --log file=D/log --terminate
	libvirt 9, encrypted | --tpm2 --pwdfile-fd 7 --cipher aes-256-cbc --tpm-state D --vmid enc:U --logfile D/setup.log --createek --create-ek-cert --create-platform-cert --lock-nvram --not-overwrite | --ctrl type=unixio,path=P,mode=0600 --tpmstate dir=D,mode=0600 --log file=D/log --terminate --tpm2 --key pwdfd=7,mode=aes-256-cbc --migration-key pwdfd=8,mode=aes-256-cbc
	libvirt 11 | --tpm2 --tpm-state D --vmid new:U --logfile D/setup.log --createek --create-ek-cert --create-platform-cert --lock-nvram --not-overwrite --pcr-banks sha256 | --ctrl type=unixio,path=P,mode=0600 --tpmstate dir=D,mode=0600 --log file=D/log,level=1 --pid file=D/pid --daemon --terminate --tpm2
	Proxmox | --tpmstate file://V --createek --create-ek-cert --create-platform-cert --lock-nvram --config /etc/swtpm_setup.conf --runas 0 --not-overwrite --tpm2 --ecc | --tpmstate backend-uri=file://V,mode=0600 --ctrl type=unixio,path=P,mode=0600 --pid file=D/pid --terminate --daemon --log file=D/log,level=1 --tpm2
	incus | | --tpm2 --tpmstate dir=D --ctrl type=unixio,path=swtpm-web.sock
	Cloud Hypervisor | | --tpmstate dir=D --ctrl type=unixio,path=P --flags startup-clear --tpm2
	lima | | --tpm2 --tpmstate dir=D --ctrl type=unixio,path=P --terminate
	systemd-vmspawn | --tpm-state D --tpm2 --pcr-banks sha256 --ecc --createek --create-ek-cert --create-platform-cert --lock-nvram --not-overwrite | --tpm2 --tpmstate dir=D --ctrl type=unixio,fd=3
	END
}
fill() { echo "$1" | sed "s|\<D\>|$D|g; s|\<P\>|$P|g; s|\<U\>|$uuid|g; s|\<V\>|$vol|g"; }
calls >"$T/calls"
truncate -s 4M "$vol"
while IFS='|' read -r who first then; do
	who=${who% }
	next
	case $who in incus) P=$D/swtpm-web.sock ;; esac
	if [ -n "${first# }" ]; then
		# shellcheck disable=SC2046 # a command line
		check "$who: swtpm_setup" setup $(fill "$first") 7< <(echo key)
	fi
	pid=
	# shellcheck disable=SC2046
	case $who in
	incus) pushd "$D" >/dev/null; sock $(fill "$then"); popd >/dev/null ;;
	*vmspawn)
		"$client" listen "$P" "$ours/swtpm" socket $(fill "$then") \
		    >"$T/sock.out" 2>&1 </dev/null &
		SP=$!
		PIDS+=("$SP") ;;
	*) sock $(fill "$then") 7< <(echo key) 8< <(echo key) ;;
	esac
	check "$who: its socket is there within 2 s" up
	case $then in *--daemon*)
		check "$who: the daemon's parent ends" ended
		pid=$(cat "$D/pid")
		SP=$pid ;;
	esac
	check "$who: the TPM is powered on" ask -i
	check "$who: it is powered off, and swtpm ends" eval 'ask -s && ended'
	uuid=$(sed -n 's/^uuid //p' "$D/vtpm.link" "$vol" 2>/dev/null | tr -d '\0' | head -1)
	same "$who: the vTPM has stopped" stopped "$(state)"
	case $who in
	*vmspawn) rm -f "$P" ;;
	*) check "$who: its socket is removed" [ ! -e "$P" ] ;;
	esac
	case $pid in ?*) check "$who: so is its pid file" [ ! -e "$D/pid" ] ;; esac
done <"$T/calls"
same "a vTPM has the name of its machine" web \
    "$(jctl show 6f2a3b8e-1d43-4a77-9a2e-000000000001 | jq -r .name)"
check "the log names options without meaning" grep -q 'seals every state' "$T/d3/log"

next
sock --tpm2 --server port=$port --ctrl type=tcp,port=$((port + 1)) \
    --flags not-need-init --tpmstate "dir=$D" --seccomp action=none
port=$((port + 1))
check "tpm2-tools' tests: TCP" wait_for 5 dev -c
check "by our swtpm_ioctl" "$ours/swtpm_ioctl" --tcp "localhost:$port" -c
export TPM2TOOLS_TCTI=swtpm:host=127.0.0.1,port=$((port - 1))
check "tpm2-tools' tests: startup and a key" eval \
    'dev -i && tpm2_startup -c && tpm2_createprimary -Q'
check "tpm2-tools' tests: SIGTERM ends it" eval 'kill $SP; ended'
refuse "a TPM is not served to the network" 'not served to the network' \
    run --tpm2 --tpmstate "dir=$D" --ctrl type=tcp,port=$port,bindaddr=0.0.0.0

# --- capabilities ----------------------------------------------------------------
has() { # PROGRAM FEATURE...
	local p=$1 f
	shift
	for f; do
		$p --print-capabilities | jq -e --arg f "$f" \
		    '.features | index($f)' || return 1
	done
}
check "swtpm's capabilities" has "$ours/swtpm socket --tpm2" tpm-2.0 \
    tpm-1.2 flags-opt-startup cmdarg-pwd-fd nvram-backend-file
check "swtpm_setup's capabilities" has "$ours/swtpm_setup --tpm2" \
    tpm-2.0 cmdarg-pwdfile-fd cmdarg-reconfigure-pcr-banks
for kind in cuse chardev; do
	refuse "swtpm $kind" 'no device nodes' "$ours/swtpm" $kind --tpm2 \
	    --tpmstate "dir=$D" --vtpm-proxy
done

# --- swtpm_setup -------------------------------------------------------------------
next
again=(--tpm2 --tpm-state "$D" --vmid "again:$uuid")
check "a vTPM" setup "${again[@]}" --write-ek-cert-files "$D" --create-spk
check "its EK certificates as files" openssl x509 -noout -in "$D/ek-rsa2048.crt"
ek() { jctl show "$uuid" | jq -r .ek_rsa.name; }
first=$(ek)
check "once more: --not-overwrite" setup "${again[@]}" --not-overwrite
refuse "once more without it" 'not-overwrite accepts' setup "${again[@]}"
refuse "--overwrite" 'vtpmctl destroy' setup "${again[@]}" --overwrite
check "--reconfigure" setup --tpm2 --tpm-state "$D" --reconfigure \
    --pcr-banks sha1,sha256
sock --tpm2 --tpmstate "dir=$D" --ctrl "type=unixio,path=$P"
check "it is started up" eval 'up && "$client" data "$P"'
banks() { jctl show "$uuid" | jq -r '.banks | join(",")'; }
check "it has these banks" wait_for 10 eval '[ "$(banks)" = sha1,sha256 ]'
check "SIGTERM ends it" eval 'kill $SP; ended'
# libvirt's undefine removes the folder, and define comes with the same UUID.
rm "$D/vtpm.link"
check "its folder is lost, its UUID comes again" setup "${again[@]}"
same "that is the same TPM" "$first" "$(ek)"
check "the vTPM is destroyed" ctl destroy again
refuse "its folder gets no other one" 'no other takes its place' \
    run --tpm2 --tpmstate "dir=$D" --ctrl "type=unixio,path=$P"
mkdir "$T/foreign" && touch "$T/foreign/tpm2-00.permall"
refuse "nor does that of another swtpm" 'another swtpm' \
    setup --tpm2 --tpm-state "$T/foreign"

# --- tpm2-tss's TCTI, and what happens under it ------------------------------------
next
serve=(--tpm2 --tpmstate "dir=$D" --server "type=unixio,path=$P"
    --ctrl "type=unixio,path=$P.ctrl" --flags not-need-init,startup-clear)
sock "${serve[@]}"
check "data and control sockets" eval 'up && up "$P.ctrl"'
export TPM2TOOLS_TCTI=swtpm:path=$P
mark=0123456789abcdef
check "tpm2-tools over them" eval 'tpm2_getrandom --hex 8 &&
    tpm2_nvdefine -Q -C o -s 16 0x1500001 &&
    echo -n $mark | tpm2_nvwrite -Q -C o -i - 0x1500001'
uuid=$(sed -n 's/^uuid //p' "$D/vtpm.link")
nv() { tpm2_nvread -C o -s 16 0x1500001; }
before=$(fds "$SP")
check "40 commands, each with connections of its own" eval \
    'for i in $(seq 40); do tpm2_pcrread -Q sha256:0 || exit 1; done'
check "leave no descriptor behind" wait_for 5 few
check "a client that leaves in the middle of a command" "$client" cut "$P"
same "the next one gets its own answer" "$mark" "$(nv)"
check "the manager is killed" stop_manager KILL
same "the TPM answers" "$mark" "$(nv)"
check "a new manager" start_manager --pool 0
same "the TPM still answers" "$mark" "$(nv)"
refuse "two swtpm in one folder" 'another (swtpm uses|process listens)' \
    run "${serve[@]}"
refuse "and elsewhere" 'another swtpm uses' run --tpm2 \
    --tpmstate "dir=$D" --ctrl "type=unixio,path=$T/other"
check "which leaves no socket" [ ! -e "$T/other" ]
check "it is killed" slay "$SP"
check "and is gone" ended
sock "${serve[@]}"
check "another one begins where it was" wait_for 5 tpm2_getrandom --hex 8
same "with the same state" "$mark" "$(nv)"
check "SIGTERM ends it" eval 'kill $SP; ended'
same "and the vTPM" stopped "$(state)"
check "its sockets are removed" [ ! -e "$P" -a ! -e "$P.ctrl" ]

# --- swtpm_ioctl ---------------------------------------------------------------------
# Each command of swtpm_ioctl: what both programs print on a stock TPM is the same;
# on ours both say the same, too.
both() { # SOCKET ARGS...
	local at=$1 stock own
	shift
	stock=$(swtpm_ioctl --unix "$at" "$@" 2>&1; echo "exit $?")
	own=$("$ours/swtpm_ioctl" --unix "$at" "$@" 2>&1; echo "exit $?")
	same "swtpm_ioctl $* (${at##*/})" "$stock" "${own#swtpm_ioctl: }"
}
every() { # SOCKET
	local at=$1
	both "$at" -c
	both "$at" -i
	for o in -e -g "-b 0" "-l 0" "-l 7" -C "-r 1" "--info 1" "--info 7"; do
		# shellcheck disable=SC2086 # a command line
		[ "$o" = "-l 7" ] || both "$at" $o
	done
	refuse "swtpm_ioctl -l 7 (${at##*/})" . "$ours/swtpm_ioctl" --unix "$at" -l 7
	for o in permanent volatile; do
		check "swtpm_ioctl --save $o (${at##*/})" \
		    "$ours/swtpm_ioctl" --unix "$at" --save $o "$T/$o"
	done
	both "$at" --stop
	for o in permanent volatile; do
		check "swtpm_ioctl --load $o (${at##*/})" \
		    "$ours/swtpm_ioctl" --unix "$at" --load $o "$T/$o"
	done
	check "swtpm_ioctl -i (${at##*/})" "$ours/swtpm_ioctl" --unix "$at" -i
}
check "a stock TPM" tpm stock
every "$T/stock.ctrl"
both "$T/stock.ctrl" -h data
check "swtpm_ioctl -h -" eval 'seq 3000 | "$ours/swtpm_ioctl" --unix "$T/stock.ctrl" -h -'
check "swtpm_ioctl -v" "$ours/swtpm_ioctl" --unix "$T/stock.ctrl" -v
check "swtpm_ioctl -s" "$ours/swtpm_ioctl" --unix "$T/stock.ctrl" -s
check "ends it" wait_for 10 gone "$SWTPM_PID"
next
P=$T/own.ctrl
sock --tpm2 --tpmstate "dir=$D" --ctrl "type=unixio,path=$P"
check "our own" up
every "$P"
both "$P" -v
refuse "a state that is none" 'PTM_SET_STATEBLOB|INIT' eval \
    'head -c 600000 /dev/urandom | head -c 5000 >"$T/junk" &&
    "$ours/swtpm_ioctl" --unix "$P" --stop &&
    "$ours/swtpm_ioctl" --unix "$P" --load permanent "$T/junk" &&
    "$ours/swtpm_ioctl" --unix "$P" -i'
check "-s" "$ours/swtpm_ioctl" --unix "$P" -s
check "ends it" ended
refuse "--tcp over the network" '127.0.0.0/8' "$ours/swtpm_ioctl" --tcp 192.0.2.1:6546 -c
refuse "a device" 'device nodes' "$ours/swtpm_ioctl" -c /dev/tpm0
refuse "nothing" 'a command is missing|No such file' "$ours/swtpm_ioctl" --unix "$P"

# --- what must not be --------------------------------------------------------------
next
args=(--tpm2 --tpmstate "dir=$D" --ctrl "type=unixio,path=$P")
ln -s "$T/target" "$P"
refuse "a symbolic link as socket" 'not a socket' run "${args[@]}"
check "is left alone" [ -L "$P" ]
rm "$P" && echo precious >"$P"
refuse "a file as socket" 'not a socket' run "${args[@]}"
same "is left alone" precious "$(cat "$P")"
rm "$P"
refuse "a symbolic link as log" 'symbolic links' run "${args[@]}" \
    --log "file=$(ln -s "$T/target" "$T/log" && echo "$T/log")"
refuse "a symbolic link as record" 'symbolic links' run --tpm2 --tpmstate \
    "dir=$(mkdir "$T/ln" && ln -s "$D/vtpm.link" "$T/ln/vtpm.link" && echo "$T/ln")" \
    --ctrl "type=unixio,path=$P"
huge=$(printf '%70000s' '' | tr ' ' x)
for o in "--ctrl=type=unixio,path=$huge" "--ctrl=$huge" "--tpmstate=dir=$huge" \
    "--flags=$huge" "--log=file=$huge" "--pid=fd=$huge" --ctrl=type=unixio \
    --ctrl=type=unixio,path= --ctrl=type=unixio,fd=2 --ctrl=type=unixio,fd=-1 \
    "--ctrl=type=unixio,path=$P,mode=999" "--ctrl=type=unixio,path=$P,path=$P" \
    --ctrl=type=carrier-pigeon --tpmstate=mode=0600 "--no-such-option=1"; do
	refuse "swtpm ${o:0:40}" '.' run "${args[@]}" "$o"
done
if [ "$(id -u)" = 0 ]; then
	cp "$T/d1/vtpm.link" "$D/vtpm.link"
	chown nobody "$D/vtpm.link"
	refuse "a folder that names another user's vTPM" 'not one of uid' run "${args[@]}"
	rm "$D/vtpm.link"
fi
sock "${args[@]}"
check "a socket" up
check "which answers" ask -i
uuid=$(sed -n 's/^uuid //p' "$D/vtpm.link")
before=$(fds "$SP")
check "clients that send garbage" "$client" garbage "$P"
check "clients that pass too many descriptors" "$client" surplus "$P"
check "clients that connect and stay silent" "$client" silent "$P"
check "it still answers" wait_for 10 ask -c
check "no descriptor is left" wait_for 5 few
check "a data connection that is passed works" "$client" data "$P"
check "without --terminate its end is not that of swtpm" ask -c
check "SIGTERM ends it" eval 'kill $SP; ended'
sock "${args[@]}" --terminate
check "--terminate" eval 'up && ask -c && ask -i && ask -c'
check "ends it with the data connection" eval '"$client" data "$P" && ended'
same "and the vTPM" stopped "$(state)"
sock --tpm2 --tpmstate "dir=$D" --ctrl "type=unixio,path=$P,terminate"
check "--ctrl ...,terminate: with any client" eval 'up && ask -c && ended'

# --- settings, and a user that administers one group ---------------------------------
next
for line in 'manager = somebody' 'group' 'color = red' 'run ='; do
	echo "$line" >"$T/swtpm.conf"
	refuse "settings: $line" 'swtpm.conf:1: no setting' \
	    setup --tpm2 --tpm-state "$D"
done
rm "$T/swtpm.conf"
next
tenant() {
	printf 'control_group = daemon\nsocket_group = daemon\npool = 0\n' >"$T/conf"
	openssl ecparam -name prime256v1 -genkey -noout -out "$T/vms.pem"
	openssl pkey -in "$T/vms.pem" -pubout -out "$T/vms.pub"
	stop_manager
	chmod 755 "$RUN"
	start_manager --config "$T/conf" &&
	    ctl group create vms --key "$T/vms.pub" &&
	    ctl group sign --key "$T/vms.pem" --number 1 --sequence 1 \
		--pcrs sha256:0-7 --admin daemon -o "$T/vms.1" &&
	    ctl group update vms --config "$T/vms.1"
}
daemon() { timeout 20 setpriv --reuid daemon --regid daemon --clear-groups "$@"; }
if [ "$(id -u)" = 0 ]; then
	check "a group that the user daemon administers" tenant
	printf '# for virtual machines\nrun = %s\ngroup = vms\nmanager = host\n' \
	    "$RUN" >"$T/swtpm.conf"
	chown daemon "$D"
	P=$D/sock
	check "daemon makes a TPM there" daemon "$ours/swtpm_setup" --tpm2 \
	    --tpm-state "$D" --vmid "theirs:$uuid"
	same "of that group" "vms $(id -u daemon)" \
	    "$(jctl show theirs | jq -r '"\(.group_name) \(.owner)"')"
	check "and starts it" daemon "$ours/swtpm" socket --tpm2 --daemon \
	    --tpmstate "dir=$D" --ctrl "type=unixio,path=$P" --pid "file=$D/pid"
	SP=$(cat "$D/pid")
	check "daemon's client uses it" daemon "$client" data "$P"
	check "and ends it" eval 'daemon "$ours/swtpm_ioctl" --unix "$P" -s && ended'
	next
	chown daemon "$D"
	check "a name that is another group's" daemon "$ours/swtpm_setup" --tpm2 \
	    --tpm-state "$D" --vmid "web:$uuid"
	same "becomes another one" "swtpm-$uuid" "$(jctl show "$uuid" | jq -r .name)"
	next
	chown daemon "$D"
	sed "s/^uuid .*/uuid $(jctl show web | jq -r .uuid)/" "$T/d1/vtpm.link" \
	    >"$D/vtpm.link"
	chown daemon "$D/vtpm.link"
	refuse "not one of another group" 'no vTPM .* for this user' daemon \
	    "$ours/swtpm" socket --tpm2 --tpmstate "dir=$D" --ctrl "type=unixio,path=$D/sock"
	rm "$T/swtpm.conf"
fi

# --- without a manager -------------------------------------------------------------
stop_all
MPID=
export VTPM_RUN=$T/none
next
check "without a manager: swtpm_setup" setup --tpm2 --tpmstate "$D" \
    --createek --create-ek-cert --vmid "alone:$uuid"
same "has its own" private "$(sed -n 's/^manager //p' "$D/vtpm.link")"
check "which has ended" [ ! -e "/run/vtpm-$uuid" -a ! -e "/tmp/vtpm-$uuid" ]
alone() {
	sock --tpm2 --tpmstate "dir=$D" --server "type=unixio,path=$P" \
	    --ctrl "type=unixio,path=$P.ctrl" --flags startup-clear \
	    --log "file=$D/log"
}
alone
export TPM2TOOLS_TCTI=swtpm:path=$P
check "its socket is there within 2 s" up
check "without a manager: tpm2-tools" eval 'tpm2_nvdefine -Q -C o -s 16 0x1500001 &&
    echo -n $mark | tpm2_nvwrite -Q -C o -i - 0x1500001'
check "it is killed" eval 'slay $SP; ended'
alone
check "another one takes over" wait_for 10 tpm2_getrandom --hex 8
same "with the same state" "$mark" "$(nv)"
check "SIGTERM ends it" eval 'kill $SP; ended'
alone
same "the state is in the folder" "$mark" "$(wait_for 5 up "$P.ctrl"; nv)"
check "SIGTERM ends it" eval 'kill $SP; ended'
check "and its manager" wait_for 10 [ ! -e "/run/vtpm-$uuid" -a ! -e "/tmp/vtpm-$uuid" ]
