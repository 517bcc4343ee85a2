/* muster user: who may use the application, and with which roles. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/role_words.h"

static int run(int argc, char **argv);

const struct command user_command = {
    .name = "user",
    .summary = "users: list, show, add, set, delete",
    .usage = "usage: muster user list\n"
             "       muster user show ID\n"
             "       muster user add ID --email ADDRESS --role ROLE [--organization ID]\n"
             "       muster user set ID [--email ADDRESS] [--role ROLE [--organization ID]]\n"
             "       muster user delete ID\n\n"
             "ROLE is administrator, builder, operator or the ID of another: `muster role list`.\n"
             "The last administrator stays one.\n"
             "Also: --data DIR, --json.\n",
    .run = run,
};

struct user_words {
    const char *folder, *id, *email, *role, *organization;
    bool json;
};

static void print_user(struct client *c, const struct json *user, void *context)
{
    const struct user_words *w = context;

    if (w->json)
        client_print_json(user);
    else
        printf("%-20s %-40s %s\n", client_text(c, user, "id"), client_text(c, user, "email"),
               role_words_of(c, json_member(user, SLICE("roles"))));
}

static int call(struct client *c, struct user_words *w, const char *method, const struct buf *body)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *answer = NULL;
    int code;

    client_path(&path, "users/%s", w->id);
    code = client_rest(c, method, buf_slice(&path), body, &answer);
    if (code == EXIT_DONE && answer)
        print_user(c, answer, w);
    return code;
}

static int send(struct client *c, struct user_words *w, const char *method)
{
    BUF_CLEANUP struct buf body = {.max = 4096};
    struct json_writer writer = {.to = &body};

    json_open(&writer, (slice){0}, '{');
    json_put_text(&writer, SLICE("type"), SLICE("email"));
    if (w->email)
        json_put_text(&writer, SLICE("email"), slice_str(w->email));
    if (w->role)
        role_words_put(&writer, w->role, w->organization);
    json_close(&writer, '}');
    return call(c, w, method, &body);
}

static int add(struct client *c, struct user_words *w)
{
    if (!w->email || !w->role)
        return command_fail(c->command, EXIT_USAGE, "add needs --email and --role");
    return send(c, w, "PUT");
}

static int set(struct client *c, struct user_words *w)
{
    if (!w->email && !w->role)
        return command_fail(c->command, EXIT_USAGE, "set needs --email or --role");
    return send(c, w, "PATCH");
}

static int list(struct client *c, struct user_words *w)
{
    return client_rest_list(c, SLICE("users"), print_user, w);
}

static int show(struct client *c, struct user_words *w)
{
    return call(c, w, "GET", NULL);
}

static int delete (struct client *c, struct user_words *w)
{
    return call(c, w, "DELETE", NULL);
}

static const struct {
    const char *name;
    int (*run)(struct client *c, struct user_words *w);
    size_t words; /* behind the verb */
} verbs[] = {
    {"list", list, 0}, {"show", show, 1}, {"add", add, 1}, {"set", set, 1}, {"delete", delete, 1},
};

static int run_verb(struct user_words *w, size_t verb)
{
    struct client client;
    int code;

    if (w->organization && !w->role)
        return command_fail(&user_command, EXIT_USAGE, "--organization goes with --role");
    if (!client_open(&client, &user_command, w->folder, &code))
        return code;
    code = verbs[verb].run(&client, w);
    client_close(&client);
    return code;
}

static int run(int argc, char **argv)
{
    struct user_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder},
        {.name = "--email", .value = &w.email},
        {.name = "--role", .value = &w.role},
        {.name = "--organization", .value = &w.organization},
        {.name = "--json", .flag = &w.json},
    };
    struct words words;
    int code;

    if (!options_read(&user_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    for (size_t i = 0; i < COUNT_OF(verbs) && words.count > 0; i++) {
        if (strcmp(words.items[0], verbs[i].name) != 0)
            continue;
        if (words.count - 1 != verbs[i].words)
            return command_fail(&user_command, EXIT_USAGE, "'%s' takes %s", verbs[i].name,
                                verbs[i].words ? "one user ID" : "no further word");
        w.id = words.count > 1 ? words.items[1] : NULL;
        return run_verb(&w, i);
    }
    return command_fail(&user_command, EXIT_USAGE,
                        "say list, show, add, set or delete; --help tells more");
}
