#include "identity/trust/certificate_check.h"

#include <stdlib.h>

#include "identity/device.h"
#include "identity/identity_internal.h"
#include "identity/trust/ocsp_check.h"

#define FACTS_MAX (64 * 1024)

/* One certificate being judged. It holds all that it looks at: answers may come later. */
struct check {
    struct identity *id;
    certificate_check_fn *on_verdict;
    void *context;
    struct trace *trace;
    struct trust_claim claim; /* shared; its slices are in what follows */
    bool pinned, may_be_expired;
    const struct trust *trust;
    struct trust_path path;
    size_t next_issuer; /* of the path, to be looked up as a device */
    struct fault why;
    uint8_t group_key[GROUP_ID_MAX];
    uint8_t issuer_marks[TRUST_MARKS_MAX * sizeof(uint64_t)];
};

static void destroy(struct check *c)
{
    trust_path_deinit(&c->path);
    trust_release(c->trust);
    certificate_free(c->claim.leaf);
    certificates_free(c->claim.intermediates);
    free(c);
}

static void refuse(struct check *c, enum status status)
{
    c->why.status = status;
    c->on_verdict(c->context, status, NULL, &c->why);
    destroy(c);
}

static void accept(struct check *c)
{
    const struct fault none = {.status = ST_OK};
    const struct authority *a = c->path.authority;
    struct certificate_verdict verdict = {
        .enabled = true, .marks = &c->path.marks, .trust_version = c->trust->version};

    if (a) {
        verdict.group = a->group;
        verdict.slot = a->slot;
        verdict.enabled = a->enabled;
    }
    if (!certificate_thumbprints(c->claim.leaf, &verdict.thumbprints)) {
        refuse(c, fault_set(&c->why, ST_UNAUTHORIZED, "the certificate cannot be hashed"));
        return;
    }
    c->on_verdict(c->context, ST_OK, &verdict, &none);
    destroy(c);
}

/* --- fourth: OCSP ---------------------------------------------------------------------------- */

#define MEND_VERDICT "ask the authority's owner; or replace the device's certificate"
#define MEND_SILENCE                                                                               \
    "see that the responder answers, and that this server may call it: --egress-allow lets it "    \
    "reach a private address"

static void refuse_by_ocsp(struct check *c, enum status status)
{
    trace_fail(c->trace, STEP_OCSP, SLICE("a responder that calls the certificate good"),
               slice_str(c->why.text), status == ST_UNAVAILABLE ? MEND_SILENCE : MEND_VERDICT);
    refuse(c, status);
}

static void on_ocsp(void *context, enum status status, enum ocsp_verdict verdict,
                    const struct fault *why)
{
    struct check *c = context;
    bool strict = c->path.authority->ocsp_strict;

    if (status != ST_OK && strict) {
        fault_set(&c->why, ST_UNAVAILABLE, "OCSP: %s", why ? why->text : status_name(status));
        refuse_by_ocsp(c, ST_UNAVAILABLE);
        return;
    }
    if (status == ST_OK && (verdict == OCSP_REVOKED || (verdict == OCSP_UNKNOWN && strict))) {
        fault_set(&c->why, ST_UNAUTHORIZED, "the OCSP responder says: %s",
                  verdict == OCSP_REVOKED ? "revoked" : "unknown");
        refuse_by_ocsp(c, ST_UNAUTHORIZED);
        return;
    }
    trace_pass(c->trace, STEP_OCSP,
               status == ST_OK && verdict == OCSP_GOOD ? SLICE("good")
                                                       : SLICE("no verdict, let in"));
    accept(c);
}

static void ask_responder(struct check *c)
{
    const struct authority *a = c->path.authority;

    if (a->ocsp_url.len == 0)
        accept(c);
    else
        ocsp_check(c->id, a->ocsp_url, c->claim.leaf, c->path.chain.certificates[1], on_ocsp, c);
}

/* --- third: no issuer is a device ------------------------------------------------------------ */

static void look_up_issuers(struct check *c);

static void on_issuer(void *context, enum status status, const struct device *d)
{
    struct check *c = context;

    if (status == ST_DEVICE_NOT_FOUND) {
        look_up_issuers(c);
        return;
    }
    if (status != ST_OK) {
        refuse(c, fault_set(&c->why, ST_UNAVAILABLE, "the store did not answer: %s",
                            status_name(status)));
        return;
    }
    fault_set(&c->why, ST_UNAUTHORIZED, "an issuer of the certificate is the device '%.*s'",
              SLICE_FMT(d->id));
    trace_fail(c->trace, STEP_ISSUERS, SLICE("issuers that are no devices"), slice_str(c->why.text),
               "name authorities unlike devices; devices do not issue certificates");
    refuse(c, ST_UNAUTHORIZED);
}

