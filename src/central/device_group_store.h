/* Rows of device groups. */
#ifndef MUSTER_CENTRAL_DEVICE_GROUP_STORE_H
#define MUSTER_CENTRAL_DEVICE_GROUP_STORE_H

#include "central/device_group.h"

extern const char device_group_tables[];

void device_group_read_one(struct store *st, slice id, store_rows_fn *on_rows, void *context);
void device_group_read_list(struct store *st, slice after, unsigned limit, store_rows_fn *on_rows,
                            void *context);
/* The current row, borrowed from it. */
struct device_group device_group_from_row(const struct rows *rows);

/* A new row of version 1: ST_CONFLICT when there is one, or too many. */
void device_group_unit_insert(struct unit *unit, const struct device_group *g, instant now);
/* Exactly the row of g->version, which gets the next. */
void device_group_unit_update(struct unit *unit, const struct device_group *g, instant now);
void device_group_unit_delete(struct unit *unit, slice id, int64_t version);

#endif
