/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_x509.c - certificates are accepted only from the right CA, for the
 * right key, use, vTPM and kind of root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "measure/cert/cert_extension.h"
#include "measure/cert/x509.h"
#include "measure/cert/x509_cert.h"
#include "measure/evidence/bundle.h"
#include "measure/tpm/step.h"
#include "measure/tpm/tpm_public.h"
#include "tests/unit/fakequote.h"
#include "tests/unit/testca.h"

struct set {
	struct fq f; /* for its keys and public areas */
	EVP_PKEY *ca_key, *other;
	struct cert_ext_instance ek_inst, ak_inst;
	struct tc_spec ca_spec, ek_spec, ak_spec;
	struct tc_cert ca, ek, ak;
	EVP_PKEY *ek_issuer, *ak_issuer; /* NULL: ca_key */
	/* An issuing key between, as a rule the same for both. */
	bool issuing;
	bool ak_by_ca; /* it comes with the issuing key's all the same */
	EVP_PKEY *day;
	struct tc_spec day_spec;
	struct tc_cert day_cert;
	const struct tc_spec *day_by;            /* NULL: ca_spec */
	const struct tc_cert *ek_with, *ak_with; /* NULL: day_cert */
};

#define DAY 86400L

static void
set_init(struct set *s)
{
	memset(s, 0, sizeof(*s));
	fq_init(&s->f);
	fq_make(&s->f);
	s->ca_key = EVP_EC_gen("P-256");
	s->other = EVP_EC_gen("P-256");
	s->day = EVP_EC_gen("P-256");
	assert_non_null(s->ca_key);
	assert_non_null(s->day);
	assert_non_null(s->other);
	memset(s->ak_inst.uuid, 0xab, UUID_LEN);
	s->ak_inst.generation = 3;
	s->ak_inst.group = 7;
	s->ak_inst.root = CERT_EXT_SOFTWARE;
	s->ak_inst.is_virtual = true;
	s->ek_inst = s->ak_inst;
	s->ca_spec = (struct tc_spec){ .key = s->ca_key,
		.name = "CA",
		.ca = true,
		.root = CERT_EXT_SOFTWARE };
	s->ek_spec = (struct tc_spec){ .key = s->f.ek,
		.name = "EK",
		.eku = CERT_EXT_EKU_EK,
		.inst = &s->ek_inst };
	s->ak_spec = (struct tc_spec){ .key = s->f.ak,
		.name = "AK",
		.eku = CERT_EXT_EKU_AK,
		.inst = &s->ak_inst };
	s->day_spec = (struct tc_spec){ .key = s->day,
		.name = "issuing",
		.ca = true,
		.basic = "critical,CA:TRUE,pathlen:0",
		.usage = "critical,keyCertSign",
		.root = CERT_EXT_SOFTWARE,
		.from = -DAY,
		.period = true,
		.period_from = -DAY,
		.period_to = -30 };
}

static void
set_done(struct set *s)
{
	fq_done(&s->f);
	EVP_PKEY_free(s->ca_key);
	EVP_PKEY_free(s->other);
	EVP_PKEY_free(s->day);
}

/* The two certificates by the day's key, each with its certificate behind. */
static void
by_issuing_key(struct set *s)
{
	struct tc_cert up;

	tc_make(s->day_by != NULL ? s->day_by : &s->ca_spec, NULL, NULL, &up);
	tc_make(&s->day_spec, &up,
	    s->day_by != NULL ? s->day_by->key : s->ca_key, &s->day_cert);
	tc_make(&s->ek_spec, &s->day_cert, s->day, &s->ek);
	if (s->ak_by_ca)
		tc_make(&s->ak_spec, &s->ca, s->ca_key, &s->ak);
	else
		tc_make(&s->ak_spec, &s->day_cert, s->day, &s->ak);
	tc_append(&s->ek, s->ek_with != NULL ? s->ek_with : &s->day_cert);
	tc_append(&s->ak, s->ak_with != NULL ? s->ak_with : &s->day_cert);
}

