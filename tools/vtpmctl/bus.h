/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus.h - call the manager's methods on its control socket.
 *
 * Layer:  tools.
 * Errors: each failure is printed with what to do about it.
 */
#ifndef TOOLS_VTPMCTL_BUS_H
#define TOOLS_VTPMCTL_BUS_H

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/err.h"

struct vctl {
	const char *run; /* the manager's folder of sockets */
	bool json;
	sd_bus *bus; /* NULL: not connected */
	bool served; /* the manager has taken the connection */
};

/* Connect unless it is done; 0 or EXIT_REFUSED. */
int vctl_connect(struct vctl *v);
void vctl_disconnect(struct vctl *v);

/* A message for that method, or NULL. */
sd_bus_message *vctl_new_call(struct vctl *v, const char *method);
/* Say why a call failed: with e, or with -errno alone.  An exit code. */
int vctl_call_failed(const struct vctl *v, const sd_bus_error *e, int r);
/* Send call and release it; r < 0: it could not be filled, and is not sent;
 * VCTL_SAID: the reason has been told.  The answer, or NULL. */
#define VCTL_SAID (-ECANCELED)
sd_bus_message *vctl_call(struct vctl *v, sd_bus_message *call, int r);
/* Both for a method whose arguments have these types, as
 * sd_bus_message_append() takes them. */
sd_bus_message *vctl_ask(
    struct vctl *v, const char *method, const char *types, ...);
/* What the answer has in front; false after a message. */
bool vctl_take(sd_bus_message *reply, const char *types, ...) VT_CHECK;

/* The same for one array of bytes, borrowed from reply. */
bool vctl_take_bytes(
    sd_bus_message *reply, const void **ret, size_t *ret_len) VT_CHECK;
/* The JSON text that is the answer; NULL after a message.  Releases reply. */
json_t *vctl_take_json(sd_bus_message *reply);
/* A method whose answer is JSON, with the argument name unless that is NULL;
 * NULL after a message. */
json_t *vctl_json(struct vctl *v, const char *method, const char *name);
/* Send call, whose answer is a sentence, and print that.  An exit code. */
int vctl_say(struct vctl *v, sd_bus_message *call, int r);

/* A method with up to two byte arrays, whose answer is a sentence.  An exit
 * code. */
struct vctl_bytes {
	const void *p;
	size_t len;
};
int vctl_say_bytes(struct vctl *v, const char *method,
    const struct vctl_bytes *args, size_t nargs);
/* dict: {ss} from n keys and values. */
int vctl_append_dict(sd_bus_message *m, const char *const *keys,
    const char *const *values, size_t n) VT_CHECK;

#endif
