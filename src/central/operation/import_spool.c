#include "central/operation/import_spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "central/operation/operation_internal.h"

#define PIECE_BYTES (256 * 1024)        /* written at once */
#define FILLING_BYTES (2 * 1024 * 1024) /* what one call may append, and some */

/* Bytes gather in `filling` while the pool writes `writing`. */
struct import_spool {
    struct pool_job job;
    struct operations *ops;
    char id[OPERATION_ID_LEN];
    int fd;
    struct buf filling, writing;
    bool is_busy, is_finishing, is_discarded;
    enum status status; /* the first that was not ST_OK */
    int error;          /* errno of it */
    struct {            /* the pool's, while it is busy */
        bool syncs;
        int error;
    } write;
    bool is_synced;
    void (*on_room)(void *context); /* NULL: nobody waits */
    import_spool_fn *on_kept;
    void *context;
};

/* --- files ------------------------------------------------------------------------------------ */

#define NAME_MAX_LEN 32

static void write_name(slice id, char to[NAME_MAX_LEN])
{
    snprintf(to, NAME_MAX_LEN, "%.*s.csv", OPERATION_ID_LEN, (const char *)id.ptr);
}

int import_spool_open(const struct operations *ops, slice operation_id)
{
    char name[NAME_MAX_LEN];

    if (operation_id.len != OPERATION_ID_LEN) {
        errno = ENOENT;
        return -1;
    }
    write_name(operation_id, name);
    return openat(ops->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

void import_spool_remove(const struct operations *ops, slice operation_id)
{
    char name[NAME_MAX_LEN];

    if (operation_id.len != OPERATION_ID_LEN)
        return;
    write_name(operation_id, name);
    if (unlinkat(ops->folder, name, 0) < 0 && errno != ENOENT)
        LOG_WARN("import_file_left", LOG_STR("file", name), LOG_STR("cause", strerror(errno)));
}

static bool is_needed(const struct operations *ops, slice file)
{
    for (const struct operation_run *r = ops->runs; r; r = r->next) {
        char name[NAME_MAX_LEN];

        write_name(r->id, name);
        if (r->kind == OPERATION_IMPORT && slice_equal(file, slice_str(name)))
            return true;
    }
    return false;
}

void import_spool_sweep(struct operations *ops)
{
    int fd = openat(ops->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (!folder) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] != '.' && !is_needed(ops, slice_str(entry->d_name)))
            (void)unlinkat(ops->folder, entry->d_name, 0);
    }
    closedir(folder);
}

/* --- on the pool ------------------------------------------------------------------------------ */

static void open_file(struct import_spool *s)
{
    char name[NAME_MAX_LEN];

    write_name(slice_of(s->id, sizeof s->id), name);
    s->fd =
        openat(s->ops->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->fd < 0)
        s->write.error = errno;
}

static void write_all(struct import_spool *s)
{
    if (!file_write_whole(s->fd, buf_slice(&s->writing)))
        s->write.error = errno;
}

/* The file's bytes, then its name. */
static void sync_file(struct import_spool *s)
{
    if (fsync(s->fd) < 0 || fsync(s->ops->folder) < 0)
        s->write.error = errno;
}

static void work(struct pool_job *job)
{
    struct import_spool *s = (struct import_spool *)job;

    if (s->fd < 0)
        open_file(s);
    if (s->write.error == 0)
        write_all(s);
    if (s->write.error == 0 && s->write.syncs)
        sync_file(s);
}

/* --- on the worker ---------------------------------------------------------------------------- */

static void destroy(struct import_spool *s)
{
    atomic_fetch_sub(&s->ops->uploads, 1);
    if (s->fd >= 0)
        close(s->fd);
    if (s->is_discarded)
        import_spool_remove(s->ops, slice_of(s->id, sizeof s->id));
    buf_deinit(&s->filling);
    buf_deinit(&s->writing);
    free(s);
}

enum status import_spool_status(const struct import_spool *s, struct fault *why)
{
    if (s->status == ST_OK)
        return ST_OK;
    return fault_set(why, s->status, "the file could not be kept: %s",
                     s->error ? strerror(s->error) : status_name(s->status));
}

