#include "cmd/device/device_words.h"

static void path_of(const struct device_words *w, const char *id, const char *behind,
                    struct buf *path)
{
    client_path(path, "devices/%s", id);
    if (w->module)
        client_path(path, "/modules/%s", w->module);
    buf_append_str(path, behind);
}

int device_call(struct client *c, const struct device_words *w, const char *method, const char *id,
                const char *behind, const struct buf *body, struct json **ret)
{
    BUF_CLEANUP struct buf path = {.max = 4096};

    path_of(w, id, behind, &path);
    return client_call(c, method, buf_slice(&path), body, ret);
}
