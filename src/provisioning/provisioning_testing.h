/* For tests only: everything below the application in a folder of its own, two workers, and calls
 * that wait for their answer. */
#ifndef MUSTER_PROVISIONING_PROVISIONING_TESTING_H
#define MUSTER_PROVISIONING_PROVISIONING_TESTING_H

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "codec/json.h"
#include "codec/sas.h"
#include "provisioning/provisioning.h"
#include "stream/stream_log.h"

#define FIXTURE_WORKERS 2
#define FIXTURE_SCOPE "0ne00AB12CD"

struct fixture {
    char directory[64], key_path[96];
    struct workers *ws;
    struct store *st;
    struct sealer *sealer;
    struct bus *bus;
    struct identity *id;
    struct stream_log *log;
    struct hub *hub;
    struct provisioning *p;
    struct gate_view view; /* of the gate that stands in for the application */
    struct secret group_primary, group_secondary;
    void *above; /* the application, in its own tests */
};

static const slice fixture_hosts[] = {{(const uint8_t *)"hub.example.org", 15}};
static const struct hub_name fixture_hubs[] = {
    {{(const uint8_t *)"main", 4}, fixture_hosts, 1},
};
static const struct identity_options fixture_identity_options = {
    .hubs = fixture_hubs, .hub_count = 1, .sas_tolerance_s = 300};

/* --- waiting ---------------------------------------------------------------------------------- */

/* Runs a call on a worker; what it gives `wake` to must post it once. */
struct call {
    struct mail mail;
    void (*run)(void *context);
    void *context;
};

static inline void call_run(struct mail *mail)
{
    struct call *c = (struct call *)mail;

    c->run(c->context);
    free(c);
}

static inline void fixture_post(struct fixture *f, unsigned worker, void (*run)(void *context),
                                void *context)
{
    struct call *c = malloc(sizeof *c);

    assert_non_null(c);
    *c = (struct call){.mail = {.run = call_run}, .run = run, .context = context};
    worker_post(workers_at(f->ws, worker), &c->mail);
}

static inline void fixture_wait(sem_t *done)
{
    while (sem_wait(done) != 0)
        continue;
}

/* --- opening ---------------------------------------------------------------------------------- */

static inline void fixture_gate(void *context, slice model_id, gate_view_fn *on_view,
                                void *view_context)
{
    struct fixture *f = context;

    (void)model_id;
    on_view(view_context, ST_OK, &f->view);
}

static inline void fixture_open_base(struct fixture *f, const struct store_schema *above)
{
    const struct store_schema *const schemas[] = {&identity_schema, &log_schema, &hub_schema,
                                                  &provisioning_schema, above};
    const struct store_options store_options = {
        .directory = f->directory, .schemas = schemas, .schema_count = above ? 5 : 4};
    const struct log_options log_options = {.partitions = 1, .retention_ms = 3600000};
    const struct hub_options hub_options = {
        .c2d_ttl_ms = 3600000, .c2d_max_delivery = 10, .method_timeout_max_s = 300};
    struct fault why = {0};

    f->ws = workers_create(FIXTURE_WORKERS);
    assert_non_null(f->ws);
    f->sealer = sealer_open(f->key_path, true, &why);
    f->st = store_open(f->ws, &store_options, &why);
    if (!f->sealer || !f->st)
        fail_msg("%s", why.text);
    f->bus = bus_create_local(f->ws);
    assert_non_null(f->bus);
    f->id = identity_create(f->ws, f->st, f->sealer, f->bus, &fixture_identity_options, &why);
    f->log = log_create(f->ws, f->st, f->bus, &log_options, &why);
    if (!f->id || !f->log)
        fail_msg("%s", why.text);
    f->hub = hub_create(f->ws, f->st, f->bus, f->id, f->log, &hub_options, &why);
    if (!f->hub)
        fail_msg("%s", why.text);
}

static inline void fixture_open_provisioning(struct fixture *f,
                                             const struct provisioning_gate *gate,
                                             bool answer_at_once, unsigned burst)
{
    const struct provisioning_options options = {
        .id_scope = SLICE(FIXTURE_SCOPE),
        .service_host = SLICE("dps.example.org"),
        .answer_at_once = answer_at_once,
        .register_burst = burst,
        .register_refill_ms = PROVISIONING_REGISTER_REFILL_MS,
    };
    struct fault why = {0};

    f->p =
        provisioning_create(f->ws, f->st, f->bus, f->sealer, f->id, f->hub, gate, &options, &why);
    if (!f->p)
        fail_msg("%s", why.text);
}

