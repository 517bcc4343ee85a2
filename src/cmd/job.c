/* muster job: the same change or command for every device of a group. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/cert/cert_progress.h"
#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"

#define POLL_US 200000

static int run(int argc, char **argv);

const struct command job_command = {
    .name = "job",
    .summary = "the same for every device of a group: run, list, show, devices, stop, resume",
    .usage =
        "usage: muster job run ID --group G --target TEMPLATE --property PATH=VALUE\n"
        "       muster job run ID --group G --target TEMPLATE --cloud-property PATH=VALUE\n"
        "       muster job run ID --group G --target TEMPLATE --command PATH [--payload JSON]\n"
        "       muster job run ID --group G --migrate TEMPLATE\n"
        "       muster job list\n"
        "       muster job show ID\n"
        "       muster job devices ID [--failed]    what became of each\n"
        "       muster job stop ID | resume ID\n"
        "       muster job rerun ID NEW_ID          for the devices that failed in it\n\n"
        "G is a group of `muster device-group`. PATH is a name, or component.name; VALUE is\n"
        "JSON, or else a text. `run` waits for the end, unless --no-wait is given.\n"
        "With run: --batch N or N%, --threshold N or N% (more failures cancel the job),\n"
        "--per-batch (the threshold is a batch's), --name NAME. Also: --data DIR, --json.\n",
    .run = run,
};

struct job_words {
    const char *folder, *group, *target, *property, *cloud_property, *command, *payload, *migrate;
    const char *batch, *threshold, *name, *id, *other_id;
    bool json, no_wait, per_batch, failed;
};

static int call(struct client *c, const char *method, const char *format, const char *id,
                const struct buf *body, struct json **ret)
{
    BUF_CLEANUP struct buf path = {.max = 4096};

    client_path(&path, format, id);
    return client_rest(c, method, buf_slice(&path), body, ret);
}

/* --- printing --------------------------------------------------------------------------------- */

static int64_t number(const struct json *job, const char *name)
{
    int64_t value = 0;

    return json_get_int(json_member(job, SLICE("progress")), slice_str(name), &value) ? value : 0;
}

static bool is_status(const struct json *job, const char *status)
{
    slice text;

    return json_get_text(job, SLICE("status"), &text) && slice_equal(text, slice_str(status));
}

/* Whom the group has is listed while the job runs already. */
static const char *so_far(const struct json *job)
{
    return is_status(job, "pending") || is_status(job, "running") ? " so far" : "";
}

static void print_job(struct client *c, const struct json *job, void *context)
{
    const struct job_words *w = context;

    if (w->json)
        client_print_json(job);
    else
        printf("%s: %s, %" PRId64 " completed, %" PRId64 " failed of %" PRId64 "%s\n",
               client_text(c, job, "id"), client_text(c, job, "status"), number(job, "completed"),
               number(job, "failed"), number(job, "total"), so_far(job));
}

static const char *text_of_data(struct client *c, const struct json *item)
{
    const char *path = client_text(c, item, "path");

    return strcmp(path, "-") == 0 ? client_text(c, item, "template") : path;
}

static void print_limit(struct client *c, const struct json *job, const char *name,
                        const char *title)
{
    const struct json *limit = json_member(job, slice_str(name));
    slice type = {0};

    if (!limit || limit->kind != JSON_OBJECT)
        return;
    (void)json_get_text(limit, SLICE("type"), &type);
    printf("  %-10s %s%s\n", title, client_text(c, limit, "value"),
           slice_equal(type, SLICE("percentage")) ? "%" : "");
}

