# doc/LIMITS.md out of `vtpmctl --json status --limits` of a manager with
# default settings; tests/integration/limits.sh compares it with the file.
"# Limits\n",
"Everything that a guest, a group or a caller can use up, by process, with the",
"default settings. `vtpmctl status --limits` shows the values in force. Made by",
"`vtpmctl --json status --limits | jq -r -f doc/limits.jq`.",
(.processes[] |
	"\n## \(.process)\n",
	"| what | per | limit | at the limit |",
	"|---|---|---|---|",
	(.limits[] | "| \(.name) | \(.per) | " +
	    (if .limit == null then "none" else "\(.limit) \(.unit)" end) +
	    " | \(.at_limit) |"))
