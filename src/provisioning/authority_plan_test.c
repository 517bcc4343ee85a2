#include "crypto/certificate_testing.h"

#include "base/text.h"
#include "crypto/certificate_make.h"
#include "provisioning/authority_plan.h"

#define NOW LAB_NOW
#define HOUR_MS (3600 * 1000LL)

/* A root in the primary slot; the secondary is empty. */
struct world {
    struct lab lab;
    struct arena arena;
    struct holder root, other;
    struct authority_row row;
    struct authority_facts facts;
    struct authority_plan plan;
    struct buf file;
    struct fault why;
};

static slice der_of(struct world *w, const X509 *certificate)
{
    struct buf BUF_CLEANUP der = {.max = CERTIFICATE_FILE_MAX};

    certificate_to_der(certificate, &der);
    assert_false(der.failed);
    return arena_copy(&w->arena, buf_slice(&der));
}

static slice pem_of(struct world *w, const X509 *certificate)
{
    buf_clear(&w->file);
    certificate_to_pem(certificate, &w->file);
    assert_false(w->file.failed);
    return buf_slice(&w->file);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    arena_init(&w->arena, 8 * 1024 * 1024);
    buf_init(&w->file, 4 * 1024 * 1024);
    w->root = lab_authority(&w->lab, "Root", NULL);
    w->other = lab_authority(&w->lab, "Other", NULL);
    w->row = (struct authority_row){
        .group = SLICE("plant"),
        .slot = AUTHORITY_PRIMARY,
        .certificate = der_of(w, w->root.certificate),
        .thumbprint = SLICE("AA"),
        .enabled = true,
        .created_at = NOW - HOUR_MS,
        .version = 7,
    };
    w->facts = (struct authority_facts){
        .group = SLICE("plant"), .enabled = true, .slots = {&w->row}, .now = NOW};
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    authority_plan_deinit(&w->plan);
    lab_deinit(&w->lab);
    arena_deinit(&w->arena);
    buf_deinit(&w->file);
    free(w);
    return 0;
}

static enum status plans(struct world *w, struct authority_request request)
{
    authority_plan_deinit(&w->plan);
    w->why = (struct fault){0};
    request.by = SLICE("ann");
    return authority_plan(&request, &w->facts, &w->arena, &w->plan, &w->why);
}

static enum status uploads(struct world *w, slice file)
{
    return plans(w, (struct authority_request){
                        .act = AUTHORITY_UPLOAD, .slot = AUTHORITY_SECONDARY, .file = file});
}

static enum status verifies(struct world *w, slice file)
{
    return plans(w, (struct authority_request){
                        .act = AUTHORITY_VERIFY, .slot = AUTHORITY_PRIMARY, .file = file});
}

static void expect_refusal(const struct world *w, const char *name, enum status status,
                           const char *code)
{
    if (status != ST_BAD_REQUEST || strncmp(w->why.text, code, 3) != 0 || w->why.text[3] != ':')
        fail_msg("%s: %s, '%s'", name, status_name(status), w->why.text);
}

/* --- upload ----------------------------------------------------------------------------------- */

static void C067_root_as_pem_and_der_and_an_intermediate_fill_a_slot(void **state)
{
    struct world *w = *state;
    struct holder below = lab_authority(&w->lab, "Intermediate", &w->root);
    struct thumbprints want;

    assert_int_equal(uploads(w, pem_of(w, w->other.certificate)), ST_OK);
    assert_int_equal(w->plan.change, AUTHORITY_PUT);
    assert_int_equal(w->plan.slot, AUTHORITY_SECONDARY);
    assert_int_equal(w->plan.was_version, 0);
    assert_int_equal(w->plan.row.verified_at, 0);
    assert_true(w->plan.row.enabled);
    assert_true(certificate_thumbprints(w->other.certificate, &want));
    assert_true(slice_equal(w->plan.row.thumbprint, slice_of(want.sha256, sizeof want.sha256)));
    assert_int_equal(uploads(w, der_of(w, w->other.certificate)), ST_OK);
    assert_true(slice_equal(w->plan.row.certificate, der_of(w, w->other.certificate)));
    assert_int_equal(uploads(w, pem_of(w, below.certificate)), ST_OK);
}

