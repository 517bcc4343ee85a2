#include "provisioning/registration_store.h"

#include "provisioning/provisioning_internal.h"

#define RECORD_COLUMNS                                                                             \
    "r.id, r.device_id, r.hub, r.substatus, r.enrollment_kind, r.enrollment_id, r.state, "         \
    "r.error_code, r.operation_id, r.previous_operation_id, r.told, r.created_at, r.updated_at, "  \
    "r.version, r.by_certificate"

static bool record_read(const struct rows *rows, int first, struct registration_record *ret)
{
    if (rows_is_null(rows, first))
        return false;
    *ret = (struct registration_record){
        .id = rows_bytes(rows, first),
        .device_id = rows_bytes(rows, first + 1),
        .hub = rows_bytes(rows, first + 2),
        .substatus = rows_bytes(rows, first + 3),
        .enrollment_kind = (enum enrollment_kind)rows_int(rows, first + 4),
        .enrollment_id = rows_bytes(rows, first + 5),
        .state = (enum registration_state)rows_int(rows, first + 6),
        .error_code = (int)rows_int(rows, first + 7),
        .operation_id = rows_bytes(rows, first + 8),
        .previous_operation_id = rows_bytes(rows, first + 9),
        .told = rows_int(rows, first + 10) != 0,
        .created_at = rows_int(rows, first + 11),
        .updated_at = rows_int(rows, first + 12),
        .version = rows_int(rows, first + 13),
        .by_certificate = rows_int(rows, first + 14) != 0,
    };
    return true;
}

static void on_row(void *context, enum status status, struct rows *rows)
{
    struct registration_read *read = context;
    struct registration_facts facts = {0};

    if (status == ST_OK && !rows_next(rows)) {
        status = rows_status(rows);
        if (status == ST_OK)
            status = ST_INTERNAL; /* the set's row is always there */
    }
    if (status != ST_OK) {
        read->on_facts(read->context, status, NULL);
        return;
    }
    facts.set_version = rows_int(rows, 0);
    facts.has_individual = enrollment_row_read(rows, 1, &facts.individual);
    facts.has_record = record_read(rows, 1 + ENROLLMENT_COLUMN_COUNT, &facts.record);
    read->on_facts(read->context, ST_OK, &facts);
}

void registration_read(struct store *st, slice key, struct registration_read *read)
{
    static const struct sql sql = {"SELECT s.version, " ENROLLMENT_COLUMNS ", " RECORD_COLUMNS
                                   " FROM enrollment_set s"
                                   " LEFT JOIN enrollment e ON e.kind = 1 AND e.id_key = ?1"
                                   " LEFT JOIN registration r ON r.id_key = ?1 WHERE s.id = 1"};
    const struct sql_value params[] = {SQL_TEXT_(key)};

    store_read(st, &sql, params, COUNT_OF(params), on_row, read);
}

struct registration_record *registration_record_copy(struct arena *arena,
                                                     const struct registration_record *r)
{
    struct registration_record *copy = arena_alloc(arena, sizeof *copy);

    if (!copy)
        return NULL;
    *copy = *r;
    slice *const owned[] = {&copy->id,           &copy->device_id,    &copy->hub,
                            &copy->substatus,    &copy->operation_id, &copy->previous_operation_id,
                            &copy->enrollment_id};
    for (size_t i = 0; i < COUNT_OF(owned); i++)
        *owned[i] = arena_copy(arena, *owned[i]);
    return arena->failed ? NULL : copy;
}

void registration_unit_put(struct unit *unit, const struct registration_record *r)
{
    static const struct sql sql = {
        "INSERT INTO registration (id_key, id, device_id, device_key, hub, substatus,"
        " enrollment_kind, enrollment_id, enrollment_key, state, error_code, operation_id,"
        " previous_operation_id, told, created_at, updated_at, version, by_certificate)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
        " ON CONFLICT (id_key) DO UPDATE SET device_id = excluded.device_id,"
        " device_key = excluded.device_key, hub = excluded.hub,"
        " substatus = excluded.substatus, enrollment_kind = excluded.enrollment_kind,"
        " enrollment_id = excluded.enrollment_id, enrollment_key = excluded.enrollment_key,"
        " state = excluded.state, error_code = excluded.error_code,"
        " operation_id = excluded.operation_id,"
        " previous_operation_id = excluded.previous_operation_id, told = excluded.told,"
        " created_at = excluded.created_at, updated_at = excluded.updated_at,"
        " version = excluded.version, by_certificate = excluded.by_certificate"};
    struct arena ARENA_CLEANUP arena = {.max = 4096};
    const struct sql_value params[] = {
        SQL_TEXT_(text_lower(&arena, r->id)),
        SQL_TEXT_(r->id),
        SQL_TEXT_(r->device_id),
        SQL_TEXT_(text_lower(&arena, r->device_id)),
        SQL_TEXT_(r->hub),
        SQL_TEXT_(r->substatus),
        SQL_INT_(r->enrollment_kind),
        SQL_TEXT_(r->enrollment_id),
        SQL_TEXT_(text_lower(&arena, r->enrollment_id)),
        SQL_INT_(r->state),
        SQL_INT_(r->error_code),
        SQL_TEXT_(r->operation_id),
        SQL_TEXT_(r->previous_operation_id),
        SQL_INT_(r->told),
        SQL_INT_(r->created_at),
        SQL_INT_(r->updated_at),
        SQL_INT_(r->version),
        SQL_INT_(r->by_certificate),
    };

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}

void registration_unit_told(struct unit *unit, const struct registration_record *r)
{
    static const struct sql sql = {
        "UPDATE registration SET told = 1 WHERE id_key = ?1 AND operation_id = ?2"};
    struct arena ARENA_CLEANUP arena = {.max = 4096};
    const struct sql_value params[] = {SQL_TEXT_(text_lower(&arena, r->id)),
                                       SQL_TEXT_(r->operation_id)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ANY);
}

void provisioning_unit_forget(struct unit *unit, slice device_id)
{
    static const struct sql own_sql = {
        "DELETE FROM registration WHERE id_key = ?1 AND device_key = ?1"};
    static const struct sql other_sql = {
        "DELETE FROM registration WHERE device_key = ?1 AND device_key <> id_key"};
    struct arena ARENA_CLEANUP arena = {.max = 4096};
    const struct sql_value params[] = {SQL_TEXT_(text_lower(&arena, device_id))};

    unit_add(unit, &own_sql, params, COUNT_OF(params), EXPECT_ANY);
    unit_add(unit, &other_sql, params, COUNT_OF(params), EXPECT_ANY);
    enrollment_unit_forget(unit, device_id);
}
