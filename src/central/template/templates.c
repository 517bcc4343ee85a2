#include "central/template/templates.h"

#include <stdlib.h>

#include "central/central_internal.h"
#include "central/template/template_document.h"
#include "central/template/template_store.h"
#include "central/template/template_views.h"

struct template template_from_row(const struct rows *rows)
{
    return (struct template){
        .id = rows_bytes(rows, TEMPLATE_COLUMN_ID),
        .display_name = rows_bytes(rows, TEMPLATE_COLUMN_DISPLAY_NAME),
        .model_id = rows_bytes(rows, TEMPLATE_COLUMN_MODEL_ID),
        .published = rows_int(rows, TEMPLATE_COLUMN_PUBLISHED) != 0,
        .version = rows_int(rows, TEMPLATE_COLUMN_VERSION),
        .created_at = rows_int(rows, TEMPLATE_COLUMN_CREATED_AT),
        .updated_at = rows_int(rows, TEMPLATE_COLUMN_UPDATED_AT),
        .published_at = rows_int(rows, TEMPLATE_COLUMN_PUBLISHED_AT),
        .draft_at = rows_int(rows, TEMPLATE_COLUMN_DRAFT_AT),
        .document = rows_bytes(rows, TEMPLATE_COLUMN_DOCUMENT),
    };
}

static slice kind_of(enum template_part part)
{
    switch (part) {
    case TEMPLATE_PUBLISHED:
        return TEMPLATE_KIND_PUBLISHED;
    case TEMPLATE_DRAFT:
        return TEMPLATE_KIND_DRAFT;
    case TEMPLATE_VIEWS:
        return TEMPLATE_KIND_VIEWS;
    default:
        return (slice){0};
    }
}

/* --- one -------------------------------------------------------------------------------------- */

struct template_query {
    enum template_part part;
    template_get_fn *on_template;
    void *context;
};

static enum status check_part(enum template_part part, const struct template *t, struct fault *why)
{
    if (part == TEMPLATE_PUBLISHED && !t->published)
        return fault_set(why, ST_NOT_FOUND, "the template is not published");
    if (part == TEMPLATE_DRAFT && t->draft_at == 0)
        return fault_set(why, ST_NOT_FOUND, "the template has no draft");
    return ST_OK;
}

static void on_one(void *context, enum status status, struct rows *rows)
{
    struct template_query *q = context;
    struct fault why = {0};
    struct template t;

    if (status == ST_OK && !rows_next(rows)) {
        status = rows_status(rows);
        if (status == ST_OK)
            status = fault_set(&why, ST_NOT_FOUND, "there is no such template");
    } else if (status == ST_OK) {
        t = template_from_row(rows);
        status = check_part(q->part, &t, &why);
    }
    q->on_template(q->context, status, status == ST_OK ? &t : NULL, &why);
    free(q);
}

