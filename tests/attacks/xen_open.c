/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_open.c - vtpm-xenback with one check that can be taken out: with
 * VTPM_SKIP=xen-restrict the event channels that it hands to a worker are not
 * restricted to the guest's domain.
 */
#include <xenevtchn.h>

#include "base/check_on.h"

int __real_xenevtchn_restrict(xenevtchn_handle *h, domid_t domid);
int __wrap_xenevtchn_restrict(xenevtchn_handle *h, domid_t domid);

int
__wrap_xenevtchn_restrict(xenevtchn_handle *h, domid_t domid)
{
	return check_on("xen-restrict") ? __real_xenevtchn_restrict(h, domid)
					: 0;
}
