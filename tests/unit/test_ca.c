/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_ca.c - certificates of vTPMs, with an OpenSSL key where the TPM's is.
 *
 * Public areas are built here, straight from the structures of the TPM 2.0
 * Library, Part 2, 12.2; results are read with OpenSSL and with our own
 * verifier (measure/cert/x509.c).
 */
#include "tests/unit/ca_fixture.h"

/* --- tests -------------------------------------------------------------------
 */

static void
the_ca_is_a_ca_of_issuing_keys_alone(void **state)
{
	static const uint8_t roots[] = { ROOT_S, ROOT_H };
	struct ca_der der;
	struct ca *ca;
	char text[512];
	uint8_t kind;
	size_t i;
	X509 *x;

	(void)state;
	for (i = 0; i < VT_NELEM(roots); i++) {
		make_ca(roots[i], &der, &ca);
		x = parse(&der);
		assert_int_equal(verifies(x, x), 1);
		assert_int_equal(X509_check_ca(x), 1);
		assert_int_equal(X509_get_pathlen(x), 1);
		assert_true(ca_may_delegate(ca));
		assert_true(ca_is_current(ca, 0));
		assert_int_equal(
		    X509_get_key_usage(x), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
		extensions(x, text, sizeof(text));
		assert_string_equal(text,
		    "2.5.29.19! 2.5.29.15! 2.5.29.14 1.3.6.1.4.1.99999.20.2");
		subject_text(x, text, sizeof(text));
		assert_string_equal(
		    text, roots[i] == ROOT_S
			      ? "CN = vTPM manager CA (software root) host"
			      : "CN = vTPM manager CA (hardware root) host");
		assert_int_equal(
		    cert_ext_root_get(
			ASN1_STRING_get0_data(extension(x, CERT_EXT_OID_ROOT)),
			(size_t)ASN1_STRING_length(
			    extension(x, CERT_EXT_OID_ROOT)),
			&kind),
		    VT_OK);
		assert_int_equal(kind, roots[i]);
		X509_free(x);
		ca_free(ca);
	}
}

static void
each_certificate_verifies_and_has_its_purpose(void **state)
{
	struct ca_der ca_der, der;
	struct ca *ca;
	char text[512];
	X509 *cax, *x;
	size_t i;

	(void)state;
	make_ca(ROOT_S, &ca_der, &ca);
	cax = parse(&ca_der);
	for (i = 0; i < VT_NELEM(all_kinds); i++) {
		const struct kind *k = &all_kinds[i];
		EXTENDED_KEY_USAGE *eku;

		print_message("  %s\n", k->what);
		issue(ca, k, &der);
		x = parse(&der);
		assert_int_equal(verifies(cax, x), 1);
		assert_int_equal(X509_get_version(x), X509_VERSION_3);
		assert_int_equal(X509_check_ca(x), 0);
		assert_int_equal(X509_get_key_usage(x), k->usage);
		extensions(x, text, sizeof(text));
		assert_string_equal(text, k->extensions);
		eku = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
		assert_int_equal(sk_ASN1_OBJECT_num(eku), 1);
		(void)OBJ_obj2txt(
		    text, sizeof(text), sk_ASN1_OBJECT_value(eku, 0), 1);
		assert_string_equal(text, k->purpose);
		EXTENDED_KEY_USAGE_free(eku);
		/* The key is the one that was shown. */
		assert_int_equal(
		    EVP_PKEY_eq(X509_get0_pubkey(x),
			k->which == WCERT_EK_RSA ? rsa_evp : ecc_evp),
		    1);
		X509_free(x);
	}
	X509_free(cax);
	ca_free(ca);
}

/* The directoryName's attributes as "OID=text;...", then URIs. */
static void
alt_names(X509 *x, char *out, size_t cap)
{
	GENERAL_NAMES *g =
	    X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	size_t n = 0;
	char oid[64];
	int i, j;

	assert_non_null(g);
	for (i = 0; i < sk_GENERAL_NAME_num(g); i++) {
		GENERAL_NAME *gn = sk_GENERAL_NAME_value(g, i);

		if (gn->type == GEN_URI) {
			n += (size_t)snprintf(out + n, cap - n, "%s",
			    (const char *)ASN1_STRING_get0_data(
				gn->d.uniformResourceIdentifier));
			continue;
		}
		assert_int_equal(gn->type, GEN_DIRNAME);
		for (j = 0; j < X509_NAME_entry_count(gn->d.directoryName);
		     j++) {
			X509_NAME_ENTRY *e =
			    X509_NAME_get_entry(gn->d.directoryName, j);
			ASN1_STRING *s = X509_NAME_ENTRY_get_data(e);

			(void)OBJ_obj2txt(
			    oid, sizeof(oid), X509_NAME_ENTRY_get_object(e), 1);
			assert_int_equal(
			    ASN1_STRING_type(s), V_ASN1_UTF8STRING);
			n += (size_t)snprintf(out + n, cap - n, "%s=%s;", oid,
			    (const char *)ASN1_STRING_get0_data(s));
		}
	}
	assert_true(n < cap);
	GENERAL_NAMES_free(g);
}

static void
a_certificate_says_virtual_and_which_root(void **state)
{
	static const struct {
		uint8_t root;
		const char *ou, *san;
	} cases[] = {
		{ ROOT_S, "OU = \"virtual TPM, software root\"",
		    "2.23.133.2.1=id:56544D31;2.23.133.2.2=virtual TPM, "
		    "software root;2.23.133.2.3=id:00010000;" },
		{ ROOT_H, "OU = \"virtual TPM, hardware root\"",
		    "2.23.133.2.1=id:56544D31;2.23.133.2.2=virtual TPM, "
		    "hardware root;2.23.133.2.3=id:00010000;" },
	};
	struct ca_der ca_der, der;
	struct cert_ext_instance in;
	struct ca_subject sub = subject();
	struct ca *ca;
	char text[512], want[512];
	size_t i, k;
	X509 *x;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		make_ca(cases[i].root, &ca_der, &ca);
		for (k = 0; k < VT_NELEM(all_kinds); k++) {
			const ASN1_OCTET_STRING *e;
			bool is_ak = all_kinds[k].which == WCERT_AK;

			issue(ca, &all_kinds[k], &der);
			x = parse(&der);
			subject_text(x, text, sizeof(text));
			(void)snprintf(want, sizeof(want),
			    "%s, CN = guest "
			    "10111213-1415-1617-1819-1a1b1c1d1e1f",
			    cases[i].ou);
			assert_string_equal(text, want);
			alt_names(x, text, sizeof(text));
			(void)snprintf(want, sizeof(want), "%s%s", cases[i].san,
			    is_ak ? "urn:uuid:10111213-1415-1617-1819-"
				    "1a1b1c1d1e1f"
				  : "");
			assert_string_equal(text, want);
			e = extension(x, CERT_EXT_OID_INSTANCE);
			assert_int_equal(
			    cert_ext_instance_get(ASN1_STRING_get0_data(e),
				(size_t)ASN1_STRING_length(e), &in),
			    VT_OK);
			assert_memory_equal(in.uuid, sub.uuid, UUID_LEN);
			assert_int_equal(in.generation, 3);
			assert_int_equal(in.group, 7);
			assert_int_equal(in.root, cases[i].root);
			assert_true(in.is_virtual);
			X509_free(x);
		}
		ca_free(ca);
	}
}

