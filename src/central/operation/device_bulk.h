/* The same act on many devices, as an operation (contract/central.md 1.9, 2.4). */
#ifndef MUSTER_CENTRAL_DEVICE_BULK_H
#define MUSTER_CENTRAL_DEVICE_BULK_H

#include "central/operation/operation.h"

#define BULK_IDS_MAX 10000
#define BULK_IDS_BYTES_MAX (1024 * 1024)

struct device_bulk_request {
    enum operation_kind kind;    /* any but an import */
    slice template_id;           /* OPERATION_ASSOCIATE */
    slice ids;                   /* one a line; empty: those that the filter names */
    struct device_filter filter; /* `after` and `limit` do not count */
};

int64_t device_bulk_count_ids(slice ids);

/* Of what devices there are when their turn comes. */
void device_bulk_begin(struct operations *ops, const struct act *who,
                       const struct device_bulk_request *request, operation_fn *on_operation,
                       void *context);

#endif
