/* Inside identity/: devices found by a part of their ID or name.
 *
 *     device rows --- a few hundred at a time, behind the commits ---> trigrams (device_search)
 *
 * The index says which devices hold all groups of three characters of a text; whether one holds the
 * text itself its row says. New rows are indexed behind, so that neither a registration nor an
 * import waits for it: `upto` is the row number up to which all are in it. Triggers note rows that
 * are renamed or deleted. What lies behind `upto`, and what is noted, is looked at row by row.
 *
 * This is SQLite's FTS5; the same for PostgreSQL is an index of pg_trgm, which needs no upkeep. */
#ifndef MUSTER_IDENTITY_DEVICE_SEARCH_H
#define MUSTER_IDENTITY_DEVICE_SEARCH_H

#include "identity/device.h"

/* A step of identity's schema. */
extern const char device_search_tables[];

/* Whether the device's ID or name holds the text, ASCII letters without case. */
bool device_holds(const struct device *d, slice text);

/* The text as the index wants it: all its groups of three characters. False: it is too short for
 * the index, or out of memory. */
CHECKED bool device_search_terms(slice text, struct buf *ret);
/* ?1 terms, ?2 limit: one number, of devices that may hold the text, no more than the limit. */
extern const struct sql device_search_count_sql;

struct indexer;
/* Before workers_start. NULL: out of memory. */
CHECKED struct indexer *indexer_create(struct workers *ws, struct store *st);
/* After workers_stop. */
void indexer_destroy(struct indexer *ix);

#endif
