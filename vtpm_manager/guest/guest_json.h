/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_json.h - a guest as JSON.
 *
 * Layer:  vtpm_manager/guest.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_JSON_H
#define VTPM_MANAGER_GUEST_GUEST_JSON_H

#include <jansson.h>

#include "vtpm_manager/core/context.h"
#include "vtpm_manager/store/store_guest.h"

json_t *guest_json(struct mgr *m, const struct guest *in); /* short */
json_t *guest_json_list(struct mgr *m);
/* Long; info: the worker's WQ_INFO text, or NULL. */
json_t *guest_json_show(struct mgr *m, const struct guest *in,
    const uint8_t *info, size_t info_len);

#endif
