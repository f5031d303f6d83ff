/* SPDX-License-Identifier: BSD-3-Clause */
/* cgroup.c - a cgroup for each worker. */
#include "vtpm_manager/core/cgroup.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vtpm_manager/core/run_folder.h"

static int
write_word(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW), rc = VT_OK;
	size_t len = strlen(word);

	if (fd == -1)
		return VT_E_SYS;
	if (write(fd, word, len) != (ssize_t)len)
		rc = VT_E_SYS;
	(void)close(fd);
	return rc;
}

/* Processor time is shared evenly, memory and processes are counted; each as
 * far as the service manager has delegated it. */
void
cgroup_open(struct mgr *m)
{
	static const char *const controllers[] = { "+cpu", "+memory", "+pids" };
	char path[PATH_MAX];
	size_t i;

	if (m->cfg.worker_cgroup[0] == '\0')
		return;
	if (run_path(path, sizeof(path), "%s/cgroup.subtree_control",
		m->cfg.worker_cgroup) != VT_OK ||
	    access(path, W_OK) == -1) {
		log_warn("worker_cgroup %s cannot be used (%m): workers stay "
			 "in the manager's cgroup",
		    m->cfg.worker_cgroup);
		m->cfg.worker_cgroup[0] = '\0';
		return;
	}
	for (i = 0; i < VT_NELEM(controllers); i++)
		if (write_word(path, controllers[i]) != VT_OK)
			log_info("worker_cgroup: no %s controller (%m)",
			    controllers[i] + 1);
	cgroup_sweep(m);
}

void
cgroup_make(struct mgr *m, const char *name, char *path)
{
	const char *root = m->cfg.worker_cgroup;

	path[0] = '\0';
	if (root[0] == '\0')
		return;
	if (run_path(path, PATH_MAX, "%s/%s", root, name) != VT_OK ||
	    (mkdir(path, 0755) == -1 && errno != EEXIST) ||
	    run_path(path, PATH_MAX, "%s/%s/cgroup.procs", root, name) !=
		VT_OK) {
		log_warn("cgroup %s: %m", path);
		path[0] = '\0';
	}
}

void
cgroup_take(struct mgr *m, const uint8_t uuid[UUID_LEN], uint32_t pid)
{
	char name[UUID_STRLEN + 1], path[PATH_MAX], word[16];

	uuid_format(uuid, name);
	cgroup_make(m, name, path);
	(void)snprintf(word, sizeof(word), "%u", pid);
	if (path[0] != '\0' && write_word(path, word) != VT_OK)
		log_warn("worker %u stays in the zygote's cgroup: %m", pid);
}

void
cgroup_sweep(struct mgr *m)
{
	DIR *d;
	struct dirent *de;

	if (m->cfg.worker_cgroup[0] == '\0' ||
	    (d = opendir(m->cfg.worker_cgroup)) == NULL)
		return;
	while ((de = readdir(d)) != NULL)
		if (de->d_type == DT_DIR && de->d_name[0] != '.')
			(void)unlinkat(dirfd(d), de->d_name, AT_REMOVEDIR);
	(void)closedir(d);
}
