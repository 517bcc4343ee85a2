/* Inside identity/: what the ways of signing in share. */
#ifndef MUSTER_IDENTITY_SIGN_IN_INTERNAL_H
#define MUSTER_IDENTITY_SIGN_IN_INTERNAL_H

#include "identity/access/access_internal.h"
#include "identity/access/sign_in_store.h"
#include "identity/access/user.h"
#include "identity/sign_in/password_rules.h"
#include "identity/sign_in/password_work.h"
#include "identity/sign_in/sign_in.h"

/* A sign-in under way. */
struct sign_in_op {
    struct password_work work; /* first */
    struct identity *id;
    sign_in_fn *on_done;
    void *context;
    slice source, request_id;
    slice account; /* what the limit counts */
    const char *action;
    int64_t wait_s;
    bool is_known; /* there is such a user, with a password */
    size_t user_id_len;
    char user_id[USER_ID_MAX];
    size_t email_key_len;
    uint8_t email_key[USER_EMAIL_MAX];
    struct user_session_new session;
};

/* Of a table with a user_id, as `s`: a row for each of the user's roles. */
#define USER_ROLES_OF(table)                                                                       \
    "a.role_id, r.permissions, CASE a.organization_id WHEN '' THEN '' ELSE o.path END AS path"     \
    " FROM " table " s JOIN app_user u ON u.user_id = s.user_id"                                   \
    " LEFT JOIN assignment a ON a.holder_kind = 1 AND a.holder_id = s.user_id"                     \
    " LEFT JOIN role r ON r.role_id = a.role_id"                                                   \
    " LEFT JOIN organization o ON o.organization_id = a.organization_id"
/* From the first of those rows on, in order of the path; before them stand the ID and two columns.
 * Who has roles in several organizations acts in the first; one with a role in the whole
 * application acts there. */
void user_principal_read(struct rows *rows, struct principal *p);

static inline slice op_user_id(const struct sign_in_op *op)
{
    return slice_of(op->user_id, op->user_id_len);
}

/* Whether this address, and this account unless it is empty, may try now. */
CHECKED bool sign_in_may_try(struct identity *id, slice source, slice account, int64_t *ret_wait_s);

/* NULL: no memory. The caller sets on_done and its context. */
struct sign_in_op *sign_in_op_create(struct identity *id, slice source, slice request_id,
                                     const char *action);
/* Begins the session in the unit, tells the audit log, submits; then answers and frees the op. */
void sign_in_begin_session(struct sign_in_op *op, struct unit *unit);
/* Answers without one and frees the op. ST_UNAUTHORIZED is told in the audit log. */
void sign_in_refuse(struct sign_in_op *op, enum status status, const char *cause);

#endif
