/* muster audit: who did what; and whether the log is whole. */
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/user_words.h"
#include "crypto/crypto.h"

#define COUNT_DEFAULT "50"
#define COUNT_MAX 1000000
#define PAGE 1000
#define HASH_LEN 64

static int run(int argc, char **argv);

const struct command audit_command = {
    .name = "audit",
    .summary = "who did what, newest first; whether the log is whole",
    .usage = "usage: muster audit [--actor WHO] [--action WORD] [--target ID] [--from TIME]\n"
             "                    [--to TIME] [--count N]\n"
             "       muster audit verify\n\n"
             "WHO is as the entries say (user:ID, a token's ID, cli), or a user's e-mail address.\n"
             "WORD is a kind of thing or an act: devices, devices.block. TIME is like\n"
             "2026-01-31T08:15:30Z. 50 entries unless told. Each entry holds the hash of the one\n"
             "before: `verify` follows them all and says where the chain breaks, if it does; it\n"
             "prints the newest hash, against which a later log can be checked.\n"
             "Also: --data DIR, --json. Exit status of verify: 0 whole, 1 broken.\n",
    .run = run,
};

struct audit_words {
    const char *folder, *actor, *action, *target, *from, *to, *count;
    bool json;
};

struct audit_walk {
    struct client *client;
    struct audit_words *words;
    int64_t left; /* entries to show */
    bool has_shown;
    /* Of verify: */
    int64_t seen, number; /* how many, and the last of them */
    char newest[HASH_LEN],
        expected[HASH_LEN]; /* hashes: of the first, and of the next, older one */
    bool is_last;           /* it stands on nothing that is kept */
    int64_t broken_at;      /* the first that does not fit, 0: none */
};

/* --- pages ----------------------------------------------------------------------------------- */

static void write_path(const struct audit_words *w, slice after, struct buf *path)
{
    const struct {
        const char *format, *value;
    } filters[] = {
        {"&actor=%s", w->actor}, {"&action=%s", w->action}, {"&target=%s", w->target},
        {"&from=%s", w->from},   {"&to=%s", w->to},
    };

    buf_printf(path, "audit?top=%d", PAGE);
    if (after.len > 0)
        buf_printf(path, "&after=%.*s", SLICE_FMT(after));
    for (size_t i = 0; i < COUNT_OF(filters); i++) {
        if (filters[i].value)
            client_path(path, filters[i].format, filters[i].value);
    }
}

/* Calls on_row with each entry, newest first, until it gives false. There may be more than memory
 * holds: a page is forgotten before the next. */
static int walk(struct audit_walk *a, bool (*on_row)(struct audit_walk *a, const struct json *row))
{
    slice after = {0};

    for (;;) {
        BUF_CLEANUP struct buf path = {.max = 8192};
        struct json *page = NULL;
        const struct json *rows;
        int code;

        write_path(a->words, after, &path);
        arena_reset(&a->client->arena);
        code = client_call(a->client, "GET", buf_slice(&path), NULL, &page);
        if (code != EXIT_DONE)
            return code;
        rows = json_member(page, SLICE("value"));
        for (const struct json *row = rows ? rows->first : NULL; row; row = row->next) {
            if (!on_row(a, row))
                return EXIT_DONE;
        }
        if (!json_get_text(page, SLICE("next"), &after))
            return EXIT_DONE;
    }
}

/* --- show ------------------------------------------------------------------------------------ */

static bool show_row(struct audit_walk *a, const struct json *row)
{
    struct client *c = a->client;
    const struct json *entry = json_member(row, SLICE("entry"));

    a->has_shown = true;
    if (a->words->json)
        client_print_json(row);
    else
        printf("%8s  %s  %-16s %-7s %s %s\n", client_text(c, row, "number"),
               client_text(c, entry, "at"), client_text(c, entry, "actor"),
               client_text(c, entry, "result"), client_text(c, entry, "action"),
               client_text(c, entry, "target"));
    return --a->left > 0;
}

/* Entries name users by their IDs. */
static int resolve_actor(struct audit_walk *a, char *to, size_t cap)
{
    struct user_name user;
    int code = user_word_resolve(a->client, a->words->actor, &user);

    snprintf(to, cap, "user:%s", user.id);
    a->words->actor = to;
    return code;
}