/* TPMSpecification as swtpm's certificates for the same library have it. */
static void
the_specification_is_said(void **state)
{
	static const uint8_t v20[] = { 0x30, 0x19, 0x30, 0x17, 0x06, 0x05, 0x67,
		0x81, 0x05, 0x02, 0x10, 0x31, 0x0e, 0x30, 0x0c, 0x0c, 0x03, '2',
		'.', '0', 0x02, 0x01, 0x00, 0x02, 0x02, 0x00, 0xa4 };
	static const uint8_t v12[] = { 0x30, 0x18, 0x30, 0x16, 0x06, 0x05, 0x67,
		0x81, 0x05, 0x02, 0x10, 0x31, 0x0d, 0x30, 0x0b, 0x0c, 0x03, '1',
		'.', '2', 0x02, 0x01, 0x02, 0x02, 0x01, 0x74 };
	struct ca_subject sub = subject();
	const ASN1_OCTET_STRING *e;
	struct ca_der ca_der, der;
	uint8_t n[512];
	struct ca *ca;
	X509 *x;

	(void)state;
	make_ca(ROOT_S, &ca_der, &ca);
	issue(ca, &all_kinds[0], &der);
	x = parse(&der);
	e = extension(x, "2.5.29.9");
	assert_int_equal(ASN1_STRING_length(e), sizeof(v20));
	assert_memory_equal(ASN1_STRING_get0_data(e), v20, sizeof(v20));
	X509_free(x);

	sub.tpm_version = TPM_VER_12;
	assert_int_equal(ca_issue(ca, &sub, WCERT_EK_RSA, n,
			     modulus(rsa_evp, n, sizeof(n)), &der),
	    VT_OK);
	x = parse(&der);
	e = extension(x, "2.5.29.9");
	assert_int_equal(ASN1_STRING_length(e), sizeof(v12));
	assert_memory_equal(ASN1_STRING_get0_data(e), v12, sizeof(v12));
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(x), rsa_evp), 1);
	assert_int_equal(X509_get_key_usage(x), KU_KEY_ENCIPHERMENT);
	X509_free(x);
	ca_free(ca);
}

