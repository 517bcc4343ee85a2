/* Whether what a job asks for is in its template: said before the job runs, and not by every device
 * of the group. Pure. */
#ifndef MUSTER_CENTRAL_JOB_CHECK_H
#define MUSTER_CENTRAL_JOB_CHECK_H

#include "central/operation/job_data.h"
#include "central/property/device_model.h"

/* `m` is that of the item's target. ST_BAD_REQUEST names the item by its number, and what is wrong
 * with it: no such property or command, not to be set, or of another type. A migration fits. */
CHECKED enum status job_item_check(const struct device_model *m, const struct job_data *data,
                                   size_t item, struct fault *why);
/* Whether the devices that the filter of a group demands can have the items' templates. */
CHECKED enum status job_group_check(slice filter, const struct job_data *data, struct fault *why);

#endif