static int
judge(struct set *s, const struct tc_cert *ca, struct x509_report *rep)
{
	struct x509_want w = { .now = TC_NOW };

	w.ek_cert = s->ek.der;
	w.ek_cert_len = s->ek.len;
	w.ak_cert = s->ak.der;
	w.ak_cert_len = s->ak.len;
	w.ca = ca->der;
	w.ca_len = ca->len;
	w.ak_pub = s->f.ak_pub;
	w.ak_pub_len = s->f.ak_pub_len;
	return x509_verify(&w, rep);
}

static int
verify(struct set *s, struct x509_report *rep)
{
	tc_make(&s->ca_spec, NULL, NULL, &s->ca);
	tc_make(&s->ek_spec, &s->ca,
	    s->ek_issuer != NULL ? s->ek_issuer : s->ca_key, &s->ek);
	tc_make(&s->ak_spec, &s->ca,
	    s->ak_issuer != NULL ? s->ak_issuer : s->ca_key, &s->ak);
	if (s->issuing)
		by_issuing_key(s);
	return judge(s, &s->ca, rep);
}

static void
fails_in(struct set *s, enum x509_step step)
{
	struct x509_report rep;
	int i;

	assert_int_equal(verify(s, &rep), VT_E_AUTH);
	assert_string_equal(x509_step_id(rep.failed), x509_step_id(step));
	assert_true(rep.why[0] != '\0');
	for (i = 0; i < XS_N; i++)
		assert_int_equal(rep.outcome[i], i < (int)step ? STEP_PASS
						 : i == (int)step
						     ? STEP_FAIL
						     : STEP_NOT_REACHED);
}

static void
good_certificates_pass_every_step(void **state)
{
	struct x509_report rep;
	struct set s;

	(void)state;
	set_init(&s);
	s.ak_inst.generation = 4; /* issued again after a restore */
	assert_int_equal(verify(&s, &rep), VT_OK);
	assert_int_equal(rep.failed, XS_N);
	assert_int_equal(rep.root, CERT_EXT_SOFTWARE);
	assert_int_equal(rep.instance.generation, 4);
	assert_true(tpm_name_equal(&rep.ek_name, &s.f.ek_name));
	assert_non_null(strstr(rep.ca_subject, "CA"));
	set_done(&s);
}

static void
other_ca_is_refused(void **state)
{
	struct set s;

	(void)state;
	set_init(&s);
	s.ek_issuer = s.other; /* same name, another key */
	fails_in(&s, XS_EK_CHAIN);
	s.ek_issuer = NULL;
	s.ak_issuer = s.other;
	fails_in(&s, XS_AK_CHAIN);
	set_done(&s);
}

static void
ca_must_be_a_ca(void **state)
{
	struct x509_report rep;
	struct x509_want w = { .now = TC_NOW };
	struct set s;

	(void)state;
	set_init(&s);
	s.ca_spec.ca = false;
	fails_in(&s, XS_CA);
	assert_int_equal(x509_verify(&w, &rep), VT_E_AUTH); /* none given */
	assert_int_equal(rep.failed, XS_CA);
	w.ca = (const uint8_t *)"-----BEGIN CERTIFICATE-----\nAAAA\n";
	w.ca_len = strlen((const char *)w.ca);
	assert_int_equal(x509_verify(&w, &rep), VT_E_AUTH);
	assert_int_equal(rep.failed, XS_CA);
	w.ca = (const uint8_t *)"no certificate here\n";
	w.ca_len = strlen((const char *)w.ca);
	assert_int_equal(x509_verify(&w, &rep), VT_E_AUTH);
	assert_int_equal(rep.failed, XS_CA);
	set_done(&s);
}

