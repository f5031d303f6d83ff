/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * http_request.h - one HTTP request for the metrics, judged.
 *
 * Layer:  vtpm_manager/control; pure: no I/O, no logging.
 * Spec:   RFC 9112, sections 2, 3 and 5: request line and field lines.
 * Trust:  the bytes are those of any program that may connect.
 * Limits: HTTP_REQUEST_MAX bytes up to the empty line; no body is read.
 */
#ifndef VTPM_MANAGER_CONTROL_HTTP_REQUEST_H
#define VTPM_MANAGER_CONTROL_HTTP_REQUEST_H

#include <stddef.h>

#define HTTP_REQUEST_MAX 8192

enum http_verdict {
	HTTP_MORE = 0, /* no verdict yet */
	HTTP_OK = 200, /* GET of the path, HTTP/1 */
	HTTP_BAD = 400,
	HTTP_NOT_FOUND = 404,
	HTTP_NOT_ALLOWED = 405, /* another method */
	HTTP_TOO_LARGE = 431,
};

/*
 * What to answer to the len bytes in buf, which is borrowed, if path may be
 * read.  A verdict other than HTTP_MORE stays when more bytes follow.
 */
enum http_verdict http_judge(const char *buf, size_t len, const char *path);
/* Its reason phrase. */
const char *http_reason(enum http_verdict v);

#endif
