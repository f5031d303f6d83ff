/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * messages.h - the list of every message, for the tests and the fuzz target.
 *
 * MESSAGES(X) expands X(NAME) for each.
 *
 * To add a message: its struct and table in a proto/ folder; its name at the
 * end of this list, since the first byte of a stored fuzz input is the place in
 * it; a sample in tests/unit/message_samples.h; the last line of
 * `test_messages --vectors` in tests/vectors/messages; make formats.
 */
#ifndef TESTS_MESSAGES_H
#define TESTS_MESSAGES_H

#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/proto/hwtpm_msg.h"
#include "vtpm_manager/proto/xenback_msg.h"

/* clang-format off */
#define MESSAGES(X) \
	X(zspawn) X(zspawned) X(zexited) \
	X(wprovision) X(wprovisioned) X(wcerts) X(wload) X(wopen) X(wkeep) \
	X(wxen) X(wpage) X(wlaunch) X(wquery) X(wanswer) X(wstored) X(wmanager) \
	X(wdone) X(whello) X(wstore) X(wevent) X(wdeep) X(wdeeped) X(wakcert) \
	X(wfacts) X(wbanks) \
	X(hw_init) X(hw_inited) X(hw_load) X(hw_loaded) X(hw_approvals) \
	X(hw_certs) X(hw_certed) X(hw_status) X(hw_pcrs) X(hw_counter) \
	X(hw_bind) X(hw_bound) X(hw_identity) X(hw_activate) X(hw_ak) \
	X(hw_aked) X(hw_quote) X(hw_quoted) X(hw_quota) X(hw_usage) \
	X(hw_answer) X(xb_dev) X(xb_answer) X(xb_opened) X(wstats)
/* clang-format on */

#endif
