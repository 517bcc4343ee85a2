#include "provisioning/device_keys.h"

#include "provisioning/attest.h"
#include "provisioning/enrollment_store.h"
#include "provisioning/provisioning_internal.h"
#include "store/sql_list.h"

/* As many devices as one list of a statement holds. */
struct part {
    struct provisioning *p;
    const struct enrollment_cache *groups;
    const struct device *const *devices;
    struct device_key_pair *pairs;
    size_t count;
    slice keys[SQL_LIST_LEN]; /* of the enrollments that could be theirs */
    bool is_found[SQL_LIST_LEN];
    struct arena *arena;
    enum status status;
    struct fault *why;
};

static bool has_certificates(const struct device *d)
{
    return d->auth == AUTH_SELF_SIGNED || d->auth == AUTH_CERTIFICATE_AUTHORITY;
}

static void take_enrollment(struct part *part, size_t at, const struct enrollment *e)
{
    struct device_key_pair *pair = &part->pairs[at];

    part->is_found[at] = true;
    if (e->attestation != ATTEST_X509) {
        enrollment_device_keys(e, part->devices[at]->id, &pair->primary, &pair->secondary);
        return;
    }
    pair->primary_thumbprint = arena_copy(part->arena, e->primary_thumbprint);
    pair->secondary_thumbprint = arena_copy(part->arena, e->secondary_thumbprint);
}

/* --- individual enrollments ------------------------------------------------------------------- */

static enum status take_row(struct part *part, struct enrollment_row *row)
{
    struct arena ARENA_CLEANUP lower = {.max = 4096};
    slice key = text_lower(&lower, row->e.id);
    enum status status = enrollment_row_open(part->p->sealer, row, part->why);

    for (size_t i = 0; i < part->count && status == ST_OK; i++) {
        if (part->keys[i].len > 0 && slice_equal(part->keys[i], key) &&
            enrollment_stands_for(&row->e, part->devices[i]->id))
            take_enrollment(part, i, &row->e);
    }
    secret_wipe(&row->e.primary);
    secret_wipe(&row->e.secondary);
    return lower.failed ? ST_NO_MEMORY : status;
}

static void on_rows(void *context, enum status status, struct rows *rows)
{
    struct part *part = context;
    struct enrollment_row row;

    while (status == ST_OK && rows_next(rows)) {
        if (enrollment_row_read(rows, 0, &row))
            status = take_row(part, &row);
    }
    part->status = status == ST_OK ? rows_status(rows) : status;
}

static void read_individual(struct part *part)
{
    struct sql_value values[SQL_LIST_LEN];

    for (size_t i = 0; i < SQL_LIST_LEN; i++) {
        const struct device *d = i < part->count ? part->devices[i] : NULL;

        part->keys[i] = (slice){0};
        if (d && !has_certificates(d))
            part->keys[i] =
                text_lower(part->arena,
                           d->enrollment_kind == ENROLLMENT_INDIVIDUAL ? d->enrollment_id : d->id);
        values[i] = SQL_TEXT_(part->keys[i]);
    }
    part->status = ST_NO_MEMORY;
    if (!part->arena->failed)
        (void)store_read_now(part->p->st, &enrollment_some_sql, values, SQL_LIST_LEN, on_rows,
                             part);
}

/* --- the others ------------------------------------------------------------------------------- */

static void fill_in(struct part *part, size_t at)
{
    const struct device *d = part->devices[at];
    const struct enrollment *group = NULL;

    if (has_certificates(d)) {
        part->pairs[at].primary_thumbprint = d->primary_thumbprint;
        part->pairs[at].secondary_thumbprint = d->secondary_thumbprint;
        return;
    }
    if (part->is_found[at])
        return;
    if (d->enrollment_kind == ENROLLMENT_GROUP)
        group = enrollment_cache_find(part->groups, d->enrollment_id);
    if (!group)
        group = enrollment_cache_find(part->groups, SLICE(DEFAULT_GROUP));
    if (group && group->attestation != ATTEST_X509)
        take_enrollment(part, at, group);
}

