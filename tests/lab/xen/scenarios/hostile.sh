# SPDX-License-Identifier: BSD-3-Clause
# hostile - two guests at once: one that breaks every rule of the protocol
# (XEN_HOSTILE=N times each, 100), and one that works.
LIMIT=600
n=$(sed -n 's/.*vtpm.hostile=\([0-9]*\).*/\1/p' /proc/cmdline)
n=${n:-100}
start_manager
check "two vTPMs are provisioned" eval 'ctl create good && ctl create bad'
must "the honest guest works" guest good "$(uuid_of good)" vtpm.do=hold,0,/dev/tpm0
check "its first rounds are done" wait_for 90 eval \
    '[ "$(rounds good)" -ge 20 ]'
mean() { console good | sed -n 's/^@N .*mean \([0-9]*\) us/\1/p'; }
alone=$(mean | tail -n 2 | sort -n | head -1)
n0=$(mean | wc -l)
m0=$(rss $MPID) x0=$(rss "$(pidof vtpm-xenback)")
must "the hostile guest starts" guest bad "$(uuid_of bad)" \
    vtpm.hostile="$n"
check "it does all that it can" wait_for $((60 + n / 2)) says bad '^@HOSTILE end'
console bad | sed -n 's/^@HOSTILE/# hostile:/p'
for m in reopen lies fuzz flip storm; do
	check "$m is survived" says bad "^@HOSTILE $m done"
done
same "no change of the back half's state went unnoticed" "" \
    "$(console bad | grep '^@HOSTILE.* missed [1-9]')"
check "and afterwards its own TPM serves it again" \
    says bad '^@HOSTILE honest done'
beside=$(mean | tail -n +$((n0 + 1)) | sort -n | awk '{ v[NR] = $1 }
    END { print v[int((NR + 1) / 2)] }')
m1=$(rss $MPID) x1=$(rss "$(pidof vtpm-xenback)")
echo "# a command of the honest guest: $alone us alone, ${beside:-?} us" \
    "beside (factor $(awk "BEGIN { printf \"%.1f\", ${beside:-0} / $alone }"))"
echo "# memory in KiB, before and after: manager $m0 $m1, xenback $x0 $x1"
check "the manager's memory is bounded" [ "$m1" -lt $((m0 + 512)) ]
check "xenback's, too" [ "$x1" -lt $((x0 + 128)) ]
check "the honest guest continues" goes_on good
same "each of its results is right" "" \
    "$(console good | grep -E '^@(ERR|LOST|CAPPED)')"
check "it was not slowed down beyond its share of the processors" \
    [ "${beside:-0}" -lt $((alone * 8)) ]
same "same manager" "$MPID" "$(pidof vtpm-managerd)"
