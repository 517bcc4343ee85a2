/* muster: the table of subcommands and the choice among them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"

static const struct command *const commands[] = {
    &serve_command,        &info_command,     &enrollment_command,   &ca_command,
    &device_command,       &explain_command,  &monitor_command,      &keygen_command,
    &token_command,        &template_command, &settings_command,     &cert_command,
    &user_command,         &role_command,     &audit_command,        &operation_command,
    &backup_command,       &restore_command,  &migrate_command,      &simulate_command,
    &device_group_command, &job_command,      &organization_command,
};

int command_fail(const struct command *command, int code, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "muster %s: ", command->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return code;
}

int command_help(const struct command *command)
{
    fputs(command->usage, stdout);
    return EXIT_DONE;
}

static int print_help(FILE *to)
{
    fputs("muster: devices find their application, prove who they are, and talk\n\n"
          "usage: muster COMMAND ...        muster COMMAND --help tells more\n\n",
          to);
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        fprintf(to, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fputs(
        "\nOperators' commands find the server by --data DIR (its data folder), or by MUSTER_URL,\n"
        "MUSTER_TOKEN and MUSTER_CA. Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n",
        to);
    return to == stdout ? EXIT_DONE : EXIT_USAGE;
}

static const char *program_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    fprintf(stderr, "muster: no command '%s'; 'muster help' lists them\n", name);
    return EXIT_USAGE;
}

static int help(const char *name)
{
    const struct command *command;

    if (!name)
        return print_help(stdout);
    command = find_command(name);
    return command ? command->run(2, (char *[]){(char *)name, "--help", NULL})
                   : unknown_command(name);
}

int main(int argc, char **argv)
{
    const struct command *command;
    const char *name = argc > 1 ? argv[1] : "";

    if (argc > 0 && strcmp(program_name(argv[0]), "dps-keygen") == 0)
        return keygen_command.run(argc, argv);
    if (argc < 2)
        return print_help(stderr);
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        puts("muster " MUSTER_VERSION);
        return EXIT_DONE;
    }
    command = find_command(name);
    return command ? command->run(argc - 1, argv + 1) : unknown_command(name);
}
