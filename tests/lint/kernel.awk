# SPDX-License-Identifier: BSD-3-Clause
# kernel.awk - what of the kernel's coding style can be told line by line.
function say(text) {
	printf "kernel: %s:%d: %s\n", FILENAME, FNR, text
	bad = 1
}
# Columns; a tab goes to the next multiple of eight.
function width(s,    n, i) {
	n = 0
	for (i = 1; i <= length(s); i++)
		n = substr(s, i, 1) == "\t" ? n + 8 - n % 8 : n + 1
	return n
}
FNR == 1 { was = "x"; comment = 0 }
/[ \t]$/ { say("white space at the end of the line") }
/ \t/ { say("a space before a tab") }
/^        / { say("spaces where a tab belongs") }
$0 == "" && was == "" { say("two empty lines") }
$0 == "" && was == "{" { say("an empty line after {") }
$0 ~ /^[ \t]*\}$/ && was == "" { say("an empty line before }") }
# Strings are not broken, so that a message can be searched for.
width($0) > 80 && !/^[ \t]*"/ { say(width($0) " columns") }
/^[ \t]*\/\*/ { comment = 1 }
comment { if (/\*\//) comment = 0; was = $0; next }
/^ / { say("a line starts with a space") }
/(^|[^_[:alnum:]])(if|for|while|switch)\(/ { say("no space after a keyword") }
/^[a-z].*\)[ \t]*\{$/ { say("a function's brace needs a separate line") }
/^[ \t]+\{$/ { say("a brace alone on its line") }
/^[ \t]*else/ && was ~ /\}$/ { say("else belongs after }") }
/\)\{/ { say("no space before {") }
/^[^"]*\/\// && FNR > 1 { say("a // comment") }
/(^|[^_[:alnum:]])typedef / { say("a typedef") }
/\([ \t]/ || /[^ \t][ \t]+\)/ { say("a space inside parentheses") }
/[a-z]\* [a-z_]/ { say("the * belongs to the name") }
/[=!]= *NULL/ { say("a comparison with NULL") }
/,[^ \t"'\\]/ && !/"/ { say("no space after a comma") }
/(^|[^_[:alnum:]])(printk|BUG|BUG_ON|strcpy|sprintf|volatile|msleep\([0-9]\))/ {
	say("not in a driver")
}
{ was = $0 }
END { exit bad }
