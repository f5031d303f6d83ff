/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmback/chan.h"
#include "tpmback/chan_impl.h"

int
chan_adopt(struct chan *ch, const int *fds, unsigned int nfds)
{
	return ch->ops->adopt(ch, fds, nfds);
}

int
chan_listen(struct chan *ch, int fd)
{
	if (ch->ops->listen == NULL)
		return VT_E_UNSUPPORTED;
	return ch->ops->listen(ch, fd);
}

void
chan_free(struct chan *ch)
{
	if (ch != NULL)
		ch->ops->free(ch);
}

void
chan_reply(struct chan *ch, const uint8_t *resp, size_t len)
{
	ch->ops->reply(ch, resp, len);
}

int
chan_pollfds(struct chan *ch, struct pollfd *p)
{
	return ch->ops->pollfds(ch, p);
}

void
chan_dispatch(struct chan *ch, const struct pollfd *p, int n)
{
	ch->ops->dispatch(ch, p, n);
}

bool
chan_spin(struct chan *ch)
{
	return ch->ops->spin != NULL && ch->ops->spin(ch);
}

unsigned int
chan_spin_us(struct chan *ch)
{
	return ch->ops->spin_us != NULL ? ch->ops->spin_us(ch) : 0;
}

void
chan_watch(struct chan *ch, int stop_fd, int timeout_ms)
{
	ch->ops->watch(ch, stop_fd, timeout_ms);
}
