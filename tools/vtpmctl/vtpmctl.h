/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl.h - what the subcommands of vtpmctl share.
 *
 * Layer:  tools.
 * One subcommand per file; the table is in vtpmctl_main.c.
 */
#ifndef TOOLS_VTPMCTL_VTPMCTL_H
#define TOOLS_VTPMCTL_VTPMCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/err.h"

enum { EXIT_OK = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

struct vctl_sub;
struct vctl {
	const char *run; /* folder of the manager */
	bool json;
	sd_bus *bus;
	const char *command;        /* for usage */
	const struct vctl_sub *sub; /* likewise; NULL: the command has none */
};

struct vctl_command {
	const char *name, *args, *help;
	/* argv[0] is the command; returns an exit code. */
	int (*run)(struct vctl *v, int argc, char **argv);
};

extern const struct vctl_command vctl_commands[];

/* A command of a command; in a list that ends with a name NULL. */
struct vctl_sub {
	const char *name, *args, *help;
	/* argv[0] is the subcommand; returns an exit code. */
	int (*run)(struct vctl *v, int argc, char **argv);
};
/* Run the one that argv[1] names, or say how it or all of them are used. */
int vctl_run_sub(
    struct vctl *v, const struct vctl_sub *subs, int argc, char **argv);

/* "vtpmctl COMMAND: what is wrong" and how it is used; EXIT_USAGE. */
int vctl_usage(struct vctl *v, const char *fmt, ...) VT_PRINTF(2, 3);
/* "vtpmctl: what failed"; EXIT_REFUSED. */
int vctl_fail(const char *fmt, ...) VT_PRINTF(1, 2);
/* The one argument that is a guest's name; NULL after vctl_usage(). */
const char *vctl_one_name(struct vctl *v, int argc, char **argv);

/* Connect if that was not done yet; 0 or EXIT_REFUSED with a message. */
int vctl_connect(struct vctl *v);
/* A message for that method; NULL after a message was printed. */
sd_bus_message *vctl_new_call(struct vctl *v, const char *method);
/* Send it (and unref it); NULL after the refusal was printed. */
sd_bus_message *vctl_call(struct vctl *v, sd_bus_message *call);
/* A method whose answer is JSON text; NULL after a message was printed.
 * name NULL: no argument. */
json_t *vctl_json(struct vctl *v, const char *method, const char *name);
/* The same where it is bytes; *ret is heap. */
int vctl_bytes(struct vctl *v, const char *name, const char *what,
    uint8_t **ret, size_t *ret_len) VT_CHECK;
/* Pretty JSON to stdout; j is taken over.  Returns an exit code. */
int vctl_print_json(json_t *j);

/* Text of a member, "-" if it is not there; borrowed from o. */
const char *vctl_text(const json_t *o, const char *key);
uint64_t vctl_num(const json_t *o, const char *key);
/* "2026-01-31 12:00:00" local time. */
const char *vctl_time(uint64_t ms, char out[32]);

int vctl_create(struct vctl *v, int argc, char **argv);
int vctl_start(struct vctl *v, int argc, char **argv);
int vctl_stop(struct vctl *v, int argc, char **argv);
int vctl_reset(struct vctl *v, int argc, char **argv);
int vctl_destroy(struct vctl *v, int argc, char **argv);
int vctl_list(struct vctl *v, int argc, char **argv);
int vctl_show(struct vctl *v, int argc, char **argv);
int vctl_log(struct vctl *v, int argc, char **argv);
int vctl_audit(struct vctl *v, int argc, char **argv);
int vctl_status(struct vctl *v, int argc, char **argv);
int vctl_group(struct vctl *v, int argc, char **argv);
int vctl_recover(struct vctl *v, int argc, char **argv);
int vctl_launch(struct vctl *v, int argc, char **argv);
int vctl_launch_xen(struct vctl *v, int argc, char **argv);
int vctl_launch_record(struct vctl *v, int argc, char **argv);

/* --- launch.c: for every hypervisor --- */
struct launch_record;
/* The PCR banks of a vTPM; an exit code. */
int vctl_banks(struct vctl *v, const char *name, uint16_t *algs, uint32_t *n);
/* Hand the record to the manager; domid -1: no Xen domain's. */
int vctl_send_launch(struct vctl *v, const char *name,
    const struct launch_record *rec, int64_t domid);
int vctl_host(struct vctl *v, int argc, char **argv);
int vctl_xen(struct vctl *v, int argc, char **argv);

#endif
