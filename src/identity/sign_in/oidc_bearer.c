/* Access tokens of the issuer, and a worker's own copy of its keys.
 *
 *     parse -> a key that we have -> checked -> the user
 *                   | none of that name, or they are old
 *                   v
 *              wait while the issuer is asked, at most every ten seconds -> checked -> the user */
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "codec/jwt.h"
#include "identity/sign_in/oidc_internal.h"

#define BEARER "Bearer "
#define KEYS_LIFE_MS (INT64_C(3600) * 1000)
#define REASK_MS 10000 /* whoever makes up names of keys does not make us ask */
#define WAITING_MAX 64
#define KEYS_MAX (128 * 1024)

static const struct sql find_sql = {
    "SELECT s.user_id, 0, 0, " USER_ROLES_OF("user_secret") " WHERE s.subject = ?1 ORDER BY path"};

struct bearer {
    struct identity *id;
    service_principal_fn *on_principal;
    void *context;
    struct bearer *next;
    struct jwt token;
    struct arena arena;
};

struct issuer_keys {
    struct desk_job job; /* first; one at a time */
    struct identity *id;
    struct buf text;
    int64_t asked_ms, got_ms; /* monotonic; 0: never */
    bool is_asking;
    struct bearer *waiting;
    unsigned waiting_count;
    /* Of the job: */
    enum status status;
    struct fault why;
    struct arena arena;
    slice answer;
};

static void bearer_free(struct bearer *b)
{
    arena_deinit(&b->arena);
    free(b);
}

void issuer_keys_destroy(struct issuer_keys *keys)
{
    if (!keys)
        return;
    while (keys->waiting) { /* the workers stopped before the issuer answered */
        struct bearer *next = keys->waiting->next;

        bearer_free(keys->waiting);
        keys->waiting = next;
    }
    buf_deinit(&keys->text);
    arena_deinit(&keys->arena);
    free(keys);
}

/* NULL: no memory. */
static struct issuer_keys *own_keys(struct identity *id)
{
    struct issuer_keys **own = &id->workers[worker_index(worker_current())].issuer_keys;

    if (!*own)
        *own = calloc(1, sizeof **own);
    if (*own && !(*own)->id) {
        (*own)->id = id;
        buf_init(&(*own)->text, KEYS_MAX);
    }
    return *own;
}

static void refuse(struct bearer *b, enum status status, const char *cause)
{
    struct fault why;

    fault_set(&why, status, "%s", cause);
    b->on_principal(b->context, status, NULL, &why);
    bearer_free(b);
}

/* --- the user --------------------------------------------------------------------------------- */

/* When the token was made; without a word about it, long ago. */
static int64_t made_at_ms(const struct jwt *token)
{
    int64_t at_s = 0;

    return json_get_int(token->claims, SLICE("iat"), &at_s) && at_s > 0 ? at_s * 1000 : 1;
}

static void on_user(void *context, enum status status, struct rows *rows)
{
    struct bearer *b = context;
    struct principal p = {.permissions = 0};
    struct fault why = {.status = ST_OK};
    bool found = status == ST_OK && rows_next(rows);

    if (found)
        user_principal_read(rows, &p);
    if (status != ST_OK || rows_status(rows) != ST_OK) {
        refuse(b, ST_UNAVAILABLE, "the users could not be read");
    } else if (!found) {
        refuse(b, ST_UNAUTHORIZED, "nobody has signed in here with the token's subject");
    } else {
        p.signed_in_at = made_at_ms(&b->token);
        b->on_principal(b->context, ST_OK, &p, &why);
        bearer_free(b);
    }
}

static void find_user(struct bearer *b)
{
    const struct oidc_options *o = b->id->options.oidc;
    const struct jwt_expected expected = {.issuer = o->issuer,
                                          .audience = o->audience,
                                          .now_s = clock_wall_ms() / 1000,
                                          .by_anyone = true};
    slice subject, key;
    struct fault why;

    if (jwt_check(&b->token, &expected, &why) != ST_OK) {
        refuse(b, ST_UNAUTHORIZED, why.text);
        return;
    }
    if (!json_get_text(b->token.claims, SLICE("sub"), &subject) || subject.len == 0) {
        refuse(b, ST_UNAUTHORIZED, "the token names nobody");
        return;
    }
    key = oidc_subject_key(o, subject, &b->arena);
    if (!key.ptr) {
        refuse(b, ST_NO_MEMORY, "no memory for a token");
        return;
    }
    const struct sql_value value = SQL_TEXT_(key);
    store_read(b->id->store, &find_sql, &value, 1, on_user, b);
}

