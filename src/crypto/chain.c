#include "crypto/chain.h"

#include <assert.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "crypto/certificate_internal.h"
#include "crypto/chain_internal.h"

/* Issuers that bear the right name and must be told apart by the signature, in one search. A peer
 * that sends CERTIFICATE_CHAIN_MAX certificates cannot make so many; as many authorities of one
 * name, in certificates without key identifiers, could. */
#define SIGNATURES_MAX 128

/* How far a path came before it failed: the sentence of the one that came farthest is told. */
#define RANK_COMPLETE 100
#define RANK_FULL 50

struct search {
    const struct chain_input *in;
    size_t candidates;
    struct chain_links links;           /* the path in hand */
    size_t next[CERTIFICATE_CHAIN_MAX]; /* the candidate to try above each of them */
    unsigned signatures_left;
    struct {
        size_t rank; /* 0: none yet */
        enum chain_reason reason;
        struct chain_links links;
        size_t failed_at;
        struct fault why;
    } best; /* failure */
};

static X509 *top(const struct search *s)
{
    return s->links.certificates[s->links.count - 1];
}

/* Anchors first, so that a path ends at the one nearest to the leaf; then what the operator has,
 * then what the peer sent: where both lead up, the operator's certificate decides. */
static X509 *candidate(const struct search *s, size_t i)
{
    const struct chain_input *in = s->in;

    if (i < in->anchor_count)
        return in->anchors[i];
    i -= in->anchor_count;
    if (i < in->known_count)
        return in->known[i];
    return sk_X509_value(in->presented, (int)(i - in->known_count));
}

static bool same_name(const X509_NAME *a, const X509_NAME *b)
{
    return X509_NAME_cmp(a, b) == 0;
}

static bool same_key(const X509 *a, const X509 *b)
{
    const ASN1_BIT_STRING *left = X509_get0_pubkey_bitstr(a), *right = X509_get0_pubkey_bitstr(b);

    return left && right && ASN1_STRING_cmp(left, right) == 0;
}

/* The same holder twice leads nowhere new: loops end here. */
static bool is_in_path(const struct search *s, const X509 *certificate)
{
    for (size_t i = 0; i < s->links.count; i++) {
        const X509 *have = s->links.certificates[i];

        if (same_name(X509_get_subject_name(have), X509_get_subject_name(certificate)) &&
            same_key(have, certificate))
            return true;
    }
    return false;
}

static bool was_tried(const struct search *s, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (X509_cmp(candidate(s, i), candidate(s, at)) == 0)
            return true;
    }
    return false;
}

/* Key identifiers tell rolled authorities of one name apart without a look at the signature. The
 * issuer and serial in the same extension do not: a renewed certificate has another serial. */
static bool key_may_fit(const X509 *certificate, const X509 *issuer)
{
    int verdict = X509_check_issued(lazy(issuer), lazy(certificate));

    return verdict != X509_V_ERR_AKID_SKID_MISMATCH &&
           verdict != X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH;
}

static bool is_signed_by(struct search *s, const X509 *certificate, const X509 *issuer)
{
    if (!key_may_fit(certificate, issuer))
        return false;
    /* Such a path is refused whatever the signature; to verify it could take long. */
    if (!certificate_key_allowed(issuer))
        return true;
    if (s->signatures_left == 0)
        return false;
    s->signatures_left--;
    return X509_verify(lazy(certificate), X509_get0_pubkey(issuer)) == 1;
}

enum find { FIND_NOTHING, FIND_NAMESAKE, FIND_LINK, FIND_ANCHOR };

static enum find find_issuer(struct search *s, X509 **ret)
{
    const X509 *child = top(s);
    size_t *next = &s->next[s->links.count - 1];
    /* It has its issuer: others of its name are not. */
    bool may_have_issuer = !chain_is_self_signed(child);
    enum find found = FIND_NOTHING;

    while (*next < s->candidates) {
        size_t i = (*next)++;
        X509 *issuer = candidate(s, i);

        if (!same_name(X509_get_subject_name(issuer), X509_get_issuer_name(child)) ||
            is_in_path(s, issuer) || was_tried(s, i))
            continue;
        if (may_have_issuer && is_signed_by(s, child, issuer)) {
            *ret = issuer;
            return i < s->in->anchor_count ? FIND_ANCHOR : FIND_LINK;
        }
        found = FIND_NAMESAKE;
    }
    return found;
}

static void note_failure(struct search *s, size_t rank, enum chain_reason reason, size_t at,
                         const struct fault *why)
{
    if (rank <= s->best.rank)
        return;
    s->best.rank = rank;
    s->best.reason = reason;
    s->best.links = s->links;
    s->best.failed_at = at;
    s->best.why = *why;
}

