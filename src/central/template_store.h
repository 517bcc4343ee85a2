/* Rows of device templates. */
#ifndef MUSTER_CENTRAL_TEMPLATE_STORE_H
#define MUSTER_CENTRAL_TEMPLATE_STORE_H

#include "base/clock.h"
#include "store/store.h"

/* Columns: id, display_name, published. */
void template_read_list(struct store *st, store_rows_fn *on_rows, void *context);
/* One row if there is a published template of that ID. */
void template_read_published(struct store *st, slice id, store_rows_fn *on_rows, void *context);
/* Unless there is one of that ID. */
void template_unit_add(struct unit *unit, slice id, slice display_name, slice model, instant now);

#endif
