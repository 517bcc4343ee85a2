/* muster template: device templates. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"

static int run(int argc, char **argv);

const struct command template_command = {
    .name = "template",
    .summary = "device templates: list",
    .usage = "usage: muster template list [--json] [--data DIR]\n",
    .run = run,
};

static void print(struct client *c, const struct json *answer, bool as_json)
{
    struct json *rows = json_member(answer, SLICE("value"));

    if (as_json) {
        client_print_json(rows);
        return;
    }
    for (struct json *t = rows ? rows->first : NULL; t; t = t->next)
        printf("%-40s %-10s %s\n", client_text(c, t, "id"),
               json_member(t, SLICE("published")) &&
                       json_member(t, SLICE("published"))->kind == JSON_TRUE
                   ? "published"
                   : "draft",
               client_text(c, t, "displayName"));
}

static int run(int argc, char **argv)
{
    const char *folder = NULL;
    bool as_json = false;
    const struct option_spec specs[] = {
        {.name = "--data", .value = &folder},
        {.name = "--json", .flag = &as_json},
    };
    struct json *answer;
    struct client client;
    struct words words;
    int code;

    if (!options_read(&template_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    if (words.count != 1 || strcmp(words.items[0], "list") != 0)
        return command_fail(&template_command, EXIT_USAGE, "say list; --help tells more");
    if (!client_open(&client, &template_command, folder, &code))
        return code;
    code = client_call(&client, "GET", SLICE("templates"), NULL, &answer);
    if (code == EXIT_DONE)
        print(&client, answer, as_json);
    client_close(&client);
    return code;
}
