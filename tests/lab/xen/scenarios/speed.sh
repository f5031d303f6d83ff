# SPDX-License-Identifier: BSD-3-Clause
# speed - PCR_Extend, one after the other, in guests that differ in their front
# half only; everything is emulated here, so ratios are what counts.  Not
# among the scenarios that run by default.
LIMIT=600
N=${N:-300}
start_manager
VCPUS=2 MAXVCPUS=2 MEM=300
: >/tmp/speed
# One front half: its words, then the guest's kernel arguments.
speed() {
	local what=$1 name=$2
	shift 2
	check "$what: a vTPM is provisioned" ctl create "$name"
	check "$what: a guest starts" guest "$name" "$(uuid_of "$name")" \
	    vtpm.do=speed,$N,/dev/tpm0 "$@"
	check "$what: $N extends are done" wait_for 240 says "$name" \
	    "^@SPEED $N " || console "$name" | tail -8 | sed 's/^/# /'
	console "$name" | sed -n "s/^@SPEED $N /$name $N /p" >>/tmp/speed
	xl destroy "$name"
}
speed "stock xen-tpmfront" stock
speed "tpmfrontd" tpmfrontd vtpm.front=tpmfrontd
speed "our module" module vtpm.front=module
speed "our module, spin_us=0" module-asleep vtpm.front=module vtpm.spin=0
awk 'BEGIN { printf "# %-16s %12s %8s %8s %8s\n", "front half",
	"extends/s", "p50 us", "p99 us", "ratio" }
    NR == 1 { base = $4 }
    { printf "# %-16s %12d %8d %8d %8.1f\n", $1, $4, $6, $8, $4 / base
      rate[$1] = $4 }
    END { exit !(rate["module"] > rate["stock"]) }' /tmp/speed
same "our module is faster than the stock driver" 0 $?
