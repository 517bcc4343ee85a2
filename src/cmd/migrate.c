/* muster migrate: an application's organizations, templates, enrollment groups, devices and device
 * groups, read through the REST API that IoT Central and Muster have in common, written likewise.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/migrate.h"
#include "cmd/options.h"

#define TOKEN_MAX 4096

static int run(int argc, char **argv);

const struct command migrate_command = {
    .name = "migrate",
    .summary = "an IoT Central application, moved here through its REST API",
    .usage =
        "usage: muster migrate --from URL --token-file FILE [--from-ca FILE] [--dry-run]\n\n"
        "Copies organizations, device templates, enrollment groups with their keys, devices with\n"
        "their own keys or thumbprints where they have them, and device groups. URL is that of\n"
        "the application, https://NAME.azureiotcentral.com, or of another Muster; FILE holds an\n"
        "API token of its administrator. What is here already is brought up to date, so a copy\n"
        "that was cut short is simply begun again. --dry-run counts what there is.\n\n"
        "Devices then need the new server's ID scope, host name and CA; keys and certificates\n"
        "stay as they are. Not copied: telemetry, properties (desired, reported and cloud),\n"
        "jobs, users, roles and API tokens.\n"
        "Also: --data DIR, --json. Exit status: 1 when something could not be copied.\n",
    .run = run,
};

struct tally {
    int64_t copied, failed;
};

struct migration {
    struct client from, to;
    const struct migration_kind *kind;
    struct tally *tally;
    bool only_counts;
};

static void take_row(struct client *from, const struct json *row, void *context)
{
    struct migration *m = context;

    if (m->only_counts || m->kind->copy(from, &m->to, row))
        m->tally->copied++;
    else
        m->tally->failed++;
    arena_reset(&m->to.arena);
}

static void print_tallies(const struct tally *tallies, bool as_json)
{
    for (size_t i = 0; i < MIGRATION_KINDS; i++) {
        const struct tally *t = &tallies[i];

        if (as_json)
            printf("%s\"%s\":{\"copied\":%" PRId64 ",\"failed\":%" PRId64 "}%s", i ? "," : "{",
                   migration_kinds[i].path, t->copied, t->failed,
                   i + 1 < MIGRATION_KINDS ? "" : "}\n");
        else
            printf("%-18s %8" PRId64 "%s", migration_kinds[i].path, t->copied,
                   t->failed ? "" : "\n");
        if (!as_json && t->failed)
            printf("   %" PRId64 " failed\n", t->failed);
    }
}

static int migrate_kind(struct migration *m)
{
    int code = EXIT_DONE;

    for (unsigned left = m->kind->passes; left > 0 && code == EXIT_DONE; left--) {
        *m->tally = (struct tally){0};
        m->to.quiet = left > 1;
        code = client_rest_list(&m->from, slice_str(m->kind->path), take_row, m);
        arena_reset(&m->from.arena);
        if (m->tally->failed == 0)
            break;
    }
    return code;
}

static int migrate(struct migration *m, bool as_json)
{
    struct tally tallies[MIGRATION_KINDS] = {{0}};
    bool any = false, any_failed = false;
    int code = EXIT_DONE;

    for (size_t i = 0; i < MIGRATION_KINDS && code == EXIT_DONE; i++) {
        m->kind = &migration_kinds[i];
        m->tally = &tallies[i];
        code = migrate_kind(m);
    }
    for (size_t i = 0; i < MIGRATION_KINDS; i++) {
        any = any || tallies[i].copied + tallies[i].failed > 0;
        any_failed = any_failed || tallies[i].failed > 0;
    }
    if (any || code == EXIT_DONE)
        print_tallies(tallies, as_json);
    return any_failed ? EXIT_FAILED : code;
}

/* The token, without the line's end. */
static bool read_token(const char *path, char token[TOKEN_MAX + 1], size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, token, TOKEN_MAX);

    if (fd >= 0)
        close(fd);
    while (got > 0 && (token[got - 1] == '\n' || token[got - 1] == '\r'))
        got--;
    *ret_len = got > 0 ? (size_t)got : 0;
    return got > 0;
}

struct migrate_words {
    const char *folder, *url, *token_file, *ca;
    bool only_counts, as_json;
};

static int open_and_migrate(const struct migrate_words *w)
{
    struct migration m = {.only_counts = w->only_counts};
    char token[TOKEN_MAX + 1];
    size_t len;
    int code;

    if (!read_token(w->token_file, token, &len))
        return command_fail(&migrate_command, EXIT_USAGE, "cannot read a token in %s",
                            w->token_file);
    if (!client_open(&m.to, &migrate_command, w->folder, &code))
        return code;
    if (client_open_at(&m.from, &migrate_command, w->url, slice_of(token, len), w->ca, &code)) {
        code = migrate(&m, w->as_json);
        client_close(&m.from);
    }
    client_close(&m.to);
    explicit_bzero(token, sizeof token);
    return code;
}

static int run(int argc, char **argv)
{
    struct migrate_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder},
        {.name = "--from", .value = &w.url},
        {.name = "--from-ca", .value = &w.ca},
        {.name = "--token-file", .value = &w.token_file},
        {.name = "--dry-run", .flag = &w.only_counts},
        {.name = "--json", .flag = &w.as_json},
    };
    struct words words;
    int code;

    if (!options_read(&migrate_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    if (words.count > 0 || !w.url || !w.token_file)
        return command_fail(&migrate_command, EXIT_USAGE,
                            "say from where with --from URL and --token-file FILE");
    if (strncmp(w.url, "https://", 8) != 0)
        return command_fail(&migrate_command, EXIT_USAGE, "%s does not begin with https://", w.url);
    return open_and_migrate(&w);
}