static void P093_C070_uploads_that_are_no_authority_are_refused_by_their_code(void **state)
{
    struct world *w = *state;
    struct holder no_key_usage = lab_make(
        &w->lab, &(struct spec){.is_authority = true, .extensions = "basicConstraints=CA:TRUE"},
        NULL);
    const struct {
        const char *name, *code;
        struct spec spec;
    } rows[] = {
        {"a leaf", "C02", {.cn = "dev-001"}},
        {"no constraints",
         "C02",
         {.is_authority = true, .extensions = "subjectKeyIdentifier=hash"}},
        {"expired", "C03", {.is_authority = true, .from = -9 * DAY_S, .until = -DAY_S}},
        {"not yet valid", "C03", {.is_authority = true, .from = DAY_S}},
        {"a short key", "C04", {.is_authority = true, .key = "RSA1024"}},
        {"SHA-1", "C04", {.is_authority = true, .hash = EVP_sha1()}},
    };
    enum status status;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        status = uploads(w, pem_of(w, lab_make(&w->lab, &rows[i].spec, NULL).certificate));
        expect_refusal(w, rows[i].name, status, rows[i].code);
    }
    status = uploads(w, SLICE("no certificate"));
    expect_refusal(w, "nothing", status, "C01");
    assert_int_equal(uploads(w, pem_of(w, no_key_usage.certificate)), ST_OK);
}

static void C070_several_certificates_in_one_file_are_named(void **state)
{
    struct world *w = *state;
    struct holder leaf = lab_leaf(&w->lab, "dev-001", &w->root);
    enum status status;

    pem_of(w, leaf.certificate);
    certificate_to_pem(w->root.certificate, &w->file);
    status = uploads(w, buf_slice(&w->file));
    expect_refusal(w, "two", status, "C01");
    assert_non_null(strstr(w->why.text, "'dev-001', 'Root' (authority)"));
}

static void P093_C070_private_key_in_the_file_is_refused(void **state)
{
    struct world *w = *state;
    enum status status;

    pem_of(w, w->other.certificate);
    private_key_to_pem(w->other.key, &w->file);
    assert_false(w->file.failed);
    status = uploads(w, buf_slice(&w->file));
    expect_refusal(w, "upload", status, "C09");
    w->row.code = SLICE("C0DE");
    w->row.code_at = NOW;
    status = verifies(w, buf_slice(&w->file));
    expect_refusal(w, "verify", status, "C09");
}

static void C072_verified_on_upload_is_self_attested(void **state)
{
    struct world *w = *state;
    const struct authority_request request = {.act = AUTHORITY_UPLOAD,
                                              .slot = AUTHORITY_SECONDARY,
                                              .file = pem_of(w, w->other.certificate),
                                              .verified = true};

    assert_int_equal(plans(w, request), ST_OK);
    assert_int_equal(w->plan.row.verified_at, NOW);
    assert_true(w->plan.row.self_attested);
    assert_true(slice_equal(w->plan.row.verified_by, SLICE("ann")));
}

static void P092_another_certificate_loses_all_that_belonged_to_the_one_before(void **state)
{
    struct world *w = *state;
    struct authority_request request = {.act = AUTHORITY_UPLOAD, .slot = AUTHORITY_PRIMARY};

    w->row.verified_at = NOW - 1;
    w->row.verified_by = SLICE("bob");
    w->row.code = SLICE("C0DE");
    w->row.crl = SLICE("12345678");
    w->row.crl_this_update = NOW;
    w->row.ocsp_url = SLICE("http://ocsp.example.org");
    request.file = pem_of(w, w->root.certificate);
    assert_int_equal(plans(w, request), ST_OK);
    assert_int_equal(w->plan.row.verified_at, NOW - 1);
    assert_int_equal(w->plan.row.crl.len, 8);
    assert_int_equal(w->plan.row.code.len, 4);
    request.file = pem_of(w, w->other.certificate);
    request.replace = true;
    assert_int_equal(plans(w, request), ST_OK);
    assert_int_equal(w->plan.was_version, 7);
    assert_int_equal(w->plan.row.verified_at, 0);
    assert_int_equal(w->plan.row.code.len + w->plan.row.crl.len + w->plan.row.ocsp_url.len, 0);
    assert_int_equal(w->plan.row.crl_this_update, 0);
}

static void a_verified_certificate_is_replaced_only_when_that_is_said(void **state)
{
    struct world *w = *state;
    struct authority_request request = {.act = AUTHORITY_UPLOAD, .slot = AUTHORITY_PRIMARY};

    request.file = pem_of(w, w->other.certificate);
    assert_int_equal(plans(w, request), ST_OK);
    w->row.verified_at = NOW - 1;
    assert_int_equal(plans(w, request), ST_CONFLICT);
    assert_non_null(strstr(w->why.text, "say replace"));
    request.replace = true;
    assert_int_equal(plans(w, request), ST_OK);
}

