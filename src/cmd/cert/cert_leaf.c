#include "cmd/cert/cert_leaf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/cert/cert_files.h"
#include "crypto/chain.h"

#define NAME_LEN (CERT_ID_MAX + 16)

struct leaf_names {
    char key[NAME_LEN], certificate[NAME_LEN], chain[NAME_LEN], p12[NAME_LEN],
        chain_key[NAME_LEN]; /* of a device that is called ID-chain */
};

static void name_file(slice id, const char *behind, char to[NAME_LEN])
{
    size_t len = id.len < CERT_ID_MAX ? id.len : CERT_ID_MAX;

    memcpy(to, id.ptr, len);
    memcpy(to + len, behind, strlen(behind) + 1);
}

static void name_files(slice id, struct leaf_names *ret)
{
    name_file(id, ".key", ret->key);
    name_file(id, ".pem", ret->certificate);
    name_file(id, "-chain.pem", ret->chain);
    name_file(id, ".p12", ret->p12);
    name_file(id, "-chain.key", ret->chain_key);
}

static bool exists(const struct leaf_files *f, const char *name)
{
    struct stat about;

    return fstatat(f->folder, name, &about, AT_SYMLINK_NOFOLLOW) == 0;
}

bool cert_leaf_exists(const struct leaf_files *files, slice id)
{
    struct leaf_names names;

    name_files(id, &names);
    return exists(files, names.key) || exists(files, names.certificate);
}

/* --- files ------------------------------------------------------------------------------------ */

static enum status file_fault(const struct leaf_files *f, const char *name, struct fault *why)
{
    enum status status = errno == ENOSPC || errno == EDQUOT ? ST_NO_SPACE : ST_UNAVAILABLE;

    return fault_set(why, errno == EEXIST ? ST_CONFLICT : status, "%s/%s: %s", f->folder_name, name,
                     strerror(errno));
}

static enum status write_file(const struct leaf_files *f, const char *name, int how, mode_t mode,
                              slice bytes, struct fault *why)
{
    int fd = openat(f->folder, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | how, mode);
    enum status status = ST_OK;

    if (fd < 0)
        return file_fault(f, name, why);
    if (!file_write_whole(fd, bytes))
        status = file_fault(f, name, why);
    close(fd);
    if (status != ST_OK)
        unlinkat(f->folder, name, 0); /* half a file is none */
    return status;
}

/* Kernels before 6.10 let only root name a file by its descriptor alone. */
static bool name_file_of(int fd, int folder, const char *name)
{
    char path[32];

    if (linkat(fd, "", folder, name, AT_EMPTY_PATH) == 0)
        return true;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return errno != EEXIST && linkat(AT_FDCWD, path, folder, name, AT_SYMLINK_FOLLOW) == 0;
}

/* A file without a name that is given its own once it is whole: a folder that many threads fill is
 * locked for less than half as long. False: not on this file system, or the name is taken. */
static bool link_file(const struct leaf_files *f, const char *name, mode_t mode, slice bytes)
{
    int fd = openat(f->folder, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, mode);
    bool linked;

    if (fd < 0)
        return false;
    linked = file_write_whole(fd, bytes) && name_file_of(fd, f->folder, name);
    close(fd);
    return linked;
}

/* Whole before it has its name, else under another name first and then in place of what was
 * there. */
static enum status put_file(struct leaf_desk *desk, const char *name, mode_t mode, slice bytes,
                            struct fault *why)
{
    const struct leaf_files *f = desk->files;
    enum status status;

    if (link_file(f, name, mode, bytes))
        return ST_OK;
    status = write_file(f, desk->scratch, O_TRUNC, mode, bytes, why);
    if (status == ST_OK && renameat(f->folder, desk->scratch, f->folder, name) != 0)
        status = file_fault(f, name, why);
    return status;
}

