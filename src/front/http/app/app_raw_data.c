/* All that a device has sent, message by message, the newest first: as it came, with what its
 * template does not know and what its aliases name beside it (contract/central.md 2.9). */
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "central/telemetry/aliases.h"
#include "central/telemetry/telemetry.h"
#include "central/telemetry/telemetry_body.h"
#include "codec/property_bag.h"
#include "front/http/application.h"

#define MESSAGE_ARENA_MAX ((size_t)32 << 20)
#define BASE64_MAX ((size_t)1 << 20)
#define MAPPED_VALUE_MAX (8 * 1024) /* what is larger is to be found in the message */

/* model -> aliases -> messages */
struct raw_query {
    struct app_history page;
    struct device_model model;
    struct history_filter filter;
    struct {
        slice alias;
        struct alias_path path;
    } aliases[ALIASES_MAX];
    size_t alias_count;
};

/* --- a message -------------------------------------------------------------------------------- */

struct sorting {
    const struct raw_query *query;
    slice component;
    struct json_writer *w;
    int64_t mismatches, unmodeled;
};

/* Members that no definition fits, into an object that is opened for the first. */
static bool on_value(void *context, slice name, const struct json *value)
{
    struct sorting *s = context;
    enum telemetry_fit fit = telemetry_fit(&s->query->model, s->component, name, value);

    s->mismatches += fit == TELEMETRY_MISMATCH;
    if (fit != TELEMETRY_MISMATCH && fit != TELEMETRY_UNKNOWN)
        return true;
    if (s->unmodeled++ == 0)
        json_open(s->w, SLICE("_unmodeleddata"), '{');
    json_put_raw(s->w, name, value->raw);
    return true;
}

static void put_unmodeled(struct raw_query *q, const struct history_item *item, struct arena *arena)
{
    struct sorting s = {q, item->component, &q->page.w, 0, 0};

    if (!telemetry_body_read(item->body, arena, on_value, &s))
        q->page.text.failed = true;
    if (s.unmodeled > 0)
        json_close(&q->page.w, '}');
    json_put_int(&q->page.w, SLICE("mismatches"), s.mismatches);
}

static void put_mapped(struct raw_query *q, const struct json *root)
{
    bool is_open = false;

    for (size_t i = 0; i < q->alias_count; i++) {
        const struct json *value = alias_path_find(&q->aliases[i].path, root);

        if (!value || value->raw.len > MAPPED_VALUE_MAX)
            continue;
        if (!is_open)
            json_open(&q->page.w, SLICE("_mappeddata"), '{');
        is_open = true;
        json_put_raw(&q->page.w, q->aliases[i].alias, value->raw);
    }
    if (is_open)
        json_close(&q->page.w, '}');
}

static void put_properties(struct raw_query *q, slice text, struct arena *arena)
{
    struct property_bag bag;
    struct fault why;

    json_open(&q->page.w, SLICE("properties"), '{');
    if (property_bag_parse(text, arena, &bag, &why) == ST_OK) {
        for (size_t i = 0; i < bag.count; i++) {
            const struct message_property *p = &bag.items[i];
            slice name =
                p->system == PROP_NONE ? p->key : slice_str(system_property_name(p->system));

            if (name.len > 0 && utf8_valid(name) && utf8_valid(p->value))
                json_put_text(&q->page.w, name, p->value);
        }
    }
    json_close(&q->page.w, '}');
}

static bool is_printable(slice body)
{
    return utf8_valid(body) &&
           memchr(body.ptr ? body.ptr : (const uint8_t *)"", 0, body.len) == NULL;
}

static void put_body(struct raw_query *q, slice body, const struct json *root)
{
    BUF_CLEANUP struct buf base64 = {.max = BASE64_MAX};

    if (root) {
        json_put_raw(&q->page.w, SLICE("body"), root->raw);
    } else if (is_printable(body)) {
        json_put_text(&q->page.w, SLICE("body"), body);
    } else {
        base64_encode(body, &base64);
        json_put_text(&q->page.w, SLICE("bodyBase64"), buf_slice(&base64));
    }
}

static bool on_message(void *context, const struct history_item *item)
{
    ARENA_CLEANUP struct arena arena = {.max = MESSAGE_ARENA_MAX};
    struct raw_query *q = context;
    struct json *root = NULL;
    struct fault why;

    if (json_parse(item->body, JSON_LAST_WINS, &arena, &root, &why) != ST_OK)
        root = NULL;
    json_open(&q->page.w, (slice){0}, '{');
    json_put_int(&q->page.w, SLICE("offset"), (int64_t)item->offset);
    app_put_time(&q->page.w, SLICE("at"), item->at);
    app_put_time(&q->page.w, SLICE("enqueued"), item->enqueued_at);
    app_put_text_or_null(&q->page.w, SLICE("component"), item->component);
    put_properties(q, item->bag, &arena);
    json_put_bool(&q->page.w, SLICE("isJson"), root != NULL);
    put_body(q, item->body, root);
    put_unmodeled(q, item, &arena);
    put_mapped(q, root);
    json_close(&q->page.w, '}');
    return app_history_has_room(&q->page);
}

static void finish(struct raw_query *q, enum status status, const struct fault *why)
{
    device_model_deinit(&q->model);
    app_history_end(&q->page, status, false, 0, why);
}

static void on_end(void *context, enum status status, bool more, uint64_t before,
                   const struct fault *why)
{
    struct raw_query *q = context;

    device_model_deinit(&q->model);
    app_history_end(&q->page, status, more, before, why);
}

/* --- what is needed first --------------------------------------------------------------------- */

static void on_alias(void *context, enum status status, slice alias, slice path,
                     const struct fault *why)
{
    struct raw_query *q = context;
    struct fault ignored;

    if (alias.len == 0 && status != ST_OK) {
        finish(q, status, why);
    } else if (alias.len == 0) {
        central_history_read(q->page.x->front->options.central, q->page.x->bound[0], &q->filter,
                             on_message, on_end, q);
    } else if (q->alias_count < ALIASES_MAX) {
        slice kept = arena_copy(&q->page.x->arena, path);

        q->aliases[q->alias_count].alias = arena_copy(&q->page.x->arena, alias);
        q->alias_count +=
            alias_path_parse(kept, &q->aliases[q->alias_count].path, &ignored) == ST_OK;
    }
}

static void on_model(void *context, enum status status, const struct fault *why)
{
    struct raw_query *q = context;

    if (status == ST_OK)
        central_alias_list(q->page.x->front->options.central, q->page.x->bound[0], on_alias, q);
    else
        finish(q, status, why);
}

void app_raw_data(struct exchange *x)
{
    struct raw_query *q = arena_alloc(&x->arena, sizeof *q);

    if (!q) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    if (!app_read_history(x, &q->filter))
        return;
    app_history_begin(&q->page, x);
    device_model_load(x->front->options.central, x->bound[0], &q->model, on_model, q);
}
