/* What is asked of the issuer: its addresses, an ID token for a code, its keys, and the e-mail
 * address when the token has none (OpenID Connect Core 3.1.3, 5.3; Discovery 4). */
#include <stdlib.h>

#include "base/text.h"
#include "codec/jwt.h"
#include "identity/sign_in/oidc_internal.h"
#include "net/egress.h"
#include "net/http_client.h"

#define DISCOVERY_PATH "/.well-known/openid-configuration"
#define TIMEOUT_S 10
#define ANSWER_MAX (128 * 1024)
#define REQUEST_MAX (16 * 1024)
#define HTTP_OK 200
#define SUBJECT_MAX 255

struct endpoints {
    const char *authorization, *token, *keys;
    const char *person; /* NULL: it has none */
};

static const struct oidc_options *options_of(const struct identity *id)
{
    return id->options.oidc;
}

/* --- calls -------------------------------------------------------------------------------------
 */

/* The answer's body, in the arena, with its status. */
static enum status fetch(const struct identity *id, struct http_call *call, struct arena *arena,
                         int *ret_status, slice *ret_body, struct fault *why)
{
    static const struct egress_rules nowhere;
    struct http_answer answer;
    enum status status;

    call->ca_file = options_of(id)->ca_file;
    call->accept = "application/json";
    call->timeout_s = TIMEOUT_S;
    call->answer_max = ANSWER_MAX;
    call->egress = id->options.egress ? id->options.egress : &nowhere;
    status = http_call(call, &answer, why);
    if (status != ST_OK)
        return status;
    *ret_status = answer.status;
    *ret_body = arena_copy(arena, buf_slice(&answer.body));
    if (answer.body.ptr)
        explicit_bzero(answer.body.ptr, answer.body.len); /* it may hold tokens */
    buf_deinit(&answer.body);
    return arena->failed ? fault_set(why, ST_NO_MEMORY, "no memory for the issuer's answer")
                         : ST_OK;
}

static enum status fetch_object(const struct identity *id, struct http_call *call,
                                struct arena *arena, struct json **ret, struct fault *why)
{
    int http_status = 0;
    slice body;
    enum status status = fetch(id, call, arena, &http_status, &body, why);

    if (status != ST_OK)
        return status;
    if (http_status != HTTP_OK)
        return fault_set(why, ST_UNAVAILABLE, "%.100s: HTTP status %d", call->url, http_status);
    if (json_parse(body, JSON_LAST_WINS, arena, ret, why) != ST_OK || (*ret)->kind != JSON_OBJECT)
        return fault_set(why, ST_UNAVAILABLE, "%.100s: no JSON object", call->url);
    return ST_OK;
}

/* An address of the issuer's, as a string; false when it has none of that name, or none to use. */
static bool read_url(const struct json *document, slice name, struct arena *arena, const char **ret)
{
    struct fault why;
    slice url;

    if (!json_get_text(document, name, &url) || url.len == 0 || !oidc_issuer_check(url, &why))
        return false;
    *ret = (const char *)arena_copy(arena, url).ptr;
    return *ret != NULL;
}

static enum status discover(const struct identity *id, struct arena *arena, struct endpoints *ret,
                            struct fault *why)
{
    slice issuer = options_of(id)->issuer, base = issuer, said;
    struct json *document;
    enum status status;

    while (slice_ends_with(base, SLICE("/")))
        base.len--;
    struct http_call call = {
        .method = "GET",
        .url = (const char *)arena_printf(arena, "%.*s" DISCOVERY_PATH, SLICE_FMT(base)).ptr};
    if (!call.url)
        return fault_set(why, ST_NO_MEMORY, "no memory for the issuer's address");
    status = fetch_object(id, &call, arena, &document, why);
    if (status != ST_OK)
        return status;
    if (!json_get_text(document, SLICE("issuer"), &said) || !slice_equal(said, issuer))
        return fault_set(why, ST_UNAVAILABLE, "the issuer calls itself '%.*s'",
                         SLICE_FMT(slice_first(said, 100)));
    *ret = (struct endpoints){0};
    if (!read_url(document, SLICE("authorization_endpoint"), arena, &ret->authorization) ||
        !read_url(document, SLICE("token_endpoint"), arena, &ret->token) ||
        !read_url(document, SLICE("jwks_uri"), arena, &ret->keys))
        return fault_set(why, ST_UNAVAILABLE, "the issuer does not tell its addresses");
    if (!read_url(document, SLICE("userinfo_endpoint"), arena, &ret->person))
        ret->person = NULL;
    return ST_OK;
}

/* --- where to go -------------------------------------------------------------------------------
 */

static void put(struct buf *to, const char *name, slice value)
{
    buf_append_str(to, name);
    percent_encode(value, to);
}

