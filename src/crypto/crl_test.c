#include "crypto/crl.h"

#include "crypto/certificate_testing.h"

struct entry {
    const char *serial;
    int reason;             /* CRL_REASON_NONE: none given */
    const char *extensions; /* more of them */
};
#define NO_REASON .reason = CRL_REASON_NONE

struct list {
    const struct entry *entries;
    size_t count;
    const char *number;     /* hex; NULL: none */
    const char *extensions; /* of the list */
    int64_t from, next;     /* seconds after LAB_NOW; next 0: none */
    int version;            /* 0: 2 */
    const char *date;       /* of its making, in these characters */
    EVP_PKEY *signer;       /* in place of the authority's */
    const X509 *issuer;     /* likewise */
};

static void add_reason(X509_REVOKED *revoked, int reason)
{
    ASN1_ENUMERATED *value = ASN1_ENUMERATED_new();

    ASN1_ENUMERATED_set(value, reason);
    assert_int_equal(X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, value, 0, 0), 1);
    ASN1_ENUMERATED_free(value);
}

static X509_EXTENSION *make_extension(slice *list)
{
    slice value = slice_split(list, '|');
    slice name = slice_split(&value, '=');
    char names[64], values[256];
    X509_EXTENSION *extension;

    snprintf(names, sizeof names, "%.*s", SLICE_FMT(name));
    snprintf(values, sizeof values, "%.*s", SLICE_FMT(value));
    extension = X509V3_EXT_nconf(NULL, NULL, names, values);
    if (!extension)
        fail_msg("no such extension: %s=%s", names, values);
    return extension;
}

static void add_entry(X509_CRL *crl, const struct entry *entry)
{
    X509_REVOKED *revoked = X509_REVOKED_new();
    ASN1_TIME *when = ASN1_TIME_set(NULL, LAB_NOW_S - DAY_S);
    BIGNUM *number = NULL;
    ASN1_INTEGER *serial;

    assert_true(BN_hex2bn(&number, entry->serial) > 0);
    serial = BN_to_ASN1_INTEGER(number, NULL);
    X509_REVOKED_set_serialNumber(revoked, serial);
    X509_REVOKED_set_revocationDate(revoked, when);
    if (entry->reason != CRL_REASON_NONE)
        add_reason(revoked, entry->reason);
    for (slice rest = slice_str(entry->extensions); rest.len > 0;) {
        X509_EXTENSION *extension = make_extension(&rest);

        X509_REVOKED_add_ext(revoked, extension, -1);
        X509_EXTENSION_free(extension);
    }
    assert_int_equal(X509_CRL_add0_revoked(crl, revoked), 1);
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(when);
    BN_free(number);
}

static void set_dates(X509_CRL *crl, const struct list *list)
{
    ASN1_TIME *when = ASN1_TIME_set(NULL, LAB_NOW_S + list->from);

    if (list->date)
        ASN1_STRING_set(when, list->date, -1);
    X509_CRL_set1_lastUpdate(crl, when);
    if (list->next) {
        ASN1_TIME_set(when, LAB_NOW_S + list->next);
        X509_CRL_set1_nextUpdate(crl, when);
    }
    ASN1_TIME_free(when);
}

static void set_extensions(X509_CRL *crl, const struct list *list)
{
    BIGNUM *number = NULL;
    ASN1_INTEGER *value;

    for (slice rest = slice_str(list->extensions); rest.len > 0;) {
        X509_EXTENSION *extension = make_extension(&rest);

        X509_CRL_add_ext(crl, extension, -1);
        X509_EXTENSION_free(extension);
    }
    if (!list->number)
        return;
    assert_true(BN_hex2bn(&number, list->number) > 0);
    value = BN_to_ASN1_INTEGER(number, NULL);
    assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_crl_number, value, 0, 0), 1);
    ASN1_INTEGER_free(value);
    BN_free(number);
}

