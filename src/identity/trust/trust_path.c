/* Whom a certificate leads to. Pure: a snapshot and a claim in, a decision out. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/crl.h"
#include "identity/trust/trust_internal.h"

#define SENTENCE_MAX 300

/* --- what chain.h refuses, as steps ---------------------------------------------------------- */

/* The step of a fault in the leaf itself; one further up is always the path's. */
static const struct {
    enum step leaf_step;
    const char *expected;
} chain_rules[] = {
    [CHAIN_GOOD] = {STEP_PATH, "a certificate chain"},
    [CHAIN_NO_ISSUER] = {STEP_PATH, "a chain that ends at a verified authority"},
    [CHAIN_BAD_SIGNATURE] = {STEP_PATH, "each certificate signed by the one above it"},
    [CHAIN_NOT_YET_VALID] = {STEP_LEAF, "a certificate whose validity has begun"},
    [CHAIN_EXPIRED] = {STEP_LEAF, "a certificate whose validity has not ended"},
    [CHAIN_ISSUER_NO_CA] = {STEP_PATH, "issuers with basicConstraints CA:TRUE"},
    [CHAIN_ISSUER_MAY_NOT_SIGN] = {STEP_PATH, "issuers whose keyUsage has keyCertSign"},
    [CHAIN_PATH_LENGTH] = {STEP_PATH, "a path within the path lengths of its issuers"},
    [CHAIN_TOO_LONG] = {STEP_PATH, "at most 8 certificates"},
    [CHAIN_WEAK_KEY] = {STEP_LEAF, "RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519"},
    [CHAIN_WEAK_SIGNATURE] = {STEP_LEAF, "signatures with SHA-256 or better"},
    [CHAIN_WRONG_PURPOSE] = {STEP_LEAF, "a certificate for client authentication"},
    [CHAIN_NAME_CONSTRAINT] = {STEP_PATH, "names that every issuer permits"},
    [CHAIN_CRITICAL_EXTENSION] = {STEP_LEAF, "no unknown critical extension"},
    [CHAIN_MALFORMED] = {STEP_LEAF, "well-formed certificates"},
    [CHAIN_BAD_NAME] = {STEP_COMMON_NAME, "one common name of 1 to 64 printable ASCII characters"},
    [CHAIN_OTHER] = {STEP_PATH, "a valid certificate chain"},
};
static_assert(COUNT_OF(chain_rules) == CHAIN_REASONS, "every reason belongs to a step");

void trace_pass_leaf(struct trace *trace, const struct x509_st *leaf)
{
    struct thumbprints t;

    if (trace && certificate_thumbprints(leaf, &t))
        trace_pass(trace, STEP_LEAF, slice_of(t.sha256, sizeof t.sha256));
}

void trace_fail_chain(struct trace *trace, const struct x509_st *leaf, enum chain_reason reason,
                      size_t at, const struct fault *why)
{
    enum step step = at == 0 ? chain_rules[reason].leaf_step : STEP_PATH;

    if (step != STEP_LEAF)
        trace_pass_leaf(trace, leaf);
    trace_fail(trace, step, slice_str(chain_rules[reason].expected), slice_str(why->text),
               chain_reason_mend(reason));
}

/* --- marks ----------------------------------------------------------------------------------- */

static bool contains(slice marks, uint64_t mark)
{
    return marks_contain(marks.ptr, marks.len / sizeof mark, mark);
}

static bool is_denied(const struct trust *trust, uint64_t mark)
{
    return contains(trust->denied, mark);
}

/* Marks carry the issuer's name, so each list counts for what its own authority issued. */
static bool is_revoked(const struct trust *trust, uint64_t mark)
{
    for (size_t i = 0; i < trust->count; i++) {
        if (contains(trust->authorities[i].crl, mark))
            return true;
    }
    return false;
}

static void add_mark(struct trust_marks *to, uint64_t mark)
{
    if (mark != 0)
        to->marks[to->count++] = mark;
}

