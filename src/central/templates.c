#include "central/templates.h"

#include <stdlib.h>

#include "central/central_internal.h"
#include "central/template_store.h"

/* --- the list --------------------------------------------------------------------------------- */

struct template_query {
    template_fn *on_template;
    void *context;
};

static void on_list(void *context, enum status status, struct rows *rows)
{
    struct template_query *q = context;

    while (status == ST_OK && rows_next(rows)) {
        const struct template_row row = {
            .id = rows_bytes(rows, 0),
            .display_name = rows_bytes(rows, 1),
            .published = rows_int(rows, 2) != 0,
        };

        q->on_template(q->context, ST_OK, &row);
    }
    if (status == ST_OK)
        status = rows_status(rows);
    q->on_template(q->context, status, NULL);
    free(q);
}

void central_template_list(struct central *c, template_fn *on_template, void *context)
{
    struct template_query *q = malloc(sizeof *q);

    if (!q) {
        on_template(context, ST_NO_MEMORY, NULL);
        return;
    }
    *q = (struct template_query){on_template, context};
    template_read_list(c->st, on_list, q);
}

/* --- one -------------------------------------------------------------------------------------- */

struct template_check {
    template_check_fn *on_check;
    void *context;
};

static void on_published(void *context, enum status status, struct rows *rows)
{
    struct template_check *check = context;

    if (status == ST_OK && !rows_next(rows)) {
        status = rows_status(rows);
        if (status == ST_OK)
            status = ST_NOT_FOUND;
    }
    check->on_check(check->context, status);
    free(check);
}

void template_check_published(struct central *c, slice template_id, template_check_fn *on_check,
                              void *context)
{
    struct template_check *check = malloc(sizeof *check);

    if (!check) {
        on_check(context, ST_NO_MEMORY);
        return;
    }
    *check = (struct template_check){on_check, context};
    template_read_published(c->st, template_id, on_published, check);
}

/* --- the first start -------------------------------------------------------------------------- */

static const char generic_model[] =
    "{\"@id\":\"" GENERIC_TEMPLATE "\",\"@type\":[\"ModelDefinition\",\"DeviceModel\"],"
    "\"displayName\":\"Generic device\",\"capabilityModel\":{\"@id\":\"dtmi:muster:generic;1\","
    "\"@type\":\"Interface\",\"contents\":[]}}";

bool templates_make_defaults(struct central *c, struct fault *why)
{
    struct unit *unit = unit_create(c->st);
    enum status status = ST_NO_MEMORY;

    if (unit) {
        template_unit_add(unit, SLICE(GENERIC_TEMPLATE), SLICE("Generic device"),
                          slice_str(generic_model), clock_wall_ms());
        status = unit_run(unit);
        unit_destroy(unit);
    }
    if (status == ST_OK)
        return true;
    (void)fault_set(why, status, "the template '%s' could not be made", GENERIC_TEMPLATE);
    return false;
}
