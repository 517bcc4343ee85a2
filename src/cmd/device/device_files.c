#include "cmd/device/device_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/operation_watch.h"

/* --- import ----------------------------------------------------------------------------------- */

/* The file's bytes, without a copy of them. */
static bool map_file(struct client *c, const char *file, slice *ret)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    void *bytes;

    if (fd < 0 || fstat(fd, &facts) < 0 || facts.st_size == 0) {
        command_fail(c->command, EXIT_USAGE, "%s: %s", file,
                     fd < 0 ? strerror(errno) : "the file is empty");
        if (fd >= 0)
            close(fd);
        return false;
    }
    bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED) {
        command_fail(c->command, EXIT_USAGE, "%s: %s", file, strerror(errno));
        return false;
    }
    *ret = slice_of(bytes, (size_t)facts.st_size);
    return true;
}

static const char *true_if(bool flag)
{
    return flag ? "true" : NULL;
}

static void import_path(const struct device_words *w, struct buf *path)
{
    buf_append_str(path, "deviceImports");
    client_query(path, "existing", w->update ? "update" : w->skip ? "skip" : "refuse");
    client_query(path, "dryRun", true_if(w->dry_run));
    client_query(path, "lowerCase", true_if(w->lower_case));
    client_query(path, "individualEnrollments", true_if(w->individual_enrollments));
    client_query(path, "rawNames", true_if(w->raw));
    client_query(path, "template", w->template_id);
}

int device_verb_import(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *operation = NULL;
    slice bytes;
    int code;

    if (w->update && w->skip)
        return command_fail(c->command, EXIT_USAGE, "--update and --skip exclude each other");
    if (!map_file(c, w->ids.items[0], &bytes))
        return EXIT_USAGE;
    import_path(w, &path);
    code = client_upload(c, buf_slice(&path), bytes, "text/csv", &operation);
    munmap((void *)(uintptr_t)bytes.ptr, bytes.len);
    return code == EXIT_DONE ? operation_watch(c, operation, w->json) : code;
}

/* --- export ----------------------------------------------------------------------------------- */

/* A file of keys is never somebody else's to read, and is never there by half. */
struct export_file {
    FILE *to;
    char *part; /* the name while it is written; NULL: standard output */
    int error;
};

static bool open_part(struct client *c, const char *out, struct export_file *f)
{
    size_t size = strlen(out) + sizeof ".part";
    int fd;

    f->part = malloc(size);
    if (!f->part)
        return false;
    snprintf(f->part, size, "%s.part", out);
    fd = open(f->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    f->to = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (f->to)
        return true;
    command_fail(c->command, EXIT_USAGE, "%s: %s", f->part, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(f->part);
    return false;
}

static bool on_part(void *context, slice part)
{
    struct export_file *f = context;

    if (fwrite(part.ptr, 1, part.len, f->to) == part.len)
        return true;
    f->error = errno;
    return false;
}

static void export_path(const struct device_words *w, struct buf *path)
{
    buf_append_str(path, w->without_keys ? "deviceExport/withoutKeys" : "deviceExport");
    client_query(path, "extra", true_if(w->extra));
    client_query(path, "rawNames", true_if(w->raw));
    client_query(path, "unassociated", true_if(w->unassociated));
    client_query(path, "template", w->template_id);
    client_query(path, "status", w->status);
    client_query(path, "search", w->search);
}

static int close_part(struct client *c, const char *out, struct export_file *f, int code)
{
    if (fclose(f->to) != 0 && f->error == 0)
        f->error = errno;
    if (code == EXIT_DONE && f->error == 0 && rename(f->part, out) != 0)
        f->error = errno;
    if (code != EXIT_DONE || f->error != 0)
        unlink(f->part);
    free(f->part);
    return f->error ? command_fail(c->command, EXIT_FAILED, "%s: %s", out, strerror(f->error))
                    : code;
}

int device_verb_export(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct export_file f = {.to = stdout};
    int code;

    if (w->out && !open_part(c, w->out, &f))
        return EXIT_USAGE;
    export_path(w, &path);
    code = client_stream(c, buf_slice(&path), on_part, &f);
    if (w->out)
        return close_part(c, w->out, &f, code);
    if (fflush(stdout) != 0 && f.error == 0)
        f.error = errno;
    return f.error ? command_fail(c->command, EXIT_FAILED, "%s", strerror(f.error)) : code;
}
