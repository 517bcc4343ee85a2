/* For the hub's tests, behind cmocka's header: a hub on real workers with a real store in a folder
 * of its own, devices in it, and a front that writes down what happens to its sessions. */
#ifndef MUSTER_HUB_HUB_FIXTURE_H
#define MUSTER_HUB_HUB_FIXTURE_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hub/c2d.h"
#include "hub/hub.h"
#include "hub/method.h"
#include "hub/telemetry.h"
#include "hub/twin.h"

#define FIXTURE_WAIT_S 20
#define PEER_NOTES_MAX 256

struct fixture {
    char directory[64];
    struct workers *workers;
    struct store *store;
    struct sealer *sealer;
    struct bus *bus;
    struct identity *identity;
    struct stream_log *log;
    struct hub *hub;
    struct hub_options options;
    void (*before_start)(struct fixture *f); /* or NULL: for what must exist before the workers */
    pthread_mutex_t lock;                    /* of all that tests look at */
    pthread_cond_t changed;
};

/* --- waiting -------------------------------------------------------------------------------- */

static inline void fixture_lock(struct fixture *f)
{
    pthread_mutex_lock(&f->lock);
}

static inline void fixture_unlock(struct fixture *f)
{
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

/* Waits until `*value` is at least `least`. */
static inline void fixture_wait(struct fixture *f, const int *value, int least, const char *what)
{
    struct timespec until;
    int now = 0, failed = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FIXTURE_WAIT_S;
    pthread_mutex_lock(&f->lock);
    while (*value < least && !failed)
        failed = pthread_cond_timedwait(&f->changed, &f->lock, &until);
    now = *value;
    pthread_mutex_unlock(&f->lock);
    if (now < least)
        fail_msg("%s: waited for %d, have %d", what, least, now);
}

/* --- life ----------------------------------------------------------------------------------- */

static const slice fixture_hosts[] = {{(const uint8_t *)"hub.test", 8}};
static const struct hub_name fixture_hubs[] = {
    {{(const uint8_t *)"main", 4}, fixture_hosts, 1},
};
#define FIXTURE_HUB (&fixture_hubs[0])
static const struct identity_options fixture_identity_options = {
    .hubs = fixture_hubs, .hub_count = 1, .sas_tolerance_s = 300};

static inline void fixture_up(struct fixture *f, unsigned worker_count)
{
    static const struct store_schema *const schemas[] = {&identity_schema, &log_schema,
                                                         &hub_schema};
    const struct store_options store_options = {
        .directory = f->directory,
        .schemas = schemas,
        .schema_count = COUNT_OF(schemas),
    };
    const struct log_options log_options = {.partitions = 4, .retention_ms = 7 * 86400000LL};
    char key[96];
    struct fault why;

    snprintf(key, sizeof key, "%s/master.key", f->directory);
    f->workers = workers_create(worker_count);
    f->store = store_open(f->workers, &store_options, &why);
    if (!f->store)
        fail_msg("store: %s", why.text);
    f->sealer = sealer_open(key, true, &why);
    f->bus = bus_create_local(f->workers);
    f->identity =
        identity_create(f->workers, f->store, f->sealer, f->bus, &fixture_identity_options, &why);
    f->log = log_create(f->workers, f->store, f->bus, &log_options, &why);
    f->hub = hub_create(f->workers, f->store, f->bus, f->identity, f->log, &f->options, &why);
    assert_non_null(f->sealer);
    assert_non_null(f->identity);
    assert_non_null(f->log);
    assert_non_null(f->hub);
    if (f->before_start)
        f->before_start(f);
    assert_true(workers_start(f->workers, &why));
}

static inline void fixture_down(struct fixture *f)
{
    workers_stop(f->workers);
    hub_destroy(f->hub);
    log_destroy(f->log);
    identity_destroy(f->identity);
    bus_destroy(f->bus);
    sealer_destroy(f->sealer);
    store_close(f->store);
    workers_destroy(f->workers);
}

static inline int fixture_setup_with(void **state, unsigned worker_count)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    snprintf(f->directory, sizeof f->directory, "hub_test.XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    f->options = (struct hub_options){
        .c2d_ttl_ms = 3600000, .c2d_max_delivery = 10, .method_timeout_max_s = 300};
    fixture_up(f, worker_count);
    *state = f;
    return 0;
}

