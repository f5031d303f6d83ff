#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# runfolder.sh - what was deleted in the run folder while no manager ran: a
# vTPM's sockets come back, and a worker that nothing can find again ends.
. "$(dirname "$0")/lib.sh"
need jq tpm2_getrandom

start_manager --pool 0 || exit 1
ctl create alice >/dev/null
ctl start alice >/dev/null
pid=$(worker_pid alice)
same "no guest is attached: it is not in use" false \
    "$(jctl list | jq '.[0].in_use')"
check "list says so" eval 'ctl list | grep -q "^alice .*idle"'
stop_manager
rm "$RUN/alice.tpmif" "$RUN/alice.swtpm"
start_manager --pool 0
same "the same worker runs" "$pid" "$(worker_pid alice)"
check "its sockets are there again" \
    test -S "$RUN/alice.tpmif" -a -S "$RUN/alice.swtpm"
check "and it answers at them" t2 alice tpm2_getrandom --hex 8

# One at a time: the other socket must not be touched.
stop_manager
rm "$RUN/alice.swtpm"
inode=$(stat -c %i "$RUN/alice.tpmif")
start_manager --pool 0
check "one socket comes back" wait_for 5 test -S "$RUN/alice.swtpm"
same "the other stays" "$inode" "$(stat -c %i "$RUN/alice.tpmif")"

# A client holds its TPM through the loss of the manager and of the folder.
mkfifo "$T/hold"
"$B/tests/ringcmd" --hold "$RUN/alice.tpmif" <"$T/hold" >"$T/held" 2>&1 &
PIDS+=($!)
exec 8>"$T/hold"
wait_for 5 grep -q open "$T/held"
check "a client is attached: it is in use" \
    eval 'jctl list | jq -e ".[0].in_use"'
check "list says running" eval 'ctl list | grep -q "^alice .*running"'
stop_manager KILL
sleep 7
check "without a manager the worker waits for one" alive "$pid"
rm -rf "$RUN/w"
sleep 12
check "nothing can find it, but its guest uses it: it stays" alive "$pid"
exec 8>&-
check "it ends when its guest has gone" wait_for 15 gone "$pid"
check "and says why" grep -aq 'its socket was deleted, so that no manager' "$LOG"
