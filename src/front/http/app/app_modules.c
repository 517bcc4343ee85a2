/* Modules of a device: identities of their own, with keys of their own. */
#include "base/clock.h"
#include "base/text.h"
#include "codec/connection_string.h"
#include "codec/topic.h"
#include "front/http/application.h"
#include "hub/twin.h"

static struct identity *identity_of(struct exchange *x)
{
    return x->front->options.identity;
}

static const struct hub_name *hub_name_of(struct exchange *x)
{
    return identity_default_hub(identity_of(x));
}

static void write_module(struct json_writer *w, const struct device *m)
{
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("deviceId"), m->id);
    json_put_text(w, SLICE("moduleId"), m->module_id);
    app_put_time(w, SLICE("created"), m->created_at);
    app_put_etag(w, m->version);
    json_close(w, '}');
}

static void on_row(void *context, enum status status, const struct device *m)
{
    struct app_list *list = context;

    if (!m) {
        app_list_end(list, status, NULL);
        return;
    }
    if (!app_list_row(list, m->module_id))
        return;
    write_module(&list->w, m);
}

void app_modules_list(struct exchange *x)
{
    struct app_list *list = app_list_begin(x);

    if (list)
        device_list_modules(identity_of(x), hub_name_of(x)->name, x->bound[0], on_row, list);
}

static void on_module(void *context, enum status status, const struct device *m)
{
    struct app_answer a;

    if (!app_answer_begin(&a, context, status, NULL))
        return;
    write_module(&a.w, m);
    app_answer_end(&a);
}

void app_module_get(struct exchange *x)
{
    exchange_hold(x);
    device_get(identity_of(x), hub_name_of(x)->name, x->bound[0], x->bound[1], on_module, x);
}

/* --- create: with fresh keys, shown in the answer -------------------------------------------- */

static void write_created(struct exchange *x, const struct device *m, const struct secret *primary,
                          const struct secret *secondary, struct json_writer *w)
{
    BUF_CLEANUP struct buf key = {.max = 128}, text = {.max = 4096};

    base64_encode(secret_slice(primary), &key);
    connection_string_write(
        &(struct connection_string){
            .host_name = hub_name_of(x)->hosts[0],
            .device_id = m->id,
            .module_id = m->module_id,
            .shared_access_key = buf_slice(&key),
        },
        &text);
    json_open(w, (slice){0}, '{');
    json_put_text(w, SLICE("deviceId"), m->id);
    json_put_text(w, SLICE("moduleId"), m->module_id);
    app_put_key(w, SLICE("primaryKey"), primary);
    app_put_key(w, SLICE("secondaryKey"), secondary);
    json_put_text(w, SLICE("connectionString"), buf_slice(&text));
    json_close(w, '}');
}

static void on_created_module(void *context, enum status status, const struct device *m)
{
    struct exchange *x = context;
    SECRET_CLEANUP struct secret primary = {0}, secondary = {0};
    struct fault why = {0};
    struct app_answer a;

    if (status == ST_OK)
        status = device_keys(identity_of(x), m, &primary, &secondary, &why);
    if (!app_answer_begin(&a, x, status, &why))
        return;
    write_created(x, m, &primary, &secondary, &a.w);
    app_answer_end(&a);
}

static void on_created(void *context, enum status status, struct unit *unit)
{
    struct exchange *x = context;
    struct fault why;

    (void)unit;
    if (status == ST_OK) {
        device_get(identity_of(x), hub_name_of(x)->name, x->bound[0], x->bound[1],
                   on_created_module, x);
        return;
    }
    fault_set(&why, status, "the module exists already, or the device does not");
    exchange_answer_error(x, status, status == ST_CONFLICT ? &why : NULL);
    exchange_release(x);
}

void app_module_put(struct exchange *x)
{
    const struct device_new n = {
        .hub = hub_name_of(x)->name,
        .id = x->bound[0],
        .module_id = x->bound[1],
        .display_name = x->bound[1],
        .enabled = true,
        .approved = true,
        .provisioned = true,
        .origin = ORIGIN_API,
        .auth = AUTH_SAS,
        .now = clock_wall_ms(),
    };
    struct unit *unit;
    struct fault why;

    if (!device_id_valid(n.id) || !device_id_valid(n.module_id)) {
        fault_set(&why, ST_BAD_REQUEST,
                  "an ID has 1 to 128 letters, digits and -:.+%%_#*?!(),=@;$'");
        exchange_answer_error(x, ST_BAD_REQUEST, &why);
        return;
    }
    unit = unit_create(x->front->options.store);
    if (!unit) {
        exchange_answer_error(x, ST_UNAVAILABLE, NULL);
        return;
    }
    device_unit_insert(unit, identity_of(x), &n);
    exchange_hold(x);
    unit_submit(unit, on_created, x);
}

/* --- delete: the row, what the hub keeps of it, its live session ----------------------------- */

static void on_revoked(void *context)
{
    struct exchange *x = context;

    exchange_answer(x, 204, (slice){0});
    exchange_release(x);
}

static void on_deleted(void *context, enum status status, struct unit *unit)
{
    struct exchange *x = context;

    (void)unit;
    if (status != ST_OK) {
        exchange_answer_error(x, status, NULL);
        exchange_release(x);
        return;
    }
    const struct session_revoke r = {
        .hub = hub_name_of(x),
        .device_id = x->bound[0],
        .module_id = x->bound[1],
        .slots = CREDENTIAL_ANY,
        .generation = *(const int64_t *)x->own,
    };
    identity_forget_refusals(identity_of(x), x->bound[0]);
    session_revoke(x->front->options.hub, &r, on_revoked, x);
}

static void on_doomed(void *context, enum status status, const struct device *m)
{
    struct exchange *x = context;
    struct unit *unit = status == ST_OK ? unit_create(x->front->options.store) : NULL;

    if (!unit) {
        exchange_answer_error(x, status == ST_OK ? ST_UNAVAILABLE : status, NULL);
        exchange_release(x);
        return;
    }
    *(int64_t *)x->own = device_next_generation(m, clock_wall_ms());
    device_unit_delete(unit, m);
    hub_unit_forget(unit, m->hub, m->id, m->module_id);
    unit_submit(unit, on_deleted, x);
}

void app_module_delete(struct exchange *x)
{
    x->own = arena_alloc(&x->arena, sizeof(int64_t)); /* the generation to revoke */
    if (!x->own) {
        exchange_answer_error(x, ST_NO_MEMORY, NULL);
        return;
    }
    exchange_hold(x);
    device_get(identity_of(x), hub_name_of(x)->name, x->bound[0], x->bound[1], on_doomed, x);
}