/* --- proof of possession ---------------------------------------------------------------------- */

#define CODE "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"

static void give_code(struct world *w, instant at)
{
    w->row.code = SLICE(CODE);
    w->row.code_at = at;
}

static void P092_C077_codes_are_48_hex_digits_and_void_the_one_before(void **state)
{
    struct world *w = *state;
    const struct authority_request request = {.act = AUTHORITY_ISSUE_CODE,
                                              .slot = AUTHORITY_PRIMARY};
    uint8_t bytes[24];
    size_t len;
    slice first;

    give_code(w, NOW - HOUR_MS);
    assert_int_equal(plans(w, request), ST_OK);
    first = w->plan.row.code;
    assert_int_equal(first.len, VERIFICATION_CODE_LEN);
    assert_true(hex_decode(first, bytes, sizeof bytes, &len));
    for (size_t i = 0; i < first.len; i++)
        assert_false(first.ptr[i] >= 'a' && first.ptr[i] <= 'f');
    assert_int_equal(w->plan.row.code_at, NOW);
    assert_false(slice_equal(first, SLICE(CODE)));
    assert_int_equal(plans(w, request), ST_OK);
    assert_false(slice_equal(first, w->plan.row.code));
}

static void P091_C068_certificate_with_the_code_signed_by_the_authority_verifies(void **state)
{
    struct world *w = *state;
    struct holder proof = lab_leaf(&w->lab, CODE, &w->root);
    struct holder blanks = lab_leaf(&w->lab, " " CODE " ", &w->root);
    struct holder bare = lab_make(&w->lab, &(struct spec){.cn = CODE, .extensions = ""}, &w->root);
    const X509 *const proofs[] = {proof.certificate, blanks.certificate, bare.certificate};

    give_code(w, NOW - 24 * HOUR_MS);
    for (size_t i = 0; i < COUNT_OF(proofs); i++) {
        if (verifies(w, pem_of(w, proofs[i])) != ST_OK)
            fail_msg("%zu: %s", i, w->why.text);
        assert_int_equal(w->plan.row.verified_at, NOW);
        assert_false(w->plan.row.self_attested);
        assert_true(slice_equal(w->plan.row.verified_by, SLICE("ann")));
        assert_int_equal(w->plan.row.code.len, 0);
    }
    assert_int_equal(verifies(w, der_of(w, proof.certificate)), ST_OK);
}

static void P091_C070_proofs_that_prove_nothing_are_refused_by_their_code(void **state)
{
    struct world *w = *state;
    struct holder below = lab_authority(&w->lab, "Intermediate", &w->root);
    const struct {
        const char *name, *code;
        struct spec spec;
        const struct holder *issuer;
        instant issued_at; /* of the code; 0: there is none */
    } rows[] = {
        {"another code", "C06", {.cn = "FF" CODE}, &w->root, NOW},
        {"another case",
         "C06",
         {.cn = "0123456789abcdef0123456789ABCDEF0123456789ABCDEF"},
         &w->root,
         NOW},
        {"no code outstanding", "C08", {.cn = CODE}, &w->root, 0},
        {"a code of yesterday", "C08", {.cn = CODE}, &w->root, NOW - 24 * HOUR_MS - 1},
        {"by another authority", "C07", {.cn = CODE}, &w->other, NOW},
        {"by one below", "C07", {.cn = CODE}, &below, NOW},
        {"by another key", "C07", {.cn = CODE, .signer = w->other.key}, &w->root, NOW},
        {"expired", "C03", {.cn = CODE, .until = -301}, &w->root, NOW},
        {"not yet valid", "C03", {.cn = CODE, .from = 301}, &w->root, NOW},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        X509 *proof = lab_make(&w->lab, &rows[i].spec, rows[i].issuer).certificate;
        enum status status;

        w->row.code = rows[i].issued_at ? SLICE(CODE) : (slice){0};
        w->row.code_at = rows[i].issued_at;
        status = verifies(w, pem_of(w, proof));
        expect_refusal(w, rows[i].name, status, rows[i].code);
    }
    give_code(w, NOW);
    for (int64_t at = -300; at <= 300; at += 600) {
        struct spec spec = {.cn = CODE, .from = at > 0 ? at : 0, .until = at < 0 ? at : 0};

        assert_int_equal(verifies(w, pem_of(w, lab_make(&w->lab, &spec, &w->root).certificate)),
                         ST_OK);
    }
}