static int show(struct audit_walk *a)
{
    const char *count = a->words->count ? a->words->count : COUNT_DEFAULT;
    char actor[USER_ID_MAX + 8];
    int code = EXIT_DONE;

    if (!options_number(&audit_command, "--count", count, 1, COUNT_MAX, &a->left))
        return EXIT_USAGE;
    if (a->words->actor && user_word_is_email(a->words->actor))
        code = resolve_actor(a, actor, sizeof actor);
    if (code == EXIT_DONE)
        code = walk(a, show_row);
    if (code == EXIT_DONE && !a->has_shown && !a->words->json)
        fputs("no entry fits\n", stderr);
    return code;
}

/* --- verify ---------------------------------------------------------------------------------- */

/* The text that was hashed is the entry's own, byte for byte. */
static bool hash_fits(slice previous, int64_t number, slice entry, slice want)
{
    BUF_CLEANUP struct buf text = {.max = 1024 * 1024}, hex = {.max = 128};
    uint8_t hash[SHA256_LEN];

    buf_printf(&text, "%.*s %" PRId64 " ", SLICE_FMT(previous), number);
    buf_append(&text, entry);
    sha256(buf_slice(&text), hash);
    hex_encode(slice_of(hash, sizeof hash), &hex);
    return !text.failed && slice_equal(buf_slice(&hex), want);
}

/* The last one stands on one that is gone: the entry above alone vouches for it. */
static bool verify_row(struct audit_walk *a, const struct json *row)
{
    const struct json *entry = json_member(row, SLICE("entry"));
    slice hash = {0}, previous = {0};
    int64_t number = 0;
    bool fits;

    json_get_int(row, SLICE("number"), &number);
    json_get_text(row, SLICE("hash"), &hash);
    json_get_text(row, SLICE("previous"), &previous);
    fits = entry && hash.len == HASH_LEN && !a->is_last &&
           (previous.len == 0 || hash_fits(previous, number, entry->raw, hash));
    if (a->seen > 0)
        fits = fits && number == a->number - 1 &&
               slice_equal(hash, slice_of(a->expected, sizeof a->expected));
    else if (fits)
        memcpy(a->newest, hash.ptr, HASH_LEN);
    if (previous.len == HASH_LEN)
        memcpy(a->expected, previous.ptr, HASH_LEN);
    a->is_last = previous.len != HASH_LEN;
    a->number = number;
    a->seen++;
    if (!fits)
        a->broken_at = number;
    return fits;
}

static int verify(struct audit_walk *a)
{
    int code = walk(a, verify_row);

    if (code != EXIT_DONE)
        return code;
    if (a->broken_at > 0)
        return command_fail(&audit_command, EXIT_FAILED,
                            "the chain is broken at entry %" PRId64
                            ": it, or one beside it, was changed",
                            a->broken_at);
    printf("%" PRId64 " entries, whole; newest hash %.*s\n", a->seen, a->seen > 0 ? HASH_LEN : 0,
           a->newest);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct audit_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder},   {.name = "--actor", .value = &w.actor},
        {.name = "--action", .value = &w.action}, {.name = "--target", .value = &w.target},
        {.name = "--from", .value = &w.from},     {.name = "--to", .value = &w.to},
        {.name = "--count", .value = &w.count},   {.name = "--json", .flag = &w.json},
    };
    struct audit_walk a = {.words = &w};
    struct client client;
    struct words words;
    bool verifies;
    int code;

    if (!options_read(&audit_command, argc, argv, specs, COUNT_OF(specs), &words, &code))
        return code;
    verifies = words.count == 1 && strcmp(words.items[0], "verify") == 0;
    if (words.count > 0 && !verifies)
        return command_fail(&audit_command, EXIT_USAGE,
                            "takes options, or the word verify; --help tells more");
    if (verifies && (w.actor || w.action || w.target || w.from || w.to || w.count))
        return command_fail(&audit_command, EXIT_USAGE, "verify looks at all entries");
    if (!client_open(&client, &audit_command, w.folder, &code))
        return code;
    a.client = &client;
    code = verifies ? verify(&a) : show(&a);
    client_close(&client);
    return code;
}
