#include "cmd/backup_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/sealed_file.h"
#include "store/store.h"

#define PURPOSE "backup"
#define MAGIC "muster backup 1\n"
#define MAGIC_LEN (sizeof MAGIC - 1)
#define ABOUT "about.json"
#define DATABASE "muster.db"
#define SNAPSHOT "backup.part" /* the database's copy while it is being packed */
#define NAME_MAX_LEN 64
#define PART_LEN (64 * 1024)
#define ABOUT_MAX 4096

/* All that may be in a backup: nothing else is ever written by a restore. */
static const struct {
    const char *name;
    bool is_needed;
} files[] = {
    {"id-scope", true},
    {"api-token", false},
    {"tls/ca.pem", false},
    {"tls/ca.key", false},
    {"tls/server-p256.pem", false},
    {"tls/server-p256.key", false},
    {"tls/server-rsa.pem", false},
    {"tls/server-rsa.key", false},
    {DATABASE, true},
};

static bool out_of_memory(struct fault *why)
{
    fault_set(why, ST_NO_MEMORY, "no memory for the backup");
    return false;
}

static char *join(const char *folder, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static void free_text(char **text)
{
    free(*text);
}
#define TEXT_CLEANUP __attribute__((cleanup(free_text)))

/* --- writing --------------------------------------------------------------------------------- */

static void put_front(struct sealed_writer *w, const char *name, uint64_t size)
{
    BUF_CLEANUP struct buf front = {.max = NAME_MAX_LEN + 16};

    buf_append_byte(&front, (uint8_t)strlen(name));
    buf_append_str(&front, name);
    buf_append_u64(&front, size);
    sealed_writer_put(w, buf_slice(&front));
}

/* As many bytes as the file had when it was opened; nobody writes to one meanwhile. */
static bool put_content(struct sealed_writer *w, int fd, uint64_t size)
{
    uint8_t part[PART_LEN];

    while (size > 0) {
        ssize_t got = read(fd, part, size < PART_LEN ? (size_t)size : PART_LEN);

        if (got > 0)
            size -= (uint64_t)got;
        if (got > 0)
            sealed_writer_put(w, slice_of(part, (size_t)got));
        else if (got == 0 || errno != EINTR)
            return false;
    }
    return true;
}

static bool put_file(struct sealed_writer *w, const char *name, const char *path, bool is_needed,
                     struct fault *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat about;
    bool done;

    if (fd < 0 && errno == ENOENT && !is_needed)
        return true;
    done = fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
    if (done) {
        put_front(w, name, (uint64_t)about.st_size);
        done = put_content(w, fd, (uint64_t)about.st_size);
    }
    if (fd >= 0)
        close(fd);
    if (!done)
        fault_set(why, ST_UNAVAILABLE, "cannot read %s: %s", path, strerror(errno));
    return done;
}

/* `snapshot` stands for the database. */
static bool put_all(struct sealed_writer *w, const struct data_folder *data, const char *snapshot,
                    slice about, struct fault *why)
{
    sealed_writer_put(w, slice_of(MAGIC, MAGIC_LEN));
    put_front(w, ABOUT, about.len);
    sealed_writer_put(w, about);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        bool is_database = strcmp(files[i].name, DATABASE) == 0;
        TEXT_CLEANUP char *path = data_folder_path(data, files[i].name);

        if (!path)
            return out_of_memory(why);
        if (!put_file(w, files[i].name, is_database ? snapshot : path, files[i].is_needed, why))
            return false;
    }
    sealed_writer_put(w, slice_of("", 1));
    return sealed_writer_end(w, why);
}

static bool write_sealed(const struct data_folder *data, const struct sealer *sealer, slice about,
                         const char *snapshot, int fd, struct fault *why)
{
    struct sealed_writer *w = sealed_writer_open(sealer, PURPOSE, fd, why);
    bool done = w && put_all(w, data, snapshot, about, why);

    sealed_writer_destroy(w);
    if (done && fsync(fd) != 0) {
        fault_set(why, ST_UNAVAILABLE, "cannot write the backup: %s", strerror(errno));
        done = false;
    }
    return done;
}

bool backup_write(const struct data_folder *data, const struct sealer *sealer, slice about, int fd,
                  struct fault *why)
{
    TEXT_CLEANUP char *snapshot = data_folder_path(data, SNAPSHOT);
    bool done;

    if (!snapshot)
        return out_of_memory(why);
    done = store_snapshot(data->path, snapshot, why) &&
           write_sealed(data, sealer, about, snapshot, fd, why);
    unlink(snapshot);
    return done;
}

/* --- reading --------------------------------------------------------------------------------- */

struct unpacking {
    struct sealed_reader *reader;
    const char *folder;
    bool found[COUNT_OF(files)];
};

