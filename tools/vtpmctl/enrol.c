/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * enrol.c - vtpmctl host enrol: the host's identity, and its answer to a
 * verifier's challenge (doc/FORMATS.md, "Enrolment of a host").
 */
#include <errno.h>
#include <stdlib.h>

#include "base/options.h"
#include "tools/common/json.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

#define CHALLENGE_MAX (256u * 1024)

struct args {
	const char *challenge, *out;
};

static int
append_b64(sd_bus_message *m, const json_t *o, const char *key)
{
	uint8_t *raw = NULL;
	size_t len = 0;
	int r;

	if (tool_json_get_b64(o, key, &raw, &len) != VT_OK)
		return -EBADMSG;
	r = sd_bus_message_append_array(m, 'y', raw, len);
	free(raw);
	return r;
}

static int
answer(struct vctl *v, const char *path, const char *out)
{
	json_t *o = tool_json_load(path, CHALLENGE_MAX, "vtpm-enrol-challenge");
	sd_bus_message *m, *reply;
	const void *p;
	size_t len;
	int r, rc = VT_E_PROTO;

	if (o == NULL)
		return EXIT_REFUSED;
	if ((m = vctl_new_call(v, "HostActivate")) == NULL) {
		json_decref(o);
		return EXIT_REFUSED;
	}
	r = append_b64(m, o, "credential");
	if (r >= 0)
		r = append_b64(m, o, "secret");
	json_decref(o);
	if ((reply = vctl_call(v, m, r)) == NULL)
		return EXIT_REFUSED;
	if (vctl_take_bytes(reply, &p, &len))
		rc = tool_json_save(out,
		    json_pack("{s:s, s:i, s:o}", "format",
			"vtpm-enrol-response", "version", 1, "secret",
			tool_json_b64(p, len)),
		    0600);
	sd_bus_message_unref(reply);
	return rc == VT_OK ? EXIT_OK : EXIT_REFUSED;
}

static int
identity(struct vctl *v, const char *out)
{
	json_t *o = vctl_json(v, "HostIdentity", NULL);

	if (o == NULL || tool_json_save(out, o, 0644) != VT_OK)
		return EXIT_REFUSED;
	return EXIT_OK;
}

static int
enrol(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	int rc;

	(void)argc;
	(void)argv;
	rc = a->challenge != NULL ? answer(ctx, a->challenge, a->out)
				  : identity(ctx, a->out);
	if (rc == EXIT_OK)
		log_info("%s: for `vtpm-verify enrol %s`", a->out,
		    a->challenge != NULL ? "finish --response"
					 : "challenge --identity");
	return rc;
}

static const struct opt opts[] = {
	{ OPT_TEXT("challenge", 0, "FILE", struct args, challenge,
	    "answer this challenge, from vtpm-verify enrol challenge") },
	{ OPT_TEXT("out", 'o', "FILE", struct args, out,
	      "write the identity, or the response, to FILE"),
	    .needed = true },
	OPT_END,
};

const struct opt_command vctl_host_enrol = {
	.name = "vtpmctl host enrol",
	.about = "Write this host's identity for a verifier, or its response "
		 "to the verifier's challenge.\n",
	.usage = "-o IDENTITY\n--challenge FILE -o RESPONSE\n",
	.opts = opts,
	.size = sizeof(struct args),
	.run = enrol,
};
