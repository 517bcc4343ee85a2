/* muster token: SAS tokens for a device, a registration or a service policy, offline; and those of
 * the REST API, which the server makes (token_api.c). */
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/token_api.h"
#include "codec/connection_string.h"
#include "codec/sas.h"

#define DEFAULT_LIFE "3600"
#define LIFE_MAX_S (INT64_C(100) * 365 * 24 * 3600)

static int run(int argc, char **argv);

const struct command token_command = {
    .name = "token",
    .summary = "SAS tokens for devices, registrations, services, offline; API tokens",
    .usage =
        "usage: muster token device --hub HOST --device ID [--module ID] --key KEY\n"
        "       muster token registration --scope ID_SCOPE --registration ID --key DEVICE_KEY\n"
        "       muster token service --host HOST --policy NAME --key KEY [--resource PATH]\n"
        "       muster token connection-string 'HostName=...;...'\n"
        "       muster token api create ID --role ROLE [--organization ID] [--days N]\n"
        "       muster token api list\n"
        "       muster token api revoke ID\n\n"
        "--life SECONDS is how long it holds, one hour unless given. The server makes API tokens: "
        "\n"
        "shown once, for 90 days unless told, 365 at most. ROLE is administrator, builder, "
        "operator\n"
        "or the ID of another. With those also: --data DIR, --json.\n",
    .run = run,
};

struct token_words {
    const char *hub, *device, *module, *key, *scope, *registration, *host, *policy, *resource,
        *life;
};

static int make(slice resource, slice key_text, slice policy, const char *life)
{
    BUF_CLEANUP struct buf token = {.max = SAS_TOKEN_MAX};
    SECRET_CLEANUP struct secret key = {0};
    int64_t seconds;

    if (!options_number(&token_command, "--life", life ? life : DEFAULT_LIFE, 1, LIFE_MAX_S,
                        &seconds))
        return EXIT_USAGE;
    if (!secret_from_base64(key_text, &key))
        return command_fail(&token_command, EXIT_USAGE, "the key is not base64 of 16 to 64 bytes");
    sas_token_write(resource, secret_slice(&key), clock_wall_ms() / 1000 + seconds, policy, &token);
    printf("%.*s\n", SLICE_FMT(buf_slice(&token)));
    return EXIT_DONE;
}

static int missing(const char *words)
{
    return command_fail(&token_command, EXIT_USAGE, "needs %s; --help tells more", words);
}

static int device_token(const struct token_words *w, const char *given)
{
    BUF_CLEANUP struct buf resource = {.max = 1024};

    (void)given;
    if (!w->hub || !w->device || !w->key)
        return missing("--hub, --device and --key");
    buf_printf(&resource, "%s/devices/%s", w->hub, w->device);
    if (w->module)
        buf_printf(&resource, "/modules/%s", w->module);
    return make(buf_slice(&resource), slice_str(w->key), (slice){0}, w->life);
}

static int registration_token(const struct token_words *w, const char *given)
{
    BUF_CLEANUP struct buf resource = {.max = 1024};

    (void)given;
    if (!w->scope || !w->registration || !w->key)
        return missing("--scope, --registration and --key");
    buf_printf(&resource, "%s/registrations/%s", w->scope, w->registration);
    return make(buf_slice(&resource), slice_str(w->key), SLICE("registration"), w->life);
}

static int service_token(const struct token_words *w, const char *given)
{
    BUF_CLEANUP struct buf resource = {.max = 1024};

    (void)given;
    if (!w->host || !w->policy || !w->key)
        return missing("--host, --policy and --key");
    buf_printf(&resource, "%s%s%s", w->host, w->resource && w->resource[0] != '/' ? "/" : "",
               w->resource ? w->resource : "");
    return make(buf_slice(&resource), slice_str(w->key), slice_str(w->policy), w->life);
}

static int connection_string_token(const struct token_words *w, const char *given)
{
    BUF_CLEANUP struct buf resource = {.max = 4096};
    struct connection_string c;
    struct fault why;

    if (!given)
        return missing("a connection string");
    if (connection_string_parse(slice_str(given), &c, &why) != ST_OK)
        return command_fail(&token_command, EXIT_USAGE, "%s", why.text);
    if (c.shared_access_key.len == 0)
        return missing("a connection string with a SharedAccessKey");
    buf_append(&resource, c.host_name);
    if (c.device_id.len > 0)
        buf_printf(&resource, "/devices/%.*s", SLICE_FMT(c.device_id));
    if (c.module_id.len > 0)
        buf_printf(&resource, "/modules/%.*s", SLICE_FMT(c.module_id));
    return make(buf_slice(&resource), c.shared_access_key, c.shared_access_key_name, w->life);
}

static const struct {
    const char *name;
    int (*run)(const struct token_words *w, const char *given);
} kinds[] = {
    {"device", device_token},
    {"registration", registration_token},
    {"service", service_token},
    {"connection-string", connection_string_token},
};

static int run(int argc, char **argv)
{
    struct token_words w = {0};
    struct token_api_words api = {0};
    const struct option_spec specs[] = {
        {.name = "--hub", .value = &w.hub},
        {.name = "--device", .value = &w.device},
        {.name = "--module", .value = &w.module},
        {.name = "--key", .value = &w.key},
        {.name = "--scope", .value = &w.scope},
        {.name = "--registration", .value = &w.registration},
        {.name = "--host", .value = &w.host},
        {.name = "--policy", .value = &w.policy},
        {.name = "--resource", .value = &w.resource},
        {.name = "--life", .value = &w.life},
        {.name = "--data", .value = &api.folder},
        {.name = "--role", .value = &api.role},
        {.name = "--organization", .value = &api.organization},
        {.name = "--days", .value = &api.days},
        {.name = "--json", .flag = &api.json},
    };
    struct words words;
    int code;

    if (!options_read(&token_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    api.words = &words;
    if (words.count > 0 && strcmp(words.items[0], "api") == 0)
        return token_api_run(&api);
    for (size_t i = 0; i < COUNT_OF(kinds) && words.count > 0; i++) {
        if (strcmp(words.items[0], kinds[i].name) == 0)
            return kinds[i].run(&w, words.count > 1 ? words.items[1] : NULL);
    }
    return command_fail(
        &token_command, EXIT_USAGE,
        "say device, registration, service, connection-string or api; --help tells more");
}