static void tell_kept(struct import_spool *s)
{
    import_spool_fn *on_kept = s->on_kept;
    struct fault why = {0};
    enum status status = import_spool_status(s, &why);

    s->on_kept = NULL;
    on_kept(s->context, status, &why);
}

static void tell_room(struct import_spool *s)
{
    void (*on_room)(void *context) = s->on_room;

    s->on_room = NULL;
    if (on_room)
        on_room(s->context);
}

static void go_on(struct import_spool *s);

static void note_outcome(struct import_spool *s)
{
    if (s->write.error == 0) {
        s->is_synced = s->write.syncs;
        return;
    }
    s->error = s->write.error;
    s->status = s->error == ENOSPC || s->error == EDQUOT ? ST_NO_SPACE : ST_UNAVAILABLE;
}

static void done(struct pool_job *job)
{
    struct import_spool *s = (struct import_spool *)job;

    s->is_busy = false;
    buf_clear(&s->writing);
    note_outcome(s);
    if (s->is_discarded)
        destroy(s);
    else
        go_on(s);
}

static void submit(struct import_spool *s)
{
    struct buf swap = s->writing;

    s->writing = s->filling;
    s->filling = swap;
    s->write.syncs = s->is_finishing; /* nothing is appended any more */
    s->job.work = work;
    s->job.done = done;
    s->is_busy = pool_submit(s->ops->c->ws, &s->job);
    if (!s->is_busy)
        s->status = ST_UNAVAILABLE;
}

static bool has_failed(struct import_spool *s)
{
    if (s->status == ST_OK && s->filling.failed)
        s->status = ST_NO_MEMORY;
    if (s->status == ST_OK && store_is_full(s->ops->c->st))
        s->status = ST_NO_SPACE; /* the store's reserve is not an upload's to fill */
    return s->status != ST_OK;
}

/* What comes after a failure is taken and dropped, until the end asks how it went. */
static void go_on(struct import_spool *s)
{
    if (s->is_busy)
        return;
    if (has_failed(s))
        buf_clear(&s->filling);
    else if (s->filling.len >= PIECE_BYTES || (s->is_finishing && !s->is_synced))
        submit(s);
    if (s->filling.len < PIECE_BYTES)
        tell_room(s);
    if (!s->is_busy && s->is_finishing && s->on_kept)
        tell_kept(s);
}

enum status import_spool_create(struct operations *ops, struct import_spool **ret,
                                struct fault *why)
{
    struct import_spool *s;

    if (store_is_full(ops->c->st))
        return fault_set(why, ST_NO_SPACE, "the disk is nearly full");
    if (atomic_fetch_add(&ops->uploads, 1) >= IMPORT_UPLOADS_MAX) {
        atomic_fetch_sub(&ops->uploads, 1);
        return fault_set(why, ST_THROTTLED, "%d files are being uploaded already",
                         IMPORT_UPLOADS_MAX);
    }
    s = calloc(1, sizeof *s);
    if (!s) {
        atomic_fetch_sub(&ops->uploads, 1);
        return fault_set(why, ST_NO_MEMORY, "no memory for an upload");
    }
    s->ops = ops;
    s->fd = -1;
    operation_make_id(s->id);
    buf_init(&s->filling, FILLING_BYTES);
    buf_init(&s->writing, FILLING_BYTES);
    *ret = s;
    return ST_OK;
}

bool import_spool_append(struct import_spool *s, slice bytes, void (*on_room)(void *context),
                         void *context)
{
    if (s->status == ST_OK)
        buf_append(&s->filling, bytes);
    go_on(s);
    if (s->filling.len < PIECE_BYTES)
        return true;
    s->on_room = on_room;
    s->context = context;
    return false;
}

void import_spool_finish(struct import_spool *s, import_spool_fn *on_kept, void *context)
{
    s->is_finishing = true;
    s->on_kept = on_kept;
    s->context = context;
    go_on(s);
}

slice import_spool_id(const struct import_spool *s)
{
    return slice_of(s->id, sizeof s->id);
}

void import_spool_release(struct import_spool *s)
{
    destroy(s);
}

void import_spool_discard(struct import_spool *s)
{
    s->is_discarded = true;
    s->on_room = NULL;
    s->on_kept = NULL;
    if (!s->is_busy)
        destroy(s);
}
