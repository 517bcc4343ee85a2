#include "cmd/operation_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/cert/cert_progress.h"

#define POLL_MIN_US 50000
#define POLL_MAX_US 500000
#define ID_MAX 64
#define FINDINGS_LOOKED_AT (64 * 1024)

static bool is_finished(const struct json *o)
{
    const struct json *at = json_member(o, SLICE("finished"));

    return at && at->kind == JSON_STRING;
}

static int64_t number(const struct json *o, const char *name)
{
    int64_t value = 0;

    return json_get_int(o, slice_str(name), &value) ? value : 0;
}

/* --- printing --------------------------------------------------------------------------------- */

static void print_counts(struct client *c, const struct json *counts)
{
    for (const struct json *n = counts ? counts->first : NULL; n; n = n->next) {
        BUF_CLEANUP struct buf name = {.max = 128};

        buf_append(&name, n->name);
        buf_append_byte(&name, 0);
        printf("  %-20s %s\n", (const char *)name.ptr,
               client_text(c, counts, (const char *)name.ptr));
    }
}

void operation_print(struct client *c, const struct json *o, bool as_json)
{
    const struct json *message = json_member(o, SLICE("message"));

    if (as_json) {
        client_print_json(o);
        return;
    }
    printf("%s %s: %s\n", client_text(c, o, "kind"), client_text(c, o, "id"),
           client_text(c, o, "state"));
    if (message && message->kind == JSON_STRING)
        printf("  %s\n", client_text(c, o, "message"));
    printf("  %-20s %s of %s\n", "processed", client_text(c, o, "processed"),
           client_text(c, o, "total"));
    printf("  %-20s %s\n", "failed", client_text(c, o, "failed"));
    print_counts(c, json_member(o, SLICE("counts")));
}

static void draw_bar(const struct json *o, int64_t started_ms)
{
    BUF_CLEANUP struct buf line = {.max = 256};
    const struct cert_progress p = {
        .done = (uint64_t)number(o, "processed"),
        .position = (uint64_t)number(o, "processed"),
        .size = (uint64_t)number(o, "total"),
        .elapsed_ms = clock_mono_ms() - started_ms,
    };

    cert_progress_write(&p, &line);
    fprintf(stderr, "\r\033[K%.*s", SLICE_FMT(buf_slice(&line)));
    fflush(stderr);
}

static void say_where(struct client *c, const struct json *o)
{
    const char *id = client_text(c, o, "id");
    bool has_errors = false, has_rejected = false;

    json_get_bool(o, SLICE("hasErrors"), &has_errors);
    json_get_bool(o, SLICE("hasRejected"), &has_rejected);
    if (has_errors)
        fprintf(stderr, "what was found: muster operation errors %s\n", id);
    if (has_rejected)
        fprintf(stderr, "rejected rows, to correct and import: muster operation rejected %s\n", id);
}

/* --- what an import did not take ----------------------------------------------------------------
 */

/* The findings begin with those of the whole file. */
static bool keep_beginning(void *context, slice part)
{
    struct buf *text = context;
    size_t room = text->max - text->len;

    buf_append(text, slice_first(part, room));
    return part.len < room;
}

/* "1,,file,W01,,"ignored keys: A, B"": what stands behind the column. */
static slice message_of(slice line)
{
    size_t at;

    if (!slice_search(line, SLICE(",file,W01,"), &at))
        return (slice){0};
    line = slice_from(line, at + strlen(",file,W01,"));
    if (slice_ends_with(line, SLICE("\r")))
        line.len--;
    if (!slice_find(line, ',', &at))
        return (slice){0};
    line = slice_from(line, at + 1);
    return line.len >= 2 && line.ptr[0] == '"' ? slice_of(line.ptr + 1, line.len - 2) : line;
}

/* Devices whose keys were passed over look imported, and will not get in: that is said in words. */
static void say_what_was_ignored(struct client *c, const struct json *o)
{
    BUF_CLEANUP struct buf path = {.max = 256}, text = {.max = FINDINGS_LOOKED_AT};
    slice id = {0}, rest;
    size_t at;

    if (number(json_member(o, SLICE("counts")), "W01") == 0 || !json_get_text(o, SLICE("id"), &id))
        return;
    buf_printf(&path, "operations/%.*s/errors", SLICE_FMT(slice_first(id, ID_MAX)));
    if (client_stream(c, buf_slice(&path), keep_beginning, &text) != EXIT_DONE)
        return;
    rest = buf_slice(&text);
    while (rest.ptr) {
        slice message = message_of(slice_split(&rest, '\n'));

        if (message.len > 0)
            fprintf(stderr, "W01: %s\n", client_printable(c, message));
        if (slice_search(message, SLICE("SASKEY"), &at) &&
            slice_search(message, SLICE("asked for"), &at))
            fprintf(stderr, "     with --individual-enrollments devices get the keys of the file; "
                            "without, those of their group\n");
    }
}

/* --- watching --------------------------------------------------------------------------------- */

static int finish(struct client *c, const struct json *o, bool as_json)
{
    slice state = {0};

    operation_print(c, o, as_json);
    fflush(stdout); /* the summary first, wherever both go */
    if (!as_json) {
        say_what_was_ignored(c, o);
        say_where(c, o);
    }
    json_get_text(o, SLICE("state"), &state);
    return slice_equal(state, SLICE("done")) ? EXIT_DONE : EXIT_FAILED;
}

int operation_watch(struct client *c, const struct json *operation, bool as_json)
{
    BUF_CLEANUP struct buf path = {.max = 256};
    bool has_bar = isatty(STDERR_FILENO) && !as_json;
    int64_t started_ms = clock_mono_ms();
    unsigned pause_us = POLL_MIN_US;
    struct json *o = NULL;
    slice id;

    if (!json_get_text(operation, SLICE("id"), &id))
        return command_fail(c->command, EXIT_FAILED, "the server named no operation");
    buf_append_str(&path, "operations/");
    buf_append(&path, slice_first(id, ID_MAX));
    for (;;) {
        int code;

        arena_reset(&c->arena);
        code = client_call(c, "GET", buf_slice(&path), NULL, &o);
        if (code != EXIT_DONE)
            return code;
        if (has_bar)
            draw_bar(o, started_ms);
        if (is_finished(o))
            break;
        usleep(pause_us);
        pause_us = pause_us * 2 < POLL_MAX_US ? pause_us * 2 : POLL_MAX_US;
    }
    if (has_bar)
        fputs("\r\033[K", stderr);
    return finish(c, o, as_json);
}