static void print_details(struct client *c, const struct json *job)
{
    static const char *const facts[] = {"displayName", "group", "start", "end"};
    const struct json *data = json_member(job, SLICE("data"));

    for (size_t i = 0; i < COUNT_OF(facts); i++)
        printf("  %-10s %s\n", i == 0 ? "name" : facts[i], client_text(c, job, facts[i]));
    print_limit(c, job, "batch", "batch");
    print_limit(c, job, "cancellationThreshold", "threshold");
    for (const struct json *d = data ? data->first : NULL; d; d = d->next) {
        bool has_value = json_member(d, SLICE("value")) != NULL;

        printf("  %-10s %s%s%s\n", client_text(c, d, "type"), text_of_data(c, d),
               has_value ? " = " : "", has_value ? client_text(c, d, "value") : "");
    }
}

static void draw_bar(const struct json *job, int64_t started_ms)
{
    BUF_CLEANUP struct buf line = {.max = 256};
    uint64_t done = (uint64_t)(number(job, "completed") + number(job, "failed"));
    const struct cert_progress p = {
        .done = done,
        .position = done,
        .size = (uint64_t)number(job, "total"),
        .elapsed_ms = clock_mono_ms() - started_ms,
    };

    cert_progress_write(&p, &line);
    fprintf(stderr, "\r\033[K%.*s", SLICE_FMT(buf_slice(&line)));
    fflush(stderr);
}

/* Until it is neither pending nor running. */
static int watch(struct client *c, struct job_words *w, const char *id)
{
    bool has_bar = isatty(STDERR_FILENO) && !w->json;
    int64_t started_ms = clock_mono_ms();
    struct json *job = NULL;

    for (;;) {
        int code;

        arena_reset(&c->arena);
        code = call(c, "GET", "jobs/%s", id, NULL, &job);
        if (code != EXIT_DONE)
            return code;
        if (!is_status(job, "pending") && !is_status(job, "running"))
            break;
        if (has_bar)
            draw_bar(job, started_ms);
        usleep(POLL_US);
    }
    if (has_bar)
        fputs("\r\033[K", stderr);
    print_job(c, job, w);
    if (number(job, "failed") > 0 && !w->json)
        fprintf(stderr, "why: muster job devices %s --failed\n", id);
    return is_status(job, "complete") && number(job, "failed") == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* --- run -------------------------------------------------------------------------------------- */

static const char *objection(const struct job_words *w)
{
    int kinds = !!w->property + !!w->cloud_property + !!w->command + !!w->migrate;

    if (!w->group)
        return "run needs --group G";
    if (kinds != 1)
        return "run needs one of --property, --cloud-property, --command, --migrate";
    if (!w->migrate && !w->target)
        return "run needs --target TEMPLATE: the one that the devices have";
    if (w->payload && !w->command)
        return "--payload goes with --command";
    if (w->per_batch && !w->threshold)
        return "--per-batch goes with --threshold";
    return NULL;
}

/* JSON as it is; anything else is a text. */
static void put_value(struct client *c, struct json_writer *writer, slice value)
{
    struct json *parsed;
    struct fault why;

    if (json_parse(value, JSON_LAST_WINS, &c->arena, &parsed, &why) == ST_OK)
        json_put_raw(writer, SLICE("value"), value);
    else
        json_put_text(writer, SLICE("value"), value);
}

static bool put_property(struct client *c, struct json_writer *writer, const char *type,
                         const char *text)
{
    slice path = slice_str(text);
    size_t at;

    if (!slice_find(path, '=', &at) || at == 0)
        return false;
    json_put_text(writer, SLICE("type"), slice_str(type));
    json_put_text(writer, SLICE("path"), slice_first(path, at));
    put_value(c, writer, slice_of(text + at + 1, path.len - at - 1));
    return true;
}

static bool put_item(struct client *c, const struct job_words *w, struct json_writer *writer)
{
    bool understood = true;

    json_open(writer, (slice){0}, '{');
    if (w->target)
        json_put_text(writer, SLICE("target"), slice_str(w->target));
    if (w->migrate) {
        json_put_text(writer, SLICE("type"), SLICE("deviceTemplateMigration"));
        json_put_text(writer, SLICE("template"), slice_str(w->migrate));
    } else if (w->command) {
        json_put_text(writer, SLICE("type"), SLICE("command"));
        json_put_text(writer, SLICE("path"), slice_str(w->command));
        if (w->payload)
            put_value(c, writer, slice_str(w->payload));
    } else {
        understood = put_property(c, writer, w->property ? "property" : "cloudProperty",
                                  w->property ? w->property : w->cloud_property);
    }
    json_close(writer, '}');
    return understood;
}

/* "20" or "20%". */
static bool put_limit(struct json_writer *writer, slice name, const char *text, bool per_batch)
{
    slice value = slice_str(text);
    bool is_percentage = slice_ends_with(value, SLICE("%"));
    int64_t number_of;

    if (!slice_to_i64(slice_first(value, value.len - is_percentage), &number_of))
        return false;
    json_open(writer, name, '{');
    json_put_text(writer, SLICE("type"), is_percentage ? SLICE("percentage") : SLICE("number"));
    json_put_int(writer, SLICE("value"), number_of);
    if (per_batch)
        json_put_bool(writer, SLICE("batch"), true);
    json_close(writer, '}');
    return true;
}

static const char *write_body(struct client *c, const struct job_words *w, struct buf *to)
{
    struct json_writer writer = {.to = to};
    bool understood;

    json_open(&writer, (slice){0}, '{');
    json_put_text(&writer, SLICE("displayName"), slice_str(w->name ? w->name : w->id));
    json_put_text(&writer, SLICE("group"), slice_str(w->group));
    json_open(&writer, SLICE("data"), '[');
    understood = put_item(c, w, &writer);
    json_close(&writer, ']');
    if (!understood)
        return "a property is given as PATH=VALUE";
    if (w->batch && !put_limit(&writer, SLICE("batch"), w->batch, false))
        return "--batch is a number, or a percentage as 20%";
    if (w->threshold &&
        !put_limit(&writer, SLICE("cancellationThreshold"), w->threshold, w->per_batch))
        return "--threshold is a number, or a percentage as 20%";
    json_close(&writer, '}');
    return NULL;
}

static int run_job(struct client *c, struct job_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 256 * 1024};
    const char *wrong = objection(w);
    struct json *job = NULL;
    int code;

    if (!wrong)
        wrong = write_body(c, w, &body);
    if (wrong)
        return command_fail(c->command, EXIT_USAGE, "%s", wrong);
    code = call(c, "PUT", "jobs/%s", w->id, &body, &job);
    if (code != EXIT_DONE)
        return code;
    if (!w->no_wait)
        return watch(c, w, w->id);
    print_job(c, job, w);
    return EXIT_DONE;
}

