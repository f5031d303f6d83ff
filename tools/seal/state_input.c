/* SPDX-License-Identifier: BSD-3-Clause */
/* state_input.c - PCR values from files and event logs. */
#include "tools/seal/state_input.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/util.h"
#include "measure/log/replay.h"
#include "measure/tpm/pcr_file.h"
#include "tools/common/file.h"
#include "tools/seal/approvals.h"

#define STATE_FILE_MAX (16 * 1024 * 1024) /* a prediction has its events */

/* A prediction or a replay: { "pcrs": { bank: { PCR: hex } } }. */
static int
from_json(const char *path, const uint8_t *buf, size_t len, struct pcr_sel *sel,
    struct pcr_set *ret)
{
	json_error_t je;
	json_t *root;
	int rc;

	root = json_loadb((const char *)buf, len, JSON_REJECT_DUPLICATES, &je);
	rc = approved_pcrs_get(json_object_get(root, "pcrs"), sel, ret);
	json_decref(root);
	if (rc == VT_E_UNSUPPORTED)
		log_err("%s: \"pcrs\" has a bank that is not known", path);
	else if (rc != VT_OK)
		log_err("%s: no \"pcrs\" in it, an object of banks, each an "
			"object of PCR to hex",
		    path);
	return rc;
}

/* Every selected PCR must have a value. */
static int
check_all(const char *path, const char *what, const struct pcr_sel *sel,
    const struct pcr_set *set)
{
	uint32_t k, i;

	for (k = 0; k < sel->n; k++)
		for (i = 0; i < PCR_COUNT; i++)
			if ((sel->banks[k].mask >> i & 1) != 0 &&
			    pcr_get(set, sel->banks[k].alg, i) == NULL) {
				log_err("%s: %s %s PCR %u: select the PCRs "
					"that it has, --select",
				    path, what, digest_name(sel->banks[k].alg),
				    i);
				return VT_E_NOTFOUND;
			}
	return VT_OK;
}

int
state_from_file(
    const char *path, const struct pcr_sel *sel, struct pcr_set *ret)
{
	struct pcr_sel has;
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = tool_read(path, STATE_FILE_MAX, &buf, &len)) != VT_OK)
		return rc;
	if (len > 0 && buf[0] == '{') {
		rc = from_json(path, buf, len, &has, ret);
	} else {
		rc = pcr_file_get(buf, len, sel, &has, ret);
		if (rc != VT_OK)
			log_err("%s: the file of PCR values %s", path,
			    vt_input_error(rc, len));
	}
	free(buf);
	return rc == VT_OK ? check_all(path, "has no value of", sel, ret) : rc;
}

int
state_from_log(const char *path, const struct pcr_sel *sel, struct pcr_set *ret)
{
	char err[REPLAY_ERR_MAX] = "";
	struct replay *r = NULL;
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = tool_read(path, REPLAY_MAX_LOG, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = replay_make(buf, len, &r, err)) != VT_OK) {
		log_err("%s: %s", path, err[0] != '\0' ? err : vt_strerror(rc));
	} else {
		*ret = r->pcrs;
		rc = check_all(path, "the log extends no", sel, ret);
	}
	replay_free(r);
	free(buf);
	return rc;
}
