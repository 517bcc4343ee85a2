/* The audit log: who did what, when, from where, and how it ended (SECURITY-MODEL O7).
 *
 * Entries are numbered from 1 and chained: hash(n) = SHA-256 in hex of "{hash(n-1)} {n} {entry}",
 * hash(0) being 64 zeros. So whoever has kept one hash can tell whether any entry before it was
 * changed, added or left out. The database computes the chain where it adds the row, in the unit
 * of work of the change itself.
 *
 * There is no way to change or delete an entry. What is older than AUDIT_KEPT_DAYS goes by itself,
 * oldest first, a little with every new entry. No secret is ever part of one. */
#ifndef MUSTER_IDENTITY_AUDIT_H
#define MUSTER_IDENTITY_AUDIT_H

#include "base/clock.h"
#include "identity/identity.h"

#define AUDIT_KEPT_DAYS 400
#define AUDIT_ENTRY_MAX (16 * 1024)
#define AUDIT_HASH_LEN 64

struct audit_entry {
    slice actor;         /* the token's ID, later also a user's */
    slice source;        /* address */
    slice action;        /* "devices.block": the kind of thing, then the act */
    slice target;        /* which thing */
    slice result;        /* "ok", "denied" */
    slice request_id;    /* x-ms-request-id of the answer */
    slice before, after; /* JSON; empty: not told */
};

/* With the change that the unit makes. */
void audit_unit_add(struct unit *unit, const struct audit_entry *e);
/* In a unit of its own; a failure is logged, too. UNIT_URGENT: of what had to be done although the
 * disk is nearly full. `on_noted` NULL: nobody waits. */
typedef void audit_noted_fn(void *context, enum status status);
void audit_note(struct identity *id, const struct audit_entry *e, enum unit_urgency urgency,
                audit_noted_fn *on_noted, void *context);
/* The same for a refusal, of which the first AUDIT_DENIALS_A_SECOND of a source count. */
#define AUDIT_DENIALS_A_SECOND 10
void audit_note_denial(struct identity *id, const struct audit_entry *e);

struct audit_row {
    int64_t number;
    slice entry;          /* JSON, as it was hashed */
    slice hash, previous; /* in hex */
};
/* `r` NULL: the end; `before` is then where the next page begins, 0 when there is none. */
typedef void audit_fn(void *context, enum status status, const struct audit_row *r, int64_t before);

struct audit_filter {
    int64_t before; /* numbers below; 0: from the newest */
    unsigned limit;
    instant from, to; /* at >= from and < to; to 0: no end */
    slice actor, target;
    slice action; /* "devices", "devices.block"; empty: any */
};
/* Newest first. A page looks at AUDIT_WINDOW entries at most, so it may end early. */
#define AUDIT_WINDOW 20000
void audit_list(struct identity *id, const struct audit_filter *filter, audit_fn *on_row,
                void *context);

#endif