static void put_challenge(struct buf *to, const struct oidc_flow *flow)
{
    BUF_CLEANUP struct buf text = {.max = 64};
    uint8_t digest[SHA256_LEN];

    sha256(slice_of(flow->verifier, sizeof flow->verifier), digest);
    base64url_encode(slice_of(digest, sizeof digest), &text);
    put(to, "&code_challenge_method=S256&code_challenge=", buf_slice(&text));
}

enum status oidc_ask_location(const struct identity *id, const struct oidc_flow *flow,
                              slice redirect_uri, struct buf *ret, struct fault *why)
{
    ARENA_CLEANUP struct arena arena = {.max = JWT_ARENA_MAX};
    struct endpoints endpoints;
    enum status status = discover(id, &arena, &endpoints, why);

    if (status != ST_OK)
        return status;
    buf_append_str(ret, endpoints.authorization);
    buf_append_str(ret, strchr(endpoints.authorization, '?') ? "&" : "?");
    put(ret, "response_type=code&scope=openid%20email&client_id=", options_of(id)->client_id);
    put(ret, "&redirect_uri=", redirect_uri);
    put(ret, "&state=", slice_of(flow->state, sizeof flow->state));
    put(ret, "&nonce=", slice_of(flow->nonce, sizeof flow->nonce));
    put_challenge(ret, flow);
    return ret->failed ? fault_set(why, ST_NO_MEMORY, "no memory for an address") : ST_OK;
}

/* --- who it is ---------------------------------------------------------------------------------
 */

/* "Basic ..." of ID and secret (RFC 6749, 2.3.1: both are encoded first). */
static const char *write_basic(const struct oidc_options *o, struct arena *arena)
{
    BUF_CLEANUP struct buf plain = {.max = REQUEST_MAX}, text = {.max = REQUEST_MAX};

    percent_encode(o->client_id, &plain);
    put(&plain, ":", o->client_secret);
    buf_append_str(&text, "Basic ");
    base64_encode(buf_slice(&plain), &text);
    if (plain.ptr)
        explicit_bzero(plain.ptr, plain.len);
    return text.failed ? NULL : (const char *)arena_copy(arena, buf_slice(&text)).ptr;
}

static enum status redeem(const struct identity *id, const struct endpoints *endpoints,
                          const struct oidc_flow *flow, slice code, slice redirect_uri,
                          struct arena *arena, struct json **ret, struct fault *why)
{
    BUF_CLEANUP struct buf body = {.max = REQUEST_MAX};
    const struct oidc_options *o = options_of(id);
    const char *basic = o->client_secret.len > 0 ? write_basic(o, arena) : NULL;
    int http_status = 0;
    slice answer, cause = SLICE("");
    enum status status;

    put(&body, "grant_type=authorization_code&code=", code);
    put(&body, "&redirect_uri=", redirect_uri);
    put(&body, "&client_id=", o->client_id);
    put(&body, "&code_verifier=", slice_of(flow->verifier, sizeof flow->verifier));
    struct http_call call = {.method = "POST",
                             .url = endpoints->token,
                             .authorization = basic,
                             .body = buf_slice(&body),
                             .content_type = "application/x-www-form-urlencoded"};
    if (body.failed || (o->client_secret.len > 0 && !basic))
        return fault_set(why, ST_NO_MEMORY, "no memory for the issuer's call");
    status = fetch(id, &call, arena, &http_status, &answer, why);
    if (status != ST_OK)
        return status;
    if (json_parse(answer, JSON_LAST_WINS, arena, ret, why) != ST_OK)
        return fault_set(why, ST_UNAVAILABLE, "the issuer's answer is no JSON");
    json_get_text(*ret, SLICE("error"), &cause);
    if (http_status == HTTP_OK)
        return ST_OK;
    return fault_set(why, http_status < 500 ? ST_UNAUTHORIZED : ST_UNAVAILABLE,
                     "the issuer refuses the code: HTTP status %d, %.*s", http_status,
                     SLICE_FMT(slice_first(cause, 60)));
}

static enum status fetch_keys(const struct identity *id, const struct endpoints *endpoints,
                              struct arena *arena, slice *ret, struct fault *why)
{
    struct http_call call = {.method = "GET", .url = endpoints->keys};
    int http_status = 0;
    enum status status = fetch(id, &call, arena, &http_status, ret, why);

    if (status == ST_OK && http_status != HTTP_OK)
        status = fault_set(why, ST_UNAVAILABLE, "%.100s: HTTP status %d", call.url, http_status);
    return status;
}

enum status oidc_ask_keys(const struct identity *id, struct arena *arena, slice *ret,
                          struct fault *why)
{
    struct endpoints endpoints;
    enum status status = discover(id, arena, &endpoints, why);

    return status == ST_OK ? fetch_keys(id, &endpoints, arena, ret, why) : status;
}

