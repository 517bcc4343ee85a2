#include "central/telemetry/aliases.h"

#include <stdlib.h>

#include "central/central_internal.h"
#include "central/property/device_records.h"

#define ARENA_MAX ((size_t)64 * 1024)

struct alias_job {
    struct central *c;
    struct arena arena;
    slice id, generation_id, alias, path;
    enum { ALIAS_LIST, ALIAS_ADD, ALIAS_DELETE } act;
    alias_fn *on_alias;
    alias_done_fn *on_done;
    void *context;
    struct fault why;
};

static void finish(struct alias_job *job, enum status status)
{
    if (status != ST_OK && job->why.status == ST_OK)
        (void)fault_set(&job->why, status,
                        status == ST_DEVICE_NOT_FOUND ? "there is no such device"
                                                      : "the aliases are not to be had");
    if (job->act == ALIAS_LIST)
        job->on_alias(job->context, status, (slice){0}, (slice){0}, &job->why);
    else
        job->on_done(job->context, status, &job->why);
    arena_deinit(&job->arena);
    free(job);
}

/* --- changing -----------------------------------------------------------------------------------
 */

static void on_changed(void *context, enum status status, struct unit *unit)
{
    struct alias_job *job = context;

    (void)unit;
    if (status == ST_CONFLICT && job->act == ALIAS_DELETE)
        status = fault_set(&job->why, ST_NOT_FOUND, "there is no such alias");
    else if (status == ST_CONFLICT)
        (void)fault_set(&job->why, status, "the path or the alias is in use");
    finish(job, status);
}

static void change(struct alias_job *job)
{
    struct unit *unit = unit_create(job->c->st);

    if (!unit) {
        finish(job, ST_UNAVAILABLE);
        return;
    }
    if (job->act == ALIAS_ADD)
        alias_unit_add(unit, job->id, job->generation_id, job->path, job->alias);
    else
        alias_unit_delete(unit, job->id, job->alias);
    unit_submit(unit, on_changed, job);
}

/* --- reading ------------------------------------------------------------------------------------
 */

static void on_rows(void *context, enum status status, struct rows *rows)
{
    struct alias_job *job = context;
    unsigned count = 0;

    while (status == ST_OK && rows_next(rows)) {
        count++;
        if (job->act == ALIAS_LIST)
            job->on_alias(job->context, ST_OK, rows_bytes(rows, 1), rows_bytes(rows, 0), &job->why);
    }
    if (status == ST_OK)
        status = rows_status(rows);
    if (status != ST_OK || job->act == ALIAS_LIST)
        finish(job, status);
    else if (job->act == ALIAS_ADD && count >= ALIASES_MAX)
        finish(job, fault_set(&job->why, ST_QUOTA, "a device has at most %d aliases", ALIASES_MAX));
    else
        change(job);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct alias_job *job = context;

    if (status == ST_OK) {
        job->id = arena_copy(&job->arena, d->id);
        job->generation_id = arena_copy(&job->arena, d->generation_id);
        status = job->arena.failed ? ST_NO_MEMORY : ST_OK;
    }
    if (status == ST_OK)
        alias_read(job->c->st, job->id, job->generation_id, on_rows, job);
    else
        finish(job, status);
}

static void start(const struct alias_job *like, slice device_id)
{
    struct alias_job *job = malloc(sizeof *job);
    const struct fault why = {ST_NO_MEMORY, "no memory for aliases"};

    if (!job && like->act == ALIAS_LIST) {
        like->on_alias(like->context, ST_NO_MEMORY, (slice){0}, (slice){0}, &why);
        return;
    }
    if (!job) {
        like->on_done(like->context, ST_NO_MEMORY, &why);
        return;
    }
    *job = *like;
    arena_init(&job->arena, ARENA_MAX);
    job->alias = arena_copy(&job->arena, like->alias);
    job->path = arena_copy(&job->arena, like->path);
    if (job->arena.failed)
        finish(job, ST_NO_MEMORY);
    else
        device_find(job->c->id, device_id, on_device, job);
}

void central_alias_list(struct central *c, slice device_id, alias_fn *on_alias, void *context)
{
    const struct alias_job job = {
        .c = c, .act = ALIAS_LIST, .on_alias = on_alias, .context = context};

    start(&job, device_id);
}

void central_alias_add(struct central *c, slice device_id, slice alias, slice path,
                       alias_done_fn *on_done, void *context)
{
    const struct alias_job job = {.c = c,
                                  .act = ALIAS_ADD,
                                  .alias = alias,
                                  .path = path,
                                  .on_done = on_done,
                                  .context = context};
    struct alias_path ignored;
    struct fault why = {0};
    enum status status = alias_check(alias, &why);

    if (status == ST_OK)
        status = alias_path_parse(path, &ignored, &why);
    if (status == ST_OK)
        start(&job, device_id);
    else
        on_done(context, status, &why);
}

void central_alias_delete(struct central *c, slice device_id, slice alias, alias_done_fn *on_done,
                          void *context)
{
    const struct alias_job job = {
        .c = c, .act = ALIAS_DELETE, .alias = alias, .on_done = on_done, .context = context};

    start(&job, device_id);
}