/* False: it cannot be hashed. */
static bool add_marks(struct trust_marks *to, const struct x509_st *certificate, slice group)
{
    struct certificate_marks m;
    uint64_t in_group = group.len > 0 ? certificate_mark_in_group(certificate, group) : 0;

    if (!certificate_marks(certificate, &m) || (group.len > 0 && in_group == 0))
        return false;
    add_mark(to, m.sha256);
    add_mark(to, m.sha1);
    add_mark(to, m.issuer_serial);
    add_mark(to, m.twin_sha256);
    add_mark(to, m.twin_sha1);
    add_mark(to, in_group);
    return true;
}

static const char *objection_to(const struct trust *trust, uint64_t mark)
{
    if (is_denied(trust, mark))
        return "on the deny list";
    return is_revoked(trust, mark) ? "on its authority's revocation list" : NULL;
}

static const struct authority *slot_of(const struct trust *trust, uint64_t mark)
{
    for (size_t i = 0; i < trust->count; i++) {
        if (trust->authorities[i].mark == mark)
            return &trust->authorities[i];
    }
    return NULL;
}

/* Of the path's certificates, the first above the leaf, whose own hash comes first, that is in a
 * slot now: a slot filled meanwhile may lie below the one that decided then. */
static const struct authority *nearest_slot(const struct trust *trust,
                                            const struct trust_marks *marks)
{
    const struct authority *found = NULL;

    for (size_t i = 1; i < marks->count && !found; i++)
        found = slot_of(trust, marks->marks[i]);
    return found;
}

static bool still_vouches(const struct trust *trust, const struct trust_marks *marks)
{
    const struct authority *decided = slot_of(trust, marks->authority);
    const struct authority *nearest = nearest_slot(trust, marks);
    bool anchors = false;

    for (size_t i = 0; i < trust->count; i++)
        anchors |= trust->authorities[i].mark == marks->anchor && trust->authorities[i].verified;
    return anchors && decided && decided->enabled &&
           (!nearest || slice_equal(nearest->group, decided->group));
}

const char *trust_objection(const struct trust *trust, const struct trust_marks *marks)
{
    for (size_t i = 0; i < marks->count; i++) {
        const char *objection = objection_to(trust, marks->marks[i]);

        if (objection)
            return objection;
    }
    if (marks->authority != 0 && !still_vouches(trust, marks))
        return "its authority does not vouch for it any more";
    return NULL;
}

static void fail_revoked(struct trace *trace, const struct fault *why)
{
    trace_fail(trace, STEP_REVOCATION, SLICE("certificates that are neither denied nor revoked"),
               slice_str(why->text), "issue the device a new certificate, or allow this one again");
}

/* Adds the certificate's marks, and looks for them: false when it is revoked. `at` names it. */
static bool take_marks(const struct trust *trust, const struct x509_st *certificate, size_t at,
                       slice group, struct trust_marks *marks, struct trace *trace,
                       struct fault *why)
{
    size_t before = marks->count;
    const char *objection = NULL;
    char name[32];

    snprintf(name, sizeof name, at == 0 ? "the certificate" : "issuer %zu", at);
    if (!add_marks(marks, certificate, group))
        objection = "not readable";
    for (size_t i = before; !objection && i < marks->count; i++)
        objection = objection_to(trust, marks->marks[i]);
    if (!objection)
        return true;
    fault_set(why, ST_UNAUTHORIZED, "%s is %s", name, objection);
    fail_revoked(trace, why);
    return false;
}

static bool has_mark(const struct trust_marks *m, uint64_t mark)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->marks[i] == mark)
            return true;
    }
    return false;
}

/* Adds the stored ones, which hold those of the leaf too, and looks for them. */
static bool take_stored_marks(const struct trust *trust, slice stored, struct trust_marks *marks,
                              struct trace *trace, struct fault *why)
{
    const char *objection = NULL;
    uint64_t mark;

