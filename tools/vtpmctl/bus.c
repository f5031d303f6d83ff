/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "tools/vtpmctl/vtpmctl.h"
#include "vtpm_manager/control/bus_iface.h"

#define CALL_TIMEOUT_US (180ull * 1000000) /* keys made on a busy host */

int
vctl_connect(struct vctl *v)
{
	char path[PATH_MAX];
	int fd, r;

	if (v->bus != NULL)
		return 0;
	(void)snprintf(path, sizeof(path), "%s/control.sock", v->run);
	if ((fd = unix_connect(path)) == -1)
		return vctl_fail("no manager at %s: %s%s", path,
		    strerror(errno),
		    errno == EACCES
			? "; ask for a role in vtpm-managerd.conf(5)"
			: "; start vtpm-managerd, or name its folder with "
			  "--run");
	if ((r = sd_bus_new(&v->bus)) < 0) {
		(void)close(fd);
		return vctl_fail("%s", strerror(-r));
	}
	if ((r = sd_bus_set_fd(v->bus, fd, fd)) < 0)
		(void)close(fd);
	else
		r = sd_bus_start(v->bus);
	if (r < 0)
		return vctl_fail("manager at %s: %s", path, strerror(-r));
	return 0;
}

sd_bus_message *
vctl_new_call(struct vctl *v, const char *method)
{
	sd_bus_message *m = NULL;
	int r;

	if (vctl_connect(v) != 0)
		return NULL;
	r = sd_bus_message_new_method_call(
	    v->bus, &m, NULL, BUS_PATH, BUS_IFACE, method);
	if (r < 0)
		(void)vctl_fail("%s", strerror(-r));
	return m;
}

sd_bus_message *
vctl_call(struct vctl *v, sd_bus_message *call)
{
	sd_bus_error err = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r;

	r = sd_bus_call(v->bus, call, CALL_TIMEOUT_US, &err, &reply);
	if (r < 0)
		(void)vctl_fail(
		    "%s", err.message != NULL ? err.message : strerror(-r));
	sd_bus_error_free(&err);
	sd_bus_message_unref(call);
	return reply;
}

static json_t *
json_of(sd_bus_message *reply)
{
	const char *text;
	json_error_t je;
	json_t *j;

	if (sd_bus_message_read(reply, "s", &text) < 0)
		return NULL;
	j = json_loads(text, JSON_DECODE_ANY, &je);
	if (j == NULL)
		(void)vctl_fail("the manager's answer: %s", je.text);
	return j;
}

json_t *
vctl_json(struct vctl *v, const char *method, const char *name)
{
	sd_bus_message *m = vctl_new_call(v, method), *reply;
	json_t *j;

	if (m == NULL)
		return NULL;
	if (name != NULL && sd_bus_message_append(m, "s", name) < 0) {
		sd_bus_message_unref(m);
		(void)vctl_fail("'%s' cannot be sent", name);
		return NULL;
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return NULL;
	j = json_of(reply);
	sd_bus_message_unref(reply);
	return j;
}

int
vctl_bytes(struct vctl *v, const char *name, const char *what, uint8_t **ret,
    size_t *ret_len)
{
	sd_bus_message *m = vctl_new_call(v, "Log"), *reply;
	const void *p;
	uint8_t *copy;
	size_t len;

	if (m == NULL)
		return VT_E_CLOSED;
	if (sd_bus_message_append(m, "ss", name, what) < 0) {
		sd_bus_message_unref(m);
		return VT_E_NOMEM;
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return VT_E_STATE;
	if (sd_bus_message_read_array(reply, 'y', &p, &len) < 0 ||
	    (copy = malloc(len + 1)) == NULL) {
		sd_bus_message_unref(reply);
		return VT_E_PROTO;
	}
	if (len > 0)
		memcpy(copy, p, len);
	sd_bus_message_unref(reply);
	*ret = copy;
	*ret_len = len;
	return VT_OK;
}

int
vctl_print_json(json_t *j)
{
	int rc = EXIT_OK;

	if (j == NULL)
		return EXIT_REFUSED;
	if (json_dumpf(j, stdout, JSON_INDENT(2)) == -1)
		rc = vctl_fail("cannot write JSON");
	(void)putchar('\n');
	json_decref(j);
	return rc;
}

const char *
vctl_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "-";
}

uint64_t
vctl_num(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

const char *
vctl_time(uint64_t ms, char out[32])
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(out, 32, "-");
	return out;
}

const char *
vctl_one_name(struct vctl *v, int argc, char **argv)
{
	if (optind + 1 == argc)
		return argv[optind];
	(void)vctl_usage(
	    v, optind >= argc ? "which guest?" : "one guest at a time");
	return NULL;
}
