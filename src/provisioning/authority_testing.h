/* For tests only, behind provisioning_testing.h: enrollment groups with certificates in their
 * slots, the deny list, attempts, explanations; each call waits for its answer. */
#ifndef MUSTER_PROVISIONING_AUTHORITY_TESTING_H
#define MUSTER_PROVISIONING_AUTHORITY_TESTING_H

#include "identity/trust/certificate_fixture.h"
#include "provisioning/attempt.h"
#include "provisioning/authority.h"
#include "provisioning/explain.h"
#include "provisioning/provisioning_testing.h"

/* --- slots ------------------------------------------------------------------------------------ */

struct slot_facts {
    enum authority_state state;
    bool verified, self_attested;
    int64_t version;
    size_t revoked;
    char code[64], subject[120], warning[120], by[40];
};

struct authority_call {
    struct fixture *f;
    struct authority_request request;
    enum status status;
    struct slot_facts slots[2];
    char why[FAULT_TEXT_MAX];
    sem_t done;
};

static inline void fixture_on_slots(void *context, enum status status,
                                    const struct authority_view views[2], const struct fault *why)
{
    struct authority_call *c = context;

    c->status = status;
    snprintf(c->why, sizeof c->why, "%s", why->text);
    for (size_t i = 0; views && i < 2; i++) {
        const struct authority_row *row = views[i].row;
        struct slot_facts *to = &c->slots[i];

        *to = (struct slot_facts){.state = views[i].state};
        if (!row)
            continue;
        to->verified = row->verified_at != 0;
        to->self_attested = row->self_attested;
        to->version = row->version;
        to->revoked = row->crl.len / sizeof(uint64_t);
        fixture_keep(to->code, sizeof to->code, row->code);
        fixture_keep(to->subject, sizeof to->subject, views[i].facts->subject);
        fixture_keep(to->warning, sizeof to->warning, slice_str(views[i].warning));
        fixture_keep(to->by, sizeof to->by, row->verified_by);
    }
    sem_post(&c->done);
}

static inline void fixture_run_authority(void *context)
{
    struct authority_call *c = context;

    authority_do(c->f->p, &c->request, fixture_on_slots, c);
}

static inline struct authority_call fixture_authority(struct fixture *f,
                                                      struct authority_request request)
{
    struct authority_call c = {.f = f, .request = request};

    if (c.request.by.len == 0)
        c.request.by = SLICE("ann");
    sem_init(&c.done, 0, 0);
    fixture_post(f, 1, fixture_run_authority, &c);
    fixture_wait(&c.done);
    return c;
}

static inline struct authority_call fixture_upload(struct fixture *f, const char *group,
                                                   enum authority_slot slot,
                                                   const struct made *certificate, bool verified)
{
    BUF_CLEANUP struct buf pem = {.max = CERTIFICATE_FILE_MAX};

    certificate_to_pem(certificate->certificate, &pem);
    return fixture_authority(f, (struct authority_request){.act = AUTHORITY_UPLOAD,
                                                           .group = slice_str(group),
                                                           .slot = slot,
                                                           .file = buf_slice(&pem),
                                                           .verified = verified});
}

static inline void fixture_remove_authority(struct fixture *f, const char *group,
                                            enum authority_slot slot)
{
    struct authority_call c =
        fixture_authority(f, (struct authority_request){
                                 .act = AUTHORITY_REMOVE, .group = slice_str(group), .slot = slot});

    if (c.status != ST_OK)
        fail_msg("%s", c.why);
}

static inline void fixture_put_group(struct fixture *f, const char *id, bool enabled,
                                     int64_t version)
{
    const struct enrollment e = {.kind = ENROLLMENT_GROUP,
                                 .id = slice_str(id),
                                 .attestation = ATTEST_X509,
                                 .enabled = enabled,
                                 .gated = true,
                                 .version = version};

    assert_int_equal(fixture_enrollment(f, CALL_PUT, &e, NULL), ST_OK);
}

/* A group with a verified certificate in its primary slot. */
static inline void fixture_group(struct fixture *f, const char *id, const struct made *authority)
{
    struct authority_call c;

    fixture_put_group(f, id, true, 0);
    c = fixture_upload(f, id, AUTHORITY_PRIMARY, authority, true);
    if (c.status != ST_OK)
        fail_msg("%s: %s", id, c.why);
}

/* --- assignment by an operator ---------------------------------------------------------------- */

struct assigning {
    struct fixture *f;
    const char *id;
    enum status status;
    sem_t done;
};

static inline void fixture_on_assigned(void *context, const struct registration *r,
                                       const struct fault *why)
{
    struct assigning *a = context;

    (void)why;
    a->status = r->status;
    sem_post(&a->done);
}

static inline void fixture_run_assign(void *context)
{
    struct assigning *a = context;

    registration_assign(a->f->p, slice_str(a->id), fixture_on_assigned, a);
}

