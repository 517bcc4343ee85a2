#include "provisioning/authority_plan.h"

#include "base/text.h"
#include "crypto/chain.h"
#include "net/egress.h"

#define CODE_BYTES (VERIFICATION_CODE_LEN / 2)

void authority_plan_deinit(struct authority_plan *plan)
{
    crl_deinit(&plan->crl);
}

static const struct authority_row *row_of(const struct authority_facts *facts,
                                          enum authority_slot slot)
{
    return facts->slots[slot - AUTHORITY_PRIMARY];
}

static enum status no_memory(struct fault *why)
{
    return fault_set(why, ST_NO_MEMORY, "no memory for a certificate");
}

enum status authority_check_group(const struct enrollment *e, slice group, struct fault *why)
{
    slice name = slice_first(group, 60);

    if (!e)
        return fault_set(why, ST_NOT_FOUND,
                         "no enrollment group '%.*s': add it with attestation x509",
                         SLICE_FMT(name));
    if (e->attestation != ATTEST_X509)
        return fault_set(why, ST_NOT_FOUND, "enrollment group '%.*s' takes keys, not certificates",
                         SLICE_FMT(name));
    return ST_OK;
}

/* --- the certificate in a file ---------------------------------------------------------------- */

static enum status refuse_file(enum certificate_problem problem, struct fault *why)
{
    static const char *const sentences[] = {
        [CERTIFICATE_FINE] = "",
        [CERTIFICATE_NONE] = "C01: the file holds no certificate that can be read",
        [CERTIFICATE_TOO_MANY] =
            "C01: the file holds several certificates: upload the one that is wanted, alone",
        [CERTIFICATE_PRIVATE_KEY] =
            "C09: a private key is in the file: thrown away here, but it has travelled",
        [CERTIFICATE_OVERSIZED] = "C01: the file is too large for a certificate",
    };

    return fault_set(why, ST_BAD_REQUEST, "%s", sentences[problem]);
}

/* "'Plant CA' (authority)": enough to find it again. */
static void name_member(const struct x509_st *certificate, struct buf *to)
{
    struct arena ARENA_CLEANUP arena = {.max = 2 * CERTIFICATE_FILE_MAX};
    struct certificate_facts facts = {.subject = SLICE("?")};
    struct fault ignored;

    (void)!certificate_facts_read(certificate, &arena, &facts, &ignored);
    buf_printf(
        to, "%s'%.*s'%s", to->len > 0 ? ", " : "",
        SLICE_FMT(slice_first(facts.common_name.len > 0 ? facts.common_name : facts.subject, 30)),
        facts.is_ca ? " (authority)" : "");
}

/* People export the whole chain: they are told what is in it. */
static enum status refuse_bundle(slice file, struct fault *why)
{
    struct buf BUF_CLEANUP members = {.max = 4096};
    struct stack_st_X509 *all;

    if (certificates_read(file, CERTIFICATE_CHAIN_MAX, &all) != CERTIFICATE_FINE)
        return refuse_file(CERTIFICATE_TOO_MANY, why);
    for (size_t i = 0; i < certificates_count(all); i++)
        name_member(certificates_at(all, i), &members);
    certificates_free(all);
    return fault_set(why, ST_BAD_REQUEST, "C01: several certificates in one file, upload one: %.*s",
                     SLICE_FMT(buf_slice(&members)));
}

/* The one certificate of the file. */
static enum status read_file(slice file, struct x509_st **ret, struct fault *why)
{
    enum certificate_problem problem = certificate_read(file, ret);

    if (problem == CERTIFICATE_TOO_MANY)
        return refuse_bundle(file, why);
    return problem == CERTIFICATE_FINE ? ST_OK : refuse_file(problem, why);
}

/* Its code among those of 4.5; what has none of its own is no certificate to us. */
static const char *code_of(enum chain_reason reason)
{
    switch (reason) {
    case CHAIN_ISSUER_NO_CA:
        return "C02";
    case CHAIN_NOT_YET_VALID:
    case CHAIN_EXPIRED:
        return "C03";
    case CHAIN_WEAK_KEY:
    case CHAIN_WEAK_SIGNATURE:
        return "C04";
    default:
        return "C01";
    }
}

