#include "crypto/certificate_read.h"

#include "base/text.h"
#include "crypto/certificate_testing.h"

enum form {
    PEM,
    DER,
    BASE64_OF_PEM,
    BARE_BASE64,
    WRAPPED_BASE64, /* in lines */
    TYPED_PEM,      /* "\n" in place of line ends */
    TYPED_CRLF,     /* "\r\n" likewise */
    CRLF_PEM,
    ONE_LINE_PEM, /* no line ends in the base64 */
    OLD_PEM,      /* BEGIN X509 CERTIFICATE */
    FORM_COUNT
};

static void append_base64(slice bytes, size_t width, const char *line_end, struct buf *to)
{
    struct buf BUF_CLEANUP text = {.max = CERTIFICATE_FILE_MAX * 2};

    base64_encode(bytes, &text);
    for (slice rest = buf_slice(&text); rest.len > 0; rest = slice_from(rest, width)) {
        buf_append(to, slice_first(rest, width));
        buf_append_str(to, line_end);
    }
}

static void append_pem(slice der, const char *label, size_t width, const char *line_end,
                       struct buf *to)
{
    buf_printf(to, "-----BEGIN %s-----%s", label, line_end);
    append_base64(der, width, line_end, to);
    buf_printf(to, "-----END %s-----%s", label, line_end);
}

static void append_form(enum form form, slice der, struct buf *to)
{
    struct buf BUF_CLEANUP pem = {.max = CERTIFICATE_FILE_MAX};

    switch (form) {
    case PEM:
        append_pem(der, "CERTIFICATE", 64, "\n", to);
        break;
    case DER:
        buf_append(to, der);
        break;
    case BASE64_OF_PEM:
        append_pem(der, "CERTIFICATE", 64, "\n", &pem);
        append_base64(buf_slice(&pem), 76, "", to);
        break;
    case BARE_BASE64:
        append_base64(der, 64, "", to);
        break;
    case WRAPPED_BASE64:
        append_base64(der, 64, "\r\n", to);
        break;
    case TYPED_PEM:
        append_pem(der, "CERTIFICATE", 64, "\\n", to);
        break;
    case TYPED_CRLF:
        append_pem(der, "CERTIFICATE", 64, "\\r\\n", to);
        break;
    case CRLF_PEM:
        append_pem(der, "CERTIFICATE", 64, "\r\n", to);
        break;
    case ONE_LINE_PEM:
        append_pem(der, "CERTIFICATE", 4096, "\n", to);
        break;
    case OLD_PEM:
        append_pem(der, "X509 CERTIFICATE", 64, "\n", to);
        break;
    case FORM_COUNT:
        break;
    }
    assert_false(to->failed);
}

static void der_of(const X509 *certificate, struct buf *to)
{
    certificate_to_der(certificate, to);
    assert_false(to->failed);
}

static void certificates_are_read_from_every_form(void **state)
{
    struct lab lab = {0};
    X509 *made = lab_authority(&lab, "Root", NULL).certificate;
    struct buf BUF_CLEANUP der = {.max = CERTIFICATE_FILE_MAX};

    (void)state;
    der_of(made, &der);
    for (enum form form = 0; form < FORM_COUNT; form++) {
        struct buf BUF_CLEANUP file = {.max = CERTIFICATE_FILE_MAX};
        X509 *read = NULL;

        append_form(form, buf_slice(&der), &file);
        if (certificate_read(buf_slice(&file), &read) != CERTIFICATE_FINE ||
            X509_cmp(read, made) != 0)
            fail_msg("form %d is not read", form);
        assert_int_equal(ERR_peek_error(), 0);
        certificate_free(read);
    }
    lab_deinit(&lab);
}

static void written_certificates_are_read_again(void **state)
{
    struct lab lab = {0};
    X509 *made = lab_authority(&lab, "Root", NULL).certificate, *read = NULL;
    struct buf BUF_CLEANUP pem = {.max = CERTIFICATE_FILE_MAX}, small = {.max = 100};

    (void)state;
    certificate_to_pem(made, &pem);
    assert_int_equal(certificate_read(buf_slice(&pem), &read), CERTIFICATE_FINE);
    assert_int_equal(X509_cmp(read, made), 0);
    certificate_free(read);
    certificate_to_pem(made, &small);
    assert_true(small.failed);
    buf_clear(&small);
    certificate_to_der(made, &small);
    assert_true(small.failed);
    lab_deinit(&lab);
}

