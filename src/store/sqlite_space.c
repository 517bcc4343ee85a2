/* Lack of space is met before it comes: ordinary units are refused while little is left, urgent
 * ones (block, revoke) still run, at the last from the blocks of a reserve file. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/sqlite.h"

#define RESERVE_BYTES (16 * 1024 * 1024)
#define RESERVE_NAME "reserve"

struct free_space {
    uint64_t free_bytes, total_bytes;
};

static bool measure(const struct space *s, struct free_space *ret)
{
    struct statvfs fs;

    if (statvfs(s->directory, &fs) != 0)
        return false;
    ret->free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    ret->total_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
    return true;
}

/* What has to be left, in bytes. */
static uint64_t threshold(const struct space *s, const struct free_space *f)
{
    uint64_t share = f->total_bytes / 100 * s->free_min_percent;

    return share > s->free_min_bytes ? share : s->free_min_bytes;
}

/* From an earlier run. */
static bool reserve_is_there(const struct space *s)
{
    struct stat st;

    return stat(s->reserve_path, &st) == 0 && st.st_blocks * 512 >= RESERVE_BYTES;
}

static void take_reserve(struct space *s)
{
    int fd = open(s->reserve_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error;

    if (fd < 0)
        return;
    error = posix_fallocate(fd, 0, RESERVE_BYTES);
    s->has_reserve = error == 0;
    if (error != 0 && ftruncate(fd, 0) != 0)
        LOG_WARN("store_reserve_failed", LOG_INT("errno", errno));
    close(fd);
}

bool space_give_reserve(struct space *s)
{
    if (!s->has_reserve)
        return false;
    s->has_reserve = false;
    if (truncate(s->reserve_path, 0) != 0) {
        LOG_WARN("store_reserve_failed", LOG_INT("errno", errno));
        return false;
    }
    LOG_WARN("store_reserve_given", LOG_INT("bytes", RESERVE_BYTES));
    return true;
}

static void note_level(struct space *s, bool is_low, const struct free_space *f)
{
    if (atomic_exchange(&s->is_low, is_low) == is_low)
        return;
    if (is_low)
        LOG_ERROR("store_space_low", LOG_STR("directory", s->directory),
                  LOG_INT("free_bytes", f->free_bytes));
    else
        LOG_INFO("store_space_back", LOG_STR("directory", s->directory),
                 LOG_INT("free_bytes", f->free_bytes));
}

bool space_is_due(const struct space *s)
{
    return s->checked_at_ms == 0 || clock_mono_ms() - s->checked_at_ms >= SPACE_CHECK_MS;
}

void space_check(struct space *s, uint64_t reusable)
{
    struct free_space f;

    s->checked_at_ms = clock_mono_ms();
    if (!measure(s, &f))
        return;
    f.free_bytes += reusable;
    note_level(s, f.free_bytes < threshold(s, &f), &f);
    /* Twice the reserve, or taking it would itself make the space low. */
    if (!s->has_reserve && f.free_bytes >= threshold(s, &f) + 2 * RESERVE_BYTES)
        take_reserve(s);
}

static char *join(const char *directory, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

bool space_init(struct space *s, const struct store_options *options, struct fault *why)
{
    *s = (struct space){
        .directory = strdup(options->directory),
        .reserve_path = join(options->directory, RESERVE_NAME),
        .free_min_bytes = options->free_min_bytes,
        .free_min_percent = options->free_min_percent,
    };
    if (!s->directory || !s->reserve_path) {
        fault_set(why, ST_NO_MEMORY, "no memory for the store");
        space_deinit(s);
        return false;
    }
    s->has_reserve = reserve_is_there(s);
    return true;
}

void space_deinit(struct space *s)
{
    free(s->directory);
    free(s->reserve_path);
    s->directory = s->reserve_path = NULL;
}
