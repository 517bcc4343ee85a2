/* The models of templates, as far as a lane's devices have them; on the pool. */
#include "central/telemetry/projection_internal.h"
#include "central/template/template_store.h"

#define BYTES_MAX ((size_t)16 << 20) /* of all that a lane keeps */
#define READS_A_GROUP 2              /* the others are not judged by: it costs too much */

static void drop(struct lane_models *m, size_t at)
{
    m->bytes -= m->list[at].model.arena.used;
    device_model_deinit(&m->list[at].model);
    m->list[at] = m->list[--m->count];
}

void lane_models_deinit(struct lane_models *m)
{
    while (m->count > 0)
        drop(m, m->count - 1);
}

static size_t longest_unused(const struct lane_models *m)
{
    size_t found = 0;

    for (size_t i = 1; i < m->count; i++) {
        if (m->list[i].used_at < m->list[found].used_at)
            found = i;
    }
    return found;
}

struct document_read {
    struct lane_model *to;
    bool is_read;
};

static void on_document(void *context, enum status status, struct rows *rows)
{
    struct document_read *d = context;

    if (status == ST_OK && rows_next(rows))
        d->is_read = device_model_read(&d->to->model, rows_bytes(rows, 0)) == ST_OK;
}

static const struct device_model *add(struct lane *lane, slice template_id, int64_t version)
{
    struct lane_models *m = &lane->models;
    struct lane_model fresh = {.version = version, .used_at = ++m->clock};
    struct document_read read = {.to = &fresh};

    arena_init(&fresh.model.arena, BYTES_MAX / 4);
    fresh.model.template_id = arena_copy(&fresh.model.arena, template_id);
    if (template_read_document_now(lane->projection->st, template_id, on_document, &read) !=
            ST_OK ||
        !read.is_read) {
        device_model_deinit(&fresh.model);
        return NULL;
    }
    while (m->count > 0 &&
           (m->count == MODELS_KEPT || m->bytes + fresh.model.arena.used > BYTES_MAX))
        drop(m, longest_unused(m));
    m->bytes += fresh.model.arena.used;
    m->list[m->count] = fresh;
    return &m->list[m->count++].model;
}

const struct device_model *lane_model_of(struct lane *lane, slice template_id, int64_t version,
                                         unsigned *reads)
{
    struct lane_models *m = &lane->models;

    for (size_t i = 0; i < m->count; i++) {
        if (!slice_equal(m->list[i].model.template_id, template_id))
            continue;
        if (m->list[i].version == version) {
            m->list[i].used_at = ++m->clock;
            return &m->list[i].model;
        }
        drop(m, i); /* published anew */
        break;
    }
    if (template_id.len == 0 || (*reads)++ >= READS_A_GROUP)
        return NULL;
    return add(lane, template_id, version);
}
