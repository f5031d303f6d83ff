#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tampering.sh - a sample of the tamperings of doc/TAMPERING.md.
exec "$(dirname "$0")/../boot/tampering.sh" "${N:-20}"