static enum status check_token(const struct identity *id, const struct endpoints *endpoints,
                               const struct oidc_flow *flow, slice text, struct arena *arena,
                               struct jwt *ret, struct fault *why)
{
    const struct jwt_expected expected = {.issuer = options_of(id)->issuer,
                                          .audience = options_of(id)->client_id,
                                          .nonce = slice_of(flow->nonce, sizeof flow->nonce),
                                          .now_s = clock_wall_ms() / 1000};
    slice keys;
    enum status status = jwt_parse(text, arena, ret, why);

    if (status == ST_OK)
        status = fetch_keys(id, endpoints, arena, &keys, why);
    if (status == ST_OK)
        status = jwt_verify(ret, keys, arena, why);
    if (status == ST_OK)
        status = jwt_check(ret, &expected, why);
    return status == ST_NOT_FOUND ? ST_UNAUTHORIZED : status;
}

slice oidc_subject_key(const struct oidc_options *o, slice subject, struct arena *arena)
{
    return arena_printf(arena, "%.*s %.*s", SLICE_FMT(o->issuer), SLICE_FMT(subject));
}

static bool is_verified(const struct json *claims)
{
    bool verified = false;
    slice word = {0};

    if (json_get_text(claims, SLICE("email_verified"), &word)) /* some issuers' spelling */
        return slice_equal(word, SLICE("true"));
    return json_get_bool(claims, SLICE("email_verified"), &verified) && verified;
}

static const char *write_bearer(slice access, struct arena *arena)
{
    BUF_CLEANUP struct buf text = {.max = REQUEST_MAX};

    buf_append_str(&text, "Bearer ");
    buf_append(&text, access);
    return text.failed ? NULL : (const char *)arena_copy(arena, buf_slice(&text)).ptr;
}

/* The token has an address, or the issuer tells it of the same subject. */
static enum status find_email(const struct identity *id, const struct endpoints *endpoints,
                              const struct json *answer, const struct json **claims, slice subject,
                              struct arena *arena, struct fault *why)
{
    struct json *told;
    slice access, said;
    enum status status;

    if (json_member(*claims, SLICE("email")) || !endpoints->person ||
        !json_get_text(answer, SLICE("access_token"), &access))
        return ST_OK;
    struct http_call call = {
        .method = "GET", .url = endpoints->person, .authorization = write_bearer(access, arena)};
    if (!call.authorization)
        return fault_set(why, ST_NO_MEMORY, "no memory for the issuer's call");
    status = fetch_object(id, &call, arena, &told, why);
    if (status != ST_OK)
        return status;
    if (!json_get_text(told, SLICE("sub"), &said) || !slice_equal(said, subject))
        return fault_set(why, ST_UNAUTHORIZED, "the issuer speaks of somebody else");
    *claims = told;
    return ST_OK;
}

static enum status read_person(const struct identity *id, const struct json *claims, slice subject,
                               struct arena *arena, struct oidc_person *ret, struct fault *why)
{
    slice email;

    if (!json_get_text(claims, SLICE("email"), &email) || !user_email_valid(email))
        return fault_set(why, ST_UNAUTHORIZED, "the issuer tells no e-mail address");
    if (!is_verified(claims) && !options_of(id)->trusts_email)
        return fault_set(why, ST_UNAUTHORIZED, "the issuer has not verified the e-mail address");
    ret->email = email;
    ret->subject = oidc_subject_key(options_of(id), subject, arena);
    return arena->failed ? fault_set(why, ST_NO_MEMORY, "no memory for a user") : ST_OK;
}

enum status oidc_ask_person(const struct identity *id, const struct oidc_flow *flow, slice code,
                            slice redirect_uri, struct arena *arena, struct oidc_person *ret,
                            struct fault *why)
{
    struct endpoints endpoints = {0};
    const struct json *claims;
    struct json *answer;
    struct jwt token;
    slice text, subject;
    enum status status = discover(id, arena, &endpoints, why);

    if (status == ST_OK)
        status = redeem(id, &endpoints, flow, code, redirect_uri, arena, &answer, why);
    if (status == ST_OK && !json_get_text(answer, SLICE("id_token"), &text))
        status = fault_set(why, ST_UNAUTHORIZED, "the issuer sends no ID token");
    if (status == ST_OK)
        status = check_token(id, &endpoints, flow, text, arena, &token, why);
    if (status != ST_OK)
        return status;
    if (!json_get_text(token.claims, SLICE("sub"), &subject) || subject.len == 0 ||
        subject.len > SUBJECT_MAX)
        return fault_set(why, ST_UNAUTHORIZED, "the ID token names nobody");
    claims = token.claims;
    status = find_email(id, &endpoints, answer, &claims, subject, arena, why);
    return status == ST_OK ? read_person(id, claims, subject, arena, ret, why) : status;
}
