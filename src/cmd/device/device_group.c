/* muster device-group: filters with a name. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"

static int run(int argc, char **argv);

const struct command device_group_command = {
    .name = "device-group",
    .summary = "device groups: list, show, add, update, delete, devices",
    .usage = "usage: muster device-group list\n"
             "       muster device-group show ID\n"
             "       muster device-group add ID --filter QUERY [--name NAME] [--description TEXT]\n"
             "       muster device-group update ID [--filter QUERY] [--name NAME]\n"
             "                                     [--description TEXT]\n"
             "       muster device-group delete ID\n"
             "       muster device-group devices ID     who belongs to it now\n\n"
             "QUERY: SELECT * FROM devices WHERE $template = \"T\" AND $provisioned = true\n"
             "Fields: $id $displayName $template $organization $provisioned $simulated $enabled.\n"
             "Also: IN [..], STARTS_WITH($id, \"x\"), CONTAINS, AND, OR, parentheses.\n"
             "A template or organization of that ID need not be there yet.\n"
             "Also: --data DIR, --json.\n",
    .run = run,
};

struct group_words {
    const char *folder, *filter, *name, *description, *id;
    bool json;
};

static int call(struct client *c, const struct group_words *w, const char *method,
                const struct buf *body, struct json **ret)
{
    BUF_CLEANUP struct buf path = {.max = 4096};

    client_path(&path, "deviceGroups/%s", w->id);
    return client_rest(c, method, buf_slice(&path), body, ret);
}

static void print_group(struct client *c, const struct json *g, void *context)
{
    const struct group_words *w = context;

    if (w->json)
        client_print_json(g);
    else
        printf("%-24s %-24s %s\n", client_text(c, g, "id"), client_text(c, g, "displayName"),
               client_text(c, g, "filter"));
}

static int list(struct client *c, struct group_words *w)
{
    if (!w->json)
        printf("%-24s %-24s %s\n", "ID", "NAME", "FILTER");
    return client_rest_list(c, SLICE("deviceGroups"), print_group, w);
}

static int show(struct client *c, struct group_words *w)
{
    struct json *g = NULL;
    int code = call(c, w, "GET", NULL, &g);

    if (code == EXIT_DONE)
        print_group(c, g, w);
    return code;
}

static void put_text(struct json_writer *writer, slice name, const char *text)
{
    if (text)
        json_put_text(writer, name, slice_str(text));
}

static int send(struct client *c, struct group_words *w, const char *method)
{
    BUF_CLEANUP struct buf body = {.max = 65536};
    struct json_writer writer = {.to = &body};
    struct json *g = NULL;
    int code;

    json_open(&writer, (slice){0}, '{');
    put_text(&writer, SLICE("displayName"), w->name);
    put_text(&writer, SLICE("filter"), w->filter);
    put_text(&writer, SLICE("description"), w->description);
    json_close(&writer, '}');
    code = call(c, w, method, &body, &g);
    if (code == EXIT_DONE)
        print_group(c, g, w);
    return code;
}

static int add(struct client *c, struct group_words *w)
{
    if (!w->filter)
        return command_fail(c->command, EXIT_USAGE, "add needs --filter QUERY");
    if (!w->name)
        w->name = w->id;
    c->else_verb = "update";
    return send(c, w, "PUT");
}

static int update(struct client *c, struct group_words *w)
{
    return send(c, w, "PATCH");
}

static int delete (struct client *c, struct group_words *w)
{
    struct json *answer;

    return call(c, w, "DELETE", NULL, &answer);
}

static void print_device(struct client *c, const struct json *d, void *context)
{
    const struct group_words *w = context;

    if (w->json)
        client_print_json(d);
    else
        printf("%-40s %s\n", client_text(c, d, "id"), client_text(c, d, "displayName"));
}

static int devices(struct client *c, struct group_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};

    client_path(&path, "deviceGroups/%s/devices", w->id);
    return client_rest_list(c, buf_slice(&path), print_device, w);
}

static const struct {
    const char *name;
    int (*run)(struct client *c, struct group_words *w);
    bool wants_id;
} verbs[] = {
    {"list", list, false},    {"show", show, true},     {"add", add, true},
    {"update", update, true}, {"delete", delete, true}, {"devices", devices, true},
};

static int run_verb(struct group_words *w, const struct words *words, size_t verb)
{
    struct client client;
    int code;

    if (words->count != (verbs[verb].wants_id ? 2u : 1u))
        return command_fail(&device_group_command, EXIT_USAGE, "'%s' takes %s", verbs[verb].name,
                            verbs[verb].wants_id ? "the ID of a group" : "no further word");
    w->id = verbs[verb].wants_id ? words->items[1] : NULL;
    if (!client_open(&client, &device_group_command, w->folder, &code))
        return code;
    code = verbs[verb].run(&client, w);
    client_close(&client);
    return code;
}

static int run(int argc, char **argv)
{
    struct group_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder}, {.name = "--filter", .value = &w.filter},
        {.name = "--name", .value = &w.name},   {.name = "--description", .value = &w.description},
        {.name = "--json", .flag = &w.json},
    };
    struct words words;
    int code;

    if (!options_read(&device_group_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    for (size_t i = 0; i < COUNT_OF(verbs) && words.count > 0; i++) {
        if (strcmp(words.items[0], verbs[i].name) == 0)
            return run_verb(&w, &words, i);
    }
    return command_fail(&device_group_command, EXIT_USAGE, "no verb '%s'; --help lists them",
                        words.count > 0 ? words.items[0] : "");
}
