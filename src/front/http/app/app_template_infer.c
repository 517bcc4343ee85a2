/* A template made of what a device has sent: looked at first, then published, and the device
 * associated with it. */
#include "central/property/properties.h"
#include "central/telemetry/telemetry.h"
#include "central/telemetry/template_infer.h"
#include "central/template/template.h"
#include "crypto/crypto.h"
#include "front/http/application.h"

#define NAME_MAX_BYTES 512
#define RANDOM_NAME 10

/* last values -> properties -> document: looked at, or published -> the device associated */
struct infer_query {
    struct exchange *x;
    slice display_name, last_values;
    slice template_id, model_id;
    bool only_looks;
    struct buf document;
};

static struct central *central_of(const struct infer_query *q)
{
    return q->x->front->options.central;
}

static void finish(struct infer_query *q, enum status status, const struct fault *why)
{
    if (status == ST_OK)
        app_answer_object(q->x, &q->document);
    else
        exchange_answer_error(q->x, status, why);
    buf_deinit(&q->document);
    exchange_release(q->x);
}

/* --- publishing ----------------------------------------------------------------------------------
 */

static void on_associated(void *context, enum status status, const struct device_view *v,
                          const struct fault *why)
{
    (void)v;
    finish(context, status, why);
}

static void on_published(void *context, enum status status, const struct template_result *r,
                         const struct fault *why)
{
    struct infer_query *q = context;

    if (status != ST_OK) {
        app_answer_template_error(q->x, status, r, why);
        buf_deinit(&q->document);
        exchange_release(q->x);
        return;
    }
    buf_clear(&q->document);
    app_write_template_document(r->template, &q->document);
    central_device_act(central_of(q), q->x->bound[0], ACT_ASSOCIATE, q->template_id, on_associated,
                       q);
}

static void publish(struct infer_query *q)
{
    struct template_request request = {.id = q->template_id};

    request.given = arena_copy(&q->x->arena, buf_slice(&q->document));
    if (q->x->arena.failed)
        finish(q, ST_NO_MEMORY, NULL);
    else
        central_template_act(central_of(q), TEMPLATE_PUT, &request, on_published, q);
}

/* --- what it sent
 * --------------------------------------------------------------------------------- */

static void on_properties(void *context, enum status status, const struct device_properties *p,
                          const struct fault *why)
{
    struct infer_query *q = context;
    struct fault cause = *why;

    if (status == ST_OK) {
        const struct inference from = {
            .model_id = q->model_id,
            .display_name = q->display_name,
            .last_values = q->last_values,
            .model = p->model,
            .properties = &p->sources,
        };

        status = template_infer(&from, p->arena, &q->document, &cause);
    }
    if (status == ST_OK && !q->only_looks)
        publish(q);
    else
        finish(q, status, &cause);
}

static void on_last(void *context, enum status status, const struct device_model *m, slice packed,
                    int64_t mismatches, const struct fault *why)
{
    struct infer_query *q = context;

    (void)m, (void)mismatches;
    q->last_values = arena_copy(&q->x->arena, packed);
    if (status != ST_OK)
        finish(q, status, why);
    else if (q->x->arena.failed)
        finish(q, ST_NO_MEMORY, NULL);
    else
        central_properties_read(central_of(q), q->x->bound[0], on_properties, q);
}

/* --- what is asked
 * -------------------------------------------------------------------------------- */

static slice random_name(struct exchange *x)
{
    uint8_t bytes[RANDOM_NAME];
    char text[RANDOM_NAME + 1] = {0};

    random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < RANDOM_NAME; i++)
        text[i] = (char)('a' + bytes[i] % 26);
    return arena_copy(&x->arena, slice_str(text));
}

static bool read_request(struct exchange *x, struct infer_query *q)
{
    slice name = random_name(x);
    struct json *body;

    if (!exchange_json(x, &body))
        return false;
    if (!json_get_text(body, SLICE("displayName"), &q->display_name) || q->display_name.len == 0 ||
        q->display_name.len > NAME_MAX_BYTES)
        return app_wrong(x, "displayName, the name of the template, is missing or too long");
    if (!json_get_bool(body, SLICE("preview"), &q->only_looks))
        q->only_looks = false;
    q->template_id = arena_printf(&x->arena, "dtmi:modelDefinition:%.*s;1", SLICE_FMT(name));
    q->model_id = arena_printf(&x->arena, "dtmi:muster:%.*s;1", SLICE_FMT(name));
    return true;
}

void app_template_infer(struct exchange *x)
{
    struct infer_query *q = arena_alloc(&x->arena, sizeof *q);
    const struct fault why = {ST_FORBIDDEN, "you lack templates.manage"};

    if (!q) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    q->x = x;
    if (!read_request(x, q))
        return;
    if (!q->only_looks && !may_do(&x->principal, PERM_TEMPLATES_MANAGE)) {
        exchange_answer_error(x, ST_FORBIDDEN, &why);
        return;
    }
    buf_init(&q->document, APP_ANSWER_MAX);
    exchange_hold(x);
    central_telemetry_last(central_of(q), x->bound[0], on_last, q);
}
