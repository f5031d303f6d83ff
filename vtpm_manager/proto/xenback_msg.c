/* SPDX-License-Identifier: BSD-3-Clause */
/* xenback_msg.c - the fields of each message of xenback_msg.h. */
#include "vtpm_manager/proto/xenback_msg.h"

/* clang-format off */
MSG_TABLE(xb_dev,
	F_UINT(xb_dev, domid),
	F_UINT(xb_dev, devid),
	F_BYTES(xb_dev, uuid),
	F_UINT(xb_dev, gref),
	F_UINT(xb_dev, port),
	F_UINT(xb_dev, resumed));
MSG_TABLE(xb_answer,
	F_UINT(xb_answer, rc),
	F_UINT(xb_answer, wait),
	F_TEXT(xb_answer, text));
MSG_TABLE(xb_opened,
	F_RC(xb_opened, rc),
	F_UINT(xb_opened, local),
	F_TEXT(xb_opened, text));
/* clang-format on */
