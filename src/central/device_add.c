#include <stdlib.h>

#include "central/central_internal.h"
#include "central/device_rules.h"
#include "central/template/template_store.h"
#include "central/template/templates.h"
#include "identity/access/organization.h"
#include "provisioning/lifecycle.h"

#define GENERATED_ID_LEN 10

/* settings -> rules -> template -> the unit -> the device as it is now */
struct add_task {
    struct central *c;
    struct arena arena;
    struct device_add add;
    instant now;
    device_view_fn *on_view;
    void *context;
    struct fault why;
};

static void finish(struct add_task *t, enum status status)
{
    if (status != ST_OK && t->why.status == ST_OK)
        (void)fault_set(&t->why, status, "the device could not be added");
    if (status == ST_OK)
        central_device_get(t->c, t->add.id, t->on_view, t->context);
    else
        t->on_view(t->context, status, NULL, &t->why);
    arena_deinit(&t->arena);
    free(t);
}

static void on_added(void *context, enum status status, struct unit *unit)
{
    struct add_task *t = context;

    (void)unit;
    if (status == ST_CONFLICT)
        (void)fault_set(&t->why, status, "device '%.*s' exists", SLICE_FMT(t->add.id));
    if (status == ST_OK) {
        lifecycle_publish(t->c->bus, EVENT_REGISTERED | (t->add.simulated ? EVENT_PROVISIONED : 0u),
                          t->add.id, t->now);
        identity_forget_refusals(t->c->id, t->add.id);
    }
    finish(t, status);
}

static void submit(struct add_task *t)
{
    const struct hub_name *hub = identity_default_hub(t->c->id);
    struct unit *unit;
    const struct device_new n = {
        .hub = hub ? hub->name : (slice){0},
        .id = t->add.id,
        .display_name = t->add.display_name,
        .enabled = true,
        .approved = true,
        .blocked = t->add.blocked,
        .organization = t->add.organization,
        .provisioned = t->add.simulated,
        .simulated = t->add.simulated,
        .template_id = t->add.template_id,
        .origin = t->add.origin,
        .auth = t->add.auth,
        .primary_thumbprint = t->add.primary_thumbprint,
        .secondary_thumbprint = t->add.secondary_thumbprint,
        .now = t->now,
    };

    if (!hub) {
        finish(t, fault_set(&t->why, ST_NO_HUB, "no hub is linked"));
        return;
    }
    unit = unit_create(t->c->st);
    if (!unit) {
        finish(t, ST_UNAVAILABLE);
        return;
    }
    device_unit_insert(unit, t->c->id, &n);
    organization_unit_guard(unit, t->add.organization);
    if (t->add.template_id.len > 0)
        template_unit_guard(unit, t->add.template_id);
    unit_submit(unit, on_added, t);
}

static void on_template(void *context, enum status status)
{
    struct add_task *t = context;

    if (status == ST_NOT_FOUND)
        status = fault_set(&t->why, ST_BAD_REQUEST, "R10: no published template of that ID");
    if (status == ST_OK)
        submit(t);
    else
        finish(t, status);
}

/* 36 divides 252: every letter and digit is as likely as any other. */
static slice generate_id(struct arena *arena)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    uint8_t id[GENERATED_ID_LEN];
    uint8_t random;

    for (size_t i = 0; i < sizeof id;) {
        random_bytes(&random, sizeof random);
        if (random < 252)
            id[i++] = (uint8_t)alphabet[random % 36];
    }
    return arena_copy(arena, slice_of(id, sizeof id));
}

static enum status check(struct add_task *t, const struct central_settings *s)
{
    enum status status;

    if (t->add.id.len == 0)
        t->add.id = generate_id(&t->arena);
    if (t->arena.failed)
        return ST_NO_MEMORY;
    status = device_id_check(t->add.id, s->device_id_any_case, &t->why);
    if (status == ST_OK)
        status = device_name_check(t->add.display_name, &t->why);
    return status == ST_OK ? device_auth_check(t->add.auth, t->add.primary_thumbprint,
                                               t->add.secondary_thumbprint, &t->why)
                           : status;
}

static void on_settings(void *context, enum status status, const struct central_settings *s,
                        const struct fault *why)
{
    struct add_task *t = context;

    if (status == ST_OK)
        status = check(t, s);
    else
        t->why = *why;
    if (status != ST_OK)
        finish(t, status);
    else if (t->add.template_id.len > 0)
        template_check_published(t->c, t->add.template_id, on_template, t);
    else
        submit(t);
}

void central_device_add(struct central *c, const struct device_add *a, device_view_fn *on_view,
                        void *context)
{
    struct add_task *t = calloc(1, sizeof *t);
    struct fault why = {ST_NO_MEMORY, "no memory for a device"};

    if (!t) {
        on_view(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *t = (struct add_task){
        .c = c, .add = *a, .now = clock_wall_ms(), .on_view = on_view, .context = context};
    arena_init(&t->arena, 65536);
    t->add.id = arena_copy(&t->arena, a->id);
    t->add.display_name = arena_copy(&t->arena, a->display_name);
    t->add.template_id = arena_copy(&t->arena, a->template_id);
    t->add.organization = arena_copy(&t->arena, a->organization);
    t->add.primary_thumbprint = arena_copy(&t->arena, a->primary_thumbprint);
    t->add.secondary_thumbprint = arena_copy(&t->arena, a->secondary_thumbprint);
    if (t->arena.failed)
        finish(t, ST_NO_MEMORY);
    else
        central_get_settings(c, on_settings, t);
}
