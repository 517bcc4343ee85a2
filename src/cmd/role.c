/* muster role: sets of permissions, to be handed out to users and API tokens. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/role_words.h"

#define BODY_MAX 16384

static int run(int argc, char **argv);

const struct command role_command = {
    .name = "role",
    .summary = "roles: list, show, add, set, delete, and the permissions there are",
    .usage = "usage: muster role list\n"
             "       muster role show ID\n"
             "       muster role add ID PERMISSION... [--name NAME]\n"
             "       muster role set ID [PERMISSION...] [--name NAME]   PERMISSIONs replace all\n"
             "       muster role delete ID\n"
             "       muster role permissions                            and what each implies\n\n"
             "Administrator, Builder and Operator are there always and stay as they are. Nobody\n"
             "hands out a permission that he lacks.\n"
             "Also: --data DIR, --json.\n",
    .run = run,
};

struct role_words {
    const char *folder, *name;
    bool json;
    struct words words; /* the verb first */
};

static void print_names(const struct json *names)
{
    for (const struct json *name = names ? names->first : NULL; name; name = name->next)
        printf(" %.*s", SLICE_FMT(name->text));
}

static void print_role(struct client *c, const struct role_words *w, const struct json *role)
{
    if (w->json) {
        client_print_json(role);
        return;
    }
    printf("%-36s  %s:", client_text(c, role, "id"), client_text(c, role, "displayName"));
    print_names(json_member(role, SLICE("permissions")));
    putchar('\n');
}

static int call(struct client *c, const struct role_words *w, const char *method,
                const struct buf *body)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *answer = NULL;
    slice id = role_word_id(w->words.items[1]);
    int code;

    client_path(&path, "roles/%s", (const char *)id.ptr);
    code = client_call(c, method, buf_slice(&path), body, &answer);
    if (code == EXIT_DONE && answer)
        print_role(c, w, answer);
    return code;
}

static int list(struct client *c, const struct role_words *w)
{
    struct json *answer = NULL;
    int code = client_call(c, "GET", SLICE("roles"), NULL, &answer);
    const struct json *rows = json_member(answer, SLICE("value"));

    for (const struct json *role = rows ? rows->first : NULL; role; role = role->next)
        print_role(c, w, role);
    return code;
}

static int permissions(struct client *c, const struct role_words *w)
{
    struct json *answer = NULL;
    int code = client_call(c, "GET", SLICE("permissions"), NULL, &answer);
    const struct json *rows = json_member(answer, SLICE("value"));

    for (const struct json *p = rows ? rows->first : NULL; p; p = p->next) {
        if (w->json) {
            client_print_json(p);
            continue;
        }
        printf("%-28s", client_text(c, p, "name"));
        print_names(json_member(p, SLICE("implies")));
        putchar('\n');
    }
    return code;
}

static int show(struct client *c, const struct role_words *w)
{
    return call(c, w, "GET", NULL);
}

static int delete (struct client *c, const struct role_words *w)
{
    return call(c, w, "DELETE", NULL);
}

/* All words behind the ID are permissions; none of them leaves a role's as they are. */
static int send(struct client *c, const struct role_words *w, const char *method)
{
    BUF_CLEANUP struct buf body = {.max = BODY_MAX};
    struct json_writer writer = {.to = &body};

    json_open(&writer, (slice){0}, '{');
    if (w->name)
        json_put_text(&writer, SLICE("displayName"), slice_str(w->name));
    if (w->words.count > 2) {
        json_open(&writer, SLICE("permissions"), '[');
        for (size_t i = 2; i < w->words.count; i++)
            json_put_text(&writer, (slice){0}, slice_str(w->words.items[i]));
        json_close(&writer, ']');
    }
    json_close(&writer, '}');
    return call(c, w, method, &body);
}

static int add(struct client *c, const struct role_words *w)
{
    c->else_verb = "set";
    return send(c, w, "PUT");
}

static int set(struct client *c, const struct role_words *w)
{
    return send(c, w, "PATCH");
}

static const struct {
    const char *name;
    int (*run)(struct client *c, const struct role_words *w);
    size_t min, max; /* words behind the verb */
    const char *takes;
} verbs[] = {
    {"list", list, 0, 0, "no further word"},
    {"show", show, 1, 1, "one role ID"},
    {"add", add, 2, OPTIONS_WORDS_MAX, "a role ID and permissions"},
    {"set", set, 1, OPTIONS_WORDS_MAX, "a role ID, and permissions or --name"},
    {"delete", delete, 1, 1, "one role ID"},
    {"permissions", permissions, 0, 0, "no further word"},
};

static int run_verb(const struct role_words *w, size_t verb)
{
    struct client client;
    int code;

    if (!client_open(&client, &role_command, w->folder, &code))
        return code;
    code = verbs[verb].run(&client, w);
    client_close(&client);
    return code;
}

static int run(int argc, char **argv)
{
    struct role_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder},
        {.name = "--name", .value = &w.name},
        {.name = "--json", .flag = &w.json},
    };
    int code;

    if (!options_read(&role_command, argc, argv, specs, COUNT_OF(specs), &w.words, &code))
        return code;
    for (size_t i = 0; i < COUNT_OF(verbs) && w.words.count > 0; i++) {
        if (strcmp(w.words.items[0], verbs[i].name) != 0)
            continue;
        if (w.words.count - 1 < verbs[i].min || w.words.count - 1 > verbs[i].max)
            return command_fail(&role_command, EXIT_USAGE, "'%s' takes %s", verbs[i].name,
                                verbs[i].takes);
        return run_verb(&w, i);
    }
    return command_fail(&role_command, EXIT_USAGE,
                        "say list, show, add, set, delete or permissions; --help tells more");
}
