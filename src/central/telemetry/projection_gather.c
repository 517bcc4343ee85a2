#include "central/telemetry/projection_internal.h"

/* Up to here a step takes everything; then each device has its share. */
#define FREE_BYTES ((size_t)8 << 20)
#define SHARE_BYTES ((size_t)64 << 10)
/* Here it ends. */
#define STEP_BYTES_MAX ((size_t)16 << 20)
#define STEP_DEVICES_MAX 4096
/* One that samples covers about this much time, so that catching up keeps as much as following. */
#define SAMPLED_SPAN_MS 1000
#define ARENA_MAX ((size_t)64 << 20)

bool gathering_begin(struct gathering *g)
{
    *g = (struct gathering){0};
    arena_init(&g->arena, ARENA_MAX);
    g->buckets = arena_alloc_array(&g->arena, GATHER_BUCKETS, sizeof(struct gathered_device *));
    return g->buckets != NULL;
}

void gathering_end(struct gathering *g)
{
    for (struct gathered_device *d = g->first; d; d = d->next)
        buf_deinit(&d->text);
    arena_deinit(&g->arena);
    *g = (struct gathering){0};
}

/* --- devices -----------------------------------------------------------------------------------
 */

/* One that was deleted and made again between two messages is another. */
static struct gathered_device *find(const struct gathering *g, const struct d2c_message *m,
                                    uint64_t hash)
{
    struct gathered_device *d = g->buckets[hash % GATHER_BUCKETS];

    while (d &&
           !(slice_equal(d->id, m->device_id) && slice_equal(d->generation_id, m->generation_id)))
        d = d->next_in_bucket;
    return d;
}

static struct gathered_device *add_device(struct gathering *g, const struct d2c_message *m,
                                          uint64_t hash)
{
    struct gathered_device **bucket = &g->buckets[hash % GATHER_BUCKETS];
    struct gathered_device *d = arena_alloc(&g->arena, sizeof *d);

    if (!d)
        return NULL;
    d->id = arena_copy(&g->arena, m->device_id);
    d->generation_id = arena_copy(&g->arena, m->generation_id);
    if (g->arena.failed)
        return NULL;
    buf_init(&d->text, D2C_MESSAGE_MAX * 2);
    d->next_in_bucket = *bucket;
    *bucket = d;
    if (g->last)
        g->last->next = d;
    else
        g->first = d;
    g->last = d;
    g->devices++;
    return d;
}

/* --- messages ----------------------------------------------------------------------------------
 */

static size_t size_of(const struct d2c_message *m)
{
    return m->bag.len + m->body.len;
}

static bool keep(struct gathering *g, struct gathered_device *d, const struct d2c_message *m)
{
    struct gathered_message *kept = arena_alloc(&g->arena, sizeof *kept);
    slice bag = arena_copy(&g->arena, m->bag), body = arena_copy(&g->arena, m->body);

    if (!kept || g->arena.failed)
        return false;
    *kept = (struct gathered_message){NULL, m->offset, m->enqueued_at, bag, body};
    if (d->last)
        d->last->next = kept;
    else
        d->first = kept;
    d->last = kept;
    d->count++;
    d->bytes += size_of(m);
    g->messages++;
    g->bytes += size_of(m);
    return true;
}

/* In place of the one before: only the newest says what holds now. */
static bool keep_newest(struct gathering *g, struct gathered_device *d, const struct d2c_message *m)
{
    if (d->has_newest)
        g->sampled++;
    buf_clear(&d->text);
    buf_append(&d->text, m->bag);
    buf_append(&d->text, m->body);
    d->newest = (struct gathered_message){
        .offset = m->offset,
        .enqueued_at = m->enqueued_at,
        .bag = slice_first(buf_slice(&d->text), m->bag.len),
        .body = slice_from(buf_slice(&d->text), m->bag.len),
    };
    d->has_newest = !d->text.failed;
    return d->has_newest;
}

static bool is_plentiful(const struct gathering *g)
{
    return g->messages >= PROJECTION_STEP_MESSAGES || g->bytes >= FREE_BYTES;
}

static bool is_enough(const struct gathering *g, const struct d2c_message *m)
{
    return g->devices >= STEP_DEVICES_MAX || g->bytes + size_of(m) > STEP_BYTES_MAX ||
           (is_plentiful(g) && m->enqueued_at - g->first_at >= SAMPLED_SPAN_MS);
}

static bool has_share(const struct gathered_device *d)
{
    return d->count < PROJECTION_SHARE && d->bytes < SHARE_BYTES;
}

bool gathering_add(struct gathering *g, const struct d2c_message *m)
{
    uint64_t hash = slice_hash(m->device_id);
    struct gathered_device *d;

    if (!g->has_first)
        g->first_at = m->enqueued_at;
    g->has_first = true;
    if (g->messages > 0 && is_enough(g, m)) {
        g->cut = true;
        return false;
    }
    d = find(g, m, hash);
    if (!d)
        d = add_device(g, m, hash);
    if (d && (!is_plentiful(g) || (has_share(d) && !d->has_newest)))
        return keep(g, d, m);
    return d && keep_newest(g, d, m);
}
