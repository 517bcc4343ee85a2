#include "provisioning/enrollment_cache.h"

#include <stdlib.h>

#include "base/log.h"
#include "provisioning/enrollment_store.h"
#include "provisioning/provisioning_internal.h"

#define CACHE_MAX_BYTES (64 * 1024 * 1024)
#define GROUPS_MAX ((size_t)(2 * ENROLLMENT_GROUPS_MAX)) /* of both attestations */

struct refresh {
    struct provisioning *p;
    enrollment_cache_fn *on_cache;
    void *context;
    struct enrollment_cache fresh;
};

void enrollment_cache_deinit(struct enrollment_cache *cache)
{
    for (size_t i = 0; i < cache->count; i++) {
        secret_wipe(&cache->groups[i].primary);
        secret_wipe(&cache->groups[i].secondary);
    }
    arena_deinit(&cache->arena);
    *cache = (struct enrollment_cache){0};
}

/* A group whose keys do not open is left out: it stops, the others go on (SECURITY-MODEL K2). */
static enum status add_group(struct refresh *r, struct enrollment_row *row)
{
    struct enrollment_cache *fresh = &r->fresh;
    struct enrollment *copy;
    struct fault why;

    if (fresh->count == GROUPS_MAX)
        return ST_INTERNAL;
    if (enrollment_row_open(r->p->sealer, row, &why) != ST_OK) {
        LOG_ERROR("enrollment_keys_damaged", LOG_TEXT("group", row->e.id), LOG_FAULT(&why));
        return ST_OK;
    }
    copy = enrollment_copy(&fresh->arena, &row->e);
    secret_wipe(&row->e.primary);
    secret_wipe(&row->e.secondary);
    if (!copy)
        return ST_NO_MEMORY;
    fresh->groups[fresh->count++] = *copy;
    secret_wipe(&copy->primary);
    secret_wipe(&copy->secondary);
    return ST_OK;
}

static enum status read_groups(struct refresh *r, struct rows *rows)
{
    struct enrollment_row row;
    enum status status = ST_OK;

    arena_init(&r->fresh.arena, CACHE_MAX_BYTES);
    r->fresh.groups = arena_alloc_array(&r->fresh.arena, GROUPS_MAX, sizeof *r->fresh.groups);
    if (!r->fresh.groups)
        return ST_NO_MEMORY;
    while (status == ST_OK && rows_next(rows)) {
        r->fresh.version = rows_int(rows, 0);
        if (enrollment_row_read(rows, 1, &row))
            status = add_group(r, &row);
    }
    if (status == ST_OK)
        status = rows_status(rows);
    return status == ST_OK && r->fresh.version == 0 ? ST_INTERNAL : status;
}

static void on_groups(void *context, enum status status, struct rows *rows)
{
    struct refresh *r = context;
    struct enrollment_cache *cache = &provisioning_part(r->p)->cache;

    if (status == ST_OK)
        status = read_groups(r, rows);
    if (status == ST_OK && r->fresh.version >= cache->version) {
        enrollment_cache_deinit(cache);
        *cache = r->fresh;
    } else {
        enrollment_cache_deinit(&r->fresh);
    }
    r->on_cache(r->context, status, status == ST_OK ? cache : NULL);
    free(r);
}

void enrollment_cache_refresh(struct provisioning *p, enrollment_cache_fn *on_cache, void *context)
{
    struct refresh *r = malloc(sizeof *r);

    if (!r) {
        on_cache(context, ST_NO_MEMORY, NULL);
        return;
    }
    *r = (struct refresh){.p = p, .on_cache = on_cache, .context = context};
    store_read(p->st, &enrollment_groups_sql, NULL, 0, on_groups, r);
}

struct read_now {
    struct refresh refresh;
    enum status status;
};

static void on_groups_now(void *context, enum status status, struct rows *rows)
{
    struct read_now *now = context;

    now->status = status == ST_OK ? read_groups(&now->refresh, rows) : status;
}

enum status enrollment_cache_read_now(struct provisioning *p, struct enrollment_cache *ret)
{
    struct read_now now = {.refresh.p = p};

    (void)store_read_now(p->st, &enrollment_groups_sql, NULL, 0, on_groups_now, &now);
    if (now.status == ST_OK)
        *ret = now.refresh.fresh;
    else
        enrollment_cache_deinit(&now.refresh.fresh);
    return now.status;
}

void enrollment_cache_at(struct provisioning *p, int64_t version, enrollment_cache_fn *on_cache,
                         void *context)
{
    struct enrollment_cache *cache = &provisioning_part(p)->cache;

    if (cache->version >= version && version > 0)
        on_cache(context, ST_OK, cache);
    else
        enrollment_cache_refresh(p, on_cache, context);
}

const struct enrollment *enrollment_cache_find(const struct enrollment_cache *cache, slice id)
{
    for (size_t i = 0; i < cache->count; i++) {
        if (slice_equal_nocase(cache->groups[i].id, id))
            return &cache->groups[i];
    }
    return NULL;
}
