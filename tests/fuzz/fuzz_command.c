/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_command.c - a guest's commands, one after the other, through libtpms
 * and everything that the worker reads of them.  Whatever they are, the
 * extend journal's replay stays what the TPM says of its PCRs.
 *
 * Input: commands, each u8 locality | be16 length | bytes.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm/engine/capture.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/engine.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm/engine/quote_memory.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/engine/vendor.h"
#include "vtpm/engine/vendor_command.h"
#include "vtpm/worker/worker_deep.h"
#include "vtpm/worker/worker_state.h"

#define MAX_COMMANDS 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct worker wk; /* its TPM's journal and quotes, no manager */
#define cap wk.cap
#define quotes wk.quotes

static void
must(int rc)
{
	if (rc != VT_OK)
		abort();
}

/* Always from the same state, so that a finding can be repeated. */
static void
fresh_tpm(void)
{
	static uint8_t *state;
	static size_t state_len;
	const uint8_t *p;

	if (state == NULL) {
		must(eng_init(open("/dev/null", O_WRONLY)));
		must(eng_manufacture(TPM_VER_20));
		p = eng_permanent(&state_len);
		state = malloc(state_len);
		if (state == NULL)
			abort();
		memcpy(state, p, state_len);
	}
	eng_forget();
	must(eng_set_permanent(TPM_VER_20, state, state_len));
	must(eng_power_on());
	must(tcmd_startup(0));
	memset(&quotes, 0, sizeof(quotes));
	quotes.n = quotes.next = 1; /* zeros: so that one can be submitted */
	wk_deep_drop_all(&wk);
	wk.deep_tickets = 0;
	must(capture_init(&cap, true));
	must(journal_power_cycle(cap.journal));
	must(capture_startup(&cap, 0, true));
}

static void
check_pcrs(void)
{
	static struct pcr_set replay;
	uint32_t pcr;
	size_t n;

	must(journal_replay(cap.journal, &replay));
	for (pcr = 0; pcr < PCR_COUNT; pcr++) {
		const uint8_t *v, *want = pcr_get(&replay, ALG_SHA256, pcr);
		struct pcr_sel sel = { .n = 1 }, got;
		struct tcmd c;
		struct rd r;

		sel.banks[0].alg = ALG_SHA256;
		sel.banks[0].mask = 1u << pcr;
		tcmd_begin(&c, ST_NO_SESSIONS, CC_PCR_Read);
		pcr_sel_put(&c.w, &sel);
		if (tcmd_run(&c, NULL, &r) != VT_OK)
			return; /* shut down, or in failure mode */
		(void)rd_be32(&r);
		pcr_sel_get(&r, &got);
		(void)rd_be32(&r);
		v = rd_blob16(&r, SHA256_LEN, &n);
		if (v == NULL || want == NULL || n != SHA256_LEN ||
		    memcmp(v, want, n) != 0)
			abort();
	}
}

/* The manager answers the newest ticket, well or not. */
static void
deep(const struct vendor_request *q, const uint8_t *cmd, size_t len)
{
	static uint8_t out[ENG_BUF_MAX];
	struct wdeeped m = { .text = "no", .answer = { cmd, (uint32_t)len } };
	size_t n = wk_deep(&wk, q, out, sizeof(out));

	if (n < TPM_HDR_LEN || n > sizeof(out) || be32_get(out + 2) != n)
		abort();
	m.ticket = wk.deep_tickets;
	m.rc = cmd[len - 1] & 1 ? VT_OK : VT_E_TPM;
	if ((cmd[len - 1] & 2) != 0)
		wk_deep_answered(&wk, &m);
}

static void
run(uint8_t locality, const uint8_t *cmd, size_t len)
{
	static uint8_t copy[ENG_BUF_MAX], out[ENG_BUF_MAX];
	static const struct vendor_facts facts = { .build = "fuzz" };
	struct vendor_request q;
	const uint8_t *resp;
	struct tpm_cmd c;
	size_t n;
	int rc;

	tpm_cmd_decode(&c, true, locality, cmd, len);
	if (vendor_open(&c, &q) == VT_OK) {
		if (vendor_answer(&facts, &q, out, sizeof(out)) < TPM_HDR_LEN)
			abort();
		if (q.sub >= VSUB_DEEP_SUBMIT)
			deep(&q, cmd, len);
	}
	if ((c.flags & CT_SLOW) != 0 ||
	    eng_process(locality, cmd, len, &resp, &n) != VT_OK)
		return;
	memcpy(copy, resp, n);
	if (vendor_patch_capability(&c, copy, n, sizeof(copy)) < n)
		abort();
	if (tp_response_code(copy, n) != 0)
		return;
	if ((c.flags & CT_PCRS) != 0) /* it succeeded, so it is well formed */
		must(capture_command(&cap, &c, copy, n));
	if ((c.flags & CT_QUOTE) != 0 &&
	    (rc = quotes_note(&quotes, &c, copy, n)) < 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned int i;
	size_t n;

	fresh_tpm();
	for (i = 0; i < MAX_COMMANDS && len >= 3; i++) {
		uint8_t locality = data[0] % 5;
		uint8_t *cmd;

		n = be16_get(data + 1);
		data += 3;
		len -= 3;
		if (n > len)
			n = len;
		if (n > ENG_BUF_MAX)
			n = ENG_BUF_MAX;
		if (n < TPM_HDR_LEN)
			break;
		/* what a channel hands over: its own size in the header */
		if ((cmd = malloc(n)) == NULL)
			abort();
		memcpy(cmd, data, n);
		be32_put(cmd + 2, (uint32_t)n);
		run(locality, cmd, n);
		free(cmd);
		data += n;
		len -= n;
	}
	check_pcrs();
	eng_forget();
	return 0;
}
