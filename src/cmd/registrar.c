#include "cmd/registrar.h"

#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "codec/json.h"
#include "codec/sas.h"
#include "net/http_client.h"

#define TOKEN_LIFE_S 300
#define POLL_MS 2000
#define PATIENCE_MS 30000
#define API_VERSION "api-version=2021-06-01"

static void write_url(const struct registrar *r, slice operation, struct buf *url)
{
    buf_printf(url, "https://%s/", r->host);
    percent_encode(r->id_scope, url);
    buf_append_str(url, "/registrations/");
    percent_encode(r->registration_id, url);
    buf_append_str(url, operation.len ? "/operations/" : "/register");
    percent_encode(operation, url);
    buf_append_str(url, "?" API_VERSION);
    buf_append_byte(url, 0);
}

static void write_token(const struct registrar *r, struct buf *token)
{
    BUF_CLEANUP struct buf resource = {.max = 1024};

    buf_append(&resource, r->id_scope);
    buf_append_str(&resource, "/registrations/");
    buf_append(&resource, r->registration_id);
    sas_token_write(buf_slice(&resource), r->key, clock_wall_ms() / 1000 + TOKEN_LIFE_S,
                    SLICE("registration"), token);
    buf_append_byte(token, 0);
}

/* One request: register, or the state of an operation. */
static enum status ask(const struct registrar *r, slice operation, struct arena *arena,
                       struct json **ret, int *ret_status, struct fault *why)
{
    BUF_CLEANUP struct buf url = {.max = 4096}, token = {.max = SAS_TOKEN_MAX};
    struct http_answer answer = {0};
    enum status status;

    write_url(r, operation, &url);
    write_token(r, &token);
    if (url.failed || token.failed)
        return fault_set(why, ST_BAD_REQUEST, "the ID scope or device ID is too long");
    const struct http_call call = {
        .method = operation.len ? "GET" : "PUT",
        .url = (const char *)url.ptr,
        .ca_file = r->ca_file,
        .authorization = (const char *)token.ptr,
        .body = operation.len ? (slice){0} : SLICE("{}"),
        .timeout_s = PATIENCE_MS / 1000,
    };
    status = http_call(&call, &answer, why);
    if (status != ST_OK)
        return status;
    *ret_status = answer.status;
    status =
        json_parse(arena_copy(arena, buf_slice(&answer.body)), JSON_LAST_WINS, arena, ret, why);
    buf_deinit(&answer.body);
    return status;
}

static enum status refusal(const struct json *answer, int http_status, struct fault *why)
{
    const struct json *state = json_member(answer, SLICE("registrationState"));
    slice message = SLICE("no reason given");
    int64_t code = 0;

    if (!json_get_text(state, SLICE("errorMessage"), &message))
        json_get_text(answer, SLICE("message"), &message);
    if (!json_get_int(state, SLICE("errorCode"), &code))
        json_get_int(answer, SLICE("errorCode"), &code);
    return fault_set(why, http_status == 401 ? ST_UNAUTHORIZED : ST_REFUSED,
                     "the provisioning service refused: %.*s (%lld); has an operator approved and "
                     "associated the device?",
                     SLICE_FMT(message), (long long)code);
}

static void wait_for_next_poll(void)
{
    const struct timespec pause = {.tv_sec = POLL_MS / 1000, .tv_nsec = POLL_MS % 1000 * 1000000L};

    nanosleep(&pause, NULL);
}

enum status registrar_register(const struct registrar *r, struct arena *arena,
                               struct registered_device *ret, struct fault *why)
{
    int64_t patience_ends = clock_mono_ms() + PATIENCE_MS;
    slice operation = {0}, state;
    struct json *answer;
    int http_status = 0;

    while (clock_mono_ms() < patience_ends) {
        enum status status = ask(r, operation, arena, &answer, &http_status, why);
        const struct json *record;

        if (status != ST_OK)
            return status;
        record = json_member(answer, SLICE("registrationState"));
        if (!json_get_text(answer, SLICE("status"), &state))
            return refusal(answer, http_status, why);
        if (slice_equal(state, SLICE("assigned")) &&
            json_get_text(record, SLICE("assignedHub"), &ret->hub) &&
            json_get_text(record, SLICE("deviceId"), &ret->device_id))
            return ST_OK;
        if (!slice_equal(state, SLICE("assigning")) ||
            !json_get_text(answer, SLICE("operationId"), &operation))
            return refusal(answer, http_status, why);
        wait_for_next_poll();
    }
    return fault_set(why, ST_TIMEOUT, "the provisioning service did not finish in %d s",
                     PATIENCE_MS / 1000);
}