static long
days_left(const ASN1_TIME *t)
{
	int days, seconds;

	assert_int_equal(ASN1_TIME_diff(&days, &seconds, NULL, t), 1);
	return days;
}

static void
lives_are_as_asked(void **state)
{
	struct ca_subject sub = subject();
	struct ca_der ca_der, der;
	struct ca *ca;
	int days, seconds;
	X509 *x, *cax;

	(void)state;
	make_ca(ROOT_S, &ca_der, &ca);
	cax = parse(&ca_der);
	assert_in_range(days_left(X509_get0_notAfter(cax)), 7303, 7306);

	issue(ca, &all_kinds[0], &der);
	x = parse(&der);
	assert_int_equal(
	    ASN1_TIME_compare(X509_get0_notAfter(x), X509_get0_notAfter(cax)),
	    0);
	assert_int_equal(days_left(X509_get0_notBefore(x)), 0);
	X509_free(x);

	sub.ak_seconds = UINT32_MAX; /* 136 years */
	assert_int_equal(
	    ca_issue(ca, &sub, WCERT_AK, ak.b, ak.len, &der), VT_OK);
	x = parse(&der);
	assert_int_equal(
	    ASN1_TIME_compare(X509_get0_notAfter(x), X509_get0_notAfter(cax)),
	    0);
	assert_true(ASN1_TIME_compare(
			X509_get0_notBefore(x), X509_get0_notBefore(cax)) >= 0);
	X509_free(x);
	X509_free(cax);

	issue(ca, &all_kinds[2], &der);
	x = parse(&der);
	assert_in_range(days_left(X509_get0_notAfter(x)), 364, 365);
	X509_free(x);

	sub.ak_seconds = 7200;
	assert_int_equal(
	    ca_issue(ca, &sub, WCERT_AK, ak.b, ak.len, &der), VT_OK);
	x = parse(&der);
	assert_int_equal(
	    ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x)), 1);
	assert_int_equal(days, 0);
	assert_in_range(seconds, 7190, 7200);
	X509_free(x);
	ca_free(ca);
}

static void
serials_differ_and_are_positive(void **state)
{
	uint8_t last[20] = { 0 };
	struct ca_der ca_der, der;
	struct ca *ca;
	int i;

	(void)state;
	make_ca(ROOT_S, &ca_der, &ca);
	for (i = 0; i < 16; i++) {
		const ASN1_INTEGER *s;
		X509 *x;

		issue(ca, &all_kinds[1], &der);
		x = parse(&der);
		s = X509_get0_serialNumber(x);
		assert_int_equal(ASN1_STRING_type(s), V_ASN1_INTEGER);
		assert_int_equal(ASN1_STRING_length(s), 16);
		assert_memory_not_equal(ASN1_STRING_get0_data(s), last, 16);
		memcpy(last, ASN1_STRING_get0_data(s), 16);
		X509_free(x);
	}
	ca_free(ca);
}

