/* The tables of all floors: what the server opens its store with, and a backup is checked by. */
#ifndef MUSTER_CMD_SCHEMAS_H
#define MUSTER_CMD_SCHEMAS_H

#include "store/store.h"

#define ALL_SCHEMAS 5
extern const struct store_schema *const all_schemas[ALL_SCHEMAS];

#endif
