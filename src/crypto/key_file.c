#include "crypto/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/file.h"
#include "crypto/crypto.h"

static void close_file(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define FILE_CLEANUP __attribute__((cleanup(close_file)))

static enum status check_owner(const char *path, int fd, struct fault *why)
{
    struct stat facts;
    mode_t mode;

    if (fstat(fd, &facts) != 0)
        return fault_set(why, ST_UNAVAILABLE, "%s: %s", path, strerror(errno));
    mode = facts.st_mode & 07777;
    if (!S_ISREG(facts.st_mode))
        return fault_set(why, ST_FORBIDDEN, "%s is no regular file", path);
    if (facts.st_uid != geteuid())
        return fault_set(why, ST_FORBIDDEN, "%s belongs to another user", path);
    if (mode != 0600 && mode != 0400)
        return fault_set(why, ST_FORBIDDEN, "%s has mode %04o in place of 0600", path, mode);
    return ST_OK;
}

/* Reads to the end; one byte more than `cap` is asked for, to see whether there is one. */
static enum status read_whole(const char *path, int fd, uint8_t *to, size_t cap, size_t *ret_len,
                              struct fault *why)
{
    size_t len = 0;

    for (;;) {
        uint8_t beyond;
        ssize_t got = len < cap ? read(fd, to + len, cap - len) : read(fd, &beyond, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fault_set(why, ST_UNAVAILABLE, "%s: %s", path, strerror(errno));
        if (got == 0)
            break;
        if (len == cap)
            return fault_set(why, ST_TOO_LARGE, "%s is longer than %zu bytes", path, cap);
        len += (size_t)got;
    }
    *ret_len = len;
    return ST_OK;
}

enum status key_file_read(const char *path, void *to, size_t cap, size_t *ret_len,
                          struct fault *why)
{
    /* O_NONBLOCK: a FIFO of that name must not hang us before we see what it is. */
    FILE_CLEANUP int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    enum status status;

    if (fd < 0 && errno == ENOENT)
        return fault_set(why, ST_NOT_FOUND, "%s does not exist", path);
    if (fd < 0 && errno == ELOOP)
        return fault_set(why, ST_FORBIDDEN, "%s is a symbolic link", path);
    if (fd < 0)
        return fault_set(why, ST_UNAVAILABLE, "%s: %s", path, strerror(errno));
    status = check_owner(path, fd, why);
    if (status == ST_OK)
        status = read_whole(path, fd, to, cap, ret_len, why);
    if (status != ST_OK)
        OPENSSL_cleanse(to, cap);
    return status;
}

/* So that the new name itself outlives a power cut. */
static bool sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    FILE_CLEANUP int fd = -1;
    int len = snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
                       slash ? path : ".");

    if (len < 0 || (size_t)len >= sizeof folder)
        return false;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

static bool make_file(const char *path, mode_t mode, slice bytes)
{
    FILE_CLEANUP int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

    return fd >= 0 && fchmod(fd, mode) == 0 && file_write_whole(fd, bytes) && fsync(fd) == 0;
}

/* rename() replaces, link() does not. */
static bool put_in_place(const char *from, const char *path, enum key_file_mode mode)
{
    if (mode == KEY_FILE_NEW)
        return link(from, path) == 0 && unlink(from) == 0;
    return rename(from, path) == 0;
}

enum status key_file_write(const char *path, enum key_file_mode mode, slice bytes,
                           struct fault *why)
{
    char other[PATH_MAX], suffix[UUID_LEN];
    int len, error;

    random_uuid(suffix);
    len = snprintf(other, sizeof other, "%s.%.*s", path, UUID_LEN, suffix);
    if (len < 0 || (size_t)len >= sizeof other)
        return fault_set(why, ST_BAD_REQUEST, "name of a file is too long");
    if (make_file(other, mode == PUBLIC_FILE ? 0644 : 0600, bytes) &&
        put_in_place(other, path, mode) && sync_folder_of(path))
        return ST_OK;
    error = errno;
    unlink(other);
    if (error == EEXIST)
        return fault_set(why, ST_CONFLICT, "%s exists already", path);
    if (error == ENOSPC || error == EDQUOT)
        return fault_set(why, ST_NO_SPACE, "%s: %s", path, strerror(error));
    return fault_set(why, ST_UNAVAILABLE, "%s: %s", path, strerror(error));
}
