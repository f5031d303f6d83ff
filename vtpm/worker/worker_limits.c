/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_limits.c - the table of what one guest can use up in its worker.
 */
#include "vtpm/worker/worker_limits.h"

#include "base/util.h"
#include "measure/log/journal.h"
#include "tpmback/chan.h"
#include "tpmback/local_queue.h"
#include "tpmback/swtpm/chan.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm/state/state.h"
#include "vtpm/worker/worker_clients.h"

_Static_assert(WORKER_CHANNELS == CHAN_XEN, "one slot for each enum wchan");

/* clang-format off */
static const struct limit_row rows[] = {
	{ "channels", "guest", "channels", WORKER_CHANNELS,
	    "another channel of the same kind is refused" },
	{ "commands in hand", "channel", "commands", 1,
	    "the next one is read once this one is answered" },
	{ "command or response", "guest", "bytes", CHAN_CMD_MAX,
	    "a longer command is answered TPM_RC_COMMAND_SIZE" },
	{ "buffer size that the TPM advertises", "guest", "bytes",
	    WORKER_BUFFER, "a larger one is not granted" },
	{ "one busy channel's turn", "guest", "microseconds", WORKER_SPIN_US,
	    "the guest's other channels and the manager get theirs" },
	{ "wait of a command for the store", "guest", "milliseconds",
	    WORKER_HOLD_MS, "the command is answered TPM_RC_NV_UNAVAILABLE" },
	{ "sealed state", "guest", "bytes", STATE_MAX_LEN,
	    "the command fails and the TPM enters failure mode" },
	{ "extend journal", "guest", "records", JOURNAL_MAX,
	    "further extends are kept as one running value per PCR" },
	{ "quotes remembered for deep quotes", "guest", "quotes", QUOTES_MAX,
	    "the oldest is forgotten; a deep quote of it is refused" },
	{ "deep quotes in hand", "guest", "quotes", WORKER_DEEP_TICKETS,
	    "a finished one gives way; all pending: TPM_RC_MEMORY" },
	{ "deep quote's answer", "guest", "bytes", WDEEP_ANSWER_MAX,
	    "a longer one is not accepted from the manager" },
	{ "certificate", "guest", "bytes", CERT_MAX_LEN,
	    "a longer one is not accepted from the manager" },
	{ "events at once", "guest", "events", WORKER_EVENT_BURST,
	    "further events are dropped, except the end of a launch" },
	{ "events", "guest", "per minute", 60000000 / WORKER_EVENT_US,
	    "further events are dropped, except the end of a launch" },
	{ "events of channels at once", "guest", "events", WORKER_EVENT_BURST,
	    "further events are dropped" },
	{ "events of channels", "guest", "per minute",
	    60000000 / WORKER_EVENT_US, "further events are dropped" },
	{ "descriptors handed to the manager at once", "guest", "sets",
	    WORKER_KEEP_BURST, "the latest set waits, earlier ones are dropped" },
	{ "descriptors handed to the manager", "guest", "sets per second",
	    1000000 / WORKER_KEEP_US,
	    "the latest set waits, earlier ones are dropped" },
	{ "connections to a QEMU's channel", "guest", "connections",
	    1 + SWTPM_WAITING,
	    "one that is silent is closed, or the new one refused" },
	{ "silence of such a connection", "guest", "seconds",
	    SWTPM_SILENT_US / 1000000, "the connection is closed" },
	{ "programs that wait for the local ring", "guest", "programs",
	    LOCAL_WAITING, "a further one is told that the vTPM is busy" },
	{ "saved sessions of programs that have ended", "guest", "sessions",
	    WORKER_SAVED_MAX, "the oldest is flushed" },
	{ "age of such a session", "guest", "commands", WORKER_SAVED_COMMANDS,
	    "it is flushed at the end of a program" },
	{ "memory", "guest", "bytes", WORKER_MEMORY,
	    "the allocation fails, and with it the command" },
	{ "one shared page's file", "guest", "bytes", WORKER_FILE,
	    "the channel is not opened" },
	{ "descriptors", "guest", "descriptors", WORKER_FDS,
	    "the connection is refused" },
	{ "threads", "guest", "threads", WORKER_THREADS,
	    "a slow command runs without a watch for its cancellation" },
};
/* clang-format on */

static const struct limit_table table = { "vtpm-worker", rows, VT_NELEM(rows) };

const struct limit_table *
worker_limits(void)
{
	return &table;
}