/* RFC 5280: 64 characters; the uuid is never what is cut. */
static void
long_names_are_cut_between_characters(void **state)
{
	char host[NAME_MAX_LEN + 1], text[512];
	const struct ca_signer s = { sign_evp, ca_evp };
	struct ca_subject sub = subject();
	struct ca_der der;
	struct ca *ca;
	size_t i;
	X509 *x;

	(void)state;
	memset(host, 'h', NAME_MAX_LEN);
	host[NAME_MAX_LEN] = '\0';
	assert_int_equal(
	    ca_self_signed(&s, ca_pub.b, ca_pub.len, ROOT_S, host, &der),
	    VT_OK);
	x = parse(&der);
	subject_text(x, text, sizeof(text));
	assert_non_null(
	    strstr(text, "CN = vTPM manager CA (software root) "
			 "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh, OU = hhhh"));
	assert_int_equal(verifies(x, x), 1);
	X509_free(x);

	make_ca(ROOT_S, &der, &ca);
	/* 26 bytes, then two-byte characters: the cut at 27 is inside one. */
	for (i = 0; i < NAME_MAX_LEN - 1; i += 2)
		memcpy(host + i, "\xc3\xa4", 2);
	host[NAME_MAX_LEN - 1] = '\0';
	sub.name = host;
	assert_int_equal(
	    ca_issue(ca, &sub, WCERT_AK, ak.b, ak.len, &der), VT_OK);
	x = parse(&der);
	subject_text(x, text, sizeof(text));
	assert_non_null(strstr(text,
	    "CN = \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
	    "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 10111213-1415"));
	X509_free(x);
	sub.name = "\xff\xfe";
	assert_int_equal(
	    ca_issue(ca, &sub, WCERT_AK, ak.b, ak.len, &der), VT_E_FORMAT);
	ca_free(ca);
}

static void
a_key_that_no_vtpm_makes_gets_no_certificate(void **state)
{
	struct ca_subject sub = subject();
	struct pub_bytes p;
	struct ca_der ca_der, der = { .len = 0 };
	struct ca *ca;
	size_t i;
	/* clang-format off */
	static const struct {
		const char	*what;
		uint8_t		 which;
		const struct pub_bytes *pub;
		size_t		 off;
		uint8_t		 flip;
		int		 want;
	} cases[] = {
		/* offsets: size 0, type 2, name 4, attributes 6..9 */
		{ "AK not fixed to its TPM",	WCERT_AK, &ak, 9, 0x02, VT_E_POLICY },
		{ "AK not fixed to its parent",	WCERT_AK, &ak, 9, 0x10, VT_E_POLICY },
		{ "AK made elsewhere",		WCERT_AK, &ak, 9, 0x20, VT_E_POLICY },
		{ "AK not restricted",		WCERT_AK, &ak, 7, 0x01, VT_E_POLICY },
		{ "AK that decrypts too",	WCERT_AK, &ak, 7, 0x02, VT_E_POLICY },
		{ "AK that does not sign",	WCERT_AK, &ak, 7, 0x04, VT_E_POLICY },
		{ "EK as AK",			WCERT_AK, &ek_ecc, 0, 0, VT_E_POLICY },
		{ "AK as EK",			WCERT_EK_ECC, &ak, 0, 0, VT_E_POLICY },
		{ "ECC as RSA EK",		WCERT_EK_RSA, &ek_ecc, 0, 0, VT_E_UNSUPPORTED },
		{ "RSA as ECC EK",		WCERT_EK_ECC, &ek_rsa, 0, 0, VT_E_UNSUPPORTED },
		{ "EK that signs",		WCERT_EK_RSA, &ek_rsa, 7, 0x04, VT_E_POLICY },
		{ "Name by SHA-1",		WCERT_AK, &ak, 5, 0x0f, VT_E_UNSUPPORTED },
		{ "symmetric key",		WCERT_AK, &ak, 3, 0x23 ^ 0x25, VT_E_UNSUPPORTED },
		{ "size too large",		WCERT_AK, &ak, 1, 0x80, VT_E_TRUNC },
		{ "size too small",		WCERT_AK, &ak, 1, 0x08, VT_E_FORMAT },
		{ "unknown curve",		WCERT_AK, &ak, 19, 0x10, VT_E_UNSUPPORTED },
		{ "point off the curve",	WCERT_AK, &ak, 50, 0x01, VT_E_CRYPTO },
		{ "even modulus",		WCERT_EK_RSA, &ek_rsa, 28 + 255, 0x01, VT_E_UNSUPPORTED },
		{ "small modulus",		WCERT_EK_RSA, &ek_rsa, 28, 0x80, VT_E_UNSUPPORTED },
		{ "exponent",			WCERT_EK_RSA, &ek_rsa, 25, 0x03, VT_E_UNSUPPORTED },
		{ "no such kind",		0, &ak, 0, 0, VT_E_RANGE },
		{ "no such kind",		4, &ak, 0, 0, VT_E_RANGE },
	};
	/* clang-format on */

	(void)state;
	make_ca(ROOT_S, &ca_der, &ca);
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		p = *cases[i].pub;
		p.b[cases[i].off] ^= cases[i].flip;
		assert_int_equal(
		    ca_issue(ca, &sub, cases[i].which, p.b, p.len, &der),
		    cases[i].want);
	}
	/* TPM 1.2 has an RSA EK and nothing else. */
	sub.tpm_version = TPM_VER_12;
	assert_int_equal(
	    ca_issue(ca, &sub, WCERT_AK, ak.b, ak.len, &der), VT_E_UNSUPPORTED);
	assert_int_equal(ca_issue(ca, &sub, WCERT_EK_RSA, ek_rsa.b, 255, &der),
	    VT_E_UNSUPPORTED);
	assert_int_equal(der.len, 0); /* untouched */
	ca_free(ca);
}

