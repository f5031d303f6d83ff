#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# updates.sh - a few of the simulated updates of make check-updates.
exec "$(dirname "$0")/../boot/updates.sh" "${N:-40}"