    for (; stored.len >= sizeof mark && !objection; stored = slice_from(stored, sizeof mark)) {
        memcpy(&mark, stored.ptr, sizeof mark);
        if (has_mark(marks, mark) || marks->count == TRUST_MARKS_MAX)
            continue;
        marks->marks[marks->count++] = mark;
        objection = objection_to(trust, mark);
    }
    if (!objection)
        return true;
    fault_set(why, ST_UNAUTHORIZED, "an issuer in the device's chain is %s", objection);
    fail_revoked(trace, why);
    return false;
}

enum status trust_check_pinned(const struct trust *trust, const struct trust_claim *claim,
                               struct trace *trace, struct trust_marks *ret, struct fault *why)
{
    struct trust_marks marks = {.count = 0};

    if (!take_marks(trust, claim->leaf, 0, claim->group, &marks, trace, why) ||
        !take_stored_marks(trust, claim->issuer_marks, &marks, trace, why))
        return ST_UNAUTHORIZED;
    trace_pass(trace, STEP_REVOCATION, SLICE("not listed"));
    *ret = marks;
    return ST_OK;
}

/* --- the path -------------------------------------------------------------------------------- */

/* The snapshot's certificates as chain.h wants them: the verified ones first. */
struct certificates {
    struct x509_st **all;
    size_t count, verified;
};

static bool gather(const struct trust *trust, struct certificates *ret)
{
    struct x509_st **all = malloc((trust->count + 1) * sizeof(struct x509_st *));
    size_t count = 0, verified;

    if (!all)
        return false;
    for (size_t i = 0; i < trust->count; i++) {
        if (trust->authorities[i].verified)
            all[count++] = trust->authorities[i].certificate;
    }
    verified = count;
    for (size_t i = 0; i < trust->count; i++) {
        if (!trust->authorities[i].verified)
            all[count++] = trust->authorities[i].certificate;
    }
    *ret = (struct certificates){all, count, verified};
    return true;
}

static enum chain_reason build(const struct trust_claim *claim, const struct certificates *c,
                               size_t anchor_count, struct chain_path *ret, struct fault *why)
{
    const struct chain_input in = {
        .leaf = claim->leaf,
        .presented = claim->intermediates,
        .anchors = c->all,
        .anchor_count = anchor_count,
        .known = c->all + anchor_count,
        .known_count = c->count - anchor_count,
        .now = claim->now,
    };

    return chain_build(&in, ret, why);
}

/* Marks find it, the whole hash decides: a mark alone is too short to trust somebody by. */
static bool is_same(const struct authority *a, uint64_t mark, const struct x509_st *certificate)
{
    struct thumbprints x, y;

    return a->mark == mark && certificate_thumbprints(a->certificate, &x) &&
           certificate_thumbprints(certificate, &y) &&
           memcmp(x.sha256, y.sha256, sizeof x.sha256) == 0;
}

/* The slot that holds it; of both of a group, one that is verified. */
static const struct authority *find_slot(const struct trust *trust,
                                         const struct x509_st *certificate, uint64_t *ret_mark)
{
    const struct authority *found = NULL;
    struct certificate_marks m;

    *ret_mark = 0;
    if (!certificate_marks(certificate, &m))
        return NULL;
    *ret_mark = m.sha256;
    for (size_t i = 0; i < trust->count && !(found && found->verified); i++) {
        const struct authority *a = &trust->authorities[i];

        if (is_same(a, m.sha256, certificate) && (!found || a->verified))
            found = a;
    }
    return found;
}

static bool find_authority(const struct trust *trust, struct trust_path *path)
{
    uint64_t mark = 0;

    for (size_t i = 1; i < path->chain.count && !path->authority; i++) {
        path->authority = find_slot(trust, path->chain.certificates[i], &mark);
        path->authority_at = i;
        path->marks.authority = mark;
    }
    if (!path->authority ||
        !find_slot(trust, path->chain.certificates[path->chain.count - 1], &path->marks.anchor))
        return false;
    return true;
}

