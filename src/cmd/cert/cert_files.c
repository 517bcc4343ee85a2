#include "cmd/cert/cert_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/certificate_make.h"
#include "crypto/key_file.h"

#define KEY_FILE_MAX 16384
#define READ_SIZE 4096

char *cert_path(const char *folder, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

bool cert_folder_make(const char *path, struct fault *why)
{
    struct stat about;

    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        fault_set(why, ST_UNAVAILABLE, "cannot make the folder %s: %s", path, strerror(errno));
        return false;
    }
    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode)) {
        fault_set(why, ST_BAD_REQUEST, "%s is no folder", path);
        return false;
    }
    return true;
}

bool cert_file_exists(const char *path)
{
    struct stat about;

    return lstat(path, &about) == 0;
}

/* One byte more than allowed is asked for, to see whether there is one. */
static bool read_all(int fd, struct buf *to)
{
    ssize_t got;

    do {
        uint8_t *room = buf_room(to, READ_SIZE);

        got = room ? read(fd, room, READ_SIZE) : -1;
        if (got > 0)
            buf_grew(to, (size_t)got);
    } while (got > 0 && to->len <= CERT_FILE_MAX);
    return got == 0;
}

enum status cert_file_read(const char *path, struct buf *to, struct fault *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool whole;

    if (fd < 0)
        return fault_set(why, errno == ENOENT ? ST_NOT_FOUND : ST_UNAVAILABLE, "%s: %s", path,
                         strerror(errno));
    buf_init(to, CERT_FILE_MAX + 2 * READ_SIZE);
    whole = read_all(fd, to);
    close(fd);
    if (whole)
        return ST_OK;
    return fault_set(why, ST_TOO_LARGE, "%s cannot be read, or has more than %d bytes", path,
                     CERT_FILE_MAX);
}

struct evp_pkey_st *cert_key_read(const char *path, struct fault *why)
{
    uint8_t pem[KEY_FILE_MAX];
    struct evp_pkey_st *key = NULL;
    size_t len = 0;

    if (key_file_read(path, pem, sizeof pem, &len, why) == ST_OK) {
        key = private_key_from_pem(slice_of(pem, len), why);
        if (!key)
            fault_set(why, ST_BAD_REQUEST, "%s holds no PEM key without a pass phrase", path);
    }
    explicit_bzero(pem, sizeof pem);
    return key;
}

void cert_buf_wipe(struct buf *b)
{
    if (b->ptr)
        explicit_bzero(b->ptr, b->cap);
    buf_deinit(b);
}

bool cert_key_same(const struct evp_pkey_st *a, const struct evp_pkey_st *b)
{
    CERT_SECRET_CLEANUP struct buf first = {.max = KEY_FILE_MAX}, second = {.max = KEY_FILE_MAX};

    private_key_to_pem(a, &first);
    private_key_to_pem(b, &second);
    return !first.failed && !second.failed && slice_equal(buf_slice(&first), buf_slice(&second));
}

static bool only_zeros(slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != 0)
            return false;
    }
    return true;
}

static enum pem_state judge(slice content, const char *label)
{
    char first_line[64], last_line[64];
    slice first, last, text = content;
    size_t at;

    snprintf(first_line, sizeof first_line, "-----BEGIN %s-----\n", label);
    snprintf(last_line, sizeof last_line, "-----END %s-----\n", label);
    first = slice_str(first_line);
    last = slice_str(last_line);
    if (only_zeros(content) || (content.len < first.len && slice_starts_with(first, content)))
        return PEM_TORN;
    /* A file of which the tail never reached the disk may end in zeros. */
    while (text.len > 0 && text.ptr[text.len - 1] == 0)
        text.len--;
    if (!slice_starts_with(text, first))
        return PEM_OTHER;
    if (text.len == content.len && slice_ends_with(text, last) && !slice_find(text, 0, &at))
        return PEM_WHOLE;
    return slice_search(text, slice_first(last, last.len - 1), &at) ? PEM_OTHER : PEM_TORN;
}

enum pem_state pem_judge_certificate(slice content)
{
    return judge(content, "CERTIFICATE");
}

enum pem_state pem_judge_key(slice content)
{
    static const char *const labels[] = {"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"};
    enum pem_state state = PEM_OTHER;

    for (size_t i = 0; i < COUNT_OF(labels) && state == PEM_OTHER; i++)
        state = judge(content, labels[i]);
    return state;
}
