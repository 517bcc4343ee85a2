#include "provisioning/registration_task.h"

#include <stdlib.h>

#include "base/metrics.h"
#include "codec/topic.h"
#include "crypto/certificate_read.h"
#include "provisioning/provisioning_internal.h"

#define TASK_MAX_BYTES (1024 * 1024)
#define RETRY_AFTER_MIN_S 3
#define RETRY_AFTER_SPREAD_S 3

/* What the operation's outcome reads for a refused device: the same whatever the reason. */
#define REFUSED_MESSAGE "Custom allocation failed with status code: 401"
#define NO_HUB_MESSAGE "No hub is linked to this provisioning service"

static void wipe_keys(struct registration_task *t)
{
    secret_wipe(&t->primary);
    secret_wipe(&t->secondary);
    secret_wipe(&t->plan.insert.primary);
    secret_wipe(&t->plan.insert.secondary);
    secret_wipe(&t->plan.change.to.primary);
    secret_wipe(&t->plan.change.to.secondary);
    if (t->individual) {
        secret_wipe(&t->individual->primary);
        secret_wipe(&t->individual->secondary);
    }
}

void task_destroy(struct registration_task *t)
{
    wipe_keys(t);
    certificate_free(t->request.certificate);
    certificates_free(t->request.intermediates);
    arena_deinit(&t->arena);
    free(t);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void count_failure(const struct registration_task *t, enum status status)
{
    if (t->kind != TASK_REGISTER)
        return;
    metric_add(status == ST_UNAUTHORIZED ? METRIC_REGISTRATIONS_UNAUTHORIZED
                                         : METRIC_REGISTRATIONS_FAILED,
               1);
}

void task_answer(struct registration_task *t, const struct registration *answer)
{
    if (t->kind == TASK_EXPLAIN)
        task_explain(t, answer->status);
    else
        t->on_answer(t->context, answer, &t->why);
    task_destroy(t);
}

void task_fail(struct registration_task *t, enum status status)
{
    count_failure(t, status);
    task_answer(
        t, &(struct registration){.status = status, .registration_id = t->request.registration_id});
}

void task_fail_unknown(struct registration_task *t, int error_code, slice message)
{
    (void)fault_set(&t->why, ST_NOT_FOUND, "%.*s", SLICE_FMT(message));
    task_answer(t, &(struct registration){.status = ST_NOT_FOUND,
                                          .registration_id = t->request.registration_id,
                                          .error_code = error_code,
                                          .error_message = message});
}

unsigned retry_after_s(int64_t wait_ms)
{
    int64_t seconds = (wait_ms + 999) / 1000;

    return seconds < 1 ? 1 : seconds > 300 ? 300 : (unsigned)seconds;
}

void task_fail_throttled(struct registration_task *t, int64_t wait_ms)
{
    (void)fault_set(&t->why, ST_THROTTLED, "the device asks too often");
    count_failure(t, ST_THROTTLED);
    task_answer(t, &(struct registration){.status = ST_THROTTLED,
                                          .registration_id = t->request.registration_id,
                                          .retry_after_s = retry_after_s(wait_ms)});
}

static unsigned random_retry_after_s(void)
{
    uint8_t random;

    random_bytes(&random, sizeof random);
    return RETRY_AFTER_MIN_S + random % RETRY_AFTER_SPREAD_S;
}

static void answer_assigning(struct registration_task *t, const struct registration_record *r)
{
    task_answer(t, &(struct registration){.status = ST_OK,
                                          .state = REG_ASSIGNING,
                                          .operation_id = r->operation_id,
                                          .registration_id = r->id,
                                          .retry_after_s = random_retry_after_s()});
}

static slice message_of(const struct registration_record *r)
{
    if (r->state == REG_ASSIGNED)
        return (slice){0};
    return r->error_code == ERROR_NO_HUB ? SLICE(NO_HUB_MESSAGE) : SLICE(REFUSED_MESSAGE);
}

void task_answer_record(struct registration_task *t, const struct registration_record *r)
{
    struct registration a = {
        .status = ST_OK,
        .state = r->state,
        .operation_id = t->kind == TASK_STATUS ? t->operation_id : r->operation_id,
        .registration_id = r->id,
        .by_certificate = r->by_certificate,
        .error_code = r->error_code,
        .error_message = message_of(r),
        .created_at = r->created_at,
        .updated_at = r->updated_at,
        .etag = r->version,
    };
    const struct hub_name *hub = NULL;

    if (!r->told && t->kind != TASK_STATUS && t->kind != TASK_ASSIGN) {
        answer_assigning(t, r);
        return;
    }
    if (r->state == REG_ASSIGNED) {
        hub = identity_hub_by_name(t->p->id, r->hub);
        if (!hub || hub->host_count == 0) {
            (void)fault_set(&t->why, ST_NO_HUB, "hub '%.*s' is not here any more",
                            SLICE_FMT(r->hub));
            task_fail(t, ST_UNAVAILABLE);
            return;
        }
        a.assigned_hub = hub->hosts[0];
        a.device_id = r->device_id;
        a.substatus = r->substatus;
        if (r->enrollment_kind == ENROLLMENT_GROUP)
            a.enrollment_group = r->enrollment_id;
    }
    task_answer(t, &a);
}

/* --- the request ------------------------------------------------------------------------------ */

static void copy_request(struct registration_task *t, const struct registration_request *from)
{
    struct arena *a = &t->arena;

    t->request = (struct registration_request){
        .id_scope = slice_str(t->p->id_scope),
        .registration_id = arena_copy(a, from->registration_id),
        .sas_token = arena_copy(a, from->sas_token),
        .certificate = certificate_share(from->certificate),
        .intermediates = certificates_share(from->intermediates),
        .protocol = arena_copy(a, from->protocol),
        .address = arena_copy(a, from->address),
        .now = from->now,
    };
    t->key = text_lower(a, from->registration_id);
}

static enum status check_scope(struct registration_task *t, slice id_scope)
{
    const slice own = slice_str(t->p->id_scope);

    if (slice_equal_nocase(id_scope, own)) {
        trace_pass(&t->trace, STEP_ID_SCOPE, own);
        return ST_OK;
    }
    trace_fail(&t->trace, STEP_ID_SCOPE, own, id_scope,
               "give the device the ID scope of this service");
    return fault_set(&t->why, ST_UNAUTHORIZED, "unknown ID scope");
}

static enum status check_id(struct registration_task *t, slice id)
{
    if (registration_id_valid(id)) {
        trace_pass(&t->trace, STEP_REGISTRATION_ID, id);
        return ST_OK;
    }
    trace_fail(&t->trace, STEP_REGISTRATION_ID,
               SLICE("1 to 128 letters, digits, '-', '.', '_', ':', no special at the end"), id,
               "give the device another ID");
    return fault_set(&t->why, ST_BAD_REQUEST, "not a registration ID");
}

static enum status check_request(struct registration_task *t,
                                 const struct registration_request *request)
{
    enum status status;

    if (t->kind == TASK_ASSIGN)
        return ST_OK;
    status = check_scope(t, request->id_scope);
    return status == ST_OK ? check_id(t, request->registration_id) : status;
}

/* A wrong scope is worth a note as much as a wrong key; an ID that is none is not kept. */
static void fail_request(struct registration_task *t, enum status status)
{
    if (status == ST_UNAUTHORIZED && registration_id_valid(t->request.registration_id) &&
        t->kind == TASK_REGISTER)
        task_note_attempt(t, SLICE("unauthorized"));
    task_fail(t, status);
}

struct registration_task *task_create(struct provisioning *p, enum task_kind kind,
                                      const struct registration_request *request,
                                      registration_fn *on_answer, void *context)
{
    struct registration_task *t = calloc(1, sizeof *t);
    struct fault why = {ST_NO_MEMORY, "no memory for a registration"};
    enum status status;

    if (!t) {
        on_answer(context, &(struct registration){.status = ST_NO_MEMORY}, &why);
        return NULL;
    }
    t->p = p;
    t->kind = kind;
    t->on_answer = on_answer;
    t->context = context;
    arena_init(&t->arena, TASK_MAX_BYTES);
    copy_request(t, request);
    status = check_request(t, request);
    if (t->arena.failed)
        status = fault_set(&t->why, ST_NO_MEMORY, "no memory for a registration");
    if (status != ST_OK) {
        fail_request(t, status);
        return NULL;
    }
    return t;
}

/* --- the facts -------------------------------------------------------------------------------- */

static void on_groups(void *context, enum status status, const struct enrollment_cache *groups)
{
    struct registration_task *t = context;

    if (status != ST_OK) {
        (void)fault_set(&t->why, status, "the enrollment groups could not be read");
        task_fail(t, status);
        return;
    }
    t->on_facts(t, groups);
}

static enum status keep_facts(struct registration_task *t, struct registration_facts *facts)
{
    enum status status;

    t->record = NULL;
    t->individual = NULL;
    t->set_version = facts->set_version;
    if (facts->has_record) {
        t->record = registration_record_copy(&t->arena, &facts->record);
        if (t->rounds == 0)
            t->first_version = facts->record.version;
    }
    if (facts->has_individual) {
        status = enrollment_row_open(t->p->sealer, &facts->individual, &t->why);
        if (status != ST_OK)
            return status;
        t->individual = enrollment_copy(&t->arena, &facts->individual.e);
        secret_wipe(&facts->individual.e.primary);
        secret_wipe(&facts->individual.e.secondary);
    }
    return t->arena.failed ? fault_set(&t->why, ST_NO_MEMORY, "no memory for a registration")
                           : ST_OK;
}

static void on_facts_read(void *context, enum status status, struct registration_facts *facts)
{
    struct registration_task *t = context;

    if (status != ST_OK)
        (void)fault_set(&t->why, status, "the registration record could not be read");
    else
        status = keep_facts(t, facts);
    if (status != ST_OK)
        task_fail(t, status);
    else
        enrollment_cache_at(t->p, facts->set_version, on_groups, t);
}

void task_read_facts(struct registration_task *t,
                     void (*on_facts)(struct registration_task *t,
                                      const struct enrollment_cache *groups))
{
    wipe_keys(t);
    t->on_facts = on_facts;
    t->read = (struct registration_read){.on_facts = on_facts_read, .context = t};
    registration_read(t->p->st, t->key, &t->read);
}

bool task_set_decider(struct registration_task *t, const struct enrollment *e,
                      const struct secret *primary, const struct secret *secondary)
{
    t->enrollment = enrollment_copy(&t->arena, e);
    if (!t->enrollment) {
        (void)fault_set(&t->why, ST_NO_MEMORY, "no memory for a registration");
        task_fail(t, ST_NO_MEMORY);
        return false;
    }
    secret_wipe(&t->enrollment->primary);
    secret_wipe(&t->enrollment->secondary);
    t->primary = *primary;
    t->secondary = *secondary;
    return true;
}

/* --- the credential --------------------------------------------------------------------------- */

void task_refuse_credential(struct registration_task *t)
{
    if (t->kind == TASK_REGISTER)
        task_fail_unauthorized(t);
    else
        task_fail(t, ST_UNAUTHORIZED);
}

static void verify_token(struct registration_task *t, const struct enrollment_cache *groups)
{
    const struct attest_input in = {
        .id_scope = t->request.id_scope,
        .registration_id = t->request.registration_id,
        .sas_token = t->request.sas_token,
        .now = t->request.now,
        .tolerance_s = identity_sas_tolerance_s(t->p->id),
        .individual = t->individual,
        .groups = groups,
        .remembered_group = t->record && t->record->enrollment_kind == ENROLLMENT_GROUP
                                ? t->record->enrollment_id
                                : (slice){0},
    };
    struct attested who = {0};
    enum status status = attest(&in, &t->trace, &who, &t->why);

    if (status == ST_UNAUTHORIZED)
        task_refuse_credential(t);
    else if (status != ST_OK)
        task_fail(t, status);
    else if (task_set_decider(t, who.enrollment, &who.primary, &who.secondary))
        t->on_attested(t);
    secret_wipe(&who.primary);
    secret_wipe(&who.secondary);
}

static void refuse_nobody(struct registration_task *t)
{
    trace_fail(&t->trace, STEP_CREDENTIAL, SLICE("a SAS token or a client certificate"),
               SLICE("neither"), "let the device sign with its key, or send its certificate");
    (void)fault_set(&t->why, ST_UNAUTHORIZED, "no credential presented");
    task_refuse_credential(t);
}

/* A certificate is presented to whoever asks for one; a token is meant for us. */
static void verify(struct registration_task *t, const struct enrollment_cache *groups)
{
    if (t->request.sas_token.len > 0) {
        trace_pass(&t->trace, STEP_CREDENTIAL, SLICE("SAS token"));
        verify_token(t, groups);
    } else if (t->request.certificate) {
        trace_pass(&t->trace, STEP_CREDENTIAL, SLICE("certificate"));
        task_attest_certificate(t);
    } else {
        refuse_nobody(t);
    }
}

/* What was checked of the request itself stays; a round that began anew is judged anew. */
static void begin_trace(struct registration_task *t)
{
    trace_begin(&t->trace);
    trace_pass(&t->trace, STEP_ID_SCOPE, t->request.id_scope);
    trace_pass(&t->trace, STEP_REGISTRATION_ID, t->request.registration_id);
}

void task_attest(struct registration_task *t, void (*on_attested)(struct registration_task *t))
{
    begin_trace(t);
    t->on_attested = on_attested;
    task_read_facts(t, verify);
}