static void
certificates_out_of_date_are_refused(void **state)
{
	struct set s;

	(void)state;
	set_init(&s);
	s.ek_spec.from = -100;
	s.ek_spec.to = -1;
	fails_in(&s, XS_EK_CHAIN);
	s.ek_spec.from = s.ek_spec.to = 0;
	s.ak_spec.from = 1;
	fails_in(&s, XS_AK_CHAIN);
	s.ak_spec.from = 0;
	s.ca_spec.from = -100;
	s.ca_spec.to = -1;
	fails_in(&s, XS_EK_CHAIN);
	set_done(&s);
}

static void
certificates_for_other_uses_are_refused(void **state)
{
	struct set s;

	(void)state;
	set_init(&s);
	s.ek_spec.eku = "clientAuth";
	fails_in(&s, XS_EK_PURPOSE);
	s.ek_spec.eku = NULL;
	fails_in(&s, XS_EK_PURPOSE);
	s.ek_spec.eku = CERT_EXT_EKU_AK;
	fails_in(&s, XS_EK_PURPOSE);
	s.ek_spec.eku = CERT_EXT_EKU_EK;
	s.ek_spec.ca = true;
	fails_in(&s, XS_EK_PURPOSE);
	s.ek_spec.ca = false;
	s.ak_spec.eku = CERT_EXT_EKU_EK;
	fails_in(&s, XS_AK_PURPOSE);
	s.ak_spec.eku = NULL;
	fails_in(&s, XS_AK_PURPOSE);
	s.ak_spec.eku = CERT_EXT_EKU_AK "," CERT_EXT_EKU_EK;
	fails_in(&s, XS_AK_PURPOSE);
	s.ak_spec.eku = CERT_EXT_EKU_AK;
	s.ak_spec.ca = true;
	fails_in(&s, XS_AK_PURPOSE);
	set_done(&s);
}

/* A guest that holds a certified key must not be able to certify others. */
static void
certificate_signed_by_an_ek_is_refused(void **state)
{
	struct x509_report rep;
	struct x509_want w = { .now = TC_NOW };
	struct set s;

	(void)state;
	set_init(&s);
	assert_int_equal(verify(&s, &rep), VT_OK);
	tc_make(&s.ak_spec, &s.ek, s.f.ek, &s.ak);
	w.ek_cert = s.ek.der;
	w.ek_cert_len = s.ek.len;
	w.ak_cert = s.ak.der;
	w.ak_cert_len = s.ak.len;
	w.ca = s.ca.der;
	w.ca_len = s.ca.len;
	w.ak_pub = s.f.ak_pub;
	w.ak_pub_len = s.f.ak_pub_len;
	assert_int_equal(x509_verify(&w, &rep), VT_E_AUTH);
	assert_int_equal(rep.failed, XS_AK_CHAIN);
	set_done(&s);
}

static void
other_keys_are_refused(void **state)
{
	EVP_PKEY *p384 = EVP_EC_gen("P-384");
	struct set s;

	(void)state;
	assert_non_null(p384);
	set_init(&s);
	s.ek_spec.key = p384; /* no standard template that we know */
	fails_in(&s, XS_EK_KEY);
	s.ek_spec.key = s.f.ek;
	s.ak_spec.key = s.other;
	fails_in(&s, XS_AK_KEY);
	EVP_PKEY_free(p384);
	set_done(&s);
}

static void
who_issued_a_certificate_is_told_by_the_signature(void **state)
{
	struct x509_report rep;
	struct tc_cert ca2;
	struct set s;

	(void)state;
	set_init(&s);
	assert_int_equal(verify(&s, &rep), VT_OK);
	assert_int_equal(
	    x509_issued_by(s.ak.der, s.ak.len, s.ca.der, s.ca.len), VT_OK);
	/* A CA of the same name with another key. */
	s.ca_spec.key = s.other;
	tc_make(&s.ca_spec, NULL, NULL, &ca2);
	assert_int_equal(
	    x509_issued_by(s.ak.der, s.ak.len, ca2.der, ca2.len), VT_E_AUTH);
	assert_int_equal(
	    x509_issued_by(s.ak.der, s.ak.len - 1, ca2.der, ca2.len),
	    VT_E_FORMAT);
	assert_int_equal(
	    x509_issued_by(s.ak.der, s.ak.len, NULL, 0), VT_E_FORMAT);
	set_done(&s);
}

