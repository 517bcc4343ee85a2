#include "provisioning/attest.h"

#include <stdio.h>

#include "codec/sas.h"
#include "codec/topic.h"

#define ID_MAX 128

void enrollment_device_keys(const struct enrollment *e, slice registration_id,
                            struct secret *ret_primary, struct secret *ret_secondary)
{
    *ret_primary = e->primary;
    *ret_secondary = e->secondary;
    /* What is derived from no key at all, everybody could derive. */
    if (e->kind != ENROLLMENT_GROUP || e->attestation != ATTEST_SYMMETRIC_KEY)
        return;
    derive_device_key(&e->primary, registration_id, ret_primary);
    derive_device_key(&e->secondary, registration_id, ret_secondary);
}

/* Both keys are always tried. */
static bool signed_by_either(const struct sas_token *token, const struct secret *primary,
                             const struct secret *secondary)
{
    bool by_primary = sas_token_signed_by(token, secret_slice(primary));
    bool by_secondary = sas_token_signed_by(token, secret_slice(secondary));

    return (by_primary && primary->len > 0) || (by_secondary && secondary->len > 0);
}

/* With the keys of one spelling of the ID. */
static bool matches(const struct sas_token *token, const struct enrollment *e, slice id,
                    struct attested *ret)
{
    enrollment_device_keys(e, id, &ret->primary, &ret->secondary);
    if (e->attestation != ATTEST_SYMMETRIC_KEY ||
        !signed_by_either(token, &ret->primary, &ret->secondary))
        return false;
    ret->enrollment = e;
    return true;
}

/* The two spellings that a key may be derived from: as presented, then in lower case. */
struct spellings {
    slice id[2];
    size_t count;
    uint8_t lower[ID_MAX];
};

