/* The subcommands of `muster`: one file each, all in one table (main.c). */
#ifndef MUSTER_CMD_COMMAND_H
#define MUSTER_CMD_COMMAND_H

#include "base/slice.h"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* the server said no, or could not be reached */
    EXIT_USAGE = 2,  /* the words of the command are wrong */
};

struct command {
    const char *name;
    const char *summary;               /* one line of `muster help` */
    const char *usage;                 /* all of `muster NAME --help` */
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand */
};

extern const struct command serve_command, info_command, enrollment_command, keygen_command,
    token_command, device_command, monitor_command, settings_command, template_command, ca_command,
    explain_command, cert_command, user_command, role_command, audit_command, operation_command,
    backup_command, restore_command, migrate_command, simulate_command, device_group_command,
    job_command, organization_command;

/* Prints "muster NAME: sentence" on standard error; gives `code`, so that failing is one line. */
int command_fail(const struct command *command, int code, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* --help: the usage on standard output, exit 0. */
int command_help(const struct command *command);

#endif