static void
every_prefix_of_a_key_is_refused(void **state)
{
	struct ca_subject sub = subject();
	struct ca_der ca_der, der;
	struct ca *ca;
	size_t i, n;

	(void)state;
	make_ca(ROOT_S, &ca_der, &ca);
	for (i = 0; i < VT_NELEM(all_kinds); i++)
		for (n = 0; n < all_kinds[i].pub->len; n++) {
			uint8_t *copy = malloc(n > 0 ? n : 1);

			assert_non_null(copy);
			memcpy(copy, all_kinds[i].pub->b, n);
			assert_int_equal(ca_issue(ca, &sub, all_kinds[i].which,
					     copy, n, &der),
			    VT_E_TRUNC);
			free(copy);
		}
	ca_free(ca);
}

static void
a_signature_by_another_key_is_not_believed(void **state)
{
	const struct ca_signer wrong = { sign_evp, other_evp };
	const struct ca_signer broken = { sign_fails, NULL };
	struct ca_subject sub = subject();
	struct ca_der good, der = { .len = 0 };
	struct ca *ca;

	(void)state;
	assert_int_equal(
	    ca_self_signed(&wrong, ca_pub.b, ca_pub.len, ROOT_S, "h", &der),
	    VT_E_AUTH);
	assert_int_equal(
	    ca_self_signed(&broken, ca_pub.b, ca_pub.len, ROOT_S, "h", &der),
	    VT_E_TPM);
	make_ca(ROOT_S, &good, &ca);
	ca_free(ca);
	assert_int_equal(ca_open(&wrong, good.buf, good.len, ca_pub.b,
			     ca_pub.len, ROOT_S, &ca),
	    VT_OK);
	assert_int_equal(
	    ca_issue(ca, &sub, WCERT_AK, ak.b, ak.len, &der), VT_E_AUTH);
	assert_int_equal(der.len, 0);
	ca_free(ca);
}

