#include "provisioning/registration_flow.h"

#include "provisioning/provisioning_internal.h"
#include "provisioning/registration_body.h"

/* Only who proved to be the device can use up its share. A new round of the same registration
 * costs no second one. */
static void on_attested(struct registration_task *t)
{
    int64_t wait_ms;

    if (t->kind == TASK_REGISTER && t->rounds == 0 &&
        throttle_register(provisioning_part(t->p)->throttle, t->key, clock_mono_ms(), &wait_ms) !=
            THROTTLE_GO)
        task_fail_throttled(t, wait_ms);
    else
        registration_decide(t);
}

void registration_begin(struct registration_task *t)
{
    task_attest(t, on_attested);
}

void registration_register(struct provisioning *p, const struct registration_request *request,
                           registration_fn *on_answer, void *context)
{
    struct registration_task *t = task_create(p, TASK_REGISTER, request, on_answer, context);
    struct registration_body body = {0};
    enum status status;

    if (!t)
        return;
    status =
        registration_body_read(request->body, request->registration_id, &t->arena, &body, &t->why);
    if (status != ST_OK) {
        task_fail(t, status);
        return;
    }
    t->model_id = body.model_id;
    t->gateway_id = body.gateway_id;
    registration_begin(t);
}