static void
both_must_be_for_one_virtual_tpm(void **state)
{
	struct set s;

	(void)state;
	set_init(&s);
	s.ek_inst.uuid[0] ^= 1;
	fails_in(&s, XS_INSTANCE);
	s.ek_inst = s.ak_inst;
	s.ek_inst.group = 8;
	fails_in(&s, XS_INSTANCE);
	s.ek_inst = s.ak_inst;
	s.ek_inst.generation = 4; /* the AK's is from before a restore */
	fails_in(&s, XS_INSTANCE);
	s.ek_inst = s.ak_inst;
	s.ak_inst.is_virtual = s.ek_inst.is_virtual = false;
	fails_in(&s, XS_INSTANCE);
	s.ak_inst.is_virtual = s.ek_inst.is_virtual = true;
	s.ak_spec.inst = NULL;
	fails_in(&s, XS_INSTANCE);
	s.ak_spec.inst = &s.ak_inst;
	s.ek_spec.two_inst = true;
	fails_in(&s, XS_INSTANCE);
	set_done(&s);
}

/* Law 8. */
static void
software_root_never_passes_for_hardware(void **state)
{
	struct x509_report rep;
	struct set s;

	(void)state;
	set_init(&s);
	s.ek_inst.root = s.ak_inst.root = CERT_EXT_HARDWARE;
	fails_in(&s, XS_ROOT); /* the CA is a software root */
	s.ca_spec.root = 0;    /* or does not say */
	fails_in(&s, XS_ROOT);
	s.ca_spec.root = CERT_EXT_HARDWARE;
	assert_int_equal(verify(&s, &rep), VT_OK);
	assert_int_equal(rep.root, CERT_EXT_HARDWARE);
	s.ak_inst.root = CERT_EXT_SOFTWARE;
	fails_in(&s, XS_INSTANCE);
	set_done(&s);
}

static void
broken_certificates_are_refused(void **state)
{
	struct x509_report rep;
	struct x509_want w = { .now = TC_NOW };
	struct tpm_name name;
	uint8_t *copy;
	struct set s;
	size_t n;

	(void)state;
	set_init(&s);
	assert_int_equal(verify(&s, &rep), VT_OK);
	w.ca = s.ca.der;
	w.ca_len = s.ca.len;
	for (n = 0; n <= s.ek.len + 1; n++) {
		if (n == s.ek.len)
			continue;
		copy = calloc(1, n > 0 ? n : 1);
		assert_non_null(copy);
		memcpy(copy, s.ek.der, n < s.ek.len ? n : s.ek.len);
		w.ek_cert = copy;
		w.ek_cert_len = n;
		assert_int_equal(x509_ek_name(copy, n, &name), VT_E_FORMAT);
		assert_int_equal(x509_verify(&w, &rep), VT_E_AUTH);
		assert_int_equal(rep.failed, XS_EK_CHAIN);
		free(copy);
	}
	set_done(&s);
}

/* --- an issuing key between ----------------------------------------------- */

