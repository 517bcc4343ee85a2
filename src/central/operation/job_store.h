/* Rows of jobs, and of the devices that each is about. */
#ifndef MUSTER_CENTRAL_JOB_STORE_H
#define MUSTER_CENTRAL_JOB_STORE_H

#include "central/operation/job.h"

/* A step of the application's schema. */
extern const char job_tables[];

void job_read_one(struct store *st, slice id, store_rows_fn *on_rows, void *context);
void job_read_list(struct store *st, slice after, unsigned limit, store_rows_fn *on_rows,
                   void *context);
/* The current row, borrowed from it. */
struct job job_from_row(const struct rows *rows);

/* Behind that number; `state` -1: any. */
void job_read_devices(struct store *st, slice id, int64_t after, int state, unsigned limit,
                      store_rows_fn *on_rows, void *context);
struct job_device job_device_from_row(const struct rows *rows);

/* A new one, pending: ST_CONFLICT when there is one of that ID, or too many. */
void job_unit_insert(struct unit *unit, const struct job *j, slice actor);
/* Exactly one that is stopped is pending again, with another operation. */
void job_unit_resume(struct unit *unit, slice id, slice operation_id);
void job_unit_start(struct unit *unit, slice id, instant now);
/* How far it is: total and all behind it. */
void job_unit_advance(struct unit *unit, const struct job *j);
void job_unit_end(struct unit *unit, slice id, enum job_state state, slice message, instant now);

void job_unit_add_device(struct unit *unit, slice id, const struct job_device *d);
void job_unit_set_device(struct unit *unit, slice id, const struct job_device *d);
/* Those that ended before that time, with their devices. */
void job_unit_prune(struct unit *unit, instant before);

#endif