struct keys_read {
    struct fixture *f;
    sem_t done;
};

static inline void fixture_on_group(void *context, enum status status, const struct enrollment *e,
                                    const struct fault *why)
{
    struct keys_read *k = context;

    if (status != ST_OK)
        fail_msg("%s", why->text);
    k->f->group_primary = e->primary;
    k->f->group_secondary = e->secondary;
    sem_post(&k->done);
}

static inline void fixture_run_group(void *context)
{
    struct keys_read *k = context;

    enrollment_get(k->f->p, ENROLLMENT_GROUP, SLICE("SAS-IoT-Devices"), true, fixture_on_group, k);
}

static inline void fixture_start(struct fixture *f)
{
    struct keys_read k = {.f = f};
    struct fault why = {0};

    assert_true(workers_start(f->ws, &why));
    sem_init(&k.done, 0, 0);
    fixture_post(f, 0, fixture_run_group, &k);
    fixture_wait(&k.done);
}

static inline struct fixture *fixture_create(void)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    snprintf(f->directory, sizeof f->directory, "./muster-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->key_path, sizeof f->key_path, "%s/master.key", f->directory);
    return f;
}

static inline void fixture_close(struct fixture *f)
{
    workers_stop(f->ws);
    provisioning_destroy(f->p);
    hub_destroy(f->hub);
    identity_destroy(f->id);
    bus_destroy(f->bus);
    store_close(f->st);
    log_destroy(f->log);
    sealer_destroy(f->sealer);
    workers_destroy(f->ws);
}

static inline void fixture_remove(struct fixture *f)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", f->directory);
    if (system(command) != 0)
        fprintf(stderr, "could not remove %s\n", f->directory);
    free(f);
}

/* All of it, on what is in the folder, behind the fixture's own gate. */
static inline void fixture_open(struct fixture *f, bool answer_at_once, unsigned burst)
{
    const struct provisioning_gate gate = {.context = f, .view = fixture_gate};

    fixture_open_base(f, NULL);
    fixture_open_provisioning(f, &gate, answer_at_once, burst);
    fixture_start(f);
}

/* Of tests whose state is the fixture. */
static inline int fixture_teardown(void **state)
{
    fixture_close(*state);
    fixture_remove(*state);
    return 0;
}

/* --- registering ------------------------------------------------------------------------------ */

struct answered {
    enum status status;
    enum registration_state state;
    int error_code;
    int64_t etag;
    instant created_at, updated_at;
    unsigned retry_after_s;
    char operation_id[80], device_id[160], hub[80], group[160], substatus[40], json[2048],
        why[FAULT_TEXT_MAX];
};

enum registration_call { CALL_REGISTER, CALL_STATUS, CALL_LOOKUP, CALL_ATTEST };

struct registering {
    struct fixture *f;
    enum registration_call call;
    const char *id, *scope, *body, *operation_id;
    const struct secret *key; /* of the device; NULL: derived from the default group */
    bool anonymous;
    struct x509_st *certificate; /* in place of a token */
    struct stack_st_X509 *intermediates;
    unsigned worker;
    instant now; /* 0: the clock's */
    struct answered answer;
    sem_t done;
};

static inline void fixture_keep(char *to, size_t cap, slice text)
{
    snprintf(to, cap, "%.*s", SLICE_FMT(text));
}

static inline void fixture_on_registration(void *context, const struct registration *r,
                                           const struct fault *why)
{
    struct registering *g = context;
    struct answered *a = &g->answer;
    struct buf BUF_CLEANUP json = {.max = sizeof a->json - 1};

    *a = (struct answered){.status = r->status,
                           .state = r->state,
                           .error_code = r->error_code,
                           .etag = r->etag,
                           .created_at = r->created_at,
                           .updated_at = r->updated_at,
                           .retry_after_s = r->retry_after_s};
    fixture_keep(a->operation_id, sizeof a->operation_id, r->operation_id);
    fixture_keep(a->device_id, sizeof a->device_id, r->device_id);
    fixture_keep(a->hub, sizeof a->hub, r->assigned_hub);
    fixture_keep(a->group, sizeof a->group, r->enrollment_group);
    fixture_keep(a->substatus, sizeof a->substatus, r->substatus);
    registration_write_json(r, false, SLICE("tr"), 0, &json);
    fixture_keep(a->json, sizeof a->json, buf_slice(&json));
    snprintf(a->why, sizeof a->why, "%s", why ? why->text : "");
    sem_post(&g->done);
}

