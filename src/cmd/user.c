/* muster user: who may use the application, and with which roles. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/role_words.h"
#include "cmd/user_words.h"
#include "crypto/crypto.h"

static int run(int argc, char **argv);

const struct command user_command = {
    .name = "user",
    .summary = "users: list, show, add, set, delete, invite",
    .usage = "usage: muster user list\n"
             "       muster user show USER\n"
             "       muster user add ADDRESS --role ROLE [--organization ID]\n"
             "       muster user add ID --email ADDRESS --role ROLE [--organization ID]\n"
             "       muster user set USER [--email ADDRESS] [--role ROLE [--organization ID]]\n"
             "       muster user delete USER\n"
             "       muster user invite ADDRESS [--role ROLE [--organization ID]]\n\n"
             "USER is the e-mail address or the ID. Without an ID `add` makes one.\n"
             "ROLE is administrator, builder, operator or the ID of another: `muster role list`.\n"
             "The last administrator stays one.\n"
             "invite prints a link by which the user sets a password, once, within an hour; with\n"
             "--role it makes the user, who must not be there yet.\n"
             "Also: --data DIR, --json.\n",
    .run = run,
};

struct user_words {
    const char *folder, *id, *email, *role, *organization;
    bool json;
    struct user_name name; /* of a user who was named by his address */
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

static int ask(struct client *c, const struct user_words *w, const char *method,
               const struct buf *body, struct json **ret)
{
    BUF_CLEANUP struct buf path = {.max = 4096};

    client_path(&path, "users/%s", w->id);
    return client_rest(c, method, buf_slice(&path), body, ret);
}

static int call(struct client *c, struct user_words *w, const char *method, const struct buf *body)
{
    struct json *answer = NULL;
    int code = ask(c, w, method, body, &answer);

    if (code == EXIT_DONE && answer)
        print_user(c, answer, w);
    return code;
}

static void write_user(const struct user_words *w, struct buf *to)
{
    struct json_writer writer = {.to = to};

    json_open(&writer, (slice){0}, '{');
    json_put_text(&writer, SLICE("type"), SLICE("email"));
    if (w->email)
        json_put_text(&writer, SLICE("email"), slice_str(w->email));
    if (w->role)
        role_words_put(&writer, w->role, w->organization);
    json_close(&writer, '}');
}

static int send(struct client *c, struct user_words *w, const char *method)
{
    BUF_CLEANUP struct buf body = {.max = 4096};

    write_user(w, &body);
    return call(c, w, method, &body);
}

/* Users have IDs of their own in the API; here nobody needs to think of one. */
static void make_id(struct user_words *w)
{
    random_uuid(w->name.id);
    w->name.id[UUID_LEN] = '\0';
    w->id = w->name.id;
}

static int add(struct client *c, struct user_words *w)
{
    if (user_word_is_email(w->id)) {
        if (!w->email)
            w->email = w->id;
        make_id(w);
    }
    if (!w->email || !w->role)
        return command_fail(c->command, EXIT_USAGE, "add needs --email and --role");
    c->else_verb = "set";
    return send(c, w, "PUT");
}

/* Whose address is given is named by his ID from here on. */
static int resolve(struct client *c, struct user_words *w)
{
    int code = user_word_resolve(c, w->id, &w->name);

    w->id = w->name.id;
    return code;
}

static int set(struct client *c, struct user_words *w)
{
    int code;

    if (!w->email && !w->role)
        return command_fail(c->command, EXIT_USAGE, "set needs --email or --role");
    code = resolve(c, w);
    return code == EXIT_DONE ? send(c, w, "PATCH") : code;
}

static int list(struct client *c, struct user_words *w)
{
    return client_rest_list(c, SLICE("users"), print_user, w);
}

static int show(struct client *c, struct user_words *w)
{
    int code = resolve(c, w);

    return code == EXIT_DONE ? call(c, w, "GET", NULL) : code;
}

static int delete (struct client *c, struct user_words *w)
{
    int code = resolve(c, w);

    return code == EXIT_DONE ? call(c, w, "DELETE", NULL) : code;
}

/* --- invite ----------------------------------------------------------------------------------- */

static int add_invited(struct client *c, struct user_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 4096};
    struct json *answer = NULL;

    if (!w->role)
        return command_fail(c->command, EXIT_FAILED,
                            "no user has the e-mail address %s; with --role one is made",
                            client_printable(c, slice_str(w->email)));
    make_id(w);
    write_user(w, &body);
    return ask(c, w, "PUT", &body, &answer);
}

static int print_link(struct client *c, const struct user_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *answer = NULL;
    int code;

    client_path(&path, "users/%s/invitation", w->id);
    code = client_call(c, "POST", buf_slice(&path), NULL, &answer);
    if (code != EXIT_DONE)
        return code;
    if (w->json)
        client_print_json(answer);
    else
        printf("%s\n", client_text(c, answer, "link"));
    return EXIT_DONE;
}

static int invite(struct client *c, struct user_words *w)
{
    int code = user_word_find(c, w->id, &w->name);

    w->email = w->id;
    w->id = w->name.id;
    if (code == EXIT_DONE && w->name.id[0] && w->role)
        return command_fail(c->command, EXIT_FAILED,
                            "%s is there already, as %s: invite without --role, and change roles "
                            "with muster user set",
                            client_printable(c, slice_str(w->email)), w->name.id);
    if (code == EXIT_DONE && !w->name.id[0])
        code = add_invited(c, w);
    return code == EXIT_DONE ? print_link(c, w) : code;
}

static const struct {
    const char *name;
    int (*run)(struct client *c, struct user_words *w);
    size_t words; /* behind the verb */
} verbs[] = {
    {"list", list, 0}, {"show", show, 1},     {"add", add, 1},
    {"set", set, 1},   {"delete", delete, 1}, {"invite", invite, 1},
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
                                verbs[i].words ? "one user" : "no further word");
        w.id = words.count > 1 ? words.items[1] : NULL;
        return run_verb(&w, i);
    }
    return command_fail(&user_command, EXIT_USAGE,
                        "say list, show, add, set, delete or invite; --help tells more");
}