/* --- which slot, which version ---------------------------------------------------------------- */

static void acts_on_the_wrong_slot_or_version_are_refused(void **state)
{
    struct world *w = *state;
    const struct {
        const char *name;
        struct authority_request request;
        enum status status;
    } rows[] = {
        {"an empty slot", {.act = AUTHORITY_ISSUE_CODE, .slot = AUTHORITY_SECONDARY}, ST_NOT_FOUND},
        {"removing nothing", {.act = AUTHORITY_REMOVE, .slot = AUTHORITY_SECONDARY}, ST_NOT_FOUND},
        {"no slot", {.act = AUTHORITY_REMOVE}, ST_BAD_REQUEST},
        {"a slot too many",
         {.act = AUTHORITY_REMOVE, .slot = (enum authority_slot)3},
         ST_BAD_REQUEST},
        {"no slot, no list", {.act = AUTHORITY_SET_CRL}, ST_BAD_REQUEST},
        {"another version",
         {.act = AUTHORITY_REMOVE, .slot = AUTHORITY_PRIMARY, .version = 6},
         ST_PRECONDITION_FAILED},
        {"a version of nothing",
         {.act = AUTHORITY_REMOVE, .slot = AUTHORITY_SECONDARY, .version = 6},
         ST_PRECONDITION_FAILED},
        {"a slot that was to be empty",
         {.act = AUTHORITY_REMOVE, .slot = AUTHORITY_PRIMARY, .must_be_new = true},
         ST_PRECONDITION_FAILED},
        {"this version", {.act = AUTHORITY_REMOVE, .slot = AUTHORITY_PRIMARY, .version = 7}, ST_OK},
        {"any version", {.act = AUTHORITY_REMOVE, .slot = AUTHORITY_PRIMARY}, ST_OK},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum status status = plans(w, rows[i].request);

        if (status != rows[i].status)
            fail_msg("%s: %s", rows[i].name, status_name(status));
    }
    assert_int_equal(w->plan.change, AUTHORITY_DELETE);
    assert_int_equal(w->plan.was_version, 7);
}

static void responders_are_web_addresses(void **state)
{
    static const struct {
        const char *name, *url;
        enum status status;
    } rows[] = {
        {"http", "http://ocsp.example.org", ST_OK},
        {"https with a path", "https://ocsp.example.org:8443/x?y", ST_OK},
        {"off", "", ST_OK},
        {"another scheme", "file:///etc/passwd", ST_BAD_REQUEST},
        {"no scheme", "ocsp.example.org", ST_BAD_REQUEST},
        {"no host", "http://", ST_BAD_REQUEST},
        {"a path for a host", "http:///x", ST_BAD_REQUEST},
        {"a line end", "http://a\r\nHost: b", ST_BAD_REQUEST},
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum status status = plans(w, (struct authority_request){.act = AUTHORITY_SET_OCSP,
                                                                 .slot = AUTHORITY_PRIMARY,
                                                                 .ocsp_url = slice_str(rows[i].url),
                                                                 .ocsp_strict = true});

        if (status != rows[i].status)
            fail_msg("%s: %s", rows[i].name, status_name(status));
        if (status == ST_OK)
            assert_int_equal(w->plan.row.ocsp_strict, rows[i].url[0] != 0);
    }
}

/* --- revocation lists ------------------------------------------------------------------------- */

static slice list_of(struct world *w, const struct holder *issuer, long number, int64_t from,
                     const X509 *revoked)
{
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *at = ASN1_TIME_set(NULL, LAB_NOW_S + from);
    ASN1_INTEGER *value = ASN1_INTEGER_new();
    unsigned char *der = NULL;
    int len;
    slice ret;

    X509_CRL_set_version(list, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer->certificate));
    X509_CRL_set1_lastUpdate(list, at);
    ASN1_INTEGER_set(value, number);
    X509_CRL_add1_ext_i2d(list, NID_crl_number, value, 0, 0);
    if (revoked) {
        X509_REVOKED *entry = X509_REVOKED_new();

        X509_REVOKED_set_serialNumber(entry, (ASN1_INTEGER *)X509_get0_serialNumber(revoked));
        X509_REVOKED_set_revocationDate(entry, at);
        X509_CRL_add0_revoked(list, entry);
    }
    X509_CRL_sort(list);
    assert_true(X509_CRL_sign(list, issuer->key, EVP_sha256()) > 0);
    len = i2d_X509_CRL(list, &der);
    assert_true(len > 0);
    ret = arena_copy(&w->arena, slice_of(der, (size_t)len));
    OPENSSL_free(der);
    ASN1_INTEGER_free(value);
    ASN1_TIME_free(at);
    X509_CRL_free(list);
    return ret;
}