static inline void fixture_token(const struct registering *g, struct buf *to)
{
    struct buf BUF_CLEANUP resource = {.max = 512};
    struct secret key;

    if (g->key)
        key = *g->key;
    else
        derive_device_key(&g->f->group_primary, slice_str(g->id), &key);
    buf_printf(&resource, "%s/registrations/%s", g->scope ? g->scope : FIXTURE_SCOPE, g->id);
    sas_token_write(buf_slice(&resource), secret_slice(&key), clock_wall_ms() / 1000 + 3600,
                    SLICE("registration"), to);
}

static inline void fixture_run_registration(void *context)
{
    struct registering *g = context;
    struct provisioning *p = g->f->p;
    struct buf BUF_CLEANUP token = {.max = 4096};

    fixture_token(g, &token);
    const struct registration_request request = {
        .id_scope = slice_str(g->scope ? g->scope : FIXTURE_SCOPE),
        .registration_id = slice_str(g->id),
        .sas_token = g->anonymous || g->certificate ? (slice){0} : buf_slice(&token),
        .certificate = g->certificate,
        .intermediates = g->intermediates,
        .body = slice_str(g->body),
        .protocol = SLICE("mqtt"),
        .address = SLICE("192.0.2.1:4242"),
        .now = g->now ? g->now : clock_wall_ms(),
    };
    switch (g->call) {
    case CALL_REGISTER:
        registration_register(p, &request, fixture_on_registration, g);
        break;
    case CALL_STATUS:
        registration_status(p, &request, slice_str(g->operation_id), fixture_on_registration, g);
        break;
    case CALL_LOOKUP:
        registration_lookup(p, &request, fixture_on_registration, g);
        break;
    default:
        registration_attest(p, &request, fixture_on_registration, g);
    }
}

static inline void registering_start(struct registering *g)
{
    sem_init(&g->done, 0, 0);
    fixture_post(g->f, g->worker, fixture_run_registration, g);
}

static inline struct answered *registering_wait(struct registering *g)
{
    fixture_wait(&g->done);
    sem_destroy(&g->done);
    return &g->answer;
}

static inline struct answered registering_run(struct registering g)
{
    registering_start(&g);
    return *registering_wait(&g);
}

static inline struct answered registers(struct fixture *f, const char *id)
{
    return registering_run((struct registering){.f = f, .id = id});
}

/* --- looking ---------------------------------------------------------------------------------- */

static inline void fixture_first_int(void *context, enum status status, struct rows *rows)
{
    int64_t *number = context;

    if (status == ST_OK && rows_next(rows))
        *number = rows_int(rows, 0);
}

/* The first column of the first row; -1 when there is none. */
static inline int64_t fixture_number(struct fixture *f, const struct sql *sql)
{
    int64_t number = -1;

    assert_int_equal(store_read_now(f->st, sql, NULL, 0, fixture_first_int, &number), ST_OK);
    return number;
}

static inline int64_t fixture_device_count(struct fixture *f)
{
    static const struct sql sql = {"SELECT count(*) FROM device"};

    return fixture_number(f, &sql);
}

struct device_facts {
    enum status status;
    bool approved, blocked, provisioned, enabled;
    enum device_origin origin;
    enum device_auth auth;
    bool expired_leaf_allowed;
    char generation_id[40], primary_thumbprint[80], secondary_thumbprint[80];
    int64_t version, credential_generation, attempts;
    instant first_provisioned_at;
    char id[160], name[160], template_id[160], model_id[160], reason[200], result[40];
    struct secret primary, secondary;
};

struct device_look {
    struct fixture *f;
    const char *id;
    struct device_facts *to;
    sem_t done;
};

static inline void fixture_on_device(void *context, enum status status, const struct device *d)
{
    struct device_look *l = context;
    struct device_facts *to = l->to;
    struct fault why;

    *to = (struct device_facts){.status = status};
    if (status == ST_OK) {
        to->approved = d->approved;
        to->blocked = d->blocked;
        to->provisioned = d->provisioned;
        to->enabled = d->enabled;
        to->origin = d->origin;
        to->auth = d->auth;
        to->expired_leaf_allowed = d->expired_leaf_allowed;
        fixture_keep(to->generation_id, sizeof to->generation_id, d->generation_id);
        fixture_keep(to->primary_thumbprint, sizeof to->primary_thumbprint, d->primary_thumbprint);
        fixture_keep(to->secondary_thumbprint, sizeof to->secondary_thumbprint,
                     d->secondary_thumbprint);
        to->version = d->version;
        to->credential_generation = d->credential_generation;
        to->attempts = d->attempt.count;
        to->first_provisioned_at = d->first_provisioned_at;
        fixture_keep(to->id, sizeof to->id, d->id);
        fixture_keep(to->name, sizeof to->name, d->display_name);
        fixture_keep(to->template_id, sizeof to->template_id, d->template_id);
        fixture_keep(to->model_id, sizeof to->model_id, d->model_id);
        fixture_keep(to->reason, sizeof to->reason, d->attempt.reason);
        fixture_keep(to->result, sizeof to->result, d->attempt.result);
        assert_int_equal(device_keys(l->f->id, d, &to->primary, &to->secondary, &why), ST_OK);
    }
    sem_post(&l->done);
}

