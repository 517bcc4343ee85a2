/* Inside store/: the SQLite driver's parts.
 *
 *     sqlite.c             opens everything: lock, files, migration, readers, writer
 *     sqlite_connection.c  one connection: settings, statements prepared once, binding
 *     sqlite_functions.c   what statements may call
 *     sqlite_migrate.c     schema steps and the backup before them
 *     sqlite_snapshot.c    copies of the whole database, and whether a copy is whole
 *     sqlite_writer.c      the one thread that writes and checkpoints: group commit
 *     sqlite_batch.c       the units of one commit: guards, savepoints, what to do when it fails
 *     sqlite_space.c       free space and the reserve file
 *     sqlite_reader.c      reads, each on a connection of the thread's own
 *
 * SQLite up to 3.51.2 may lose committed data when two connections write or checkpoint at once in
 * WAL mode. So exactly one connection of the process does either: readers are opened read-only
 * and never checkpoint, and the lock file keeps other processes away. */
#ifndef MUSTER_STORE_SQLITE_H
#define MUSTER_STORE_SQLITE_H

#include <sqlite3.h>

#include "store/driver.h"

extern const struct store_driver sqlite_driver;

#define SQLITE_FILE_NAME "muster.db" /* in the data folder */

/* The driver itself, for `workers` workers; NULL with a sentence. */
void *sqlite_open(struct store *st, unsigned workers, const struct store_options *options,
                  struct fault *why);

/* --- connections ----------------------------------------------------------------------------- */

struct cached_statement {
    const struct sql *sql;
    sqlite3_stmt *stmt;
    bool taken; /* even one that has run to its end is, until it is given back */
};

/* Used by one thread at a time. */
struct connection {
    sqlite3 *db;
    struct cached_statement *slots; /* open addressing by the address of the sql */
    size_t slot_count, used;        /* slot_count is a power of two, or 0 */
};

enum connection_role { CONNECTION_WRITER, CONNECTION_READER };

CHECKED bool connection_open(struct connection *c, const char *path, enum connection_role role,
                             struct fault *why);
void connection_close(struct connection *c);

/* Gives statements of this connection their functions. SQLite's result code. */
int connection_add_functions(sqlite3 *db);

/* A prepared statement, ready to bind; back with connection_give. SQLite's result code. */
int connection_take(struct connection *c, const struct sql *sql, sqlite3_stmt **ret);
void connection_give(struct connection *c, const struct sql *sql, sqlite3_stmt *stmt);
/* The parameters are borrowed until connection_give. SQLite's result code. */
int connection_bind(sqlite3_stmt *stmt, const struct sql_value *params, size_t count);
/* The first column of a statement's only row; 0 when it fails. */
int64_t connection_number(struct connection *c, const struct sql *sql);
/* Runs a statement without parameters to its end. SQLite's result code, SQLITE_OK for done. */
int connection_run(struct connection *c, const struct sql *sql);

/* Whether a result code says that the disk is full: nothing was damaged, go on when there is
 * space. Some say so as an I/O error. */
bool connection_is_full(const struct connection *c, int code);

/* --- migration ------------------------------------------------------------------------------- */

CHECKED bool sqlite_migrate(sqlite3 *db, const struct store_options *options, struct fault *why);

/* --- copies ---------------------------------------------------------------------------------- */

/* Copies the database as the connection sees it now to a new file (0600), synced. What there was
 * of it is gone when this fails. */
CHECKED bool snapshot_write(sqlite3 *db, const char *path, struct fault *why);
/* fsync of a file or folder by its path. */
void snapshot_sync(const char *path);
/* Fails when the database has steps that `options` does not know. */
CHECKED bool sqlite_check_steps(sqlite3 *db, const struct store_options *options,
                                struct fault *why);

/* --- free space ------------------------------------------------------------------------------ */

struct space {
    char *directory, *reserve_path;
    uint64_t free_min_bytes;
    unsigned free_min_percent;
    int64_t checked_at_ms; /* monotonic */
    bool has_reserve;      /* the reserve file holds its blocks */
    _Atomic bool is_low;   /* read by any thread */
};

CHECKED bool space_init(struct space *s, const struct store_options *options, struct fault *why);
void space_deinit(struct space *s);
#define SPACE_CHECK_MS 250
/* Whether it is time to look again. */
bool space_is_due(const struct space *s);
/* Looks, and takes the reserve back when there is plenty. `reusable` are bytes of the database
 * file that hold nothing any more: what retention has deleted is room, too. */
void space_check(struct space *s, uint64_t reusable);
/* Gives the reserve's blocks to the file system; false when they were given before. */
bool space_give_reserve(struct space *s);

/* --- one transaction ------------------------------------------------------------------------- */

/* What the writer's thread writes with. */
struct write_side {
    struct connection connection;
    struct space space;
};

struct batch {
    struct unit_list units;
    size_t count, bytes;
};

/* Runs the units in one transaction and gives each its final status. */
void batch_run(struct write_side *w, struct batch *b);
/* Logs a result code that nobody may live with; aborts when it says that the disk failed. */
void write_side_failed(struct write_side *w, int code);

/* --- the writer ------------------------------------------------------------------------------ */

struct writer;
/* Takes the connection over, also when it fails. */
CHECKED struct writer *writer_start(struct store *st, struct connection *c,
                                    const struct store_options *options, struct fault *why);
void writer_submit(struct writer *w, struct unit *unit);
bool writer_is_full(const struct writer *w);
/* Commits what is queued, ends the thread, closes the connection. */
void writer_stop(struct writer *w);

/* --- readers --------------------------------------------------------------------------------- */

/* Runs one read on the connection and calls `on_rows` before it returns. */
void reader_run(struct connection *c, const struct sql *sql, const struct sql_value *params,
                size_t count, store_rows_fn *on_rows, void *context);
bool sqlite_rows_next(struct rows *rows);
enum status sqlite_rows_status(const struct rows *rows);
bool sqlite_rows_is_null(const struct rows *rows, int column);
int64_t sqlite_rows_int(const struct rows *rows, int column);
slice sqlite_rows_bytes(const struct rows *rows, int column);

#endif