static void
issuing_key_vouches_in_its_period(void **state)
{
	struct x509_report rep;
	struct tpm_name name;
	time_t from, until;
	struct set s;

	(void)state;
	set_init(&s);
	s.issuing = true;
	s.ca_spec.basic = "critical,CA:TRUE,pathlen:1";
	s.day_spec.to = 40;
	assert_int_equal(verify(&s, &rep), VT_OK);
	assert_int_equal(rep.root, CERT_EXT_SOFTWARE);
	assert_non_null(strstr(rep.ca_subject, "CN=CA"));
	/* Good for no longer than the shortest of all. */
	assert_int_equal(rep.until, TC_NOW + 40);
	assert_int_equal(x509_ek_name(s.ek.der, s.ek.len, &name), VT_OK);
	assert_true(tpm_name_equal(&name, &s.f.ek_name));
	assert_int_equal(
	    x509_cert_times(s.ak.der, s.ak.len, &from, &until), VT_OK);
	assert_int_equal(until, TC_NOW + 60);
	assert_int_equal(
	    x509_issued_by(s.ak.der, s.ak.len, s.ca.der, s.ca.len), VT_OK);
	assert_int_equal(
	    x509_issued_by(s.ak.der, s.ak.len, s.day_cert.der, s.day_cert.len),
	    VT_E_AUTH);
	/* The first and the last second of it. */
	s.day_spec.period_from = -60;
	assert_int_equal(verify(&s, &rep), VT_OK);
	s.day_spec.period_from = -DAY;
	s.day_spec.period_to = -60;
	assert_int_equal(verify(&s, &rep), VT_OK);
	/* The user may trust it by itself, no further than it goes. */
	s.ca_spec = s.day_spec;
	s.issuing = false;
	s.ek_issuer = s.ak_issuer = s.day;
	assert_int_equal(verify(&s, &rep), VT_OK);
	s.ca_spec.period_to = -61;
	fails_in(&s, XS_EK_CHAIN);
	set_done(&s);
}

static void
t_early(struct set *s)
{
	s->ek_spec.from = -DAY - 1;
}

static void
t_late(struct set *s)
{
	s->ek_spec.from = -29;
}

static void
t_late_ak(struct set *s)
{
	s->ak_spec.from = -29;
}

static void
t_ended(struct set *s)
{
	s->day_spec.to = -1;
}

static void
t_no_period(struct set *s)
{
	s->day_spec.period = false;
}

static void
t_no_end(struct set *s)
{
	s->day_spec.period_to = 0;
}

static void
t_no_start(struct set *s)
{
	s->day_spec.period_from = 0;
}

static void
t_long_period(struct set *s)
{
	s->day_spec.period_from = -2 * DAY - 31;
}

static void
t_backwards(struct set *s)
{
	s->day_spec.period_from = -30;
	s->day_spec.period_to = -DAY;
}

static void
t_other_ca(struct set *s)
{
	static struct tc_spec other;

	other = s->ca_spec;
	other.key = s->other; /* the same name */
	s->day_by = &other;
}

static void
t_ca_without_pathlen(struct set *s)
{
	s->ca_spec.basic = "critical,CA:TRUE,pathlen:0";
}

static void
t_pathlen(struct set *s)
{
	s->day_spec.basic = "critical,CA:TRUE,pathlen:1";
}

static void
t_no_pathlen(struct set *s)
{
	s->day_spec.basic = NULL;
}

static void
t_no_ca(struct set *s)
{
	s->day_spec.ca = false;
	s->day_spec.basic = NULL;
}

static void
t_usage(struct set *s)
{
	s->day_spec.usage = "critical,digitalSignature";
}

static void
t_no_usage(struct set *s)
{
	s->day_spec.usage = NULL;
}

/* A guest's AK in the place of the day's key: all it has is its own. */
static void
t_guest_key(struct set *s)
{
	EVP_PKEY_free(s->day);
	EVP_PKEY_up_ref(s->f.ak);
	s->day = s->f.ak;
	s->day_spec = s->ak_spec;
}

static void
t_unrelated(struct set *s)
{
	static struct tc_cert other;

	tc_make(&s->ca_spec, NULL, NULL, &other);
	s->ak_with = &other;
}

static void
t_not_needed(struct set *s)
{
	s->ak_by_ca = true;
}

static void
t_root(struct set *s)
{
	s->day_spec.root = CERT_EXT_HARDWARE;
}