static X509_CRL *make_list(const struct list *list, const struct holder *authority)
{
    X509_CRL *crl = X509_CRL_new();

    X509_CRL_set_version(crl, list->version ? list->version - 1 : X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(
        crl, X509_get_subject_name(list->issuer ? list->issuer : authority->certificate));
    set_dates(crl, list);
    for (size_t i = 0; i < list->count; i++)
        add_entry(crl, &list->entries[i]);
    set_extensions(crl, list);
    assert_true(X509_CRL_sign(crl, list->signer ? list->signer : authority->key, EVP_sha256()) > 0);
    ERR_clear_error();
    return crl;
}

static void write_der(const struct list *list, const struct holder *authority, struct buf *to)
{
    X509_CRL *crl = make_list(list, authority);
    uint8_t *der = NULL;
    int len = i2d_X509_CRL(crl, &der);

    assert_true(len > 0);
    buf_append(to, slice_of(der, (size_t)len));
    assert_false(to->failed);
    OPENSSL_free(der);
    X509_CRL_free(crl);
}

static void write_pem(const struct list *list, const struct holder *authority, struct buf *to)
{
    X509_CRL *crl = make_list(list, authority);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long len;

    assert_int_equal(PEM_write_bio_X509_CRL(bio, crl), 1);
    len = BIO_get_mem_data(bio, &text);
    buf_append(to, slice_of(text, (size_t)len));
    assert_false(to->failed);
    BIO_free(bio);
    X509_CRL_free(crl);
}

static bool is_listed(const struct crl *crl, struct lab *lab, const struct holder *authority,
                      const char *serial)
{
    X509 *leaf = lab_make(lab, &(struct spec){.serial = serial}, authority).certificate;
    struct certificate_marks marks;

    assert_true(certificate_marks(leaf, &marks));
    return marks_contain(crl->marks.ptr, crl->count, marks.issuer_serial);
}

static void a_list_tells_whom_it_revokes(void **state)
{
    static const struct entry entries[] = {
        {"05", NO_REASON},
        {"0102030405060708090A0B0C0D0E0F1011121314", .reason = CRL_REASON_KEY_COMPROMISE},
        {"-07", .reason = CRL_REASON_SUPERSEDED},
        {"08", .reason = CRL_REASON_REMOVE_FROM_CRL},
        {"09", NO_REASON, .extensions = "invalidityDate=DER:180F32303236303130313030303030305A"},
    };
    const struct list list = {
        .entries = entries, .count = COUNT_OF(entries), .number = "0100", .next = DAY_S};
    struct lab lab = {0};
    struct holder root = lab_authority(&lab, "Root", NULL);
    struct holder other = lab_authority(&lab, "Other", NULL);

    (void)state;
    for (int pem = 0; pem < 2; pem++) {
        struct buf BUF_CLEANUP file = {.max = CRL_FILE_MAX};
        struct crl crl;
        struct fault why = {0};

        (pem ? write_pem : write_der)(&list, &root, &file);
        if (crl_read(buf_slice(&file), root.certificate, LAB_NOW, &crl, &why) != ST_OK)
            fail_msg("%s", why.text);
        assert_int_equal(crl.this_update, LAB_NOW);
        assert_int_equal(crl.next_update, LAB_NOW + DAY_S * 1000);
        assert_string_equal(crl.number, "0100");
        assert_int_equal(crl.count, 4);
        assert_int_equal(crl.marks.len, 4 * sizeof(uint64_t));
        assert_true(is_listed(&crl, &lab, &root, "05"));
        assert_true(is_listed(&crl, &lab, &root, "0102030405060708090A0B0C0D0E0F1011121314"));
        assert_true(is_listed(&crl, &lab, &root, "-07"));
        assert_true(is_listed(&crl, &lab, &root, "09"));
        assert_false(is_listed(&crl, &lab, &root, "07"));
        assert_false(is_listed(&crl, &lab, &root, "08"));
        assert_false(is_listed(&crl, &lab, &other, "05"));
        crl_deinit(&crl);
    }
    lab_deinit(&lab);
}

#define SCOPE "2.5.29.28=critical,DER:"
static const struct entry one[] = {{"05", NO_REASON}};
static const struct entry foreign[] = {
    {"05", NO_REASON, .extensions = "2.5.29.29=critical,DER:3000"}};
static const struct entry critical[] = {
    {"05", NO_REASON, .extensions = "1.2.3.4=critical,DER:0500"}};
static const struct entry odd[] = {{"05", NO_REASON, .extensions = "1.2.3.4=DER:0500"}};
static const struct entry unreadable[] = {{"05", NO_REASON, .extensions = "CRLReason=DER:0500"}};

static void lists_are_taken_or_refused(void **state)
{
    struct lab lab = {0};
    struct holder root = lab_authority(&lab, "Root", NULL);
    struct holder namesake = lab_authority(&lab, "Root", NULL);
    struct holder other = lab_authority(&lab, "Other", NULL);
    const struct {
        const char *name;
        struct list list;
        const char *cause; /* NULL: taken */
    } rows[] = {
        {"one entry", {.entries = one, .count = 1}, NULL},
        {"no entries", {0}, NULL},
        {"version 1", {.entries = one, .count = 1, .version = 1}, NULL},
        {"past its next update",
         {.entries = one, .count = 1, .from = -2 * DAY_S, .next = -DAY_S},
         NULL},
        {"300 s in the future", {.entries = one, .count = 1, .from = 300}, NULL},
        {"301 s in the future", {.entries = one, .count = 1, .from = 301}, "from the future"},
        {"no date", {.entries = one, .count = 1, .date = "260101000000"}, "a date"},
        {"signed by another key",
         {.entries = one, .count = 1, .signer = other.key},
         "not signed by"},
        {"signed by another key of the name",
         {.entries = one, .count = 1, .signer = namesake.key},
         "not signed by"},
        {"of another name",
         {.entries = one, .count = 1, .issuer = other.certificate},
         "issued by 'Other'"},
        {"a delta",
         {.entries = one, .count = 1, .extensions = "deltaCRL=critical,DER:020101"},
         "a delta"},
        {"user certificates only",
         {.entries = one, .count = 1, .extensions = SCOPE "30038101FF"},
         NULL},
        {"indirect", {.entries = one, .count = 1, .extensions = SCOPE "30038401FF"}, "indirect"},
        {"an entry of another", {.entries = foreign, .count = 1}, "another issuer"},
        {"unknown extension", {.entries = one, .count = 1, .extensions = "1.2.3.4=DER:0500"}, NULL},
        {"unknown critical extension",
         {.entries = one, .count = 1, .extensions = "1.2.3.4=critical,DER:0500"},
         "critical"},
        {"unknown extension of an entry", {.entries = odd, .count = 1}, NULL},
        {"unknown critical extension of an entry", {.entries = critical, .count = 1}, "critical"},
        {"unreadable reason", {.entries = unreadable, .count = 1}, "reason"},
        {"number of 20 bytes", {.number = "7F112233445566778899AABBCCDDEEFF00112233"}, NULL},
        {"number of 21 bytes", {.number = "7F112233445566778899AABBCCDDEEFF0011223344"}, "number"},
        {"negative number", {.number = "-1"}, "number"},
        {"unreadable number", {.extensions = "crlNumber=DER:0500"}, "number"},
        {"unreadable scope", {.extensions = SCOPE "0500"}, "scope"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf BUF_CLEANUP file = {.max = CRL_FILE_MAX};
        struct crl crl = {0};
        struct fault why = {0};
        enum status status;

        write_der(&rows[i].list, &root, &file);
        status = crl_read(buf_slice(&file), root.certificate, LAB_NOW, &crl, &why);
        if (status != (rows[i].cause ? ST_BAD_REQUEST : ST_OK) ||
            (rows[i].cause && !strstr(why.text, rows[i].cause)))
            fail_msg("%s: %s", rows[i].name, why.text);
        assert_int_equal(ERR_peek_error(), 0);
        crl_deinit(&crl);
    }
    lab_deinit(&lab);
}

static void an_authority_without_crlsign_may_not_sign_lists(void **state)
{
    static const struct {
        const char *extensions;
        enum status status;
    } rows[] = {
        {"basicConstraints=CA:TRUE", ST_OK},
        {"basicConstraints=CA:TRUE|keyUsage=cRLSign", ST_OK},
        {"basicConstraints=CA:TRUE|keyUsage=keyCertSign", ST_BAD_REQUEST},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lab lab = {0};
        struct buf BUF_CLEANUP file = {.max = CRL_FILE_MAX};
        struct spec spec = {.cn = "Root", .extensions = rows[i].extensions};
        struct holder root = lab_make(&lab, &spec, NULL);
        struct crl crl = {0};

        write_der(&(struct list){.entries = one, .count = 1}, &root, &file);
        assert_int_equal(crl_read(buf_slice(&file), root.certificate, LAB_NOW, &crl, NULL),
                         rows[i].status);
        crl_deinit(&crl);
        lab_deinit(&lab);
    }
}

static void files_that_are_no_list_are_refused(void **state)
{
    struct lab lab = {0};
    struct holder root = lab_authority(&lab, "Root", NULL);
    struct buf BUF_CLEANUP certificate = {.max = CRL_FILE_MAX}, two = {.max = CRL_FILE_MAX},
                           longer = {.max = CRL_FILE_MAX}, huge = {.max = CRL_FILE_MAX + 1};
    struct crl crl;
    struct fault why;

    (void)state;
    certificate_to_pem(root.certificate, &certificate);
    write_pem(&(struct list){.entries = one, .count = 1}, &root, &two);
    write_pem(&(struct list){.entries = one, .count = 1}, &root, &two);
    write_der(&(struct list){.entries = one, .count = 1}, &root, &longer);
    buf_append_byte(&longer, 0);
    for (size_t i = 0; i <= CRL_FILE_MAX; i++)
        buf_append_byte(&huge, '\n');
    const struct {
        const char *name;
        slice file;
        enum status status;
    } rows[] = {
        {"empty", {0}, ST_BAD_REQUEST},
        {"text", SLICE("no list"), ST_BAD_REQUEST},
        {"certificate", buf_slice(&certificate), ST_BAD_REQUEST},
        {"two lists", buf_slice(&two), ST_BAD_REQUEST},
        {"a byte behind", buf_slice(&longer), ST_BAD_REQUEST},
        {"a byte missing", slice_first(buf_slice(&longer), longer.len - 2), ST_BAD_REQUEST},
        {"1 MiB of blanks", slice_first(buf_slice(&huge), CRL_FILE_MAX), ST_BAD_REQUEST},
        {"a byte more than 1 MiB", buf_slice(&huge), ST_TOO_LARGE},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (crl_read(rows[i].file, root.certificate, LAB_NOW, &crl, &why) != rows[i].status ||
            why.status != rows[i].status)
            fail_msg("%s: %s", rows[i].name, why.text);
        assert_int_equal(ERR_peek_error(), 0);
    }
    lab_deinit(&lab);
}

/* Entries as short as can be, or the file would be too large first. */
static void write_long_list(const struct holder *root, size_t count, struct buf *to)
{
    X509_CRL *crl = make_list(&(struct list){0}, root);
    ASN1_TIME *when = ASN1_TIME_set(NULL, LAB_NOW_S);
    uint8_t *der = NULL;
    int len;

    for (size_t i = 0; i < count; i++) {
        X509_REVOKED *revoked = X509_REVOKED_new();
        ASN1_INTEGER *serial = ASN1_INTEGER_new();

        ASN1_INTEGER_set_uint64(serial, i + 1);
        X509_REVOKED_set_serialNumber(revoked, serial);
        X509_REVOKED_set_revocationDate(revoked, when);
        /* Nothing checks this date; four bytes of it do. */
        ASN1_STRING_set((ASN1_STRING *)X509_REVOKED_get0_revocationDate(revoked), "26Z", 3);
        X509_CRL_add0_revoked(crl, revoked);
        ASN1_INTEGER_free(serial);
    }
    assert_true(X509_CRL_sign(crl, root->key, EVP_sha256()) > 0);
    len = i2d_X509_CRL(crl, &der);
    buf_append(to, slice_of(der, (size_t)len));
    assert_false(to->failed);
    OPENSSL_free(der);
    ASN1_TIME_free(when);
    X509_CRL_free(crl);
    ERR_clear_error();
}

static void lists_may_have_65536_entries(void **state)
{
    struct lab lab = {0};
    struct holder root = lab_authority(&lab, "Root", NULL);

    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct buf BUF_CLEANUP file = {.max = CRL_FILE_MAX};
        struct crl crl = {0};
        struct fault why = {0};

        write_long_list(&root, CRL_ENTRIES_MAX + more, &file);
        if (crl_read(buf_slice(&file), root.certificate, LAB_NOW, &crl, &why) !=
            (more ? ST_TOO_LARGE : ST_OK))
            fail_msg("%zu more: %s", more, why.text);
        if (!more) {
            assert_int_equal(crl.count, CRL_ENTRIES_MAX);
            assert_true(is_listed(&crl, &lab, &root, "01"));
            assert_true(is_listed(&crl, &lab, &root, "010000"));
            assert_false(is_listed(&crl, &lab, &root, "010001"));
        }
        crl_deinit(&crl);
    }
    lab_deinit(&lab);
}

static void the_number_then_the_date_says_which_list_is_older(void **state)
{
    static const struct {
        const char *number;
        instant made;
        const char *than_number;
        instant than_made;
        bool older;
    } rows[] = {
        {"01", 5, "02", 5, true},    {"02", 5, "01", 5, false},  {"02", 5, "02", 5, false},
        {"02", 4, "02", 5, true},    {"FF", 5, "0100", 5, true}, {"0100", 5, "FF", 5, false},
        {"02", 4, "01", 5, false},   {"01", 6, "02", 5, true},   {"", 4, "02", 5, true},
        {"", 5, "02", 5, false},     {"01", 6, "", 5, false},    {"", 4, "", 5, true},
        {"0001", 5, "01", 5, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct crl crl = {.this_update = rows[i].made};

        snprintf(crl.number, sizeof crl.number, "%s", rows[i].number);
        if (crl_is_older(&crl, slice_str(rows[i].than_number), rows[i].than_made) != rows[i].older)
            fail_msg("row %zu: older is not %d", i, rows[i].older);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_tells_whom_it_revokes),
        cmocka_unit_test(lists_are_taken_or_refused),
        cmocka_unit_test(an_authority_without_crlsign_may_not_sign_lists),
        cmocka_unit_test(files_that_are_no_list_are_refused),
        cmocka_unit_test(lists_may_have_65536_entries),
        cmocka_unit_test(the_number_then_the_date_says_which_list_is_older),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
