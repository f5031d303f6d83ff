#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# metrics.sh - RUN/metrics.sock: every line is Prometheus' format, every metric
# of the table has a sample, and each number is that of another witness: the
# store's file, the TPM's wire, /proc, df, what was done here.
. "$(dirname "$0")/lib.sh"
need jq curl sqlite3 swtpm openssl perl setpriv
export LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
cd "$T" || exit 1
PY=$top/tests/integration/metrics.py
SOCK=$RUN/metrics.sock
get() { curl -sS --max-time 20 --unix-socket "$SOCK" "$@"; }
# scrape FILE: the text, and what Prometheus reads of it in FILE.read.
scrape() { get http://manager/metrics >"$1" && "$PY" show "$1" >"$1.read"; }
value() { # FILE SAMPLE
	awk -v s="$2" '$1 == s { print $2 }' "$1.read"
}
now() { scrape now && value now "$1"; }
delta() { # SAMPLE: from the scrape "before" to "after"
	awk -v s="$1" '$1 == s { v[FILENAME] = $2 }
	    END { printf "%d\n", v["after.read"] - v["before.read"] }' \
	    before.read after.read
}
# The store's file is locked: a copy is read.
sql() {
	rm -rf look && mkdir look && cp "$STATE"/store.db* look &&
	    sqlite3 look/store.db "$1"
}
# Commits that the root record counts: behind magic and version.
store_commits() {
	printf '%d\n' "0x$(sql 'select hex(substr(data,7,8)) from root')"
}
wire() { grep -c '^>' dump; } # commands that the host's TPM got

swtpm_made "$T" "$T/host.tpm" >setup || { not_ok "a host's TPM"; exit 1; }
tpm host
export TCTI_SLOW="sign=0 nv=0 other=0 dump=$T/dump"
printf 'pool = 0\nanchor = off\nreader_users = daemon\ncontrol_group = daemon
socket_group = daemon\n' >conf
chmod 711 "$RUN"
root="slow:swtpm:path=$T/host"
check "a manager" start_manager --config conf --root "$root" || exit 1

# --- the format ---------------------------------------------------------------
get -D head http://manager/metrics >text
check "the answer is HTTP's" grep -q '^HTTP/1.0 200 OK' head
check "its type is Prometheus' text" grep -qi \
    '^Content-Type: text/plain; version=0.0.4; charset=utf-8.$' head
same "its length is given" "$(sed -n 's/^Content-Length: \([0-9]*\).*/\1/p' \
    head)" "$(wc -c <text | xargs)"
check "Prometheus reads every line" "$PY" show text
status() { get -o body -w '%{http_code}' "$@"; }
same "another path is not found" 404 "$(status http://manager/)"
same "another method is not allowed" 405 "$(status -X POST http://m/metrics)"
same "what is no request is bad" 400 "$(printf 'hello\r\n\r\n' |
    timeout 20 perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(
	Peer => shift) or die; print $s <STDIN>; $s->flush;
	print scalar <$s>' "$SOCK" | cut -d' ' -f2)"
same "a request without an end is too large" 431 "$(timeout 20 \
    perl -MIO::Socket::UNIX -e '$SIG{PIPE} = "IGNORE";
	$s = IO::Socket::UNIX->new(Peer => shift) or die;
	print $s "GET /metrics HTTP/1.1\r\n", "a: b\r\n" x 2000; $s->flush;
	print scalar <$s>' "$SOCK" | cut -d' ' -f2)"

# --- counters go up by what is done, nothing else does ------------------------
scrape before
same "commands to the host's TPM: as on the wire" "$(wire)" \
    "$(value before "vtpm_host_tpm_commands_total{}")"
commits0=$(store_commits) audit0=$(sql 'select count(*) from audit')
for n in a b-1 _c.d; do ctl create "$n" >create.$n; done
refuse "a name that exists" "this name already" ctl create a
openssl ecparam -name prime256v1 -genkey -noout -out key.pem 2>/dev/null
openssl pkey -in key.pem -pubout -out key.pub 2>/dev/null
check "a group" ctl group create red --key key.pub
check "with a vTPM" ctl create r --group red
check "the host's PCRs are read" ctl host pcrs -o pcrs
scrape after
same "created: 4" 4 "$(delta "vtpm_creates_total{}")"
same "control requests: 5 create, 1 group, 1 PCRs" 7 \
    "$(delta "vtpm_control_requests_total{}")"
same "refused: 1" 1 "$(delta "vtpm_control_requests_refused_total{}")"
same "the pool had none: 4" "4 0" "$(delta "vtpm_pool_misses_total{}") $(
    delta "vtpm_pool_hits_total{}")"
