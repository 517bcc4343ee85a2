#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/sealed_file.h"

#define CHUNK (64 * 1024)
#define TAG 16
#define HEAD 30 /* magic and salt */

struct fixture {
    char folder[64], key[96], other_key[96], file[96];
    struct sealer *sealer, *other;
    uint8_t *plain, *back;
};

#define PLAIN_MAX (3 * CHUNK)

static int make_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct fault why;

    if (!f)
        return -1;
    snprintf(f->folder, sizeof f->folder, "sealed_file_test.XXXXXX");
    if (!mkdtemp(f->folder))
        return -1;
    snprintf(f->key, sizeof f->key, "%s/master.key", f->folder);
    snprintf(f->other_key, sizeof f->other_key, "%s/other.key", f->folder);
    snprintf(f->file, sizeof f->file, "%s/file", f->folder);
    f->sealer = sealer_open(f->key, true, &why);
    f->other = sealer_open(f->other_key, true, &why);
    f->plain = malloc(PLAIN_MAX);
    f->back = malloc(PLAIN_MAX);
    *state = f;
    if (!f->sealer || !f->other || !f->plain || !f->back)
        return -1;
    random_bytes(f->plain, PLAIN_MAX);
    return 0;
}

static int drop_fixture(void **state)
{
    struct fixture *f = *state;

    sealer_destroy(f->sealer);
    sealer_destroy(f->other);
    unlink(f->key);
    unlink(f->other_key);
    unlink(f->file);
    if (rmdir(f->folder) != 0)
        return -1;
    free(f->plain);
    free(f->back);
    free(f);
    return 0;
}

/* Writes the first `len` bytes, in two parts. */
static void write_file(const struct fixture *f, size_t len)
{
    int fd = open(f->file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct fault why;
    struct sealed_writer *w = sealed_writer_open(f->sealer, "test", fd, &why);

    assert_non_null(w);
    sealed_writer_put(w, slice_of(f->plain, len / 3));
    sealed_writer_put(w, slice_of(f->plain + len / 3, len - len / 3));
    assert_true(sealed_writer_end(w, &why));
    sealed_writer_destroy(w);
    close(fd);
}

/* Whether the file holds these bytes and no more. */
static bool reads_as(const struct fixture *f, const struct sealer *s, const char *purpose,
                     size_t len)
{
    int fd = open(f->file, O_RDONLY);
    struct fault why;
    struct sealed_reader *r = sealed_reader_open(s, purpose, fd, &why);
    bool same = r && sealed_reader_get(r, f->back, len, &why) && sealed_reader_end(r, &why) &&
                (len == 0 || memcmp(f->back, f->plain, len) == 0);

    sealed_reader_destroy(r);
    close(fd);
    return same;
}

static void what_was_written_is_read(void **state)
{
    static const size_t lengths[] = {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, PLAIN_MAX};
    const struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        write_file(f, lengths[i]);
        if (!reads_as(f, f->sealer, "test", lengths[i]))
            fail_msg("%zu bytes", lengths[i]);
        if (lengths[i] > 0 && reads_as(f, f->sealer, "test", lengths[i] - 1))
            fail_msg("%zu bytes read as one less", lengths[i]);
    }
}

static void another_key_or_purpose_does_not_open_it(void **state)
{
    const struct fixture *f = *state;

    write_file(f, 100);
    assert_true(reads_as(f, f->sealer, "test", 100));
    assert_false(reads_as(f, f->other, "test", 100));
    assert_false(reads_as(f, f->sealer, "tests", 100));
}

static void flip(const struct fixture *f, off_t at)
{
    int fd = open(f->file, O_RDWR);
    uint8_t byte;

    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void a_changed_byte_is_found_wherever_it_is(void **state)
{
    static const off_t places[] = {0,
                                   14,
                                   HEAD,
                                   HEAD + CHUNK,
                                   HEAD + CHUNK + TAG,
                                   HEAD + CHUNK + TAG + 99,
                                   HEAD + CHUNK + TAG + 100 + TAG - 1};
    const struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        write_file(f, CHUNK + 100);
        flip(f, places[i]);
        if (reads_as(f, f->sealer, "test", CHUNK + 100))
            fail_msg("the byte at %ld", (long)places[i]);
    }
}

static void a_file_cut_off_anywhere_is_not_whole(void **state)
{
    static const off_t lengths[] = {
        0, 10, HEAD, HEAD + 5, HEAD + CHUNK, HEAD + CHUNK + TAG, HEAD + 2 * (CHUNK + TAG)};
    const struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        write_file(f, 2 * CHUNK);
        assert_int_equal(truncate(f->file, lengths[i]), 0);
        if (reads_as(f, f->sealer, "test", 2 * CHUNK))
            fail_msg("cut to %ld", (long)lengths[i]);
    }
}

static void chunks_keep_their_order(void **state)
{
    const struct fixture *f = *state;
    int fd;

    write_file(f, 2 * CHUNK);
    fd = open(f->file, O_RDWR);
    assert_int_equal(pread(fd, f->back, CHUNK + TAG, HEAD), CHUNK + TAG);
    assert_int_equal(pread(fd, f->back + CHUNK + TAG, CHUNK + TAG, HEAD + CHUNK + TAG),
                     CHUNK + TAG);
    assert_int_equal(pwrite(fd, f->back + CHUNK + TAG, CHUNK + TAG, HEAD), CHUNK + TAG);
    assert_int_equal(pwrite(fd, f->back, CHUNK + TAG, HEAD + CHUNK + TAG), CHUNK + TAG);
    close(fd);
    assert_false(reads_as(f, f->sealer, "test", 2 * CHUNK));
}

static void a_disk_that_is_full_is_told_at_the_end(void **state)
{
    const struct fixture *f = *state;
    int fd = open("/dev/full", O_WRONLY);
    struct fault why;
    struct sealed_writer *w;

    assert_true(fd >= 0);
    w = sealed_writer_open(f->sealer, "test", fd, &why);
    assert_non_null(w);
    sealed_writer_put(w, slice_of(f->plain, PLAIN_MAX));
    assert_false(sealed_writer_end(w, &why));
    assert_int_equal(why.status, ST_UNAVAILABLE);
    sealed_writer_destroy(w);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(another_key_or_purpose_does_not_open_it),
        cmocka_unit_test(a_changed_byte_is_found_wherever_it_is),
        cmocka_unit_test(a_file_cut_off_anywhere_is_not_whole),
        cmocka_unit_test(chunks_keep_their_order),
        cmocka_unit_test(a_disk_that_is_full_is_told_at_the_end),
    };

    return cmocka_run_group_tests(tests, make_fixture, drop_fixture);
}
