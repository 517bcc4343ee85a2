#include "cmd/data_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"

#define SMALL_FILE_MAX (64 * 1024)
#define ROOT_DAYS 3650
#define SERVER_DAYS 397
#define RENEW_BEFORE_S (30 * 24 * 3600)

/* --- the folder ------------------------------------------------------------------------------- */

bool data_folder_find(struct data_folder *d, const char *path, struct fault *why)
{
    d->path = realpath(path, NULL);
    if (!d->path)
        fault_set(why, ST_NOT_FOUND, "no data folder at %s (%s)", path, strerror(errno));
    return d->path != NULL;
}

/* Whether a server was here before: a first start that was cut short left one of these too. */
static bool is_ours(const struct data_folder *d)
{
    static const char *const names[] = {"lock", "id-scope", "master.key", "muster.db", "tls"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (data_folder_has(d, names[i]))
            return true;
    }
    return false;
}

static bool is_empty(const struct data_folder *d)
{
    static const char *const nothing[] = {".", "..", "lost+found"};
    DIR *folder = opendir(d->path);
    const struct dirent *entry;
    size_t others = 0;

    while (folder && (entry = readdir(folder))) {
        bool counts = true;

        for (size_t i = 0; i < COUNT_OF(nothing); i++)
            counts = counts && strcmp(entry->d_name, nothing[i]) != 0;
        others += counts;
    }
    if (folder)
        closedir(folder);
    return others == 0;
}

bool data_folder_open(struct data_folder *d, const char *path, struct fault *why)
{
    struct stat about;

    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        fault_set(why, ST_INTERNAL, "cannot make the data folder %s: %s", path, strerror(errno));
        return false;
    }
    if (!data_folder_find(d, path, why))
        return false;
    if (stat(d->path, &about) != 0 || !S_ISDIR(about.st_mode)) {
        fault_set(why, ST_BAD_REQUEST, "%s is no folder", d->path);
    } else if ((about.st_mode & 077) != 0) {
        fault_set(why, ST_FORBIDDEN, "others may enter %s: chmod 700 it first", d->path);
    } else if (!is_ours(d) && !is_empty(d)) {
        fault_set(why, ST_BAD_REQUEST, "%s holds other files than a server's: give an empty folder",
                  d->path);
    } else {
        return true;
    }
    data_folder_close(d);
    return false;
}

void data_folder_close(struct data_folder *d)
{
    free(d->path);
    d->path = NULL;
}

/* --- files ------------------------------------------------------------------------------------ */

char *data_folder_path(const struct data_folder *d, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s", d->path, name) < 0 ? NULL : path;
}

static bool read_descriptor(int fd, struct buf *to)
{
    ssize_t got;

    do {
        uint8_t *room = buf_room(to, 4096);

        got = room ? read(fd, room, 4096) : -1;
        if (got > 0)
            buf_grew(to, (size_t)got);
    } while (got > 0);
    return got == 0;
}

bool data_folder_read(const struct data_folder *d, const char *name, struct buf *to,
                      struct fault *why)
{
    char *path = data_folder_path(d, name);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    bool ok;

    free(path);
    if (fd < 0) {
        fault_set(why, ST_NOT_FOUND, "cannot read %s in %s: %s", name, d->path, strerror(errno));
        return false;
    }
    buf_init(to, SMALL_FILE_MAX + 4096);
    ok = read_descriptor(fd, to);
    close(fd);
    if (!ok) {
        buf_deinit(to);
        fault_set(why, ST_INTERNAL, "cannot read %s in %s", name, d->path);
        return false;
    }
    while (to->len > 0 && to->ptr[to->len - 1] == '\n')
        to->len--;
    return true;
}

bool data_folder_has(const struct data_folder *d, const char *name)
{
    char *path = data_folder_path(d, name);
    bool there = path && access(path, F_OK) == 0;

    free(path);
    return there;
}

bool data_folder_write(const struct data_folder *d, const char *name, slice content,
                       struct fault *why)
{
    char *path = data_folder_path(d, name);
    char *fresh = NULL;
    int fd = -1;
    bool ok = path && asprintf(&fresh, "%s.new", path) >= 0;

    if (ok)
        fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    ok = fd >= 0 && file_write_whole(fd, content) && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    ok = ok && rename(fresh, path) == 0;
    if (!ok)
        fault_set(why, ST_INTERNAL, "cannot write %s in %s: %s", name, d->path, strerror(errno));
    free(path);
    free(fresh);
    return ok;
}

/* --- what is made once ------------------------------------------------------------------------ */

bool data_folder_id_scope(const struct data_folder *d, struct buf *to, struct fault *why)
{
    uint8_t random[4];

    if (data_folder_has(d, "id-scope")) {
        bool read = data_folder_read(d, "id-scope", to, why);

        if (read && to->len > 0)
            return true;
        if (read)
            fault_set(why, ST_INTERNAL, "the file id-scope in %s is empty", d->path);
        return false;
    }
    random_bytes(random, sizeof random);
    buf_init(to, 64);
    buf_append_str(to, "0ne");
    for (size_t i = 0; i < sizeof random; i++)
        buf_printf(to, "%02X", random[i]);
    return data_folder_write(d, "id-scope", buf_slice(to), why);
}

/* One server certificate: the files as they are if they serve, else fresh ones. */
static bool server_certificate(const struct data_folder *d, const char *stem, enum key_kind kind,
                               const slice *names, size_t count, struct fault *why)
{
    char file[64];
    char *root = data_folder_path(d, "tls/ca.pem"), *root_key = data_folder_path(d, "tls/ca.key");
    char *certificate, *key;
    struct fault ignored;
    int64_t left = 0;
    bool good;

    snprintf(file, sizeof file, "tls/%s.pem", stem);
    certificate = data_folder_path(d, file);
    snprintf(file, sizeof file, "tls/%s.key", stem);
    key = data_folder_path(d, file);
    good = root && root_key && certificate && key && access(key, R_OK) == 0 &&
           certificate_seconds_left(certificate, &left, &ignored) && left > RENEW_BEFORE_S;
    for (size_t i = 0; i < count && good; i++)
        good = certificate_covers(certificate, names[i]);
    if (!good)
        good = root && root_key && certificate && key &&
               certificate_make_server(root, root_key, certificate, key, kind, names, count,
                                       SERVER_DAYS, why);
    free(root);
    free(root_key);
    free(certificate);
    free(key);
    return good;
}

bool data_folder_certificates(const struct data_folder *d, const slice *names, size_t count,
                              struct fault *why)
{
    char *folder = data_folder_path(d, "tls");
    char *root = data_folder_path(d, "tls/ca.pem"), *root_key = data_folder_path(d, "tls/ca.key");
    bool ok = folder && root && root_key && (mkdir(folder, 0700) == 0 || errno == EEXIST);

    if (!ok)
        fault_set(why, ST_INTERNAL, "cannot make %s/tls: %s", d->path, strerror(errno));
    else if (access(root, F_OK) != 0)
        ok = certificate_make_root(root, root_key, SLICE("Muster local CA"), ROOT_DAYS, why);
    free(folder);
    free(root);
    free(root_key);
    return ok && server_certificate(d, "server-p256", KEY_P256, names, count, why) &&
           server_certificate(d, "server-rsa", KEY_RSA2048, names, count, why);
}