static inline int fixture_setup(void **state)
{
    return fixture_setup_with(state, 3);
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];

    fixture_down(f);
    snprintf(command, sizeof command, "rm -rf '%s'", f->directory);
    assert_int_equal(system(command), 0);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    free(f);
    return 0;
}

/* As after the end of the process: sessions are gone, the store is opened anew. */
static inline void fixture_restart(struct fixture *f, unsigned worker_count)
{
    fixture_down(f);
    fixture_up(f, worker_count);
}

static inline void fixture_on_worker(struct fixture *f, unsigned index, void (*run)(void *context),
                                     void *context)
{
    worker_call(workers_at(f->workers, index), run, context);
}

static inline void fixture_add_identity(struct fixture *f, const char *device_id,
                                        const char *module_id)
{
    struct unit *unit = unit_create(f->store);
    const struct device_new n = {
        .hub = FIXTURE_HUB->name,
        .id = slice_str(device_id),
        .module_id = slice_str(module_id),
        .enabled = true,
        .approved = true,
        .auth = AUTH_SAS,
        .now = clock_wall_ms(),
    };

    assert_non_null(unit);
    device_unit_insert(unit, f->identity, &n);
    assert_int_equal(unit_run(unit), ST_OK);
    unit_destroy(unit);
}

/* --- a front -------------------------------------------------------------------------------- */

struct peer {
    struct session session; /* first */
    struct fixture *f;
    unsigned worker;
    const char *device_id, *module_id;
    /* how it opens */
    enum credential_slot slot;
    int64_t generation, expires_at;
    const struct trust_marks *marks; /* of the certificate that lets it in */
    int64_t trust_version;
    unsigned stored_subscriptions;
    slice model_id;
    /* what it does */
    bool holds_c2d;     /* leaves messages unsettled */
    bool keeps_methods; /* leaves calls unanswered */
    /* what happened to it */
    int opened, closed, released, subscribed;
    enum status open_status;
    enum session_end end;
    int tokens, desired, c2d, methods, answers, documents;
    uint32_t token[PEER_NOTES_MAX];
    enum status token_status[PEER_NOTES_MAX];
    int64_t version[PEER_NOTES_MAX];
    int64_t sequence[PEER_NOTES_MAX];
    bool again[PEER_NOTES_MAX];
    char text[1024], rid[32];
    int64_t reported_version;
    enum status report_status;
};

static inline struct peer *peer_of(struct session *s)
{
    return (struct peer *)s;
}

static inline void peer_on_close(struct session *s, enum session_end why)
{
    struct peer *p = peer_of(s);

    fixture_lock(p->f);
    p->end = why;
    p->closed++;
    fixture_unlock(p->f);
    session_close(s);
}

static inline void peer_on_telemetry(struct session *s, uint32_t token, enum status status)
{
    struct peer *p = peer_of(s);

    fixture_lock(p->f);
    p->token[p->tokens % PEER_NOTES_MAX] = token;
    p->token_status[p->tokens++ % PEER_NOTES_MAX] = status;
    fixture_unlock(p->f);
}

static inline void peer_on_c2d(struct session *s, const struct c2d_delivery *d)
{
    struct peer *p = peer_of(s);
    int64_t sequence = d->sequence;

    fixture_lock(p->f);
    p->again[p->c2d % PEER_NOTES_MAX] = d->again;
    snprintf(p->text, sizeof p->text, "%.*s", SLICE_FMT(d->body));
    p->sequence[p->c2d++ % PEER_NOTES_MAX] = sequence;
    fixture_unlock(p->f);
    if (!p->holds_c2d)
        c2d_complete(s, sequence);
}

static inline void peer_on_desired(struct session *s, int64_t version, slice patch)
{
    struct peer *p = peer_of(s);

    fixture_lock(p->f);
    snprintf(p->text, sizeof p->text, "%.*s", SLICE_FMT(patch));
    p->version[p->desired++ % PEER_NOTES_MAX] = version;
    fixture_unlock(p->f);
}

