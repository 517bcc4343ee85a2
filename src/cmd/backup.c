/* muster backup: all that a server is, but for its master key, in one sealed file. It reads the
 * data folder itself; a server that runs there goes on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/backup_archive.h"
#include "cmd/client.h"
#include "cmd/options.h"
#include "cmd/privileges.h"

static int run(int argc, char **argv);

const struct command backup_command = {
    .name = "backup",
    .summary = "all that a server is in one sealed file, while it runs",
    .usage =
        "usage: muster backup --out FILE [--data DIR] [--json]\n\n"
        "FILE, which must not exist, then holds the whole store, the ID scope, the local CA and\n"
        "the commands' token, sealed under the master key, as they were when the command began.\n"
        "The master key itself, DIR/master.key, is not in it: keep a copy of that elsewhere, for\n"
        "`muster restore` needs both. The folder needs room for a second copy of the store\n"
        "meanwhile.\n",
    .run = run,
};

/* What restore shows: whose, when, by what. */
static bool write_about(const struct data_folder *data, struct buf *to, struct fault *why)
{
    BUF_CLEANUP struct buf scope = {0};
    struct json_writer w = {.to = to};
    char time[CLOCK_TEXT_MAX];

    if (!data_folder_has(data, "id-scope")) {
        fault_set(why, ST_NOT_FOUND, "no server has run in %s", data->path);
        return false;
    }
    if (!data_folder_id_scope(data, &scope, why))
        return false;
    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("idScope"), buf_slice(&scope));
    json_put_text(&w, SLICE("madeAt"), clock_iso(clock_wall_ms(), time));
    json_put_text(&w, SLICE("version"), SLICE(MUSTER_VERSION));
    json_close(&w, '}');
    return !to->failed;
}

static bool pack(const struct data_folder *data, int fd, struct buf *about, struct fault *why)
{
    char *key = data_folder_path(data, "master.key");
    struct sealer *sealer = NULL;
    bool done = key && privileges_act_as_owner(data->path, why) && write_about(data, about, why);

    if (done)
        sealer = sealer_open(key, false, why);
    done = sealer && backup_write(data, sealer, buf_slice(about), fd, why);
    privileges_act_as_root();
    sealer_destroy(sealer);
    free(key);
    return done;
}

static int tell(const char *file, int fd, const struct buf *about, bool as_json)
{
    struct stat facts;

    if (as_json)
        printf("%.*s\n", SLICE_FMT(buf_slice(about)));
    else if (fstat(fd, &facts) == 0)
        printf("%s: %.1f MiB; restoring it takes the master key too\n", file,
               (double)facts.st_size / (1 << 20));
    return EXIT_DONE;
}

static int back_up(const struct data_folder *data, const char *file, bool as_json)
{
    BUF_CLEANUP struct buf about = {.max = 1024};
    struct fault why;
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int code;

    if (fd < 0)
        return command_fail(&backup_command, EXIT_FAILED, "cannot make %s: %s", file,
                            strerror(errno));
    if (pack(data, fd, &about, &why)) {
        code = tell(file, fd, &about, as_json);
    } else {
        code = command_fail(&backup_command, EXIT_FAILED, "%s", why.text);
        unlink(file);
    }
    close(fd);
    return code;
}

static int run(int argc, char **argv)
{
    const char *folder = "muster-data", *file = NULL;
    bool as_json = false;
    const struct option_spec specs[] = {
        {.name = "--data", .value = &folder},
        {.name = "--out", .value = &file},
        {.name = "--json", .flag = &as_json},
    };
    struct data_folder data = {0};
    struct words words;
    struct fault why;
    int code;

    if (!options_read(&backup_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    if (words.count > 0 || !file)
        return command_fail(&backup_command, EXIT_USAGE,
                            "say where to with --out FILE; no other word may follow");
    if (!data_folder_find(&data, folder, &why))
        return command_fail(&backup_command, EXIT_USAGE, "%s; say where with --data DIR", why.text);
    code = back_up(&data, file, as_json);
    data_folder_close(&data);
    return code;
}