/* --- the keys --------------------------------------------------------------------------------- */

static enum status verify(struct bearer *b, const struct issuer_keys *keys, struct fault *why)
{
    return jwt_verify(&b->token, buf_slice(&keys->text), &b->arena, why);
}

static void ask_keys(struct desk_job *job)
{
    struct issuer_keys *keys = (struct issuer_keys *)job;

    keys->status = oidc_ask_keys(keys->id, &keys->arena, &keys->answer, &keys->why);
}

static void take_answer(struct issuer_keys *keys)
{
    if (keys->job.was_refused)
        keys->status = fault_set(&keys->why, ST_UNAVAILABLE, "too many wait for the issuer");
    if (keys->status == ST_OK) {
        buf_clear(&keys->text);
        buf_append(&keys->text, keys->answer);
        keys->got_ms = clock_mono_ms();
    } else {
        LOG_LIMITED(LOG_LEVEL_WARN, "oidc_failed", LOG_STR("status", status_name(keys->status)),
                    LOG_FAULT(&keys->why));
    }
    arena_deinit(&keys->arena);
    keys->is_asking = false;
}

static void on_keys(struct desk_job *job)
{
    struct issuer_keys *keys = (struct issuer_keys *)job;
    struct bearer *b = keys->waiting, *next;

    take_answer(keys);
    keys->waiting = NULL;
    keys->waiting_count = 0;
    for (; b; b = next) {
        struct fault why;

        next = b->next;
        if (keys->status != ST_OK)
            refuse(b, ST_UNAVAILABLE, "the issuer does not answer");
        else if (verify(b, keys, &why) == ST_OK)
            find_user(b);
        else
            refuse(b, ST_UNAUTHORIZED, why.text);
    }
}

static void wait_for_keys(struct bearer *b, struct issuer_keys *keys)
{
    if (keys->waiting_count == WAITING_MAX) {
        refuse(b, ST_UNAVAILABLE, "too many wait for the issuer");
        return;
    }
    b->next = keys->waiting;
    keys->waiting = b;
    keys->waiting_count++;
    if (keys->is_asking)
        return;
    keys->is_asking = true;
    keys->asked_ms = clock_mono_ms();
    arena_init(&keys->arena, 2 * JWT_ARENA_MAX);
    keys->job.work = ask_keys;
    keys->job.on_done = on_keys;
    desk_submit(&keys->id->issuer, &keys->job);
}

static void check(struct bearer *b, struct issuer_keys *keys)
{
    int64_t now_ms = clock_mono_ms();
    bool has = keys->got_ms > 0 && now_ms < keys->got_ms + KEYS_LIFE_MS;
    bool may_ask = keys->is_asking || keys->asked_ms == 0 || now_ms >= keys->asked_ms + REASK_MS;
    struct fault why = {.status = ST_NOT_FOUND, .text = "the issuer's keys are not known"};
    enum status status = has ? verify(b, keys, &why) : ST_NOT_FOUND;

    if (status == ST_OK)
        find_user(b);
    else if (status == ST_NOT_FOUND && may_ask)
        wait_for_keys(b, keys);
    else
        refuse(b, has ? ST_UNAUTHORIZED : ST_UNAVAILABLE, why.text);
}

/* --- authentication --------------------------------------------------------------------------- */

/* A JSON object's first characters in base64url; tokens of ours have a blank in them. */
bool oidc_is_access_token(const struct identity *id, slice authorization)
{
    return oidc_is_on(id) && id->options.oidc->audience.len > 0 &&
           slice_starts_with_nocase(authorization, SLICE(BEARER "ey"));
}

void oidc_authenticate(struct identity *id, slice authorization, service_principal_fn *on_principal,
                       void *context)
{
    slice text = slice_trim(slice_from(authorization, sizeof BEARER - 1));
    struct issuer_keys *keys = own_keys(id);
    struct bearer *b = calloc(1, sizeof *b);
    struct fault why;

    if (!keys || !b) {
        free(b);
        fault_set(&why, ST_UNAVAILABLE, "out of memory");
        on_principal(context, ST_UNAVAILABLE, NULL, &why);
        return;
    }
    *b = (struct bearer){.id = id, .on_principal = on_principal, .context = context};
    arena_init(&b->arena, 2 * JWT_ARENA_MAX);
    if (jwt_parse(text, &b->arena, &b->token, &why) == ST_OK)
        check(b, keys);
    else
        refuse(b, why.status == ST_NO_MEMORY ? ST_UNAVAILABLE : ST_UNAUTHORIZED, why.text);
}