/* The index of a name in `files`, each at most once. */
static bool find_file(struct unpacking *u, slice name, size_t *ret)
{
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        if (slice_equal(name, slice_str(files[i].name)) && !u->found[i]) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool get_number(struct unpacking *u, size_t bytes, uint64_t *ret, struct fault *why)
{
    uint8_t raw[8];

    if (!sealed_reader_get(u->reader, raw, bytes, why))
        return false;
    *ret = 0;
    for (size_t i = 0; i < bytes; i++)
        *ret = *ret << 8 | raw[i];
    return true;
}

/* The next file's name and size; an empty name is the end. */
static bool get_front(struct unpacking *u, uint8_t name[NAME_MAX_LEN], size_t *ret_len,
                      uint64_t *ret_size, struct fault *why)
{
    uint64_t len;

    if (!get_number(u, 1, &len, why))
        return false;
    *ret_len = (size_t)len;
    if (len == 0)
        return true;
    if (len > NAME_MAX_LEN) {
        fault_set(why, ST_BAD_REQUEST, "the backup is of a form that this version does not know");
        return false;
    }
    return sealed_reader_get(u->reader, name, (size_t)len, why) && get_number(u, 8, ret_size, why);
}

static bool get_content(struct unpacking *u, int fd, uint64_t size, struct fault *why)
{
    uint8_t part[PART_LEN];

    while (size > 0) {
        size_t len = size < PART_LEN ? (size_t)size : PART_LEN;

        if (!sealed_reader_get(u->reader, part, len, why))
            return false;
        if (!file_write_whole(fd, slice_of(part, len))) {
            fault_set(why, ST_NO_SPACE, "cannot write: %s", strerror(errno));
            return false;
        }
        size -= len;
    }
    if (fsync(fd) == 0)
        return true;
    fault_set(why, ST_NO_SPACE, "cannot write: %s", strerror(errno));
    return false;
}

static bool get_file(struct unpacking *u, size_t at, uint64_t size, struct fault *why)
{
    TEXT_CLEANUP char *path = join(u->folder, files[at].name);
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    bool done;

    if (fd < 0) {
        fault_set(why, ST_UNAVAILABLE, "cannot make %s in %s: %s", files[at].name, u->folder,
                  strerror(errno));
        return false;
    }
    done = get_content(u, fd, size, why);
    close(fd);
    u->found[at] = true;
    return done;
}

static bool get_about(struct unpacking *u, struct buf *ret, struct fault *why)
{
    uint8_t magic[MAGIC_LEN], name[NAME_MAX_LEN];
    uint64_t size = 0;
    uint8_t *room;
    size_t len;

    if (!sealed_reader_get(u->reader, magic, MAGIC_LEN, why) ||
        !get_front(u, name, &len, &size, why))
        return false;
    if (memcmp(magic, MAGIC, MAGIC_LEN) != 0 || size > ABOUT_MAX ||
        !slice_equal(slice_of(name, len), SLICE(ABOUT))) {
        fault_set(why, ST_BAD_REQUEST, "the backup is of a form that this version does not know");
        return false;
    }
    room = buf_room(ret, (size_t)size);
    if (!room)
        return out_of_memory(why);
    if (!sealed_reader_get(u->reader, room, (size_t)size, why))
        return false;
    buf_grew(ret, (size_t)size);
    return true;
}

static bool has_all(const struct unpacking *u, struct fault *why)
{
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        if (files[i].is_needed && !u->found[i]) {
            fault_set(why, ST_BAD_REQUEST, "the backup has no %s", files[i].name);
            return false;
        }
    }
    return true;
}

static bool get_all(struct unpacking *u, struct buf *ret_about, struct fault *why)
{
    uint8_t name[NAME_MAX_LEN];
    uint64_t size = 0;
    size_t len, at;

    if (!get_about(u, ret_about, why) || !get_front(u, name, &len, &size, why))
        return false;
    while (len > 0) {
        if (!find_file(u, slice_of(name, len), &at)) {
            fault_set(why, ST_BAD_REQUEST, "the backup holds a file that does not belong there");
            return false;
        }
        if (!get_file(u, at, size, why) || !get_front(u, name, &len, &size, why))
            return false;
    }
    return sealed_reader_end(u->reader, why) && has_all(u, why);
}

bool backup_unpack(const char *from, const struct sealer *sealer, const char *folder,
                   struct buf *ret_about, struct fault *why)
{
    TEXT_CLEANUP char *tls = join(folder, "tls");
    struct unpacking u = {.folder = folder};
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    bool done = false;

    if (fd < 0) {
        fault_set(why, ST_NOT_FOUND, "cannot read %s: %s", from, strerror(errno));
        return false;
    }
    if (tls && mkdir(tls, 0700) == 0)
        u.reader = sealed_reader_open(sealer, PURPOSE, fd, why);
    else
        fault_set(why, ST_UNAVAILABLE, "cannot make %s/tls: %s", folder, strerror(errno));
    if (u.reader)
        done = get_all(&u, ret_about, why);
    sealed_reader_destroy(u.reader);
    close(fd);
    return done;
}

void backup_drop(const char *folder)
{
    TEXT_CLEANUP char *tls = join(folder, "tls");

    for (size_t i = 0; i < COUNT_OF(files); i++) {
        TEXT_CLEANUP char *path = join(folder, files[i].name);

        if (path)
            unlink(path);
    }
    if (tls)
        rmdir(tls);
    rmdir(folder);
}
