/* Authorities and denied certificates: their rows, and the statements that others add to their
 * units of work. Every change moves the version of the snapshot. */
#ifndef MUSTER_IDENTITY_AUTHORITY_STORE_H
#define MUSTER_IDENTITY_AUTHORITY_STORE_H

#include "base/arena.h"
#include "identity/trust/trust.h"
#include "store/store.h"

#define VERIFICATION_CODE_LEN 48
#define VERIFICATION_CODE_LIFE_MS (24LL * 3600 * 1000)
#define OCSP_URL_MAX 512
#define DENIED_MAX 65536
#define DENIAL_REASON_MAX 200

/* A slot as stored. Slices borrow from the row, or from the arena after authority_row_copy. */
struct authority_row {
    slice group; /* lower case */
    enum authority_slot slot;
    slice certificate; /* DER */
    slice thumbprint;  /* SHA-256, upper-case hex */
    bool enabled;
    instant verified_at; /* 0: not verified */
    slice verified_by;   /* who pressed the button: a token's name */
    bool self_attested;  /* "verified on upload" */
    slice code;          /* the outstanding one; empty: none */
    instant code_at;
    slice crl; /* marks (crl.h); empty: none */
    slice crl_number;
    instant crl_this_update, crl_next_update; /* this 0: none */
    slice ocsp_url;
    bool ocsp_strict;
    instant created_at, updated_at;
    int64_t version; /* the ETag */
};
struct authority_row *authority_row_copy(struct arena *arena, const struct authority_row *row);

/* Once each (at most two of a group, all with an empty one), then NULL with the final status. On a
 * worker. `group` in lower case. */
typedef void authority_row_fn(void *context, enum status status, const struct authority_row *row);
void authority_read(struct store *st, slice group, authority_row_fn *on_row, void *context);

/* The row takes the place of what the slot held: guarded by `was_version` (0: the slot is empty),
 * else ST_CONFLICT. The same certificate in a slot of another group makes the unit ST_CONFLICT. */
void authority_unit_put(struct unit *unit, const struct authority_row *row, int64_t was_version);
void authority_unit_delete(struct unit *unit, slice group, enum authority_slot slot,
                           int64_t was_version);
/* The group was switched on or off, or deleted. */
void authority_unit_enable(struct unit *unit, slice group, bool enabled);
void authority_unit_forget(struct unit *unit, slice group);
/* Moves the version of the snapshot: once in every unit that changes any of this. */
void trust_unit_move(struct unit *unit);

/* --- the deny list -----------------------------------------------------------------------------
 */

/* By thumbprint, or by serial within an enrollment group. */
struct denial {
    slice thumbprint;    /* SHA-1 or SHA-256, upper-case hex; empty: by serial */
    slice group, serial; /* group as written by people; serial in upper-case hex */
    slice reason;
    slice by; /* a token's name */
    instant at;
};
/* In order of insertion, then NULL. `after`: the last one's key, see denial_key. */
typedef void denial_fn(void *context, enum status status, const struct denial *d, slice key);
void denial_list(struct store *st, slice after, unsigned limit, denial_fn *on_denial,
                 void *context);
/* "t:ABCD…" or "s:group:1F": names the row. Appends. */
void denial_key(const struct denial *d, struct buf *to);
void denial_unit_put(struct unit *unit, const struct denial *d);
/* ST_CONFLICT when there is none. */
void denial_unit_delete(struct unit *unit, slice key);

#endif
