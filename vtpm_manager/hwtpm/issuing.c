/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/hwtpm/issuing.h"

#include "base/log.h"

#define SPARE_S 3600 /* the next one is made so long before its day ends */

static bool
lacks(const struct hwtpm *h, long spare_s)
{
	return h->root != 0 && h->ca != NULL && ca_may_delegate(h->ca) &&
	       (h->issuing == NULL || !ca_is_current(h->issuing, spare_s));
}

bool
hwissuing_due(const struct hwtpm *h)
{
	return lacks(h, SPARE_S);
}

int
hwissuing_make(struct hwtpm *h)
{
	struct ca *fresh;
	int rc;

	h->text[0] = '\0';
	if ((rc = ca_issuing_new(h->ca, &fresh)) == VT_OK) {
		ca_free(h->issuing);
		h->issuing = fresh;
		log_info("the CA has certified an issuing key for one day");
		return VT_OK;
	}
	/* A wrong signature: the handle now belongs to another key. */
	if (rc == VT_E_AUTH)
		h->again = true;
	if (h->text[0] != '\0')
		return rc;
	return hwtpm_fail(h, rc, "certifying an issuing key: %s",
	    rc == VT_E_STATE ? "the host's clock is outside the time of the "
			       "CA's certificate"
			     : vt_strerror(rc));
}

int
hwissuing_get(struct hwtpm *h, struct ca **ret)
{
	int rc;

	if (h->root == 0 || h->ca == NULL)
		return hwtpm_fail(h, VT_E_STATE, "no host keys are loaded");
	if (lacks(h, 0)) {
		ca_free(h->issuing); /* its day is over, whatever comes */
		h->issuing = NULL;
		if ((rc = hwissuing_make(h)) != VT_OK)
			return rc;
	}
	*ret = h->issuing != NULL ? h->issuing : h->ca;
	return VT_OK;
}