static enum status check_authority(const struct x509_st *certificate, instant now,
                                   struct fault *why)
{
    struct fault cause = {0};
    enum chain_reason reason = chain_check_authority(certificate, now, false, &cause);

    if (reason == CHAIN_GOOD)
        return ST_OK;
    return fault_set(why, ST_BAD_REQUEST, "%s: %s", code_of(reason), cause.text);
}

/* What every act is decided from. */
struct act_input {
    const struct authority_request *request;
    const struct authority_facts *facts;
    const struct x509_st *certificate; /* of acts that bring one */
    struct arena *arena;
};

/* --- upload ----------------------------------------------------------------------------------- */

static enum status fill_slot(const struct act_input *in, struct authority_row *ret,
                             struct fault *why)
{
    struct buf BUF_CLEANUP der = {.max = CERTIFICATE_FILE_MAX};
    struct thumbprints thumbprints;

    certificate_to_der(in->certificate, &der);
    if (der.failed || !certificate_thumbprints(in->certificate, &thumbprints))
        return no_memory(why);
    *ret = (struct authority_row){
        .group = in->facts->group,
        .slot = in->request->slot,
        .certificate = arena_copy(in->arena, buf_slice(&der)),
        .thumbprint =
            arena_copy(in->arena, slice_of(thumbprints.sha256, sizeof thumbprints.sha256)),
        .created_at = in->facts->now,
    };
    return in->arena->failed ? no_memory(why) : ST_OK;
}

/* What was verified are bytes: the same ones again stay what they are, others take its place only
 * when that is said, for the devices below it come in no more. */
static enum status settle(const struct act_input *in, struct authority_row *row, struct fault *why)
{
    const struct authority_row *was = row_of(in->facts, in->request->slot);

    if (!was)
        return ST_OK;
    if (slice_equal(was->certificate, row->certificate))
        *row = *was;
    else if (was->verified_at != 0 && !in->request->replace)
        return fault_set(why, ST_CONFLICT,
                         "a verified certificate is in this slot, and devices may depend on it: "
                         "use the other slot, or say replace");
    return ST_OK;
}

static void mark_verified(struct authority_row *row, slice by, bool self_attested, instant now)
{
    row->verified_at = now;
    row->verified_by = by;
    row->self_attested = self_attested;
    row->code = (slice){0};
    row->code_at = 0;
}

static enum status upload(const struct act_input *in, struct authority_plan *ret, struct fault *why)
{
    struct authority_row *row = &ret->row;
    enum status status = check_authority(in->certificate, in->facts->now, why);

    if (status == ST_OK)
        status = fill_slot(in, row, why);
    if (status == ST_OK)
        status = settle(in, row, why);
    if (status == ST_OK && in->request->verified && row->verified_at == 0)
        mark_verified(row, in->request->by, true, in->facts->now);
    return status;
}

/* --- proof of possession ---------------------------------------------------------------------- */

static enum status issue_code(const struct act_input *in, struct authority_plan *ret,
                              struct fault *why)
{
    static const char digits[] = "0123456789ABCDEF";
    uint8_t random[CODE_BYTES], code[VERIFICATION_CODE_LEN];

    random_bytes(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        code[2 * i] = (uint8_t)digits[random[i] >> 4];
        code[2 * i + 1] = (uint8_t)digits[random[i] & 15];
    }
    ret->row.code = arena_copy(in->arena, slice_of(code, sizeof code));
    ret->row.code_at = in->facts->now;
    return in->arena->failed ? no_memory(why) : ST_OK;
}

static enum status check_dates(const struct certificate_facts *proof, instant now,
                               struct fault *why)
{
    if (now + CHAIN_TOLERANCE_S * 1000LL < proof->not_before)
        return fault_set(why, ST_BAD_REQUEST, "C03: the verification certificate is not valid yet");
    if (now - CHAIN_TOLERANCE_S * 1000LL > proof->not_after)
        return fault_set(why, ST_BAD_REQUEST, "C03: the verification certificate has expired");
    return ST_OK;
}

