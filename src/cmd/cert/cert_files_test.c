#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cmd/cert/cert_files.h"
#include "cmd/cert/cert_progress.h"

#define BEGIN "-----BEGIN PRIVATE KEY-----\n"
#define END "-----END PRIVATE KEY-----\n"

/* What a crash leaves is made again; what is anything else is somebody's. */
static void a_torn_key_is_told_from_a_strange_one(void **state)
{
    static const struct {
        const char *name;
        slice content;
        enum pem_state want;
    } rows[] = {
        {"whole", SLICE(BEGIN "MIGH\n" END), PEM_WHOLE},
        {"older form", SLICE("-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\n"),
         PEM_WHOLE},
        {"empty", SLICE(""), PEM_TORN},
        {"zeros", SLICE("\0\0\0\0"), PEM_TORN},
        {"first byte", SLICE("-"), PEM_TORN},
        {"half a first line", SLICE("-----BEGIN PRIV"), PEM_TORN},
        {"first line", SLICE(BEGIN), PEM_TORN},
        {"no end", SLICE(BEGIN "MIGH\n"), PEM_TORN},
        {"half an end", SLICE(BEGIN "MIGH\n-----END PRI"), PEM_TORN},
        {"zeros behind the beginning", SLICE(BEGIN "MIGH\n\0\0\0\0"), PEM_TORN},
        {"zeros within", SLICE(BEGIN "MI\0\0\n" END), PEM_OTHER},
        {"no line end", SLICE(BEGIN "MIGH\n-----END PRIVATE KEY-----"), PEM_OTHER},
        {"more behind", SLICE(BEGIN "MIGH\n" END "x"), PEM_OTHER},
        {"more in front", SLICE("x\n" BEGIN "MIGH\n" END), PEM_OTHER},
        {"DER", SLICE("\x30\x81\x87\x02"), PEM_OTHER},
        {"a certificate", SLICE("-----BEGIN CERTIFICATE-----\nMIGH\n"), PEM_OTHER},
        {"behind a pass phrase",
         SLICE("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIG\n-----END ENCRYPTED PRIVATE KEY-----\n"),
         PEM_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum pem_state state_is = pem_judge_key(rows[i].content);

        if (state_is != rows[i].want)
            fail_msg("%s: %d", rows[i].name, state_is);
    }
    assert_int_equal(pem_judge_certificate(
                         SLICE("-----BEGIN CERTIFICATE-----\nMI\n-----END CERTIFICATE-----\n")),
                     PEM_WHOLE);
    assert_int_equal(pem_judge_certificate(SLICE(BEGIN "MIGH\n" END)), PEM_OTHER);
}

static void progress_tells_part_rate_and_rest(void **state)
{
    static const struct {
        struct cert_progress p;
        const char *want;
    } rows[] = {
        {{500000, 50, 100, 33000},
         "[===============>              ]  50 %  500000 devices  15152/s  0:33 left"},
        {{1, 1, 1000000, 10},
         "[>                             ]   0 %  1 devices  100/s  2:46:40 left"},
        {{100, 100, 100, 1000},
         "[==============================] 100 %  100 devices  100/s  0:00 left"},
        {{100, 100, 0, 1000}, "100 devices  100/s"},
        {{0, 0, 100, 0}, "[>                             ]   0 %  0 devices"},
        {{9, 120, 100, 1000}, "[==============================] 100 %  9 devices  9/s"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUF_CLEANUP struct buf line = {.max = 256};

        cert_progress_write(&rows[i].p, &line);
        if (!slice_equal(buf_slice(&line), slice_str(rows[i].want)))
            fail_msg("row %zu: %.*s", i, SLICE_FMT(buf_slice(&line)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_torn_key_is_told_from_a_strange_one),
        cmocka_unit_test(progress_tells_part_rate_and_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
