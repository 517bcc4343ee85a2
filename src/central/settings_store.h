/* The settings' rows: a name, a word. What was never set has no row. */
#ifndef MUSTER_CENTRAL_SETTINGS_STORE_H
#define MUSTER_CENTRAL_SETTINGS_STORE_H

#include "store/store.h"

/* Columns of each row: name, value, how often it was set. */
void settings_read(struct store *st, store_rows_fn *on_rows, void *context);
void settings_unit_put(struct unit *unit, slice name, slice value);

#endif
