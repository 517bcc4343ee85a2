/* muster restore: a data folder from a backup and its master key. All of it is checked in a folder
 * beside before anything is put in place. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/backup_archive.h"
#include "cmd/client.h"
#include "cmd/options.h"
#include "cmd/schemas.h"
#include "crypto/key_file.h"

#define KEY_MAX 64

static int run(int argc, char **argv);

const struct command restore_command = {
    .name = "restore",
    .summary = "a data folder from a backup; --check only looks at it",
    .usage =
        "usage: muster restore FILE --master-key KEY --data DIR [--json]\n"
        "       muster restore FILE --master-key KEY --check [--json]\n\n"
        "KEY is the master.key of the server that was backed up. DIR must not exist, or be\n"
        "empty; devices find the restored server as before once it has the old one's host name\n"
        "and address. The old one must not run any more. --check unpacks beside FILE, verifies\n"
        "all, and removes it again.\n",
    .run = run,
};

struct restore {
    const char *file, *key;
    char *folder; /* where it is unpacked */
    bool is_made; /* by us: what is in it may be removed again */
    struct buf about;
};

static bool copy_key(const struct restore *r, struct fault *why)
{
    uint8_t key[KEY_MAX];
    size_t len;
    char *path;
    bool done;

    if (asprintf(&path, "%s/master.key", r->folder) < 0) {
        fault_set(why, ST_NO_MEMORY, "out of memory");
        return false;
    }
    done = key_file_read(r->key, key, sizeof key, &len, why) == ST_OK &&
           key_file_write(path, KEY_FILE_NEW, slice_of(key, len), why) == ST_OK;
    explicit_bzero(key, sizeof key);
    free(path);
    return done;
}

static bool check_store(const struct restore *r, struct fault *why)
{
    const struct store_options options = {.schemas = all_schemas, .schema_count = ALL_SCHEMAS};
    char *path;
    bool good;

    if (asprintf(&path, "%s/muster.db", r->folder) < 0) {
        fault_set(why, ST_NO_MEMORY, "out of memory");
        return false;
    }
    good = store_check(path, &options, why);
    free(path);
    return good;
}

/* Unpacks into a new folder and checks all. What stands there already is somebody else's. */
static bool unpack(struct restore *r, struct fault *why)
{
    struct sealer *sealer = sealer_open(r->key, false, why);
    bool good = false;

    if (!sealer)
        return false;
    r->is_made = mkdir(r->folder, 0700) == 0;
    if (r->is_made)
        good = backup_unpack(r->file, sealer, r->folder, &r->about, why) && check_store(r, why);
    else if (errno == EEXIST)
        fault_set(why, ST_CONFLICT, "%s is there already: remove what an earlier restore left",
                  r->folder);
    else
        fault_set(why, ST_CONFLICT, "cannot make %s: %s", r->folder, strerror(errno));
    sealer_destroy(sealer);
    return good;
}

static void sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && fsync(fd) != 0)
        fprintf(stderr, "muster restore: %s may not be on the disk yet\n", path);
    if (fd >= 0)
        close(fd);
}

/* An empty folder gives way; rename does not replace one that holds something. */
static bool put_in_place(const struct restore *r, const char *folder, struct fault *why)
{
    if (!copy_key(r, why))
        return false;
    sync_folder(r->folder);
    if (rename(r->folder, folder) == 0)
        return true;
    if (errno == ENOTEMPTY || errno == EEXIST)
        fault_set(why, ST_CONFLICT, "%s holds something: move it away first", folder);
    else
        fault_set(why, ST_UNAVAILABLE, "cannot make %s: %s", folder, strerror(errno));
    return false;
}

static void drop_all(const struct restore *r)
{
    char *key;

    if (asprintf(&key, "%s/master.key", r->folder) >= 0) {
        unlink(key);
        free(key);
    }
    backup_drop(r->folder);
}

static int restore(struct restore *r, const char *folder, bool as_json)
{
    struct fault why;
    bool done = unpack(r, &why) && (!folder || put_in_place(r, folder, &why));

    if (r->is_made && !(done && folder))
        drop_all(r);
    if (!done)
        return command_fail(&restore_command, EXIT_FAILED, "%s", why.text);
    if (as_json)
        printf("%.*s\n", SLICE_FMT(buf_slice(&r->about)));
    else if (folder)
        printf("%s is restored: muster serve --data %s\n", folder, folder);
    else
        printf("%s is whole\n", r->file);
    return EXIT_DONE;
}

static int prepare(const char *file, const char *key, const char *folder, bool as_json)
{
    struct restore r = {.file = file, .key = key, .about = {.max = 4096}};
    const char *beside = folder ? folder : file;
    size_t len = strlen(beside);
    int code;

    while (len > 1 && beside[len - 1] == '/')
        len--;
    if (asprintf(&r.folder, "%.*s.%s", (int)len, beside, folder ? "restoring" : "checking") < 0)
        return command_fail(&restore_command, EXIT_FAILED, "out of memory");
    code = restore(&r, folder, as_json);
    buf_deinit(&r.about);
    free(r.folder);
    return code;
}

static int run(int argc, char **argv)
{
    const char *folder = NULL, *key = NULL;
    bool as_json = false, only_checks = false;
    const struct option_spec specs[] = {
        {.name = "--data", .value = &folder},
        {.name = "--master-key", .value = &key},
        {.name = "--check", .flag = &only_checks},
        {.name = "--json", .flag = &as_json},
    };
    struct words words;
    int code;

    if (!options_read(&restore_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    if (words.count != 1)
        return command_fail(&restore_command, EXIT_USAGE, "name one backup FILE");
    if (!key)
        return command_fail(&restore_command, EXIT_USAGE, "say which key with --master-key KEY");
    if (only_checks == (folder != NULL))
        return command_fail(&restore_command, EXIT_USAGE, "say --data DIR, or --check");
    return prepare(words.items[0], key, folder, as_json);
}
