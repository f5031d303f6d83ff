#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# grafana.sh - the dashboard names metrics and labels that there are, and shows
# each metric that counts.
. "$(dirname "$0")/lib.sh"
need jq curl
dash=$top/tools/grafana/vtpm.json
cd "$T" || exit 1
start_manager --pool 0 && ctl create a >/dev/null && ctl start a >/dev/null ||
    exit 1
curl -sS --max-time 20 --unix-socket "$RUN/metrics.sock" http://m/metrics \
    >text
check "the dashboard is JSON" jq -e .title "$dash"
same "its panels have numbers of their own, none lies over another" "" "$(jq -r '
    [.panels[] | select(.type != "row")] as $p | [.panels[].id] as $i |
    ($i | length) - ($i | unique | length), ($p[] | . as $a | $p[] |
    select(.id > $a.id and .gridPos.y == $a.gridPos.y and
	.gridPos.x < $a.gridPos.x + $a.gridPos.w and
	$a.gridPos.x < .gridPos.x + .gridPos.w) | .title)' "$dash" |
    grep -vx 0)"
# Series that there are: a histogram has three.
sed -n 's/^# TYPE \([a-z_]*\) histogram$/\1_bucket\n\1_sum\n\1_count/p
    s/^# TYPE \([a-z_]*\) \(counter\|gauge\)$/\1/p' text | sort >series
jq -r '.. | .expr?, .definition? | strings' "$dash" >exprs
grep -oE 'vtpm_[a-z_]+' exprs | sort -u >named
check "it names metrics ($(wc -l <named))" test "$(wc -l <named)" -gt 40
same "each of them is one" "" "$(comm -23 named series | xargs)"
same "and it shows all but few" "vtpm_guest_worker_losses_total \
vtpm_guest_worker_start_time_seconds vtpm_host_tpm_group_requests_total \
vtpm_start_time_seconds vtpm_store_commit_duration_seconds_sum" \
    "$(comm -13 named series | xargs)"
# The parts of an expression {label="x"}, by (label), {{label}}.
labels() { grep -oE '[a-z]+="' text | tr -d '="' | sort -u; echo instance; }
same "each label is one" "" "$({ grep -oE '[a-z]+ ?=~?"' exprs | tr -d ' =~"'
    grep -oE 'by \([a-z, ]+\)' exprs | sed 's/by (\(.*\))/\1/; s/, /\n/'
    jq -r '.. | .legendFormat? | strings' "$dash" | grep -oE '\{\{[a-z]+' |
	tr -d '{'; } | sort -u | comm -23 - <(labels | sort -u) | xargs)"
check "brackets match in each expression" awk '{ n = 0
    for (i = 1; i <= length; i++) { c = substr($0, i, 1)
	n += index("([{", c) > 0; n -= index(")]}", c) > 0
	if (n < 0) exit 1 }
    if (n) exit 1 }' exprs
same "a label that a metric lacks is not asked of it" "" "$(grep -vE \
    '^label_values' exprs | grep -oE 'vtpm_[a-z_]+\{[^}]*guest=' |
    grep -v vtpm_guest_ | xargs)"
