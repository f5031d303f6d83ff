/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frontd_driver.c - the kernel's own driver, which must not have the device
 * that tpmfrontd serves.  It binds by itself to a device that is attached
 * again, or when the module is loaded.
 */
#include "tpmfront/frontd/frontd_driver.h"

#include <sys/socket.h>

#include <linux/netlink.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define KERNEL_EVENTS 1 /* the multicast group of the kernel's own */

bool
frontd_driver_take(uint32_t devid)
{
	char path[64], name[16];
	int fd, n = snprintf(name, sizeof(name), "vtpm-%u", devid);
	bool gone;

	(void)snprintf(
	    path, sizeof(path), "/sys/bus/xen/devices/%s/driver/unbind", name);
	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) == -1)
		return true; /* it has no driver */
	gone = write(fd, name, (size_t)n) == n || errno == ENODEV;
	if (gone)
		log_info("the kernel's driver has released %s", name);
	else
		log_err("the kernel's driver keeps %s: %s: %m", name, path);
	(void)close(fd);
	return gone;
}

int
frontd_driver_watch(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK,
		.nl_groups = KERNEL_EVENTS };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_KOBJECT_UEVENT);

	if (fd != -1 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	if (fd != -1)
		(void)close(fd);
	return -1;
}

/* The contents do not matter: the driver has the device or not. */
void
frontd_driver_drain(int fd)
{
	char byte;

	while (recv(fd, &byte, sizeof(byte), MSG_TRUNC) >= 0 ||
	       errno == ENOBUFS || errno == EINTR)
		;
}