/* --- the others ------------------------------------------------------------------------------- */

static int list(struct client *c, struct job_words *w)
{
    return client_rest_list(c, SLICE("jobs"), print_job, w);
}

static int show(struct client *c, struct job_words *w)
{
    struct json *job = NULL;
    int code = call(c, "GET", "jobs/%s", w->id, NULL, &job);

    if (code == EXIT_DONE)
        print_job(c, job, w);
    if (code == EXIT_DONE && !w->json)
        print_details(c, job);
    return code;
}

static void print_device(struct client *c, const struct job_words *w, const struct json *d)
{
    slice status = {0};

    (void)json_get_text(d, SLICE("status"), &status);
    if (w->failed && !slice_equal(status, SLICE("failed")))
        return;
    if (w->json)
        client_print_json(d);
    else
        printf("%-40s %-10s %s\n", client_text(c, d, "id"), client_text(c, d, "status"),
               client_text(c, d, "message"));
}

/* Of our own API, which says why. */
static int devices(struct client *c, struct job_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096}, after = {.max = 64};
    struct json *page = NULL;
    slice next;

    do {
        const struct json *rows;
        int code;

        buf_clear(&path);
        client_path(&path, "jobs/%s/devices?top=500", w->id);
        if (after.len > 0)
            buf_printf(&path, "&after=%.*s", SLICE_FMT(buf_slice(&after)));
        arena_reset(&c->arena);
        code = client_call(c, "GET", buf_slice(&path), NULL, &page);
        if (code != EXIT_DONE)
            return code;
        rows = json_member(page, SLICE("value"));
        for (const struct json *d = rows ? rows->first : NULL; d; d = d->next)
            print_device(c, w, d);
        next = (slice){0};
        (void)json_get_text(page, SLICE("next"), &next);
        buf_clear(&after);
        buf_append(&after, next);
    } while (next.len > 0);
    return EXIT_DONE;
}