void central_template_get(struct central *c, slice id, enum template_part part,
                          template_get_fn *on_template, void *context)
{
    struct template_query *q = malloc(sizeof *q);
    struct fault why;

    if (!q) {
        fault_set(&why, ST_NO_MEMORY, "no memory for a template");
        on_template(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *q = (struct template_query){part, on_template, context};
    template_read_one(c->st, id, kind_of(part), on_one, q);
}

/* --- lists --------------------------------------------------------------------------------- */

struct template_listing {
    template_row_fn *on_row;
    void *context;
};

static void on_list(void *context, enum status status, struct rows *rows)
{
    struct template_listing *l = context;
    bool goes_on = status == ST_OK;

    while (goes_on && rows_next(rows)) {
        const struct template t = template_from_row(rows);

        goes_on = l->on_row(l->context, ST_OK, &t);
    }
    if (goes_on)
        status = rows_status(rows);
    (void)l->on_row(l->context, status, NULL);
    free(l);
}

void central_template_page(struct central *c, const struct template_filter *filter,
                           template_row_fn *on_row, void *context)
{
    struct template_listing *l = malloc(sizeof *l);

    if (!l) {
        (void)on_row(context, ST_NO_MEMORY, NULL);
        return;
    }
    *l = (struct template_listing){on_row, context};
    template_read_list(c->st, filter->after, filter->limit, filter->only_published,
                       kind_of(filter->part), on_list, l);
}

struct template_names_query {
    template_fn *on_template;
    void *context;
};

static bool on_name(void *context, enum status status, const struct template *t)
{
    struct template_names_query *q = context;

    if (t) {
        const struct template_row row = {t->id, t->display_name, t->published};

        q->on_template(q->context, ST_OK, &row);
        return true;
    }
    q->on_template(q->context, status, NULL);
    free(q);
    return false;
}

void central_template_list(struct central *c, template_fn *on_template, void *context)
{
    const struct template_filter all = {.limit = INT32_MAX};
    struct template_names_query *q = malloc(sizeof *q);

    if (!q) {
        on_template(context, ST_NO_MEMORY, NULL);
        return;
    }
    *q = (struct template_names_query){on_template, context};
    central_template_page(c, &all, on_name, q);
}

/* --- for registrations ------------------------------------------------------------------------ */

struct template_search {
    template_check_fn *on_check; /* one of the two */
    template_found_fn *on_found;
    void *context;
};

static void on_searched(void *context, enum status status, struct rows *rows)
{
    struct template_search *s = context;
    slice id = {0};

    if (status == ST_OK && rows_next(rows))
        id = rows_bytes(rows, 0);
    else if (status == ST_OK)
        status = rows_status(rows);
    if (s->on_found)
        s->on_found(s->context, status, id);
    else
        s->on_check(s->context, status == ST_OK && id.len == 0 ? ST_NOT_FOUND : status);
    free(s);
}

void template_check_published(struct central *c, slice template_id, template_check_fn *on_check,
                              void *context)
{
    struct template_search *s = malloc(sizeof *s);

    if (!s) {
        on_check(context, ST_NO_MEMORY);
        return;
    }
    *s = (struct template_search){.on_check = on_check, .context = context};
    template_read_published(c->st, template_id, on_searched, s);
}

void template_find_by_model(struct central *c, slice model_id, template_found_fn *on_found,
                            void *context)
{
    struct template_search *s = malloc(sizeof *s);

    if (!s) {
        on_found(context, ST_NO_MEMORY, (slice){0});
        return;
    }
    *s = (struct template_search){.on_found = on_found, .context = context};
    template_read_by_model(c->st, model_id, on_searched, s);
}

/* --- the first start -------------------------------------------------------------------------- */

static const char generic_document[] =
    "{\"@id\":\"" GENERIC_TEMPLATE "\",\"@type\":[\"ModelDefinition\",\"DeviceModel\"],"
    "\"displayName\":\"Generic device\",\"capabilityModel\":{\"@id\":\"dtmi:muster:generic;1\","
    "\"@type\":\"Interface\",\"contents\":[]}}";

static enum status make_generic(struct unit *unit, struct arena *arena, struct fault *why)
{
    struct buf BUF_CLEANUP views = {.max = TEMPLATE_VIEWS_MAX};
    struct template_document d;
    enum status status = template_document_read(slice_str(generic_document),
                                                SLICE(GENERIC_TEMPLATE), arena, &d, why);
    instant now = clock_wall_ms();

    if (status != ST_OK)
        return status;
    template_views_write(d.model, &views);
    if (views.failed)
        return ST_NO_MEMORY;
    const struct template_row_values row = {
        .id = SLICE(GENERIC_TEMPLATE),
        .display_name = d.display_name,
        .model_id = d.model_id,
        .published = true,
        .now = now,
        .published_at = now,
    };
    template_unit_make(unit, &row, d.text, buf_slice(&views));
    return unit_run(unit);
}

bool templates_make_defaults(struct central *c, struct fault *why)
{
    struct arena ARENA_CLEANUP arena = {.max = TEMPLATE_ARENA_MAX};
    struct unit *unit = unit_create(c->st);
    enum status status = unit ? make_generic(unit, &arena, why) : ST_NO_MEMORY;

    unit_destroy(unit);
    if (status == ST_OK)
        return true;
    (void)fault_set(why, status, "the template '%s' could not be made", GENERIC_TEMPLATE);
    return false;
}
