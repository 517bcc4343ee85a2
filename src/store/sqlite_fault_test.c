/* A sync that fails at the commit is fatal: nothing is acknowledged after it, nothing is tried
 * again. The failing disk is a file system under SQLite that passes everything on but the n-th
 * sync. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store/store.h"
#include "store/store_testing.h"

/* --- a file system that fails ---------------------------------------------------------------- */

struct failing_file {
    sqlite3_file file;
    sqlite3_io_methods methods; /* the real file's with our sync */
    sqlite3_file *real;
};

/* The one of this process, as SQLite's own VFS is. `syncs_left` counts down to the failure. */
static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    int syncs_left, syncs_after;
} disk;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct failing_file *)file)->real;
}

static int failing_sync(sqlite3_file *file, int flags)
{
    if (disk.syncs_left == 0) {
        disk.syncs_after++;
        return SQLITE_IOERR_FSYNC;
    }
    if (disk.syncs_left > 0)
        disk.syncs_left--;
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int pass_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int pass_read(sqlite3_file *file, void *to, int amount, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), to, amount, at);
}

static int pass_write(sqlite3_file *file, const void *from, int amount, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xWrite(real_of(file), from, amount, at);
}

static int pass_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int pass_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), ret);
}

static int pass_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int pass_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int pass_check_lock(sqlite3_file *file, int *ret)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret);
}

static int pass_control(sqlite3_file *file, int what, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}

static int pass_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int pass_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int pass_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret);
}

static int pass_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void pass_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int pass_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods passing = {
    .iVersion = 2,
    .xClose = pass_close,
    .xRead = pass_read,
    .xWrite = pass_write,
    .xTruncate = pass_truncate,
    .xSync = failing_sync,
    .xFileSize = pass_size,
    .xLock = pass_lock,
    .xUnlock = pass_unlock,
    .xCheckReservedLock = pass_check_lock,
    .xFileControl = pass_control,
    .xSectorSize = pass_sector_size,
    .xDeviceCharacteristics = pass_characteristics,
    .xShmMap = pass_shm_map,
    .xShmLock = pass_shm_lock,
    .xShmBarrier = pass_shm_barrier,
    .xShmUnmap = pass_shm_unmap,
};

static int failing_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                        int *ret_flags)
{
    struct failing_file *f = (struct failing_file *)file;
    int code;

    (void)vfs;
    f->real = (sqlite3_file *)(f + 1);
    code = disk.real->xOpen(disk.real, name, f->real, flags, ret_flags);
    f->methods = passing;
    file->pMethods = f->real->pMethods ? &f->methods : NULL;
    return code;
}

static void use_failing_disk(void)
{
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "failing";
    disk.vfs.szOsFile = (int)sizeof(struct failing_file) + disk.real->szOsFile;
    disk.vfs.xOpen = failing_open;
    disk.syncs_left = -1;
    sqlite3_vfs_register(&disk.vfs, 1);
}

/* --- the tests ------------------------------------------------------------------------------- */

static const char *const steps[] = {"CREATE TABLE number (id INTEGER PRIMARY KEY);"};
static const struct store_schema schema = {"test", steps, COUNT_OF(steps)};
static const struct sql insert_sql = {"INSERT INTO number (id) VALUES (?1)"};
static const struct sql count_sql = {"SELECT COUNT(*) FROM number WHERE id <= 100"};

/* Writes numbers from 1 on, and each that was committed into the pipe; the sync number `fail_at`
 * fails. Exits with 0 only if it was told of all. */
static void run_child(struct store_fixture *f, int acks, int fail_at)
{
    struct fault why;

    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    signal(SIGABRT, SIG_DFL);
    use_failing_disk();
    if (!fixture_open(f, 1, &schema, &why))
        _exit(3);
    disk.syncs_left = fail_at;
    for (uint8_t i = 1; i <= 100; i++) {
        const struct sql_value params[] = {SQL_INT_(i)};

        if (fixture_run(f->st, &insert_sql, params, 1, EXPECT_ONE) != ST_OK ||
            disk.syncs_after > 0 || write(acks, &i, 1) != 1)
            _exit(4);
    }
    _exit(0);
}

static void run_round(int fail_at)
{
    struct store_fixture f = {0};
    int acks[2], status;
    uint8_t last = 0;
    struct fault why;
    pid_t child;

    fixture_make_folder(f.directory);
    assert_int_equal(pipe(acks), 0);
    child = fork();
    if (child == 0)
        run_child(&f, acks[1], fail_at);
    close(acks[1]);
    while (read(acks[0], &last, 1) == 1)
        ;
    close(acks[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
        fail_msg("sync %d failed and the process went on: status %x", fail_at, status);

    assert_true(fixture_open(&f, 1, &schema, &why));
    assert_true(fixture_number(f.st, &count_sql) >= last);
    fixture_close(&f);
    fixture_remove_folder(f.directory);
}

static void a_failed_sync_ends_the_process_and_loses_nothing(void **state)
{
    (void)state;
    for (int fail_at = 0; fail_at < 20; fail_at++)
        run_round(fail_at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_sync_ends_the_process_and_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
