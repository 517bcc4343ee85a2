#include "provisioning/registration_task.h"

#include "base/log.h"
#include "base/metrics.h"
#include "provisioning/provisioning_internal.h"

#define NOTE_EVERY_MS 10000 /* of one device */
#define NOTES_BURST 20      /* of all devices, by one worker */
#define NOTES_REFILL_MS 100

static bool is_due(const struct registration_task *t, const struct device *d)
{
    struct token_bucket *notes = &provisioning_part(t->p)->notes;
    int64_t wait_ms;

    if (slice_equal(d->attempt.result, SLICE("unauthorized")) && t->request.now >= d->attempt.at &&
        t->request.now - d->attempt.at < NOTE_EVERY_MS)
        return false;
    return token_bucket_take(notes, clock_mono_ms(), NOTES_BURST, NOTES_REFILL_MS, &wait_ms);
}

static void note(struct registration_task *t, const struct device *d)
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
    unit_submit(unit, NULL, NULL);
}

static void on_device(void *context, enum status status, const struct device *d)
{
    struct registration_task *t = context;

    if (status == ST_OK && is_due(t, d))
        note(t, d);
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