requests() { delta "vtpm_host_tpm_requests_total{kind=$1}"; }
same "of the host's TPM: certificates 4, a group's key 1, PCRs 1, quotes 0" \
    "4 1 1 0" "$(requests certificates) $(requests group-key) $(
    requests pcrs) $(requests quote)"
same "audit records: as in the store's file" \
    $(($(sql 'select count(*) from audit') - audit0)) \
    "$(delta "vtpm_audit_records_total{}")"
same "commits: as in its root record" $(($(store_commits) - commits0)) \
    "$(delta "vtpm_store_commit_duration_seconds_count{}")"
same "commands to the host's TPM: as on the wire" "$(wire)" \
    "$(value after "vtpm_host_tpm_commands_total{}")"
same "vTPMs: as in the store's file" "$(sql 'select count(*) from vtpm')" \
    "$(value after "vtpm_vtpms{}")"
same "by group" "3 1" "$(value after "vtpm_group_vtpms{group=host}") $(
    value after "vtpm_group_vtpms{group=red}")"
same "sealed state of the groups: as in the store's file" \
    "$(sql 'select sum(length(data)) from blob where id % 16 = 0')" \
    "$(awk '/^vtpm_group_state_bytes/ { n += $2 } END { print n }' after.read)"
check "free space: within 64 MiB of what df says" awk -v a="$(df -B1 \
    --output=avail "$STATE" | tail -1)" -v b="$(value after \
    "vtpm_store_free_bytes{}")" 'BEGIN { d = a - b; d = d < 0 ? -d : d
    exit !(b > 0 && d < 64 * 1048576) }'
same "no counter went down" "" "$("$PY" up before after)"

# --- guests --------------------------------------------------------------------
ctl start b-1 && ctl start _c.d && ctl start r
t2 _c.d tpm2_getrandom --hex 16 >/dev/null
id=$(jctl show b-1 | jq -r .uuid) pid=$(worker_pid b-1)
g="{guest=b-1,uuid=$id}"
cpu() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' \
    "/proc/$pid/stat"; }
low=$(cpu)
scrape guests
high=$(cpu)
check "processor time of a worker: as /proc says" awk -v l="$low" -v h="$high" \
    -v v="$(value guests "vtpm_guest_worker_cpu_seconds_total$g")" \
    'BEGIN { exit !(v != "" && v >= l && v <= h) }'
check "its memory: as /proc says, within 256 KiB" awk \
    -v a="$(value guests "vtpm_guest_worker_resident_bytes$g")" \
    -v b="$(($(awk '{ print $2 }' "/proc/$pid/statm") * \
    $(getconf PAGESIZE)))" 'BEGIN { d = a - b
    exit !(a > 0 && d < 262144 && d > -262144) }'
check "its start: as ps says, within 2 s" awk \
    -v a="$(value guests "vtpm_guest_worker_start_time_seconds$g")" \
    -v b="$(($(date +%s) - $(ps -o etimes= -p "$pid")))" \
    'BEGIN { d = a - b; exit !(d < 2 && d > -2) }'
same "3 run, nothing else does" "3 0" "$(value guests \
    "vtpm_vtpms_active{state=running}") $(awk '/^vtpm_vtpms_active/ &&
    !/running/ { n += $2 } END { print n + 0 }' guests.read)"
same "each metric of the table has a sample" \
    "$(grep -oE '^	\{ "vtpm_[a-z_]+"' "$top/vtpm_manager/control/metrics.c" |
    grep -oE 'vtpm_[a-z_]+' | sort)" "$("$PY" families guests | sort)"

# --- commands: as a TCTI between guest and vTPM saw them ----------------------
id=$(jctl show _c.d | jq -r .uuid) c="{guest=_c.d,uuid=$id}"
count() { delta "vtpm_guest_$1$c"; }
seen() { # TCTI_SLOW COMMAND...: what goes over the bus into "seen"
	TCTI_SLOW="sign=0 nv=0 other=0 dump=$T/seen $1" \
	    TPM2TOOLS_TCTI="slow:$(tcti _c.d)" "${@:2}"
}
codes() { # CODE...: commands with one of these
	local re
	re=$(printf '|%08x' "$@")
	grep -cE "^> .{12}(${re#|})" seen
}
rsps() { grep -cE "^< .{12}$1" seen; }
class() { delta "vtpm_command_duration_seconds_count{class=$1}"; }
version() { sql "select version from vtpm where name = '_c.d'"; }
scrape before
v0=$(version)
for i in 1 2 3; do seen '' tpm2_getrandom --hex 8; done >/dev/null
seen '' tpm2_pcrextend 16:sha256="$(printf %064d 7)"
seen '' tpm2_pcrread sha256:16 >/dev/null
seen '' tpm2_nvdefine 0x1500001 -C o -s 8 -p good -a 'authread|authwrite' \
    >/dev/null
