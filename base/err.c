/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/err.h"

#include <sys/resource.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[] = {
	[-VT_OK] = "no error",
	[-VT_E_NOMEM] = "out of memory",
	[-VT_E_TRUNC] = "data ends too early",
	[-VT_E_FORMAT] = "malformed data",
	[-VT_E_RANGE] = "value over its limit",
	[-VT_E_AGAIN] = "not ready yet",
	[-VT_E_NOTFOUND] = "not found",
	[-VT_E_EXISTS] = "exists already",
	[-VT_E_BUSY] = "busy: another user has it open",
	[-VT_E_DENIED] = "permission denied",
	[-VT_E_AUTH] = "authentication failed: changed, or of another key",
	[-VT_E_STALE] = "stale: older than what was acknowledged",
	[-VT_E_STATE] = "not possible in this state",
	[-VT_E_UNSUPPORTED] = "not supported",
	[-VT_E_TPM] = "the TPM refused",
	[-VT_E_CRYPTO] = "cryptographic library failure",
	[-VT_E_CLOSED] = "the other side is gone",
	[-VT_E_TIMEOUT] = "timed out",
	[-VT_E_SPACE] = "no space left",
	[-VT_E_PROTO] = "protocol violation",
	[-VT_E_POLICY] = "refused by policy",
	[-VT_E_CORRUPT] = "stored data is inconsistent",
};

/* Which limit that is, and whose. */
static const char *
too_many_files(void)
{
	static char text[128];
	struct rlimit rl = { 0 };

	(void)getrlimit(RLIMIT_NOFILE, &rl);
	(void)snprintf(text, sizeof(text),
	    "Too many open files: this process may have %llu (LimitNOFILE= of "
	    "its service, ulimit -n)",
	    (unsigned long long)rl.rlim_cur);
	return text;
}

const char *
vt_strerror(int e)
{
	size_t i = e > 0 ? 0 : (size_t)-e;

	if (e == VT_E_SYS)
		return errno == EMFILE ? too_many_files() : strerror(errno);
	if (i >= sizeof(texts) / sizeof(texts[0]) || texts[i] == NULL)
		return "unknown error";
	return texts[i];
}

const char *
vt_input_error(int e, size_t len)
{
	switch (e) {
	case VT_E_TRUNC:
		return len == 0 ? "is empty" : "ends too early";
	case VT_E_FORMAT:
		return len == 0 ? "is empty"
				: "is of another format, or breaks its format";
	case VT_E_RANGE:
		return "is longer than its format allows, or a field in it is";
	case VT_E_UNSUPPORTED:
		return "names a version or an algorithm that is not known here";
	case VT_E_AUTH:
		return "has a signature that does not verify";
	default:
		return vt_strerror(e);
	}
}