static void
a_ca_that_does_not_fit_is_not_opened(void **state)
{
	const struct ca_signer s = { sign_evp, ca_evp };
	struct ca_der good, leaf, bad;
	struct ca *ca, *none = NULL;
	size_t i;

	(void)state;
	make_ca(ROOT_S, &good, &ca);
	issue(ca, &all_kinds[2], &leaf);
	/* Another kind of root, another key, a certificate of no CA. */
	assert_int_equal(ca_open(&s, good.buf, good.len, ca_pub.b, ca_pub.len,
			     ROOT_H, &none),
	    VT_E_POLICY);
	assert_int_equal(ca_open(&s, good.buf, good.len, other_pub.b,
			     other_pub.len, ROOT_S, &none),
	    VT_E_CORRUPT);
	assert_int_equal(ca_open(&s, leaf.buf, leaf.len, ca_pub.b, ca_pub.len,
			     ROOT_S, &none),
	    VT_E_FORMAT);
	assert_int_equal(
	    ca_open(&s, good.buf, good.len, ak.b, ak.len, ROOT_S, &none),
	    VT_E_POLICY);
	/* One bit anywhere. */
	for (i = 0; i < good.len; i++) {
		bad = good;
		bad.buf[i] ^= 0x01;
		assert_int_not_equal(ca_open(&s, bad.buf, bad.len, ca_pub.b,
					 ca_pub.len, ROOT_S, &none),
		    VT_OK);
		assert_int_not_equal(ca_open(&s, good.buf, i, ca_pub.b,
					 ca_pub.len, ROOT_S, &none),
		    VT_OK);
	}
	assert_null(none);
	ca_free(ca);
	ca_free(NULL);
}

/* --- an issuing key ------------------------------------------------------- */

static void
an_issuing_key_certifies_in_the_cas_stead(void **state)
{
	struct ca_der ca_der, der;
	struct ca *ca, *day, *next;
	X509 *cax, *by, *by2, *x;
	uint8_t kind;
	char text[512];
	size_t i;

	(void)state;
	make_ca(ROOT_H, &ca_der, &ca);
	cax = parse(&ca_der);
	assert_int_equal(ca_issuing_new(ca, &day), VT_OK);
	assert_true(ca_is_current(day, 86390));
	assert_false(ca_is_current(day, 86401));
	by = parse(ca_issuing_cert(day));
	assert_int_equal(verifies(cax, by), 1);
	assert_int_equal(X509_check_ca(by), 1);
	assert_int_equal(X509_get_pathlen(by), 0);
	assert_int_equal(X509_get_key_usage(by), KU_KEY_CERT_SIGN);
	extensions(by, text, sizeof(text));
	assert_string_equal(text, "2.5.29.19! 2.5.29.15! 2.5.29.14 2.5.29.35 "
				  "1.3.6.1.4.1.99999.20.2 2.5.29.16");
	assert_true(x509_get_root(by, &kind));
	assert_int_equal(kind, ROOT_H);
	assert_int_equal(
	    ASN1_TIME_compare(X509_get0_notAfter(by), X509_get0_notAfter(cax)),
	    0);
	for (i = 0; i < VT_NELEM(all_kinds); i++) {
		issue(day, &all_kinds[i], &der);
		x = parse(&der);
		assert_int_equal(verifies_by(cax, by, x), 1);
		assert_int_equal(verifies(cax, x), 0); /* not by itself */
		assert_null(x509_issuing_check(by, x));
		X509_free(x);
	}
	/* The next one is another key, which did not issue that. */
	assert_int_equal(ca_issuing_new(ca, &next), VT_OK);
	by2 = parse(ca_issuing_cert(next));
	assert_int_equal(
	    EVP_PKEY_eq(X509_get0_pubkey(by), X509_get0_pubkey(by2)), 0);
	x = parse(&der);
	assert_int_equal(verifies_by(cax, by2, x), 0);
	X509_free(x);
	X509_free(by);
	X509_free(by2);
	X509_free(cax);
	ca_free(next);
	ca_free(day);
	ca_free(ca);
}

/* Time as time(2) has it: --wrap. */
static time_t later;
time_t __real_time(time_t *t);
time_t __wrap_time(time_t *t);

time_t
__wrap_time(time_t *t)
{
	time_t now = __real_time(NULL) + later;

	if (t != NULL)
		*t = now;
	return now;
}

