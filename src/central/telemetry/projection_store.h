/* Rows of last values and history. A device's rows in the history are found by its series, a number
 * of its own that is never used again: the first offset it was seen at, and the partition. */
#ifndef MUSTER_CENTRAL_PROJECTION_STORE_H
#define MUSTER_CENTRAL_PROJECTION_STORE_H

#include "base/clock.h"
#include "store/store.h"

/* A step of the application's schema. */
extern const char projection_tables[];
extern const char projection_mismatch_columns[];

/* --- the projection's ---------------------------------------------------------------------------
 */

/* On a thread that may wait. Columns: partition, next offset. */
CHECKED enum status projection_read_positions_now(struct store *st, store_rows_fn *on_rows,
                                                  void *context);
void projection_unit_put_position(struct unit *unit, unsigned partition, uint64_t next_offset);

/* Of devices that are registered, at most SQL_LIST_LEN of them, on a thread that may wait. */
enum device_state_column {
    STATE_DEVICE_ID,
    STATE_GENERATION,
    STATE_SERIES, /* NULL and so all that follow: nothing was ever told of it */
    STATE_KNOWN_GENERATION,
    STATE_POSITION,
    STATE_MESSAGES,
    STATE_BYTES,
    STATE_LAST,
    STATE_TEMPLATE,         /* NULL: none */
    STATE_TEMPLATE_VERSION, /* likewise */
};
CHECKED enum status projection_read_states_now(struct store *st, const slice *device_ids,
                                               size_t count, store_rows_fn *on_rows, void *context);
/* The oldest rows of a series. Columns: sequence, messages, bytes. */
CHECKED enum status projection_read_oldest_now(struct store *st, int64_t series, unsigned limit,
                                               store_rows_fn *on_rows, void *context);

/* A row for a device, unless it has one, is gone, or is another of the same ID. */
void projection_unit_add_device(struct unit *unit, slice device_id, slice generation_id,
                                int64_t series);

/* Rows of history: part of the unit only while the device has that series. */
struct history_row {
    int64_t series, sequence; /* the first message's offset */
    instant first_at, last_at, enqueued_at;
    int64_t messages;
    slice body; /* history_chunk.h */
};
void projection_unit_add_history(struct unit *unit, slice device_id, const struct history_row *row);
/* What a step adds to a device's row. */
struct device_growth {
    int64_t position; /* the offset up to which it has been told */
    int64_t messages, bytes;
    int64_t mismatches; /* values that are not what the template says */
    slice last;         /* last_values.h */
};
void projection_unit_grow_device(struct unit *unit, slice device_id, int64_t series,
                                 const struct device_growth *growth);

/* --- retention's: on a worker ------------------------------------------------------------------
 */

/* The oldest rows before `enqueued_before`, or of series that nobody has any more. Columns: series,
 * sequence, messages, bytes; of the latter, sequence is NULL when the series has none left. */
void projection_read_aged(struct store *st, instant enqueued_before, unsigned limit,
                          store_rows_fn *on_rows, void *context);
void projection_read_gone(struct store *st, unsigned limit, store_rows_fn *on_rows, void *context);
/* One row, and its amounts taken off the device's. */
void projection_unit_delete_history(struct unit *unit, int64_t series, int64_t sequence,
                                    int64_t messages, int64_t bytes);
void projection_unit_end_series(struct unit *unit, int64_t series);

/* --- readers' ------------------------------------------------------------------------------------
 */

/* On a worker. Columns: series, last values, mismatches; no row when nothing was ever told of it.
 */
void projection_read_device(struct store *st, slice device_id, slice generation_id,
                            store_rows_fn *on_rows, void *context);
/* Rows of a series from `sequence` on downwards that may hold messages of that time, the newest
 * first. Columns: sequence, body. */
void projection_read_history(struct store *st, int64_t series, int64_t sequence, instant from,
                             instant to, unsigned limit, store_rows_fn *on_rows, void *context);
/* The same on a thread that may wait. */
CHECKED enum status projection_read_history_now(struct store *st, int64_t series, int64_t sequence,
                                                instant from, instant to, unsigned limit,
                                                store_rows_fn *on_rows, void *context);

#endif