printf 12345678 | seen '' tpm2_nvwrite 0x1500001 -C 0x1500001 -P good -i -
seen '' tpm2_dictionarylockout -s -n 2 -t 1000 -l 1000
for i in 1 2 3 4 5; do
	seen '' tpm2_nvread 0x1500001 -C 0x1500001 -P bad >/dev/null 2>&1
done
seen '' tpm2_createprimary -C o -P bad -c o.ctx >/dev/null 2>&1
scrape after
same "commands of a guest" "$(grep -c '^>' seen)" "$(count commands_total)"
check "some, in several classes ($(codes 0x17b) random, $(codes 0x182 0x17e) \
PCRs)" [ "$(codes 0x17b)" -ge 3 -a "$(codes 0x182 0x17e)" -ge 2 ]
same "of the class random" "$(codes 0x17b)" "$(class random)"
same "of the class pcr" "$(codes 0x182 0x17e)" "$(class pcr)"
same "of the class nv" "$(codes 0x12a 0x137 0x14e 0x169)" "$(class nv)"
same "of all classes" "$(grep -c '^>' seen)" "$(for k in other startup pcr \
    random nv key sign session; do class $k; done | paste -sd+ | bc)"
same "wrong authorizations: 2 that count, 1 that no lockout guards" "2 1 3" \
    "$(rsps 0000098e) $(rsps 000009a2) $(count auth_failures_total)"
check "the lockout refused some ($(rsps 00000921))" [ "$(rsps 00000921)" -ge 1 ]
same "counted" "$(rsps 00000921)" "$(count lockouts_total)"
same "states stored: as versions in the store's file" $(($(version) - v0)) \
    "$(count stores_total)"
same "time of the commands: no more than passed" 1 "$(awk \
    '/^vtpm_command_duration_seconds_sum/ { n += $2 }
    END { print (n > 0 && n < 60) }' after.read)"
