#include "cmd/options.h"

#include <inttypes.h>

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Whether `word` is `name` or `name=value`. */
static bool names(const char *word, const char *name, const char **ret_value)
{
    size_t len = strlen(name);

    if (strncmp(word, name, len) != 0 || (word[len] != '\0' && word[len] != '='))
        return false;
    *ret_value = word[len] == '=' ? word + len + 1 : NULL;
    return true;
}

static bool fail(const struct command *command, int *ret, const char *text, const char *word)
{
    *ret = command_fail(command, EXIT_USAGE, "%s '%s'; muster %s --help tells more", text, word,
                        command->name);
    return false;
}

static bool take(const struct command *command, int argc, char **argv, int *at,
                 const struct option_spec *specs, size_t count, int *ret)
{
    const char *word = argv[*at], *value;

    for (size_t i = 0; i < count; i++) {
        if (!names(word, specs[i].name, &value))
            continue;
        if (specs[i].flag) {
            *specs[i].flag = true;
            return !value || fail(command, ret, "no value goes with", specs[i].name);
        }
        if (!value && *at + 1 < argc)
            value = argv[++*at];
        if (!value)
            return fail(command, ret, "a value must follow", specs[i].name);
        *specs[i].value = value;
        return true;
    }
    return fail(command, ret, "no option", word);
}

bool options_read(const struct command *command, int argc, char **argv,
                  const struct option_spec *specs, size_t count, struct words *words, int *ret)
{
    words->count = 0;
    for (int i = 1; i < argc; i++) {
        if (is_help(argv[i])) {
            *ret = command_help(command);
            return false;
        }
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!take(command, argc, argv, &i, specs, count, ret))
                return false;
        } else if (words->count == OPTIONS_WORDS_MAX) {
            return fail(command, ret, "too many words, at", argv[i]);
        } else {
            words->items[words->count++] = argv[i];
        }
    }
    return true;
}

bool options_number(const struct command *command, const char *name, const char *text, int64_t min,
                    int64_t max, int64_t *ret_number)
{
    if (slice_to_i64(slice_str(text), ret_number) && *ret_number >= min && *ret_number <= max)
        return true;
    command_fail(command, EXIT_USAGE, "%s must be a whole number from %" PRId64 " to %" PRId64,
                 name, min, max);
    return false;
}
