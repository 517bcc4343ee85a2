/* What an operator may call a device (contract/central.md 3.3). Pure. */
#ifndef MUSTER_CENTRAL_DEVICE_RULES_H
#define MUSTER_CENTRAL_DEVICE_RULES_H

#include "base/status.h"
#include "identity/device.h"

#define DEVICE_NAME_MAX 148 /* characters */

/* ST_BAD_REQUEST with what to do. Rows of an import have codes for the same (R01 to R04). */
CHECKED enum status device_id_check(slice id, bool any_case, struct fault *why);
CHECKED enum status device_name_check(slice name, struct fault *why);
/* Thumbprints belong to self-signed certificates, and to these at least a primary one. */
CHECKED enum status device_auth_check(enum device_auth auth, slice primary_thumbprint,
                                      slice secondary_thumbprint, struct fault *why);

#endif
