/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * replay.c - run a fuzz target over files without libFuzzer, and over every
 * prefix of each: a plain test.  Arguments: folders or files.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define PREFIX_LIMIT 2048 /* bytes; longer files: prefixes in larger steps */

/* An exact heap copy, so that a sanitizer sees one byte too many. */
static void
run_copy(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static unsigned long
run_file(const char *path)
{
	unsigned long runs = 0;
	size_t len, n, step;
	uint8_t *buf;

	if (read_file(path, 16 * 1024 * 1024, &buf, &len) != VT_OK) {
		perror(path);
		exit(1);
	}
	step = len > PREFIX_LIMIT ? len / PREFIX_LIMIT + 1 : 1;
	for (n = 0; n < len; n += step, runs++)
		run_copy(buf, n);
	run_copy(buf, len);
	free(buf);
	return runs + 1;
}

static unsigned long
run_folder(const char *path)
{
	unsigned long runs = 0;
	struct dirent *de;
	char file[4096];
	DIR *d = opendir(path);

	if (d == NULL)
		return 0;
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		(void)snprintf(file, sizeof(file), "%s/%s", path, de->d_name);
		runs += run_file(file);
	}
	(void)closedir(d);
	return runs;
}

int
main(int argc, char **argv)
{
	unsigned long runs = 0;
	struct stat sb;
	int i;

	for (i = 1; i < argc; i++)
		if (stat(argv[i], &sb) == 0 && S_ISDIR(sb.st_mode))
			runs += run_folder(argv[i]);
		else if (stat(argv[i], &sb) == 0)
			runs += run_file(argv[i]);
	run_copy(NULL, 0);
	printf("%lu inputs replayed\n", runs + 1);
	return runs > 0 ? 0 : 1;
}
