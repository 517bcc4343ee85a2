#include "cmd/device/device_list.h"

#include <stdio.h>

static void print_row(struct client *c, struct json *d)
{
    printf("%-40s %-12s %-10s %s\n", client_text(c, d, "id"), client_text(c, d, "status"),
           client_text(c, d, "approved"), client_text(c, d, "template"));
}

static void print_page(struct client *c, const struct device_words *w, const struct json *rows)
{
    for (struct json *d = rows ? rows->first : NULL; d; d = d->next) {
        if (w->json)
            client_print_json(d);
        else
            print_row(c, d);
    }
}

static void list_path(const struct device_words *w, const char *after, struct buf *path)
{
    buf_append_str(path, "devices?top=500");
    client_query(path, "status", w->status);
    client_query(path, "template", w->template_id);
    client_query(path, "search", w->search);
    client_query(path, "order", w->order);
    client_query(path, "unassociated", w->unassociated ? "true" : NULL);
    client_query(path, "after", after);
}

int device_verb_list(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf after = {.max = 1024};
    slice next;

    do {
        BUF_CLEANUP struct buf path = {.max = 8192};
        struct json *answer;
        int code;

        list_path(w, after.len ? (const char *)after.ptr : NULL, &path);
        code = client_call(c, "GET", buf_slice(&path), NULL, &answer);
        if (code != EXIT_DONE)
            return code;
        if (!w->json && after.len == 0)
            printf("%-40s %-12s %-10s %s\n", "ID", "STATUS", "APPROVED", "TEMPLATE");
        print_page(c, w, json_member(answer, SLICE("value")));
        buf_clear(&after);
        if (json_get_text(answer, SLICE("next"), &next)) {
            buf_append(&after, next);
            buf_append_byte(&after, 0);
        }
        arena_reset(&c->arena);
    } while (after.len > 0);
    return EXIT_DONE;
}
