#include "provisioning/explain.h"

#include <stdlib.h>

#include "base/text.h"
#include "codec/sas.h"
#include "crypto/certificate_read.h"
#include "provisioning/registration_flow.h"

#define ID_MAX_BYTES (64 * 1024)

struct explain_call {
    explain_fn *on_explanation;
    void *context;
};

void task_explain(const struct registration_task *t, enum status status)
{
    struct explain_call *call = t->context;
    const struct enrollment *e = t->enrollment ? t->enrollment : t->individual;
    const struct explanation explanation = {
        .status = status,
        .registration_id = t->request.registration_id,
        .enrollment = e ? e->id : (slice){0},
        .enrollment_kind = e ? e->kind : ENROLLMENT_NONE,
        .reason = status == ST_OK ? (slice){0} : slice_str(t->why.text),
        .trace = &t->trace,
    };
    bool judged = status == ST_OK || trace_failed(&t->trace);

    if (judged)
        call->on_explanation(call->context, ST_OK, &explanation, &t->why);
    else
        call->on_explanation(call->context, status, NULL, &t->why);
    free(call);
}

/* --- whose credential it is, where nobody says ------------------------------------------------ */

/* The last part of "{scope}/registrations/{id}", encoded as a whole, in parts or not at all. */
static slice id_of_token(slice text, struct arena *arena)
{
    struct sas_token token;
    struct fault ignored;
    slice id = {0};

    if (sas_token_parse(text, &token, &ignored) != ST_OK)
        return id;
    for (slice rest = percent_decode_lenient(token.scope, arena); rest.ptr;)
        id = slice_split(&rest, '/');
    return id;
}

static slice id_of_certificate(const struct x509_st *certificate, struct arena *arena)
{
    struct certificate_facts facts;
    struct fault ignored;

    return certificate_facts_read(certificate, arena, &facts, &ignored) == ST_OK ? facts.common_name
                                                                                 : (slice){0};
}

static void complete(struct registration_request *r, struct provisioning *p, struct arena *arena)
{
    if (r->id_scope.len == 0)
        r->id_scope = provisioning_id_scope(p);
    if (r->registration_id.len > 0)
        return;
    if (r->sas_token.len > 0)
        r->registration_id = id_of_token(r->sas_token, arena);
    else if (r->certificate)
        r->registration_id = id_of_certificate(r->certificate, arena);
}

/* --- the call --------------------------------------------------------------------------------- */

/* There is no task to tell it. */
static void on_no_task(void *context, const struct registration *r, const struct fault *why)
{
    struct explain_call *call = context;

    call->on_explanation(call->context, r->status, NULL, why);
    free(call);
}

void registration_explain(struct provisioning *p, const struct registration_request *request,
                          explain_fn *on_explanation, void *context)
{
    struct explain_call *call = malloc(sizeof *call);
    struct arena ARENA_CLEANUP arena = {.max = ID_MAX_BYTES};
    struct registration_request completed = *request;
    struct fault why = {ST_NO_MEMORY, "no memory for an explanation"};
    struct registration_task *t;

    if (!call) {
        on_explanation(context, ST_NO_MEMORY, NULL, &why);
        return;
    }
    *call = (struct explain_call){on_explanation, context};
    complete(&completed, p, &arena);
    t = task_create(p, TASK_EXPLAIN, &completed, on_no_task, call);
    if (t)
        registration_begin(t);
}