static bool read_common_name(const struct x509_st *certificate, struct arena *arena, slice *ret)
{
    struct certificate_facts facts;
    struct fault ignored;

    if (certificate_facts_read(certificate, arena, &facts, &ignored) != ST_OK)
        return false;
    *ret = facts.common_name;
    return true;
}

/* Those below the slot's certificate, one after the other. */
static void look_up_issuers(struct check *c)
{
    struct arena ARENA_CLEANUP arena = {.max = FACTS_MAX};
    slice name = {0};

    while (c->next_issuer < c->path.authority_at && name.len == 0) {
        if (!read_common_name(c->path.chain.certificates[c->next_issuer++], &arena, &name)) {
            refuse(c, fault_set(&c->why, ST_UNAUTHORIZED, "the name of an issuer is not readable"));
            return;
        }
    }
    if (name.len > 0) {
        device_find(c->id, name, on_issuer, c);
        return;
    }
    trace_pass(c->trace, STEP_ISSUERS, SLICE("none is a device"));
    ask_responder(c);
}

/* --- second: what the snapshot says ---------------------------------------------------------- */

static bool check_dates(struct check *c)
{
    enum chain_reason reason = chain_check_pinned(c->claim.leaf, false, c->claim.now, &c->why);

    if (reason == CHAIN_EXPIRED && c->may_be_expired && certificate_key_allowed(c->claim.leaf))
        reason = CHAIN_GOOD;
    if (reason == CHAIN_GOOD)
        trace_pass_leaf(c->trace, c->claim.leaf);
    else
        trace_fail_chain(c->trace, c->claim.leaf, reason, 0, &c->why);
    return reason == CHAIN_GOOD;
}

static void judge_pinned(struct check *c)
{
    if (!check_dates(c) ||
        trust_check_pinned(c->trust, &c->claim, c->trace, &c->path.marks, &c->why) != ST_OK)
        refuse(c, ST_UNAUTHORIZED);
    else
        accept(c);
}

static void judge_path(struct check *c)
{
    enum status status = trust_find_path(c->trust, &c->claim, c->trace, &c->path, &c->why);

    if (status != ST_OK) {
        refuse(c, status);
        return;
    }
    c->next_issuer = 1;
    look_up_issuers(c);
}

static void on_trust(void *context, enum status status, const struct trust *trust)
{
    struct check *c = context;

    if (status != ST_OK) {
        refuse(c, fault_set(&c->why, ST_UNAVAILABLE, "the authorities cannot be read: %s",
                            status_name(status)));
        return;
    }
    c->trust = trust_hold(trust);
    if (c->pinned)
        judge_pinned(c);
    else
        judge_path(c);
}

/* --- first: what is kept --------------------------------------------------------------------- */

static void keep_claim(struct check *c, const struct trust_claim *claim)
{
    c->claim = *claim;
    c->claim.leaf = certificate_share(claim->leaf);
    c->claim.intermediates = certificates_share(claim->intermediates);
    c->claim.group = group_key_of(claim->group, c->group_key);
    c->claim.issuer_marks = slice_first(claim->issuer_marks, sizeof c->issuer_marks);
    if (c->claim.issuer_marks.len > 0)
        memcpy(c->issuer_marks, claim->issuer_marks.ptr, c->claim.issuer_marks.len);
    c->claim.issuer_marks.ptr = c->issuer_marks;
}

static void begin(const struct check *like, const struct trust_claim *claim)
{
    const struct fault why = {.status = ST_UNAVAILABLE, .text = "out of memory"};
    struct check *c = malloc(sizeof *c);

    if (!c) {
        like->on_verdict(like->context, ST_UNAVAILABLE, NULL, &why);
        return;
    }
    *c = *like;
    keep_claim(c, claim);
    trust_get(c->id, on_trust, c);
}

void certificate_check(struct identity *id, const struct trust_claim *claim, struct trace *trace,
                       certificate_check_fn *on_verdict, void *context)
{
    const struct check like = {
        .id = id, .on_verdict = on_verdict, .context = context, .trace = trace};

    begin(&like, claim);
}

void certificate_check_pinned(struct identity *id, const struct trust_claim *claim,
                              bool may_be_expired, struct trace *trace,
                              certificate_check_fn *on_verdict, void *context)
{
    const struct check like = {.id = id,
                               .on_verdict = on_verdict,
                               .context = context,
                               .trace = trace,
                               .pinned = true,
                               .may_be_expired = may_be_expired};

    begin(&like, claim);
}
