/* muster info: where the server of a data folder listens, and what devices need to know. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/data_folder.h"
#include "cmd/options.h"

static int run(int argc, char **argv);

const struct command info_command = {
    .name = "info",
    .summary = "ID scope, host names, ports and CA file of a server",
    .usage = "usage: muster info [--data DIR] [--json]\n\n"
             "Reads what the server of that data folder wrote when it last started.\n",
    .run = run,
};

static void print_line(slice name, const struct json *value)
{
    slice text = value->text.ptr ? value->text : value->raw;

    printf("%-18.*s %.*s\n", SLICE_FMT(name), SLICE_FMT(text));
}

static int print(const struct data_folder *data, bool as_json)
{
    BUF_CLEANUP struct buf text = {0};
    ARENA_CLEANUP struct arena arena = {.max = 1 << 20};
    struct json *root;
    struct fault why;

    if (!data_folder_read(data, "instance.json", &text, &why))
        return command_fail(&info_command, EXIT_FAILED,
                            "%s; where no server has run yet, start one with muster serve",
                            why.text);
    if (json_parse(buf_slice(&text), JSON_LAST_WINS, &arena, &root, &why) != ST_OK)
        return command_fail(&info_command, EXIT_FAILED, "instance.json is damaged: %s", why.text);
    if (as_json)
        client_print_json(root);
    for (const struct json *m = as_json ? NULL : root->first; m; m = m->next)
        print_line(m->name, m);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    const char *folder = "muster-data";
    bool as_json = false;
    const struct option_spec specs[] = {
        {.name = "--data", .value = &folder},
        {.name = "--json", .flag = &as_json},
    };
    struct data_folder data = {0};
    struct words words;
    struct fault why;
    int code;

    if (!options_read(&info_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    if (words.count > 0)
        return command_fail(&info_command, EXIT_USAGE, "no word may follow, not '%s'",
                            words.items[0]);
    if (!data_folder_find(&data, folder, &why))
        return command_fail(&info_command, EXIT_USAGE, "%s; say where with --data DIR", why.text);
    code = print(&data, as_json);
    data_folder_close(&data);
    return code;
}
