/* Device templates with their drafts, their versions, and what publishing would change. */
#include "central/template/template.h"
#include "front/http/application.h"

#define MESSAGE_MAX 3000

static struct central *central_of(const struct exchange *x)
{
    return x->front->options.central;
}

/* --- what a model is told --------------------------------------------------------------------- */

/* With '?' for what would have to be escaped at length. */
static void append_plain(struct buf *to, slice text)
{
    for (size_t i = 0; i < text.len; i++)
        buf_append_byte(to, text.ptr[i] < 0x20 ? '?' : text.ptr[i]);
}

static void write_findings(const struct dtdl_findings *findings, struct buf *to)
{
    size_t told = 0;

    buf_printf(to, "the model has %zu error%s", findings->count, findings->count == 1 ? "" : "s");
    for (; told < findings->kept && to->len < MESSAGE_MAX; told++) {
        buf_append_str(to, told == 0 ? ": " : "; ");
        append_plain(to, findings->list[told].path);
        buf_append_str(to, findings->list[told].path.len > 0 ? ": " : "");
        append_plain(to, findings->list[told].text);
    }
    if (told < findings->count)
        buf_printf(to, "; and %zu more", findings->count - told);
}

static void write_breaking(const struct template_result *r, struct buf *to)
{
    const struct dtdl_changes *changes = r->changes;
    size_t told = 0;

    buf_append_str(to, r->has_devices ? "devices have this template, and it would break: "
                                      : "it would break what is published: ");
    for (size_t i = 0; i < changes->count && to->len < MESSAGE_MAX; i++) {
        const struct dtdl_change *change = &changes->list[i];

        if (change->kind != DTDL_BREAKING)
            continue;
        buf_append_str(to, told++ == 0 ? "" : "; ");
        append_plain(to, change->component);
        buf_append_str(to, change->component.len > 0 && change->name.len > 0 ? "." : "");
        append_plain(to, change->name);
        buf_append_str(to, ": ");
        append_plain(to, change->text);
    }
    if (told < changes->breaking)
        buf_printf(to, "; and %zu more", changes->breaking - told);
    buf_append_str(to, ". Make a new version, or ask with force=true");
}

void app_answer_template_error(struct exchange *x, enum status status,
                               const struct template_result *r, const struct fault *why)
{
    BUF_CLEANUP struct buf message = {.max = 4 * MESSAGE_MAX};
    bool is_wrong = status == ST_BAD_REQUEST && r->report && r->report->errors.count > 0;
    bool is_breaking = status == ST_CONFLICT && r->changes && r->changes->breaking > 0;

    if (is_wrong)
        write_findings(&r->report->errors, &message);
    if (is_breaking)
        write_breaking(r, &message);
    buf_append_byte(&message, 0);
    if (message.failed || message.len == 1)
        exchange_answer_error(x, status, why);
    else
        app_answer_error_as(x, is_wrong ? 400 : 409, is_wrong ? "InvalidBody" : "Conflict",
                            (const char *)message.ptr);
}