seen other=4000 tpm2_getrandom --hex 8 >/dev/null &
used() { [ "$(now "vtpm_guest_in_use$c")" = "$1" ]; }
check "while a program is attached the vTPM is in use" wait_for 20 used 1
wait $!
check "then it is not" wait_for 20 used 0
if [ "$(id -u)" -eq 0 ]; then
	scrape before
	denied() { sql "select count(*) from audit where action = 'attach' and
	    result = 'denied' and object = '_c.d'"; }
	n=$(denied)
	refuse "another user may not attach" . setpriv --reuid bin \
	    --regid daemon --clear-groups env \
	    "TPM2TOOLS_TCTI=$(tcti _c.d)" tpm2_getrandom --hex 8
	scrape after
	same "refused attaches: as in the audit log" $(($(denied) - n)) \
	    "$(count attaches_refused_total)"
	check "at least one" [ "$(denied)" -gt "$n" ]
fi
total() { awk '/^vtpm_command_duration_seconds_count/ { n += $2 }
    END { print n }' "$1.read"; }
scrape before
t2 _c.d tpm2_getrandom --hex 8 >/dev/null
t2 _c.d tpm2_getrandom --hex 8 >/dev/null
n=$(jctl show _c.d | jq .worker.info.commands)
ctl stop _c.d >/dev/null
scrape after
same "what a guest did before it stopped is not lost" \
    $((n - $(value before "vtpm_guest_commands_total$c"))) \
    $(($(total after) - $(total before)))

# --- losses ---------------------------------------------------------------------
scrape guests
lost="vtpm_guest_worker_losses_total$g"
same "no worker was lost" "0 0" "$(value guests "$lost") $(value guests \
    "vtpm_worker_losses_total{}")"
slay "$pid"
replaced() { [ "$(now "$lost")" = 1 ]; }
check "one that is killed is" wait_for 30 replaced
same "of all" 1 "$(now "vtpm_worker_losses_total{}")"
slay "$(hwtpm_pid)"
restarted() { [ "$(now "vtpm_hwtpm_restarts_total{}")" = 1 ]; }
check "vtpm-hwtpm's restart is counted" wait_for 60 restarted
scrape later
same "no counter went down, but those that begin with vtpm-hwtpm" "" \
    "$("$PY" up guests later | grep -vE \
    '^vtpm_host_tpm_(commands|retries|failures|group_[a-z]+|group_[a-z]+_seconds)_total|worker_cpu')"
ctl stop r
same "a vTPM that is stopped is no guest" "" \
    "$(scrape now && grep 'guest=r,' now.read)"

# --- who may read ----------------------------------------------------------------
if [ "$(id -u)" -eq 0 ]; then
	as() { setpriv --reuid "$1" --regid "$2" --clear-groups "${@:3}"; }
	same "the socket's mode and group" "660 daemon" \
	    "$(stat -c '%a %G' "$SOCK")"
	check "a reader may" as daemon daemon curl -sS -o /dev/null --max-time 20 \
	    --unix-socket "$SOCK" http://m/metrics
	scrape before
	refuse "a user without a role may not" "curl: " as bin daemon \
	    curl -sS --max-time 20 --unix-socket "$SOCK" http://m/metrics
	scrape after
	same "which is counted" 1 \
	    "$(delta "vtpm_control_connections_refused_total{}")"
	stop_manager
	printf 'metrics_group = sys\n' >>conf
	check "a manager with a group for metrics" start_manager --config conf \
	    --root "$root"
	same "which the socket has" sys "$(stat -c %G "$SOCK")"
	check "a member may" as bin sys curl -sS -o /dev/null --max-time 20 \
	    --unix-socket "$SOCK" http://m/metrics
	refuse "and may nothing else" "closed the connection|denied" as bin sys \
	    "$B/vtpmctl" --run "$RUN" status
	# As vtpm-metrics-tcp.socket and its service do it.
	port=$((20000 + $$ % 10000))
	setpriv --reuid bin --regid sys --clear-groups \
	    systemd-socket-activate -l "127.0.0.1:$port" \
	    /lib/systemd/systemd-socket-proxyd "$SOCK" 2>proxy.log &
	PIDS+=($!)
	wait_for 20 grep -q Listening proxy.log
	check "over loopback TCP, by systemd-socket-proxyd" eval \
	    'curl -sS --max-time 20 "http://127.0.0.1:$port/metrics" >tcp &&
	    "$PY" show tcp | grep -qx "vtpm_ready{} 1"'
	kill $!
	cat >ask.pl <<-'P'
	use IO::Socket::UNIX;
	$SIG{PIPE} = "IGNORE";
	for (1 .. 60) {
		my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or next;
		print $s "GET /metrics HTTP/1.0\r\n\r\n";
		$s->flush;
		$n++ if defined <$s>;
	}
	print 0 + $n, "\n";
	P
	n=$(as bin sys perl ask.pl "$SOCK")
	check "of 60 requests without a pause some are refused, not all ($n)" \
	    [ "${n:-0}" -ge 10 -a "${n:-60}" -lt 60 ]
	check "the administrator is not" scrape now
	# Four silent connections of one user are all that it gets.
	setpriv --reuid bin --regid sys --clear-groups perl -MIO::Socket::UNIX \
	    -e '@s = map { IO::Socket::UNIX->new(Peer => $ARGV[0]) } 1..6;
		$| = 1; print "open\n"; sleep 60' "$SOCK" >held &
	PIDS+=($!)
	wait_for 20 grep -q open held
	full() { as bin sys curl -sS --max-time 20 --unix-socket "$SOCK" \
	    http://m/metrics 2>&1 | grep -q '^curl: '; }
	check "a user has few connections" full
	check "the administrator has another" scrape now
	check "silent ones end after their time" wait_for 20 eval '! full'
else
	echo "skip - only root can be several users"
fi
# --- a new manager -----------------------------------------------------------------
t2 b-1 tpm2_getrandom --hex 8 >/dev/null
scrape before
stop_manager
t2 b-1 tpm2_getrandom --hex 8 >/dev/null
check "another manager" start_manager --config conf --root "$root"
scrape after
check "a worker that it finds goes on counting" [ "$(value after \
    "vtpm_guest_commands_total$g")" -gt "$(value before \
    "vtpm_guest_commands_total$g")" ]
t2 b-1 tpm2_getrandom --hex 8 >/dev/null
scrape later
same "the sums begin again, with what is done from then on" "0 $((
    $(value later "vtpm_guest_commands_total$g") -
    $(value after "vtpm_guest_commands_total$g")))" \
    "$(total after) $(total later)"
stop_manager
echo 'metrics = no' >>conf
check "a manager without metrics" start_manager --config conf --root "$root"
check "has no socket for them" test ! -e "$SOCK"