static void
t_root_all_but_ca(struct set *s)
{
	s->day_spec.root = CERT_EXT_HARDWARE;
	s->ek_inst.root = s->ak_inst.root = CERT_EXT_HARDWARE;
}

static void
t_no_root(struct set *s)
{
	s->day_spec.root = 0;
}

static void
no_other_key_issues(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*words;
		void		(*tweak)(struct set *s);
		enum x509_step	 step;
		const char	*why;
	} cases[] = {
		{ "before the period", t_early, XS_EK_CHAIN, "period" },
		{ "after the period", t_late, XS_EK_CHAIN, "period" },
		{ "AK after the period", t_late_ak, XS_AK_CHAIN, "period" },
		{ "no longer valid", t_ended, XS_EK_CHAIN, "expired" },
		{ "no period", t_no_period, XS_EK_CHAIN, "no period" },
		{ "no end", t_no_end, XS_EK_CHAIN, "no period" },
		{ "no start", t_no_start, XS_EK_CHAIN, "no period" },
		{ "three days", t_long_period, XS_EK_CHAIN, "two days" },
		{ "backwards", t_backwards, XS_EK_CHAIN, "two days" },
		{ "another CA", t_other_ca, XS_EK_CHAIN, "" },
		{ "a CA of pathlen 0", t_ca_without_pathlen, XS_EK_CHAIN,
		    "path length" },
		{ "pathlen 1", t_pathlen, XS_EK_CHAIN, "pathlen" },
		{ "no pathlen", t_no_pathlen, XS_EK_CHAIN, "pathlen" },
		{ "no CA", t_no_ca, XS_EK_CHAIN, "CA" },
		{ "other usage", t_usage, XS_EK_CHAIN, "" },
		{ "no usage", t_no_usage, XS_EK_CHAIN, "not a CA's" },
		{ "a guest's key", t_guest_key, XS_EK_CHAIN, "CA" },
		{ "an unrelated one", t_unrelated, XS_AK_CHAIN, "" },
		{ "one that did not issue it", t_not_needed, XS_AK_CHAIN,
		    "did not issue" },
		{ "another kind of root", t_root, XS_ROOT, "kind" },
		{ "a root that only the CA denies", t_root_all_but_ca, XS_ROOT,
		    "kind" },
		{ "no kind of root", t_no_root, XS_ROOT, "kind" },
	};
	/* clang-format on */
	struct x509_report rep;
	struct set s;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		set_init(&s);
		s.issuing = true;
		assert_int_equal(verify(&s, &rep), VT_OK);
		cases[i].tweak(&s);
		print_message("  %s\n", cases[i].words);
		fails_in(&s, cases[i].step);
		(void)verify(&s, &rep);
		assert_non_null(strstr(rep.why, cases[i].why));
		set_done(&s);
	}
}

/* The day's key makes no further ones, and no third certificate is read. */
static void
chain_has_one_issuing_key(void **state)
{
	struct x509_report rep;
	struct tc_cert second, three;
	struct tc_spec spec;
	struct set s;
	X509 *x, *by;
	size_t n;

	(void)state;
	set_init(&s);
	s.issuing = true;
	assert_int_equal(verify(&s, &rep), VT_OK);
	for (n = 0; n < s.ek.len; n++) {
		uint8_t *copy = malloc(n > 0 ? n : 1);

		assert_non_null(copy);
		memcpy(copy, s.ek.der, n);
		x = x509_chain_get(copy, n, &by);
		assert_null(by);
		/* All of the first and nothing of the second is a whole one. */
		assert_int_equal(x != NULL, n == s.ek.len - s.day_cert.len);
		X509_free(x);
		free(copy);
	}
	three = s.ek;
	tc_append(&three, &s.ca);
	assert_null(x509_chain_get(three.der, three.len, &by));
	assert_null(by);
	spec = s.day_spec;
	spec.key = s.other;
	spec.name = "second";
	tc_make(&spec, &s.day_cert, s.day, &second);
	tc_make(&s.ek_spec, &second, s.other, &s.ek);
	tc_make(&s.ak_spec, &second, s.other, &s.ak);
	tc_append(&s.ek, &second);
	tc_append(&s.ak, &second);
	assert_int_equal(judge(&s, &s.ca, &rep), VT_E_AUTH);
	assert_int_equal(rep.failed, XS_EK_CHAIN);
	/* Not where the first is trusted by itself, either. */
	assert_int_equal(judge(&s, &s.day_cert, &rep), VT_E_AUTH);
	assert_int_equal(rep.failed, XS_EK_CHAIN);
	assert_non_null(strstr(rep.why, "path length"));
	set_done(&s);
}

