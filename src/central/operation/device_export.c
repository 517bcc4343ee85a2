#include "central/operation/device_export.h"

#include <stdlib.h>

#include "base/text.h"
#include "central/central_internal.h"
#include "provisioning/device_copy.h"
#include "provisioning/device_keys.h"

#define PAGE_DEVICES 250
#define PAGE_ARENA_MAX ((size_t)8 << 20)
#define PART_MAX ((size_t)1 << 20)
#define KEY_TEXT_MAX (SECRET_MAX / 3 * 4 + 5)

/* page of devices (worker) -> keys, text (pool) -> part (worker) */
struct device_export {
    struct pool_job job;
    struct central *c;
    struct device_export_options options;
    bool has_begun, has_ended;
    struct arena own;   /* of the options */
    struct arena arena; /* of the page */
    const struct device *devices[PAGE_DEVICES];
    slice statuses[PAGE_DEVICES];
    size_t count;
    struct device_key_pair pairs[PAGE_DEVICES];
    size_t after_len;
    uint8_t after[DEVICE_ID_MAX];
    struct buf text;
    enum status status;
    struct fault why;
    device_export_fn *on_part;
    void *context;
};

struct device_export *device_export_create(struct central *c,
                                           const struct device_export_options *options)
{
    struct device_export *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    e->c = c;
    e->options = *options;
    arena_init(&e->own, 16384);
    arena_init(&e->arena, PAGE_ARENA_MAX);
    buf_init(&e->text, PART_MAX);
    e->options.filter.template_id = arena_copy(&e->own, options->filter.template_id);
    e->options.filter.search = arena_copy(&e->own, options->filter.search);
    e->options.filter.within = arena_copy(&e->own, options->filter.within);
    e->options.provisioning_host = arena_copy(&e->own, options->provisioning_host);
    if (!e->own.failed)
        return e;
    device_export_destroy(e);
    return NULL;
}

static void wipe_text(struct device_export *e)
{
    if (e->text.ptr)
        explicit_bzero(e->text.ptr, e->text.cap);
    buf_clear(&e->text);
}

void device_export_destroy(struct device_export *e)
{
    if (!e)
        return;
    wipe_text(e);
    buf_deinit(&e->text);
    arena_deinit(&e->arena);
    arena_deinit(&e->own);
    free(e);
}

/* --- on the pool ------------------------------------------------------------------------------ */

struct key_text {
    char text[KEY_TEXT_MAX];
};

static slice write_key(const struct secret *key, struct key_text *to)
{
    struct buf text = {.ptr = (uint8_t *)to->text, .cap = sizeof to->text, .max = sizeof to->text};

    if (key->len == 0)
        return (slice){0};
    base64_encode(secret_slice(key), &text);
    return buf_slice(&text);
}

static void write_device(struct device_export *e, size_t at)
{
    const struct device *d = e->devices[at];
    const struct device_key_pair *pair = &e->pairs[at];
    struct key_text primary, secondary;
    const struct device_csv_device row = {
        .id = d->id,
        .name = d->display_name,
        .sas_primary = write_key(&pair->primary, &primary),
        .sas_secondary = write_key(&pair->secondary, &secondary),
        .thumbprint_primary = pair->primary_thumbprint,
        .thumbprint_secondary = pair->secondary_thumbprint,
        .id_scope = provisioning_id_scope(e->c->p),
        .provisioning_host = e->options.provisioning_host,
        .status = e->statuses[at],
        .template_id = d->template_id,
    };

    device_csv_export_device(&e->options.csv, &row, &e->text);
    explicit_bzero(&primary, sizeof primary);
    explicit_bzero(&secondary, sizeof secondary);
}

static void work(struct pool_job *job)
{
    struct device_export *e = (struct device_export *)job;

    if (!e->has_begun)
        device_csv_export_begin(&e->options.csv, &e->text);
    e->status = device_keys_now(e->c->p, e->devices, e->count, &e->arena, e->pairs, &e->why);
    for (size_t i = 0; i < e->count && e->status == ST_OK; i++)
        write_device(e, i);
    device_key_pairs_wipe(e->pairs, e->count);
    if (e->status == ST_OK && e->text.failed)
        e->status = fault_set(&e->why, ST_INTERNAL, "a part of the export is too long");
}

/* --- on the worker ---------------------------------------------------------------------------- */

static void give(struct device_export *e, enum status status)
{
    if (status != ST_OK && e->why.status == ST_OK)
        (void)fault_set(&e->why, status, "the devices could not be read");
    e->on_part(e->context, status, status == ST_OK ? buf_slice(&e->text) : (slice){0}, &e->why);
}

static void done(struct pool_job *job)
{
    struct device_export *e = (struct device_export *)job;

    e->has_begun = true;
    give(e, e->status);
}

static void on_device(void *context, enum status status, const struct device_view *v,
                      const struct fault *why)
{
    struct device_export *e = context;

    if (v && e->count < PAGE_DEVICES) {
        e->statuses[e->count] = slice_str(device_status_name(v->status));
        e->devices[e->count++] = device_copy(&e->arena, v->device);
        e->after_len = v->device->id.len <= sizeof e->after ? v->device->id.len : 0;
        memcpy(e->after, v->device->id.ptr, e->after_len);
    }
    if (v)
        return;
    if (status != ST_OK || e->arena.failed) {
        e->why = *why;
        give(e, status != ST_OK ? status : ST_NO_MEMORY);
        return;
    }
    e->has_ended = e->count < PAGE_DEVICES;
    e->job.work = work;
    e->job.done = done;
    if (!pool_submit(e->c->ws, &e->job))
        give(e, fault_set(&e->why, ST_UNAVAILABLE, "too much is under way; try again"));
}

void device_export_next(struct device_export *e, device_export_fn *on_part, void *context)
{
    e->on_part = on_part;
    e->context = context;
    wipe_text(e);
    if (e->has_ended) {
        give(e, ST_OK);
        return;
    }
    arena_reset(&e->arena);
    e->count = 0;
    e->options.filter.limit = PAGE_DEVICES;
    e->options.filter.after = slice_of(e->after, e->after_len);
    central_device_list(e->c, &e->options.filter, on_device, e);
}
