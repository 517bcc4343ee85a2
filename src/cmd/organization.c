/* muster organization: the tree that devices, users and API tokens are divided among. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"

#define BODY_MAX 16384

static int run(int argc, char **argv);

const struct command organization_command = {
    .name = "organization",
    .summary = "organizations: list, show, add, set, delete, and move devices there",
    .usage =
        "usage: muster organization list\n"
        "       muster organization show ID\n"
        "       muster organization add ID [--name NAME] [--parent ID]\n"
        "       muster organization set ID [--name NAME] [--parent ID]\n"
        "       muster organization delete ID\n"
        "       muster organization move DEVICE ID    '' for the application itself\n\n"
        "Who acts within an organization sees its devices and those of all below it. One that\n"
        "has devices, users, API tokens or organizations below it is not deleted.\n"
        "Also: --data DIR, --json.\n",
    .run = run,
};

struct organization_words {
    const char *folder, *name, *parent;
    bool json;
    struct words words; /* the verb first */
};

static void print_row(struct client *c, const struct organization_words *w, const struct json *row)
{
    if (w->json)
        client_print_json(row);
    else
        printf("%-32s  %-32s  %s\n", client_text(c, row, "id"), client_text(c, row, "displayName"),
               client_text(c, row, "parent"));
}

static void on_row(struct client *c, const struct json *row, void *context)
{
    print_row(c, context, row);
}

static int list(struct client *c, struct organization_words *w)
{
    return client_rest_list(c, SLICE("organizations"), on_row, w);
}

static int call(struct client *c, const struct organization_words *w, const char *method,
                const struct buf *body)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *answer = NULL;
    int code;

    client_path(&path, "organizations/%s", w->words.items[1]);
    code = client_rest(c, method, buf_slice(&path), body, &answer);
    if (code == EXIT_DONE && answer)
        print_row(c, w, answer);
    return code;
}

static int show(struct client *c, struct organization_words *w)
{
    return call(c, w, "GET", NULL);
}

static int delete (struct client *c, struct organization_words *w)
{
    return call(c, w, "DELETE", NULL);
}

static int send(struct client *c, const struct organization_words *w, const char *method)
{
    BUF_CLEANUP struct buf body = {.max = BODY_MAX};
    struct json_writer writer = {.to = &body};

    json_open(&writer, (slice){0}, '{');
    if (w->name)
        json_put_text(&writer, SLICE("displayName"), slice_str(w->name));
    if (w->parent && w->parent[0])
        json_put_text(&writer, SLICE("parent"), slice_str(w->parent));
    else if (w->parent)
        json_put_null(&writer, SLICE("parent"));
    json_close(&writer, '}');
    return call(c, w, method, &body);
}

static int add(struct client *c, struct organization_words *w)
{
    c->else_verb = "set";
    return send(c, w, "PUT");
}

static int set(struct client *c, struct organization_words *w)
{
    return send(c, w, "PATCH");
}

static int move(struct client *c, struct organization_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096}, body = {.max = BODY_MAX};
    struct json_writer writer = {.to = &body};
    const char *to = w->words.items[2];
    struct json *answer = NULL;
    int code;

    json_open(&writer, (slice){0}, '{');
    json_open(&writer, SLICE("organizations"), '[');
    if (to[0])
        json_put_text(&writer, (slice){0}, slice_str(to));
    json_close(&writer, ']');
    json_close(&writer, '}');
    client_path(&path, "devices/%s", w->words.items[1]);
    code = client_rest(c, "PATCH", buf_slice(&path), &body, &answer);
    if (code == EXIT_DONE && w->json && answer)
        client_print_json(answer);
    return code;
}

static const struct {
    const char *name;
    int (*run)(struct client *c, struct organization_words *w);
    size_t words; /* behind the verb */
    const char *takes;
} verbs[] = {
    {"list", list, 0, "no further word"},
    {"show", show, 1, "one organization ID"},
    {"add", add, 1, "one organization ID"},
    {"set", set, 1, "one organization ID, and --name or --parent"},
    {"delete", delete, 1, "one organization ID"},
    {"move", move, 2, "a device ID and an organization ID"},
};

static int run_verb(struct organization_words *w, size_t verb)
{
    struct client client;
    int code;

    if (!client_open(&client, &organization_command, w->folder, &code))
        return code;
    code = verbs[verb].run(&client, w);
    client_close(&client);
    return code;
}

static int run(int argc, char **argv)
{
    struct organization_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder},
        {.name = "--name", .value = &w.name},
        {.name = "--parent", .value = &w.parent},
        {.name = "--json", .flag = &w.json},
    };
    int code;

    if (!options_read(&organization_command, argc, argv, specs, COUNT_OF(specs), &w.words, &code))
        return code;
    for (size_t i = 0; i < COUNT_OF(verbs) && w.words.count > 0; i++) {
        if (strcmp(w.words.items[0], verbs[i].name) != 0)
            continue;
        if (w.words.count - 1 != verbs[i].words)
            return command_fail(&organization_command, EXIT_USAGE, "'%s' takes %s", verbs[i].name,
                                verbs[i].takes);
        return run_verb(&w, i);
    }
    return command_fail(&organization_command, EXIT_USAGE,
                        "say list, show, add, set, delete or move; --help tells more");
}
