#include "cmd/device/device_files.h"

#include <errno.h>
#include <fcntl.h>
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

static void put_flag(struct buf *path, bool flag, const char *text)
{
    if (flag)
        buf_append_str(path, text);
}

static void import_path(const struct device_import_words *w, struct buf *path)
{
    buf_append_str(path, "deviceImports?existing=");
    buf_append_str(path, w->update ? "update" : w->skip ? "skip" : "refuse");
    put_flag(path, w->dry_run, "&dryRun=true");
    put_flag(path, w->lower_case, "&lowerCase=true");
    put_flag(path, w->individual_enrollments, "&individualEnrollments=true");
    put_flag(path, w->raw, "&rawNames=true");
    if (w->template_id)
        client_path(path, "&template=%s", w->template_id);
}

int device_import(struct client *c, const char *file, const struct device_import_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *operation = NULL;
    slice bytes;
    int code;

    if (w->update && w->skip)
        return command_fail(c->command, EXIT_USAGE, "--update and --skip exclude each other");
    if (!map_file(c, file, &bytes))
        return EXIT_USAGE;
    import_path(w, &path);
    code = client_upload(c, buf_slice(&path), bytes, "text/csv", &operation);
    munmap((void *)(uintptr_t)bytes.ptr, bytes.len);
    return code == EXIT_DONE ? operation_watch(c, operation, w->json) : code;
}

/* --- export ----------------------------------------------------------------------------------- */

static void export_path(const struct device_export_words *w, struct buf *path)
{
    buf_append_str(path, w->without_keys ? "deviceExport/withoutKeys?" : "deviceExport?");
    put_flag(path, w->extra, "&extra=true");
    put_flag(path, w->raw, "&rawNames=true");
    put_flag(path, w->unassociated, "&unassociated=true");
    if (w->template_id)
        client_path(path, "&template=%s", w->template_id);
    if (w->status)
        client_path(path, "&status=%s", w->status);
    if (w->search)
        client_path(path, "&search=%s", w->search);
}

int device_export(struct client *c, const struct device_export_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};

    export_path(w, &path);
    return client_download(c, buf_slice(&path), w->out);
}

/* --- acts on many ----------------------------------------------------------------------------- */

int device_act_matching(struct client *c, const struct device_matching_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 4096}, path = {.max = 256};
    struct json_writer writer = {.to = &body};
    struct json *operation = NULL;
    int code;

    json_open(&writer, (slice){0}, '{');
    if (w->template_id)
        json_put_text(&writer, SLICE("template"), slice_str(w->template_id));
    json_open(&writer, SLICE("filter"), '{');
    if (w->status)
        json_put_text(&writer, SLICE("status"), slice_str(w->status));
    if (w->search)
        json_put_text(&writer, SLICE("search"), slice_str(w->search));
    if (w->of_template)
        json_put_text(&writer, SLICE("template"), slice_str(w->of_template));
    if (w->unassociated)
        json_put_bool(&writer, SLICE("unassociated"), true);
    json_close(&writer, '}');
    json_close(&writer, '}');
    buf_printf(&path, "operations/%s", w->act);
    code = client_call(c, "POST", buf_slice(&path), &body, &operation);
    return code == EXIT_DONE ? operation_watch(c, operation, w->json) : code;
}
