/* SPDX-License-Identifier: BSD-3-Clause */
/* pcr_list.c - numbers of PCRs as an option has them. */
#include "tools/common/pcr_list.h"

#include <stdio.h>

#include "measure/tpm/pcr_selection.h"

int
tool_pcr_list(const char *text, uint32_t *ret_mask)
{
	struct pcr_sel sel;
	char full[128];

	(void)snprintf(full, sizeof(full), "sha256:%s", text);
	if (pcr_sel_parse(full, &sel) != VT_OK || sel.n != 1)
		return VT_E_FORMAT;
	*ret_mask = sel.banks[0].mask;
	return VT_OK;
}
