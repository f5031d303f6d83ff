/* SPDX-License-Identifier: BSD-3-Clause */
/* log.c - vtpmctl log: the host-made event log, the journal, the PCRs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json_hex.h"
#include "base/options.h"
#include "base/util.h"
#include "measure/log/eventlog.h"
#include "measure/log/journal.h"
#include "measure/log/journal_codec.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "tools/common/json.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

struct args {
	bool journal, pcrs, raw;
};

static const struct {
	uint32_t type;
	const char *name;
} types[] = {
	{ EV_POST_CODE, "EV_POST_CODE" },
	{ EV_NO_ACTION, "EV_NO_ACTION" },
	{ EV_SEPARATOR, "EV_SEPARATOR" },
	{ EV_ACTION, "EV_ACTION" },
	{ EV_EVENT_TAG, "EV_EVENT_TAG" },
	{ EV_S_CRTM_CONTENTS, "EV_S_CRTM_CONTENTS" },
	{ EV_S_CRTM_VERSION, "EV_S_CRTM_VERSION" },
	{ EV_PLATFORM_CONFIG_FLAGS, "EV_PLATFORM_CONFIG_FLAGS" },
	{ EV_COMPACT_HASH, "EV_COMPACT_HASH" },
	{ EV_IPL, "EV_IPL" },
	{ EV_IPL_PARTITION_DATA, "EV_IPL_PARTITION_DATA" },
	{ EV_EFI_ACTION, "EV_EFI_ACTION" },
	{ EV_EFI_PLATFORM_FIRMWARE_BLOB, "EV_EFI_PLATFORM_FIRMWARE_BLOB" },
	{ EV_EFI_PLATFORM_FIRMWARE_BLOB2, "EV_EFI_PLATFORM_FIRMWARE_BLOB2" },
	{ EV_EFI_BOOT_SERVICES_APPLICATION,
	    "EV_EFI_BOOT_SERVICES_APPLICATION" },
};

static const char *
type_name(uint32_t type, char buf[16])
{
	size_t i;

	for (i = 0; i < VT_NELEM(types); i++)
		if (types[i].type == type)
			return types[i].name;
	(void)snprintf(buf, 16, "0x%08x", type);
	return buf;
}

static json_t *
digests_json(const struct tpm_digest *d, uint32_t n)
{
	json_t *o = json_object();
	const char *name;
	uint32_t i;

	for (i = 0; i < n; i++)
		if ((name = digest_name(d[i].alg)) != NULL)
			(void)json_object_set_new(
			    o, name, json_hex(d[i].val, d[i].len));
	return o;
}

/* Printable text that an event carries, or nothing. */
static void
print_data(const uint8_t *p, size_t len)
{
	size_t i, n = len < 60 ? len : 60;

	for (i = 0; i < n; i++)
		if (p[i] < ' ' || p[i] > '~')
			break;
	if (i >= 4 && (i == n || p[i] == '\0'))
		(void)printf("  \"%.*s%s\"", (int)i, (const char *)p,
		    len > n ? "..." : "");
	else
		(void)printf("  %zu bytes", len);
}

/* The strongest bank is shown; --json has them all. */
static void
print_digest(const struct tpm_digest *d, uint32_t n)
{
	char hex[2 * DIGEST_MAX + 1];

	if (n == 0) {
		(void)printf("-");
		return;
	}
	hex_encode(d[n - 1].val, d[n - 1].len, hex);
	(void)printf("%s:%.16s..", digest_name(d[n - 1].alg), hex);
}

static int
show_log(struct vctl *v, const uint8_t *p, size_t len)
{
	json_t *list = json_array();
	struct el_log *log;
	struct el_event ev;
	char buf[16];
	int rc;

	if ((rc = el_open(p, len, &log)) != VT_OK) {
		json_decref(list);
		return vctl_fail("guest's event log: %s", vt_strerror(rc));
	}
	if (!v->json)
		(void)printf(
		    "%4s %3s  %-28s %s\n", "#", "PCR", "TYPE", "DIGEST, DATA");
	while ((rc = el_next(log, &ev)) == 1) {
		if (v->json) {
			(void)json_array_append_new(list,
			    json_pack("{s:I,s:I,s:s,s:o,s:o}", "index",
				(json_int_t)ev.index, "pcr", (json_int_t)ev.pcr,
				"type", type_name(ev.type, buf), "digests",
				digests_json(ev.digests, ev.ndigests), "data",
				json_hex(ev.data, ev.datalen)));
			continue;
		}
		(void)printf("%4u %3u  %-28s ", ev.index, ev.pcr,
		    type_name(ev.type, buf));
		print_digest(ev.digests, ev.ndigests);
		print_data(ev.data, ev.datalen);
		(void)printf("\n");
	}
	el_close(log);
	if (v->json && rc == 0)
		return vctl_print_json(list);
	json_decref(list);
	return rc == 0 ? EXIT_OK
		       : vctl_fail("guest's event log: %s", vt_strerror(rc));
}

static json_t *
record_json(const struct jr_record *r)
{
	return json_pack("{s:s,s:I,s:I,s:I,s:o}", "kind",
	    journal_kind_name(r->kind), "locality", (json_int_t)r->locality,
	    "pcr", (json_int_t)r->pcr, "value", (json_int_t)r->value, "digests",
	    digests_json(r->digests, r->ndigests));
}

