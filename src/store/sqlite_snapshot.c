/* Copies of the whole database. VACUUM INTO reads at one moment, also beside a writer. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "store/sqlite.h"

void snapshot_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (fsync(fd) != 0)
        LOG_WARN("store_copy_not_synced", LOG_STR("path", path));
    close(fd);
}

/* An empty file of our own, so that the copy has its mode. */
static bool make_private(const char *path, struct fault *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0)
        close(fd);
    else
        fault_set(why, ST_UNAVAILABLE, "cannot create '%s': %s", path, strerror(errno));
    return fd >= 0;
}

static bool vacuum_into(sqlite3 *db, const char *path)
{
    sqlite3_stmt *stmt = NULL;
    bool done = sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &stmt, NULL) == SQLITE_OK &&
                sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC) == SQLITE_OK &&
                sqlite3_step(stmt) == SQLITE_DONE;

    sqlite3_finalize(stmt);
    return done;
}

bool snapshot_write(sqlite3 *db, const char *path, struct fault *why)
{
    if (!make_private(path, why))
        return false;
    if (!vacuum_into(db, path)) {
        fault_set(why, ST_UNAVAILABLE, "cannot copy the database: %s", sqlite3_errmsg(db));
        unlink(path);
        return false;
    }
    snapshot_sync(path);
    return true;
}

bool store_snapshot(const char *directory, const char *to, struct fault *why)
{
    struct connection c;
    char *path;
    bool done;

    if (asprintf(&path, "%s/" SQLITE_FILE_NAME, directory) < 0) {
        fault_set(why, ST_NO_MEMORY, "no memory for a copy of the database");
        return false;
    }
    done = connection_open(&c, path, CONNECTION_READER, why);
    free(path);
    if (!done)
        return false;
    done = sqlite3_exec(c.db, "PRAGMA query_only=OFF", NULL, NULL, NULL) == SQLITE_OK &&
           snapshot_write(c.db, to, why);
    connection_close(&c);
    return done;
}

/* quick_check answers with one row, "ok", or with what is wrong. */
static bool is_whole(sqlite3 *db, struct fault *why)
{
    sqlite3_stmt *stmt = NULL;
    bool whole = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL) == SQLITE_OK &&
                 sqlite3_step(stmt) == SQLITE_ROW &&
                 strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;

    if (!whole)
        fault_set(why, ST_BAD_REQUEST, "the database is damaged: %s", sqlite3_errmsg(db));
    sqlite3_finalize(stmt);
    return whole;
}

bool store_check(const char *file, const struct store_options *options, struct fault *why)
{
    struct connection c;
    bool good;

    if (!connection_open(&c, file, CONNECTION_READER, why))
        return false;
    good = is_whole(c.db, why) && sqlite_check_steps(c.db, options, why);
    connection_close(&c);
    return good;
}
