/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_xen.c - loads the module that calls Xen, and its channel.
 */
#include "vtpm/worker/worker_xen.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vtpm/worker/worker_chan.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_state.h"

const struct xen_module *
xen_module_load(const char **ret_why)
{
	static const struct xen_module *mod;
	char path[PATH_MAX + sizeof(XEN_MODULE_FILE)];
	char *slash;
	ssize_t n;
	void *so;

	if (mod != NULL)
		return mod;
	*ret_why = "the path of this program is unknown";
	n = readlink("/proc/self/exe", path, PATH_MAX);
	if (n <= 0 || n == PATH_MAX)
		return NULL;
	path[n] = '\0';
	if ((slash = strrchr(path, '/')) == NULL)
		return NULL;
	memcpy(slash + 1, XEN_MODULE_FILE, sizeof(XEN_MODULE_FILE));
	if ((so = dlopen(path, RTLD_NOW | RTLD_LOCAL)) != NULL)
		mod = dlsym(so, XEN_MODULE_SYMBOL);
	if (mod == NULL)
		*ret_why = dlerror();
	return mod;
}

static int
make_channel(struct worker *w, struct slot *s, uint8_t localities)
{
	const struct worker_cfg *cfg = w->cfg;

	if (cfg->xen == NULL)
		return VT_E_UNSUPPORTED;
	s->w = w;
	s->kind = CHAN_XEN;
	s->localities = localities;
	return cfg->xen->chan_new(
	    localities, w->tpm_version, wk_chan_host(), s, &s->ch);
}

int
wk_xen(struct worker *w, const struct wxen *m)
{
	struct slot *s = &w->slots[CHAN_XEN];
	int rc;

	if (!m->connect) {
		if (s->ch != NULL)
			w->cfg->xen->disconnect(s->ch);
		s->claimed = false;
		return VT_OK;
	}
	if (s->ch == NULL && (rc = make_channel(w, s, m->localities)) != VT_OK)
		return rc;
	if (!wk_claim(s)) {
		wk_event(w, WE_CHANNEL_BUSY,
		    "xen: domain %u: refused: another channel is in use",
		    (unsigned int)m->domid);
		return VT_E_BUSY;
	}
	return w->cfg->xen->connect(s->ch,
	    &(struct xen_front){ m->domid, m->gref, m->port, m->resumed != 0 });
}

int
wk_page(struct worker *w, const struct wpage *m, const int fds[2])
{
	struct slot *s = &w->slots[CHAN_XEN];
	int rc;

	if (s->ch == NULL) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return VT_E_STATE;
	}
	rc = w->cfg->xen->attach(s->ch,
	    &(struct xen_front){ m->domid, m->gref, m->port, false }, m->local,
	    fds);
	if (rc != VT_OK && rc != VT_E_STATE)
		s->claimed = false;
	return rc;
}
