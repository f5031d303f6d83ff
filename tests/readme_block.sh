# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# readme_block.sh - sourced: what README.md says to type.
#
#   readme_blocks DIR     each indented block as a file of DIR: 1, 2, 3 ...
#   readme_block FIRST    the one that begins with FIRST
readme_file=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/README.md

readme_blocks() {
	awk -v to="$1/" '/^    / { n += !in_; in_ = 1; sub(/^    /, "")
	    print >(to n); next } !/^$/ { in_ = 0 }' "$readme_file"
}
readme_block() {
	awk -v first="$1" '/^    / { sub(/^    /, "")
	    if (!in_) { in_ = 1; is = index($0, first) == 1 }
	    if (is) print; next } !/^$/ { in_ = 0 }' "$readme_file"
}