static void put_findings(struct json_writer *w, slice name, const struct dtdl_findings *findings)
{
    json_open(w, name, '[');
    for (size_t i = 0; i < findings->kept; i++) {
        json_open(w, (slice){0}, '{');
        json_put_text(w, SLICE("path"), findings->list[i].path);
        json_put_text(w, SLICE("text"), findings->list[i].text);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_report(struct json_writer *w, const struct dtdl_report *report)
{
    put_findings(w, SLICE("errors"), &report->errors);
    json_put_int(w, SLICE("errorCount"), (int64_t)report->errors.count);
    put_findings(w, SLICE("notes"), &report->notes);
    json_put_int(w, SLICE("noteCount"), (int64_t)report->notes.count);
}

static void put_changes(struct json_writer *w, const struct dtdl_changes *changes)
{
    json_put_int(w, SLICE("breaking"), (int64_t)changes->breaking);
    json_put_int(w, SLICE("additive"), (int64_t)changes->additive);
    json_open(w, SLICE("changes"), '[');
    for (size_t i = 0; i < changes->count && w->to->len < APP_PAGE_BYTES; i++) {
        const struct dtdl_change *change = &changes->list[i];

        json_open(w, (slice){0}, '{');
        json_put_text(w, SLICE("kind"),
                      change->kind == DTDL_BREAKING ? SLICE("breaking") : SLICE("additive"));
        app_put_text_or_null(w, SLICE("component"), change->component);
        app_put_text_or_null(w, SLICE("name"), change->name);
        json_put_text(w, SLICE("text"), change->text);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* --- list, get -------------------------------------------------------------------------------- */

/* The members, into an open object. */
static void put_template(struct json_writer *w, const struct template *t)
{
    json_put_text(w, SLICE("id"), t->id);
    json_put_text(w, SLICE("displayName"), t->display_name);
    app_put_text_or_null(w, SLICE("modelId"), t->model_id);
    json_put_bool(w, SLICE("published"), t->published);
    json_put_bool(w, SLICE("hasDraft"), t->draft_at != 0);
    app_put_etag(w, t->version);
    app_put_time(w, SLICE("createdAt"), t->created_at);
    app_put_time(w, SLICE("updatedAt"), t->updated_at);
    app_put_time(w, SLICE("publishedAt"), t->published_at);
    app_put_time(w, SLICE("draftAt"), t->draft_at);
}

static bool on_row(void *context, enum status status, const struct template *t)
{
    struct app_list *list = context;

    if (!t) {
        app_list_end(list, status, NULL);
        return false;
    }
    if (!app_list_row(list, t->id))
        return false;
    json_open(&list->w, (slice){0}, '{');
    put_template(&list->w, t);
    json_close(&list->w, '}');
    return true;
}

void app_templates_list(struct exchange *x)
{
    struct app_list *list = app_list_begin(x);

    if (!list)
        return;
    const struct template_filter filter = {.after = list->after, .limit = list->limit};
    central_template_page(central_of(x), &filter, on_row, list);
}

static void on_views(void *context, enum status status, const struct template *t,
                     const struct fault *why)
{
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, why))
        return;
    json_open(&a.w, (slice){0}, '{');
    put_template(&a.w, t);
    json_put_raw(&a.w, SLICE("views"), t->document.len > 0 ? t->document : SLICE("[]"));
    json_close(&a.w, '}');
    app_answer_end(&a);
}

void app_template_get(struct exchange *x)
{
    exchange_hold(x);
    central_template_get(central_of(x), x->bound[0], TEMPLATE_VIEWS, on_views, x);
}

void app_write_template_document(const struct template *t, struct buf *to)
{
    slice open = slice_first(t->document, t->document.len > 0 ? t->document.len - 1 : 0);
    struct json_writer w = {.to = to, .after_value = true};

    buf_append(to, open);
    app_put_etag(&w, t->version);
    buf_append_byte(to, '}');
}

static void on_draft(void *context, enum status status, const struct template *t,
                     const struct fault *why)
{
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, why))
        return;
    app_write_template_document(t, &a.body);
    app_answer_end(&a);
}

void app_template_draft_get(struct exchange *x)
{
    exchange_hold(x);
    central_template_get(central_of(x), x->bound[0], TEMPLATE_DRAFT, on_draft, x);
}

/* --- acts ------------------------------------------------------------------------------------- */

/* The facts as they are now, what the model was told, what would change. */
static void on_done(void *context, enum status status, const struct template_result *r,
                    const struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = APP_ANSWER_MAX};
    struct json_writer w = {.to = &body};
    struct exchange *x = context;

    if (status == ST_OK) {
        json_open(&w, (slice){0}, '{');
        put_template(&w, r->template);
        if (r->report)
            put_report(&w, r->report);
        if (r->changes)
            put_changes(&w, r->changes);
        json_close(&w, '}');
        app_answer_object(x, &body);
    } else {
        app_answer_template_error(x, status, r, why);
    }
    exchange_release(x);
}

static void act(struct exchange *x, enum template_act act, struct template_request request)
{
    request.id = x->bound[0];
    if (!app_read_version(x, NULL, &request.version))
        return;
    exchange_hold(x);
    central_template_act(central_of(x), act, &request, on_done, x);
}

void app_template_draft_put(struct exchange *x)
{
    act(x, TEMPLATE_PUT_DRAFT,
        (struct template_request){.given = buf_slice(&x->body),
                                  .must_be_new = exchange_wants_new(x)});
}

void app_template_draft_delete(struct exchange *x)
{
    act(x, TEMPLATE_DROP_DRAFT, (struct template_request){0});
}

/* As the compatible API's, with what the model was told. */
void app_template_put(struct exchange *x)
{
    act(x, TEMPLATE_PUT,
        (struct template_request){.given = buf_slice(&x->body),
                                  .must_be_new = exchange_wants_new(x),
                                  .force = app_is_forced(x)});
}

void app_template_publish(struct exchange *x)
{
    act(x, TEMPLATE_PUBLISH, (struct template_request){.force = app_is_forced(x)});
}

void app_template_changes(struct exchange *x)
{
    act(x, TEMPLATE_COMPARE, (struct template_request){0});
}

void app_template_version(struct exchange *x)
{
    static const char *const names[] = {"id", "modelId", "displayName"};
    struct template_request request = {0};
    slice *const to[] = {&request.new_id, &request.new_model_id, &request.new_display_name};
    const struct json *member;
    struct json *body;

    if (!exchange_json(x, &body))
        return;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        member = json_member(body, slice_str(names[i]));
        if (member && !json_get_text(body, slice_str(names[i]), to[i])) {
            app_wrong(x, "id, modelId and displayName are texts");
            return;
        }
    }
    act(x, TEMPLATE_NEW_VERSION, request);
}
