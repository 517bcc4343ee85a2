/* On small file systems of its own, so it must run as root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "store/store.h"
#include "store/store_testing.h"

#define MIB (1024 * 1024)

static const char *const steps[] = {
    "CREATE TABLE chunk (id INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE blocked (id INTEGER PRIMARY KEY);",
};
static const struct store_schema schema = {"test", steps, COUNT_OF(steps)};
static const struct sql chunk_sql = {"INSERT INTO chunk (body) VALUES (?1)"};
static const struct sql block_sql = {"INSERT INTO blocked (id) VALUES (?1)"};
static const struct sql chunks_sql = {"SELECT COUNT(*) FROM chunk"};
static const struct sql blocked_sql = {"SELECT COUNT(*) FROM blocked"};

static uint8_t chunk[256 * 1024];

static void mount_small(struct store_fixture *f, const char *size)
{
    char data[32];

    fixture_make_folder(f->directory);
    snprintf(data, sizeof data, "size=%s", size);
    if (mount("muster-test", f->directory, "tmpfs", MS_NODEV | MS_NOSUID, data) != 0)
        fail_msg("cannot mount a small file system (%s): run this test as root", strerror(errno));
}

static void unmount_small(struct store_fixture *f)
{
    assert_int_equal(umount(f->directory), 0);
    assert_int_equal(rmdir(f->directory), 0);
}

static void open_store(struct store_fixture *f, uint64_t free_min_bytes)
{
    const struct store_schema *schemas[] = {&schema};
    const struct store_options options = {.directory = f->directory,
                                          .schemas = schemas,
                                          .schema_count = 1,
                                          .free_min_bytes = free_min_bytes};
    struct fault why;

    f->ws = workers_create(1);
    f->st = store_open(f->ws, &options, &why);
    if (!f->st)
        fail_msg("%s", why.text);
}

static enum status write_chunk(struct store *st)
{
    const struct sql_value params[] = {SQL_BORROWED_(slice_of(chunk, sizeof chunk))};

    return fixture_run(st, &chunk_sql, params, 1, EXPECT_ONE);
}

static enum status block(struct store *st, int id, enum unit_urgency urgency)
{
    struct unit *unit = unit_create(st);
    enum status status;

    unit_set_urgency(unit, urgency);
    unit_add(unit, &block_sql, (const struct sql_value[]){SQL_INT_(id)}, 1, EXPECT_ONE);
    status = unit_run(unit);
    unit_destroy(unit);
    return status;
}

static unsigned fill(struct store *st)
{
    unsigned written = 0;
    enum status status;

    while ((status = write_chunk(st)) == ST_OK)
        written++;
    assert_int_equal(status, ST_NO_SPACE);
    return written;
}

static off_t reserve_size(const struct store_fixture *f)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof path, "%s/reserve", f->directory);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

static void a_full_disk_refuses_all_but_urgent_units_and_loses_nothing(void **state)
{
    struct store_fixture f = {0};
    unsigned written;

    (void)state;
    mount_small(&f, "48m");
    open_store(&f, 0);
    assert_int_equal(reserve_size(&f), 16 * MIB);
    written = fill(f.st);
    assert_true(written > 10);
    assert_int_equal(write_chunk(f.st), ST_NO_SPACE);

    for (int i = 1; i <= 100; i++)
        assert_int_equal(block(f.st, i, UNIT_URGENT), ST_OK);
    assert_int_equal(fixture_number(f.st, &chunks_sql), written);
    fixture_close(&f);

    open_store(&f, 0);
    assert_int_equal(fixture_number(f.st, &chunks_sql), written);
    assert_int_equal(fixture_number(f.st, &blocked_sql), 100);
    fixture_close(&f);
    unmount_small(&f);
}

/* Something else takes the space, as another program on the machine would. */
static void hog(const struct store_fixture *f, off_t bytes)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/hog", f->directory);
    if (bytes == 0) {
        assert_int_equal(unlink(path), 0);
        return;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(posix_fallocate(fd, 0, bytes), 0);
    close(fd);
}

/* Units that write nothing wake the writer until it looks. */
static void wait_until_low(struct store *st)
{
    while (!store_is_full(st)) {
        struct unit *unit = unit_create(st);
        enum status status = unit_run(unit);

        assert_true(status == ST_OK || status == ST_NO_SPACE);
        unit_destroy(unit);
    }
}

static void low_space_refuses_ordinary_units_until_it_is_back(void **state)
{
    struct store_fixture f = {0};

    (void)state;
    mount_small(&f, "128m");
    open_store(&f, 32 * MIB);
    assert_int_equal(block(f.st, 1, UNIT_ORDINARY), ST_OK);
    assert_false(store_is_full(f.st));

    hog(&f, 90 * MIB);
    wait_until_low(f.st);
    assert_int_equal(block(f.st, 2, UNIT_ORDINARY), ST_NO_SPACE);
    assert_int_equal(block(f.st, 2, UNIT_URGENT), ST_OK);

    hog(&f, 0);
    while (store_is_full(f.st)) /* the writer looks by itself */
        sched_yield();
    assert_int_equal(block(f.st, 3, UNIT_ORDINARY), ST_OK);
    assert_int_equal(reserve_size(&f), 16 * MIB);
    fixture_close(&f);
    unmount_small(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_refuses_all_but_urgent_units_and_loses_nothing),
        cmocka_unit_test(low_space_refuses_ordinary_units_until_it_is_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