static inline enum status fixture_assign(struct fixture *f, const char *id)
{
    struct assigning a = {.f = f, .id = id};

    sem_init(&a.done, 0, 0);
    fixture_post(f, 0, fixture_run_assign, &a);
    fixture_wait(&a.done);
    return a.status;
}

/* --- the deny list ---------------------------------------------------------------------------- */

struct denial_call {
    struct fixture *f;
    struct denial denial;
    slice key; /* to remove; empty: `denial` is added */
    enum status status;
    sem_t done;
};

static inline void fixture_on_denied(void *context, enum status status, const struct fault *why)
{
    struct denial_call *c = context;

    (void)why;
    c->status = status;
    sem_post(&c->done);
}

static inline void fixture_run_denial(void *context)
{
    struct denial_call *c = context;

    if (c->key.len > 0)
        denial_remove(c->f->p, c->key, fixture_on_denied, c);
    else
        denial_add(c->f->p, &c->denial, fixture_on_denied, c);
}

static inline enum status fixture_deny(struct fixture *f, struct denial denial, slice key)
{
    struct denial_call c = {.f = f, .denial = denial, .key = key};

    sem_init(&c.done, 0, 0);
    fixture_post(f, 0, fixture_run_denial, &c);
    fixture_wait(&c.done);
    return c.status;
}

/* --- attempts and explanations ---------------------------------------------------------------- */

#define FIXTURE_STEPS_MAX 4096

struct attempt_facts {
    int64_t number;
    char id[160], result[40], reason[FAULT_TEXT_MAX], enrollment[160], steps[FIXTURE_STEPS_MAX];
};

struct attempt_call {
    struct fixture *f;
    const char *id;
    int64_t before;
    unsigned limit;
    size_t count;
    struct attempt_facts *to; /* the first `limit` */
    sem_t done;
};

static inline void fixture_on_attempt(void *context, enum status status, const struct attempt *a)
{
    struct attempt_call *c = context;
    struct attempt_facts *to;

    assert_int_equal(status, ST_OK);
    if (!a) {
        sem_post(&c->done);
        return;
    }
    to = &c->to[c->count++];
    to->number = a->number;
    fixture_keep(to->id, sizeof to->id, a->registration_id);
    fixture_keep(to->result, sizeof to->result, a->result);
    fixture_keep(to->reason, sizeof to->reason, a->reason);
    fixture_keep(to->enrollment, sizeof to->enrollment, a->enrollment);
    fixture_keep(to->steps, sizeof to->steps, a->steps);
}

static inline void fixture_run_attempts(void *context)
{
    struct attempt_call *c = context;

    attempt_list(c->f->st, slice_str(c->id), c->before, c->limit, fixture_on_attempt, c);
}

static inline size_t fixture_attempts(struct fixture *f, const char *id, int64_t before,
                                      unsigned limit, struct attempt_facts *ret)
{
    struct attempt_call c = {.f = f, .id = id, .before = before, .limit = limit, .to = ret};

    sem_init(&c.done, 0, 0);
    fixture_post(f, 0, fixture_run_attempts, &c);
    fixture_wait(&c.done);
    return c.count;
}

/* The newest attempt of that device; there is one. */
static inline struct attempt_facts fixture_attempt(struct fixture *f, const char *id)
{
    struct attempt_facts a = {0};

    assert_int_equal(fixture_attempts(f, id, 0, 1, &a), 1);
    return a;
}

struct explained {
    enum status call, status;
    enum enrollment_kind kind;
    char id[160], enrollment[160], reason[FAULT_TEXT_MAX], steps[FIXTURE_STEPS_MAX];
};

struct explain_run {
    struct fixture *f;
    struct registration_request request;
    struct explained to;
    sem_t done;
};

static inline void fixture_on_explanation(void *context, enum status status,
                                          const struct explanation *e, const struct fault *why)
{
    struct explain_run *run = context;
    BUF_CLEANUP struct buf steps = {.max = FIXTURE_STEPS_MAX - 1};
    struct json_writer w = {.to = &steps};

    (void)why;
    run->to = (struct explained){.call = status};
    if (e) {
        run->to.status = e->status;
        run->to.kind = e->enrollment_kind;
        fixture_keep(run->to.id, sizeof run->to.id, e->registration_id);
        fixture_keep(run->to.enrollment, sizeof run->to.enrollment, e->enrollment);
        fixture_keep(run->to.reason, sizeof run->to.reason, e->reason);
        trace_write(e->trace, &w, (slice){0});
        fixture_keep(run->to.steps, sizeof run->to.steps, buf_slice(&steps));
    }
    sem_post(&run->done);
}

static inline void fixture_run_explain(void *context)
{
    struct explain_run *run = context;

    run->request.now = clock_wall_ms();
    registration_explain(run->f->p, &run->request, fixture_on_explanation, run);
}

static inline struct explained fixture_explain(struct fixture *f,
                                               struct registration_request request)
{
    struct explain_run run = {.f = f, .request = request};

    sem_init(&run.done, 0, 0);
    fixture_post(f, 0, fixture_run_explain, &run);
    fixture_wait(&run.done);
    return run.to;
}

#endif
