/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * domain.c - vtpmctl xen save, restore, migrate: xl's own commands, with the
 * vTPM's PCRs, loaded keys and sessions kept.
 *
 * The image passes through this process both ways: a save binds the digest of
 * the bytes that xl wrote to the vTPM, and a restore hashes the bytes that xl
 * reads.  A domain stays paused until the manager has agreed, so nothing ever
 * runs under the PCRs of another domain.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/crypto.h"
#include "base/options.h"
#include "base/util.h"
#include "tools/launch/xl_proc.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"
#include "vtpm_manager/control/bus_iface.h"
#include "vtpm_manager/proto/xen_saved.h"

#define CHUNK (256u * 1024)
#define PATIENCE_US 60000000u /* for what xl did to reach the manager */
#define SAVE_TRIES 3
#define NO_DOMID UINT32_MAX

struct job {
	struct vctl *v;
	const char *name, *file;
	uint32_t domid;
	char domain[XEN_NAME_MAX + 1];
	char xl[PATH_MAX];
	uint8_t image[SHA256_LEN];
	uint64_t bytes;
};

/* --- xl ------------------------------------------------------------------- */

/* "xl VERB ARG", its output to stderr; its exit code. */
static int
do_xl(struct job *j, const char *verb, uint32_t domid)
{
	char v[16], id[16], *argv[] = { j->xl, v, id, NULL };
	pid_t pid;

	(void)snprintf(v, sizeof(v), "%s", verb);
	(void)snprintf(id, sizeof(id), "%u", domid);
	pid = xl_start(argv, STDERR_FILENO, -1);
	return pid == -1 ? -1 : xl_end(pid);
}

/* The first line of what "xl VERB ARG" prints; false: it failed. */
static bool
xl_ask(struct job *j, const char *verb, const char *arg, char *ret, size_t cap)
{
	char v[16], a[XEN_NAME_MAX + 1], *argv[] = { j->xl, v, a, NULL };
	uint8_t *out = NULL;
	size_t len;
	bool good;

	(void)snprintf(v, sizeof(v), "%s", verb);
	(void)snprintf(a, sizeof(a), "%s", arg);
	good = xl_run(argv, &out, &len) == 0;
	if (good)
		(void)snprintf(ret, cap, "%.*s",
		    (int)strcspn((char *)out, "\n"), (char *)out);
	free(out);
	return good;
}

static bool
domid_of(struct job *j, uint32_t *ret)
{
	char text[32];

	return xl_ask(j, "domid", j->domain, text, sizeof(text)) &&
	       dec_u32(text, ret) == VT_OK && *ret != NO_DOMID;
}

/* j->domain: the name of domain j->domid. */
static int
find_name(struct job *j)
{
	char domid[16];

	(void)snprintf(domid, sizeof(domid), "%u", j->domid);
	if (xl_ask(j, "domname", domid, j->domain, sizeof(j->domain)) &&
	    xen_name_ok(j->domain))
		return EXIT_OK;
	return vctl_fail("domain %u has no usable name", j->domid);
}

/* --- the manager ------------------------------------------------------------
 */

static int
send_claim(
    struct job *j, const char *step, sd_bus_error *err, sd_bus_message **ret)
{
	sd_bus_message *m = vctl_new_call(j->v, "Xen");
	bool image = strcmp(step, "restore") == 0 || strcmp(step, "done") == 0;
	int r;

	if (m == NULL)
		return -ECONNREFUSED;
	r = sd_bus_message_append(m, "ss", j->name, step);
	if (r >= 0)
		r = sd_bus_message_append_array(
		    m, 'y', j->image, image ? sizeof(j->image) : 0);
	if (r >= 0)
		r = sd_bus_message_append(m, "us", j->domid, j->domain);
	if (r >= 0)
		r = sd_bus_call(j->v->bus, m, 0, err, ret);
	sd_bus_message_unref(m);
	return r;
}

/* Tell the manager; again while it answers that it is busy. */
static bool
claim(struct job *j, const char *step, bool patient)
{
	sd_bus_error err = SD_BUS_ERROR_NULL;
	uint64_t until = now_us() + PATIENCE_US;
	sd_bus_message *reply = NULL;
	const char *domain = "";
	int r;

	for (;;) {
		r = send_claim(j, step, &err, &reply);
		if (r >= 0 || !patient || now_us() > until ||
		    !sd_bus_error_has_name(&err, BUS_ERROR "Busy"))
			break;
		sd_bus_error_free(&err);
		(void)usleep(100000);
	}
	if (r < 0)
		(void)vctl_call_failed(j->v, &err, r);
	else if (strcmp(step, "done") != 0 && strcmp(step, "abort") != 0) {
		r = sd_bus_message_read(reply, "us", &j->domid, &domain);
		if (r >= 0 && domain[0] != '\0')
			(void)snprintf(
			    j->domain, sizeof(j->domain), "%s", domain);
	}
	sd_bus_error_free(&err);
	sd_bus_message_unref(reply);
	return r >= 0;
}

