/* Inside identity/: one way to read and to change who may use the application.
 *
 *     the view: all roles and organizations, the subject, what is counted   one read
 *     decide: may this be, and what is to be written                         no I/O
 *     the unit of work, guarded by the version of the view                   one write
 *
 * A change that came between starts the whole anew, so what was decided holds when it is done:
 * limits, the last administrator, and that nobody hands out more than he has. */
#ifndef MUSTER_IDENTITY_ACCESS_INTERNAL_H
#define MUSTER_IDENTITY_ACCESS_INTERNAL_H

#include "base/arena.h"
#include "codec/json.h"
#include "identity/access/audit.h"
#include "identity/access/organization.h"
#include "identity/access/role.h"
#include "identity/identity_internal.h"

enum holder { HOLDER_NONE, HOLDER_USER, HOLDER_TOKEN }; /* as stored */

#define ADMINISTRATOR_ROLE "ca310b8d-2f4a-44e0-a36e-957c202cd8d4"

struct access_view {
    int64_t version;
    const struct role *roles; /* the application's own, in order of ID */
    size_t role_count;
    const struct organization *organizations; /* in order of ID */
    size_t organization_count;

    /* Of the subject, a user or a token: */
    bool found;
    slice text;        /* e-mail address */
    instant at, until; /* created; ends */
    const struct assignment *assignments;
    size_t assignment_count;

    /* Counted: */
    int64_t role_uses, organization_uses; /* assignments of a role; what is in an organization */
    int64_t other_administrators;         /* users but the subject */
    int64_t users, tokens;
    bool text_taken; /* the e-mail address is another user's */
};

struct access_op;
/* ST_OK with what is to be written in `unit` (NULL for an op that only reads), or why not. */
typedef enum status access_decide_fn(struct access_op *op, const struct access_view *view,
                                     struct unit *unit, struct fault *why);
/* The end; the op is freed afterwards. */
typedef void access_answer_fn(struct access_op *op, enum status status, const struct fault *why);

/* First in a module's own struct on the heap. */
struct access_op {
    struct identity *id;
    struct act act;
    enum holder holder; /* what the subject is */
    slice subject;      /* its ID */
    slice text;         /* the e-mail address that is looked for, in lower case */
    bool only_reads;
    access_decide_fn *decide;
    access_answer_fn *answer;
    void *context;
    struct arena arena; /* of the view, until the answer is given */
    unsigned rounds;
};
void access_start(struct access_op *op);

/* --- the view --------------------------------------------------------------------------------- */

typedef void access_view_fn(struct access_op *op, enum status status,
                            const struct access_view *view);
/* Reads it into the op's arena. */
void access_view_read(struct access_op *op, access_view_fn *on_view);

/* False: there is no such role. */
CHECKED bool access_role(const struct access_view *view, slice role_id, struct role *ret);
const struct organization *access_organization(const struct access_view *view,
                                               slice organization_id);
/* The path of an organization or of the application; false: there is no such organization. */
CHECKED bool access_path(const struct access_view *view, slice organization_id, slice *ret);

/* "devices.view devices.update" <-> the set. Unknown words, of a newer version, grant nothing. */
void permissions_write(permission_set set, struct buf *to);
permission_set permissions_read(slice text);
/* The same as JSON, ["devices.view"]. */
void permissions_put(struct json_writer *w, slice name, permission_set set);

/* 1 to ACCESS_NAME_MAX characters, none of them a control character. */
#define ACCESS_NAME_RULE "a name has 1 to 148 characters, none of them a control character"
bool access_name_valid(slice name);
/* Letters, digits, '-' and '_'. */
bool access_id_valid(slice id, size_t max);

/* --- roles of users and tokens -----------------------------------------------------------------
 */

/* Whether the caller may hand these out: all exist, none twice, none beyond his own. */
CHECKED enum status assignments_check(const struct access_op *op, const struct access_view *view,
                                      const struct assignment *list, size_t count,
                                      struct fault *why);
/* How many of the list the caller covers; those come first in `ret` (of at least `count`). */
size_t assignments_covered(const struct access_op *op, const struct access_view *view,
                           const struct assignment *list, size_t count, struct assignment *ret);
void assignments_unit_replace(struct unit *unit, enum holder holder, slice holder_id,
                              const struct assignment *list, size_t count);
void assignments_put(struct json_writer *w, const struct assignment *list, size_t count);

/* A page of users or tokens with their roles. The statement's columns: ID, text, two instants,
 * role, organization, the organization's path; rows of one holder together. */
struct holder_row {
    slice id, text;
    instant at, until;
    const struct assignment *roles; /* those that `by` covers */
    size_t role_count;
};
/* `on_row` is the caller's callback, which `give` knows the type of. */
typedef void any_fn(void);
typedef void holder_fn(any_fn *on_row, void *context, enum status status,
                       const struct holder_row *h);
void holders_list(struct identity *id, const struct sql *sql, const struct principal *by,
                  slice after, unsigned limit, holder_fn *give, any_fn *on_row, void *context);
/* ST_OK when the caller covers all that the subject has, and could have handed it out; otherwise
 * ST_NOT_FOUND or ST_FORBIDDEN. `kind` is a word for it. */
CHECKED enum status subject_check(const struct access_op *op, const struct access_view *view,
                                  const char *kind, struct fault *why);

/* --- the audit -------------------------------------------------------------------------------- */

/* What an act did, into its unit; `before` and `after` may be NULL. */
void access_audit(const struct access_op *op, struct unit *unit, const char *action,
                  const struct buf *before, const struct buf *after);

#endif
