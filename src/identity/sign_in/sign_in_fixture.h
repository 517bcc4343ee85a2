/* For the tests of signing in: each call waits for its end. */
#ifndef MUSTER_IDENTITY_SIGN_IN_FIXTURE_H
#define MUSTER_IDENTITY_SIGN_IN_FIXTURE_H

#include "identity/access/access_fixture.h"
#include "identity/sign_in/invitation.h"
#include "identity/sign_in/sign_in.h"

#define GOOD_PASSWORD "vexed okapi on a tandem"
#define OTHER_PASSWORD "a tandem without okapi"

struct signing {
    struct fixture *f;
    void (*start)(struct signing *s);
    const char *email, *password, *fresh, *source;
    struct principal by;
    char code[INVITATION_CODE_LEN + 1];
    sem_t ended;
    enum status status;
    struct fault why;
    char session[USER_SESSION_ID_LEN + 1];
    char user_id[64], told_email[256];
    int64_t wait_s;
};

static inline void signing_start(void *context)
{
    struct signing *s = context;

    s->start(s);
}

static inline enum status sign(struct signing *s)
{
    s->status = ST_COUNT;
    sem_init(&s->ended, 0, 0);
    worker_call(workers_at(s->f->workers, 1), signing_start, s);
    sem_wait(&s->ended);
    sem_destroy(&s->ended);
    return s->status;
}

static inline void signing_end(struct signing *s, enum status status, const struct fault *why)
{
    s->status = status;
    if (why)
        s->why = *why;
    sem_post(&s->ended);
}

static inline void on_signed(void *context, enum status status, const struct signed_in *in,
                             const struct fault *why)
{
    struct signing *s = context;

    if (in && status == ST_OK) {
        memcpy(s->session, in->session_id.ptr, USER_SESSION_ID_LEN);
        snprintf(s->user_id, sizeof s->user_id, "%.*s", SLICE_FMT(in->user_id));
    } else if (in) {
        s->wait_s = in->wait_s;
    }
    signing_end(s, status, why);
}

static inline slice source_of(const struct signing *s)
{
    return slice_str(s->source ? s->source : "192.0.2.1:1000");
}

static inline void start_sign_in(struct signing *s)
{
    const struct sign_in what = {.email = slice_str(s->email),
                                 .password = slice_str(s->password),
                                 .source = source_of(s),
                                 .request_id = SLICE("request-1")};

    sign_in_by_password(s->f->id, &what, on_signed, s);
}

static inline void start_change(struct signing *s)
{
    const struct act act = {.by = &s->by, .source = source_of(s), .request_id = SLICE("request-1")};

    sign_in_change_password(s->f->id, &act, slice_str(s->password), slice_str(s->fresh), on_signed,
                            s);
}

static inline void on_redeemed(void *context, enum status status, slice email, int64_t wait_s,
                               const struct fault *why)
{
    struct signing *s = context;

    snprintf(s->told_email, sizeof s->told_email, "%.*s", SLICE_FMT(email));
    s->wait_s = wait_s;
    signing_end(s, status, why);
}

static inline void start_redeem(struct signing *s)
{
    const struct redemption r = {.code = slice_of(s->code, INVITATION_CODE_LEN),
                                 .password = slice_str(s->password),
                                 .email = slice_str(s->email),
                                 .source = source_of(s),
                                 .request_id = SLICE("request-1")};

    invitation_redeem(s->f->id, &r, on_redeemed, s);
}

static inline void on_invited(void *context, enum status status, const struct invitation *i,
                              const struct fault *why)
{
    struct signing *s = context;

    if (i)
        memcpy(s->code, i->code.ptr, i->code.len);
    signing_end(s, status, why);
}

static inline void start_invite(struct signing *s)
{
    const struct act act = {.by = &s->by, .source = source_of(s), .request_id = SLICE("request-1")};

    invitation_create(s->f->id, &act, slice_str(s->user_id), on_invited, s);
}

static inline void on_session(void *context, enum status status, const struct principal *p,
                              const struct fault *why)
{
    struct signing *s = context;

    if (p)
        s->by = *p;
    signing_end(s, status, why);
}

static inline void start_use(struct signing *s)
{
    user_session_authenticate(s->f->id, slice_of(s->session, USER_SESSION_ID_LEN), SESSION_USED,
                              on_session, s);
}

static inline void on_left(void *context, enum status status, const struct fault *why)
{
    signing_end(context, status, why);
}

static inline void start_leave(struct signing *s)
{
    const struct act act = {.by = &s->by, .source = source_of(s), .request_id = SLICE("request-1")};

    user_session_end(s->f->id, &act, slice_of(s->session, USER_SESSION_ID_LEN), on_left, s);
}

/* --- in one word ------------------------------------------------------------------------------ */

static inline enum status try_sign_in(struct fixture *f, const char *email, const char *password,
                                      struct signing *ret)
{
    *ret = (struct signing){.f = f, .start = start_sign_in, .email = email, .password = password};
    return sign(ret);
}

static inline enum status use_session(struct signing *s)
{
    s->start = start_use;
    return sign(s);
}

/* The code in `ret`. */
static inline enum status invite(struct fixture *f, struct principal by, const char *user_id,
                                 struct signing *ret)
{
    *ret = (struct signing){.f = f, .start = start_invite, .by = by};
    snprintf(ret->user_id, sizeof ret->user_id, "%s", user_id);
    return sign(ret);
}

/* With the code that is in `s`. */
static inline enum status redeem(struct signing *s, const char *password, const char *email)
{
    s->start = start_redeem;
    s->password = password;
    s->email = email;
    return sign(s);
}

/* A user with GOOD_PASSWORD. */
static inline void make_user(struct fixture *f, const char *id, const char *email, const char *role,
                             const char *organization)
{
    struct signing s;

    assert_int_equal(put_user(f, everything(), id, email, role, organization), ST_OK);
    assert_int_equal(invite(f, everything(), id, &s), ST_OK);
    assert_int_equal(redeem(&s, GOOD_PASSWORD, NULL), ST_OK);
}

#endif
