/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl host enrol: who this host is, and the answer to a verifier's
 * challenge (doc/FORMATS.md, "Enrolment of a host").
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "base/base64.h"
#include "tools/vtpmctl/host.h"

static int
identity(struct vctl *v, const char *out)
{
	json_t *o = vctl_json(v, "HostIdentity", NULL);

	return o != NULL ? vctl_host_save(out, o, 0644) : EXIT_REFUSED;
}

static int
append_b64(sd_bus_message *m, const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	uint8_t *raw = NULL;
	size_t len = 0;
	int r;

	if (text == NULL || b64_get(text, strlen(text), &raw, &len) != VT_OK)
		return -1;
	r = sd_bus_message_append_array(m, 'y', raw, len);
	free(raw);
	return r;
}

static int
write_response(sd_bus_message *reply, const char *out)
{
	const void *p;
	size_t len;
	char *b64;
	json_t *o;

	if (sd_bus_message_read_array(reply, 'y', &p, &len) < 0 || len == 0)
		return vctl_fail("the manager's answer cannot be read");
	b64 = b64_make(p, len);
	o = b64 != NULL
		? json_pack("{s:s, s:i, s:s}", "format", "vtpm-enrol-response",
		      "version", 1, "secret", b64)
		: NULL;
	free(b64);
	return o != NULL ? vctl_host_save(out, o, 0600)
			 : vctl_fail("out of memory");
}

static int
answer(struct vctl *v, const char *path, const char *out)
{
	json_t *o = vctl_host_load(path, "vtpm-enrol-challenge");
	sd_bus_message *m, *reply;
	int ex;

	if (o == NULL)
		return EXIT_REFUSED;
	if ((m = vctl_new_call(v, "HostActivate")) == NULL) {
		json_decref(o);
		return EXIT_REFUSED;
	}
	if (append_b64(m, o, "credential") < 0 ||
	    append_b64(m, o, "secret") < 0) {
		json_decref(o);
		sd_bus_message_unref(m);
		return vctl_fail("%s: the challenge is damaged", path);
	}
	json_decref(o);
	if ((reply = vctl_call(v, m)) == NULL)
		return EXIT_REFUSED;
	ex = write_response(reply, out);
	sd_bus_message_unref(reply);
	return ex;
}

int
vctl_host_enrol(struct vctl *v, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "challenge", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	const char *challenge = NULL, *out = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
		if (c == 'c')
			challenge = optarg;
		else if (c == 'o')
			out = optarg;
		else
			return vctl_usage(v, "wrong option");
	}
	if (optind != argc || out == NULL)
		return vctl_usage(v, "enrol needs -o FILE");
	c = challenge != NULL ? answer(v, challenge, out) : identity(v, out);
	if (c == EXIT_OK)
		(void)fprintf(stderr, "%s: for `vtpm-verify enrol %s`\n", out,
		    challenge != NULL ? "finish --response"
				      : "challenge --identity");
	return c;
}
