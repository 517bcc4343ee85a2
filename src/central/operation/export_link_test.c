#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "central/operation/export_link.h"
#include "crypto/seal.h"

#define NOW INT64_C(1767225600000)

static void C064_a_link_is_for_one_user_one_hour_and_one_export(void **state)
{
    static const struct {
        const char *name, *user, *query;
        int64_t after_ms;
        enum status status;
    } rows[] = {
        {"at once", "ada", "extra=true", 0, ST_OK},
        {"in the last moment", "ada", "extra=true", EXPORT_LINK_MS - 1, ST_OK},
        {"after the hour", "ada", "extra=true", EXPORT_LINK_MS, ST_NOT_FOUND},
        {"another user", "eve", "extra=true", 0, ST_FORBIDDEN},
        {"a longer name", "ada2", "extra=true", 0, ST_FORBIDDEN},
        {"another export", "ada", "", 0, ST_NOT_FOUND},
    };
    BUF_CLEANUP struct buf link = {.max = 4096};
    struct fault why = {0};

    export_link_write(*state, SLICE("ada"), SLICE("extra=true"), NOW, &link);
    assert_false(link.failed);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (export_link_check(*state, buf_slice(&link), slice_str(rows[i].user),
                              slice_str(rows[i].query), NOW + rows[i].after_ms,
                              &why) != rows[i].status)
            fail_msg("%s: %s", rows[i].name, why.text);
    }
}

static void what_is_no_link_is_not_found(void **state)
{
    BUF_CLEANUP struct buf link = {.max = 4096};
    struct fault why = {0};

    export_link_write(*state, SLICE("ada"), SLICE(""), NOW, &link);
    for (size_t at = 0; at < link.len; at++) {
        uint8_t was = link.ptr[at];

        link.ptr[at] = was == 'A' ? 'Q' : 'A';
        assert_int_equal(
            export_link_check(*state, buf_slice(&link), SLICE("ada"), SLICE(""), NOW, &why),
            ST_NOT_FOUND);
        link.ptr[at] = was;
        assert_int_equal(
            export_link_check(*state, slice_of(link.ptr, at), SLICE("ada"), SLICE(""), NOW, &why),
            ST_NOT_FOUND);
    }
}

/* --- a sealer --------------------------------------------------------------------------------- */

static int setup(void **state)
{
    char path[] = "/tmp/muster-export-XXXXXX";
    struct fault why = {0};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    *state = sealer_open(path, true, &why);
    unlink(path);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    sealer_destroy(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C064_a_link_is_for_one_user_one_hour_and_one_export),
        cmocka_unit_test(what_is_no_link_is_not_found),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