#define KEY_PEM "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"

/* Files that hold a good certificate and something beside it. */
static void files_that_hold_more_than_certificates(void **state)
{
    static const struct {
        const char *name, *before, *after;
        enum certificate_problem problem;
    } rows[] = {
        {"text in front", "Certificate:\n  Data:\n", "", CERTIFICATE_FINE},
        {"0 in front", "0\x82 is where DER begins\n", "", CERTIFICATE_NONE},
        {"byte order mark", "\xef\xbb\xbf", "", CERTIFICATE_FINE},
        {"text behind", "", "signed by hand\n", CERTIFICATE_FINE},
        {"parameters", "-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\n", "",
         CERTIFICATE_FINE},
        {"a request", "",
         "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE "
         "REQUEST-----\n",
         CERTIFICATE_FINE},
        {"key behind", "", KEY_PEM, CERTIFICATE_PRIVATE_KEY},
        {"key in front", KEY_PEM, "", CERTIFICATE_PRIVATE_KEY},
        {"key of another form", "", "-----BEGIN RSA PRIVATE KEY-----\n", CERTIFICATE_PRIVATE_KEY},
        {"sealed key", "", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII", CERTIFICATE_PRIVATE_KEY},
        {"a broken one behind", "",
         "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", CERTIFICATE_TOO_MANY},
        {"a broken one in front", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
         "", CERTIFICATE_NONE},
        {"begins and does not end", "", "-----BEGIN CERTIFICATE-----\nMIIB", CERTIFICATE_TOO_MANY},
    };
    struct lab lab = {0};
    X509 *made = lab_authority(&lab, "Root", NULL).certificate;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf BUF_CLEANUP file = {.max = CERTIFICATE_FILE_MAX};
        X509 *read = NULL;

        buf_append_str(&file, rows[i].before);
        certificate_to_pem(made, &file);
        buf_append_str(&file, rows[i].after);
        if (certificate_read(buf_slice(&file), &read) != rows[i].problem)
            fail_msg("%s: not %d", rows[i].name, rows[i].problem);
        assert_int_equal(read != NULL, rows[i].problem == CERTIFICATE_FINE);
        assert_int_equal(ERR_peek_error(), 0);
        certificate_free(read);
    }
    lab_deinit(&lab);
}

static void P093_a_key_inside_base64_is_found_too(void **state)
{
    struct lab lab = {0};
    struct buf BUF_CLEANUP pem = {.max = CERTIFICATE_FILE_MAX},
                           file = {.max = CERTIFICATE_FILE_MAX};
    X509 *read = NULL;

    (void)state;
    certificate_to_pem(lab_authority(&lab, "Root", NULL).certificate, &pem);
    buf_append_str(&pem, KEY_PEM);
    append_base64(buf_slice(&pem), 76, "\n", &file);
    assert_int_equal(certificate_read(buf_slice(&file), &read), CERTIFICATE_PRIVATE_KEY);
    assert_null(read);
    lab_deinit(&lab);
}

