/* Rows become a snapshot of trust. */
#include <stdatomic.h>
#include <stdlib.h>

#include "identity/trust/authority_store.h"
#include "identity/trust/trust_internal.h"

#define SNAPSHOT_MAX (1024 * 1024 * 1024) /* bytes; a list is at most half a megabyte */

struct snapshot {
    struct trust trust; /* first */
    atomic_uint holders;
    struct arena arena;
    struct buf denied;
};

const struct trust *trust_hold(const struct trust *trust)
{
    atomic_fetch_add_explicit(&((struct snapshot *)(uintptr_t)trust)->holders, 1,
                              memory_order_relaxed);
    return trust;
}

static void destroy(struct snapshot *s)
{
    for (size_t i = 0; i < s->trust.count; i++)
        certificate_free(s->trust.authorities[i].certificate);
    arena_deinit(&s->arena);
    buf_deinit(&s->denied);
    free(s);
}

void trust_release(const struct trust *trust)
{
    struct snapshot *s = (struct snapshot *)(uintptr_t)trust;

    if (s && atomic_fetch_sub_explicit(&s->holders, 1, memory_order_acq_rel) == 1)
        destroy(s);
}

/* --- reading --------------------------------------------------------------------------------- */

struct listed_authority {
    struct authority authority;
    struct listed_authority *next;
};

struct reading {
    struct store *store;
    trust_read_fn *on_read;
    void *context;
    struct snapshot *snapshot;
    struct listed_authority *first, **end;
    size_t count;
    struct fault why;
};

const struct sql trust_version_sql = {"SELECT version FROM trust_set WHERE id = 1"};

static const struct sql authorities_sql = {
    "SELECT s.version, a.group_key, a.slot, a.certificate, a.thumbprint, a.verified_at, a.enabled,"
    " a.ocsp_url, a.ocsp_strict, a.crl FROM trust_set s LEFT JOIN authority a ON a.slot > 0"
    " WHERE s.id = 1 ORDER BY a.group_key, a.slot"};
static const struct sql denied_sql = {"SELECT mark FROM denied_certificate"};

/* At the start there is no worker yet. */
static void ask_store(struct reading *r, const struct sql *sql, store_rows_fn *on_rows)
{
    if (worker_current())
        store_read(r->store, sql, NULL, 0, on_rows, r);
    else
        store_read_now(r->store, sql, NULL, 0, on_rows, r);
}

static void finish(struct reading *r, enum status status)
{
    const struct trust *trust = status == ST_OK ? &r->snapshot->trust : NULL;

    r->on_read(r->context, status, trust, &r->why);
    if (!trust) {
        for (struct listed_authority *a = r->first; a; a = a->next)
            certificate_free(a->authority.certificate);
        destroy(r->snapshot);
    }
    free(r);
}

static int compare_marks(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The list becomes an array; certificates are the snapshot's own from here on. */
static enum status settle(struct reading *r)
{
    struct snapshot *s = r->snapshot;
    struct authority *all = arena_alloc_array(&s->arena, r->count + 1, sizeof *all);
    size_t count = 0;

    if (!all || s->arena.failed || s->denied.failed)
        return fault_set(&r->why, ST_NO_MEMORY, "no memory for the authorities");
    for (struct listed_authority *a = r->first; a; a = a->next)
        all[count++] = a->authority;
    r->first = NULL;
    s->trust.authorities = all;
    s->trust.count = count;
    if (s->denied.len > 0)
        qsort(s->denied.ptr, s->denied.len / sizeof(uint64_t), sizeof(uint64_t), compare_marks);
    s->trust.denied = buf_slice(&s->denied);
    return ST_OK;
}

static void on_denied(void *context, enum status status, struct rows *rows)
{
    struct reading *r = context;

    while (status == ST_OK && rows_next(rows)) {
        uint64_t mark = (uint64_t)rows_int(rows, 0);

        buf_append(&r->snapshot->denied, slice_of(&mark, sizeof mark));
    }
    if (status == ST_OK)
        status = rows_status(rows);
    if (status == ST_OK)
        status = settle(r);
    finish(r, status);
}

static enum status add_authority(struct reading *r, const struct rows *rows)
{
    struct arena *arena = &r->snapshot->arena;
    struct listed_authority *added = arena_alloc(arena, sizeof *added);

    if (!added)
        return fault_set(&r->why, ST_NO_MEMORY, "no memory for the authorities");
    added->authority = (struct authority){
        .group = arena_copy(arena, rows_bytes(rows, 1)),
        .slot = (enum authority_slot)rows_int(rows, 2),
        .certificate = certificate_from_der(rows_bytes(rows, 3)),
        .mark = mark_of_thumbprint(rows_bytes(rows, 4)),
        .verified = rows_int(rows, 5) != 0,
        .enabled = rows_int(rows, 6) != 0,
        .ocsp_url = arena_copy(arena, rows_bytes(rows, 7)),
        .ocsp_strict = rows_int(rows, 8) != 0,
        .crl = arena_copy(arena, rows_bytes(rows, 9)),
    };
    *r->end = added;
    r->end = &added->next;
    r->count++;
    if (added->authority.certificate && added->authority.mark != 0 &&
        added->authority.crl.len % sizeof(uint64_t) == 0)
        return ST_OK;
    return fault_set(&r->why, ST_INTERNAL, "the authority of group '%.*s' is damaged",
                     SLICE_FMT(added->authority.group));
}

static void on_authorities(void *context, enum status status, struct rows *rows)
{
    struct reading *r = context;

    while (status == ST_OK && rows_next(rows)) {
        r->snapshot->trust.version = rows_int(rows, 0);
        if (!rows_is_null(rows, 1))
            status = add_authority(r, rows);
    }
    if (status == ST_OK)
        status = rows_status(rows);
    /* A list that is newer than the version is read once more later, never missed. */
    if (status == ST_OK)
        ask_store(r, &denied_sql, on_denied);
    else
        finish(r, status);
}

void trust_read(struct store *st, trust_read_fn *on_read, void *context)
{
    struct reading *r = calloc(1, sizeof *r);
    struct snapshot *s = calloc(1, sizeof *s);
    struct fault why;

    if (!r || !s) {
        free(r);
        free(s);
        fault_set(&why, ST_NO_MEMORY, "no memory for the authorities");
        on_read(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    atomic_init(&s->holders, 1);
    arena_init(&s->arena, SNAPSHOT_MAX);
    buf_init(&s->denied, 2 * DENIED_MAX * sizeof(uint64_t));
    *r = (struct reading){
        .store = st, .on_read = on_read, .context = context, .snapshot = s, .end = &r->first};
    fault_set(&r->why, ST_UNAVAILABLE, "the authorities cannot be read");
    ask_store(r, &authorities_sql, on_authorities);
}
