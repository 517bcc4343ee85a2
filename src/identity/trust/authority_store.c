#include "identity/trust/authority_store.h"

#include <stdlib.h>

#include "identity/trust/trust_internal.h"

slice group_key_of(slice group, uint8_t to[GROUP_ID_MAX])
{
    if (group.len > GROUP_ID_MAX)
        return (slice){0};
    for (size_t i = 0; i < group.len; i++) {
        uint8_t c = group.ptr[i];

        to[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
    }
    return slice_of(to, group.len);
}

/* --- authorities: rows ----------------------------------------------------------------------- */

#define COLUMNS                                                                                    \
    "group_key, slot, certificate, thumbprint, enabled, verified_at, verified_by, self_attested,"  \
    " code, code_at, crl, crl_number, crl_this_update, crl_next_update, ocsp_url, ocsp_strict,"    \
    " created_at, updated_at, version"

/* In the order of COLUMNS. */
enum column {
    GROUP_KEY,
    SLOT,
    CERTIFICATE,
    THUMBPRINT,
    ENABLED,
    VERIFIED_AT,
    VERIFIED_BY,
    SELF_ATTESTED,
    CODE,
    CODE_AT,
    CRL,
    CRL_NUMBER,
    CRL_THIS_UPDATE,
    CRL_NEXT_UPDATE,
    OCSP_URL,
    OCSP_STRICT,
    CREATED_AT,
    UPDATED_AT,
    VERSION,
    COLUMN_COUNT
};

static void read_row(struct rows *rows, struct authority_row *ret)
{
    *ret = (struct authority_row){
        .group = rows_bytes(rows, GROUP_KEY),
        .slot = (enum authority_slot)rows_int(rows, SLOT),
        .certificate = rows_bytes(rows, CERTIFICATE),
        .thumbprint = rows_bytes(rows, THUMBPRINT),
        .enabled = rows_int(rows, ENABLED) != 0,
        .verified_at = rows_int(rows, VERIFIED_AT),
        .verified_by = rows_bytes(rows, VERIFIED_BY),
        .self_attested = rows_int(rows, SELF_ATTESTED) != 0,
        .code = rows_bytes(rows, CODE),
        .code_at = rows_int(rows, CODE_AT),
        .crl = rows_bytes(rows, CRL),
        .crl_number = rows_bytes(rows, CRL_NUMBER),
        .crl_this_update = rows_int(rows, CRL_THIS_UPDATE),
        .crl_next_update = rows_int(rows, CRL_NEXT_UPDATE),
        .ocsp_url = rows_bytes(rows, OCSP_URL),
        .ocsp_strict = rows_int(rows, OCSP_STRICT) != 0,
        .created_at = rows_int(rows, CREATED_AT),
        .updated_at = rows_int(rows, UPDATED_AT),
        .version = rows_int(rows, VERSION),
    };
}

struct authority_row *authority_row_copy(struct arena *arena, const struct authority_row *row)
{
    struct authority_row *copy = arena_alloc(arena, sizeof *copy);

    if (!copy)
        return NULL;
    *copy = *row;
    copy->group = arena_copy(arena, row->group);
    copy->certificate = arena_copy(arena, row->certificate);
    copy->thumbprint = arena_copy(arena, row->thumbprint);
    copy->verified_by = arena_copy(arena, row->verified_by);
    copy->code = arena_copy(arena, row->code);
    copy->crl = arena_copy(arena, row->crl);
    copy->crl_number = arena_copy(arena, row->crl_number);
    copy->ocsp_url = arena_copy(arena, row->ocsp_url);
    return arena->failed ? NULL : copy;
}

struct reading {
    authority_row_fn *on_row;
    void *context;
};

static void on_rows(void *context, enum status status, struct rows *rows)
{
    struct reading *r = context;
    struct authority_row row;

    while (status == ST_OK && rows_next(rows)) {
        read_row(rows, &row);
        r->on_row(r->context, ST_OK, &row);
    }
    r->on_row(r->context, status == ST_OK ? rows_status(rows) : status, NULL);
    free(r);
}

void authority_read(struct store *st, slice group, authority_row_fn *on_row, void *context)
{
    static const struct sql one = {"SELECT " COLUMNS
                                   " FROM authority WHERE group_key = ?1 ORDER BY slot"};
    static const struct sql all = {"SELECT " COLUMNS " FROM authority ORDER BY group_key, slot"};
    const struct sql_value value = SQL_TEXT_(group);
    struct reading *r = malloc(sizeof *r);

    if (!r) {
        on_row(context, ST_NO_MEMORY, NULL);
        return;
    }
    *r = (struct reading){on_row, context};
    store_read(st, group.len ? &one : &all, &value, group.len ? 1 : 0, on_rows, r);
}

/* --- authorities: changing ------------------------------------------------------------------- */

/* No other group holds it, in whichever slot. */
#define NOBODY_ELSES                                                                               \
    "NOT EXISTS (SELECT 1 FROM authority o WHERE o.thumbprint = ?4 AND o.group_key <> ?1)"

static const struct sql insert_sql = {
    "INSERT INTO authority (" COLUMNS ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
    " ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19 WHERE " NOBODY_ELSES};
static const struct sql update_sql = {
    "UPDATE authority SET certificate = ?3, thumbprint = ?4, enabled = ?5, verified_at = ?6,"
    " verified_by = ?7, self_attested = ?8, code = ?9, code_at = ?10, crl = ?11, crl_number = ?12,"
    " crl_this_update = ?13, crl_next_update = ?14, ocsp_url = ?15, ocsp_strict = ?16,"
    " created_at = ?17, updated_at = ?18, version = ?19"
    " WHERE group_key = ?1 AND slot = ?2 AND version = ?20 AND " NOBODY_ELSES};

/* A slot filled anew begins above all versions of what it held before. */
static int64_t next_version(const struct authority_row *row, int64_t was_version)
{
    return row->updated_at > was_version ? row->updated_at : was_version + 1;
}

void authority_unit_put(struct unit *unit, const struct authority_row *row, int64_t was_version)
{
    const struct sql_value values[COLUMN_COUNT + 1] = {
        [GROUP_KEY] = SQL_TEXT_(row->group),
        [SLOT] = SQL_INT_(row->slot),
        [CERTIFICATE] = SQL_BLOB_(row->certificate),
        [THUMBPRINT] = SQL_TEXT_(row->thumbprint),
        [ENABLED] = SQL_INT_(row->enabled),
        [VERIFIED_AT] = SQL_INT_(row->verified_at),
        [VERIFIED_BY] = SQL_TEXT_(row->verified_by),
        [SELF_ATTESTED] = SQL_INT_(row->self_attested),
        [CODE] = SQL_TEXT_(row->code),
        [CODE_AT] = SQL_INT_(row->code_at),
        [CRL] = SQL_BLOB_(row->crl),
        [CRL_NUMBER] = SQL_TEXT_(row->crl_number),
        [CRL_THIS_UPDATE] = SQL_INT_(row->crl_this_update),
        [CRL_NEXT_UPDATE] = SQL_INT_(row->crl_next_update),
        [OCSP_URL] = SQL_TEXT_(row->ocsp_url),
        [OCSP_STRICT] = SQL_INT_(row->ocsp_strict),
        [CREATED_AT] = SQL_INT_(row->created_at),
        [UPDATED_AT] = SQL_INT_(row->updated_at),
        [VERSION] = SQL_INT_(next_version(row, was_version)),
        [COLUMN_COUNT] = SQL_INT_(was_version),
    };

    if (was_version == 0)
        unit_add(unit, &insert_sql, values, COLUMN_COUNT, EXPECT_ONE);
    else
        unit_add(unit, &update_sql, values, COLUMN_COUNT + 1, EXPECT_ONE);
}

void authority_unit_delete(struct unit *unit, slice group, enum authority_slot slot,
                           int64_t was_version)
{
    static const struct sql sql = {
        "DELETE FROM authority WHERE group_key = ?1 AND slot = ?2 AND version = ?3"};
    const struct sql_value values[] = {SQL_TEXT_(group), SQL_INT_(slot), SQL_INT_(was_version)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

/* The version moves too: a slot that was read before may not be written back over this. */
void authority_unit_enable(struct unit *unit, slice group, bool enabled)
{
    static const struct sql sql = {
        "UPDATE authority SET enabled = ?2, version = version + 1 WHERE group_key = ?1"};
    const struct sql_value values[] = {SQL_TEXT_(group), SQL_INT_(enabled)};

    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ANY);
}

void authority_unit_forget(struct unit *unit, slice group)
{
    static const struct sql sql = {"DELETE FROM authority WHERE group_key = ?1"};
    const struct sql_value value = SQL_TEXT_(group);

    unit_add(unit, &sql, &value, 1, EXPECT_ANY);
}

void trust_unit_move(struct unit *unit)
{
    static const struct sql sql = {"UPDATE trust_set SET version = version + 1 WHERE id = 1"};

    unit_add(unit, &sql, NULL, 0, EXPECT_ONE);
}

/* --- the deny list --------------------------------------------------------------------------- */

void denial_key(const struct denial *d, struct buf *to)
{
    uint8_t group[GROUP_ID_MAX];

    if (d->thumbprint.len > 0) {
        buf_append_str(to, "t:");
        buf_append(to, d->thumbprint);
        return;
    }
    buf_append_str(to, "s:");
    buf_append(to, group_key_of(d->group, group));
    buf_append_byte(to, ':');
    buf_append(to, d->serial);
}

struct denial_reading {
    denial_fn *on_denial;
    void *context;
};

static void on_denials(void *context, enum status status, struct rows *rows)
{
    struct denial_reading *r = context;

    while (status == ST_OK && rows_next(rows)) {
        const struct denial d = {
            .thumbprint = rows_bytes(rows, 1),
            .group = rows_bytes(rows, 2),
            .serial = rows_bytes(rows, 3),
            .reason = rows_bytes(rows, 4),
            .by = rows_bytes(rows, 5),
            .at = rows_int(rows, 6),
        };

        r->on_denial(r->context, ST_OK, &d, rows_bytes(rows, 0));
    }
    r->on_denial(r->context, status == ST_OK ? rows_status(rows) : status, NULL, (slice){0});
    free(r);
}

/* An `after` that has gone meanwhile begins anew: twice is better than never. */
void denial_list(struct store *st, slice after, unsigned limit, denial_fn *on_denial, void *context)
{
    static const struct sql sql = {
        "SELECT denial_key, thumbprint, group_id, serial, reason, denied_by, denied_at"
        " FROM denied_certificate WHERE number >"
        " COALESCE((SELECT number FROM denied_certificate WHERE denial_key = ?1), 0)"
        " ORDER BY number LIMIT ?2"};
    const struct sql_value values[] = {SQL_TEXT_(after), SQL_INT_(limit)};
    struct denial_reading *r = malloc(sizeof *r);

    if (!r) {
        on_denial(context, ST_NO_MEMORY, NULL, (slice){0});
        return;
    }
    *r = (struct denial_reading){on_denial, context};
    store_read(st, &sql, values, COUNT_OF(values), on_denials, r);
}

static uint64_t denial_mark(const struct denial *d)
{
    uint8_t group[GROUP_ID_MAX];

    if (d->thumbprint.len > 0)
        return mark_of_thumbprint(d->thumbprint);
    return mark_of_group_serial(group_key_of(d->group, group), d->serial);
}

/* Denied again: who and why are the last one's. */
void denial_unit_put(struct unit *unit, const struct denial *d)
{
    static const struct sql sql = {
        "INSERT INTO denied_certificate"
        " (denial_key, number, thumbprint, group_id, serial, reason, denied_by, denied_at, mark)"
        " SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8"
        " FROM denied_certificate WHERE number > 0"
        " ON CONFLICT (denial_key) DO UPDATE SET reason = excluded.reason,"
        " denied_by = excluded.denied_by, denied_at = excluded.denied_at"};
    BUF_CLEANUP struct buf key = {.max = 1024};

    denial_key(d, &key);
    const struct sql_value values[] = {SQL_TEXT_(buf_slice(&key)),
                                       SQL_TEXT_(d->thumbprint),
                                       SQL_TEXT_(d->group),
                                       SQL_TEXT_(d->serial),
                                       SQL_TEXT_(d->reason),
                                       SQL_TEXT_(d->by),
                                       SQL_INT_(d->at),
                                       SQL_INT_(denial_mark(d))};
    unit_add(unit, &sql, values, COUNT_OF(values), EXPECT_ONE);
}

void denial_unit_delete(struct unit *unit, slice key)
{
    static const struct sql sql = {"DELETE FROM denied_certificate WHERE denial_key = ?1"};
    const struct sql_value value = SQL_TEXT_(key);

    unit_add(unit, &sql, &value, 1, EXPECT_ONE);
}
