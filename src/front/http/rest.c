/* The compatible REST API: its tables, its version, its pages. */
#include "front/http/rest.h"

#include <stdio.h>

#include "base/text.h"
#include "front/http/application.h"

/* What a request's line takes, once "https://" and the host are left out of it. */
#define LINK_MAX HTTP_LINE_MAX
#define PLACE_MAX 4096

static const struct rest_table *const tables[] = {
    &rest_devices,       &rest_attestation, &rest_relationships, &rest_properties,
    &rest_telemetry,     &rest_commands,    &rest_templates,     &rest_enrollment_groups,
    &rest_certificates,  &rest_access,      &rest_organizations, &rest_system,
    &rest_device_groups, &rest_jobs,        &rest_far,
};

/* --- dispatch -------------------------------------------------------------------------------- */

const struct rest_route *rest_route_at(size_t index)
{
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        if (index < tables[i]->count)
            return &tables[i]->routes[index];
        index -= tables[i]->count;
    }
    return NULL;
}

const struct rest_schema *rest_schema_at(size_t index)
{
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        if (index < tables[i]->schema_count)
            return &tables[i]->schemas[index];
        index -= tables[i]->schema_count;
    }
    return NULL;
}

/* The document is found without knowing it. */
static const struct http_route document = {HTTP_GET, "openapi.json", ROUTE_OPEN, rest_openapi_get};

static const struct http_route *route_at(size_t index)
{
    return index == 0 ? &document : (const struct http_route *)rest_route_at(index - 1);
}

/* The names that clients use (contract/central.md 0.2); all mean the same here. */
static bool is_version(slice version)
{
    static const char *const versions[] = {
        "2022-07-31",         "2022-05-31",  "1.0",         "2022-10-31-preview",
        "2022-06-30-preview", "1.2-preview", "1.1-preview",
    };

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        if (slice_equal(version, slice_str(versions[i])))
            return true;
    }
    return false;
}

/* Nothing has a name that is no text; and answers, which may repeat it, are JSON. */
static bool names_are_texts(const struct exchange *x)
{
    for (size_t i = 0; i < ROUTE_BOUND_MAX; i++) {
        if (!utf8_valid(x->bound[i]))
            return false;
    }
    return true;
}

static void authenticate(struct exchange *x)
{
    slice version;

    if (x->route == &document)
        exchange_dispatch(x);
    else if (!names_are_texts(x))
        app_answer_error_as(x, 400, "InvalidParameter", "a name in the path is not UTF-8");
    else if (exchange_query(x, SLICE("api-version"), &version) && is_version(version))
        app_authenticate(x);
    else
        app_answer_error_as(x, 400, "InvalidApiVersion",
                            "state api-version=2022-07-31 in the query");
}

const struct http_family rest_family = {
    .route_at = route_at,
    .base_segments = 1, /* api */
    .body_max = 1024 * 1024,
    .authenticate = authenticate,
    .answer_error = app_answer_error,
};

void rest_not_implemented(struct exchange *x)
{
    app_answer_error_as(x, 501, "NotImplemented", "this operation is not built yet");
}

/* --- shared by handlers ---------------------------------------------------------------------- */

bool rest_wrong(struct exchange *x, const char *sentence)
{
    return app_wrong(x, sentence);
}

void rest_answer(struct exchange *x, int http_status, const struct buf *body)
{
    struct fault why;

    if (!body->failed) {
        exchange_answer(x, http_status, buf_slice(body));
        return;
    }
    fault_set(&why, ST_INTERNAL, "the answer is too large");
    exchange_answer_error(x, ST_INTERNAL, &why);
}

void rest_end(struct exchange *x, enum status status, const struct buf *body,
              const struct fault *why)
{
    if (status != ST_OK)
        exchange_answer_error(x, status, why);
    else if (body)
        rest_answer(x, 200, body);
    else
        exchange_answer(x, 204, (slice){0});
    exchange_release(x);
}

void rest_end_change(struct exchange *x, enum status status, const struct buf *body,
                     const struct fault *why)
{
    x->is_audited = status == ST_OK;
    rest_end(x, status, body, why);
}

/* --- bodies ---------------------------------------------------------------------------------- */

/* No row has it. */
#define VERSION_OF_NONE INT64_MAX

int64_t rest_version(const struct exchange *x, const struct json *body)
{
    slice etag = http_header(x->request, SLICE("If-Match"));
    int64_t version;

    if (etag.len == 0)
        json_get_text(body, SLICE("etag"), &etag);
    if (etag.len >= 2 && etag.ptr[0] == '"' && etag.ptr[etag.len - 1] == '"')
        etag = slice_of(etag.ptr + 1, etag.len - 2);
    if (etag.len == 0 || slice_equal(etag, SLICE("*")))
        return 0;
    return slice_to_i64(etag, &version) && version > 0 ? version : VERSION_OF_NONE;
}

enum status rest_status_of_put(const struct exchange *x, enum status status)
{
    return status == ST_CONFLICT && exchange_wants_new(x) ? ST_PRECONDITION_FAILED : status;
}