static int stop(struct client *c, struct job_words *w)
{
    struct json *answer;
    int code = call(c, "POST", "jobs/%s/stop", w->id, NULL, &answer);

    if (code == EXIT_DONE && !w->no_wait)
        (void)watch(c, w, w->id);
    return code;
}

static int resume(struct client *c, struct job_words *w)
{
    struct json *answer;
    int code = call(c, "POST", "jobs/%s/resume", w->id, NULL, &answer);

    return code == EXIT_DONE && !w->no_wait ? watch(c, w, w->id) : code;
}

static int rerun(struct client *c, struct job_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *job;
    int code;

    client_path(&path, "jobs/%s", w->id);
    client_path(&path, "/rerun/%s", w->other_id);
    code = client_rest(c, "PUT", buf_slice(&path), NULL, &job);
    return code == EXIT_DONE && !w->no_wait ? watch(c, w, w->other_id) : code;
}

static const struct {
    const char *name;
    int (*run)(struct client *c, struct job_words *w);
    size_t words; /* with the verb */
    const char *takes;
} verbs[] = {
    {"run", run_job, 2, "the ID that the job is to have"},
    {"list", list, 1, "no further word"},
    {"show", show, 2, "the ID of a job"},
    {"devices", devices, 2, "the ID of a job"},
    {"stop", stop, 2, "the ID of a job"},
    {"resume", resume, 2, "the ID of a job"},
    {"rerun", rerun, 3, "the ID of a job, and one for the new job"},
};

static int run_verb(struct job_words *w, const struct words *words, size_t verb)
{
    struct client client;
    int code;

    if (words->count != verbs[verb].words)
        return command_fail(&job_command, EXIT_USAGE, "'%s' takes %s", verbs[verb].name,
                            verbs[verb].takes);
    w->id = words->count > 1 ? words->items[1] : NULL;
    w->other_id = words->count > 2 ? words->items[2] : NULL;
    if (!client_open(&client, &job_command, w->folder, &code))
        return code;
    code = verbs[verb].run(&client, w);
    client_close(&client);
    return code;
}

static int run(int argc, char **argv)
{
    struct job_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder},
        {.name = "--group", .value = &w.group},
        {.name = "--target", .value = &w.target},
        {.name = "--property", .value = &w.property},
        {.name = "--cloud-property", .value = &w.cloud_property},
        {.name = "--command", .value = &w.command},
        {.name = "--payload", .value = &w.payload},
        {.name = "--migrate", .value = &w.migrate},
        {.name = "--batch", .value = &w.batch},
        {.name = "--threshold", .value = &w.threshold},
        {.name = "--name", .value = &w.name},
        {.name = "--per-batch", .flag = &w.per_batch},
        {.name = "--no-wait", .flag = &w.no_wait},
        {.name = "--failed", .flag = &w.failed},
        {.name = "--json", .flag = &w.json},
    };
    struct words words;
    int code;

    if (!options_read(&job_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    for (size_t i = 0; i < COUNT_OF(verbs) && words.count > 0; i++) {
        if (strcmp(words.items[0], verbs[i].name) == 0)
            return run_verb(&w, &words, i);
    }
    return command_fail(&job_command, EXIT_USAGE, "no verb '%s'; --help lists them",
                        words.count > 0 ? words.items[0] : "");
}
