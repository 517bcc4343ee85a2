#include "cmd/device/device_data.h"

#include <stdio.h>

#define PATH_MAX_BYTES 8192
#define BODY_MAX (1 << 20)

/* --- shared ----------------------------------------------------------------------------------- */

/* A column: what there is, or a dash. */
struct column {
    const char *member, *title;
    int width;
};

static void print_rows(struct client *c, const struct json *rows, const struct column *columns,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("%-*s%s", columns[i].width, columns[i].title, i + 1 < count ? " " : "\n");
    for (const struct json *row = rows ? rows->first : NULL; row; row = row->next) {
        for (size_t i = 0; i < count; i++)
            printf("%-*s%s", columns[i].width, client_text(c, row, columns[i].member),
                   i + 1 < count ? " " : "\n");
    }
}

static int show(struct client *c, const struct device_words *w, const struct buf *path,
                const struct column *columns, size_t count)
{
    struct json *answer;
    int code = client_call(c, "GET", buf_slice(path), NULL, &answer);

    if (code != EXIT_DONE)
        return code;
    if (w->json)
        client_print_json(json_member(answer, SLICE("value")));
    else
        print_rows(c, json_member(answer, SLICE("value")), columns, count);
    return code;
}

/* "devices/ID[/components/C]", of the compatible API. */
static void path_of(const struct device_words *w, struct buf *path)
{
    client_path(path, "devices/%s", w->ids.items[0]);
    if (w->component)
        client_path(path, "/components/%s", w->component);
}

/* --- telemetry -------------------------------------------------------------------------------- */

static int show_last(struct client *c, const struct device_words *w)
{
    static const struct column columns[] = {
        {"component", "COMPONENT", 16}, {"name", "NAME", 24},
        {"value", "VALUE", 24},         {"at", "AT", 28},
        {"state", "STATE", 9},
    };
    BUF_CLEANUP struct buf path = {.max = PATH_MAX_BYTES};

    client_path(&path, "devices/%s/telemetry", w->ids.items[0]);
    return show(c, w, &path, columns, COUNT_OF(columns));
}

int device_verb_telemetry(struct client *c, const struct device_words *w)
{
    static const struct column points[] = {{"at", "AT", 28}, {"value", "VALUE", 24}};
    static const struct column buckets[] = {
        {"from", "FROM", 28}, {"count", "COUNT", 8},      {"min", "MIN", 20},
        {"max", "MAX", 20},   {"average", "AVERAGE", 20},
    };
    BUF_CLEANUP struct buf path = {.max = PATH_MAX_BYTES};

    if (w->ids.count < 2)
        return show_last(c, w);
    client_path(&path, "devices/%s/telemetry", w->ids.items[0]);
    client_path(&path, w->buckets ? "/%s/buckets" : "/%s", w->ids.items[1]);
    client_query(&path, "component", w->component);
    client_query(&path, "from", w->from);
    client_query(&path, "to", w->to);
    client_query(&path, "count", w->buckets);
    return w->buckets ? show(c, w, &path, buckets, COUNT_OF(buckets))
                      : show(c, w, &path, points, COUNT_OF(points));
}

int device_verb_raw_data(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf path = {.max = PATH_MAX_BYTES};
    const struct json *rows;
    struct json *answer;
    int code;

    client_path(&path, "devices/%s/rawData", w->ids.items[0]);
    client_query(&path, "component", w->component);
    client_query(&path, "from", w->from);
    client_query(&path, "to", w->to);
    code = client_call(c, "GET", buf_slice(&path), NULL, &answer);
    rows = code == EXIT_DONE ? json_member(answer, SLICE("value")) : NULL;
    for (const struct json *row = rows ? rows->first : NULL; row; row = row->next)
        client_print_json(row);
    return code;
}

/* --- properties ------------------------------------------------------------------------------- */

static int set_properties(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf path = {.max = PATH_MAX_BYTES}, body = {.max = BODY_MAX};
    struct json *answer;
    int code;

    if (!client_check_json(c, "--set", w->set))
        return EXIT_USAGE;
    path_of(w, &path);
    buf_append_str(&path, "/properties");
    buf_append_str(&body, w->set);
    code = client_rest(c, w->replace ? "PUT" : "PATCH", buf_slice(&path), &body, &answer);
    if (code == EXIT_DONE && answer)
        client_print_json(answer);
    return code;
}

int device_verb_properties(struct client *c, const struct device_words *w)
{
    static const struct column columns[] = {
        {"component", "COMPONENT", 16}, {"name", "NAME", 24},         {"kind", "KIND", 9},
        {"desired", "DESIRED", 16},     {"reported", "REPORTED", 16}, {"value", "VALUE", 16},
        {"state", "STATE", 11},         {"description", "", 0},
    };
    BUF_CLEANUP struct buf path = {.max = PATH_MAX_BYTES};

    if (w->set)
        return set_properties(c, w);
    if (w->replace)
        return command_fail(c->command, EXIT_USAGE, "--replace goes with --set JSON");
    client_path(&path, "devices/%s/properties", w->ids.items[0]);
    return show(c, w, &path, columns, COUNT_OF(columns));
}

/* --- commands --------------------------------------------------------------------------------- */

static void print_run(struct client *c, const struct device_words *w, const struct json *answer)
{
    if (w->json)
        client_print_json(answer);
    else if (json_member(answer, SLICE("responseCode")))
        printf("%s %s\n", client_text(c, answer, "responseCode"),
               client_text(c, answer, "response"));
    else
        printf("queued for the device\n");
}

int device_verb_command(struct client *c, const struct device_words *w)
{
    BUF_CLEANUP struct buf path = {.max = PATH_MAX_BYTES}, body = {.max = BODY_MAX};
    struct json_writer writer = {.to = &body};
    int64_t timeout = 30, connect_timeout = 0;
    struct json *answer;
    int code;

    if ((w->payload && !client_check_json(c, "--payload", w->payload)) ||
        (w->timeout && !options_number(c->command, "--timeout", w->timeout, 5, 30, &timeout)) ||
        (w->connect_timeout && !options_number(c->command, "--connect-timeout", w->connect_timeout,
                                               0, 30, &connect_timeout)))
        return EXIT_USAGE;
    path_of(w, &path);
    client_path(&path, "/commands/%s", w->ids.items[1]);
    json_open(&writer, (slice){0}, '{');
    if (w->payload)
        json_put_raw(&writer, SLICE("request"), slice_str(w->payload));
    json_put_int(&writer, SLICE("responseTimeout"), timeout);
    json_put_int(&writer, SLICE("connectionTimeout"), connect_timeout);
    json_close(&writer, '}');
    code = client_rest(c, "POST", buf_slice(&path), &body, &answer);
    if (code == EXIT_DONE && answer)
        print_run(c, w, answer);
    return code;
}

int device_verb_commands(struct client *c, const struct device_words *w)
{
    static const struct column columns[] = {
        {"begun", "BEGUN", 28},       {"component", "COMPONENT", 16},
        {"name", "NAME", 24},         {"state", "STATE", 9},
        {"responseCode", "CODE", 4},  {"request", "REQUEST", 16},
        {"response", "RESPONSE", 16}, {"by", "BY", 0},
    };
    BUF_CLEANUP struct buf path = {.max = PATH_MAX_BYTES};

    client_path(&path, "devices/%s/commands", w->ids.items[0]);
    return show(c, w, &path, columns, COUNT_OF(columns));
}