static void spell(slice id, struct spellings *ret)
{
    ret->id[0] = id;
    for (size_t i = 0; i < id.len && i < ID_MAX; i++) {
        uint8_t c = id.ptr[i];

        ret->lower[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
    }
    ret->id[1] = slice_of(ret->lower, id.len < ID_MAX ? id.len : ID_MAX);
    ret->count = slice_equal(ret->id[0], ret->id[1]) ? 1 : 2;
}

static bool group_matches(const struct sas_token *token, const struct enrollment *group,
                          const struct spellings *s, struct attested *ret)
{
    for (size_t i = 0; i < s->count; i++) {
        if (matches(token, group, s->id[i], ret))
            return true;
    }
    return false;
}

static bool find_group(const struct sas_token *token, const struct attest_input *in,
                       const struct spellings *s, struct attested *ret)
{
    const struct enrollment *remembered = NULL;

    if (in->remembered_group.len > 0)
        remembered = enrollment_cache_find(in->groups, in->remembered_group);
    if (remembered && group_matches(token, remembered, s, ret))
        return true;
    for (size_t i = 0; i < in->groups->count; i++) {
        const struct enrollment *group = &in->groups->groups[i];

        if (group != remembered && group->attestation == ATTEST_SYMMETRIC_KEY &&
            group_matches(token, group, s, ret))
            return true;
    }
    return false;
}

/* Stands in for an individual enrollment that is not there, so that its absence takes as long. */
static const struct enrollment nobody = {
    .kind = ENROLLMENT_INDIVIDUAL,
    .primary = {.bytes = {1}, .len = SECRET_MAX},
    .secondary = {.bytes = {2}, .len = SECRET_MAX},
};

static enum status refuse(const struct attest_input *in, struct trace *trace, struct fault *why)
{
    const struct enrollment *own = in->individual;

    if (!own) {
        trace_fail(trace, STEP_KEY, SLICE("a signature by a key of an enrollment"),
                   SLICE("one by no key that is known here"),
                   "sign with the key of an enrollment, or with one derived from a group's key for "
                   "exactly this registration ID");
        return fault_set(why, ST_UNAUTHORIZED, "signed by no key of any enrollment");
    }
    if (own->attestation != ATTEST_SYMMETRIC_KEY) {
        trace_fail(trace, STEP_KEY, SLICE("a client certificate"), SLICE("a SAS token"),
                   "come with the certificate of the individual enrollment, or change that");
        return fault_set(why, ST_UNAUTHORIZED,
                         "the individual enrollment '%.*s' takes certificates, not keys",
                         SLICE_FMT(own->id));
    }
    trace_fail(trace, STEP_KEY, SLICE("a signature by a key of the individual enrollment"),
               SLICE("one by another key"),
               "sign with the individual enrollment's own key, or delete that enrollment");
    return fault_set(why, ST_UNAUTHORIZED,
                     "not signed by a key of the individual enrollment '%.*s'", SLICE_FMT(own->id));
}

static enum status find_by_key(const struct sas_token *token, const struct attest_input *in,
                               struct trace *trace, struct attested *ret, struct fault *why)
{
    const struct enrollment *own = in->individual ? in->individual : &nobody;
    struct spellings s;
    bool found;

    trace_pass(trace, STEP_INDIVIDUAL, in->individual ? in->individual->id : SLICE("none"));
    spell(in->registration_id, &s);
    found = matches(token, own, in->registration_id, ret) && in->individual;
    if (!found)
        found = find_group(token, in, &s, ret) && !in->individual;
    if (!found)
        return refuse(in, trace, why);
    trace_pass(trace, STEP_KEY, ret->enrollment->id);
    return ST_OK;
}

/* --- the token itself ------------------------------------------------------------------------- */

static enum status refuse_form(struct trace *trace, const struct fault *why)
{
    trace_fail(trace, STEP_TOKEN_FORM, SLICE("SharedAccessSignature sr=...&sig=...&se=..."),
               slice_str(why->text), "let an SDK or 'muster token' write the token");
    return ST_UNAUTHORIZED;
}

static enum status refuse_resource(const struct attest_input *in, const struct sas_token *token,
                                   struct trace *trace, struct fault *why)
{
    char expected[TRACE_TEXT_MAX];

    snprintf(expected, sizeof expected, "%.*s/registrations/%.*s", SLICE_FMT(in->id_scope),
             SLICE_FMT(in->registration_id));
    trace_fail(trace, STEP_TOKEN_RESOURCE, slice_str(expected), token->scope,
               "sign for this ID scope and registration ID");
    return fault_set(why, ST_UNAUTHORIZED, "the token is for something else: '%.*s'",
                     SLICE_FMT(slice_first(token->scope, FAULT_TEXT_MAX / 2)));
}

static enum status refuse_expired(const struct attest_input *in, const struct sas_token *token,
                                  struct trace *trace, struct fault *why)
{
    int64_t now_s = in->now / 1000;
    char expected[TRACE_TEXT_MAX];

    snprintf(expected, sizeof expected, "se of %lld or later",
             (long long)(now_s - in->tolerance_s));
    trace_fail(trace, STEP_TOKEN_EXPIRY, slice_str(expected), token->expiry,
               "make a new token, and set the device's clock");
    return fault_set(why, ST_UNAUTHORIZED, "the token expired %lld s ago",
                     (long long)(now_s - token->expires_at));
}

static enum status find(const struct attest_input *in, struct trace *trace, struct attested *ret,
                        struct fault *why)
{
    const slice segments[] = {SLICE("registrations"), in->registration_id};
    const struct sas_resource resource = {
        .hosts = &in->id_scope,
        .host_count = 1,
        .segments = segments,
        .segment_count = COUNT_OF(segments),
        .nocase = true,
    };
    struct sas_token token;

    if (sas_token_parse(in->sas_token, &token, why) != ST_OK)
        return refuse_form(trace, why);
    trace_pass(trace, STEP_TOKEN_FORM, (slice){0});
    if (sas_token_depth(&token) != COUNT_OF(segments) || !sas_token_covers(&token, &resource))
        return refuse_resource(in, &token, trace, why);
    trace_pass(trace, STEP_TOKEN_RESOURCE, token.scope);
    if (sas_token_expired(&token, in->now / 1000, in->tolerance_s))
        return refuse_expired(in, &token, trace, why);
    trace_pass(trace, STEP_TOKEN_EXPIRY, token.expiry);
    return find_by_key(&token, in, trace, ret, why);
}

enum status attest(const struct attest_input *in, struct trace *trace, struct attested *ret,
                   struct fault *why)
{
    struct attested found = {0};
    enum status status = find(in, trace, &found, why);

    if (status == ST_OK)
        *ret = found;
    secret_wipe(&found.primary);
    secret_wipe(&found.secondary);
    return status;
}
