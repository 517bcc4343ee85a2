/* muster monitor: device-to-cloud messages as they come, one a line. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"

#define LINE_MAX_BYTES (2 * 1024 * 1024)

/* Waiting for one that is not there is allowed, and said. */
static void look_for(struct client *c, const char *device)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *ignored;

    client_path(&path, "devices/%s", device);
    c->quiet = true;
    if (client_call(c, "GET", buf_slice(&path), NULL, &ignored) != EXIT_DONE &&
        c->http_status == 404)
        fprintf(stderr, "muster monitor: there is no device '%s' yet\n",
                client_printable(c, slice_str(device)));
    c->quiet = false;
}

static int run(int argc, char **argv);

const struct command monitor_command = {
    .name = "monitor",
    .summary = "device-to-cloud messages as they come, one a line",
    .usage =
        "usage: muster monitor [--device ID] [--from-start] [--count N] [--json] [--data DIR]\n\n"
        "From now on unless --from-start is given; until interrupted unless --count is.\n",
    .run = run,
};

struct monitor {
    struct client client;
    struct buf line; /* a part of one that has not ended yet */
    bool as_json;
};

static void print_message(struct monitor *m, slice line)
{
    ARENA_CLEANUP struct arena arena = {.max = 4 * LINE_MAX_BYTES};
    struct json *message, *body;
    struct fault why;
    slice device = {0}, at = {0};

    if (m->as_json) {
        printf("%.*s\n", (int)line.len, (const char *)line.ptr);
        return;
    }
    if (json_parse(line, JSON_LAST_WINS, &arena, &message, &why) != ST_OK)
        return;
    body = json_member(message, SLICE("body"));
    if (!body)
        body = json_member(message, SLICE("bodyBase64"));
    json_get_text(message, SLICE("deviceId"), &device);
    json_get_text(message, SLICE("enqueuedTimeUtc"), &at);
    printf("%.*s %.*s %.*s\n", SLICE_FMT(at), SLICE_FMT(device), body ? (int)body->raw.len : 0,
           body ? (const char *)body->raw.ptr : "");
}

static bool on_part(void *context, slice part)
{
    struct monitor *m = context;
    size_t end;

    buf_append(&m->line, part);
    if (m->line.failed)
        return false;
    while (slice_find(buf_slice(&m->line), '\n', &end)) {
        if (end > 0)
            print_message(m, slice_first(buf_slice(&m->line), end));
        buf_consume(&m->line, end + 1);
    }
    return fflush(stdout) == 0;
}

static int run(int argc, char **argv)
{
    const char *folder = NULL, *device = NULL, *count_text = NULL;
    bool from_start = false, as_json = false;
    const struct option_spec specs[] = {
        {.name = "--data", .value = &folder},      {.name = "--device", .value = &device},
        {.name = "--count", .value = &count_text}, {.name = "--from-start", .flag = &from_start},
        {.name = "--json", .flag = &as_json},
    };
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct monitor m = {.line = {.max = LINE_MAX_BYTES}};
    struct words words;
    int64_t count = 0;
    int code;

    if (!options_read(&monitor_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    if (words.count > 0)
        return command_fail(&monitor_command, EXIT_USAGE, "no word may follow, not '%s'",
                            words.items[0]);
    if (count_text &&
        !options_number(&monitor_command, "--count", count_text, 1, INT64_MAX, &count))
        return EXIT_USAGE;
    m.as_json = as_json;
    buf_printf(&path, "messages?from=%s", from_start ? "start" : "end");
    if (count_text)
        buf_printf(&path, "&count=%s", count_text);
    if (device)
        client_path(&path, "&device=%s", device);
    if (!client_open(&m.client, &monitor_command, folder, &code))
        return code;
    if (device && !as_json)
        look_for(&m.client, device);
    code = client_stream(&m.client, buf_slice(&path), on_part, &m);
    client_close(&m.client);
    buf_deinit(&m.line);
    return code;
}
