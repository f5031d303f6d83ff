/* SPDX-License-Identifier: BSD-3-Clause */
/* bus.c - vtpmctl's calls of the manager, and what to do when they fail. */
#include "tools/vtpmctl/bus.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "tools/vtpmctl/print.h"
#include "vtpm_manager/control/bus_iface.h"

#define CALL_TIMEOUT_US (180ull * 1000000) /* keys made on a busy host */

/* The manager closes a connection that it does not serve without a word. */
static int
failed(const struct vctl *v, const char *message, int r)
{
	if (r == -ECONNRESET || r == -ENOTCONN || r == -EPIPE)
		return vctl_fail("the manager at %s closed the connection: "
				 "this user has no role "
				 "(vtpm-managerd.conf(5)) or too many "
				 "connections are open; its log has the reason",
		    v->run);
	return vctl_fail("%s", message != NULL ? message : strerror(-r));
}

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
		return vctl_fail("manager at %s: %s", path, strerror(-r));
	}
	if ((r = sd_bus_set_fd(v->bus, fd, fd)) < 0)
		(void)close(fd);
	else
		r = sd_bus_start(v->bus);
	return r >= 0 ? 0 : failed(v, NULL, r);
}

void
vctl_disconnect(struct vctl *v)
{
	v->bus = sd_bus_flush_close_unref(v->bus);
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
		log_err("%s: %s", method, strerror(-r));
	return m;
}

sd_bus_message *
vctl_call(struct vctl *v, sd_bus_message *call, int r)
{
	sd_bus_error err = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;

	if (r < 0)
		log_err("the request cannot be sent: %s", strerror(-r));
	else if ((r = sd_bus_call(
		      v->bus, call, CALL_TIMEOUT_US, &err, &reply)) < 0)
		(void)failed(v, err.message, r);
	sd_bus_error_free(&err);
	sd_bus_message_unref(call);
	return reply;
}

sd_bus_message *
vctl_ask(struct vctl *v, const char *method, const char *types, ...)
{
	sd_bus_message *m = vctl_new_call(v, method);
	va_list ap;
	int r;

	if (m == NULL)
		return NULL;
	va_start(ap, types);
	r = sd_bus_message_appendv(m, types, ap);
	va_end(ap);
	return vctl_call(v, m, r);
}

static bool
is_read(int r)
{
	if (r < 0)
		log_err("the manager's answer cannot be read: %s; are vtpmctl "
			"and vtpm-managerd of one version?",
		    strerror(-r));
	return r >= 0;
}

bool
vctl_take(sd_bus_message *reply, const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = sd_bus_message_readv(reply, types, ap);
	va_end(ap);
	return is_read(r);
}

bool
vctl_take_bytes(sd_bus_message *reply, const void **ret, size_t *ret_len)
{
	return is_read(sd_bus_message_read_array(reply, 'y', ret, ret_len));
}

json_t *
vctl_take_json(sd_bus_message *reply)
{
	const char *text = "";
	json_error_t je;
	json_t *j = NULL;

	if (vctl_take(reply, "s", &text) &&
	    (j = json_loads(text, JSON_DECODE_ANY, &je)) == NULL)
		log_err("the manager's answer is not JSON: %s", je.text);
	sd_bus_message_unref(reply);
	return j;
}

json_t *
vctl_json(struct vctl *v, const char *method, const char *name)
{
	sd_bus_message *reply;

	reply = name != NULL ? vctl_ask(v, method, "s", name)
			     : vctl_ask(v, method, "");
	return reply != NULL ? vctl_take_json(reply) : NULL;
}

int
vctl_say(struct vctl *v, sd_bus_message *call, int r)
{
	sd_bus_message *reply = vctl_call(v, call, r);
	const char *text = "";
	int rc = EXIT_OK;

	if (reply == NULL)
		return EXIT_REFUSED;
	if (!vctl_take(reply, "s", &text))
		rc = EXIT_REFUSED;
	else if (v->json)
		rc = vctl_print_json(json_pack("{s:s}", "result", text));
	else
		(void)printf("%s\n", text);
	sd_bus_message_unref(reply);
	return rc;
}

int
vctl_say_bytes(struct vctl *v, const char *method,
    const struct vctl_bytes *args, size_t nargs)
{
	sd_bus_message *m = vctl_new_call(v, method);
	size_t i;
	int r = 0;

	if (m == NULL)
		return EXIT_REFUSED;
	for (i = 0; i < nargs && r >= 0; i++)
		r = sd_bus_message_append_array(m, 'y', args[i].p, args[i].len);
	return vctl_say(v, m, r);
}

int
vctl_append_dict(sd_bus_message *m, const char *const *keys,
    const char *const *values, size_t n)
{
	size_t i;
	int r = sd_bus_message_open_container(m, 'a', "{ss}");

	for (i = 0; r >= 0 && i < n; i++)
		r = sd_bus_message_append(m, "{ss}", keys[i], values[i]);
	return r >= 0 ? sd_bus_message_close_container(m) : r;
}
