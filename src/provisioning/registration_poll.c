#include "provisioning/registration_task.h"

#include "provisioning/provisioning_internal.h"

#define ERROR_NO_REGISTRATION 404201
#define ERROR_NO_OPERATION 404202
#define SLOW_POLL_S 10

/* --- operation status ------------------------------------------------------------------------- */

static void on_told(void *context, enum status status, struct unit *unit)
{
    struct registration_task *t = context;

    (void)unit;
    if (status != ST_OK) {
        (void)fault_set(&t->why, status, "the poll could not be noted");
        task_fail(t, status);
        return;
    }
    t->record->told = true;
    task_answer_record(t, t->record);
}

/* Noted before it is told, so that the next registration is a new operation. */
static void tell(struct registration_task *t)
{
    struct unit *unit = unit_create(t->p->st);

    if (!unit) {
        (void)fault_set(&t->why, ST_UNAVAILABLE, "the store has no room");
        task_fail(t, ST_UNAVAILABLE);
        return;
    }
    registration_unit_told(unit, t->record);
    unit_submit(unit, on_told, t);
}

static void answer_slow(struct registration_task *t)
{
    task_answer(t, &(struct registration){.status = ST_OK,
                                          .state = REG_ASSIGNING,
                                          .operation_id = t->operation_id,
                                          .registration_id = t->request.registration_id,
                                          .retry_after_s = SLOW_POLL_S});
}

/* A device that nobody knows, refused because its group is off, left no record: what it was told
 * at its registration is told again. */
static bool was_refused_without_record(const struct registration_task *t)
{
    return !t->record && !t->enrollment->enabled && t->operation_id.len == OPERATION_ID_LEN &&
           slice_starts_with(t->operation_id,
                             slice_of(t->p->operation_prefix, OPERATION_PREFIX_LEN));
}

static void answer_without_record(struct registration_task *t)
{
    const struct registration_record r = {
        .id = t->request.registration_id,
        .state = t->enrollment->gated ? REG_FAILED : REG_DISABLED,
        .error_code = t->enrollment->gated ? ERROR_REFUSED : 0,
        .operation_id = t->operation_id,
        .told = true,
        .created_at = t->request.now,
        .updated_at = t->request.now,
        .version = 1,
    };

    task_answer_record(t, &r);
}

static bool is_operation_of(const struct registration_record *r, slice operation_id)
{
    return operation_id.len > 0 && (slice_equal(r->operation_id, operation_id) ||
                                    slice_equal(r->previous_operation_id, operation_id));
}

static void poll_operation(struct registration_task *t)
{
    int64_t wait_ms = 0;
    enum throttle_answer throttled =
        throttle_poll(provisioning_part(t->p)->throttle, t->key, clock_mono_ms(), &wait_ms);

    if (throttled == THROTTLE_STOP)
        task_fail_throttled(t, wait_ms);
    else if (was_refused_without_record(t))
        answer_without_record(t);
    else if (!t->record || !is_operation_of(t->record, t->operation_id))
        task_fail_unknown(t, ERROR_NO_OPERATION, SLICE("Operation not found"));
    else if (throttled == THROTTLE_SLOW)
        answer_slow(t);
    else if (!t->record->told)
        tell(t);
    else
        task_answer_record(t, t->record);
}

void registration_status(struct provisioning *p, const struct registration_request *request,
                         slice operation_id, registration_fn *on_answer, void *context)
{
    struct registration_task *t = task_create(p, TASK_STATUS, request, on_answer, context);

    if (!t)
        return;
    t->operation_id = arena_copy(&t->arena, slice_first(operation_id, OPERATION_ID_LEN + 1));
    task_attest(t, poll_operation);
}

/* --- look-up and attestation alone ------------------------------------------------------------ */

static void look_up(struct registration_task *t)
{
    if (!t->record)
        task_fail_unknown(t, ERROR_NO_REGISTRATION, SLICE("Registration not found"));
    else
        task_answer_record(t, t->record);
}

void registration_lookup(struct provisioning *p, const struct registration_request *request,
                         registration_fn *on_answer, void *context)
{
    struct registration_task *t = task_create(p, TASK_LOOKUP, request, on_answer, context);

    if (t)
        task_attest(t, look_up);
}

static void say_so(struct registration_task *t)
{
    task_answer(
        t, &(struct registration){.status = ST_OK, .registration_id = t->request.registration_id});
}

void registration_attest(struct provisioning *p, const struct registration_request *request,
                         registration_fn *on_answer, void *context)
{
    struct registration_task *t = task_create(p, TASK_ATTEST, request, on_answer, context);

    if (t)
        task_attest(t, say_so);
}
