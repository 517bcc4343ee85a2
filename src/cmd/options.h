/* Options of the operator's commands: --name VALUE, --name=VALUE, --flag, and the other words, in
 * any order. A command lists the names it knows; another is an error that names it. */
#ifndef MUSTER_CMD_OPTIONS_H
#define MUSTER_CMD_OPTIONS_H

#include "cmd/command.h"

#define OPTIONS_WORDS_MAX 1024

struct option_spec {
    const char *name;   /* "--template" */
    const char **value; /* where its value goes; or NULL */
    bool *flag;         /* set for an option without a value; or NULL */
};

struct words {
    const char *items[OPTIONS_WORDS_MAX];
    size_t count;
};

/* False when a message was printed (or --help): *ret is then the exit code. */
CHECKED bool options_read(const struct command *command, int argc, char **argv,
                          const struct option_spec *specs, size_t count, struct words *words,
                          int *ret);
/* "5" within bounds; false after a message. */
CHECKED bool options_number(const struct command *command, const char *name, const char *text,
                            int64_t min, int64_t max, int64_t *ret_number);

#endif