static inline void peer_on_method(struct session *s, slice rid, slice name, slice payload)
{
    struct peer *p = peer_of(s);

    (void)name;
    fixture_lock(p->f);
    snprintf(p->rid, sizeof p->rid, "%.*s", SLICE_FMT(rid));
    snprintf(p->text, sizeof p->text, "%.*s", SLICE_FMT(payload));
    p->methods++;
    fixture_unlock(p->f);
    if (!p->keeps_methods)
        method_respond(s, rid, 200, payload);
}

static inline void peer_on_released(struct session *s)
{
    struct peer *p = peer_of(s);

    fixture_lock(p->f);
    p->released++;
    fixture_unlock(p->f);
}

static const struct session_ops peer_ops = {
    .close = peer_on_close,
    .telemetry_done = peer_on_telemetry,
    .deliver_c2d = peer_on_c2d,
    .deliver_desired = peer_on_desired,
    .invoke_method = peer_on_method,
    .released = peer_on_released,
};

static inline void peer_on_open(struct session *s, enum status status)
{
    struct peer *p = peer_of(s);

    fixture_lock(p->f);
    p->open_status = status;
    p->opened++;
    fixture_unlock(p->f);
    if (status != ST_OK)
        session_close(s);
}

static inline void peer_open_now(void *context)
{
    struct peer *p = context;
    const struct device_principal principal = {
        .hub = FIXTURE_HUB,
        .device_id = slice_str(p->device_id),
        .module_id = slice_str(p->module_id),
        .generation_id = SLICE("123456789012345678"),
        .slot = p->slot ? p->slot : CREDENTIAL_PRIMARY,
        .marks = p->marks,
        .trust_version = p->trust_version,
        .credential_generation = p->generation ? p->generation : 1,
        .expires_at = p->expires_at,
        .subscriptions = p->stored_subscriptions,
    };
    const struct session_options options = {
        .model_id = p->model_id,
        .client_type = SLICE("test/1.0"),
        .protocol = SLICE("mqtt"),
        .peer = SLICE("192.0.2.1:1234"),
        .restore_subscriptions = p->stored_subscriptions != 0,
    };

    p->session.ops = &peer_ops;
    session_open(&p->session, p->f->hub, &principal, &options, peer_on_open);
}

/* A peer on a worker, not open yet. */
static inline struct peer *peer_create(struct fixture *f, unsigned worker, const char *device_id)
{
    struct peer *p = calloc(1, sizeof *p);

    assert_non_null(p);
    p->f = f;
    p->worker = worker;
    p->device_id = device_id;
    p->module_id = "";
    return p;
}

static inline void peer_start(struct peer *p)
{
    fixture_on_worker(p->f, p->worker, peer_open_now, p);
}

static inline struct peer *peer_open(struct fixture *f, unsigned worker, const char *device_id)
{
    struct peer *p = peer_create(f, worker, device_id);

    peer_start(p);
    fixture_wait(f, &p->opened, 1, "open");
    assert_int_equal(p->open_status, ST_OK);
    return p;
}

static inline void peer_close_now(void *context)
{
    struct peer *p = context;

    if (p->closed == 0 && p->open_status == ST_OK)
        session_close(&p->session);
}

static inline void peer_close(struct peer *p)
{
    fixture_on_worker(p->f, p->worker, peer_close_now, p);
    fixture_wait(p->f, &p->released, 1, "release");
    free(p);
}

struct peer_subscription {
    struct peer *peer;
    unsigned subscriptions;
    slice filters;
};

static inline void peer_on_subscribed(struct session *s, void *context)
{
    struct peer *p = peer_of(s);

    (void)context;
    fixture_lock(p->f);
    p->subscribed++;
    fixture_unlock(p->f);
}

static inline void peer_subscribe_now(void *context)
{
    struct peer_subscription *of = context;

    session_subscribe(&of->peer->session, of->subscriptions, of->filters, false, peer_on_subscribed,
                      NULL);
}

static inline void peer_subscribe_filters(struct peer *p, unsigned subscriptions, slice filters)
{
    struct peer_subscription of = {p, subscriptions, filters};
    int before = p->subscribed;

    fixture_on_worker(p->f, p->worker, peer_subscribe_now, &of);
    fixture_wait(p->f, &p->subscribed, before + 1, "subscribe");
}

static inline void peer_subscribe(struct peer *p, unsigned subscriptions)
{
    peer_subscribe_filters(p, subscriptions, (slice){0});
}

#endif
