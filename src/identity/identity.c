#include "identity/identity.h"

#include <stdlib.h>

#include "identity/device_search.h"
#include "identity/device_store.h"
#include "identity/identity_internal.h"
#include "identity/principal.h"
#include "identity/sign_in/oidc_internal.h"
#include "identity/sign_in/password_work.h"
#include "identity/trust/ocsp_check.h"

#define CHANGED_SUBJECT "identity.changed"
#define DUMMY_KEY_LEN 32

/* --- life ------------------------------------------------------------------------------------ */

static void on_changed(void *context, slice subject, slice message)
{
    struct refusal_cache *refusals = context;

    (void)subject;
    refusal_cache_forget(refusals, device_hash(message));
}

static bool subscribe(struct identity *id, struct workers *ws)
{
    for (unsigned i = 0; i < id->worker_count; i++) {
        if (!bus_subscribe(id->bus, workers_at(ws, i), CHANGED_SUBJECT, on_changed,
                           &id->workers[i].refusals))
            return false;
    }
    return true;
}

/* A pair of keys that nobody has, sealed like a device's. */
static bool make_dummy(struct identity *id)
{
    struct buf sealed = BUF_OVER(id->dummy_sealed);

    secret_generate(&id->dummy_key, DUMMY_KEY_LEN);
    key_pair_seal(id->sealer, "device", (slice){0}, (slice){0}, &id->dummy_key, &id->dummy_key,
                  &sealed);
    id->dummy_sealed_len = sealed.len;
    return !sealed.failed;
}

static bool make_ocsp_caches(struct identity *id)
{
    for (unsigned i = 0; i < id->worker_count; i++) {
        id->workers[i].ocsp = ocsp_cache_create();
        if (!id->workers[i].ocsp)
            return false;
    }
    return true;
}

struct identity *identity_create(struct workers *ws, struct store *st, const struct sealer *sealer,
                                 struct bus *bus, const struct identity_options *options,
                                 struct fault *why)
{
    unsigned count = workers_count(ws);
    struct identity *id = calloc(1, sizeof *id + count * sizeof id->workers[0]);

    if (!id) {
        fault_set(why, ST_NO_MEMORY, "no memory for identity");
        return NULL;
    }
    pthread_mutex_init(&id->trust.lock, NULL);
    id->ws = ws;
    id->store = st;
    id->sealer = sealer;
    id->bus = bus;
    id->options = *options;
    id->worker_count = count;
    try_limit_init(&id->tries, options->sign_ins_per_minute);
    desk_init(&id->passwords, ws, PASSWORDS_AT_ONCE, PASSWORDS_WAITING_MAX);
    desk_init(&id->issuer, ws, OIDC_AT_ONCE, OIDC_WAITING_MAX);
    id->indexer = indexer_create(ws, st);
    if (!id->indexer || !make_dummy(id) || !make_ocsp_caches(id) || !subscribe(id, ws)) {
        fault_set(why, ST_NO_MEMORY, "no memory for identity");
        goto failed;
    }
    if (policies_create_now(id, why) != ST_OK || policies_open_now(id, why) != ST_OK ||
        trust_start(id, ws, why) != ST_OK)
        goto failed;
    return id;

failed:
    identity_destroy(id);
    return NULL;
}

void identity_destroy(struct identity *id)
{
    if (!id)
        return;
    trust_stop(id);
    indexer_destroy(id->indexer);
    for (unsigned i = 0; i < id->worker_count; i++) {
        ocsp_cache_destroy(id->workers[i].ocsp);
        issuer_keys_destroy(id->workers[i].issuer_keys);
    }
    pthread_mutex_destroy(&id->trust.lock);
    secret_wipe(&id->dummy_key);
    free(id);
}

/* --- refusals -------------------------------------------------------------------------------- */

struct refusal_cache *identity_refusals(struct identity *id)
{
    return &id->workers[worker_index(worker_current())].refusals;
}

/* Here at once, so that what this worker does next already sees it; by the bus elsewhere. */
void identity_forget_refusals(struct identity *id, slice device_id)
{
    if (worker_current())
        refusal_cache_forget(identity_refusals(id), device_hash(device_id));
    bus_publish(id->bus, SLICE(CHANGED_SUBJECT), device_id);
}

/* --- hubs ------------------------------------------------------------------------------------ */

/* Without a ":port" behind it. An IPv6 address has its colons inside brackets. */
slice host_without_port(slice host)
{
    size_t end = host.len;

    while (end > 0 && host.ptr[end - 1] >= '0' && host.ptr[end - 1] <= '9')
        end--;
    if (end < 2 || end == host.len || host.ptr[end - 1] != ':')
        return host;
    return slice_first(host, end - 1);
}

static bool answers_to(const struct hub_name *hub, slice host)
{
    for (size_t i = 0; i < hub->host_count; i++) {
        if (slice_equal_nocase(hub->hosts[i], host))
            return true;
    }
    return false;
}

const struct hub_name *identity_hub_by_host(const struct identity *id, slice host)
{
    slice name = host_without_port(host);

    for (size_t i = 0; i < id->options.hub_count; i++) {
        if (answers_to(&id->options.hubs[i], name))
            return &id->options.hubs[i];
    }
    return NULL;
}

const struct hub_name *identity_hub_by_name(const struct identity *id, slice name)
{
    for (size_t i = 0; i < id->options.hub_count; i++) {
        if (slice_equal(id->options.hubs[i].name, name))
            return &id->options.hubs[i];
    }
    return NULL;
}

const struct hub_name *identity_default_hub(const struct identity *id)
{
    return id->options.hub_count ? &id->options.hubs[0] : NULL;
}

int64_t identity_sas_tolerance_s(const struct identity *id)
{
    return id->options.sas_tolerance_s;
}
