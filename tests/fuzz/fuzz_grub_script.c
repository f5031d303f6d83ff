/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_grub_script.c - any bytes as grub.cfg: no crash, the run ends, and
 * either something is started or PCRs 8 and 9 are unknown. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "measure/predict/grub_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct text {
	const uint8_t *p;
	size_t len;
	unsigned int reads;
};

static enum grub_found
kind(void *ctx, const char *dev, const char *path)
{
	(void)ctx, (void)dev;
	return path[0] == '/' && path[1] == 'k' ? GF_FILE : GF_NONE;
}

static int
get(void *ctx, const char *dev, const char *path, uint8_t **ret,
    size_t *ret_len)
{
	struct text *t = ctx;

	(void)dev;
	if (t->reads++ > 50 || (strcmp(path, "/g/grub.cfg") != 0 &&
				   kind(ctx, dev, path) == GF_NONE))
		return VT_E_NOTFOUND;
	if ((*ret = malloc(t->len + 1)) == NULL)
		return VT_E_NOMEM;
	memcpy(*ret, t->p, t->len);
	(*ret)[t->len] = '\0';
	*ret_len = t->len;
	return VT_OK;
}

static int
find(void *ctx, const char *by, const char *value, char ret_dev[GR_DEV_MAX])
{
	(void)ctx, (void)by, (void)value;
	(void)stpcpy(ret_dev, "hd0");
	return VT_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint16_t alg = ALG_SHA256;
	static const struct grub_options opts = { .fixed_grubenv = true };
	struct text t = { data, len, 0 };
	struct grub_host host = {
		.ctx = &t, .kind = kind, .read = get, .find = find
	};
	struct grub_start start = {
		.boot = "hd0", .dev = "hd0", .prefix = "/g"
	};
	static const char *const fw_paths[] = { NULL, "(hd0)/f" };
	size_t i;
	struct prediction *p;
	bool booted = false;

	if (len == 0 || len > 4096)
		return 0;
	for (i = 0; i < 2; i++) { /* GRUB 2.06, GRUB 2.12 */
		start.release = i == 0 ? GRUB_2_06 : GRUB_2_12;
		start.fw_path = fw_paths[i];
		t.reads = 0;
		booted = false;
		if (pred_new(&alg, 1, &p) != VT_OK)
			return 0;
		if (grub_predict(p, &host, &start, &opts, &booted) == VT_OK &&
		    !booted && (p->unknown & 0x300) != 0x300)
			abort();
		pred_free(p);
	}
	return 0;
}