/* ST_OK also when there is none; then `to` stays empty and *ret is false. */
static enum status read_file(const struct leaf_files *f, const char *name, struct buf *to,
                             bool *ret, struct fault *why)
{
    int fd = openat(f->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    uint8_t *room;
    ssize_t got;

    *ret = fd >= 0;
    if (fd < 0)
        return errno == ENOENT ? ST_OK : file_fault(f, name, why);
    room = buf_room(to, CERT_FILE_MAX);
    got = room ? read(fd, room, CERT_FILE_MAX) : -1;
    if (got > 0)
        buf_grew(to, (size_t)got);
    close(fd);
    return got < 0 ? file_fault(f, name, why) : ST_OK;
}

/* --- what is there ---------------------------------------------------------------------------- */

enum leaf_plan_kind {
    PLAN_FRESH,     /* key and certificate */
    PLAN_FOR_KEY,   /* a certificate for the key that is there */
    PLAN_NOTHING,   /* but what stands beside them */
    PLAN_ANEW,      /* in place of what is there */
    PLAN_FOR_GIVEN, /* a certificate for --key-file */
    PLAN_LONE,      /* refused: a certificate without its key */
    PLAN_STRANGE,   /* refused: files that this tool did not write */
};

/* By the key's state, then the certificate's, as enum pem_state counts them. */
static const enum leaf_plan_kind plans[][4] = {
    [PEM_ABSENT] = {PLAN_FRESH, PLAN_LONE, PLAN_FRESH, PLAN_STRANGE},
    [PEM_WHOLE] = {PLAN_FOR_KEY, PLAN_NOTHING, PLAN_FOR_KEY, PLAN_STRANGE},
    [PEM_TORN] = {PLAN_FRESH, PLAN_FRESH, PLAN_FRESH, PLAN_STRANGE},
    [PEM_OTHER] = {PLAN_STRANGE, PLAN_STRANGE, PLAN_STRANGE, PLAN_STRANGE},
};

static enum status state_of(const struct leaf_files *f, const char *name,
                            enum pem_state (*judge)(slice), enum pem_state *ret, struct fault *why)
{
    CERT_SECRET_CLEANUP struct buf content = {.max = 2 * CERT_FILE_MAX};
    bool there;
    enum status status = read_file(f, name, &content, &there, why);

    if (status == ST_OK)
        *ret = there ? judge(buf_slice(&content)) : PEM_ABSENT;
    return status;
}

static enum status choose_plan(const struct leaf_files *f, const struct leaf_names *n,
                               enum leaf_plan_kind *ret, struct fault *why)
{
    enum pem_state key, certificate;
    enum status status;

    *ret = f->key ? PLAN_FOR_GIVEN : f->force ? PLAN_ANEW : PLAN_FRESH;
    if (*ret != PLAN_FRESH || (!exists(f, n->certificate) && !exists(f, n->key)))
        return ST_OK; /* a million times out of a million */
    status = state_of(f, n->key, pem_judge_key, &key, why);
    if (status == ST_OK)
        status = state_of(f, n->certificate, pem_judge_certificate, &certificate, why);
    if (status != ST_OK)
        return status;
    *ret = plans[key][certificate];
    if (*ret == PLAN_LONE)
        return fault_set(why, ST_CONFLICT, "%s is there without its key: --force makes both anew",
                         n->certificate);
    if (*ret == PLAN_STRANGE)
        return fault_set(why, ST_CONFLICT,
                         "%s or its key is no PEM file: move them away, or --force",
                         n->certificate);
    if (*ret == PLAN_FRESH && key == PEM_TORN)
        unlinkat(f->folder, n->key, 0);
    return ST_OK;
}

static enum status check_names(const struct leaf_files *f, slice id, const struct leaf_names *n,
                               struct fault *why)
{
    static const char *const own[] = {"ca", "chain", "verification"};

    for (size_t i = 0; f->is_authority && i < COUNT_OF(own); i++) {
        if (slice_equal(id, slice_str(own[i])))
            return fault_set(why, ST_CONFLICT,
                             "%s.pem is the authority's own in its folder: give another --out",
                             own[i]);
    }
    if (f->full_chain && exists(f, n->chain_key))
        return fault_set(why, ST_CONFLICT, "%s is the certificate of another device", n->chain);
    return ST_OK;
}

/* A chain can be written again unasked, a .p12 not: nobody knows its pass phrase. */
static enum status check_beside(const struct leaf_files *f, const struct leaf_names *n,
                                struct fault *why)
{
    if (f->p12 || !exists(f, n->p12))
        return ST_OK;
    return fault_set(why, ST_CONFLICT,
                     "%s would keep the certificate before this one: add --p12 to make it anew, or "
                     "move it away",
                     n->p12);
}

static enum status check_issuer(const struct leaf_files *f, const struct leaf_names *n, slice pem,
                                struct fault *why)
{
    struct x509_st *certificate = certificate_from_pem(pem);
    bool issued =
        certificate && chain_is_issued_by(certificate, f->issuer ? f->issuer : certificate);

    certificate_free(certificate);
    if (issued)
        return ST_OK;
    return fault_set(why, ST_CONFLICT,
                     "%s is there and not %s: choose another --out, renew it with --key-file, or "
                     "--force",
                     n->certificate, f->issuer ? "by the authority of --ca" : "self-signed");
}

/* --- the files beside the certificate --------------------------------------------------------- */

static enum status write_chain(struct leaf_desk *desk, const char *name, slice certificate_pem,
                               struct fault *why)
{
    BUF_CLEANUP struct buf chain = {.max = 4 * CERT_FILE_MAX};

    buf_append(&chain, certificate_pem);
    buf_append(&chain, desk->files->chain_pem);
    if (chain.failed)
        return fault_set(why, ST_NO_MEMORY, "no memory for %s", name);
    return put_file(desk, name, 0644, buf_slice(&chain), why);
}

static enum status write_p12(struct leaf_desk *desk, const char *name, slice certificate_pem,
                             const struct evp_pkey_st *key, struct fault *why)
{
    CERT_SECRET_CLEANUP struct buf p12 = {.max = 4 * CERT_FILE_MAX};
    struct x509_st *certificate = certificate_from_pem(certificate_pem);
    enum status status =
        certificate ? certificate_to_p12(certificate, key, desk->files->chain,
                                         desk->files->pass_phrase, &p12, why)
                    : fault_set(why, ST_CONFLICT, "%s: the certificate cannot be read", name);

    certificate_free(certificate);
    return status == ST_OK ? put_file(desk, name, 0600, buf_slice(&p12), why) : status;
}

/* Wanted, or there and this device's own. */
static bool wants_chain(const struct leaf_files *f, const struct leaf_names *n)
{
    return f->full_chain || (exists(f, n->chain) && !exists(f, n->chain_key));
}

static enum status write_beside(struct leaf_desk *desk, const struct leaf_names *n,
                                slice certificate_pem, slice key_pem, struct fault *why)
{
    struct evp_pkey_st *key;
    enum status status = ST_OK;

    if (wants_chain(desk->files, n))
        status = write_chain(desk, n->chain, certificate_pem, why);
    if (status != ST_OK || !desk->files->p12)
        return status;
    key = private_key_from_pem(key_pem, why);
    status = key ? write_p12(desk, n->p12, certificate_pem, key, why) : ST_CONFLICT;
    private_key_free(key);
    return status;
}

static bool is_complete(const struct leaf_files *f, const struct leaf_names *n)
{
    return (!f->full_chain || exists(f, n->chain)) && (!f->p12 || exists(f, n->p12));
}

/* A leaf that is there may want files that an earlier run was not asked for. */
static enum status complete(struct leaf_desk *desk, const struct leaf_names *n, slice id,
                            struct leaf *ret, struct fault *why)
{
    CERT_SECRET_CLEANUP struct buf key = {.max = 2 * CERT_FILE_MAX};
    BUF_CLEANUP struct buf certificate = {.max = 2 * CERT_FILE_MAX};
    const struct leaf_files *f = desk->files;
    enum status status;
    bool there;

    (void)id, (void)ret;
    status = read_file(f, n->certificate, &certificate, &there, why);
    if (status == ST_OK)
        status = check_issuer(f, n, buf_slice(&certificate), why);
    if (status != ST_OK || is_complete(f, n))
        return status;
    status = read_file(f, n->key, &key, &there, why);
    return status == ST_OK ? write_beside(desk, n, buf_slice(&certificate), buf_slice(&key), why)
                           : status;
}

/* --- the leaf --------------------------------------------------------------------------------- */

static enum status write_leaf(struct leaf_desk *desk, const struct leaf_names *n, bool with_key,
                              const struct leaf *leaf, struct fault *why)
{
    enum status status = ST_OK;

    if (with_key)
        status = write_file(desk->files, n->key, O_EXCL, 0600, leaf->key, why);
    if (status == ST_OK)
        status = write_beside(desk, n, leaf->certificate, leaf->key, why);
    return status == ST_OK ? put_file(desk, n->certificate, 0644, leaf->certificate, why) : status;
}

static struct evp_pkey_st *read_key(const struct leaf_files *f, const char *name, struct fault *why)
{
    char *path = cert_path(f->folder_name, name);
    struct evp_pkey_st *key = path ? cert_key_read(path, why) : NULL;

    if (!path)
        fault_set(why, ST_NO_MEMORY, "no memory");
    else if (!key && why->status != ST_NO_MEMORY)
        why->status = ST_CONFLICT; /* of this leaf alone */
    free(path);
    return key;
}

static enum status make_for_key(struct leaf_desk *desk, const struct leaf_names *n, slice id,
                                struct leaf *ret, struct fault *why)
{
    struct evp_pkey_st *key = read_key(desk->files, n->key, why);
    enum status status = key ? leaf_maker_make(desk->maker, id, key, ret, why) : why->status;

    private_key_free(key);
    return status == ST_OK ? write_leaf(desk, n, false, ret, why) : status;
}

/* The certificate goes first: it must never stand beside a key that is not its own. */
static void make_way(const struct leaf_files *f, const struct leaf_names *n)
{
    unlinkat(f->folder, n->certificate, 0);
    unlinkat(f->folder, n->key, 0);
}

static enum status make_fresh(struct leaf_desk *desk, const struct leaf_names *n, slice id,
                              struct leaf *ret, struct fault *why)
{
    enum status status = leaf_maker_make(desk->maker, id, NULL, ret, why);

    return status == ST_OK ? write_leaf(desk, n, true, ret, why) : status;
}

static enum status make_anew(struct leaf_desk *desk, const struct leaf_names *n, slice id,
                             struct leaf *ret, struct fault *why)
{
    make_way(desk->files, n);
    return make_fresh(desk, n, id, ret, why);
}

/* Whether the key that is there is the given one. */
static bool is_given_key(const struct leaf_files *f, const struct leaf_names *n)
{
    struct fault ignored = {0};
    struct evp_pkey_st *key = read_key(f, n->key, &ignored);
    bool same = key && cert_key_same(key, f->key);

    private_key_free(key);
    return same;
}

/* A renewal: the key is given, and must be the one that is there, if one is. */
static enum status make_for_given(struct leaf_desk *desk, const struct leaf_names *n, slice id,
                                  struct leaf *ret, struct fault *why)
{
    const struct leaf_files *f = desk->files;
    bool there = exists(f, n->key);
    enum status status;

    if (there && !is_given_key(f, n)) {
        if (!f->force)
            return fault_set(why, ST_CONFLICT,
                             "%s is not the key of --key-file: choose another --out, or --force",
                             n->key);
        make_way(f, n);
        there = false;
    }
    status = leaf_maker_make(desk->maker, id, f->key, ret, why);
    return status == ST_OK ? write_leaf(desk, n, !there, ret, why) : status;
}

static const struct {
    enum leaf_outcome outcome;
    enum status (*make)(struct leaf_desk *desk, const struct leaf_names *n, slice id,
                        struct leaf *ret, struct fault *why);
} makers[] = {
    [PLAN_FRESH] = {LEAF_MADE, make_fresh},
    [PLAN_FOR_KEY] = {LEAF_FOR_KEY, make_for_key},
    [PLAN_NOTHING] = {LEAF_THERE, complete},
    [PLAN_ANEW] = {LEAF_MADE, make_anew},
    [PLAN_FOR_GIVEN] = {LEAF_FOR_KEY, make_for_given},
};

enum status cert_leaf_make(struct leaf_desk *desk, slice id, enum leaf_outcome *ret_outcome,
                           struct leaf *ret, struct fault *why)
{
    const struct leaf_files *f = desk->files;
    enum leaf_plan_kind plan;
    struct leaf_names names;
    enum status status;

    name_files(id, &names);
    status = check_names(f, id, &names, why);
    if (status == ST_OK)
        status = choose_plan(f, &names, &plan, why);
    if (status == ST_OK && plan != PLAN_NOTHING)
        status = check_beside(f, &names, why);
    if (status != ST_OK)
        return status;
    *ret_outcome = makers[plan].outcome;
    return makers[plan].make(desk, &names, id, ret, why);
}
