/* muster operation: imports and acts on many devices, running and finished. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/operation_watch.h"
#include "cmd/options.h"

static int run(int argc, char **argv);

const struct command operation_command = {
    .name = "operation",
    .summary = "imports and acts on many devices: list, show, watch, cancel, errors, rejected",
    .usage = "usage: muster operation list [--count N]\n"
             "       muster operation show ID\n"
             "       muster operation watch ID        until it is finished\n"
             "       muster operation cancel ID       what is done stays done\n"
             "       muster operation errors ID       what was found, as CSV\n"
             "       muster operation rejected ID     rows of an import, to correct and import\n\n"
             "With errors and rejected: --out FILE. Finished ones are kept for 30 days.\n"
             "Also: --data DIR, --json.\n",
    .run = run,
};

#define COUNT_DEFAULT "20"

struct operation_words {
    const char *folder, *count, *id, *out;
    bool json;
};

static int call(struct client *c, const struct operation_words *w, const char *method,
                const char *behind, struct json **ret)
{
    BUF_CLEANUP struct buf path = {.max = 1024};

    client_path(&path, "operations/%s", w->id);
    buf_append_str(&path, behind);
    return client_call(c, method, buf_slice(&path), NULL, ret);
}

static int show(struct client *c, const struct operation_words *w)
{
    struct json *answer = NULL;
    int code = call(c, w, "GET", "", &answer);

    if (code == EXIT_DONE)
        operation_print(c, answer, w->json);
    return code;
}

static int cancel(struct client *c, const struct operation_words *w)
{
    struct json *answer = NULL;
    int code = call(c, w, "POST", "/cancel", &answer);

    if (code == EXIT_DONE)
        operation_print(c, answer, w->json);
    return code;
}

static int watch(struct client *c, const struct operation_words *w)
{
    struct json *answer = NULL;
    int code = call(c, w, "GET", "", &answer);

    return code == EXIT_DONE ? operation_watch(c, answer, w->json) : code;
}

static void print_row(struct client *c, const struct json *o)
{
    printf("%-16s  %-9s  %-14s  %9s of %-9s  %8s  %s\n", client_text(c, o, "id"),
           client_text(c, o, "kind"), client_text(c, o, "state"), client_text(c, o, "processed"),
           client_text(c, o, "total"), client_text(c, o, "failed"), client_text(c, o, "created"));
}

static int list(struct client *c, const struct operation_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 128};
    struct json *answer = NULL;
    const struct json *rows;
    int64_t count;
    int code;

    if (!options_number(c->command, "--count", w->count ? w->count : COUNT_DEFAULT, 1, 1000,
                        &count))
        return EXIT_USAGE;
    buf_printf(&path, "operations?top=%lld", (long long)count);
    code = client_call(c, "GET", buf_slice(&path), NULL, &answer);
    if (code != EXIT_DONE)
        return code;
    rows = json_member(answer, SLICE("value"));
    if (!w->json)
        printf("%-16s  %-9s  %-14s  %-22s  %8s  %s\n", "ID", "KIND", "STATE", "PROCESSED", "FAILED",
               "CREATED");
    for (const struct json *o = rows ? rows->first : NULL; o; o = o->next) {
        if (w->json)
            client_print_json(o);
        else
            print_row(c, o);
    }
    return EXIT_DONE;
}

static int report(struct client *c, const struct operation_words *w, const char *behind)
{
    BUF_CLEANUP struct buf path = {.max = 1024};

    client_path(&path, "operations/%s", w->id);
    buf_append_str(&path, behind);
    return client_download(c, buf_slice(&path), w->out);
}

static int errors(struct client *c, const struct operation_words *w)
{
    return report(c, w, "/errors");
}

static int rejected(struct client *c, const struct operation_words *w)
{
    return report(c, w, "/rejected");
}

static const struct {
    const char *name;
    int (*run)(struct client *c, const struct operation_words *w);
    bool wants_id;
} verbs[] = {
    {"list", list, false},    {"show", show, true},     {"watch", watch, true},
    {"cancel", cancel, true}, {"errors", errors, true}, {"rejected", rejected, true},
};

static int run_verb(struct operation_words *w, const struct words *words, size_t verb)
{
    struct client client;
    int code;

    if (words->count != (verbs[verb].wants_id ? 2u : 1u))
        return command_fail(&operation_command, EXIT_USAGE, "'%s' takes %s", verbs[verb].name,
                            verbs[verb].wants_id ? "the ID of an operation" : "no further word");
    w->id = verbs[verb].wants_id ? words->items[1] : NULL;
    if (!client_open(&client, &operation_command, w->folder, &code))
        return code;
    code = verbs[verb].run(&client, w);
    client_close(&client);
    return code;
}

static int run(int argc, char **argv)
{
    struct operation_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder},
        {.name = "--count", .value = &w.count},
        {.name = "--out", .value = &w.out},
        {.name = "--json", .flag = &w.json},
    };
    struct words words;
    int code;

    if (!options_read(&operation_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    for (size_t i = 0; i < COUNT_OF(verbs) && words.count > 0; i++) {
        if (strcmp(words.items[0], verbs[i].name) == 0)
            return run_verb(&w, &words, i);
    }
    return command_fail(&operation_command, EXIT_USAGE, "no verb '%s'; --help lists them",
                        words.count > 0 ? words.items[0] : "");
}
