#include "cmd/server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "bus/bus.h"
#include "central/central.h"
#include "central/operation/operation.h"
#include "central/simulation/simulation.h"
#include "central/telemetry/projection.h"
#include "cmd/oidc_config.h"
#include "cmd/privileges.h"
#include "cmd/schemas.h"
#include "crypto/seal.h"
#include "front/http/http_front.h"
#include "front/mqtt/mqtt_front.h"
#include "hub/hub.h"
#include "hub/session.h"
#include "identity/access/api_token.h"
#include "identity/identity.h"
#include "identity/sign_in/invitation.h"
#include "net/egress.h"
#include "net/listener.h"
#include "net/worker.h"
#include "provisioning/provisioning.h"
#include "store/store.h"
#include "stream/stream_log.h"

#define HOSTS_MAX 16
#define HTTPS_FALLBACK ":8443"
#define CLI_TOKEN "cli"
#define CLI_TOKEN_RENEWAL_DAYS 30

struct server {
    struct buf id_scope;
    struct buf setup_code; /* with a NUL; empty: there is a user */
    struct buf aliases;
    slice hosts[HOSTS_MAX];
    struct hub_name hub_name;
    struct egress_rules egress;
    struct oidc_config oidc;
    struct workers *workers;
    struct store *store;
    struct bus *bus;
    struct sealer *sealer;
    struct identity *identity;
    struct stream_log *log;
    struct hub *hub;
    struct central *central;
    struct projection *projection;
    struct provisioning *provisioning;
    struct operations *operations;
    struct simulation *simulation;
    struct mqtt_front *mqtt;
    struct http_front *http;
    struct tls_server *tls;
    struct tls_paths {
        char *files[4]; /* certificate, key, RSA certificate, RSA key; NULL: none */
    } paths;
    struct listener *mqtts, *https;
    const char *https_note;
    bool running;
};

/* --- names and certificates ------------------------------------------------------------------ */

static bool collect_hosts(struct server *s, const struct config *config, struct fault *why)
{
    size_t count = 0;

    buf_init(&s->aliases, 4096);
    buf_append_str(&s->aliases, config->aliases);
    s->hosts[count++] = slice_str(config->host);
    for (slice rest = buf_slice(&s->aliases); rest.ptr && rest.len > 0;) {
        slice alias = slice_trim(slice_split(&rest, ','));

        if (alias.len == 0)
            continue;
        if (count == HOSTS_MAX) {
            fault_set(why, ST_BAD_REQUEST, "more than %d host names", HOSTS_MAX);
            return false;
        }
        s->hosts[count++] = alias;
    }
    s->hub_name = (struct hub_name){.name = SLICE("main"), .hosts = s->hosts, .host_count = count};
    return true;
}

static bool set_path(char **to, const struct data_folder *data, const char *given, const char *own)
{
    *to = given[0] ? slice_to_cstr(slice_str(given)) : own ? data_folder_path(data, own) : NULL;
    return *to || (!given[0] && !own);
}

static void free_paths(struct tls_paths *paths)
{
    for (size_t i = 0; i < COUNT_OF(paths->files); i++)
        free(paths->files[i]);
    *paths = (struct tls_paths){0};
}

/* The operator's chains, or those of the local CA; never a mixture. */
static bool find_paths(struct tls_paths *paths, const struct data_folder *data,
                       const struct config *config, struct fault *why)
{
    bool own = !config->certificate[0];

    *paths = (struct tls_paths){0};
    if (set_path(&paths->files[0], data, config->certificate, own ? "tls/server-p256.pem" : NULL) &&
        set_path(&paths->files[1], data, config->key, own ? "tls/server-p256.key" : NULL) &&
        set_path(&paths->files[2], data, config->rsa_certificate,
                 own ? "tls/server-rsa.pem" : NULL) &&
        set_path(&paths->files[3], data, config->rsa_key, own ? "tls/server-rsa.key" : NULL))
        return true;
    free_paths(paths);
    fault_set(why, ST_NO_MEMORY, "out of memory");
    return false;
}