static inline void fixture_run_look(void *context)
{
    struct device_look *l = context;

    device_find(l->f->id, slice_str(l->id), fixture_on_device, l);
}

static inline struct device_facts fixture_device(struct fixture *f, const char *id)
{
    struct device_facts facts;
    struct device_look look = {.f = f, .id = id, .to = &facts};

    sem_init(&look.done, 0, 0);
    fixture_post(f, 0, fixture_run_look, &look);
    fixture_wait(&look.done);
    return facts;
}

/* A change of the device row as an operator's act makes it. */
struct fixture_edit {
    struct fixture *f;
    const char *id;
    struct device_change change;
    enum status status;
    sem_t done;
};

static inline void fixture_on_edited(void *context, enum status status, struct unit *unit)
{
    struct fixture_edit *e = context;

    (void)unit;
    e->status = status;
    sem_post(&e->done);
}

static inline void fixture_on_edit(void *context, enum status status, const struct device *d)
{
    struct fixture_edit *e = context;
    struct unit *unit = unit_create(e->f->st);

    assert_int_equal(status, ST_OK);
    assert_non_null(unit);
    device_unit_update(unit, e->f->id, d, &e->change);
    unit_submit(unit, fixture_on_edited, e);
}

static inline void fixture_run_edit(void *context)
{
    struct fixture_edit *e = context;

    device_find(e->f->id, slice_str(e->id), fixture_on_edit, e);
}

static inline enum status fixture_edit(struct fixture *f, const char *id,
                                       struct device_change change)
{
    struct fixture_edit e = {.f = f, .id = id, .change = change};

    sem_init(&e.done, 0, 0);
    fixture_post(f, 0, fixture_run_edit, &e);
    fixture_wait(&e.done);
    return e.status;
}

/* --- enrollments ------------------------------------------------------------------------------ */

enum enrollment_call { CALL_PUT, CALL_GET, CALL_REGENERATE, CALL_DELETE };

struct enrolling {
    struct fixture *f;
    enum enrollment_call call;
    struct enrollment e; /* to put, or kind and ID alone */
    enum credential_slot slot;
    enum status status;
    struct enrollment answer; /* slices do not outlive the call: only the rest counts */
    char why[FAULT_TEXT_MAX];
    sem_t done;
};

static inline void fixture_on_enrollment(void *context, enum status status,
                                         const struct enrollment *e, const struct fault *why)
{
    struct enrolling *n = context;

    n->status = status;
    if (e)
        n->answer = *e;
    snprintf(n->why, sizeof n->why, "%s", why ? why->text : "");
    sem_post(&n->done);
}

static inline void fixture_run_enrollment(void *context)
{
    struct enrolling *n = context;
    struct provisioning *p = n->f->p;

    switch (n->call) {
    case CALL_PUT:
        enrollment_put(p, &n->e, fixture_on_enrollment, n);
        break;
    case CALL_GET:
        enrollment_get(p, n->e.kind, n->e.id, true, fixture_on_enrollment, n);
        break;
    case CALL_REGENERATE:
        enrollment_regenerate_key(p, n->e.kind, n->e.id, n->slot, fixture_on_enrollment, n);
        break;
    default:
        enrollment_delete(p, n->e.kind, n->e.id, fixture_on_enrollment, n);
    }
}

static inline enum status fixture_enrollment(struct fixture *f, enum enrollment_call call,
                                             const struct enrollment *e, struct enrollment *ret)
{
    struct enrolling n = {.f = f, .call = call, .e = *e, .slot = CREDENTIAL_PRIMARY};

    sem_init(&n.done, 0, 0);
    fixture_post(f, 1, fixture_run_enrollment, &n);
    fixture_wait(&n.done);
    if (ret)
        *ret = n.answer;
    return n.status;
}

#endif
