/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/hwtpm/issuing.h"

#include "base/log.h"

bool
hwissuing_due(const struct hwtpm *h)
{
	return h->root != 0 && h->ca != NULL && ca_may_delegate(h->ca) &&
	       (h->issuing == NULL || !ca_is_current(h->issuing));
}

int
hwissuing_get(struct hwtpm *h, struct ca **ret)
{
	int rc;

	if (h->root == 0 || h->ca == NULL)
		return hwtpm_fail(h, VT_E_STATE, "no host keys are loaded");
	if (hwissuing_due(h)) {
		ca_free(h->issuing);
		h->issuing = NULL;
		h->text[0] = '\0';
		if ((rc = ca_issuing_new(h->ca, &h->issuing)) != VT_OK) {
			/* A wrong signature: the handle now belongs to another
			 * key. */
			if (rc == VT_E_AUTH)
				h->again = true;
			return h->text[0] != '\0'
				   ? rc
				   : hwtpm_fail(h, rc,
					 "certifying today's issuing key: %s",
					 rc == VT_E_STATE
					     ? "the host's clock is outside "
					       "the time of the CA's "
					       "certificate"
					     : vt_strerror(rc));
		}
		log_info("the CA has certified an issuing key for one day");
	}
	*ret = h->issuing != NULL ? h->issuing : h->ca;
	return VT_OK;
}