static enum status check_proof(const struct authority_row *row, const struct x509_st *certificate,
                               instant now, struct arena *arena, struct fault *why)
{
    struct certificate_facts proof;
    struct x509_st *authority;
    enum status status = certificate_facts_read(certificate, arena, &proof, why);
    bool issued;

    if (status == ST_NO_MEMORY)
        return status;
    if (status != ST_OK)
        return fault_set(why, ST_BAD_REQUEST, "C01: the certificate cannot be read whole");
    if (!slice_equal(slice_trim(proof.common_name), row->code))
        return fault_set(why, ST_BAD_REQUEST, "C06: its common name is '%.*s', not the code '%.*s'",
                         SLICE_FMT(slice_first(proof.common_name, 64)), SLICE_FMT(row->code));
    authority = certificate_from_der(row->certificate);
    issued = authority && chain_is_issued_by(certificate, authority);
    certificate_free(authority);
    if (!issued)
        return fault_set(why, ST_BAD_REQUEST,
                         "C07: the verification certificate is not signed by the key of the "
                         "certificate in this slot");
    return check_dates(&proof, now, why);
}

static enum status check_code(const struct authority_row *row, instant now, struct fault *why)
{
    if (row->code.len == 0 && row->verified_at != 0)
        return fault_set(why, ST_BAD_REQUEST,
                         "C08: the certificate in this slot is verified already");
    if (row->code.len == 0)
        return fault_set(why, ST_BAD_REQUEST,
                         "C08: no code is outstanding for this certificate: make a new one");
    if (now - row->code_at > VERIFICATION_CODE_LIFE_MS)
        return fault_set(why, ST_BAD_REQUEST, "C08: the code has expired: make a new one");
    return ST_OK;
}

static enum status verify(const struct act_input *in, struct authority_plan *ret, struct fault *why)
{
    struct authority_row *row = &ret->row;
    enum status status = check_code(row, in->facts->now, why);

    if (status == ST_OK)
        status = check_proof(row, in->certificate, in->facts->now, in->arena, why);
    if (status == ST_OK)
        mark_verified(row, in->request->by, false, in->facts->now);
    return status;
}

/* --- revocation ------------------------------------------------------------------------------- */

static void drop_list(struct authority_row *row)
{
    row->crl = row->crl_number = (slice){0};
    row->crl_this_update = row->crl_next_update = 0;
}

static enum status read_list(slice file, const struct authority_row *row, instant now,
                             struct crl *ret, struct fault *why)
{
    struct x509_st *authority = certificate_from_der(row->certificate);
    enum status status;

    if (!authority)
        return no_memory(why);
    status = crl_read(file, authority, now, ret, why);
    certificate_free(authority);
    return status;
}

/* The slot whose certificate signed the list. */
static enum status find_signer(slice file, const struct authority_facts *facts,
                               struct authority_plan *ret, struct fault *why)
{
    struct fault causes[AUTHORITY_SLOTS] = {0};
    enum status status = ST_NOT_FOUND;

    for (size_t i = 0; i < AUTHORITY_SLOTS; i++) {
        if (!facts->slots[i])
            continue;
        status = read_list(file, facts->slots[i], facts->now, &ret->crl, &causes[i]);
        if (status == ST_OK) {
            ret->slot = facts->slots[i]->slot;
            return ST_OK;
        }
        if (status != ST_BAD_REQUEST) {
            *why = causes[i];
            return status;
        }
    }
    if (facts->slots[0] && facts->slots[1])
        return fault_set(why, status, "by the primary: %.80s; by the secondary: %.80s",
                         causes[0].text, causes[1].text);
    *why = causes[facts->slots[0] ? 0 : 1];
    return status == ST_NOT_FOUND
               ? fault_set(why, ST_NOT_FOUND, "the group has no certificate that could sign a list")
               : status;
}

static enum status take_list(const struct authority_facts *facts, struct arena *arena,
                             struct authority_plan *ret, struct fault *why)
{
    const struct authority_row *was = row_of(facts, ret->slot);
    struct authority_row *row = &ret->row;

    *row = *was;
    ret->was_version = was->version;
    if (was->crl_this_update != 0 && crl_is_older(&ret->crl, was->crl_number, was->crl_this_update))
        return fault_set(why, ST_CONFLICT, "the list is older than the one in force");
    row->crl = buf_slice(&ret->crl.marks);
    row->crl_number = arena_copy(arena, slice_str(ret->crl.number));
    row->crl_this_update = ret->crl.this_update;
    row->crl_next_update = ret->crl.next_update;
    return arena->failed ? no_memory(why) : ST_OK;
}

