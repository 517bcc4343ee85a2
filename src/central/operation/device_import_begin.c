/* Imports as fronts see them: whether one may begin, and its beginning. On any worker. */
#include <stdlib.h>

#include "central/operation/device_import.h"
#include "central/operation/operation_internal.h"
#include "central/operation/operation_store.h"
#include "central/template/templates.h"
#include "codec/json.h"

static const char *const existing_names[] = {
    [IMPORT_REFUSE] = "refuse", [IMPORT_SKIP] = "skip", [IMPORT_UPDATE] = "update"};

const char *import_existing_name(enum import_existing existing)
{
    return existing_names[existing];
}

bool import_existing_from_name(slice name, enum import_existing *ret)
{
    for (size_t i = 0; i < COUNT_OF(existing_names); i++) {
        if (slice_equal(name, slice_str(existing_names[i]))) {
            *ret = (enum import_existing)i;
            return true;
        }
    }
    return false;
}

/* --- may it begin? ------------------------------------------------------------------------------
 */

struct readiness {
    struct operations *ops;
    device_import_ready_fn *on_ready;
    void *context;
    slice template_id;
    uint8_t room[];
};

static void tell_ready(struct readiness *q, enum status status, const char *sentence)
{
    struct fault why = {0};

    if (status != ST_OK)
        (void)fault_set(&why, status, "%s", sentence);
    q->on_ready(q->context, status, &why);
    free(q);
}

static void on_import(void *context, enum status status, struct rows *rows)
{
    struct readiness *q = context;

    if (status == ST_OK && rows_next(rows))
        tell_ready(q, ST_THROTTLED, "another import is under way; see GET operations");
    else
        tell_ready(q, status == ST_OK ? rows_status(rows) : status,
                   "the operations could not be read");
}

static void on_published(void *context, enum status status)
{
    struct readiness *q = context;

    if (status == ST_OK)
        operation_read_import(q->ops->c->st, on_import, q);
    else if (status == ST_NOT_FOUND)
        tell_ready(q, ST_BAD_REQUEST, "F05: no published template of that ID");
    else
        tell_ready(q, status, "the template could not be read");
}

void device_import_check(struct operations *ops, const struct device_import_options *o,
                         device_import_ready_fn *on_ready, void *context)
{
    struct readiness *q = malloc(sizeof *q + o->template_id.len);
    struct fault why = {ST_NO_MEMORY, "no memory for an import"};

    if (!q) {
        on_ready(context, ST_NO_MEMORY, &why);
        return;
    }
    *q = (struct readiness){.ops = ops, .on_ready = on_ready, .context = context};
    q->template_id = slice_of(q->room, o->template_id.len);
    if (o->template_id.len > 0) {
        memcpy(q->room, o->template_id.ptr, o->template_id.len);
        template_check_published(ops->c, q->template_id, on_published, q);
    } else {
        on_published(q, ST_OK);
    }
}

/* --- beginning ----------------------------------------------------------------------------------
 */

static void write_options(const struct device_import_options *o, struct buf *to)
{
    struct json_writer w = {.to = to};

    json_open(&w, (slice){0}, '{');
    if (o->template_id.len > 0)
        json_put_text(&w, SLICE("template"), o->template_id);
    json_put_text(&w, SLICE("existing"), slice_str(import_existing_name(o->existing)));
    json_put_bool(&w, SLICE("lowerCase"), o->lower_ids);
    json_put_bool(&w, SLICE("individualEnrollments"), o->take_keys);
    json_put_bool(&w, SLICE("rawNames"), o->raw_names);
    json_put_bool(&w, SLICE("dryRun"), o->dry_run);
    json_close(&w, '}');
}

struct import_beginning {
    struct import_spool *spool;
    operation_fn *on_operation;
    void *context;
};

static void on_begun(void *context, enum status status, const struct operation *o,
                     const struct fault *why)
{
    struct import_beginning b = *(struct import_beginning *)context;

    free(context);
    if (status == ST_OK)
        import_spool_release(b.spool);
    else
        import_spool_discard(b.spool);
    b.on_operation(b.context, status, o, why);
}

void device_import_begin(struct operations *ops, const struct act *who,
                         const struct device_import_options *o, struct import_spool *s,
                         operation_fn *on_operation, void *context)
{
    BUF_CLEANUP struct buf parameters = {.max = 8192};
    struct import_beginning *b = malloc(sizeof *b);
    struct fault why = {ST_NO_MEMORY, "no memory for an import"};

    write_options(o, &parameters);
    if (!b || parameters.failed) {
        free(b);
        import_spool_discard(s);
        on_operation(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *b = (struct import_beginning){s, on_operation, context};
    const struct operation_new n = {.kind = OPERATION_IMPORT,
                                    .who = who,
                                    .id = import_spool_id(s),
                                    .parameters = buf_slice(&parameters)};
    operation_begin(ops, &n, on_begun, b);
}