static void what_is_no_certificate_is_refused(void **state)
{
    static const struct {
        const char *name;
        slice file;
    } rows[] = {
        {"empty", {0}},
        {"blank", SLICE(" \r\n")},
        {"text", SLICE("hello, I am no certificate")},
        {"JSON", SLICE("{\"certificate\":\"\"}")},
        {"base64 of something", SLICE("aGVsbG8=")},
        {"DER of something", SLICE("\x30\x81\x80 and so on")},
        {"one byte of DER", SLICE("\x30")},
        {"dashes", SLICE("-----BEGIN ")},
        {"no label end", SLICE("-----BEGIN CERTIFICATE")},
        {"no content", SLICE("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")},
        {"no base64", SLICE("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n")},
        {"a request", SLICE("-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n"
                            "-----END CERTIFICATE REQUEST-----\n")},
        {"a list", SLICE("-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        X509 *read = (X509 *)&rows;

        if (certificate_read(rows[i].file, &read) != CERTIFICATE_NONE || read)
            fail_msg("%s: not refused", rows[i].name);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void a_block_ends_with_the_label_it_began_with(void **state)
{
    struct lab lab = {0};
    struct buf BUF_CLEANUP der = {.max = CERTIFICATE_FILE_MAX},
                           file = {.max = CERTIFICATE_FILE_MAX};
    X509 *read = NULL;

    (void)state;
    der_of(lab_authority(&lab, "Root", NULL).certificate, &der);
    buf_append_str(&file, "-----BEGIN CERTIFICATE-----\n");
    append_base64(buf_slice(&der), 64, "\n", &file);
    buf_append_str(&file, "-----END CERTIFICATE REQUEST-----\n");
    assert_int_equal(certificate_read(buf_slice(&file), &read), CERTIFICATE_NONE);
    lab_deinit(&lab);
}

static void files_may_have_64_kib(void **state)
{
    struct lab lab = {0};
    struct buf BUF_CLEANUP file = {.max = CERTIFICATE_FILE_MAX + 1};
    X509 *read = NULL;

    (void)state;
    certificate_to_pem(lab_authority(&lab, "Root", NULL).certificate, &file);
    while (file.len < CERTIFICATE_FILE_MAX)
        buf_append_byte(&file, '\n');
    assert_int_equal(certificate_read(buf_slice(&file), &read), CERTIFICATE_FINE);
    certificate_free(read);
    buf_append_byte(&file, '\n');
    assert_int_equal(certificate_read(buf_slice(&file), &read), CERTIFICATE_OVERSIZED);
    lab_deinit(&lab);
}

static void chains_are_read_in_their_order_up_to_the_maximum(void **state)
{
    struct lab lab = {0};
    struct buf BUF_CLEANUP file = {.max = CERTIFICATE_FILE_MAX};
    X509 *made[3], *read = NULL;
    struct stack_st_X509 *chain = NULL, *shared;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(made); i++) {
        made[i] = lab_authority(&lab, "Root", NULL).certificate;
        certificate_to_pem(made[i], &file);
    }
    assert_int_equal(certificates_read(buf_slice(&file), 3, &chain), CERTIFICATE_FINE);
    shared = certificates_share(chain);
    certificates_free(chain);
    assert_int_equal(sk_X509_num(shared), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(X509_cmp(sk_X509_value(shared, i), made[i]), 0);
    certificates_free(shared);
    assert_int_equal(certificates_read(buf_slice(&file), 2, &chain), CERTIFICATE_TOO_MANY);
    assert_null(chain);
    assert_int_equal(certificate_read(buf_slice(&file), &read), CERTIFICATE_TOO_MANY);
    assert_null(read);
    assert_null(certificates_share(NULL));
    assert_null(certificate_share(NULL));
    certificates_free(NULL);
    lab_deinit(&lab);
}

static void der_ends_with_the_certificate(void **state)
{
    struct lab lab = {0};
    struct buf BUF_CLEANUP der = {.max = CERTIFICATE_FILE_MAX};
    X509 *read;

    (void)state;
    der_of(lab_authority(&lab, "Root", NULL).certificate, &der);
    read = certificate_from_der(buf_slice(&der));
    assert_non_null(read);
    certificate_free(read);
    assert_null(certificate_from_der(slice_first(buf_slice(&der), der.len - 1)));
    buf_append_byte(&der, 0);
    assert_null(certificate_from_der(buf_slice(&der)));
    assert_null(certificate_from_der((slice){0}));
    assert_int_equal(ERR_peek_error(), 0);
    lab_deinit(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_are_read_from_every_form),
        cmocka_unit_test(written_certificates_are_read_again),
        cmocka_unit_test(files_that_hold_more_than_certificates),
        cmocka_unit_test(P093_a_key_inside_base64_is_found_too),
        cmocka_unit_test(what_is_no_certificate_is_refused),
        cmocka_unit_test(a_block_ends_with_the_label_it_began_with),
        cmocka_unit_test(files_may_have_64_kib),
        cmocka_unit_test(chains_are_read_in_their_order_up_to_the_maximum),
        cmocka_unit_test(der_ends_with_the_certificate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
