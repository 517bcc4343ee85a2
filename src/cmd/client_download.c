#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/client.h"

/* What may hold keys is never somebody else's to read, and is never there by half. */
struct download {
    FILE *to;
    char *part; /* the name while it is written; NULL: standard output */
    int error;
};

static bool open_part(struct client *c, const char *out, struct download *f)
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
    struct download *f = context;

    if (fwrite(part.ptr, 1, part.len, f->to) == part.len)
        return true;
    f->error = errno;
    return false;
}

static int close_part(struct client *c, const char *out, struct download *f, int code)
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

int client_download(struct client *c, slice path, const char *out)
{
    struct download f = {.to = stdout};
    int code;

    if (out && !open_part(c, out, &f))
        return EXIT_USAGE;
    code = client_stream(c, path, on_part, &f);
    if (out)
        return close_part(c, out, &f, code);
    if (fflush(stdout) != 0 && f.error == 0)
        f.error = errno;
    return f.error ? command_fail(c->command, EXIT_FAILED, "%s", strerror(f.error)) : code;
}
