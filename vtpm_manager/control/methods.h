/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * methods.h - the one list of the methods of org.vtpm.Manager1.
 *
 * Layer:  vtpm_manager/control.
 * A row is
 *	M(method, role, tenant rule, when, action, handler,
 *	    SD_BUS_ARGS(type, name, ...), SD_BUS_RESULT(type, name, ...))
 * with ROLE_role of bus_roles.h, TENANT_rule and WHEN_when of bus_call.h; the
 * action names the method in the audit log, NULL: it only reads.
 *
 * The handlers' prototypes below, the checks before each call and the object
 * on the bus (bus_methods.c) are made from these rows.  A row without its
 * handler, or a handler without its row, does not build.
 */
#ifndef VTPM_MANAGER_CONTROL_METHODS_H
#define VTPM_MANAGER_CONTROL_METHODS_H

#include "vtpm_manager/control/bus_call.h"

/* clang-format off */
#define BUS_METHODS(M) \
	M(Create, ADMIN, OWN, READY, "create", bus_create, \
	    SD_BUS_ARGS("s", name, "a{ss}", options), \
	    SD_BUS_RESULT("s", uuid, "t", microseconds, "b", from_pool)) \
	M(Destroy, ADMIN, GUEST, READY, "destroy", bus_destroy, \
	    SD_BUS_ARGS("s", name, "b", force), \
	    SD_BUS_RESULT("t", microseconds)) \
	M(SetOwner, ADMIN, GUEST, READY, "set-owner", bus_set_owner, \
	    SD_BUS_ARGS("s", name, "s", user), \
	    SD_BUS_RESULT("t", microseconds)) \
	M(Start, OPERATOR, GUEST, READY, "start", bus_start, \
	    SD_BUS_ARGS("s", name), \
	    SD_BUS_RESULT("t", microseconds)) \
	M(Stop, OPERATOR, GUEST, READY, "stop", bus_stop, \
	    SD_BUS_ARGS("s", name, "b", force), \
	    SD_BUS_RESULT("t", microseconds)) \
	M(StopAll, ADMIN, NONE, ALWAYS, "stop-all", bus_stop_all, \
	    SD_BUS_ARGS("b", end_manager, "b", start_again), \
	    SD_BUS_RESULT("u", stopped)) \
	M(Reset, OPERATOR, GUEST, READY, "reset", bus_reset, \
	    SD_BUS_ARGS("s", name), \
	    SD_BUS_RESULT("t", microseconds)) \
	M(SetBanks, ADMIN, GUEST, READY, "banks", bus_set_banks, \
	    SD_BUS_ARGS("s", name, "s", banks), \
	    SD_BUS_RESULT("t", microseconds)) \
	M(Launch, OPERATOR, GUEST, READY, "launch", bus_launch, \
	    SD_BUS_ARGS("s", name, "ay", record), \
	    SD_BUS_RESULT("t", microseconds)) \
	M(LaunchDomain, OPERATOR, NONE, READY, "launch", bus_launch_domain, \
	    SD_BUS_ARGS("s", name, "ay", record, "u", domid), \
	    SD_BUS_RESULT("t", microseconds)) \
	M(Recover, ADMIN, NONE, READY, "recover", bus_recover, \
	    SD_BUS_ARGS("as", names, "s", reason), \
	    SD_BUS_RESULT("u", recovered)) \
	M(Xen, OPERATOR, NONE, READY, "xen", bus_xen, \
	    SD_BUS_ARGS("s", name, "s", step, "ay", image, "u", domid, \
		"s", domain), \
	    SD_BUS_RESULT("u", domid, "s", domain)) \
	M(List, READER, OWN, READY, NULL, bus_list, \
	    SD_BUS_NO_ARGS, \
	    SD_BUS_RESULT("s", json)) \
	M(Show, READER, GUEST, READY, NULL, bus_show, \
	    SD_BUS_ARGS("s", name), \
	    SD_BUS_RESULT("s", json)) \
	M(Log, READER, GUEST, READY, NULL, bus_log, \
	    SD_BUS_ARGS("s", name, "s", what), \
	    SD_BUS_RESULT("ay", bytes)) \
	M(Stats, READER, NONE, READY, NULL, bus_stats, \
	    SD_BUS_NO_ARGS, \
	    SD_BUS_RESULT("s", json)) \
	M(Audit, OPERATOR, NONE, READY, NULL, bus_audit, \
	    SD_BUS_ARGS("t", from, "u", max), \
	    SD_BUS_RESULT("s", json)) \
	M(Status, READER, NONE, ALWAYS, NULL, bus_status, \
	    SD_BUS_NO_ARGS, \
	    SD_BUS_RESULT("s", json)) \
	M(Subscribe, READER, NONE, ALWAYS, NULL, bus_subscribe, \
	    SD_BUS_NO_ARGS, \
	    SD_BUS_NO_RESULT) \
	M(Limits, READER, NONE, ALWAYS, NULL, bus_limits, \
	    SD_BUS_NO_ARGS, \
	    SD_BUS_RESULT("s", json)) \
	M(GroupCreate, ADMIN, NONE, READY, "group-create", bus_group_create, \
	    SD_BUS_ARGS("s", name, "u", number, "a{ss}", options), \
	    SD_BUS_RESULT("u", number, "t", microseconds)) \
	M(GroupUpdate, ADMIN, GROUP, READY, "group-update", bus_group_update, \
	    SD_BUS_ARGS("s", name, "a{ss}", options, "ay", configuration), \
	    SD_BUS_RESULT("t", microseconds)) \
	M(GroupDelete, ADMIN, NONE, READY, "group-delete", bus_group_delete, \
	    SD_BUS_ARGS("s", name), \
	    SD_BUS_RESULT("t", microseconds)) \
	M(GroupQuote, OPERATOR, GROUP, READY, "group-quote", bus_group_quote, \
	    SD_BUS_ARGS("s", name, "ay", nonce), \
	    SD_BUS_RESULT("ay", quote)) \
	M(GroupShow, READER, GROUP, READY, NULL, bus_group_show, \
	    SD_BUS_ARGS("s", name), \
	    SD_BUS_RESULT("s", json)) \
	M(GroupList, READER, OWN, READY, NULL, bus_group_list, \
	    SD_BUS_NO_ARGS, \
	    SD_BUS_RESULT("s", json)) \
	M(HostStatus, READER, NONE, ALWAYS, NULL, bus_host_status, \
	    SD_BUS_NO_ARGS, \
	    SD_BUS_RESULT("s", json)) \
	M(HostIdentity, OPERATOR, NONE, READY, NULL, bus_host_identity, \
	    SD_BUS_NO_ARGS, \
	    SD_BUS_RESULT("s", json)) \
	M(HostActivate, ADMIN, NONE, READY, "host-enrol", bus_host_activate, \
	    SD_BUS_ARGS("ay", credential, "ay", secret), \
	    SD_BUS_RESULT("ay", answer)) \
	M(HostApprove, ADMIN, NONE, ALWAYS, "host-approve", bus_host_approve, \
	    SD_BUS_ARGS("ay", approval), \
	    SD_BUS_RESULT("s", result)) \
	M(HostRevoke, ADMIN, NONE, ALWAYS, "host-revoke", bus_host_revoke, \
	    SD_BUS_ARGS("t", epoch, "b", force), \
	    SD_BUS_RESULT("s", result)) \
	M(HostEscrow, ADMIN, NONE, READY, "host-escrow", bus_host_escrow, \
	    SD_BUS_ARGS("u", threshold, "as", keys), \
	    SD_BUS_RESULT("as", shares)) \
	M(HostRecover, ADMIN, NONE, ALWAYS, "host-recover", bus_host_recover, \
	    SD_BUS_ARGS("aay", shares), \
	    SD_BUS_RESULT("s", result)) \
	M(HostBind, ADMIN, NONE, ALWAYS, "host-bind", bus_host_bind, \
	    SD_BUS_ARGS("ay", key, "ay", approval), \
	    SD_BUS_RESULT("s", result))

#define M(method, role, tenant, when, action, serve, args, results) \
	int serve(struct bus_call *c) VT_CHECK;
BUS_METHODS(M)
#undef M
/* clang-format on */

/* A handler without its row has no prototype, and must not compile. */
#pragma GCC diagnostic error "-Wmissing-prototypes"

#endif