static void
an_issuing_key_ends_with_its_day(void **state)
{
	/* clang-format off */
	static const struct {
		time_t	 later;
		bool	 good;
	} cases[] = {
		{ 0, true }, { 86390, true }, { 86401, false },
		{ 40 * 86400, false }, { -10, false }, { -86400, false },
	};
	/* clang-format on */
	struct ca_subject sub = subject();
	struct ca_der ca_der, der;
	struct ca *ca, *day;
	X509 *by, *x;
	size_t i;

	(void)state;
	make_ca(ROOT_S, &ca_der, &ca);
	assert_int_equal(ca_issuing_new(ca, &day), VT_OK);
	by = parse(ca_issuing_cert(day));
	for (i = 0; i < VT_NELEM(cases); i++) {
		later = cases[i].later;
		print_message("  %lld s\n", (long long)later);
		assert_int_equal(ca_is_current(day, 0), cases[i].good);
		assert_int_equal(
		    ca_issue(day, &sub, WCERT_AK, ak.b, ak.len, &der),
		    cases[i].good ? VT_OK : VT_E_STATE);
		if (!cases[i].good)
			continue;
		x = parse(&der);
		assert_null(x509_issuing_check(by, x));
		X509_free(x);
	}
	later = 0;
	ca_free(day);
	X509_free(by);
	ca_free(ca);
}

static void
replace_pathlen(X509 *x, long n, struct ca_der *ret)
{
	BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
	uint8_t *p = ret->buf;

	bc->ca = 0xff;
	bc->pathlen = ASN1_INTEGER_new();
	assert_int_equal(ASN1_INTEGER_set(bc->pathlen, n), 1);
	assert_int_equal(X509_add1_ext_i2d(x, NID_basic_constraints, bc, 1,
			     X509V3_ADD_REPLACE),
	    1);
	assert_true(X509_sign(x, ca_evp, EVP_sha256()) > 0);
	ret->len = (size_t)i2d_X509(x, &p);
	BASIC_CONSTRAINTS_free(bc);
}

static void
a_ca_of_before_certifies_itself(void **state)
{
	const struct ca_signer s = { sign_evp, ca_evp };
	struct ca_der der;
	struct ca *ca;
	uint8_t *pem;
	X509 *x;
	size_t n;
	BIO *b;

	(void)state;
	assert_int_equal(
	    read_file("tests/vectors/evidence/ecc-ca.pem", 8192, &pem, &n),
	    VT_OK);
	b = BIO_new_mem_buf(pem, (int)n);
	assert_non_null(x = PEM_read_bio_X509(b, NULL, NULL, NULL));
	assert_int_equal(X509_get_pathlen(x), 0);
	/* One like it, of a key that is here. */
	make_ca(ROOT_S, &der, &ca);
	ca_free(ca);
	X509_free(x);
	x = parse(&der);
	replace_pathlen(x, 0, &der);
	assert_int_equal(
	    ca_open(&s, der.buf, der.len, ca_pub.b, ca_pub.len, ROOT_S, &ca),
	    VT_OK);
	assert_false(ca_may_delegate(ca));
	ca_free(ca);
	X509_free(x);
	BIO_free(b);
	free(pem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ca_is_a_ca_of_issuing_keys_alone),
		cmocka_unit_test(each_certificate_verifies_and_has_its_purpose),
		cmocka_unit_test(a_certificate_says_virtual_and_which_root),
		cmocka_unit_test(the_specification_is_said),
		cmocka_unit_test(lives_are_as_asked),
		cmocka_unit_test(serials_differ_and_are_positive),
		cmocka_unit_test(long_names_are_cut_between_characters),
		cmocka_unit_test(a_key_that_no_vtpm_makes_gets_no_certificate),
		cmocka_unit_test(every_prefix_of_a_key_is_refused),
		cmocka_unit_test(a_signature_by_another_key_is_not_believed),
		cmocka_unit_test(a_ca_that_does_not_fit_is_not_opened),
		cmocka_unit_test(an_issuing_key_certifies_in_the_cas_stead),
		cmocka_unit_test(an_issuing_key_ends_with_its_day),
		cmocka_unit_test(a_ca_of_before_certifies_itself),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
