#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# attacks.sh - tests/attacks with every other integration test.
cd "$(dirname "$0")/../attacks" || exit 1
for a in *.sh; do
	"./$a" || echo "not ok - $a ended with $?"
done
