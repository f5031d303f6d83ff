/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify.c - judge a guest's evidence with libvtpm-verify.
 *
 *	cc -o verify verify.c $(pkg-config --cflags --libs vtpm-verify)
 *	./verify EVIDENCE NONCE POLICY [CA | HOST HOST-STATES ROOTS]
 *
 * NONCE is in hexadecimal.  The exit code is the verdict: 0 accepted,
 * 1 refused, 2 undecided or failed.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vtpm-verify/vtpm_verify.h>

#define UNDECIDED 2
#define FILE_MAX (8L * 1024 * 1024)

struct file {
	char *p;
	size_t len;
};

static struct file
read_file(const char *path)
{
	struct file f = { .p = malloc(FILE_MAX) };
	FILE *in = fopen(path, "rb");

	if (f.p == NULL || in == NULL)
		err(UNDECIDED, "%s", path);
	f.len = fread(f.p, 1, FILE_MAX, in);
	if (ferror(in) || f.len == FILE_MAX)
		errx(UNDECIDED, "%s: cannot read it, or it is too long", path);
	(void)fclose(in);
	return f;
}

/* Hand one file to one setter of the verifier. */
static void
set(struct vtpm_verifier *v, const char *path,
    int (*setter)(struct vtpm_verifier *, const void *, size_t))
{
	struct file f = read_file(path);

	if (setter(v, f.p, f.len) != 0)
		errx(UNDECIDED, "%s: %s", path, vtpm_verifier_error(v));
	free(f.p); /* the verifier has a copy */
}

static size_t
get_nonce(const char *hex, unsigned char out[64])
{
	size_t n;

	for (n = 0; n < 64 && hex[2 * n] != '\0'; n++)
		if (sscanf(hex + 2 * n, "%2hhx", &out[n]) != 1)
			errx(UNDECIDED, "the nonce is not hexadecimal");
	return n;
}

int
main(int argc, char **argv)
{
	struct vtpm_verifier *v = vtpm_verifier_new();
	struct vtpm_expect want = { .size = sizeof(want) };
	struct vtpm_report *report;
	unsigned char nonce[64];
	struct file evidence;
	int verdict;

	if (argc != 5 && argc != 7)
		errx(UNDECIDED, "usage: verify EVIDENCE NONCE POLICY "
				"CA | HOST HOST-STATES ROOTS");
	if (v == NULL)
		errx(UNDECIDED, "out of memory");
	want.nonce = nonce;
	want.nonce_len = get_nonce(argv[2], nonce);
	set(v, argv[3], vtpm_verifier_set_policy);
	if (argc == 5) {
		set(v, argv[4], vtpm_verifier_set_ca);
	} else {
		set(v, argv[4], vtpm_verifier_set_host);
		set(v, argv[5], vtpm_verifier_set_host_states);
		set(v, argv[6], vtpm_verifier_add_roots);
	}

	evidence = read_file(argv[1]);
	if (vtpm_verifier_judge(v, evidence.p, evidence.len, &want, &report) !=
	    0)
		errx(UNDECIDED, "%s: %s", argv[1], vtpm_verifier_error(v));
	verdict = vtpm_report_verdict(report);
	if (verdict == VTPM_ACCEPTED)
		/* No UUID was expected, so say whose evidence this is. */
		printf("accepted: vTPM %s on a %s\n", vtpm_report_uuid(report),
		    vtpm_report_root(report));
	else
		printf("%s: %s\n",
		    verdict == VTPM_REFUSED ? "refused" : "undecided",
		    vtpm_report_reason(report));

	free(evidence.p);
	vtpm_report_free(report);
	vtpm_verifier_free(v);
	return verdict;
}
