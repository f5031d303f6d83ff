# SPDX-License-Identifier: BSD-3-Clause
# deeppart.sh - sourced by bench.sh: deep quotes on a host's TPM that is as slow
# as a physical one (tests/lab/tcti-slow.c: 200 ms a signature).
#
# DEEP: numbers of guests; the last one is the largest.  Real vTPMs, a real
# manager, swtpm behind the slow module.
DEEP=${DEEP:-1 16 256 1024}
DEEP_RATE=${DEEP_RATE:-1000} # asked for a second, where latency is measured
DEEP_SECS=${DEEP_SECS:-8}

deep_manager() { # MILLISECONDS A SIGNATURE, LINES OF CONFIGURATION...
	local sign=$1
	shift
	printf '%s\n' "$@" >"$T/deep.conf"
	TCTI_SLOW="sign=$sign nv=$((sign / 4)) other=$((sign / 10))" \
	    start_manager --pool 0 --config "$T/deep.conf" \
	    --root slow:swtpm:path="$T/deephost" || die "no manager on a TPM"
}
deep_fleet() { # N
	tpm deephost
	deep_manager 0
	seq "$1" | xargs -P "$(nproc)" -I{} sh -c "'$B/vtpmctl' --run '$RUN' \
	    create deep{} >/dev/null && '$B/vtpmctl' --run '$RUN' start deep{} \
	    >/dev/null" || die "the fleet is not made"
	stop_manager
}
deep_run() { # WORDS N RATE
	local r per p50 p99 most late
	r=$("$B/tests/deepbench" "$RUN" deep "$2" "$DEEP_SECS" $3) ||
	    die "deepbench failed"
	echo "$1 $r" >>"$out/deep.txt"
	read -r _ _ per p50 p99 _ _ most _ _ late <<<"$r"
	row "deep quotes, $2 vTPMs, $1" "$per" - /s
	row "  p50, at most $most under one quote" "$p50" - ms
	row "  p99 (bench itself late: $late ms)" "$p99" - ms
}
# A few ask again and again.  Of many each asks once, all at the same moment;
# a guest that waits for 50 s gets an error, so more than that
# cannot be seen.
deep_single() { # N
	local r per p50 p99 failed how=once secs=120
	[ "$1" -gt 16 ] || how='' secs=$DEEP_SECS
	r=$("$B/tests/deepbench" "$RUN" deep "$1" "$secs" $how) ||
	    die "deepbench failed"
	echo "single $r" >>"$out/deep.txt"
	read -r _ _ per p50 p99 _ _ _ _ failed _ <<<"$r"
	row "deep quotes, $1 vTPMs, one by one" "$per" - /s
	row "  p50" "$p50" - ms
	row "  p99 ($failed were given up)" "$p99" - ms
}
deep() {
	local n most=0
	end_all
	STATE=$T/deepstate
	mkdir -p "$STATE"
	export LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
	: >"$out/deep.txt"
	for n in $DEEP; do most=$n; done
	deep_fleet "$most"
	deep_manager 200
	for n in $DEEP; do deep_run "batched" "$n" ""; done
	deep_run "at $DEEP_RATE/s" "$most" "$DEEP_RATE"
	stop_manager
	deep_manager 200 "deep_batch_max = 1" "deep_wait_ms = 600000"
	for n in $DEEP; do deep_single "$n"; done
	end_all
	STATE=$T/state
}