/* --- the image --------------------------------------------------------------
 */

/*
 * From in to out until in ends; both may be pipes.  When out closes early
 * the rest is hashed all the same: it belongs to the image.  out -1: hash
 * only.
 */
static int
stream(struct job *j, int in, int out, bool early_end_ok)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t *buf = malloc(CHUNK);
	unsigned int n = sizeof(j->image);
	ssize_t got = -1;
	int saved, rc = -1;

	j->bytes = 0;
	if (md == NULL || buf == NULL ||
	    EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		goto out;
	while ((got = read(in, buf, CHUNK)) != 0) {
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1 || EVP_DigestUpdate(md, buf, (size_t)got) != 1)
			goto out;
		j->bytes += (uint64_t)got;
		if (out == -1 || write_all(out, buf, (size_t)got) == VT_OK)
			continue;
		if (errno != EPIPE || !early_end_ok)
			goto out;
		out = -1;
	}
	if (EVP_DigestFinal_ex(md, j->image, &n) == 1)
		rc = 0;
out:
	saved = errno;
	EVP_MD_CTX_free(md);
	free(buf);
	errno = saved;
	return rc;
}

/* FILE.part, which becomes FILE when all of it is on disk. */
static int
part_path(const struct job *j, char *out)
{
	int n = snprintf(out, PATH_MAX, "%s.part", j->file);

	return n > 0 && n < PATH_MAX ? 0 : -1;
}

static int
sync_folder(const char *file)
{
	char dir[PATH_MAX], *slash;
	int fd, rc;

	(void)snprintf(dir, sizeof(dir), "%s", file);
	slash = strrchr(dir, '/');
	if (slash == NULL)
		(void)snprintf(dir, sizeof(dir), ".");
	else
		slash[slash == dir] = '\0';
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	rc = fsync(fd);
	(void)close(fd);
	return rc;
}

/* --- save -------------------------------------------------------------------
 */

/* *ret_again: xl did not save the domain, which continues. */
static int
save_image(struct job *j, const char *part, bool *ret_again)
{
	char domid[16], fd_path[32];
	char save_[] = "save", p_[] = "-p";
	char *argv[] = { j->xl, save_, p_, domid, fd_path, NULL };
	int p[2], fd, rc = -1, xl;
	pid_t pid;

	*ret_again = false;
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return vctl_fail("%s: %s", part, strerror(errno));
	if (pipe2(p, O_CLOEXEC) == -1) {
		(void)close(fd);
		return vctl_fail("%s", strerror(errno));
	}
	(void)snprintf(domid, sizeof(domid), "%u", j->domid);
	(void)snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", p[1]);
	pid = xl_start(argv, STDERR_FILENO, p[1]);
	(void)close(p[1]);
	if (pid != -1)
		rc = stream(j, p[0], fd, false);
	if (rc != 0)
		(void)vctl_fail("%s: %s", part, strerror(errno));
	(void)close(p[0]); /* xl ends, if it has not yet */
	xl = pid != -1 ? xl_end(pid) : -1;
	if (rc == 0 && xl != 0) {
		rc = vctl_fail("xl save failed (%d); the guest continues", xl);
		*ret_again = true;
	}
	if (rc == 0 && (fsync(fd) == -1 || rename(part, j->file) == -1 ||
			   sync_folder(j->file) == -1))
		rc = vctl_fail("%s: %s", j->file, strerror(errno));
	(void)close(fd);
	return rc;
}

static int
report(struct job *j, const char *what)
{
	char hex[2 * SHA256_LEN + 1];

	hex_encode(j->image, sizeof(j->image), hex);
	if (j->v->json)
		return vctl_print_json(json_pack("{s:s,s:s,s:s,s:I,s:I,s:s}",
		    "name", j->name, "done", what, "domain", j->domain, "domid",
		    (json_int_t)j->domid, "bytes", (json_int_t)j->bytes,
		    "sha256", j->bytes > 0 ? hex : ""));
	(void)printf(
	    "%s  %s: domain %s (%u)\n", j->name, what, j->domain, j->domid);
	if (j->bytes > 0)
		(void)printf("image %s, %llu bytes, SHA-256 %s\n", j->file,
		    (unsigned long long)j->bytes, hex);
	return EXIT_OK;
}