static bool wrong_member(struct exchange *x, const char *name, const char *kind)
{
    char sentence[128];

    snprintf(sentence, sizeof sentence, "%s must be %s", name, kind);
    return rest_wrong(x, sentence);
}

bool rest_read_text(struct exchange *x, const struct json *body, const char *name, slice *ret)
{
    const struct json *value = json_member(body, slice_str(name));

    *ret = (slice){0};
    if (!value)
        return true;
    if (value->kind != JSON_STRING && value->kind != JSON_NULL)
        return wrong_member(x, name, "a text");
    *ret = value->kind == JSON_STRING && value->text.len > 0 ? value->text : SLICE("");
    return true;
}

bool rest_read_flag(struct exchange *x, const struct json *body, const char *name, bool *ret_given,
                    bool *ret)
{
    *ret_given = json_member(body, slice_str(name)) != NULL;
    return !*ret_given || json_get_bool(body, slice_str(name), ret) ||
           wrong_member(x, name, "true or false");
}

bool rest_read_certificate(struct exchange *x, const struct json *object, slice *ret)
{
    uint8_t *text;
    slice given;
    size_t len = 0;

    *ret = (slice){0};
    if (!json_get_text(object, SLICE("certificate"), &given))
        return true;
    text = arena_alloc(&x->arena, given.len + 1);
    if (!text) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return false;
    }
    for (size_t i = 0; i < given.len; i++) {
        bool is_line_end = slice_starts_with(slice_from(given, i), SLICE("\\n"));

        text[len++] = is_line_end ? '\n' : given.ptr[i];
        i += is_line_end;
    }
    *ret = slice_of(text, len);
    return true;
}

/* --- lists ----------------------------------------------------------------------------------- */

/* Both spellings, in every version. */
static bool read_limit(struct exchange *x, unsigned *ret)
{
    uint64_t limit = REST_PAGE_DEFAULT;
    slice text;

    if ((exchange_query(x, SLICE("$top"), &text) ||
         exchange_query(x, SLICE("maxpagesize"), &text)) &&
        (!slice_to_u64(text, &limit) || limit < 1 || limit > REST_PAGE_MAX)) {
        app_answer_error_as(x, 400, "InvalidParameter", "a page has 1 to 100 items");
        return false;
    }
    *ret = (unsigned)limit;
    return true;
}

struct rest_list *rest_list_begin(struct exchange *x)
{
    struct rest_list *list = arena_alloc(&x->arena, sizeof *list);

    if (!list) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return NULL;
    }
    if (!read_limit(x, &list->limit))
        return NULL;
    list->limit++;
    if (!exchange_query(x, SLICE("$skiptoken"), &list->after))
        list->after = (slice){0};
    list->x = x;
    buf_init(&list->text, REST_ANSWER_MAX);
    buf_init(&list->last, PLACE_MAX);
    list->w = (struct json_writer){.to = &list->text};
    json_open(&list->w, (slice){0}, '{');
    json_open(&list->w, SLICE("value"), '[');
    exchange_hold(x);
    return list;
}

bool rest_list_row(struct rest_list *list, slice place)
{
    list->has_more = list->has_more || list->count + 1 >= list->limit;
    if (list->has_more)
        return false;
    list->count++;
    buf_clear(&list->last);
    buf_append(&list->last, place);
    return true;
}

/* Clients follow it as it is and add nothing: so it says again all that was asked. */
static void write_link(const struct rest_list *list, struct buf *to)
{
    const struct http_request *r = list->x->request;

    buf_printf(to, "https://%.*s%.*s?", SLICE_FMT(r->host), SLICE_FMT(r->path));
    for (slice rest = r->query; rest.ptr && rest.len > 0;) {
        slice parameter = slice_split(&rest, '&');

        if (slice_starts_with_nocase(parameter, SLICE("$skiptoken=")) ||
            slice_starts_with_nocase(parameter, SLICE("%24skiptoken=")))
            continue;
        buf_append(to, parameter);
        buf_append_byte(to, '&');
    }
    buf_append_str(to, "$skiptoken=");
    percent_encode(buf_slice(&list->last), to);
}

static void answer_list(struct rest_list *list, enum status status, const struct fault *why)
{
    BUF_CLEANUP struct buf link = {.max = LINK_MAX};

    json_close(&list->w, ']');
    if (list->has_more) {
        write_link(list, &link);
        json_put_text(&list->w, SLICE("nextLink"), buf_slice(&link));
    }
    json_close(&list->w, '}');
    if (status != ST_OK)
        exchange_answer_error(list->x, status, why);
    else if (link.failed || list->last.failed)
        app_answer_error_as(list->x, 400, "InvalidParameter",
                            "the query is too long for a link to the next page");
    else
        rest_answer(list->x, 200, &list->text);
}

void rest_list_end(struct rest_list *list, enum status status, const struct fault *why)
{
    struct exchange *x = list->x;

    answer_list(list, status, why);
    buf_deinit(&list->text);
    buf_deinit(&list->last);
    exchange_release(x);
}