static size_t chains_of(const struct tls_paths *paths, struct tls_files chains[2])
{
    size_t count = 0;

    for (size_t i = 0; i < 4; i += 2) {
        if (paths->files[i])
            chains[count++] =
                (struct tls_files){.certificate = paths->files[i], .key = paths->files[i + 1]};
    }
    return count;
}

static bool open_tls(struct server *s, const struct config *config, const struct data_folder *data,
                     struct fault *why)
{
    struct tls_files chains[2];
    size_t count;

    if (!config->certificate[0] &&
        !data_folder_certificates(data, s->hosts, s->hub_name.host_count, why))
        return false;
    if (!find_paths(&s->paths, data, config, why))
        return false;
    count = chains_of(&s->paths, chains);
    s->tls = tls_server_create(chains, count, why);
    return s->tls != NULL;
}

bool server_reload(struct server *s, const struct config *config, struct fault *why)
{
    struct tls_files chains[2];
    enum log_level level;

    if (log_level_parse(slice_str(config->log_level), &level))
        log_set_level(level);
    return tls_server_reload(s->tls, chains, chains_of(&s->paths, chains), why);
}

/* --- the floors ------------------------------------------------------------------------------ */

static unsigned count_workers(const struct config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (config->workers > 0)
        return (unsigned)config->workers;
    return cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
}

static bool open_store(struct server *s, const struct config *config,
                       const struct data_folder *data, struct fault *why)
{
    const struct store_options options = {
        .directory = data->path,
        .schemas = all_schemas,
        .schema_count = ALL_SCHEMAS,
        .free_min_bytes = (uint64_t)config->disk_free_mib << 20,
        .free_min_percent = (unsigned)config->disk_free_percent,
    };

    s->store = store_open(s->workers, &options, why);
    return s->store != NULL;
}

static bool open_ground(struct server *s, const struct config *config,
                        const struct data_folder *data, struct fault *why)
{
    char *key_path = data_folder_path(data, "master.key");
    bool fresh = !data_folder_has(data, "muster.db");

    s->workers = workers_create(count_workers(config));
    if (!key_path || !s->workers) {
        free(key_path);
        fault_set(why, ST_NO_MEMORY, "out of memory");
        return false;
    }
    s->sealer = sealer_open(key_path, fresh, why);
    free(key_path);
    if (!s->sealer || !open_store(s, config, data, why))
        return false;
    s->bus = bus_create_local(s->workers);
    if (!s->bus)
        fault_set(why, ST_NO_MEMORY, "out of memory");
    return s->bus != NULL;
}

static bool open_identity_and_log(struct server *s, const struct config *config, struct fault *why)
{
    const struct identity_options identity = {
        .hubs = &s->hub_name,
        .hub_count = 1,
        .sas_tolerance_s = config->sas_tolerance_s,
        .sign_ins_per_minute = (unsigned)config->sign_ins_per_minute,
        .egress = &s->egress,
        .oidc = config->oidc_issuer[0] ? &s->oidc.options : NULL,
    };
    const struct log_options log = {
        .partitions = (unsigned)config->partitions,
        .retention_ms = config->retention_hours * 3600 * 1000,
        .retention_bytes = config->retention_mib << 20,
    };

    if (!egress_rules_parse(slice_str(config->egress_allow), slice_str(config->egress_ports),
                            &s->egress, why) ||
        !oidc_config_read(&s->oidc, config, why))
        return false;
    s->identity = identity_create(s->workers, s->store, s->sealer, s->bus, &identity, why);
    if (!s->identity)
        return false;
    s->log = log_create(s->workers, s->store, s->bus, &log, why);
    return s->log != NULL;
}

static bool open_projection(struct server *s, const struct config *config, struct fault *why)
{
    struct projection_options options = projection_defaults;

    options.retention_ms = config->history_days * 24 * 3600 * 1000;
    s->projection = projection_create(s->workers, s->store, s->bus, s->log, &options, why);
    return s->projection != NULL;
}