static enum status run_part(struct part *part)
{
    read_individual(part);
    for (size_t i = 0; i < part->count && part->status == ST_OK; i++)
        fill_in(part, i);
    return part->arena->failed ? ST_NO_MEMORY : part->status;
}

enum status device_keys_now(struct provisioning *p, const struct device *const *devices,
                            size_t count, struct arena *arena, struct device_key_pair *pairs,
                            struct fault *why)
{
    struct enrollment_cache groups;
    enum status status;

    memset(pairs, 0, count * sizeof *pairs);
    status = enrollment_cache_read_now(p, &groups);
    if (status != ST_OK)
        return fault_set(why, status, "the enrollment groups could not be read");
    for (size_t at = 0; at < count && status == ST_OK; at += SQL_LIST_LEN) {
        struct part part = {
            .p = p,
            .groups = &groups,
            .devices = devices + at,
            .pairs = pairs + at,
            .count = count - at < SQL_LIST_LEN ? count - at : SQL_LIST_LEN,
            .arena = arena,
            .why = why,
        };

        status = run_part(&part);
    }
    enrollment_cache_deinit(&groups);
    return status;
}

void device_key_pairs_wipe(struct device_key_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        secret_wipe(&pairs[i].primary);
        secret_wipe(&pairs[i].secondary);
    }
}

/* --- enrolling -------------------------------------------------------------------------------- */

struct foreign_search {
    device_keys_foreign_fn *on_foreign;
    void *context;
    enum status status;
};

static void on_some(void *context, enum status status, struct rows *rows)
{
    struct foreign_search *search = context;
    struct enrollment_row row;

    while (status == ST_OK && rows_next(rows)) {
        if (enrollment_row_read(rows, 0, &row) && row.e.device_id.len > 0 &&
            !slice_equal_nocase(row.e.device_id, row.e.id))
            search->on_foreign(search->context, row.e.id);
    }
    search->status = status == ST_OK ? rows_status(rows) : status;
}

static void find_foreign(struct provisioning *p, const slice *ids, size_t count,
                         struct foreign_search *search)
{
    struct arena ARENA_CLEANUP lower = {.max = 65536};
    struct sql_value values[SQL_LIST_LEN];

    for (size_t i = 0; i < SQL_LIST_LEN; i++)
        values[i] = SQL_TEXT_(i < count ? text_lower(&lower, ids[i]) : (slice){0});
    if (lower.failed)
        search->status = ST_NO_MEMORY;
    else
        (void)store_read_now(p->st, &enrollment_some_sql, values, SQL_LIST_LEN, on_some, search);
}

enum status device_keys_find_foreign_now(struct provisioning *p, const slice *device_ids,
                                         size_t count, device_keys_foreign_fn *on_foreign,
                                         void *context)
{
    struct foreign_search search = {on_foreign, context, ST_OK};

    for (size_t at = 0; at < count && search.status == ST_OK; at += SQL_LIST_LEN)
        find_foreign(p, device_ids + at, count - at < SQL_LIST_LEN ? count - at : SQL_LIST_LEN,
                     &search);
    return search.status;
}

void device_keys_unit_enroll(struct unit *unit, const struct provisioning *p, slice device_id,
                             const struct secret *primary, const struct secret *secondary,
                             instant now)
{
    struct enrollment e = {
        .kind = ENROLLMENT_INDIVIDUAL,
        .id = device_id,
        .display_name = device_id,
        .attestation = ATTEST_SYMMETRIC_KEY,
        .enabled = true,
        .gated = true,
        .version = 1,
        .primary = *primary,
        .secondary = *secondary,
    };

    provisioning_unit_forget(unit, device_id);
    enrollment_unit_insert(unit, p->sealer, &e, now);
    secret_wipe(&e.primary);
    secret_wipe(&e.secondary);
}
