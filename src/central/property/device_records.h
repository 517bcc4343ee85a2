/* Rows that the application keeps of a device beside the hub's: cloud properties, the history of
 * commands, and aliases of paths in its messages. They go with it. */
#ifndef MUSTER_CENTRAL_DEVICE_RECORDS_H
#define MUSTER_CENTRAL_DEVICE_RECORDS_H

#include "base/clock.h"
#include "store/store.h"

/* A step of the application's schema. */
extern const char device_records_tables[];

/* Adds to the unit that deletes a device. */
void device_records_unit_forget(struct unit *unit, slice device_id);

/* --- cloud properties: a JSON object shaped as properties are --------------------------------- */

#define CLOUD_PROPERTIES_MAX (32 * 1024)

/* On a worker. Columns: body, version; no row: none. A device of the same ID before it had others.
 */
void cloud_properties_read(struct store *st, slice device_id, slice generation_id,
                           store_rows_fn *on_rows, void *context);
/* Guarded by the version that was read; 0: there was no row. */
void cloud_properties_unit_put(struct unit *unit, slice device_id, slice generation_id, slice body,
                               int64_t was, instant now);

/* --- commands --------------------------------------------------------------------------------- */

#define COMMAND_RUNS_KEPT 100       /* of one command of a device */
#define COMMAND_RUNS_PER_DEVICE 500 /* of all its commands: the oldest give way */

struct command_run {
    int64_t number; /* grows with each run of the device */
    slice id;       /* UUID */
    slice component, name;
    slice request, response; /* JSON; empty: none */
    int64_t response_code;   /* 0: none */
    int64_t response_timeout_s, connect_timeout_s;
    slice failure;  /* why nothing came back, as status_name has it; empty: something did */
    bool is_queued; /* went as a message that waits for the device */
    slice actor;
    instant begun_at, ended_at; /* 0: it is still at it */
};
void command_unit_add(struct unit *unit, slice device_id, slice generation_id,
                      const struct command_run *run);
/* A run that was accepted has ended. */
void command_unit_end(struct unit *unit, slice device_id, int64_t number, slice response,
                      instant ended_at);
/* The newest first, those before `before`; of one command, or all when `name` is empty. */
void command_read_runs(struct store *st, slice device_id, slice generation_id, slice component,
                       slice name, int64_t before, unsigned limit, store_rows_fn *on_rows,
                       void *context);
/* Takes the next of those rows; borrowed until the next. */
CHECKED bool command_row_next(struct rows *rows, struct command_run *ret);

/* --- aliases ---------------------------------------------------------------------------------- */

/* On a worker. Columns: path, alias; in the order of aliases. */
void alias_read(struct store *st, slice device_id, slice generation_id, store_rows_fn *on_rows,
                void *context);
/* One for another of that path or alias: ST_CONFLICT. */
void alias_unit_add(struct unit *unit, slice device_id, slice generation_id, slice path,
                    slice alias);
void alias_unit_delete(struct unit *unit, slice device_id, slice alias);

#endif
