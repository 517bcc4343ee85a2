/* Some devices of a step become a unit of work. On the pool. */
#include <stdlib.h>

#include "central/telemetry/last_values.h"
#include "central/telemetry/projection_internal.h"
#include "central/telemetry/projection_store.h"
#include "central/telemetry/telemetry.h"
#include "central/telemetry/telemetry_body.h"

#define PARTITIONS_MAX 32
#define ARENA_MAX ((size_t)64 << 20)
#define FOLD_BYTES ((size_t)4 << 20) /* of parsed messages before their values are packed */
#define SAMPLES_MAX 1024             /* values before they are packed */
#define SAMPLES_SEARCHED 64          /* a device with more names packs more often */
#define TRIM_ROWS 64
#define CHUNK_MAX (HISTORY_CHUNK_BYTES + D2C_MESSAGE_MAX * 2)

/* What the store knows of a device. */
struct device_state {
    bool exists;   /* it is registered, and the one that sent the messages */
    bool is_known; /* it has a row */
    bool is_other; /* the row is of a device that had its ID before */
    int64_t series, position, messages, bytes, template_version;
    slice last, template_id;
};

struct group {
    struct lane *lane;
    struct unit *unit;
    struct arena arena; /* of the states */
    size_t count;
    struct gathered_device *devices[PROJECTION_GROUP];
    struct device_state states[PROJECTION_GROUP];
    unsigned models_read;
    /* Of one device after the other. */
    const struct device_model *model; /* NULL: none */
    int64_t mismatches;
    struct arena parsed;
    struct last_value samples[SAMPLES_MAX];
    size_t sample_count;
    struct buf packed[2];
    unsigned packed_at;
    bool failed;
};

/* --- what is there
 * --------------------------------------------------------------------------------- */

static void read_state(struct group *g, struct device_state *s, const struct rows *rows)
{
    s->is_known = !rows_is_null(rows, STATE_SERIES);
    if (!s->is_known)
        return;
    s->is_other =
        !slice_equal(rows_bytes(rows, STATE_KNOWN_GENERATION), rows_bytes(rows, STATE_GENERATION));
    s->series = rows_int(rows, STATE_SERIES);
    s->position = rows_int(rows, STATE_POSITION);
    s->messages = rows_int(rows, STATE_MESSAGES);
    s->bytes = rows_int(rows, STATE_BYTES);
    s->last = arena_copy(&g->arena, rows_bytes(rows, STATE_LAST));
}

static void on_states(void *context, enum status status, struct rows *rows)
{
    struct group *g = context;

    while (status == ST_OK && rows_next(rows)) {
        for (size_t i = 0; i < g->count; i++) {
            const struct gathered_device *d = g->devices[i];

            if (!slice_equal(d->id, rows_bytes(rows, STATE_DEVICE_ID)) ||
                !slice_equal(d->generation_id, rows_bytes(rows, STATE_GENERATION)))
                continue;
            g->states[i].exists = true;
            g->states[i].template_id = arena_copy(&g->arena, rows_bytes(rows, STATE_TEMPLATE));
            g->states[i].template_version = rows_int(rows, STATE_TEMPLATE_VERSION);
            read_state(g, &g->states[i], rows);
        }
    }
    g->failed |= status != ST_OK || rows_status(rows) != ST_OK || g->arena.failed;
}

static bool read_states(struct group *g)
{
    slice ids[PROJECTION_GROUP];

    for (struct gathered_device *d = g->lane->group; d && d != g->lane->next_group; d = d->next) {
        ids[g->count] = d->id;
        g->devices[g->count++] = d;
    }
    if (g->count == 0)
        return true;
    return projection_read_states_now(g->lane->projection->st, ids, g->count, on_states, g) ==
               ST_OK &&
           !g->failed;
}

/* A row of its own for a device that has none. */
static void make_known(struct group *g, const struct gathered_device *d, struct device_state *s)
{
    const struct gathered_message *first = d->first ? d->first : &d->newest;

    if (s->is_known && !s->is_other)
        return;
    if (s->is_other)
        projection_unit_forget(g->unit, d->id);
    *s = (struct device_state){
        .exists = true,
        .is_known = true,
        .template_id = s->template_id,
        .template_version = s->template_version,
        .series = (int64_t)first->offset * PARTITIONS_MAX + g->lane->partition,
        .position = -1,
    };
    projection_unit_add_device(g->unit, d->id, d->generation_id, s->series);
}

