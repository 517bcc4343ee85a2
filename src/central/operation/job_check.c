#include "central/operation/job_check.h"

#include "central/device_group.h"
#include "central/property/command_outcome.h"
#include "central/property/property_change.h"
#include "codec/dtdl_value.h"

#define CHECK_ARENA_MAX ((size_t)1 << 20)
#define ID_SHOWN_MAX 60

static enum status refuse(size_t item, const char *cause, struct fault *why)
{
    return fault_set(why, ST_BAD_REQUEST, "data[%zu]: %s", item, cause);
}

/* As the change of one device that it will be. */
static enum status check_property(const struct device_model *m, const struct job_item *item,
                                  struct fault *why)
{
    ARENA_CLEANUP struct arena arena = {.max = CHECK_ARENA_MAX};
    struct json *body = json_new(&arena, JSON_OBJECT), *value = json_new(&arena, JSON_NULL);
    struct property_request request = {.component = item->component, .body = body};
    struct property_change change;

    if (arena.failed)
        return fault_set(why, ST_NO_MEMORY, "no memory for a job");
    if (item->component.len > 0 && m->root && !device_model_has_component(m, item->component))
        return fault_set(why, ST_BAD_REQUEST, "the template has no such component");
    *value = *item->value;
    value->next = NULL;
    json_set(body, item->name, value);
    return property_change_make(m, &request, &arena, &change, why);
}

static enum status check_command(const struct device_model *m, const struct job_item *item,
                                 struct fault *why)
{
    const struct dtdl_content *content;
    const struct dtdl_typed *wanted;
    struct fault cause;

    if (command_find(m, item->component, item->name, &content, why) != ST_OK)
        return why->status;
    wanted = content ? content->request : NULL;
    if (!wanted || !wanted->schema || !item->value ||
        dtdl_value_fits(wanted->schema, item->value, &cause))
        return ST_OK;
    return fault_set(why, ST_BAD_REQUEST, "the command's value does not fit: %s", cause.text);
}

enum status job_item_check(const struct device_model *m, const struct job_data *data, size_t item,
                           struct fault *why)
{
    const struct job_item *i = &data->items[item];
    struct fault cause = {0};
    enum status status = ST_OK;

    if (i->kind == JOB_COMMAND)
        status = check_command(m, i, &cause);
    else if (i->kind != JOB_MIGRATION)
        status = check_property(m, i, &cause);
    if (status == ST_OK)
        return ST_OK;
    return status == ST_NO_MEMORY ? fault_set(why, status, "%s", cause.text)
                                  : refuse(item, cause.text, why);
}

static enum status check_target(const struct device_filter *members, const struct job_data *data,
                                size_t item, struct fault *why)
{
    const struct job_item *i = &data->items[item];

    if (i->kind == JOB_MIGRATION)
        return ST_OK;
    if (members->unassociated)
        return refuse(item, "target: the devices of the group have no template", why);
    if (members->template_id.len == 0 || slice_equal(members->template_id, i->target))
        return ST_OK;
    return fault_set(why, ST_BAD_REQUEST,
                     "data[%zu]: target: the devices of the group have the template %.*s", item,
                     SLICE_FMT(slice_first(members->template_id, ID_SHOWN_MAX)));
}

enum status job_group_check(slice filter, const struct job_data *data, struct fault *why)
{
    struct device_group_members members;
    struct device_filter demanded = {0};
    enum status status = device_group_members_init(&members, filter, why);

    if (status != ST_OK)
        return status;
    device_group_members_select(&members, &demanded);
    for (size_t i = 0; i < data->count && status == ST_OK; i++)
        status = check_target(&demanded, data, i, why);
    device_group_members_deinit(&members);
    return status;
}
