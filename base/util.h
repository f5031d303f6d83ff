/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * util.h - hex, UUIDs, time, whole files.
 *
 * Layer:  base.
 */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define VT_NELEM(a) (sizeof(a) / sizeof((a)[0]))

#define UUID_LEN 16
#define UUID_STRLEN 36 /* 8-4-4-4-12, without NUL */

/* out has room for 2 * len + 1 bytes; lower case. */
void hex_encode(const uint8_t *in, size_t len, char *out);
/*
 * Hex digits (either case), all of text, into out.
 * VT_E_FORMAT: a character that is not hex or an odd number of them;
 * VT_E_RANGE: more than cap bytes.
 */
int hex_decode(
    const char *text, uint8_t *out, size_t cap, size_t *ret_len) VT_CHECK;

/* A decimal number; text must be digits only.  VT_E_FORMAT, VT_E_RANGE (does
 * not fit). */
int dec_u32(const char *text, uint32_t *ret) VT_CHECK;
int dec_u64(const char *text, uint64_t *ret) VT_CHECK;

void uuid_format(const uint8_t uuid[UUID_LEN], char out[UUID_STRLEN + 1]);
int uuid_parse(const char *text, uint8_t ret_uuid[UUID_LEN]) VT_CHECK;
/* Random, version 4. */
int uuid_make(uint8_t ret_uuid[UUID_LEN]) VT_CHECK;

uint64_t now_us(void);  /* CLOCK_MONOTONIC */
uint64_t wall_ms(void); /* CLOCK_REALTIME, since 1970 */

/* getrandom(2), all of it. */
int random_bytes(void *buf, size_t len) VT_CHECK;

/* Constant time. */
bool mem_equal(const void *a, const void *b, size_t len);
/* Wipes len bytes of heap memory and frees it; NULL is a no-op. */
void mem_wipe_free(void *p, size_t len);

/* Take an exclusive flock(2) of fd within wait_ms, usually LOCK_WAIT_MS: the
 * lock of a killed process lasts until a child that it had just forked calls
 * exec.  VT_E_BUSY: it is taken. */
#define LOCK_WAIT_MS 2000
int lock_fd(int fd, unsigned int wait_ms) VT_CHECK;

int write_all(int fd, const void *buf, size_t len) VT_CHECK;
/* Read to the end of fd, at most max bytes (VT_E_RANGE).  The caller frees
 * *ret with free(); a NUL follows the last byte. */
int read_fd(int fd, size_t max, uint8_t **ret, size_t *ret_len) VT_CHECK;
int read_file(
    const char *path, size_t max, uint8_t **ret, size_t *ret_len) VT_CHECK;
/* Write NAME.new, fsync, rename, fsync the folder: all or nothing. */
int write_file_atomic(
    const char *path, const void *buf, size_t len, unsigned int mode) VT_CHECK;
/* memfd with this content, sealed against every change. -1 and errno. */
int memfd_sealed(const char *name, const void *buf, size_t len);

/* A listening Unix stream socket at path, mode as given; a socket left
 * there by a dead process is replaced.  -1 and errno. */
int unix_listen(const char *path, unsigned int mode);
/* A connected, blocking stream socket.  -1 and errno. */
int unix_connect(const char *path);
/* The same, but EAGAIN if the listener has not made room for it in ms. */
int unix_connect_within(const char *path, unsigned int ms);
int fd_set_nonblock(int fd, bool on) VT_CHECK;

/* Replace what is not printable ASCII by '?': words of others that are logged
 * or printed start no line and command no terminal. */
void text_clean(char *text);
/* text_clean() would change nothing. */
bool text_is_clean(const char *text);
/* src into dst (cap bytes); what is too long ends at a word, with "...". */
void text_fit(char *dst, size_t cap, const char *src);

#endif
