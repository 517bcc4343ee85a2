/* muster enrollment: which credentials may provision. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"

static int run(int argc, char **argv);

const struct command enrollment_command = {
    .name = "enrollment",
    .summary = "enrollment groups and individual enrollments: add, list, show, delete",
    .usage =
        "usage: muster enrollment add ID [--attestation symmetricKey|x509] [--individual\n"
        "                             [--device-id D]] [--primary-key KEY --secondary-key KEY]\n"
        "       muster enrollment list [--individual]\n"
        "       muster enrollment show ID [--individual] [--keys]\n"
        "       muster enrollment enable|disable ID [--individual]\n"
        "       muster enrollment delete ID [--individual]\n\n"
        "A group unless --individual is given. Also: --data DIR, --json. Keys are made by the\n"
        "server unless given; `show --keys` prints them. An individual enrollment names its "
        "device\n"
        "and so counts as its approval; `gated` in the JSON: the operator's approval counts.\n",
    .run = run,
};

struct enrollment_words {
    const char *folder, *attestation, *device_id, *primary_key, *secondary_key;
    bool individual, keys, json;
    const char *id;
};

static void path_of(const struct enrollment_words *w, const char *behind, struct buf *path)
{
    client_path(path, w->individual ? "individualEnrollments/%s" : "enrollmentGroups/%s", w->id);
    buf_append_str(path, behind);
}

static void print_one(struct client *c, const struct enrollment_words *w, struct json *e)
{
    static const char *const members[] = {"id",       "kind",       "attestation", "enabled",
                                          "deviceId", "primaryKey", "secondaryKey"};

    if (w->json) {
        client_print_json(e);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (json_member(e, slice_str(members[i])))
            printf("%-13s %s\n", members[i], client_text(c, e, members[i]));
    }
}

static int call(struct client *c, const struct enrollment_words *w, const char *method,
                const char *behind, const struct buf *body)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *answer = NULL;
    int code;

    path_of(w, behind, &path);
    code = client_call(c, method, buf_slice(&path), body, &answer);
    if (code == EXIT_DONE && answer)
        print_one(c, w, answer);
    return code;
}

static void put_text(struct json_writer *body, slice name, const char *value)
{
    if (value)
        json_put_text(body, name, slice_str(value));
}

static int add(struct client *c, const struct enrollment_words *w)
{
    BUF_CLEANUP struct buf body = {.max = 16384};
    struct json_writer writer = {.to = &body};

    if (w->device_id && !w->individual)
        return command_fail(c->command, EXIT_USAGE, "--device-id goes with --individual");
    json_open(&writer, (slice){0}, '{');
    put_text(&writer, SLICE("attestation"), w->attestation ? w->attestation : "symmetricKey");
    put_text(&writer, SLICE("deviceId"), w->device_id);
    put_text(&writer, SLICE("primaryKey"), w->primary_key);
    put_text(&writer, SLICE("secondaryKey"), w->secondary_key);
    json_close(&writer, '}');
    return call(c, w, "PUT", "", &body);
}

static int show(struct client *c, const struct enrollment_words *w)
{
    return call(c, w, "GET", w->keys ? "?keys=true" : "", NULL);
}

static int delete (struct client *c, const struct enrollment_words *w)
{
    return call(c, w, "DELETE", "", NULL);
}

static int set_enabled(struct client *c, const struct enrollment_words *w, const char *value)
{
    BUF_CLEANUP struct buf body = {.max = 64};

    buf_printf(&body, "{\"enabled\":%s}", value);
    return call(c, w, "PATCH", "", &body);
}

static int enable(struct client *c, const struct enrollment_words *w)
{
    return set_enabled(c, w, "true");
}

static int disable(struct client *c, const struct enrollment_words *w)
{
    return set_enabled(c, w, "false");
}

static int list(struct client *c, const struct enrollment_words *w)
{
    BUF_CLEANUP struct buf path = {.max = 4096};
    struct json *answer, *rows;
    int code;

    buf_append_str(&path, w->individual ? "individualEnrollments" : "enrollmentGroups");
    buf_append_str(&path, "?top=1000");
    code = client_call(c, "GET", buf_slice(&path), NULL, &answer);
    if (code != EXIT_DONE)
        return code;
    rows = json_member(answer, SLICE("value"));
    if (w->json) {
        client_print_json(rows);
        return code;
    }
    for (struct json *e = rows ? rows->first : NULL; e; e = e->next)
        printf("%-40s %-13s %s\n", client_text(c, e, "id"), client_text(c, e, "attestation"),
               json_member(e, SLICE("enabled")) &&
                       json_member(e, SLICE("enabled"))->kind == JSON_TRUE
                   ? "enabled"
                   : "disabled");
    return code;
}

static const struct {
    const char *name;
    int (*run)(struct client *c, const struct enrollment_words *w);
    bool needs_id;
} verbs[] = {
    {"add", add, true},       {"list", list, false},      {"show", show, true},
    {"enable", enable, true}, {"disable", disable, true}, {"delete", delete, true},
};

static int run_verb(const struct enrollment_words *w, size_t verb)
{
    struct client client;
    int code;

    if (!client_open(&client, &enrollment_command, w->folder, &code))
        return code;
    code = verbs[verb].run(&client, w);
    client_close(&client);
    return code;
}

static int run(int argc, char **argv)
{
    struct enrollment_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder},
        {.name = "--attestation", .value = &w.attestation},
        {.name = "--individual", .flag = &w.individual},
        {.name = "--device-id", .value = &w.device_id},
        {.name = "--primary-key", .value = &w.primary_key},
        {.name = "--secondary-key", .value = &w.secondary_key},
        {.name = "--keys", .flag = &w.keys},
        {.name = "--json", .flag = &w.json},
    };
    struct words words;
    int code;

    if (!options_read(&enrollment_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    for (size_t i = 0; i < COUNT_OF(verbs) && words.count > 0; i++) {
        if (strcmp(words.items[0], verbs[i].name) != 0)
            continue;
        if (words.count != (verbs[i].needs_id ? 2 : 1))
            return command_fail(&enrollment_command, EXIT_USAGE, "'%s' takes %s", verbs[i].name,
                                verbs[i].needs_id ? "one enrollment ID" : "no further word");
        w.id = words.count > 1 ? words.items[1] : NULL;
        return run_verb(&w, i);
    }
    return command_fail(&enrollment_command, EXIT_USAGE,
                        "say add, list, show, enable, disable or delete; --help tells more");
}
