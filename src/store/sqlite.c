#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"

#define LOCK_NAME "lock"
#define SPARE_MAX 4 /* idle connections kept for threads that are not workers */

struct sqlite_driver {
    char *directory, *path;
    int lock_fd;
    struct writer *writer;
    pthread_mutex_t spare_lock;
    struct connection spares[SPARE_MAX];
    size_t spare_count;
    unsigned reader_count;
    struct connection readers[]; /* by worker */
};

/* --- files ----------------------------------------------------------------------------------- */

static bool make_paths(struct sqlite_driver *d, const char *directory, struct fault *why)
{
    d->directory = strdup(directory);
    if (d->directory && asprintf(&d->path, "%s/" SQLITE_FILE_NAME, directory) >= 0)
        return true;
    d->path = NULL;
    fault_set(why, ST_NO_MEMORY, "no memory for the store");
    return false;
}

/* Taken for as long as the process lives; the file stays. */
static bool take_lock(struct sqlite_driver *d, struct fault *why)
{
    char *path;

    if (asprintf(&path, "%s/" LOCK_NAME, d->directory) < 0) {
        fault_set(why, ST_NO_MEMORY, "no memory for the store");
        return false;
    }
    d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(path);
    if (d->lock_fd < 0) {
        fault_set(why, ST_UNAVAILABLE, "cannot write into the data folder '%s': %s", d->directory,
                  strerror(errno));
        return false;
    }
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    fault_set(why, ST_CONFLICT, "another process uses the data folder '%s'", d->directory);
    return false;
}

/* SQLite gives its other files the mode of the database. */
static bool make_database_file(struct sqlite_driver *d, struct fault *why)
{
    int fd = open(d->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int directory;

    if (fd < 0) {
        fault_set(why, ST_UNAVAILABLE, "cannot open the database '%s': %s", d->path,
                  strerror(errno));
        return false;
    }
    close(fd);
    directory = open(d->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0 && fsync(directory) != 0)
        LOG_WARN("store_directory_not_synced", LOG_STR("directory", d->directory));
    if (directory >= 0)
        close(directory);
    return true;
}

/* --- opening and closing --------------------------------------------------------------------- */

/* The writer's connection closes last: closing the last one checkpoints, and it alone may. */
static void close_readers(struct sqlite_driver *d)
{
    for (unsigned i = 0; i < d->reader_count; i++)
        connection_close(&d->readers[i]);
    while (d->spare_count > 0)
        connection_close(&d->spares[--d->spare_count]);
}

static void sqlite_close(void *self)
{
    struct sqlite_driver *d = self;

    close_readers(d);
    if (d->writer)
        writer_stop(d->writer);
    if (d->lock_fd >= 0)
        close(d->lock_fd);
    pthread_mutex_destroy(&d->spare_lock);
    free(d->directory);
    free(d->path);
    free(d);
}

static bool open_writer(struct sqlite_driver *d, struct store *st,
                        const struct store_options *options, struct fault *why)
{
    struct connection c;

    if (!connection_open(&c, d->path, CONNECTION_WRITER, why))
        return false;
    if (!sqlite_migrate(c.db, options, why)) {
        connection_close(&c);
        return false;
    }
    d->writer = writer_start(st, &c, options, why);
    return d->writer != NULL;
}

static bool open_readers(struct sqlite_driver *d, unsigned count, struct fault *why)
{
    for (; d->reader_count < count; d->reader_count++) {
        if (!connection_open(&d->readers[d->reader_count], d->path, CONNECTION_READER, why))
            return false;
    }
    return true;
}

void *sqlite_open(struct store *st, unsigned workers, const struct store_options *options,
                  struct fault *why)
{
    struct sqlite_driver *d = calloc(1, sizeof *d + workers * sizeof d->readers[0]);

    if (!d) {
        fault_set(why, ST_NO_MEMORY, "no memory for the store");
        return NULL;
    }
    d->lock_fd = -1;
    pthread_mutex_init(&d->spare_lock, NULL);
    /* No counters behind a lock that all connections share. Refused, harmlessly, once SQLite has
     * been used in this process. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (make_paths(d, options->directory, why) && take_lock(d, why) && make_database_file(d, why) &&
        open_writer(d, st, options, why) && open_readers(d, workers, why))
        return d;
    sqlite_close(d);
    return NULL;
}

/* --- the driver's table ---------------------------------------------------------------------- */

static void sqlite_submit(void *self, struct unit *unit)
{
    writer_submit(((struct sqlite_driver *)self)->writer, unit);
}

static bool sqlite_is_full(const void *self)
{
    return writer_is_full(((const struct sqlite_driver *)self)->writer);
}

static bool take_spare(struct sqlite_driver *d, struct connection *ret, struct fault *why)
{
    bool found;

    pthread_mutex_lock(&d->spare_lock);
    found = d->spare_count > 0;
    if (found)
        *ret = d->spares[--d->spare_count];
    pthread_mutex_unlock(&d->spare_lock);
    return found || connection_open(ret, d->path, CONNECTION_READER, why);
}

static void give_spare(struct sqlite_driver *d, struct connection *c)
{
    bool kept;

    pthread_mutex_lock(&d->spare_lock);
    kept = d->spare_count < SPARE_MAX;
    if (kept)
        d->spares[d->spare_count++] = *c;
    pthread_mutex_unlock(&d->spare_lock);
    if (!kept)
        connection_close(c);
}

static void sqlite_read(void *self, struct worker *w, const struct sql *sql,
                        const struct sql_value *params, size_t count, store_rows_fn *on_rows,
                        void *context)
{
    struct sqlite_driver *d = self;
    struct connection spare;
    struct fault why;

    if (w) {
        reader_run(&d->readers[worker_index(w)], sql, params, count, on_rows, context);
        return;
    }
    if (!take_spare(d, &spare, &why)) {
        LOG_ERROR("store_read_failed", LOG_FAULT(&why));
        on_rows(context, ST_UNAVAILABLE, NULL);
        return;
    }
    reader_run(&spare, sql, params, count, on_rows, context);
    give_spare(d, &spare);
}

const struct store_driver sqlite_driver = {
    .submit = sqlite_submit,
    .read = sqlite_read,
    .is_full = sqlite_is_full,
    .close = sqlite_close,
    .rows_next = sqlite_rows_next,
    .rows_status = sqlite_rows_status,
    .rows_is_null = sqlite_rows_is_null,
    .rows_int = sqlite_rows_int,
    .rows_bytes = sqlite_rows_bytes,
};