/* The certificates of vtpm_manager/hwtpm/ca.c, in tests/vectors/evidence. */
static void
certificates_of_the_manager_pass(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*name;
		uint8_t		 root;
	} cases[] = {
		{ "ecc", CERT_EXT_SOFTWARE },
		{ "rsa", CERT_EXT_HARDWARE },
		{ "pss", CERT_EXT_SOFTWARE },
	};
	/* clang-format on */
	struct x509_report rep;
	struct bundle *ev;
	char path[128], err[BUNDLE_ERR_MAX];
	uint8_t *buf, *ca, *made;
	size_t len, ca_len, i;

	(void)state;
	assert_int_equal(
	    read_file("tests/vectors/evidence/made", 64, &made, &len), VT_OK);
	for (i = 0; i < VT_NELEM(cases); i++) {
		struct x509_want w = { 0 };

		(void)snprintf(path, sizeof(path),
		    "tests/vectors/evidence/%s.json", cases[i].name);
		assert_int_equal(
		    read_file(path, BUNDLE_MAX_LEN, &buf, &len), VT_OK);
		assert_int_equal(bundle_parse(buf, len, &ev, err), VT_OK);
		(void)snprintf(path, sizeof(path),
		    "tests/vectors/evidence/%s-ca.pem", cases[i].name);
		assert_int_equal(
		    read_file(path, X509_CA_MAX, &ca, &ca_len), VT_OK);
		w.now = (time_t)strtoll((char *)made, NULL, 10);
		w.ca = ca;
		w.ca_len = ca_len;
		w.ek_cert = ev->part[BUNDLE_EK_CERT].p;
		w.ek_cert_len = ev->part[BUNDLE_EK_CERT].len;
		w.ak_cert = ev->part[BUNDLE_AK_CERT].p;
		w.ak_cert_len = ev->part[BUNDLE_AK_CERT].len;
		w.ak_pub = ev->part[BUNDLE_AK_PUBLIC].p + 2;
		w.ak_pub_len = ev->part[BUNDLE_AK_PUBLIC].len - 2;
		assert_int_equal(x509_verify(&w, &rep), VT_OK);
		assert_int_equal(rep.root, cases[i].root);
		bundle_free(ev);
		free(buf);
		free(ca);
	}
	free(made);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_certificates_pass_every_step),
		cmocka_unit_test(other_ca_is_refused),
		cmocka_unit_test(ca_must_be_a_ca),
		cmocka_unit_test(certificates_out_of_date_are_refused),
		cmocka_unit_test(certificates_for_other_uses_are_refused),
		cmocka_unit_test(certificate_signed_by_an_ek_is_refused),
		cmocka_unit_test(other_keys_are_refused),
		cmocka_unit_test(
		    who_issued_a_certificate_is_told_by_the_signature),
		cmocka_unit_test(both_must_be_for_one_virtual_tpm),
		cmocka_unit_test(software_root_never_passes_for_hardware),
		cmocka_unit_test(broken_certificates_are_refused),
		cmocka_unit_test(issuing_key_vouches_in_its_period),
		cmocka_unit_test(no_other_key_issues),
		cmocka_unit_test(chain_has_one_issuing_key),
		cmocka_unit_test(certificates_of_the_manager_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
