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

int device_verb_export(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};

    export_path(w, &path);
    return client_download(c, buf_slice(&path), w->out);
}