/* --- last values
 * ------------------------------------------------------------------------------------ */

static slice packed(const struct group *g)
{
    return buf_slice(&g->packed[g->packed_at]);
}

/* Puts the samples over what is packed; they need their messages no more. */
static void fold(struct group *g)
{
    struct buf *to = &g->packed[!g->packed_at];

    if (g->sample_count == 0)
        return;
    buf_clear(to);
    g->failed |= !last_values_merge(packed(g), g->samples, g->sample_count, to);
    g->packed_at = !g->packed_at;
    g->sample_count = 0;
}

struct message_values {
    struct group *group;
    struct telemetry_heading heading;
};

/* Most devices send the same few names again and again. */
static struct last_value *find_sample(struct group *g, slice component, slice name)
{
    for (size_t i = 0; i < g->sample_count && i < SAMPLES_SEARCHED; i++) {
        struct last_value *v = &g->samples[i];

        if (slice_equal(v->name, name) && slice_equal(v->component, component))
            return v;
    }
    return NULL;
}

static bool on_value(void *context, slice name, const struct json *value)
{
    const struct message_values *m = context;
    struct group *g = m->group;
    struct last_value *v = find_sample(g, m->heading.component, name);

    if (g->model)
        g->mismatches +=
            telemetry_fit(g->model, m->heading.component, name, value) == TELEMETRY_MISMATCH;
    if (v) {
        if (m->heading.at >= v->at)
            *v = (struct last_value){v->component, v->name, m->heading.at, value->raw};
        return true;
    }
    if (g->sample_count == SAMPLES_MAX)
        fold(g);
    g->samples[g->sample_count++] =
        (struct last_value){m->heading.component, name, m->heading.at, value->raw};
    return !g->failed;
}

/* The time that the message speaks of. One that cannot be read says nothing, and is kept. */
static instant read_values(struct group *g, const struct gathered_message *message)
{
    struct message_values m = {.group = g};

    if (telemetry_heading_read(message->bag, message->enqueued_at, &g->parsed, &m.heading) != ST_OK)
        return message->enqueued_at;
    if (!telemetry_body_read(message->body, &g->parsed, on_value, &m) ||
        g->parsed.used > FOLD_BYTES) {
        fold(g);
        arena_reset(&g->parsed);
    }
    return m.heading.at;
}

/* --- history
 * ---------------------------------------------------------------------------------------- */

struct chunk {
    struct history_row row;
    struct buf body;
};

static void end_chunk(struct group *g, const struct gathered_device *d, struct chunk *c,
                      struct device_growth *growth)
{
    if (c->row.messages == 0)
        return;
    c->row.body = buf_slice(&c->body);
    projection_unit_add_history(g->unit, d->id, &c->row);
    growth->messages += c->row.messages;
    growth->bytes += (int64_t)c->body.len;
    g->failed |= c->body.failed;
    c->row = (struct history_row){.series = c->row.series};
    buf_clear(&c->body);
}

static void add_to_chunk(struct chunk *c, const struct gathered_message *message, instant at)
{
    const struct history_message m = {message->offset, message->enqueued_at, at, message->bag,
                                      message->body};

    if (c->row.messages == 0) {
        c->row.sequence = (int64_t)m.offset;
        c->row.first_at = c->row.last_at = at;
    }
    c->row.first_at = at < c->row.first_at ? at : c->row.first_at;
    c->row.last_at = at > c->row.last_at ? at : c->row.last_at;
    c->row.enqueued_at = m.enqueued_at;
    c->row.messages++;
    history_chunk_add(&c->body, &m);
}

