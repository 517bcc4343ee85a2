#include "provisioning/enrollment_store.h"

#include "base/reader.h"
#include "provisioning/provisioning_internal.h"
#include "store/sql_list.h"

#define KEYS_MAX (2 * (1 + SECRET_MAX))

void enrollment_read(struct store *st, enum enrollment_kind kind, slice key, store_rows_fn *on_rows,
                     void *context)
{
    static const struct sql sql = {"SELECT " ENROLLMENT_COLUMNS
                                   " FROM enrollment e WHERE e.kind = ?1 AND e.id_key = ?2"};
    const struct sql_value params[] = {SQL_INT_(kind), SQL_TEXT_(key)};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

void enrollment_read_first(struct store *st, slice individual_key, slice device_key,
                           slice group_key, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {"SELECT " ENROLLMENT_COLUMNS " FROM enrollment e"
                                   " WHERE (e.kind = 1 AND e.id_key = ?1 AND ?4 ="
                                   " CASE e.device_key WHEN '' THEN e.id_key ELSE e.device_key END)"
                                   " OR (e.kind = 2 AND e.id_key IN (?2, ?3))"
                                   " ORDER BY e.kind, CASE WHEN e.id_key = ?2 THEN 0 ELSE 1 END"
                                   " LIMIT 1"};
    struct arena ARENA_CLEANUP arena = {.max = 4096};
    const struct sql_value params[] = {SQL_TEXT_(individual_key), SQL_TEXT_(group_key),
                                       SQL_TEXT_(text_lower(&arena, SLICE(DEFAULT_GROUP))),
                                       SQL_TEXT_(device_key)};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

void enrollment_read_list(struct store *st, enum enrollment_kind kind, slice after_key,
                          unsigned limit, store_rows_fn *on_rows, void *context)
{
    static const struct sql sql = {"SELECT " ENROLLMENT_COLUMNS
                                   " FROM enrollment e WHERE e.kind = ?1 AND e.id_key > ?2"
                                   " ORDER BY e.id_key LIMIT ?3"};
    const struct sql_value params[] = {SQL_INT_(kind), SQL_TEXT_(after_key), SQL_INT_(limit)};

    store_read(st, &sql, params, COUNT_OF(params), on_rows, context);
}

const struct sql enrollment_some_sql = {
    "SELECT " ENROLLMENT_COLUMNS " FROM enrollment e WHERE e.kind = 1 AND e.id_key IN (" SQL_LIST
    ")"};
const struct sql enrollment_groups_sql = {
    "SELECT s.version, " ENROLLMENT_COLUMNS
    " FROM enrollment_set s LEFT JOIN enrollment e ON e.kind = 2 WHERE s.id = 1 ORDER BY e.id_key"};

bool enrollment_row_read(const struct rows *rows, int first, struct enrollment_row *ret)
{
    if (rows_is_null(rows, first))
        return false;
    *ret = (struct enrollment_row){
        .e =
            {
                .kind = (enum enrollment_kind)rows_int(rows, first),
                .id = rows_bytes(rows, first + 1),
                .display_name = rows_bytes(rows, first + 2),
                .attestation = (enum attestation)rows_int(rows, first + 3),
                .enabled = rows_int(rows, first + 4) != 0,
                .gated = rows_int(rows, first + 5) != 0,
                .iot_edge = rows_int(rows, first + 6) != 0,
                .device_id = rows_bytes(rows, first + 7),
                .hub = rows_bytes(rows, first + 8),
                .has_auto_approve = !rows_is_null(rows, first + 9),
                .auto_approve = rows_int(rows, first + 9) != 0,
                .initial_tags = rows_bytes(rows, first + 10),
                .initial_desired = rows_bytes(rows, first + 11),
                .version = rows_int(rows, first + 13),
                .created_at = rows_int(rows, first + 14),
                .updated_at = rows_int(rows, first + 15),
                .primary_thumbprint = rows_bytes(rows, first + 16),
                .secondary_thumbprint = rows_bytes(rows, first + 17),
                .expired_leaf_allowed = rows_int(rows, first + 18) != 0,
            },
        .sealed_keys = rows_bytes(rows, first + 12),
    };
    return true;
}

/* --- keys at rest: each key with its length, sealed as one ------------------------------------ */

/* The row that keys are sealed for: kind and lower-case ID. */
struct place_row {
    uint8_t bytes[2 + ENROLLMENT_ID_MAX];
    size_t len;
};

static struct seal_place place_of(const struct enrollment *e, struct place_row *row)
{
    row->bytes[0] = e->kind == ENROLLMENT_GROUP ? 'g' : 'i';
    row->bytes[1] = '/';
    row->len = 2;
    for (size_t i = 0; i < e->id.len && row->len < sizeof row->bytes; i++) {
        uint8_t c = e->id.ptr[i];

        row->bytes[row->len++] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
    }
    return (struct seal_place){"enrollment", "keys", slice_of(row->bytes, row->len)};
}

static void append_key(struct buf *to, const struct secret *key)
{
    buf_append_byte(to, (uint8_t)key->len);
    buf_append(to, secret_slice(key));
}

static void seal_keys(const struct sealer *sealer, const struct enrollment *e, struct buf *to)
{
    struct place_row row;
    struct buf BUF_CLEANUP plain = {.max = KEYS_MAX};

    append_key(&plain, &e->primary);
    append_key(&plain, &e->secondary);
    if (plain.failed) {
        to->failed = true;
        return;
    }
    seal(sealer, place_of(e, &row), buf_slice(&plain), to);
    explicit_bzero(plain.ptr, plain.len);
}

static bool take_key(struct reader *r, struct secret *ret)
{
    slice bytes = read_bytes(r, read_u8(r));

    if (r->short_read || bytes.len > SECRET_MAX)
        return false;
    if (bytes.len > 0)
        memcpy(ret->bytes, bytes.ptr, bytes.len);
    ret->len = bytes.len;
    return true;
}

enum status enrollment_row_open(const struct sealer *sealer, struct enrollment_row *row,
                                struct fault *why)
{
    struct buf BUF_CLEANUP plain = {.max = KEYS_MAX};
    struct place_row place;
    struct reader r;
    enum status status;
    bool whole;

    status = unseal(sealer, place_of(&row->e, &place), row->sealed_keys, &plain, why);
    if (status != ST_OK)
        return status;
    r = (struct reader){.rest = buf_slice(&plain)};
    whole = take_key(&r, &row->e.primary) && take_key(&r, &row->e.secondary) && r.rest.len == 0;
    explicit_bzero(plain.ptr, plain.len);
    if (!whole)
        return fault_set(why, ST_INTERNAL, "the keys of enrollment '%.*s' are damaged",
                         SLICE_FMT(row->e.id));
    return ST_OK;
}

struct enrollment *enrollment_copy(struct arena *arena, const struct enrollment *e)
{
    struct enrollment *copy = arena_alloc(arena, sizeof *copy);

    if (!copy)
        return NULL;
    *copy = *e;
    slice *const owned[] = {
        &copy->id,
        &copy->display_name,
        &copy->device_id,
        &copy->hub,
        &copy->initial_tags,
        &copy->initial_desired,
        &copy->primary_thumbprint,
        &copy->secondary_thumbprint,
    };
    for (size_t i = 0; i < COUNT_OF(owned); i++)
        *owned[i] = arena_copy(arena, *owned[i]);
    if (arena->failed) {
        secret_wipe(&copy->primary);
        secret_wipe(&copy->secondary);
        return NULL;
    }
    return copy;
}

/* --- changes ---------------------------------------------------------------------------------- */

/* Both statements bind the same: ?1 kind ?2 key, then the columns; ?17 is the version before. */
static void add_change(struct unit *unit, const struct sql *sql, const struct sealer *sealer,
                       const struct enrollment *e, instant now)
{
    struct arena ARENA_CLEANUP arena = {.max = 4096};
    struct buf BUF_CLEANUP sealed = {.max = 512};

    seal_keys(sealer, e, &sealed);
    const struct sql_value params[] = {
        SQL_INT_(e->kind),
        SQL_TEXT_(text_lower(&arena, e->id)),
        SQL_TEXT_(e->id),
        SQL_TEXT_(e->display_name),
        SQL_INT_(e->attestation),
        SQL_INT_(e->enabled),
        SQL_INT_(e->gated),
        SQL_INT_(e->iot_edge),
        SQL_TEXT_(e->device_id),
        SQL_TEXT_(text_lower(&arena, e->device_id)),
        SQL_TEXT_(e->hub),
        e->has_auto_approve ? SQL_INT_(e->auto_approve) : SQL_NULL_,
        SQL_TEXT_(e->initial_tags),
        SQL_TEXT_(e->initial_desired),
        /* NULL where it must not be: rather no row than one without its keys */
        sealed.failed || arena.failed ? SQL_NULL_ : SQL_BLOB_(buf_slice(&sealed)),
        SQL_INT_(now),
        SQL_INT_(e->version),
        SQL_TEXT_(e->primary_thumbprint),
        SQL_TEXT_(e->secondary_thumbprint),
        SQL_INT_(e->expired_leaf_allowed),
    };
    unit_add(unit, sql, params, COUNT_OF(params), EXPECT_ONE);
}

void enrollment_unit_insert(struct unit *unit, const struct sealer *sealer,
                            const struct enrollment *e, instant now)
{
    static const struct sql sql = {
        "INSERT INTO enrollment (kind, id_key, id, display_name, attestation, enabled, gated,"
        " iot_edge, device_id, device_key, hub, auto_approve, initial_tags, initial_desired,"
        " sealed_keys, created_at, updated_at, version, primary_thumbprint, secondary_thumbprint,"
        " expired_leaf_allowed)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?16,"
        " ?17, ?18, ?19, ?20)"};

    add_change(unit, &sql, sealer, e, now);
}

void enrollment_unit_update(struct unit *unit, const struct sealer *sealer,
                            const struct enrollment *e, instant now)
{
    static const struct sql sql = {
        "UPDATE enrollment SET id = ?3, display_name = ?4, attestation = ?5, enabled = ?6,"
        " gated = ?7, iot_edge = ?8, device_id = ?9, device_key = ?10, hub = ?11,"
        " auto_approve = ?12, initial_tags = ?13, initial_desired = ?14, sealed_keys = ?15,"
        " updated_at = ?16, version = version + 1, primary_thumbprint = ?18,"
        " secondary_thumbprint = ?19, expired_leaf_allowed = ?20"
        " WHERE kind = ?1 AND id_key = ?2 AND version = ?17"};

    add_change(unit, &sql, sealer, e, now);
}

void enrollment_unit_delete(struct unit *unit, enum enrollment_kind kind, slice id)
{
    static const struct sql records_sql = {
        "DELETE FROM registration WHERE enrollment_kind = ?1 AND enrollment_key = ?2"};
    static const struct sql sql = {"DELETE FROM enrollment WHERE kind = ?1 AND id_key = ?2"};
    struct arena ARENA_CLEANUP arena = {.max = 4096};
    const struct sql_value params[] = {SQL_INT_(kind), SQL_TEXT_(text_lower(&arena, id))};

    unit_add(unit, &records_sql, params, COUNT_OF(params), EXPECT_ANY);
    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}

void enrollment_unit_move_set(struct unit *unit, int64_t version)
{
    static const struct sql sql = {
        "UPDATE enrollment_set SET version = version + 1 WHERE id = 1 AND version = ?1"};
    const struct sql_value params[] = {SQL_INT_(version)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}

void enrollment_unit_touch_set(struct unit *unit)
{
    static const struct sql sql = {"UPDATE enrollment_set SET version = version + 1 WHERE id = 1"};

    unit_add(unit, &sql, NULL, 0, EXPECT_ONE);
}

void enrollment_unit_guard(struct unit *unit, const struct enrollment *e)
{
    static const struct sql sql = {
        "SELECT 1 FROM enrollment WHERE kind = ?1 AND id_key = ?2 AND version = ?3"};
    struct arena ARENA_CLEANUP arena = {.max = 4096};
    const struct sql_value params[] = {SQL_INT_(e->kind), SQL_TEXT_(text_lower(&arena, e->id)),
                                       SQL_INT_(e->version)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}

void enrollment_unit_guard_x509(struct unit *unit, slice group, bool enabled)
{
    static const struct sql sql = {"SELECT 1 FROM enrollment WHERE kind = 2 AND id_key = ?1"
                                   " AND attestation = ?2 AND enabled = ?3"};
    struct arena ARENA_CLEANUP arena = {.max = 4096};
    const struct sql_value params[] = {SQL_TEXT_(text_lower(&arena, group)), SQL_INT_(ATTEST_X509),
                                       SQL_INT_(enabled)};

    unit_add(unit, &sql, params, COUNT_OF(params), EXPECT_ONE);
}

void enrollment_unit_forget(struct unit *unit, slice device_id)
{
    /* One without a device ID of its own is that of the device named like it. */
    static const struct sql own_sql = {
        "DELETE FROM enrollment WHERE kind = 1 AND id_key = ?1 AND device_key = ''"};
    static const struct sql named_sql = {
        "DELETE FROM enrollment WHERE kind = 1 AND device_key = ?1 AND device_key <> ''"};
    struct arena ARENA_CLEANUP arena = {.max = 4096};
    const struct sql_value params[] = {SQL_TEXT_(text_lower(&arena, device_id))};

    unit_add(unit, &own_sql, params, COUNT_OF(params), EXPECT_ANY);
    unit_add(unit, &named_sql, params, COUNT_OF(params), EXPECT_ANY);
}