static enum status lists(struct world *w, enum authority_slot slot, slice file)
{
    return plans(w,
                 (struct authority_request){.act = AUTHORITY_SET_CRL, .slot = slot, .file = file});
}

static void list_goes_to_the_slot_that_signed_it(void **state)
{
    struct world *w = *state;
    struct holder leaf = lab_leaf(&w->lab, "dev-001", &w->other);
    struct holder stranger = lab_authority(&w->lab, "Stranger", NULL);
    struct authority_row secondary = {.group = SLICE("plant"),
                                      .slot = AUTHORITY_SECONDARY,
                                      .certificate = der_of(w, w->other.certificate),
                                      .version = 3};
    struct certificate_marks marks;

    assert_int_equal(lists(w, 0, list_of(w, &w->other, 1, 0, NULL)), ST_BAD_REQUEST);
    w->facts.slots[1] = &secondary;
    assert_int_equal(lists(w, 0, list_of(w, &w->other, 1, 0, leaf.certificate)), ST_OK);
    assert_int_equal(w->plan.slot, AUTHORITY_SECONDARY);
    assert_int_equal(w->plan.was_version, 3);
    assert_true(certificate_marks(leaf.certificate, &marks));
    assert_int_equal(w->plan.row.crl.len, sizeof(uint64_t));
    assert_true(marks_contain(w->plan.row.crl.ptr, 1, marks.issuer_serial));
    assert_int_equal(lists(w, AUTHORITY_PRIMARY, list_of(w, &w->other, 1, 0, NULL)),
                     ST_BAD_REQUEST);
    assert_int_equal(lists(w, 0, list_of(w, &stranger, 1, 0, NULL)), ST_BAD_REQUEST);
    assert_non_null(strstr(w->why.text, "by the primary: "));
    w->facts.slots[0] = w->facts.slots[1] = NULL;
    assert_int_equal(lists(w, 0, list_of(w, &stranger, 1, 0, NULL)), ST_NOT_FOUND);
}

static void older_list_is_refused_and_a_dropped_one_is_forgotten(void **state)
{
    struct world *w = *state;

    assert_int_equal(lists(w, 0, list_of(w, &w->root, 5, 0, NULL)), ST_OK);
    w->row = w->plan.row;
    assert_int_equal(lists(w, 0, list_of(w, &w->root, 4, 0, NULL)), ST_CONFLICT);
    assert_int_equal(lists(w, AUTHORITY_PRIMARY, list_of(w, &w->root, 4, 0, NULL)), ST_CONFLICT);
    assert_int_equal(lists(w, 0, list_of(w, &w->root, 6, 0, NULL)), ST_OK);
    assert_int_equal(lists(w, AUTHORITY_PRIMARY, (slice){0}), ST_OK);
    assert_int_equal(w->plan.change, AUTHORITY_PUT);
    assert_int_equal(w->plan.row.crl_this_update, 0);
    w->row = w->plan.row;
    assert_int_equal(lists(w, 0, list_of(w, &w->root, 4, 0, NULL)), ST_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(C067_root_as_pem_and_der_and_an_intermediate_fill_a_slot),
        TEST(P093_C070_uploads_that_are_no_authority_are_refused_by_their_code),
        TEST(C070_several_certificates_in_one_file_are_named),
        TEST(P093_C070_private_key_in_the_file_is_refused),
        TEST(C072_verified_on_upload_is_self_attested),
        TEST(P092_another_certificate_loses_all_that_belonged_to_the_one_before),
        TEST(a_verified_certificate_is_replaced_only_when_that_is_said),
        TEST(P092_C077_codes_are_48_hex_digits_and_void_the_one_before),
        TEST(P091_C068_certificate_with_the_code_signed_by_the_authority_verifies),
        TEST(P091_C070_proofs_that_prove_nothing_are_refused_by_their_code),
        TEST(acts_on_the_wrong_slot_or_version_are_refused),
        TEST(responders_are_web_addresses),
        TEST(list_goes_to_the_slot_that_signed_it),
        TEST(older_list_is_refused_and_a_dropped_one_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
