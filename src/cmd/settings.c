/* muster settings: what steers the life cycle of devices. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"

static int run(int argc, char **argv);

const struct command settings_command = {
    .name = "settings",
    .summary = "what steers the life cycle: auto-approve, templates required, ...",
    .usage =
        "usage: muster settings [list] [--json] [--data DIR]\n"
        "       muster settings set NAME VALUE\n\n"
        "  autoApprove       true | false    devices with a good key need no approval\n"
        "  requireTemplate   never | deviceOrigin | always    who must be associated first;\n"
        "                    deviceOrigin: those that appeared by themselves\n"
        "  autoAssociate     true | false    by the model ID that a device announces\n"
        "  deviceIdCase      lower | any     of the IDs that operators write\n"
        "  lifecycleProfile  seed | later    other defaults; 'later' shows unapproved devices as\n"
        "                    waiting, not as registered\n\n"
        "A change holds for the very next registration. To let every device with a good key in\n"
        "at once: autoApprove true and requireTemplate never.\n",
    .run = run,
};

static int print(const struct json *settings, bool as_json)
{
    if (as_json) {
        client_print_json(settings);
        return EXIT_DONE;
    }
    for (const struct json *m = settings ? settings->first : NULL; m; m = m->next) {
        slice value = m->kind == JSON_STRING ? m->text : m->raw;

        printf("%-18.*s %.*s\n", SLICE_FMT(m->name), SLICE_FMT(value));
    }
    return EXIT_DONE;
}

static int set(struct client *c, const char *name, const char *value, struct json **ret)
{
    BUF_CLEANUP struct buf path = {.max = 1024}, body = {.max = 1024};
    struct json_writer w = {.to = &body};

    client_path(&path, "settings/%s", name);
    json_open(&w, (slice){0}, '{');
    json_put_text(&w, SLICE("value"), slice_str(value));
    json_close(&w, '}');
    return client_call(c, "PUT", buf_slice(&path), &body, ret);
}

static int run(int argc, char **argv)
{
    const char *folder = NULL;
    bool as_json = false;
    const struct option_spec specs[] = {
        {.name = "--data", .value = &folder},
        {.name = "--json", .flag = &as_json},
    };
    struct json *answer = NULL;
    struct client client;
    struct words words;
    bool setting;
    int code;

    if (!options_read(&settings_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    setting = words.count == 3 && strcmp(words.items[0], "set") == 0;
    if (!setting && words.count > 0 && (words.count > 1 || strcmp(words.items[0], "list") != 0))
        return command_fail(&settings_command, EXIT_USAGE, "say list, or set NAME VALUE");
    if (!client_open(&client, &settings_command, folder, &code))
        return code;
    code = setting ? set(&client, words.items[1], words.items[2], &answer)
                   : client_call(&client, "GET", SLICE("settings"), NULL, &answer);
    if (code == EXIT_DONE)
        code = print(answer, as_json);
    client_close(&client);
    return code;
}