static void note_dead_end(struct search *s, enum find found)
{
    char subject[NAME_LABEL_MAX], issuer[NAME_LABEL_MAX];
    enum chain_reason reason = CHAIN_NO_ISSUER;
    size_t rank = s->links.count * 2;
    struct fault why;

    name_label(X509_get_subject_name(top(s)), subject);
    name_label(X509_get_issuer_name(top(s)), issuer);
    if (chain_is_self_signed(top(s))) {
        fault_set(&why, ST_UNAUTHORIZED, "'%s' is self-signed: no authority here issued it%s",
                  subject,
                  found == FIND_NAMESAKE ? "; the authority of that name has another key" : "");
    } else if (found == FIND_NAMESAKE) {
        reason = CHAIN_BAD_SIGNATURE;
        rank++;
        fault_set(&why, ST_UNAUTHORIZED, "'%s' is not signed by the key of '%s'", subject, issuer);
    } else {
        fault_set(&why, ST_UNAUTHORIZED, "'%s' was issued by '%s', which is neither here nor sent",
                  subject, issuer);
    }
    if (s->signatures_left == 0) {
        reason = CHAIN_OTHER;
        fault_set(&why, ST_UNAUTHORIZED, "'%s': too many certificates of the name '%s'", subject,
                  issuer);
    }
    note_failure(s, rank, reason, s->links.count - 1, &why);
}

static void note_full(struct search *s)
{
    struct fault why;

    fault_set(&why, ST_UNAUTHORIZED, "the chain has more than %d certificates",
              CERTIFICATE_CHAIN_MAX);
    note_failure(s, RANK_FULL, CHAIN_TOO_LONG, s->links.count - 1, &why);
}

static void push(struct search *s, X509 *certificate)
{
    s->next[s->links.count] = 0;
    s->links.certificates[s->links.count++] = certificate;
}

static bool check_complete(struct search *s)
{
    struct fault why = {0};
    size_t at = 0;
    enum chain_reason reason = chain_check_links(&s->links, s->in->now, &at, &why);

    if (reason == CHAIN_GOOD)
        return true;
    note_failure(s, RANK_COMPLETE, reason, at, &why);
    s->links.count--;
    return false;
}

/* Depth first, without recursion: true with the first path that holds. */
static bool search_path(struct search *s)
{
    while (s->links.count > 0) {
        X509 *issuer = NULL;
        enum find found = find_issuer(s, &issuer);

        if (found == FIND_NOTHING || found == FIND_NAMESAKE) {
            note_dead_end(s, found);
            s->links.count--;
        } else if (s->links.count == CERTIFICATE_CHAIN_MAX) {
            note_full(s);
            s->links.count--;
        } else {
            push(s, issuer);
            if (found == FIND_ANCHOR && check_complete(s))
                return true;
        }
    }
    return false;
}

static void share_links(const struct chain_links *links, size_t failed_at, struct chain_path *ret)
{
    *ret = (struct chain_path){.count = links->count, .failed_at = failed_at};
    for (size_t i = 0; i < links->count; i++)
        ret->certificates[i] = certificate_share(links->certificates[i]);
}

void chain_path_deinit(struct chain_path *path)
{
    for (size_t i = 0; i < path->count; i++)
        certificate_free(path->certificates[i]);
    *path = (struct chain_path){0};
}

enum chain_reason chain_build(const struct chain_input *in, struct chain_path *ret,
                              struct fault *why)
{
    int presented = in->presented ? sk_X509_num(in->presented) : 0;
    struct search s = {.in = in, .signatures_left = SIGNATURES_MAX};

    assert(in->leaf);
    push(&s, in->leaf);
    if (presented > CERTIFICATE_CHAIN_MAX) {
        note_full(&s);
    } else {
        s.candidates = in->anchor_count + in->known_count + (size_t)presented;
        if (search_path(&s)) {
            share_links(&s.links, 0, ret);
            ERR_clear_error();
            return CHAIN_GOOD;
        }
    }
    share_links(&s.best.links, s.best.failed_at, ret);
    ERR_clear_error(); /* or the next TLS read on this thread would take them for its own */
    if (why)
        *why = s.best.why;
    return s.best.reason;
}

bool chain_is_issued_by(const struct x509_st *subject, const struct x509_st *authority)
{
    bool issued = same_name(X509_get_issuer_name(subject), X509_get_subject_name(authority)) &&
                  X509_verify(lazy(subject), X509_get0_pubkey(authority)) == 1;

    ERR_clear_error();
    return issued;
}
