#include "central/property/command_outcome.h"

#include <stdlib.h>

#include "central/central_internal.h"
#include "central/property/commands.h"
#include "codec/json.h"
#include "codec/sync_state.h"
#include "hub/twin.h"

#define ARENA_MAX ((size_t)16 << 20)
#define RESPONSE_MAX ((size_t)64 * 1024)
#define RUNS_LOOKED_AT 20 /* for those of one command that are still at it */

enum status command_find(const struct device_model *m, slice component, slice name,
                         const struct dtdl_content **ret, struct fault *why)
{
    const struct dtdl_content *content = device_model_find(m, component, name);

    *ret = NULL;
    if (!m->root)
        return ST_OK;
    if (!content || content->kind != DTDL_COMMAND)
        return fault_set(why, ST_NOT_FOUND, "the device's template has no such command");
    *ret = content;
    return ST_OK;
}

/* --- runs that go on ----------------------------------------------------------------------------
 */

struct settling {
    struct central *c;
    const struct device_model *model;
    slice component, name;
    int64_t number; /* the newest that is still at it; 0: none */
    instant begun_at;
    command_settled_fn *on_settled;
    void *context;
};

static void end(struct settling *s, enum status status)
{
    s->on_settled(s->context, status);
    free(s);
}

static void on_ended(void *context, enum status status, struct unit *unit)
{
    (void)unit;
    end(context, status);
}

static const struct json *parse(slice text, struct arena *arena)
{
    struct fault why;
    struct json *tree;

    return json_parse(text, JSON_LAST_WINS, arena, &tree, &why) == ST_OK ? tree : NULL;
}

/* When the device last reported the property of the command's name, and what it says. */
static bool find_report(const struct settling *s, const struct twin *t, struct arena *arena,
                        instant *ret_at, const struct json **ret_value)
{
    const slice path[] = {s->component, s->name};
    size_t skipped = s->component.len == 0 ? 1 : 0;
    const struct json *reported = parse(t->reported, arena);
    const struct json *metadata = parse(t->reported_metadata, arena);
    struct sync_report report;
    slice time;

    reported = json_path(reported, path + skipped, COUNT_OF(path) - skipped);
    metadata = json_path(metadata, path + skipped, COUNT_OF(path) - skipped);
    if (!reported || !json_get_text(metadata, SLICE("$lastUpdated"), &time) ||
        !clock_parse_iso(time, ret_at))
        return false;
    sync_report_read(reported, false, &report);
    *ret_value = report.value;
    return true;
}

static void write_end(struct settling *s, instant at, const struct json *value)
{
    BUF_CLEANUP struct buf response = {.max = RESPONSE_MAX};
    struct unit *unit = unit_create(s->c->st);

    if (!unit) {
        end(s, ST_UNAVAILABLE);
        return;
    }
    if (value)
        json_write(value, &response);
    command_unit_end(unit, s->model->id, s->number,
                     response.failed ? (slice){0} : buf_slice(&response), at);
    unit_submit(unit, on_ended, s);
}

static void on_twin(void *context, enum status status, const struct twin *t,
                    const struct fault *why)
{
    ARENA_CLEANUP struct arena arena = {.max = ARENA_MAX};
    struct settling *s = context;
    const struct json *value = NULL;
    instant at;

    (void)why;
    if (status != ST_OK || !find_report(s, t, &arena, &at, &value) || at < s->begun_at)
        end(s, status);
    else
        write_end(s, at, value);
}

static void on_runs(void *context, enum status status, struct rows *rows)
{
    struct settling *s = context;
    struct command_run run;

    while (status == ST_OK && s->number == 0 && command_row_next(rows, &run)) {
        if (run.ended_at != 0)
            continue;
        s->number = run.number;
        s->begun_at = run.begun_at;
    }
    if (status == ST_OK && s->number > 0)
        twin_get(s->c->hub, s->model->hub, s->model->id, (slice){0}, on_twin, s);
    else
        end(s, status == ST_OK ? rows_status(rows) : status);
}

void command_settle(struct central *c, const struct device_model *m, slice component, slice name,
                    command_settled_fn *on_settled, void *context)
{
    struct settling *s = malloc(sizeof *s);

    if (!s) {
        on_settled(context, ST_NO_MEMORY);
        return;
    }
    *s = (struct settling){.c = c,
                           .model = m,
                           .component = component,
                           .name = name,
                           .on_settled = on_settled,
                           .context = context};
    command_read_runs(c->st, m->id, m->generation_id, component, name, INT64_MAX, RUNS_LOOKED_AT,
                      on_runs, s);
}

/* --- the history --------------------------------------------------------------------------------
 */

struct listing {
    struct central *c;
    struct arena arena;
    struct device_model model;
    struct command_filter filter;
    command_fn *on_run;
    void *context;
    struct fault why;
};

static void end_list(struct listing *l, enum status status)
{
    if (status != ST_OK && l->why.status == ST_OK)
        (void)fault_set(&l->why, status, "the commands could not be read");
    l->on_run(l->context, status, NULL, &l->why);
    device_model_deinit(&l->model);
    arena_deinit(&l->arena);
    free(l);
}

static void on_listed(void *context, enum status status, struct rows *rows)
{
    struct listing *l = context;
    struct command_run run;

    while (status == ST_OK && command_row_next(rows, &run))
        l->on_run(l->context, ST_OK, &run, &l->why);
    end_list(l, status == ST_OK ? rows_status(rows) : status);
}

static void on_list_settled(void *context, enum status status)
{
    struct listing *l = context;
    const struct command_filter *f = &l->filter;

    if (status != ST_OK)
        end_list(l, status);
    else
        command_read_runs(l->c->st, l->model.id, l->model.generation_id, f->component, f->name,
                          f->before > 0 ? f->before : INT64_MAX, f->limit, on_listed, l);
}

static void on_list_model(void *context, enum status status, const struct fault *why)
{
    struct listing *l = context;
    const struct dtdl_content *ignored;

    if (status != ST_OK)
        l->why = *why;
    else if (l->filter.name.len > 0)
        status = command_find(&l->model, l->filter.component, l->filter.name, &ignored, &l->why);
    if (status != ST_OK)
        end_list(l, status);
    else if (l->filter.name.len > 0)
        command_settle(l->c, &l->model, l->filter.component, l->filter.name, on_list_settled, l);
    else
        on_list_settled(l, ST_OK);
}

void central_command_list(struct central *c, const struct command_filter *filter,
                          command_fn *on_run, void *context)
{
    struct listing *l = calloc(1, sizeof *l);
    const struct fault why = {ST_NO_MEMORY, "no memory for commands"};

    if (!l) {
        on_run(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *l = (struct listing){.c = c, .filter = *filter, .on_run = on_run, .context = context};
    arena_init(&l->arena, ARENA_MAX);
    l->filter.component = arena_copy(&l->arena, filter->component);
    l->filter.name = arena_copy(&l->arena, filter->name);
    if (l->arena.failed)
        end_list(l, ST_NO_MEMORY);
    else
        device_model_load(c, filter->device_id, &l->model, on_list_model, l);
}