/*
 * A guest whose TPM is served by a process (tpmfrontd) cannot suspend in the
 * middle of a TPM command: its kernel has stopped that process already, and
 * waits for the one that waits for the answer.  The next try comes at another
 * moment; xl itself has resumed the domain by then.
 */
static int
save_image_tries(struct job *j, const char *part)
{
	bool again;
	int rc, i;

	for (i = 1; (rc = save_image(j, part, &again)) != 0; i++) {
		(void)unlink(part);
		if (!again)
			(void)do_xl(j, "unpause", j->domid);
		if (!again || i == SAVE_TRIES)
			break;
		log_info("guest %s: try %d of %d", j->name, i + 1, SAVE_TRIES);
	}
	return rc;
}

static int
save(struct job *j)
{
	char part[PATH_MAX];

	if (part_path(j, part) == -1)
		return vctl_fail("%s: the name is too long", j->file);
	if (access(j->file, F_OK) == 0)
		return vctl_fail("%s exists, and is not overwritten", j->file);
	if (!claim(j, "save", false))
		return EXIT_REFUSED;
	if (find_name(j) != EXIT_OK)
		return EXIT_REFUSED;
	/* It is paused from here on. */
	if (save_image_tries(j, part) != 0)
		return EXIT_REFUSED;
	if (!claim(j, "done", true)) {
		(void)unlink(j->file);
		(void)do_xl(j, "unpause", j->domid);
		return vctl_fail("not saved; the guest continues");
	}
	if (do_xl(j, "destroy", j->domid) != 0)
		return vctl_fail("%s is saved, but its domain %u could not be "
				 "destroyed: destroy it before a restore",
		    j->name, j->domid);
	return report(j, "saved");
}

/* --- restore ----------------------------------------------------------------
 */

/* xl reads what we hash while we hash it: nothing can come in between. */
static int
restore_image(struct job *j, int file)
{
	char fd_path[32];
	char restore_[] = "restore", p_[] = "-p";
	char *argv[] = { j->xl, restore_, p_, fd_path, NULL };
	uint8_t want[SHA256_LEN];
	int p[2], rc = -1, xl;
	pid_t pid;

	memcpy(want, j->image, sizeof(want));
	if (lseek(file, 0, SEEK_SET) == -1 || pipe2(p, O_CLOEXEC) == -1)
		return vctl_fail("%s: %s", j->file, strerror(errno));
	(void)snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", p[0]);
	pid = xl_start(argv, STDERR_FILENO, p[0]);
	(void)close(p[0]);
	if (pid != -1)
		rc = stream(j, file, p[1], true);
	if (rc != 0)
		(void)vctl_fail("%s: %s", j->file, strerror(errno));
	(void)close(p[1]);
	xl = pid != -1 ? xl_end(pid) : -1;
	if (rc == 0 && !mem_equal(want, j->image, sizeof(want)))
		rc = vctl_fail("%s changed while it was read", j->file);
	if (rc == 0 && xl != 0)
		rc = vctl_fail("xl restore failed (%d)", xl);
	return rc;
}

/* Undo: the domain goes, the image can be restored again. */
static int
undo(struct job *j, bool there)
{
	uint32_t domid;

	if (there && domid_of(j, &domid))
		(void)do_xl(j, "destroy", domid);
	(void)claim(j, "abort", true);
	return EXIT_REFUSED;
}

static int
restore(struct job *j)
{
	struct stat st;
	uint32_t other;
	int fd, rc;

	if ((fd = open(j->file, O_RDONLY | O_CLOEXEC)) == -1)
		return vctl_fail("%s: %s", j->file, strerror(errno));
	rc = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? 0 : -1;
	if (rc != 0)
		(void)vctl_fail("%s: not a regular file", j->file);
	else if ((rc = stream(j, fd, -1, false)) != 0)
		(void)vctl_fail("%s: %s", j->file, strerror(errno));
	if (rc != 0 || !claim(j, "restore", false)) {
		(void)close(fd);
		return EXIT_REFUSED;
	}
	if (domid_of(j, &other)) {
		(void)vctl_fail(
		    "a domain %s (%u) is running already", j->domain, other);
		(void)close(fd);
		return undo(j, false);
	}
	rc = restore_image(j, fd);
	(void)close(fd);
	if (rc == 0 && !domid_of(j, &j->domid))
		rc = vctl_fail("xl restore left no domain %s", j->domain);
	if (rc != 0 || !claim(j, "done", true))
		return undo(j, true);
	if (do_xl(j, "unpause", j->domid) != 0)
		return vctl_fail("%s is restored, but its domain %u could not "
				 "be unpaused",
		    j->name, j->domid);
	return report(j, "restored");
}

