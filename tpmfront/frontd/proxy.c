/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmfront/frontd/proxy.h"

#include <linux/vtpm_proxy.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONTROL "/dev/vtpmx"

/* A system without modprobe has it loaded or built in. */
static void
load_module(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)execl("/sbin/modprobe", "modprobe", "-q",
		    "tpm_vtpm_proxy", (char *)NULL);
		_exit(127);
	}
	while (pid != -1 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}

int
proxy_make(bool tpm12, struct proxy *ret)
{
	struct vtpm_proxy_new_dev dev;
	int fd = open(CONTROL, O_RDWR | O_CLOEXEC), rc, saved;

	if (fd == -1 && errno == ENOENT) {
		load_module();
		fd = open(CONTROL, O_RDWR | O_CLOEXEC);
	}
	if (fd == -1)
		return VT_E_SYS;
	memset(&dev, 0, sizeof(dev));
	dev.flags = tpm12 ? 0 : VTPM_PROXY_FLAG_TPM2;
	rc = ioctl(fd, VTPM_PROXY_IOC_NEW_DEV, &dev);
	saved = errno;
	(void)close(fd);
	errno = saved;
	if (rc == -1)
		return VT_E_SYS;
	(void)fcntl((int)dev.fd, F_SETFD, FD_CLOEXEC);
	ret->fd = (int)dev.fd;
	ret->tpm12 = tpm12;
	(void)snprintf(ret->name, sizeof(ret->name), "tpm%u", dev.tpm_num);
	return VT_OK;
}

static bool
node(const char *prefix, const char *number)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/dev/%s%s", prefix, number);
	return access(path, F_OK) == 0;
}

bool
proxy_is_there(const struct proxy *p)
{
	const char *number = p->name + 3;

	return node("tpm", number) && (p->tpm12 || node("tpmrm", number));
}

void
proxy_close(struct proxy *p)
{
	if (p->fd != -1)
		(void)close(p->fd);
	p->fd = -1;
}
