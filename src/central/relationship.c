#include "central/relationship.h"

#include <stdlib.h>

#include "base/log.h"
#include "central/central_internal.h"

/* Devices are found by their keys, as in their own table. */
const char relationship_tables[] =
    "CREATE TABLE device_relationship ("
    " source_key TEXT NOT NULL,"
    " relationship_id TEXT NOT NULL,"
    " target_key TEXT NOT NULL,"
    " PRIMARY KEY (source_key, relationship_id));"
    "CREATE INDEX device_relationship_by_target ON device_relationship (target_key);";

#define SELECT                                                                                     \
    "SELECT r.relationship_id, s.device_id, t.device_id FROM device_relationship r"                \
    " JOIN device s ON s.device_key = r.source_key AND s.module_id = ''"                           \
    " JOIN device t ON t.device_key = r.target_key AND t.module_id = ''"                           \
    " LEFT JOIN organization o ON o.organization_id = t.organization"                              \
    " WHERE (?2 = '' OR substr(o.path, 1, length(?2)) = ?2) AND r.source_key = lower(?1)"

static const struct sql list_sql = {SELECT " AND r.relationship_id > ?3 ORDER BY r.relationship_id"
                                           " LIMIT ?4"};
static const struct sql get_sql = {SELECT " AND r.relationship_id = ?3"};
/* Nothing when the target is not there; a source that is not there has no row to end with it. */
static const struct sql put_sql = {
    "INSERT INTO device_relationship (source_key, relationship_id, target_key)"
    " SELECT s.device_key, ?3, t.device_key FROM device s, device t"
    " LEFT JOIN organization o ON o.organization_id = t.organization"
    " WHERE s.device_key = lower(?1) AND s.module_id = '' AND t.device_key = lower(?4) AND "
    "t.module_id = ''"
    " AND (?2 = '' OR substr(o.path, 1, length(?2)) = ?2)"
    " ON CONFLICT (source_key, relationship_id) DO UPDATE SET target_key = excluded.target_key"};
static const struct sql delete_sql = {
    "DELETE FROM device_relationship WHERE source_key = lower(?1) AND relationship_id = ?2"};
static const struct sql leave_sql = {
    "DELETE FROM device_relationship WHERE target_key = lower(?1) AND relationship_id = ?2"
    " AND source_key <> lower(?3)"};
static const struct sql forget_sql = {
    "DELETE FROM device_relationship WHERE source_key = lower(?1) OR target_key = lower(?1)"};

/* --- reading ---------------------------------------------------------------------------------- */

struct reading {
    bool is_list;
    relationship_fn *fn;
    void *context;
};

static void on_rows(void *context, enum status status, struct rows *rows)
{
    struct reading reading = *(struct reading *)context;
    struct fault why = {.status = status};
    bool found = false;

    free(context);
    while (status == ST_OK && rows_next(rows)) {
        const struct relationship r = {rows_bytes(rows, 0), rows_bytes(rows, 1),
                                       rows_bytes(rows, 2)};

        found = true;
        reading.fn(reading.context, ST_OK, &r, &why);
    }
    if (status == ST_OK)
        status = rows_status(rows);
    if (status != ST_OK)
        (void)fault_set(&why, status, "the relationships could not be read");
    else if (!found && !reading.is_list)
        status = fault_set(&why, ST_NOT_FOUND, "there is no such relationship");
    if (reading.is_list || status != ST_OK)
        reading.fn(reading.context, status, NULL, &why);
}

