#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# attacks.sh - tests/attacks with every other integration test.
exec "$(dirname "$0")/../attacks/run.sh"