static enum status set_crl(const struct act_input *in, struct authority_plan *ret,
                           struct fault *why)
{
    const struct authority_request *request = in->request;
    const struct authority_facts *facts = in->facts;
    enum status status;

    if (request->file.len == 0) {
        drop_list(&ret->row);
        return ST_OK;
    }
    status = request->slot == 0 ? find_signer(request->file, facts, ret, why)
                                : read_list(request->file, row_of(facts, request->slot), facts->now,
                                            &ret->crl, why);
    return status == ST_OK ? take_list(facts, in->arena, ret, why) : status;
}

static enum status set_ocsp(const struct act_input *in, struct authority_plan *ret,
                            struct fault *why)
{
    const struct authority_request *request = in->request;

    if (request->ocsp_url.len > 0 && !egress_url_check(request->ocsp_url, why))
        return ST_BAD_REQUEST;
    ret->row.ocsp_url = request->ocsp_url;
    ret->row.ocsp_strict = request->ocsp_url.len > 0 && request->ocsp_strict;
    return ST_OK;
}

static enum status remove_certificate(const struct act_input *in, struct authority_plan *ret,
                                      struct fault *why)
{
    (void)in, (void)why;
    ret->change = AUTHORITY_DELETE;
    return ST_OK;
}

/* --- all acts --------------------------------------------------------------------------------- */

static const struct {
    enum status (*plan)(const struct act_input *in, struct authority_plan *ret, struct fault *why);
    bool fills;              /* an empty slot */
    bool brings_certificate; /* in the file */
} acts[] = {
    [AUTHORITY_UPLOAD] = {upload, true, true},
    [AUTHORITY_ISSUE_CODE] = {issue_code, false, false},
    [AUTHORITY_VERIFY] = {verify, false, true},
    [AUTHORITY_REMOVE] = {remove_certificate, false, false},
    [AUTHORITY_SET_CRL] = {set_crl, false, false},
    [AUTHORITY_SET_OCSP] = {set_ocsp, false, false},
};

/* Only a list names its slot by itself: by who signed it. */
static bool finds_its_slot(const struct authority_request *r)
{
    return r->slot == 0 && r->act == AUTHORITY_SET_CRL && r->file.len > 0;
}

static enum status begin(const struct authority_request *request,
                         const struct authority_facts *facts, struct authority_plan *ret,
                         struct fault *why)
{
    const struct authority_row *was;

    if (finds_its_slot(request))
        return ST_OK;
    if (request->slot != AUTHORITY_PRIMARY && request->slot != AUTHORITY_SECONDARY)
        return fault_set(why, ST_BAD_REQUEST, "the slot is primary or secondary");
    was = row_of(facts, request->slot);
    if (request->version != 0 && (!was || was->version != request->version))
        return fault_set(why, ST_PRECONDITION_FAILED, "the slot changed meanwhile");
    if (was && request->must_be_new)
        return fault_set(why, ST_PRECONDITION_FAILED, "the slot holds a certificate already");
    if (!was && !acts[request->act].fills)
        return fault_set(why, ST_NOT_FOUND, "the slot is empty");
    ret->slot = request->slot;
    ret->was_version = was ? was->version : 0;
    if (was)
        ret->row = *was;
    return ST_OK;
}

enum status authority_plan(const struct authority_request *request,
                           const struct authority_facts *facts, struct arena *arena,
                           struct authority_plan *ret, struct fault *why)
{
    struct act_input in = {.request = request, .facts = facts, .arena = arena};
    struct x509_st *certificate = NULL;
    enum status status;

    *ret = (struct authority_plan){.change = AUTHORITY_KEEP};
    if (request->act == AUTHORITY_SHOW)
        return ST_OK;
    ret->change = AUTHORITY_PUT;
    status = begin(request, facts, ret, why);
    if (status == ST_OK && acts[request->act].brings_certificate)
        status = read_file(request->file, &certificate, why);
    in.certificate = certificate;
    if (status == ST_OK)
        status = acts[request->act].plan(&in, ret, why);
    certificate_free(certificate);
    ret->row.enabled = facts->enabled;
    ret->row.updated_at = facts->now;
    return status;
}
