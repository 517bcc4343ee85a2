/* The deny list: certificates that no authority can vouch for any more. */
#include <stdlib.h>

#include "base/log.h"
#include "provisioning/authority_plan.h"
#include "provisioning/enrollment_store.h"
#include "provisioning/hex_text.h"
#include "provisioning/provisioning_internal.h"

#define TASK_MAX_BYTES 8192

struct denial_task {
    struct provisioning *p;
    struct arena arena;
    struct denial denial;
    slice key;
    denial_done_fn *on_done;
    void *context;
    struct fault why;
};

static struct denial_task *task_make(struct provisioning *p, denial_done_fn *on_done, void *context)
{
    struct denial_task *t = calloc(1, sizeof *t);
    struct fault why = {ST_NO_MEMORY, "no memory for a denial"};

    if (!t) {
        on_done(context, ST_NO_MEMORY, &why);
        return NULL;
    }
    *t = (struct denial_task){.p = p, .on_done = on_done, .context = context};
    arena_init(&t->arena, TASK_MAX_BYTES);
    return t;
}

static void finish(struct denial_task *t, enum status status)
{
    t->on_done(t->context, status, &t->why);
    arena_deinit(&t->arena);
    free(t);
}

/* NULL after finishing the task. */
static struct unit *make_unit(struct denial_task *t)
{
    struct unit *unit = unit_create(t->p->st);

    if (!unit)
        finish(t, fault_set(&t->why, ST_UNAVAILABLE, "the store has no room"));
    return unit;
}

/* --- adding ----------------------------------------------------------------------------------- */

static enum status check(struct denial_task *t, const struct denial *from)
{
    struct denial *d = &t->denial;

    *d = (struct denial){
        .reason = arena_copy(&t->arena, from->reason),
        .by = arena_copy(&t->arena, from->by),
        .at = from->at != 0 ? from->at : clock_wall_ms(),
    };
    if (from->reason.len > DENIAL_REASON_MAX || !text_is_printable(from->reason))
        return fault_set(&t->why, ST_BAD_REQUEST, "a reason is one line of at most %d characters",
                         DENIAL_REASON_MAX);
    if (from->thumbprint.len > 0 && from->serial.len == 0)
        return thumbprint_normalise(from->thumbprint, &t->arena, &d->thumbprint)
                   ? ST_OK
                   : fault_set(&t->why, ST_BAD_REQUEST,
                               "a thumbprint is 40 or 64 hexadecimal digits");
    if (from->thumbprint.len > 0 || from->group.len == 0 || from->group.len > ENROLLMENT_ID_MAX ||
        !serial_normalise(from->serial, &t->arena, &d->serial))
        return fault_set(&t->why, ST_BAD_REQUEST, "either a thumbprint, or a group and a serial");
    d->group = arena_copy(&t->arena, from->group);
    return ST_OK;
}

static void on_added(void *context, enum status status, struct unit *unit)
{
    struct denial_task *t = context;
    const struct denial *d = &t->denial;

    (void)unit;
    if (status != ST_OK) {
        finish(t, fault_set(&t->why, status, "the denial could not be stored"));
        return;
    }
    trust_changed(t->p->id);
    LOG_INFO("certificate_denied", LOG_TEXT("thumbprint", d->thumbprint),
             LOG_TEXT("group", d->group), LOG_TEXT("serial", d->serial),
             LOG_TEXT("reason", d->reason), LOG_TEXT("by", d->by));
    finish(t, ST_OK);
}

static void on_trust(void *context, enum status status, const struct trust *trust)
{
    struct denial_task *t = context;
    struct unit *unit;

    if (status != ST_OK) {
        finish(t, fault_set(&t->why, status, "the deny list could not be read"));
        return;
    }
    if (trust->denied.len / sizeof(uint64_t) >= DENIED_MAX) {
        finish(t, fault_set(&t->why, ST_QUOTA, "%d certificates are denied already", DENIED_MAX));
        return;
    }
    unit = make_unit(t);
    if (!unit)
        return;
    denial_unit_put(unit, &t->denial);
    trust_unit_move(unit);
    unit_set_urgency(unit, UNIT_URGENT);
    unit_submit(unit, on_added, t);
}

/* A denial in a group that is not there would do nothing, and nobody would know. */
static void on_group(void *context, enum status status, const struct enrollment *e,
                     const struct fault *why)
{
    struct denial_task *t = context;

    if (status == ST_OK || status == ST_NOT_FOUND)
        status = authority_check_group(e, t->denial.group, &t->why);
    else
        t->why = *why;
    if (status != ST_OK)
        finish(t, status);
    else
        trust_get(t->p->id, on_trust, t);
}

void denial_add(struct provisioning *p, const struct denial *d, denial_done_fn *on_done,
                void *context)
{
    struct denial_task *t = task_make(p, on_done, context);
    enum status status;

    if (!t)
        return;
    status = check(t, d);
    if (status == ST_OK && t->arena.failed)
        status = fault_set(&t->why, ST_NO_MEMORY, "no memory for a denial");
    if (status != ST_OK)
        finish(t, status);
    else if (t->denial.group.len > 0)
        enrollment_get(p, ENROLLMENT_GROUP, t->denial.group, false, on_group, t);
    else
        trust_get(p->id, on_trust, t);
}

/* --- removing --------------------------------------------------------------------------------- */

static void on_removed(void *context, enum status status, struct unit *unit)
{
    struct denial_task *t = context;

    (void)unit;
    if (status == ST_OK) {
        trust_changed(t->p->id);
        LOG_INFO("certificate_allowed_again", LOG_TEXT("key", t->key));
    } else if (status == ST_CONFLICT) {
        status = fault_set(&t->why, ST_NOT_FOUND, "nothing is denied by that key");
    } else {
        (void)fault_set(&t->why, status, "the denial could not be removed");
    }
    finish(t, status);
}

void denial_remove(struct provisioning *p, slice key, denial_done_fn *on_done, void *context)
{
    struct denial_task *t = task_make(p, on_done, context);
    struct unit *unit;

    if (!t)
        return;
    t->key = arena_copy(&t->arena, key);
    if (t->arena.failed) {
        finish(t, fault_set(&t->why, ST_NOT_FOUND, "nothing is denied by that key"));
        return;
    }
    unit = make_unit(t);
    if (!unit)
        return;
    denial_unit_delete(unit, t->key);
    trust_unit_move(unit);
    unit_submit(unit, on_removed, t);
}