/* --- migrate ----------------------------------------------------------------
 */

/* To this host itself: xl's sender and receiver on two ends of a pipe. */
static int
migrate(struct job *j)
{
	char migrate_[] = "migrate", s_[] = "-s", none[] = "";
	char domid[16], receive[PATH_MAX + 32];
	char *argv[] = { j->xl, migrate_, s_, none, domid, receive, NULL };
	uint32_t was;
	pid_t pid;

	if (!claim(j, "migrate", false))
		return EXIT_REFUSED;
	was = j->domid;
	(void)snprintf(domid, sizeof(domid), "%u", was);
	(void)snprintf(
	    receive, sizeof(receive), "exec %s migrate-receive", j->xl);
	if (find_name(j) != EXIT_OK)
		return EXIT_REFUSED;
	pid = xl_start(argv, STDERR_FILENO, -1);
	if (pid == -1 || xl_end(pid) != 0) {
		(void)vctl_fail("xl migrate failed; see its messages above");
		(void)claim(j, "abort", true);
		return EXIT_REFUSED;
	}
	if (!domid_of(j, &j->domid) || j->domid == was)
		return vctl_fail("xl migrate left no new domain %s", j->domain);
	return claim(j, "done", true) ? report(j, "moved") : EXIT_REFUSED;
}

/* --- the commands --------------------------------------------------------- */

static int
run(int (*job)(struct job *j), struct vctl *v, const char *name,
    const char *file)
{
	struct job j = {
		.v = v, .name = name, .file = file, .domid = NO_DOMID
	};

	if (xl_find(j.xl, sizeof(j.xl)) != VT_OK)
		return vctl_fail("xl is not in $PATH: install Xen's tools, or "
				 "set $VTPM_XL to its path");
	(void)signal(SIGPIPE, SIG_IGN);
	return job(&j);
}

static int
run_save(void *ctx, void *args, int argc, char **argv)
{
	(void)args;
	(void)argc;
	return run(save, ctx, argv[0], argv[1]);
}

static int
run_restore(void *ctx, void *args, int argc, char **argv)
{
	(void)args;
	(void)argc;
	return run(restore, ctx, argv[0], argv[1]);
}

static int
run_migrate(void *ctx, void *args, int argc, char **argv)
{
	(void)args;
	(void)argc;
	return run(migrate, ctx, argv[0], "");
}

static const struct opt_command save_cmd = {
	.name = "vtpmctl xen save",
	.about = "Save a Xen domain with xl save, bind the image to its vTPM's "
		 "state, and destroy the domain.\n"
		 "If xl cannot save it, the guest continues and vtpmctl "
		 "retries, three "
		 "times in all.\n",
	.operands = "NAME FILE",
	.nmin = 2,
	.nmax = 2,
	.run = run_save,
};

static const struct opt_command restore_cmd = {
	.name = "vtpmctl xen restore",
	.about =
	    "Restore a saved Xen domain with xl restore; the vTPM continues "
	    "where it was.\n"
	    "Every other image is refused, and so is a second time.\n",
	.operands = "NAME FILE",
	.nmin = 2,
	.nmax = 2,
	.run = run_restore,
};

static const struct opt_command migrate_cmd = {
	.name = "vtpmctl xen migrate",
	.about = "Migrate a Xen domain to this same host with xl migrate; the "
		 "vTPM continues in the new domain.\n",
	.operands = "NAME",
	.nmin = 1,
	.nmax = 1,
	.run = run_migrate,
};

static const struct opt_command *const commands[] = { &save_cmd, &restore_cmd,
	&migrate_cmd, NULL };

const struct opt_command vctl_xen = {
	.name = "vtpmctl xen",
	.about = "Save, restore or migrate a Xen domain and keep its vTPM's "
		 "PCRs.\n",
	.commands = commands,
	.more = "Environment: VTPM_XL names xl, if it is not in $PATH.\n",
};
