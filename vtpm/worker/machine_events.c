/* SPDX-License-Identifier: BSD-3-Clause */
/* machine_events.c - splits and classifies lines of QEMU's monitor. */
#include "vtpm/worker/machine_events.h"

#include <stdint.h>
#include <string.h>

#include <jansson.h>

static enum machine_event
event_of(const char *name)
{
	static const struct {
		const char *name;
		enum machine_event event;
	} known[] = {
		{ "SUSPEND", ME_SUSPEND },
		{ "WAKEUP", ME_WAKEUP },
		{ "RESET", ME_RESET },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (name != NULL && strcmp(name, known[i].name) == 0)
			return known[i].event;
	return ME_NONE;
}

static enum machine_event
read_line(const char *line, size_t len)
{
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	enum machine_event e = ME_NONE;

	if (json_object_get(o, "QMP") != NULL)
		e = ME_GREETING;
	else
		e = event_of(json_string_value(json_object_get(o, "event")));
	json_decref(o);
	return e;
}

int
machine_events_take(struct machine_events *m, const char **p, size_t *len,
    enum machine_event *ret)
{
	const char *end = memchr(*p, '\n', *len);
	size_t n = end != NULL ? (size_t)(end - *p) : *len;

	if (n > sizeof(m->line) - m->len)
		m->skip = true;
	else
		memcpy(m->line + m->len, *p, n);
	m->len = m->skip ? 0 : m->len + n;
	*p += n;
	*len -= n;
	if (end == NULL)
		return VT_E_AGAIN;
	*p += 1;
	*len -= 1;
	*ret = m->skip ? ME_NONE : read_line(m->line, m->len);
	m->skip = false;
	m->len = 0;
	return VT_OK;
}
