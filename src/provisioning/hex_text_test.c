#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "provisioning/hex_text.h"

#define SHA1 "00112233445566778899AABBCCDDEEFF00112233"

static void thumbprints_come_in_many_spellings_and_leave_in_one(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        {"as stored", SHA1, SHA1},
        {"lower case", "00112233445566778899aabbccddeeff00112233", SHA1},
        {"as openssl prints it", "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33",
         SHA1},
        {"with blanks and a line end", " 0011 2233445566778899AABBCCDDEEFF001122\t33\r\n", SHA1},
        {"SHA-256", SHA1 "445566778899AABBCCDDEEFF", SHA1 "445566778899AABBCCDDEEFF"},
        {"a digit short", "0112233445566778899AABBCCDDEEFF00112233", NULL},
        {"a digit over", SHA1 "0", NULL},
        {"a digit over SHA-256", SHA1 "445566778899AABBCCDDEEFF0", NULL},
        {"another character", "0x112233445566778899AABBCCDDEEFF00112233", NULL},
        {"nothing", "", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = 4096};
        slice got = {0};
        bool taken = thumbprint_normalise(slice_str(rows[i].text), &arena, &got);

        if (taken != (rows[i].want != NULL) || !slice_equal(got, slice_str(rows[i].want)))
            fail_msg("%s: '%.*s'", rows[i].name, SLICE_FMT(got));
    }
}

static void serials_are_whole_bytes_without_leading_zeros(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        {"one digit", "a", "0A"},
        {"zero", "0", "00"},
        {"many zeros", "0000", "00"},
        {"an odd count", "1FF", "01FF"},
        {"zeros in front", "00:00:1f", "1F"},
        {"the longest", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
         "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"},
        {"one more", "0FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", NULL},
        {"another character", "1G", NULL},
        {"nothing", " ", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena ARENA_CLEANUP arena = {.max = 4096};
        slice got = {0};
        bool taken = serial_normalise(slice_str(rows[i].text), &arena, &got);

        if (taken != (rows[i].want != NULL) || !slice_equal(got, slice_str(rows[i].want)))
            fail_msg("%s: '%.*s'", rows[i].name, SLICE_FMT(got));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thumbprints_come_in_many_spellings_and_leave_in_one),
        cmocka_unit_test(serials_are_whole_bytes_without_leading_zeros),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
