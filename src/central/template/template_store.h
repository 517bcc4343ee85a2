/* Rows of device templates: the facts in one table, their documents beside them. */
#ifndef MUSTER_CENTRAL_TEMPLATE_STORE_H
#define MUSTER_CENTRAL_TEMPLATE_STORE_H

#include "base/clock.h"
#include "store/store.h"

/* The second step of the application's schema. */
extern const char template_tables[];

/* The words of column `kind`. */
#define TEMPLATE_KIND_PUBLISHED SLICE("published")
#define TEMPLATE_KIND_DRAFT SLICE("draft")
#define TEMPLATE_KIND_VIEWS SLICE("views")

/* Columns of the three reads below; the last three of template_read_whole alone. */
enum template_column {
    TEMPLATE_COLUMN_ID,
    TEMPLATE_COLUMN_DISPLAY_NAME,
    TEMPLATE_COLUMN_MODEL_ID,
    TEMPLATE_COLUMN_PUBLISHED,
    TEMPLATE_COLUMN_VERSION,
    TEMPLATE_COLUMN_CREATED_AT,
    TEMPLATE_COLUMN_UPDATED_AT,
    TEMPLATE_COLUMN_PUBLISHED_AT,
    TEMPLATE_COLUMN_DRAFT_AT,
    TEMPLATE_COLUMN_DOCUMENT, /* of the kind asked for; NULL when there is none */
    TEMPLATE_COLUMN_DRAFT,
    TEMPLATE_COLUMN_HAS_DEVICES,
};
/* IDs behind `after`, at most `limit`, with the document of that kind (empty: without). */
void template_read_list(struct store *st, slice after, unsigned limit, bool only_published,
                        slice kind, store_rows_fn *on_rows, void *context);
void template_read_one(struct store *st, slice id, slice kind, store_rows_fn *on_rows,
                       void *context);
/* One, with both documents and whether devices have it. */
void template_read_whole(struct store *st, slice id, store_rows_fn *on_rows, void *context);
/* One row if there is a published template of that ID: the ID. */
/* On a thread that may wait. Column: what is published; no row: nothing is. */
CHECKED enum status template_read_document_now(struct store *st, slice id, store_rows_fn *on_rows,
                                               void *context);
void template_read_published(struct store *st, slice id, store_rows_fn *on_rows, void *context);
/* The same of that model, the latest published of several; else of that ID. */
void template_read_by_model(struct store *st, slice model_id, store_rows_fn *on_rows,
                            void *context);

/* A row's facts as they are to be. */
struct template_row_values {
    slice id, display_name, model_id;
    bool published;
    instant now, published_at, draft_at; /* 0: there is none */
};
/* A new row of version 1: ST_CONFLICT when there is one of that ID. */
void template_unit_insert(struct unit *unit, const struct template_row_values *row);
/* Exactly the row of that version; it gets the next. */
void template_unit_update(struct unit *unit, const struct template_row_values *row,
                          int64_t version);
/* Exactly the row of that version, which no device has. */
void template_unit_delete(struct unit *unit, slice id, int64_t version);
/* Of a template; replaces what there is. */
void template_unit_put_document(struct unit *unit, slice id, slice kind, slice document);
void template_unit_drop_document(struct unit *unit, slice id, slice kind);
/* The unit ends in ST_CONFLICT unless the template is published when it is committed. */
void template_unit_guard(struct unit *unit, slice id);
/* A published template and its views, unless there is one of that ID; views that it lacks. */
void template_unit_make(struct unit *unit, const struct template_row_values *row, slice document,
                        slice views);

#endif