static const char *slot_name(enum authority_slot slot)
{
    return slot == AUTHORITY_PRIMARY ? "primary" : "secondary";
}

/* Nobody verified issued it. But was it somebody whose proof is still to come? Then that is what
 * the operator wants to read. */
static bool explain_unverified(const struct trust *trust, const struct trust_claim *claim,
                               const struct certificates *c, struct trace *trace, struct fault *why)
{
    struct trust_path path = {.authority = NULL};
    struct fault ignored;
    bool explained = false;

    if (c->verified < c->count && build(claim, c, c->count, &path.chain, &ignored) == CHAIN_GOOD &&
        find_authority(trust, &path) && !path.authority->verified) {
        explained = true;
        fault_set(why, ST_UNAUTHORIZED,
                  "the authority in slot %s of group %.*s is not verified: make a verification"
                  " certificate",
                  slot_name(path.authority->slot), SLICE_FMT(path.authority->group));
        trace_pass_leaf(trace, claim->leaf);
        trace_fail(trace, STEP_PATH, SLICE("a chain that ends at a verified authority"),
                   slice_str(why->text), "make a verification certificate with the group's code");
    }
    trust_path_deinit(&path);
    return explained;
}

static enum status build_path(const struct trust *trust, const struct trust_claim *claim,
                              struct trace *trace, struct trust_path *path, struct fault *why)
{
    struct certificates c;
    enum chain_reason reason;

    if (!gather(trust, &c))
        return fault_set(why, ST_UNAVAILABLE, "out of memory");
    reason = build(claim, &c, c.verified, &path->chain, why);
    why->status = ST_UNAUTHORIZED;
    if (reason != CHAIN_GOOD &&
        !(reason == CHAIN_NO_ISSUER && explain_unverified(trust, claim, &c, trace, why)))
        trace_fail_chain(trace, claim->leaf, reason, path->chain.failed_at, why);
    free(c.all);
    return reason == CHAIN_GOOD ? ST_OK : ST_UNAUTHORIZED;
}

static void trace_path(struct trace *trace, const struct trust_path *path)
{
    char text[SENTENCE_MAX];

    if (!trace)
        return;
    trace_pass_leaf(trace, path->chain.certificates[0]);
    snprintf(text, sizeof text, "%zu certificates", path->chain.count);
    trace_pass(trace, STEP_PATH, slice_str(text));
    snprintf(text, sizeof text, "%s of group %.*s", slot_name(path->authority->slot),
             SLICE_FMT(path->authority->group));
    trace_pass(trace, STEP_AUTHORITY, slice_str(text));
}

static enum status judge(const struct trust *trust, const struct trust_claim *claim,
                         struct trace *trace, struct trust_path *path, struct fault *why)
{
    enum status status = build_path(trust, claim, trace, path, why);

    if (status != ST_OK)
        return status;
    if (!find_authority(trust, path)) {
        fault_set(why, ST_UNAUTHORIZED, "no authority here issued the certificate");
        trace_fail_chain(trace, claim->leaf, CHAIN_NO_ISSUER, 0, why);
        return ST_UNAUTHORIZED;
    }
    trace_path(trace, path);
    for (size_t i = 0; i < path->chain.count; i++) {
        if (!take_marks(trust, path->chain.certificates[i], i, path->authority->group, &path->marks,
                        trace, why))
            return ST_UNAUTHORIZED;
    }
    trace_pass(trace, STEP_REVOCATION, SLICE("not listed"));
    return ST_OK;
}

void trust_path_deinit(struct trust_path *path)
{
    chain_path_deinit(&path->chain);
    *path = (struct trust_path){.authority = NULL};
}

enum status trust_find_path(const struct trust *trust, const struct trust_claim *claim,
                            struct trace *trace, struct trust_path *ret, struct fault *why)
{
    struct trust_path path = {.authority = NULL};
    enum status status = judge(trust, claim, trace, &path, why);

    if (status == ST_OK)
        *ret = path;
    else
        trust_path_deinit(&path);
    return status;
}
