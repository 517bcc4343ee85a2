#include "provisioning/registration_task.h"

#include "base/log.h"
#include "base/metrics.h"
#include "provisioning/attempt.h"
#include "provisioning/provisioning_internal.h"

#define NOTE_EVERY_MS 10000 /* of one device */
#define NOTES_BURST 20      /* of all devices, by one worker */
#define NOTES_REFILL_MS 100
#define STRANGERS_REFILL_MS 1000 /* slower: they must not push out the attempts of devices */

#define STEPS_MAX_BYTES 16384

void task_add_attempt(struct registration_task *t, struct unit *unit, slice result, slice reason)
{
    const struct enrollment *e = t->enrollment ? t->enrollment : t->individual;
    struct buf BUF_CLEANUP steps = {.max = STEPS_MAX_BYTES};
    struct json_writer w = {.to = &steps};
    struct attempt a = {
        .at = t->request.now,
        .registration_id = t->request.registration_id,
        .result = result,
        .reason = reason,
        .enrollment = e ? e->id : (slice){0},
        .protocol = t->request.protocol,
        .address = t->request.address,
    };

    trace_write(&t->trace, &w, (slice){0});
    a.steps = steps.failed ? SLICE("[]") : buf_slice(&steps);
    attempt_unit_add(unit, &a);
}

/* --- of nobody's unit: anybody can send such -------------------------------------------------- */

void task_note_attempt(struct registration_task *t, slice result)
{
    struct token_bucket *strangers = &provisioning_part(t->p)->strangers;
    struct unit *unit;
    int64_t wait_ms;

    if (!token_bucket_take(strangers, clock_mono_ms(), NOTES_BURST, STRANGERS_REFILL_MS, &wait_ms))
        return;
    unit = unit_create(t->p->st);
    if (!unit)
        return; /* a note may be lost */
    task_add_attempt(t, unit, result, slice_str(t->why.text));
    unit_submit(unit, NULL, NULL);
}

/* --- of a known device ------------------------------------------------------------------------ */

bool provisioning_take_note(struct provisioning_part *part)
{
    int64_t wait_ms;

    return token_bucket_take(&part->notes, clock_mono_ms(), NOTES_BURST, NOTES_REFILL_MS, &wait_ms);
}

static bool is_due(const struct registration_task *t, const struct device *d)
{
    /* The same cause again can wait; another one is what the operator looks for. */
    if (slice_equal(d->attempt.result, SLICE("unauthorized")) && t->request.now >= d->attempt.at &&
        t->request.now - d->attempt.at < NOTE_EVERY_MS &&
        slice_equal(d->attempt.reason, slice_str(t->why.text)))
        return false;
    return provisioning_take_note(provisioning_part(t->p));
}

static void note_on_device(struct registration_task *t, const struct device *d)
{
    struct unit *unit = unit_create(t->p->st);
    struct device_change change = {
        .set = DEVICE_SET_ATTEMPT,
        .to =
            {
                .now = t->request.now,
                .attempt =
                    {
                        .at = t->request.now,
                        .count = d->attempt.count + 1,
                        .result = SLICE("unauthorized"),
                        .reason = slice_str(t->why.text),
                        .protocol = t->request.protocol,
                        .address = t->request.address,
                    },
            },
    };

    if (!unit)
        return; /* a note may be lost */
    device_unit_update(unit, t->p->id, d, &change);
    task_add_attempt(t, unit, SLICE("unauthorized"), slice_str(t->why.text));
    unit_submit(unit, NULL, NULL);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct registration_task *t = context;

    if (status == ST_DEVICE_NOT_FOUND)
        task_note_attempt(t, SLICE("unauthorized"));
    else if (status == ST_OK && is_due(t, d))
        note_on_device(t, d);
    task_destroy(t);
}

void task_fail_unauthorized(struct registration_task *t)
{
    metric_add(METRIC_REGISTRATIONS_UNAUTHORIZED, 1);
    LOG_LIMITED(LOG_LEVEL_INFO, "attest_failed",
                LOG_TEXT("registration", t->request.registration_id),
                LOG_TEXT("protocol", t->request.protocol), LOG_TEXT("address", t->request.address),
                LOG_FAULT(&t->why));
    t->on_answer(t->context,
                 &(struct registration){.status = ST_UNAUTHORIZED,
                                        .registration_id = t->request.registration_id},
                 &t->why);
    device_find(t->p->id,
                t->individual ? plan_device_id(t->individual, t->request.registration_id)
                              : t->request.registration_id,
                on_device, t);
}