static void read_rows(struct central *c, const struct sql *sql, const struct sql_value *values,
                      size_t count, const struct reading *reading)
{
    struct fault why = {ST_NO_MEMORY, "no memory for relationships"};
    struct reading *kept = malloc(sizeof *kept);

    if (!kept) {
        reading->fn(reading->context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *kept = *reading;
    store_read(c->st, sql, values, count, on_rows, kept);
}

void relationship_list(struct central *c, const struct relationship_query *query,
                       relationship_fn *on_row, void *context)
{
    const struct sql_value values[] = {SQL_TEXT_(query->source), SQL_TEXT_(query->within),
                                       SQL_TEXT_(query->after), SQL_INT_(query->limit)};

    read_rows(c, &list_sql, values, COUNT_OF(values), &(struct reading){true, on_row, context});
}

void relationship_get(struct central *c, slice source, slice id, slice within,
                      relationship_fn *on_relationship, void *context)
{
    const struct sql_value values[] = {SQL_TEXT_(source), SQL_TEXT_(within), SQL_TEXT_(id)};

    read_rows(c, &get_sql, values, COUNT_OF(values),
              &(struct reading){false, on_relationship, context});
}

/* --- changing --------------------------------------------------------------------------------- */

/* source -> the unit -> the relationship as it is now */
struct change_task {
    struct central *c;
    struct arena arena;
    struct relationship r;
    slice within;
    bool is_deleted;
    relationship_fn *fn;
    void *context;
    struct fault why;
};

static struct change_task *create_task(struct central *c, const struct relationship *r,
                                       slice within, relationship_fn *fn, void *context)
{
    struct fault why = {ST_NO_MEMORY, "no memory for a relationship"};
    struct change_task *t = calloc(1, sizeof *t);

    if (!t) {
        fn(context, ST_NO_MEMORY, NULL, &why);
        return NULL;
    }
    *t = (struct change_task){.c = c, .fn = fn, .context = context};
    arena_init(&t->arena, 64 * 1024);
    t->r = (struct relationship){arena_copy(&t->arena, r->id), arena_copy(&t->arena, r->source),
                                 arena_copy(&t->arena, r->target)};
    t->within = arena_copy(&t->arena, within);
    return t;
}

static void finish(struct change_task *t, enum status status)
{
    if (status == ST_OK && !t->is_deleted)
        relationship_get(t->c, t->r.source, t->r.id, t->within, t->fn, t->context);
    else
        t->fn(t->context, status, NULL, &t->why);
    arena_deinit(&t->arena);
    free(t);
}

static void on_changed(void *context, enum status status, struct unit *unit)
{
    struct change_task *t = context;

    (void)unit;
    if (status == ST_CONFLICT && t->is_deleted)
        status = fault_set(&t->why, ST_NOT_FOUND, "there is no such relationship");
    else if (status == ST_CONFLICT)
        status = fault_set(&t->why, ST_BAD_REQUEST, "the target is no device of yours");
    else if (status != ST_OK)
        (void)fault_set(&t->why, status, "the relationship could not be stored");
    finish(t, status);
}

static void put_into(struct unit *unit, const struct relationship *r, slice within)
{
    const struct sql_value values[] = {SQL_TEXT_(r->source), SQL_TEXT_(within), SQL_TEXT_(r->id),
                                       SQL_TEXT_(r->target)};

    unit_add(unit, &put_sql, values, COUNT_OF(values), EXPECT_ONE);
}

static void on_source(void *context, enum status status, const struct device *d)
{
    struct change_task *t = context;
    struct unit *unit = NULL;

    if (status != ST_OK) {
        finish(t, fault_set(&t->why, status, "there is no such source"));
        return;
    }
    if (slice_equal_nocase(d->id, t->r.target)) {
        finish(t, fault_set(&t->why, ST_BAD_REQUEST, "the target is the source itself"));
        return;
    }
    unit = t->arena.failed ? NULL : unit_create(t->c->st);
    if (!unit) {
        finish(t, fault_set(&t->why, ST_UNAVAILABLE, "the store has no room"));
        return;
    }
    put_into(unit, &t->r, t->within);
    unit_submit(unit, on_changed, t);
}

void relationship_put(struct central *c, const struct relationship *r, slice within,
                      relationship_fn *on_relationship, void *context)
{
    struct change_task *t = create_task(c, r, within, on_relationship, context);

    if (!t)
        return;
    if (r->id.len == 0 || r->id.len > RELATIONSHIP_ID_MAX || r->target.len > DEVICE_ID_MAX)
        finish(t, fault_set(&t->why, ST_BAD_REQUEST,
                            "an ID of a relationship has 1 to 255 bytes, a device's at most 128"));
    else
        device_find(c->id, t->r.source, on_source, t);
}

void relationship_delete(struct central *c, slice source, slice id, relationship_fn *on_done,
                         void *context)
{
    const struct relationship r = {.id = id, .source = source};
    struct change_task *t = create_task(c, &r, (slice){0}, on_done, context);
    const struct sql_value values[] = {SQL_TEXT_(source), SQL_TEXT_(id)};
    struct unit *unit;

    if (!t)
        return;
    t->is_deleted = true;
    unit = unit_create(c->st);
    if (!unit) {
        finish(t, fault_set(&t->why, ST_UNAVAILABLE, "the store has no room"));
        return;
    }
    unit_add(unit, &delete_sql, values, COUNT_OF(values), EXPECT_ONE);
    unit_submit(unit, on_changed, t);
}

void relationship_unit_forget(struct unit *unit, slice device_id)
{
    const struct sql_value value = SQL_TEXT_(device_id);

    unit_add(unit, &forget_sql, &value, 1, EXPECT_ANY);
}

/* --- what a device says ----------------------------------------------------------------------- */

/* It comes again with the device's next registration, should this one be lost. */
static void on_announced(void *context, enum status status, struct unit *unit)
{
    (void)unit;
    if (status == ST_CONFLICT)
        LOG_LIMITED(LOG_LEVEL_INFO, "gateway_unknown", LOG_STR("device", context));
    free(context);
}

void relationship_announced(struct central *c, slice gateway_id, slice device_id)
{
    const struct relationship r = {device_id, gateway_id, device_id};
    struct unit *unit;
    char *name;

    if (gateway_id.len > DEVICE_ID_MAX || slice_equal_nocase(gateway_id, device_id))
        return;
    name = slice_to_cstr(device_id);
    unit = name ? unit_create(c->st) : NULL;
    if (!unit) {
        free(name);
        return;
    }
    const struct sql_value leave[] = {SQL_TEXT_(device_id), SQL_TEXT_(device_id),
                                      SQL_TEXT_(gateway_id)};

    put_into(unit, &r, (slice){0});
    unit_add(unit, &leave_sql, leave, COUNT_OF(leave), EXPECT_ANY);
    unit_submit(unit, on_announced, name);
}
