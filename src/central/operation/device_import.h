/* Import of devices from a file (contract/central.md 3). */
#ifndef MUSTER_CENTRAL_DEVICE_IMPORT_H
#define MUSTER_CENTRAL_DEVICE_IMPORT_H

#include "central/operation/import_spool.h"
#include "central/operation/operation.h"

enum import_existing {
    IMPORT_REFUSE, /* R07 */
    IMPORT_SKIP,   /* W03 */
    IMPORT_UPDATE, /* name and template */
};
const char *import_existing_name(enum import_existing existing);
CHECKED bool import_existing_from_name(slice name, enum import_existing *ret);

struct device_import_options {
    slice template_id; /* of rows that name none; empty: none */
    enum import_existing existing;
    bool lower_ids; /* W02 instead of R04 */
    bool take_keys; /* individual enrollments from the keys in the file */
    bool raw_names; /* the file is a raw export: apostrophes stay */
    bool dry_run;   /* judge, do not change */
};

/* ST_THROTTLED while another import is not finished: before an upload, to say so in time. */
typedef void device_import_ready_fn(void *context, enum status status, const struct fault *why);
void device_import_check(struct operations *ops, const struct device_import_options *o,
                         device_import_ready_fn *on_ready, void *context);
/* Of a file that is kept (import_spool_finish); `s` is taken. */
void device_import_begin(struct operations *ops, const struct act *who,
                         const struct device_import_options *o, struct import_spool *s,
                         operation_fn *on_operation, void *context);

#endif
