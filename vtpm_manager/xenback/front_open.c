/* SPDX-License-Identifier: BSD-3-Clause */
/* front_open.c - opens Xen's devices for one front half. */
#include "vtpm_manager/xenback/front_open.h"

#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xen/sys/gntdev.h>

#define GNTDEV "/dev/xen/gntdev"

/* The library's call would map the page as well, here. */
static int
name_grant(int fd, uint32_t domid, uint32_t gref)
{
	struct ioctl_gntdev_map_grant_ref map = {
		.count = 1,
		.refs = { { .domid = domid, .ref = gref } },
	};

	if (ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, &map) == -1)
		return VT_E_SYS;
	if (map.index != 0) { /* the first of a new descriptor */
		errno = EPROTO;
		return VT_E_SYS;
	}
	return VT_OK;
}

/* A descriptor of its own: closing the handle closes the handle's. */
static int
bind_port(uint32_t domid, uint32_t port, int *ret_fd, uint32_t *ret_local)
{
	xenevtchn_handle *h = xenevtchn_open(NULL, 0);
	xenevtchn_port_or_error_t local;
	int fd = -1, saved;

	if (h == NULL)
		return VT_E_SYS;
	if (xenevtchn_restrict(h, (domid_t)domid) == 0 &&
	    (local = xenevtchn_bind_interdomain(h, domid, port)) >= 0 &&
	    (fd = fcntl(xenevtchn_fd(h), F_DUPFD_CLOEXEC, 0)) != -1)
		*ret_local = (uint32_t)local;
	saved = errno;
	(void)xenevtchn_close(h);
	errno = saved;
	if (fd == -1)
		return VT_E_SYS;
	*ret_fd = fd;
	return VT_OK;
}

int
front_open(uint32_t domid, uint32_t gref, uint32_t port, int ret_fds[2],
    uint32_t *ret_local, const char **ret_step)
{
	int gnt, evt, saved;

	*ret_step = "open " GNTDEV;
	if ((gnt = open(GNTDEV, O_RDWR | O_CLOEXEC)) == -1)
		return VT_E_SYS;
	*ret_step = "name its grant";
	if (name_grant(gnt, domid, gref) != VT_OK)
		goto fail;
	*ret_step = "bind its event channel";
	if (bind_port(domid, port, &evt, ret_local) != VT_OK)
		goto fail;
	ret_fds[0] = gnt;
	ret_fds[1] = evt;
	return VT_OK;
fail:
	saved = errno;
	(void)close(gnt);
	errno = saved;
	return VT_E_SYS;
}
