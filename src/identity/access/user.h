/* Users: who they are and which roles they have. Slices given to a function are borrowed until its
 * callback. */
#ifndef MUSTER_IDENTITY_USER_H
#define MUSTER_IDENTITY_USER_H

#include "base/clock.h"
#include "identity/access/access.h"

#define USER_ID_MAX 48
#define USER_EMAIL_MAX 254
#define USERS_MAX 10000

struct user {
    slice id, email;
    instant created_at;
    const struct assignment *roles; /* those that the caller covers */
    size_t role_count;
};

bool user_id_valid(slice id); /* letters, digits, '-' and '_' */
/* Something before and behind one '@', no blank, nothing that needs a quote. */
bool user_email_valid(slice email);
/* Addresses are one without case: how they are compared. At most USER_EMAIL_MAX bytes, in `to`. */
slice user_email_key(slice email, uint8_t to[USER_EMAIL_MAX]);

/* ST_NOT_FOUND also for one of whom the caller covers no role. */
typedef void user_fn(void *context, enum status status, const struct user *u,
                     const struct fault *why);
/* A page in order of ID, then once with u == NULL. */
void user_list(struct identity *id, const struct principal *by, slice after, unsigned limit,
               user_fn *on_row, void *context);
void user_get(struct identity *id, const struct principal *by, slice user_id, user_fn *on_user,
              void *context);

struct user_change {
    slice id;
    bool must_exist;                /* else he may be made */
    bool must_be_new;               /* ST_PRECONDITION_FAILED: he is there */
    slice email;                    /* NULL pointer: as it is */
    const struct assignment *roles; /* NULL: as they are */
    size_t role_count;
};
/* ST_FORBIDDEN: a role or organization beyond the caller's own, or a user who has roles beyond
 * them; ST_CONFLICT: the e-mail address is another's, or the last administrator would go. Other
 * roles end his sessions. */
void user_put(struct identity *id, const struct act *act, const struct user_change *change,
              user_fn *on_done, void *context);
void user_delete(struct identity *id, const struct act *act, slice user_id, user_fn *on_done,
                 void *context);

#endif