static void
print_record(uint32_t i, const struct jr_record *r)
{
	(void)printf("%4u  %-14s locality %u", i, journal_kind_name(r->kind),
	    r->locality);
	if (journal_kind_extends(r->kind)) {
		(void)printf("  PCR %2u  ", r->pcr);
		print_digest(r->digests, r->ndigests);
	} else if (r->value != 0)
		(void)printf("  %u", r->value);
	(void)printf("\n");
}

static int
show_journal(struct vctl *v, const uint8_t *p, size_t len)
{
	json_t *list = json_array();
	struct journal *j;
	struct jr_record r;
	uint32_t i, flags;
	int rc;

	if ((rc = journal_decode(p, len, &j)) != VT_OK) {
		json_decref(list);
		return vctl_fail("guest's journal: %s", vt_strerror(rc));
	}
	flags = journal_flags(j);
	for (i = 0; i < journal_count(j); i++) {
		if (journal_get(j, i, &r) != VT_OK)
			break;
		if (v->json)
			(void)json_array_append_new(list, record_json(&r));
		else
			print_record(i, &r);
	}
	if (v->json) {
		list = json_pack("{s:I,s:b,s:b,s:b,s:I,s:o}", "power_cycles",
		    (json_int_t)journal_power_cycles(j), "capped",
		    (flags & JF_CAPPED) != 0, "restored",
		    (flags & JF_RESTORED) != 0, "full", (flags & JF_FULL) != 0,
		    "chained_mask", (json_int_t)journal_chained_mask(j),
		    "records", list);
		journal_free(j);
		return vctl_print_json(list);
	}
	json_decref(list);
	(void)printf("%u power cycle(s)%s%s%s\n", journal_power_cycles(j),
	    flags & JF_CAPPED ? ", capped after a crash" : "",
	    flags & JF_RESTORED ? ", restored from a snapshot" : "",
	    flags & JF_FULL ? ", full: some PCRs are chained" : "");
	journal_free(j);
	return EXIT_OK;
}

static int
show_pcrs(struct vctl *v, const uint8_t *p, size_t len)
{
	json_t *all = json_object(), *bank;
	char hex[2 * DIGEST_MAX + 1], key[8];
	struct pcr_set set;
	uint32_t b, i;
	int rc;

	if ((rc = pcr_set_decode(p, len, &set)) != VT_OK) {
		json_decref(all);
		return vctl_fail("guest's PCRs: %s", vt_strerror(rc));
	}
	for (b = 0; b < set.nbanks; b++) {
		bank = json_object();
		for (i = 0; i < PCR_COUNT; i++) {
			if (!(set.banks[b].valid & (1u << i)))
				continue;
			hex_encode(set.banks[b].val[i], set.banks[b].len, hex);
			(void)snprintf(key, sizeof(key), "%u", i);
			(void)json_object_set_new(bank, key, json_string(hex));
			if (!v->json)
				(void)printf("%s %2u  %s\n",
				    digest_name(set.banks[b].alg), i, hex);
		}
		(void)json_object_set_new(
		    all, digest_name(set.banks[b].alg), bank);
	}
	if (v->json)
		return vctl_print_json(all);
	json_decref(all);
	return EXIT_OK;
}

/* *ret is heap.  An exit code. */
static int
fetch(struct vctl *v, const char *name, const char *what, uint8_t **ret,
    size_t *ret_len)
{
	sd_bus_message *reply = vctl_ask(v, "Log", "ss", name, what);
	const void *p = NULL;
	int rc = EXIT_REFUSED;

	if (reply == NULL)
		return rc;
	if (vctl_take_bytes(reply, &p, ret_len)) {
		if ((*ret = malloc(*ret_len + 1)) == NULL)
			(void)vctl_fail("out of memory");
		else
			rc = EXIT_OK;
	}
	if (rc == EXIT_OK && p != NULL)
		memcpy(*ret, p, *ret_len);
	sd_bus_message_unref(reply);
	return rc;
}

static int
print(struct vctl *v, const struct args *a, const char *name, const uint8_t *p,
    size_t len)
{
	if (a->raw)
		return fwrite(p, 1, len, stdout) == len
			   ? EXIT_OK
			   : vctl_fail("cannot write to standard output: %m");
	if (len == 0)
		return vctl_fail("guest %s: the host recorded no launch", name);
	if (a->pcrs)
		return show_pcrs(v, p, len);
	return a->journal ? show_journal(v, p, len) : show_log(v, p, len);
}

static int
log_cmd(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	uint8_t *p = NULL;
	size_t len = 0;
	int rc;

	(void)argc;
	rc = fetch(ctx, argv[0],
	    a->pcrs      ? "pcrs"
	    : a->journal ? "journal"
			 : "log",
	    &p, &len);
	if (rc == EXIT_OK)
		rc = print(ctx, a, argv[0], p, len);
	free(p);
	return rc;
}

static const struct opt opts[] = {
	{ OPT_FLAG("journal", 0, struct args, journal,
	    "show the journal of every change of a PCR since the last power "
	    "cycle") },
	{ OPT_FLAG("pcrs", 0, struct args, pcrs, "show the PCRs") },
	{ OPT_FLAG("raw", 0, struct args, raw,
	    "write the bytes as they are, not as text") },
	OPT_END,
};

const struct opt_command vctl_log = {
	.name = "vtpmctl log",
	.about = "Show the event log that the host made of a guest's launch, "
		 "the guest's journal, or its PCRs.\n",
	.usage = "[--journal | --pcrs] [--raw] NAME\n",
	.operands = "NAME",
	.nmin = 1,
	.nmax = 1,
	.opts = opts,
	.size = sizeof(struct args),
	.run = log_cmd,
};