static bool open_domain(struct server *s, const struct config *config, struct fault *why)
{
    const struct hub_options hub = {
        .c2d_ttl_ms = config->c2d_ttl_s * 1000,
        .c2d_max_delivery = 10,
        .method_timeout_max_s = config->method_timeout_max_s,
    };
    const struct provisioning_options provisioning = {
        .id_scope = buf_slice(&s->id_scope),
        .service_host = s->hosts[0],
        .answer_at_once = strcmp(config->answer, "now") == 0,
        .register_burst = (unsigned)config->register_burst,
        .register_refill_ms = (unsigned)config->register_refill_ms,
    };
    struct provisioning_gate gate;

    s->hub = hub_create(s->workers, s->store, s->bus, s->identity, s->log, &hub, why);
    if (!s->hub)
        return false;
    s->central = central_create(s->workers, s->store, s->bus, s->identity, s->hub, why);
    if (!s->central)
        return false;
    gate = central_gate(s->central);
    s->provisioning = provisioning_create(s->workers, s->store, s->bus, s->sealer, s->identity,
                                          s->hub, &gate, &provisioning, why);
    if (!s->provisioning)
        return false;
    central_bind(s->central, s->provisioning);
    return true;
}

static bool open_operations(struct server *s, const struct config *config,
                            const struct data_folder *data, struct fault *why)
{
    const struct operations_options options = {
        .directory = data->path,
        .sealer = s->sealer,
        .device_limit = config->device_limit,
    };

    s->operations = operations_create(s->central, &options, why);
    return s->operations != NULL;
}

static bool open_simulation(struct server *s, struct fault *why)
{
    s->simulation = simulation_create(s->central, &simulation_defaults, why);
    return s->simulation != NULL;
}

static bool open_fronts(struct server *s, const struct config *config, struct fault *why)
{
    const struct mqtt_front_options mqtt = {
        .identity = s->identity,
        .hub = s->hub,
        .provisioning = s->provisioning,
        .store = s->store,
        .log = s->log,
        .c2d_hold_ms = config->c2d_hold_ms,
        .unknown_filter_fail = strcmp(config->unknown_filter, "fail") == 0,
    };
    const struct http_front_options http = {
        .identity = s->identity,
        .hub = s->hub,
        .provisioning = s->provisioning,
        .central = s->central,
        .operations = s->operations,
        .store = s->store,
        .log = s->log,
        .bus = s->bus,
        .host = s->hosts[0],
    };

    s->mqtt = mqtt_front_create(s->workers, &mqtt);
    s->http = http_front_create(s->workers, &http);
    if (!s->mqtt || !s->http)
        fault_set(why, ST_NO_MEMORY, "out of memory");
    return s->mqtt && s->http;
}

/* --- the doors ------------------------------------------------------------------------------- */

/* 443 may be another's: serve on 8443 then, and say what that costs. An address that was asked
 * for by name is never exchanged. */
static bool open_https(struct server *s, const struct config *config, struct fault *why)
{
    s->https = listener_create(s->workers, slice_str(config->https), s->tls, http_front_accept,
                               s->http, why);
    if (s->https || config->https_given)
        return s->https != NULL;
    s->https =
        listener_create(s->workers, SLICE(HTTPS_FALLBACK), s->tls, http_front_accept, s->http, why);
    s->https_note = "port 443 could not be bound: devices that provision over HTTPS and everything "
                    "over WebSockets need it; served on 8443 instead";
    return s->https != NULL;
}

static bool open_doors(struct server *s, const struct config *config, struct fault *why)
{
    const struct listener_limits limits = {
        .unauthenticated_max = (unsigned)config->unauthenticated,
        .unauthenticated_per_address = (unsigned)config->unauthenticated_per_address,
        .accepts_per_address_s = (unsigned)config->accepts_per_second,
        .accepts_per_address_burst = (unsigned)config->accepts_burst,
    };

    listener_set_limits(s->workers, &limits);
    s->mqtts = listener_create(s->workers, slice_str(config->mqtts), s->tls, mqtt_front_accept,
                               s->mqtt, why);
    return s->mqtts && open_https(s, config, why);
}

/* What the operator's commands authenticate with: an administrator's token in the data folder,
 * made anew when it is gone from there or from the store, or ends soon. */
