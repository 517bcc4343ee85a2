/* Rows of operations, and their reports in parts. */
#ifndef MUSTER_CENTRAL_OPERATION_STORE_H
#define MUSTER_CENTRAL_OPERATION_STORE_H

#include "central/operation/operation_internal.h"

/* The third step of the application's schema. */
extern const char operation_tables[];

/* The current row; slices borrow from it. */
void operation_from_row(const struct rows *rows, struct operation *ret);

void operation_read_one(struct store *st, slice id, store_rows_fn *on_rows, void *context);
void operation_read_list(struct store *st, slice before, unsigned limit, store_rows_fn *on_rows,
                         void *context);
/* Whether there is an import that is not finished: one row if so. */
void operation_read_import(struct store *st, store_rows_fn *on_rows, void *context);
/* Columns: number, content. At most one row. */
void operation_read_part(struct store *st, slice id, enum operation_report report, int64_t after,
                         store_rows_fn *on_rows, void *context);
/* A part of REPORT_REJECTED, which is sealed. */
CHECKED enum status operation_open_part(const struct operations *ops, slice id, int64_t number,
                                        slice sealed, struct buf *to, struct fault *why);
/* Those that are not finished, in order, each as a run. Blocking. */
CHECKED enum status operation_load_live_now(struct operations *ops, struct operation_run **ret);

/* EXPECT_ONE: ST_CONFLICT when there are too many. */
void operation_unit_insert(struct unit *unit, const struct operation_run *r, instant now);
void operation_unit_start(struct unit *unit, const struct operation_run *r, instant now);
/* From r->progress to `to`, with the findings. */
void operation_unit_advance(struct unit *unit, const struct operation_run *r,
                            const struct operation_progress *to,
                            const struct operation_findings *found, instant now);
void operation_unit_end(struct unit *unit, const struct operation_run *r, instant now);
void operation_unit_cancel(struct unit *unit, slice id);
/* Forgets what is old. */
void operation_unit_prune(struct unit *unit, instant now);

/* The type's counts as a JSON object. */
void operation_write_counts(const struct operation_type *type, const int64_t *counts,
                            struct buf *to);

#endif
