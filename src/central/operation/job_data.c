#include "central/operation/job_data.h"

#define PERCENTAGE_MAX 100
#define NUMBER_MAX 1000000000

/* --- items ------------------------------------------------------------------------------------ */

static const struct {
    const char *name, *old_name; /* of older clients */
    enum job_item_kind kind;
} kinds[] = {
    {"property", "PropertyJobData", JOB_PROPERTY},
    {"cloudProperty", "CloudPropertyJobData", JOB_CLOUD_PROPERTY},
    {"command", "CommandJobData", JOB_COMMAND},
    {"deviceTemplateMigration", "DeviceTemplateMigrationJobData", JOB_MIGRATION},
};

static bool read_kind(const struct json *item, enum job_item_kind *ret)
{
    slice type;

    if (!json_get_text(item, SLICE("type"), &type))
        return false;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (slice_equal(type, slice_str(kinds[i].name)) ||
            slice_equal(type, slice_str(kinds[i].old_name))) {
            *ret = kinds[i].kind;
            return true;
        }
    }
    return false;
}

/* "name", "component.name", and "component*name" as commands are called. */
static bool read_path(slice path, struct job_item *ret)
{
    size_t at;

    ret->name = path;
    if (slice_find(path, '.', &at) || slice_find(path, '*', &at)) {
        ret->component = slice_first(path, at);
        ret->name = slice_from(path, at + 1);
        if (ret->component.len == 0)
            return false;
    }
    return ret->name.len > 0;
}

static const char *read_item(const struct json *item, struct job_item *ret)
{
    slice path;

    *ret = (struct job_item){0};
    if (!read_kind(item, &ret->kind))
        return "type is property, cloudProperty, command or deviceTemplateMigration";
    ret->value = json_member(item, SLICE("value"));
    if (ret->kind == JOB_MIGRATION)
        return json_get_text(item, SLICE("template"), &ret->target) && ret->target.len > 0
                   ? NULL
                   : "template is required: the ID of a published template";
    if (!json_get_text(item, SLICE("target"), &ret->target) || ret->target.len == 0)
        return "target is required: the ID of the template that the devices have";
    if (!json_get_text(item, SLICE("path"), &path) || !read_path(path, ret))
        return "path is required: name, or component.name";
    return ret->value || ret->kind == JOB_COMMAND ? NULL : "value is required";
}

static void note_kind(const struct job_item *item, struct job_data *ret)
{
    ret->has_commands = ret->has_commands || item->kind == JOB_COMMAND;
    ret->has_properties =
        ret->has_properties || item->kind == JOB_PROPERTY || item->kind == JOB_CLOUD_PROPERTY;
}

enum status job_data_read(slice text, struct arena *arena, struct job_data *ret, struct fault *why)
{
    struct json *root;
    enum status status = json_parse(text, JSON_LAST_WINS, arena, &root, why);

    *ret = (struct job_data){0};
    if (status != ST_OK)
        return status;
    if (root->kind != JSON_ARRAY || !root->first)
        return fault_set(why, ST_BAD_REQUEST, "data is a list of at least one change or command");
    for (const struct json *item = root->first; item; item = item->next) {
        const char *wrong;

        if (ret->count == JOB_ITEMS_MAX)
            return fault_set(why, ST_BAD_REQUEST, "data has more than %d items", JOB_ITEMS_MAX);
        wrong = read_item(item, &ret->items[ret->count]);
        if (wrong)
            return fault_set(why, ST_BAD_REQUEST, "data[%zu]: %s", ret->count, wrong);
        note_kind(&ret->items[ret->count], ret);
        ret->count++;
    }
    return ST_OK;
}

/* --- properties ------------------------------------------------------------------------------- */

static bool is_property(const struct job_item *item)
{
    return item->kind == JOB_PROPERTY || item->kind == JOB_CLOUD_PROPERTY;
}

static bool is_first_of_component(const struct job_data *data, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (is_property(&data->items[i]) &&
            slice_equal(data->items[i].component, data->items[at].component))
            return false;
    }
    return true;
}

static void put_component(const struct job_data *data, slice component, struct json_writer *w)
{
    for (size_t i = 0; i < data->count; i++) {
        const struct job_item *item = &data->items[i];

        if (is_property(item) && slice_equal(item->component, component))
            json_put_raw(w, item->name, item->value->raw);
    }
}

void job_data_write_properties(const struct job_data *data, struct buf *to)
{
    struct json_writer w = {.to = to};

    json_open(&w, (slice){0}, '{');
    put_component(data, (slice){0}, &w);
    for (size_t i = 0; i < data->count; i++) {
        const struct job_item *item = &data->items[i];

        if (!is_property(item) || item->component.len == 0 || !is_first_of_component(data, i))
            continue;
        json_open(&w, item->component, '{');
        put_component(data, item->component, &w);
        json_close(&w, '}');
    }
    json_close(&w, '}');
}

/* --- limits ----------------------------------------------------------------------------------- */

enum status job_limit_read(slice text, const char *name, bool may_be_zero, struct job_limit *ret,
                           struct fault *why)
{
    ARENA_CLEANUP struct arena arena = {.max = 65536};
    struct json *root;
    slice type = {0};
    int64_t most;

    *ret = (struct job_limit){0};
    if (text.len == 0)
        return ST_OK;
    if (json_parse(text, JSON_LAST_WINS, &arena, &root, NULL) != ST_OK ||
        !json_get_text(root, SLICE("type"), &type))
        return fault_set(why, ST_BAD_REQUEST, "%s has a type, number or percentage, and a value",
                         name);
    ret->is_percentage = slice_equal(type, SLICE("percentage"));
    if (!ret->is_percentage && !slice_equal(type, SLICE("number")))
        return fault_set(why, ST_BAD_REQUEST, "%s.type is number or percentage", name);
    most = ret->is_percentage ? PERCENTAGE_MAX : NUMBER_MAX;
    if (!json_get_int(root, SLICE("value"), &ret->value) || ret->value < (may_be_zero ? 0 : 1) ||
        ret->value > most)
        return fault_set(why, ST_BAD_REQUEST, "%s.value is a whole number from %d to %lld", name,
                         may_be_zero ? 0 : 1, (long long)most);
    json_get_bool(root, SLICE("batch"), &ret->per_batch);
    ret->is_set = true;
    return ST_OK;
}

int64_t job_batch_size(const struct job_limit *batch, int64_t total)
{
    int64_t size = total;

    if (batch->is_set)
        size = batch->is_percentage ? (total * batch->value + PERCENTAGE_MAX - 1) / PERCENTAGE_MAX
                                    : batch->value;
    return size > 0 ? size : 1;
}

bool job_threshold_is_passed(const struct job_limit *threshold, int64_t failed, int64_t total)
{
    if (!threshold->is_set)
        return false;
    if (threshold->is_percentage)
        return failed * PERCENTAGE_MAX > threshold->value * total;
    return failed > threshold->value;
}