static bool make_token(struct server *s, const struct data_folder *data, struct fault *why)
{
    BUF_CLEANUP struct buf token = {.max = API_TOKEN_TEXT_MAX};
    instant now = clock_wall_ms(), ends_at = 0;

    if (api_token_expiry_now(s->identity, SLICE(CLI_TOKEN), &ends_at, why) != ST_OK)
        return false;
    if (data_folder_has(data, "api-token") &&
        ends_at > now + CLI_TOKEN_RENEWAL_DAYS * API_TOKEN_DAY_MS)
        return true;
    return api_token_create_now(s->identity, SLICE(CLI_TOKEN),
                                now + API_TOKEN_MAX_DAYS * API_TOKEN_DAY_MS, &token,
                                why) == ST_OK &&
           data_folder_write(data, "api-token", buf_slice(&token), why);
}

/* While there is no user, every start shows another link. */
static bool make_setup_code(struct server *s, struct fault *why)
{
    buf_init(&s->setup_code, INVITATION_CODE_LEN + 1);
    if (invitation_first_now(s->identity, &s->setup_code, why) != ST_OK)
        return false;
    if (s->setup_code.len > 0)
        buf_append_byte(&s->setup_code, 0);
    return true;
}

/* With a NUL behind it, for those who print it. */
static bool read_id_scope(struct server *s, const struct data_folder *data, struct fault *why)
{
    if (!data_folder_id_scope(data, &s->id_scope, why))
        return false;
    buf_append_byte(&s->id_scope, 0);
    s->id_scope.len--;
    return !s->id_scope.failed;
}

/* --- up and down ----------------------------------------------------------------------------- */

static bool build(struct server *s, const struct config *config, const struct data_folder *data,
                  struct fault *why)
{
    /* The store's lock first: a second server must not touch the files of the one that runs. */
    if (!collect_hosts(s, config, why) || !open_ground(s, config, data, why) ||
        !read_id_scope(s, data, why) || !open_tls(s, config, data, why) ||
        !open_identity_and_log(s, config, why) || !open_domain(s, config, why) ||
        !open_projection(s, config, why) || !open_operations(s, config, data, why) ||
        !open_simulation(s, why) || !make_token(s, data, why) || !make_setup_code(s, why) ||
        !open_fronts(s, config, why) || !open_doors(s, config, why))
        return false;
    privileges_drop_binding();
    s->running = workers_start(s->workers, why);
    return s->running;
}

struct server *server_start(const struct config *config, const struct data_folder *data,
                            struct fault *why)
{
    struct server *s = calloc(1, sizeof *s);

    if (!s) {
        fault_set(why, ST_NO_MEMORY, "out of memory");
        return NULL;
    }
    if (build(s, config, data, why))
        return s;
    server_stop(s);
    return NULL;
}

void server_stop(struct server *s)
{
    if (s->running) {
        listener_stop_accepting(s->mqtts);
        listener_stop_accepting(s->https);
        session_drain(s->hub);
    }
    if (s->workers)
        workers_stop(s->workers);
    operations_destroy(s->operations);
    simulation_destroy(s->simulation);
    projection_destroy(s->projection);
    store_close(s->store); /* commits what the workers had handed over */
    listener_destroy(s->mqtts);
    listener_destroy(s->https);
    http_front_destroy(s->http);
    mqtt_front_destroy(s->mqtt);
    provisioning_destroy(s->provisioning);
    central_destroy(s->central);
    hub_destroy(s->hub);
    log_destroy(s->log);
    identity_destroy(s->identity);
    bus_destroy(s->bus);
    sealer_destroy(s->sealer);
    tls_server_destroy(s->tls);
    workers_destroy(s->workers);
    free_paths(&s->paths);
    buf_deinit(&s->id_scope);
    buf_deinit(&s->setup_code);
    oidc_config_free(&s->oidc);
    buf_deinit(&s->aliases);
    free(s);
}

struct server_about server_about(const struct server *s)
{
    return (struct server_about){
        .id_scope = (const char *)s->id_scope.ptr,
        .host = (const char *)s->hosts[0].ptr,
        .https_port = listener_port(s->https),
        .mqtts_port = listener_port(s->mqtts),
        .https_note = s->https_note,
        .setup_code = (const char *)s->setup_code.ptr,
    };
}