static void add_message(struct group *g, const struct gathered_device *d,
                        const struct gathered_message *message, struct chunk *c,
                        struct device_growth *growth)
{
    if ((int64_t)message->offset <= growth->position)
        return; /* told before the process was killed */
    add_to_chunk(c, message, read_values(g, message));
    growth->position = (int64_t)message->offset;
    if (c->row.messages >= HISTORY_CHUNK_MESSAGES || c->body.len > HISTORY_CHUNK_BYTES)
        end_chunk(g, d, c, growth);
}

/* --- the bound of a device
 * --------------------------------------------------------------------------- */

struct trim {
    struct unit *unit;
    int64_t series, messages, bytes; /* too many of them */
};

static void on_oldest(void *context, enum status status, struct rows *rows)
{
    struct trim *t = context;

    while (status == ST_OK && (t->messages > 0 || t->bytes > 0) && rows_next(rows)) {
        projection_unit_delete_history(t->unit, t->series, rows_int(rows, 0), rows_int(rows, 1),
                                       rows_int(rows, 2));
        t->messages -= rows_int(rows, 1);
        t->bytes -= rows_int(rows, 2);
    }
}

/* A tenth over, so that it is not looked for in every step. */
static void trim(struct group *g, const struct device_state *s, const struct device_growth *growth)
{
    const struct projection_options *o = &g->lane->projection->options;
    struct trim t = {
        .unit = g->unit,
        .series = s->series,
        .messages = s->messages + growth->messages - o->device_messages,
        .bytes = s->bytes + growth->bytes - o->device_bytes,
    };

    if (t.messages <= o->device_messages / 10 && t.bytes <= o->device_bytes / 10)
        return;
    if (projection_read_oldest_now(g->lane->projection->st, s->series, TRIM_ROWS, on_oldest, &t) !=
        ST_OK)
        g->failed = true;
}

/* --- one device
 * ---------------------------------------------------------------------------------------- */

static void add_device(struct group *g, const struct gathered_device *d, struct device_state *s)
{
    struct chunk c = {.body = {.max = CHUNK_MAX}};
    struct device_growth growth;

    make_known(g, d, s);
    g->model = lane_model_of(g->lane, s->template_id, s->template_version, &g->models_read);
    g->mismatches = 0;
    growth = (struct device_growth){.position = s->position};
    c.row.series = s->series;
    buf_clear(&g->packed[g->packed_at]);
    buf_append(&g->packed[g->packed_at], s->last);
    for (const struct gathered_message *m = d->first; m; m = m->next)
        add_message(g, d, m, &c, &growth);
    if (d->has_newest)
        add_message(g, d, &d->newest, &c, &growth);
    end_chunk(g, d, &c, &growth);
    buf_deinit(&c.body);
    fold(g);
    arena_reset(&g->parsed);
    if (growth.messages == 0)
        return;
    growth.last = packed(g);
    growth.mismatches = g->mismatches;
    projection_unit_grow_device(g->unit, d->id, s->series, &growth);
    trim(g, s, &growth);
}

/* --- the group
 * ------------------------------------------------------------------------------------------ */

static struct group *group_create(struct lane *lane)
{
    struct group *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->lane = lane;
    arena_init(&g->arena, ARENA_MAX);
    arena_init(&g->parsed, ARENA_MAX);
    buf_init(&g->packed[0], LAST_VALUES_BYTES);
    buf_init(&g->packed[1], LAST_VALUES_BYTES);
    g->unit = unit_create(lane->projection->st);
    return g;
}

static void group_destroy(struct group *g)
{
    unit_destroy(g->unit);
    buf_deinit(&g->packed[0]);
    buf_deinit(&g->packed[1]);
    arena_deinit(&g->parsed);
    arena_deinit(&g->arena);
    free(g);
}

void projection_make_group(struct lane *lane)
{
    struct group *g = group_create(lane);

    if (!g)
        return;
    g->failed = !g->unit || !read_states(g);
    for (size_t i = 0; i < g->count && !g->failed; i++) {
        if (g->states[i].exists)
            add_device(g, g->devices[i], &g->states[i]);
    }
    if (!lane->next_group)
        projection_unit_put_position(g->unit, lane->partition, lane->at);
    if (!g->failed) {
        lane->unit = g->unit;
        g->unit = NULL;
    }
    group_destroy(g);
}
