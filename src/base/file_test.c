#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

#define MANY ((size_t)1 << 20) /* more than a pipe holds: one call takes a part of it */

static void *count_bytes(void *context)
{
    const int *fd = context;
    uint8_t part[4096];
    size_t count = 0;
    ssize_t got;

    while ((got = read(*fd, part, sizeof part)) > 0)
        count += (size_t)got;
    return (void *)count;
}

static void all_bytes_are_written_however_few_a_call_takes(void **state)
{
    uint8_t *bytes = calloc(1, MANY);
    pthread_t reader;
    void *count;
    int ends[2];

    (void)state;
    assert_non_null(bytes);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pthread_create(&reader, NULL, count_bytes, &ends[0]), 0);
    assert_true(file_write_whole(ends[1], slice_of(bytes, MANY)));
    close(ends[1]);
    pthread_join(reader, &count);
    assert_true((size_t)count == MANY);
    close(ends[0]);
    free(bytes);
}

static void a_file_that_cannot_be_written_is_told_by_errno(void **state)
{
    (void)state;
    assert_false(file_write_whole(-1, SLICE("x")));
    assert_int_equal(errno, EBADF);
    assert_true(file_write_whole(-1, (slice){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_bytes_are_written_however_few_a_call_takes),
        cmocka_unit_test(a_file_that_cannot_be_written_is_told_by_errno),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
