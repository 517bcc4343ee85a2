/* Inside identity/: what its files know of each other. */
#ifndef MUSTER_IDENTITY_IDENTITY_INTERNAL_H
#define MUSTER_IDENTITY_IDENTITY_INTERNAL_H

#include "codec/sas.h"
#include "identity/identity.h"
#include "identity/policy.h"
#include "identity/refusal_cache.h"
#include "identity/sign_in/desk.h"
#include "identity/sign_in/try_limit.h"
#include "identity/trust/trust_internal.h"

struct indexer;
struct issuer_keys;
struct ocsp_cache;

void issuer_keys_destroy(struct issuer_keys *keys);

/* --- pairs of keys at rest -------------------------------------------------------------------- */

#define SEAL_ROW_MAX 300
#define KEY_PAIR_MAX (2 * (1 + SECRET_MAX))
#define KEY_PAIR_SEALED_MAX (KEY_PAIR_MAX + SEAL_OVERHEAD)

/* A buffer over the caller's own array. It never grows, so no key is left behind on the heap. */
#define BUF_OVER(array) ((struct buf){.ptr = (array), .cap = sizeof(array), .max = sizeof(array)})

struct worker_identity {
    struct refusal_cache refusals;
    struct worker_trust trust;
    struct ocsp_cache *ocsp;
    struct issuer_keys *issuer_keys; /* oidc_bearer.c; NULL: never asked for */
};

struct identity {
    struct workers *ws;
    struct store *store;
    const struct sealer *sealer;
    struct bus *bus;
    struct identity_options options;
    struct secret dummy_key; /* what an unknown identity's token is checked with */
    /* The same, sealed: an unknown device costs an unsealing too. */
    uint8_t dummy_sealed[KEY_PAIR_SEALED_MAX];
    size_t dummy_sealed_len;
    struct trust_home trust;
    struct indexer *indexer;
    _Atomic uint64_t denials[256]; /* audit.c */
    struct try_limit tries;
    struct desk passwords, issuer;
    unsigned worker_count;
    struct worker_identity workers[];
};

/* "host" of "host" or "host:port". */
slice host_without_port(slice host);

/* Of the worker whose thread this is. */
struct refusal_cache *identity_refusals(struct identity *id);

/* Appends both keys, sealed for the row {first} NUL {second} of `table`; `to` failed if not. */
void key_pair_seal(const struct sealer *s, const char *table, slice first, slice second,
                   const struct secret *primary, const struct secret *secondary, struct buf *to);
/* ST_INTERNAL when they do not open; the outputs are then absent. */
CHECKED enum status key_pair_unseal(const struct sealer *s, const char *table, slice first,
                                    slice second, slice sealed, struct secret *ret_primary,
                                    struct secret *ret_secondary, struct fault *why);

/* Whether the token was signed with the key; an absent key costs as much and never matches. */
bool token_signed_by(const struct identity *id, const struct sas_token *token,
                     const struct secret *key);

/* --- policies --------------------------------------------------------------------------------- */

#define DPS_SCOPE "dps"

/* Makes the default policies of every scope that has none yet. Blocking. */
CHECKED enum status policies_create_now(struct identity *id, struct fault *why);
/* Whether the policies' keys open. With another master key no secret of the store does, and a
 * server would refuse every device: better none. Blocking. */
CHECKED enum status policies_open_now(struct identity *id, struct fault *why);

/* "hub:{name}" in the caller's memory. */
#define POLICY_SCOPE_MAX 128
slice policy_scope_of_hub(const struct hub_name *hub, char to[POLICY_SCOPE_MAX]);

/* The hub's policy of that name (`hub` may be NULL), else the DPS's: one name may serve both. */
void policy_find(struct identity *id, const struct hub_name *hub, slice name, policy_fn *on_policy,
                 void *context);

#endif
