#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "crypto/thumbprint.h"

/* Version 1, no extensions, CN=localhost, as test helpers of the SDKs make them. */
static const char pem[] = "-----BEGIN CERTIFICATE-----\n"
                          "MIIBIzCByQIUOw6knl58SNcin/VHfEn6iNtYMrIwCgYIKoZIzj0EAwIwFDESMBAG\n"
                          "A1UEAwwJbG9jYWxob3N0MB4XDTI2MTEyNDA0NDIxMloXDTM2MTEyMTA0NDIxMlow\n"
                          "FDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
                          "WSWHnhXLz1LIP9Tyht8FTf83tUlUAjeU0mYCOOMVubW4IZHaBK/g2228cJNwc4L7\n"
                          "4v0pwD4E8iHyYKqQnWpeIDAKBggqhkjOPQQDAgNJADBGAiEA9SUSD2evG0V8fJF+\n"
                          "B3H5lPmYVmPVuQPsmW98ObtODlwCIQDU+BNKqoB6OKlSibPwazSlv+Uc1eZT5nEv\n"
                          "iYF3hBZNsg==\n"
                          "-----END CERTIFICATE-----\n";

/* As "openssl x509 -fingerprint" prints them. */
#define SHA1 "13A20B70E9967FAB6D44DD59DDFE96778244ADB8"
#define SHA256 "A7198FD26D672A627CB0F140ADCD33FA4301AB79D20423D711CC511F22C95AD7"

static void thumbprints_are_those_that_other_tools_show(void **state)
{
    struct x509_st *certificate = certificate_from_pem(slice_str(pem));
    struct thumbprints t;

    (void)state;
    assert_non_null(certificate);
    assert_true(certificate_thumbprints(certificate, &t));
    assert_memory_equal(t.sha1, SHA1, THUMBPRINT_SHA1_LEN);
    assert_memory_equal(t.sha256, SHA256, THUMBPRINT_SHA256_LEN);
    certificate_free(certificate);
}

static void a_registered_thumbprint_matches_whole_in_either_length_and_case(void **state)
{
    static const struct {
        const char *registered;
        bool matches;
    } rows[] = {
        {SHA1, true},
        {SHA256, true},
        {"13a20b70e9967fab6d44dd59ddfe96778244adb8", true},
        {"13A20B70E9967FAB6D44DD59DDFE96778244ADB9", false},
        {"13A20B70E9967FAB6D44DD59DDFE96778244ADB", false},
        {SHA1 "00", false},
        {"A7198FD26D672A627CB0F140ADCD33FA4301AB79", false},
        {"", false},
    };
    struct x509_st *certificate = certificate_from_pem(slice_str(pem));
    struct thumbprints t;

    (void)state;
    assert_true(certificate_thumbprints(certificate, &t));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (thumbprint_matches(&t, slice_str(rows[i].registered)) != rows[i].matches)
            fail_msg("'%s'", rows[i].registered);
    }
    certificate_free(certificate);
}

static void what_is_no_certificate_is_none(void **state)
{
    (void)state;
    assert_null(certificate_from_pem((slice){0}));
    assert_null(certificate_from_pem(SLICE("-----BEGIN CERTIFICATE-----\n")));
    assert_null(certificate_from_pem(slice_first(slice_str(pem), 200)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thumbprints_are_those_that_other_tools_show),
        cmocka_unit_test(a_registered_thumbprint_matches_whole_in_either_length_and_case),
        cmocka_unit_test(what_is_no_certificate_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
